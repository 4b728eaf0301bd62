"""The cross-check passes what is right and catches what is slightly wrong: derived by hand, then damaged."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import erf, expit

from derive.frontends.trace_numpy import trace_numpy
from derive.ir.facts import spec
from derive.ir.nodes import Program
from derive.verify.check import check_derivative
from derive.verify.report import Report

Arrays = dict[str, Any]


def traced(function: Callable[..., Any], **shapes: str) -> Program:
    return trace_numpy(function, {name: spec(axes) for name, axes in shapes.items()})[0]


# -- functions, and their gradients as one derives them on paper


def softmax(Z: Any) -> Any:
    E = np.exp(Z - Z.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def softmax_vjp(P: Any, gP: Any) -> Any:
    return P * (gP - np.sum(P * gP, axis=-1, keepdims=True))


def dense(X: Any, W: Any, b: Any) -> Any:
    return X @ W + b


def dense_vjp(activation: Callable[..., Any], X: Any, W: Any, b: Any, gY: Any) -> tuple[Any, ...]:
    gZ = gY * activation(dense(X, W, b))
    return gZ @ W.T, X.T @ gZ, gZ.sum(axis=0)


def attention(Q: Any, K: Any, V: Any) -> Any:
    return softmax(Q @ K.T / np.sqrt(Q.shape[-1])) @ V


def attention_vjp(Q: Any, K: Any, V: Any, gY: Any) -> tuple[Any, ...]:
    scale = np.sqrt(Q.shape[-1])
    P = softmax(Q @ K.T / scale)
    gS = softmax_vjp(P, gY @ V.T)
    return gS @ K / scale, gS.T @ Q / scale, P.T @ gY


def layer_norm(X: Any, gamma: Any, beta: Any) -> Any:
    centred = X - X.mean(axis=-1, keepdims=True)
    return gamma * centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5) + beta


def layer_norm_vjp(X: Any, gamma: Any, beta: Any, gY: Any) -> tuple[Any, ...]:
    centred = X - X.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
    H, gH = centred * r, gY * gamma
    gX = r * (gH - gH.mean(axis=-1, keepdims=True) - H * np.mean(gH * H, axis=-1, keepdims=True))
    return gX, np.sum(gY * H, axis=0), np.sum(gY, axis=0)


def embedding_vjp(E: Any, tok: Any, gY: Any) -> Any:
    gE = np.zeros_like(E)
    np.add.at(gE, tok, gY)
    return gE


def cross_entropy(Z: Any, y: Any) -> Any:
    top = Z.max(axis=-1, keepdims=True)
    logP = Z - top - np.log(np.exp(Z - top).sum(axis=-1, keepdims=True))
    return -np.mean(logP[np.arange(len(y)), y])


def cross_entropy_grad(Z: Any, y: Any) -> Any:
    P = softmax(Z)
    P[np.arange(len(y)), y] -= 1
    return P / len(y)


def gelu_slope(z: Any) -> Any:
    return (1 + erf(z / np.sqrt(2))) / 2 + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


@dataclass(frozen=True)
class Case:
    forward: Callable[..., Any]
    shapes: dict[str, str]
    backward: Callable[..., Any]
    wrt: tuple[str, ...]
    kind: Any = "vjp"

    @property
    def base(self) -> Program:
        return traced(self.forward, **self.shapes)

    def check(self, derived: Callable[[Arrays], Any] | None = None, **options: Any) -> Report:
        cotangents = ("gY",) if self.kind == "vjp" else ()
        derived = derived or (lambda a: self.backward(**a))
        return check_derivative(self.base, derived, self.kind, self.wrt, cotangents=cotangents, **options)


DENSE = {"X": "batch n", "W": "n m", "b": "m"}
CASES = {
    "dense tanh": Case(
        lambda X, W, b: np.tanh(dense(X, W, b)), DENSE,
        lambda **a: dense_vjp(lambda z: 1 - np.tanh(z) ** 2, **a), ("X", "W", "b"),
    ),
    "dense relu": Case(
        lambda X, W, b: np.maximum(dense(X, W, b), 0), DENSE,
        lambda **a: dense_vjp(lambda z: z > 0, **a), ("X", "W", "b"),
    ),
    "dense gelu": Case(
        lambda X, W, b: dense(X, W, b) * (1 + erf(dense(X, W, b) / np.sqrt(2))) / 2, DENSE,
        lambda **a: dense_vjp(gelu_slope, **a), ("X", "W", "b"),
    ),
    "softmax": Case(softmax, {"Z": "batch k"}, lambda Z, gY: softmax_vjp(softmax(Z), gY), ("Z",)),
    "attention": Case(attention, {"Q": "n d", "K": "m d", "V": "m p"}, attention_vjp, ("Q", "K", "V")),
    "layer norm": Case(
        layer_norm, {"X": "batch n", "gamma": "n", "beta": "n"}, layer_norm_vjp, ("X", "gamma", "beta")
    ),
    "embedding": Case(
        lambda E, tok: E[tok], {"E": "v d", "tok": "batch, integer < v"}, embedding_vjp, ("E",)
    ),
    "cross entropy": Case(
        cross_entropy, {"Z": "batch k", "y": "batch, integer < k"}, cross_entropy_grad, ("Z",), "grad"
    ),
}  # fmt: skip
CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def arrays_of(answer: Any) -> list[Any]:
    return [np.array(a, dtype=float) for a in (answer if isinstance(answer, tuple) else (answer,))]


def damaged(case: Case, damage: Callable[[list[Any]], None]) -> Callable[[Arrays], Any]:
    """The right gradient with something done to its arrays."""

    def derived(inputs: Arrays) -> Any:
        arrays = arrays_of(case.backward(**inputs))
        damage(arrays)
        return tuple(arrays)

    return derived


# -- what is right passes


@CASE
@pytest.mark.parametrize("method", [None, "differences"])
def test_right_gradients_pass(case: Case, method: Any) -> None:
    for seed in range(3):
        report = case.check(seed=seed, method=method)
        assert report.passed, report
        assert report.sensitivity < 1e-8
        assert report.sensitivity_all < 1e-8
        assert report.max_error < report.sensitivity


@CASE
def test_right_gradients_pass_in_single_precision(case: Case) -> None:
    report = case.check(lambda a: case.backward(**a), dtype=np.float32)
    assert report.passed, report
    assert 1e-7 < report.sensitivity < 2e-2


def test_float32_is_what_the_derived_side_is_called_with() -> None:
    seen = set()

    def derived(inputs: Arrays) -> Any:
        seen.update(x.dtype.name for name, x in inputs.items() if name != "tok")
        return CASES["softmax"].backward(**inputs)

    assert CASES["softmax"].check(derived, dtype=np.float32).passed
    assert seen == {"float32"}


# -- what is wrong fails: in one entry, in all, by a sign, a factor, a transpose, a missing term


@CASE
@pytest.mark.parametrize("position", range(3))
def test_one_entry_wrong_by_1e8_is_caught(case: Case, position: int) -> None:
    def damage(arrays: list[Any]) -> None:
        array = arrays[position % len(arrays)]
        array.flat[(7 * position) % array.size] += 1e-8 * np.max(np.abs(array))

    report = case.check(damaged(case, damage))
    assert not report.passed
    assert all(failure.error > report.sensitivity / 10 for failure in report.failures)


@CASE
def test_all_entries_wrong_by_1e8_are_caught(case: Case) -> None:
    def damage(arrays: list[Any]) -> None:
        for array in arrays:
            array *= 1 + 1e-8

    assert not case.check(damaged(case, damage)).passed


@CASE
def test_the_stated_sensitivity_is_true(case: Case) -> None:
    report = case.check()

    def damage(factor: float) -> Callable[[list[Any]], None]:
        def change(arrays: list[Any]) -> None:
            arrays[-1].flat[0] += factor * report.sensitivity * np.max(np.abs(arrays[-1]))

        return change

    assert not case.check(damaged(case, damage(1.5))).passed
    assert case.check(damaged(case, damage(1e-4))).passed


@CASE
@pytest.mark.parametrize("factor", [-1, 2, 0, 1 + 1e-3])
def test_signs_and_factors_are_caught(case: Case, factor: float) -> None:
    def damage(arrays: list[Any]) -> None:
        arrays[0] *= factor

    assert not case.check(damaged(case, damage)).passed


def test_a_transpose_is_caught() -> None:
    square = traced(lambda A, x: A @ x, A="n n", x="n")
    check = lambda derived: check_derivative(square, derived, "vjp", ("A",), cotangents=("gY",))  # noqa: E731
    assert check(lambda a: np.outer(a["gY"], a["x"])).passed
    assert not check(lambda a: np.outer(a["x"], a["gY"])).passed


def test_a_wrong_shape_is_caught_and_named() -> None:
    case = CASES["dense tanh"]
    report = case.check(lambda a: (lambda gX, gW, gb: (gX, gW.T, gb))(*case.backward(**a)))
    assert not report.passed
    assert "gW has shape (2, 5), expected (5, 2)" in str(report)
    assert "3 arrays were expected" in str(case.check(lambda a: case.backward(**a)[:2]))


def test_a_missing_term_is_caught() -> None:
    case = CASES["layer norm"]

    def without_mean(X: Any, gamma: Any, beta: Any, gY: Any) -> tuple[Any, ...]:
        gX, *others = layer_norm_vjp(X, gamma, beta, gY)
        r = 1 / np.sqrt(X.var(axis=-1, keepdims=True) + 1e-5)
        return (gX + r * np.mean(gY * gamma, axis=-1, keepdims=True), *others)

    assert not case.check(lambda a: without_mean(**a)).passed
    softmax_case = CASES["softmax"]
    assert not softmax_case.check(lambda a: softmax(a["Z"]) * a["gY"]).passed


# -- large arrays, where only directions can be compared


def large_dense() -> tuple[Case, Arrays]:
    rng = np.random.default_rng(5)
    inputs = {"X": (64, 300), "W": (300, 200), "b": (200,)}
    inputs = {name: rng.normal(size=shape) / len(shape) ** 4 for name, shape in inputs.items()}
    return CASES["dense tanh"], inputs


def test_a_large_array_passes_at_the_users_point() -> None:
    case, inputs = large_dense()
    report = case.check(inputs=inputs)
    assert report.passed, report
    assert report.sensitivity < 1e-8
    assert "the given point, batch=64 n=300 m=200: too many entries to compare one by one" in str(report)


def test_one_wrong_entry_of_a_large_array_is_found_and_named() -> None:
    case, inputs = large_dense()

    def damage(arrays: list[Any]) -> None:
        if arrays[1].shape == (300, 200):
            arrays[1][123, 45] += 1e-8 * np.max(np.abs(arrays[1]))

    report = case.check(damaged(case, damage), inputs=inputs)
    assert not report.passed
    assert [(failure.output, failure.index) for failure in report.failures] == [("gW", (123, 45))]


def test_a_large_array_wrong_by_1e8_everywhere_is_caught() -> None:
    case, inputs = large_dense()

    def damage(arrays: list[Any]) -> None:
        if arrays[1].shape == (300, 200):
            arrays[1] *= 1 + 1e-8

    assert not case.check(damaged(case, damage), inputs=inputs).passed


# -- the other kinds of derivative


def logistic(w: Any, X: Any, y: Any) -> Any:
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


LOGISTIC = {"w": "n", "X": "batch n", "y": "batch, integer < 2"}


def logistic_hessian(a: Arrays) -> Any:
    s = expit(a["X"] @ a["w"])
    return a["X"].T @ (a["X"] * (s * (1 - s))[:, None])


def softmax_jacobian(a: Arrays) -> Any:
    P = softmax(a["z"])
    return np.diag(P) - np.outer(P, P)


def value_and_grad(a: Arrays) -> Any:
    return logistic(**a), a["X"].T @ (expit(a["X"] @ a["w"]) - a["y"])


KINDS: dict[str, tuple[Program, Callable[[Arrays], Any], tuple[str, ...], dict[str, Any]]] = {
    "value_and_grad": (traced(logistic, **LOGISTIC), value_and_grad, ("w",), {}),
    "grad": (traced(logistic, **LOGISTIC), lambda a: value_and_grad(a)[1], ("w",), {}),
    "hessian": (traced(logistic, **LOGISTIC), logistic_hessian, ("w",), {}),
    "hvp": (
        traced(logistic, **LOGISTIC), lambda a: logistic_hessian(a) @ a["dw"], ("w",), {"tangents": ("dw",)}
    ),
    "jacobian": (traced(lambda z: softmax(z), z="n"), softmax_jacobian, ("z",), {}),
    "jvp": (
        traced(lambda z: softmax(z), z="n"), lambda a: softmax_jacobian(a) @ a["dz"], ("z",),
        {"tangents": ("dz",)},
    ),
}  # fmt: skip
KIND = pytest.mark.parametrize("kind", KINDS)


@KIND
@pytest.mark.parametrize("method", [None, "differences"])
def test_every_kind_passes_when_right(kind: Any, method: Any) -> None:
    base, derived, wrt, options = KINDS[kind]
    report = check_derivative(base, derived, kind, wrt, method=method, **options)
    assert report.passed, report
    assert report.sensitivity < 1e-8


@KIND
def test_every_kind_is_caught_when_wrong_by_1e8(kind: Any) -> None:
    base, derived, wrt, options = KINDS[kind]

    def one(inputs: Arrays) -> Any:
        arrays = arrays_of(derived(inputs))
        arrays[-1].flat[-1] += 1e-8 * np.max(np.abs(arrays[-1]))
        return tuple(arrays)

    def every(inputs: Arrays) -> Any:
        return tuple(a * (1 + 1e-8) for a in arrays_of(derived(inputs)))

    for wrong in (one, every):
        assert not check_derivative(base, wrong, kind, wrt, **options).passed


def test_a_wrong_value_is_caught() -> None:
    base, derived, wrt, _ = KINDS["value_and_grad"]
    wrong = lambda a: (derived(a)[0] * (1 + 1e-8), derived(a)[1])  # noqa: E731
    report = check_derivative(base, wrong, "value_and_grad", wrt)
    assert not report.passed


def test_hessian_blocks_come_row_by_row() -> None:
    base = traced(lambda x, A, y: x @ A @ y, x="n", A="n m", y="m")

    def blocks(a: Arrays) -> Any:
        return np.zeros((a["x"].size,) * 2), a["A"], a["A"].T, np.zeros((a["y"].size,) * 2)

    assert check_derivative(base, blocks, "hessian", ("x", "y")).passed
    swapped = lambda a: (lambda xx, xy, yx, yy: (xx, xy * 2, yx, yy))(*blocks(a))  # noqa: E731
    report = check_derivative(base, swapped, "hessian", ("x", "y"))
    assert not report.passed
    assert {failure.output for failure in report.failures} == {"H[x,y]"}


def test_a_large_hessian_names_its_wrong_entry() -> None:
    rng = np.random.default_rng(0)
    inputs = {"w": rng.normal(size=200) / 10, "X": rng.normal(size=(90, 200)), "y": rng.integers(0, 2, 90)}
    base, derived, wrt, _ = KINDS["hessian"]
    assert check_derivative(base, derived, "hessian", wrt, inputs=inputs).passed

    def wrong(a: Arrays) -> Any:
        H = derived(a)
        if len(H) == 200:
            H[17, 143] += 1e-7 * np.max(np.abs(H))
        return H

    report = check_derivative(base, wrong, "hessian", wrt, inputs=inputs)
    assert [failure.index for failure in report.failures] == [(17, 143)]


# -- the report


def test_the_report_reads_like_a_lab_book() -> None:
    text = str(CASES["dense tanh"].check())
    assert text.startswith("vjp with respect to X, W, b: PASSED\n")
    for words in ("entries at batch=3 n=5 m=2", "complex step", "50 digits", "would have caught", "inject"):
        assert words in text
    assert max(map(len, text.splitlines())) < 160


def test_a_report_is_not_a_bool() -> None:
    with pytest.raises(TypeError, match=r"report\.passed"):
        bool(CASES["softmax"].check())


def test_the_same_seed_gives_the_same_report() -> None:
    assert str(CASES["attention"].check(seed=3)) == str(CASES["attention"].check(seed=3))


def test_shapes_may_be_given() -> None:
    report = CASES["dense tanh"].check(shapes=[{"batch": 4, "n": 2, "m": 6}])
    assert report.passed
    assert report.shapes == ({"batch": 4, "n": 2, "m": 6},)
