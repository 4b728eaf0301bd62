"""Nested inputs and outputs: a model's parameters in dicts, lists, named tuples and dataclasses."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest

import derive as dv

RNG = np.random.default_rng(0)
SHAPES = {"layer1": {"W": "n m", "b": "m"}, "layer2": {"W": "m k", "b": "k"}}


def mlp(params: Any, X: Any, Y: Any) -> Any:
    H = np.tanh(X @ params["layer1"]["W"] + params["layer1"]["b"])
    P = H @ params["layer2"]["W"] + params["layer2"]["b"]
    return np.sum((P - Y) ** 2)


def weights(n: int = 3, m: int = 4, k: int = 2) -> dict[str, Any]:
    layer1 = {"W": RNG.normal(size=(n, m)), "b": RNG.normal(size=m)}
    return {"layer1": layer1, "layer2": {"W": RNG.normal(size=(m, k)), "b": RNG.normal(size=k)}}


@pytest.fixture
def traced() -> Any:
    return dv.trace(mlp, params=SHAPES, X="batch n", Y="batch k")


PARAMS, X, Y = weights(), RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))


def complex_step(path: tuple[str, str], entry: tuple[int, ...]) -> float:
    moved = {name: {key: v.astype(complex) for key, v in layer.items()} for name, layer in PARAMS.items()}
    moved[path[0]][path[1]][entry] += 1e-30j
    return float(mlp(moved, X, Y).imag / 1e-30)


def test_the_function_is_called_like_the_users(traced: Any) -> None:
    np.testing.assert_allclose(traced(PARAMS, X, Y), mlp(PARAMS, X, Y), rtol=1e-13)
    np.testing.assert_allclose(traced.compile()(PARAMS, X, Y=Y), mlp(PARAMS, X, Y), rtol=1e-13)


@pytest.mark.parametrize("run", [lambda g: g, lambda g: g.compile()], ids=["interpreter", "kernel"])
def test_gradients_come_back_in_the_same_structure(traced: Any, run: Any) -> None:
    found = run(dv.grad(traced, "params"))(PARAMS, X, Y)
    assert {name: list(layer) for name, layer in found.items()} == {"layer1": ["W", "b"], "layer2": ["W", "b"]}
    np.testing.assert_allclose(found["layer1"]["W"][1, 2], complex_step(("layer1", "W"), (1, 2)), rtol=1e-10)
    np.testing.assert_allclose(found["layer2"]["b"][1], complex_step(("layer2", "b"), (1,)), rtol=1e-10)


def test_keys_may_come_in_any_order(traced: Any) -> None:
    turned = {name: dict(reversed(layer.items())) for name, layer in reversed(PARAMS.items())}
    assert traced(turned, X, Y) == traced(PARAMS, X, Y)


def test_dicts_of_other_types(traced: Any) -> None:
    ordered = OrderedDict((name, OrderedDict(layer)) for name, layer in PARAMS.items())
    found = dv.grad(mlp, "params")(ordered, X, Y)
    assert type(found) is OrderedDict and type(found["layer1"]) is OrderedDict
    assert traced(ordered, X, Y) == traced(PARAMS, X, Y)


def test_wrt_names_a_part_a_leaf_or_several(traced: Any) -> None:
    part = dv.grad(traced, "params.layer2")(PARAMS, X, Y)
    leaf = dv.grad(traced, "params.layer2.W")(PARAMS, X, Y)
    several = dv.grad(traced, ["params.layer1.b", "X", "params.layer2"])(PARAMS, X, Y)
    np.testing.assert_allclose(part["W"], leaf)
    np.testing.assert_allclose(several[2]["W"], leaf)
    assert several[0].shape == (4,) and several[1].shape == X.shape
    everything = dv.grad(traced)(PARAMS, X, Y)
    np.testing.assert_allclose(everything[0]["layer2"]["W"], leaf)


def test_printed_names_are_paths(traced: Any) -> None:
    gradient = dv.grad(traced, "params")
    assert "gparams.layer1.W = X' gZ" in str(gradient).splitlines()
    assert r"\bar{W}_{\mathrm{params.layer1}} &= X^\top \, \bar{Z}" in gradient.latex()
    assert "params.layer1.W" in gradient.explain()


def test_index_notation_reads_back(traced: Any) -> None:
    text = dv.grad(traced, "params").index()
    again = dv.equations(text, params=SHAPES, X="batch n", Y="batch k")
    assert again.index() == text
    np.testing.assert_array_equal(again(PARAMS, X, Y)[0], dv.grad(traced, "params")(PARAMS, X, Y)["layer1"]["W"])


def test_every_derivative_is_checked(traced: Any) -> None:
    for derive in (dv.grad, dv.value_and_grad, dv.vjp, dv.jvp, dv.hvp, dv.jacobian):
        report = dv.check(derive(traced, "params.layer2"))
        assert report.passed, report
    assert "gparams.layer1.W" in str(dv.check(dv.grad(traced, "params.layer1.W")))


def test_tangents_and_cotangents_are_nested_too() -> None:
    def layer(p: Any, x: Any) -> Any:
        z = x @ p["W"]
        return {"out": np.tanh(z + p["b"]), "aux": {"z": z}}

    f = dv.trace(layer, p={"W": "n m", "b": "m"}, x="batch n")
    p, x = PARAMS["layer1"], X
    out = f(p, x)
    assert list(out) == ["out", "aux"] and out["aux"]["z"].shape == (5, 4)
    back = dv.vjp(f, "p")(p, x, gout=np.ones((5, 4)), gaux={"z": np.zeros((5, 4))})
    np.testing.assert_allclose(back["b"], np.sum(1 - out["out"] ** 2, axis=0))
    forward = dv.jvp(f, "p")(p, x, dp={"W": np.zeros((3, 4)), "b": np.ones(4)})
    np.testing.assert_allclose(forward["out"], 1 - out["out"] ** 2)
    np.testing.assert_allclose(forward["aux"]["z"], 0)


def test_a_hessian_is_a_structure_of_blocks(traced: Any) -> None:
    H = dv.hessian(traced, "params.layer2")(PARAMS, X, Y)
    assert H["W"]["b"].shape == (4, 2, 2) and H["b"]["W"].shape == (2, 4, 2)
    np.testing.assert_allclose(H["b"]["b"], 10 * np.eye(2))


class Layer(NamedTuple):
    W: Any
    b: Any = None


def test_a_loop_over_a_list_of_layers() -> None:
    def deep(layers: Any, x: Any) -> Any:
        for layer in layers:
            x = np.tanh(x @ layer.W + layer.b)
        return np.sum(x)

    f = dv.trace(deep, layers=[Layer("n m", "m"), Layer("m k", "k")], x="batch n")
    layers = [Layer(*layer.values()) for layer in PARAMS.values()]
    gradient = dv.grad(f, "layers")
    found = gradient(layers, X)
    assert type(found) is list and type(found[1]) is Layer and found[1].W.shape == (4, 2)
    assert "glayers.0.W = X' " in str(gradient) or "glayers.0.W = x' " in str(gradient)
    assert dv.check(dv.grad(f, "layers.1.W")).passed


def test_loops_over_a_dict() -> None:
    def penalty(params: Any) -> Any:
        return sum(np.sum(w**2) for layer in params.values() for key, w in layer.items() if key != "b")

    gradient = dv.grad(dv.trace(penalty, params=SHAPES), "params")(PARAMS)
    np.testing.assert_allclose(gradient["layer1"]["W"], 2 * PARAMS["layer1"]["W"])
    np.testing.assert_array_equal(gradient["layer1"]["b"], 0 * PARAMS["layer1"]["b"])


@dataclass(frozen=True)
class Dense:
    W: Annotated[np.ndarray, "n m"]
    b: Annotated[np.ndarray, "m"]
    activation: str = "tanh"

    def __post_init__(self) -> None:
        assert np.shape(self.W)[1] == np.shape(self.b)[0]

    def __call__(self, x: Any) -> Any:
        return getattr(np, self.activation)(x @ self.W + self.b)


@pytest.mark.parametrize("declared", [Dense, Dense(**PARAMS["layer1"])], ids=["its annotations", "an example"])
def test_a_dataclass_keeps_its_type_and_constants(declared: Any) -> None:
    f = dv.trace(lambda model, x: np.sum(model(x)), model=declared, x="batch 3" if declared is not Dense else "batch n")
    model = Dense(**PARAMS["layer1"])
    found = dv.grad(f, "model")(model, X)
    assert type(found) is Dense and found.activation == "tanh" and found.b.shape == (4,)
    with pytest.raises(dv.StructureError, match=r"model.activation is 'exp', but .* traced with 'tanh'"):
        f(Dense(**PARAMS["layer1"], activation="exp"), X)


def test_without_shapes_the_first_call_says_the_structure() -> None:
    gradient = dv.grad(mlp, "params")
    found = gradient(PARAMS, X, Y)
    assert "gparams.layer1.W" in str(gradient)
    np.testing.assert_allclose(found["layer2"]["b"][0], complex_step(("layer2", "b"), (0,)), rtol=1e-10)
    found = gradient({**PARAMS, "unused": 1.5}, X, Y)
    assert found["unused"] == 0


def test_integers_in_a_nested_argument_have_no_gradient() -> None:
    f = dv.trace(lambda data: np.sum(data["X"][data["rows"]]), data={"X": "n m", "rows": "k, integer < n"})
    found = dv.grad(f, "data")({"X": X, "rows": [0, 0]})
    assert found["rows"] is None and found["X"][0, 0] == 2
    with pytest.raises(dv.NotDifferentiable, match=r"data.rows is integer"):
        dv.grad(f, "data.rows")


def test_constants_stay_what_they_are() -> None:
    def fn(model: Any, x: Any) -> Any:
        y = model["activation"](x @ model["W"]) ** model["power"]
        return np.sum(y if model["bias"] is None else y + model["bias"])

    declared = {"W": "n m", "activation": np.tanh, "power": 2, "bias": None}
    f = dv.trace(fn, model=declared, x="n")
    model = {**declared, "W": PARAMS["layer1"]["W"]}
    found = dv.grad(f, "model")(model, X[0])
    assert found["W"].shape == (3, 4) and found["activation"] is np.tanh and found["power"] == 2
    with pytest.raises(dv.StructureError, match=r"model.power is 3, but .* traced with 2"):
        f({**model, "power": 3}, X[0])
    again = dv.grad(fn, "model")
    assert not np.allclose(again({**model, "power": 3}, X[0])["W"], again(model, X[0])["W"])


def test_a_method_takes_its_model_as_an_argument() -> None:
    f = dv.trace(Dense.__call__, self=Dense, x="n")
    np.testing.assert_allclose(f(Dense(**PARAMS["layer1"]), X[0]), Dense(**PARAMS["layer1"])(X[0]))
    assert "self.W" in str(f)


def test_functions_can_be_copied_and_pickled(traced: Any) -> None:
    gradient = dv.grad(traced, "params")
    expected = gradient.compile()(PARAMS, X, Y)
    for again in (pickle.loads(pickle.dumps(gradient)), copy.deepcopy(gradient), copy.copy(gradient.compile())):
        np.testing.assert_array_equal(again(PARAMS, X, Y)["layer1"]["b"].shape, expected["layer1"]["b"].shape)
        np.testing.assert_allclose(again(PARAMS, X, Y)["layer1"]["b"], expected["layer1"]["b"])
    assert str(pickle.loads(pickle.dumps(gradient))) == str(gradient)


def test_own_arrays_for_a_check_are_nested_too(traced: Any) -> None:
    report = dv.check(dv.grad(traced, "params"), inputs={"params": PARAMS, "X": X, "Y": Y})
    assert report.passed and any(shape.get("batch") == 5 and shape["n"] == 3 for shape in report.shapes)


def test_tensors_of_other_libraries_are_arrays() -> None:
    torch = pytest.importorskip("torch")
    gradient = dv.grad(lambda p: np.sum(p["W"] ** 2), "p")
    np.testing.assert_array_equal(gradient({"W": torch.ones(2)})["W"], [2, 2])


def test_a_step_of_descent_returns_new_parameters() -> None:
    gradient = dv.trace(mlp, params=SHAPES, X="batch n", Y="batch k")
    gradient = dv.value_and_grad(gradient, "params").compile()
    params, losses = weights(), []
    for _ in range(20):
        loss, g = gradient(params, X, Y)
        losses.append(loss)
        params = {n: {k: w - 0.01 * g[n][k] for k, w in layer.items()} for n, layer in params.items()}
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"layer1": PARAMS["layer1"]}, ["params has no 'layer2'", "expected a dict with layer1, layer2"]),
        ({**PARAMS, "layer1": {**PARAMS["layer1"], "bias": X}}, ["params.layer1 has an unexpected 'bias'"]),
        ({**PARAMS, "layer1": Layer(X, X)}, ["params.layer1 is a Layer with W, b", "expected a dict"]),
        ([PARAMS], ["params is a list of 1 entry"]),
        ({**PARAMS, "layer2": {"W": {}, "b": X}}, ["params.layer2.W is an empty dict", "an array was expected"]),
    ],
)
def test_a_mismatch_names_the_path(traced: Any, params: Any, words: list[str]) -> None:
    for run in (traced, traced.compile()):
        with pytest.raises(dv.StructureError) as caught:
            run(params, X, Y)
        assert all(word in str(caught.value) for word in words), caught.value


def test_shape_errors_name_the_path(traced: Any) -> None:
    wrong = {**PARAMS, "layer1": {"W": PARAMS["layer1"]["W"], "b": np.zeros(9)}}
    with pytest.raises(dv.ShapeError, match=r"params.layer1.b has shape \(9,\).*params.layer1.W"):
        traced(wrong, X, Y)


def test_names_that_are_not_there(traced: Any) -> None:
    with pytest.raises(dv.UnknownName, match=r"no input 'params.layer1.w'; did you mean .*'params.layer1.W'"):
        dv.grad(traced, "params.layer1.w")
    with pytest.raises(dv.UnknownName, match="twice"):
        dv.grad(traced, ["params", "params.layer1.W"])
    with pytest.raises(dv.SpecError, match=r"params.W: .*'2x'"):
        dv.trace(lambda params: params["W"], params={"W": "2x"})
    with pytest.raises(dv.SpecError, match="the key 'a b'"):
        dv.trace(lambda params: 0, params={"a b": "n"})
    with pytest.raises(dv.SpecError, match=r"two arrays have the path 'p.a.b'"):
        dv.trace(lambda p: 0, p={"a.b": "n", "a": {"b": "n"}})
