"""Second derivatives: Hessians, products with them, and what is made of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import derive as dv
import layers

from .. import by_hand
from ..case import Case, normal, weights

SECOND = "Hessians and hvp"


def binary(rng: Any, shape: tuple[int, ...]) -> Any:
    return rng.integers(0, 2, shape).astype(float)


LOGISTIC = {"w": "n", "X": "batch n", "y": "batch"}
LOGISTIC_DATA = {"w": normal(0.3), "X": normal(), "y": binary}


def logistic_torch(torch: Any, w: Any, X: Any, y: Any) -> Any:
    z = X @ w
    return (torch.logaddexp(torch.zeros_like(z), z) - y * z).sum()


def logistic_jax(jax: Any, w: Any, X: Any, y: Any) -> Any:
    z = X @ w
    return (jax.numpy.logaddexp(0, z) - y * z).sum()


def logistic_hessian_numpy(w: Any, X: Any, y: Any) -> Any:
    p = 1 / (1 + np.exp(-(X @ w)))
    return (X.T @ (X * (p * (1 - p))[:, None]),)


def logistic_hvp_numpy(w: Any, X: Any, y: Any, dw: Any) -> Any:
    p = 1 / (1 + np.exp(-(X @ w)))
    return (X.T @ (p * (1 - p) * (X @ dw)),)


def logistic_hessian(rows: int, columns: int) -> Case:
    return Case(
        f"logistic Hessian {rows}x{columns}", SECOND, layers.logistic_loss, LOGISTIC, {"batch": rows, "n": columns},
        "hessian", wrt=("w",), data=LOGISTIC_DATA, torch=logistic_torch, jax=logistic_jax, numpy=logistic_hessian_numpy,
        numba=by_hand.logistic_hessian,
    )  # fmt: skip


LOGISTIC_SMALL = logistic_hessian(1000, 10)
LOGISTIC_LARGE = logistic_hessian(5000, 200)
LOGISTIC_HVP = Case(
    "logistic hvp 5000x200", SECOND, layers.logistic_loss, LOGISTIC, {"batch": 5000, "n": 200}, "hvp", wrt=("w",),
    data=LOGISTIC_DATA, torch=logistic_torch, jax=logistic_jax, numpy=logistic_hvp_numpy,
    numba=by_hand.logistic_hvp, bound="memory",
)  # fmt: skip


def softmax_regression(W: Any, X: Any, y: Any) -> Any:
    return layers.cross_entropy_labels(X @ W, y)


def softmax_hessian_numpy(W: Any, X: Any, y: Any) -> Any:
    Z = X @ W
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    D = P[:, :, None] * (np.eye(P.shape[1]) - P[:, None, :])
    return (np.einsum("bi,bkl,bj->ikjl", X, D, X, optimize=True) / len(X),)


SOFTMAX_REGRESSION = Case(
    "softmax regression Hessian 500x20, 5 classes", SECOND, softmax_regression,
    {"W": "n k", "X": "batch n", "y": "batch, integer < k"}, {"batch": 500, "n": 20, "k": 5}, "hessian", wrt=("W",),
    data={"W": normal(0.3), "X": normal()},
    torch=lambda torch, W, X, y: torch.nn.functional.cross_entropy(X @ W, y),
    jax=lambda jax, W, X, y: -jax.numpy.mean(jax.nn.log_softmax(X @ W)[jax.numpy.arange(len(y)), y]),
    numpy=softmax_hessian_numpy,
)  # fmt: skip


def factorisation(U: Any, V: Any, T: Any) -> Any:
    return np.sum((T - U @ V.T) ** 2)


def factorisation_hessian_numpy(U: Any, V: Any, T: Any) -> Any:
    return (2 * np.eye(len(U))[:, None, :, None] * (V.T @ V)[None, :, None, :],)


FACTORISATION = Case(
    "matrix factorisation Hessian 60x40, rank 5", SECOND, factorisation, {"U": "n r", "V": "m r", "T": "n m"},
    {"n": 60, "m": 40, "r": 5}, "hessian", wrt=("U",), data={"U": normal(), "V": normal(), "T": normal()},
    torch=lambda torch, U, V, T: ((T - U @ V.T) ** 2).sum(), jax=lambda jax, U, V, T: ((T - U @ V.T) ** 2).sum(),
    numpy=factorisation_hessian_numpy, numba=by_hand.factorisation_hessian,
)  # fmt: skip


def small_net(W1: Any, b1: Any, w2: Any, X: Any, y: Any) -> Any:
    return np.mean((np.tanh(X @ W1 + b1) @ w2 - y) ** 2)


SMALL_NET = Case(
    "Hessian of a net 5-8-1, 200 examples", SECOND, small_net,
    {"W1": "n h", "b1": "h", "w2": "h", "X": "batch n", "y": "batch"}, {"n": 5, "h": 8, "batch": 200}, "hessian",
    wrt=("W1", "b1", "w2"), data={"X": normal(), "W1": weights, "b1": normal(0.1), "w2": normal(0.3), "y": normal()},
    torch=lambda torch, W1, b1, w2, X, y: ((torch.tanh(X @ W1 + b1) @ w2 - y) ** 2).mean(),
    jax=lambda jax, W1, b1, w2, X, y: ((jax.numpy.tanh(X @ W1 + b1) @ w2 - y) ** 2).mean(),
)  # fmt: skip


def tanh_net(X: Any, W1: Any, b1: Any, W2: Any, b2: Any, y: Any) -> Any:
    return layers.cross_entropy_labels(np.tanh(X @ W1 + b1) @ W2 + b2, y)


def tanh_net_torch(torch: Any, X: Any, W1: Any, b1: Any, W2: Any, b2: Any, y: Any) -> Any:
    return torch.nn.functional.cross_entropy(torch.tanh(X @ W1 + b1) @ W2 + b2, y)


def tanh_net_jax(jax: Any, X: Any, W1: Any, b1: Any, W2: Any, b2: Any, y: Any) -> Any:
    Z = jax.numpy.tanh(X @ W1 + b1) @ W2 + b2
    return -jax.numpy.mean(jax.nn.log_softmax(Z)[jax.numpy.arange(len(y)), y])


MLP_HVP = Case(
    "hvp of an MLP 128x100-64-10", SECOND, tanh_net,
    {"X": "batch n", "W1": "n h", "b1": "h", "W2": "h k", "b2": "k", "y": "batch, integer < k"},
    {"batch": 128, "n": 100, "h": 64, "k": 10}, "hvp", wrt=("W1", "b1", "W2", "b2"),
    data={"X": normal(), "W1": weights, "b1": normal(0.1), "W2": weights, "b2": normal(0.1)},
    torch=tanh_net_torch, jax=tanh_net_jax,
)  # fmt: skip


def penalised(w: Any, X: Any, y: Any) -> Any:
    return layers.logistic_loss(w, X, y) + 0.5 * w @ w


@cache
def curvature() -> Any:
    """The Hessian of the penalised loss."""
    return dv.hessian(dv.trace(penalised, **LOGISTIC), "w")


def laplace(w: Any, X: Any, y: Any) -> Any:
    """Laplace approximation at w of the log evidence of logistic regression under a standard normal prior."""
    return -penalised(w, X, y) - 0.5 * np.linalg.slogdet(curvature()(w, X, y))[1]


def laplace_torch(torch: Any, w: Any, X: Any, y: Any) -> Any:
    def loss(w: Any) -> Any:
        return logistic_torch(torch, w, X, y) + 0.5 * w @ w

    return -loss(w) - 0.5 * torch.linalg.slogdet(torch.func.hessian(loss)(w))[1]


def laplace_jax(jax: Any, w: Any, X: Any, y: Any) -> Any:
    def loss(w: Any) -> Any:
        return logistic_jax(jax, w, X, y) + 0.5 * w @ w

    return -loss(w) - 0.5 * jax.numpy.linalg.slogdet(jax.hessian(loss)(w))[1]


LAPLACE = Case(
    "Laplace approximation, logistic 2000x20", SECOND, laplace, LOGISTIC, {"batch": 2000, "n": 20}, "value",
    data=LOGISTIC_DATA, torch=laplace_torch, jax=laplace_jax,
)  # fmt: skip
