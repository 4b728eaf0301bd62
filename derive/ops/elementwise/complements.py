"""log(1 - exp(-x)) and its slope 1 / (exp(x) - 1), which is closed under differentiation."""

from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function

from .._record import Elementwise
from ._spelling import brought_along


class log1mexp(Function):
    """log(1 - exp(-x)) for x > 0."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return bose(self.args[0])


class bose(Function):
    """1 / (exp(x) - 1); bose(-x) = -1 - bose(x), so that its slope is a product."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * bose(-self.args[0])


def _log1mexp(x: Any) -> Any:
    """log(1 - exp(-x)) for x > 0: by expm1 up to log(2), from there on by log1p."""
    near = x < 0.6931471805599453
    return np.where(near, np.log(-np.expm1(-np.where(near, x, 1.0))), np.log1p(-np.exp(-np.where(near, 1.0, x))))


def _bose(x: Any) -> Any:
    """1 / (exp(x) - 1), without overflow."""
    size = np.abs(x)
    return np.where(x < 0, -1.0, np.exp(-size)) / -np.expm1(-size)


LOG1MEXP = Elementwise(
    "log1mexp", log1mexp, ("derive.special.log1mexp",), head=log1mexp, value=_log1mexp, analytic=False,
    high_precision=lambda mp, x: mp.log(-mp.expm1(-x)), definition=lambda x: sympy.log(1 - sympy.exp(-x)),
    spelling=brought_along("log1mexp"), latex=r"\log\left(1 - e^{{-{0}}}\right)", domain=(0.2, 3.0), note="for x > 0",
    source="Mächler (2012), eq. 7",
)  # fmt: skip
BOSE = Elementwise(
    "bose", bose, ("derive.special.bose",), head=bose, value=_bose, high_precision=lambda mp, x: 1 / mp.expm1(x),
    definition=lambda x: 1 / (sympy.exp(x) - 1), spelling=brought_along("bose"), analytic=False,
    latex=r"\frac{{1}}{{e^{{{0}}} - 1}}", domain=(0.2, 3.0), source="derived: the slope of log(1 - exp(-x))",
)  # fmt: skip
