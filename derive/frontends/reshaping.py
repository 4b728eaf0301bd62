"""NumPy's reshape as index expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ..errors import ShapeError
from ..ir.nodes import Index
from ..ir.places import shortest_places
from .traced import Traced


def reshape(trace: Any, x: Traced, shape: tuple[Any, ...]) -> Traced:
    """Merge and split axes: runs of old and new axes of equal product are matched, each entry read by its place.

    An axis that is split into parts of symbolic number becomes a multiple of the number of parts.
    """
    axes = trace.fresh(_new_extents(trace, x, shape))
    at: list[Expr] = []
    old, fresh = list(x.extents), list(axes)
    while old or fresh:
        olds, news = _run(old, fresh)
        if not olds and not news:
            raise _unequal(trace, x, shape)
        at += _places(olds, news)
        old, fresh = old[len(olds) :], fresh[len(news) :]
    return x.through(axes, shortest_places(x.at(at)))


def _new_extents(trace: Any, x: Traced, shape: tuple[Any, ...]) -> list[Expr]:
    """The new shape with -1 worked out, and sizes bound so that both shapes have the same number of entries."""
    missing = [p for p, s in enumerate(shape) if isinstance(s, int | np.integer) and s == -1]
    if len(missing) > 1:
        raise ShapeError(f"only one axis of a reshape can be -1; found {shape} ({trace.place()})")
    new = [S.One if p in missing else trace.extent(s) for p, s in enumerate(shape)]
    if missing:
        if not sympy.cancel(sympy.Mul(*x.extents) / sympy.Mul(*new)).is_integer:
            _divide(trace, new)
        left = trace.sizes.quotient(sympy.Mul(*x.extents), sympy.Mul(*new))
        if left is None:
            raise _unequal(trace, x, shape)
        new[missing[0]] = left
    elif sympy.expand(sympy.Mul(*x.extents) - sympy.Mul(*new)) != 0:
        _divide(trace, new)
        if trace.sizes.unify(sympy.Mul(*x.extents), sympy.Mul(*new)) is None:
            raise _unequal(trace, x, shape)
    return [trace.resolve(n) for n in new]


def _divide(trace: Any, extents: list[Expr]) -> None:
    """Sizes that were divided, as in ``D // heads``, become multiples of what they were divided by."""
    for part in sorted(sympy.Mul(*extents).atoms(sympy.floor), key=str):
        trace.sizes.quotient(*sympy.fraction(sympy.together(part.args[0])))


def _unequal(trace: Any, x: Traced, shape: tuple[Any, ...]) -> ShapeError:
    asked = ", ".join(map(str, shape))
    return ShapeError(
        f"cannot reshape {x} into ({asked}): the numbers of entries are not equal\n"
        f"  in {trace.line()}\n"
        "  try: declare the axis as a number, or give both axes the same name if they are meant to be equal"
    )


def _run(old: list[Expr], fresh: list[Index]) -> tuple[list[Expr], list[Index]]:
    """The shortest leading runs of old extents and new axes with the same number of entries."""
    for total in range(1, len(old) + len(fresh) + 1):
        for p in range(min(total, len(old)) + 1):
            q = total - p
            if q > len(fresh):
                continue
            before, after = sympy.Mul(*old[:p]), sympy.Mul(*(i.extent for i in fresh[:q]))
            if sympy.expand(before - after) == 0:
                return old[:p], fresh[:q]
    return [], []


def _places(olds: list[Expr], news: list[Index]) -> list[Expr]:
    """Where each old axis is read, from the place within the run that the new indices give."""
    flat: Expr = S.Zero
    for index in news:
        flat = flat * index.extent + (S.Zero if index.extent == 1 else index)
    places: list[Expr] = []
    for p, extent in enumerate(olds):
        stride = sympy.Mul(*olds[p + 1 :])
        place = sympy.floor(flat / stride) if stride != 1 else flat
        if p and extent != 1:
            place = sympy.Mod(place, extent)
        places.append(S.Zero if extent == 1 else place)
    return places
