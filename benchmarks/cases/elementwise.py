"""Activations: their backward pass for a given cotangent, from the L2 cache to beyond the L3."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf, expit

from .. import by_hand
from ..case import Case, normal

FUSED = "elementwise, norms, losses, NLLs"


def gelu(x: Any) -> Any:
    return x * (1 + erf(x / np.sqrt(2))) / 2


def gelu_numpy(x: Any, gY: Any) -> Any:
    return (gY * ((1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)),)


def gelu_sympy(sp: Any) -> Any:
    x, g = sp.symbols("x g", real=True)
    return sp.lambdify(
        [x, g], [g * sp.diff(x * (1 + sp.erf(x / sp.sqrt(2))) / 2, x)], modules=["scipy", "numpy"], cse=True
    )


def swish_gate(a: Any, b: Any) -> Any:
    """The gate of SwiGLU: silu(a) b."""
    return a * expit(a) * b


def swish_gate_numpy(a: Any, b: Any, gY: Any) -> Any:
    s = expit(a)
    return gY * b * s * (1 + a * (1 - s)), gY * a * s


def softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def elementwise_gelu(name: str, size: int) -> Case:
    return Case(
        f"GELU {name}", FUSED, gelu, {"x": "n"}, {"n": size}, "vjp", bound="memory", data={"x": normal()},
        torch=lambda torch, x: torch.nn.functional.gelu(x),
        jax=lambda jax, x: jax.nn.gelu(x, approximate=False),
        numpy=gelu_numpy, sympy=gelu_sympy,
    )  # fmt: skip


GELU_L2 = elementwise_gelu("1e4", 10_000)
GELU = elementwise_gelu("1e6", 1_000_000)
GELU_DRAM = elementwise_gelu("6e6", 6_000_000)
SWIGLU = Case(
    "SwiGLU 1e6", FUSED, swish_gate, {"a": "n", "b": "n"}, {"n": 1_000_000}, "vjp", bound="memory",
    data={"a": normal(), "b": normal()},
    torch=lambda torch, a, b: torch.nn.functional.silu(a) * b,
    jax=lambda jax, a, b: jax.nn.silu(a) * b,
    numpy=swish_gate_numpy, numba=by_hand.swish_gate,
)  # fmt: skip
SOFTPLUS = Case(
    "softplus 1e6", FUSED, softplus, {"x": "n"}, {"n": 1_000_000}, "vjp", bound="memory", data={"x": normal(2.0)},
    torch=lambda torch, x: torch.nn.functional.softplus(x, threshold=1e9),
    jax=lambda jax, x: jax.nn.softplus(x),
    numpy=lambda x, gY: (gY * expit(x),),
)  # fmt: skip
PER_SAMPLE = Case(
    "per-sample gradients, dense 256x128x64", FUSED,
    lambda x, W, b, t: np.sum((np.tanh(x @ W + b) - t) ** 2),
    {"x": "n", "W": "n m", "b": "m", "t": "m"}, {"examples": 256, "n": 128, "m": 64}, "grad",
    wrt=("W", "b"), batched=("x", "t"), bound="memory", data={"W": normal(0.1)},
    torch=lambda torch, x, W, b, t: ((torch.tanh(x @ W + b) - t) ** 2).sum(),
    jax=lambda jax, x, W, b, t: ((jax.numpy.tanh(x @ W + b) - t) ** 2).sum(),
    numpy=lambda x, W, b, t: per_sample_numpy(x, W, b, t),
)  # fmt: skip


def per_sample_numpy(x: Any, W: Any, b: Any, t: Any) -> Any:
    Y = np.tanh(x @ W + b)
    gZ = 2 * (Y - t) * (1 - Y * Y)
    return x[:, :, None] * gZ[:, None, :], gZ
