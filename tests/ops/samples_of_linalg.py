"""Sample calls: linear algebra, of matrices that are made regular within."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from .samples import calls

L = np.linalg


def regular(A: Any) -> Any:
    return A + 3 * np.eye(A.shape[-1])


def positive(A: Any) -> Any:
    return A @ np.swapaxes(A, -1, -2) + np.eye(A.shape[-1])


calls(
    "numpy.linalg.inv scipy.linalg.inv numpy.linalg.pinv scipy.linalg.pinv numpy.linalg.det scipy.linalg.det",
    lambda A: L.inv(regular(A)),
    lambda A: scipy.linalg.inv(regular(A)),
    lambda A: L.pinv(regular(A)),
    lambda A: scipy.linalg.pinv(regular(A)),
    lambda A: L.det(A),
    lambda A: scipy.linalg.det(A),
    A="n n",
)
calls("numpy.linalg.pinv", lambda A: L.pinv(np.concatenate([A, regular(A)])), A="n n")
calls("numpy.linalg.inv numpy.linalg.det", lambda A: L.inv(regular(A)), lambda A: L.det(A), A="m n n")
calls(
    "numpy.linalg.slogdet",
    lambda A: L.slogdet(regular(A)),
    lambda A: L.slogdet(-A).logabsdet,
    lambda A: L.slogdet(regular(A))[0],
    A="n n",
)
calls(
    "numpy.linalg.solve scipy.linalg.solve",
    lambda A, b, B: L.solve(regular(A), b),
    lambda A, b, B: L.solve(regular(A).T, B),
    lambda A, b, B: scipy.linalg.solve(regular(A), B),
    A="n n",
    b="n",
    B="n k",
)
calls("numpy.linalg.solve", lambda A, B: L.solve(regular(A), B), A="m n n", B="m n k")
calls(
    "scipy.linalg.solve_triangular scipy.linalg.cho_solve scipy.linalg.cho_factor",
    lambda A, b: scipy.linalg.solve_triangular(regular(A), b),
    lambda A, b: scipy.linalg.solve_triangular(regular(A), b, lower=True),
    lambda A, b: scipy.linalg.solve_triangular(regular(A), b, trans=1),
    lambda A, b: scipy.linalg.solve_triangular(regular(A), b, trans="T", lower=True),
    lambda A, b: scipy.linalg.cho_solve(scipy.linalg.cho_factor(positive(A)), b),
    lambda A, b: scipy.linalg.cho_solve(scipy.linalg.cho_factor(positive(A), lower=True), b),
    A="n n",
    b="n",
)
calls(
    "numpy.linalg.cholesky scipy.linalg.cholesky",
    lambda A: L.cholesky(positive(A)),
    lambda A: L.cholesky(positive(A), upper=True),
    lambda A: scipy.linalg.cholesky(positive(A)),
    lambda A: scipy.linalg.cholesky(positive(A), lower=True),
    A="n n",
)
calls(
    "numpy.linalg.qr",
    lambda A: L.qr(regular(A)),
    lambda A: L.qr(np.concatenate([regular(A), A]), mode="r"),
    lambda A: L.qr(regular(A)).Q,
    A="n n",
)
calls(
    "numpy.linalg.eigh scipy.linalg.eigh numpy.linalg.eigvalsh scipy.linalg.eigvalsh",
    lambda A: L.eigh(positive(A)).eigenvalues,
    lambda A: L.eigh(positive(A)).eigenvectors ** 2,
    lambda A: scipy.linalg.eigh(positive(A))[1] ** 2,
    lambda A: L.eigvalsh(positive(A)),
    lambda A: scipy.linalg.eigvalsh(positive(A)),
    A="n n",
)
calls(
    "numpy.linalg.svd numpy.linalg.svdvals scipy.linalg.svdvals",
    lambda A: L.svd(A, full_matrices=False).S,
    lambda A: L.svd(A, compute_uv=False),
    lambda A: L.svdvals(A),
    lambda A: scipy.linalg.svdvals(A),
    A="n m",
)
calls("numpy.linalg.svd", lambda A: (lambda U, s, V: U * s @ V)(*L.svd(A)), A="n n")
calls(
    "scipy.linalg.expm scipy.linalg.sqrtm numpy.linalg.matrix_power",
    lambda A: scipy.linalg.expm(A),
    lambda A: scipy.linalg.sqrtm(positive(A)),
    lambda A: L.matrix_power(A, 0),
    lambda A: L.matrix_power(A, 3),
    lambda A: L.matrix_power(A, 6),
    lambda A: L.matrix_power(regular(A), -2),
    A="n n",
)
calls(
    "numpy.linalg.norm numpy.linalg.matrix_norm",
    lambda A: L.norm(A, "nuc"),
    lambda A: L.norm(A, 2),
    lambda A: L.norm(A, -2, keepdims=True),
    lambda A: L.matrix_norm(A, ord="nuc"),
    A="n m",
)
calls("numpy.linalg.norm", lambda A: L.norm(A, "nuc", axis=(0, 2)), lambda A: L.norm(A, 2, axis=(2, 1), keepdims=True), A="n k m")
