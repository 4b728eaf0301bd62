"""Random points of a declared domain for the oracle: arrays with facts, of all signs and magnitudes, at unequal sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from derive.ir.nodes import Tensor

Rng = np.random.Generator
KINDS = ("normal", "integer", "positive", "small", "normal", "wide")
"""How entries are drawn, in turn."""
INTEGERS = "integer"


def drawn(kind: str, shape: tuple[int, ...], rng: Rng) -> Any:
    match kind:
        case "integer":
            return rng.integers(-2, 3, shape).astype(float)
        case "positive":
            return rng.uniform(0.3, 2.5, shape)
        case "small":
            return rng.uniform(-0.6, 0.6, shape)
        case "wide":
            return rng.normal(size=shape) * 4.0
    return rng.normal(size=shape)


def turned(A: Any) -> Any:
    return np.swapaxes(A, -1, -2)


def array(tensor: Tensor, shape: tuple[int, ...], kind: str, rng: Rng, bound: int | None) -> Any:
    """One array of the kind and with the facts that are declared."""
    if tensor.kind == "integer":
        return rng.integers(0, 4 if bound is None else bound, shape)
    if tensor.kind == "boolean":
        return rng.integers(0, 2, shape) * 1
    facts, x = tensor.facts, np.asarray(drawn(kind, shape, rng), dtype=float)
    n = shape[-1] if shape else 1
    if "one-hot" in facts:
        return np.eye(n)[rng.integers(0, n, shape[:-1])]
    if "simplex" in facts:
        return rng.dirichlet(np.ones(n), shape[:-1])
    if "binary" in facts:
        return rng.integers(0, 2, shape).astype(float)
    if "orthogonal" in facts:
        Q, R = np.linalg.qr(rng.normal(size=shape))
        return Q * np.sign(np.diagonal(R, axis1=-2, axis2=-1))[..., None, :]
    if "positive definite" in facts:
        x = x @ turned(x) / n + np.eye(n) * rng.uniform(0.3, 1.5)
        return x * np.eye(n) if "diagonal" in facts else x
    if "positive semidefinite" in facts:
        x = x[..., : max(1, n - 1)] @ turned(x[..., : max(1, n - 1)])
        return x * np.eye(n) if "diagonal" in facts else x
    if "nonnegative" in facts:
        x = np.abs(x)
    if "positive" in facts:
        x = np.abs(x) + 0.1
    if "diagonal" in facts:
        x = x * np.eye(n)
    elif "symmetric" in facts:
        x = (x + turned(x)) / 2
    if "lower triangular" in facts:
        x = np.tril(x)
    if "upper triangular" in facts:
        x = np.triu(x)
    return x


def points(
    inputs: Sequence[Tensor], rng: Rng, count: int, smooth: bool
) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """Points with the sizes of the axes: unequal ones first, with 1 and 2 among them, then any from 1 to 5.

    smooth: no whole numbers, among which functions have kinks.
    """
    symbols = sorted(
        {s for t in inputs for e in (*t.shape, t.bound or sympy.S.One) for s in e.free_symbols}, key=str
    )
    for number in range(count):
        order = rng.permutation([1, 2, 3, 4, 5] if number % 3 else [2, 3, 4, 5, 3])
        sizes = {str(s): int(order[p % 5]) for p, s in enumerate(symbols)}
        if any(e.xreplace({s: sympy.Integer(sizes[str(s)]) for s in symbols}) < 0 for t in inputs for e in t.shape):
            continue
        kind = KINDS[number % len(KINDS)]
        if smooth and kind == INTEGERS:
            kind = "normal"
        yield at_sizes(inputs, sizes, rng, kind), sizes


def at_sizes(
    inputs: Sequence[Tensor], sizes: Mapping[str, int], rng: Rng, kind: str = "normal"
) -> dict[str, Any]:
    """A point with these sizes."""
    point = {}
    for t in inputs:
        at = {
            s: sympy.Integer(sizes[str(s)])
            for e in (*t.shape, t.bound or sympy.S.One)
            for s in e.free_symbols
        }
        shape = tuple(int(e.xreplace(at)) for e in t.shape)
        bound = None if t.bound is None else int(t.bound.xreplace(at))
        point[t.name] = array(t, shape, kind, rng, bound)[()]
    return point
