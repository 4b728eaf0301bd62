"""Arrays taken apart: by position, by an array of places, by a constant mask."""

from itertools import pairwise
from operator import index
from typing import Any

import numpy as np
from sympy import S

from ...errors import ShapeError
from .._tensor import tensor_op


def _parts(trace: Any, a: Any, ends: Any, p: int) -> list[Any]:
    """The parts of axis p between these ends."""
    bounds = [trace.number(trace.resolve(e)) for e in ends]
    return [a[(*(slice(None),) * p, slice(low, high))] for low, high in pairwise(bounds)]


def _sections(trace: Any, a: Any, count: int, p: int) -> list[Any]:
    """The ends of parts of equal size, or where the size is known of parts that differ by at most one entry."""
    extent = a.extents[p]
    if extent.is_Integer:
        size, more = divmod(int(extent), count)
        return [S(k * size + min(k, more)) for k in range(count + 1)]
    part = trace.sizes.quotient(extent, S(count))
    if part is None:
        raise trace.unsupported("numpy.split", f"{a} in {count} parts", "a size that the parts divide")
    return [part * k for k in range(count + 1)]


@tensor_op("numpy.split", "numpy.array_split")
def split(trace: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    a = trace.lift(ary)
    p = trace.axis(a, axis)
    if getattr(indices_or_sections, "ndim", 0 if isinstance(indices_or_sections, int) else 1):
        ends = [S.Zero, *(trace.extent(e) for e in indices_or_sections), a.extents[p]]
        return _parts(trace, a, ends, p)
    return _parts(trace, a, _sections(trace, a, index(indices_or_sections), p), p)


@tensor_op("numpy.hsplit")
def hsplit(trace: Any, ary: Any, indices_or_sections: Any) -> Any:
    a = trace.lift(ary)
    return split.lower(trace, a, indices_or_sections, 0 if a.rank == 1 else 1)


@tensor_op("numpy.vsplit")
def vsplit(trace: Any, ary: Any, indices_or_sections: Any) -> Any:
    return split.lower(trace, ary, indices_or_sections, 0)


@tensor_op("numpy.dsplit")
def dsplit(trace: Any, ary: Any, indices_or_sections: Any) -> Any:
    return split.lower(trace, ary, indices_or_sections, 2)


@tensor_op("numpy.unstack")
def unstack(trace: Any, x: Any, *, axis: int = 0) -> Any:
    return tuple(trace.call("numpy.moveaxis", (x, axis, 0), {}))


@tensor_op("numpy.take", "take")
def take(trace: Any, a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    a = trace.lift(a)
    a, p = (trace.reshape(a, (-1,)), 0) if axis is None else (a, trace.axis(a, axis))
    if mode in ("wrap", "clip"):
        last = trace.number(a.extents[p])
        places = trace.lift(indices)
        indices = places % last if mode == "wrap" else trace.call("numpy.clip", (places, 0, last - 1), {})
    elif mode != "raise":
        raise trace.unsupported("numpy.take", f"mode={mode!r}", "'raise', 'wrap' and 'clip'")
    return a[(*(slice(None),) * p, indices)]


@tensor_op("numpy.take_along_axis")
def take_along_axis(trace: Any, arr: Any, indices: Any, axis: Any = -1) -> Any:
    a, chosen = trace.lift(arr), trace.whole(trace.lift(indices))
    if axis is None:
        a, axis = trace.reshape(a, (-1,)), 0
    p = trace.axis(a, axis)
    if a.rank != chosen.rank or not chosen.entry.is_integer:
        raise ShapeError(
            f"take_along_axis needs integers with the axes of {a}; found {chosen} ({trace.place()})"
        )
    row = a.through((*(i if q != p else trace.unit() for q, i in enumerate(a.axes)),), S.Zero)
    indices = trace.fresh(trace.broadcast([row, chosen], "take_along_axis"))
    at = [trace.broadcast_entry(chosen, indices) if q == p else S.Zero if a.extents[q] == 1 else i
          for q, i in enumerate(indices)]  # fmt: skip
    return a.through(indices, a.at(at))


@tensor_op("numpy.compress")
def compress(trace: Any, condition: Any, a: Any, axis: Any = None) -> Any:
    if not isinstance(condition, list | tuple | np.ndarray):
        raise trace.unsupported(
            "numpy.compress", f"the condition {condition}", "a constant one; np.where(mask, x, 0)"
        )
    return take.lower(trace, a, np.flatnonzero(condition), axis)


@tensor_op("compress")
def compress_method(trace: Any, a: Any, condition: Any, axis: Any = None) -> Any:
    return compress.lower(trace, condition, a, axis)


@tensor_op("numpy.choose", "choose")
def choose(trace: Any, a: Any, choices: Any) -> Any:
    choices = list(choices)
    found = choices[-1]
    for place in range(len(choices) - 2, -1, -1):
        found = trace.call("numpy.where", (trace.apply("numpy.equal", a, place), choices[place], found), {})
    return trace.lift(found)
