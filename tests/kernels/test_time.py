"""Recurrences as kernels: a loop over the steps in Numba, forward and backward, in both precisions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive as dv
import sequences


def traced(name: str) -> dv.Function:
    return dv.trace(getattr(sequences, name), **sequences.SHAPES[name])


def arrays(name: str, steps: int) -> dict[str, np.ndarray]:
    sizes = {"T": steps, "m": 3, "n": 4, "k": 2, "p": 5, "batch": 2, "h": 3, "q": 3, "S": 4}
    rng = np.random.default_rng(11)
    shapes = sequences.SHAPES[name]
    return {
        a: 0.5 * rng.normal(size=[sizes.get(e) or int(e) for e in axes.split()]) for a, axes in shapes.items()
    }


@pytest.mark.parametrize(
    "name", ["rnn_loss", "gru", "rk4", "unrolled_descent", "reverse_rnn", "nested", "ema"]
)
def test_the_backward_pass_passes_the_check(name: str) -> None:
    report = dv.check(dv.vjp(traced(name)).compile())
    assert report.passed, report


@pytest.mark.parametrize("name", ["rnn", "nested"])
@pytest.mark.parametrize("options", [{"dtype": np.float32}, {"parallel": True}], ids=["single", "parallel"])
def test_options(name: str, options: dict[str, Any]) -> None:
    given = arrays(name, 5)
    tolerance = 2e-5 if "dtype" in options else 1e-12
    found = traced(name).compile(**options)(**given)
    assert np.allclose(found, getattr(sequences, name)(**given), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("steps", [1, 2, 200])
def test_any_number_of_steps(steps: int) -> None:
    function = traced("lstm")
    given = arrays("lstm", steps)
    assert np.allclose(function.compile()(**given), sequences.lstm(**given), rtol=1e-11, atol=1e-12)
    backward = dv.vjp(function)
    given["gY"] = np.random.default_rng(1).normal(size=(steps, 4))
    for a, b in zip(backward.compile()(**given), backward(**given), strict=True):
        assert np.allclose(a, b, rtol=1e-9, atol=1e-11)


def test_one_product_for_all_steps() -> None:
    source = traced("rnn").compile().source
    assert "np.dot(x, U.T, u)" in source.split("for t in range(T):")[0]


def test_emitted_for_numba(tmp_path: Path) -> None:
    path = tmp_path / "rnn_numba.py"
    path.write_text(traced("rnn").emit("numba"), encoding="utf-8")
    namespace: dict[str, Any] = {}
    import importlib.util

    spec = importlib.util.spec_from_file_location("rnn_numba", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    namespace.update(vars(module))
    namespace["test_rnn_backward"]()
