"""Exact numbers as the literals that a person would type, and coefficients as factors of a quotient."""

from fractions import Fraction
from math import isinf

import sympy
from sympy import Expr, Rational

from .code import MUL, Atom, Chain, Code, call, negative

PI = Atom("math.pi")
LONGEST = 10  # characters of a decimal literal; longer ones print as a quotient


def rational(value: Rational) -> Code:
    """An integer, a short decimal such as ``0.5`` or ``1e-5``, a quotient ``1 / 3``, else the nearest double."""
    if value < 0:
        return negative(rational(-value))
    literal = decimal(value)
    if literal is not None:
        return Atom(literal)
    if value.p < 1000 and value.q < 1000:
        return Chain(MUL, Atom(str(value.p)), (("/", Atom(str(value.q))),))
    return Atom(_shortest(float(value)))


def decimal(value: Rational) -> str | None:
    """The literal that is exactly this number in decimals, if it is short."""
    if value.q == 1:
        return str(value.p) if abs(value.p) < 2**53 else _shortest(float(value))
    text = _shortest(float(value))
    exact = "inf" not in text and Fraction(text) == Fraction(int(value.p), int(value.q))
    return text if exact and len(text) <= LONGEST else None


def _shortest(value: float) -> str:
    text = repr(value)
    return "math.inf" if isinf(value) else text.replace("e-0", "e-").replace("e+", "e")


def coefficient(value: Rational, over_more: bool) -> tuple[str | None, str | None]:
    """A positive factor as literals for numerator and denominator; `over_more`: there are other denominators.

    ``1/2`` gives ``0.5``, ``1/3`` gives 1 over 3, and before a division by n ``1/2`` gives 1 over 2.
    """
    if value == 1:
        return None, None
    if over_more and value.p == 1:
        return None, str(value.q)
    literal = decimal(value)
    if literal is not None:
        return literal, None
    if value.p < 1000 and value.q < 1000:
        return (None if value.p == 1 else str(value.p)), str(value.q)
    return _shortest(float(value)), None


def split_roots(
    factors: list[Expr], value: Rational
) -> tuple[Rational, Code | None, Code | None, list[Expr]]:
    """Collect roots of integers and powers of pi: coefficient, numerator, denominator and the factors left.

    ``sqrt(2)/2`` becomes 1 over ``math.sqrt(2)``, ``sqrt(2)/sqrt(pi)`` becomes ``math.sqrt(2 / math.pi)``.
    """
    root, halves, left = 1, 0, []
    for factor in factors:
        base, exponent = factor.as_base_exp()
        if base == sympy.pi and (2 * exponent).is_Integer:
            halves += int(2 * exponent)
        elif base.is_Integer and base > 0 and exponent == sympy.S.Half:
            root *= int(base)
        elif base.is_Integer and base > 0 and exponent == -sympy.S.Half:
            root, value = root * int(base), value / base
        else:
            left.append(factor)
    if halves % 2 == 0:
        left += [sympy.pi ** (halves // 2)] if halves else []
        halves = 0
    if abs(halves) > 1:
        left.append(sympy.pi ** ((halves - (1 if halves > 0 else -1)) // 2))
        halves = 1 if halves > 0 else -1
    below = root > 1 and value.q % root == 0
    value = value * root if below else value
    above_pi, below_pi = halves > 0, halves < 0
    over = _root(root if below else 1, below_pi)
    under = _root(1 if below else root, above_pi)
    if under is not None and over is not None and not below:
        return value, call("math.sqrt", Chain(MUL, Atom(str(root)), (("/", PI),))), None, left
    return value, under, over, left


def _root(root: int, with_pi: bool) -> Code | None:
    if root == 1:
        return call("math.sqrt", PI) if with_pi else None
    number = Atom(str(root))
    return call("math.sqrt", Chain(MUL, number, (("*", PI),)) if with_pi else number)
