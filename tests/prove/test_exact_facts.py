"""Facts are decided exactly, and no counterexample is a point at which a declared fact does not hold."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.ir.facts import IMPLIES
from derive.prove.points.exact_facts import HOLDS, have_facts
from derive.prove.verdict import Verdict


def exact(rows: Any) -> Any:
    return np.vectorize(Fraction, otypes=[object])(np.array(rows))


@pytest.mark.parametrize(
    ("fact", "has", "lacks"),
    [
        ("symmetric", [[1, 2], [2, 1]], [[1, 2], [3, 1]]),
        ("diagonal", [[1, 0], [0, 2]], [[1, 0], [1, 2]]),
        ("lower triangular", [[1, 0], [1, 2]], [[1, 1], [0, 2]]),
        ("upper triangular", [[1, 1], [0, 2]], [[1, 0], [1, 2]]),
        ("orthogonal", [[0, -1], [1, 0]], [[1, 1], [0, 1]]),
        ("invertible", [[1, 2], [0, 1]], [[1, 2], [2, 4]]),
        ("positive definite", [[2, 1], [1, 1]], [[1, 2], [2, 1]]),
        ("positive semidefinite", [[1, 1], [1, 1]], [[0, 0], [0, -1]]),
        ("positive", [1, 2], [1, 0]),
        ("nonnegative", [1, 0], [1, -1]),
        ("probability", [Fraction(1, 2), Fraction(1, 3)], [Fraction(1, 2), 1]),
        ("binary", [1, 0], [1, 2]),
        ("simplex", [[1, 0], [0, 1]], [[1, 0], [1, 1]]),
        ("one-hot", [0, 1, 0], [0, 1, 1]),
    ],
)
def test_facts(fact: str, has: Any, lacks: Any) -> None:
    assert have_facts(exact(has), [fact])
    assert not have_facts(exact(lacks), [fact])
    assert have_facts(exact([has, has]), [fact])
    assert not have_facts(exact([has, lacks]), [fact])


def test_every_fact_has_a_test() -> None:
    assert HOLDS.keys() == IMPLIES.keys()


TRUE = [
    ("tr(Q'*A*Q) == tr(A)", {"A": "n n", "Q": "n n, orthogonal"}),
    ("Q*Q' == eye(n)", {"Q": "n n, orthogonal"}),
    ("A*B == B*A", {"A": "n n, diagonal", "B": "n n, positive definite, diagonal"}),
]


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[c for c, _ in TRUE])
def test_what_is_true_under_its_facts_is_not_refuted(claim: str, shapes: dict[str, str]) -> None:
    verdict: Verdict = dv.verify(claim, **shapes)
    assert verdict.status in ("PROVED", "TESTED"), str(verdict)


@pytest.mark.parametrize("claim", ["Q*Q == eye(n)", "sum(abs(Q)) == n"])
def test_what_is_false_under_its_facts_is_refuted_where_they_hold(claim: str) -> None:
    verdict = dv.verify(claim, Q="n n, orthogonal")
    assert verdict.counterexample is not None
    assert have_facts(exact(verdict.counterexample.arrays["Q"]), ["orthogonal"])
