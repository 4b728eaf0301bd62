"""Recurrent networks: one cell, and backpropagation through 50 steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

import derive as dv
import layers

from ..case import Case, normal, weights

SEQUENCE = "attention, transformer block, recurrent"


def lstm_cell_of(sigmoid: Any, tanh: Any) -> Any:
    def lstm_cell(x: Any, h: Any, c: Any, *parameters: Any) -> Any:
        i, f, g, o = (x @ W + h @ U + b for W, U, b in (parameters[p : p + 3] for p in (0, 3, 6, 9)))
        new = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(new), new

    return lstm_cell


CELL_WEIGHTS = dict.fromkeys((a + g for a in "WU" for g in "ifgo"), weights)
LSTM_CELL = Case(
    "LSTM cell 64x256", SEQUENCE, layers.lstm_cell, layers.SHAPES["lstm_cell"], {"batch": 64, "n": 256, "m": 256}, "vjp",
    data={**CELL_WEIGHTS, "x": normal(), "h": normal(0.5), "c": normal()},
    torch=lambda torch, *xs: lstm_cell_of(torch.sigmoid, torch.tanh)(*xs),
    jax=lambda jax, *xs: lstm_cell_of(jax.nn.sigmoid, jax.numpy.tanh)(*xs),
    flops=lambda s: 6 * 4 * s["batch"] * s["m"] * (s["n"] + s["m"]),
)  # fmt: skip


# -- over time: x[t,b,m], weights as h W; the loss is the mean square of the last state


def rnn(x: Any, W: Any, U: Any, b: Any) -> Any:
    def step(h: Any, x_t: Any) -> Any:
        return np.tanh(h @ W + x_t @ U + b), None

    h, _ = dv.scan(step, np.zeros((x.shape[1], W.shape[0])), x)
    return np.sum(h**2)


def rnn_torch(torch: Any, x: Any, W: Any, U: Any, b: Any) -> Any:
    h = x.new_zeros(x.shape[1], W.shape[0])
    for z in x @ U + b:
        h = torch.tanh(h @ W + z)
    return (h**2).sum()


def rnn_jax(jax: Any, x: Any, W: Any, U: Any, b: Any) -> Any:
    h0 = jax.numpy.zeros((x.shape[1], W.shape[0]), x.dtype)
    h, _ = jax.lax.scan(lambda h, z: (jax.numpy.tanh(h @ W + z), None), h0, x @ U + b)
    return (h**2).sum()


def lstm(x: Any, W: Any, U: Any, b: Any) -> Any:
    """W, U and b hold input gate, forget gate, candidate and output gate."""

    def step(carry: Any, x_t: Any) -> Any:
        h, c = carry
        i = expit(x_t @ U[0] + h @ W[0] + b[0])
        f = expit(x_t @ U[1] + h @ W[1] + b[1])
        g = np.tanh(x_t @ U[2] + h @ W[2] + b[2])
        o = expit(x_t @ U[3] + h @ W[3] + b[3])
        c = f * c + i * g
        return (o * np.tanh(c), c), None

    zero = np.zeros((x.shape[1], W.shape[1]))
    (h, _), _ = dv.scan(step, (zero, zero), x)
    return np.sum(h**2)


def lstm_torch(torch: Any, x: Any, W: Any, U: Any, b: Any) -> Any:
    h = c = x.new_zeros(x.shape[1], W.shape[1])
    Z = x[:, None] @ U + b[:, None]
    for z in Z:
        i, f, g, o = z + h @ W
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    return (h**2).sum()


def lstm_jax(jax: Any, x: Any, W: Any, U: Any, b: Any) -> Any:
    sigmoid, tanh = jax.nn.sigmoid, jax.numpy.tanh
    zero = jax.numpy.zeros((x.shape[1], W.shape[1]), x.dtype)

    def step(carry: Any, z: Any) -> Any:
        h, c = carry
        i, f, g, o = z + h @ W
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return (sigmoid(o) * tanh(c), c), None

    (h, _), _ = jax.lax.scan(step, (zero, zero), x[:, None] @ U + b[:, None])
    return (h**2).sum()


def gru(x: Any, W: Any, U: Any, b: Any) -> Any:
    """W, U and b hold reset gate, update gate and candidate."""

    def step(h: Any, x_t: Any) -> Any:
        r = expit(x_t @ U[0] + h @ W[0] + b[0])
        z = expit(x_t @ U[1] + h @ W[1] + b[1])
        n = np.tanh(x_t @ U[2] + b[2] + r * (h @ W[2]))
        return (1 - z) * n + z * h, None

    h, _ = dv.scan(step, np.zeros((x.shape[1], W.shape[1])), x)
    return np.sum(h**2)


def gru_torch(torch: Any, x: Any, W: Any, U: Any, b: Any) -> Any:
    h = x.new_zeros(x.shape[1], W.shape[1])
    for a in x[:, None] @ U + b[:, None]:
        p = h @ W
        z = torch.sigmoid(a[1] + p[1])
        n = torch.tanh(a[2] + torch.sigmoid(a[0] + p[0]) * p[2])
        h = (1 - z) * n + z * h
    return (h**2).sum()


def gru_jax(jax: Any, x: Any, W: Any, U: Any, b: Any) -> Any:
    sigmoid, tanh = jax.nn.sigmoid, jax.numpy.tanh

    def step(h: Any, a: Any) -> Any:
        p = h @ W
        z = sigmoid(a[1] + p[1])
        n = tanh(a[2] + sigmoid(a[0] + p[0]) * p[2])
        return (1 - z) * n + z * h, None

    h0 = jax.numpy.zeros((x.shape[1], W.shape[1]), x.dtype)
    h, _ = jax.lax.scan(step, h0, x[:, None] @ U + b[:, None])
    return (h**2).sum()


SIZES = {"T": 50, "batch": 32, "m": 64, "n": 128}


def network(name: str, function: Any, gates: int, torch: Any, jax: Any) -> Case:
    front = f"{gates} " if gates > 1 else ""
    return Case(
        f"{name} 50 steps, 32x64->128", SEQUENCE, function,
        {"x": "T batch m", "W": f"{front}n n", "U": f"{front}m n", "b": f"{front}n"}, SIZES, "value_and_grad",
        wrt=("W", "U", "b"), data={"x": normal(), "W": weights, "U": weights, "b": normal(0.1)}, torch=torch, jax=jax,
        flops=lambda s: s["T"] * s["batch"] * gates * s["n"] * (6 * s["n"] + 4 * s["m"]),
    )  # fmt: skip


RNN = network("RNN", rnn, 1, rnn_torch, rnn_jax)
LSTM = network("LSTM", lstm, 4, lstm_torch, lstm_jax)
GRU = network("GRU", gru, 3, gru_torch, gru_jax)
