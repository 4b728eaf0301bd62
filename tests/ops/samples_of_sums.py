"""Sample calls: reductions, running sums and contractions."""

from __future__ import annotations

import numpy as np
from scipy import special

from .samples import SAMPLES, calls

# --- reductions

for name, function in (
    ("sum", np.sum),
    ("mean", np.mean),
    ("prod", np.prod),
    ("max", np.max),
    ("min", np.min),
):
    calls(
        f"numpy.{name} {name} numpy.amax numpy.amin",
        lambda A, f=function: f(A),
        lambda A, f=function: f(A, axis=1),
        lambda A, f=function: f(A, 0, keepdims=True),
        lambda A, f=function: f(A, axis=(0, -1)),
        lambda A, name=name: getattr(A, name)(axis=-1, keepdims=True),
        lambda A, name=name: getattr(A, name)(),
        A="n m k",
    )
calls(
    "numpy.sum",
    lambda b: np.sum(b),
    lambda b: b.mean(axis=0),
    lambda b: np.sum(b + b) + np.sum(1.0 * b + 1.0 * b),
    b="n m, boolean",
)
calls("numpy.amax numpy.amin numpy.ptp", lambda A: np.amax(A, 0) - np.amin(A, 0) + np.ptp(A, axis=0), A="n m")
calls(
    "numpy.any any numpy.all all",
    lambda A: np.any(A > 1, axis=1),
    lambda A: (A > 0.5).all(axis=0),
    lambda A: np.all(A > 0) * 2.0,
    lambda A: np.where((A > 1).any(axis=1, keepdims=True), A, 0),
    A="n m",
)
calls(
    "numpy.count_nonzero",
    lambda A: np.count_nonzero(A > 1, axis=1),
    lambda A: np.count_nonzero(A - A[0, 0]),
    A="n m",
)
for name in ("sum", "prod", "max", "min"):
    calls(
        f"numpy.{name}",
        lambda A, name=name: getattr(np, name)(A, axis=1, initial=1.1),
        lambda A, name=name: getattr(np, name)(A, where=A > 1, initial=0.9),
        lambda A, name=name: getattr(np, name)(A, axis=0, where=A[:, :1] > 1, initial=2.0, keepdims=True),
        A="n m",
    )
calls(
    "numpy.mean numpy.var numpy.std numpy.any numpy.all",
    lambda A: np.mean(A, where=A[0, 0] <= A),
    lambda A: np.var(A, axis=1, where=A[:, :1] <= A),
    lambda A: np.std(A, axis=0, where=A[0] <= A, mean=A[:1], keepdims=True),
    lambda A: np.any(A > 1, axis=1, where=A < 1.5),
    lambda A: np.all(A > 1, where=A > 0.5),
    A="n m",
)
NAN = np.nan
calls(
    "numpy.nansum numpy.nanprod numpy.nanmean numpy.nanvar numpy.nanstd numpy.nanmax numpy.nanmin",
    lambda A: np.nansum(np.where(A > 1, A, NAN), axis=0),
    lambda A: np.nanprod(np.where(A > 1, A, NAN)),
    lambda A: np.nanmean(np.where(A[:, :1] <= A, A, NAN), axis=1, keepdims=True),
    lambda A: np.nanvar(np.where(A[0] <= A, A, NAN), axis=0),
    lambda A: np.nanstd(A),
    lambda A: np.nanmax(np.where(A[0] <= A, A, NAN), axis=0),
    lambda A: np.nanmin(np.where(A[0] <= A, A, NAN), axis=0),
    A="n m",
)
calls(
    "numpy.cov numpy.corrcoef",
    lambda A, x: np.cov(A),
    lambda A, x: np.cov(A, bias=True),
    lambda A, x: np.cov(A, rowvar=False, ddof=0),
    lambda A, x: np.cov(A, x),
    lambda A, x: np.cov(x, ddof=0),
    lambda A, x: np.corrcoef(A),
    lambda A, x: np.corrcoef(A[0], x),
    A="3 m",
    x="m",
    least=2,
)
calls(
    "numpy.logaddexp.reduce",
    lambda A: np.logaddexp.reduce(A),
    lambda A: np.logaddexp.reduce(A, axis=1),
    A="n m",
)
calls(
    "numpy.add.reduce numpy.multiply.reduce numpy.maximum.reduce numpy.minimum.reduce",
    lambda A: np.add.reduce(A),
    lambda A: np.add.reduce(A, axis=None),
    lambda A: np.multiply.reduce(A, axis=1),
    lambda A: np.maximum.reduce(A, keepdims=True),
    lambda A: np.minimum.reduce(A, axis=-1),
    A="n m",
)
calls(
    "numpy.fmax.reduce numpy.fmin.reduce",
    lambda A: np.fmax.reduce(A),
    lambda A: np.fmin.reduce(A, axis=1),
    A="n m",
)
calls(
    "numpy.logical_and.reduce numpy.logical_or.reduce",
    lambda A: np.logical_and.reduce(A > 0.5),
    lambda A: np.logical_or.reduce(A > 1, axis=1),
    A="n m",
)
calls(
    "numpy.average",
    lambda A, w: np.average(A),
    lambda A, w: np.average(A, axis=1, weights=w),
    lambda A, w: np.average(w, weights=w),
    A="n m",
    w="m",
)
calls(
    "numpy.average",
    lambda A, w: np.average(A, axis=0, weights=w),
    lambda A, w: np.average(A, axis=(0, 1), weights=w),
    lambda A, w: np.average(A, axis=1, weights=w, returned=True),
    lambda A, w: np.average(A, returned=True),
    A="n m",
    w="n m",
)
calls(
    "numpy.var var numpy.std std",
    lambda A: np.var(A),
    lambda A: A.var(axis=1, keepdims=True),
    lambda A: np.std(A, axis=0),
    lambda A: A.std(),
    A="n m",
)
calls("numpy.var numpy.std", lambda x: np.var(x, ddof=1), lambda x: np.std(x, correction=1), x="n", least=2)
calls(
    "numpy.linalg.norm",
    lambda x: np.linalg.norm(x),
    lambda x: np.linalg.norm(x, 1),
    lambda x: np.linalg.norm(x, np.inf),
    lambda x: np.linalg.norm(x, ord=-np.inf),
    lambda x: np.linalg.norm(x, 3),
    lambda x: np.linalg.norm(x, 2),
    lambda x: np.linalg.norm(x - x[0], 0),
    lambda x: np.linalg.norm(x, -1),
    lambda x: np.linalg.norm(x, 0.5),
    x="n",
)
calls(
    "numpy.linalg.norm numpy.linalg.matrix_norm numpy.linalg.vector_norm",
    lambda A: np.linalg.norm(A, 1, axis=(1, 2)),
    lambda A: np.linalg.norm(A, -1, axis=(2, 0), keepdims=True),
    lambda A: np.linalg.norm(A[0], np.inf),
    lambda A: np.linalg.norm(A[0], -np.inf, keepdims=True),
    lambda A: np.linalg.norm(A),
    lambda A: np.linalg.norm(A, axis=(0, 1)),
    lambda A: np.linalg.matrix_norm(A),
    lambda A: np.linalg.matrix_norm(A, ord=1, keepdims=True),
    lambda A: np.linalg.vector_norm(A, ord=3, axis=(0, 1)),
    lambda A: np.linalg.vector_norm(A, ord=np.inf),
    lambda A: np.linalg.vector_norm(A, ord=0, axis=2),
    A="n m k",
)
calls(
    "numpy.linalg.norm numpy.linalg.vector_norm",
    lambda A: np.linalg.norm(A),
    lambda A: np.linalg.norm(A, axis=1),
    lambda A: np.linalg.norm(A, "fro"),
    lambda A: np.linalg.norm(A, axis=0, ord=1, keepdims=True),
    lambda A: np.linalg.vector_norm(A, axis=-1),
    A="n m",
)
calls(
    "scipy.special.softmax scipy.special.log_softmax scipy.special.logsumexp",
    lambda A: special.softmax(A, axis=1),
    lambda A: special.log_softmax(A, axis=-1),
    lambda A: special.logsumexp(A, axis=0),
    lambda A: special.softmax(A),
    lambda A: special.logsumexp(A),
    lambda A: special.logsumexp(A, axis=1, keepdims=True),
    lambda A: special.softmax(A, axis=(0, 1)),
    lambda A: special.logsumexp(A, axis=1, b=A[0]),
    lambda A: special.logsumexp(A, axis=0, b=A - 1, return_sign=True),
    A="n m",
)
# --- contractions

calls(
    "numpy.matmul numpy.linalg.matmul",
    lambda A, B: A @ B,
    lambda A, B: np.linalg.matmul(A, B),
    A="n m",
    B="m k",
)
calls(
    "numpy.matmul numpy.matvec",
    lambda A, x: A @ x,
    lambda A, x: x @ A.T,
    lambda A, x: np.matvec(A, x),
    A="n m",
    x="m",
)
calls("numpy.matmul numpy.vecmat", lambda A, x: x @ A, lambda A, x: np.vecmat(x, A), A="m n", x="m")
calls("numpy.matmul", lambda x, y: x @ y, x="n", y="n")
calls(
    "numpy.matmul",
    lambda A, B: A @ B,
    lambda A, B: A @ B[0],
    lambda A, B: A[0] @ B,
    lambda A, B: A[:1] @ B,
    A="k n m",
    B="k m n",
)
calls("numpy.matmul", lambda A, B: A @ B, lambda A, B: A[0] @ B, A="2 k n m", B="k m n")
calls("numpy.matmul", lambda A, x: A @ x, lambda A, x: x @ np.swapaxes(A, -1, -2), A="k n m", x="m")
calls(
    "numpy.dot dot",
    lambda A, B: np.dot(A, B),
    lambda A, B: A.dot(B[:, 0]),
    lambda A, B: np.dot(A[0], B),
    lambda A, B: np.dot(2, B),
    A="n m",
    B="m k",
)
calls("numpy.dot", lambda A, B: np.dot(A, B), A="2 n m", B="k m n")
calls(
    "numpy.vdot numpy.vecdot numpy.linalg.vecdot",
    lambda A, B: np.vdot(A, B),
    lambda A, B: np.vdot(A, B.T),
    lambda A, B: np.vecdot(A, B),
    lambda A, B: np.linalg.vecdot(A, B, axis=0),
    A="n m",
    B="n m",
)
calls(
    "numpy.inner",
    lambda A, B: np.inner(A, B),
    lambda A, B: np.inner(A[0], B[0]),
    lambda A, B: np.inner(A, 3),
    A="n m",
    B="k m",
)
calls(
    "numpy.outer numpy.linalg.outer",
    lambda x, y: np.outer(x, y),
    lambda x, y: np.linalg.outer(y, x),
    lambda x, y: np.outer(x[:, None] * y, y),
    x="n",
    y="m",
)
calls(
    "numpy.tensordot numpy.linalg.tensordot",
    lambda A, B: np.tensordot(A, B),
    lambda A, B: np.tensordot(A, B, axes=1 + 1),
    lambda A, B: np.tensordot(A, B, axes=([2, 1], [1, 0])),
    lambda A, B: np.linalg.tensordot(A, B, axes=[[1], [0]]),
    lambda A, B: np.tensordot(A, B, 0),
    A="k n m",
    B="n m",
)
calls("numpy.kron", lambda A, B: np.kron(A, B), lambda A, B: np.kron(A[0], B), A="n m", B="k 2")
calls("numpy.cross", lambda A, B: np.cross(A, B), lambda A, B: np.cross(A[0], B), A="n 3", B="n 3")
calls(
    "numpy.cross numpy.linalg.cross",
    lambda A, B: np.cross(A, B, axisa=0, axisb=1),
    lambda A, B: np.cross(A, B, axisa=0, axisb=1, axisc=0),
    lambda A, B: np.linalg.cross(A, B.T, axis=0),
    A="3 n",
    B="n 3",
)
calls("numpy.linalg.multi_dot", lambda A, B: np.linalg.multi_dot([A, B, A]), A="n m", B="m n")
calls(
    "numpy.linalg.trace", lambda A: np.linalg.trace(A), lambda A: np.linalg.trace(A[0], offset=1), A="k 3 3"
)
calls("numpy.trace trace", lambda A: np.trace(A), lambda A: A.trace() * 2, A="n n")
calls("numpy.trace", lambda A: np.trace(A, axis1=1, axis2=2), A="k n n")
calls(
    "numpy.einsum",
    lambda A, B: np.einsum("ik,kj->ij", A, B),
    lambda A, B: np.einsum("ik,kj", A, B),
    lambda A, B: np.einsum("ik,kj->", A, B),
    lambda A, B: np.einsum("ki,ik->ik", B, A),
    lambda A, B: np.einsum("ik , kj -> ji", A, B),
    lambda A, B: np.einsum("...k,k...->...", A, B),
    A="n m",
    B="m n",
)
calls(
    "numpy.einsum",
    lambda A, B: np.einsum(A, [0, 1], B, [1, 2], [0, 2]),
    lambda A, B: np.einsum(A, [3, 1], B, [1, 2]),
    lambda A, B: np.einsum(A, [0, 0], B, [0, 30], [30]),
    lambda A, B: np.einsum(A, [..., 1], B, [1, ...], [...]),
    lambda A, B: np.einsum("ij,jk,kl->il", A, B, A, optimize="greedy"),
    lambda A, B: np.einsum("ij,jk,kl->il", A, B, A, optimize=["einsum_path", (0, 1), (0, 1)]),
    A="n n",
    B="n n",
)
calls(
    "numpy.einsum",
    lambda A: np.einsum("ii", A),
    lambda A: np.einsum("ii->i", A),
    lambda A: np.einsum("ij->j", A),
    lambda A: np.einsum("ji", A),
    lambda A: np.einsum("ij,ij,jk->ik", A, A, A, optimize=True),
    lambda A: np.einsum("i...", A),
    A="n n",
)
calls(
    "numpy.einsum",
    lambda A, B: np.einsum("...ij,jk->...ik", A, B),
    lambda A, B: np.einsum("b...,...->b...", A, B.T),
    lambda A, B: np.einsum("...ij,...j->...i", A, B[:, 0]),
    lambda A, B: np.einsum("ijk,kl", A, B),
    lambda A, B: np.einsum("i...k,kl->li...", A, B),
    A="k n m",
    B="m n",
)
calls(
    "numpy.einsum",
    lambda x, y: np.einsum("i,i->i", x[:1], y),
    lambda x, y: np.einsum("i,j->ij", x, y),
    lambda x, y: np.einsum("i,i", x, y[:1]),
    x="n",
    y="n",
)

__all__ = ["SAMPLES"]
