"""Tiny sizes: what counts is the time of a call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..case import Case, normal
from . import attention, elementwise, hessians, likelihoods, losses, norms, products

TINY = "tiny sizes (latency)"


REASON = (
    "The compiled code takes 0.5 to 2 us; the rest of a call, 2 to 3 us, is Python that looks the shapes up and makes the "
    "outputs, as long as NumPy takes for a few operations. Next: both in compiled code."
)


def tiny(case: Case, name: str, **sizes: int) -> Case:
    """The same case in small."""
    return replace(
        case, name=name, group=TINY, sizes={**case.sizes, **sizes}, bound="", flops=None, reasons=REASON
    )


DENSE = tiny(products.DENSE, "dense + tanh 4x8->8", batch=4, n=8, m=8)
LAYER_NORM = tiny(norms.LAYER_NORM_LARGE, "layer norm 4x16", batch=4, n=16)
CROSS_ENTROPY = tiny(losses.CROSS_ENTROPY, "softmax cross-entropy 8x5", batch=8, k=5)
ATTENTION = tiny(attention.SINGLE_HEAD, "attention 6x4", n=6, m=6, d=4, p=4)
GAUSSIAN = tiny(likelihoods.GAUSSIAN, "Gaussian NLL 16", n=16)
GELU = tiny(elementwise.GELU, "GELU 16", n=16)
HESSIAN = tiny(hessians.LOGISTIC_SMALL, "logistic Hessian 20x3", batch=20, n=3)


def quadratic_sympy(sp: Any) -> Any:
    n = 3
    x, A = sp.Matrix(sp.symbols(f"x:{n}")), sp.Matrix(n, n, sp.symbols(f"A:{n * n}"))
    value = (x.T * A * x)[0]
    run = sp.lambdify([*x, *A], [value, *(sp.diff(value, v) for v in x)], modules="math", cse=True)

    def call(x: Any, A: Any) -> Any:
        value, *gradient = run(*x, *A.ravel())
        return value, np.array(gradient)

    return call


QUADRATIC = Case(
    "quadratic form 3", TINY, lambda x, A: x @ A @ x, {"x": "n", "A": "n n"}, {"n": 3}, "value_and_grad", wrt=("x",),
    data={"x": normal(), "A": normal()},
    torch=lambda torch, x, A: x @ A @ x, jax=lambda jax, x, A: x @ A @ x,
    numpy=lambda x, A: (x @ A @ x, (A + A.T) @ x), sympy=quadratic_sympy, reasons=REASON,
)  # fmt: skip
