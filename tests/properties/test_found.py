"""Small programs on which something was once wrong; random programs found them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.emit.code import MUL, Atom, chain, negative
from derive.ir.check import check_program

RNG = np.random.default_rng(0)
Derive = Callable[..., Any]


def diagonal_in_a_new_axis(x: Any) -> Any:
    v = 2 * x
    return np.diag(v)[None]


def every_second_of_two(x: Any) -> Any:
    v = x * x.sum()
    return v[::2]


@pytest.mark.parametrize(
    "program, axes, shape", [(diagonal_in_a_new_axis, "n n", (3, 3)), (every_second_of_two, "2 n", (2, 3))]
)
def test_a_view_that_is_returned_is_not_taken_for_the_whole(
    program: Derive, axes: str, shape: tuple[int, ...]
) -> None:
    x = RNG.normal(size=shape)
    np.testing.assert_allclose(dv.trace(program, x=axes)(x), program(x))


def test_a_condition_guards_what_leaves_a_sum_and_what_stays() -> None:
    def program(A: Any) -> Any:
        last = dv.scan(lambda u, v: (np.tanh(u + np.mean(np.kron(u[::-2], v))), u), A, A)[0]
        return np.sum(last)

    report = dv.check(dv.grad(dv.trace(program, A="n n"), "A"))
    assert report.passed, report


def test_a_definition_read_the_other_way_keeps_what_others_read() -> None:
    def program(A: Any) -> Any:
        a = np.average(A, axis=-1, weights=np.exp(A))
        h = a - a.mean(axis=0, keepdims=True)
        u = h / np.sqrt(np.var(a, axis=0, keepdims=True) + 0.1)
        v = np.pad(u, [(1, 2)], constant_values=0.7)
        return np.sum(np.diff(v, axis=-1, prepend=0.5) * v)

    check_program(dv.hvp(dv.trace(program, A="m n"), "A").program)


def emitted_like_interpreted(program: Derive, **shapes: str) -> None:
    """Values and gradients of the emitted file, which has a test of its own."""
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(dv.trace(program, **shapes).emit("numpy"), module)
    module["test_program_backward"]()


def test_unnamed_arrays_of_one_statement_are_told_apart() -> None:
    def program(A: Any, w: Any) -> Any:
        a = np.einsum("i,ijk,lm->ijk", A.sum(axis=-1), w, A) * 0.001
        return np.lib.stride_tricks.sliding_window_view(a, 2, axis=-3).max(axis=-1)

    emitted_like_interpreted(program, A="k k", w="k 1 k")


def test_ranks_are_integers() -> None:
    def program(x: Any) -> Any:
        v = np.sum(x, axis=1)
        return np.take_along_axis(2 * v, np.argsort(-v, axis=0), axis=0)

    emitted_like_interpreted(program, x="n m")


def test_a_list_of_places_is_of_integers() -> None:
    def program(v: Any) -> Any:
        return np.take(v**2, [2, 0, 2], axis=0)

    emitted_like_interpreted(program, v="n 3")


@pytest.mark.parametrize("n, m", [(3, 4), (4, 3)])
def test_the_diagonal_of_an_oblong_matrix(n: int, m: int) -> None:
    def program(x: Any, A: Any) -> Any:
        diagonal = np.arange(x.shape[0])[:, None] == np.arange(x.shape[1])
        return np.sum(np.where(diagonal, np.sin(A * x), A) * A)

    f = dv.trace(program, x="n m", A="k n m")
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(f.emit("numpy"), module)
    x, A = RNG.normal(size=(n, m)), RNG.normal(size=(2, n, m))
    saved = dict(zip(list("LZM"), module["program_forward"](x, A), strict=True))
    gradients = module["program_backward"](1.0, x, A, saved["Z"], saved["M"])
    for found, expected in zip(gradients, dv.grad(f, ["x", "A"])(x, A), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_truth_value_compares_states_as_they_are_stored() -> None:
    def program(x: Any, w: Any, a: Any) -> Any:
        q, e = dv.scan(lambda u, v: (np.sin(u * np.mean(v)), v - a), w, a)
        return np.where((q <= x) & (w < 0.05), e, 2 * e)

    given = {"x": 0.3, "w": 0.5, "a": RNG.normal(size=(4, 1))}
    np.testing.assert_allclose(dv.trace(program, x="", a="k 1", w="")(**given), program(**given))


def test_numpy_alias_in_a_formula() -> None:
    y = RNG.normal(size=3)
    np.testing.assert_allclose(dv.parse("np.abs(y).sum()", y="n")(y), np.abs(y).sum())


def test_a_term_with_a_delta_may_fill_the_whole_array() -> None:
    def program(x: Any) -> Any:
        h = np.eye(x.shape[-2]) + 0.1 * np.triu(x)
        return np.sum(h @ h @ h)

    emitted_like_interpreted(program, x="n n")


def test_a_minus_before_a_rounded_quotient() -> None:
    def program(x: Any) -> Any:
        return np.sum(np.quantile(x, 0.3, axis=0, keepdims=True))

    emitted_like_interpreted(program, x="k m")
    assert negative(chain(MUL, Atom("x"), [("//", Atom("3"))])).text == "-(x // 3)"


def test_values_that_are_added_at_places_beside_an_axis_of_one_entry() -> None:
    def program(x: Any) -> Any:
        return x[:, ::2]

    emitted_like_interpreted(program, x="1 n 1")


def test_the_largest_number_in_a_kernel() -> None:
    f = dv.trace(lambda x: np.nan_to_num(x) / 2, x="n")
    given = np.array([1, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(f.compile()(given), np.nan_to_num(given) / 2)
