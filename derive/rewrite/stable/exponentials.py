"""Sums and quotients of exponentials: sigmoids, hyperbolic functions, and quotients that stay within the range."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, S, cosh, exp, sinh, tanh

from ...ir.nodes import Where
from ...ops.elementwise.complements import expdiff
from ...ops.elementwise.exponential import LogAddExp, expm1, sigmoid, softplus
from ...ops.elementwise.hyperbolic import logcosh, sech2
from ._rule import Rule, U, V, identity, in_terms
from .known import Known
from .rewriter import shorter

Terms = list[tuple[Expr, Expr]]


def exponential(e: Expr) -> tuple[Expr, Expr]:
    """A product as a coefficient and an exponent: ``c exp(a)``."""
    a, rest = S.Zero, []
    for f in Mul.make_args(e):
        if isinstance(f, exp):
            a += f.args[0]
        else:
            rest.append(f)
    return Mul(*rest), a


def exponentials(e: Expr, known: Known) -> Terms | None:
    """A sum as terms ``c exp(a)`` with c > 0, if it is one and some exponent is none that is known to be small."""
    if not e.is_Add or not e.has(exp):
        return None
    terms = [exponential(t) for t in e.args]
    if all(a == 0 for _, a in terms) or not all(known.positive(c) for c, _ in terms):
        return None
    return terms


def log_of_sum(terms: Terms) -> Expr:
    """log of a sum of positive terms ``c exp(a)``."""
    if len(terms) == 2 and terms[0][0] == terms[1][0] and terms[0][1] == -terms[1][1]:
        return sympy.log(2 * terms[0][0]) + logcosh(max(terms[0][1], terms[1][1], key=str))
    logs = sorted((a + sympy.log(c) for c, a in terms), key=lambda x: (not x.is_number, str(x)))
    total = logs[-1]
    for x in reversed(logs[:-1]):
        total = log_add_exp(x, total)
    return total


def log_add_exp(a: Expr, b: Expr) -> Expr:
    """log(exp(a) + exp(b)), from the larger one."""
    return softplus(a + b) if a == 0 or b == 0 else LogAddExp(a, b)


# -- quotients of sums of exponentials


def _quotient(e: Expr, known: Known) -> Expr | None:
    """``exp(n) D^-k`` with D a sum of positive exponentials: each term over the sum, never one infinity over another."""
    for f in e.args:
        if not (f.is_Pow and f.exp.is_Integer and f.exp < 0 and f.base.is_Add):
            continue
        terms = exponentials(f.base, known)
        if terms is None:
            continue
        rest = e / f
        above = [g for g in Mul.make_args(rest) if g.is_Add and g.has(exp) and _mixed(g)]
        if above:
            others = rest / above[0]
            return Add(*(_over(t * others, terms, -f.exp, f) for t in above[0].args))
        if exponential(rest)[1] != 0:
            return _over(rest, terms, -f.exp, f)
        if len(terms) == 2 and terms[0][0] == terms[1][0] and terms[0][1] == -terms[1][1]:
            return rest * (2 * terms[0][0] * cosh(terms[0][1])) ** f.exp
    return None


def _mixed(e: Expr) -> bool:
    return all(not r.is_Add for t in e.args for r in Mul.make_args(t)) and any(
        exponential(t)[1] != 0 for t in e.args
    )


def _over(above: Expr, terms: Terms, k: int, whole: Expr) -> Expr:
    """``above * D^-k`` for one term above."""
    c, n = exponential(above)
    if len(terms) == 2:
        (c1, a), (c2, b) = terms
        gap = sympy.expand(a - b) + sympy.log(c1) - sympy.log(c2)
        for i in range(k + 1):  # exp(n) = exp(i b + (k - i) a)
            if sympy.expand(n - i * b - (k - i) * a) == 0:
                return c * c1 ** (i - k) * c2 ** (-i) * sigmoid(gap) ** (k - i) * sigmoid(-gap) ** i
    return c * exp(sympy.expand(n - k * log_of_sum(terms)))


def _sigmoids(e: Expr, known: Known) -> Expr | None:
    """``exp(-j v) sigmoid(v)^k`` is ``sigmoid(v)^(k-j) sigmoid(-v)^j``; ``sigmoid(v)^-1 exp(v) ...`` likewise."""
    c, n = exponential(e)
    if n == 0:
        return None
    for f in Mul.make_args(c):
        base, k = f.as_base_exp()
        if not (isinstance(base, sigmoid) and k.is_Integer):
            continue
        v = base.args[0]
        for j in range(1, int(abs(k)) + 1):
            sign = 1 if k > 0 else -1
            if n == -sign * j * v:
                return c / f * base ** (k - sign * j) * sigmoid(-v) ** (sign * j)
    return None


def _logarithmic(e: Expr, known: Known) -> Expr | None:
    """``sigmoid(log(v) + u) / v`` is ``exp(u) / (1 + v exp(u))``, which stays where v is tiny."""
    for f in e.args:
        base, k = f.as_base_exp()
        if isinstance(base, sigmoid) and k.is_Integer and k > 0:
            u = base.args[0]
            for t in Add.make_args(u):
                v = t.args[0] if isinstance(t, sympy.log) else None
                if v is not None and any(g.as_base_exp()[0] == v and g.as_base_exp()[1].is_negative for g in e.args):
                    return e / base * v * exp(u - t - softplus(u))
    return None


def _opposite(e: Expr, known: Known) -> Expr | None:
    """``sigmoid(-v)^j / sigmoid(v)^j`` is ``exp(-j v)``."""
    powers = {f.as_base_exp()[0]: f.as_base_exp()[1] for f in e.args}
    for base, k in powers.items():
        if isinstance(base, sigmoid) and k.is_Integer and k > 0:
            other = sigmoid(-base.args[0])
            if (below := powers.get(other)) is not None and below.is_Integer and below < 0:
                j = min(k, -below)
                return e / base**j * other**j * exp(j * base.args[0])
    return None


def _expm1s(e: Expr, known: Known) -> Expr | None:
    """``exp(j v) expm1(v)^-k`` is ``(-1)^j expm1(-v)^-j expm1(v)^(j-k)``."""
    c, n = exponential(e)
    if n == 0:
        return None
    for f in Mul.make_args(c):
        base, k = f.as_base_exp()
        if isinstance(base, expm1) and k.is_Integer and k < 0:
            v = base.args[0]
            for j in range(1, int(-k) + 1):
                if n == j * v:
                    return c * (-1) ** j * expm1(-v) ** (-j) * base**j
    return None


def _distributed(e: Expr, known: Known) -> Expr | None:
    """``exp(u) (exp(a) + exp(b))`` term by term, where the sum alone may be infinite."""
    c, n = exponential(e)
    if n == 0:
        return None
    for f in Mul.make_args(c):
        if f.is_Add and all(_small(t) or not t.has(exp) for t in f.args) and f.has(exp):
            if not _mixed(f) and not all(map(_small, f.args)):
                continue
            return Add(*(t * exp(n) for t in f.args)) * (c / f)
    return None


def _small(t: Expr) -> bool:
    """Whether a term has an exponential as a factor, or a sum of such terms."""
    return exponential(t)[1] != 0 or any(f.is_Add and all(map(_small, f.args)) for f in Mul.make_args(t))


def _merged(e: Expr, known: Known) -> Expr | None:
    """``exp(a) exp(b)`` is ``exp(a + b)``."""
    found = [f for f in e.args if isinstance(f, exp)]
    if len(found) < 2:
        return None
    return Mul(exp(Add(*(f.args[0] for f in found))), *(f for f in e.args if f not in found))


MERGED = Rule("exp(a) exp(b)", (Mul,), _merged, ("exp(u)*exp(v) == exp(u + v)",), source="DLMF 4.8.10")
QUOTIENT = Rule(
    "exp(n) / sum of exp", (Mul,), _quotient,
    ("exp(u)/(exp(u) + exp(v)) == sigmoid(u - v)",
     "exp(u)/(exp(u) + exp(v) + exp(w)) == exp(u - log(exp(u) + exp(v) + exp(w)))"),
    when="all terms below are positive", source="derived: exp(a) = exp(a - b) exp(b)",
)  # fmt: skip
PRODUCT = Rule(
    "exp(-v) sigmoid(v)", (Mul,), _sigmoids,
    ("exp(-u)*sigmoid(u) == sigmoid(-u)", "exp(u)/sigmoid(u) == 1/sigmoid(u)*exp(u)"),
    source="derived: sigmoid(-v) = exp(-v) sigmoid(v)",
)  # fmt: skip
LOGARITHMIC = Rule(
    "sigmoid(log(v) + u) / v", (Mul,), _logarithmic, ("sigmoid(log(v) + u)/v == exp(u - softplus(u + log(v))) where v > 0",),
    source="derived: sigmoid(u) = exp(u - softplus(u))",
)  # fmt: skip
OPPOSITE = Rule(
    "sigmoid(-v) / sigmoid(v)", (Mul,), _opposite, ("sigmoid(-u)/sigmoid(u) == exp(-u)",),
    source="derived: sigmoid(-v) = exp(-v) sigmoid(v)",
)  # fmt: skip
EXPM1S = Rule(
    "exp(v) / expm1(v)", (Mul,), _expm1s, ("exp(u)/expm1(u) == -1/expm1(-u)",),
    source="derived: expm1(v) = -exp(v) expm1(-v)",
)  # fmt: skip
DISTRIBUTED = Rule(
    "exp(u) (exp(a) + exp(b))", (Mul,), _distributed, ("exp(u)*(exp(v) + exp(w)) == exp(u + v) + exp(u + w)",),
    source="derived: exp(a) exp(b) = exp(a + b)",
)  # fmt: skip

# -- differences

COMPLEMENT = identity("1 - sigmoid(u)", [-sigmoid(U), 1], sigmoid(-U))
SIGMOIDS = identity("sigmoid(u) - sigmoid(-u)", [sigmoid(U), -sigmoid(-U)], tanh(U / 2))
TWICE = identity("2 sigmoid(u) - 1", [2 * sigmoid(U), -1], tanh(U / 2))
SECH2 = identity("1 - tanh(u)^2", [-(tanh(U) ** 2), 1], sech2(U))
ABOVE = identity("1 + tanh(u)", [tanh(U), 1], 2 * sigmoid(2 * U))
BELOW = identity("1 - tanh(u)", [-tanh(U), 1], 2 * sigmoid(-2 * U))
EXPM1 = identity("exp(u) - 1", [exp(U), -1], expm1(U))
PLUS_ONE = identity("expm1(u) + 1", [expm1(U), 1], exp(U))
COSHM1 = identity("cosh(u) - 1", [cosh(U), -1], 2 * sinh(U / 2) ** 2)
SINH = identity("exp(u) - exp(-u)", [exp(U), -exp(-U)], 2 * sinh(U))
SECH2_RIGHT = identity("sech2(u) - 4 sigmoid(2 u)", [sech2(U), -4 * sigmoid(2 * U)], -4 * sigmoid(2 * U) ** 2)
SECH2_LEFT = identity("sech2(u) - 4 sigmoid(-2 u)", [sech2(U), -4 * sigmoid(-2 * U)], -4 * sigmoid(-2 * U) ** 2)
SQUARED = identity("1 - sech2(u)", [-sech2(U), 1], tanh(U) ** 2)
COSH2 = identity("cosh(u)^2 - sinh(u)^2", [cosh(U) ** 2, -(sinh(U) ** 2)], S.One)
COSH2M1 = identity("cosh(u)^2 - 1", [cosh(U) ** 2, -1], sinh(U) ** 2)
TANH_HALF = identity("expm1(u) sigmoid(-u)", expm1(U) * sigmoid(-U), tanh(U / 2))
TANH = identity("sinh(u) / cosh(u)", sinh(U) / cosh(U), tanh(U))
SINH_SECH2 = identity("sinh(u) sech2(u)", sinh(U) * sech2(U), tanh(U) / cosh(U))
COTH = identity("cosh(u) / sinh(u)", cosh(U) / sinh(U), 1 / tanh(U))
SOFTPLUS = identity("softplus(u) - u", [softplus(U), -U], softplus(-U))
SOFTPLUSES = identity("softplus(u) - softplus(-u)", [softplus(U), -softplus(-U)], U)


def _hyperbolic(e: Expr, known: Known) -> Expr | None:
    """cosh and sinh beside an exponential are exponentials."""
    if exponential(e)[1] == 0:
        return None
    for f in e.args:
        base, k = f.as_base_exp()
        if k.is_Integer and isinstance(base, cosh | sinh):
            v, sign = base.args[0], 1 if isinstance(base, cosh) else -1
            return e / f * ((exp(v) + sign * exp(-v)) / 2) ** k
    return None


def _cosh_power(e: Expr, known: Known) -> Expr | None:
    """``cosh(u)^-2`` is ``sech2(u)``, which falls to 0 where cosh overflows."""
    if isinstance(e.base, cosh) and e.exp.is_Integer and e.exp <= -2:
        return sech2(e.base.args[0]) ** (-e.exp // 2) * e.base ** (-1 if e.exp % 2 else 0)
    return None


SECH = Rule("cosh(u)^-2", (sympy.Pow,), _cosh_power, ("1/cosh(u)**2 == sech2(u)",), source="DLMF 4.28.8")
HYPERBOLIC = Rule(
    "exp(u) cosh(v)", (Mul,), _hyperbolic, ("exp(u)*cosh(v) == (exp(u + v) + exp(u - v))/2",),
    source="DLMF 4.28.2",
)  # fmt: skip


def _difference(e: Expr, known: Known) -> Expr | None:
    """``exp(u) - exp(v)``: from the larger one, by what is left of u - v where that is shorter."""
    for factor, found, rest in in_terms([exp(U), -exp(V)], e):
        u, v = found[U], found[V]
        gap = sympy.expand(u - v)
        if gap.is_number or not shorter(gap, u, v):
            return factor * expdiff(u, v) + rest
        up, down = exp(v) * expm1(gap), -exp(u) * expm1(-gap)
        form = down if known.nonnegative(gap) else up if known.nonpositive(gap) else Where(gap > 0, down, up)
        return factor * form + rest
    return None


DIFFERENCE = Rule(
    "exp(u) - exp(v)", (Add,), _difference,
    ("exp(u) - exp(v) == exp(v)*expm1(u - v)", "exp(u) - exp(v) == -exp(u)*expm1(v - u)"),
    source="derived: exp(u) = exp(v) exp(u - v)",
)  # fmt: skip
