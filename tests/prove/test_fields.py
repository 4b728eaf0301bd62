"""Balls: what they say is certain, also where the numbers inside them cannot be told apart."""

from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
import sympy

from derive.frontends.claim import understand_claim
from derive.ir.facts import spec
from derive.ir.numbers import NotExact
from derive.ops._record import Elementwise
from derive.ops.elementwise import elementwise_ops, op_of_numpy
from derive.prove.points.counterexample import violated
from derive.prove.points.fields import BALL

WIDE, NARROW = flint.arb(1, 0.125), flint.arb(1.0625, 2**-10)
"""The narrow ball lies within the wide one, above its middle."""


def balls(*values: flint.arb) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


@pytest.mark.parametrize(
    "relation", [np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal]
)
def test_overlapping_balls_cannot_be_compared(relation: np.ufunc) -> None:
    with pytest.raises(NotExact, match="overlapping"):
        BALL.compare(relation, balls(flint.arb(3), WIDE), balls(flint.arb(2), NARROW))
    exact = balls(flint.arb(3), flint.arb(2))
    assert BALL.compare(relation, exact, np.array([2, 2])).tolist() == relation([3, 2], [2, 2]).tolist()


def test_the_largest_of_overlapping_balls_contains_every_maximum() -> None:
    both = balls(NARROW, WIDE).reshape(1, 1, 2)
    for order in (both, both[..., ::-1]):
        largest, smallest = BALL.largest(order, axis=(1, 2))[0], BALL.smallest(order, axis=(1, 2))[0]
        assert largest.contains(flint.arb(1.125)) and largest.contains(flint.arb(1.0625))
        assert smallest.contains(flint.arb(0.875)) and smallest.contains(flint.arb(1.0625))


@pytest.mark.parametrize(
    "claim",
    [
        "where(sqrt(s)*sqrt(s) >= s, 1, 0) == 1",
        "where(sqrt(s)*sqrt(s) < s, 1, 0) == 0",
        "(sqrt(s)^2*sqrt(s)^2 == s^2)*exp(0*s) == exp(0*s)",
        "max(sqrt(s)*sqrt(s), s) == s",
        "sign(sqrt(s)*sqrt(s) - s) == 0",
        "floor(sqrt(s)*sqrt(s)) == s",
    ],
)
def test_what_rounding_cannot_tell_is_no_counterexample(claim: str) -> None:
    program = understand_claim(claim, {"s": spec(", positive")}).understood.program
    assert violated(program, {"s": np.array(Fraction(2), dtype=object)}, {}, "==") is None


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("scipy.special.polygamma", (0, 2), 1 - sympy.EulerGamma),
        ("scipy.special.polygamma", (1, 2), sympy.pi**2 / 6 - 1),
        ("scipy.special.loggamma", (5,), sympy.log(24)),
        ("numpy.maximum", (2, 3), sympy.Integer(3)),
        ("numpy.floor", (sympy.Rational(7, 2),), sympy.Integer(3)),
    ],
)
def test_values(name: str, arguments: tuple[sympy.Expr, ...], value: sympy.Expr) -> None:
    op = op_of_numpy(name)
    assert op is not None
    found = BALL.apply(op, *(balls(BALL.constant(sympy.sympify(a))) for a in arguments))[0]
    assert found.contains(BALL.constant(value)) or found.overlaps(BALL.constant(value))
    assert found.rad() < 1e-10


@pytest.mark.parametrize("op", [op for op in elementwise_ops() if op.definition is not None], ids=lambda op: op.name)
def test_balls_of_a_definition_hold_the_value(op: Elementwise) -> None:
    low, high = op.domain
    rng = np.random.default_rng(3)
    orders = [1] * op.constants
    for _ in range(3):
        x = rng.uniform(low, high, op.arity - op.constants)
        balls = [np.array(flint.arb(float(v)), dtype=object) for v in (*orders, *x)]
        (ball,) = np.ravel(BALL.apply(op, *balls))
        with mpmath.workdps(40):
            exact = op.high_precision(mpmath.mp, *orders, *(mpmath.mpf(v) for v in x))
            assert abs(mpmath.mpf(ball.mid().str(40, radius=False)) - exact) <= 1e-12 * (1 + abs(exact)), op.name
