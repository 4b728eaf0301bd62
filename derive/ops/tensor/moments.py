"""Means, variances and their kin, and what they are when NaN stands for a missing entry."""

from typing import Any

from sympy import S

from .._tensor import tensor_op
from .reductions import counted, prod, reduce_axes, sum_


@tensor_op("numpy.mean", "mean")
def mean(
    trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = None
) -> Any:
    counted(trace, a, dtype)
    if where is None:
        return reduce_axes(trace, a, axis, keepdims, "sum", lambda e, count: e / count)
    total = sum_.lower(trace, a, axis, keepdims=keepdims, where=where)
    return total / _count(trace, a, axis, keepdims, where)


def _count(trace: Any, a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    """How many entries `where` lets take part."""
    a = trace.lift(a)
    ones = a.through(a.axes, S.One)
    return reduce_axes(trace, ones, axis, keepdims, "sum", where=where)


@tensor_op("numpy.average")
def average(
    trace: Any,
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    a = trace.lift(a)
    ones = trace.call("numpy.ones_like", (a,), {"dtype": float})
    if weights is None:
        result, total = (
            mean.lower(trace, a, axis, keepdims=keepdims),
            sum_.lower(trace, ones, axis, keepdims=keepdims),
        )
        return (result, total) if returned else result
    weights = trace.lift(weights)
    if weights.extents != a.extents and axis is not None:
        chosen = trace.axes_of(a, axis)
        order = sorted(range(len(chosen)), key=lambda p: chosen[p])
        weights = trace.call("numpy.transpose", (weights, order), {})
        weights = weights[tuple(slice(None) if p in chosen else None for p in range(a.rank))]
    total = sum_.lower(trace, ones * weights, axis, keepdims=keepdims)
    result = sum_.lower(trace, a * weights, axis, keepdims=keepdims) / total
    return (result, total) if returned else result


@tensor_op("numpy.var", "var")
def var(
    trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: bool = False,
    correction: Any = None, where: Any = None, mean: Any = None,
) -> Any:  # fmt: skip
    counted(trace, a, dtype)
    x = trace.lift(a)
    fewer = trace.lift(ddof if correction is None else correction)
    centred = x - (_mean(trace, x, axis, where) if mean is None else mean)
    if where is None:
        return reduce_axes(
            trace, centred, axis, keepdims, "sum", lambda e, count: e**2 / (count - fewer.at(()))
        )
    total = reduce_axes(trace, centred, axis, keepdims, "sum", lambda e, _: e**2, where=where)
    return total / (_count(trace, x, axis, keepdims, where) - fewer)


def _mean(trace: Any, x: Any, axis: Any, where: Any) -> Any:
    return mean.lower(trace, x, axis, keepdims=True, where=where)


@tensor_op("numpy.std", "std")
def std(
    trace: Any, a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: bool = False,
    correction: Any = None, where: Any = None, mean: Any = None,
) -> Any:  # fmt: skip
    variance = var.lower(
        trace, a, axis, dtype, ddof=ddof, keepdims=keepdims, correction=correction, where=where, mean=mean
    )
    return trace.apply("numpy.sqrt", variance)


@tensor_op("numpy.cov")
def cov(trace: Any, m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Any:
    x = _observations(trace, m, y, rowvar)
    fewer = (0 if bias else 1) if ddof is None else ddof
    centred = x - mean.lower(trace, x, 1, keepdims=True)
    count = trace.view((), x.extents[1]) - fewer
    product = trace.call("numpy.matmul", (centred, centred.T), {}) / count
    return trace.squeeze(product, [p for p, n in enumerate(product.extents) if n == 1])


def _observations(trace: Any, m: Any, y: Any, rowvar: bool) -> Any:
    """One row for each variable."""
    rows = [trace.call("numpy.atleast_2d", (x,), {}) for x in (m, y) if x is not None]
    rows = [x if rowvar or x.extents[0] == 1 else x.T for x in rows]
    return rows[0] if len(rows) == 1 else trace.call("numpy.concatenate", (rows, 0), {})


@tensor_op("numpy.corrcoef")
def corrcoef(trace: Any, x: Any, y: Any = None, rowvar: bool = True) -> Any:
    covariance = cov.lower(trace, x, y, rowvar)
    if not covariance.rank:
        return covariance / covariance
    spread = trace.apply("numpy.sqrt", trace.call("numpy.diagonal", (covariance,), {}))
    return covariance / spread[:, None] / spread[None, :]


# -- NaN as a missing entry


def _present(trace: Any, a: Any) -> Any:
    return trace.apply("numpy.logical_not", trace.apply("numpy.isnan", a))


@tensor_op("numpy.nansum")
def nansum(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return sum_.lower(trace, a, axis, keepdims=keepdims, where=_present(trace, a))


@tensor_op("numpy.nanprod")
def nanprod(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return prod.lower(trace, a, axis, keepdims=keepdims, where=_present(trace, a))


@tensor_op("numpy.nanmean")
def nanmean(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return mean.lower(trace, a, axis, keepdims=keepdims, where=_present(trace, a))


@tensor_op("numpy.nanvar")
def nanvar(trace: Any, a: Any, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    return var.lower(trace, a, axis, ddof=ddof, keepdims=keepdims, where=_present(trace, a))


@tensor_op("numpy.nanstd")
def nanstd(trace: Any, a: Any, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    return std.lower(trace, a, axis, ddof=ddof, keepdims=keepdims, where=_present(trace, a))


@tensor_op("numpy.nanmax")
def nanmax(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reduce_axes(trace, a, axis, keepdims, "max", where=_present(trace, a))


@tensor_op("numpy.nanmin")
def nanmin(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reduce_axes(trace, a, axis, keepdims, "min", where=_present(trace, a))
