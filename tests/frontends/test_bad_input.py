"""What cannot be traced is refused with a message that says what, where, and what to try; nothing is lost."""

from __future__ import annotations

import builtins
import copy
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy import zeros
from scipy import linalg, special

import derive as dv
from derive.errors import (
    DeriveError,
    DomainError,
    ShapeError,
    SpecError,
    TraceError,
    UnknownName,
    UnsupportedOp,
)

KEPT: list[Any] = []


def keep(x):
    KEPT.append(x)
    return x * 2


def add_in_place(x):
    y = np.tanh(x)
    y += 1
    return y


def assign(x):
    y = x * 2
    y[0] = 3
    return y


def fill_zeros(x):
    out = np.zeros_like(x)
    out[0] = x[0]
    return out


def fill_array(x):
    out = np.zeros(3)
    out[0] = x[0]
    return out


def branch(x):
    if np.sum(x) > 0:
        return x
    return -x


def loop_until(x):
    while np.linalg.norm(x) > 1:
        x = x / 2
    return x


def table(i):
    return np.arange(10.0)[i]


CASES: list[tuple[Callable[..., Any], dict[str, str], type, list[str]]] = [
    # axes that do not match: both named, with the user's line
    (
        lambda A, B: A @ B,
        {"A": "n m", "B": "k p"},
        ShapeError,
        ["A[n, m] (axis 1)", "B[k, p] (axis 0)", "m and k", "A @ B"],
    ),
    (
        lambda A, B: np.tanh(A) @ B,
        {"A": "n m", "B": "k p"},
        ShapeError,
        ["an intermediate[n, m]", "B[k, p]", "transpose"],
    ),
    (
        lambda a, b: a + b,
        {"a": "n", "b": "m"},
        ShapeError,
        ["add", "a[n] (axis 0)", "b[m] (axis 0)", "a + b"],
    ),
    (
        lambda a, b: np.einsum("ij,jk->ik", a, b),
        {"a": "n m", "b": "k p"},
        ShapeError,
        ["einsum", "m and k", "ij,jk->ik"],
    ),
    (
        lambda a, b: np.einsum("ij,jkl->ik", a, b),
        {"a": "n m", "b": "m p"},
        ShapeError,
        ["3 indices", "b[m, p]", "rank 2"],
    ),
    (lambda a: np.einsum("ij->ik", a), {"a": "n m"}, ShapeError, ["'ij->ik'", "'k'"]),
    (lambda a: np.einsum("ij->ii", a), {"a": "n m"}, ShapeError, ["each once"]),
    (lambda a: np.einsum("i...->i", a), {"a": "n m"}, ShapeError, ["output must have the ..."]),
    (lambda a: np.einsum("ij,jk", a), {"a": "n m"}, ShapeError, ["2 operands", "1 were given"]),
    (
        lambda a, b: np.concatenate([a, b]),
        {"a": "n m", "b": "k p"},
        ShapeError,
        ["a[n, m] (axis 1)", "b[k, p] (axis 1)"],
    ),
    (
        lambda a, b: np.concatenate([a, b]),
        {"a": "n m", "b": "k"},
        ShapeError,
        ["equally many axes", "a[n, m]", "b[k]"],
    ),
    (lambda a: 2 @ a, {"a": "n"}, ShapeError, ["matmul", "* for scalars"]),
    (
        lambda a: np.broadcast_to(a, (3, 4)),
        {"a": "n"},
        ShapeError,
        ["broadcast_to", "a[n] (axis 0)", "n and 4"],
    ),
    (lambda a: np.diagonal(a), {"a": "n m"}, ShapeError, ["diagonal", "n and m"]),
    # what is no real number, also where the radicand has a name
    (lambda x: np.sqrt(-(x**2)), {"x": "n"}, DomainError, ["root", "np.sqrt(-(x**2))"]),
    (lambda x: np.sqrt(-np.exp(x) * 2), {"x": "n"}, DomainError, ["root"]),
    # functions, options and methods without a record: named, with what is there
    (lambda x: np.linalg.eig(x), {"x": "n n"}, UnsupportedOp, ["numpy.linalg.eig", "closest", "derive/ops"]),
    (lambda x: np.sinh(np.unwrap(x)), {"x": "n"}, UnsupportedOp, ["numpy.unwrap"]),
    (lambda x: np.nanmedian(x), {"x": "n"}, UnsupportedOp, ["numpy.nanmedian", "numpy.nanmean"]),
    (lambda x, k: np.delete(x, k), {"x": "5", "k": "2, integer < 5"}, UnsupportedOp, ["numpy.delete", "places that are known"]),
    (lambda x: special.jv(1, x), {"x": "n"}, UnsupportedOp, ["scipy.special.jv"]),
    (lambda x: np.add.reduceat(x, [0, 1]), {"x": "n"}, UnsupportedOp, ["numpy.add.reduceat"]),
    (lambda x: np.left_shift(x, 1), {"x": "n, integer"}, UnsupportedOp, ["numpy.left_shift"]),
    (lambda x: x.tobytes(), {"x": "n"}, TraceError, [".tobytes()"]),
    (lambda x: x.meen(), {"x": "n"}, UnsupportedOp, ["'meen'", "'mean'"]),
    (
        lambda x: np.nansum(x, where=x > 0),
        {"x": "n"},
        UnsupportedOp,
        ["numpy.nansum", "'where'", "axis=None"],
    ),
    (lambda x: np.nansum(x, initial=3), {"x": "n"}, UnsupportedOp, ["'initial'"]),
    (lambda x: np.add(x, 1, where=x > 0), {"x": "n"}, UnsupportedOp, ["numpy.add", "where="]),
    (lambda x: np.mean(x, axes=0), {"x": "n"}, TypeError, ["axes"]),
    (lambda x: np.einsum(x, [0, "b"]), {"x": "n n"}, ShapeError, ["einsum", "'b'", "integer"]),
    (lambda x: np.insert(x, [1, 2], 0), {"x": "n"}, UnsupportedOp, ["numpy.insert", "[1, 2]", "one place"]),
    (lambda x: np.gradient(x, edge_order=2), {"x": "n"}, UnsupportedOp, ["edge_order=2", "edge_order=1"]),
    (lambda x: np.where(x > 0), {"x": "n"}, UnsupportedOp, ["np.where(condition, a, b)"]),
    (lambda x: np.linalg.norm(x, 3), {"x": "n m"}, UnsupportedOp, ["ord=3", "x[n, m]"]),
    (lambda x: np.pad(x, 1, mode="mean"), {"x": "n"}, UnsupportedOp, ["mode='mean'", "'reflect'"]),
    (lambda x: linalg.logm(x), {"x": "n n"}, TraceError, ["x[n, n]", "linalg.logm(x)", "cannot dispatch"]),
    (lambda x: np.vectorize(math.exp)(x), {"x": "n"}, TraceError, ["no numbers yet"]),
    # what needs a number
    (branch, {"x": "n"}, TraceError, ["if np.sum(x) > 0:", "branch()", "np.where(condition, a, b)"]),
    (loop_until, {"x": "n"}, TraceError, ["while np.linalg.norm(x) > 1:"]),
    (lambda x, y: x > 0 and y > 0, {"x": "", "y": ""}, TraceError, ["[x > 0]", "& and |"]),
    (lambda x, y: max(x, y), {"x": "", "y": ""}, TraceError, ["np.maximum instead of max"]),
    (lambda x: float(x), {"x": ""}, TraceError, ["float()", "behind x", "np.sqrt instead of math.sqrt"]),
    (lambda x: int(x.sum()), {"x": "n"}, TraceError, ["int()"]),
    (lambda x: complex(x), {"x": ""}, TraceError, ["complex()"]),
    (lambda x: math.sqrt(x), {"x": ""}, TraceError, ["np.sqrt"]),
    (lambda x: x.sum().item(), {"x": "n"}, TraceError, [".item()"]),
    (lambda x: 0 in x, {"x": "n"}, TraceError, ["`in`"]),
    (table, {"i": ", integer < 10"}, TraceError, ["an argument for a constant array"]),
    (lambda x: x[x > 0], {"x": "n"}, TraceError, ["boolean mask", "np.where(mask, x, 0)"]),
    (lambda x: x[x], {"x": "n"}, TraceError, ["an index must be an integer", "x[n]"]),
    (lambda x: x[1.0], {"x": "n"}, TraceError, ["an index must be an integer"]),
    (lambda x: x["a"], {"x": "n"}, TraceError, ["'a'"]),
    (lambda x: x[True], {"x": "n"}, TraceError, ["True"]),
    (lambda x: x[: x[0]], {"x": "n"}, TraceError, ["a size must be", "x[0]"]),
    (lambda x: np.zeros(x[0]), {"x": "n"}, TraceError, ["a size must be", "x[0]"]),
    (lambda x: np.arange(x[0]), {"x": "n"}, TraceError, ["a size must be"]),
    (lambda x: x[5], {"x": "3"}, ShapeError, ["index 5", "x[3]", "3 entries"]),
    (lambda x: x[[0, -4]], {"x": "3"}, ShapeError, ["index -4"]),
    (lambda x: x[0, 0], {"x": "n"}, ShapeError, ["2 indices", "x[n]"]),
    (lambda x: x[..., ...], {"x": "n"}, ShapeError, ["Ellipsis"]),
    (lambda x: x[:: len(x)], {"x": "n"}, UnsupportedOp, ["step"]),
    # what would change an array
    (add_in_place, {"x": "n"}, TraceError, ["y[n]", "x = x + y instead of x += y"]),
    (assign, {"x": "n"}, TraceError, ["assignment into y[n]", "np.where(mask, new, old)"]),
    (fill_zeros, {"x": "n"}, TraceError, ["assignment into out[n]"]),
    (fill_array, {"x": "n"}, TraceError, ["x[0]", "np.stack instead of filling"]),
    (lambda x: np.empty(x.shape), {"x": "n"}, TraceError, ["numpy.empty", "filled"]),
    (
        lambda x: x * np.random.default_rng(0).random(x.shape),
        {"x": "n"},
        TraceError,
        ["for random numbers, an argument"],
    ),
    (lambda x: np.add(x, 1, out=x), {"x": "n"}, TraceError, ["numpy.add with out="]),
    (lambda x: np.sum(x, out=np.zeros(())), {"x": "n"}, TraceError, ["numpy.sum with out="]),
    (lambda x: np.add.at(x, [0], 1), {"x": "n"}, TraceError, ["numpy.add.at"]),
    (lambda x: np.copyto(x, 1), {"x": "n"}, TraceError, ["numpy.copyto"]),
    (lambda x: x.sort(), {"x": "n"}, TraceError, ["x[n].sort()"]),
    # values that are none
    (lambda x: x * 1j, {"x": "n"}, TraceError, ["complex constant 1j"]),
    (lambda x: np.array([1j, 2]) * x, {"x": "2"}, TraceError, ["complex constant"]),
    (lambda x: x.astype(complex), {"x": "n"}, TraceError, ["complex128"]),
    (lambda x: x + "a", {"x": "n"}, TraceError, ["'a' of type str"]),
    (lambda x: x + None, {"x": "n"}, TraceError, ["None of type NoneType"]),
    (lambda x: x / 0, {"x": "n"}, DomainError, ["division by 0", "x / 0"]),
    (lambda x: np.sqrt(-len(x)) * x, {"x": "n"}, DomainError, ["root", "np.sqrt(-len(x))"]),
    (lambda x: (x > 0) - (x > 1), {"x": "n"}, TraceError, ["boolean subtract"]),
    (
        lambda x: x * np.random.default_rng(0).random(100),
        {"x": "100"},
        UnsupportedOp,
        ["shape (100,)", "argument"],
    ),
    (lambda x: x + KEPT[0], {"x": "n"}, TraceError, ["kept from an earlier call", "argument"]),
    # axes and shapes
    (lambda x: x.sum(axis=2), {"x": "n m"}, ShapeError, ["axis 2", "x[n, m]", "2 axes"]),
    (lambda x: x.sum(axis=1.5), {"x": "n m"}, ShapeError, ["1.5"]),
    (lambda x: x.sum(axis=(0, -2)), {"x": "n m"}, ShapeError, ["twice"]),
    (lambda x: x.transpose(0, 0), {"x": "n m"}, ShapeError, ["each of its axes once"]),
    (lambda x: np.expand_dims(x, (0, 0)), {"x": "n"}, ShapeError, ["at most once"]),
    (lambda x: np.squeeze(x, 0), {"x": "n m"}, ShapeError, ["squeeze", "x[n, m] (axis 0)"]),
    (lambda x: x.reshape(3, 2), {"x": "n m"}, ShapeError, ["x[n, m]", "(3, 2)"]),
    (lambda x: x.reshape(4, 2), {"x": "6"}, ShapeError, ["x[6]", "(4, 2)"]),
    (lambda x: x.reshape(-1, -1), {"x": "n"}, ShapeError, ["only one axis", "-1"]),
    # the function itself
    (lambda x: {"a": None}, {"x": "n"}, TraceError, ["returned no array, but a dict"]),
    (lambda x: {"a b": x}, {"x": "n"}, TraceError, ["the key 'a b'", "letters, digits"]),
    (lambda x: None, {"x": "n"}, TraceError, ["returned None"]),
    (lambda x: (), {"x": "n"}, TraceError, ["empty tuple"]),
    (lambda x: (x, None), {"x": "n"}, TraceError, ["None of type NoneType"]),
    (lambda *x: x[0], {"x": "n"}, TraceError, ["*x", "an argument of its own"]),
    (lambda x, *more: x, {"x": "n"}, TraceError, ["*more"]),
    (lambda x, y: x, {"x": "n"}, UnknownName, ["'y'", "no shape"]),
    (lambda weights: weights, {"weigts": "n"}, UnknownName, ["'weigts'", "'weights'"]),
    (lambda n: n, {"n": "n"}, SpecError, ["'n'", "an axis"]),
]


@pytest.mark.parametrize(
    ("fn", "shapes", "error", "words"), CASES, ids=[str(c[0].__code__.co_firstlineno) for c in CASES]
)
def test_is_refused_in_words(
    fn: Callable[..., Any], shapes: dict[str, str], error: type, words: list[str]
) -> None:
    KEPT.clear()
    dv.trace(keep, x="n")
    with pytest.raises(error) as caught:
        dv.trace(fn, **shapes)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if issubclass(c[2], DeriveError) and c[0].__code__.co_name != "<lambda>"],
    ids=lambda c: c[0].__name__,
)
def test_the_file_and_line_are_named(case: Any) -> None:
    with pytest.raises(DeriveError, match=r"test_bad_input\.py:\d+"):
        dv.trace(case[0], **case[1])


# --- nothing stays behind


def patched() -> list[Any]:
    return [builtins.len, np.ones, np.arange, np.array, np.asarray, special.softmax, zeros]


def uses_zeros(x):
    return x + zeros(x.shape[0])


def fails_within(x):
    with pytest.raises(DeriveError):
        dv.trace(lambda y: y @ y + zeros(len(y)) @ branch(y), y="n")
    assert len(x) is not None
    return x + np.ones(len(x)) + zeros(x.shape[0])


def test_nothing_stays_patched() -> None:
    before = patched()
    dv.trace(uses_zeros, x="n")
    dv.trace(fails_within, x="n")
    for fn, shapes, error, _ in CASES:
        with pytest.raises(error):
            dv.trace(fn, **shapes)
    assert all(a is b for a, b in zip(before, patched(), strict=True))
    assert globals()["zeros"] is np.zeros


def test_nothing_stays_patched_after_an_interrupt() -> None:
    def interrupted(x):
        raise KeyboardInterrupt

    before = patched()
    with pytest.raises(KeyboardInterrupt):
        dv.trace(interrupted, x="n")
    assert all(a is b for a, b in zip(before, patched(), strict=True))


def test_an_error_of_the_users_own_is_not_hidden() -> None:
    def refuses(x):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        dv.trace(refuses, x="n")


def test_threads_trace_at_the_same_time() -> None:
    before = patched()
    found: list[Any] = []

    def work() -> None:
        for _ in range(5):
            found.append(dv.trace(uses_zeros, x="n")([1.0, 2.0]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert all((value == [1, 2]).all() for value in found)
    assert all(a is b for a, b in zip(before, patched(), strict=True))


def test_a_traced_array_copies_and_prints_as_itself() -> None:
    def prints(x):
        assert copy.deepcopy(x) is x and copy.copy(x) is x
        assert f"{x:.3f}" == "x[n]" and repr(x) == "Traced(x[n])"
        assert not hasattr(x, "iloc")
        return x

    dv.trace(prints, x="n")


def test_a_traced_program_pickles() -> None:
    f = dv.trace(lambda X, t: np.where(np.tril(X) > 0, X[t], 0).sum(), X="n n", t="n, integer < n")
    again = pickle.loads(pickle.dumps(f.program))
    assert again == f.program
    assert str(again) == str(f.program)
    assert copy.deepcopy(f.program) == f.program


def test_a_missing_error_would_be_noticed() -> None:
    with pytest.raises(BaseException, match="DID NOT RAISE"):
        test_is_refused_in_words(lambda x: x, {"x": "n"}, TraceError, [])
