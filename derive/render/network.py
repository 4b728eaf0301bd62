"""A sum of products as matrix notation: indices are vertices, factors with two indices edges, with one weights."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..ir.nodes import Index
from .algebra import ONE, chain, diagonal, divide, scaled, spread, times, total, transpose
from .tree import Along, Call, Iverson, Name, Node, Position, Relation, Transpose, children, rank, walk, with_children


class NoMatrix(Exception):
    """The expression has no matrix notation."""


@dataclass(frozen=True)
class Value:
    """A node and the indices of its axes: none, one, or rows and columns."""

    node: Node
    axes: tuple[Index, ...] = ()


Axes = tuple[Index, ...]


def aligned(value: Value, axes: Axes) -> Node:
    """The node as seen in a matrix with these axes: transposed, or a vector repeated along rows or columns."""
    if value.axes == axes or not value.axes:
        return value.node
    if len(axes) == 2 and value.axes == axes[::-1]:
        return transposed(value.node)
    if len(axes) == 2 and len(value.axes) == 1 and value.axes[0] in axes:
        along: Along = "row" if value.axes[0] == axes[0] else "column"
        if along == "column" and any(isinstance(n, Position) for n in walk(value.node)):
            return _turned(value.node)
        return spread(value.node, along)
    raise NoMatrix


def transposed(node: Node) -> Node:
    """The transpose; a bracket about row and column numbers exchanges them."""
    return _turned(node) if isinstance(node, Iverson) else transpose(node)


def _turned(node: Node) -> Node:
    match node:
        case Position(along):
            return Position("column" if along == "row" else "row")
        case Relation(symbol, left, right):
            return Relation(symbol, _turned(left), _turned(right))
        case _:
            return transposed(node) if rank(node) == 2 and not isinstance(node, Iverson) else with_children(node, _turned)


def product(factors: list[Value], axes: Axes) -> Value:
    """The product entry by entry, as a tensor over `axes`."""
    return Value(times(*(aligned(f, axes) for f in factors)), axes)


def contract(factors: list[Value], divisors: list[Value], free: Axes, bound: Axes) -> Value:
    """``sum_bound factors / divisors`` as a value over those of `free` that occur.

    Raises:
        NoMatrix: more than two axes meet.
    """
    groups = _grouped(factors, divisors)
    for index in _elimination_order(groups, bound):
        groups = _eliminate(groups, index)
    return _combine(groups, free)


Groups = dict[frozenset[Index], Value]


def _grouped(factors: list[Value], divisors: list[Value]) -> Groups:
    """Factors over the same axes multiplied; divisors go to the vector or matrix that they divide."""
    groups: Groups = {}
    for f in factors:
        _merge(groups, f)
    for d in divisors:
        place = frozenset(d.axes)
        if place not in groups:
            groups[place] = Value(ONE, d.axes)
        axes = groups[place].axes
        groups[place] = Value(divide(groups[place].node, aligned(d, axes)), axes)
    return groups


def _merge(groups: Groups, value: Value) -> None:
    place = frozenset(value.axes)
    if place in groups:
        axes = groups[place].axes
        groups[place] = product([groups[place], value], axes)
    else:
        groups[place] = value


def _elimination_order(groups: Groups, bound: Axes) -> list[Index]:
    """Summed indices, those with the fewest edges first."""
    degree = {b: sum(b in place and len(place) == 2 for place in groups) for b in bound}
    return sorted(bound, key=lambda b: degree[b])


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
    if weight is None:
        along: Along = "row" if edge.axes == (a, k) else "column"
        return Value(total("sum", along, edge.node, k.extent), (a,))
    return Value(chain(aligned(edge, (a, k)), weight.node), (a,))


def _combine(groups: Groups, free: Axes) -> Value:
    """What is left when every summed index is gone."""
    axes = tuple(i for i in free if any(i in place for place in groups))
    if len(axes) > 2:
        raise NoMatrix
    edges = [v for v in groups.values() if len(v.axes) == 2]
    vectors = [v for v in groups.values() if len(v.axes) == 1]
    scalars = [v.node for v in groups.values() if not v.axes]
    if len(edges) == 1 and len(axes) == 2:
        axes = edges[0].axes
    if len(edges) > 1:
        raise NoMatrix
    if len(axes) == 2 and not edges:
        rows, columns = (next(v.node for v in vectors if v.axes == (i,)) for i in axes)
        return Value(times(*scalars, _outer(rows, columns)), axes)
    if len(vectors) == 2 and isinstance(edges[0].node, Iverson | Name):
        pass
    return Value(times(*scalars, *(aligned(v, axes) for v in (*edges, *vectors))), axes)


def _outer(rows: Node, columns: Node) -> Node:
    return chain(rows, transpose(columns))


def dot(u: Node, v: Node) -> Node:
    return chain(transpose(u), v)


__all__ = ["Call", "Expr", "NoMatrix", "S", "Transpose", "Value", "aligned", "children", "contract", "dot", "product", "sympy"]
