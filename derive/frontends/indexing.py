"""NumPy's indexing and reshaping as index expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ..errors import ShapeError, TraceError, UnsupportedOp
from .traced import Traced


def getitem(trace: Any, x: Traced, key: Any) -> Traced:
    """``x[key]`` for integers, slices, None, Ellipsis and integer arrays."""
    parts = _expand(trace, x, key if isinstance(key, tuple) else (key,))
    arrays = [p for p in parts if isinstance(p, Traced) and p.axes]
    shared = trace.fresh(trace.broadcast(arrays, "indexing")) if arrays else ()
    shared = tuple(i.renamed(f"_a{n}") for n, i in enumerate(shared))
    axes: list[Any] = []
    at: list[Expr] = []
    position = 0
    placed = False
    for part in parts:
        if part is None:
            axes.append(trace.unit())
            continue
        extent = x.extents[position]
        if isinstance(part, slice):
            start, step, count = _slice(trace, part, extent)
            (index,) = trace.fresh([count])
            index = index.renamed(f"_s{position}")
            axes.append(index)
            at.append(start + step * index)
        elif isinstance(part, Traced) and part.axes:
            if not placed:
                axes.extend(shared)
                placed = True
            at.append(trace.broadcast_entry(part, shared))
        else:
            at.append(_position(trace, part, extent, x))
        position += 1
    if arrays and not _adjacent(parts):
        axes = [*shared, *(a for a in axes if a not in shared)]
    indices = trace.fresh([a.extent for a in axes])
    renaming = dict(zip(axes, indices, strict=True))
    return trace.view(indices, x.at([trace.view(tuple(axes), e).at(tuple(renaming.values())) for e in at]))


def _adjacent(parts: list[Any]) -> bool:
    """Whether the integer arrays (and integers among them) stand next to each other, as NumPy asks."""
    places = [p for p, part in enumerate(parts) if part is not None and not isinstance(part, slice)]
    return places == list(range(places[0], places[0] + len(places)))


def _expand(trace: Any, x: Traced, key: tuple[Any, ...]) -> list[Any]:
    used = sum(1 for k in key if k is not None and k is not Ellipsis)
    if used > x.rank:
        raise ShapeError(f"{used} indices for {trace.describe(x)}, which has {x.rank} axes ({trace.where()})")
    parts: list[Any] = []
    seen = False
    for k in key:
        if k is Ellipsis and not seen:
            parts += [slice(None)] * (x.rank - used)
            seen = True
        elif isinstance(k, np.ndarray | list):
            raise UnsupportedOp(f"indexing with the constant array {k!r} ({trace.where()}); try: make it an argument")
        elif isinstance(k, Traced) and k.axes and isinstance(k.entry, sympy.Basic) and _is_mask(k):
            raise TraceError(f"a boolean mask gives a result of unknown size ({trace.where()}); try: np.where(mask, x, 0)")
        else:
            parts.append(k)
    if not seen:
        parts += [slice(None)] * (x.rank - used)
    return parts


def _is_mask(k: Traced) -> bool:
    from_tensor = getattr(k.entry, "tensor", None)
    return type(k.entry).__name__ == "Bracket" or (from_tensor is not None and from_tensor.kind == "boolean")


def _position(trace: Any, part: Any, extent: Expr, x: Traced) -> Expr:
    if isinstance(part, Traced):
        if not part.entry.is_integer:
            raise TraceError(f"an index must be an integer; found {trace.describe(part)} ({trace.where()}); declare it 'integer'")
        return part.entry
    if not isinstance(part, int | np.integer):
        raise TraceError(f"cannot index {trace.describe(x)} with {part!r} ({trace.where()})")
    position = sympy.Integer(int(part))
    if extent.is_Integer and not -extent <= position < extent:
        raise ShapeError(f"index {part} is outside axis of extent {extent} of {trace.describe(x)} ({trace.where()})")
    return extent + position if position < 0 else position


def _slice(trace: Any, part: slice, extent: Expr) -> tuple[Expr, Expr, Expr]:
    """Start, step and number of entries of a slice of an axis."""
    step = 1 if part.step is None else part.step
    if not isinstance(step, int) or step == 0:
        raise UnsupportedOp(f"a slice with step {part.step!r} ({trace.where()}); supported: a nonzero integer")
    low = _end(trace, part.start, extent, S.Zero if step > 0 else extent - 1)
    high = _end(trace, part.stop, extent, extent if step > 0 else -S.One)
    count = high - low if step == 1 else sympy.ceiling((high - low) / S(step))
    if count.is_Integer and count < 0:
        count = S.Zero
    return low, S(step), count


def _end(trace: Any, value: Any, extent: Expr, default: Expr) -> Expr:
    if value is None:
        return default
    end = trace.extent(value)
    if end.is_negative:
        end = extent + end
    if extent.is_Integer and end.is_Integer:
        return max(S.Zero, min(end, extent))
    return end


def reshape(trace: Any, x: Traced, shape: tuple[Any, ...]) -> Traced:
    """Merge and split axes: runs of old and new axes of equal product are matched, each entry read by its place."""
    new = [S.NegativeOne if isinstance(s, int) and s == -1 else trace.extent(s) for s in shape]
    if new.count(S.NegativeOne) > 1:
        raise ShapeError(f"only one axis of a reshape can be -1; found {shape} ({trace.where()})")
    if S.NegativeOne in new:
        known = sympy.Mul(*(n for n in new if n != -1))
        new[new.index(S.NegativeOne)] = sympy.cancel(sympy.Mul(*x.extents) / known)
    axes = trace.fresh(new)
    at: list[Expr] = []
    old, fresh = list(x.extents), list(axes)
    while old or fresh:
        olds, news = _run(trace, x, old, fresh, shape)
        at += _places(olds, news)
        old, fresh = old[len(olds) :], fresh[len(news) :]
    return trace.view(axes, x.at(at))


def _run(trace: Any, x: Traced, old: list[Expr], fresh: list[Any], shape: Any) -> tuple[list[Expr], list[Any]]:
    """The shortest leading runs of old extents and new axes with the same number of entries."""
    for total in range(1, len(old) + len(fresh) + 1):
        for p in range(min(total, len(old)) + 1):
            q = total - p
            if q <= len(fresh) and sympy.expand(sympy.Mul(*old[:p]) - sympy.Mul(*(i.extent for i in fresh[:q]))) == 0:
                return old[:p], fresh[:q]
    raise ShapeError(f"cannot reshape {trace.describe(x)} into {shape}: the numbers of entries differ ({trace.where()})")


def _places(olds: list[Expr], news: list[Any]) -> list[Expr]:
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
