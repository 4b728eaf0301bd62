"""Differences of log gamma and of its derivatives, log gamma(x + h) - log gamma(x), without cancellation."""

import math
from typing import Any

import numpy as np
import sympy
from scipy import special
from sympy import Expr, Function, S

from .._record import Elementwise
from ._fits import by_order
from ._spelling import brought_along
from .remainders import _log1pmx
from .special import POSITIVE_DOMAIN


class gammaln_diff(Function):
    """log gamma(x + h) - log gamma(x), the logarithm of a rising factorial."""

    is_real = True
    nargs = 2

    @classmethod
    def eval(cls, x: Any, h: Any) -> Expr | None:
        return S.Zero if h.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        x, h = self.args
        return polygamma_diff(S.Zero, x, h) if argindex == 1 else sympy.polygamma(0, x + h)


class polygamma_diff(Function):
    """polygamma(n, x + h) - polygamma(n, x)."""

    is_real = True
    nargs = 3

    @classmethod
    def eval(cls, n: Any, x: Any, h: Any) -> Expr | None:
        return S.Zero if h.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        n, x, h = self.args
        if argindex == 1:
            return S.Zero
        return polygamma_diff(n + 1, x, h) if argindex == 2 else sympy.polygamma(n + 1, x + h)


class gammaln_excess(Function):
    """log gamma(x + h) - log gamma(x) - h log(x), which is about h (h - 1) / (2 x) for large x."""

    is_real = True
    nargs = 2

    @classmethod
    def eval(cls, x: Any, h: Any) -> Expr | None:
        return S.Zero if h.is_zero or h == 1 else None

    def fdiff(self, argindex: int = 1) -> Expr:
        x, h = self.args
        return polygamma_excess(S.Zero, x, h) if argindex == 1 else sympy.polygamma(0, x + h) - sympy.log(x)


class polygamma_excess(Function):
    """polygamma(n, x + h) - polygamma(n, x) less the derivative of h log(x) of order n + 1."""

    is_real = True
    nargs = 3

    @classmethod
    def eval(cls, n: Any, x: Any, h: Any) -> Expr | None:
        return S.Zero if h.is_zero or h == 1 else None

    def fdiff(self, argindex: int = 1) -> Expr:
        n, x, h = self.args
        if argindex == 1:
            return S.Zero
        if argindex == 2:
            return polygamma_excess(n + 1, x, h)
        return sympy.polygamma(n + 1, x + h) - _power_slope(n, x)


def _power_slope(n: Expr, x: Expr) -> Expr:
    """The derivative of log(x) of order n + 1."""
    return (-1) ** n * sympy.factorial(n) / x ** (n + 1)


def _gammaln_diff(x: Any, h: Any) -> Any:
    """log gamma(x + h) - log gamma(x): by Stirling's series at x + 10 where h is small beside x."""
    near = (h > -0.5 * x) & (h < x)
    small = np.where(near, h, 0.0)
    plain = special.gammaln(x + h) - special.gammaln(x)
    product: Any = 0.0
    for k in range(10):
        product = product + (1 + product) * (small / (x + k))
    z = x + 10
    log = np.log1p(small / z)
    tail: Any = 0.0
    for k, c in enumerate((1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)):
        tail = tail + c * np.expm1(-(2 * k + 1) * log) / z ** (2 * k + 1)
    far = small * np.log(z) + z * _log1pmx(small / z) + ((small - 0.5) * log + tail)
    return np.where(near, far - np.log1p(product), plain)


@by_order
def _polygamma_diff(n: Any, x: Any, h: Any) -> Any:
    """polygamma(n, x + h) - polygamma(n, x): terms of the recurrence and of Stirling's series, all of one sign."""
    total: Any = 0.0
    for k in range(10 + n):
        a, b = x + k, (x + h) + k
        total = total + math.factorial(n) * sum((h / a ** (n + 1 - i)) / b ** (i + 1) for i in range(n + 1))
    z = x + (10 + n)
    log = np.log1p(h / z)
    first = log if n == 0 else -math.factorial(n - 1) * np.expm1(-n * log) / z**n
    total = total + first - math.factorial(n) / 2 * np.expm1(-(n + 1) * log) / z ** (n + 1)
    for k, b in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6), start=1):
        m, c = 2 * k + n, b * math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        total = total - c * np.expm1(-m * log) / z**m
    found = total if n % 2 == 0 else -total
    return np.where((x > 0) & (x + h > 0), found, np.nan)


def _gammaln_excess(x: Any, h: Any) -> Any:
    """log gamma(x + h) - log gamma(x) - h log(x): from 10 on by Stirling's series, in which h log(x) cancels."""
    far = (x >= 10) & (x + h >= 10)
    z, small = np.where(far, x, 10.0), np.where(far, h, 0.0)
    log = np.log1p(small / z)
    tail: Any = 0.0
    for k, c in enumerate((1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)):
        tail = tail + c * np.expm1(-(2 * k + 1) * log) / z ** (2 * k + 1)
    large = z * _log1pmx(small / z) + ((small - 0.5) * log + tail)
    return np.where(far, large, _gammaln_diff(x, h) - h * np.log(x))


@by_order
def _polygamma_excess(n: Any, x: Any, h: Any) -> Any:
    """polygamma_diff less the derivative of h log(x): from 10 on by Stirling's series, in which that cancels."""
    far = (x >= 10) & (x + h >= 10)
    z, small = np.where(far, x, 10.0), np.where(far, h, 0.0)
    r = small / z
    log = np.log1p(r)
    q: Any = 0.0
    for k in range(n - 1, -1, -1):
        q = q * r + (n * math.comb(n, k + 1) - math.comb(n, k + 2))
    first = _log1pmx(r) if n == 0 else -math.factorial(n - 1) * (r * r * q / (1 + r) ** n) / z**n
    total = first - math.factorial(n) / 2 * np.expm1(-(n + 1) * log) / z ** (n + 1)
    for k, b in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6), start=1):
        m, c = 2 * k + n, b * math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        total = total - c * np.expm1(-m * log) / z**m
    plain = _polygamma_diff(n, x, h) - (-1) ** n * math.factorial(n) * (h / x ** (n + 1))
    return np.where(far, total if n % 2 == 0 else -total, plain)


def _exactly(function: Any, excess: Any = None) -> Any:
    """A difference at x and x + h, less h times `excess`, with as many more digits as it loses."""

    def value(mp: Any, *arguments: Any) -> Any:
        *order, x, h = arguments
        if not h or not (mp.isfinite(x) and mp.isfinite(h)):
            return mp.zero if not h else mp.nan
        with mp.workprec(mp.prec + 60 + 2 * max(0, int(mp.mag(x) - mp.mag(h))) + 4 * abs(int(mp.mag(x)))):
            found = function(mp, *order, x + h) - function(mp, *order, x)
            found -= h * excess(mp, *order, x) if excess is not None else 0
        return +found

    return value


GAMMALN_DIFF = Elementwise(
    "gammaln_diff", gammaln_diff, ("derive.special.gammaln_diff",), head=gammaln_diff, value=_gammaln_diff, arity=2,
    high_precision=_exactly(lambda mp, x: mp.loggamma(x)), definition=lambda x, h: sympy.loggamma(x + h) - sympy.loggamma(x),
    spelling=brought_along("gammaln_diff", 2), analytic=False, domain=POSITIVE_DOMAIN, note="for x > 0 and x + h > 0",
    latex=r"\log\frac{{\Gamma\left({0} + {1}\right)}}{{\Gamma\left({0}\right)}}", source="DLMF 5.11.1 and 5.5.1",
)  # fmt: skip
POLYGAMMA_DIFF = Elementwise(
    "polygamma_diff", polygamma_diff, ("derive.special.polygamma_diff",), head=polygamma_diff, value=_polygamma_diff,
    high_precision=_exactly(lambda mp, n, x: mp.polygamma(int(n), x)), arity=3, constants=1, analytic=False,
    definition=lambda n, x, h: sympy.polygamma(n, x + h) - sympy.polygamma(n, x), domain=POSITIVE_DOMAIN,
    spelling=dict.fromkeys(("numpy", "torch", "jax"), "_polygamma_diff({0}, {1}, {2})")
    | {"numba": "polygamma_diff_{0}({1}, {2})"},
    latex=r"\left(\psi^{{({0})}}\left({1} + {2}\right) - \psi^{{({0})}}\left({1}\right)\right)",
    note="for a constant order, x > 0 and x + h > 0", source="DLMF 5.15.8 and 5.15.5",
)  # fmt: skip
GAMMALN_EXCESS = Elementwise(
    "gammaln_excess", gammaln_excess, ("derive.special.gammaln_excess",), head=gammaln_excess, value=_gammaln_excess,
    high_precision=_exactly(lambda mp, x: mp.loggamma(x), lambda mp, x: mp.log(x)), arity=2, analytic=False,
    definition=lambda x, h: sympy.loggamma(x + h) - sympy.loggamma(x) - h * sympy.log(x), domain=POSITIVE_DOMAIN,
    spelling=brought_along("gammaln_excess", 2), note="for x > 0 and x + h > 0",
    latex=r"\log\frac{{\Gamma\left({0} + {1}\right)}}{{\Gamma\left({0}\right) {0}^{{{1}}}}}", source="DLMF 5.11.12",
)  # fmt: skip
POLYGAMMA_EXCESS = Elementwise(
    "polygamma_excess", polygamma_excess, ("derive.special.polygamma_excess",), head=polygamma_excess,
    value=_polygamma_excess, arity=3, constants=1, analytic=False, domain=POSITIVE_DOMAIN,
    high_precision=_exactly(
        lambda mp, n, x: mp.polygamma(int(n), x), lambda mp, n, x: (-1) ** int(n) * mp.factorial(int(n)) / x ** (int(n) + 1)
    ),
    definition=lambda n, x, h: sympy.polygamma(n, x + h) - sympy.polygamma(n, x) - h * _power_slope(n, x),
    spelling=dict.fromkeys(("numpy", "torch", "jax"), "_polygamma_excess({0}, {1}, {2})")
    | {"numba": "polygamma_excess_{0}({1}, {2})"},
    latex=r"\partial_{{{1}}}^{{{0} + 1}} \log\frac{{\Gamma\left({1} + {2}\right)}}{{\Gamma\left({1}\right) {1}^{{{2}}}}}",
    note="for a constant order, x > 0 and x + h > 0", source="DLMF 5.15.8",
)  # fmt: skip
