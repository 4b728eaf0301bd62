"""Inverses, solutions of linear systems, pseudo-inverses."""

from typing import Any

import numpy as np

from ...errors import DomainError
from .._primitive import Primitive, eye
from . import _exact

KEPT = {"symmetric", "positive definite", "diagonal", "orthogonal", "lower triangular", "upper triangular"}


def regular(A: Any, result: Any) -> Any:
    """The result, unless it shows that A is singular.

    Raises:
        DomainError: a matrix is singular to working precision.
    """
    if not np.all(np.isfinite(result)) and np.all(np.isfinite(A)):
        raise DomainError(
            f"a matrix of shape {A.shape[-2:]} is singular; an inverse needs one that is invertible"
        )
    return result


def _solve(A: Any, b: Any) -> Any:
    """``A^-1 b``; right-hand sides of one matrix are solved together."""
    if A.shape[-1] == 0 or b.size == 0:
        return np.broadcast_to(b, np.broadcast_shapes(b.shape, A.shape[:-1])) * 1
    try:
        if A[..., 0, 0].size == 1:
            columns = b.reshape(-1, b.shape[-1]).T
            solved = np.linalg.solve(A.reshape(A.shape[-2:]), columns).T.reshape(b.shape)
        else:
            solved = np.linalg.solve(A, b[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise _singular(A) from None
    return regular(A, solved)


def _inv(A: Any) -> Any:
    try:
        return regular(A, np.linalg.inv(A))
    except np.linalg.LinAlgError:
        raise _singular(A) from None


def _singular(A: Any) -> DomainError:
    return DomainError(
        f"a matrix of shape {A.shape[-2:]} is singular: its determinant is 0, so it has no inverse; "
        "try: np.linalg.pinv, or add a multiple of the unit matrix if that is what you mean"
    )


def _solve_tangent(operands: Any, results: Any, tangents: Any) -> Any:
    (A, _), (x,), (dA, db) = operands, results, tangents
    moved = 0 if dA is None else np.einsum("...ij,...j->...i", dA, x)
    return (_solved(A, -moved if db is None else db - moved),)


def _solve_cotangents(operands: Any, results: Any, cotangents: Any) -> Any:
    (A, _), (x,), (g,) = operands, results, cotangents
    gb = _solved(A.mT, g)
    return -gb[..., :, None] * x[..., None, :], gb


def _solved(A: Any, b: Any) -> Any:
    """``A^-1 b`` in traced code, for stacks of vectors."""
    return A.owner.primitive("solve", (A, b))[0]


def _pinv_tangent(operands: Any, results: Any, tangents: Any) -> Any:
    (A,), (P,), (dA,) = operands, results, tangents
    left, right = eye(A, A.shape[-2]) - A @ P, eye(A, A.shape[-1]) - P @ A
    return (-P @ dA @ P + P @ P.mT @ dA.mT @ left + right @ dA.mT @ P.mT @ P,)


def _pinv_cotangent(operands: Any, results: Any, cotangents: Any) -> Any:
    (A,), (P,), (g,) = operands, results, cotangents
    left, right = eye(A, A.shape[-2]) - A @ P, eye(A, A.shape[-1]) - P @ A
    return (-P.mT @ g @ P.mT + left @ g.mT @ P @ P.mT + P.mT @ P @ g.mT @ right,)


INV = Primitive(
    "inv", ("n n",), ("n n",),
    value=lambda A: (_inv(A),),
    exact=lambda numbers, A: (_exact.solve(A, _exact.identity(len(A), A)),),
    jvp=lambda operands, results, tangents: (-results[0] @ tangents[0] @ results[0],),
    under_transpose="transposed",
    vjp=lambda operands, results, cotangents: (-results[0].mT @ cotangents[0] @ results[0].mT,),
    facts=lambda A: (frozenset(A & KEPT) | {"invertible"},),
    spelling={name: f"{module}.linalg.inv({{0}})" for name, module in
              {"numpy": "np", "torch": "torch", "jax": "jnp"}.items()},
    source="Giles (2008), An extended collection of matrix derivative results, 2.2.3",
)  # fmt: skip
SOLVE = Primitive(
    "solve", ("n n", "n"), ("n",),
    value=lambda A, b: (_solve(A, b),),
    exact=lambda numbers, A, b: (_exact.solve(A, b[:, None])[:, 0],),
    jvp=_solve_tangent,
    linear=1,
    vjp=_solve_cotangents,
    spelling={name: f"{module}.linalg.solve({{0}}, {{1}})" for name, module in
              {"numpy": "np", "torch": "torch", "jax": "jnp"}.items()},
    source="Giles (2008), 2.3.1",
)  # fmt: skip
PINV = Primitive(
    "pinv", ("m n",), ("n m",),
    value=lambda A: (np.linalg.pinv(A),),
    exact=lambda numbers, A: (_pinv_exact(A),),
    jvp=_pinv_tangent,
    under_transpose="transposed",
    vjp=_pinv_cotangent,
    facts=lambda A: (frozenset(A & KEPT),),
    spelling={name: f"{module}.linalg.pinv({{0}})" for name, module in
              {"numpy": "np", "torch": "torch", "jax": "jnp"}.items()},
    analytic=False,
    needs="full rank",
    source="Golub and Pereyra (1973), The differentiation of pseudo-inverses, eq. 4.12",
)  # fmt: skip


def _pinv_exact(A: Any) -> Any:
    """``(A'A)^-1 A'`` or ``A'(AA')^-1``: A must have full rank."""
    m, n = A.shape
    if m >= n:
        return _exact.solve(A.T.dot(A), A.T)
    return _exact.solve(A.dot(A.T), A).T
