"""Derivatives at 0 of functions of a step, from values at steps that shrink: Richardson's extrapolation, many
at once.

There is one step per row of the arrays; a function is called once, with the rows of all levels one after the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from .batch import Arrays

Estimates = list[tuple[Any, Any]]
"""For each output a value and its error."""

FACTOR = 1.8
LEVELS = 11
STEP = 0.4
"""The largest step, relative to the inputs that move."""


def extrapolate(estimate: Callable[[Any], Estimates], largest: Any) -> Estimates:
    """The limit of estimates that are even in the step, from LEVELS shrinking steps per row."""
    steps = np.concatenate([largest / FACTOR**level for level in range(LEVELS)])
    shape = (LEVELS, len(largest))
    return [
        richardson(
            value.reshape(*shape, *value.shape[1:]), rounding.reshape(*shape, *value.shape[1:]), FACTOR
        )
        for value, rounding in estimate(steps)
    ]


def central(function: Callable[[Any], list[Any]]) -> Callable[[Any], Estimates]:
    """Slopes at 0 of a function of one step per row, with their rounding errors."""

    def estimate(s: Any) -> Estimates:
        return [quotient(1 / (2 * s), a - b, (a, b)) for a, b in zip(function(s), function(-s), strict=True)]

    return estimate


def quotient(factor: Any, difference: Any, terms: Iterable[Any]) -> tuple[Any, Any]:
    """A difference quotient, and the rounding error of its terms in it."""
    return _rows(factor, difference) * difference, _rows(factor, difference) * 2.0**-52 * sum(
        map(np.abs, terms)
    )


def richardson(estimates: Any, rounding: Any, factor: float) -> tuple[Any, Any]:
    """Extrapolate to step 0, entry by entry, as far as it helps.

    Args:
        estimates: shape (levels, ...), of a quantity even in a step that shrinks by `factor` per level.
        rounding: the rounding error of each.

    Returns:
        The entries of Ridders' tableau with the smallest error, and that error: the distance to the
        neighbours from which an entry was made, or the rounding error if that is larger.
    """
    best = estimates[0]
    error = np.full(best.shape, np.inf)
    column = list(estimates)
    for order in range(1, len(estimates)):
        weight = factor ** (2 * order)
        finer = []
        for level, (coarse, fine) in enumerate(pairwise(column)):
            value = (weight * fine - coarse) / (weight - 1)
            spread = np.maximum(np.abs(value - fine), np.abs(value - coarse))
            spread = np.maximum(spread, rounding[level + order])
            better = spread < error
            best, error = np.where(better, value, best), np.where(better, spread, error)
            finer.append(value)
        column = finer
    return best, error


def first_steps(inputs: Arrays, U: Arrays, relative: float) -> Any:
    """The largest step along each row: small against the inputs that move, and against their number."""
    length = np.sqrt(sum(np.sum(u.reshape(len(u), -1) ** 2, axis=1) for u in U.values()))
    weights = {
        n: np.sum(u.reshape(len(u), -1) ** 2, axis=1) / np.maximum(length, 1e-300) ** 2 for n, u in U.items()
    }
    typical = sum(weight * magnitude(inputs[n]) for n, weight in weights.items())
    return relative * typical / np.maximum(length, 1e-300)


def magnitude(x: Any) -> float:
    """The typical size of the entries of an input: what a step in it is measured by."""
    finite = np.abs(x[np.isfinite(x)])
    size = float(np.sqrt(np.mean(finite**2))) if finite.size else 1.0
    return min(max(size, 1e-3), 1e3) if size else 1.0


def shifts(steps: Any, u: Any) -> Any:
    """`steps`, for each level one per row of u, times u."""
    return _rows(steps, u) * repeated(u)


def start(x: Any, u: Any) -> Any:
    """The point, or for each level the points, one per row of u."""
    return repeated(x) if np.ndim(x) == np.ndim(u) else x


def repeated(u: Any) -> Any:
    return np.concatenate([u] * LEVELS)


def _rows(factor: Any, array: Any) -> Any:
    return np.reshape(factor, (-1,) + (1,) * (np.ndim(array) - 1))
