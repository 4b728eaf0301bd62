"""Sample calls: padding, sliding windows, convolutions, differences and running reductions."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .samples import SAMPLES, calls

view = np.lib.stride_tricks.sliding_window_view

# --- padding

calls(
    "numpy.pad",
    lambda A: np.pad(A, 1),
    lambda A: np.pad(A, ((1, 2), (0, 1)), constant_values=3.0),
    lambda A: np.pad(A, ((1, 2), (0, 1)), constant_values=((1, 2), (3, 4))),
    lambda A: np.pad(A, {-1: (1, 2)}),
    lambda A: np.pad(A, 2, mode="edge"),
    A="n m",
)
calls(
    "numpy.pad",
    lambda A: np.pad(A, ((2, 1), (0, 2)), mode="reflect"),
    lambda A: np.pad(A, 2, mode="reflect", reflect_type="odd"),
    lambda A: np.pad(A, 3, mode="symmetric"),
    lambda A: np.pad(A, 2, mode="symmetric", reflect_type="odd"),
    lambda A: np.pad(A, ((1, 3), (2, 0)), mode="wrap"),
    A="n m",
    least=3,
)

# --- windows

calls(
    "numpy.lib.stride_tricks.sliding_window_view",
    lambda A: view(A, 2, axis=1),
    lambda A: view(A, (2, 3)).max(axis=(-1, -2)),
    lambda A: view(A, (2, 2), axis=(1, 0))[::2],
    lambda A: view(A, (1, 2)).sum(axis=-1),
    A="n m",
    least=3,
)
calls("numpy.lib.stride_tricks.sliding_window_view", lambda A, w: view(A, len(w), axis=1) @ w, A="n 5", w="k")
calls("numpy.lib.stride_tricks.sliding_window_view", lambda A, W: view(A, W.shape), A="6 7", W="n m")
for name in ("convolve", "correlate"):
    calls(
        f"numpy.{name} scipy.signal.{name}",
        lambda x, w, name=name: getattr(np, name)(x, w),
        lambda x, w, name=name: getattr(np, name)(x, w, "full"),
        lambda x, w, name=name: getattr(np, name)(x, w, mode="same"),
        lambda x, w, name=name: getattr(np, name)(x, w, mode="valid"),
        lambda x, w, name=name: getattr(signal, name)(x, w),
        lambda x, w, name=name: getattr(signal, name)(x, w, mode="same"),
        lambda x, w, name=name: getattr(signal, name)(x, w, mode="valid", method="direct"),
        x="5",
        w="n",
    )
    calls(
        f"scipy.signal.{name} scipy.signal.{name}2d",
        lambda A, W, name=name: getattr(signal, name)(A, W),
        lambda A, W, name=name: getattr(signal, name)(A, W, "same"),
        lambda A, W, name=name: getattr(signal, name)(A, W, mode="valid"),
        lambda A, W, name=name: getattr(signal, f"{name}2d")(A, W),
        lambda A, W, name=name: getattr(signal, f"{name}2d")(A, W, "same"),
        lambda A, W, name=name: getattr(signal, f"{name}2d")(A, W, mode="valid"),
        A="6 5",
        W="n m",
    )
calls(
    "scipy.signal.fftconvolve scipy.signal.oaconvolve",
    lambda A, W: signal.fftconvolve(A, W),
    lambda A, W: signal.oaconvolve(A, W, mode="same"),
    A="n m",
    W="3 2",
)
calls("numpy.convolve", lambda x, w: np.convolve(x, w), x="n", w="m")
calls(
    "numpy.convolve",
    lambda x, w: np.convolve(w, x, "valid"),
    lambda x, w: np.convolve(w, x, "same"),
    x="n",
    w="7",
)

# --- differences

calls(
    "numpy.diff",
    lambda A: np.diff(A),
    lambda A: np.diff(A, axis=0),
    lambda A: np.diff(A, n=2),
    lambda A: np.diff(A, prepend=0),
    lambda A: np.diff(A, axis=0, append=A[:1], prepend=2.0),
    A="n m",
    least=2,
)
calls(
    "numpy.ediff1d", lambda x: np.ediff1d(x), lambda x: np.ediff1d(x, to_begin=x[0], to_end=[1, 2]), x="n m"
)
calls(
    "numpy.gradient",
    lambda A: np.gradient(A),
    lambda A: np.gradient(A, axis=1),
    lambda A: np.gradient(A, 0.5),
    lambda A: np.gradient(A, 0.5, 2.0),
    lambda A: np.gradient(A, np.arange(A.shape[0]) ** 2.0, axis=0),
    A="n m",
    least=2,
)
calls(
    "numpy.trapezoid",
    lambda y, x: np.trapezoid(y),
    lambda y, x: np.trapezoid(y, x),
    lambda y, x: np.trapezoid(y, dx=0.1, axis=0),
    lambda y, x: np.trapezoid(y, x[:, None] * y, axis=1),
    lambda y, x: np.trapezoid(x, x**2),
    y="n n",
    x="n",
)

# --- running reductions

calls(
    "numpy.cumsum cumsum numpy.cumprod cumprod",
    lambda A: np.cumsum(A, axis=1),
    lambda A: A.cumsum(axis=0),
    lambda A: np.cumsum(A),
    lambda A: np.cumprod(A, axis=0),
    lambda A: A.cumprod(-1),
    A="n m",
)
calls(
    "numpy.cumulative_sum numpy.cumulative_prod",
    lambda A: np.cumulative_sum(A, axis=1),
    lambda A: np.cumulative_sum(A, axis=0, include_initial=True),
    lambda A: np.cumulative_prod(A, axis=-1, include_initial=True),
    lambda A: np.cumulative_prod(A[0]),
    A="n m",
)
calls(
    "numpy.add.accumulate numpy.multiply.accumulate numpy.maximum.accumulate numpy.minimum.accumulate",
    lambda A: np.add.accumulate(A),
    lambda A: np.multiply.accumulate(A, axis=1),
    lambda A: np.maximum.accumulate(A),
    lambda A: np.minimum.accumulate(A, 1),
    A="n m",
)

__all__ = ["SAMPLES"]
