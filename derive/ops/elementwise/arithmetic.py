"""Sums, products, quotients, powers and roots: mostly SymPy's own nodes, so most records only translate."""

from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, Rational

from .._record import Elementwise
from ._spelling import brought_along
from .piecewise import Absolute, Sign

POSITIVE_DOMAIN = (0.2, 3.0)


class Hypot(Function):
    """sqrt(a^2 + b^2), without overflow."""

    is_real = True
    is_nonnegative = True
    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Expr | None:
        if a.is_number and b.is_number:
            return sympy.sqrt(a**2 + b**2)
        return Absolute(a) if b.is_zero else Absolute(b) if a.is_zero else None

    def _eval_power(self, exponent: Expr) -> Expr | None:
        a, b = self.args
        return (a**2 + b**2) ** (exponent / 2) if exponent.is_even else None

    def fdiff(self, argindex: int = 1) -> Expr:
        return self.args[argindex - 1] / self


class unit(Function):
    """a / sqrt(a^2 + b^2), the cosine of the angle of the point (a, b)."""

    is_real = True
    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        a, b = self.args
        return unit(b, a) ** 2 / Hypot(a, b) if argindex == 1 else -self * unit(b, a) / Hypot(a, b)


class quotient(Function):
    """a / b as it stands: it is not merged with what stands beside it."""

    is_real = True
    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        b = self.args[1]
        return 1 / b if argindex == 1 else -quotient(self, b)


def _unit(a: Any, b: Any) -> Any:
    """a / sqrt(a^2 + b^2)."""
    return a / np.hypot(a, b)


def _hypot(a: Any, b: Any) -> Any:
    return np.sqrt(a * a + b * b) if np.iscomplexobj(a) or np.iscomplexobj(b) else np.hypot(a, b)


ADD = Elementwise("add", lambda a, b: a + b, ("numpy.add",), arity=2, source="NumPy reference")
SUBTRACT = Elementwise("subtract", lambda a, b: a - b, ("numpy.subtract",), arity=2, source="NumPy reference")
MULTIPLY = Elementwise("multiply", lambda a, b: a * b, ("numpy.multiply",), arity=2, source="NumPy reference")
DIVIDE = Elementwise(
    "divide", lambda a, b: a / b, ("numpy.divide", "numpy.true_divide"), arity=2, domain=POSITIVE_DOMAIN,
    source="NumPy reference",
)  # fmt: skip
NEGATIVE = Elementwise("negative", lambda a: -a, ("numpy.negative",), source="NumPy reference")
POSITIVE = Elementwise("positive", lambda a: a, ("numpy.positive",), source="NumPy reference")
CONJUGATE = Elementwise(
    "conjugate",
    lambda a: a,
    ("numpy.conjugate", "numpy.conj"),
    note="everything is real",
    source="NumPy reference",
)
POWER = Elementwise(
    "power", lambda a, b: a**b, ("numpy.power", "numpy.float_power"), arity=2, domain=POSITIVE_DOMAIN,
    source="DLMF 4.2.26",
)  # fmt: skip
SQUARE = Elementwise("square", lambda a: a**2, ("numpy.square",), source="NumPy reference")
RECIPROCAL = Elementwise(
    "reciprocal", lambda a: 1 / a, ("numpy.reciprocal",), domain=POSITIVE_DOMAIN, source="NumPy reference"
)
SQRT = Elementwise("sqrt", sympy.sqrt, ("numpy.sqrt",), domain=POSITIVE_DOMAIN, source="DLMF 4.2.26")
CBRT = Elementwise(
    "cbrt", lambda a: Sign(a) * Absolute(a) ** Rational(1, 3), ("numpy.cbrt", "scipy.special.cbrt"),
    note="the derivative at 0, which is infinite, is taken to be 0", source="derived: odd continuation of the root",
)  # fmt: skip
HYPOT = Elementwise(
    "hypot", Hypot, ("numpy.hypot",), head=Hypot, value=_hypot, high_precision=lambda mp, a, b: mp.hypot(a, b),
    spelling={"numpy": "np.hypot({0}, {1})", "torch": "torch.hypot({0}, {1})", "jax": "jnp.hypot({0}, {1})",
              "numba": "math.hypot({0}, {1})"},
    definition=lambda a, b: sympy.sqrt(a**2 + b**2), slopes=lambda a, b: (unit(a, b), unit(b, a)),
    latex=r"\sqrt{{{0}^2 + {1}^2}}", arity=2, note="the derivative at (0, 0) is undefined: NaN",
    source="derived: the Euclidean norm of two numbers",
)  # fmt: skip
UNIT = Elementwise(
    "unit", unit, ("derive.special.unit",), head=unit, value=_unit, high_precision=lambda mp, a, b: a / mp.hypot(a, b),
    definition=lambda a, b: a / sympy.sqrt(a**2 + b**2), spelling=brought_along("unit", 2), arity=2, analytic=False,
    latex=r"\frac{{{0}}}{{\sqrt{{{0}^2 + {1}^2}}}}", domain=POSITIVE_DOMAIN, note="NaN at (0, 0)",
    source="derived: the slope of the Euclidean norm of two numbers",
)  # fmt: skip
QUOTIENT = Elementwise(
    "quotient", quotient, ("derive.special.quotient",), head=quotient, value=np.divide,
    high_precision=lambda mp, a, b: a / b, definition=lambda a, b: a / b,
    spelling={"numpy": "np.divide({0}, {1})", "torch": "torch.divide({0}, {1})", "jax": "jnp.divide({0}, {1})",
              "numba": "quotient({0}, {1})"},
    arity=2, latex=r"\frac{{{0}}}{{{1}}}", domain=POSITIVE_DOMAIN, source="derived: a division before any product",
)  # fmt: skip
DEG2RAD = Elementwise(
    "deg2rad", lambda a: a * sympy.pi / 180, ("numpy.deg2rad", "numpy.radians"), source="NumPy reference"
)
RAD2DEG = Elementwise(
    "rad2deg", lambda a: a * 180 / sympy.pi, ("numpy.rad2deg", "numpy.degrees"), source="NumPy reference"
)
