"""Inverses, solutions and determinants of diagonal matrices are written by their diagonals, for one matrix and for stacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.ir.nodes import Entry
from derive.rewrite.derived import prepare
from derive.rewrite.diagonals import of_diagonals


def diagonal(c: Any) -> Any:
    return c[..., None] * np.eye(c.shape[-1])


@pytest.mark.parametrize("axes", ["k", "n k"])
@pytest.mark.parametrize(
    "make",
    [
        lambda c, b: np.linalg.solve(diagonal(c), b[..., None])[..., 0],
        lambda c, b: np.linalg.inv(diagonal(c)) * b[..., None],
        lambda c, b: np.linalg.slogdet(diagonal(c))[1] + b[..., 0],
        lambda c, b: np.linalg.slogdet(diagonal(c**2) + 0 * b[..., None])[1] + b[..., 0],
    ],
)
def test_by_their_diagonals(make: Callable[..., Any], axes: str) -> None:
    f = dv.trace(make, c=axes, b="n k")
    g = replace(f, program=prepare(of_diagonals(f.program)), _kernels={})
    rng = np.random.default_rng(0)
    c, b = rng.normal(size=(4, 3) if axes == "n k" else 3), rng.normal(size=(4, 3))
    np.testing.assert_allclose(g(c, b), f(c, b), rtol=1e-12)
    assert not any(isinstance(e.body, Entry) for e in g.program.equations)


def test_what_is_not_diagonal_stays() -> None:
    f = dv.trace(lambda c, A: np.linalg.inv(diagonal(c) + A), c="k", A="k k")
    assert any(isinstance(e.body, Entry) for e in of_diagonals(f.program).equations)
