"""Sample calls of every tensor operation: plain NumPy functions and the axes of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

SIZES = ({"n": 3, "m": 4, "k": 2}, {"n": 1, "m": 3, "k": 5}, {"n": 4, "m": 1, "k": 3}, {"n": 5, "m": 5, "k": 1})


@dataclass(frozen=True)
class Sample:
    """A function that uses the NumPy names in `uses`, and the axes of its arguments.

    `least` is the smallest size for which the function is defined.
    """

    uses: str
    fn: Callable[..., Any]
    axes: dict[str, str]
    least: int = 1


SAMPLES: list[Sample] = []


def calls(uses: str, *functions: Callable[..., Any], least: int = 1, **axes: str) -> None:
    SAMPLES.extend(Sample(uses, fn, axes, least) for fn in functions)


# --- construction

calls("numpy.full", lambda x: np.full(x.shape, 2.5) * x, lambda x: np.full((x.shape[0], 2), x[0, 0]), x="n m")
calls("numpy.ones", lambda x: np.ones(x.shape) + x, lambda x: np.ones(x.shape[0]), x="n m")
calls("numpy.zeros", lambda x: np.zeros(x.shape) + x, lambda x: np.zeros((2, x.shape[1])), x="n m")
calls("numpy.full_like", lambda x: np.full_like(x, 3) * x, x="n m")
calls("numpy.ones_like", lambda x: np.ones_like(x) + x, x="n m")
calls("numpy.zeros_like", lambda x: np.zeros_like(x) - x, x="n m")
calls("numpy.arange", lambda x: np.arange(x.shape[0]) * x, lambda x: np.arange(1, x.shape[0] + 1) * x,
      lambda x: np.arange(0, 2 * x.shape[0], 2) / x, lambda x: np.arange(x.shape[0], 0, -1) * x,
      lambda x: np.arange(0, x.shape[0], 2), x="n")  # fmt: skip
calls("numpy.linspace", lambda x: np.linspace(0, 1, x.shape[0] + 1)[1:] * x, lambda x: np.linspace(x[0], 2, 5),
      lambda x: np.linspace(-1, x[0], len(x), endpoint=False), x="n")  # fmt: skip
calls("numpy.eye numpy.identity", lambda x: np.eye(x.shape[0]) * x, lambda x: x @ np.identity(x.shape[1]),
      lambda x: np.eye(x.shape[0], x.shape[1], k=1) * x, lambda x: np.eye(len(x), x.shape[1], k=-1) + x, x="n n")  # fmt: skip
calls("numpy.tri", lambda x: np.tri(x.shape[0]) * x, lambda x: np.tri(len(x), x.shape[1], k=-1) * x, x="n n")
calls("numpy.array numpy.asarray numpy.asanyarray numpy.ascontiguousarray numpy.copy copy",
      lambda x: np.array([x[0], 2 * x[-1]]), lambda x: np.asarray(x) * 2, lambda x: np.array([[x[0], 1], [0, x[0]]]),
      lambda x: np.asanyarray(x).copy() + np.ascontiguousarray(x), lambda x: np.copy(x),
      lambda x: np.array(x, ndmin=2), x="n")  # fmt: skip
calls("astype numpy.astype", lambda x: (4 * x).astype(int) / 2, lambda x: (x > 1).astype(float) + (x > 0.5).astype(float),
      lambda x: x.astype(np.float64), lambda x: np.astype(x > 1, int) * 3, lambda x: (x - x[0]).astype(bool) * 1.5,
      x="n")  # fmt: skip
calls("numpy.shape numpy.ndim numpy.size", lambda x: x / np.shape(x)[1], lambda x: x * np.ndim(x),
      lambda x: x / np.size(x), lambda x: x / np.size(x, 1), x="n m")  # fmt: skip
calls("numpy.isrealobj numpy.iscomplexobj", lambda x: x if np.isrealobj(x) and not np.iscomplexobj(x) else -x, x="n")

# --- choices

calls("numpy.where", lambda x, y: np.where(x > y, x, y * 2), lambda x, y: np.where(x > 1, x, 0),
      lambda x, y: np.where(x[:, None] > y, x[:, None], y), lambda x, y: np.where(True, x, y), x="n", y="n")  # fmt: skip
calls("numpy.where", lambda c, x: np.where(c, x, -np.inf).max(), lambda c, x: np.where(c, x, x[0]), c="n, boolean", x="n")
calls("numpy.select", lambda x: np.select([x > 1.5, x > 1], [x, 2 * x], -1.0), x="n")
calls("numpy.clip clip", lambda x: np.clip(x, 0.7, 1.2), lambda x: x.clip(0.7), lambda x: np.clip(x, None, 1.2),
      lambda x: x.clip(max=1.0), lambda x: np.clip(x, a_min=1, a_max=None), lambda x: np.clip(x, x[0], x[0] + 1), x="n")  # fmt: skip
calls("numpy.nan_to_num", lambda x: np.nan_to_num(x), lambda x: np.nan_to_num(np.log(x - 1), nan=3.0, neginf=-7.0), x="n")
calls("numpy.round numpy.around round", lambda x: np.round(x * 3), lambda x: np.around(x, 1), lambda x: x.round(2),
      lambda x: round(x[0]), x="n")  # fmt: skip
calls("numpy.divmod", lambda x: divmod(x, 0.4), lambda x: np.divmod(x, x[0]), x="n")
calls("numpy.modf", lambda x: np.modf(3 * x), x="n")
calls("numpy.real conj conjugate numpy.real_if_close numpy.imag", lambda x: np.real(x).conj() + x.conjugate(),
      lambda x: np.imag(x) + x.imag + np.real_if_close(x), x="n")  # fmt: skip
calls("numpy.tril numpy.triu", lambda A: np.tril(A), lambda A: np.triu(A, 1), lambda A: np.tril(A, -1) + np.triu(A), A="n m")
calls("numpy.tril numpy.triu", lambda A: np.tril(A), lambda A: np.triu(A, k=-1), A="k n m")

# --- views

calls("numpy.transpose transpose numpy.permute_dims", lambda A: np.transpose(A), lambda A: A.transpose(1, 2, 0),
      lambda A: A.transpose((2, 0, 1)) * 2, lambda A: np.permute_dims(A, (0, 2, 1)), lambda A: A.T,
      lambda A: A.transpose(-1, 0, 1), A="n m k")  # fmt: skip
calls("numpy.matrix_transpose numpy.linalg.matrix_transpose", lambda A: np.matrix_transpose(A) + A.mT,
      lambda A: np.linalg.matrix_transpose(A), A="n m k")  # fmt: skip
calls("numpy.swapaxes swapaxes", lambda A: np.swapaxes(A, 0, 2), lambda A: A.swapaxes(-1, -2), A="n m k")
calls("numpy.moveaxis", lambda A: np.moveaxis(A, 0, -1), lambda A: np.moveaxis(A, [0, 1], [2, 0]), A="n m k")
calls("numpy.expand_dims", lambda A: np.expand_dims(A, 1) + np.expand_dims(A, -2), lambda A: np.expand_dims(A, (0, -1)), A="n m")
calls("numpy.squeeze squeeze", lambda A: np.squeeze(A[:, :, None]), lambda A: A[None].squeeze(0), lambda A: A[:1].squeeze(axis=0), A="n m", least=2)
calls("numpy.atleast_1d numpy.atleast_2d", lambda t: np.atleast_1d(t), lambda t: np.atleast_2d(t), t="")
calls("numpy.atleast_1d numpy.atleast_2d", lambda x: np.atleast_1d(x), lambda x: np.atleast_2d(x), x="n")
calls("numpy.broadcast_to", lambda x: np.broadcast_to(x, (3, x.shape[0])), lambda x: np.broadcast_to(x[:, None], (x.shape[0], 2)), x="n")
calls("numpy.broadcast_arrays", lambda x, y: np.broadcast_arrays(x[:, None], y)[0], x="n", y="m")
calls("numpy.diagonal diagonal numpy.linalg.diagonal", lambda A: np.diagonal(A), lambda A: A.diagonal() * 2,
      lambda A: np.linalg.diagonal(A), lambda A: np.diagonal(A, 0), A="n n")  # fmt: skip
calls("numpy.diagonal", lambda A: A.diagonal(1), lambda A: np.diagonal(A, -1), A="n n", least=2)
calls("numpy.diagonal numpy.linalg.diagonal", lambda A: np.diagonal(A, axis1=1, axis2=2), lambda A: np.diagonal(A, axis1=2, axis2=1),
      lambda A: np.linalg.diagonal(A), A="k n n")  # fmt: skip
calls("numpy.diag", lambda x: np.diag(x), lambda x: np.diag(x, 1), lambda x: np.diag(x, -2), x="n")
calls("numpy.diag", lambda A: np.diag(A), A="n n")
calls("numpy.flip numpy.flipud numpy.fliplr", lambda A: np.flip(A), lambda A: np.flip(A, 1), lambda A: np.flipud(A) + np.fliplr(A), A="n m")
calls("numpy.reshape reshape", lambda A: A.reshape(A.shape[0], -1), lambda A: A.reshape(-1, A.shape[2]),
      lambda A: np.reshape(A, (-1,)), lambda A: A.reshape((A.shape[0] * A.shape[1], A.shape[2])),
      lambda A: A.reshape(-1).reshape(A.shape), lambda A: A.reshape(1, -1, 1), lambda A: A.reshape(A.shape[1], A.shape[0], -1),
      A="n m k")  # fmt: skip
calls("numpy.ravel ravel flatten", lambda A: np.ravel(A), lambda A: A.ravel() + A.flatten(), A="n m")

# --- joining

calls("numpy.concatenate numpy.concat", lambda x, y: np.concatenate([x, y, x]), lambda x, y: np.concat((y, 2 * x)), x="n", y="m")
calls("numpy.concatenate", lambda A, B: np.concatenate([A, B], axis=1), lambda A, B: np.concatenate([A, B], axis=None), A="n m", B="n k")
calls("numpy.stack", lambda x, y: np.stack([x, y]), lambda x, y: np.stack((x, y, x * y), axis=-1), x="n", y="n")
calls("numpy.vstack numpy.hstack numpy.column_stack", lambda x, y: np.vstack([x, y]), lambda x, y: np.hstack((x, y)),
      lambda x, y: np.column_stack((x, y, x)), x="n", y="n")  # fmt: skip
calls("numpy.vstack numpy.hstack numpy.column_stack", lambda A, x: np.vstack([A, A]), lambda A, x: np.hstack([A, A]),
      lambda A, x: np.column_stack([A, x]), A="n m", x="n")  # fmt: skip
calls("numpy.split numpy.array_split", lambda A: np.split(A, 2)[1], lambda A: np.split(A, [1, 3], axis=0), lambda A: np.array_split(A, 4)[3], A="4 m")
calls("numpy.tile", lambda x: np.tile(x, 3), lambda x: np.tile(x, (2, 2)), x="n")
calls("numpy.tile", lambda A: np.tile(A, 2), lambda A: np.tile(A, (2, 1)), lambda A: np.tile(A, (2, 1, 3)), A="n m")
calls("numpy.repeat repeat", lambda A: np.repeat(A, 2, axis=0), lambda A: A.repeat(3, axis=1), lambda A: np.repeat(A, 2), A="n m")
calls("numpy.roll", lambda x: np.roll(x, 1), lambda x: np.roll(x, -2), lambda x: np.roll(x, len(x) - 1), x="n")
calls("numpy.roll", lambda A: np.roll(A, 1, axis=1), lambda A: np.roll(A, 3), A="n m")
calls("numpy.take take", lambda A, i: np.take(A, i, axis=0), lambda A, i: A.take(i, axis=1), lambda A, i: np.take(A, i), A="n n", i="m, integer < n")
calls("numpy.take_along_axis", lambda A, i: np.take_along_axis(A, i, axis=1), A="n m", i="n k, integer < m")
calls("numpy.take_along_axis", lambda A, i: np.take_along_axis(A, i[:, None], axis=1), A="n m", i="n, integer < m")
calls("numpy.diff", lambda A: np.diff(A), lambda A: np.diff(A, axis=0), lambda A: np.diff(A, n=2), A="n m", least=2)
calls("numpy.meshgrid", lambda x, y: np.meshgrid(x, y)[0] * np.meshgrid(x, y)[1], lambda x, y: np.meshgrid(x, y, indexing="ij")[1],
      lambda x, y: np.meshgrid(x, y, sparse=True)[0], x="n", y="m")  # fmt: skip
calls("numpy.pad", lambda A: np.pad(A, 1), lambda A: np.pad(A, ((1, 2), (0, 1)), constant_values=3.0), A="n m")

# --- reductions

for name, function in (("sum", np.sum), ("mean", np.mean), ("prod", np.prod), ("max", np.max), ("min", np.min)):
    calls(f"numpy.{name} {name} numpy.amax numpy.amin",
          lambda A, f=function: f(A), lambda A, f=function: f(A, axis=1), lambda A, f=function: f(A, 0, keepdims=True),
          lambda A, f=function: f(A, axis=(0, -1)), lambda A, name=name: getattr(A, name)(axis=-1, keepdims=True),
          lambda A, name=name: getattr(A, name)(), A="n m k")  # fmt: skip
calls("numpy.sum", lambda b: np.sum(b), lambda b: b.mean(axis=0), lambda b: np.sum(b + b) + np.sum(1.0 * b + 1.0 * b), b="n m, boolean")
calls("numpy.amax numpy.amin numpy.ptp", lambda A: np.amax(A, 0) - np.amin(A, 0) + np.ptp(A, axis=0), A="n m")
calls("numpy.any any numpy.all all", lambda A: np.any(A > 1, axis=1), lambda A: (A > 0.5).all(axis=0), lambda A: np.all(A > 0) * 2.0,
      lambda A: np.where((A > 1).any(axis=1, keepdims=True), A, 0), A="n m")  # fmt: skip
calls("numpy.count_nonzero", lambda A: np.count_nonzero(A > 1, axis=1), lambda A: np.count_nonzero(A - A[0, 0]), A="n m")
calls("numpy.add.reduce numpy.multiply.reduce numpy.maximum.reduce numpy.minimum.reduce",
      lambda A: np.add.reduce(A), lambda A: np.add.reduce(A, axis=None), lambda A: np.multiply.reduce(A, axis=1),
      lambda A: np.maximum.reduce(A, keepdims=True), lambda A: np.minimum.reduce(A, axis=-1), A="n m")  # fmt: skip
calls("numpy.fmax.reduce numpy.fmin.reduce", lambda A: np.fmax.reduce(A), lambda A: np.fmin.reduce(A, axis=1), A="n m")
calls("numpy.logical_and.reduce numpy.logical_or.reduce", lambda A: np.logical_and.reduce(A > 0.5), lambda A: np.logical_or.reduce(A > 1, axis=1), A="n m")
calls("numpy.average", lambda A, w: np.average(A), lambda A, w: np.average(A, axis=1, weights=w), lambda A, w: np.average(w, weights=w), A="n m", w="m")
calls("numpy.average", lambda A, w: np.average(A, axis=0, weights=w), A="n m", w="n m")
calls("numpy.var var numpy.std std", lambda A: np.var(A), lambda A: A.var(axis=1, keepdims=True), lambda A: np.std(A, axis=0), lambda A: A.std(), A="n m")
calls("numpy.var numpy.std", lambda x: np.var(x, ddof=1), lambda x: np.std(x, correction=1), x="n", least=2)
calls("numpy.linalg.norm", lambda x: np.linalg.norm(x), lambda x: np.linalg.norm(x, 1), lambda x: np.linalg.norm(x, np.inf),
      lambda x: np.linalg.norm(x, ord=-np.inf), lambda x: np.linalg.norm(x, 3), lambda x: np.linalg.norm(x, 2), x="n")  # fmt: skip
calls("numpy.linalg.norm numpy.linalg.vector_norm", lambda A: np.linalg.norm(A), lambda A: np.linalg.norm(A, axis=1), lambda A: np.linalg.norm(A, "fro"),
      lambda A: np.linalg.norm(A, axis=0, ord=1, keepdims=True), lambda A: np.linalg.vector_norm(A, axis=-1), A="n m")  # fmt: skip
calls("scipy.special.softmax scipy.special.log_softmax scipy.special.logsumexp", lambda A: special.softmax(A, axis=1),
      lambda A: special.log_softmax(A, axis=-1), lambda A: special.logsumexp(A, axis=0), lambda A: special.softmax(A),
      lambda A: special.logsumexp(A), lambda A: special.logsumexp(A, axis=1, keepdims=True), A="n m")  # fmt: skip
calls("numpy.cumsum cumsum numpy.cumprod cumprod", lambda A: np.cumsum(A, axis=1), lambda A: A.cumsum(axis=0), lambda A: np.cumsum(A),
      lambda A: np.cumprod(A, axis=0), lambda A: A.cumprod(-1), A="n m")  # fmt: skip
calls("numpy.add.accumulate numpy.multiply.accumulate numpy.maximum.accumulate numpy.minimum.accumulate",
      lambda A: np.add.accumulate(A), lambda A: np.multiply.accumulate(A, axis=1), lambda A: np.maximum.accumulate(A),
      lambda A: np.minimum.accumulate(A, 1), A="n m")  # fmt: skip

# --- contractions

calls("numpy.matmul numpy.linalg.matmul", lambda A, B: A @ B, lambda A, B: np.linalg.matmul(A, B), A="n m", B="m k")
calls("numpy.matmul numpy.matvec", lambda A, x: A @ x, lambda A, x: x @ A.T, lambda A, x: np.matvec(A, x), A="n m", x="m")
calls("numpy.matmul numpy.vecmat", lambda A, x: x @ A, lambda A, x: np.vecmat(x, A), A="m n", x="m")
calls("numpy.matmul", lambda x, y: x @ y, x="n", y="n")
calls("numpy.matmul", lambda A, B: A @ B, lambda A, B: A @ B[0], lambda A, B: A[0] @ B, lambda A, B: A[:1] @ B, A="k n m", B="k m n")
calls("numpy.matmul", lambda A, B: A @ B, lambda A, B: A[0] @ B, A="2 k n m", B="k m n")
calls("numpy.matmul", lambda A, x: A @ x, lambda A, x: x @ np.swapaxes(A, -1, -2), A="k n m", x="m")
calls("numpy.dot dot", lambda A, B: np.dot(A, B), lambda A, B: A.dot(B[:, 0]), lambda A, B: np.dot(A[0], B), lambda A, B: np.dot(2, B), A="n m", B="m k")
calls("numpy.dot", lambda A, B: np.dot(A, B), A="2 n m", B="k m n")
calls("numpy.vdot numpy.vecdot numpy.linalg.vecdot", lambda A, B: np.vdot(A, B), lambda A, B: np.vdot(A, B.T), lambda A, B: np.vecdot(A, B), lambda A, B: np.linalg.vecdot(A, B, axis=0), A="n m", B="n m")
calls("numpy.inner", lambda A, B: np.inner(A, B), lambda A, B: np.inner(A[0], B[0]), lambda A, B: np.inner(A, 3), A="n m", B="k m")
calls("numpy.outer numpy.linalg.outer", lambda x, y: np.outer(x, y), lambda x, y: np.linalg.outer(y, x), lambda x, y: np.outer(x[:, None] * y, y), x="n", y="m")
calls("numpy.tensordot numpy.linalg.tensordot", lambda A, B: np.tensordot(A, B), lambda A, B: np.tensordot(A, B, axes=1 + 1),
      lambda A, B: np.tensordot(A, B, axes=([2, 1], [1, 0])), lambda A, B: np.linalg.tensordot(A, B, axes=[[1], [0]]),
      lambda A, B: np.tensordot(A, B, 0), A="k n m", B="n m")  # fmt: skip
calls("numpy.kron", lambda A, B: np.kron(A, B), lambda A, B: np.kron(A[0], B), A="n m", B="k 2")
calls("numpy.cross", lambda A, B: np.cross(A, B), lambda A, B: np.cross(A[0], B), A="n 3", B="n 3")
calls("numpy.trace trace", lambda A: np.trace(A), lambda A: A.trace() * 2, A="n n")
calls("numpy.trace", lambda A: np.trace(A, axis1=1, axis2=2), A="k n n")
calls("numpy.einsum", lambda A, B: np.einsum("ik,kj->ij", A, B), lambda A, B: np.einsum("ik,kj", A, B), lambda A, B: np.einsum("ik,kj->", A, B),
      lambda A, B: np.einsum("ki,ik->ik", B, A), lambda A, B: np.einsum("ik , kj -> ji", A, B), lambda A, B: np.einsum("...k,k...->...", A, B), A="n m", B="m n")  # fmt: skip
calls("numpy.einsum", lambda A: np.einsum("ii", A), lambda A: np.einsum("ii->i", A), lambda A: np.einsum("ij->j", A), lambda A: np.einsum("ji", A),
      lambda A: np.einsum("ij,ij,jk->ik", A, A, A, optimize=True), lambda A: np.einsum("i...", A), A="n n")  # fmt: skip
calls("numpy.einsum", lambda A, B: np.einsum("...ij,jk->...ik", A, B), lambda A, B: np.einsum("b...,...->b...", A, B.T), lambda A, B: np.einsum("...ij,...j->...i", A, B[:, 0]),
      lambda A, B: np.einsum("ijk,kl", A, B), lambda A, B: np.einsum("i...k,kl->li...", A, B), A="k n m", B="m n")  # fmt: skip
calls("numpy.einsum", lambda x, y: np.einsum("i,i->i", x[:1], y), lambda x, y: np.einsum("i,j->ij", x, y), lambda x, y: np.einsum("i,i", x, y[:1]), x="n", y="n")
