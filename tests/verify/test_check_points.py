"""Points that need care: kinks, NaN and infinities, edges of domains, and questions without an answer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

from derive.calculus.vjp import vjp
from derive.errors import NotDifferentiable, ShapeError, UnknownName
from derive.frontends.trace_numpy import trace_numpy
from derive.ir.facts import spec
from derive.ir.nodes import Program
from derive.verify.check import check_derivative

Arrays = dict[str, Any]


def traced(function: Callable[..., Any], **shapes: str) -> Program:
    return trace_numpy(function, {name: spec(axes) for name, axes in shapes.items()})[0]


RELU = traced(lambda x: np.maximum(x, 0), x="n")


def check_relu(at_zero: float, **options: Any) -> Any:
    derived = lambda a: a["gY"] * np.where(a["x"] == 0, at_zero, a["x"] > 0)  # noqa: E731
    return check_derivative(RELU, derived, "vjp", ("x",), cotangents=("gY",), **options)


AT_ZERO = {"x": [0.0, 1.0, -2.0], "gY": [1.0, 1.0, 1.0]}


def test_relu_at_zero_shows_the_subgradient_interval() -> None:
    report = check_relu(0.0, inputs=AT_ZERO)
    assert report.passed
    (kink,) = report.kinks
    assert (kink.output, kink.index, kink.got, kink.inside) == ("gx", (0,), 0.0, True)
    assert (kink.low, kink.high) == pytest.approx((0, 1), abs=1e-9)
    assert "gx[0] = 0, inside the subgradient interval [0, 1]" in str(report)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_every_subgradient_of_relu_passes(value: float) -> None:
    assert check_relu(value, inputs=AT_ZERO).passed


@pytest.mark.parametrize("value", [-0.01, 1.01, 2.0, np.nan])
def test_no_other_value_does(value: float) -> None:
    report = check_relu(value, inputs=AT_ZERO)
    assert not report.passed
    assert "OUTSIDE" in str(report)


def test_entries_beside_a_kink_are_still_compared() -> None:
    wrong = lambda a: a["gY"] * np.where(a["x"] < 0, 1e-6 * (len(a["x"]) == 3), a["x"] > 0)  # noqa: E731
    report = check_derivative(
        RELU, wrong, "vjp", ("x",), cotangents=("gY",), inputs=AT_ZERO, shapes=[{"n": 2}], seed=1
    )
    assert not report.passed
    assert any(getattr(f, "index", None) == (2,) for f in report.failures)


def test_a_tie_of_the_maximum_shows_its_interval() -> None:
    base = traced(lambda x: np.max(x), x="n")

    def shared(a: Arrays) -> Any:
        top = a["x"] == np.max(a["x"])
        return top / np.sum(top)

    report = check_derivative(base, shared, "grad", ("x",), inputs={"x": [0.25, 1.5, 0.0, 1.5]})
    assert report.passed, report
    assert {k.index: round(k.got, 3) for k in report.kinks} == {(1,): 0.5, (3,): 0.5}
    wrong = lambda a: 2 * shared(a)  # noqa: E731
    assert not check_derivative(base, wrong, "grad", ("x",), inputs={"x": [1.5, 1.5, 1.5]}).passed


def test_the_sign_of_a_kink_that_cancels_is_not_an_interval() -> None:
    """relu(x) - relu(-x) is x: the derivative at 0 is 1, whatever the convention of relu says."""
    base = traced(lambda x: np.sum(np.maximum(x, 0) - np.maximum(-x, 0)), x="n")
    derived = lambda a: 1.0 * (a["x"] > 0) + (a["x"] < 0)  # noqa: E731
    assert check_derivative(base, derived, "grad", ("x",)).passed
    report = check_derivative(base, derived, "grad", ("x",), inputs={"x": [0.0, 1.0]})
    assert not report.passed
    assert not report.kinks


def test_softmax_at_a_tie_is_smooth() -> None:
    def softmax(z: Any) -> Any:
        e = np.exp(z - np.max(z))
        return e / np.sum(e)

    base = traced(softmax, z="n")
    derived = lambda a: (lambda p: p * (a["gY"] - p @ a["gY"]))(softmax(a["z"]))  # noqa: E731
    tie: dict[str, Any] = {"cotangents": ("gY",), "inputs": {"z": [1.0, 1.0, 0.5]}}
    report = check_derivative(base, derived, "vjp", ("z",), **tie)
    assert report.passed, report
    assert not report.kinks
    wrong = lambda a: derived(a) * (1 + 1e-6 * (a["z"][0] == 1.0))  # noqa: E731
    assert not check_derivative(base, wrong, "vjp", ("z",), **tie).passed


def test_relu_twice_is_no_kink_for_negative_numbers() -> None:
    base = traced(lambda x: np.maximum(np.maximum(x, 0) * 2, 0), x="n")
    derived = lambda a: 2 * a["gY"] * (a["x"] > 0)  # noqa: E731
    report = check_derivative(base, derived, "vjp", ("x",), cotangents=("gY",))
    assert report.passed, report
    assert not report.kinks
    assert report.sensitivity < 1e-8


def test_a_second_derivative_that_jumps_shows_its_interval() -> None:
    base = traced(lambda x: np.sum(np.maximum(x, 0) ** 2), x="n")
    derived = lambda a: np.diag(2.0 * (a["x"] > 0))  # noqa: E731
    report = check_derivative(base, derived, "hessian", ("x",), inputs={"x": [0.0, 1.0]})
    assert report.passed, report
    (kink,) = report.kinks
    assert kink.index == (0, 0)
    assert (kink.low, kink.high) == pytest.approx((0, 2), abs=1e-5)
    wrong = lambda a: derived(a) * 1.5  # noqa: E731
    assert not check_derivative(base, wrong, "hessian", ("x",), inputs={"x": [0.0, 1.0]}).passed


def test_sizes_grow_where_the_function_reads_more_than_there_is() -> None:
    base = traced(lambda x: np.sum(x[:6] ** 2), x="n")
    derived = lambda a: np.where(np.arange(len(a["x"])) < 6, 2 * a["x"], 0)  # noqa: E731
    report = check_derivative(base, derived, "grad", ("x",))
    assert report.passed, report
    assert all(shape["n"] >= 6 for shape in report.shapes)


def test_the_length_of_a_vector_at_zero() -> None:
    base = traced(lambda x: np.sqrt(np.sum(x * x)), x="n")

    def derived(a: Arrays) -> Any:
        length = np.sqrt(np.sum(a["x"] ** 2))
        return a["x"] / length if length else 0 * a["x"]

    report = check_derivative(base, derived, "grad", ("x",), inputs={"x": [0.0, 0.0]})
    assert report.passed, report
    assert [(round(k.low, 6), round(k.high, 6)) for k in report.kinks] == [(-1, 1), (-1, 1)]


# -- NaN, infinities, domains


def test_nan_passes_through_and_is_reported() -> None:
    base = traced(lambda x: np.sum(np.exp(x)), x="n")
    derived = lambda a: np.exp(a["x"])  # noqa: E731
    report = check_derivative(base, derived, "grad", ("x",), inputs={"x": [np.nan, 1.0, 2.0]})
    assert report.passed, report
    text = str(report)
    assert "NaN or inf in x at the given point" in text
    assert "not finite in 1 of 3 entries derived, in 3 expected, in 1 of them both: [0], [1], [2]" in text


def test_infinite_masks_are_allowed() -> None:
    def masked(z: Any, mask: Any) -> Any:
        e = np.exp(z + mask - np.max(z + mask))
        return e / np.sum(e)

    base = traced(masked, z="n", mask="n")
    derived = lambda a: (lambda p: p * (a["gY"] - p @ a["gY"]))(masked(a["z"], a["mask"]))  # noqa: E731
    point = {"z": [0.5, 0.25, 1.0], "mask": [0.0, -np.inf, 0.0]}
    assert check_derivative(base, derived, "vjp", ("z",), cotangents=("gY",), inputs=point).passed


def test_a_mask_of_minus_infinity_in_the_function_is_allowed() -> None:
    def causal(S: Any) -> Any:
        masked = np.where(np.arange(len(S))[:, None] >= np.arange(len(S)), S, -np.inf)
        E = np.exp(masked - np.max(masked, axis=1, keepdims=True))
        return E / np.sum(E, axis=1, keepdims=True)

    base = traced(causal, S="n n")
    derived = lambda a: (lambda P: P * (a["gY"] - np.sum(P * a["gY"], axis=1, keepdims=True)))(causal(a["S"]))  # noqa: E731
    report = check_derivative(base, derived, "vjp", ("S",), cotangents=("gY",))
    assert report.passed, report
    assert "50 digits" in report.method


def test_a_derived_nan_is_a_failure() -> None:
    base = traced(lambda x: np.sum(x**2), x="n")
    derived = lambda a: np.where(a["x"] > 0, 2 * a["x"], np.nan)  # noqa: E731
    assert not check_derivative(base, derived, "grad", ("x",)).passed


def test_inputs_are_drawn_from_the_domain_of_what_reads_them() -> None:
    base = traced(lambda x, p: np.sum(np.log(x) * np.arcsin(p)), x="n", p="n")
    seen: list[Any] = []

    def derived(a: Arrays) -> Any:
        seen.append((a["x"], a["p"]))
        return np.arcsin(a["p"]) / a["x"], np.log(a["x"]) / np.sqrt(1 - a["p"] ** 2)

    report = check_derivative(base, derived, "grad", ("x", "p"))
    assert report.passed, report
    assert all(np.min(x) > 0.1 and np.max(np.abs(p)) < 0.9 for x, p in seen)


def test_a_function_that_is_not_finite_is_tried_on_positive_inputs() -> None:
    base = traced(lambda x: np.sum(np.log(x * 3)), x="n")
    report = check_derivative(base, lambda a: 1 / a["x"], "grad", ("x",))
    assert report.passed, report
    assert "drawn from (0.2, 3.0)" in str(report)


def test_a_function_that_is_nowhere_finite_is_not_tested() -> None:
    base = traced(lambda x: np.sum(np.log(-1 - x * x)), x="n")
    report = check_derivative(base, lambda a: a["x"], "grad", ("x",))
    assert not report.passed
    assert "NOT TESTED" in str(report)


def test_facts_are_respected_and_directions_are_free() -> None:
    base = traced(lambda x, A: x @ A @ x, x="n", A="n n, symmetric")
    derived = lambda a: (2 * a["A"] @ a["x"], np.outer(a["x"], a["x"]))  # noqa: E731
    assert check_derivative(base, derived, "grad", ("x", "A")).passed


def test_a_simplex_may_be_used_by_the_derived_side() -> None:
    def loss(z: Any, y: Any) -> Any:
        return np.log(np.sum(np.exp(z))) * np.sum(y) - y @ z

    base = traced(loss, z="n", y="n, simplex")
    derived = lambda a: np.exp(a["z"]) / np.sum(np.exp(a["z"])) - a["y"]  # noqa: E731
    assert check_derivative(base, derived, "grad", ("z",)).passed


def test_a_derived_program_is_checked_without_rounding() -> None:
    base = traced(lambda x, A: x @ A @ x / 3, x="n", A="n n")
    program = vjp(base, ("x", "A"), {base.outputs[0].name: sympy.S.One})
    report = check_derivative(base, program, "grad", ("x", "A"))
    assert report.passed, report
    assert "exact rationals at n=2" in report.method


def test_an_error_below_rounding_shows_in_exact_arithmetic() -> None:
    base = traced(lambda x: np.sum(x * x * x), x="n")
    slightly_wrong = traced(lambda x: x * x * 3.0000000000000013, x="n")
    report = check_derivative(base, slightly_wrong, "grad", ("x",))
    assert not report.passed


# -- questions that cannot be answered


@pytest.mark.parametrize(
    ("kind", "wrt", "error"),
    [("grad", ("x",), NotDifferentiable), ("vjp", ("y",), UnknownName), ("vjp", ("t",), NotDifferentiable)],
)
def test_bad_questions(kind: Any, wrt: tuple[str, ...], error: type[Exception]) -> None:
    base = traced(lambda x, t: x * t, x="n", t="n, integer")
    with pytest.raises(error):
        check_derivative(base, lambda a: a["x"], kind, wrt, cotangents=("gY",))


def test_bad_points() -> None:
    base = traced(lambda x, y: np.sum(x * y), x="n", y="n")
    check = lambda **inputs: check_derivative(base, lambda a: a["y"], "grad", ("x",), inputs=inputs)  # noqa: E731
    with pytest.raises(ShapeError, match="n = 3"):
        check(x=[1.0, 2.0, 3.0], y=[1.0])
    with pytest.raises(UnknownName, match="missing"):
        check(x=[1.0])
    with pytest.raises(UnknownName, match="did you mean"):
        check(x=[1.0], y=[1.0], yy=[2.0])
    with pytest.raises(UnknownName, match="no axis"):
        check_derivative(base, lambda a: a["y"], "grad", ("x",), shapes=[{"m": 3}])
