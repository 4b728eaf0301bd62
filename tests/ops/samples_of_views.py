"""Sample calls: arrays of sizes, choices, and other ways to index the same entries."""

from __future__ import annotations

import numpy as np

from .samples import SAMPLES, calls

# --- construction

calls("numpy.full", lambda x: np.full(x.shape, 2.5) * x, lambda x: np.full((x.shape[0], 2), x[0, 0]), x="n m")
calls("numpy.ones", lambda x: np.ones(x.shape) + x, lambda x: np.ones(x.shape[0]), x="n m")
calls("numpy.zeros", lambda x: np.zeros(x.shape) + x, lambda x: np.zeros((2, x.shape[1])), x="n m")
calls("numpy.full_like", lambda x: np.full_like(x, 3) * x, x="n m")
calls("numpy.ones_like", lambda x: np.ones_like(x) + x, x="n m")
calls("numpy.zeros_like", lambda x: np.zeros_like(x) - x, x="n m")
calls(
    "numpy.arange",
    lambda x: np.arange(x.shape[0]) * x,
    lambda x: np.arange(1, x.shape[0] + 1) * x,
    lambda x: np.arange(0, 2 * x.shape[0], 2) / x,
    lambda x: np.arange(x.shape[0], 0, -1) * x,
    lambda x: np.arange(0, x.shape[0], 2),
    x="n",
)
calls(
    "numpy.linspace",
    lambda x: np.linspace(0, 1, x.shape[0] + 1)[1:] * x,
    lambda x: np.linspace(x[0], 2, 5),
    lambda x: np.linspace(-1, x[0], len(x), endpoint=False),
    x="n",
)
calls(
    "numpy.linspace numpy.logspace numpy.geomspace",
    lambda x: np.linspace(x, x[::-1], 5),
    lambda x: np.linspace(x, 2.0, 4, axis=1),
    lambda x: np.linspace(x[0], x[-1], 4, retstep=True),
    lambda x: np.logspace(x[0], 2, 5),
    lambda x: np.logspace(0, x, 3, base=2.0, endpoint=False),
    lambda x: np.geomspace(x[0], x[0] + 3, 6),
    lambda x: np.geomspace(x, 8.0, 4),
    x="n",
)
calls(
    "numpy.indices numpy.fromfunction",
    lambda x: x * np.indices(x.shape)[0],
    lambda x: x * np.indices(x.shape, sparse=True)[1],
    lambda x: x + np.fromfunction(lambda i, j: i - 2 * j, x.shape),
    x="n m",
)
calls(
    "numpy.eye numpy.identity",
    lambda x: np.eye(x.shape[0]) * x,
    lambda x: x @ np.identity(x.shape[1]),
    lambda x: np.eye(x.shape[0], x.shape[1], k=1) * x,
    lambda x: np.eye(len(x), x.shape[1], k=-1) + x,
    x="n n",
)
calls("numpy.tri", lambda x: np.tri(x.shape[0]) * x, lambda x: np.tri(len(x), x.shape[1], k=-1) * x, x="n n")
calls(
    "numpy.array numpy.asarray numpy.asanyarray numpy.ascontiguousarray numpy.copy copy",
    lambda x: np.array([x[0], 2 * x[-1]]),
    lambda x: np.asarray(x) * 2,
    lambda x: np.array([[x[0], 1], [0, x[0]]]),
    lambda x: np.asanyarray(x).copy() + np.ascontiguousarray(x),
    lambda x: np.copy(x),
    lambda x: np.array(x, ndmin=2),
    x="n",
)
calls(
    "astype numpy.astype",
    lambda x: (4 * x).astype(int) / 2,
    lambda x: (x > 1).astype(float) + (x > 0.5).astype(float),
    lambda x: x.astype(np.float64),
    lambda x: np.astype(x > 1, int) * 3,
    lambda x: (x - x[0]).astype(bool) * 1.5,
    x="n",
)
calls(
    "numpy.shape numpy.ndim numpy.size",
    lambda x: x / np.shape(x)[1],
    lambda x: x * np.ndim(x),
    lambda x: x / np.size(x),
    lambda x: x / np.size(x, 1),
    x="n m",
)
calls(
    "numpy.isrealobj numpy.iscomplexobj",
    lambda x: x if np.isrealobj(x) and not np.iscomplexobj(x) else -x,
    x="n",
)

# --- choices

calls(
    "numpy.where",
    lambda x, y: np.where(x > y, x, y * 2),
    lambda x, y: np.where(x > 1, x, 0),
    lambda x, y: np.where(x[:, None] > y, x[:, None], y),
    lambda x, y: np.where(True, x, y),
    x="n",
    y="n",
)
calls(
    "numpy.where",
    lambda c, x: np.where(c, x, -np.inf).max(),
    lambda c, x: np.where(c, x, x[0]),
    c="n, boolean",
    x="n",
)
calls("numpy.select", lambda x: np.select([x > 1.5, x > 1], [x, 2 * x], -1.0), x="n")
calls(
    "numpy.piecewise",
    lambda x: np.piecewise(x, [x > 1, x <= 0.5], [lambda v: v**2, 2.0, lambda v: -v]),
    lambda x: np.piecewise(x, [x > 1], [lambda v, a: a * v], 3.0),
    x="n",
)
calls(
    "numpy.clip clip",
    lambda x: np.clip(x, 0.7, 1.2),
    lambda x: x.clip(0.7),
    lambda x: np.clip(x, None, 1.2),
    lambda x: x.clip(max=1.0),
    lambda x: np.clip(x, a_min=1, a_max=None),
    lambda x: np.clip(x, x[0], x[0] + 1),
    x="n",
)
calls(
    "numpy.nan_to_num",
    lambda x: np.nan_to_num(x),
    lambda x: np.nan_to_num(np.log(x - 1), nan=3.0, neginf=-7.0),
    x="n",
)
calls(
    "numpy.round numpy.around round",
    lambda x: np.round(x * 3),
    lambda x: np.around(x, 1),
    lambda x: x.round(2),
    lambda x: round(x[0]),
    x="n",
)
calls("numpy.divmod", lambda x: divmod(x, 0.4), lambda x: np.divmod(x, x[0]), x="n")
calls("numpy.modf", lambda x: np.modf(3 * x), x="n")
calls(
    "numpy.real conj conjugate numpy.real_if_close numpy.imag",
    lambda x: np.real(x).conj() + x.conjugate(),
    lambda x: np.imag(x) + x.imag + np.real_if_close(x),
    x="n",
)
calls(
    "numpy.tril numpy.triu",
    lambda A: np.tril(A),
    lambda A: np.triu(A, 1),
    lambda A: np.tril(A, -1) + np.triu(A),
    A="n m",
)
calls("numpy.tril numpy.triu", lambda A: np.tril(A), lambda A: np.triu(A, k=-1), A="k n m")

# --- views

calls(
    "numpy.transpose transpose numpy.permute_dims",
    lambda A: np.transpose(A),
    lambda A: A.transpose(1, 2, 0),
    lambda A: A.transpose((2, 0, 1)) * 2,
    lambda A: np.permute_dims(A, (0, 2, 1)),
    lambda A: A.T,
    lambda A: A.transpose(-1, 0, 1),
    A="n m k",
)
calls(
    "numpy.matrix_transpose numpy.linalg.matrix_transpose",
    lambda A: np.matrix_transpose(A) + A.mT,
    lambda A: np.linalg.matrix_transpose(A),
    A="n m k",
)
calls("numpy.swapaxes swapaxes", lambda A: np.swapaxes(A, 0, 2), lambda A: A.swapaxes(-1, -2), A="n m k")
calls("numpy.moveaxis", lambda A: np.moveaxis(A, 0, -1), lambda A: np.moveaxis(A, [0, 1], [2, 0]), A="n m k")
calls(
    "numpy.expand_dims",
    lambda A: np.expand_dims(A, 1) + np.expand_dims(A, -2),
    lambda A: np.expand_dims(A, (0, -1)),
    A="n m",
)
calls(
    "numpy.squeeze squeeze",
    lambda A: np.squeeze(A[:, :, None]),
    lambda A: A[None].squeeze(0),
    lambda A: A[:1].squeeze(axis=0),
    A="n m",
    least=2,
)
calls("numpy.atleast_1d numpy.atleast_2d", lambda t: np.atleast_1d(t), lambda t: np.atleast_2d(t), t="")
calls("numpy.atleast_1d numpy.atleast_2d", lambda x: np.atleast_1d(x), lambda x: np.atleast_2d(x), x="n")
calls(
    "numpy.broadcast_to",
    lambda x: np.broadcast_to(x, (3, x.shape[0])),
    lambda x: np.broadcast_to(x[:, None], (x.shape[0], 2)),
    x="n",
)
calls("numpy.broadcast_arrays", lambda x, y: np.broadcast_arrays(x[:, None], y)[0], x="n", y="m")
calls(
    "numpy.diagonal diagonal numpy.linalg.diagonal",
    lambda A: np.diagonal(A),
    lambda A: A.diagonal() * 2,
    lambda A: np.linalg.diagonal(A),
    lambda A: np.diagonal(A, 0),
    A="n n",
)
calls("numpy.diagonal", lambda A: A.diagonal(1), lambda A: np.diagonal(A, -1), A="n n", least=2)
calls(
    "numpy.diagonal numpy.linalg.diagonal",
    lambda A: np.diagonal(A, axis1=1, axis2=2),
    lambda A: np.diagonal(A, axis1=2, axis2=1),
    lambda A: np.linalg.diagonal(A),
    A="k n n",
)
calls("numpy.diag", lambda x: np.diag(x), lambda x: np.diag(x, 1), lambda x: np.diag(x, -2), x="n")
calls("numpy.diag", lambda A: np.diag(A), A="n n")
calls(
    "numpy.flip numpy.flipud numpy.fliplr",
    lambda A: np.flip(A),
    lambda A: np.flip(A, 1),
    lambda A: np.flipud(A) + np.fliplr(A),
    A="n m",
)
calls(
    "numpy.reshape reshape",
    lambda A: A.reshape(A.shape[0], -1),
    lambda A: A.reshape(-1, A.shape[2]),
    lambda A: np.reshape(A, (-1,)),
    lambda A: A.reshape((A.shape[0] * A.shape[1], A.shape[2])),
    lambda A: A.reshape(-1).reshape(A.shape),
    lambda A: A.reshape(1, -1, 1),
    lambda A: A.reshape(A.shape[1], A.shape[0], -1),
    lambda A: A.reshape((A.shape[1], -1), order="F"),
    lambda A: np.reshape(A, (-1, A.shape[0]), "F"),
    A="n m k",
)
calls("numpy.ravel ravel flatten", lambda A: np.ravel(A, order="F"), lambda A: A.flatten("F"), A="n m k")
calls(
    "numpy.rollaxis",
    lambda A: np.rollaxis(A, 2),
    lambda A: np.rollaxis(A, 0, 3),
    lambda A: np.rollaxis(A, 1, -1),
    A="n m k",
)
calls(
    "numpy.rot90",
    lambda A: np.rot90(A),
    lambda A: np.rot90(A, 2),
    lambda A: np.rot90(A, -1),
    lambda A: np.rot90(A[None], 1, axes=(2, 1)),
    lambda A: np.rot90(A, 4),
    A="n m",
)
calls("numpy.diagflat", lambda A: np.diagflat(A), lambda A: np.diagflat(A[0], -1), A="n m")
calls("numpy.ravel ravel flatten", lambda A: np.ravel(A), lambda A: A.ravel() + A.flatten(), A="n m")

__all__ = ["SAMPLES"]
