"""A summed index that a bracket keeps from an end of its range runs over the rest of it: ``sum_s [s > 0] f(s - 1)``."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Index, indices_of, reads_of, substitute
from .conditions import simplify_brackets


def shrunk(body: Expr, bound: tuple[Index, ...]) -> tuple[Expr, tuple[Index, ...]]:
    """The same sum without brackets that only say where in its range one summed index is."""
    for factor in sympy.Mul.make_args(body):
        for index in bound if isinstance(factor, Bracket) else ():
            ends = _ends(factor.condition, index)
            if ends is not None:
                low, high = ends
                short = Index(index.name, sympy.expand(index.extent - low - high))
                rest = sympy.Mul(*(f for f in sympy.Mul.make_args(body) if f is not factor))
                rest = simplify_brackets(substitute(rest, {index: short + low}))
                return shrunk(rest, tuple(short if b == index else b for b in bound))
    return body, bound


def _ends(condition: Any, index: Index) -> tuple[Expr, Expr] | None:
    """How many values at the lower and at the upper end of its range a condition takes from an index."""
    if indices_of(condition) != {index} or reads_of(condition):
        return None
    if not isinstance(condition, sympy.Ne | sympy.Ge | sympy.Le | sympy.Gt | sympy.Lt):
        return None
    if isinstance(condition, sympy.Ne):
        difference, unequal = sympy.expand(condition.lhs - condition.rhs), True
    else:
        strict = isinstance(condition, sympy.Gt | sympy.Lt)
        difference, unequal = sympy.expand(condition.gts - condition.lts) - int(strict), False
    sign = difference.coeff(index)
    rest = sympy.expand(difference - sign * index)
    if sign not in (1, -1) or indices_of(rest):
        return None
    place = sympy.expand(-rest / sign)
    last = sympy.expand(index.extent - 1 - place)
    if unequal:
        return (S.One, S.Zero) if place == 0 else (S.Zero, S.One) if last == 0 else None
    low, high = (place, S.Zero) if sign == 1 else (S.Zero, last)
    return (low, high) if (low + high).is_Integer and low + high > 0 else None
