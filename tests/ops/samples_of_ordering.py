"""Sample calls: sorting, places of extremes, medians, places in a sorted array."""

from __future__ import annotations

import numpy as np

from .samples import SAMPLES, calls

calls(
    "numpy.sort numpy.argsort argsort",
    lambda A: np.sort(A),
    lambda A: np.sort(A, axis=0, kind="stable"),
    lambda A: np.sort(A, axis=None)[::-1],
    lambda A: np.argsort(A, axis=1),
    lambda A: A.argsort(axis=0) * 2,
    lambda A: np.take_along_axis(A**2, np.argsort(-A, axis=1), axis=1),
    lambda A: A[:, np.argsort(A[0])],
    A="n m",
)
calls(
    "numpy.partition numpy.argpartition",
    lambda x: np.partition(x, 1)[1],
    lambda x: np.partition(x, -2)[-2:].sum(),
    lambda x: x[np.argpartition(x, 1)[:2]].sum(),
    x="n",
    least=2,
)
calls(
    "numpy.argmax argmax numpy.argmin argmin",
    lambda A, y: np.argmax(A),
    lambda A, y: y[np.argmax(A, axis=1)],
    lambda A, y: np.take_along_axis(A, A.argmin(axis=0, keepdims=True), axis=0),
    lambda A, y: np.argmin(A, keepdims=True) + 0.5,
    lambda A, y: (np.arange(A.shape[1]) == A.argmax(axis=-1)[:, None]) * A,
    lambda A, y: np.argmax(y[:, None] > y, axis=1),
    A="n m",
    y="m",
)
calls(
    "numpy.median numpy.quantile numpy.percentile",
    lambda A: np.median(A),
    lambda A: np.median(A, axis=0, keepdims=True),
    lambda A: np.median(A, axis=(1, 2)),
    lambda A: np.quantile(A, 0.3, axis=-1),
    lambda A: np.quantile(A, [0.0, 0.25, 1.0], axis=0),
    lambda A: np.quantile(A, 0.7, axis=1, method="lower"),
    lambda A: np.quantile(A, 0.7, axis=1, method="midpoint", keepdims=True),
    lambda A: np.percentile(A, 40, axis=2, method="higher"),
    A="n m k",
)
calls(
    "numpy.searchsorted searchsorted numpy.digitize",
    lambda x, v: np.searchsorted(np.sort(x), v),
    lambda x, v: np.sort(x).searchsorted(v, side="right") * v,
    lambda x, v: np.digitize(v, np.cumsum(x)),
    lambda x, v: np.digitize(np.cumsum(x), np.cumsum(x), right=True),
    x="n",
    v="m k",
)
calls(
    "numpy.interp",
    lambda x, h, f: np.interp(x, np.cumsum(h), f),
    lambda x, h, f: np.interp(3 * x, np.cumsum(h), f, left=-1.0, right=f[0]),
    lambda x, h, f: np.interp(np.cumsum(h), np.cumsum(h), f),
    x="m",
    h="n",
    f="n",
    least=2,
)
calls(
    "numpy.bincount",
    lambda i, w: np.bincount(i, minlength=4),
    lambda i, w: np.bincount(i, weights=w, minlength=4),
    i="n, integer < 4",
    w="n",
)

__all__ = ["SAMPLES"]
