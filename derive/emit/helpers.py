"""Small functions that an emitted file brings along where its library has none, or one that lets a singular matrix pass."""

from __future__ import annotations

import re

from .array_code import array_code, tables

NUMPY = {
    "_lu_solve": '''
def _lu_solve(LU, pivots, B, trans=0):
    """The solution X of A X = B, or of A' X = B, from the factors of A."""
    if not LU.diagonal(axis1=-2, axis2=-1).all():
        raise np.linalg.LinAlgError("the matrix is singular")
    return scipy.linalg.lu_solve((LU, pivots), B, trans)
''',
    "_lu_inverse": '''
def _lu_inverse(LU, pivots):
    """The inverse of A from its factors."""
    unit = np.broadcast_to(np.eye(LU.shape[-1], dtype=LU.dtype), LU.shape)
    return _lu_solve(LU, pivots, unit)
''',
    "_cho_inverse": '''
def _cho_inverse(L):
    """The inverse of L L'."""
    unit = np.broadcast_to(np.eye(L.shape[-1], dtype=L.dtype), L.shape)
    return scipy.linalg.cho_solve((L, True), unit)
''',
    "_invert_triangle": '''
def _invert_triangle(T, lower):
    """The inverse of a triangular matrix."""
    unit = np.broadcast_to(np.eye(T.shape[-1], dtype=T.dtype), T.shape)
    return scipy.linalg.solve_triangular(T, unit, lower=lower)
''',
    "_gaps": '''
def _gaps(w):
    """F[i,j] = 1 / (w[j] - w[i]), and 0 where i = j; no two entries may coincide."""
    difference = w[..., None, :] - w[..., :, None]
    apart = ~np.eye(w.shape[-1], dtype=bool)
    least = 8 * np.finfo(w.dtype).eps * np.abs(w).max(axis=-1)[..., None, None]
    if (apart & (np.abs(difference) <= least)).any():
        raise ValueError("eigenvalues coincide: their eigenvectors have no derivative")
    return np.where(apart, 1 / np.where(apart, difference, 1), 0)
''',
    "_sqrtm": '''
def _sqrtm(A):
    """The positive definite square root of a positive definite matrix."""
    w, V = np.linalg.eigh(A)
    if (w <= 0).any():
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    return (V * np.sqrt(w)[..., None, :]) @ V.swapaxes(-1, -2)
''',
    "_powers": '''
def _powers(X, k):
    """X^k for an array of exponents, by squaring."""
    k = np.asarray(k)
    if (k < 0).any():
        raise ValueError(f"a power of a matrix needs an exponent >= 0; found {k.min()}")
    shape = (*np.broadcast_shapes(X.shape[:-2], k.shape), *X.shape[-2:])
    result, square = np.broadcast_to(np.eye(X.shape[-1], dtype=X.dtype), shape), X
    while True:
        odd = (k % 2 == 1)[..., None, None]
        result = np.where(odd, result @ square, result)
        k = k // 2
        if not k.any():
            return result
        square = square @ square
''',
}
TORCH = {
    "_gamma": '''
def _gamma(x):
    """The gamma function for x > 0."""
    return torch.exp(torch.lgamma(x))
''',
    "_lu_solve": '''
def _lu_solve(LU, pivots, B, adjoint=False):
    """The solution X of A X = B, or of A' X = B, from the factors of A."""
    if (LU.diagonal(dim1=-2, dim2=-1) == 0).any():
        raise torch.linalg.LinAlgError("the matrix is singular")
    return torch.linalg.lu_solve(LU, pivots, B, adjoint=adjoint)
''',
    "_lu_inverse": '''
def _lu_inverse(LU, pivots):
    """The inverse of A from its factors."""
    unit = torch.eye(LU.shape[-1], dtype=LU.dtype, device=LU.device)
    return _lu_solve(LU, pivots, unit.expand(LU.shape))
''',
    "_invert_triangle": '''
def _invert_triangle(T, lower):
    """The inverse of a triangular matrix."""
    unit = torch.eye(T.shape[-1], dtype=T.dtype, device=T.device)
    return torch.linalg.solve_triangular(T, unit.expand(T.shape), upper=not lower)
''',
    "_gaps": '''
def _gaps(w):
    """F[i,j] = 1 / (w[j] - w[i]), and 0 where i = j; no two entries may coincide."""
    difference = w[..., None, :] - w[..., :, None]
    same = torch.eye(w.shape[-1], dtype=torch.bool, device=w.device)
    least = 8 * torch.finfo(w.dtype).eps * w.abs().amax(dim=-1)[..., None, None]
    if (~same & (difference.abs() <= least)).any():
        raise ValueError("eigenvalues coincide: their eigenvectors have no derivative")
    return (1 / difference).masked_fill(same, 0)
''',
    "_sqrtm": '''
def _sqrtm(A):
    """The positive definite square root of a positive definite matrix."""
    w, V = torch.linalg.eigh(A)
    if (w <= 0).any():
        raise torch.linalg.LinAlgError("the matrix is not positive definite")
    return (V * w.sqrt()[..., None, :]) @ V.mT
''',
    "_powers": '''
def _powers(X, k):
    """X^k for an array of exponents, by squaring."""
    k = torch.as_tensor(k, device=X.device)
    if (k < 0).any():
        raise ValueError(f"a power of a matrix needs an exponent >= 0; found {k.min()}")
    shape = (*torch.broadcast_shapes(X.shape[:-2], k.shape), *X.shape[-2:])
    unit = torch.eye(X.shape[-1], dtype=X.dtype, device=X.device)
    result, square = unit.expand(shape), X
    while True:
        odd = (k % 2 == 1)[..., None, None]
        result = torch.where(odd, result @ square, result)
        k = k // 2
        if not k.any():
            return result
        square = square @ square
''',
}
JAX = {
    "_lu_inverse": '''
def _lu_inverse(LU, pivots):
    """The inverse of A from its factors."""
    unit = jnp.broadcast_to(jnp.eye(LU.shape[-1], dtype=LU.dtype), LU.shape)
    return jax.scipy.linalg.lu_solve((LU, pivots), unit)
''',
    "_cho_inverse": '''
def _cho_inverse(L):
    """The inverse of L L'."""
    unit = jnp.broadcast_to(jnp.eye(L.shape[-1], dtype=L.dtype), L.shape)
    return jax.scipy.linalg.cho_solve((L, True), unit)
''',
    "_invert_triangle": '''
def _invert_triangle(T, lower):
    """The inverse of a triangular matrix."""
    unit = jnp.broadcast_to(jnp.eye(T.shape[-1], dtype=T.dtype), T.shape)
    return jax.scipy.linalg.solve_triangular(T, unit, lower=lower)
''',
    "_gaps": '''
def _gaps(w):
    """F[i,j] = 1 / (w[j] - w[i]), 0 where i = j, and NaN where two entries coincide."""
    difference = w[..., None, :] - w[..., :, None]
    same = jnp.eye(w.shape[-1], dtype=bool)
    least = 8 * jnp.finfo(w.dtype).eps * jnp.abs(w).max(axis=-1)[..., None, None]
    gap = jnp.where(jnp.abs(difference) <= least, jnp.nan, difference)
    return jnp.where(same, 0, 1 / jnp.where(same, 1, gap))
''',
    "_sqrtm": '''
def _sqrtm(A):
    """The positive definite square root of a positive definite matrix."""
    w, V = jnp.linalg.eigh(A)
    return (V * jnp.sqrt(w)[..., None, :]) @ V.mT
''',
    "_powers": '''
def _powers(X, k):
    """X^k for an array of exponents >= 0, by squaring."""
    k = jnp.asarray(k)
    shape = (*jnp.broadcast_shapes(X.shape[:-2], k.shape), *X.shape[-2:])

    def double(state):
        result, square, k = state
        odd = (k % 2 == 1)[..., None, None]
        return jnp.where(odd, result @ square, result), square @ square, k // 2

    unit = jnp.broadcast_to(jnp.eye(X.shape[-1], dtype=X.dtype), shape)
    state = unit, X, k
    return jax.lax.while_loop(lambda state: (state[2] > 0).any(), double, state)[0]
''',
}
HELPERS = {"numpy": NUMPY, "torch": TORCH, "jax": JAX}


def helper_blocks(code: str, target: str) -> list[list[str]]:
    """The helpers that `code` calls and those that they call, callees first, as blocks of lines."""
    found: dict[str, list[str]] = {}
    own = array_code(target)
    known = HELPERS[target] | own

    def visit(text: str, caller: str = "") -> None:
        for name, source in known.items():
            if name != caller and name not in found and re.search(rf"(?<!\w){name}\(", text):
                visit(source, name)
                if name in own and (table := tables(name, code, target)):
                    found[name.upper()] = table.split("\n")
                found[name] = source.strip("\n").split("\n")

    visit(code)
    return list(found.values())


NOT_RAISED = "Where a matrix is singular, or not positive definite as it must be, results are NaN or infinite."


def silent_failures(code: str) -> str:
    """What a JAX file says about matrices without a result: JAX raises no errors for values."""
    return NOT_RAISED if "linalg." in code else ""
