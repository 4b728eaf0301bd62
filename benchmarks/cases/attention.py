"""Attention and a transformer block: backward passes for a given cotangent."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf

import layers

from .. import by_hand
from ..case import Case, normal, ones, weights

SEQUENCE = "attention, transformer block, recurrent"
ATTENTION = layers.SHAPES


def attention_jax(jax: Any, Q: Any, K: Any, V: Any) -> Any:
    return jax.nn.softmax(Q @ K.swapaxes(-1, -2) / Q.shape[-1] ** 0.5) @ V


def causal_jax(jax: Any, Q: Any, K: Any, V: Any) -> Any:
    jnp, n = jax.numpy, Q.shape[-2]
    S = Q @ K.swapaxes(-1, -2) / Q.shape[-1] ** 0.5
    return jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((n, n), bool)), S, -jnp.inf)) @ V


def attention_torch(torch: Any, Q: Any, K: Any, V: Any) -> Any:
    return torch.nn.functional.scaled_dot_product_attention(Q, K, V)


def causal_torch(torch: Any, Q: Any, K: Any, V: Any) -> Any:
    return torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=True)


def attention_numpy(Q: Any, K: Any, V: Any, gO: Any) -> Any:
    scale = 1 / np.sqrt(Q.shape[-1])
    S = Q @ K.swapaxes(-1, -2) * scale
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    gP = gO @ V.swapaxes(-1, -2)
    gS = P * (gP - (gP * P).sum(axis=-1, keepdims=True)) * scale
    return gS @ K, gS.swapaxes(-1, -2) @ Q, P.swapaxes(-1, -2) @ gO


NORMAL = {"Q": normal(), "K": normal(), "V": normal()}
SINGLE_HEAD = Case(
    "attention 256x64", SEQUENCE, layers.attention, ATTENTION["attention"], {"n": 256, "m": 256, "d": 64, "p": 64}, "vjp",
    data=NORMAL, torch=lambda torch, Q, K, V: attention_torch(torch, Q[None], K[None], V[None])[0],
    jax=attention_jax, numpy=attention_numpy, numba=by_hand.attention, flops=lambda s: 10 * s["n"] * s["m"] * s["d"],
)  # fmt: skip
LONG = Case(
    "attention 2048x64", SEQUENCE, layers.attention, ATTENTION["attention"], {"n": 2048, "m": 2048, "d": 64, "p": 64}, "vjp",
    data=NORMAL, torch=lambda torch, Q, K, V: attention_torch(torch, Q[None], K[None], V[None])[0],
    jax=attention_jax, numpy=attention_numpy, numba=by_hand.attention, flops=lambda s: 10 * s["n"] * s["m"] * s["d"],
)  # fmt: skip
HEADS = {"batch": 4, "heads": 8, "n": 128, "m": 128, "d": 64, "p": 64}
MULTI_HEAD = Case(
    "multi-head attention 4x8x128x64", SEQUENCE, layers.multi_head_attention, ATTENTION["multi_head_attention"], HEADS,
    "vjp", data=NORMAL, torch=attention_torch, jax=attention_jax, numpy=attention_numpy,
    flops=lambda s: 10 * s["batch"] * s["heads"] * s["n"] * s["m"] * s["d"],
)  # fmt: skip
CAUSAL = Case(
    "causal multi-head attention 4x8x128x64", SEQUENCE, layers.multi_head_causal_attention,
    ATTENTION["multi_head_causal_attention"], HEADS, "vjp", data=NORMAL, torch=causal_torch, jax=causal_jax,
    flops=lambda s: 10 * s["batch"] * s["heads"] * s["n"] * s["n"] * s["d"],
)  # fmt: skip


def transformer_block(
    X: Any,
    g1: Any,
    b1: Any,
    Wq: Any,
    Wk: Any,
    Wv: Any,
    Wo: Any,
    g2: Any,
    b2: Any,
    W1: Any,
    c1: Any,
    W2: Any,
    c2: Any,
) -> Any:
    """Pre-norm, causal: X + attention(norm(X)), then that + MLP(norm(that)); the MLP with GELU."""
    N = layers.layer_norm(X, g1, b1)
    Q = np.einsum("tn,hnd->htd", N, Wq)
    K = np.einsum("tn,hnd->htd", N, Wk)
    V = np.einsum("tn,hnd->htd", N, Wv)
    O = layers.batched_causal_attention(Q, K, V)
    R = X + np.einsum("htd,hdn->tn", O, Wo)
    Z = layers.layer_norm(R, g2, b2) @ W1 + c1
    return R + (Z * (1 + erf(Z / np.sqrt(2))) / 2) @ W2 + c2


def transformer_torch(
    torch: Any, X: Any, g1: Any, b1: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any, *rest: Any
) -> Any:
    g2, b2, W1, c1, W2, c2 = rest
    nn, n = torch.nn.functional, X.shape[-1:]
    N = nn.layer_norm(X, n, g1, b1, layers.EPS)
    O = causal_torch(torch, (N @ Wq)[None], (N @ Wk)[None], (N @ Wv)[None])[0]
    R = X + (O @ Wo).sum(0)
    return R + nn.gelu(nn.layer_norm(R, n, g2, b2, layers.EPS) @ W1 + c1) @ W2 + c2


def transformer_jax(
    jax: Any, X: Any, g1: Any, b1: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any, *rest: Any
) -> Any:
    g2, b2, W1, c1, W2, c2 = rest
    einsum = jax.numpy.einsum

    def norm(A: Any, g: Any, b: Any) -> Any:
        return g * (A - A.mean(-1, keepdims=True)) / jax.numpy.sqrt(A.var(-1, keepdims=True) + layers.EPS) + b

    N = norm(X, g1, b1)
    O = causal_jax(jax, *(einsum("tn,hnd->htd", N, W) for W in (Wq, Wk, Wv)))
    R = X + einsum("htd,hdn->tn", O, Wo)
    return R + jax.nn.gelu(norm(R, g2, b2) @ W1 + c1, approximate=False) @ W2 + c2


NORM = {"g": "n", "b": "n"}
BLOCK_SHAPES = {
    "X": "t n", "g1": "n", "b1": "n", "Wq": "h n d", "Wk": "h n d", "Wv": "h n d", "Wo": "h d n", "g2": "n", "b2": "n",
    "W1": "n m", "c1": "m", "W2": "m n", "c2": "n",
}  # fmt: skip
BLOCK = Case(
    "transformer block 256x256, 4 heads", SEQUENCE, transformer_block, BLOCK_SHAPES,
    {"t": 256, "n": 256, "h": 4, "d": 64, "m": 1024}, "vjp", torch=transformer_torch, jax=transformer_jax,
    data={"X": normal(), "g1": ones, "g2": ones, **dict.fromkeys(("Wq", "Wk", "Wv", "Wo", "W1", "W2"), weights)},
    flops=lambda s: 6 * s["t"] * s["n"] * (4 * s["h"] * s["d"] + 2 * s["m"]) + 10 * s["h"] * s["t"] ** 2 * s["d"],
)  # fmt: skip
