"""Dual numbers over any exact field: value and derivative together, by the rules of school algebra."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from math import floor
from typing import Any


@total_ordering
@dataclass(frozen=True, eq=False)
class Dual:
    """``a + b e`` with ``e^2 = 0``; ordered by `a`. Duals of duals carry second derivatives."""

    a: Any
    b: Any

    def __add__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.a + other.a, self.b + other.b)

    def __mul__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.a * other.a, self.a * other.b + self.b * other.a)

    def __truediv__(self, other: Any) -> Dual:
        return self * dual(other).reciprocal()

    def __pow__(self, exponent: int) -> Dual:
        if exponent == 0:
            return Dual(self.a**0, self.b * 0)
        if exponent < 0:
            return self.reciprocal() ** -exponent
        return Dual(self.a**exponent, self.a ** (exponent - 1) * self.b * exponent)

    def __neg__(self) -> Dual:
        return Dual(-self.a, -self.b)

    def __abs__(self) -> Dual:
        return -self if self < 0 else self

    def __floor__(self) -> int:
        return floor(self.a)

    def __round__(self) -> int:
        return round(self.a)

    def __sub__(self, other: Any) -> Dual:
        return self + -dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return dual(other) - self

    def __rtruediv__(self, other: Any) -> Dual:
        return dual(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def reciprocal(self) -> Dual:
        inverse = Fraction(1) / self.a  # no float, should it be an int
        return Dual(inverse, -self.b * inverse * inverse)

    def __eq__(self, other: object) -> bool:
        return bool(self.a == dual(other).a)

    def __lt__(self, other: Any) -> bool:
        return bool(self.a < dual(other).a)


def dual(x: Any) -> Dual:
    """`x` itself, or the constant `x`."""
    return x if isinstance(x, Dual) else Dual(x, x * 0)


def slope(x: Any) -> Any:
    """The derivative that `x` carries; 0 for a constant."""
    return x.b if isinstance(x, Dual) else 0
