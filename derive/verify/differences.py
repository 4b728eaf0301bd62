"""Directional derivatives of a program from its values alone: nothing here knows a rule of differentiation.

Each oracle offers ``first(inputs, U)``, the derivatives along the rows of U, and ``second(inputs, U, V)``, the mixed
derivatives along pairs of rows; both return one ``(value, error)`` per output, each with the leading axis of U.
An input that moves may have this axis as well: then each direction starts from a point of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar, Protocol

import mpmath
import numpy as np

from ..ir.numbers import COMPLEX128, FLOAT64, MPMATH, RATIONAL, Numbers
from .batch import Arrays, Model
from .dual import Dual, slope

Estimates = list[tuple[Any, Any]]

TINY = 1e-30
"""The imaginary step: its square is lost against 1, so a complex step has no truncation and no cancellation."""
DIGITS = 50
FACTOR = 1.8
LEVELS = 11
STEP = 0.4
EXTRAPOLATED = 1e-11
"""Relative rounding error that is allowed for extrapolated differences beside the error they state."""


class Oracle(Protocol):
    """A way to the derivatives; `floors` are its relative errors in first and second order, `arithmetic` what inputs and results are."""

    name: ClassVar[str]
    floors: ClassVar[tuple[float, float]]
    arithmetic: ClassVar[Numbers]

    @property
    def model(self) -> Model: ...

    def first(self, inputs: Arrays, U: Arrays) -> Estimates: ...
    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates: ...


@dataclass(frozen=True)
class ComplexStep:
    """Im f(x + i h u) / h, with h = 1e-30; exact to rounding, for analytic functions."""

    model: Model
    step: float = STEP
    numbers: Numbers = COMPLEX128
    name: ClassVar[str] = "complex step"
    floors: ClassVar[tuple[float, float]] = (16 * 2.0**-52, EXTRAPOLATED)
    arithmetic: ClassVar[Numbers] = FLOAT64

    def first(self, inputs: Arrays, U: Arrays) -> Estimates:
        moved = {n: inputs[n] + 1j * TINY * u for n, u in U.items()}
        return [(_slopes(v), 0.0) for v in self.model.run(self.numbers, inputs, moved)]

    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates:
        def slopes(s: Any) -> list[Any]:
            moved = {n: _start(inputs[n], u) + _times(s, V[n]) + 1j * TINY * _tile(u) for n, u in U.items()}
            return [_slopes(v) for v in self.model.run(self.numbers, inputs, moved)]

        return _extrapolate(_central(slopes), _steps(inputs, V, self.step))


@dataclass(frozen=True)
class Differences:
    """Central differences extrapolated to step 0 (Richardson; Ridders 1982 for the choice of the order)."""

    model: Model
    step: float = STEP
    name: ClassVar[str] = "extrapolated central differences"
    floors: ClassVar[tuple[float, float]] = (EXTRAPOLATED, EXTRAPOLATED)
    arithmetic: ClassVar[Numbers] = FLOAT64

    def first(self, inputs: Arrays, U: Arrays) -> Estimates:
        def values(s: Any) -> list[Any]:
            return self._at(inputs, U, s)

        return _extrapolate(_central(values), _steps(inputs, U, self.step))

    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates:
        plus, minus = ({n: U[n] + sign * V[n] for n in U} for sign in (1, -1))

        def mixed(s: Any) -> list[Any]:
            corners = [self._at(inputs, side, t) for side, t in ((plus, s), (minus, s), (minus, -s), (plus, -s))]
            return [_scaled(1 / (4 * s**2), a - b - c + d, (a, b, c, d)) for a, b, c, d in zip(*corners, strict=True)]

        return _extrapolate(mixed, _steps(inputs, plus, 2 * self.step))

    def _at(self, inputs: Arrays, U: Arrays, steps: Any) -> list[Any]:
        return self.model.run(FLOAT64, inputs, {n: _start(inputs[n], u) + _times(steps, u) for n, u in U.items()})


@dataclass(frozen=True)
class HighPrecision:
    """Plain central differences of the program run with 50 digits: about 30 of them are right."""

    model: Model
    name: ClassVar[str] = f"differences in {DIGITS} digits"
    floors: ClassVar[tuple[float, float]] = (1e-20, 1e-20)
    arithmetic: ClassVar[Numbers] = MPMATH

    def first(self, inputs: Arrays, U: Arrays) -> Estimates:
        h = mpmath.mpf(10) ** -15
        forward, back = self._at(inputs, U, h), self._at(inputs, U, -h)
        return [((a - b) / (2 * h), 0.0) for a, b in zip(forward, back, strict=True)]

    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates:
        h = mpmath.mpf(10) ** -12
        plus, minus = ({n: U[n] + sign * V[n] for n in U} for sign in (1, -1))
        corners = [self._at(inputs, side, s) for side, s in ((plus, h), (minus, h), (minus, -h), (plus, -h))]
        return [((a - b - c + d) / (4 * h * h), 0.0) for a, b, c, d in zip(*corners, strict=True)]

    def _at(self, inputs: Arrays, U: Arrays, step: Any) -> list[Any]:
        return self.model.run(MPMATH, inputs, {n: inputs[n] + u * step for n, u in U.items()})


@dataclass(frozen=True)
class Exact:
    """Dual numbers over the rationals: no error at all, for programs that stay rational.

    Raises:
        NotExact: the program leaves the rational numbers.
    """

    model: Model
    name: ClassVar[str] = "exact rationals"
    floors: ClassVar[tuple[float, float]] = (0.0, 0.0)
    arithmetic: ClassVar[Numbers] = RATIONAL

    def first(self, inputs: Arrays, U: Arrays) -> Estimates:
        moved = {n: _pair(inputs[n] + 0 * u, u) for n, u in U.items()}
        return [(_slope(v), 0.0) for v in self.model.run(RATIONAL, inputs, moved)]

    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates:
        moved = {n: _pair(_pair(inputs[n] + 0 * u, u), _pair(V[n], 0 * u)) for n, u in U.items()}
        return [(_slope(_slope(v)), 0.0) for v in self.model.run(RATIONAL, inputs, moved)]


_pair: Any = np.frompyfunc(Dual, 2, 1)
_slope: Any = np.frompyfunc(lambda x: Fraction(slope(x)) if not isinstance(slope(x), Dual) else slope(x), 1, 1)


def _steps(inputs: Arrays, U: Arrays, relative: float) -> Any:
    """The largest step along each row: small against the inputs that move, and against their number."""
    length = np.sqrt(sum(np.sum(u.reshape(len(u), -1) ** 2, axis=1) for u in U.values()))
    weights = {n: np.sum(u.reshape(len(u), -1) ** 2, axis=1) / np.maximum(length, 1e-300) ** 2 for n, u in U.items()}
    typical = sum(weight * magnitude(inputs[n]) for n, weight in weights.items())
    return relative * typical / np.maximum(length, 1e-300)


def magnitude(x: Any) -> float:
    """The typical size of the entries of an input: what a step in it is measured by."""
    finite = np.abs(x[np.isfinite(x)])
    size = float(np.sqrt(np.mean(finite**2))) if finite.size else 1.0
    return min(max(size, 1e-3), 1e3) if size else 1.0


def _slopes(values: Any) -> Any:
    """Derivatives from complex steps; NaN where the function left the reals, as the root of a negative number does."""
    return np.where(np.abs(values.imag) > 1e-8, np.nan, values.imag) / TINY


def _central(function: Callable[[Any], list[Any]]) -> Callable[[Any], Estimates]:
    """Slopes at 0 of a function of one step per row, with their rounding errors."""

    def estimate(s: Any) -> Estimates:
        return [_scaled(1 / (2 * s), a - b, (a, b)) for a, b in zip(function(s), function(-s), strict=True)]

    return estimate


def _scaled(factor: Any, difference: Any, terms: Iterable[Any]) -> tuple[Any, Any]:
    """A difference quotient, and the rounding error of its terms in it."""
    return _rows(factor, difference) * difference, _rows(factor, difference) * 2.0**-52 * sum(map(np.abs, terms))


def _extrapolate(estimate: Callable[[Any], Estimates], largest: Any) -> Estimates:
    """The limit of estimates that are even in the step, from LEVELS shrinking steps per row."""
    steps = np.concatenate([largest / FACTOR**level for level in range(LEVELS)])
    shape = (LEVELS, len(largest))
    return [
        richardson(value.reshape(*shape, *value.shape[1:]), rounding.reshape(*shape, *value.shape[1:]), FACTOR)
        for value, rounding in estimate(steps)
    ]


def richardson(estimates: Any, rounding: Any, factor: float) -> tuple[Any, Any]:
    """Extrapolate to step 0, entry by entry, as far as it helps.

    Args:
        estimates: shape (levels, ...), of a quantity even in a step that shrinks by `factor` per level.
        rounding: the rounding error of each.

    Returns:
        The entries of Ridders' tableau with the smallest error, and that error: the distance to the neighbours from
        which an entry was made, or the rounding error if that is larger.
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


def _rows(factor: Any, array: Any) -> Any:
    return np.reshape(factor, (-1,) + (1,) * (np.ndim(array) - 1))


def _start(x: Any, u: Any) -> Any:
    """The point, or for each level the points, one per row of u."""
    return _tile(x) if np.ndim(x) == np.ndim(u) else x


def _tile(u: Any) -> Any:
    return np.concatenate([u] * LEVELS)


def _times(steps: Any, u: Any) -> Any:
    """`steps`, for each level one per row of u, times u."""
    return _rows(steps, u) * _tile(u)
