"""Sums, products and extrema over axes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ...errors import ShapeError
from ...ir.nodes import Bracket, Where
from .._tensor import tensor_op
from ..elementwise.comparisons import truth

Entry = Callable[[Expr, Expr], Expr]
FLOAT, INT, BOOL = np.dtype(float), np.dtype(np.int64), np.dtype(bool)
NEUTRAL = {"sum": S.Zero, "prod": S.One, "max": S.NegativeInfinity, "min": S.Infinity}
COMBINE = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}


def reduce_axes(
    trace: Any, x: Any, axis: Any, keepdims: bool, reduction: str, entry: Entry | None = None, dtype: Any = FLOAT,
    where: Any = None, initial: Any = None,
) -> Any:  # fmt: skip
    """``Y[rest] = reduction over axis of entry(X[...], count)``; the reduced axes are kept as 1 if asked.

    Entries for which `where` is false count as neutral; `initial` takes part once.
    """
    x = trace.lift(x)
    indices = trace.indices(x)
    chosen = trace.axes_of(x, axis)
    bound = tuple(indices[a] for a in chosen)
    body = x.at(indices)
    if entry is not None:
        body = entry(body, sympy.Mul(*(i.extent for i in bound)))
    if where is not None:
        body = Where(truth(mask_entry(trace, where, x, indices)), body, NEUTRAL[reduction])
    free = tuple(i for i in indices if i not in bound)
    result = trace.define(free, body, reduction, bound, rule=reduction, dtype=dtype)
    if initial is not None:
        result = trace.apply(f"numpy.{COMBINE[reduction]}", result, initial)
    if not keepdims:
        return result
    axes = tuple(trace.unit() if a in chosen else indices[a] for a in range(x.rank))
    return trace.view(axes, result.at(free), dtype)


def mask_entry(trace: Any, where: Any, x: Any, indices: Any) -> Expr:
    """The entry of a ``where=`` argument that goes with an entry of `x`."""
    mask = trace.lift(where)
    if mask.rank > x.rank:
        raise ShapeError(f"where={mask} has more axes than {x} ({trace.place()})")
    for p, extent in enumerate(mask.extents):
        if extent != 1:
            trace.unify(extent, x.extents[x.rank - mask.rank + p], "where", (mask, p))
    return trace.broadcast_entry(mask, indices)


def counted(trace: Any, x: Any, dtype: Any) -> Any:
    """The type of a sum: integers stay integers; a narrower float is a matter of the kernel."""
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise trace.unsupported("numpy.sum and its kin", f"dtype={np.dtype(dtype)}", "floating-point types")
    return FLOAT if dtype is not None or trace.lift(x).dtype == FLOAT else INT


@tensor_op("numpy.sum", "sum")
def sum_(
    trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None,
    where: Any = None,
) -> Any:  # fmt: skip
    return reduce_axes(
        trace, a, axis, keepdims, "sum", dtype=counted(trace, a, dtype), where=where, initial=initial
    )


@tensor_op("numpy.prod", "prod")
def prod(
    trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None,
    where: Any = None,
) -> Any:  # fmt: skip
    return reduce_axes(
        trace, a, axis, keepdims, "prod", dtype=counted(trace, a, dtype), where=where, initial=initial
    )


def _extremum(
    trace: Any, a: Any, axis: Any, keepdims: bool, which: str, initial: Any = None, where: Any = None
) -> Any:
    if where is not None and initial is None:
        raise ShapeError(f"{which} with where= needs initial= for rows without an entry ({trace.place()})")
    dtype = trace.lift(a).dtype
    return reduce_axes(trace, a, axis, keepdims, which, dtype=dtype, where=where, initial=initial)


@tensor_op("numpy.max", "numpy.amax", "max")
def max_(
    trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    return _extremum(trace, a, axis, keepdims, "max", initial, where)


@tensor_op("numpy.min", "numpy.amin", "min")
def min_(
    trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    return _extremum(trace, a, axis, keepdims, "min", initial, where)


@tensor_op("numpy.any", "any")
def any_(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False, where: Any = None) -> Any:
    found = reduce_axes(trace, a, axis, keepdims, "max", lambda e, _: Bracket(truth(e)), where=where)
    return trace.view(
        found.axes, Bracket(sympy.Gt(found.entry, 0) if where is not None else truth(found.entry)), BOOL
    )


@tensor_op("numpy.all", "all")
def all_(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False, where: Any = None) -> Any:
    found = reduce_axes(trace, a, axis, keepdims, "min", lambda e, _: Bracket(truth(e)), where=where)
    return trace.view(found.axes, Bracket(truth(found.entry)), BOOL)


@tensor_op("numpy.count_nonzero")
def count_nonzero(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reduce_axes(trace, a, axis, keepdims, "sum", lambda e, _: Bracket(truth(e)), INT)


@tensor_op("numpy.ptp")
def ptp(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return max_.lower(trace, a, axis, keepdims=keepdims) - min_.lower(trace, a, axis, keepdims=keepdims)


# -- the reduce method of universal functions


@tensor_op("numpy.add.reduce")
def add_reduce(
    trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    return sum_.lower(trace, array, axis, keepdims=keepdims, initial=initial, where=where)


@tensor_op("numpy.multiply.reduce")
def multiply_reduce(
    trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    return prod.lower(trace, array, axis, keepdims=keepdims, initial=initial, where=where)


@tensor_op("numpy.maximum.reduce", "numpy.fmax.reduce")
def maximum_reduce(
    trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    return max_.lower(trace, array, axis, keepdims=keepdims, initial=initial, where=where)


@tensor_op("numpy.minimum.reduce", "numpy.fmin.reduce")
def minimum_reduce(
    trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    return min_.lower(trace, array, axis, keepdims=keepdims, initial=initial, where=where)


@tensor_op("numpy.logical_and.reduce")
def and_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return all_.lower(trace, array, axis, keepdims=keepdims)


@tensor_op("numpy.logical_or.reduce")
def or_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return any_.lower(trace, array, axis, keepdims=keepdims)


@tensor_op("numpy.logaddexp.reduce")
def logaddexp_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return trace.call("scipy.special.logsumexp", (array, axis), {"keepdims": keepdims})
