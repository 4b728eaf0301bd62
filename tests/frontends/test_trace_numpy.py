"""What a trace makes of a function: names, arguments, outputs, equations, steps, sizes without declarations."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest
import sympy

import derive as dv
from derive.frontends.constants import exact, rule
from derive.ir.nodes import Index


def lines(f: Any) -> list[str]:
    return str(f.program).splitlines()


# --- names


def dense(X, W, b):
    Z = X @ W + b
    return np.tanh(Z)


def helper(Z):
    E = np.exp(Z)
    return E / E.sum()


def uses_helper(x):
    P = helper(x)
    return P * x


def test_local_variables_give_their_names() -> None:
    f = dv.trace(dense, X="batch n", W="n m", b="m")
    assert lines(f) == ["U[i,k] = sum_j W[j,k]*X[i,j]", "Z[i,j] = U[i,j] + b[j]", "Y[i,j] = tanh(Z[i,j])"]


def test_variables_of_helpers_give_names_too() -> None:
    targets = [e.target.name for e in dv.trace(uses_helper, x="n").program.equations]
    assert "P" in targets and "E" in targets


def test_names_never_collide() -> None:
    def shadows(x, Y):
        n = np.sum(x * 2)
        np_ = x * n
        return np_ * Y

    f = dv.trace(shadows, x="n", Y="n")
    names = [e.target.name for e in f.program.equations]
    assert len({*names, "x", "Y", "n"}) == len(names) + 3
    np.testing.assert_allclose(f([1.0, 2.0], [1.0, 1.0]), [6, 12])


def test_an_input_that_looks_like_a_temporary_keeps_its_name() -> None:
    f = dv.trace(lambda _t0, _t: _t0 @ _t, _t0="n", _t="n")
    assert f.inputs == ("_t0", "_t")


def test_steps_point_to_the_users_line() -> None:
    f = dv.trace(dense, X="batch n", W="n m", b="m")
    wheres = {e.step.where for e in f.program.equations}
    first = dense.__code__.co_firstlineno
    assert wheres <= {f"test_trace_numpy.py:{first + 1}", f"test_trace_numpy.py:{first + 2}"}


# --- arguments and outputs


def with_defaults(x, scale=2.0, /, shift=1, *, power=2, table=(1.0, 2.0)):
    return scale * x**power + shift + table[1]


def test_arguments_without_a_shape_keep_their_defaults() -> None:
    assert dv.trace(with_defaults, x="n")([1.0, 2.0]).tolist() == [5.0, 11.0]
    f = dv.trace(with_defaults, x="n", power="")
    assert f.inputs == ("x", "power")
    np.testing.assert_allclose(f([1.0, 2.0], 3), [5, 19])
    np.testing.assert_allclose(dv.trace(with_defaults, x="n", shift="n")([1.0, 2.0], [3.0, 4.0]), [7, 14])


class Layer:
    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, x):
        return self.scale * x * np.ones(len(x))

    def method(self, x):
        return self.scale + np.arange(x.shape[0]) * x


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (functools.partial(lambda a, x: a * x, 3.0), [3, 6]),
        (Layer(2.0), [2, 4]),
        (Layer(2.0).method, [2, 4]),
        (np.square, [1, 4]),
    ],
)
def test_callables_of_every_kind(fn: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(dv.trace(fn, x="n")([1.0, 2.0]), expected)


def test_outputs_that_are_views_inputs_constants_or_the_same() -> None:
    def several(x, A):
        y = np.tanh(x)
        return y, y, x, A.T, 1.0, np.arange(3), y[None], y[:2]

    x, A = np.array([0.5, 1.0, 2.0]), np.arange(6.0).reshape(2, 3)
    f = dv.trace(several, x="n", A="m n")
    assert len(set(f.outputs)) == 8
    for found, expected in zip(f(x, A), several(x, A), strict=True):
        np.testing.assert_allclose(found, expected)
        assert np.shape(found) == np.shape(expected)


def test_a_function_that_ignores_its_input() -> None:
    assert dv.trace(lambda x: 2.5, x="n")([1.0]) == 2.5
    assert dv.trace(lambda x: len(x), x="n")([1.0, 2.0]) == 2


# --- equations


def test_transposes_slices_and_masks_need_no_equation() -> None:
    f = dv.trace(
        lambda A, x: np.where(np.arange(A.shape[0]) > 0, A.T[0, ::-1] * x[None][0], 0), A="n m", x="n"
    )
    assert len(f.program.equations) == 1


def test_reductions_over_nothing_that_varies() -> None:
    f = dv.trace(
        lambda x: np.sum(np.full(len(x), 3.0)) + np.prod(np.full(3, 2.0)) + np.ones(len(x)).max(), x="n"
    )
    assert lines(f) == ["Y = 3*n + 9"]


def test_axes_of_one_entry_are_not_summed() -> None:
    f = dv.trace(lambda x: x.sum(axis=0) + x.max(axis=0), x="1 n")
    assert all(e.reduce is None for e in f.program.equations)


def test_positivity_is_noticed() -> None:
    f = dv.trace(lambda x: np.log(np.exp(x).sum() + 1), x="n")
    facts = {e.target.name: e.target.facts for e in f.program.equations}
    assert any("positive" in found for found in facts.values())


def test_numbers_are_exact() -> None:
    assert exact(0.1) == sympy.Rational(1, 10)
    assert exact(math.sqrt(2 / math.pi)) == sympy.sqrt(2 / sympy.pi)
    assert exact(-math.pi / 4) == -sympy.pi / 4
    assert exact(0.5 * math.log(2 * math.pi)) == sympy.log(2 * sympy.pi) / 2
    assert exact(1e-5) == sympy.Rational(1, 100000)
    assert exact(True) == 1 and exact(-7) == -7
    assert exact(math.inf) == sympy.oo and exact(-math.inf) == -sympy.oo and exact(math.nan) is sympy.nan
    assert exact(math.nextafter(math.pi, 4)).is_Rational


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.arange(1000), "i"),
        (np.ones((50, 50)), "1"),
        (np.eye(30), "[Eq(j, i)]"),
        (np.tril(np.ones((20, 30))), "[j <= i]"),
        (np.triu(np.full((20, 20), 3.0), 1), "3*[j >= i + 1]"),
        (1 + 2 * np.arange(12).reshape(3, 4), "8*i + 2*j + 1"),
        (np.array([1.0, 1.0, 5.0]), "where(i <= 1, 1, 5)"),
        (np.array([0.1, 0.2, 0.3]), "i/10 + 1/10"),
        (np.array([[1, 0], [0, 1]]), "[Eq(j, i)]"),
        (np.zeros((0, 3)), "0"),
        (np.array([np.nan, np.nan]), "nan"),
    ],
)
def test_constant_arrays_have_a_rule(array: np.ndarray, expected: str) -> None:
    indices = tuple(Index(name, extent) for name, extent in zip("ijk", array.shape, strict=False))
    assert str(rule(array, indices)) == expected


# --- sizes without declarations


def test_ranks_come_from_the_call_and_sizes_from_the_operations() -> None:
    f = dv.trace(lambda X, W, b: np.tanh(X @ W + b))
    for shapes in [
        ((2, 3), (3, 4), (4,)),
        ((5, 3), (3, 7), (7,)),
        ((3,), (3, 4), (4,)),
        ((1, 3), (3, 4), (1,)),
        ((2, 5, 3), (3, 4), (4,)),
    ]:
        arrays = [np.random.default_rng(0).random(shape) for shape in shapes]
        np.testing.assert_allclose(f(*arrays), np.tanh(arrays[0] @ arrays[1] + arrays[2]))
    with pytest.raises(dv.ShapeError, match="axis 0"):
        f(np.ones((2, 3)), np.ones((4, 4)), np.ones(4))


def test_sizes_are_unified_through_slices_and_reshapes() -> None:
    f = dv.trace(lambda x, y, w: np.sum((x[1:] - y[:-1]) ** 2) + np.sum(x.reshape(2, -1) @ w))
    x, y, w = np.arange(6.0), np.ones(6), np.arange(3.0)
    assert f(x, y, w) == pytest.approx(np.sum((x[1:] - y[:-1]) ** 2) + np.sum(x.reshape(2, -1) @ w))
    with pytest.raises(dv.ShapeError, match="y has shape"):
        f(x, np.ones(5), w)


def test_deferred_derivatives() -> None:
    g = dv.grad(lambda x, A: x @ A @ x, "x")
    np.testing.assert_allclose(g([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]), [12, 21])
    assert "A + A'" in str(g)


def test_an_integer_array_is_used_as_an_index_without_a_declaration() -> None:
    f = dv.trace(lambda E, t: E[t] * 2)
    np.testing.assert_allclose(f(np.arange(6.0).reshape(3, 2), np.array([2, 0])), [[8, 10], [0, 2]])
