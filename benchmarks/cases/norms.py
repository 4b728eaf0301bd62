"""Normalisations: their backward pass for a given cotangent."""

from __future__ import annotations

from typing import Any

import numpy as np

import layers

from .. import by_hand
from ..case import Case, normal, ones

FUSED = "elementwise, norms, losses, NLLs"
EPS = layers.EPS


def layer_norm_torch(torch: Any, X: Any, gamma: Any, beta: Any) -> Any:
    return torch.nn.functional.layer_norm(X, X.shape[-1:], gamma, beta, EPS)


def layer_norm_jax(jax: Any, X: Any, gamma: Any, beta: Any) -> Any:
    mu, var = X.mean(-1, keepdims=True), X.var(-1, keepdims=True)
    return gamma * (X - mu) / jax.numpy.sqrt(var + EPS) + beta


def layer_norm_numpy(X: Any, gamma: Any, beta: Any, gY: Any) -> Any:
    mu, var = X.mean(axis=-1, keepdims=True), X.var(axis=-1, keepdims=True)
    s = np.sqrt(var + EPS)
    H = (X - mu) / s
    gH = gY * gamma
    gX = (gH - gH.mean(axis=-1, keepdims=True) - H * (gH * H).mean(axis=-1, keepdims=True)) / s
    return gX, (gY * H).sum(axis=0), gY.sum(axis=0)


def rms_norm_torch(torch: Any, X: Any, gamma: Any) -> Any:
    return torch.nn.functional.rms_norm(X, X.shape[-1:], gamma, EPS)


def rms_norm_jax(jax: Any, X: Any, gamma: Any) -> Any:
    return gamma * X * jax.lax.rsqrt((X**2).mean(-1, keepdims=True) + EPS)


def rms_norm_numpy(X: Any, gamma: Any, gY: Any) -> Any:
    s = np.sqrt((X**2).mean(axis=-1, keepdims=True) + EPS)
    H = X / s
    gH = gY * gamma
    return (gH - H * (gH * H).mean(axis=-1, keepdims=True)) / s, (gY * H).sum(axis=0)


def batch_norm_torch(torch: Any, X: Any, gamma: Any, beta: Any) -> Any:
    return torch.nn.functional.batch_norm(X, None, None, gamma, beta, training=True, eps=EPS)


def batch_norm_jax(jax: Any, X: Any, gamma: Any, beta: Any) -> Any:
    mu, var = X.mean(0), X.var(0)
    return gamma * (X - mu) / jax.numpy.sqrt(var + EPS) + beta


def batch_norm_numpy(X: Any, gamma: Any, beta: Any, gY: Any) -> Any:
    mu, var = X.mean(axis=0), X.var(axis=0)
    s = np.sqrt(var + EPS)
    H = (X - mu) / s
    ggamma, gbeta = (gY * H).sum(axis=0), gY.sum(axis=0)
    return gamma / s * (gY - gbeta / len(X) - H * ggamma / len(X)), ggamma, gbeta


def norm(name: str, function: str, rows: int, columns: int, **peers: Any) -> Case:
    return Case(
        f"{name} {rows}x{columns}", FUSED, getattr(layers, function), layers.SHAPES[function],
        {"batch": rows, "n": columns}, "vjp", bound="memory", data={"X": normal(1.5, 0.3), "gamma": ones}, **peers,
    )  # fmt: skip


LAYER_NORM = {"torch": layer_norm_torch, "jax": layer_norm_jax, "numpy": layer_norm_numpy,
              "numba": by_hand.layer_norm}  # fmt: skip
RMS_NORM = {"torch": rms_norm_torch, "jax": rms_norm_jax, "numpy": rms_norm_numpy, "numba": by_hand.rms_norm}
BATCH_NORM = {"torch": batch_norm_torch, "jax": batch_norm_jax, "numpy": batch_norm_numpy}

LAYER_NORM_LARGE = norm("layer norm", "layer_norm", 4096, 768, **LAYER_NORM)
LAYER_NORM_CACHED = norm("layer norm", "layer_norm", 256, 768, **LAYER_NORM)
RMS_NORM_LARGE = norm("RMS norm", "rms_norm", 4096, 768, **RMS_NORM)
RMS_NORM_CACHED = norm("RMS norm", "rms_norm", 256, 768, **RMS_NORM)
BATCH_NORM_LARGE = norm("batch norm", "batch_norm", 2048, 256, **BATCH_NORM)
