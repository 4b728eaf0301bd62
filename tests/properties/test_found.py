"""Small programs on which something was once wrong; random programs found them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv
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
