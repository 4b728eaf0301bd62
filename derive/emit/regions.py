"""Bodies that hold on a part of an axis: ``[i < n] X[i] + [i >= n] Y[i-n]`` becomes a concatenation or slices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import sympy
from sympy import Expr, Mul
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean

from ..ir.nodes import Bracket, Equation, Index, Where, indices_of, reads_of, substitute
from .ranges import nonnegative

MOST = 8  # parts of one axis
BELOW = (sympy.StrictLessThan, sympy.LessThan)


@dataclass(frozen=True)
class Region:
    """``target[..., low:high, ...] += equation``: a part of `axis`, for which `equation` counts from 0."""

    axis: Index
    low: Expr
    high: Expr
    equation: Equation


def interval(condition: Boolean, index: Index) -> tuple[Expr, Expr] | None:
    """The range ``low <= index < high`` in which a condition holds, if it is one inside the range of the index."""
    if not isinstance(condition, sympy.core.relational._Inequality):
        return None
    strict = isinstance(condition, sympy.StrictLessThan | sympy.StrictGreaterThan)
    small, large = condition.args if isinstance(condition, BELOW) else reversed(condition.args)
    rest = sympy.expand(small - large)
    sign = rest.coeff(index)
    rest = sympy.expand(rest - sign * index)
    if abs(sign) != 1 or reads_of(rest) or indices_of(rest):
        return None
    low, high = sympy.S.Zero, index.extent
    if sign == 1:
        high = -rest if strict else 1 - rest
    else:
        low = rest + 1 if strict else rest
    certain = all(map(nonnegative, (low, index.extent - high, sympy.expand(high - low))))
    return (low, high) if certain and (low, high) != (0, index.extent) else None


def shrunk(body: Expr, index: Index) -> tuple[Expr, Index, Expr] | None:
    """Leave out one bracket that restricts `index` to a range: the new body, its index counted from 0, the start."""
    for bracket in [f for f in Mul.make_args(body) if isinstance(f, Bracket)]:
        found = interval(bracket.args[0], index)
        if found is None:
            continue
        low, high = found
        inner = Index(index.name, sympy.expand(high - low))
        rest = Mul(*(f for f in Mul.make_args(body) if f != bracket))
        return substitute(rest, {index: inner + low}), inner, low
    return None


def regions(equation: Equation) -> list[Region] | None:
    """The parts of an elementwise equation along one axis, if that is what its brackets say; else None."""
    for axis in equation.axes:
        pieces = _segments(equation, axis)
        if pieces is not None:
            return pieces
        terms = [t for term in sympy.Add.make_args(equation.body) for t in _terms(term, axis)]
        found = [_region(equation, axis, term) for term in terms]
        if any(region.equation.axes != equation.axes for region in found):
            return _together(found)
    return None


def _segments(equation: Equation, axis: Index) -> list[Region] | None:
    """The axis cut where a condition changes, if the order of these places is certain; parts that are 0 are left out."""
    conditions = {
        c: found for c in equation.body.atoms(Relational) if (found := interval(c, axis)) is not None
    }
    if not conditions:
        return None
    ends = _ascending({e for pair in conditions.values() for e in pair} | {sympy.S.Zero, axis.extent})
    if ends is None or len(ends) > MOST + 1:
        return None
    pieces: list[Region] = []
    for low, high in pairwise(ends):
        holds = {c: _covers(within, (low, high)) for c, within in conditions.items()}
        inner = Index(axis.name, sympy.expand(high - low))
        body = substitute(equation.body.xreplace(holds), {axis: inner + low})
        if body != 0:
            pieces.append(Region(axis, low, high, _counted_from_zero(equation, axis, inner, body)))
    return pieces or None


def _ascending(places: set[Expr]) -> list[Expr] | None:
    """The places in an order that holds for all sizes, equal ones once; None if there is none."""
    ordered: list[Expr] = []
    left = list({sympy.expand(e) for e in places})
    while left:
        least = next((e for e in left if all(nonnegative(sympy.expand(other - e)) for other in left)), None)
        if least is None:
            return None
        left.remove(least)
        ordered.append(least)
    return ordered


def _covers(within: tuple[Expr, Expr], part: tuple[Expr, Expr]) -> Boolean:
    inside = nonnegative(sympy.expand(part[0] - within[0])) and nonnegative(sympy.expand(within[1] - part[1]))
    return sympy.true if inside else sympy.false


def _together(found: list[Region]) -> list[Region]:
    """One region for each range, the widest first."""
    merged: dict[tuple[Expr, Expr], Region] = {}
    for region in found:
        key = (region.low, region.high)
        if key in merged:
            body = merged[key].equation.body + region.equation.body
            region = replace(region, equation=replace(region.equation, body=body))
        merged[key] = region
    return sorted(merged.values(), key=lambda r: sympy.expand(r.high - r.low) != r.axis.extent)


def _terms(term: Expr, axis: Index) -> list[Expr]:
    """A term in which a choice by the position along `axis` is written as a sum of brackets."""
    factors = Mul.make_args(term)
    choice = next((f for f in factors if isinstance(f, Where) and interval(f.args[0], axis)), None)
    if choice is None:
        return [_separate(term)]
    condition, a, b = choice.args
    rest = Mul(*(f for f in factors if f is not choice))
    parts = (rest * Bracket(condition) * a, rest * Bracket(sympy.Not(condition)) * b)
    return [
        t
        for part in parts
        for term in sympy.Add.make_args(sympy.expand_mul(part))
        for t in _terms(term, axis)
    ]


def _separate(term: Expr) -> Expr:
    """Brackets of conjunctions as products of brackets."""
    joined = [f for f in Mul.make_args(term) if isinstance(f, Bracket) and isinstance(f.args[0], And)]
    return Mul(
        *(f for f in Mul.make_args(term) if f not in joined),
        *(Bracket(c) for f in joined for c in f.args[0].args),
    )


def _region(equation: Equation, axis: Index, term: Expr) -> Region:
    low, inner, body = sympy.S.Zero, axis, term
    while (found := shrunk(body, inner)) is not None:
        body, inner, start = found
        low += start
    part = _counted_from_zero(equation, axis, inner, body)
    return Region(axis, sympy.expand(low), sympy.expand(low + inner.extent), part)


def _counted_from_zero(equation: Equation, axis: Index, inner: Index, body: Expr) -> Equation:
    """The equation of a part of an axis."""
    axes = tuple(inner if a == axis else a for a in equation.axes)
    target = replace(equation.target, shape=tuple(a.extent for a in axes))
    return replace(equation, target=target, axes=axes, body=body)


def in_order(found: list[Region]) -> list[Region] | None:
    """The regions one after the other, if they cover the axis without overlap."""
    ordered: list[Region] = []
    at, left = sympy.S.Zero, list(found)
    while left:
        following = next((r for r in left if sympy.expand(r.low - at) == 0), None)
        if following is None:
            return None
        left.remove(following)
        ordered.append(following)
        at = following.high
    return ordered if sympy.expand(at - found[0].axis.extent) == 0 else None


def shrunk_bound(body: Expr, bound: tuple[Index, ...]) -> tuple[Expr, tuple[Index, ...]]:
    """Let summed indices run only where the brackets of a product hold; one that has a single value is put in."""
    left: list[Index] = []
    for index in bound:
        while (found := shrunk(body, index)) is not None:
            body, index, _ = found
        if index.extent == 1:
            body = substitute(body, {index: sympy.S.Zero})
        else:
            left.append(index)
    return body, tuple(left)
