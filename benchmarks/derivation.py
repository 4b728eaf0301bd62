"""Time to derive: every layer of examples/layers.py, and deep programs against their depth with the fitted exponent."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np

import derive as dv
import layers

from .cases.attention import BLOCK_SHAPES, transformer_block

DEPTHS, SHORT = (1, 4, 16, 64, 256), (1, 4, 16)
BUDGET = 30.0
"""Seconds: a family stops where the next depth, four times as deep, would take longer in proportion."""


def run_time(call: Callable[[], Any], rounds: int = 3) -> float:
    """The median of a few runs, in seconds of processor time; one run where that takes long."""
    times: list[float] = []
    for _ in range(rounds):
        gc.collect()
        start = process_time()
        call()
        times.append(process_time() - start)
        if times[0] > 1:
            break
    return median(times)


def derivation_times(quick: bool = False) -> dict[str, Any]:
    """Seconds for each layer, and for each depth of each family with the exponent p of time ~ depth^p."""
    found: dict[str, Any] = {"layers": layer_times(), "depth": {}}
    for name, build in FAMILIES.items():
        seconds = depth_times(build, SHORT if quick else DEPTHS)
        found["depth"][name] = {"seconds": seconds, "exponent": exponent(seconds)}
    return found


def layer_times() -> dict[str, float]:
    """Seconds to trace a layer and derive its backward pass with respect to every real input."""
    found = {}
    for name, shapes in layers.SHAPES.items():
        function = getattr(layers, name)
        found[name] = run_time(lambda function=function, shapes=shapes: dv.vjp(dv.trace(function, **shapes)))
    return found


def depth_times(build: Callable[[int], Any], depths: tuple[int, ...]) -> dict[int, float]:
    """Seconds to trace and differentiate a program of each depth."""
    found: dict[int, float] = {}
    for depth in depths:
        function, shapes = build(depth)
        found[depth] = run_time(lambda f=function, s=shapes: dv.grad(dv.trace(f, **s)))
        if 4 * found[depth] > BUDGET:
            break
    return found


def exponent(seconds: dict[int, float], least: int = 4) -> float:
    """The slope of log time against log depth from a depth on."""
    deep = [(np.log(d), np.log(t)) for d, t in seconds.items() if d >= least]
    return float(np.polyfit(*zip(*deep, strict=True), 1)[0]) if len(deep) > 1 else float("nan")


def of_names(
    function: Callable[..., Any], shapes: dict[str, str]
) -> tuple[Callable[..., Any], dict[str, str]]:
    """A function of keyword arguments as one whose arguments are known by name."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    function.__signature__ = inspect.Signature([inspect.Parameter(name, keyword) for name in shapes])  # type: ignore[attr-defined]
    return function, shapes


def deep_mlp(depth: int) -> tuple[Callable[..., Any], dict[str, str]]:
    """A tanh network of `depth` layers with a squared loss, and its shapes: every width has a size of its own."""

    def mlp(X: Any, **parameters: Any) -> Any:
        for k in range(depth):
            X = np.tanh(X @ parameters[f"W{k}"] + parameters[f"b{k}"])
        return np.sum(X**2)

    shapes = {"X": "batch n0"}
    for k in range(depth):
        shapes |= {f"W{k}": f"n{k} n{k + 1}", f"b{k}": f"n{k + 1}"}
    return of_names(mlp, shapes)


def unrolled_rnn(depth: int) -> tuple[Callable[..., Any], dict[str, str]]:
    """A recurrent network written out step by step, as a loop over a list of inputs does."""

    def rnn(h: Any, W: Any, U: Any, b: Any, **inputs: Any) -> Any:
        for k in range(depth):
            h = np.tanh(h @ W + inputs[f"x{k}"] @ U + b)
        return np.sum(h**2)

    shapes = {"h": "batch n", "W": "n n", "U": "m n", "b": "n"} | {f"x{k}": "batch m" for k in range(depth)}
    return of_names(rnn, shapes)


def deep_transformer(depth: int) -> tuple[Callable[..., Any], dict[str, str]]:
    """Transformer blocks on top of each other."""
    own = [name for name in BLOCK_SHAPES if name != "X"]

    def transformer(X: Any, **parameters: Any) -> Any:
        for k in range(depth):
            X = transformer_block(X, *(parameters[f"{name}_{k}"] for name in own))
        return np.sum(X**2)

    shapes = {"X": BLOCK_SHAPES["X"]} | {
        f"{name}_{k}": BLOCK_SHAPES[name] for k in range(depth) for name in own
    }
    return of_names(transformer, shapes)


FAMILIES = {"MLP": deep_mlp, "RNN, written out": unrolled_rnn, "transformer": deep_transformer}


def derivation_lines(found: dict[str, Any]) -> list[str]:
    """Markdown: time to derive each layer, and each family by depth."""
    families = found["depth"]
    depths = sorted({int(d) for family in families.values() for d in family["seconds"]})
    lines = ["| trace + gradient, s | " + " | ".join(f"depth {d}" for d in depths) + " | time grows as |"]
    lines.append("|---|" + "---|" * (len(depths) + 1))
    for name, family in families.items():
        seconds = {int(d): t for d, t in family["seconds"].items()}
        cells = [f"{seconds[d]:.2g}" if d in seconds else "-" for d in depths]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | depth^{family['exponent']:.2f} |")
    lines += ["", "| layer | trace + backward pass, ms |", "|---|---|"]
    lines += [f"| {name} | {1e3 * seconds:.0f} |" for name, seconds in found["layers"].items()]
    return [*lines, ""]
