"""Compiled kernels beside NumPy, torch and jax on the same data: results are compared before any time counts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

import derive as dv
from derive.report import numpy_pair, sample_at
from derive.timing import interleaved, medians

from .peers import jax_peer, torch_peer

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import layers

CASES: dict[str, tuple[str, tuple[int, ...]]] = {
    "dense + tanh 64x784->256": ("dense_tanh", (64, 784, 256)),
    "attention 256x64": ("attention", (256, 64, 256, 64)),
    "layer norm 512x768": ("layer_norm", (512, 768)),
    "softmax 512x768": ("softmax", (512, 768)),
    "cross-entropy, labels 1024x100": ("cross_entropy_labels", (1024, 100)),
    "gelu dense 64x256->256": ("dense_gelu", (64, 256, 256)),
    "LSTM cell 64x128": ("lstm_cell", (64, 128, 128)),
}
"""Name of the case -> layer of examples/layers.py, and its sizes in the order in which they appear."""

Peer = Callable[[], Any]


def kernel_times(progress: Progress) -> list[dict[str, Any]]:
    """Median milliseconds of forward and all gradients, for derive and each peer that is installed."""
    found = []
    task = progress.add_task("kernels", total=len(CASES))
    for name, (layer, sizes) in CASES.items():
        found.append({"name": name, "ms": case_times(layer, sizes)})
        progress.advance(task)
    return found


def case_times(layer: str, sizes: tuple[int, ...]) -> dict[str, float | None]:
    """One layer: its peers agree with the kernel to 1e-9, then all are timed in turn."""
    function = dv.trace(getattr(layers, layer), **layers.SHAPES[layer])
    pullback = dv.vjp(function)
    assert pullback.origin is not None
    arrays = sample_at(pullback, sizes)
    order = [arrays[name] for name in pullback.inputs]
    kernel = pullback.compile()
    expected = kernel(*order)
    expected = expected if isinstance(expected, tuple) else (expected,)
    peers: dict[str, Peer] = {"derive": lambda: kernel(*order)}
    _, plain = numpy_pair(pullback)
    peers["NumPy"] = lambda: plain(*order)
    for name, build in (("torch", torch_peer), ("jax.jit", jax_peer)):
        peer = build(layer, function.inputs, pullback.origin.wrt, arrays)
        if peer is not None:
            compare(name, peer(), expected)
            peers[name] = peer
    times: dict[str, float | None] = dict.fromkeys(("derive", "NumPy", "torch", "jax.jit"))
    return times | {name: 1e3 * seconds for name, seconds in medians(interleaved(peers)).items()}


def compare(name: str, got: Any, expected: Any) -> None:
    """Refuse to time a peer that computes something else."""
    for g, e in zip(got, expected, strict=True):
        error = np.max(np.abs(np.asarray(g) - e), initial=0.0)
        if not error <= 1e-9 * max(1.0, float(np.max(np.abs(e), initial=0.0))):
            raise AssertionError(f"{name} differs from the kernel by {error:.2e}")
