"""Index expressions that a reshape means: ``X[i*m + j]`` splits an axis, ``X[i // m, i % m]`` joins two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import sympy
from sympy import Expr

from ..ir.nodes import Index, Read, indices_of
from .code import Code, Suffix, call
from .scope import Scope

Digits = tuple[Index, ...]


def reshaped(
    scope: Scope, read: Read, order: Sequence[Index], integers: Callable[[Expr], Code]
) -> Read | None:
    """The read as one of a reshaped array, or None if no index expression asks for that."""
    return _split(scope, read, integers) or _joined(scope, read, order, integers)


def _array(
    scope: Scope, read: Read, code: Code, axes: list[tuple[Expr, Expr]], integers: Callable[[Expr], Code]
) -> Read:
    """A read of `code`, reshaped to the extents in `axes`, which are pairs of extent and index."""
    sizes = [integers(extent) for extent, _ in axes] if len(axes) > 1 else ["-1"]
    text = call("reshape", *sizes).text
    tensor = scope.array(
        Suffix(code, f".{text}"), tuple(extent for extent, _ in axes), scope.positions[read.tensor.name]
    )
    return Read(replace(tensor, kind=read.tensor.kind, bound=read.tensor.bound), [index for _, index in axes])


# --- one axis becomes several


def _split(scope: Scope, read: Read, integers: Callable[[Expr], Code]) -> Read | None:
    for place, (index, extent) in enumerate(zip(read.indices, read.tensor.shape, strict=True)):
        digits = _digits(index, extent)
        others = [i for p, other in enumerate(read.indices) if p != place for i in indices_of(other)]
        if digits is None or set(digits) & set(others):
            continue
        axes = list(zip(read.tensor.shape, read.indices, strict=True))
        axes[place : place + 1] = [(d.extent, d) for d in digits]
        return _array(scope, read, scope.tensor(read.tensor), axes, integers)
    return None


def _digits(index: Expr, extent: Expr) -> Digits | None:
    """The indices of ``(i*m + j)*k + l``, if together they run over the whole axis."""
    terms = [term.as_independent(Index, as_Add=False) for term in sympy.Add.make_args(sympy.expand(index))]
    if len(terms) < 2 or not all(isinstance(digit, Index) for _, digit in terms):
        return None
    left = {digit: factor for factor, digit in terms}
    found: list[Index] = []
    weight: Expr = sympy.S.One
    while left:
        following = next((d for d, factor in left.items() if sympy.expand(factor - weight) == 0), None)
        if following is None:
            return None
        found.insert(0, following)
        weight = sympy.expand(weight * following.extent)
        del left[following]
    return tuple(found) if sympy.expand(weight - extent) == 0 else None


# --- several axes become one


def _joined(
    scope: Scope, read: Read, wanted: Sequence[Index], integers: Callable[[Expr], Code]
) -> Read | None:
    for index in sorted({i for e in read.indices for i in indices_of(e)}, key=str):
        places = _places(index, read)
        if places is None:
            continue
        rest = [p for p in range(len(read.indices)) if p not in places]
        before = [p for p in rest if _comes_before(read.indices[p], index, wanted, p < places[0])]
        order = [*before, *places, *(p for p in rest if p not in before)]
        code = scope.tensor(read.tensor)
        if order != sorted(order):
            code = Suffix(code, scope.dialect.permute.format(axes=", ".join(map(str, order))))
        axes = [(read.tensor.shape[p], read.indices[p]) for p in order]
        axes[len(before) : len(before) + len(places)] = [(index.extent, index)]
        return _array(scope, read, code, axes, integers)
    return None


def _comes_before(other: Expr, index: Index, wanted: Sequence[Index], otherwise: bool) -> bool:
    """Whether an axis goes in front of the joined one: as the result has them, if it has both."""
    known = isinstance(other, Index) and other in wanted and index in wanted
    return wanted.index(other) < wanted.index(index) if known else otherwise


def _places(index: Index, read: Read) -> list[int] | None:
    """The axes whose index expressions are the digits of `index`, most significant first."""
    found = {
        p: _weight(e, index, read.tensor.shape[p])
        for p, e in enumerate(read.indices)
        if index in indices_of(e)
    }
    if len(found) < 2 or None in found.values():
        return None
    order: list[int] = []
    weight: Expr = sympy.S.One
    while len(order) < len(found):
        place = next((p for p, w in found.items() if p not in order and sympy.expand(w - weight) == 0), None)
        if place is None:
            return None
        order.insert(0, place)
        weight = sympy.expand(weight * read.tensor.shape[place])
    return order if sympy.expand(weight - index.extent) == 0 else None


def _weight(e: Expr, index: Index, extent: Expr) -> Expr | None:
    """w for the digit ``i // w % extent``; without the remainder it is taken for the first digit."""
    if isinstance(e, sympy.Mod):
        if sympy.expand(e.args[1] - extent) != 0:
            return None
        e = e.args[0]
    if e == index:
        return sympy.S.One
    if not isinstance(e, sympy.floor):
        return None
    weight = sympy.simplify(index / e.args[0])
    return None if indices_of(weight) or not weight.is_integer else weight
