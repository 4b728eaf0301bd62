"""Functions of a matrix: powers, the exponential, the square root."""

from typing import Any

import numpy as np
import scipy

from ...errors import DomainError
from ...ir.nodes import indices_of, substitute
from .._primitive import Primitive, arange, multiple_of_unit
from . import _exact
from .factorisations import SPELLED, symmetrised

KEPT = {"symmetric", "diagonal", "lower triangular", "upper triangular", "positive definite"}

# -- powers


def _power(X: Any, k: Any) -> Any:
    """``X^k`` for each k of an array that broadcasts with the stack; by squaring, so that k steps cost log k products."""
    k = np.asarray(k)
    if np.any(k < 0):
        raise DomainError(
            f"a power of a matrix needs an exponent of at least 0; found {int(k.min())}; try: np.linalg.inv"
        )
    result = np.broadcast_to(
        np.eye(X.shape[-1], dtype=X.dtype), (*np.broadcast_shapes(X.shape[:-2], k.shape), *X.shape[-2:])
    )
    square, left = X, k.astype(np.int64)
    while np.any(left > 0):
        result = np.where((left % 2 == 1)[..., None, None], result @ square, result)
        left, square = left // 2, square @ square
    return result


def _exact_power(numbers: Any, X: Any, k: Any) -> Any:
    result = _exact.identity(len(X), X)
    for _ in range(int(k)):
        result = result.dot(X)
    return result


def powers(X: Any, k: Any) -> Any:
    """``X^k`` in traced code, for an exponent or an array of them."""
    return X.owner.primitive("power", (X,), (k,))[0]


def _around(X: Any, k: Any, E: Any) -> Any:
    """``sum_r [r < k] X^r E X^(k-1-r)``, where k may vary over the stack."""
    if (c := multiple_of_unit(E)) is not None:
        return (k * c)[..., None, None] * powers(X, k - 1)
    most = _largest(k)
    r = arange(X, most)
    if k.rank:
        left = k[..., None] - 1 - r
        inner = powers(X[..., None, :, :], np.where(left >= 0, r, 0)) @ E[..., None, :, :]
        terms = inner @ powers(X[..., None, :, :], np.where(left >= 0, left, 0))
        return np.where((left >= 0)[..., None, None], terms, 0.0).sum(-3)
    stack = X[..., None, :, :]
    return (powers(stack, r) @ E[..., None, :, :] @ powers(stack, k - 1 - r)).sum(-3)


def _largest(k: Any) -> Any:
    """An upper bound of exponents that are linear in the indices of the stack."""
    ends = {i: i.extent - 1 if k.entry.coeff(i).is_positive else 0 for i in indices_of(k.entry)}
    return k.owner.view((), substitute(k.entry, ends), k.dtype)


POWER = Primitive(
    "power", ("n n",), ("n n",),
    value=lambda X, k: (_power(X, k),),
    exact=lambda numbers, X, k: (_exact_power(numbers, X, k),),
    jvp=lambda operands, results, tangents, k: (_around(operands[0], k, tangents[0]),),
    under_transpose="transposed",
    vjp=lambda operands, results, cotangents, k: (_around(operands[0].mT, k, cotangents[0]),),
    facts=lambda A: (frozenset(A & KEPT),),
    spelling={
        **{name: f"{module}.linalg.matrix_power({{0}}, {{1}})" for name, module in SPELLED.items()},
        **{f"{name}.each": "_powers({0}, {1})" for name in SPELLED},
    },
    needs="",
    source="the product rule; Magnus and Neudecker (2019), 9.14",
)  # fmt: skip


# -- the exponential


def _beside(X: Any, E: Any) -> Any:
    """The block above the diagonal of ``exp [[X, E], [0, X]]``: the derivative of exp at X along E."""
    if (c := multiple_of_unit(E)) is not None:
        return c[..., None, None] * X.owner.primitive("expm", (X,))[0]
    n = X.shape[-1]
    upper = np.concatenate([X, E], axis=-1)
    lower = np.concatenate([np.zeros_like(X), X], axis=-1)
    both = X.owner.primitive("expm", (np.concatenate([upper, lower], axis=-2),))[0]
    return both[..., :n, n:]


def _expm_facts(A: frozenset[str]) -> frozenset[str]:
    """Triangles stay; it is always invertible, and positive definite where the argument is symmetric."""
    kept = A & (KEPT - {"positive definite"})
    return kept | {"invertible"} | ({"positive definite"} if "symmetric" in A else set())


EXPM = Primitive(
    "expm", ("n n",), ("n n",),
    value=lambda A: (scipy.linalg.expm(A),),
    exact=lambda numbers, A: (_exact.expm(A),),
    jvp=lambda operands, results, tangents: (_beside(operands[0], tangents[0]),),
    under_transpose="transposed",
    vjp=lambda operands, results, cotangents: (_beside(operands[0].mT, cotangents[0]),),
    facts=lambda A: (_expm_facts(A),),
    spelling={
        "numpy": "scipy.linalg.expm({0})",
        "torch": "torch.linalg.matrix_exp({0})",
        "jax": "jax.scipy.linalg.expm({0})",
    },
    needs="",
    source="Mathias (1996), A chain rule for matrix functions; Higham (2008), Functions of Matrices, 3.2",
)  # fmt: skip


# -- the square root of a positive definite matrix


def _sqrtm(A: Any) -> Any:
    w, V = np.linalg.eigh((A + A.swapaxes(-1, -2)) / 2)
    if np.any(w <= 0):
        raise DomainError(
            f"a matrix of shape {A.shape[-2:]} is not positive definite: its least eigenvalue is {w.min():.3g}"
        )
    return (V * np.sqrt(w)[..., None, :]) @ V.swapaxes(-1, -2)


def _exact_sqrtm(numbers: Any, A: Any) -> Any:
    w, V = _exact.eigh(numbers, (A + A.T) / 2)
    return (V * numbers.power(w, 0.5)).dot(V.T)


def _sqrtm_derivative(operands: Any, E: Any) -> Any:
    """The solution of ``Y X + X Y = E`` in the basis of eigenvectors."""
    w, V = np.linalg.eigh(operands[0])
    root = np.sqrt(w)
    inner = V.mT @ symmetrised(E) @ V / (root[..., :, None] + root[..., None, :])
    return V @ inner @ V.mT


SQRTM = Primitive(
    "sqrtm", ("n n",), ("n n",),
    value=lambda A: (_sqrtm(A),),
    exact=lambda numbers, A: (_exact_sqrtm(numbers, A),),
    jvp=lambda operands, results, tangents: (_sqrtm_derivative(operands, tangents[0]),),
    under_transpose="same",
    vjp=lambda operands, results, cotangents: (_sqrtm_derivative(operands, cotangents[0]),),
    facts=lambda A: (frozenset({"symmetric", "positive definite", "invertible"}),),
    spelling=dict.fromkeys(SPELLED, "_sqrtm({0})"),
    analytic=False,
    needs="positive definite",
    source="Higham (2008), Functions of Matrices, 6.1: the derivative solves a Sylvester equation",
)  # fmt: skip
