"""The linear algebra that a kernel brings along: blocked factorisations around matrix products, errors that are said."""

from __future__ import annotations

import re

from .routine import SOLVES

FAST = """# Sums may be reordered and products fused; NaN and infinity keep their meaning.
FAST = {"arcp", "contract", "nsz", "reassoc"}"""
IN_ORDER = """# Products are fused but not reordered: a quotient is taken before a product leaves the range of numbers.
FAST = {"contract", "nsz"}"""
HEAD = '@njit(cache=True, error_model="numpy", fastmath=FAST)'
BLOCK = """# Rows and columns of a matrix that are worked on together; everything else is matrix products.
BLOCK = 32"""

SOURCES = {
    "_copy": '''
def _copy(A, B):
    """The entries of A into B."""
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            B[i, j] = A[i, j]
''',
    "_unit": '''
def _unit(Y):
    """The unit matrix into Y."""
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = 1 if i == j else 0
''',
    "_block": '''
def _block(A, top, bottom, left, right, transposed):
    """Some rows and columns of A, or their transpose, as an array of their own."""
    rows, columns = bottom - top, right - left
    found = np.empty((columns, rows) if transposed else (rows, columns), A.dtype)
    for i in range(rows):
        for j in range(columns):
            if transposed:
                found[j, i] = A[top + i, left + j]
            else:
                found[i, j] = A[top + i, left + j]
    return found
''',
    "_subtract": '''
def _subtract(P, X, top, left):
    """X -= P, for the rows and columns of X from there on."""
    for i in range(P.shape[0]):
        for j in range(P.shape[1]):
            X[top + i, left + j] -= P[i, j]
''',
    "_lu_factor": '''
def _lu_factor(LU, pivots):
    """Overwrite A by L, below the diagonal, and U, so that A = P L U; row k was exchanged with row pivots[k]."""
    n = LU.shape[0]
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n)
        _lu_panel(LU, pivots, low, high)
        for k in range(low, high):
            other = pivots[k]
            for j in range(high, n if other != k else high):
                LU[k, j], LU[other, j] = LU[other, j], LU[k, j]
        for k in range(low, high):
            for i in range(k + 1, high):
                factor = LU[i, k]
                for j in range(high, n):
                    LU[i, j] -= factor * LU[k, j]
        if high < n:
            left = _block(LU, high, n, low, high, False)
            right = _block(LU, low, high, high, n, False)
            _subtract(np.dot(left, right), LU, high, high)
''',
    "_lu_panel": '''
def _lu_panel(LU, pivots, low, high):
    """Factorise the columns from low to high, and exchange the rows of those before."""
    n = LU.shape[0]
    for k in range(low, high):
        pivot = k
        for i in range(k + 1, n):
            if abs(LU[i, k]) > abs(LU[pivot, k]):
                pivot = i
        pivots[k] = pivot
        if pivot != k:
            for j in range(high):
                LU[k, j], LU[pivot, j] = LU[pivot, j], LU[k, j]
        if LU[k, k] != 0:
            for i in range(k + 1, n):
                LU[i, k] /= LU[k, k]
                factor = LU[i, k]
                for j in range(k + 1, high):
                    LU[i, j] -= factor * LU[k, j]
''',
    "_lu_solve": '''
def _lu_solve(LU, pivots, X, transposed):
    """Overwrite the columns B of X by A^-1 B, or A'^-1 B, from the factors of A."""
    _must_be_regular(LU)
    if not transposed:
        _exchange(X, pivots, False)
    for lower in (not transposed, transposed):
        _solve_triangle(LU, X, lower, transposed, lower)
    if transposed:
        _exchange(X, pivots, True)
''',
    "_lu_inverse": '''
def _lu_inverse(LU, pivots, Y):
    """Y = A^-1 from the factors of A."""
    _unit(Y)
    _lu_solve(LU, pivots, Y, False)
''',
    "_exchange": '''
def _exchange(X, pivots, back):
    """Exchange rows as a factorisation did, or back."""
    n, m = X.shape
    for step in range(n):
        k = n - 1 - step if back else step
        other = pivots[k]
        if other != k:
            for j in range(m):
                X[k, j], X[other, j] = X[other, j], X[k, j]
''',
    "_must_be_regular": '''
def _must_be_regular(T):
    """An error if the diagonal of a triangular factor has a zero."""
    for k in range(T.shape[0]):
        if T[k, k] == 0:
            raise np.linalg.LinAlgError("a matrix is singular, so it has no inverse")
''',
    "_cholesky": '''
def _cholesky(L):
    """Overwrite A by its lower factor: A = L L'."""
    n = L.shape[0]
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n)
        for i in range(low, n):
            for j in range(low, min(i + 1, high)):
                entry = L[i, j]
                for k in range(low, j):
                    entry -= L[i, k] * L[j, k]
                if i == j and not entry > 0:
                    raise np.linalg.LinAlgError("a matrix is not positive definite")
                L[i, j] = np.sqrt(entry) if i == j else entry / L[j, j]
        for start in range(high, n, 4 * BLOCK):
            stop = min(start + 4 * BLOCK, n)
            rows = _block(L, start, n, low, high, False)
            columns = _block(L, start, stop, low, high, True)
            _subtract(np.dot(rows, columns), L, start, start)
    for i in range(n):
        for j in range(i + 1, n):
            L[i, j] = 0
''',
    "_cho_solve": '''
def _cho_solve(L, X):
    """Overwrite the columns B of X by (L L')^-1 B."""
    for half in (False, True):
        _solve_triangle(L, X, True, half, False)
''',
    "_cho_inverse": '''
def _cho_inverse(L, Y):
    """Y = (L L')^-1."""
    _unit(Y)
    _cho_solve(L, Y)
''',
    "_solve_lower": '''
def _solve_lower(T, X, transposed):
    """Overwrite the columns B of X by T^-1 B, or T'^-1 B, for a lower triangular T."""
    _must_be_regular(T)
    _solve_triangle(T, X, True, transposed, False)
''',
    "_solve_upper": '''
def _solve_upper(T, X, transposed):
    """Overwrite the columns B of X by T^-1 B, or T'^-1 B, for an upper triangular T."""
    _must_be_regular(T)
    _solve_triangle(T, X, False, transposed, False)
''',
    "_invert_lower": '''
def _invert_lower(T, Y):
    """The inverse of a lower triangular matrix."""
    _must_be_regular(T)
    _unit(Y)
    _solve_triangle(T, Y, True, False, False)
''',
    "_invert_upper": '''
def _invert_upper(T, Y):
    """The inverse of an upper triangular matrix."""
    _must_be_regular(T)
    _unit(Y)
    _solve_triangle(T, Y, False, False, False)
''',
    "_solve_triangle": '''
def _solve_triangle(T, X, lower, transposed, unit):
    """Overwrite X by T^-1 X, or T'^-1 X; the other triangle of T is not read, nor its diagonal if it is one of units."""
    n, m = X.shape
    if m == 1:
        return _solve_vector(T, X.reshape(n), lower, transposed, unit)
    forward = lower != transposed
    blocks = (n + BLOCK - 1) // BLOCK
    for step in range(blocks):
        low = BLOCK * (step if forward else blocks - 1 - step)
        high = min(low + BLOCK, n)
        _solve_block(T, X, low, high, lower, transposed, unit)
        start, stop = (high, n) if forward else (0, low)
        if start < stop:
            if transposed:
                columns = _block(T, low, high, start, stop, True)
            else:
                columns = _block(T, start, stop, low, high, False)
            _subtract(np.dot(columns, _block(X, low, high, 0, m, False)), X, start, 0)
''',
    "_solve_block": '''
def _solve_block(T, X, low, high, lower, transposed, unit):
    """Solve for the rows of X from low to high with that block of the diagonal of T."""
    m = X.shape[1]
    for step in range(high - low):
        k = low + step if lower != transposed else high - 1 - step
        if not transposed:
            start, stop = (low, k) if lower else (k + 1, high)
            for i in range(start, stop):
                for j in range(m):
                    X[k, j] -= T[k, i] * X[i, j]
        if not unit:
            for j in range(m):
                X[k, j] /= T[k, k]
        if transposed:
            start, stop = (low, k) if lower else (k + 1, high)
            for i in range(start, stop):
                for j in range(m):
                    X[i, j] -= T[k, i] * X[k, j]
''',
    "_solve_vector": '''
def _solve_vector(T, x, lower, transposed, unit):
    """Overwrite x by T^-1 x, or T'^-1 x, row by row of T."""
    n = x.size
    for step in range(n):
        k = step if lower != transposed else n - 1 - step
        start, stop = (0, k) if lower else (k + 1, n)
        entry = x[k]
        if not transposed:
            for i in range(start, stop):
                entry -= T[k, i] * x[i]
        if not unit:
            entry /= T[k, k]
        x[k] = entry
        if transposed:
            for i in range(start, stop):
                x[i] -= T[k, i] * entry
''',
    "_eigh": '''
def _eigh(A, w, V):
    """Eigenvalues in ascending order and eigenvectors of a symmetric matrix."""
    values, vectors = np.linalg.eigh(A)
    for i in range(values.size):
        w[i] = values[i]
    _copy(vectors, V)
''',
    "_svd": '''
def _svd(A, U, s, Vt):
    """The thin singular value decomposition."""
    left, values, right = np.linalg.svd(A, False)
    _copy(left, U)
    for i in range(values.size):
        s[i] = values[i]
    _copy(right, Vt)
''',
    "_qr": '''
def _qr(A, Q, R):
    """The QR factorisation of a matrix that has at least as many rows as columns."""
    if A.shape[0] < A.shape[1]:
        raise ValueError("a QR factorisation with a derivative needs at least as many rows as columns")
    left, right = np.linalg.qr(A)
    _copy(left, Q)
    _copy(right, R)
''',
    "_pinv": '''
def _pinv(A, P):
    """The pseudo-inverse."""
    _copy(np.linalg.pinv(A), P)
''',
    "_expm": '''
def _expm(A, Y):
    """exp(A) by a Pade approximant of degree 13, scaling and squaring (Higham, 2005)."""
    n = A.shape[0]
    norm = 0.0
    for j in range(n):
        column = 0.0
        for i in range(n):
            column += abs(A[i, j])
        norm = max(norm, column)
    if not norm < np.inf:
        raise ValueError("a matrix has entries that are not finite, so it has no exponential")
    squarings = 0
    while norm > 5.371920351148152:
        norm /= 2
        squarings += 1
    X, U, V = np.empty_like(Y), np.empty_like(Y), np.empty_like(Y)
    for i in range(n):
        for j in range(n):
            X[i, j] = A[i, j] / 2.0**squarings
    X2 = np.dot(X, X)
    X4 = np.dot(X2, X2)
    X6 = np.dot(X4, X2)
    for i in range(n):
        for j in range(n):
            a, b, c = X2[i, j], X4[i, j], X6[i, j]
            U[i, j] = c + 16380 * b + 40840800 * a
            V[i, j] = 182 * c + 960960 * b + 1323241920 * a
    U, V = np.dot(X6, U), np.dot(X6, V)
    for i in range(n):
        for j in range(n):
            a, b, c, one = X2[i, j], X4[i, j], X6[i, j], 1 if i == j else 0
            U[i, j] += 33522128640 * c + 10559470521600 * b + 1187353796428800 * a + 32382376266240000 * one
            V[i, j] += 670442572800 * c + 129060195264000 * b + 7771770303897600 * a + 64764752532480000 * one
    U = np.dot(X, U)
    for i in range(n):
        for j in range(n):
            X[i, j], Y[i, j] = V[i, j] - U[i, j], V[i, j] + U[i, j]
    pivots = np.empty(n, np.int64)
    _lu_factor(X, pivots)
    _lu_solve(X, pivots, Y, False)
    for _ in range(squarings):
        _copy(np.dot(Y, Y), Y)
''',
    "_sqrtm": '''
def _sqrtm(A, Y):
    """The positive definite square root of a positive definite matrix."""
    n = A.shape[0]
    values, vectors = np.linalg.eigh(A)
    for k in range(n):
        if not values[k] > 0:
            raise np.linalg.LinAlgError("a matrix is not positive definite, so it has no such square root")
    V, W = np.empty_like(Y), np.empty_like(Y)
    for i in range(n):
        for k in range(n):
            V[i, k], W[k, i] = vectors[i, k] * np.sqrt(values[k]), vectors[i, k]
    _copy(np.dot(V, W), Y)
''',
    "_power": '''
def _power(X, k, Y):
    """X^k by squaring."""
    if k < 0:
        raise ValueError("a power of a matrix needs an exponent of at least 0")
    _unit(Y)
    square = np.empty_like(Y)
    _copy(X, square)
    while k > 0:
        if k % 2 == 1:
            _copy(np.dot(Y, square), Y)
        k //= 2
        if k > 0:
            square = np.dot(square, square)
''',
    "_gaps": '''
def _gaps(w, F):
    """F[i,j] = 1 / (w[j] - w[i]), and 0 where i = j; no two entries may coincide."""
    n = w.size
    scale = 0.0
    for i in range(n):
        scale = max(scale, abs(w[i]))
    least = 8 * np.finfo(w.dtype).eps * scale
    for i in range(n):
        for j in range(n):
            if i != j and abs(w[j] - w[i]) <= least:
                raise ValueError("eigenvalues coincide, so their eigenvectors have no derivative")
            F[i, j] = 1 / (w[j] - w[i]) if i != j else 0
''',
}
"""Helpers by name: they take operands, then parameters, then the arrays to fill, then flags.

Those of `OVERWRITING` find their last operand in the first array that they fill.
"""
OVERWRITING = {"lu", "cholesky", *SOLVES}


def library() -> str:
    """A module of all helpers, for kernels to share."""
    head = '"""Linear algebra of kernels."""\n\nimport numpy as np\nfrom numba import njit'
    return "\n\n\n".join([head, FAST, BLOCK, *(HEAD + body.rstrip("\n") for body in SOURCES.values())]) + "\n"


def called(source: str) -> list[str]:
    """The helpers that `source` calls itself."""
    return sorted(name for name in SOURCES if re.search(rf"(?<!\w){name}\(", source))


def linear_algebra(source: str) -> list[str]:
    """The helpers that `source` calls and those that they call, callees first, after the size of their blocks."""
    found: dict[str, str] = {}

    def visit(text: str, caller: str) -> None:
        for name, body in SOURCES.items():
            if name != caller and name not in found and re.search(rf"(?<!\w){name}\(", text):
                visit(body, name)
                found[name] = HEAD + body.rstrip("\n")

    visit(source, "")
    blocks = [BLOCK] if any("BLOCK" in text for text in found.values()) else []
    return [*blocks, *found.values()]
