"""Sums, means, extrema and products over axes."""

from typing import Any

import sympy

from .._tensor import tensor_op


def _reduce(trace: Any, x: Any, axis: Any, keepdims: bool, reduction: str, entry: Any = None) -> Any:
    """``Y[rest] = reduction over axis of entry(X[...])``, as a view with the reduced axes kept as 1 if asked."""
    x = trace.lift(x)
    indices = trace.indices(x)
    chosen = trace.axes_of(x, axis)
    body = x.at(indices)
    if entry is not None:
        body = entry(body, sympy.Mul(*(indices[a].extent for a in chosen)))
    bound = tuple(indices[a] for a in chosen)
    free = tuple(i for i in indices if i not in bound)
    result = trace.define(free, body, reduction, bound, rule=reduction)
    if not keepdims:
        return result
    view = tuple(trace.unit() if a in chosen else indices[a] for a in range(x.rank))
    return trace.view(view, result.at(free))


@tensor_op("numpy.sum", "sum", "numpy.add.reduce")
def _sum(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "sum")


@tensor_op("numpy.mean", "mean", "numpy.average")
def _mean(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "sum", lambda entry, count: entry / count)


@tensor_op("numpy.prod", "prod", "numpy.multiply.reduce")
def _prod(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "prod")


@tensor_op("numpy.max", "numpy.amax", "max", "numpy.maximum.reduce")
def _max(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "max")


@tensor_op("numpy.min", "numpy.amin", "min", "numpy.minimum.reduce")
def _min(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "min")


@tensor_op("numpy.var", "var")
def _var(trace: Any, a: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    x = trace.lift(a)
    centred = x - _reduce(trace, x, axis, True, "sum", lambda entry, count: entry / count)
    return _reduce(trace, centred, axis, keepdims, "sum", lambda entry, count: entry**2 / (count - ddof))


@tensor_op("numpy.std", "std")
def _std(trace: Any, a: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    return _var.lower(trace, a, axis, ddof=ddof, keepdims=keepdims) ** 0.5


@tensor_op("numpy.ptp", "ptp")
def _ptp(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _reduce(trace, a, axis, keepdims, "max") - _reduce(trace, a, axis, keepdims, "min")


@tensor_op("numpy.linalg.norm")
def _norm(trace: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = trace.lift(x)
    frobenius = ord is None or ord == "fro" or (ord == 2 and (x.rank == 1 or isinstance(axis, int)))
    if not frobenius:
        raise trace.unsupported("numpy.linalg.norm", f"ord={ord!r}", "the Euclidean norm (ord=None)")
    return _reduce(trace, x, axis, keepdims, "sum", lambda entry, count: entry**2) ** 0.5


def _shifted_exponential(trace: Any, x: Any, axis: Any) -> tuple[Any, Any]:
    """The row maximum M and E = exp(X - M): the common start of softmax and log-sum-exp."""
    top = _reduce(trace, x, axis, True, "max")
    return top, trace.apply("numpy.exp", x - top)


@tensor_op("scipy.special.softmax")
def _softmax(trace: Any, x: Any, axis: Any = None) -> Any:
    _, weights = _shifted_exponential(trace, trace.lift(x), axis)
    return weights / _reduce(trace, weights, axis, True, "sum")


@tensor_op("scipy.special.logsumexp")
def _logsumexp(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    top, weights = _shifted_exponential(trace, trace.lift(a), axis)
    total = _reduce(trace, weights, axis, True, "sum")
    result = trace.apply("numpy.log", total) + top
    return result if keepdims else trace.squeeze(result, trace.axes_of(trace.lift(a), axis))


@tensor_op("scipy.special.log_softmax")
def _log_softmax(trace: Any, x: Any, axis: Any = None) -> Any:
    x = trace.lift(x)
    return x - _logsumexp.lower(trace, x, axis, keepdims=True)
