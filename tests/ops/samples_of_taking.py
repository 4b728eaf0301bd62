"""Sample calls: parts of arrays, by position, by an array of places, by a constant mask."""

from __future__ import annotations

import numpy as np

from .samples import SAMPLES, calls

calls(
    "numpy.split numpy.array_split",
    lambda A: np.split(A, 2)[1],
    lambda A: np.split(A, [1, 3], axis=0),
    lambda A: np.array_split(A, 4)[3],
    lambda A: np.array_split(A, 3),
    A="4 m",
)
calls(
    "numpy.hsplit numpy.vsplit numpy.dsplit numpy.unstack",
    lambda A: np.hsplit(A, 2),
    lambda A: np.vsplit(A, [1]),
    lambda A: np.dsplit(A, 2)[1],
    lambda A: np.hsplit(A[0, :, 0], 2),
    lambda A: np.unstack(A),
    lambda A: np.unstack(A, axis=-1),
    A="2 4 6",
)
calls(
    "numpy.take take",
    lambda A, i: np.take(A, i, axis=0),
    lambda A, i: A.take(i, axis=1),
    lambda A, i: np.take(A, i),
    A="n n",
    i="m, integer < n",
)
calls("numpy.take_along_axis", lambda A, i: np.take_along_axis(A, i, axis=1), A="n m", i="n k, integer < m")
calls(
    "numpy.take_along_axis",
    lambda A, i: np.take_along_axis(A, i[:, None], axis=1),
    A="n m",
    i="n, integer < m",
)
calls(
    "numpy.take",
    lambda A, i: np.take(A, i + 2, axis=0, mode="wrap"),
    lambda A, i: np.take(A, i - 1, axis=1, mode="clip"),
    A="n n",
    i="m, integer < n",
)
calls("numpy.take_along_axis", lambda A, i: np.take_along_axis(A, i, axis=None), A="n m", i="k, integer < n")
calls(
    "numpy.compress compress",
    lambda A: np.compress([True, False, True], A, axis=0),
    lambda A: A.compress(np.array([0, 1, 1]), axis=0),
    lambda A: A[np.array([True, False, True])],
    lambda A: A[:, 0][[False, True, True]],
    A="3 m",
)
calls("numpy.compress", lambda A: A[np.eye(3) > 0], lambda A: A[~np.tri(3, dtype=bool)], A="3 3")
calls(
    "numpy.choose choose",
    lambda i, x: np.choose(i, [x, 2 * x, 0.5]),
    lambda i, x: i.choose([x, -x, x**2]),
    i="n, integer < 3",
    x="n",
)

__all__ = ["SAMPLES"]
