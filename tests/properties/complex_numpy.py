"""NumPy for a complex step: the functions that NumPy defines otherwise on complex numbers, by their real formula."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import erf

__all__ = ["NAMESPACE", "erf", "expit", "logsumexp", "softmax"]


def absolute(x: Any) -> Any:
    return np.where(np.real(x) < 0, -x, x)


def sign(x: Any) -> Any:
    return np.sign(np.real(x))


def floor(x: Any) -> Any:
    return np.floor(np.real(x))


def heaviside(x: Any, half: Any) -> Any:
    return np.heaviside(np.real(x), half)


def expit(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def logaddexp(a: Any, b: Any) -> Any:
    top = np.maximum(np.real(a), np.real(b))
    return top + np.log(np.exp(a - top) + np.exp(b - top))


def hypot(a: Any, b: Any) -> Any:
    return np.sqrt(a * a + b * b)


def var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    count = np.size(x) / np.size(np.mean(x, axis=axis))
    return np.sum(centred * centred, axis=axis, keepdims=keepdims) / (count - ddof)


def std(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    return np.sqrt(var(x, axis, ddof, keepdims))


def norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


def vdot(a: Any, b: Any) -> Any:
    return np.sum(a * b)


def cbrt(x: Any) -> Any:
    return x ** (1 / 3)


def softmax(x: Any, axis: Any = None) -> Any:
    weights = np.exp(x - np.real(x).max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = np.real(x).max(axis=axis, keepdims=True)
    total = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


REPLACED = (sign, floor, heaviside, logaddexp, hypot, var, std, ptp, vdot, cbrt)
NAMESPACE = SimpleNamespace(
    **{name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    | {f.__name__: f for f in REPLACED}
    | {"abs": absolute, "absolute": absolute, "linalg": SimpleNamespace(norm=norm)}
)
