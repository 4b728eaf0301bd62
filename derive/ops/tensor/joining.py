"""Arrays put together, taken apart, repeated and shifted."""

from itertools import pairwise
from typing import Any

import numpy as np
import sympy
from sympy import S

from ...errors import ShapeError
from ...ir.nodes import Where
from .._tensor import tensor_op


@tensor_op("numpy.concatenate", "numpy.concat")
def _concatenate(trace: Any, arrays: Any, axis: Any = 0) -> Any:
    parts = [trace.lift(a) for a in arrays]
    if axis is None:
        parts, axis = [trace.reshape(p, (-1,)) for p in parts], 0
    if not parts or len({p.rank for p in parts}) > 1:
        found = ", ".join(map(str, parts)) or "nothing"
        raise ShapeError(f"concatenate needs arrays with equally many axes; found {found} ({trace.place()})")
    p = trace.axis(parts[0], axis)
    extents = list(parts[0].extents)
    for part in parts[1:]:
        for q in range(part.rank):
            if q != p:
                extents[q] = trace.unify(extents[q], part.extents[q], "concatenate", (parts[0], q), (part, q))
    extents[p] = sympy.Add(*(part.extents[p] for part in parts))
    indices = trace.fresh(extents)
    start = extents[p] - parts[-1].extents[p]
    body = parts[-1].at(_shifted(indices, p, start))
    for part in reversed(parts[:-1]):
        end, start = start, start - part.extents[p]
        body = Where(sympy.Lt(indices[p], end), part.at(_shifted(indices, p, start)), body)
    return trace.define(
        indices, body, rule="concatenate", dtype=np.result_type(*(part.dtype for part in parts))
    )


def _shifted(indices: Any, p: int, start: Any) -> list[Any]:
    return [i - start if q == p else i for q, i in enumerate(indices)]


@tensor_op("numpy.stack")
def _stack(trace: Any, arrays: Any, axis: int = 0) -> Any:
    parts = [trace.lift(a) for a in arrays]
    return _concatenate.lower(trace, [trace.call("numpy.expand_dims", (a, axis), {}) for a in parts], axis)


@tensor_op("numpy.vstack")
def _vstack(trace: Any, tup: Any) -> Any:
    return _concatenate.lower(trace, [trace.call("numpy.atleast_2d", (a,), {}) for a in tup], 0)


@tensor_op("numpy.hstack")
def _hstack(trace: Any, tup: Any) -> Any:
    parts = [trace.call("numpy.atleast_1d", (a,), {}) for a in tup]
    return _concatenate.lower(trace, parts, 0 if parts[0].rank == 1 else 1)


@tensor_op("numpy.column_stack")
def _column_stack(trace: Any, tup: Any) -> Any:
    parts = [trace.lift(a) for a in tup]
    return _concatenate.lower(trace, [a[:, None] if a.rank == 1 else a for a in parts], 1)


@tensor_op("numpy.split", "numpy.array_split")
def _split(trace: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    a = trace.lift(ary)
    p = trace.axis(a, axis)
    if isinstance(indices_or_sections, int):
        part = trace.sizes.quotient(a.extents[p], S(indices_or_sections))
        if part is None:
            raise trace.unsupported(
                "numpy.split", f"{a} in {indices_or_sections} parts", "parts of equal size"
            )
        ends = [part * k for k in range(indices_or_sections + 1)]
    else:
        ends = [S.Zero, *(trace.extent(e) for e in indices_or_sections), a.extents[p]]
    bounds = [trace.number(trace.resolve(e)) for e in ends]
    before = (slice(None),) * p
    return [a[(*before, slice(low, high))] for low, high in pairwise(bounds)]


@tensor_op("numpy.tile")
def _tile(trace: Any, A: Any, reps: Any) -> Any:
    a, counts = trace.lift(A), list(trace.shape(reps))
    rank = max(a.rank, len(counts))
    counts = [S.One] * (rank - len(counts)) + counts
    old = [S.One] * (rank - a.rank) + list(a.extents)
    indices = trace.fresh([n * c for n, c in zip(old, counts, strict=True)])
    at = [i if c == 1 else sympy.Mod(i, n) for i, n, c in zip(indices, old, counts, strict=True)]
    return a.through(indices, a.at(at[rank - a.rank :]))


@tensor_op("numpy.repeat", "repeat")
def _repeat(trace: Any, a: Any, repeats: Any, axis: Any = None) -> Any:
    a, count = trace.lift(a), trace.extent(repeats)
    a, axis = (trace.reshape(a, (-1,)), 0) if axis is None else (a, trace.axis(a, axis))
    indices = trace.fresh([n * count if p == axis else n for p, n in enumerate(a.extents)])
    return a.through(
        indices, a.at([sympy.floor(i / count) if p == axis else i for p, i in enumerate(indices)])
    )


@tensor_op("numpy.roll")
def _roll(trace: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    a = trace.lift(a)
    if axis is None:
        flat = trace.reshape(a, (-1,))
        return trace.reshape(_roll.lower(trace, flat, shift, 0), a.shape)
    p = trace.axis(a, axis)
    at = [sympy.Mod(i - trace.extent(shift), a.extents[p]) if q == p else i for q, i in enumerate(a.axes)]
    return a.through(a.axes, a.at(at))


@tensor_op("numpy.take", "take")
def _take(trace: Any, a: Any, indices: Any, axis: Any = None) -> Any:
    a = trace.lift(a)
    a, p = (trace.reshape(a, (-1,)), 0) if axis is None else (a, trace.axis(a, axis))
    return a[(*(slice(None),) * p, indices)]


@tensor_op("numpy.take_along_axis")
def _take_along_axis(trace: Any, arr: Any, indices: Any, axis: Any = -1) -> Any:
    a, chosen = trace.lift(arr), trace.whole(trace.lift(indices))
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


@tensor_op("numpy.diff")
def _diff(trace: Any, a: Any, n: int = 1, axis: int = -1) -> Any:
    a = trace.lift(a)
    before = (slice(None),) * trace.axis(a, axis)
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


@tensor_op("numpy.meshgrid")
def _meshgrid(trace: Any, *xi: Any, indexing: str = "xy", sparse: bool = False) -> Any:
    arrays = [trace.lift(x) for x in xi]
    order = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        order[:2] = [1, 0]
    axes = trace.fresh(arrays[p].extents[0] for p in order)
    wide = [a.through(axes, a.at((axes[order.index(p)],))) for p, a in enumerate(arrays)]
    return wide if not sparse else [a[tuple(slice(None) if order[q] == p else slice(0, 1) for q in range(len(order)))]
                                    for p, a in enumerate(wide)]  # fmt: skip


@tensor_op("numpy.pad")
def _pad(trace: Any, array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    a = trace.lift(array)
    widths = np.broadcast_to(np.asarray(pad_width), (a.rank, 2)).tolist()
    value = trace.lift(constant_values)
    if mode != "constant" or value.rank:
        raise trace.unsupported("numpy.pad", f"mode={mode!r}", "mode='constant' with one value")
    indices = trace.fresh([n + before + after for n, (before, after) in zip(a.extents, widths, strict=True)])
    at = [i - before for i, (before, _) in zip(indices, widths, strict=True)]
    inside = sympy.And(
        *(c for i, n in zip(at, a.extents, strict=True) for c in (sympy.Ge(i, 0), sympy.Lt(i, n)))
    )
    return trace.define(indices, Where(inside, a.at(at), value.at(())), rule="pad", dtype=a.dtype)
