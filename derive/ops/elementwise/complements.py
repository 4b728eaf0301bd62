"""Differences of exponentials: log(1 - exp(-x)), its slope 1 / (exp(x) - 1), and exp(a) - exp(b)."""

import math
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


class expdiff(Function):
    """exp(a) - exp(b)."""

    is_real = True
    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.exp(self.args[0]) if argindex == 1 else -sympy.exp(self.args[1])


def _log1mexp(x: Any) -> Any:
    """log(1 - exp(-x)) for x > 0: by expm1 up to log(2), from there on by log1p."""
    near = x < 0.6931471805599453
    return np.where(near, np.log(-np.expm1(-np.where(near, x, 1.0))), np.log1p(-np.exp(-np.where(near, 1.0, x))))


def _bose(x: Any) -> Any:
    """1 / (exp(x) - 1), without overflow."""
    size = np.abs(x)
    return np.where(x < 0, -1.0, np.exp(-size)) / -np.expm1(-size)


def _expdiff(a: Any, b: Any) -> Any:
    """exp(a) - exp(b), which is exp(m) (1 - exp(-|a - b|)) or its negative; exp(m) by two factors without overflow."""
    gap = np.where(a == b, 0.0, a - b)
    largest = np.where(a > b, a, b)
    part = -np.expm1(-np.abs(gap))
    root = np.exp(0.5 * largest)
    plain = np.exp(largest) * part
    size = np.where(gap == 0, 0.0, np.where(plain == math.inf, root * (root * part), plain))
    return np.where(gap < 0, -size, size)


LOG1MEXP = Elementwise(
    "log1mexp", log1mexp, ("derive.special.log1mexp",), head=log1mexp, value=_log1mexp, analytic=False,
    high_precision=lambda mp, x: mp.log(-mp.expm1(-x)) if x < 1 else mp.log1p(-mp.exp(-x)),
    definition=lambda x: sympy.log(1 - sympy.exp(-x)),
    spelling=brought_along("log1mexp"), latex=r"\log\left(1 - e^{{-{0}}}\right)", domain=(0.2, 3.0), note="for x > 0",
    source="Mächler (2012), eq. 7",
)  # fmt: skip
BOSE = Elementwise(
    "bose", bose, ("derive.special.bose",), head=bose, value=_bose, high_precision=lambda mp, x: 1 / mp.expm1(x),
    definition=lambda x: 1 / (sympy.exp(x) - 1), spelling=brought_along("bose"), analytic=False,
    latex=r"\frac{{1}}{{e^{{{0}}} - 1}}", domain=(0.2, 3.0), source="derived: the slope of log(1 - exp(-x))",
)  # fmt: skip
EXPDIFF = Elementwise(
    "expdiff", expdiff, ("derive.special.expdiff",), head=expdiff, value=_expdiff, analytic=False,
    high_precision=lambda mp, a, b: mp.exp(b) * mp.expm1(a - b) if a != b else mp.zero,
    definition=lambda a, b: sympy.exp(a) - sympy.exp(b), spelling=brought_along("expdiff", 2), arity=2,
    latex=r"\left(e^{{{0}}} - e^{{{1}}}\right)", source="DLMF 4.2.19",
)  # fmt: skip
