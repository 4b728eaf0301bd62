"""What would make a false claim true: the weakest conditions that are tried, each of them proved."""

import numpy as np
import pytest

import derive as dv
from derive.frontends.claim import understand_claim
from derive.ir.evaluate import evaluate
from derive.ir.facts import spec
from derive.ir.nodes import Program
from derive.prove.conditions.dependence import rational_in
from derive.prove.conditions.hypotheses import HYPOTHESES
from derive.prove.conditions.search import assumptions, closure, conditions
from derive.verify.sample import plan_sizes, sample_inputs

AB = {"A": "n n", "B": "n n"}
XY = {"x": "n", "y": "n"}


def read(claim: str, shapes: dict[str, str]) -> Program:
    return understand_claim(claim, {name: spec(axes) for name, axes in shapes.items()}).understood.program


FOUND: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
    ("grad(x'*A*x, x) == 2*A*x", {"A": "n n", "x": "n"}, ("A is symmetric",)),
    ("A*B == B*A", AB, ("A and B commute",)),
    ("(A + B)^2 == A^2 + 2*A*B + B^2", AB, ("A and B commute",)),
    ("inv(A*B) == inv(A)*inv(B)", AB, ("A and B commute",)),
    ("(A*B)' == A*B", {"A": "n n, symmetric", "B": "n n, symmetric"}, ("A and B commute",)),
    ("(A*B)' == A*B", AB, ("A and B are symmetric and A and B commute",)),
    ("grad(tr(A*X*B), X) == A*B", {**AB, "X": "n n"}, ("A is symmetric and B is symmetric",)),
    ("sum(A.*B) == tr(A*B)", AB, ("A is symmetric", "B is symmetric")),
    ("A*A' == A'*A", {"A": "n n"}, ("A is normal",)),
    ("tr(A*A'*A*A') == tr(A*A*A'*A')", {"A": "n n"}, ("A is normal",)),
    ("x'*A*x == 0", {"A": "n n", "x": "n"}, ("A is skew-symmetric",)),
    ("norm2(A*x) == norm2(x)", {"A": "n n", "x": "n"}, ("A is orthogonal",)),
    ("Q*Q == eye(n)", {"Q": "n n, orthogonal"}, ("Q is symmetric",)),
    ("A.^2 == A^2", {"A": "n n"}, ("A is diagonal",)),
    ("norm2(x + y)^2 == norm2(x)^2 + norm2(y)^2", XY, ("x and y are orthogonal",)),
    ("norm2(x + y) == norm2(x) + norm2(y)", XY, ("x and y have the same direction",)),
    ("grad(norm2(x), x) == x", {"x": "n"}, ("x has norm 1",)),
    ("sum(x - y) == sum(x)", XY, ("the entries of y add up to 0",)),
    ("norm2(c*x) == c*norm2(x)", {"x": "n", "c": ""}, ("c is nonnegative",)),
    ("log(x^2) == 2*log(x)", {"x": ""}, ("x is positive",)),
    ("c*x/norm2(c*x) == x/norm2(x)", {"x": "n", "c": ""}, ("c is positive",)),  # for c = 0 the left side has no value
    ("det(2*A) == 2*det(A)", {"A": "n n"}, ("n = 1",)),
    ("tr(inv(A)) == 1/tr(A)", {"A": "n n, invertible"}, ("n = 1",)),
    ("norm2(A*B) == norm2(A)*norm2(B)", AB, ("n = 1",)),
    ("sum(A)/n == sum(A')/m", {"A": "m n"}, ("m = n",)),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes", "found"), FOUND, ids=[c for c, _, _ in FOUND])
def test_the_weakest_condition_is_found(claim: str, shapes: dict[str, str], found: tuple[str, ...]) -> None:
    assert conditions(read(claim, shapes)) == found


@pytest.mark.parametrize(
    ("claim", "shapes"),
    [
        ("grad(x'*A*x, x) == A*x", {"A": "n n, symmetric", "x": "n"}),  # a factor is lost
        ("grad(norm2(x)^2, x) == x", {"x": "n"}),
        ("inv(A) - inv(B) == inv(A)*(A - B)*inv(B)", AB),  # for A = B both sides are 0, which says nothing
        ("x'*x == -x'*x", {"x": "n"}),
    ],
)
def test_nothing_is_said_where_both_sides_vanish(claim: str, shapes: dict[str, str]) -> None:
    assert conditions(read(claim, shapes)) == ()


@pytest.mark.parametrize(
    ("claim", "shapes", "found"),
    [
        ("(eye(n) - v*v'/(v'*v))^2 == eye(n)", {"v": "n"}, ()),  # at v = 0 it has no value
        ("-sum(p.*log(q)) <= -sum(p.*log(p))", {"p": "n, simplex", "q": "n, simplex"}, ("p = q",)),  # log(q) of a one-hot q
    ],
)
def test_a_condition_without_values_is_not_said(claim: str, shapes: dict[str, str], found: tuple[str, ...]) -> None:
    assert dv.verify(claim, **shapes).holds_when == found


def _commuting(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two polynomials in one matrix that cannot be diagonalised: no pair of the form ``P D inv(P)``."""
    N = np.diag(np.ones(n - 1), 1) + 2 * np.eye(n)
    return N @ N + N, 3 * N - N @ N @ N + np.eye(n)


@pytest.mark.parametrize(
    "claim", ["A*B == B*A", "inv(A*B) == inv(A)*inv(B)", "(A + B)^2 == A^2 + 2*A*B + B^2"]
)
def test_what_holds_for_diagonalisable_pairs_holds_for_all_that_commute(claim: str) -> None:
    A, B = _commuting(np.random.default_rng(0), 4)
    program = read(claim, AB)
    values = evaluate(program, {"A": A, "B": B})
    left, right = (values[t.name] for t in program.outputs)
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


def test_commuting_says_nothing_of_what_is_not_rational() -> None:
    assert rational_in(read("inv(A*B) == A'*B", AB), {"A", "B"})
    assert not rational_in(read("exp(A) == B", AB), {"A"})
    assert rational_in(read("exp(A) == B", AB), {"B"})
    assert not rational_in(read("A.^0.5 == B", AB), {"A"})
    assert not rational_in(read("where(A > 0, A, B) == B", AB), {"A", "B"})


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=[f"{h.about}: {h.name}" for h in HYPOTHESES])
def test_a_hypothesis_narrows_a_program_down_to_what_it_says(hypothesis) -> None:  # type: ignore[no-untyped-def]
    """The defined arrays are computed, and looked at with NumPy."""
    program = read("A*B*x + c*y == A*A'*B*x", {**AB, **XY, "c": ""})
    rng = np.random.default_rng(4)
    for assumption in [a for a in assumptions(program) if a.hypothesis is hypothesis]:
        ways = list(hypothesis.impose(program, *assumption.subjects))
        assert ways or hypothesis.name == "normal"
        for case in (case for way in ways for case in way):
            (sizes,) = plan_sizes(case, 1)
            values = evaluate(case, sample_inputs(case, sizes, rng))
            arrays = [values.get(name) for name in assumption.subjects]
            if hypothesis.about in ("size", "two sizes"):
                assert values["A"].shape == (1, 1)
            else:
                assert SAYS[hypothesis.name](*arrays), assumption


def _multiple(x: np.ndarray, y: np.ndarray) -> bool:
    return bool(np.isclose(abs(x @ y), np.linalg.norm(x) * np.linalg.norm(y)))


SAYS = {
    "nonnegative": lambda a: (a >= 0).all(),
    "positive": lambda a: (a > 0).all(),
    "centred": lambda x: np.isclose(x.sum(), 0),
    "unit norm": lambda x: np.isclose(x @ x, 1),
    "simplex": lambda x: np.isclose(x.sum(), 1) and (x >= 0).all(),
    "binary": lambda x: np.isin(x, (0, 1)).all(),
    "one-hot": lambda x: np.isin(x, (0, 1)).all() and x.sum() == 1,
    "normal": lambda A: True,  # an independent matrix stands for the transpose
    "symmetric": lambda A: np.allclose(A, A.T),
    "skew-symmetric": lambda A: np.allclose(A, -A.T),
    "orthogonal": lambda A: np.allclose(A @ A.T, np.eye(len(A))),
    "idempotent": lambda A: np.allclose(A @ A, A),
    "projection": lambda A: np.allclose(A @ A, A) and np.allclose(A, A.T),
    "positive semidefinite": lambda A: np.linalg.eigvalsh(A).min() > -1e-12,
    "positive definite": lambda A: np.linalg.eigvalsh(A).min() > 0,
    "lower triangular": lambda A: np.allclose(A, np.tril(A)),
    "upper triangular": lambda A: np.allclose(A, np.triu(A)),
    "diagonal": lambda A: np.allclose(A, np.diag(np.diag(A))),
    "all symmetric": lambda *many: all(np.allclose(A, A.T) for A in many),
    "commute": lambda A, B: np.allclose(A @ B, B @ A),
    "orthogonal to": lambda x, y: np.isclose(np.sum(x * y), 0),
    "parallel": lambda x, y: _multiple(x, y) or not np.any(x),
    "same direction": lambda x, y: np.isclose(np.sum(x * y), np.linalg.norm(x) * np.linalg.norm(y)),
    "multiple of I": lambda A: np.allclose(A, A[0, 0] * np.eye(len(A))),
    "unit matrix": lambda A: np.allclose(A, np.eye(len(A))),
    "constant": lambda x: np.ptp(x) == 0,
    "same": lambda a, b: np.array_equal(a, b),
    "one": lambda c: c == 1,
    "zero": lambda a: not np.any(a),
}


def test_what_follows_from_what() -> None:
    program = read("A*B*x == A*x", {**AB, "x": "n"})
    assert ("symmetric", "A") in closure(program, [("one", "n")])
    assert ("commute", "A", "B") in closure(program, [("diagonal", "A"), ("diagonal", "B")])
    assert ("commute", "A", "B") not in closure(program, [("diagonal", "A"), ("symmetric", "B")])
    assert ("diagonal", "A") not in closure(program, [("symmetric", "A")])
