"""Functions with kinks; the subgradient used at a kink is stated in `note` and is the same everywhere."""

from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, Rational, S

from ...ir.nodes import Bracket, Where
from .._record import Elementwise

TIES = "at a tie the second argument takes the gradient; constants are placed second, so relu'(0) = 0"


class _Extremum(Function):
    is_real = True
    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Expr | None:
        if a == b:
            return a
        if a.is_number and b.is_number:
            return sympy.Max(a, b) if cls is Maximum else sympy.Min(a, b)
        return cls(b, a) if a.is_number else None

    def _eval_is_integer(self) -> bool | None:
        return True if all(a.is_integer for a in self.args) else None


class Maximum(_Extremum):
    """max(a, b) of two scalars."""

    def _eval_is_positive(self) -> bool | None:
        return True if any(a.is_positive for a in self.args) else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if any(a.is_nonnegative for a in self.args) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        a, b = self.args
        return Bracket(sympy.StrictGreaterThan(a, b) if argindex == 1 else sympy.GreaterThan(b, a))


class Minimum(_Extremum):
    """min(a, b) of two scalars."""

    def _eval_is_positive(self) -> bool | None:
        return True if all(a.is_positive for a in self.args) else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if all(a.is_nonnegative for a in self.args) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        a, b = self.args
        return Bracket(sympy.StrictLessThan(a, b) if argindex == 1 else sympy.LessThan(b, a))


class Sign(Function):
    """-1, 0 or 1; derivative 0 wherever it has one."""

    is_real = True
    is_integer = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        return sympy.sign(x) if x.is_number else S.One if x.is_positive else None

    def _eval_power(self, exponent: Expr) -> Expr | None:
        if exponent.is_even and exponent.is_positive:
            return Bracket(sympy.Ne(self.args[0], 0))
        return self if exponent.is_odd and exponent.is_positive else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero


class Absolute(Function):
    """|x|, with the subgradient 0 at 0."""

    is_real = True
    is_nonnegative = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x.is_number:
            return abs(x)
        if x.is_nonnegative:
            return x
        return cls(-x) if x.could_extract_minus_sign() else None

    def _eval_is_integer(self) -> bool | None:
        return True if self.args[0].is_integer else None

    def _eval_power(self, exponent: Expr) -> Expr | None:
        return self.args[0] ** exponent if exponent.is_even else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return Sign(self.args[0])


def domestic(body: Expr) -> Expr:
    """`body` with our |x| and sign for those that SymPy brings in by itself, as in sqrt(x^2) = |x|."""
    if body.has(sympy.Abs, sympy.sign):
        body = body.replace(sympy.Abs, Absolute).replace(sympy.sign, Sign)
    return body


def _select(real: Any) -> Any:
    """Lift a choice by real parts to complex arrays, so that a complex step passes through it."""

    def value(a: Any, b: Any) -> Any:
        if not (np.iscomplexobj(a) or np.iscomplexobj(b)):
            return real(a, b)
        return np.where(real(np.real(a), np.real(b)) == np.real(a), a, b)

    return value


def _absolute(x: Any) -> Any:
    return np.where(x.real < 0, -x, x) if np.iscomplexobj(x) else np.abs(x)


MAXIMUM = Elementwise(
    "maximum", Maximum, ("numpy.maximum",), head=Maximum, value=_select(np.maximum),
    high_precision=lambda mp, a, b: max(a, b), rational=max, kink=lambda a, b: a - b, arity=2, note=TIES,
    spelling={"numpy": "np.maximum({0}, {1})", "torch": "torch.maximum({0}, {1})", "jax": "jnp.maximum({0}, {1})",
              "numba": "maximum({0}, {1})"},
    latex=r"\max\left({0}, {1}\right)", source="derived: the subgradient at a tie is a convention",
)  # fmt: skip
MINIMUM = Elementwise(
    "minimum", Minimum, ("numpy.minimum",), head=Minimum, value=_select(np.minimum),
    high_precision=lambda mp, a, b: min(a, b), rational=min, kink=lambda a, b: a - b, arity=2, note=TIES,
    spelling={"numpy": "np.minimum({0}, {1})", "torch": "torch.minimum({0}, {1})", "jax": "jnp.minimum({0}, {1})",
              "numba": "minimum({0}, {1})"},
    latex=r"\min\left({0}, {1}\right)", source="derived: the subgradient at a tie is a convention",
)  # fmt: skip
ABSOLUTE = Elementwise(
    "abs", Absolute, ("numpy.absolute", "numpy.fabs"), head=Absolute, value=_absolute,
    high_precision=lambda mp, x: abs(x), rational=abs, kink=lambda x: x, note="|x|'(0) = 0",
    spelling={"numpy": "np.abs({0})", "torch": "torch.abs({0})", "jax": "jnp.abs({0})", "numba": "abs({0})"},
    latex=r"\left|{0}\right|", source="derived: 0 is the subgradient of least norm",
)  # fmt: skip
SIGN = Elementwise(
    "sign", Sign, ("numpy.sign",), head=Sign, value=lambda x: np.sign(np.real(x)),
    high_precision=lambda mp, x: mp.sign(x), rational=lambda x: (x > 0) - (x < 0), kink=lambda x: x,
    note="derivative 0 almost everywhere",
    spelling={"numpy": "np.sign({0})", "torch": "torch.sign({0})", "jax": "jnp.sign({0})", "numba": "sign({0})"},
    latex=r"\operatorname{{sign}}\left({0}\right)", source="NumPy reference",
)  # fmt: skip
COPYSIGN = Elementwise(
    "copysign", lambda a, b: Where(sympy.Ge(b, 0), Absolute(a), -Absolute(a)), ("numpy.copysign",), arity=2,
    note="-0.0 counts as 0: its sign is +", source="NumPy reference",
)  # fmt: skip
HEAVISIDE = Elementwise(
    "heaviside", lambda x, half: (1 + Sign(x)) / 2 + (half - Rational(1, 2)) * Bracket(sympy.Eq(x, 0)),
    ("numpy.heaviside",), arity=2, note="derivative 0 almost everywhere", source="NumPy reference",
)  # fmt: skip


def huber(delta: Expr, r: Expr) -> Expr:
    """r^2 / 2 up to |r| = delta, straight from there on."""
    size = Absolute(r)
    inside = Where(sympy.Le(size, delta), r**2 / 2, delta * (size - delta / 2))
    return Where(sympy.Lt(delta, 0), S.Infinity, inside)


HUBER = Elementwise(
    "huber", huber, ("scipy.special.huber",), arity=2, domain=(0.2, 3.0), source="Huber (1964), sec. 4"
)
PSEUDO_HUBER = Elementwise(
    "pseudo_huber", lambda delta, r: delta**2 * (sympy.sqrt(1 + (r / delta) ** 2) - 1),
    ("scipy.special.pseudo_huber",), arity=2, domain=(0.2, 3.0),
    source="Charbonnier et al. (1997), table 1",
)  # fmt: skip
