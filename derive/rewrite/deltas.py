"""Brackets that fix an index: solve them for a summed index and the sum is gone."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr

from ..ir.nodes import Bracket, Index, Read, indices_of, reads_of, substitute
from ..ir.places import shortest_places
from .conditions import decide, in_range, simplify_brackets


def is_delta(e: Expr) -> bool:
    """``[a = b]`` about indices."""
    return isinstance(e, Bracket) and isinstance(e.condition, sympy.Eq) and bool(indices_of(e))


def solve_deltas(term: Expr, bound: tuple[Index, ...]) -> tuple[Expr, tuple[Index, ...]]:
    """Remove from the product `term` the deltas that fix one of the summed indices, and those indices.

    ``sum_j [i = j] f(j)`` is ``f(i)``; ``sum_i [a = i + k] g(i)`` is ``[0 <= a - k < n] g(a - k)``;
    ``[a = h s + k]`` with k < s fixes h and k as quotient and remainder.
    """
    progress = True
    while progress and bound:
        progress = False
        term = simplify_brackets(term)
        deltas = [f for f in sympy.Mul.make_args(term) if is_delta(f)]
        for solution in (_quotient_remainder, _linear, _merged):
            fixed = solution(deltas, bound)
            if fixed is None:
                continue
            used, values, provided = fixed
            rest = sympy.Mul(*(f for f in sympy.Mul.make_args(term) if f not in used))
            certain = sympy.And(provided, *(in_range(value, index) for index, value in values.items()))
            term = shortest_places(substitute(rest, dict(values))) * Bracket(certain)
            bound = tuple(b for b in bound if b not in values)
            progress = True
            break
    return _diagonal(simplify_brackets(term), bound), bound


Fixed = tuple[list[Expr], dict[Index, Expr], Any]
"""The deltas that were solved, the indices that they fix with their values, and a condition for there to be a solution."""


def _linear(deltas: list[Expr], bound: tuple[Index, ...]) -> Fixed | None:
    """``[e = 0]`` with e = ±b + rest."""
    for delta in deltas:
        difference = delta.condition.lhs - delta.condition.rhs
        for b in bound:
            c = difference.coeff(b)
            rest = difference - c * b
            if c in (1, -1) and b not in indices_of(rest):
                return [delta], {b: sympy.expand(-rest / c)}, sympy.true
    return None


def _quotient_remainder(deltas: list[Expr], bound: tuple[Index, ...]) -> Fixed | None:
    """``[a = h s + k]`` with both h and k summed and k < s."""
    for delta in deltas:
        difference = sympy.expand(delta.condition.lhs - delta.condition.rhs)
        for k in bound:
            for h in bound:
                ratio = difference.coeff(h) / difference.coeff(k) if difference.coeff(k) in (1, -1) else None
                if h == k or ratio is None or sympy.expand(ratio - k.extent) != 0:
                    continue
                whole = sympy.expand(
                    -(difference - difference.coeff(h) * h - difference.coeff(k) * k) / difference.coeff(k)
                )
                if not {h, k} & indices_of(whole):
                    return (
                        [delta],
                        {h: sympy.floor(whole / k.extent), k: sympy.Mod(whole, k.extent)},
                        sympy.true,
                    )
    return None


def _merged(deltas: list[Expr], bound: tuple[Index, ...]) -> Fixed | None:
    """``[a = floor(f / s)] [c = f mod s]`` fixes f = a s + c."""
    for first in deltas:
        for a, quotient in (first.condition.args, first.condition.args[::-1]):
            if not isinstance(quotient, sympy.floor):
                continue
            for second in deltas:
                for c, remainder in (second.condition.args, second.condition.args[::-1]):
                    if not isinstance(remainder, sympy.Mod) or remainder.args[0] not in bound:
                        continue
                    f, s = remainder.args
                    if sympy.expand(quotient.args[0] * s - f) == 0 and f not in indices_of(a) | indices_of(c):
                        below = sympy.And(decide(sympy.Ge(c, 0)), decide(sympy.Le(c, s - 1)))
                        return [first, second], {f: a * s + c}, below
    return None


def _diagonal(term: Expr, bound: tuple[Index, ...]) -> Expr:
    """Under ``[i = j]`` of two free indices, write the other factors with one of them."""
    factors = list(sympy.Mul.make_args(term))
    for delta in [f for f in factors if is_delta(f)]:
        i, j = sorted(delta.condition.args, key=str)
        if isinstance(i, Index) and isinstance(j, Index) and i.extent == j.extent:
            rest = sympy.Mul(*(f for f in factors if f is not delta))
            if j in indices_of(rest):
                return delta * substitute(rest, {j: i})
    return term


def reads_whole(body: Expr) -> bool:
    """Whether every read stays within its array without the help of a bracket: bare indices over whole axes, or gathers."""

    def inside(place: Expr, extent: Expr) -> bool:
        return (
            place.is_Integer
            or isinstance(place, Read)
            or (isinstance(place, Index) and place.extent == extent)
            or _one_step(place, extent)
        )

    return all(inside(p, e) for r in reads_of(body) for p, e in zip(r.indices, r.tensor.shape, strict=True))


def _one_step(place: Expr, extent: Expr) -> bool:
    """An index plus a number that never leaves the axis: ``h[t+1]``, with one entry more than there are steps."""
    shifted = [i for i in indices_of(place) if (place - i).is_Integer]
    return bool(shifted) and in_range(place, Index("", extent)) is sympy.true


def has_delta(body: Expr) -> bool:
    """Whether a body has a delta among the factors of one of its terms, so that it must not become an array."""
    return any(is_delta(b) for b in body.atoms(Bracket) if not b.atoms(Read))
