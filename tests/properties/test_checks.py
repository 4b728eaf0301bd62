"""The checks of the random programs catch what they are for: every kind of wrong derivative, in one entry as in all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .checks import Derived, as_tuple
from .evidence import Evidence
from .maker import Input, RandomFunction
from .programs import Seeded, make_function
from .values import Interval, Value, size

n, m = size("n"), size("m")
PRODUCT = RandomFunction(
    (Input("A", (n, n)), Input("x", (n,)), Input("c", ())),
    ("h = np.tanh(A @ x) * np.exp(c)",),
    (Value("np.sum(h * x)", (), Interval(-9, 9)),),
)
INPUTS = {"A": np.linspace(-1, 1, 16).reshape(4, 4) ** 3, "x": np.linspace(-1, 2, 4), "c": np.array(0.3)}


class Wrong:
    """A derived function whose first result has been changed."""

    def __init__(self, function: Any, change: Callable[[np.ndarray], np.ndarray]) -> None:
        self.function, self.change, self.origin = function, change, function.origin

    def __call__(self, **given: Any) -> Any:
        result = self.function(**given)
        if not isinstance(result, tuple):
            return self.change(np.asarray(result))
        return (self.change(np.asarray(result[0])), *result[1:])


def one_entry(x: np.ndarray) -> np.ndarray:
    x = np.array(x)
    x.flat[0] += 1e-5 * np.max(np.abs(x))
    return x


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "a factor": lambda x: x * (1 + 1e-5),
    "a sign": lambda x: -x,
    "a factor 2": lambda x: 2 * x,
    "one entry": one_entry,
    "nothing at all": np.zeros_like,
    "not a number": lambda x: x * np.nan,
}


@pytest.fixture(scope="module")
def derived() -> Derived:
    return Derived(PRODUCT)


def check(derived: Derived) -> None:
    derived.at(INPUTS, np.random.default_rng(0), every_entry=True)


def test_the_right_derivatives_pass(derived: Derived) -> None:
    check(derived)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("which", ["f", "vjp", "jvp", "hvp", "hessian"])
def test_a_wrong_derivative_is_caught(
    derived: Derived, monkeypatch: pytest.MonkeyPatch, which: str, change: str
) -> None:
    monkeypatch.setattr(derived, which, Wrong(getattr(derived, which), CHANGES[change]))
    with pytest.raises(AssertionError):
        check(derived)


def test_a_transposed_gradient_is_caught(derived: Derived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "vjp", Wrong(derived.vjp, np.transpose))
    with pytest.raises(AssertionError, match="vjp"):
        check(derived)


@pytest.mark.parametrize("number", range(60))
def test_the_complex_functions_are_numpys(number: int) -> None:
    """What takes NumPy's place in the complex step has NumPy's values, and its derivative is that of differences."""
    program = make_function(Seeded(number))
    random = np.random.default_rng(number)
    inputs = {i.name: i.sample(random, {size("n"): 3, size("m"): 4, size("k"): 5}) for i in program.inputs}
    evidence = Evidence(program, inputs)
    plain = as_tuple(program.function()(**inputs))
    direction = {name: random.standard_normal(np.shape(inputs[name])) for name in program.wrt}
    ends = [as_tuple(program.function()(**evidence.moved(direction, h))) for h in (1e-6, -1e-6)]
    for y, z, high, low, slope in zip(
        plain, evidence.outputs(), *ends, evidence.tangent(direction), strict=True
    ):
        np.testing.assert_allclose(z.real, y, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(slope, (high - low) / 2e-6, rtol=1e-4, atol=1e-5)
