"""Running sums, products and extrema, and differences, which undo sums."""

from typing import Any

import sympy

from ...ir.nodes import Where
from .._tensor import tensor_op
from .reductions import FLOAT, INT, NEUTRAL


def _running(trace: Any, x: Any, axis: Any, reduction: str) -> Any:
    """``Y[i] = reduction over k <= i of X[k]``."""
    x = trace.lift(x)
    x, p = (trace.reshape(x, (-1,)), 0) if axis is None else (x, trace.axis(x, axis))
    *free, last = trace.fresh([*x.extents, x.extents[p]])
    entry = x.at([last if q == p else i for q, i in enumerate(free)])
    body = Where(sympy.Le(last, free[p]), entry, NEUTRAL[reduction])
    return trace.define(tuple(free), body, reduction, (last,), dtype=FLOAT if x.dtype == FLOAT else INT)


def _cumulative(trace: Any, x: Any, axis: Any, include_initial: bool, reduction: str) -> Any:
    x = trace.lift(x)
    if axis is None and x.rank != 1:
        raise trace.unsupported(f"numpy.cumulative_{reduction}", f"axis=None of {x}", "an axis")
    p = trace.axis(x, -1 if axis is None else axis)
    found = _running(trace, x, p, reduction)
    if not include_initial:
        return found
    first = [1 if q == p else trace.number(n) for q, n in enumerate(x.extents)]
    start = trace.call("numpy.full", (first, int(NEUTRAL[reduction])), {})
    return trace.call("numpy.concatenate", ([start, found], p), {})


@tensor_op("numpy.cumsum", "cumsum")
def cumsum(trace: Any, a: Any, axis: Any = None) -> Any:
    return _running(trace, a, axis, "sum")


@tensor_op("numpy.cumprod", "cumprod")
def cumprod(trace: Any, a: Any, axis: Any = None) -> Any:
    return _running(trace, a, axis, "prod")


@tensor_op("numpy.cumulative_sum")
def cumulative_sum(trace: Any, x: Any, *, axis: Any = None, include_initial: bool = False) -> Any:
    return _cumulative(trace, x, axis, include_initial, "sum")


@tensor_op("numpy.cumulative_prod")
def cumulative_prod(trace: Any, x: Any, *, axis: Any = None, include_initial: bool = False) -> Any:
    return _cumulative(trace, x, axis, include_initial, "prod")


@tensor_op("numpy.add.accumulate")
def add_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "sum")


@tensor_op("numpy.multiply.accumulate")
def multiply_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "prod")


@tensor_op("numpy.maximum.accumulate")
def maximum_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "max")


@tensor_op("numpy.minimum.accumulate")
def minimum_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "min")


# -- differences


@tensor_op("numpy.diff")
def diff(trace: Any, a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    a = trace.lift(a)
    p = trace.axis(a, axis)
    parts = [_edge(trace, a, p, prepend), a, _edge(trace, a, p, append)]
    if len(parts := [part for part in parts if part is not None]) > 1:
        a = trace.call("numpy.concatenate", (parts, p), {})
    before = (slice(None),) * p
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


def _edge(trace: Any, a: Any, p: int, value: Any) -> Any:
    """What stands before or after; a number stands for a slice of it."""
    if value is None:
        return None
    value = trace.lift(value)
    if value.rank:
        return value
    shape = [1 if q == p else trace.number(n) for q, n in enumerate(a.extents)]
    return trace.call("numpy.broadcast_to", (value, shape), {})


@tensor_op("numpy.ediff1d")
def ediff1d(trace: Any, ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    found = diff.lower(trace, trace.reshape(trace.lift(ary), (-1,)))
    ends = [None if x is None else trace.reshape(trace.lift(x), (-1,)) for x in (to_begin, to_end)]
    parts = [part for part in (ends[0], found, ends[1]) if part is not None]
    return trace.call("numpy.concatenate", (parts,), {}) if len(parts) > 1 else found


@tensor_op("numpy.gradient")
def gradient(trace: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = trace.lift(f)
    chosen = trace.axes_of(f, axis)
    if edge_order != 1:
        raise trace.unsupported("numpy.gradient", f"edge_order={edge_order!r}", "edge_order=1")
    spaces = list(varargs) if len(varargs) != 1 else list(varargs) * len(chosen)
    spaces = spaces or [1.0] * len(chosen)
    if len(spaces) != len(chosen):
        raise TypeError("invalid number of arguments")
    found = [_slope(trace, f, p, h) for p, h in zip(chosen, spaces, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slope(trace: Any, f: Any, p: int, spacing: Any) -> Any:
    """Central differences inside, of second order also where the points are not evenly spaced; one-sided at the ends."""
    h = trace.lift(spacing)
    f = trace.call("numpy.moveaxis", (f, p, -1), {})
    steps = f[..., 1:] - f[..., :-1]
    if h.rank:
        width = h[1:] - h[:-1]
        slopes = steps / width
        left, right = width[:-1], width[1:]
        inside = (right * slopes[..., :-1] + left * slopes[..., 1:]) / (left + right)
    else:
        slopes = steps / h
        inside = (f[..., 2:] - f[..., :-2]) / (2 * h)
    parts = [slopes[..., :1], inside, slopes[..., -1:]]
    return trace.call("numpy.moveaxis", (trace.call("numpy.concatenate", (parts, -1), {}), -1, p), {})


@tensor_op("numpy.trapezoid")
def trapezoid(trace: Any, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = trace.lift(y)
    p = trace.axis(y, axis)
    y = trace.call("numpy.moveaxis", (y, p, -1), {})
    width = trace.lift(dx)
    if x is not None:
        x = trace.lift(x)
        x = x if x.rank == 1 else trace.call("numpy.moveaxis", (x, axis, -1), {})
        width = x[..., 1:] - x[..., :-1]
    return (width * (y[..., 1:] + y[..., :-1]) / 2).sum(axis=-1)
