"""Whether a matrix equals its transpose, from what is declared or from the form of its equation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Expr
from sympy.core.sorting import default_sort_key

from ..ir.nodes import Entry, Equation, Index, Read, Slot, Tensor, substitute

DECLARED = {"symmetric", "positive definite", "positive semidefinite", "diagonal"}


def is_symmetric(read: Read, definitions: Mapping[str, Equation]) -> bool:
    """Whether the matrix that a primitive is given is known to be symmetric."""
    places = [p for p, index in enumerate(read.indices) if isinstance(index, Slot)]
    return _symmetric(read.tensor, places, definitions)


def _symmetric(tensor: Tensor, places: list[int], definitions: Mapping[str, Equation]) -> bool:
    last = [tensor.rank - 2, tensor.rank - 1]
    if places == last and tensor.facts & DECLARED:
        return True
    equation = definitions.get(tensor.name)
    if equation is None or isinstance(equation.body, Entry) or len(places) != 2:
        return False
    a, b = (equation.axes[p] for p in places)
    if a.extent != b.extent:
        return False
    body = _normal(equation.body, definitions)
    swapped = _normal(substitute(equation.body, {a: b, b: a}), definitions)
    return bool(body == swapped) or sympy.expand(body - swapped) == 0


def _normal(e: Any, definitions: Mapping[str, Equation]) -> Expr:
    """The expression with the indices of symmetric matrices, and the sides of equalities, in a fixed order."""
    if isinstance(e, Read):
        plain = e.tensor.rank == 2 and all(isinstance(i, Index) for i in e.indices)
        if plain and _symmetric(e.tensor, [0, 1], definitions):
            return Read(e.tensor, sorted(e.indices, key=str))
        return e
    if not e.args:
        return e
    args = [_normal(a, definitions) for a in e.args]
    if isinstance(e, sympy.Eq | sympy.Ne):
        args.sort(key=default_sort_key)
    return e.func(*args)
