"""Sample calls: arrays put together, taken apart, repeated and shifted."""

from __future__ import annotations

import numpy as np

from .samples import SAMPLES, calls

# --- joining

calls(
    "numpy.concatenate numpy.concat",
    lambda x, y: np.concatenate([x, y, x]),
    lambda x, y: np.concat((y, 2 * x)),
    x="n",
    y="m",
)
calls(
    "numpy.concatenate",
    lambda A, B: np.concatenate([A, B], axis=1),
    lambda A, B: np.concatenate([A, B], axis=None),
    A="n m",
    B="n k",
)
calls(
    "numpy.stack", lambda x, y: np.stack([x, y]), lambda x, y: np.stack((x, y, x * y), axis=-1), x="n", y="n"
)
calls(
    "numpy.vstack numpy.hstack numpy.column_stack",
    lambda x, y: np.vstack([x, y]),
    lambda x, y: np.hstack((x, y)),
    lambda x, y: np.column_stack((x, y, x)),
    x="n",
    y="n",
)
calls(
    "numpy.vstack numpy.hstack numpy.column_stack",
    lambda A, x: np.vstack([A, A]),
    lambda A, x: np.hstack([A, A]),
    lambda A, x: np.column_stack([A, x]),
    A="n m",
    x="n",
)
calls(
    "numpy.split numpy.array_split",
    lambda A: np.split(A, 2)[1],
    lambda A: np.split(A, [1, 3], axis=0),
    lambda A: np.array_split(A, 4)[3],
    A="4 m",
)
calls("numpy.tile", lambda x: np.tile(x, 3), lambda x: np.tile(x, (2, 2)), x="n")
calls(
    "numpy.tile",
    lambda A: np.tile(A, 2),
    lambda A: np.tile(A, (2, 1)),
    lambda A: np.tile(A, (2, 1, 3)),
    A="n m",
)
calls(
    "numpy.repeat repeat",
    lambda A: np.repeat(A, 2, axis=0),
    lambda A: A.repeat(3, axis=1),
    lambda A: np.repeat(A, 2),
    A="n m",
)
calls(
    "numpy.roll", lambda x: np.roll(x, 1), lambda x: np.roll(x, -2), lambda x: np.roll(x, len(x) - 1), x="n"
)
calls("numpy.roll", lambda A: np.roll(A, 1, axis=1), lambda A: np.roll(A, 3), A="n m")
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
    "numpy.diff",
    lambda A: np.diff(A),
    lambda A: np.diff(A, axis=0),
    lambda A: np.diff(A, n=2),
    A="n m",
    least=2,
)
calls(
    "numpy.meshgrid",
    lambda x, y: np.meshgrid(x, y)[0] * np.meshgrid(x, y)[1],
    lambda x, y: np.meshgrid(x, y, indexing="ij")[1],
    lambda x, y: np.meshgrid(x, y, sparse=True)[0],
    x="n",
    y="m",
)
calls(
    "numpy.pad", lambda A: np.pad(A, 1), lambda A: np.pad(A, ((1, 2), (0, 1)), constant_values=3.0), A="n m"
)

__all__ = ["SAMPLES"]
