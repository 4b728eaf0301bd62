"""Linear algebra for a complex step: real decompositions, whose imaginary parts are their derivatives at the real part.

A decomposition of a complex matrix would lose an imaginary part of 1e-30 in the rounding of its real part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from numpy.linalg import det, inv, matrix_power, solve

__all__ = ["det", "inv", "matrix_power", "solve"]


def turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord == "nuc":
        return np.sum(svd(x, compute_uv=False))
    if ord == 2 and axis is None and x.ndim == 2:
        return np.max(svd(x, compute_uv=False))
    size = np.where(np.real(x) < 0, -x, x)
    if ord == np.inf:
        return np.max(size, axis=axis, keepdims=keepdims)
    power = 2 if ord is None else ord
    return np.sum(size**power, axis=axis, keepdims=keepdims) ** (1 / power)


vector_norm = norm


def slogdet(x: Any) -> tuple[Any, Any]:
    sign, size = np.linalg.slogdet(np.real(x))
    return sign, size + 1j * np.trace(solve(np.real(x), np.imag(x)), axis1=-2, axis2=-1)


def cholesky(x: Any) -> Any:
    """Row by row, without conjugation; it reads the lower triangle."""
    L = np.zeros(x.shape, complex)
    for i in range(x.shape[-1]):
        for j in range(i + 1):
            rest = x[..., i, j] - np.sum(L[..., i, :j] * L[..., j, :j], axis=-1)
            L[..., i, j] = np.sqrt(rest) if i == j else rest / L[..., j, j]
    return L


def qr(x: Any) -> tuple[Any, Any]:
    """From the Cholesky factor of x'x, with the signs that LAPACK chooses."""
    signs = np.sign(np.diagonal(np.linalg.qr(np.real(x))[1], axis1=-2, axis2=-1))
    R = turned(cholesky(turned(x) @ x)) * signs[..., :, None]
    return x @ inv(R), R


def eigh(x: Any) -> tuple[Any, Any]:
    """By perturbation theory of first order; the eigenvalues differ."""
    w, V = np.linalg.eigh(np.real(x))
    change = turned(V) @ np.imag(x) @ V
    gaps = w[..., None, :] - w[..., :, None]
    same = np.eye(w.shape[-1], dtype=bool)
    turn = np.where(same, 0, change / np.where(same, 1, gaps))
    return w + 1j * np.diagonal(change, axis1=-2, axis2=-1), V + 1j * (V @ turn)


def eigvalsh(x: Any) -> Any:
    return eigh(x)[0]


def svd(x: Any, compute_uv: bool = True) -> Any:
    """From the eigenvectors of x'x, with the signs that LAPACK chooses."""
    w, V = eigh(turned(x) @ x)
    s, V = np.sqrt(w[..., ::-1]), V[..., ::-1]
    if not compute_uv:
        return s
    real = np.linalg.svd(np.real(x), full_matrices=False)[2]
    V = V * np.sign(np.sum(np.real(V) * turned(real), axis=-2))[..., None, :]
    return x @ V / s[..., None, :], s, turned(V)


def pinv(x: Any) -> Any:
    """Of a matrix with independent columns."""
    return solve(turned(x) @ x, turned(x))


def expm(x: Any) -> Any:
    """The upper right block of exp [[A, E], [0, A]] is the derivative of exp A along E."""
    A, E = np.real(x), np.imag(x)
    scale = np.max(np.abs(E), initial=0) or 1.0
    both = scipy.linalg.expm(np.block([[A, E / scale], [np.zeros_like(A), A]]))
    n = len(A)
    return both[:n, :n] + 1j * scale * both[:n, n:]


def sqrtm(x: Any) -> Any:
    """Its derivative S' solves S S' + S' S = x'."""
    S = np.real(scipy.linalg.sqrtm(np.real(x)))
    return S + 1j * scipy.linalg.solve_sylvester(S, S, np.imag(x))


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    return solve(np.tril(a) if lower else np.triu(a), b)


def cho_factor(a: Any) -> Any:
    return a


def cho_solve(a: Any, b: Any) -> Any:
    return solve(a, b)
