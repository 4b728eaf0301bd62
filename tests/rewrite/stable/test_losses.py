"""Losses and divergences where their terms cancel, as they are run, against many digits or a form that does not cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import derive as dv

rng = np.random.default_rng(3)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max())
    return e / e.sum()


def means(x: Any) -> Any:
    return np.log(np.mean(np.exp(x)))


def first(x: Any) -> Any:
    return -np.log(1 - np.exp(x[0]) / np.sum(np.exp(x)))


@pytest.mark.parametrize("x", [rng.standard_normal(4), np.array([0.0, -270.5, -270.25, -270.5])], ids=["usual", "one"])
def test_second_derivatives_of_means_hold_the_sum_of_the_others(x: np.ndarray) -> None:
    p = softmax(x)
    others = np.array([np.delete(p, k).sum() for k in range(4)])
    want = np.where(np.eye(4, dtype=bool), p * others, -np.outer(p, p))
    found = dv.hessian(dv.trace(means, x="n"), "x")(x)
    np.testing.assert_allclose(found, want, rtol=1e-12)


def test_a_sum_without_the_entry_at_a_given_place() -> None:
    x = np.array([0.0, -270.5, -270.25, -270.5])
    found = dv.grad(dv.trace(first, x="4"), "x")(x)
    rest = softmax(x[1:])
    np.testing.assert_allclose(found, [1.0, *(-rest)], rtol=1e-12)


CLOSE: dict[str, tuple[tuple[str, str], dict[str, Any], Callable[..., Any]]] = {
    "categorical": (
        ("categorical(p)", "categorical(q)"),
        {"p": np.array([0.2, 0.3, 0.5]), "q": np.array([0.2 + 2.0**-30, 0.3 - 2.0**-30, 0.5])},
        lambda p, q: sum(a * mpmath.log(a / b) - a + b for a, b in zip(p, q, strict=True)),
    ),
    "bernoulli": (
        ("bernoulli(p)", "bernoulli(q)"),
        {"p": 0.3, "q": 0.3 + 2.0**-30},
        lambda p, q: p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q)),
    ),
}


@pytest.mark.parametrize("name", CLOSE)
def test_divergences_of_close_laws(name: str) -> None:
    laws, given, exact = CLOSE[name]
    found = dv.kl(*laws).function(**given)
    with mpmath.workdps(50):
        want = exact(*(np.vectorize(mpmath.mpf, otypes=[object])(v) if np.ndim(v) else mpmath.mpf(v) for v in given.values()))
        assert abs(found - want) < 1e-6 * want


def test_a_certain_outcome_has_a_divergence() -> None:
    f = dv.kl("bernoulli(p)", "bernoulli(q)").function
    assert f(1.0, 0.25) == pytest.approx(np.log(4), rel=1e-15)
    assert f(0.0, 0.25) == pytest.approx(-np.log1p(-0.25), rel=1e-15)
