"""Directional derivatives of a program from its values alone: nothing here knows a rule of differentiation.

Each oracle offers ``first(inputs, U)``, the derivatives along the rows of U, and ``second(inputs, U, V)``,
the mixed derivatives along pairs of rows; both return one ``(value, error)`` per output, each with the
leading axis of U. An input that moves may have this axis as well: then each direction starts from a point of
its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Protocol

import mpmath
import numpy as np

from ..ir.numbers import COMPLEX128, FLOAT64, MPMATH, RATIONAL, Numbers
from .batch import Arrays, Model
from .differences import STEP, Estimates, central, extrapolate, first_steps, quotient, repeated, shifts, start
from .dual import Dual, slope

TINY = 1e-30
"""The imaginary step: its square is lost against 1, so there is no truncation and no cancellation."""
DIGITS = 50
EXTRAPOLATED = 1e-11
"""Relative rounding error that is allowed for extrapolated differences beside the error they state."""


class Oracle(Protocol):
    """A way to the derivatives in some `arithmetic`; `floors`: its errors in first and second order."""

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
            moved = {n: start(inputs[n], u) + shifts(s, V[n]) + 1j * TINY * repeated(u) for n, u in U.items()}
            return [_slopes(v) for v in self.model.run(self.numbers, inputs, moved)]

        return extrapolate(central(slopes), first_steps(inputs, V, self.step))


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

        return extrapolate(central(values), first_steps(inputs, U, self.step))

    def second(self, inputs: Arrays, U: Arrays, V: Arrays) -> Estimates:
        plus, minus = ({n: U[n] + sign * V[n] for n in U} for sign in (1, -1))

        def mixed(s: Any) -> list[Any]:
            corners = [
                self._at(inputs, side, t) for side, t in ((plus, s), (minus, s), (minus, -s), (plus, -s))
            ]
            return [
                quotient(1 / (4 * s**2), a - b - c + d, (a, b, c, d))
                for a, b, c, d in zip(*corners, strict=True)
            ]

        return extrapolate(mixed, first_steps(inputs, plus, 2 * self.step))

    def _at(self, inputs: Arrays, U: Arrays, steps: Any) -> list[Any]:
        return self.model.run(
            FLOAT64, inputs, {n: start(inputs[n], u) + shifts(steps, u) for n, u in U.items()}
        )


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
_slope: Any = np.frompyfunc(
    lambda x: Fraction(slope(x)) if not isinstance(slope(x), Dual) else slope(x), 1, 1
)


def _slopes(values: Any) -> Any:
    """Derivatives from complex steps; NaN where the function left the reals, as a root may."""
    return np.where(np.abs(values.imag) > 1e-8, np.nan, values.imag) / TINY
