"""The number systems that the reference interpreter computes in: floats, complex, rationals, mpmath."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import mpmath
import numpy as np
import sympy
from mpmath.libmp import from_rational
from sympy import Expr

from ..errors import DeriveError, UnsupportedOp
from ..ops._primitive import Primitive
from ..ops._record import Elementwise


class NotExact(DeriveError, ArithmeticError):
    """The program leaves the rational numbers: a root, an exponential, ..."""


def _compared(relation: Any, a: Any, b: Any) -> Any:
    return relation(a, b)


@dataclass(frozen=True)
class Numbers:
    """A number system on NumPy arrays.

    constant: a SymPy number -> scalar;  lift: a Python number -> scalar, for systems made of objects;
    apply: elementwise record and arguments -> array;  power: base array, exponent (int or array) -> array;
    compare: one of NumPy's comparisons and two arrays -> truth values, NotExact where they cannot be known;
    largest, smallest: an array and its last axes -> the extreme entries along them;
    varies: constants depend on the precision that mpmath is set to.
    """

    name: str
    dtype: Any
    constant: Callable[[Expr], Any]
    lift: Callable[[Any], Any]
    apply: Callable[..., Any]
    power: Callable[[Any, Any], Any]
    compare: Callable[[Any, Any, Any], Any] = _compared
    largest: Callable[..., Any] = np.maximum.reduce
    smallest: Callable[..., Any] = np.minimum.reduce
    varies: bool = False

    def linear_algebra(
        self, primitive: Primitive, arrays: list[Any], parameters: list[Any]
    ) -> tuple[Any, ...]:
        """The results of a primitive on stacks of arrays, and stacks of integers as parameters."""
        if self.dtype is not object:
            if np.dtype(self.dtype).kind == "c" and not primitive.analytic:
                raise UnsupportedOp(f"{primitive.name} does not continue to complex numbers")
            return primitive.value(*arrays, *parameters)
        ranks = [len(axes.split()) for axes in primitive.operands]
        stacks = [a.shape[: a.ndim - r] for a, r in zip(arrays, ranks, strict=True)]
        batch = np.broadcast_shapes(*stacks, *(np.shape(p) for p in parameters))
        full = [
            np.broadcast_to(a, (*batch, *a.shape[a.ndim - r :])) for a, r in zip(arrays, ranks, strict=True)
        ]
        numbers = [np.broadcast_to(p, batch) for p in parameters]
        results: list[list[Any]] = [[] for _ in primitive.results]
        for place in np.ndindex(*batch):
            found = primitive.exact(self, *(a[place] for a in full), *(p[place] for p in numbers))
            for result, value in zip(results, found, strict=True):
                result.append(np.asarray(value, dtype=object))
        return tuple(_stacked(result, batch) for result in results)

    def array(self, values: Any) -> Any:
        """Array of input values -> array in this system."""
        values = np.asarray(values)
        if self.dtype is not object:
            return values.astype(self.dtype)
        if values.dtype == object:
            return values
        lifted = np.empty(values.shape, dtype=object)
        for position, value in np.ndenumerate(values):
            lifted[position] = self.lift(value.item())
        return lifted


def _stacked(values: list[Any], batch: tuple[int, ...]) -> Any:
    shape = values[0].shape if values else ()
    found = np.empty((len(values), *shape), dtype=object)
    for position, value in enumerate(values):
        found[position] = value[()]
    return found.reshape((*batch, *shape))


# -- floating point


def _float_power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, int):
        return base**exponent if exponent >= 0 else 1.0 / base**-exponent
    if np.ndim(exponent) == 0 and exponent in (0.5, -0.5):
        return np.sqrt(base) if exponent > 0 else 1.0 / np.sqrt(base)
    return base**exponent


def _floating(dtype: Any) -> Numbers:
    kind = np.dtype(dtype).type

    def constant(c: Expr) -> Any:
        if c is sympy.zoo:
            return kind(np.inf)
        return kind(np.nan) if c.is_extended_real is False else kind(float(c))

    return Numbers(
        np.dtype(dtype).name, dtype, constant, kind, lambda op, *args: op.value(*args), _float_power
    )  # fmt: skip


# -- objects: one number after the other


def _each(function: Callable[..., Any], *args: Any) -> Any:
    """A function of numbers on arrays of them, or on numbers."""
    if any(isinstance(x, np.ndarray) for x in args):
        return np.frompyfunc(function, len(args), 1)(*args)
    return function(*args)


# -- exact rationals


def _rational_constant(c: Expr) -> Fraction:
    if not c.is_Rational:
        raise NotExact(f"{c} is not a rational number")
    return Fraction(int(c.p), int(c.q))


def _rational_lift(value: Any) -> Fraction:
    try:
        return Fraction(value)
    except (OverflowError, ValueError):
        raise NotExact(f"{value} is not a rational number") from None


def _rational_apply(op: Elementwise, *args: Any) -> Any:
    if op.rational is None:
        raise NotExact(f"{op.name} leaves the rational numbers")
    return _each(op.rational, *args)


def _rational_power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int):
        raise NotExact(f"the power {exponent} leaves the rational numbers")
    return base**exponent


# -- many digits


def _mp_constant(c: Expr) -> Any:
    if c.is_Rational:
        return mpmath.mp.make_mpf(from_rational(int(c.p), int(c.q), mpmath.mp.prec, "n"))
    if c.is_infinite:
        return -mpmath.inf if c.is_extended_negative else mpmath.inf
    return mpmath.mpmathify(sympy.N(c, mpmath.mp.dps + 5)) if c.is_extended_real else mpmath.nan


def _mp_apply(op: Elementwise, *args: Any) -> Any:
    reference = op.high_precision
    if reference is None:
        raise UnsupportedOp(f"{op.name} has no high-precision reference")
    return _each(partial(reference, mpmath.mp), *args)


def _mp_power(base: Any, exponent: Any) -> Any:
    return base**exponent if isinstance(exponent, int) else _each(mpmath.power, base, exponent)


FLOAT64 = _floating(np.float64)
FLOAT32 = _floating(np.float32)
COMPLEX128 = _floating(np.complex128)
RATIONAL = Numbers("rational", object, _rational_constant, _rational_lift, _rational_apply, _rational_power)
MPMATH = Numbers("mpmath", object, _mp_constant, mpmath.mpf, _mp_apply, _mp_power, varies=True)
