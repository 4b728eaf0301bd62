"""What is known of a whole axis is not said of a part of it: a row of a simplex sums to 1, its first entries do not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.ir.check import check_program
from derive.verify.sample import sample

L = np.linalg
CASES: list[tuple[Callable[..., Any], dict[str, str]]] = [
    (lambda p: p[:-1].sum(), {"p": "n, simplex"}),
    (lambda P: np.trace(P), {"P": "n n, simplex"}),
    (lambda P: P[:, 1:].sum(axis=1), {"P": "m n, simplex"}),
    (lambda Q: Q[:-1].T @ Q[:-1], {"Q": "n n, orthogonal"}),
    (lambda Q: Q[:, 1:] @ Q[:, 1:].T, {"Q": "n n, orthogonal"}),
    (lambda A: L.inv(A)[:, :-1] @ A[:-1], {"A": "n n, invertible"}),
    (lambda A: A[:, :-1] @ L.inv(A)[:-1], {"A": "n n, invertible"}),
    (lambda Q: L.inv(Q[:-1, :-1]), {"Q": "n n, orthogonal"}),
    (lambda A: L.det(A[:-1, :-1]) - L.det(A), {"A": "n n"}),
    (lambda A: L.det(2 * A[:-1, 1:]), {"A": "n n"}),
    (lambda A: L.slogdet(3 * A[1:, 1:])[1], {"A": "n n, positive definite"}),
    (lambda A: L.inv(A[1:, :-1])[0], {"A": "n n"}),
    (lambda A, B: L.det(A[:-1] @ B[:, 1:]), {"A": "n n", "B": "n n"}),
    (lambda A, B: L.solve(A[:-1, :-1], B[:-1]), {"A": "n n, positive definite", "B": "n m"}),
    (lambda A: L.inv(L.inv(A)[:-1, :-1]), {"A": "n n, positive definite"}),
    (lambda A: L.eigvalsh(A[:-1, :-1]) - L.eigvalsh(A)[:-1], {"A": "n n, symmetric"}),
    (lambda A: A[:-1] * A.T[:-1], {"A": "n n, symmetric"}),
    (lambda x: (np.exp(x) / np.exp(x).sum())[:-1].sum(), {"x": "n"}),
    (lambda x: (x - x.mean())[1:].sum(), {"x": "n"}),
]


@pytest.mark.parametrize(("function", "shapes"), CASES)
def test_parts_are_not_taken_for_the_whole(function: Callable[..., Any], shapes: dict[str, str]) -> None:
    rng = np.random.default_rng(0)
    traced = dv.trace(function, **shapes)
    simple = dv.simplify(traced)
    check_program(traced.program)
    check_program(simple.program)
    sizes = {"n": 4, "m": 3}
    values = [sample(t, tuple(sizes[str(e)] for e in t.shape), rng) for t in traced.program.inputs]
    expected = function(*values)
    for found in (traced, simple):
        np.testing.assert_allclose(found(*values), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("function", "shapes"), CASES)
def test_their_derivatives_hold(function: Callable[..., Any], shapes: dict[str, str]) -> None:
    assert dv.check(dv.vjp(dv.trace(function, **shapes))).passed
