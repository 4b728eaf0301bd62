"""Transposes, new axes, broadcasts, diagonals: other ways to index the same entries, so no equation is needed."""

from collections.abc import Iterable
from typing import Any

import sympy
from sympy import S

from ...errors import ShapeError
from ...ir.nodes import Bracket
from .._tensor import tensor_op


def _many(axis: Any) -> list[Any]:
    return list(axis) if isinstance(axis, tuple | list) else [axis]


def _permuted(a: Any, order: Iterable[int]) -> Any:
    return a.through(tuple(a.axes[p] for p in order), a.entry)


@tensor_op("numpy.transpose", "transpose", "numpy.permute_dims")
def _transpose(trace: Any, a: Any, *axes: Any) -> Any:
    a = trace.lift(a)
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
        axes = tuple(axes[0] or ())
    order = [trace.axis(a, x) for x in axes] or list(reversed(range(a.rank)))
    if sorted(order) != list(range(a.rank)):
        raise ShapeError(f"transpose of {a} needs each of its axes once; found {axes} ({trace.place()})")
    return _permuted(a, order)


@tensor_op("numpy.matrix_transpose", "numpy.linalg.matrix_transpose")
def _matrix_transpose(trace: Any, x: Any) -> Any:
    return trace.lift(x).mT


@tensor_op("numpy.swapaxes", "swapaxes")
def _swapaxes(trace: Any, a: Any, axis1: int, axis2: int) -> Any:
    a = trace.lift(a)
    order = list(range(a.rank))
    p, q = trace.axis(a, axis1), trace.axis(a, axis2)
    order[p], order[q] = order[q], order[p]
    return _permuted(a, order)


@tensor_op("numpy.moveaxis")
def _moveaxis(trace: Any, a: Any, source: Any, destination: Any) -> Any:
    a = trace.lift(a)
    sources, targets = trace.axes_of(a, _many(source)), trace.axes_of(a, _many(destination))
    if len(sources) != len(targets):
        raise ShapeError(
            f"moveaxis has {len(sources)} sources for {len(targets)} destinations ({trace.place()})"
        )
    order = [p for p in range(a.rank) if p not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return _permuted(a, order)


@tensor_op("numpy.rollaxis")
def _rollaxis(trace: Any, a: Any, axis: int, start: int = 0) -> Any:
    a = trace.lift(a)
    p, to = trace.axis(a, axis), start + a.rank if start < 0 else start
    order = [q for q in range(a.rank) if q != p]
    order.insert(to - (p < to), p)
    return _permuted(a, order)


@tensor_op("numpy.expand_dims")
def _expand_dims(trace: Any, a: Any, axis: Any) -> Any:
    a = trace.lift(a)
    total = a.rank + len(_many(axis))
    wanted = {p % total for p in _many(axis) if -total <= p < total}
    if len(wanted) != len(_many(axis)):
        raise ShapeError(
            f"expand_dims of {a}: axis={axis!r} must name {total} axes at most once ({trace.place()})"
        )
    old = iter(a.axes)
    return a.through(tuple(trace.unit() if p in wanted else next(old) for p in range(total)), a.entry)


@tensor_op("numpy.squeeze", "squeeze")
def _squeeze(trace: Any, a: Any, axis: Any = None) -> Any:
    a = trace.lift(a)
    chosen = [p for p in range(a.rank) if a.extents[p] == 1] if axis is None else trace.axes_of(a, axis)
    return trace.squeeze(a, chosen)


@tensor_op("numpy.atleast_1d")
def _atleast_1d(trace: Any, a: Any) -> Any:
    a = trace.lift(a)
    return a if a.rank else a.through((trace.unit(),), a.entry)


@tensor_op("numpy.atleast_2d")
def _atleast_2d(trace: Any, a: Any) -> Any:
    a = trace.lift(a)
    return a.through((*(trace.unit() for _ in range(2 - a.rank)), *a.axes), a.entry)


@tensor_op("numpy.atleast_3d")
def _atleast_3d(trace: Any, a: Any) -> Any:
    a = trace.lift(a)
    front = (trace.unit(),) if a.rank < 2 else ()
    return a.through((*front, *a.axes, *(trace.unit() for _ in range(3 - len(front) - a.rank))), a.entry)


@tensor_op("numpy.broadcast_to")
def _broadcast_to(trace: Any, array: Any, shape: Any) -> Any:
    array, extents = trace.lift(array), trace.shape(shape)
    if array.rank > len(extents):
        raise ShapeError(f"cannot broadcast {array} to {len(extents)} axes ({trace.place()})")
    for p, extent in enumerate(array.extents):
        if extent != 1:
            trace.unify(extent, extents[len(extents) - array.rank + p], "broadcast_to", (array, p))
    axes = trace.fresh(extents)
    return array.through(axes, trace.broadcast_entry(array, axes))


@tensor_op("numpy.broadcast_arrays")
def _broadcast_arrays(trace: Any, *args: Any) -> Any:
    arrays = [trace.lift(a) for a in args]
    axes = trace.fresh(trace.broadcast(arrays, "broadcast_arrays"))
    return tuple(a.through(axes, trace.broadcast_entry(a, axes)) for a in arrays)


@tensor_op("numpy.diagonal", "diagonal")
def _diagonal(trace: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = trace.lift(a)
    p, q = trace.axes_of(a, (axis1, axis2))
    rows, columns = a.extents[p] + min(offset, 0), a.extents[q] - max(offset, 0)
    longer = sympy.expand(rows - columns)
    count = columns if longer.is_nonnegative else rows if longer.is_nonpositive else None
    count = trace.unify(rows, columns, "diagonal", (a, p), (a, q)) if count is None else count
    count = S.Zero if count.is_negative else count
    *rest, along = trace.fresh([*(e for r, e in enumerate(a.extents) if r not in (p, q)), count])
    at = list(rest)
    for place, shift in sorted([(p, max(-offset, 0)), (q, max(offset, 0))]):
        at.insert(place, along + shift)
    return a.through((*rest, along), a.at(at))


@tensor_op("numpy.linalg.diagonal")
def _linalg_diagonal(trace: Any, x: Any, offset: int = 0) -> Any:
    return _diagonal.lower(trace, x, offset, -2, -1)


@tensor_op("numpy.diag")
def _diag(trace: Any, v: Any, k: int = 0) -> Any:
    v = trace.lift(v)
    if v.rank == 2:
        return _diagonal.lower(trace, v, k)
    if v.rank != 1:
        raise ShapeError(f"diag needs a vector or a matrix; found {v} ({trace.place()})")
    i, j = trace.fresh([v.extents[0] + abs(k)] * 2)
    bracket = Bracket(sympy.Eq(j, i + k))
    return trace.define((i, j), bracket * v.at((i - max(-k, 0),)), rule="diag", dtype=v.dtype)


@tensor_op("numpy.diagflat")
def _diagflat(trace: Any, v: Any, k: int = 0) -> Any:
    return _diag.lower(trace, _ravel.lower(trace, v), k)


@tensor_op("numpy.flip")
def _flip(trace: Any, m: Any, axis: Any = None) -> Any:
    m = trace.lift(m)
    chosen = trace.axes_of(m, axis)
    at = [
        extent - 1 - i if p in chosen else i
        for p, (i, extent) in enumerate(zip(m.axes, m.extents, strict=True))
    ]
    return m.through(m.axes, m.at(at))


@tensor_op("numpy.flipud")
def _flipud(trace: Any, m: Any) -> Any:
    return _flip.lower(trace, m, 0)


@tensor_op("numpy.fliplr")
def _fliplr(trace: Any, m: Any) -> Any:
    return _flip.lower(trace, m, 1)


@tensor_op("numpy.rot90")
def _rot90(trace: Any, m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    p, q = trace.axes_of(trace.lift(m), tuple(axes))
    match k % 4:
        case 0:
            return trace.lift(m)
        case 1:
            return _swapaxes.lower(trace, _flip.lower(trace, m, q), p, q)
        case 2:
            return _flip.lower(trace, m, (p, q))
    return _flip.lower(trace, _swapaxes.lower(trace, m, p, q), q)


def _reshaped(trace: Any, a: Any, shape: Any, order: str) -> Any:
    """In Fortran's order the first axis runs fastest: the transpose is reshaped to the transposed shape."""
    a = trace.lift(a)
    if order not in ("C", "F", "A"):
        raise trace.unsupported("numpy.reshape", f"order={order!r}", "'C', 'F' and 'A'")
    return trace.reshape(a.T, tuple(shape[::-1])).T if order == "F" else trace.reshape(a, tuple(shape))


@tensor_op("numpy.reshape")
def _numpy_reshape(trace: Any, a: Any, shape: Any, order: str = "C") -> Any:
    return _reshaped(trace, a, shape if isinstance(shape, tuple | list) else (shape,), order)


@tensor_op("reshape")
def _reshape(trace: Any, a: Any, *shape: Any, order: str = "C") -> Any:
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = tuple(shape[0])
    return _reshaped(trace, a, shape, order)


@tensor_op("numpy.ravel", "ravel", "flatten")
def _ravel(trace: Any, a: Any, order: str = "C") -> Any:
    return _reshaped(trace, a, (-1,), order)
