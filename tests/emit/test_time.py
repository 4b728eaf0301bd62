"""Recurrences as emitted source: loops whose results and gradients pass their own tests, formatted, with products hoisted."""

import re
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

import derive as dv
import sequences

from .loading import assert_formatted, call, load, run_tests_of

TARGETS = ("numpy", "torch", "jax")
IN_JAX = ("rnn", "lstm", "reverse_rnn", "stacked_rnn", "nested", "unrolled_descent")
CASES = [
    (n, t) for n in sequences.SHAPES for t in TARGETS if t != "jax" or n in IN_JAX
]  # jax compiles each loop


def traced(name: str) -> dv.Function:
    return dv.trace(getattr(sequences, name), **sequences.SHAPES[name])


def arrays(name: str, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    shapes = sequences.SHAPES[name]
    return {
        a: 0.5 * rng.normal(size=[sizes.get(e) or int(e) for e in axes.split()]) for a, axes in shapes.items()
    }


@pytest.mark.parametrize(("name", "target"), CASES)
def test_own_tests_pass_and_values_agree(name: str, target: str, tmp_path: Path) -> None:
    pytest.importorskip(target)
    module = load(traced(name).emit(target), tmp_path, f"{name}_{target}")
    run_tests_of(module)
    given = arrays(name, {"T": 5, "m": 3, "n": 4, "k": 2, "p": 5, "batch": 2, "h": 3, "q": 3, "S": 4})
    (found,) = call(module, name, target, given.values())
    assert np.allclose(found, getattr(sequences, name)(**given), rtol=1e-12, atol=1e-14)


def test_the_loop_reads_well() -> None:
    source = traced("rnn").emit("numpy")
    forward = source.split("def rnn_forward")[1].split("return")[0]
    assert "    u = x @ U.T\n" in forward  # all steps at once, outside of the loop
    assert "    for t in range(T):\n        z[t] = b + u[t] + W @ h[t]\n        h[t + 1] = np.tanh(z[t])\n" in forward
    backward = source.split("def rnn_backward")[1]
    assert "    for t in reversed(range(T)):\n" in backward
    assert "        if t > 0:\n            gh[t] += gY[t - 1]\n" in backward


def test_jax_does_not_unroll() -> None:
    assert len(re.findall(r"jax\.lax\.fori_loop", traced("rnn").emit("jax"))) == 2


def test_formatted(tmp_path: Path) -> None:
    for name, target in zip(sequences.SHAPES, cycle(TARGETS), strict=False):
        (tmp_path / f"{name}_{target}.py").write_text(traced(name).emit(target), encoding="utf-8")
    assert_formatted(tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_truncated(target: str, tmp_path: Path) -> None:
    pytest.importorskip(target)
    given = arrays("rnn", {"T": 7, "m": 3, "n": 4})
    given["gY"] = np.random.default_rng(1).normal(size=(7, 4))
    backward = dv.vjp(traced("rnn"), ["W", "h0"], truncate=3)
    module = load(backward.emit(target), tmp_path, f"truncated_{target}")
    found = call(module, "rnn", target, [given[name] for name in backward.inputs])
    for a, b in zip(found, backward(**given), strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=1e-14)
