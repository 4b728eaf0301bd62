"""Functions that use every rule of the calculus, and random arguments for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.frontends.trace_numpy import trace_numpy
from derive.ir.evaluate import evaluate
from derive.ir.facts import spec

H = 1e-30
SIZES = {"n": 4, "m": 3, "k": 2}
Fn = Callable[..., Any]

RULES: list[tuple[Fn, dict[str, str]]] = [
    # one equation of each kind
    (lambda x, y: x * y + x / y - y, {"x": "n", "y": "n"}),
    (lambda x: np.exp(-x) * np.sin(x) ** 3, {"x": "n"}),
    (lambda x: x.sum(), {"x": "n m"}),
    (lambda x: (x * x[:, :1]).sum(axis=0), {"x": "n m"}),
    (lambda x: np.prod(x, axis=1), {"x": "n m"}),
    (lambda x: np.prod(x * x), {"x": "n"}),
    (lambda x: np.max(x, axis=0), {"x": "n m"}),
    (lambda x: np.min(x**2 - x), {"x": "n m"}),
    (lambda x, y: np.where(x.real > y.real, x**2, x * y), {"x": "n", "y": "n"}),
    # reads: several of one tensor, of part of it, through index expressions, gathers
    (lambda x: x[0] * x[1] + x[-1] ** 2, {"x": "n"}),
    (lambda x: x[1:] * x[:-1], {"x": "n"}),
    (lambda x: x[::-1] * x, {"x": "n"}),
    (lambda x: x[::2] ** 2, {"x": "n"}),
    (lambda x: x[:2] * 3 + x[1], {"x": "n"}),
    (lambda A: np.einsum("ii->i", A) ** 2, {"A": "n n"}),
    (lambda A: np.einsum("ii", A @ A), {"A": "n n"}),
    (lambda A: A + A.T * A[0], {"A": "n n"}),
    (lambda E, t: E[t] ** 2, {"E": "n m", "t": "k, integer < n"}),
    (lambda E, t: (E[t] * E[0]).sum(axis=1), {"E": "n m", "t": "k, integer < n"}),
    (lambda A, i, j: A[i, j] * A[j, i], {"A": "n n", "i": "m, integer < n", "j": "m, integer < n"}),
    (lambda x: np.tile(x, 2) * np.repeat(x, 2), {"x": "n"}),
    (lambda x: np.roll(x, 1) * x, {"x": "n"}),
    (lambda x: x.reshape(2, -1).sum(axis=0) ** 2, {"x": "n"}),
    (lambda x, y: np.concatenate([x * y[0], y]) ** 2, {"x": "n", "y": "m"}),
    (lambda x: np.cumsum(x) * x, {"x": "n"}),
    (lambda x: np.cumprod(x), {"x": "n"}),
    (lambda x: np.tril(x) @ x, {"x": "n n"}),
    # axes of extent 1, scalars, broadcasting
    (lambda x, t: x * t + t**2, {"x": "n", "t": ""}),
    (lambda x, y: x[:, None] * y + x[:, None], {"x": "n", "y": "m"}),
    (lambda A, b: A @ b, {"A": "1 m", "b": "m 1"}),
    (lambda A: A[:, :2] * A[0, 0], {"A": "1 m"}),
    (lambda x: x - x.mean(axis=0, keepdims=True), {"x": "n m"}),
    # several equations, shared intermediates, several outputs
    (lambda X, W, b: np.tanh(X @ W + b), {"X": "n m", "W": "m k", "b": "k"}),
    (lambda x: (np.exp(x) / np.exp(x).sum()) @ x, {"x": "n"}),
    (lambda x, y: (x * y, np.sum(x) * y, x), {"x": "n", "y": "n"}),
    (lambda x, y: (np.sin(x), np.sin(x) * np.sin(y).sum()), {"x": "n", "y": "n"}),
    (lambda x, y: x @ x, {"x": "n", "y": "n"}),
    (lambda x: np.ones(3) * len(x), {"x": "n"}),
    (lambda x, s: x * s + s, {"x": "n", "s": "n, integer < 5"}),
    (lambda x, c: np.where(c, x, x**2), {"x": "n", "c": "n, boolean"}),
]


class Case:
    """A traced function with random arguments, tangents and cotangents."""

    def __init__(self, fn: Fn, shapes: dict[str, str]) -> None:
        rng = np.random.default_rng(2)
        self.fn = fn
        self.program, _ = trace_numpy(fn, {name: spec(axes) for name, axes in shapes.items()})
        self.inputs = {name: self.draw(axes, rng) for name, axes in shapes.items()}
        self.wrt = tuple(t.name for t in self.program.inputs if t.kind == "real")
        self.tangents = {w: rng.standard_normal(np.shape(self.inputs[w])) for w in self.wrt}
        values = evaluate(self.program, self.inputs)
        self.cotangents = {
            t.name: rng.standard_normal(np.shape(values[t.name])) for t in self.program.outputs
        }

    @staticmethod
    def draw(axes: str, rng: np.random.Generator) -> Any:
        names, _, fact = axes.partition(",")
        shape = [SIZES.get(a) or int(a) for a in names.split()]
        if "integer" in fact:
            return rng.integers(SIZES.get(fact.split()[-1], 3), size=shape)
        return rng.random(shape) < 0.5 if "boolean" in fact else rng.uniform(0.3, 1.7, shape)

    def directional(self) -> list[Any]:
        """The derivative of every output along the tangents, by a complex step through the plain function."""
        moved = {
            n: a + 1j * H * self.tangents[n] if n in self.tangents else a for n, a in self.inputs.items()
        }
        found = self.fn(**moved)
        return [np.imag(f) / H for f in (found if isinstance(found, tuple) else (found,))]
