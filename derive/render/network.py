"""A sum of products in matrix notation: indices are vertices, factors with two of them are edges."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..ir.nodes import Index
from .algebra import chain, diagonal, spread, total, transpose, turned
from .parts import ONE, divide, scaled, times
from .tree import Along, Iverson, Node, Position, walk


class NoMatrix(Exception):
    """The expression has no matrix notation."""


Axes = tuple[Index, ...]


@dataclass(frozen=True)
class Value:
    """A node and the indices of its axes: none, one, or rows and columns."""

    node: Node
    axes: Axes = ()


def aligned(value: Value, axes: Axes) -> Node:
    """The node as seen in a matrix with these axes: transposed, or a vector repeated."""
    if value.axes == axes or not value.axes:
        return value.node
    if len(axes) != 2 or not set(value.axes) <= set(axes):
        raise NoMatrix
    if len(value.axes) == 2:
        return transpose(value.node)
    along: Along = "row" if value.axes[0] == axes[0] else "column"
    if any(isinstance(n, Position) for n in walk(value.node)):
        bracket = turned(value.node) if along == "column" else value.node
        if not isinstance(bracket, Iverson):
            raise NoMatrix
        return replace(bracket, rank=2)
    return spread(value.node, along)


def contract(factors: list[Value], divisors: list[Value], free: Axes, bound: Axes) -> Value:
    """``sum_bound factors / divisors`` as a value over those of `free` that occur.

    Raises:
        NoMatrix: more than two axes meet.
    """
    groups = _grouped(factors, divisors)
    left = list(bound)
    while left:
        k = min(left, key=lambda b: (_degree(groups, b), _transposes(groups, b)))
        left.remove(k)
        groups = _eliminate(groups, k)
    return _combine(groups, free)


Groups = dict[frozenset[Index], Value]


def _degree(groups: Groups, index: Index) -> int:
    return sum(index in place and len(place) == 2 for place in groups)


def _transposes(groups: Groups, index: Index) -> int:
    """How many matrices would be transposed if this index were summed over next."""
    edges = [v for v in groups.values() if len(v.axes) == 2 and index in v.axes]
    return sum(v.axes[0] == index for v in edges) if len(edges) == 1 else 0


def _grouped(factors: list[Value], divisors: list[Value]) -> Groups:
    """Factors over the same axes multiplied; a divisor goes to the vector or matrix over its axes."""
    groups: Groups = {}
    for f in factors:
        _merge(groups, f)
    for d in divisors:
        place = frozenset(d.axes)
        over = groups.setdefault(place, Value(ONE, d.axes))
        groups[place] = Value(divide(over.node, aligned(d, over.axes)), over.axes)
    return groups


def _merge(groups: Groups, value: Value) -> None:
    place = frozenset(value.axes)
    if place in groups:
        axes = groups[place].axes
        value = Value(times(groups[place].node, aligned(value, axes)), axes)
    groups[place] = value


def _eliminate(groups: Groups, k: Index) -> Groups:
    """Sum over one index."""
    rest = {place: v for place, v in groups.items() if k not in place}
    edges = [v for place, v in groups.items() if k in place and len(place) == 2]
    weight = groups.get(frozenset((k,)))
    match edges:
        case []:
            summed = total("sum", "all", weight.node, k.extent) if weight else scaled(k.extent, ONE)
            _merge(rest, Value(summed))
        case [edge]:
            (a,) = set(edge.axes) - {k}
            _merge(rest, _row_sums(edge, weight, a, k))
        case [left, right]:
            (a,), (b,) = set(left.axes) - {k}, set(right.axes) - {k}
            middle = [diagonal(weight.node)] if weight else []
            node = chain(aligned(left, (a, k)), *middle, aligned(right, (k, b)))
            _merge(rest, Value(node, (a, b)))
        case _:
            raise NoMatrix
    return rest


def _row_sums(edge: Value, weight: Value | None, a: Index, k: Index) -> Value:
    if weight is not None:
        return Value(chain(aligned(edge, (a, k)), weight.node), (a,))
    along: Along = "row" if edge.axes == (a, k) else "column"
    return Value(total("sum", along, edge.node, k.extent), (a,))


def _masked(groups: Groups, mask: Value) -> Value:
    """A column times a row where a condition holds: ``(u v') ∘ [j ≤ i]``."""
    rows, columns = (groups[frozenset((i,))].node for i in mask.axes)
    scalars = [v.node for v in groups.values() if not v.axes]
    return Value(times(*scalars, chain(rows, transpose(columns)), mask.node), mask.axes)


def _combine(groups: Groups, free: Axes) -> Value:
    """What is left when every summed index is gone: at most one matrix, vectors and scalars."""
    axes = tuple(i for i in free if any(i in place for place in groups))
    edges = [v for v in groups.values() if len(v.axes) == 2]
    if len(axes) > 2 or len(edges) > 1:
        raise NoMatrix
    if edges:
        axes = edges[0].axes
        if isinstance(edges[0].node, Iverson) and all(frozenset((i,)) in groups for i in axes):
            return _masked(groups, edges[0])
    elif len(axes) == 2:
        rows, columns = (next(v.node for v in groups.values() if v.axes == (i,)) for i in axes)
        scalars = [v.node for v in groups.values() if not v.axes]
        return Value(times(*scalars, chain(rows, transpose(columns))), axes)
    return Value(times(*(aligned(v, axes) for v in groups.values())), axes)
