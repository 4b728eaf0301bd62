"""Emitted code for nested arguments: it is called like the user's function and gives gradients in its structure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import derive as dv
from derive.structure import leaves, mapped

from .loading import assert_formatted, load, run_tests_of

RNG = np.random.default_rng(0)


class Layer(NamedTuple):
    W: Any
    b: Any


@dataclass
class Model:
    layers: list[Layer]
    scale: Any
    layers_count: int = 2


def by_keys(params: Any, X: Any) -> Any:
    for name in ("first", "second"):
        X = np.tanh(X @ params[name]["W"] + params[name]["b"])
    return np.sum(X**2)


def by_attributes(model: Any, X: Any) -> Any:
    for layer in model.layers:
        X = np.tanh(X @ layer.W + layer.b)
    return {"out": Layer(model.scale * X, X[0]), "total": np.sum(X)}


W, V, X = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2)), RNG.normal(size=(5, 3))
KEYS = {"first": {"W": W, "b": np.ones(4)}, "second": {"W": V, "b": np.zeros(2)}}
MODEL = Model([Layer(W, np.ones(4)), Layer(V, np.zeros(2))], np.array(1.5))
CASES = {
    "keys": (by_keys, {"first": {"W": "n m", "b": "m"}, "second": {"W": "m k", "b": "k"}}, KEYS, ()),
    "attributes": (
        by_attributes,
        Model([Layer("n m", "m"), Layer("m k", "k")], ""),
        MODEL,
        (Layer(np.ones((5, 2)), np.ones(2)), 1.0),
    ),
}


def emitted(case: str, target: str, folder: Path) -> tuple[Any, Any]:
    fn, declared, _, _ = CASES[case]
    f = dv.trace(fn, **{next(iter(fn.__code__.co_varnames)): declared}, X="batch n")
    return f, load(dv.vjp(f, next(iter(f.signature))).emit(target), folder, f"{case}_{target}")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_arrays_go_in_and_gradients_come_out_in_structures(case: str, target: str, tmp_path: Path) -> None:
    fn, _, params, cotangents = CASES[case]
    f, module = emitted(case, target, tmp_path)
    run_tests_of(module)
    found, expected = getattr(module, fn.__name__)(params, X), f(params, X)
    assert_alike(found, expected)
    gradients = getattr(module, f"{fn.__name__}_gradients")(params, X, *(cotangents or (1.0,)))
    assert type(gradients) is type(params)
    assert_alike(gradients, dv.vjp(f, next(iter(f.signature)))(params, X, *(cotangents or (1.0,))))


@pytest.mark.parametrize("case", CASES)
def test_torch_differentiates_through_the_structure(case: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    fn, _, params, _ = CASES[case]
    f, module = emitted(case, "torch", tmp_path)
    run_tests_of(module)
    tensors = mapped(
        params, lambda _, leaf: torch.tensor(leaf, requires_grad=True) if isinstance(leaf, np.ndarray) else leaf
    )
    result = getattr(module, fn.__name__)(tensors, torch.tensor(X))
    total = result if case == "keys" else result["total"]
    total.backward()
    first = tensors["first"]["W"] if case == "keys" else tensors.layers[0].W
    total = f if case == "keys" else dv.trace(
        lambda model, X: fn(model, X)["total"], model=CASES[case][1], X="batch n"
    )
    expected = dv.grad(total, next(iter(total.signature)))(params, X)
    expected = expected["first"]["W"] if case == "keys" else expected.layers[0].W
    np.testing.assert_allclose(first.grad.numpy(), expected, rtol=1e-12)


def test_jax_differentiates_through_the_structure(tmp_path: Path) -> None:
    jax = pytest.importorskip("jax")
    f, module = emitted("keys", "jax", tmp_path)
    run_tests_of(module)
    with jax.enable_x64(True):
        found = jax.grad(module.by_keys)(KEYS, X)
    assert_alike(found, dv.grad(f, "params")(KEYS, X), rtol=1e-12)


@pytest.mark.parametrize("target", ["numpy", "torch", "jax"])
def test_the_text_is_formatted(target: str, tmp_path: Path) -> None:
    for case in CASES:
        emitted(case, target, tmp_path)
    first = dv.trace(by_keys, params=CASES["keys"][1], X="batch n")
    load(dv.jvp(first, "params.second").emit(target), tmp_path, "jvp")
    assert_formatted(tmp_path)


def assert_alike(found: Any, expected: Any, rtol: float = 1e-9) -> None:
    a, b = list(leaves(found)), list(leaves(expected))
    assert [path for path, _ in a] == [path for path, _ in b]
    for (_, x), (_, y) in zip(a, b, strict=True):
        assert isinstance(x, int) or np.testing.assert_allclose(x, y, rtol=rtol, atol=1e-12) is None
