"""Arrays put together, repeated and shifted."""

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


@tensor_op("numpy.dstack")
def _dstack(trace: Any, tup: Any) -> Any:
    return _concatenate.lower(trace, [trace.call("numpy.atleast_3d", (a,), {}) for a in tup], 2)


@tensor_op("numpy.block")
def _block(trace: Any, arrays: Any) -> Any:
    depth = _depth(arrays)
    rank = max(depth, *(trace.lift(a).rank for a in _leaves(arrays)))

    def put_together(part: Any, level: int) -> Any:
        if not isinstance(part, list):
            x = trace.lift(part)
            return x.through((*(trace.unit() for _ in range(rank - x.rank)), *x.axes), x.entry)
        return _concatenate.lower(trace, [put_together(p, level - 1) for p in part], rank - level)

    return put_together(arrays, depth)


def _depth(arrays: Any) -> int:
    return 1 + max(map(_depth, arrays), default=0) if isinstance(arrays, list) else 0


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for part in arrays for leaf in _leaves(part)] if isinstance(arrays, list) else [arrays]


@tensor_op("numpy.append")
def _append(trace: Any, arr: Any, values: Any, axis: Any = None) -> Any:
    return _concatenate.lower(trace, [arr, values], axis)


@tensor_op("numpy.insert")
def _insert(trace: Any, arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    a = trace.lift(arr)
    a, p = (trace.reshape(a, (-1,)), 0) if axis is None else (a, trace.axis(a, axis))
    if not isinstance(obj, int | np.integer):
        raise trace.unsupported("numpy.insert", f"obj={obj!r}", "one place, as an integer")
    front = (slice(None),) * p
    value = trace.lift(values)
    if value.rank and value.rank < a.rank:
        value = trace.call("numpy.expand_dims", (value, p), {})
    if value.rank < a.rank:
        value = trace.call("numpy.broadcast_to", (value, a[(*front, slice(0, 1))].shape), {})
    before, after = a[(*front, slice(None, int(obj)))], a[(*front, slice(int(obj), None))]
    return _concatenate.lower(trace, [before, value, after], p)


@tensor_op("numpy.delete")
def _delete(trace: Any, arr: Any, obj: Any, axis: Any = None) -> Any:
    a = trace.lift(arr)
    a, p = (trace.reshape(a, (-1,)), 0) if axis is None else (a, trace.axis(a, axis))
    front = (slice(None),) * p
    if not isinstance(obj, int | np.integer | slice | np.ndarray | list | tuple):
        raise trace.unsupported("numpy.delete", f"obj={obj} of {a}", "places that are known")
    if a.extents[p].is_Integer:
        return a[(*front, np.delete(np.arange(int(a.extents[p])), obj))]
    if not isinstance(obj, int | np.integer):
        raise trace.unsupported("numpy.delete", f"obj={obj!r} of {a}", "one place, or a known size")
    parts = [slice(None, int(obj))] + [slice(int(obj) + 1, None)] * (obj != -1)
    return _concatenate.lower(trace, [a[(*front, part)] for part in parts], p)


@tensor_op("numpy.column_stack")
def _column_stack(trace: Any, tup: Any) -> Any:
    parts = [trace.lift(a) for a in tup]
    return _concatenate.lower(trace, [a[:, None] if a.rank == 1 else a for a in parts], 1)


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
    a = trace.lift(a)
    a, p = (trace.reshape(a, (-1,)), 0) if axis is None else (a, trace.axis(a, axis))
    if np.ndim(repeats) and not isinstance(repeats, str):
        return a[(*(slice(None),) * p, _repeated(trace, a, repeats, p))]
    count = trace.extent(repeats)
    indices = trace.fresh([n * count if q == p else n for q, n in enumerate(a.extents)])
    return a.through(indices, a.at([sympy.floor(i / count) if q == p else i for q, i in enumerate(indices)]))


def _repeated(trace: Any, a: Any, repeats: Any, p: int) -> Any:
    """The places of axis p, each as often as constant `repeats` say."""
    extent = a.extents[p]
    if not extent.is_Integer or np.asarray(repeats).dtype.kind not in "iu":
        raise trace.unsupported(
            "numpy.repeat",
            f"repeats={repeats!r} along axis {p} of {a}",
            "one number for all, or constants and a known size",
        )
    return np.repeat(np.arange(int(extent)), repeats)


@tensor_op("numpy.roll")
def _roll(trace: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    a = trace.lift(a)
    if axis is None:
        flat = trace.reshape(a, (-1,))
        return trace.reshape(_roll.lower(trace, flat, shift, 0), a.shape)
    axes = list(axis) if isinstance(axis, tuple | list) else [axis]
    shifts = list(shift) if isinstance(shift, tuple | list) else [shift] * len(axes)
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(axes) != len(shifts):
        raise ShapeError(f"roll has {len(shifts)} shifts for {len(axes)} axes of {a} ({trace.place()})")
    at = list(a.axes)
    for x, s in zip(axes, shifts, strict=True):
        p = trace.axis(a, x)
        at[p] = sympy.Mod(at[p] - trace.extent(s), a.extents[p])
    return a.through(a.axes, a.at(at))


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
