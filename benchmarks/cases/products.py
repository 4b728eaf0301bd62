"""Where matrix products dominate: dense layers, a training step, convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

import convolutions
import layers

from .. import by_hand
from ..case import Case, normal, weights

PRODUCTS = "matrix-product bound (dense, MLP step, conv)"


def dense_numpy(X: Any, W: Any, b: Any, gY: Any) -> Any:
    Y = np.tanh(X @ W + b)
    gZ = gY * (1 - Y * Y)
    return gZ @ W.T, X.T @ gZ, gZ.sum(axis=0)


def dense(batch: int, n: int, m: int) -> Case:
    return Case(
        f"dense + tanh {batch}x{n}->{m}", PRODUCTS, layers.dense_tanh, layers.SHAPES["dense_tanh"],
        {"batch": batch, "n": n, "m": m}, "vjp", data={"X": normal(), "W": weights, "b": normal(0.1)}, bound="product",
        torch=lambda torch, X, W, b: torch.tanh(X @ W + b), jax=lambda jax, X, W, b: jax.numpy.tanh(X @ W + b),
        numpy=dense_numpy, numba=by_hand.dense_tanh, flops=lambda s: 6 * s["batch"] * s["n"] * s["m"],
    )  # fmt: skip


DENSE = dense(64, 784, 256)
DENSE_LARGE = dense(1024, 1024, 1024)


def mlp(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, y: Any) -> Any:
    H1 = np.maximum(X @ W1 + b1, 0)
    H2 = np.maximum(H1 @ W2 + b2, 0)
    return layers.cross_entropy_labels(H2 @ W3 + b3, y)


def mlp_torch(torch: Any, X: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, y: Any) -> Any:
    H = torch.relu(torch.relu(X @ W1 + b1) @ W2 + b2)
    return torch.nn.functional.cross_entropy(H @ W3 + b3, y)


def mlp_jax(jax: Any, X: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, y: Any) -> Any:
    H = jax.nn.relu(jax.nn.relu(X @ W1 + b1) @ W2 + b2)
    return -jax.numpy.mean(jax.nn.log_softmax(H @ W3 + b3)[jax.numpy.arange(len(y)), y])


def mlp_numpy(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, y: Any) -> Any:
    H1 = np.maximum(X @ W1 + b1, 0)
    H2 = np.maximum(H1 @ W2 + b2, 0)
    Z = H2 @ W3 + b3
    C = Z - Z.max(axis=1, keepdims=True)
    E = np.exp(C)
    S = E.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    value = np.mean(np.log(S[:, 0]) - C[rows, y])
    gZ = E / S
    gZ[rows, y] -= 1
    gZ /= len(y)
    g2 = (gZ @ W3.T) * (H2 > 0)
    g1 = (g2 @ W2.T) * (H1 > 0)
    return value, X.T @ g1, g1.sum(axis=0), H1.T @ g2, g2.sum(axis=0), H2.T @ gZ, gZ.sum(axis=0)


MLP_SHAPES = {
    "X": "batch n", "W1": "n h1", "b1": "h1", "W2": "h1 h2", "b2": "h2", "W3": "h2 k", "b3": "k", "y": "batch, integer < k",
}  # fmt: skip
MLP_WEIGHTS = {
    "X": normal(),
    **dict.fromkeys(("W1", "W2", "W3"), weights),
    **dict.fromkeys(("b1", "b2", "b3"), normal(0.1)),
}
MLP = Case(
    "MLP step 128x784-256-256-10", PRODUCTS, mlp, MLP_SHAPES, {"batch": 128, "n": 784, "h1": 256, "h2": 256, "k": 10},
    "value_and_grad", wrt=("W1", "b1", "W2", "b2", "W3", "b3"), data=MLP_WEIGHTS, bound="product",
    torch=mlp_torch, jax=mlp_jax, numpy=mlp_numpy,
    flops=lambda s: s["batch"] * (4 * s["n"] * s["h1"] + 6 * s["h1"] * s["h2"] + 6 * s["h2"] * s["k"]),
)  # fmt: skip


def convolution_jax(jax: Any, X: Any, W: Any, b: Any) -> Any:
    return jax.lax.conv(X, W, (1, 1), "VALID") + b[:, None, None]


def convolution(batch: int, channels: int, out: int, side: int, width: int) -> Case:
    images = {name: axes for name, axes in convolutions.SHAPES["conv2d"].items()}
    order = images["X"].split()
    sizes = dict(zip(order, (batch, channels, side, side), strict=True)) | {"o": out, "p": width, "q": width}

    def flops(s: Any) -> float:
        places = (side - width + 1) ** 2
        return 6 * batch * channels * out * width * width * places

    return Case(
        f"conv {width}x{width}, {batch}x{channels}x{side}x{side}->{out}", PRODUCTS, convolutions.conv2d, images, sizes,
        "vjp", data={"X": normal(), "W": normal(0.1), "b": normal(0.1)}, bound="product",
        torch=lambda torch, X, W, b: torch.nn.functional.conv2d(X, W, b), jax=convolution_jax, flops=flops,
    )  # fmt: skip


CONV_3 = convolution(16, 16, 32, 32, 3)
CONV_5 = convolution(16, 8, 16, 32, 5)
