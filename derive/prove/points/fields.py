"""Two more number systems for the interpreter: a prime field, for random tests, and balls, for rigorous inequality."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import sympy
from sympy import Expr

from ...errors import UnsupportedOp
from ...ir.evaluate import evaluate
from ...ir.nodes import Equation, Index, Program, Read, Tensor
from ...ir.numbers import NotExact, Numbers
from ...ops._record import Elementwise
from .balls import Balls

PRIME = 2**61 - 1


class Residue:
    """A number modulo `PRIME`."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value % PRIME

    @staticmethod
    def of(x: Any) -> Residue:
        if isinstance(x, Residue):
            return x
        q = Fraction(x) if not isinstance(x, np.integer) else Fraction(int(x))
        return Residue(q.numerator * pow(q.denominator, -1, PRIME))

    def __add__(self, other: Any) -> Residue:
        return Residue(self.value + Residue.of(other).value)

    def __mul__(self, other: Any) -> Residue:
        return Residue(self.value * Residue.of(other).value)

    def __neg__(self) -> Residue:
        return Residue(-self.value)

    def __sub__(self, other: Any) -> Residue:
        return Residue(self.value - Residue.of(other).value)

    def __rsub__(self, other: Any) -> Residue:
        return Residue(Residue.of(other).value - self.value)

    def __truediv__(self, other: Any) -> Residue:
        divisor = Residue.of(other).value
        if divisor == 0:
            raise ZeroDivisionError("division by a number that is 0 in the field")
        return Residue(self.value * pow(divisor, -1, PRIME))

    def __rtruediv__(self, other: Any) -> Residue:
        return Residue.of(other) / self

    def __pow__(self, exponent: int) -> Residue:
        return Residue(pow(self.value, int(exponent), PRIME))

    def __eq__(self, other: object) -> bool:
        return self.value == Residue.of(other).value

    def __hash__(self) -> int:
        return hash(self.value)

    def __abs__(self) -> int:
        return int(self.value != 0)

    def __bool__(self) -> bool:
        return self.value != 0

    def __lt__(self, other: Any) -> bool:
        raise NotExact("a finite field has no order")

    __le__ = __gt__ = __ge__ = __lt__
    __radd__, __rmul__ = __add__, __mul__


def _residue_constant(c: Expr) -> Residue:
    if not c.is_Rational:
        raise NotExact(f"{c} is not a rational number")
    return Residue.of(Fraction(int(c.p), int(c.q)))


def _not_rational(op: Elementwise, *args: Any) -> Any:
    raise NotExact(f"{op.name} leaves the rational numbers")


def _residue_power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int):
        raise NotExact(f"the power {exponent} leaves the rational numbers")
    return np.frompyfunc(lambda b: b**exponent, 1, 1)(base)


FIELD = Numbers("prime field", object, _residue_constant, Residue.of, _not_rational, _residue_power)


# -- balls


BALLS = {
    "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "tan": "tan", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh",
    "sqrt": "sqrt", "asin": "asin", "acos": "acos", "atan": "atan", "asinh": "asinh", "acosh": "acosh",
    "atanh": "atanh", "erfinv": "erfinv",
    "erf": "erf", "erfc": "erfc", "log1p": "log1p", "expm1": "expm1", "gammaln": "lgamma",
    "digamma": "digamma", "loggamma": "lgamma", "abs": "__abs__", "maximum": "max", "minimum": "min", "sign": "sgn",
    "floor": "floor", "ceil": "ceil",
}  # fmt: skip
"""Operations that arb computes with a rigorous error bound, by the names of our records."""
COMPOSED: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "softplus": lambda x: x.exp().log1p(),
    "i0": lambda x: flint.arb(x).bessel_i(flint.arb(0)),
    "i1": lambda x: flint.arb(x).bessel_i(flint.arb(1)),
    "i0e": lambda x: flint.arb(x).bessel_i(flint.arb(0)) * (-abs(flint.arb(x))).exp(),
    "i1e": lambda x: flint.arb(x).bessel_i(flint.arb(1)) * (-abs(flint.arb(x))).exp(),
    "ndtri": lambda p: -flint.arb(2).sqrt() * (2 * flint.arb(p)).erfcinv(),
    "atan2": lambda y, x: flint.arb.atan2(y, x),
    "polygamma": lambda order, x: flint.acb(x).polygamma(flint.acb(order)).real,
    "maximum": lambda x, y: flint.arb(x).max(flint.arb(y)),
    "minimum": lambda x, y: flint.arb(x).min(flint.arb(y)),
}
OPPOSITE = {
    np.equal: np.not_equal, np.not_equal: np.equal, np.less: np.greater_equal, np.greater_equal: np.less,
    np.greater: np.less_equal, np.less_equal: np.greater,
}  # fmt: skip


def _ball_apply(op: Elementwise, *args: Any) -> Any:
    if op.name in COMPOSED:
        return np.frompyfunc(COMPOSED[op.name], op.arity, 1)(*args)
    if op.name not in BALLS and op.definition is not None:
        return _by_definition(op, args)
    if op.name not in BALLS:
        raise UnsupportedOp(f"{op.name} has no arithmetic of balls")
    return np.frompyfunc(lambda x, *rest: getattr(x, BALLS[op.name])(*rest), op.arity, 1)(*args)


def _by_definition(op: Elementwise, args: tuple[Any, ...]) -> Any:
    """A function of balls by what its record defines it as."""
    assert op.definition is not None
    orders, arrays = args[: op.constants], np.broadcast_arrays(*args[op.constants :])
    inputs = [Tensor(f"x{k}", tuple(map(sympy.Integer, a.shape))) for k, a in enumerate(arrays)]
    at = tuple(Index(f"i{k}", sympy.Integer(n)) for k, n in enumerate(arrays[0].shape))
    constants = (sympy.Integer(int(float(np.ravel(n)[0].mid()))) for n in orders)
    body = op.definition(*constants, *(Read(t, at) for t in inputs))
    target = Tensor("y", inputs[0].shape)
    program = Program(tuple(inputs), (Equation(target, at, body),), (target,))
    return evaluate(program, {t.name: a for t, a in zip(inputs, arrays, strict=True)}, BALL)["y"]


def _ball_compare(relation: Any, a: Any, b: Any) -> Any:
    """What holds for all numbers of two balls, or for none; where they overlap neither is known."""
    holds = relation(a, b)
    if not np.all(np.logical_or(holds, OPPOSITE[relation](a, b))):
        raise NotExact("overlapping balls cannot be compared")
    return holds


def _ball_extreme(of_two: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The extreme entry along the last axes: a ball around it, whichever entry it is."""

    def along(array: Any, axis: tuple[int, ...]) -> Any:
        kept = array.shape[: array.ndim - len(axis)]
        flat = array.reshape(*kept, math.prod(array.shape[len(kept) :]))
        return np.frompyfunc(of_two, 2, 1).reduce(flat, axis=-1)

    return along


def _ball_constant(c: Expr) -> flint.arb:
    if c.is_Rational:
        return flint.arb(flint.fmpq(int(c.p), int(c.q)))
    if not c.is_extended_real or c.is_infinite:
        raise NotExact(f"{c} has no ball")
    digits = flint.ctx.dps + 10
    value = sympy.N(c, digits + 10)
    return flint.arb(str(value), float(abs(value)) * 10.0**-digits)


def _ball_lift(value: Any) -> flint.arb:
    if isinstance(value, Fraction):
        return flint.arb(flint.fmpq(value.numerator, value.denominator))
    return flint.arb(value)


def _ball_power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, int):
        return np.frompyfunc(lambda b: b**exponent, 1, 1)(base)
    return np.frompyfunc(lambda b, e: b.sqrt() if e == 0.5 else b ** _ball_lift(e), 2, 1)(base, exponent)


BALL = Balls(
    "balls", object, _ball_constant, _ball_lift, _ball_apply, _ball_power, _ball_compare,
    _ball_extreme(flint.arb.max), _ball_extreme(flint.arb.min),
)  # fmt: skip
