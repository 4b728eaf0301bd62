"""Traced functions compute what NumPy computes: sizes in arithmetic, indexing, constants, booleans and integers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv

Fn = Callable[..., Any]


def agree(fn: Fn, shapes: dict[str, str], sizes: list[dict[str, int]]) -> None:
    """The traced function equals the function itself on random arrays of these sizes."""
    rng = np.random.default_rng(1)
    f = dv.trace(fn, **shapes)
    for size in sizes:
        arrays = {name: draw(axes, size, rng) for name, axes in shapes.items()}
        found, expected = f(**arrays), fn(**arrays)
        for a, b in zip(flat(found), flat(expected), strict=True):
            assert np.shape(a) == np.shape(b)
            np.testing.assert_allclose(a, np.asarray(b, dtype=float), rtol=1e-11, atol=1e-14)


def flat(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]


def draw(axes: str, size: dict[str, int], rng: np.random.Generator) -> Any:
    names, _, fact = axes.partition(",")
    shape = [size.get(a) or int(a) for a in names.split()]
    if "<" in fact:
        bound = fact.split()[-1]
        return rng.integers(size.get(bound) or int(bound), size=shape)
    return rng.random(shape) < 0.5 if "boolean" in fact else rng.uniform(0.2, 1.8, shape)


SIZES = [{"n": 6}, {"n": 7}, {"n": 4}]

ON_SIZES: list[Fn] = [
    lambda x: x / x.shape[0],
    lambda x: x * (len(x) // 2) + len(x) % 3,
    lambda x: x * (-len(x) // 2) - (-len(x) % 4),
    lambda x: x * len(x) ** 0.5 / np.sqrt(len(x) + 1),
    lambda x: x * math.ceil(len(x) / 2) + math.floor(len(x) / 3) + round(len(x) / 2),
    lambda x: x * divmod(len(x), 3)[1] + 2 ** len(x),
    lambda x: x if x.ndim == 1 and np.ndim(x) == 1 else -x,
    lambda x: x if len(x) > 0 and x.shape == x.T.shape and x.size == len(x) else -x,
    lambda x: x * (1 / x.size) if len(x) else x,
    lambda x: np.zeros(len(x) + 1).sum() + np.ones((2, x.shape[0])) * x,
    lambda x: np.mean(x) * max(x.shape) + min(x.shape),
    lambda x: x - len(x) * (len(x) - 1) / 2,
]
SLICES: list[Fn] = [
    lambda x: x[1:],
    lambda x: x[:-1],
    lambda x: x[1:-1] - 2 * x[2:] + x[:-2],
    lambda x: x[::2],
    lambda x: x[1::3],
    lambda x: x[::-1],
    lambda x: x[::-2],
    lambda x: x[-2::-1],
    lambda x: x[-3:],
    lambda x: x[:3],
    lambda x: x[len(x) // 2 :],
    lambda x: x[: len(x) // 2],
    lambda x: x[len(x) - 1],
    lambda x: x[-1] * x[0],
    lambda x: np.mean(x[::2]),
    lambda x: x[: len(x) // 2].sum() / (len(x) // 2),
    lambda x: x[None, :, None] * x[..., None],
    lambda x: x[np.newaxis][0],
    lambda x: x[::2][::-1].max(),
    lambda x: x[:2][1] + x[1:][0],
    lambda x: x[...],
    lambda x: np.tanh(x)[:2],
    lambda x: x[len(x) // 2 - 1 : len(x) // 2 + 1],
]
CONSTANTS: list[Fn] = [
    lambda x: x * np.array([1.0, 2.0, 4.0, 8.0]),
    lambda x: x @ np.array([[1, 2], [3, 4], [5, 7], [0, 1]]),
    lambda x: np.tril(np.ones((4, 4))) @ x,
    lambda x: np.where(np.array([True, False, True, False]), x, 0),
    lambda x: np.where(np.arange(4) != 1, x, 0),
    lambda x: x + np.linspace(0, 1, 4),
    lambda x: x * np.array([0.1, 0.2, 0.3, 0.4]) + np.array([0.1, 0.2, 0.5, np.inf]),
    lambda x: x[[0, 2]] + x[np.array([-1, 1])],
    lambda x: x[[3, 0, 1]],
    lambda x: np.maximum(x, [1, 0, 2, 1]),
    lambda x: x * np.eye(4, k=1) + np.eye(4)[::-1],
    lambda x: x * np.arange(64).reshape(4, 4, 4) % 7,
    lambda x: x * np.full((100, 4), 3.0) + np.zeros(4),
    lambda x: x * np.arange(400).reshape(100, 4),
    lambda x: x * np.tri(4, dtype=bool),
    lambda x: x * np.pi / np.e + math.sqrt(2 / math.pi),
    lambda x: x + np.float32(0.1) + np.int8(3) + np.bool_(True),
    lambda x: np.where(np.arange(4)[:, None] >= np.arange(4), x, -np.inf).max(axis=1),
    lambda x: np.add(np.array([x[0], x[3]]), np.stack([x[1], x[2]])),
    lambda x: sum(x) + max(x.shape) + sum(row for row in x),
    lambda x: [x[0], x[1]],
]
KINDS: list[Fn] = [
    lambda x: (x > 1) & (x < 1.5) | ~(x > 0.5),
    lambda x: (x > 1) ^ (x < 1.5),
    lambda x: ((x > 1) + (x < 1.5)) * 1.0,
    lambda x: (x > 1) * 1.0 + (x < 1.5) * 1.0,
    lambda x: (x > 1).astype(float) + (x < 1.5).astype(int),
    lambda x: ((x > 1) == (x < 1.5)) * 2 + ((x > 1) != (x < 1.5)),
    lambda x: ((x > 1) == 1) * 2 + ((x > 1) <= 0.5),
    lambda x: np.where(x == -np.inf, 0, x) + (x != np.inf) + (x != x),
    lambda x: np.maximum(x > 1, x < 0.5) * (x > 0),
    lambda x: np.sum(x > 1) / len(x),
    lambda x: (4 * x).astype(int) // 2 + (4 * x).astype(int) % 3,
    lambda x: np.arange(len(x)) // 2 * x,
    lambda x: x[np.arange(len(x)) // 2] + x[np.arange(len(x))[::-1]],
    lambda x: x[np.minimum(np.arange(len(x)) + 1, len(x) - 1)],
    lambda x: x // 0.3 + x % 0.4 - np.fmod(-x, 0.7) + divmod(x, 0.9)[0],
    lambda x: 2**x + x**x + x**-2 + x**0,
    lambda x: abs(-x) + (+x) - (-x),
    lambda x: np.add.outer(x, 2 * x) + np.multiply.outer(x, x),
    lambda x: np.subtract.outer(x, np.ones((2, 2))),
]


@pytest.mark.parametrize("fn", [*ON_SIZES, *SLICES, *KINDS], ids=lambda fn: str(fn.__code__.co_firstlineno))
def test_on_a_vector(fn: Fn) -> None:
    agree(fn, {"x": "n"}, SIZES)


@pytest.mark.parametrize("fn", [*CONSTANTS, *SLICES], ids=lambda fn: str(fn.__code__.co_firstlineno))
def test_on_four_numbers(fn: Fn) -> None:
    agree(fn, {"x": "4"}, [{}])


INDEXED: list[Fn] = [
    lambda A, i, j: A[i],
    lambda A, i, j: A[:, i],
    lambda A, i, j: A[i, j],
    lambda A, i, j: A[i, :, j],
    lambda A, i, j: A[:, i, j],
    lambda A, i, j: A[0, :, i],
    lambda A, i, j: A[0, i],
    lambda A, i, j: A[i, 0],
    lambda A, i, j: A[i, None, j],
    lambda A, i, j: A[None, i, :, j],
    lambda A, i, j: A[..., i],
    lambda A, i, j: A[i[:, None], j],
    lambda A, i, j: A[i[:, None], :, j],
    lambda A, i, j: A[1:, i, 0],
    lambda A, i, j: A[:, 0, i],
    lambda A, i, j: A[i, 1:, None, 0],
    lambda A, i, j: A[i][:, j],
    lambda A, i, j: A[np.arange(len(i)), i, j],
    lambda A, i, j: A[(i + j) % 4, i * 0 + 1],
    lambda A, i, j: A[i[0], j[1], :],
    lambda A, i, j: A[i[0], :, j],
    lambda A, i, j: A[np.maximum(i, 2)] + A[np.where(i > 1, i, 0)],
    lambda A, i, j: A[[0, -1], i[:2]],
    lambda A, i, j: A[i.reshape(-1, 1), [0, 2]],
    lambda A, i, j: A.T[i, j].T,
]


@pytest.mark.parametrize("fn", INDEXED, ids=lambda fn: str(fn.__code__.co_firstlineno))
def test_advanced_indexing(fn: Fn) -> None:
    agree(fn, {"A": "4 4 4", "i": "m, integer < 4", "j": "m, integer < 4"}, [{"m": 3}, {"m": 2}])
    agree(fn, {"A": "n n n", "i": "m, integer < 4", "j": "m, integer < 4"}, [{"n": 5, "m": 3}])


def heads(X, W, count=2):
    """A reshape into heads and back, as multi-head attention has it."""
    batch, t, D = X.shape
    d = D // count
    Q = (X @ W).reshape(batch, t, count, d).transpose(0, 2, 1, 3)
    scores = np.einsum("bhtd,bhsd->bhts", Q, Q) / np.sqrt(d)
    return (scores @ Q).swapaxes(1, 2).reshape(X.shape)


RESHAPES: list[tuple[Fn, dict[str, str], list[dict[str, int]]]] = [
    (heads, {"X": "batch t D", "W": "D D"}, [{"batch": 2, "t": 3, "D": 8}, {"batch": 1, "t": 2, "D": 2}]),
    (lambda x: x.reshape(2, -1).sum(axis=1), {"x": "n"}, [{"n": 6}, {"n": 2}]),
    (lambda x: x.reshape(-1, 3, x.shape[1] // 3), {"x": "n m"}, [{"n": 2, "m": 6}]),
    (lambda x: x.reshape(x.shape[0] * x.shape[1], -1), {"x": "n m k"}, [{"n": 2, "m": 3, "k": 4}]),
    (lambda x: x.reshape(-1).reshape(x.shape), {"x": "n m k"}, [{"n": 2, "m": 3, "k": 4}]),
    (lambda x: x.reshape(6, -1).reshape(2, -1), {"x": "n m"}, [{"n": 12, "m": 5}, {"n": 6, "m": 1}]),
    (lambda x: x.reshape(-1, 4).T.reshape(-1), {"x": "n"}, [{"n": 8}]),
    (lambda x: x.reshape(3, 2).reshape(2, 3).ravel()[::2], {"x": "6"}, [{}]),
    (lambda x: x[: len(x) // 2].reshape(len(x) // 2, 1), {"x": "n"}, [{"n": 5}, {"n": 4}]),
    (lambda x: x.reshape(1, *x.shape, 1), {"x": "n m"}, [{"n": 2, "m": 3}]),
]


@pytest.mark.parametrize(("fn", "shapes", "sizes"), RESHAPES)
def test_reshape(fn: Fn, shapes: dict[str, str], sizes: list[dict[str, int]]) -> None:
    agree(fn, shapes, sizes)


def test_splitting_and_merging_an_axis_leaves_no_trace() -> None:
    f = dv.trace(lambda x: np.tanh(x.reshape(2, -1).T.T.reshape(-1)), x="n")
    assert f.index() == "Y[i] = tanh(x[i])"


def test_an_axis_that_is_split_becomes_a_multiple() -> None:
    f = dv.trace(heads, X="batch t D", W="D D")
    assert [str(e) for e in f.program.inputs[0].shape] == ["batch", "t", "2*d"]
    with pytest.raises(dv.ShapeError, match=r"2\*d for a positive integer d, not 7"):
        f(np.ones((2, 3, 7)), np.ones((7, 7)))


TOO_SHORT: list[tuple[Fn, int]] = [
    (lambda x: x[:5].sum(), 4),
    (lambda x: x[2:], 1),
    (lambda x: x[-3:], 2),
    (lambda x: x[3] * x, 3),
]


@pytest.mark.parametrize(("fn", "n"), TOO_SHORT)
def test_arrays_that_are_too_short_are_refused(fn: Fn, n: int) -> None:
    f = dv.trace(fn, x="n")
    with pytest.raises(dv.ShapeError, match=rf"n = {n}"):
        f(np.ones(n))
    f(np.ones(n + 1))


def test_indices_out_of_range_are_refused() -> None:
    f = dv.trace(lambda E, t: E[t + 1], E="v d", t="n, integer < v")
    with pytest.raises(dv.DomainError, match=r"holds 3 at \[1\]"):
        f(np.ones((3, 2)), [0, 3])
    with pytest.raises(dv.DomainError, match="-1"):
        f(np.ones((3, 2)), [-1, 0])
    with pytest.raises(dv.DomainError, match="less than 3"):
        f(np.ones((3, 2)), [0, 2])


def test_a_large_constant_without_a_rule_is_refused_a_small_one_taken() -> None:
    values = np.random.default_rng(0).random(65)
    with pytest.raises(dv.UnsupportedOp, match="64 entries"):
        dv.trace(lambda x: x * values, x="65")
    f = dv.trace(lambda x: x * values[:64], x="64")
    np.testing.assert_array_equal(f(np.ones(64)), values[:64])


def test_a_wrong_trace_would_be_noticed() -> None:
    calls = iter(range(100))
    with pytest.raises(AssertionError):
        agree(lambda x: x * (1 + 1e-9 * next(calls)), {"x": "n"}, SIZES)
