"""softmax, its logarithm, and the logarithm of a sum of exponentials."""

from typing import Any

from .._tensor import tensor_op
from .reductions import max_, sum_


def _shifted_exponential(trace: Any, x: Any, axis: Any) -> tuple[Any, Any]:
    """The row maximum M and E = exp(X - M): the common start of softmax and log-sum-exp."""
    top = max_.lower(trace, x, axis, keepdims=True)
    return top, trace.apply("numpy.exp", x - top)


@tensor_op("scipy.special.softmax", source="SciPy reference")
def softmax(trace: Any, x: Any, axis: Any = None) -> Any:
    _, weights = _shifted_exponential(trace, trace.lift(x), axis)
    return weights / sum_.lower(trace, weights, axis, keepdims=True)


@tensor_op("scipy.special.logsumexp", source="SciPy reference")
def logsumexp(
    trace: Any, a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    a = trace.lift(a)
    if b is not None:
        a, b = trace.call("numpy.broadcast_arrays", (a, b), {})
    top, weights = _shifted_exponential(trace, a, axis)
    total = sum_.lower(trace, weights if b is None else b * weights, axis, keepdims=True)
    sign = trace.apply("numpy.sign", total)
    if return_sign:
        total = trace.apply("numpy.absolute", total)
    found = [trace.apply("numpy.log", total) + top, sign]
    if not keepdims:
        found = [trace.squeeze(x, trace.axes_of(a, axis)) for x in found]
    return tuple(found) if return_sign else found[0]


@tensor_op("scipy.special.log_softmax", source="SciPy reference")
def log_softmax(trace: Any, x: Any, axis: Any = None) -> Any:
    x = trace.lift(x)
    return x - logsumexp.lower(trace, x, axis, keepdims=True)
