"""Losses of networks: value and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

import layers

from .. import by_hand
from ..case import Case, normal

FUSED = "elementwise, norms, losses, NLLs"


def cross_entropy_numpy(Z: Any, y: Any) -> Any:
    rows = np.arange(len(y))
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    S = E.sum(axis=1, keepdims=True)
    value = np.mean(np.log(S[:, 0]) + Z.max(axis=1) - Z[rows, y])
    E /= S
    E[rows, y] -= 1
    E /= len(y)
    return value, E


def cross_entropy_jax(jax: Any, Z: Any, y: Any) -> Any:
    return -jax.numpy.mean(jax.nn.log_softmax(Z)[jax.numpy.arange(len(y)), y])


def cross_entropy(rows: int, classes: int) -> Case:
    return Case(
        f"softmax cross-entropy {rows}x{classes}", FUSED, layers.cross_entropy_labels,
        layers.SHAPES["cross_entropy_labels"], {"batch": rows, "k": classes}, "value_and_grad", bound="memory",
        data={"Z": normal(2.0)},
        torch=lambda torch, Z, y: torch.nn.functional.cross_entropy(Z, y),
        jax=cross_entropy_jax, numpy=cross_entropy_numpy, numba=by_hand.cross_entropy,
    )  # fmt: skip


CROSS_ENTROPY = cross_entropy(1024, 1000)
CROSS_ENTROPY_FEW = cross_entropy(4096, 10)


def soft_cross_entropy(Z: Any, P: Any) -> Any:
    """Against distributions, as in distillation."""
    return -np.mean(np.sum(P * layers.log_softmax(Z), axis=-1))


DISTILLATION = Case(
    "cross-entropy, soft targets 1024x1000", FUSED, soft_cross_entropy, {"Z": "n k", "P": "n k, simplex"},
    {"n": 1024, "k": 1000}, "value_and_grad", wrt=("Z",), bound="memory", data={"Z": normal(2.0)},
    torch=lambda torch, Z, P: torch.nn.functional.cross_entropy(Z, P),
    jax=lambda jax, Z, P: -(P * jax.nn.log_softmax(Z)).sum(-1).mean(),
)  # fmt: skip


def cosine_loss(X: Any, Y: Any) -> Any:
    """The mean over rows of 1 - cos(x, y)."""
    return np.mean(1 - np.sum(X * Y, axis=1) / (np.linalg.norm(X, axis=1) * np.linalg.norm(Y, axis=1)))


def cosine_jax(jax: Any, X: Any, Y: Any) -> Any:
    jnp = jax.numpy
    return jnp.mean(1 - (X * Y).sum(1) / (jnp.linalg.norm(X, axis=1) * jnp.linalg.norm(Y, axis=1)))


def cosine_numpy(X: Any, Y: Any) -> Any:
    xx, yy, xy = (np.sum(A * B, axis=1, keepdims=True) for A, B in ((X, X), (Y, Y), (X, Y)))
    c = xy / np.sqrt(xx * yy)
    s = 1 / np.sqrt(xx * yy)
    return 1 - c.mean(), (X * (c / xx) - Y * s) / len(X), (Y * (c / yy) - X * s) / len(X)


COSINE = Case(
    "cosine loss 4096x256", FUSED, cosine_loss, {"X": "n d", "Y": "n d"}, {"n": 4096, "d": 256}, "value_and_grad",
    bound="memory", data={"X": normal(), "Y": normal()},
    torch=lambda torch, X, Y: (1 - torch.nn.functional.cosine_similarity(X, Y, dim=1)).mean(),
    jax=cosine_jax, numpy=cosine_numpy,
)  # fmt: skip


def info_nce(X: Any, Y: Any, tau: Any) -> Any:
    """Row i of X belongs to row i of Y; all others are negatives (van den Oord et al. 2018)."""
    U = X / np.linalg.norm(X, axis=1, keepdims=True)
    V = Y / np.linalg.norm(Y, axis=1, keepdims=True)
    S = U @ V.T / tau
    return -np.mean(np.diagonal(layers.log_softmax(S)))


def info_nce_torch(torch: Any, X: Any, Y: Any, tau: Any) -> Any:
    nn = torch.nn.functional
    S = nn.normalize(X, dim=1) @ nn.normalize(Y, dim=1).T / tau
    return nn.cross_entropy(S, torch.arange(len(X)))


def info_nce_jax(jax: Any, X: Any, Y: Any, tau: Any) -> Any:
    norm = jax.numpy.linalg.norm
    S = (X / norm(X, axis=1, keepdims=True)) @ (Y / norm(Y, axis=1, keepdims=True)).T / tau
    return -jax.numpy.diagonal(jax.nn.log_softmax(S)).mean()


INFO_NCE = Case(
    "InfoNCE 512x128", FUSED, info_nce, {"X": "n d", "Y": "n d", "tau": ""}, {"n": 512, "d": 128}, "value_and_grad",
    wrt=("X", "Y"), data={"X": normal(), "Y": normal(), "tau": lambda rng, shape: np.array(0.1)},
    torch=info_nce_torch, jax=info_nce_jax,
)  # fmt: skip
