"""Means by Euler's integrals: a substitution after which a density is that of a beta or of a gamma variable.

If w is a part of the log-density, or the quotient of two terms of a sum in it, then ``x = x(w)`` on each of its branches.
Where the density becomes ``u^(a-1) (1-u)^(b-1)`` in ``u = w`` or ``u = w/(1 + w)``, or ``u^(a-1) exp(-c u)`` in ``u = w``,
every product of powers and of logarithms of u and 1 - u has a mean: ``B(a + i, b + j) / B(a, b)`` or
``Gamma(a + i) / (c^i Gamma(a))``, differentiated by a and b once for each logarithm. So Student's t, Cauchy, logistic,
Gumbel and Weibull laws are one case, and laws of one's own.

Source: Andrews, Askey and Roy (1999), Special Functions, sec. 1.1; derived, checked by the mass being 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np
import sympy
from sympy import Add, Expr, Mul, Pow, S

from ..ops.elementwise import op_of_head
from ..ops.elementwise.piecewise import Absolute, Sign

U, V = sympy.Symbol("u_", positive=True), sympy.Symbol("v_", positive=True)
"""The new variable, and 1 - u where u is below 1."""
CHARTS = ((U, False), (U, True), (U / V, True), (V / U, True))
"""What w is in u: itself, u/(1 - u), (1 - u)/u; and whether u is below 1."""
MOST = 60
"""Terms of a function of u."""
Powers = dict[tuple[Expr, Expr, int, int], Expr]
"""Coefficients of ``u^i v^j log(u)^k log(v)^l`` by (i, j, k, l)."""


@dataclass(frozen=True)
class Branch:
    """Where x runs along one branch of the inverse: its density is ``constant u^(a-1) v^(b-1) exp(-rate u)``.

    place: x in u and v; bounded: whether u is between 0 and 1, where v is 1 - u and the rate is 0.
    """

    place: Expr
    bounded: bool
    constant: Expr
    a: Expr
    b: Expr
    rate: Expr

    @property
    def log_integral(self) -> Expr:
        """The logarithm of the integral of the density over u."""
        if not self.bounded:
            return sympy.loggamma(self.a) - self.a * sympy.log(self.rate)
        return sympy.loggamma(self.a) + sympy.loggamma(self.b) - sympy.loggamma(self.a + self.b)

    @cached_property
    def mass(self) -> Expr:
        return self.constant * sympy.exp(self.log_integral)

    def moment(self, i: Expr, j: Expr, k: int, order: int) -> Expr | None:
        """``E u^i v^j log(u)^k log(v)^order``, given this branch; None where it is not known to be finite."""
        a, b = sympy.Dummy("a", positive=True), sympy.Dummy("b", positive=True)
        top, left = self.a + i, self.b + j
        if not top.is_positive or (self.bounded and not left.is_positive):
            return None
        if not self.bounded:
            ratio = _rising(self.a, i) / self.rate**i
            log_integral = sympy.loggamma(a) - a * sympy.log(self.rate)
        else:
            ratio = _rising(self.a, i) * _rising(self.b, j) / _rising(self.a + self.b, i + j)
            log_integral = sympy.loggamma(a) + sympy.loggamma(b) - sympy.loggamma(a + b)
        factor = S.One
        for by, times in ((a, k), (b, order)):
            for _ in range(times):
                factor = factor * sympy.diff(log_integral, by) + sympy.diff(factor, by)
        return ratio * factor.xreplace({a: top, b: left}).replace(sympy.polygamma, self._reduced)

    def _reduced(self, n: Expr, z: Expr) -> Expr:
        """``psi_n(z)`` at a, b or a + b, or between 0 and 1: ``psi_n(w + 1) = psi_n(w) + (-1)^n n!/w^(n+1)``."""
        near = [z - w for w in (self.a, self.b, self.a + self.b) if sympy.expand(z - w).is_Integer]
        shift = sympy.ceiling(z) - 1 if z.is_Rational else sympy.expand(near[0]) if near else S.Zero
        start, sign = sympy.expand(z - shift), (-1) ** n * sympy.factorial(n)
        steps = [start + k for k in range(int(shift))], [z + k for k in range(int(-shift))]
        up, down = (Add(*(sign / w ** (n + 1) for w in part)) for part in steps)
        return sympy.expand_func(sympy.polygamma(n, start)) + up - down


@dataclass(frozen=True)
class Euler:
    """A law of one number, x, whose density is one of Euler's integrands on each branch."""

    x: sympy.Symbol
    branches: tuple[Branch, ...]

    def mean(self, g: Expr) -> Expr | None:
        """E g(x); None where g is no sum of such products, or has no mean that is known to be finite."""
        total = S.Zero
        for branch in self.branches:
            weight = S.One if len(self.branches) == 1 else _simple(branch.mass)
            powers = powers_of(_changed(g, self.x, branch.place, branch.bounded))
            if powers is None:
                return None
            for exponents, coefficient in _gathered(powers).items():
                if coefficient == 0:
                    continue
                moment = branch.moment(*exponents)
                if moment is None:
                    return None
                total += weight * coefficient * moment
        return _simple(total)


def _rising(a: Expr, i: Expr) -> Expr:
    """``Gamma(a + i) / Gamma(a)``."""
    if not i.is_Integer:
        return sympy.gammasimp(sympy.gamma(a + i) / sympy.gamma(a))
    steps = range(int(i)) if i >= 0 else range(int(i), 0)
    found = Mul(*(a + k for k in steps))
    return found if i >= 0 else 1 / found


def _gathered(powers: Powers) -> Powers:
    return {key: sympy.factor_terms(sympy.cancel(c)) if c.is_Add else c for key, c in powers.items()}


def _simple(e: Expr) -> Expr:
    """A polynomial in values of special functions, with each coefficient in factors."""
    e = sympy.powsimp(sympy.gammasimp(e) if e.has(sympy.gamma, sympy.loggamma) else e)
    values = e.atoms(sympy.Function) | ({sympy.pi} & e.atoms(sympy.NumberSymbol))
    names = {f: sympy.Dummy("f") for f in values}
    if not names:
        return sympy.factor(e)
    poly = sympy.Poly(sympy.expand(e.xreplace(names)), *names.values())
    back = {d: f for f, d in names.items()}
    terms = (
        sympy.factor(c) * Mul(*(back[g] ** k for g, k in zip(poly.gens, powers, strict=True)))
        for powers, c in poly.terms()
    )
    return Add(*terms)


# -- finding the substitution


@lru_cache(maxsize=256)
def euler(log_density: Expr, x: sympy.Symbol) -> Euler | None:
    """The form of a density as Euler's integrand, in the first substitution in which it is one.

    Args:
        log_density: in x and symbols, of which SymPy knows which are positive.
        x: a symbol that is positive if the support is the positive numbers.
    """
    log_density = _plain(log_density)
    for w in _parts(log_density, x):
        for chart, bounded in CHARTS:
            found = tuple(_branch(log_density, x, place, bounded) for place in _inverses(w, x, chart))
            branches = tuple(b for b in found if b is not None)
            if branches and len(branches) == len(found) and _is_law(branches):
                return Euler(x, branches)
    return None


def _parts(e: Expr, x: sympy.Symbol) -> Iterator[Expr]:
    """Parts of an expression that may be the new variable: quotients of terms of sums, then functions and powers."""
    seen: set[Expr] = set()
    sums = [s for s in sympy.preorder_traversal(e) if isinstance(s, Add) and s.has(x)]
    inner = [s for s in sums if s != e]
    for s in sorted(inner, key=lambda s: s.count_ops()):
        terms = [t for t in s.args if t.has(x)]
        rest = Add(*(t for t in s.args if not t.has(x)))
        others = [rest] if rest != 0 else []
        for top in terms:
            for below in (*others, *(t for t in terms if t != top)):
                for w in (top / below, -top / below):
                    w = sympy.powsimp(sympy.expand_power_base(w, force=True))
                    if not w.could_extract_minus_sign() and w not in seen:
                        seen.add(w)
                        yield w
    for part in sympy.preorder_traversal(e):
        whole = isinstance(part, Pow | sympy.exp | Absolute) or part == x
        if whole and part.has(x) and part not in seen:
            seen.add(part)
            yield part


def _inverses(w: Expr, x: sympy.Symbol, value: Expr) -> Iterator[Expr]:
    """The values of x at which ``w(x) = value`` for a positive value: one for each branch."""
    if w == x:
        if not (x.is_positive and value.is_negative):
            yield value
        return
    match w:
        case sympy.exp():
            yield from _inverses(w.args[0], x, _log(value))
        case sympy.log():
            yield from _inverses(w.args[0], x, sympy.exp(value))
        case Absolute():
            yield from _inverses(w.args[0], x, value)
            yield from _inverses(w.args[0], x, -value)
        case Pow() if not w.exp.has(x):
            root = sympy.powdenest(sympy.expand_power_base(value ** (1 / w.exp), force=True), force=True)
            yield from _inverses(w.base, x, root)
            if w.exp.is_even and not w.base.is_positive:
                yield from _inverses(w.base, x, -root)
        case Mul():
            fixed, rest = w.as_independent(x, as_Add=False)
            if fixed != 1 and not isinstance(rest, Mul):
                yield from _inverses(rest, x, value / fixed)
        case Add():
            fixed, rest = w.as_independent(x, as_Add=True)
            if fixed != 0:
                yield from _inverses(rest, x, value - fixed)


def _branch(log_density: Expr, x: sympy.Symbol, place: Expr, bounded: bool) -> Branch | None:
    """The density of u along a branch, if it is one of Euler's."""
    slope = _slope(place, bounded)
    powers = powers_of(_changed(log_density, x, place, bounded) + _log(slope), logs_only=True)
    if powers is None:
        return None
    constant, a, b, rate = S.Zero, S.One, S.One, S.Zero
    for key, coefficient in powers.items():
        match key:
            case (0, 0, 0, 0):
                constant += coefficient
            case (0, 0, 1, 0):
                a += coefficient
            case (0, 0, 0, 1) if bounded:
                b += coefficient
            case (1, 0, 0, 0) if not bounded:
                rate -= coefficient
            case _:
                return None
    a, b, rate = (sympy.factor(sympy.expand(e)) for e in (a, b, rate))
    if not (a.is_positive and (b if bounded else rate).is_positive):
        return None
    return Branch(place, bounded, sympy.exp(sympy.expand(constant)), a, b, rate)


def _slope(place: Expr, bounded: bool) -> Expr:
    """``|dx/du|``, v being 1 - u."""
    slope = _joined(place.diff(U) - place.diff(V), bounded)
    number = sympy.factor_terms(slope)
    return -number if number.is_negative or number.could_extract_minus_sign() else number


def _is_law(branches: tuple[Branch, ...]) -> bool:
    """Whether the masses add up to 1, at some numbers: then the branches are all of the support."""
    rng = np.random.default_rng(5)
    symbols = {s for b in branches for e in (b.constant, b.a, b.b, b.rate) for s in e.free_symbols}
    if symbols & {U, V}:
        return False
    for _ in range(2):
        at = {s: sympy.Float(rng.uniform(0.2, 0.8), 30) for s in sorted(symbols, key=str)}
        total = sum((sympy.N(b.mass.xreplace(at), 25) for b in branches), S.Zero)
        if not (total.is_comparable and abs(total - 1) < 1e-15):
            return False
    return True


# -- functions of u


def _plain(e: Expr) -> Expr:
    """By SymPy's functions, exponentials in the place of hyperbolic functions."""

    def defined(f: Expr) -> Expr:
        op = op_of_head(f.func)
        return op.definition(*f.args) if op and op.definition else f

    e = (
        e.replace(lambda f: isinstance(f, sympy.Function) and not isinstance(f, Absolute | Sign), defined)
        .replace(sympy.Abs, Absolute)
        .replace(sympy.sign, Sign)
    )
    return e.replace(
        lambda f: isinstance(f, sympy.functions.elementary.hyperbolic.HyperbolicFunction),
        lambda f: f.rewrite(sympy.exp),
    )


def _changed(e: Expr, x: sympy.Symbol, place: Expr, bounded: bool) -> Expr:
    """A function of x as one of u and v."""
    e = _plain(e).xreplace({x: place})
    e = e.replace(lambda f: isinstance(f, Add) and f.has(U, V), partial(_joined, bounded=bounded))
    e = e.replace(Absolute, _size).replace(Sign, _sign)
    e = e.replace(sympy.exp, lambda a: _exp(sympy.expand(a)))
    e = e.replace(lambda f: isinstance(f, Add) and f.has(U, V), partial(_joined, bounded=bounded))
    e = e.replace(
        lambda f: isinstance(f, Pow) and f.has(U, V),
        lambda f: sympy.powdenest(sympy.expand_power_base(f, force=True), force=True),
    )
    return e.replace(sympy.log, _log)


def _joined(total: Expr, bounded: bool) -> Expr:
    """A sum over one denominator, in factors, with u + v = 1 where u is below 1."""
    if not total.has(U, V) or total.has(sympy.log):
        return total
    found = sympy.factor(sympy.together(sympy.powsimp(total)))
    if not bounded:
        return found
    return found.xreplace({U + V: S.One, 1 - U: V, U - 1: -V, 1 - V: U, V - 1: -U, -U - V: S.NegativeOne})


def _exp(a: Expr) -> Expr:
    """``exp(c log(u) + r)`` is ``u^c exp(r)``."""
    found, rest = S.One, S.Zero
    for term in Add.make_args(sympy.expand_log(a, force=True)):
        factors = Mul.make_args(term)
        logs = [f for f in factors if isinstance(f, sympy.log)]
        if len(logs) == 1 and not Mul(*(f for f in factors if f not in logs)).has(U, V):
            found *= logs[0].args[0] ** (term / logs[0])
        else:
            rest += term
    return found * sympy.exp(rest)


def _size(a: Expr) -> Expr:
    a = sympy.factor_terms(a)
    return a if a.is_nonnegative else -a if (-a).is_nonnegative else Absolute(a)


def _sign(a: Expr) -> Expr:
    a = sympy.factor_terms(a)
    return S.One if a.is_positive else S.NegativeOne if a.is_negative else Sign(a)


def _log(a: Expr) -> Expr:
    return sympy.expand_log(sympy.log(sympy.factor_terms(a)), force=True)


def powers_of(e: Expr, logs_only: bool = False) -> Powers | None:
    """A function as a sum of products of powers and logarithms of u and v; None if it is none.

    Args:
        logs_only: the argument is a log-density: powers of v stand for nothing there.
    """
    found: Powers = {}
    terms = Add.make_args(sympy.expand(e, log=False, power_base=False, power_exp=False))
    if len(terms) > MOST:
        return None
    for term in terms:
        i = j = S.Zero
        k = order = 0
        coefficient = S.One
        for factor in Mul.make_args(term):
            base, exponent = factor.as_base_exp()
            if isinstance(factor, sympy.exp):
                base, exponent = factor, S.One
            if not factor.has(U, V):
                coefficient *= factor
            elif base == U and not exponent.has(U, V):
                i += exponent
            elif base == V and not exponent.has(U, V):
                j += exponent
            elif base == sympy.log(U) and exponent.is_Integer and exponent > 0:
                k += int(exponent)
            elif base == sympy.log(V) and exponent.is_Integer and exponent > 0:
                order += int(exponent)
            else:
                return None
        if logs_only and (j != 0 or k * order != 0):
            return None
        key = (sympy.expand(i), sympy.expand(j), k, order)
        found[key] = found.get(key, S.Zero) + coefficient
    return found
