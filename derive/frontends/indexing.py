"""NumPy's indexing as index expressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ..errors import ShapeError, TraceError, UnsupportedOp
from ..ir.nodes import Index
from .traced import BOOL, INT, Traced, holds_traced


@dataclass(frozen=True)
class Part:
    """What one item of a key makes of one axis: the index expression, and the new axes that only occur in it."""

    place: Expr | None
    axes: tuple[Index, ...] = ()
    advanced: bool = False


def getitem(trace: Any, x: Traced, key: Any) -> Traced:
    """``x[key]`` for integers, slices, None, Ellipsis and integer arrays, in the order of axes that NumPy gives.

    Raises:
        ShapeError: too many indices, or one outside an axis of known extent.
        TraceError: a boolean mask, or an index that is no integer.
    """
    key = key if isinstance(key, tuple) else (key,)
    items = _complete(trace, x, tuple(part for k in key for part in _without_masks(k)))
    axes_of_items = iter(range(x.rank))
    items = [k if k is None else _item(trace, x, next(axes_of_items), k) for k in items]
    arrays = [item for item in items if isinstance(item, Traced) and item.axes]
    shared = tuple(
        i.renamed(f"_a{n}") for n, i in enumerate(trace.fresh(trace.broadcast(arrays, "indexing")))
    )
    parts: list[Part] = []
    axis = 0
    for item in items:
        if item is None:
            parts.append(Part(None, (trace.unit(),)))
            continue
        parts.append(_part(trace, x, axis, item, shared))
        axis += 1
    axes = _in_order(parts, shared if arrays else None)
    new = trace.fresh(i.extent for i in axes)
    places = [p.place for p in parts if p.place is not None]
    moved = [trace.view(axes, place).at(new) for place in places]
    return x.through(new, x.at(moved))


def _in_order(parts: list[Part], shared: tuple[Index, ...] | None) -> tuple[Index, ...]:
    """The axes of the result: those of index arrays stand where the arrays do, in front if these are apart."""
    if shared is None:
        return tuple(i for part in parts for i in part.axes)
    places = [p for p, part in enumerate(parts) if part.advanced]
    first, last = places[0], places[-1]
    if places != list(range(first, last + 1)):
        return (*shared, *(i for part in parts for i in part.axes))
    before = (i for part in parts[:first] for i in part.axes)
    return (*before, *shared, *(i for part in parts[last:] for i in part.axes))


def _without_masks(k: Any) -> tuple[Any, ...]:
    """A constant mask as the places where it holds, one array for each of its axes."""
    constant = isinstance(k, np.ndarray) or (isinstance(k, list) and not holds_traced(k))
    if not constant or not np.ndim(k) or np.asarray(k).dtype != BOOL:
        return (k,)
    return np.asarray(k).nonzero()


def _complete(trace: Any, x: Traced, key: tuple[Any, ...]) -> list[Any]:
    """The key with one item for each axis, and None for each new axis."""
    used = sum(1 for k in key if k is not None and k is not Ellipsis)
    if used > x.rank:
        raise ShapeError(f"{used} indices for {x}, which has {x.rank} axes ({trace.place()})")
    rest = [slice(None)] * (x.rank - used)
    dots = [p for p, k in enumerate(key) if k is Ellipsis]
    if len(dots) > 1:
        raise ShapeError(f"an index can have one Ellipsis; found {len(dots)} ({trace.place()})")
    return [*key[: dots[0]], *rest, *key[dots[0] + 1 :]] if dots else [*key, *rest]


def _item(trace: Any, x: Traced, axis: int, k: Any) -> Any:
    """A slice, an int from 0 on, or a traced array of integers."""
    if isinstance(k, slice):
        return k
    if isinstance(k, bool | np.bool_):
        raise TraceError(f"{k} as an index ({trace.place()}); try: None for a new axis")
    if isinstance(k, str | bytes):
        raise TraceError(f"an array has no field {k!r} ({trace.place()})")
    found = trace.lift(k if holds_traced(k) else _from_the_start(trace, x, axis, np.asarray(k)))
    if found.dtype == BOOL:
        raise TraceError(
            f"a boolean mask gives an array whose size depends on its values ({trace.place()}); "
            "try: np.where(mask, x, 0)"
        )
    whole = trace.whole(found)
    if found.dtype != INT or not whole.entry.is_integer:
        raise TraceError(
            f"an index must be an integer; found {found} ({trace.place()}); try: declare it 'integer'"
        )
    return whole


def _from_the_start(trace: Any, x: Traced, axis: int, k: np.ndarray[Any, Any]) -> Any:
    """Constant integers with the negative ones counted from the start; they must lie within a known extent."""
    if k.dtype.kind not in "iu" and k.size:
        return k
    extent = x.extents[axis]
    if not extent.is_Integer:
        negative = k < 0
        return trace.lift(k) + trace.number(extent) * negative.astype(int) if negative.any() else k
    if wrong := [int(p) for p in k.flat if not -extent <= p < extent]:
        raise ShapeError(
            f"index {wrong[0]} is outside axis {axis} of {x}, which has {extent} entries ({trace.place()})"
        )
    return np.where(k < 0, k + int(extent), k).astype(int)


def _part(trace: Any, x: Traced, axis: int, item: Any, shared: tuple[Index, ...]) -> Part:
    extent = x.extents[axis]
    if isinstance(item, slice):
        start, step, count = _slice(trace, item, extent)
        index = Index(f"_s{axis}", count)
        return Part(start + step * index, (index,))
    place = trace.broadcast_entry(item, shared) if item.axes else item.entry
    return Part(trace.resolve(place), (), True)


def _slice(trace: Any, item: slice, extent: Expr) -> tuple[Expr, Expr, Expr]:
    """Start, step and number of entries; symbolic ends are taken to lie within the axis, negative numbers count back."""
    step = 1 if item.step is None else item.step
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or step == 0:
        raise UnsupportedOp(
            f"a slice with step {item.step!r} ({trace.place()}); supported: an integer that is not 0"
        )
    ends = [None if end is None else trace.extent(end) for end in (item.start, item.stop)]
    if extent.is_Integer and all(end is None or end.is_Integer for end in ends):
        start, stop = (None if end is None else int(end) for end in ends)
        known = range(*slice(start, stop, int(step)).indices(int(extent)))
        return S(known.start), S(step), S(len(known))
    low, high = (extent + end if end is not None and end.is_negative else end for end in ends)
    if step > 0:
        low, high = S.Zero if low is None else low, extent if high is None else high
    else:
        low, high = extent - 1 if low is None else low, -S.One if high is None else high
    return low, S(step), entries(low, high, S(step))


def entries(low: Expr, high: Expr, step: Expr) -> Expr:
    """How many of low, low + step, ... come before high."""
    length = sympy.expand(high - low) if step.is_positive else sympy.expand(low - high)
    return length if abs(step) == 1 else sympy.floor((length + abs(step) - 1) / abs(step))
