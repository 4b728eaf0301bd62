"""Random formulas: what `dv.parse` reads in either spelling has the value and the gradient that the formula has."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import derive as dv

from .formulas import NM, NN, SCALAR, SHAPES, M, N, formula
from .programs import Seeded

SIZES = {"n": 3, "m": 4}
RNG = np.random.default_rng(0)


def arguments() -> dict[str, Any]:
    given = {
        name: RNG.normal(size=[SIZES[e] for e in axes.split(",")[0].split()])[()]
        for name, axes in SHAPES.items()
    }
    return given | {"P": given["S"] @ given["S"].T + 2 * np.eye(3)}


def meaning(columns: str, given: dict[str, Any]) -> Any:
    """The value of a formula whose vectors are columns."""
    size = {"size": lambda x: np.sum(np.where(np.real(x) < 0, -x, x))}
    two = {name: x[:, None] if np.ndim(x) == 1 else x for name, x in given.items()}
    return eval(columns, {"np": np, **size, **two})


def read(text: str) -> Any:
    names = {word for word in re.findall(r"[A-Za-z]+", text) if word in SHAPES}
    return dv.parse(text, **{name: SHAPES[name] for name in sorted(names)})


def close(found: Any, expected: Any) -> None:
    expected = np.asarray(expected)
    expected = expected[:, 0] if np.ndim(found) == 1 and expected.ndim == 2 else expected
    scale = max(1e-3, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(found, expected, atol=1e-10 * scale, rtol=1e-10)


@pytest.mark.parametrize("spelling", ["matlab", "numpy"])
@pytest.mark.parametrize("number", range(16))
def test_a_formula_is_what_it_says(number: int, spelling: str) -> None:
    shape = (SCALAR, SCALAR, N, NM, NN, M)[number % 6]
    drawn = formula(Seeded(number), shape)
    text = drawn.matlab if spelling == "matlab" else f"np.add(0, {drawn.numpy})"
    f, given = read(text), arguments()
    mine = {name: given[name] for name in f.inputs}
    close(f(**mine), meaning(drawn.columns, given))
    if shape:
        return
    for name in f.inputs:
        gradient = np.asarray(dv.grad(f, name)(**mine))
        for place in np.ndindex(gradient.shape):
            moved = np.array(given[name], complex)
            moved[place] += 1e-30j
            slope = np.imag(meaning(drawn.columns, given | {name: moved})) / 1e-30
            assert abs(gradient[place] - slope) <= 1e-9 * max(1.0, np.max(np.abs(gradient))), (name, place, text)
