"""NaN and infinity: the questions that NumPy asks about them, and what is decided by the answers."""

from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Eq, Expr, Function, Ne, S

from ...ir.nodes import Bracket, Where
from .._record import Elementwise
from .piecewise import TIES, Maximum, Minimum


class _Question(Function):
    """1 or 0; never decided from assumptions, which call every entry finite."""

    is_real = True
    is_integer = True
    is_nonnegative = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero


class IsNaN(_Question):
    """Whether x is not a number."""

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        return S(int(x is S.NaN)) if x.is_number else None


class IsInf(_Question):
    """Whether x is plus or minus infinity."""

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        return S(int(bool(x.is_infinite))) if x.is_number else None


def is_nan(x: Expr) -> Any:
    """The condition that x is not a number."""
    return Ne(IsNaN(x), 0)


def is_inf(x: Expr) -> Any:
    """The condition that x is infinite."""
    return Ne(IsInf(x), 0)


def or_other(pick: Any) -> Any:
    """`pick` of two numbers, or the one that is a number."""
    return lambda a, b: Where(is_nan(a), b, Where(is_nan(b), a, pick(a, b)))


ISNAN = Elementwise(
    "isnan", lambda x: Bracket(is_nan(x)), ("numpy.isnan",), head=IsNaN, value=lambda x: np.isnan(x).astype(float),
    high_precision=lambda mp, x: mpmath.mpf(int(mp.isnan(x))), rational=lambda x: 0,
    spelling={"numpy": "np.isnan({0})", "torch": "torch.isnan({0})", "jax": "jnp.isnan({0})",
              "numba": "math.isnan({0})"},
    latex=r"\operatorname{{isnan}}\left({0}\right)", source="IEEE 754-2019, 5.7.2",
)  # fmt: skip
ISINF = Elementwise(
    "isinf", lambda x: Bracket(is_inf(x)), ("numpy.isinf",), head=IsInf, value=lambda x: np.isinf(x).astype(float),
    high_precision=lambda mp, x: mpmath.mpf(int(mp.isinf(x))), rational=lambda x: 0,
    spelling={"numpy": "np.isinf({0})", "torch": "torch.isinf({0})", "jax": "jnp.isinf({0})",
              "numba": "math.isinf({0})"},
    latex=r"\operatorname{{isinf}}\left({0}\right)", source="IEEE 754-2019, 5.7.2",
)  # fmt: skip
ISFINITE = Elementwise(
    "isfinite", lambda x: Bracket(sympy.And(Eq(IsNaN(x), 0), Eq(IsInf(x), 0))), ("numpy.isfinite",),
    source="IEEE 754-2019, 5.7.2",
)  # fmt: skip
ISPOSINF = Elementwise(
    "isposinf", lambda x: Bracket(sympy.And(is_inf(x), x > 0)), ("numpy.isposinf",), source="NumPy reference"
)
ISNEGINF = Elementwise(
    "isneginf", lambda x: Bracket(sympy.And(is_inf(x), x < 0)), ("numpy.isneginf",), source="NumPy reference"
)
FMAX = Elementwise(
    "fmax", or_other(Maximum), ("numpy.fmax",), arity=2, note=TIES, source="C standard, 7.12.12.2"
)
FMIN = Elementwise(
    "fmin", or_other(Minimum), ("numpy.fmin",), arity=2, note=TIES, source="C standard, 7.12.12.3"
)
