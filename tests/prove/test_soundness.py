"""Claims that once were verified and are false, or were refuted and are true: neither the proof nor the verdict may be wrong."""

from fractions import Fraction

import flint
import numpy as np
import pytest

import derive as dv
from derive.frontends.claim import understand_claim
from derive.ir.facts import IMPLIES, SQUARE, TRIANGULAR, spec
from derive.prove.ladder import proved
from derive.prove.points.anywhere import differ, with_facts
from derive.prove.points.balls import precision
from derive.prove.points.exact_facts import have_facts

FALSE: list[tuple[str, dict[str, str]]] = [
    # a part of an axis is not the axis
    ("sum(p[:-1]) == 1", {"p": "n, simplex"}),
    ("sum(p[0:2]) == 1", {"p": "n, simplex"}),
    ("tr(P) == 1", {"P": "n n, simplex"}),
    ("Q[:-1,:].T @ Q[:-1,:] == np.eye(n)", {"Q": "n n, orthogonal"}),
    ("inv(A)[:,:-1] @ A[:-1,:] == np.eye(n)", {"A": "n n, invertible"}),
    ("inv(Q[:-1,:-1]) == Q[:-1,:-1].T", {"Q": "n n, orthogonal"}),
    ("inv(Q[:,0,:]) == Q[:,0,:].T", {"Q": "n n n, orthogonal"}),
    ("inv(Q[:,:,0,0]) == Q[:,:,0,0].T", {"Q": "n n m m, orthogonal"}),
    ("det(A[:-1,:-1]) == det(A)", {"A": "n n"}),
    ("inv(A[:-1,:-1])[0,0] == inv(A)[0,0]", {"A": "n n, invertible"}),
    ("np.linalg.eigvalsh(A[:-1,:-1])[0] == np.linalg.eigvalsh(A)[0]", {"A": "n n, symmetric"}),
    ("det(c*eye(n))*sum(x)*sum(y) == det(c*eye(m))*sum(x)*sum(y)", {"x": "n", "y": "m", "c": ""}),
    # a sum of no terms is not positive
    ("sign(np.sum(exp(x[1:]))) == 1", {"x": "n"}),
    # true near the origin, for positive numbers or definite matrices
    ("max(svdvals(A))/min(svdvals(A)) == max(eigvalsh(A))/min(eigvalsh(A))", {"A": "n n, symmetric, invertible"}),
    ("sum(abs(eigvalsh(A))) == sum(eigvalsh(A))", {"A": "n n, symmetric, invertible"}),
    ("arcsin(sin(x)) == x", {"x": ""}),
    ("arctan(tan(x)) == x", {"x": ""}),
    ("arctan2(y, x) == arctan(y/x)", {"x": "", "y": ""}),
    ("(x^2)^b == x^(2*b)", {"x": "", "b": ""}),
    ("floor(x) == x", {"x": ""}),
    # true for the first sizes
    ("(n-1)*(n-2)*(n-3)*(n-4)*x == 0*x", {"x": "n"}),
    ("tr(A)^2 - tr(A*A) == 2*det(A)", {"A": "n n"}),
    # nearly true
    ("exp(x) + 10^(-30) == exp(x)", {"x": "n"}),
    ("exp(x) + 10^(-80) == exp(x)", {"x": "n"}),
    ("x + pi == x + 3.14159265358979323846264338327950288419716939937510", {"x": "n"}),
    # a proof that did not end
    ("grad(logdet(X), X) == inv((X + X')/2)'", {"X": "n n, invertible"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), FALSE, ids=[c for c, _ in FALSE])
def test_false(claim: str, shapes: dict[str, str]) -> None:
    understood = understand_claim(claim, {name: spec(axes) for name, axes in shapes.items()})
    assert not proved(understood.understood.program)
    assert dv.verify(claim, **shapes).status == "REFUTED"


TRUE: list[tuple[str, dict[str, str]]] = [
    ("Q[:,:-1].T @ Q[:,:-1] == np.eye(n)[:-1,:-1]", {"Q": "n n, orthogonal"}),
    ("(exp(a)*exp(b) - exp(a + b) >= 0) == 1", {"a": "", "b": ""}),
    ("max(exp(a)*exp(b), exp(a + b)) == exp(a + b)", {"a": "", "b": ""}),
    ("where(sin(a)^2 + cos(a)^2 >= 1, 1, 0) == 1", {"a": ""}),
    ("floor(sqrt(a)^2) == floor(a)", {"a": ", positive"}),
    ("0.1 + 0.2 + x == 0.3 + x", {"x": "n"}),
    ("log(x.^2) == 2*log(x)", {"x": "n, positive"}),
    ("sqrt(x)*sqrt(y) == sqrt(x*y)", {"x": ", positive", "y": ""}),
    ("abs(np.sum(exp(x[1:]))) == np.sum(exp(x[1:]))", {"x": "n"}),
]


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_true_wherever_it_is_defined(claim: str, shapes: dict[str, str]) -> None:
    assert dv.verify(claim, **shapes).status in ("PROVED", "TESTED")


# -- the machinery


def test_points_anywhere_tell_claims_apart_that_are_true_nearby() -> None:
    def seen(claim: str, **shapes: str) -> bool:
        return differ(understand_claim(claim, {n: spec(s) for n, s in shapes.items()}).understood.program)

    assert seen("arcsin(sin(x)) == x", x="")
    assert not seen("sin(arcsin(x)) == x", x="")
    assert seen("sum(abs(eigvalsh(A))) == sum(eigvalsh(A))", A="n n, symmetric")
    assert not seen("sum(abs(eigvalsh(A))) == sum(eigvalsh(A))", A="n n, positive definite")
    assert not seen("log(x*y) == log(x) + log(y)", x="", y="")


def test_a_counterexample_shows_as_many_digits_as_it_takes() -> None:
    found = dv.verify("exp(x) + 10^(-30) == exp(x)", x="n").counterexample
    assert found is not None and found.left != found.right
    np.testing.assert_allclose(float(found.left), float(found.right))


def test_the_precision_of_balls_is_put_back() -> None:
    before = flint.ctx.prec
    with pytest.raises(ZeroDivisionError), precision(200):
        raise ZeroDivisionError
    assert flint.ctx.prec == before


def test_what_a_function_needs_is_said() -> None:
    assert "A is taken to be symmetric" in dv.verify("sum(eigvalsh(A)) == tr(A)", A="n n").understood
    assert "A is taken to be positive definite" in dv.verify("cholesky(A)*cholesky(A)' == A", A="n n").understood
    assert not dv.verify("sum(eigvalsh(A)) == tr(A)", A="n n, positive definite").understood
    assert not dv.verify("inv(A)*A == eye(n)", A="n n").understood


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("log(x^2) == 2*log(x)", "x is positive"),
        ("log(a*b) == log(a) + log(b)", "a is positive"),
        ("sqrt(x)^2 == x", "x is nonnegative"),
        ("sqrt(a*b) == sqrt(a)*sqrt(b)", "a is nonnegative"),
        ("exp(log(x)) == x", "x is nonnegative"),
    ],
)
def test_a_side_without_a_value_is_not_equal_to_one_that_has_it(claim: str, holds: str) -> None:
    verdict = dv.verify(claim)
    assert verdict.status == "REFUTED" and verdict.counterexample is not None
    assert "no value" in (verdict.counterexample.left, verdict.counterexample.right)
    assert holds in verdict.holds_when
    assert dv.recheck(verdict.to_json()).confirmed


@pytest.mark.parametrize(
    ("claim", "shapes"),
    [
        ("x/x == 1", {"x": ""}),
        ("log(exp(x)) == x", {"x": ""}),
        ("grad(log(x), x) == 1/x", {"x": ""}),
        ("sum(p.*log(p./q)) == sum(p.*log(p)) - sum(p.*log(q))", {"p": "n, simplex", "q": "n, simplex"}),
        ("log(a*b) == log(a) + log(b)", {"a": ", positive", "b": ", positive"}),
        ("atanh(x) == log((1 + x)/(1 - x))/2", {"x": ""}),
    ],
)
def test_a_boundary_is_no_gap(claim: str, shapes: dict[str, str]) -> None:
    assert dv.verify(claim, **shapes).status == "PROVED"


def test_every_fact_is_drawn_anywhere() -> None:
    """A point outside of the declared domain would be taken for a counterexample, or hide one."""
    rng = np.random.default_rng(0)
    for fact in IMPLIES:
        for scale in (0.4, 4.0):
            tensor = spec("n n" if fact in SQUARE | TRIANGULAR else "n", fact).tensor("x")
            drawn = np.asarray(with_facts(tensor.facts, scale * rng.normal(size=(3,) * tensor.rank), rng))
            if fact == "orthogonal":
                np.testing.assert_allclose(drawn.T @ drawn, np.eye(3), atol=1e-12)
            elif fact == "positive semidefinite":
                assert np.linalg.eigvalsh(drawn).min() > -1e-12 and (drawn == drawn.T).all()
            elif fact == "simplex":
                assert drawn.min() >= 0 and abs(drawn.sum() - 1) < 1e-12
            else:
                fractions = np.frompyfunc(Fraction, 1, 1)(drawn)
                assert have_facts(np.asarray(fractions, dtype=object), tensor.facts), fact
