"""Time to derive: every layer of examples/layers.py, and an MLP against its depth with the fitted exponent."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import derive as dv

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import layers


def best_of(call: Callable[[], Any], rounds: int = 5) -> float:
    """The median of a few runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)


def layer_times() -> dict[str, float]:
    """Seconds to trace a layer and derive its backward pass with respect to every real input."""
    found = {}
    for name, shapes in layers.SHAPES.items():
        function = getattr(layers, name)
        found[name] = best_of(lambda function=function, shapes=shapes: dv.vjp(dv.trace(function, **shapes)))
    return found


def deep_mlp(depth: int) -> tuple[Callable[..., Any], dict[str, str]]:
    """A tanh network of `depth` layers with a squared loss, and its shapes: every width has a size of its own."""

    def mlp(X: Any, **parameters: Any) -> Any:
        for k in range(depth):
            X = np.tanh(X @ parameters[f"W{k}"] + parameters[f"b{k}"])
        return np.sum(X**2)

    shapes = {"X": "batch n0"}
    for k in range(depth):
        shapes |= {f"W{k}": f"n{k} n{k + 1}", f"b{k}": f"n{k + 1}"}
    keyword = inspect.Parameter.KEYWORD_ONLY
    mlp.__signature__ = inspect.Signature([inspect.Parameter(name, keyword) for name in shapes])  # type: ignore[attr-defined]
    return mlp, shapes


def depth_times(depths: tuple[int, ...] = (1, 3, 10, 30, 100)) -> tuple[dict[int, float], float]:
    """Seconds to trace and differentiate an MLP of each depth, and the exponent p of time ~ depth^p from 10 on."""
    found = {}
    for depth in depths:
        function, shapes = deep_mlp(depth)
        found[depth] = best_of(lambda f=function, s=shapes: dv.grad(dv.trace(f, **s)), rounds=3)
    deep = [(np.log(d), np.log(t)) for d, t in found.items() if d >= 10]
    exponent = float(np.polyfit(*zip(*deep, strict=True), 1)[0])
    return found, exponent
