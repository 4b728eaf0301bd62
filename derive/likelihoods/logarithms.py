"""One name for what is the same: logarithms of products in parts, quotients of exponentials as sigmoids, tails by name."""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Add, Expr, Mul, Pow, S
from sympy.core.relational import Relational

from ..ir.nodes import Bracket
from ..ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from ..ops.elementwise.piecewise import Absolute, domestic
from ..ops.elementwise.special import log_ndtr, ndtr

OBSERVED = ("y", "x")
"""What is observed is written first in differences and conditions."""
LARGE = 60
"""Operations above which a sum is not brought over one denominator."""


def in_terms(expr: Expr) -> Expr:
    """The expression multiplied out, in logarithms of simple things, softplus(u) and s(u) of arguments without a minus."""
    expr = _plain(domestic(expr))
    for _ in range(4):
        before = expr
        expr = Add(*(sympy.expand_mul(t, deep=False) for t in Add.make_args(rewritten(expr))))
        if expr == before:
            break
    return expr


def rewritten(expr: Expr) -> Expr:
    """Every rule once."""
    for rule in RULES:
        expr = rule(expr)
    return expr


def split_log(x: Expr) -> Expr:
    """The logarithm of something positive, in parts: of factors, of powers, of exponentials and of what is built of them."""
    match x:
        case sympy.exp():
            return x.args[0]
        case sigmoid():
            return -softplus(-x.args[0])
        case Pow() if (base := _base(x)) is not None:
            return x.exp * split_log(base)
        case Mul():
            return _of_product(x)
        case Add():
            return _of_sum(x)
        case _:
            tail = _tail(x)
            return sympy.log(x) if tail is None else tail


def _base(power: Expr) -> Expr | None:
    """The positive base of a power that is positive; |x| for x in an even power."""
    if power.base.is_nonnegative or power.exp.is_integer is not True or power.exp.is_odd:
        return power.base
    return Absolute(power.base) if power.exp.is_even else None


def _of_product(x: Expr) -> Expr:
    minus = [f for f in x.args if f.is_negative]
    if minus and len(minus) % 2 == 0:
        return Add(*map(_of_negative, minus), split_log(Mul(*(f for f in x.args if f not in minus))))
    parts = [f for f in x.args if f.is_positive or isinstance(f, sigmoid | sympy.exp | sympy.erfc)]
    powers = [
        f
        for f in x.args
        if f not in parts and isinstance(f, Pow) and _base(f) is not None and not f.exp.is_odd
    ]
    rest = Mul(*(f for f in x.args if f not in parts and f not in powers))
    if rest == 1:
        return Add(*map(split_log, (*parts, *powers)))
    if rest.is_negative:
        return sympy.log(x)
    last = split_log(rest) if not isinstance(rest, Mul) else sympy.log(rest)
    return Add(*map(split_log, (*parts, *powers)), last)


def _of_negative(f: Expr) -> Expr:
    """log(-f)."""
    base, exponent = f.as_base_exp()
    return exponent * sympy.log(-base) if exponent.is_odd else sympy.log(-f)


def _of_sum(x: Expr) -> Expr:
    if isinstance(x - 1, sympy.exp):
        return softplus((x - 1).args[0])
    if isinstance(1 - x, sigmoid):
        return -softplus((1 - x).args[0])
    if (tail := _tail(x)) is not None:
        return tail
    if x.count_ops() > LARGE:
        return sympy.log(x)
    joined = sympy.factor_terms(sympy.cancel(sympy.together(x)))
    return (
        _of_product(joined)
        if isinstance(joined, Mul) and joined.count_ops() <= x.count_ops() + 1
        else sympy.log(x)
    )


def _tail(x: Expr) -> Expr | None:
    """The logarithm of a tail of the normal law: erfc(u) / 2 is ndtr(-sqrt(2) u), 1 - erfc(u) / 2 ndtr(sqrt(2) u)."""
    if isinstance(x, ndtr):
        return log_ndtr(x.args[0])
    if isinstance(1 - x, ndtr):
        return log_ndtr(-(1 - x).args[0])
    if isinstance(x, sympy.erfc):
        return sympy.log(2) + log_ndtr(-sympy.sqrt(2) * x.args[0])
    for whole, constant in ((S.One, S.Zero), (2 * S.One, sympy.log(2))):
        other = sympy.expand(2 * (1 - x / whole)) if x.has(sympy.erfc) else S.Zero
        if isinstance(other, sympy.erfc):
            return constant + log_ndtr(sympy.sqrt(2) * other.args[0])
    return None


def _plain(expr: Expr) -> Expr:
    """The accurate functions by what they mean."""
    return expr.replace(log1p, lambda x: sympy.log(1 + x)).replace(expm1, lambda x: sympy.exp(x) - 1)


def _logs(expr: Expr) -> Expr:
    return expr.replace(sympy.log, split_log)


def _quotients(expr: Expr) -> Expr:
    """1 / (1 + exp(u)) is 1 - s(u), and exp(u) / (1 + exp(u)) is s(u)."""

    def inverse_of_one_more(e: Expr) -> bool:
        whole = isinstance(e, Pow) and e.exp.is_negative and e.exp.is_integer
        return bool(whole and isinstance(e.base, Add) and isinstance(e.base - 1, sympy.exp))

    expr = expr.replace(inverse_of_one_more, lambda e: (1 - sigmoid((e.base - 1).args[0])) ** -e.exp)
    return expr.replace(lambda e: isinstance(e, Mul) and e.has(sympy.exp) and e.has(sigmoid), _cleared)


def _cleared(product: Expr) -> Expr:
    """exp(u) (1 - s(u)) is s(u), and s(u) exp(-u) is 1 - s(u)."""
    factors = list(product.args)
    for e in [f for f in factors if isinstance(f, sympy.exp)]:
        u = e.args[0]
        for before, after in ((1 - sigmoid(u), sigmoid(u)), (sigmoid(-u), 1 - sigmoid(-u))):
            if before in factors:
                factors[factors.index(before)] = after
                factors.remove(e)
                break
    return Mul(*factors)


def _softplus_signs(expr: Expr) -> Expr:
    """softplus(-u) is softplus(u) - u: so that equal terms are found."""
    return expr.replace(
        softplus, lambda u: softplus(-u) - -u if u.could_extract_minus_sign() else softplus(u)
    )


def _sigmoid_signs(expr: Expr) -> Expr:
    """s(-u) is 1 - s(u)."""
    return expr.replace(sigmoid, lambda u: 1 - sigmoid(-u) if u.could_extract_minus_sign() else sigmoid(u))


def _of_logs(expr: Expr) -> Expr:
    """s(log a - log b) is a / (a + b), softplus(log a) is log(1 + a)."""

    def power(u: Expr) -> Expr | None:
        found = S.One
        for term in Add.make_args(u):
            factors = Mul.make_args(term)
            logs = [f for f in factors if isinstance(f, sympy.log)]
            if len(logs) != 1:
                return None
            found *= logs[0].args[0] ** (term / logs[0])
        return found

    def of_sigmoid(u: Expr) -> Expr:
        e = power(u)
        return sigmoid(u) if e is None else sympy.cancel(sympy.together(e / (1 + e)))

    def of_softplus(u: Expr) -> Expr:
        e = power(u)
        return softplus(u) if e is None else sympy.log(sympy.together(1 + e))

    return expr.replace(sigmoid, of_sigmoid).replace(softplus, of_softplus)


def _conditions(expr: Expr) -> Expr:
    """Conditions with what is on both sides left out; of [c] and [not c] the second is 1 - [c]."""
    expr = expr.replace(lambda e: isinstance(e, Relational), _shorter_condition)
    seen: list[Expr] = []
    for bracket in sorted(expr.atoms(Bracket), key=str):
        if (other := Bracket(sympy.Not(bracket.args[0]))) in seen:
            expr = expr.xreplace({bracket: 1 - other})
        else:
            seen.append(bracket)
    return expr


def _shorter_condition(c: Expr) -> Expr:
    if isinstance(c, sympy.Eq | sympy.Ne):
        return c
    difference = sympy.expand(c.lhs - c.rhs)
    if difference.count_ops() > (c.lhs - c.rhs).count_ops():
        return c
    terms = Add.make_args(difference)
    right = [-t for t in terms if t.could_extract_minus_sign()]
    left = [t for t in terms if not t.could_extract_minus_sign()]
    found = c.func(Add(*left), Add(*right))
    first, _ = sorted((found.lhs, found.rhs), key=lambda e: (str(e) not in OBSERVED, str(e)))
    return found if found.lhs == first else found.reversed


RULES: tuple[Callable[[Expr], Expr], ...] = (
    _conditions,
    _logs,
    _of_logs,
    _quotients,
    _softplus_signs,
    _sigmoid_signs,
)
