"""NumPy for a complex step: the functions that NumPy defines otherwise on complex numbers, by their real formula."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import signal, special

from . import complex_linalg


def dual(f: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of real numbers, with its derivative for the imaginary part."""

    def lifted(x: Any) -> Any:
        return f(np.real(x)) + 1j * np.imag(x) * slope(np.real(x))

    return lifted


def absolute(x: Any) -> Any:
    return np.where(np.real(x) < 0, -x, x)


def sign(x: Any) -> Any:
    return np.sign(np.real(x))


def floor(x: Any) -> Any:
    return np.floor(np.real(x))


def rint(x: Any) -> Any:
    return np.rint(np.real(x))


def remainder(a: Any, b: Any) -> Any:
    return a - b * np.floor(np.real(a) / np.real(b))


def fmod(a: Any, b: Any) -> Any:
    return a - b * np.trunc(np.real(a) / np.real(b))


def copysign(a: Any, b: Any) -> Any:
    return np.where(np.signbit(np.real(b)), -1, 1) * absolute(a)


def heaviside(x: Any, half: Any) -> Any:
    return np.heaviside(np.real(x), half)


def select(conditions: Any, choices: Any, default: Any) -> Any:
    result = default
    for condition, choice in zip(conditions[::-1], choices[::-1], strict=True):
        result = np.where(condition, choice, result)
    return result


def expit(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def logaddexp(a: Any, b: Any) -> Any:
    top = np.maximum(np.real(a), np.real(b))
    return top + np.log(np.exp(a - top) + np.exp(b - top))


def logaddexp2(a: Any, b: Any) -> Any:
    return logaddexp(a * np.log(2), b * np.log(2)) / np.log(2)


def hypot(a: Any, b: Any) -> Any:
    return np.sqrt(a * a + b * b)


def arctan2(y: Any, x: Any) -> Any:
    slope = (np.real(x) * np.imag(y) - np.real(y) * np.imag(x)) / (np.real(x) ** 2 + np.real(y) ** 2)
    return np.arctan2(np.real(y), np.real(x)) + 1j * slope


def deg2rad(x: Any) -> Any:
    return x * (np.pi / 180)


def cbrt(x: Any) -> Any:
    return x ** (1 / 3)


# -- along an axis


def var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    count = np.size(x) / np.size(np.mean(x, axis=axis))
    return np.sum(centred * centred, axis=axis, keepdims=keepdims) / (count - ddof)


def std(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    return np.sqrt(var(x, axis, ddof, keepdims))


def cov(x: Any) -> Any:
    centred = x - x.mean(axis=1, keepdims=True)
    return centred @ centred.T / (x.shape[1] - 1)


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


def quantile(x: Any, q: float, axis: int, keepdims: bool = False) -> Any:
    ordered = np.moveaxis(np.sort(x, axis=axis), axis, 0)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    result = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return np.expand_dims(result, axis) if keepdims else result


def median(x: Any, axis: int) -> Any:
    return quantile(x, 0.5, axis)


def percentile(x: Any, q: float, axis: int) -> Any:
    return quantile(x, q / 100, axis)


def interp(x: Any, places: Any, values: Any) -> Any:
    left = np.clip(np.searchsorted(places, np.real(x), "right") - 1, 0, len(places) - 2)
    part = (x - places[left]) / (places[left + 1] - places[left])
    inside = values[left] + part * (values[left + 1] - values[left])
    return np.where(
        np.real(x) < places[0], values[0], np.where(np.real(x) > places[-1], values[-1], inside)
    )


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    return np.array([np.sum(np.where(x == k, weights, 0)) for k in range(minlength)])


def vdot(a: Any, b: Any) -> Any:
    return np.sum(a * b)


def convolve(a: Any, b: Any, mode: str = "full") -> Any:
    """By its definition; in mode 'same' the first array is the longer one."""
    full = np.zeros([n + m - 1 for n, m in zip(a.shape, b.shape, strict=True)], complex)
    for place in np.ndindex(b.shape):
        full[tuple(slice(p, p + n) for p, n in zip(place, a.shape, strict=True))] += a * b[place]
    first = [{"full": 0, "valid": m - 1, "same": (m - 1) // 2}[mode] for m in b.shape]
    count = [
        {"full": n + m - 1, "valid": n - m + 1, "same": n}[mode]
        for n, m in zip(a.shape, b.shape, strict=True)
    ]
    return full[tuple(slice(p, p + n) for p, n in zip(first, count, strict=True))]


def numpy_correlate(a: Any, b: Any, mode: str) -> Any:
    return np.convolve(a, b[::-1], mode)


def correlate(a: Any, b: Any, mode: str) -> Any:
    """SciPy's: a window of even width stands one entry later than NumPy's."""
    turned = b[(slice(None, None, -1),) * b.ndim]
    if mode != "same":
        return convolve(a, turned, mode)
    full = convolve(a, turned)
    first = [(full.shape[p] - a.shape[p]) // 2 for p in range(a.ndim)]
    return full[tuple(slice(p, p + n) for p, n in zip(first, a.shape, strict=True))]


def softmax(x: Any, axis: Any = None) -> Any:
    weights = np.exp(x - np.real(x).max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    return x - logsumexp(x, axis, keepdims=True)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = np.real(x).max(axis=axis, keepdims=True)
    total = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


logaddexp.reduce = lambda x, axis=0: logsumexp(x, axis)  # type: ignore[attr-defined]

# -- special functions


def xlogy(a: Any, b: Any) -> Any:
    return a * np.log(b)


def kl_div(a: Any, b: Any) -> Any:
    return a * np.log(a / b) - a + b


def _normal(x: Any) -> Any:
    return (1 + special.erf(x / np.sqrt(2))) / 2


SPECIAL = SimpleNamespace(
    expit=expit,
    erf=special.erf,
    softmax=softmax,
    logsumexp=logsumexp,
    log_softmax=log_softmax,
    exp10=lambda x: np.exp(x * np.log(10)),
    log_expit=lambda x: -logaddexp(0, -x),
    logit=lambda x: np.log(x / (1 - x)),
    erfc=lambda x: 1 - special.erf(x),
    ndtr=_normal,
    log_ndtr=lambda x: np.log(_normal(x)),
    gammaln=dual(special.gammaln, special.digamma),
    digamma=dual(special.digamma, lambda x: special.polygamma(1, x)),
    entr=lambda x: -x * np.log(x),
    xlogy=xlogy,
    xlog1py=lambda a, b: xlogy(a, 1 + b),
    rel_entr=lambda a, b: a * np.log(a / b),
    kl_div=kl_div,
)


# -- time


def scan(step: Any, carry: Any, xs: Any, reverse: bool = False) -> tuple[Any, Any]:
    """The loop that `dv.scan` stands for."""
    results: list[Any] = []
    for x in xs[::-1] if reverse else xs:
        carry, y = step(carry, x)
        results.append(y)
    return carry, np.array(results[::-1] if reverse else results)


REPLACED = (
    sign, floor, rint, remainder, fmod, copysign, heaviside, select, logaddexp, logaddexp2, hypot, arctan2, deg2rad,
    cbrt, var, std, cov, ptp, quantile, median, percentile, interp, bincount, vdot,
)  # fmt: skip
NUMPY = SimpleNamespace(
    **{name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    | {f.__name__: f for f in REPLACED}
    | {"abs": absolute, "absolute": absolute, "linalg": complex_linalg, "correlate": numpy_correlate}
)
SIGNAL = SimpleNamespace(convolve=convolve, convolve2d=convolve, correlate=correlate)
NAMESPACES = {
    "np": NUMPY,
    "special": SPECIAL,
    "signal": SIGNAL,
    "scipy": SimpleNamespace(linalg=complex_linalg, special=SPECIAL, signal=signal),
    "dv": SimpleNamespace(scan=scan),
}
"""What the names in a random program stand for while complex numbers pass through it."""
