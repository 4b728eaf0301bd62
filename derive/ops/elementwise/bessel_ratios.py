"""log I0 and the derivatives of its slope I1 / I0, the mean resultant length of von Mises' law, without cancellation."""

from typing import Any

import numpy as np
import sympy
from scipy import special
from sympy import Expr, Function, S

from .._record import Elementwise
from ._fits import Pieces, Smooth, by_order, horner
from ._heads import OfReal
from ._spelling import brought_along
from .bessel import i0, i1

LAST = 3
NEAR, FAR = 2.5, 9
"""Up to the first a polynomial in x^2, from the second on one in 1 / x, and one in x between them."""


class log_i0(OfReal):
    """log(I0(x))."""

    is_nonnegative = True
    at_zero = S.Zero
    even = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return bessel_ratio(S.Zero, self.args[0])


class bessel_ratio(Function):
    """The n-th derivative of I1(x) / I0(x), whose slope 1 - ratio / x - ratio^2 cancels."""

    is_real = True
    nargs = 2

    @classmethod
    def eval(cls, n: Any, x: Any) -> Expr | None:
        return S.Zero if x.is_zero and n.is_even else None

    def fdiff(self, argindex: int = 1) -> Expr:
        n, x = self.args
        if argindex == 1:
            return S.Zero
        if n < LAST:
            return bessel_ratio(n + 1, x)
        rest = [sympy.binomial(n, j) * bessel_ratio(j, x) * bessel_ratio(n - j, x) for j in range(int(n) + 1)]
        return -(sympy.Add(*rest) + ((n + 1) * bessel_ratio(n, x) + sympy.Add(*_below(n, x))) / x)


def _below(n: Expr, x: Expr) -> list[Expr]:
    """From x r' + r + x r^2 = x, differentiated n times: what is beside the terms with x and (n + 1) r^(n)."""
    pairs = (sympy.binomial(n - 1, j) * bessel_ratio(j, x) * bessel_ratio(n - 1 - j, x) for j in range(int(n)))
    return [n * sympy.Add(*pairs)]


def _ratio_exact(mp: Any, n: Any, x: Any) -> Any:
    """By differentiating the equation r' = 1 - r / x - r^2, with as many more digits as it loses."""
    order = int(n)
    if not x or mp.isinf(x):
        at_zero = (mp.zero, mp.mpf(1) / 2, mp.zero, -mp.mpf(3) / 8)[order]
        return at_zero if not x else mp.sign(x) if order == 0 else mp.zero
    with mp.workprec(mp.prec + 60 + (order + 2) * 2 * abs(int(mp.mag(x)))):
        found = [mp.besseli(1, x) / mp.besseli(0, x)]
        inverse = [(-1) ** k * mp.factorial(k) / x ** (k + 1) for k in range(order + 1)]
        for k in range(order):
            products = (mp.binomial(k, j) * found[j] * (inverse[k - j] + found[k - j]) for j in range(k + 1))
            found.append((1 if k == 0 else 0) - mp.fsum(products))
    return +found[order]


def _log_i0_exact(mp: Any, x: Any) -> Any:
    with mp.workprec(mp.prec + 2 * max(0, -int(mp.mag(x))) + 20 if x else mp.prec):
        found = mp.log(mp.besseli(0, x)) if abs(x) < 1e6 else abs(x) - mp.log(2 * mp.pi * abs(x)) / 2 + _stirling(mp, x)
    return +found


def _stirling(mp: Any, x: Any) -> Any:
    """log of the asymptotic series of I0, without its first factor (DLMF 10.40.1)."""
    term, total = mp.one, mp.one
    for k in range(1, 12):
        term *= mp.mpf((2 * k - 1) ** 2) / (8 * k * abs(x))
        total += term
    return mp.log(total)


def _of_ratio(order: int) -> tuple[Smooth, Smooth, Smooth]:
    def near(mp: Any, t: Any) -> Any:
        x = NEAR * mp.sqrt((1 + t) / 2)
        return _ratio_exact(mp, order, x) / (1 if order % 2 else x)

    def middle(mp: Any, t: Any) -> Any:
        x = (NEAR + FAR) / 2 + t * (FAR - NEAR) / 2
        return _ratio_exact(mp, order, x) * x ** (order + 1 if order else 0)

    def far(mp: Any, t: Any) -> Any:
        x = 2 * FAR / (1 + t)
        return _ratio_exact(mp, order, x) * x ** (order + 1 if order else 0)

    return near, middle, far


def _of_logarithm(order: int) -> tuple[Smooth]:
    def near(mp: Any, t: Any) -> Any:
        x = NEAR * mp.sqrt((1 + t) / 2)
        return _log_i0_exact(mp, x) / x**2

    return (near,)


_BESSEL_RATIO = Pieces(_of_ratio)
_LOG_I0 = Pieces(_of_logarithm)


@by_order
def _bessel_ratio(n: Any, x: Any) -> Any:
    """The n-th derivative of I1 / I0, by polynomials in x^2, in x and in 1 / x."""
    near, middle, far = _BESSEL_RATIO[n]
    size = np.abs(x)
    short, medium = np.where(size < 2.5, size, 0.0), np.where((size >= 2.5) & (size < 9), size, 5.0)
    long = np.where(size < 9, 9.0, size)
    inner = horner(near, 0.32 * short * short - 1) * (1.0 if n % 2 else short)
    outer = np.where(size < 9, horner(middle, (medium - 5.75) / 3.25), horner(far, 18 / long - 1))
    power = n + 1 if n else 0
    found = np.where(size < 2.5, inner, outer / np.where(size < 9, medium, long) ** power)
    found = np.where(np.isnan(x), x, found)
    return found if n % 2 else np.where(x < 0, -found, found)


def _log_i0(x: Any) -> Any:
    """log(I0(x)): a polynomial in x^2, then from exp(-x) I0(x)."""
    size = np.abs(x)
    short, long = np.where(size < 2.5, size, 0.0), np.where(size < 2.5, 2.5, size)
    inner = short * (short * horner(_LOG_I0[0][0], 0.32 * short * short - 1))
    return np.where(size < 2.5, inner, np.where(size == np.inf, size, long + np.log(special.i0e(long))))


LOG_I0 = Elementwise(
    "log_i0", log_i0, ("derive.special.log_i0",), head=log_i0, value=_log_i0, high_precision=_log_i0_exact,
    definition=lambda x: sympy.log(i0(x)), analytic=False, spelling=brought_along("log_i0"),
    latex=r"\log I_0\left({0}\right)", source="DLMF 10.25.2",
)  # fmt: skip
BESSEL_RATIO = Elementwise(
    "bessel_ratio", bessel_ratio, ("derive.special.bessel_ratio",), head=bessel_ratio, value=_bessel_ratio,
    high_precision=_ratio_exact, constants=1, arity=2, analytic=False, definition=lambda n, x: _definition(n, x),
    spelling=dict.fromkeys(("numpy", "torch", "jax"), "_bessel_ratio({0}, {1})") | {"numba": "bessel_ratio_{0}({1})"},
    latex=r"\left(\frac{{I_1}}{{I_0}}\right)^{{({0})}}\left({1}\right)", note=f"for a constant order up to {LAST}",
    source="Mardia and Jupp (2000), eq. 3.5.31",
)  # fmt: skip


def _definition(n: Expr, x: Expr) -> Expr:
    """The ratio, and its derivatives by r' = 1 - r / x - r^2."""
    s, ratio = sympy.Dummy(), sympy.Function("r")
    found: Expr = ratio(s)
    for _ in range(int(n)):
        found = sympy.diff(found, s).subs(sympy.diff(ratio(s), s), 1 - ratio(s) / s - ratio(s) ** 2)
    return found.subs(ratio(s), i1(s) / i0(s)).subs(s, x)
