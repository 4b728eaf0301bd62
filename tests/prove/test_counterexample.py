"""Counterexamples: found for scalars and between the integers, smallest first, false by exact values."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import derive as dv
from derive.ir.nodes import Program
from derive.prove.counterexample import DRAWS, Arrays, point


def at(claim: str, **shapes: str) -> dict[str, object]:
    """The values of the variables in the counterexample to a claim."""
    verdict = dv.verify(claim, **shapes)
    assert verdict.status == "REFUTED" and verdict.counterexample is not None, str(verdict)
    return {name: np.array(value).tolist() for name, value in verdict.counterexample.arrays.items()}


def test_declared_scalars_leave_the_rationals() -> None:
    assert at("log(x + e) == log(x)", x=", positive", e=", positive") == {"x": 1, "e": 1}


def test_between_zero_and_one() -> None:
    found = at("1/(1 - sqrt(1 - b)) == 1", b=", positive")
    b = Fraction(str(found["b"]))
    assert 0 < b < 1 and not mpmath.almosteq(
        1 / (1 - mpmath.sqrt(1 - mpmath.mpf(b.numerator) / b.denominator)), 1
    )


def test_the_p_norm_below_one_is_no_norm() -> None:
    claim = "sum(abs(x + y).^p)^(1/p) <= sum(abs(x).^p)^(1/p) + sum(abs(y).^p)^(1/p)"
    found = at(claim, x="n", y="n", p=", positive")
    x, y, p = (np.array(found[name], dtype=object) for name in "xyp")
    x, y, p = (np.vectorize(lambda v: float(Fraction(v)))(value) for value in (x, y, p))

    def norm(v: np.ndarray) -> float:
        return float(np.sum(np.abs(v) ** p) ** (1 / p))

    assert len(x) == 2 and p < 1 and norm(x + y) > norm(x) + norm(y)


def test_entries_shrink_within_their_facts() -> None:
    assert at("a*b <= 0", a=", positive", b=", nonnegative") == {"a": 1, "b": 1}


@pytest.mark.parametrize("shape", ["", "n", "n n, symmetric", "n, simplex", "n n, orthogonal", ", positive"])
def test_entries_are_fractions_of_python_integers(shape: str) -> None:
    """Numerators of NumPy would overflow without a word, and an exact value would be none."""
    program: Program = dv.parse("sum(2*x)" if shape.startswith("n") else "2*x", x=shape).program
    rng = np.random.default_rng(0)
    (size, *_) = [*{e for t in program.inputs for e in t.shape}, None]
    points: list[Arrays | None] = [
        point(program, {size: 2} if size else {}, rng, draw) for draw in range(DRAWS)
    ]
    values = [v for arrays in points if arrays for v in np.ravel(np.asarray(arrays["x"], dtype=object))]
    assert values and all(type(Fraction(v).numerator) is int for v in values)
