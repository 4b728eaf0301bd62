"""Transposes, new axes, broadcasts: other ways to index the same entries, so no equation is needed."""

from typing import Any

import sympy

from ...errors import ShapeError
from .._tensor import tensor_op


@tensor_op("numpy.transpose", "transpose", "numpy.permute_dims")
def _transpose(trace: Any, a: Any, *axes: Any) -> Any:
    a = trace.lift(a)
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
        axes = tuple(axes[0] or ())
    order = [trace.axis(a, x) for x in axes] or list(reversed(range(a.rank)))
    if sorted(order) != list(range(a.rank)):
        raise ShapeError(f"transpose needs a permutation of {a.rank} axes; found {axes}")
    return trace.view(tuple(a.axes[p] for p in order), a.entry)


@tensor_op("numpy.matrix_transpose", "numpy.linalg.matrix_transpose", "mT")
def _matrix_transpose(trace: Any, x: Any) -> Any:
    return _swapaxes.lower(trace, x, -1, -2)


@tensor_op("numpy.swapaxes", "swapaxes")
def _swapaxes(trace: Any, a: Any, axis1: int, axis2: int) -> Any:
    a = trace.lift(a)
    order = list(range(a.rank))
    p, q = trace.axis(a, axis1), trace.axis(a, axis2)
    order[p], order[q] = order[q], order[p]
    return trace.view(tuple(a.axes[p] for p in order), a.entry)


@tensor_op("numpy.moveaxis")
def _moveaxis(trace: Any, a: Any, source: Any, destination: Any) -> Any:
    a = trace.lift(a)
    sources = [trace.axis(a, x) for x in (source if isinstance(source, tuple | list) else (source,))]
    targets = [trace.axis(a, x) for x in (destination if isinstance(destination, tuple | list) else (destination,))]
    order = [p for p in range(a.rank) if p not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return trace.view(tuple(a.axes[p] for p in order), a.entry)


@tensor_op("numpy.expand_dims")
def _expand_dims(trace: Any, a: Any, axis: Any) -> Any:
    a = trace.lift(a)
    places = axis if isinstance(axis, tuple | list) else (axis,)
    total = a.rank + len(places)
    wanted = {p % total for p in places}
    old = iter(a.axes)
    return trace.view(tuple(trace.unit() if p in wanted else next(old) for p in range(total)), a.entry)


@tensor_op("numpy.squeeze", "squeeze")
def _squeeze(trace: Any, a: Any, axis: Any = None) -> Any:
    a = trace.lift(a)
    chosen = [p for p in range(a.rank) if a.extents[p] == 1] if axis is None else trace.axes_of(a, axis)
    return trace.squeeze(a, chosen)


@tensor_op("numpy.broadcast_to")
def _broadcast_to(trace: Any, array: Any, shape: Any) -> Any:
    array = trace.lift(array)
    extents = tuple(trace.extent(s) for s in (shape if isinstance(shape, tuple | list) else (shape,)))
    axes = trace.fresh(extents)
    return trace.view(axes, trace.broadcast_entry(array, axes))


@tensor_op("numpy.diagonal", "diagonal")
def _diagonal(trace: Any, a: Any) -> Any:
    a = trace.lift(a)
    if a.rank != 2:
        raise trace.unsupported("numpy.diagonal", f"rank {a.rank}", "a matrix")
    (i,) = trace.fresh([trace.unify(*a.extents, "diagonal")])
    return trace.view((i,), a.at((i, i)))


@tensor_op("numpy.diag")
def _diag(trace: Any, v: Any) -> Any:
    v = trace.lift(v)
    if v.rank == 2:
        return _diagonal.lower(trace, v)
    if v.rank != 1:
        raise trace.unsupported("numpy.diag", f"rank {v.rank}", "a vector or a matrix")
    i, j = trace.fresh(v.extents * 2)
    return trace.define((i, j), trace.bracket(sympy.Eq(i, j)) * v.at((i,)), rule="diag")


@tensor_op("numpy.flip")
def _flip(trace: Any, m: Any, axis: Any = None) -> Any:
    m = trace.lift(m)
    chosen = trace.axes_of(m, axis)
    at = [m.axes[p].extent - 1 - m.axes[p] if p in chosen else m.axes[p] for p in range(m.rank)]
    return trace.view(m.axes, m.at(at))


@tensor_op("numpy.reshape", "reshape")
def _reshape(trace: Any, a: Any, *shape: Any) -> Any:
    a = trace.lift(a)
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = tuple(shape[0])
    return trace.reshape(a, shape)


@tensor_op("numpy.ravel", "ravel", "flatten")
def _ravel(trace: Any, a: Any) -> Any:
    return trace.reshape(trace.lift(a), (-1,))
