"""Every layer of the examples and its derivatives, written out and run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import derive as dv
import layers
from derive.emit.emit import emit_source
from derive.emit.target import EmitRequest
from derive.ir.evaluate import evaluate

from .loading import MODULES, assert_formatted, call, load, run_tests_of

PLAIN = [
    ("jacobian", "softmax", "Z"), ("jacobian", "layer_norm", "X"), ("jacobian", "dense_tanh", "X"),
    ("jacobian", "causal_attention", "Q"), ("hessian", "quadratic_form", "x"), ("hessian", "logistic_loss", "w"),
    ("hessian", "cross_entropy_labels", "Z"), ("hessian", "least_squares", "W"), ("jvp", "attention", "Q"),
    ("jvp", "multi_head_attention", "K"), ("hvp", "cross_entropy_one_hot", "Z"), ("hvp", "cosine_similarity", "x"),
]  # fmt: skip


@pytest.fixture(scope="module")
def requests() -> dict[str, EmitRequest]:
    """The request of each layer, derived once for all targets."""
    return {}


def request_of(name: str, known: dict[str, EmitRequest]) -> EmitRequest:
    if name not in known:
        known[name] = dv.trace(getattr(layers, name), **layers.SHAPES[name]).request
    return known[name]


@pytest.mark.parametrize("target", MODULES)
@pytest.mark.parametrize("name", layers.SHAPES)
def test_layer(name: str, target: str, requests: dict[str, EmitRequest], tmp_path: Path) -> None:
    pytest.importorskip(MODULES[target])
    source = emit_source(request_of(name, requests), target)
    run_tests_of(load(source, tmp_path, f"{name}_{target}"))
    assert "derive" not in source.lower().replace("derived from", "")


def test_layers_are_formatted(requests: dict[str, EmitRequest], tmp_path: Path) -> None:
    for name in layers.SHAPES:
        for target in MODULES:
            path = tmp_path / f"{name}_{target}.py"
            path.write_text(emit_source(request_of(name, requests), target), encoding="utf-8")
    assert_formatted(tmp_path)


@pytest.mark.parametrize(("kind", "name", "wrt"), PLAIN, ids=lambda value: value)
def test_plain_derivative(kind: str, name: str, wrt: str, tmp_path: Path) -> None:
    """A derivative that is no backward pass is a plain function, equal to the interpreter's."""
    function = getattr(dv, kind)(dv.trace(getattr(layers, name), **layers.SHAPES[name]), wrt)
    request = function.request
    assert request.backward is None
    values = _inputs(request)
    expected = evaluate(request.forward, values)
    for target in MODULES:
        pytest.importorskip(MODULES[target])
        module = load(emit_source(request, target), tmp_path, f"{kind}_{name}_{target}")
        found = call(module, request.name, target, [values[t.name] for t in request.forward.inputs])
        for tensor, array in zip(request.forward.outputs, found, strict=True):
            np.testing.assert_allclose(array, expected[tensor.name], rtol=1e-9, atol=1e-11)
    assert_formatted(tmp_path)


def _inputs(request: EmitRequest) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {symbol: position + 3 for position, symbol in enumerate(request.forward.sizes)}
    values = {}
    for tensor in request.forward.inputs:
        shape = tuple(int(extent.subs(sizes)) for extent in tensor.shape)
        integers = tensor.kind == "integer" and tensor.bound is not None
        values[tensor.name] = (
            rng.integers(int(tensor.bound.subs(sizes)), size=shape) if integers else rng.random(shape)
        )
    return values
