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
    "numpy.meshgrid",
    lambda x, y: np.meshgrid(x, y)[0] * np.meshgrid(x, y)[1],
    lambda x, y: np.meshgrid(x, y, indexing="ij")[1],
    lambda x, y: np.meshgrid(x, y, sparse=True)[0],
    x="n",
    y="m",
)
calls(
    "numpy.dstack numpy.atleast_3d",
    lambda A, B: np.dstack([A, B]),
    lambda A, B: np.dstack((A[0], B[1])),
    lambda A, B: np.atleast_3d(A),
    lambda A, B: np.atleast_3d(A[0]),
    A="2 m",
    B="2 m",
)
calls(
    "numpy.block",
    lambda A, x: np.block([[A, x[:, None]], [x, 1.0]]),
    lambda A, x: np.block([x, 2 * x]),
    A="n n",
    x="n",
)
calls("numpy.append", lambda A, B: np.append(A, B, axis=0), lambda A, B: np.append(A, B), A="n m", B="k m")
calls(
    "numpy.insert numpy.delete",
    lambda A: np.insert(A, 1, 5.0),
    lambda A: np.insert(A, 0, A[:, 0], axis=1),
    lambda A: np.insert(A, -1, 2.5, axis=0),
    lambda A: np.delete(A, 1, axis=1),
    lambda A: np.delete(A, -1, 0),
    A="n m",
    least=2,
)
calls(
    "numpy.delete",
    lambda A: np.delete(A, [0, 2], axis=0),
    lambda A: np.delete(A, slice(1, 3), axis=0),
    A="4 m",
)
calls(
    "numpy.roll",
    lambda A: np.roll(A, (1, -2), axis=(0, 1)),
    lambda A: np.roll(A, 2, axis=(0, 1)),
    lambda A: np.roll(A, (1, 2), axis=0),
    A="n m",
)
calls("numpy.repeat", lambda A: np.repeat(A, [1, 2, 0], axis=0), lambda A: A.repeat([2] * 3, axis=0), A="3 m")

__all__ = ["SAMPLES"]
