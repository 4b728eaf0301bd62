"""What the generator knows of a value in a random program: how it is written, its symbolic shape, its range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import sympy
from sympy import Expr

SMALLEST, LARGEST = 3, 6
"""Every symbolic size is one of these or between them when a program runs."""

Shape = tuple[Expr, ...]


def size(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, integer=True, positive=True)


def at(extent: Expr | int, number: int) -> int:
    """An extent when every size is `number`."""
    extent = sympy.sympify(extent)
    return int(extent.subs({s: number for s in extent.free_symbols}))


def entries(extents: Shape) -> int:
    """The greatest number of entries of an array of this shape."""
    return at(sympy.Mul(*extents), LARGEST)


@dataclass(frozen=True)
class Interval:
    """All values are between `low` and `high`."""

    low: float
    high: float

    @property
    def magnitude(self) -> float:
        return max(abs(self.low), abs(self.high))

    def within(self, low: float, high: float) -> bool:
        return low <= self.low and self.high <= high

    def mapped(self, f: Callable[[float], float]) -> Interval:
        """Under a function that rises or falls everywhere."""
        ends = sorted((f(self.low), f(self.high)))
        return Interval(*ends)

    def times(self, factor: float) -> Interval:
        return self.mapped(lambda x: x * factor)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __mul__(self, other: Interval) -> Interval:
        products = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(products), max(products))

    def __or__(self, other: Interval) -> Interval:
        """The values of either."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def squared(self) -> Interval:
        least = 0.0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))
        return Interval(least**2, self.magnitude**2)


EVERYTHING = Interval(-inf, inf)


@dataclass(frozen=True)
class Value:
    """An array in a random program; `text` is a name, a call, or an expression in parentheses."""

    text: str
    shape: Shape
    range: Interval

    @property
    def rank(self) -> int:
        return len(self.shape)


def broadcast(*shapes: Shape) -> Shape | None:
    """The shape of an elementwise result by NumPy's rule, or None where the shapes do not fit for all sizes."""
    rank = max(map(len, shapes))
    result: list[Expr] = []
    for column in zip(*((sympy.S.One,) * (rank - len(s)) + tuple(s) for s in shapes), strict=True):
        wide = {e for e in column if e != 1}
        if len(wide) > 1:
            return None
        result.append(wide.pop() if wide else sympy.S.One)
    return tuple(result)
