"""Python numbers as exact numbers: decimals as written, and the irrationals that programs spell as floats."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from typing import Any

import sympy
from sympy import Expr, Rational, S, log, pi, sqrt


@cache
def _spelled() -> dict[float, Expr]:
    """Doubles that can only be meant as these constants, so that sqrt(2/pi) is printed and proved as itself."""
    known = [pi, S.Exp1, sqrt(2), sqrt(pi), sqrt(2 * pi), log(2), log(pi), log(2 * pi), sqrt(3), sqrt(5), log(10)]
    factors = [Rational(p, q) for p in (1, 2, 3, 4) for q in (1, 2, 3, 4)]
    powers = [1, -1, 2] 
    table: dict[float, Expr] = {}
    for base in [*known, sqrt(2 / pi), sqrt(pi / 2)]:
        for power in powers:
            for factor in factors:
                value = factor * base**power
                if not value.is_Rational:
                    table.setdefault(float(value), value)
    return table


def exact(value: Any) -> Expr:
    """A Python number as a SymPy number: integers and decimals exactly as written, infinities as such.

    A double that equals a common irrational (pi, sqrt(2), sqrt(2/pi), log(2 pi)/2, ...) to the last bit is
    taken to be that constant; every other double is the shortest decimal that denotes it.
    """
    if isinstance(value, bool | int):
        return sympy.Integer(int(value))
    if math.isnan(value):
        return S.NaN
    if math.isinf(value):
        return S.Infinity if value > 0 else S.NegativeInfinity
    if value in _spelled():
        return _spelled()[value]
    if -value in _spelled():
        return -_spelled()[-value]
    return Rational(str(Decimal(repr(value))))
