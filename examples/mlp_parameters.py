"""Trains a network whose parameters are a dict of layers, with gradients in the same structure.

    python examples/mlp_parameters.py

The loss is plain NumPy over ``params["hidden"].W`` and so on; its gradient is derived, printed, checked, compiled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import derive as dv


class Layer(NamedTuple):
    """Weights (inputs, outputs) and biases (outputs)."""

    W: np.ndarray
    b: np.ndarray


def loss(params, X, y):
    """The mean negative log-likelihood of a network with tanh layers; the last one is linear."""
    H = X
    for name, layer in params.items():
        Z = H @ layer.W + layer.b
        H = np.tanh(Z) if name != "out" else Z
    Z = H - H.max(axis=1, keepdims=True)
    return -np.mean((Z - np.log(np.sum(np.exp(Z), axis=1, keepdims=True)))[np.arange(len(y)), y])


def initial(rng: np.random.Generator, sizes: dict[str, tuple[int, int]]) -> dict[str, Layer]:
    """Random weights of variance 1 / inputs, biases 0."""
    return {
        name: Layer(rng.normal(size=(n, m)) / np.sqrt(n), np.zeros(m)) for name, (n, m) in sizes.items()
    }


def spirals(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (count, 2) on three noisy spiral arms, and the arm that each is on."""
    y = rng.integers(3, size=count)
    t = rng.uniform(0.2, 1.0, count)
    angle = 4 * t + 2 * np.pi * y / 3
    X = 3 * t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return X + 0.05 * rng.normal(size=X.shape), y


def train(steps: int = 300, rate: float = 0.5, seed: int = 0) -> list[float]:
    """The loss after each step of gradient descent with momentum."""
    shapes = {"hidden": Layer("2 n", "n"), "middle": Layer("n m", "m"), "out": Layer("m k", "k")}
    f = dv.trace(loss, params=shapes, X="batch 2", y="batch, integer < k")
    gradient = dv.value_and_grad(f, "params")
    print(gradient)
    print(dv.check(gradient))
    run = gradient.compile()

    rng = np.random.default_rng(seed)
    X, y = spirals(rng, 600)
    params = initial(rng, {"hidden": (2, 32), "middle": (32, 32), "out": (32, 3)})
    speed = {name: Layer(0 * layer.W, 0 * layer.b) for name, layer in params.items()}
    losses = []
    for step in range(steps):
        value, g = run(params, X, y)
        losses.append(float(value))
        for name, layer in g.items():
            speed[name] = Layer(*(0.9 * v + d for v, d in zip(speed[name], layer, strict=True)))
            params[name] = Layer(*(w - rate / 5 * v for w, v in zip(params[name], speed[name], strict=True)))
        if step % 50 == 0:
            print(f"step {step:3}  loss {value:.4f}")
    print(f"last loss {losses[-1]:.4f}")
    return losses


if __name__ == "__main__":
    train()
