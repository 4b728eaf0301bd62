"""Cholesky, QR, symmetric eigenvalues, singular values."""

from typing import Any

import numpy as np

from ...errors import DomainError
from .._primitive import Primitive, eye
from . import _exact

SPELLED = {"numpy": "np", "torch": "torch", "jax": "jnp"}


def symmetrised(A: Any) -> Any:
    """``(A + A') / 2``: what a function of symmetric matrices is of any other."""
    return (A + A.mT) / 2


# -- Cholesky


def _cholesky(A: Any) -> Any:
    A = (A + A.swapaxes(-1, -2)) / 2
    if A.dtype.kind == "c":
        return _analytic_cholesky(A)
    try:
        return np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        raise DomainError(
            f"a matrix of shape {A.shape[-2:]} is not positive definite, so it has no Cholesky factor; its least "
            f"eigenvalue is {np.linalg.eigvalsh(A).min():.3g}; "
            "try: add a multiple of the unit matrix if that is what you mean"
        ) from None


def _analytic_cholesky(A: Any) -> Any:
    """``A = L L'`` without conjugation, so that a complex step goes through it."""
    L = np.zeros_like(A)
    for j in range(A.shape[-1]):
        rest = A[..., j:, j] - np.einsum("...ik,...k->...i", L[..., j:, :j], L[..., j, :j])
        L[..., j:, j] = rest / np.sqrt(rest[..., :1])
    return L


def _lower_half(X: Any) -> Any:
    """The lower triangle of X with half of the diagonal: what ``X + X'`` is made of."""
    return np.tril(X) - eye(X, X.shape[-1]) * X / 2


def _cholesky_tangent(operands: Any, results: Any, tangents: Any) -> Any:
    (L,), (dA,) = results, tangents
    inner = np.linalg.solve(L, np.linalg.solve(L, symmetrised(dA)).mT)
    return (L @ _lower_half(inner),)


def _cholesky_cotangent(operands: Any, results: Any, cotangents: Any) -> Any:
    (L,), (g,) = results, cotangents
    half = np.linalg.solve(L.mT, _lower_half(L.mT @ g))
    return (symmetrised(np.linalg.solve(L.mT, half.mT)),)


CHOLESKY = Primitive(
    "cholesky", ("n n",), ("n n",),
    value=lambda A: (_cholesky(A),), symbols=("L",),
    exact=lambda numbers, A: (_exact.cholesky(numbers, (A + A.T) / 2),),
    jvp=_cholesky_tangent,
    under_transpose="same",
    vjp=_cholesky_cotangent,
    facts=lambda A: (frozenset({"lower triangular", "invertible"}),),
    spelling={name: f"{module}.linalg.cholesky({{0}})" for name, module in SPELLED.items()},
    needs="positive definite",
    source="Murray (2016), Differentiation of the Cholesky decomposition, eqs. 8 and 9",
)  # fmt: skip


# -- QR


def _qr_tangents(operands: Any, results: Any, tangents: Any) -> Any:
    (Q, R), (dA,) = results, tangents
    moved = np.linalg.solve(R.mT, dA.mT).mT
    along = Q.mT @ moved
    turned = np.tril(along, -1) - np.tril(along, -1).mT
    return Q @ turned + moved - Q @ along, (along - turned) @ R


def _qr_cotangent(operands: Any, results: Any, cotangents: Any) -> Any:
    (Q, R), (gQ, gR) = results, cotangents
    inner = sum(
        m for m in (None if gR is None else R @ gR.mT, None if gQ is None else -gQ.mT @ Q) if m is not None
    )
    lower = np.tril(inner)
    both = lower + np.tril(inner, -1).mT
    moved = Q @ both if gQ is None else gQ + Q @ both
    return (np.linalg.solve(R, moved.mT).mT,)


def _qr(A: Any) -> Any:
    m, n = A.shape[-2:]
    if m < n:
        raise DomainError(
            f"a QR factorisation with a derivative needs at least as many rows as columns; found {m} x {n}"
        )
    return tuple(np.linalg.qr(A))


QR = Primitive(
    "qr", ("m n",), ("m n", "n n"),
    value=_qr, labels=("Q", "R"), symbols=("Q", "R"),
    exact=lambda numbers, A: _exact.qr(numbers, A),
    jvp=_qr_tangents,
    vjp=_qr_cotangent,
    facts=lambda A: (frozenset(), frozenset({"upper triangular"})),
    spelling={name: f"{module}.linalg.qr({{0}})" for name, module in SPELLED.items()},
    analytic=False,
    needs="full rank",
    source="Walter and Lehmann (2010), Algorithmic differentiation of linear algebra functions, 3.2",
)  # fmt: skip


# -- gaps between eigenvalues


def _gaps(w: Any) -> Any:
    w = np.asarray(w)
    difference = w[..., None, :] - w[..., :, None]
    apart = ~np.eye(w.shape[-1], dtype=bool)
    scale = np.abs(w).max(-1, initial=0.0)[..., None, None]
    equal = apart & (np.abs(difference) <= 8 * np.finfo(np.float64).eps * scale)
    if np.any(equal):
        place = np.argwhere(equal)[0]
        raise DomainError(
            f"eigenvalues {place[-2]} and {place[-1]} coincide ({np.real(w[tuple(place[:-2])][place[-1]]):.6g}), so their "
            "eigenvectors have no derivative; a function of the eigenvalues alone, or of all of such a group, does"
        )
    return np.where(apart, 1 / np.where(apart, difference, 1), 0)


def _exact_gaps(numbers: Any, w: Any) -> Any:
    if len(set(w)) < len(w):
        raise DomainError(f"eigenvalues coincide ({w}), so their eigenvectors have no derivative")
    zero = w[0] * 0
    return np.array(
        [[zero if i == j else 1 / (b - a) for j, b in enumerate(w)] for i, a in enumerate(w)], dtype=object
    )


def _gaps_cotangent(operands: Any, results: Any, cotangents: Any) -> Any:
    (F,), (g,) = results, cotangents
    pull = g * F**2
    return (pull.sum(-1) - pull.sum(-2),)


GAPS = Primitive(
    "gaps", ("n",), ("n n",),
    value=lambda w: (_gaps(w),), symbols=("F",),
    exact=lambda numbers, w: (_exact_gaps(numbers, w),),
    jvp=lambda operands, results, tangents: (
        -(results[0] ** 2) * (tangents[0][..., None, :] - tangents[0][..., :, None]),
    ),
    vjp=_gaps_cotangent,
    spelling=dict.fromkeys(SPELLED, "_gaps({0})"),
    needs="distinct entries",
    source="derived: F[i,j] = [i != j] / (w[j] - w[i])",
)  # fmt: skip


def gaps(w: Any) -> Any:
    """``F[i,j] = 1 / (w[j] - w[i])`` off the diagonal, 0 on it, in traced code."""
    return w.owner.primitive("gaps", (w,))[0]


# -- symmetric eigenvalues


def _eigh(A: Any) -> Any:
    return tuple(np.linalg.eigh((A + A.swapaxes(-1, -2)) / 2))


def _eigh_tangents(operands: Any, results: Any, tangents: Any) -> Any:
    (w, V), (dA,) = results, tangents
    inner = V.mT @ symmetrised(dA) @ V
    return np.einsum("...ii->...i", inner), V @ (gaps(w) * inner)


def _eigh_cotangent(operands: Any, results: Any, cotangents: Any) -> Any:
    (w, V), (gw, gV) = results, cotangents
    if gV is None:
        return ((V * gw[..., None, :]) @ V.mT,)
    inner = gaps(w) * (V.mT @ gV)
    moved = V @ inner @ V.mT
    return (symmetrised(moved) if gw is None else symmetrised(moved) + (V * gw[..., None, :]) @ V.mT,)


EIGH = Primitive(
    "eigh", ("n n",), ("n", "n n"),
    value=_eigh, labels=("eigenvalues", "eigenvectors"), symbols=("w", "V"),
    exact=lambda numbers, A: _exact.eigh(numbers, (A + A.T) / 2),
    jvp=_eigh_tangents,
    under_transpose="same",
    vjp=_eigh_cotangent,
    facts=lambda A: (
        frozenset({"positive", "nonnegative"}) if "positive definite" in A else frozenset(),
        frozenset({"orthogonal", "invertible"}),
    ),
    spelling={
        **{name: f"{module}.linalg.eigh({{0}})" for name, module in SPELLED.items()},
        **{f"{name}.0": f"{module}.linalg.eigvalsh({{0}})" for name, module in SPELLED.items()},
    },
    analytic=False,
    needs="symmetric",
    source="Giles (2008), 3.1",
)  # fmt: skip


# -- singular values


def _svd_parts(results: Any, rows: Any, columns: Any) -> tuple[Any, ...]:
    U, s, Vt = results
    return U, s, Vt.mT, eye(U, rows) - U @ U.mT, eye(U, columns) - Vt.mT @ Vt


def _svd_tangents(operands: Any, results: Any, tangents: Any) -> Any:
    (A,), (dA,) = operands, tangents
    U, s, V, beside_U, beside_V = _svd_parts(results, *A.shape[-2:])
    F, inner, scale = gaps(s**2), U.mT @ dA @ V, s[..., None, :]
    dU = U @ (F * (inner * scale + inner.mT * scale.mT)) + beside_U @ dA @ V / scale
    dV = V @ (F * (inner * scale.mT + inner.mT * scale)) + beside_V @ dA.mT @ U / scale
    return dU, np.einsum("...ii->...i", inner), dV.mT


def _svd_cotangent(operands: Any, results: Any, cotangents: Any) -> Any:
    (A,), (gU, gs, gVt) = operands, cotangents
    U, s, V, beside_U, beside_V = _svd_parts(results, *A.shape[-2:])
    scale = s[..., None, :]
    parts = [] if gs is None else [(U * gs[..., None, :]) @ V.mT]
    if gU is not None:
        turned = gaps(s**2) * (U.mT @ gU - gU.mT @ U)
        parts += [U @ (turned * scale) @ V.mT, (beside_U @ gU / scale) @ V.mT]
    if gVt is not None:
        turned = gaps(s**2) * (V.mT @ gVt.mT - gVt @ V)
        parts += [U @ (turned * scale.mT) @ V.mT, U @ (gVt / scale.mT) @ beside_V]
    return (sum(parts[1:], parts[0]),)


SVD = Primitive(
    "svd", ("m n",), ("m min(m,n)", "min(m,n)", "min(m,n) n"),
    value=lambda A: tuple(np.linalg.svd(A, full_matrices=False)), labels=("U", "S", "Vh"), symbols=("U", "s", "Vh"),
    exact=lambda numbers, A: _exact.svd(numbers, A),
    jvp=_svd_tangents,
    vjp=_svd_cotangent,
    facts=lambda A: (frozenset(), frozenset({"nonnegative"}), frozenset()),
    spelling={
        **{name: f"{module}.linalg.svd({{0}}, full_matrices=False)" for name, module in SPELLED.items()},
        **{f"{name}.1": f"{module}.linalg.svdvals({{0}})" for name, module in SPELLED.items()},
    },
    analytic=False,
    needs="full rank",
    source="Townsend (2016), Differentiating the singular value decomposition, eqs. 2 to 4",
)  # fmt: skip
