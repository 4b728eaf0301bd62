"""sech^2, the slope of tanh and of the sigmoid, and log cosh: both without overflow and without cancellation."""

from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from .._record import Elementwise
from ._heads import OfReal
from ._spelling import brought_along


class sech2(OfReal):
    """1 / cosh(x)^2."""

    is_positive = True
    at_zero = S.One
    even = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return -2 * sympy.tanh(self.args[0]) * self


class logcosh(OfReal):
    """log(cosh(x))."""

    is_nonnegative = True
    at_zero = S.Zero
    even = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.tanh(self.args[0])


def _sech2(x: Any) -> Any:
    """1 / cosh(x)^2, without overflow."""
    e = np.exp(-2 * np.abs(x))
    return 4 * e / (1 + e) ** 2


def _logcosh(x: Any) -> Any:
    """log(cosh(x)): up to 1 by cosh(x) = 1 + 2 sinh(x / 2)^2."""
    size = np.abs(x)
    near = size < 1
    e = np.expm1(np.where(near, size, 0.0))
    far = (size - 0.6931471805599453) + np.log1p(np.exp(-2 * size))
    return np.where(near, np.log1p(0.5 * e * (e / (1 + e))), far)


SECH2 = Elementwise(
    "sech2", sech2, ("derive.special.sech2",), head=sech2, value=_sech2, high_precision=lambda mp, x: mp.sech(x) ** 2,
    definition=lambda x: 1 - sympy.tanh(x) ** 2, spelling=brought_along("sech2"), analytic=False,
    latex=r"\operatorname{{sech}}^2\left({0}\right)", source="DLMF 4.28.9",
)  # fmt: skip
LOGCOSH = Elementwise(
    "logcosh", logcosh, ("derive.special.logcosh",), head=logcosh, value=_logcosh, analytic=False,
    high_precision=lambda mp, x: mp.log1p(2 * mp.sinh(x / 2) ** 2), definition=lambda x: sympy.log(sympy.cosh(x)),
    spelling=brought_along("logcosh"), latex=r"\log\cosh\left({0}\right)", source="derived: cosh(x) = 1 + 2 sinh(x / 2)^2",
)  # fmt: skip
