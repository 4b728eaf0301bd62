"""Every operation against 50 digits: value, jvp, vjp and second order, with sizes of 1, 0-d arrays and broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import derive as dv
from derive.ops._record import Elementwise
from derive.ops.elementwise import elementwise_ops, op_of_numpy
from derive.ops.elementwise.exponential import sigmoid

from .conformance import EXAMPLES, Row, measure_elementwise, measure_example

VALUE, DERIVATIVE = 2e-13, 1e-24
UNDEFINED = {"numpy.corrcoef", "numpy.cov", "numpy.std", "numpy.nanstd"}
"""Operations that are 0 / 0, in value or slope, where there is one entry."""


def conforms(row: Row) -> bool:
    return row.value <= VALUE and max(row.jvp, row.vjp, row.second) <= DERIVATIVE


@pytest.mark.parametrize("op", elementwise_ops(), ids=lambda op: op.name)
def test_functions_of_scalars(op: Elementwise) -> None:
    row = measure_elementwise(op)
    assert conforms(row), row


@pytest.mark.parametrize("name", EXAMPLES)
def test_functions_of_arrays(name: str) -> None:
    row = measure_example(name)
    assert conforms(row), row


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in UNDEFINED])
def test_functions_of_arrays_with_axes_of_one_entry(name: str) -> None:
    row = measure_example(name, number=1)
    assert conforms(row), row


EMPTY: list[Callable[..., Any]] = [
    lambda A: np.tanh(A) * A,
    lambda A: A + A[:, :1],
    lambda A: A.sum(axis=0),
    lambda A: A.sum(axis=1),
    lambda A: np.prod(A),
    lambda A: A.T @ A,
    lambda A: A @ A.T,
    lambda A: np.einsum("ij,ij->j", A, A),
    lambda A: np.cumsum(A, axis=0),
    lambda A: np.concatenate([A, 2 * A]),
    lambda A: np.where(A > 1, A, A**2),
    lambda A: np.sort(A, axis=0),
    lambda A: A.reshape(-1),
]


@pytest.mark.parametrize("fn", EMPTY, ids=lambda fn: str(fn.__code__.co_firstlineno))
def test_empty_arrays(fn: Callable[..., Any]) -> None:
    f = dv.trace(fn, A="n m")
    A = np.zeros((0, 3))
    expected = fn(A)
    found = f(A)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, expected)
    gradient = dv.vjp(f)(A, np.ones(np.shape(expected)))
    assert np.shape(gradient) == (0, 3)


@pytest.mark.parametrize("wrong", [sympy.Rational(1, 10**20), sympy.S.One, -2])
def test_a_wrong_derivative_would_be_noticed(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    op = op_of_numpy("scipy.special.expit")
    assert op is not None and conforms(measure_elementwise(op))
    monkeypatch.setattr(sigmoid, "fdiff", lambda self, argindex=1: self * (1 - self) * (1 + wrong))
    sympy.core.cache.clear_cache()
    try:
        row = measure_elementwise(op)
    finally:
        sympy.core.cache.clear_cache()
    assert not conforms(row) and row.jvp > DERIVATIVE and row.second > DERIVATIVE
