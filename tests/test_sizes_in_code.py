"""Python control flow over sizes: loops and branches that need a number are traced once for each value of the size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.deferred import PerSize

RNG = np.random.default_rng(0)


def horner(c: Any, x: Any) -> Any:
    y = 0 * x
    for k in range(c.shape[0]):
        y = y * x + c[k]
    return np.sum(y)


def by_rows(X: Any) -> Any:
    total = 0.0
    for row in X:
        total = total + (np.sum(row**2) if X.shape[1] > 3 else np.sum(row))
    return total


C, X = RNG.normal(size=3), RNG.normal(size=6)


def test_a_loop_over_a_size_is_traced_once_for_each_value() -> None:
    f = dv.trace(horner, c="n", x="m")
    for c in (C, C[:2], C[::-1]):
        np.testing.assert_allclose(f(c, X), np.sum(np.polyval(c, X)), rtol=1e-13)
    assert sorted(dict(key)["n"] for key in f.traced) == [2, 3]


def test_only_the_size_that_is_needed_becomes_a_number() -> None:
    f = dv.trace(horner, c="n", x="m").at(n=3)
    assert f.program.inputs[0].shape == (3,)
    assert [str(s) for s in f.program.sizes] == ["m"]


def test_it_says_so() -> None:
    gradient = dv.grad(dv.trace(horner, c="n", x="m"), "c")
    assert list(gradient.needs) == ["n"]
    assert "for k in range(c.shape[0]):" in gradient.needs["n"] and "test_sizes_in_code.py:" in gradient.needs["n"]
    before = str(gradient)
    assert "once for each value of n" in before and "f.at(n=5)" in before
    gradient(C, X)
    for text in (str(gradient), gradient.explain()):
        assert "for k in range(c.shape[0]):" in text and "for n = 3:\n" in text


@pytest.mark.parametrize("compiled", [False, True])
def test_derivatives_compose(compiled: bool) -> None:
    gradient = dv.grad(dv.trace(horner, c="n", x="m"), "c")
    run = gradient.compile() if compiled else gradient
    np.testing.assert_allclose(run(C, X), [np.sum(X**2), np.sum(X), 6], rtol=1e-13)
    np.testing.assert_allclose(run(c=C[:2], x=X), [np.sum(X), 6], rtol=1e-13)
    assert dv.check(run).passed
    back = dv.vjp(dv.trace(horner, c="n", x="m"), "c")
    np.testing.assert_allclose(back(C, X, 2.0), 2 * gradient(C, X))
    assert dv.hessian(dv.trace(horner, c="n", x="m"), "x")(C, X).shape == (6, 6)


def test_a_check_needs_no_call() -> None:
    report = dv.check(dv.grad(dv.trace(by_rows, X="a b")))
    assert report.passed
    assert "a = 3, b = 4" in str(report)


def test_code_is_emitted_for_one_size() -> None:
    f = dv.trace(horner, c="n", x="m")
    with pytest.raises(dv.DeriveError, match=r"value of n.*\n.*range.*\n.*f.at\(n=5\).emit\('torch'\)"):
        f.emit("torch")
    source = f.at(n=2).emit("numpy")
    assert "for n = 2." in source and "x (m)" in source


def test_a_branch_on_a_size_found_on_the_way() -> None:
    f = dv.trace(by_rows, X="a b")
    assert list(f.needs) == ["a"]
    wide, narrow = np.full((2, 5), 2.0), np.full((2, 3), 2.0)
    assert (f(wide), f(narrow)) == (40, 12)
    assert list(f.needs) == ["a", "b"]
    with pytest.raises(dv.UnknownName, match=r"missing: b; try: f.at\(a=2, b=6\)"):
        f.at(a=2)


@pytest.mark.parametrize("value", [0, -1, 2.5, "n"])
def test_a_size_is_a_positive_integer(value: Any) -> None:
    with pytest.raises(dv.ShapeError, match="n is a size of horner"):
        dv.trace(horner, c="n", x="m").at(n=value)


def test_without_shapes() -> None:
    gradient = dv.grad(by_rows)
    np.testing.assert_array_equal(gradient(np.ones((2, 5))), np.full((2, 5), 2.0))
    np.testing.assert_array_equal(gradient(np.ones((3, 2))), np.ones((3, 2)))
    assert "for n = 3, m = 2:" in str(gradient)


def test_equal_shapes_may_be_asked_for() -> None:
    f = dv.trace(lambda x, y: x + y if x.shape == y.shape else x, x="n", y="m")
    assert f([1.0, 2.0], [1.0, 1.0]).tolist() == [2, 3]
    assert f([1.0, 2.0], [1.0, 1.0, 1.0]).tolist() == [1, 2]


def test_a_size_indexes_a_list() -> None:
    f = dv.trace(lambda x: np.sum(x) * [0, 10, 20, 30][x.shape[0]], x="n")
    assert f([1.0, 1.0]) == 40


def test_what_holds_for_all_sizes_needs_no_number() -> None:
    def fn(x: Any, y: Any) -> Any:
        assert len(x) >= 1 and x.shape[0] + y.shape[0] > 1 and x.size != 0
        if x.ndim == 1 and x.shape == x.shape:
            return x / math.sqrt(len(x))
        return y

    f = dv.trace(fn, x="n", y="m")
    assert not isinstance(f, PerSize)
    assert str(f) == "Y = x / sqrt(n)"


def test_a_loop_over_a_constant_is_unrolled() -> None:
    def power(A: Any, x: Any, steps: int = 3) -> Any:
        for _ in range(steps):
            x = A @ x
        return x

    f = dv.trace(power, A="n n", x="n")
    assert str(f) == "Y = A (A (A x))" or len(f.index().splitlines()) == 3
    A, x = RNG.normal(size=(4, 4)), RNG.normal(size=4)
    np.testing.assert_allclose(f(A, x), A @ A @ A @ x)


def test_reshaping_into_a_size_that_a_loop_needs() -> None:
    def heads(x: Any) -> Any:
        parts = x.reshape(2, -1)
        return sum(parts[:, k] * k for k in range(parts.shape[1]))

    f = dv.trace(heads, x="n")
    np.testing.assert_allclose(f(np.arange(6.0)), np.arange(6.0).reshape(2, 3) @ [0, 1, 2])


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x if np.sum(x) > 0 else -x,
        lambda x: x if x[0] > x.shape[0] else -x,
        lambda x: np.sum(x) * float(x[0]),
        lambda x: [k * x for k in range(int(x[0]))],
    ],
)
def test_a_branch_on_a_value_points_to_where(fn: Any) -> None:
    with pytest.raises(dv.TraceError, match=r"np\.where"):
        dv.trace(fn, x="n")


def halvings(x: Any) -> Any:
    n, count = x.shape[0], 0
    while n > 1:
        n, count = n // 2, count + 1
    return x * count


PYTHON = [
    lambda x: x * np.array([1.0] * x.shape[0]),
    lambda x: x * np.array(x.shape[0] * [2.0]),
    lambda x: x * len("ab" * len(x)),
    lambda x: x * {3: 1.0, 4: 2.0, 5: 3.0}[x.shape[0]],
    lambda x: x * (len(x) in {3, 4}),
    lambda x: sum(k * v for k, v in enumerate(x)),
    lambda x: sum(a * b for a, b in zip(x, x[::-1], strict=True)),
    lambda x: sum(reversed(x)),
    lambda x: np.stack([*x, x[0]]),
    lambda x: x if x.shape[0] % 2 == 0 else -x,
    lambda x: sum(x[k] for k in range(x.shape[0] // 2)),
    lambda x: x * int(math.log2(len(x))),
    lambda x: x[: min(len(x), 4)],
    lambda x: x * round(len(x) / 2) + divmod(len(x), 2)[1],
    lambda x: x / math.factorial(len(x)),
    lambda x: x * np.array([1.0, 2.0, 3.0, 4.0, 5.0])[: len(x)],
    lambda x: np.concatenate(np.split(x, len(x))[::-1]),
    lambda x: x * np.prod(x.shape) * math.prod(x.shape),
    lambda x: x * math.isqrt(len(x)) + float(len(x)),
    halvings,
]


@pytest.mark.parametrize("fn", PYTHON, ids=lambda fn: f"line {fn.__code__.co_firstlineno}")
def test_sizes_mean_what_they_mean_in_python(fn: Any) -> None:
    f = dv.trace(fn, x="n")
    for n in (3, 4, 5):
        x = np.linspace(0.5, 1.5, n)
        np.testing.assert_allclose(f(x), fn(x), rtol=1e-14)
