"""Counterexamples: found for scalars and between the integers, smallest first, false by exact values."""

from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
import pytest

import derive as dv
from derive.errors import UnsupportedOp
from derive.ir.facts import spec
from derive.ir.nodes import Program
from derive.ops.linalg import _exact
from derive.prove.points.counterexample import DRAWS, Arrays, point
from derive.prove.points.fields import BALL
from derive.verify.sample import sample


def at(claim: str, **shapes: str) -> dict[str, Any]:
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


def test_weights_and_matrices_shrink_within_their_facts() -> None:
    weights = at(
        "sum(p.*log(p./q)) == sum(p.*log2(p./q))", p="n, simplex, positive", q="n, simplex, positive"
    )
    for value in weights.values():
        exact = [Fraction(x) for x in value]
        assert sum(exact) == 1 and min(exact) > 0 and max(x.denominator for x in exact) <= 3
    A = np.array(at("tr(A*A) <= tr(A)^2", A="n n, symmetric, invertible")["A"])
    assert (A == A.T).all() and np.linalg.det(A) != 0 and np.trace(A @ A) > np.trace(A) ** 2
    assert len(A) == 2 and set(A.flat) <= {-1, 0, 1}


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


# -- eigenvalues and singular values


def test_the_condition_number_is_no_ratio_of_eigenvalues() -> None:
    claim = "max(svdvals(A))/min(svdvals(A)) == max(eigvalsh(A))/min(eigvalsh(A))"
    A = np.array(at(claim, A="n n, symmetric, invertible")["A"], dtype=float)
    w = np.linalg.eigvalsh(A)
    assert not np.isclose(np.linalg.cond(A), w[-1] / w[0])


@pytest.mark.parametrize("seed", range(40))
def test_balls_enclose_eigenvalues_and_singular_values(seed: int) -> None:
    """Small matrices of integers, often diagonal or of lower rank, against LAPACK."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 4, 2)
    A, B = rng.integers(-2, 3, (n, n)), rng.integers(-1, 2, (m, n))
    A = np.diag(np.diag(A)) if seed % 2 else A + A.T
    lift = np.frompyfunc(lambda v: BALL.lift(int(v)), 1, 1)
    try:
        w, V = _exact.eigh(BALL, np.asarray(lift(A), dtype=object))
        assert all(x.overlaps(flint.arb(y, 1e-12)) for x, y in zip(w, np.linalg.eigvalsh(A), strict=True))
        if all(x.is_finite() for x in V.flat):
            assert np.allclose(V.astype(float), np.linalg.eigh(A)[1])
    except UnsupportedOp:
        assert n == 3 and not seed % 2
    try:
        U, s, Vh = _exact.svd(BALL, np.asarray(lift(B), dtype=object))
        reference = np.linalg.svd(B, full_matrices=False)
        assert [x.shape for x in (U, s, Vh)] == [x.shape for x in reference]
        assert np.allclose(s.astype(float), reference[1], atol=1e-7)
    except UnsupportedOp:
        assert min(m, n) == 3


def test_invertible_samples_are_not_all_definite() -> None:
    tensor = spec("n n", "symmetric", "invertible").tensor("A")
    drawn = [sample(tensor, (3, 3), np.random.default_rng(seed)) for seed in range(20)]
    assert {np.sign(np.linalg.det(A)) for A in drawn} == {-1.0, 1.0}
    assert all((A == A.T).all() and np.abs(np.linalg.eigvalsh(A)).min() > 0.1 for A in drawn)
