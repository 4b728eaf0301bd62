"""Parts of an axis are not the axis: what is known of a whole matrix, or of a whole sum, is not used on a slice of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv


def softmax(X: Any) -> Any:
    E = np.exp(X)
    return E / np.sum(E, axis=1, keepdims=True)


SLICES: list[tuple[str, Callable[..., Any], dict[str, str]]] = [
    ("determinant", lambda A: np.linalg.det(A[:-1, :-1]), {"A": "n n"}),
    ("inverse", lambda A: np.sum(np.linalg.inv(A[:-1, :-1]) ** 2), {"A": "n n"}),
    ("solution", lambda A: np.sum(np.linalg.solve(A[:2, :2], A[:2, 2]) ** 2), {"A": "n n"}),
    ("beside its inverse", lambda A: np.sum((np.linalg.inv(A)[:, :-1] @ A[:-1, :]) ** 2), {"A": "n n"}),
    ("inside its inverse", lambda A: np.sum((np.linalg.inv(A)[:, :2] @ A[:2, :]) ** 2), {"A": "n n"}),
    ("rows of a softmax", lambda A: np.sum(softmax(A)[:, :-1] ** 2 * np.sum(softmax(A)[:, :-1])), {"A": "n m"}),
    ("sum of a softmax", lambda A: np.sum(np.log(np.sum(softmax(A)[:, :2], axis=1))), {"A": "n m"}),
    ("diagonal of a softmax", lambda A: np.trace(softmax(A)) ** 2, {"A": "n n"}),
    ("product", lambda A: np.linalg.slogdet(A[:-1, :-1] @ A[:-1, :-1])[1], {"A": "n n"}),
    ("product of parts", lambda A: np.linalg.slogdet(A[:, :-1] @ A[:-1, :] + np.eye(A.shape[0]))[1], {"A": "n n"}),
    ("multiple", lambda A: np.linalg.det(3 * A[:-1, :-1]), {"A": "n n"}),
    ("inverse of a part of the inverse", lambda A: np.sum(np.linalg.inv(np.linalg.inv(A)[:-1, :-1])), {"A": "n n"}),
    ("columns of the unit", lambda A: np.sum(np.linalg.solve(A, np.eye(A.shape[0])[:, :-1]) ** 2), {"A": "n n"}),
]  # fmt: skip


@pytest.mark.parametrize(("f", "shapes"), [case[1:] for case in SLICES], ids=[case[0] for case in SLICES])
def test_value_and_gradient_of_slices(f: Callable[..., Any], shapes: dict[str, str]) -> None:
    A = np.random.default_rng(3).normal(size=(4, 4)) + 2 * np.eye(4)
    traced = dv.trace(f, **shapes)
    np.testing.assert_allclose(traced(A), f(A), rtol=1e-9)
    gradient = np.asarray(dv.grad(traced, "A")(A))
    step = 1e-6
    expected = np.empty_like(A)
    for place in np.ndindex(*A.shape):
        E = np.zeros_like(A)
        E[place] = step
        expected[place] = (f(A + E) - f(A - E)) / (2 * step)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("fact", "f"),
    [
        ("orthogonal", lambda Q: np.linalg.inv(Q[:, 0, :])),
        ("orthogonal", lambda Q: Q[:, 0, :].T @ Q[:, 0, :]),
        ("symmetric", lambda Q: np.linalg.inv(Q[:, 0, :]) - np.linalg.inv(Q[:, 0, :]).T),
        ("lower triangular", lambda Q: np.linalg.slogdet(Q[:, 0, :] + 2 * np.eye(3))[1]),
    ],
)
def test_facts_are_of_the_last_two_axes(fact: str, f: Callable[..., Any]) -> None:
    Q = np.random.default_rng(4).normal(size=(3, 3, 3))
    if fact == "orthogonal":
        Q = np.linalg.qr(Q)[0]
    elif fact == "symmetric":
        Q = Q + np.swapaxes(Q, 1, 2)
    else:
        Q = np.tril(Q)
    np.testing.assert_allclose(dv.trace(f, Q=f"3 3 3, {fact}")(Q), f(Q), rtol=1e-9)
