"""A traced or derived function called within another that is traced becomes part of it."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.deferred import PerSize

RNG = np.random.default_rng(0)


def layer(X: Any, W: Any) -> Any:
    Z = X @ W
    return np.tanh(Z)


def critic(x: Any, W: Any, v: Any) -> Any:
    return np.sum(np.tanh(W @ x) * v)


CRITIC = {"x": "n", "W": "m n", "v": "m"}


@pytest.mark.parametrize("compiled", [False, True])
def test_layers_compose(compiled: bool) -> None:
    inner: Any = dv.trace(layer, X="batch n", W="n m")
    inner = inner.compile() if compiled else inner
    f = dv.trace(lambda X, W1, W2: inner(inner(X, W1), W=W2), X="batch n", W1="n m", W2="m k")
    assert str(f) == "Z = X W1\nY = tanh(tanh(Z) W2)"
    X, W1, W2 = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=(2, 5))
    np.testing.assert_allclose(f(X, W1, W2), np.tanh(np.tanh(X @ W1) @ W2), rtol=1e-14)
    np.testing.assert_allclose(f.compile()(X, W1, W2), np.tanh(np.tanh(X @ W1) @ W2), rtol=1e-14)
    assert dv.check(dv.vjp(f)).passed


def test_composing_is_the_same_as_writing_it_out() -> None:
    inner = dv.trace(layer, X="batch n", W="n m")
    shapes = {"X": "batch n", "W1": "n m", "W2": "m k"}
    composed = dv.trace(lambda X, W1, W2: np.sum(inner(inner(X, W1), W2)), **shapes)
    plain = dv.trace(lambda X, W1, W2: np.sum(layer(layer(X, W1), W2)), **shapes)
    assert len(dv.grad(composed).index().splitlines()) == len(dv.grad(plain).index().splitlines())


def test_a_gradient_penalty() -> None:
    slope = dv.grad(dv.trace(critic, **CRITIC), "x")

    def penalty(x: Any, W: Any, v: Any) -> Any:
        return (np.sqrt(np.sum(slope(x, W, v) ** 2)) - 1) ** 2

    f = dv.trace(penalty, **CRITIC)
    assert str(f) == "Y = (‖W' (v ∘ (1 − tanh(W x)²))‖ − 1)²"
    for kind in (dv.grad, dv.hvp):
        assert dv.check(kind(f, ["W", "v"])).passed


def test_a_function_that_is_traced_when_called() -> None:
    slope = dv.grad(critic, "x")
    f = dv.trace(lambda x, W, v: np.sum(slope(x, W, v) ** 2), **CRITIC)
    assert dv.check(dv.grad(f, "W")).passed


def test_the_hypergradient_of_two_steps_of_descent() -> None:
    def loss(w: Any, penalty: Any, X: Any, y: Any) -> Any:
        return np.sum((X @ w - y) ** 2) / 2 + np.exp(penalty) * np.sum(w**2) / 2

    slope = dv.grad(dv.trace(loss, w="n", penalty="", X="b n", y="b"), "w")

    def validation(w: Any, penalty: Any, rate: Any, X: Any, y: Any) -> Any:
        for _ in range(2):
            w = w - rate * slope(w, penalty, X, y)
        return np.sum(w**2)

    f = dv.trace(validation, w="n", penalty="", rate="", X="b n", y="b")
    assert dv.check(dv.grad(f, ["penalty", "rate"])).passed


def test_arguments_may_be_views_integers_and_numbers() -> None:
    rows = dv.trace(lambda E, tok, scale: scale * E[tok], E="v d", tok="k, integer < v", scale="")
    f = dv.trace(lambda E, tok: np.sum(np.sin(rows(E.T[:, ::-1], tok[1:], 0.5))), E="d v", tok="k, integer < v")
    E, tok = RNG.normal(size=(3, 4)), np.array([0, 3, 3, 1])
    np.testing.assert_allclose(f(E, tok), np.sum(np.sin(0.5 * E.T[:, ::-1][tok[1:]])), rtol=1e-13)
    assert dv.check(dv.grad(f, "E")).passed


def test_sizes_are_those_of_the_caller() -> None:
    halves = dv.trace(lambda x: x.reshape(2, -1).sum(axis=0), x="n")
    f = dv.trace(lambda y: halves(np.concatenate([y, y])), y="k")
    np.testing.assert_allclose(f([1.0, 2.0, 3.0]), [2, 4, 6])
    one = dv.trace(layer, X="batch n", W="n m")
    g = dv.trace(lambda x, w: one(x[None], w[:, None])[0, 0], x="n", w="n")
    np.testing.assert_allclose(g([1.0, 2.0], [0.1, 0.2]), np.tanh(0.5))


def test_nested_arguments_and_results() -> None:
    step = dv.trace(lambda p, x: {"y": x @ p["W"] + p["b"]}, p={"W": "n m", "b": "m"}, x="n")
    f = dv.trace(lambda p, x: np.sum(step(p, x)["y"] ** 2), p={"W": "n m", "b": "m"}, x="n")
    assert dv.check(dv.grad(f, "p")).passed


def test_linear_algebra_and_constants() -> None:
    solve = dv.trace(lambda A, b: np.linalg.solve(A, b), A="n n", b="n")
    f = dv.trace(lambda A, b: np.sum(solve(A, b) ** 2), A="n n", b="n")
    assert str(f) == "Y = ‖A⁻¹ b‖²"
    assert dv.check(dv.grad(f)).passed


def test_within_the_step_of_a_scan() -> None:
    cell = dv.trace(lambda h, x, W: np.tanh(W @ h + x), h="n", x="n", W="n n")

    def rnn(cell: Any) -> Any:
        def run(h0: Any, xs: Any, W: Any) -> Any:
            def step(h: Any, x: Any) -> Any:
                new = cell(h, 2 * x, W)
                return new, new

            last, _ = dv.scan(step, h0, xs)
            return np.sum(last**2)

        return dv.trace(run, h0="n", xs="T n", W="n n")

    h0, xs, W = RNG.normal(size=3), RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))
    plain = rnn(lambda h, x, W: np.tanh(W @ h + x))
    np.testing.assert_allclose(rnn(cell)(h0, xs, W), plain(h0, xs, W), rtol=1e-13)
    for found, expected in zip(dv.grad(rnn(cell))(h0, xs, W), dv.grad(plain)(h0, xs, W), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_function_per_size_makes_its_caller_one() -> None:
    def horner(c: Any, x: Any) -> Any:
        y = 0 * x
        for k in range(c.shape[0]):
            y = y * x + c[k]
        return y

    inner = dv.trace(horner, c="n", x="m")
    known = dv.trace(lambda a, x: np.sum(inner(a, x)), a="3", x="m")
    open_ = dv.trace(lambda a, x: np.sum(inner(a, x)), a="k", x="m")
    assert not isinstance(known, PerSize) and list(open_.needs) == ["k"]
    assert known([1.0, 2, 3], [2.0]) == open_([1.0, 2, 3], [2.0]) == 11


def test_what_does_not_fit_is_said_in_the_callers_words() -> None:
    inner = dv.trace(layer, X="batch n", W="n m")
    with pytest.raises(dv.ShapeError, match=r"X of layer\(\) was declared \[batch, n\]; found x\[k\] with 1 axes"):
        dv.trace(lambda x, W: inner(x, W), x="k", W="k m")
    with pytest.raises(dv.ShapeError, match=r"W of layer\(\).*extents k and n"):
        dv.trace(lambda x, W: inner(x, W), x="b k", W="n m")
    rows = dv.trace(lambda E, tok: E[tok], E="v d", tok="k, integer < v")
    with pytest.raises(dv.TraceError, match=r"tok of .* is integer; found the real x"):
        dv.trace(lambda E, x: rows(E, x), E="v d", x="k")


def test_a_closure_over_arrays_of_the_function_around_it() -> None:
    def validation(w: Any, penalty: Any, rate: Any, X: Any, y: Any) -> Any:
        def loss(w: Any) -> Any:
            return np.sum((X @ w - y) ** 2) / X.shape[0] + np.exp(penalty) * np.sum(w**2)

        slope = dv.grad(loss)
        for _ in range(2):
            w = w - rate * slope(w)
        return np.sum(w**2)

    f = dv.trace(validation, w="n", penalty="", rate="", X="b n", y="b")
    assert "X' (X w − y) / b" in str(f)
    assert dv.check(dv.grad(f, ["penalty", "rate", "X"])).passed


def test_a_step_of_newtons_method() -> None:
    def newton(x: Any, A: Any) -> Any:
        def energy(z: Any) -> Any:
            return z @ A @ z / 2 + np.sum(np.exp(z))

        return x - np.linalg.solve(dv.hessian(energy)(x), dv.grad(energy)(x))

    f = dv.trace(newton, x="n", A="n n, symmetric")
    np.testing.assert_allclose(f(np.zeros(2), np.eye(2)), [-0.5, -0.5])


def test_descent_as_a_scan_over_a_closure() -> None:
    def descend(w0: Any, penalty: Any, X: Any, y: Any, rates: Any) -> Any:
        slope = dv.grad(lambda w: np.sum((X @ w - y) ** 2) / 2 + penalty * np.sum(w**2) / 2)
        w, _ = dv.scan(lambda w, rate: (w - rate * slope(w), rate), w0, rates)
        return np.sum(w**2)

    f = dv.trace(descend, w0="n", penalty="", X="b n", y="b", rates="T")
    assert "w_t − rates_t (penalty w_t + X' (X w_t − y))" in str(f)
    assert dv.check(dv.grad(f, ["penalty", "rates"])).passed


def test_what_a_closure_sees_is_never_stale() -> None:
    def fn(x: Any) -> Any:
        scale = x
        slope = dv.grad(lambda z: np.sum(scale * z**2))
        first = slope(x)
        scale = 3 * x
        return first + slope(x)

    np.testing.assert_allclose(dv.trace(fn, x="n")([1.0, 2.0]), [8, 32])


def test_closures_over_integers_and_sizes() -> None:
    def fn(x: Any, tok: Any) -> Any:
        counts = dv.grad(lambda z: np.sum(z[tok]) * len(tok))(x)
        ones = dv.vjp(lambda z: np.concatenate([z, np.zeros(tok.shape[0])]))(x, np.ones(x.shape[0] + len(tok)))
        return counts + ones

    f = dv.trace(fn, x="n", tok="k, integer < n")
    np.testing.assert_allclose(f([1.0, 2.0, 3.0], [0, 0, 1]), [7, 4, 1])


def test_a_loop_over_a_size_of_the_function_around() -> None:
    def fn(x: Any, c: Any) -> Any:
        return dv.grad(lambda z: np.sum(sum(c[k] * z**k for k in range(c.shape[0]))))(x)

    f = dv.trace(fn, x="n", c="m")
    assert list(f.needs) == ["m"]
    np.testing.assert_allclose(f([2.0], [5.0, 1.0, 1.0]), [5.0])


def test_an_array_of_an_earlier_trace_is_refused() -> None:
    kept: list[Any] = []
    dv.trace(lambda x: kept.append(x) or x, x="n")
    with pytest.raises(dv.TraceError, match="kept from an earlier call"):
        dv.trace(lambda y: dv.grad(lambda z: np.sum(z * kept[0]))(y), y="n")


class Through:
    """A function with the arguments of another that calls something else."""

    def __init__(self, fn: Any, call: Any) -> None:
        self.call, self.__name__, self.__signature__ = call, fn.__name__, inspect.signature(fn)

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)


@pytest.mark.parametrize("name", ["attention", "multi_head_causal_attention", "layer_norm", "lstm_cell", "rnn_step"])
def test_a_layer_that_is_called_is_the_layer(name: str) -> None:
    layers = importlib.import_module("layers")
    fn, shapes = getattr(layers, name), layers.SHAPES[name]
    plain = dv.trace(fn, **shapes)
    called = dv.trace(Through(fn, plain), **shapes)
    assert str(called) == str(plain)
    assert str(dv.vjp(called)) == str(dv.vjp(plain))
