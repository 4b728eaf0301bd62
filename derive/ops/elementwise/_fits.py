"""Polynomials that a function is replaced by on an interval, derived when they are first needed from many of its digits."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import mpmath
import numpy as np

DIGITS = 50
BITS = 170
MOST = 60
"""Coefficients; a function that needs more is not smooth on the interval."""

Fit = tuple[float, ...]
Smooth = Callable[[Any, Any], Any]
"""``(mp, t) -> value``, for t from -1 to 1."""


@cache
def fit(function: Smooth, precision: float = 2.0**-56) -> Fit:
    """Coefficients of powers of t in [-1, 1], the lowest first; the error is `precision` of the smallest value.

    Interpolation in Chebyshev's points; what is beyond the precision is cut off (Trefethen (2019), ch. 3 and 4).

    Raises:
        ArithmeticError: no polynomial of a reasonable degree is as close.
    """
    with mpmath.workdps(DIGITS):
        return tuple(float(c) for c in _powers(_series(function, precision)))


@cache
def polynomial(function: Smooth, low: float, high: float, precision: float) -> Fit:
    """The same in powers of x on [low, high]."""
    with mpmath.workdps(DIGITS):
        mp = mpmath.mp
        a, b = mp.mpf(low), mp.mpf(high)
        centre, half = (a + b) / 2, (b - a) / 2
        powers = _powers(_series(lambda mp, t: function(mp, centre + half * t), precision))
        found = [powers[-1]]
        for c in powers[-2::-1]:  # Horner's scheme with t = (x - centre) / half
            shifted = [mp.zero, *found] if found else []
            found = [(s - centre * o) / half for s, o in zip(shifted, [*found, mp.zero], strict=True)]
            found[0] += c
        return tuple(map(float, found))


@cache
def _cosines() -> list[int]:
    """cos(pi k / (2 MOST)), as integers with `BITS` binary places."""
    mp = mpmath.mp
    return [int(mp.nint(mp.ldexp(mp.cos(mp.pi * k / (2 * MOST)), BITS))) for k in range(4 * MOST)]


def _series(function: Smooth, precision: float) -> list[Any]:
    """Coefficients of Chebyshev's polynomials; the sums are of integers, which is faster."""
    mp = mpmath.mp
    cosines = _cosines()
    values = [function(mp, mp.ldexp(cosines[2 * k + 1], -BITS)) for k in range(MOST)]
    exact = [int(mp.nint(mp.ldexp(v, BITS))) for v in values]
    sums = [sum(v * cosines[j * (2 * k + 1) % (4 * MOST)] for k, v in enumerate(exact)) for j in range(MOST)]
    series = [mp.ldexp(2 * s, -2 * BITS) / MOST for s in sums]
    series[0] /= 2
    allowed = precision * min(abs(v) for v in values)
    kept = next((n for n in range(1, MOST - 2) if mp.fsum(map(abs, series[n:])) < allowed), None)
    if kept is None:
        raise ArithmeticError("a function cannot be fitted: it is not smooth on its interval")
    return series[:kept]


class Fits(dict[int, Fit]):
    """The polynomials of a family of functions, by its order."""

    def __init__(self, functions: Callable[[int], Smooth]) -> None:
        super().__init__()
        self.functions = functions

    def __missing__(self, order: int) -> Fit:
        self[order] = fit(self.functions(order))
        return self[order]


class Pieces(dict[int, tuple[Fit, ...]]):
    """The same with several polynomials for each order, one for each interval."""

    def __init__(self, functions: Callable[[int], tuple[Smooth, ...]]) -> None:
        super().__init__()
        self.functions = functions

    def __missing__(self, order: int) -> tuple[Fit, ...]:
        self[order] = tuple(map(fit, self.functions(order)))
        return self[order]


def horner(fit: Any, t: Any) -> Any:
    """The value of a polynomial, its lowest power first."""
    p: Any = 0.0
    for c in fit[::-1]:
        p = p * t + c
    return p


def by_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a constant integer and arrays, for whatever array the interpreter gives as the integer."""

    @wraps(function)
    def value(order: Any, *arguments: Any) -> Any:
        orders = np.real(np.asarray(order)).astype(int)
        first, *others = np.unique(orders)
        found = function(int(first), *arguments)
        for other in others:
            found = np.where(orders == other, function(int(other), *arguments), found)
        return found

    return value


def _powers(series: list[Any]) -> list[Any]:
    """A sum of Chebyshev's polynomials as a sum of powers: T[j+1] = 2 t T[j] - T[j-1]."""
    mp = mpmath.mp
    total = [mp.mpf(0)] * len(series)
    before, now = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    for c in series:
        for power, coefficient in enumerate(before):
            total[power] += c * coefficient
        doubled = [mp.mpf(0), *(2 * a for a in now)]
        following = [d - (before[k] if k < len(before) else 0) for k, d in enumerate(doubled)]
        before, now = now, following
    return total
