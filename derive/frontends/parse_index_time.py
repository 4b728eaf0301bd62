"""Recurrences as text: ``h[0,i] = h0[i]`` and ``h[t,i] = tanh(... h[t-1,j] ...)``, and what was before the beginning."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr

from ..ir.nodes import Bracket, Equation, Index, Where, indices_of, reads_of, substitute
from ..ir.recurrences import recurrences
from .formula_text import Source
from .formula_tree import Call, Compare, Definition, Entry, Name, Node, Number, children


def merged(source: Source, definitions: list[Definition], sizes: Collection[str]) -> list[Definition]:
    """The definitions with the fixed places of a tensor, ``h[0,i] = h0[i]``, as choices in its general one."""
    general: dict[str, Definition] = {}
    fixed: dict[str, list[tuple[int, Definition]]] = {}
    for d in definitions:
        at = [p for p, place in enumerate(_places(d)) if _is_fixed(place, sizes)]
        if len(at) == 1 and d.sign == "=":
            fixed.setdefault(d.target.name, []).append((at[0], d))
        elif d.target.name not in general:
            general[d.target.name] = d
    found = [d for d in definitions if general.get(d.target.name) is d or _is_plain(d, fixed, general)]
    return [
        _with(source, d, fixed.get(d.target.name, [])) if general.get(d.target.name) is d else d
        for d in found
    ]


def _is_plain(
    d: Definition, fixed: dict[str, list[tuple[int, Definition]]], general: dict[str, Definition]
) -> bool:
    """Whether a definition stays by itself: a second general one, or a fixed one that has none."""
    mine = any(d is other for _, other in fixed.get(d.target.name, []))
    return not mine or d.target.name not in general


def _places(d: Definition) -> tuple[Node, ...]:
    return d.target.indices if isinstance(d.target, Entry) else ()


def _is_fixed(place: Node, sizes: Collection[str]) -> bool:
    return isinstance(place, Number) or (isinstance(place, Name) and place.name in sizes)


def _with(source: Source, d: Definition, fixed: list[tuple[int, Definition]]) -> Definition:
    for axis, other in fixed:
        for position, (mine, theirs) in enumerate(zip(_places(d), _places(other), strict=False)):
            same = isinstance(mine, Name) and isinstance(theirs, Name) and mine.name == theirs.name
            if position != axis and not same:
                what = f"all equations of {d.target.name} need the same letters on the left side, apart from the fixed place"
                raise source.error_at(what, theirs.place)
        here = Compare(other.place, "=", _places(d)[axis], _places(other)[axis])
        d = replace(d, body=Call(other.place, "where", (here, other.body, d.body)))
    return d


def read_ahead(definitions: Iterable[Definition]) -> dict[str, Node]:
    """The tensors that are read in their own equation or before it, and where."""
    definitions = list(definitions)
    defined: set[str] = set()
    names = {d.target.name for d in definitions}
    found: dict[str, Node] = {}
    for d in definitions:
        for node in _entries(d.body):
            if node.name in names - defined:
                found.setdefault(node.name, node)
        defined.add(d.target.name)
    return found


def _entries(node: Node) -> Iterable[Entry | Name]:
    if isinstance(node, Entry | Name):
        yield node
    for child in children(node):
        yield from _entries(child)


def guarded(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """The equations with brackets where a recurrence reads what is before its beginning or behind its end: it is 0."""
    equations = tuple(equations)
    members = {e.target.name: block for block in recurrences(equations) for e in block.equations}
    return tuple(_guarded(e) if e.target.name in members else e for e in equations)


def _guarded(e: Equation) -> Equation:
    mapping: dict[Expr, Expr] = {}
    for r in reads_of(e.body):
        conditions = []
        for place, extent in zip(r.indices, r.tensor.shape, strict=True):
            for index in indices_of(place):
                shift = sympy.expand(place - index)
                over = sympy.expand(index.extent + shift - extent)
                if shift.is_Integer and shift < 0:
                    condition, outside = sympy.Ge(index, -shift), [sympy.Integer(v) for v in range(int(-shift))]
                elif shift.is_Integer and not (-over).is_nonnegative:
                    last = sympy.expand(extent - 1 - shift)
                    condition = sympy.Le(index, last)
                    outside = [last + k for k in range(1, int(over) + 1 if over.is_Integer else 2)]
                else:
                    continue
                if not _excluded(e.body, r, index, outside):
                    conditions.append(condition)
        if conditions and not _chosen(e.body, r):
            mapping[r] = Bracket(sympy.And(*conditions)) * r
    return replace(e, body=substitute(e.body, mapping)) if mapping else e


def _excluded(body: Expr, read: Expr, index: Index, values: Iterable[Any]) -> bool:
    """Whether brackets beside every occurrence of a read are 0 for these values of an index already."""
    return all(
        any(substitute(c, {index: v}) == sympy.false for c in conditions)
        for v in values
        for conditions in _beside(body, read, ())
    )


def _beside(e: Expr, read: Expr, conditions: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    """For each occurrence of a read the conditions of the brackets that multiply it."""
    if e == read:
        yield conditions
        return
    factors = [f.condition for f in e.args if isinstance(f, Bracket)] if e.is_Mul else []
    for argument in e.args:
        if not isinstance(argument, Bracket):
            yield from _beside(argument, read, (*conditions, *factors))


def _chosen(body: Expr, read: Expr) -> bool:
    """Whether a read stands in a choice, which says where it holds."""
    return any(read in reads_of(where) for where in body.atoms(Where))
