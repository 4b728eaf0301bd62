"""The number systems that the reference interpreter computes in: floats, complex, rationals, mpmath."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Expr

from ..errors import DeriveError
from ..ops._record import Elementwise


class NotExact(DeriveError, ArithmeticError):
    """The program leaves the rational numbers: a root, an exponential, ..."""


@dataclass(frozen=True)
class Numbers:
    """A number system on NumPy arrays.

    constant: a SymPy number -> scalar;  array: array of input values -> array in this system;
    apply: elementwise record and arguments -> array;  power: base array, exponent (SymPy number or array) -> array.
    """

    name: str
    dtype: Any
    constant: Callable[[Expr], Any]
    apply: Callable[..., Any]
    power: Callable[[Any, Any], Any]

    def array(self, values: Any) -> Any:
        values = np.asarray(values)
        if self.dtype is not object:
            return values.astype(self.dtype)
        return self._lift(values) if values.dtype != object else values

    def _lift(self, values: Any) -> Any:
        lifted = np.empty(values.shape, dtype=object)
        convert = Fraction if self.name == "rational" else mpmath.mpf
        for position, value in np.ndenumerate(values):
            lifted[position] = convert(value.item())
        return lifted


def _float_power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, int) and exponent < 0:
        return 1.0 / base ** (-exponent)
    if exponent == 0.5:
        return np.sqrt(base)
    if exponent == -0.5:
        return 1.0 / np.sqrt(base)
    return base**exponent


def _floating(dtype: Any) -> Numbers:
    kind = np.dtype(dtype).type
    return Numbers(
        np.dtype(dtype).name, dtype,
        constant=lambda c: kind(complex(c) if c.is_extended_real is False else float(c)),
        apply=lambda op, *args: op.value(*args),
        power=_float_power,
    )  # fmt: skip


def _rational_constant(c: Expr) -> Fraction:
    if not c.is_Rational:
        raise NotExact(f"{c} is not a rational number")
    return Fraction(int(c.p), int(c.q))


def _rational_apply(op: Elementwise, *args: Any) -> Any:
    if op.name not in ("maximum", "minimum", "abs", "sign"):
        raise NotExact(f"{op.name} leaves the rational numbers")
    exact: dict[str, Callable[..., Any]] = {
        "maximum": max, "minimum": min, "abs": abs, "sign": lambda x: Fraction((x > 0) - (x < 0)),
    }  # fmt: skip
    return np.frompyfunc(exact[op.name], op.arity, 1)(*args)


def _rational_power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int):
        raise NotExact(f"the power {exponent} leaves the rational numbers")
    return np.frompyfunc(lambda b: b**exponent, 1, 1)(base)


def _mp_constant(c: Expr) -> Any:
    if c.is_infinite:
        return mpmath.inf if c.is_extended_positive else -mpmath.inf
    return mpmath.mpmathify(sympy.N(c, mpmath.mp.dps + 5))


def _mp_apply(op: Elementwise, *args: Any) -> Any:
    reference = op.high_precision
    assert reference is not None, op.name
    return np.frompyfunc(lambda *xs: reference(mpmath.mp, *xs), op.arity, 1)(*args)


def _mp_power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, int):
        return np.frompyfunc(lambda b: b**exponent, 1, 1)(base)
    return np.frompyfunc(mpmath.power, 2, 1)(base, exponent)


FLOAT64 = _floating(np.float64)
FLOAT32 = _floating(np.float32)
COMPLEX128 = _floating(np.complex128)
RATIONAL = Numbers("rational", object, _rational_constant, _rational_apply, _rational_power)
MPMATH = Numbers("mpmath", object, _mp_constant, _mp_apply, _mp_power)
