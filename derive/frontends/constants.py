"""Python numbers and constant arrays as exact expressions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Rational, S, log, pi, sqrt

from ..ir.callables import callable_of
from ..ir.nodes import Index, Where

LARGEST_TABLE = 64
"""A constant array with more entries must have a rule: be constant, triangular, diagonal or a progression."""


@cache
def _spelled() -> dict[float, Expr]:
    """Doubles that can only be meant as these constants: sqrt(2/pi) is printed and proved as itself."""
    roots = [sqrt(n) for n in (2, 3, 5)] + [sqrt(pi), sqrt(2 * pi), sqrt(2 / pi), sqrt(pi / 2)]
    known = [pi, S.Exp1, *roots, log(2), log(10), log(pi), log(2 * pi)]
    factors = [Rational(p, q) for p in (1, 2, 3, 4) for q in (1, 2, 3, 4)]
    table: dict[float, Expr] = {}
    for base in (b**power for b in known for power in (1, -1, 2) if not (b**power).is_Rational):
        doubles = {float(base), float(callable_of(base, (), folded=False)())}
        for factor in factors:
            for double in (float(factor * base), *(factor.p * d / factor.q for d in doubles)):
                table.setdefault(double, factor * base)
    return table


def exact(value: Any) -> Expr:
    """A Python number as a SymPy number: integers and decimals exactly as written, infinities as such.

    A double that equals a common irrational (pi, sqrt(2), sqrt(2/pi), log(2 pi)/2, ...) to the last bit is
    taken to be that constant; every other double is the shortest decimal that denotes it.
    """
    if isinstance(value, bool | int):
        return sympy.Integer(int(value))
    if math.isnan(value):
        return S.NaN
    if math.isinf(value):
        return S.Infinity if value > 0 else S.NegativeInfinity
    if value in _spelled():
        return _spelled()[value]
    if -value in _spelled():
        return -_spelled()[-value]
    return Rational(str(Decimal(repr(value))))


def rule(array: np.ndarray[Any, Any], indices: Sequence[Index]) -> Expr | None:
    """The entries of a constant array as an expression of its indices; None if it is large and has no rule."""
    if array.size == 0:
        return S.Zero
    for found in (_affine(array, indices), _banded(array, indices)):
        if found is not None:
            return found
    if array.size > LARGEST_TABLE:
        return None
    return _table([exact(v) for v in array.ravel().tolist()], array.shape, tuple(indices))


def _affine(array: np.ndarray[Any, Any], indices: Sequence[Index]) -> Expr | None:
    """A progression along every axis, constant ones included."""
    start = array[(0,) * array.ndim].item()
    first = np.eye(array.ndim, dtype=int)
    steps = [
        array[tuple(place)].item() - start if n > 1 else 0
        for n, place in zip(array.shape, first, strict=True)
    ]
    grids = np.ogrid[tuple(slice(n) for n in array.shape)]
    if not np.isfinite(start) or not np.array_equal(
        array, start + sum(s * g for s, g in zip(steps, grids, strict=True))
    ):
        return exact(start) if (array == start).all() else None
    return sympy.Add(exact(start), *(exact(s) * i for s, i in zip(steps, indices, strict=True)))


def _banded(array: np.ndarray[Any, Any], indices: Sequence[Index]) -> Expr | None:
    """Two values, one of them on, below or above a diagonal: identities and causal masks."""
    if array.ndim != 2 or 1 in array.shape:
        return None
    values = np.unique(array).tolist()
    if len(values) != 2 or np.isnan(values).any():
        return None
    i, j = indices
    offset = np.arange(array.shape[1]) - np.arange(array.shape[0])[:, None]
    for inside, outside in (values[::-1], values):
        chosen = array == inside
        low, high = int(offset[chosen].min()), int(offset[chosen].max())
        for mask, condition in (
            (offset == low, sympy.Eq(j, i + low)), (offset <= high, sympy.Le(j, i + high)),
            (offset >= low, sympy.Ge(j, i + low)),
        ):  # fmt: skip
            if np.array_equal(mask, chosen):
                return Where(condition, exact(inside), exact(outside))
    return None


def _table(entries: list[Expr], shape: tuple[int, ...], indices: tuple[Index, ...]) -> Expr:
    """A choice by the first index among the rules of the rows: a progression, or one after the other."""
    if not shape:
        return entries[0]
    width = len(entries) // shape[0]
    rows = [_table(entries[p * width : (p + 1) * width], shape[1:], indices[1:]) for p in range(shape[0])]
    finite = not any(row.has(S.NaN, S.Infinity, S.NegativeInfinity) for row in rows)
    steps = {b - a for a, b in pairwise(rows)} if finite else set()
    if len(steps) == 1:
        return rows[0] + steps.pop() * indices[0]
    chosen = rows[-1]
    for place in range(len(rows) - 2, -1, -1):
        if rows[place] != rows[place + 1]:
            chosen = Where(sympy.Le(indices[0], place), rows[place], chosen)
    return chosen
