"""Linear algebra on object arrays of exact numbers, dual numbers or numbers of many digits, one matrix at a time."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

from ...errors import DomainError, UnsupportedOp

Matrix = Any
CLOSED_FORMS = ("rational", "balls")
"""Numbers whose eigenvalues are known by closed forms alone: rigorous, and for small matrices."""


def identity(n: int, like: Any) -> Matrix:
    """The unit matrix in the numbers that `like` is made of."""
    zero = like.flat[0] * 0 if like.size else 0
    found = np.full((n, n), zero, dtype=object)
    for k in range(n):
        found[k, k] = zero + 1
    return found


def solve(A: Matrix, B: Matrix) -> Matrix:
    """``A^-1 B`` by elimination with pivots of largest modulus.

    Raises:
        DomainError: A is singular.
    """
    A, B, n = A.copy(), B.copy(), len(A)
    for k in range(n):
        pivot = max(range(k, n), key=lambda r: abs(A[r, k]))
        if A[pivot, k] == 0:
            raise DomainError(
                f"a matrix of shape {A.shape} is singular: column {k} depends on those before it"
            )
        if pivot != k:
            A[[k, pivot]], B[[k, pivot]] = A[[pivot, k]], B[[pivot, k]]
        for r in range(n):
            if r != k:  # also where A[r, k] is 0: a dual number's derivative need not be
                factor = A[r, k] / A[k, k]
                A[r, k:] = A[r, k:] - A[k, k:] * factor
                B[r] = B[r] - B[k] * factor
    for k in range(n):
        B[k] = B[k] / A[k, k]
    return B


def determinant(A: Matrix) -> Any:
    """det A by Faddeev and LeVerrier: it divides by 1, ..., n alone, so singular matrices are no exception."""
    if not len(A):
        return 1
    unit = identity(len(A), A)
    M, c = A * 0, A[0, 0] * 0 + 1
    for k in range(1, len(A) + 1):
        M = A.dot(M) + unit * c
        c = -A.dot(M).trace() / k
    return c if len(A) % 2 == 0 else -c


def root(numbers: Any, x: Any) -> Any:
    """The square root; NotExact in the rationals."""
    return np.asarray(numbers.power(np.array(x, dtype=object), 0.5))[()]


def cholesky(numbers: Any, A: Matrix) -> Matrix:
    """The lower factor of ``A = L L'``."""
    n = len(A)
    L = A * 0
    for j in range(n):
        rest = A[j, j] - sum((L[j, k] * L[j, k] for k in range(j)), A[j, j] * 0)
        if rest <= 0:
            raise DomainError(f"a matrix of shape {A.shape} is not positive definite: pivot {j} is {rest}")
        L[j, j] = root(numbers, rest)
        for i in range(j + 1, n):
            L[i, j] = (A[i, j] - sum((L[i, k] * L[j, k] for k in range(j)), A[j, j] * 0)) / L[j, j]
    return L


def qr(numbers: Any, A: Matrix) -> tuple[Matrix, Matrix]:
    """The thin QR factorisation by Householder's reflections, with the signs of LAPACK."""
    (m, n), R = A.shape, A.copy()
    Q = identity(m, A)
    for k in range(min(m - 1, n)):
        norm = root(numbers, sum((x * x for x in R[k + 1 :, k]), R[k, k] * R[k, k]))
        if all(x == 0 for x in R[k + 1 :, k]):
            continue
        v = R[k:, k].copy()
        v[0] = v[0] + (norm if v[0] >= 0 else -norm)
        scale = 2 / sum((x * x for x in v), v[0] * 0)
        R[k:] = R[k:] - np.outer(v, v.dot(R[k:])) * scale
        Q[:, k:] = Q[:, k:] - np.outer(Q[:, k:].dot(v), v) * scale
    r = min(m, n)
    return Q[:, :r], R[:r] * np.triu(np.ones((r, n), dtype=int)).astype(object)


def _digits(A: Matrix, what: str) -> Any:
    """The matrix as mpmath's; only numbers of many digits have eigenvalues that can be computed."""
    if A.size and not isinstance(A.flat[0], mpmath.mpf):
        raise UnsupportedOp(f"{what} leaves the rational numbers")
    return mpmath.matrix(A.tolist())


def _array(values: Any, *shape: int) -> Matrix:
    entries = list(values)
    found = np.empty(len(entries), dtype=object)
    found[:] = entries
    return found.reshape(shape)


def eigh(numbers: Any, A: Matrix) -> tuple[Matrix, Matrix]:
    """Eigenvalues in ascending order and eigenvectors, with the signs that LAPACK gives them.

    Fractions and balls: of diagonal matrices and of two rows, by their closed forms.
    """
    if numbers.name in CLOSED_FORMS:
        return _small_eigh(numbers, A)
    values, vectors = mpmath.mp.eigsy(_digits(A, "an eigenvalue"))
    w, V = _array(values, len(A)), _array(vectors, *A.shape)
    order = np.argsort(w)
    w, V = w[order], V[:, order]
    return w, V * _signs(V, np.linalg.eigh(A.astype(float))[1])


def _small_eigh(numbers: Any, A: Matrix) -> tuple[Matrix, Matrix]:
    n = len(A)
    if all(A[i, j] == 0 for i in range(n) for j in range(n) if i != j):
        w = _ascending([A[i, i] for i in range(n)])
        return _array(w, n), _unknown(numbers, A) if n > 1 else identity(1, A)
    if n != 2:
        raise UnsupportedOp(f"the eigenvalues of {n} rows leave the numbers that they are asked for")
    (a, b), d = A[0], A[1, 1]
    spread = root(numbers, (a - d) * (a - d) + 4 * b * b)
    w = _array([(a + d - spread) / 2, (a + d + spread) / 2], 2)
    V = np.array([[b, b], [w[0] - a, w[1] - a]], dtype=object)
    V = V / _array([root(numbers, x * x + y * y) for x, y in V.T], 2)
    return w, V * _signs(V, np.linalg.eigh(A.astype(float))[1])


def _ascending(values: list[Any]) -> list[Any]:
    """Order statistics by minima and maxima, so that balls that overlap remain enclosures."""
    for last in range(len(values) - 1, 0, -1):
        for k in range(last):
            a, b = values[k : k + 2]
            values[k : k + 2] = (a.min(b), a.max(b)) if hasattr(a, "min") else (min(a, b), max(a, b))
    return values


def _unknown(numbers: Any, like: Matrix) -> Matrix:
    """Balls that say nothing, for vectors that are not unique.

    Raises:
        UnsupportedOp: fractions have no such thing.
    """
    nothing = numbers.lift(0) / numbers.lift(1)
    if not hasattr(nothing, "is_finite"):
        raise UnsupportedOp("the eigenvectors of a diagonal matrix are not unique")
    return np.full(like.shape, nothing / 0, dtype=object)


def svd(numbers: Any, A: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """The thin singular value decomposition, with the signs that LAPACK gives it.

    Balls: where one side is at most two long, by the eigenvalues of the Gram matrix.
    """
    if numbers.name in CLOSED_FORMS:
        return _small_svd(numbers, A)
    m, n = A.shape
    k = min(m, n)
    u, s, v = mpmath.mp.svd_r(_digits(A, "a singular value"))
    U, S, V = _array(u, m, k), _array(s, k), _array(v, k, n)
    signs = _signs(U, np.linalg.svd(A.astype(float), full_matrices=False)[0])
    return U * signs, S, V * signs[:, None]


def _small_svd(numbers: Any, A: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    m, n = A.shape
    if m < n:
        U, s, V = _small_svd(numbers, A.T)
        return V.T, s, U.T
    if n > 2:
        raise UnsupportedOp(f"the singular values of {n} columns leave the numbers that they are asked for")
    gram = A.T.dot(A)
    largest = root(numbers, _small_eigh(numbers, gram)[0][-1])
    s = [largest]
    if n == 2:
        zero = bool(largest == 0)
        s.append(largest if zero else root(numbers, determinant(gram)) / largest)
    return _unknown(numbers, A), _array(s, n), _unknown(numbers, gram)


def _signs(found: Matrix, wanted: Any) -> Any:
    """-1 for each column that points away from the one wanted."""
    return np.where((found.astype(float) * wanted).sum(0) < 0, -1, 1).astype(object)


def expm(A: Matrix) -> Matrix:
    """The matrix exponential."""
    return _array(mpmath.mp.expm(_digits(A, "an exponential")), *A.shape)
