"""Selections: the derivative goes to what was selected, in the interpreter, in kernels and beside torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.errors import UnsupportedOp


def cotangents(f: Any, **arrays: np.ndarray) -> tuple[Any, np.ndarray]:
    seed = np.random.default_rng(5).normal(size=np.shape(f(**arrays)))
    return dv.vjp(f), seed


def test_equal_entries_keep_their_order() -> None:
    x = np.random.default_rng(0).integers(0, 4, size=40) * 1.0
    f = dv.trace(np.argsort, a="n")
    np.testing.assert_array_equal(f(x), np.argsort(x, kind="stable"))
    backward, seed = cotangents(dv.trace(lambda x: np.sort(x), x="n"), x=x)
    expected = np.zeros(40)
    expected[np.argsort(x, kind="stable")] = seed
    np.testing.assert_array_equal(backward(x, seed), expected)


def test_the_first_of_equal_extremes_is_taken() -> None:
    A = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    f = dv.trace(lambda A: (A.argmax(axis=1), A.argmin(axis=1)), A="n m")
    for found, expected in zip(f(A), (A.argmax(axis=1), A.argmin(axis=1)), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.int64


def test_places_have_no_derivative_and_what_they_select_has() -> None:
    x, y = np.array([3.0, 1.0, 2.0]), np.array([10.0, 20.0, 30.0])
    gx, gy = dv.grad(dv.trace(lambda x, y: y[np.argmin(x)] ** 2, x="n", y="n"))(x, y)
    np.testing.assert_array_equal(gx, 0)
    np.testing.assert_array_equal(gy, [0, 40, 0])


TORCH: list[tuple[Callable[..., Any], str]] = [
    (lambda A: np.sort(A, axis=0), "sort(A, dim=0)[0]"),
    (lambda A: np.sort(A, axis=1)[:, ::-1][:, :2], "topk(A, 2, dim=1)[0]"),
    (lambda A: np.quantile(A, 0.3, axis=1), "quantile(A, 0.3, dim=1)"),
    (lambda A: np.cumsum(np.sort(A, axis=None)), "cumsum(sort(A.flatten())[0], dim=0)"),
    (lambda A: np.take_along_axis(A, A.argmax(axis=1)[:, None], axis=1), "take_along_dim(A, A.argmax(dim=1)[:, None], dim=1)"),
    (lambda A: np.median(A[:, :3], axis=1), "median(A[:, :3], dim=1)[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "theirs"), TORCH, ids=[text for _, text in TORCH])
def test_gradients_are_those_of_torch(fn: Callable[..., Any], theirs: str) -> None:
    torch = pytest.importorskip("torch")
    A = np.random.default_rng(1).normal(size=(5, 7))
    backward, seed = cotangents(dv.trace(fn, A="n m"), A=A)
    T = torch.tensor(A, requires_grad=True)
    names = {
        name: getattr(torch, name)
        for name in ("sort", "topk", "quantile", "cumsum", "take_along_dim", "median")
    }
    (expected,) = torch.autograd.grad(eval(theirs, names, {"A": T}), T, torch.tensor(seed))
    np.testing.assert_allclose(backward(A, seed), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(backward.compile()(A, seed), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("parallel", [False, True])
def test_integer_extremes_in_kernels(parallel: bool) -> None:
    A = np.random.default_rng(2).integers(0, 9, size=(4000, 30)) * 1.0
    f = dv.trace(lambda A: (A.argmax(axis=0), A.argmin(axis=1), np.argsort(A[0])), A="n m")
    found = f.compile(parallel=parallel)(A)
    for got, expected in zip(
        found, (A.argmax(axis=0), A.argmin(axis=1), np.argsort(A[0], kind="stable")), strict=True
    ):
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == np.int64


def test_slopes_of_interpolation() -> None:
    xp, fp = np.array([0.0, 1.0, 3.0]), np.array([5.0, 7.0, 3.0])
    f = dv.trace(lambda x, fp: np.interp(x, xp, fp), x="n", fp="3")
    gx, gf = dv.vjp(f)(np.array([-1.0, 0.25, 1.0, 2.0, 4.0]), fp, np.ones(5))
    np.testing.assert_allclose(gx, [0, 2, -2, -2, 0])
    np.testing.assert_allclose(gf, [1.75, 0.25 + 1 + 0.5, 0.5 + 1])


@pytest.mark.parametrize(
    ("fn", "said"),
    [
        (lambda x: np.sort(x, order="f"), "order='f'"),
        (lambda x: np.quantile(x, 0.5, method="weibull"), "method='weibull'"),
        (lambda x: np.bincount((x > 0).astype(int), minlength=2), "minlength"),
    ],
)
def test_what_is_missing_is_named(fn: Callable[..., Any], said: str) -> None:
    with pytest.raises(UnsupportedOp, match=said):
        dv.trace(fn, x="n")
