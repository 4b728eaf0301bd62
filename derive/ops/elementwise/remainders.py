"""What is left of a function beside the first terms of its Taylor series: log1p(x) - x, expm1(x) - x, cos(x) - 1."""

import math
from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from .._record import Elementwise
from ._heads import OfReal
from ._spelling import brought_along
from .exponential import expm1, log1p


class log1pmx(OfReal):
    """log(1 + x) - x."""

    at_zero = S.Zero
    is_nonpositive = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return -self.args[0] / (1 + self.args[0])


class expm1mx(OfReal):
    """exp(x) - 1 - x."""

    at_zero = S.Zero
    is_nonnegative = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return expm1(self.args[0])


class cosm1(OfReal):
    """cos(x) - 1."""

    at_zero = S.Zero
    is_nonpositive = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return -sympy.sin(self.args[0])


def _log1pmx(x: Any) -> Any:
    """log(1 + x) - x: near 0 by log(1 + x) = 2 atanh(s), s = x / (2 + x)."""
    near = (x > -0.5) & (x < 1)
    small = np.where(near, x, 0.0)
    s = small / (2 + small)
    z = s * s
    p: Any = 0.0
    for k in range(35, 1, -2):
        p = p * z + 1 / k
    return np.where(near, s * (2 * z * p - small), np.log1p(np.where(near, 0.0, x)) - x)


def _expm1mx(x: Any) -> Any:
    """exp(x) - 1 - x: its Taylor series up to 1."""
    near = np.abs(x) < 1
    small = np.where(near, x, 0.0)
    p: Any = 0.0
    for k in range(19, 1, -1):
        p = p * small + 1 / math.factorial(k)
    return np.where(near, small * small * p, np.expm1(np.where(near, 0.0, x)) - x)


def _cosm1(x: Any) -> Any:
    """cos(x) - 1."""
    return -2 * np.sin(0.5 * x) ** 2


def _exactly(f: Any) -> Any:
    """A difference that cancels, computed with as many more digits as it loses."""

    def value(mp: Any, x: Any) -> Any:
        lost = max(0, -2 * int(mp.mag(x))) if x and mp.isfinite(x) else 0
        with mp.workprec(mp.prec + min(lost, 8000) + 10):
            found = f(mp, x)
        return +found

    return value


LOG1PMX = Elementwise(
    "log1pmx", log1pmx, ("derive.special.log1pmx",), head=log1pmx, value=_log1pmx, analytic=False,
    high_precision=_exactly(lambda mp, x: mp.log1p(x) - x), definition=lambda x: log1p(x) - x,
    spelling=brought_along("log1pmx"), latex=r"\left(\log\left(1 + {0}\right) - {0}\right)", domain=(-0.8, 3.0),
    source="DLMF 4.6.1",
)  # fmt: skip
EXPM1MX = Elementwise(
    "expm1mx", expm1mx, ("derive.special.expm1mx",), head=expm1mx, value=_expm1mx, analytic=False,
    high_precision=_exactly(lambda mp, x: mp.expm1(x) - x), definition=lambda x: expm1(x) - x,
    spelling=brought_along("expm1mx"), latex=r"\left(e^{{{0}}} - 1 - {0}\right)", source="DLMF 4.2.19",
)  # fmt: skip
COSM1 = Elementwise(
    "cosm1", cosm1, ("scipy.special.cosm1",), head=cosm1, value=_cosm1, high_precision=lambda mp, x: -2 * mp.sin(x / 2) ** 2,
    definition=lambda x: sympy.cos(x) - 1, spelling=brought_along("cosm1"),
    latex=r"\left(\cos\left({0}\right) - 1\right)", source="DLMF 4.21.28",
)  # fmt: skip
