"""Forward and reverse mode, before any simplification, against complex steps through plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

from derive.calculus.jacobian import jacobian
from derive.calculus.jvp import jvp
from derive.calculus.vjp import vjp
from derive.frontends.trace_numpy import trace_numpy
from derive.ir.check import check_program
from derive.ir.evaluate import evaluate
from derive.ir.facts import spec
from derive.ir.nodes import Program
from derive.ir.numbers import COMPLEX128

from .functions import RULES, Case, Fn, H


def check_jvp(case: Case, derivative: Program) -> None:
    given = case.inputs | {f"d{w}": v for w, v in case.tangents.items()}
    values = evaluate(derivative, given)
    for output, expected in zip(derivative.outputs, case.directional(), strict=True):
        np.testing.assert_allclose(values[output.name], expected, rtol=1e-11, atol=1e-13)


def check_vjp(case: Case, derivative: Program) -> None:
    """<gY, dY> = <gX, dX>, where dY is the complex step's."""
    given = case.inputs | {f"g{n}": v for n, v in case.cotangents.items()}
    values = evaluate(derivative, given)
    left = sum(np.sum(g * d) for g, d in zip(case.cotangents.values(), case.directional(), strict=True))
    for w, output in zip(case.wrt, derivative.outputs, strict=True):
        assert np.shape(values[output.name]) == np.shape(case.inputs[w])
    right = sum(
        np.sum(values[o.name] * case.tangents[w]) for w, o in zip(case.wrt, derivative.outputs, strict=True)
    )
    np.testing.assert_allclose(left, right, rtol=1e-11, atol=1e-12)


def number(value: Any) -> str:
    return str(value[0].__code__.co_firstlineno) if isinstance(value, tuple) else ""


@pytest.mark.parametrize("rule", RULES, ids=number)
def test_forward_and_reverse_mode(rule: tuple[Fn, dict[str, str]]) -> None:
    case = Case(*rule)
    forward = jvp(case.program, case.wrt)
    backward = vjp(case.program, case.wrt, {t.name: None for t in case.program.outputs})
    check_program(forward)
    check_program(backward)
    check_jvp(case, forward)
    check_vjp(case, backward)


SECOND: list[tuple[Fn, dict[str, str]]] = [
    (lambda x, A: x @ A @ x + np.sum(np.exp(x) ** 2), {"x": "n", "A": "n n"}),
    (lambda x, y: np.sum(x[1:] * y[0] * x[:-1] ** 2) * y @ y, {"x": "n", "y": "m"}),
    (lambda x: np.prod(x) * np.sum(1 / x), {"x": "n"}),
    (lambda E, t: np.sum(E[t] ** 3) * E[0, 0], {"E": "n m", "t": "k, integer < n"}),
    (lambda x: np.max(x) ** 2 * np.log(np.sum(np.exp(x))), {"x": "n"}),
]


@pytest.mark.parametrize("rule", SECOND, ids=number)
def test_derivatives_of_derivatives(rule: tuple[Fn, dict[str, str]]) -> None:
    """Reverse over reverse and forward over reverse, against a complex step through the gradient."""
    case = Case(*rule)
    gradient = vjp(case.program, case.wrt, {case.program.outputs[0].name: sympy.S.One})
    check_vjp(Gradient(case, gradient), vjp(gradient, case.wrt, {t.name: None for t in gradient.outputs}))
    check_jvp(Gradient(case, gradient), jvp(gradient, case.wrt))


class Gradient(Case):
    """The gradient program itself as the function whose derivative is checked."""

    def __init__(self, case: Case, program: Program) -> None:
        rng = np.random.default_rng(3)
        self.program, self.inputs, self.wrt, self.tangents = program, case.inputs, case.wrt, case.tangents
        values = evaluate(program, case.inputs)
        self.cotangents = {t.name: rng.standard_normal(values[t.name].shape) for t in program.outputs}

    def directional(self) -> list[Any]:
        moved = {
            n: a + 1j * H * self.tangents[n] if n in self.tangents else a for n, a in self.inputs.items()
        }
        values = evaluate(self.program, moved, COMPLEX128)
        return [values[t.name].imag / H for t in self.program.outputs]


@pytest.mark.parametrize("rule", [r for r in RULES if len(r[1]) < 3][:24], ids=number)
def test_jacobians(rule: tuple[Fn, dict[str, str]]) -> None:
    case = Case(*rule)
    (output,) = case.program.outputs
    pullback = vjp(case.program, case.wrt, {output.name: None})
    program = jacobian(pullback, pullback.inputs[-1], tuple(f"J{w}" for w in case.wrt))
    check_program(program)
    values = evaluate(program, case.inputs)
    rank = np.ndim(case.cotangents[output.name])
    found = sum(
        np.tensordot(values[f"J{w}"], case.tangents[w], axes=values[f"J{w}"].ndim - rank) for w in case.wrt
    )
    np.testing.assert_allclose(found, case.directional()[0], rtol=1e-11, atol=1e-12)


# --- conventions and names


def gradient_of(fn: Fn, x: Any) -> Any:
    program, _ = trace_numpy(fn, {"x": spec("n")})
    derivative = vjp(program, ("x",), {program.outputs[0].name: sympy.S.One})
    return evaluate(derivative, {"x": np.asarray(x)})[derivative.outputs[0].name]


def test_ties_of_an_extremum_share_equally() -> None:
    np.testing.assert_allclose(gradient_of(lambda x: np.max(x), [1.0, 3.0, 3.0, 2.0]), [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(gradient_of(lambda x: np.min(x * x), [1.0, -1.0, 3.0, 2.0]), [1, -1, 0, 0])


def test_a_product_with_zeros_has_a_gradient() -> None:
    np.testing.assert_allclose(gradient_of(lambda x: np.prod(x), [2.0, 0.0, 3.0]), [0, 6, 0])
    np.testing.assert_allclose(gradient_of(lambda x: np.prod(x), [0.0, 0.0, 3.0]), [0, 0, 0])


def test_a_branch_that_is_not_taken_does_not_poison_the_gradient() -> None:
    safe = gradient_of(lambda x: np.sum(np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0)), [0.0, 2.0])
    np.testing.assert_allclose(safe, [0, 0.5])


def test_new_names_avoid_those_there_are() -> None:
    program, _ = trace_numpy(lambda x, gx, dx: x * gx + dx, {name: spec("n") for name in ("x", "gx", "dx")})
    for derivative in (jvp(program, ("x", "gx")), vjp(program, ("x", "gx"), {program.outputs[0].name: None})):
        check_program(derivative)


# --- the tests notice what is wrong


def spoiled(program: Program, change: Callable[[sympy.Expr], sympy.Expr]) -> Program:
    last = program.equations[-1]
    return replace(program, equations=(*program.equations[:-1], replace(last, body=change(last.body))))


@pytest.mark.parametrize(
    "change", [lambda b: -b, lambda b: 2 * b, lambda b: b * (1 + sympy.Rational(1, 10**8))]
)
def test_a_wrong_rule_would_be_noticed(change: Callable[[sympy.Expr], sympy.Expr]) -> None:
    case = Case(*RULES[1])
    with pytest.raises(AssertionError):
        check_jvp(case, spoiled(jvp(case.program, case.wrt), change))
    with pytest.raises(AssertionError):
        check_vjp(case, spoiled(vjp(case.program, case.wrt, {case.program.outputs[0].name: None}), change))
