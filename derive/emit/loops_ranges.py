"""Whether an index stays inside of its axis: from the ranges of loops, or from the conditions it stands under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sympy
from sympy import Expr

from ..ir.nodes import Index, Read, reads_of
from ..ir.sizes import interval
from ..rewrite.conditions import in_range


def within(e: Expr, index: Index) -> Any:
    """The condition that `e` is a value of `index`, as far as it is not certain."""
    if isinstance(e, Read):
        return sympy.true if e.tensor.bound == index.extent else sympy.And(sympy.Ge(e, 0), sympy.Lt(e, index.extent))
    return in_range(e, index)


def inside(read: Read) -> bool:
    """The read lies in its tensor for all values of its indices; one with data in an index is made to."""
    for index, extent in zip(read.indices, read.tensor.shape, strict=True):
        if isinstance(index, Index) and index.extent == extent:
            continue
        if not reads_of(index) and not certain(index, extent):
            return False
    return True


def certain(index: Expr, extent: Expr) -> bool:
    """Whether the index is on an axis of this extent for all values of the loops."""
    return bool(within(index, Index("", extent)) == True)  # noqa: E712 - SymPy's true


def implied(index: Expr, extent: Expr, conditions: Iterable[Any]) -> bool:
    """Whether the index is on the axis wherever the conditions hold."""
    known = [difference for condition in conditions for difference in differences(condition)]
    return all(nonnegative(wanted, known) for wanted in (index, extent - 1 - index))


def nonnegative(wanted: Expr, known: list[Expr]) -> bool:
    """``wanted >= 0``, by itself or because something smaller is."""
    for smaller in (sympy.S.Zero, *known):
        limits = interval(sympy.expand(wanted - smaller))
        if limits is not None and sympy.expand(limits[0]).is_nonnegative:
            return True
    return False


def differences(condition: Any) -> Iterator[Expr]:
    """Integers that are not negative where the condition holds."""
    match condition:
        case sympy.And():
            for part in condition.args:
                yield from differences(part)
        case sympy.Not():
            inner = condition.args[0]
            if isinstance(inner, sympy.core.relational.Relational):
                yield from differences(inner.negated)
        case sympy.GreaterThan() | sympy.LessThan() | sympy.StrictGreaterThan() | sympy.StrictLessThan():
            strict = isinstance(condition, sympy.StrictGreaterThan | sympy.StrictLessThan)
            if condition.lhs.is_integer and condition.rhs.is_integer:
                yield condition.gts - condition.lts - int(strict)
        case sympy.Eq():
            if condition.lhs.is_integer and condition.rhs.is_integer:
                yield condition.lhs - condition.rhs
                yield condition.rhs - condition.lhs
