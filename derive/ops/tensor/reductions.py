"""Sums, means, extrema and products over axes, and running ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ...ir.nodes import Bracket, Where
from .._tensor import tensor_op
from ..elementwise.comparisons import truth
from ..elementwise.piecewise import Absolute

Entry = Callable[[Expr, Expr], Expr]
FLOAT, INT, BOOL = np.dtype(float), np.dtype(np.int64), np.dtype(bool)


def _reduce(
    trace: Any, x: Any, axis: Any, keepdims: bool, reduction: str, entry: Entry | None = None, dtype: Any = FLOAT
) -> Any:  # fmt: skip
    """``Y[rest] = reduction over axis of entry(X[...], count)``; the reduced axes are kept as 1 if asked."""
    x = trace.lift(x)
    indices = trace.indices(x)
    chosen = trace.axes_of(x, axis)
    bound = tuple(indices[a] for a in chosen)
    body = x.at(indices)
    if entry is not None:
        body = entry(body, sympy.Mul(*(i.extent for i in bound)))
    free = tuple(i for i in indices if i not in bound)
    result = trace.define(free, body, reduction, bound, rule=reduction, dtype=dtype)
    if not keepdims:
        return result
    axes = tuple(trace.unit() if a in chosen else indices[a] for a in range(x.rank))
    return trace.view(axes, result.at(free), dtype)


def _counted(trace: Any, x: Any, dtype: Any) -> Any:
    """The type of a sum: integers stay integers; a narrower float is a matter of the kernel."""
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise trace.unsupported("a reduction", f"dtype={np.dtype(dtype)}", "floating-point types")
    return FLOAT if dtype is not None or trace.lift(x).dtype == FLOAT else INT


@tensor_op("numpy.sum", "sum")
def _sum(trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "sum", dtype=_counted(trace, a, dtype))


@tensor_op("numpy.prod", "prod")
def _prod(trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "prod", dtype=_counted(trace, a, dtype))


@tensor_op("numpy.max", "numpy.amax", "max")
def _max(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "max", dtype=trace.lift(a).dtype)


@tensor_op("numpy.min", "numpy.amin", "min")
def _min(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "min", dtype=trace.lift(a).dtype)


@tensor_op("numpy.any", "any")
def _any(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    found = _reduce(trace, a, axis, keepdims, "max", lambda e, _: Bracket(truth(e)))
    return trace.view(found.axes, Bracket(truth(found.entry)), BOOL)


@tensor_op("numpy.all", "all")
def _all(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    found = _reduce(trace, a, axis, keepdims, "min", lambda e, _: Bracket(truth(e)))
    return trace.view(found.axes, Bracket(truth(found.entry)), BOOL)


@tensor_op("numpy.count_nonzero")
def _count_nonzero(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "sum", lambda e, _: Bracket(truth(e)), INT)


@tensor_op("numpy.add.reduce")
def _add_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return _sum.lower(trace, array, axis, keepdims=keepdims)


@tensor_op("numpy.multiply.reduce")
def _multiply_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return _prod.lower(trace, array, axis, keepdims=keepdims)


@tensor_op("numpy.maximum.reduce", "numpy.fmax.reduce")
def _maximum_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return _max.lower(trace, array, axis, keepdims=keepdims)


@tensor_op("numpy.minimum.reduce", "numpy.fmin.reduce")
def _minimum_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return _min.lower(trace, array, axis, keepdims=keepdims)


@tensor_op("numpy.logical_and.reduce")
def _and_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return _all.lower(trace, array, axis, keepdims=keepdims)


@tensor_op("numpy.logical_or.reduce")
def _or_reduce(trace: Any, array: Any, axis: Any = 0, *, keepdims: bool = False) -> Any:
    return _any.lower(trace, array, axis, keepdims=keepdims)


# -- moments


@tensor_op("numpy.mean", "mean")
def _mean(trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    _counted(trace, a, dtype)
    return _reduce(trace, a, axis, keepdims, "sum", lambda e, count: e / count)


@tensor_op("numpy.average")
def _average(trace: Any, a: Any, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    if weights is None:
        return _mean.lower(trace, a, axis, keepdims=keepdims)
    a, weights = trace.lift(a), trace.lift(weights)
    if weights.rank == 1 and a.rank > 1 and isinstance(axis, int):
        weights = weights[(slice(None), *(None,) * (a.rank - 1 - trace.axis(a, axis)))]
    total = _sum.lower(trace, a * weights, axis, keepdims=keepdims)
    ones = trace.call("numpy.ones_like", (a,), {})
    return total / _sum.lower(trace, ones * weights, axis, keepdims=keepdims)


@tensor_op("numpy.var", "var")
def _var(
    trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: bool = False,
    correction: Any = None,
) -> Any:  # fmt: skip
    _counted(trace, a, dtype)
    x = trace.lift(a)
    fewer = trace.lift(ddof if correction is None else correction).at(())
    centred = x - _mean.lower(trace, x, axis, keepdims=True)
    return _reduce(trace, centred, axis, keepdims, "sum", lambda e, count: e**2 / (count - fewer))


@tensor_op("numpy.std", "std")
def _std(
    trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: bool = False,
    correction: Any = None,
) -> Any:  # fmt: skip
    variance = _var.lower(trace, a, axis, dtype, ddof=ddof, keepdims=keepdims, correction=correction)
    return trace.apply("numpy.sqrt", variance)


@tensor_op("numpy.ptp")
def _ptp(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _max.lower(trace, a, axis, keepdims=keepdims) - _min.lower(trace, a, axis, keepdims=keepdims)


# -- norms


@tensor_op("numpy.linalg.norm")
def _norm(trace: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = trace.lift(x)
    vector = isinstance(axis, int) or (axis is None and x.rank == 1)
    if ord is None or ord == ("fro" if not vector else 2):
        return trace.apply("numpy.sqrt", _reduce(trace, x, axis, keepdims, "sum", lambda e, _: e**2))
    if not vector or isinstance(ord, str) or ord == 0:
        raise trace.unsupported(
            "numpy.linalg.norm", f"ord={ord!r} of {x}", "vector norms, and ord='fro' of matrices"
        )
    if ord in (np.inf, -np.inf):
        return _reduce(trace, x, axis, keepdims, "max" if ord > 0 else "min", lambda e, _: Absolute(e))
    power = trace.lift(ord).at(())
    total = _reduce(trace, x, axis, keepdims, "sum", lambda e, _: Absolute(e) ** power)
    return total if ord == 1 else trace.apply("numpy.power", total, trace.view((), 1 / power))


@tensor_op("numpy.linalg.vector_norm")
def _vector_norm(trace: Any, x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = trace.lift(x)
    if ord != 2:
        raise trace.unsupported("numpy.linalg.vector_norm", f"ord={ord!r}", "ord=2, or np.linalg.norm")
    return trace.apply("numpy.sqrt", _reduce(trace, x, axis, keepdims, "sum", lambda e, _: e**2))


# -- softmax and its kin


def _shifted_exponential(trace: Any, x: Any, axis: Any) -> tuple[Any, Any]:
    """The row maximum M and E = exp(X - M): the common start of softmax and log-sum-exp."""
    top = _max.lower(trace, x, axis, keepdims=True)
    return top, trace.apply("numpy.exp", x - top)


@tensor_op("scipy.special.softmax", source="SciPy reference")
def _softmax(trace: Any, x: Any, axis: Any = None) -> Any:
    _, weights = _shifted_exponential(trace, trace.lift(x), axis)
    return weights / _sum.lower(trace, weights, axis, keepdims=True)


@tensor_op("scipy.special.logsumexp", source="SciPy reference")
def _logsumexp(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    a = trace.lift(a)
    top, weights = _shifted_exponential(trace, a, axis)
    result = trace.apply("numpy.log", _sum.lower(trace, weights, axis, keepdims=True)) + top
    return result if keepdims else trace.squeeze(result, trace.axes_of(a, axis))


@tensor_op("scipy.special.log_softmax", source="SciPy reference")
def _log_softmax(trace: Any, x: Any, axis: Any = None) -> Any:
    x = trace.lift(x)
    return x - _logsumexp.lower(trace, x, axis, keepdims=True)


# -- running sums and products


def _running(trace: Any, x: Any, axis: Any, reduction: str, neutral: Expr) -> Any:
    """``Y[i] = reduction over k <= i of X[k]``."""
    x = trace.lift(x)
    x, p = (trace.reshape(x, (-1,)), 0) if axis is None else (x, trace.axis(x, axis))
    *free, last = trace.fresh([*x.extents, x.extents[p]])
    entry = x.at([last if q == p else i for q, i in enumerate(free)])
    dtype = FLOAT if x.dtype == FLOAT else INT
    return trace.define(
        tuple(free), Where(sympy.Le(last, free[p]), entry, neutral), reduction, (last,), dtype=dtype
    )


@tensor_op("numpy.cumsum", "cumsum")
def _cumsum(trace: Any, a: Any, axis: Any = None) -> Any:
    return _running(trace, a, axis, "sum", S.Zero)


@tensor_op("numpy.cumprod", "cumprod")
def _cumprod(trace: Any, a: Any, axis: Any = None) -> Any:
    return _running(trace, a, axis, "prod", S.One)


@tensor_op("numpy.add.accumulate")
def _add_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "sum", S.Zero)


@tensor_op("numpy.multiply.accumulate")
def _multiply_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "prod", S.One)


@tensor_op("numpy.maximum.accumulate")
def _maximum_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "max", S.NegativeInfinity)


@tensor_op("numpy.minimum.accumulate")
def _minimum_accumulate(trace: Any, array: Any, axis: int = 0) -> Any:
    return _running(trace, array, axis, "min", S.Infinity)
