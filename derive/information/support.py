"""Whether a law can have a value that another law cannot have: then what one expects of the other is infinite."""

from __future__ import annotations

import sympy
from sympy import Expr

from .laws import Scalar


def outside(p: Scalar, q: Scalar) -> tuple[sympy.Basic, str]:
    """The condition that every value of p is possible under q, and the words for where it is not."""
    if p.record.discrete != q.record.discrete:
        what = (
            "whole numbers, to each of which"
            if p.record.discrete
            else "numbers that almost surely are not whole, to which"
        )
        return sympy.false, f"{p.written} has {what} {q.written} gives probability 0"
    (low, high), (other_low, other_high) = p.bounds, q.bounds
    if _circular(p) and _circular(q):
        return sympy.true, ""
    parts = [_at_least(low, other_low), _at_least(other_high, high)]
    condition = sympy.And(*parts)
    return condition, f"{p.written} lives on {_interval(p)} and {q.written} on {_interval(q)}"


def _at_least(a: Expr, b: Expr) -> sympy.Basic:
    """a >= b, as far as signs say."""
    if a == b or a == sympy.oo or b == -sympy.oo:
        return sympy.true
    if a == -sympy.oo or b == sympy.oo:
        return sympy.false
    difference = sympy.factor(a - b)
    if difference.is_nonnegative:
        return sympy.true
    return sympy.false if difference.is_negative else sympy.Ge(a, b)


def _circular(law: Scalar) -> bool:
    """Whether this is a law of angles: where the interval begins does not matter."""
    low, high = law.bounds
    width = sympy.simplify(high - low)
    if not width.is_number or not width.is_finite or law.record.discrete or not low.free_symbols:
        return False
    x = sympy.Symbol("x", real=True)
    return bool(sympy.simplify(law.log_density(x + width) - law.log_density(x)) == 0)


def _interval(law: Scalar) -> str:
    low, high = law.bounds
    if law.record.discrete:
        last = "..." if high == sympy.oo else str(high)
        return (
            f"{{{low}, {last}}}"
            if high - low == 1
            else f"{{{low}, {low + 1}, ..., {last}}}".replace(", ..., ...", ", ...")
        )
    ends = "∞" if high == sympy.oo else str(high)
    start = "(−∞" if low == -sympy.oo else f"[{low}"
    return f"{start}, {ends}{')' if high == sympy.oo else ']'}"
