"""Arrays made of nothing but sizes, and what NumPy says about an array without looking into it."""

from typing import Any

import numpy as np
import sympy
from sympy import S

from ...errors import TraceError
from ...ir.nodes import Bracket
from .._tensor import tensor_op


def _kind(trace: Any, dtype: Any, default: Any = float) -> np.dtype[Any]:
    """bool, int64 or float64 for what a ``dtype=`` argument asks; narrower types are those of the kernel, later."""
    found = np.dtype(default if dtype is None else dtype)
    if found.kind not in "biuf":
        raise TraceError(f"dtype={found} ({trace.place()}): only real numbers can be derived")
    return np.dtype({"b": np.bool_, "f": np.float64}.get(found.kind, np.int64))


def _filled(trace: Any, extents: Any, value: Any, dtype: Any) -> Any:
    value = trace.lift(value)
    axes = trace.fresh(extents)
    kind = value.dtype if dtype is None else _kind(trace, dtype)
    return trace.view(axes, trace.broadcast_entry(value, axes), kind)


@tensor_op("numpy.full")
def _full(trace: Any, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return _filled(trace, trace.shape(shape), fill_value, dtype)


@tensor_op("numpy.ones")
def _ones(trace: Any, shape: Any, dtype: Any = float) -> Any:
    return _filled(trace, trace.shape(shape), 1, dtype or float)


@tensor_op("numpy.zeros")
def _zeros(trace: Any, shape: Any, dtype: Any = float) -> Any:
    return _filled(trace, trace.shape(shape), 0, dtype or float)


@tensor_op("numpy.full_like")
def _full_like(trace: Any, a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    a = trace.lift(a)
    return _filled(trace, a.extents if shape is None else trace.shape(shape), fill_value, dtype or a.dtype)


@tensor_op("numpy.ones_like")
def _ones_like(trace: Any, a: Any, dtype: Any = None, shape: Any = None) -> Any:
    return _full_like.lower(trace, a, 1, dtype, shape)


@tensor_op("numpy.zeros_like")
def _zeros_like(trace: Any, a: Any, dtype: Any = None, shape: Any = None) -> Any:
    return _full_like.lower(trace, a, 0, dtype, shape)


@tensor_op("numpy.arange")
def _arange(trace: Any, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    low, high, stride = (trace.lift(x) for x in ((0, start, step) if stop is None else (start, stop, step)))
    count = (high.at(()) - low.at(())) / stride.at(())
    if not stride.at(()).is_number:
        raise trace.unsupported("numpy.arange", f"the step {stride}", "a number")
    (i,) = trace.fresh([trace.extent(trace.view((), count if count.is_integer else -sympy.floor(-count)))])
    integers = all(x.dtype.kind != "f" for x in (low, high, stride))
    return trace.view((i,), low.at(()) + stride.at(()) * i, _kind(trace, dtype, int if integers else float))


@tensor_op("numpy.linspace")
def _linspace(
    trace: Any, start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0,
) -> Any:  # fmt: skip
    start, stop = trace.call("numpy.broadcast_arrays", (start, stop), {})
    count = trace.extent(num)
    parts = count - 1 if endpoint else count
    step = (stop - start) * trace.view((), S.Zero if parts == 0 else 1 / parts)
    (i, *rest) = trace.fresh([count, *start.extents])
    kind = _kind(trace, dtype)
    points = trace.define((i, *rest), start.at(rest) + i * step.at(rest), rule="linspace", dtype=kind)
    if start.rank and axis:
        points = trace.call("numpy.moveaxis", (points, 0, axis), {})
    return (points, step) if retstep else points


@tensor_op("numpy.logspace")
def _logspace(
    trace: Any, start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None,
    axis: int = 0,
) -> Any:  # fmt: skip
    exponents = _linspace.lower(trace, start, stop, num, endpoint, axis=axis)
    return trace.apply("numpy.power", base, exponents)


@tensor_op("numpy.geomspace")
def _geomspace(
    trace: Any, start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = trace.lift(start), trace.lift(stop)
    ratio = stop / start
    exponents = _linspace.lower(trace, start * 0, start * 0 + 1, num, endpoint, axis=axis)
    if start.rank and axis:
        raise trace.unsupported("numpy.geomspace", f"axis={axis}", "axis=0")
    return start * trace.apply("numpy.power", ratio, exponents)


@tensor_op("numpy.indices")
def _indices(trace: Any, dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    axes = trace.fresh(trace.shape(dimensions))
    grids = [trace.view(axes, i, _kind(trace, dtype, int)) for i in axes]
    if not sparse:
        return trace.call("numpy.stack", (grids,), {})
    units = [tuple(i if p == q else trace.unit() for q, i in enumerate(axes)) for p in range(len(axes))]
    return tuple(trace.view(unit, i, g.dtype) for unit, i, g in zip(units, axes, grids, strict=True))


@tensor_op("numpy.fromfunction")
def _fromfunction(trace: Any, function: Any, shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    axes = trace.fresh(trace.shape(shape))
    return trace.lift(function(*(trace.view(axes, i, _kind(trace, dtype)) for i in axes), **kwargs))


@tensor_op("numpy.eye", "numpy.identity")
def _eye(trace: Any, N: Any, M: Any = None, k: int = 0, dtype: Any = float) -> Any:
    i, j = trace.fresh([trace.extent(N), trace.extent(N if M is None else M)])
    return trace.view((i, j), Bracket(sympy.Eq(j, i + k)), _kind(trace, dtype))


@tensor_op("numpy.tri")
def _tri(trace: Any, N: Any, M: Any = None, k: int = 0, dtype: Any = float) -> Any:
    i, j = trace.fresh([trace.extent(N), trace.extent(N if M is None else M)])
    return trace.view((i, j), Bracket(sympy.Le(j, i + k)), _kind(trace, dtype))


@tensor_op(
    "numpy.array", "numpy.asarray", "numpy.asanyarray", "numpy.ascontiguousarray", "numpy.copy", "copy"
)
def _array(trace: Any, a: Any, dtype: Any = None, ndmin: int = 0, order: Any = None) -> Any:
    a = trace.lift(a)
    a = a if dtype is None else _astype.lower(trace, a, dtype)
    return a.through((*(trace.unit() for _ in range(ndmin - a.rank)), *a.axes), a.entry)


@tensor_op("astype", "numpy.astype")
def _astype(trace: Any, a: Any, dtype: Any, copy: bool = True) -> Any:
    a, kind = trace.lift(a), _kind(trace, dtype)
    if kind.kind == "b":
        return a if a.dtype.kind == "b" else trace.call("numpy.not_equal", (a, 0), {})
    if kind.kind == "i" and a.dtype.kind == "f":
        return trace.view(a.axes, trace.apply("numpy.trunc", a).at(a.axes), kind)
    return trace.view(a.axes, a.entry, kind)


@tensor_op("numpy.shape")
def _shape(trace: Any, a: Any) -> Any:
    return trace.lift(a).shape


@tensor_op("numpy.ndim")
def _ndim(trace: Any, a: Any) -> Any:
    return trace.lift(a).ndim


@tensor_op("numpy.size")
def _size(trace: Any, a: Any, axis: Any = None) -> Any:
    a = trace.lift(a)
    return trace.number(sympy.Mul(*(a.extents[p] for p in trace.axes_of(a, axis))))


@tensor_op("numpy.isrealobj")
def _isrealobj(trace: Any, x: Any) -> Any:
    return True


@tensor_op("numpy.iscomplexobj")
def _iscomplexobj(trace: Any, x: Any) -> Any:
    return False
