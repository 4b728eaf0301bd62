"""Conditions on indices that always or never hold, found from the ranges of the indices."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Index, Read, Where, indices_of


@lru_cache(maxsize=20_000)
def bounds(e: Expr) -> tuple[Expr, Expr] | None:
    """Least and greatest value of an expression that is linear in its indices, else None."""
    e = sympy.expand(e)
    low = high = e
    for index in indices_of(e):
        c = e.coeff(index)
        if indices_of(c) or e.atoms(Read) or indices_of(sympy.expand(e - c * index)) & {index}:
            return None
        if c.is_nonnegative:
            low, high = low.xreplace({index: S.Zero}), high.xreplace({index: index.extent - 1})
        elif c.is_nonpositive:
            low, high = low.xreplace({index: index.extent - 1}), high.xreplace({index: S.Zero})
        else:
            return None
    return sympy.expand(low), sympy.expand(high)


@lru_cache(maxsize=20_000)
def decide(condition: Any) -> Any:
    """`condition`, or true / false where the ranges of its indices decide it."""
    if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
        return condition.func(*(decide(a) for a in condition.args))
    if not isinstance(condition, sympy.core.relational.Relational) or condition.atoms(Read):
        return condition
    if (digit := _of_digit(condition)) is not None:
        return digit
    found = bounds(
        condition.gts - condition.lts if hasattr(condition, "gts") else condition.lhs - condition.rhs
    )
    if found is None:
        return condition
    low, high = found
    match condition:
        case sympy.GreaterThan() | sympy.LessThan():
            return True if low.is_nonnegative else False if high.is_negative else condition
        case sympy.StrictGreaterThan() | sympy.StrictLessThan():
            return True if low.is_positive else False if high.is_nonpositive else condition
        case sympy.Eq():
            return True if low == high == 0 else False if low.is_positive or high.is_negative else condition
        case sympy.Ne():
            return False if low == high == 0 else True if low.is_positive or high.is_negative else condition
    return condition


def _of_digit(condition: Any) -> Any:
    """A bound on a quotient or a remainder, as a bound on the number that is divided; None for other conditions."""
    if not isinstance(condition, sympy.GreaterThan | sympy.LessThan):
        return None
    small, large = condition.lts, condition.gts
    if isinstance(large, sympy.Mod) and small.is_nonpositive:
        return True
    if isinstance(small, sympy.Mod) and sympy.expand(large - small.args[1] + 1).is_nonnegative:
        return True
    if isinstance(large, sympy.floor) and small == 0:
        return decide(sympy.Ge(large.args[0].as_numer_denom()[0], 0))
    if isinstance(small, sympy.floor):
        number, divisor = small.args[0].as_numer_denom()
        return decide(sympy.Le(number, sympy.expand(divisor * (large + 1) - 1)))
    return None


def simplify_brackets(body: Expr) -> Expr:
    """Decide brackets and choices where the ranges of the indices allow it; ``[[c] != 0]`` is ``[c]``."""
    mapping: dict[Any, Any] = {
        b: new for b in body.atoms(Bracket) if (new := Bracket(decide(_unwrap(b.condition)))) != b
    }
    for choice in body.atoms(Where):
        condition, a, b = choice.args
        if (decided := decide(condition)) != condition:
            mapping[choice] = simplify_brackets(Where(decided, a, b))
    return body.xreplace(mapping) if mapping else body


def _unwrap(condition: Any) -> Any:
    if isinstance(condition, sympy.Ne) and isinstance(condition.lhs, Bracket) and condition.rhs == 0:
        return condition.lhs.condition
    return condition


def in_range(e: Expr, index: Index) -> Any:
    """The condition that `e` is a value of `index`, as far as it is not certain; an integer input is what it indexes by."""
    if isinstance(e, Read):
        return sympy.true
    return sympy.And(decide(sympy.Ge(e, 0)), decide(sympy.Le(e, index.extent - 1)))
