"""Determinants and their logarithms."""

from typing import Any

import numpy as np

from .._primitive import Primitive
from ..elementwise.exponential import LOG
from . import _exact


def _slogdet(A: Any) -> tuple[Any, Any]:
    if A.dtype.kind != "c":
        return tuple(np.linalg.slogdet(A))
    unit, logarithm = np.linalg.slogdet(
        A
    )  # a complex determinant near the real axis: sign and log of its analytic square
    sign = np.where(unit.real < 0, -1.0, 1.0)
    return sign, logarithm + 1j * np.angle(unit * sign)


def _exact_slogdet(numbers: Any, A: Any) -> tuple[Any, Any]:
    det = _exact.determinant(A)
    sign = 1 if det > 0 else -1 if det < 0 else 0
    return sign, np.asarray(numbers.apply(LOG, np.array(abs(det), dtype=object)))[()]


def _trace_of_product(A: Any, B: Any) -> Any:
    return np.einsum("...ij,...ji->...", A, B)


DET = Primitive(
    "det", ("n n",), ("",),
    value=lambda A: (np.linalg.det(A),),
    exact=lambda numbers, A: (_exact.determinant(A),),
    jvp=lambda operands, results, tangents: (
        results[0] * _trace_of_product(np.linalg.inv(operands[0]), tangents[0]),
    ),
    under_transpose="same",
    vjp=lambda operands, results, cotangents: (
        (cotangents[0] * results[0])[..., None, None] * np.linalg.inv(operands[0]).mT,
    ),
    facts=lambda A: (frozenset({"positive"}) if "positive definite" in A else frozenset(),),
    spelling={name: f"{module}.linalg.det({{0}})" for name, module in
              {"numpy": "np", "torch": "torch", "jax": "jnp"}.items()},
    source="Jacobi's formula; Magnus and Neudecker (2019), 8.3",
)  # fmt: skip
SLOGDET = Primitive(
    "slogdet", ("n n",), ("", ""),
    value=_slogdet, labels=("sign", "logabsdet"),
    exact=_exact_slogdet,
    jvp=lambda operands, results, tangents: (
        None, _trace_of_product(np.linalg.inv(operands[0]), tangents[0]),
    ),
    under_transpose="same",
    vjp=lambda operands, results, cotangents: (
        None if cotangents[1] is None else cotangents[1][..., None, None] * np.linalg.inv(operands[0]).mT,
    ),
    facts=lambda A: (frozenset({"positive"}) if "positive definite" in A else frozenset(), frozenset()),
    spelling={name: f"{module}.linalg.slogdet({{0}})" for name, module in
              {"numpy": "np", "torch": "torch", "jax": "jnp"}.items()},
    source="Jacobi's formula; Giles (2008), 2.2.4",
)  # fmt: skip
