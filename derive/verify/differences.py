"""Directional derivatives of a program from its values alone: nothing here knows a rule of differentiation.

Each oracle offers ``first(inputs, U)``, the derivatives along the rows of U, and ``second(inputs, U, V)``, the mixed
derivatives along pairs of rows; both return one ``(value, error)`` per output, each with the leading axis of U.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
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
FACTOR = 1.7
LEVELS = 9
EXTRAPOLATED = 1e-11
"""Relative rounding error that is allowed for extrapolated differences beside the error they state."""


class Oracle(Protocol):
    """A way to the derivatives; `floors` are its own relative errors in first and second order."""

    name: ClassVar[str]
    floors: ClassVar[tuple[float, float]]

    @property
    def model(self) -> Model: ...

    def first(self, inputs: Arrays, U: Arrays) -> Estimates: ...
    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates: ...


@dataclass(frozen=True)
class ComplexStep:
    """Im f(x + i h u) / h, with h = 1e-30; exact to rounding, for analytic functions."""

    model: Model
    step: float = 0.1
    numbers: Numbers = COMPLEX128
    name: ClassVar[str] = "complex step"
    floors: ClassVar[tuple[float, float]] = (16 * 2.0**-52, EXTRAPOLATED)

    def first(self, inputs: Arrays, U: Arrays) -> Estimates:
        moved = {n: inputs[n] + 1j * TINY * u for n, u in U.items()}
        return [(v.imag / TINY, 0.0) for v in self.model.run(self.numbers, inputs, moved)]

    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates:
        def slopes(s: Any) -> list[Any]:
            moved = {n: inputs[n] + _times(s, V[n]) + 1j * TINY * _tile(u) for n, u in U.items()}
            return [v.imag / TINY for v in self.model.run(self.numbers, inputs, moved)]

        return _extrapolate(_central(slopes), _steps(inputs, V, self.step))


@dataclass(frozen=True)
class Differences:
    """Central differences extrapolated to step 0 (Richardson; Ridders 1982 for the choice of the order)."""

    model: Model
    step: float = 0.1
    name: ClassVar[str] = "extrapolated central differences"
    floors: ClassVar[tuple[float, float]] = (EXTRAPOLATED, EXTRAPOLATED)

    def first(self, inputs: Arrays, U: Arrays) -> Estimates:
        def values(s: Any) -> list[Any]:
            return self._at(inputs, U, s)

        return _extrapolate(_central(values), _steps(inputs, U, self.step))

    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates:
        plus, minus = ({n: U[n] + sign * V[n] for n in U} for sign in (1, -1))

        def mixed(s: Any) -> list[Any]:
            corners = [self._at(inputs, side, t) for side, t in ((plus, s), (minus, s), (minus, -s), (plus, -s))]
            return [_rows(1 / (4 * s**2), a) * (a - b - c + d) for a, b, c, d in zip(*corners, strict=True)]

        return _extrapolate(mixed, _steps(inputs, plus, 2 * self.step))

    def _at(self, inputs: Arrays, U: Arrays, steps: Any) -> list[Any]:
        return self.model.run(FLOAT64, inputs, {n: inputs[n] + _times(steps, u) for n, u in U.items()})


@dataclass(frozen=True)
class HighPrecision:
    """Plain central differences of the program run with 50 digits: about 30 of them are right."""

    model: Model
    name: ClassVar[str] = f"differences in {DIGITS} digits"
    floors: ClassVar[tuple[float, float]] = (1e-20, 1e-20)

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
    typical = sum(weight * _magnitude(inputs[n]) for n, weight in weights.items())
    return relative * typical / np.maximum(length, 1e-300)


def _magnitude(x: Any) -> float:
    finite = np.abs(x[np.isfinite(x)])
    size = float(np.sqrt(np.mean(finite**2))) if finite.size else 1.0
    return min(max(size, 1e-3), 1e3) if size else 1.0


def _central(function: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """Slopes at 0 of a function of one step per row."""
    return lambda s: [
        _rows(1 / (2 * s), a) * (a - b) for a, b in zip(function(s), function(-s), strict=True)
    ]  # fmt: skip


def _extrapolate(estimate: Callable[[Any], list[Any]], largest: Any) -> Estimates:
    """The limit of estimates that are even in the step, from LEVELS shrinking steps per row."""
    steps = np.concatenate([largest / FACTOR**level for level in range(LEVELS)])
    by_level = (e.reshape(LEVELS, len(largest), *e.shape[1:]) for e in estimate(steps))
    return [richardson(e, FACTOR) for e in by_level]


def richardson(estimates: Any, factor: float) -> tuple[Any, Any]:
    """Extrapolate to step 0, entry by entry; the error is the distance to the neighbours in Ridders' tableau.

    Args:
        estimates: shape (levels, ...), of a quantity even in a step that shrinks by `factor` per level.
    """
    best = estimates[0]
    error = np.full(best.shape, np.inf)
    column = list(estimates)
    for order in range(1, len(estimates)):
        weight = factor ** (2 * order)
        finer = []
        for coarse, fine in zip(column, column[1:], strict=False):
            value = (weight * fine - coarse) / (weight - 1)
            spread = np.maximum(np.abs(value - fine), np.abs(value - coarse))
            better = spread < error
            best, error = np.where(better, value, best), np.where(better, spread, error)
            finer.append(value)
        column = finer
    return best, error


def _rows(factor: Any, array: Any) -> Any:
    return np.reshape(factor, (-1,) + (1,) * (np.ndim(array) - 1))


def _tile(u: Any) -> Any:
    return np.concatenate([u] * LEVELS)


def _times(steps: Any, u: Any) -> Any:
    """`steps`, for each level one per row of u, times u."""
    return _rows(steps, u) * _tile(u)
