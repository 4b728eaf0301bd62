"""Tails of the normal law without cancellation: repeated integrals of erfc, derivatives of the inverse Mills ratio."""

import math
from typing import Any

import numpy as np
import sympy
from scipy import special
from sympy import Expr, Function, S

from .._record import Elementwise
from ._fits import Fits, Smooth, by_order, horner

LAST = 3
"""The highest derivative of the inverse Mills ratio that is computed by itself."""


class ierfcx(Function):
    """exp(x^2) times the n-th repeated integral of erfc; order 0 is erfcx, order -1 is 2 / sqrt(pi)."""

    is_real = True
    is_positive = True
    nargs = 2

    @classmethod
    def eval(cls, n: Any, x: Any) -> Expr | None:
        from .special import erfcx

        if n == -1:
            return 2 / sympy.sqrt(sympy.pi)
        return erfcx(x) if n.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        n, x = self.args
        return -2 * (n + 1) * ierfcx(n + 1, x) if argindex == 2 else S.Zero


class mills(Function):
    """The n-th derivative of the inverse Mills ratio phi(x) / Phi(x), whose slope -ratio (x + ratio) cancels."""

    is_real = True
    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        n, x = self.args
        if argindex == 1:
            return S.Zero
        if n < LAST:
            return mills(n + 1, x)
        parts = (sympy.binomial(n, j) * mills(j, x) * _shifted(n - j, x) for j in range(int(n) + 1))
        return -sympy.Add(*parts)

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_zero else None


def _shifted(order: Expr, x: Expr) -> Expr:
    """A derivative of x + ratio."""
    return mills(order, x) + (x if order.is_zero else S.One if order == 1 else S.Zero)


# -- to many digits


def _ierfcx_exact(mp: Any, n: Any, x: Any) -> Any:
    """By recurrence from erfc, with as many more digits as it loses."""
    order, lost = int(n), max(0, 2 * int(mp.mag(x))) if x else 0
    if mp.isinf(x):
        return mp.zero if x > 0 else mp.inf
    with mp.workprec(mp.prec + (order + 1) * lost + 20):
        before, now = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
        for k in range(1, order + 1):
            before, now = now, (before - 2 * x * now) / (2 * k)
    return +now


def _mills_exact(mp: Any, n: Any, x: Any) -> Any:
    """By the polynomials in x and the ratio that its derivatives are."""
    order, lost = int(n), max(0, 2 * int(mp.mag(x))) if x else 0
    with mp.workprec(mp.prec + (order + 2) * lost + 20):
        ratio = mp.exp(-x * x / 2) * mp.sqrt(2 / mp.pi) / mp.erfc(-x / mp.sqrt(2))
        found = [ratio]
        for k in range(order):
            shifted = [found[j] + (x if j == 0 else 1 if j == 1 else 0) for j in range(k + 1)]
            found.append(-mp.fsum(mp.binomial(k, j) * found[j] * shifted[k - j] for j in range(k + 1)))
    return +found[order]


# -- by polynomials


def _of_erfc(order: int) -> Smooth:
    """(1 + n/2 + 2 x)^(n + 1) times the function, in t = (x - 4) / (x + 4)."""

    def function(mp: Any, t: Any) -> Any:
        x = 4 * (1 + t) / (1 - t)
        return (1 + mp.mpf(order) / 2 + 2 * x) ** (order + 1) * _ierfcx_exact(mp, order, x)

    return function


MILLS_SCALES = ((1, -1), (1, 0), (2, 3), (3, 4))
"""(b, k) for every derivative of the inverse Mills ratio: (b + u)^k times it varies little on the left."""


def _of_mills(order: int) -> Smooth:
    """The derivative times (b + u)^k, where x = 1/2 - u, in t = (u - 3) / (u + 3)."""

    def function(mp: Any, t: Any) -> Any:
        u = 3 * (1 + t) / (1 - t)
        b, k = MILLS_SCALES[order]
        return (b + u) ** k * _mills_exact(mp, order, mp.mpf(1) / 2 - u)

    return function


_IERFCX = Fits(_of_erfc)
_MILLS = Fits(_of_mills)


@by_order
def _ierfcx(n: Any, x: Any) -> Any:
    """exp(x^2) times the n-th integral of erfc: a polynomial for x > 0; below, the recurrence, all of one sign."""
    size = np.abs(x)
    t = 1 - 8 / (size + 4)
    p = horner(_IERFCX[n], t)
    left = np.where(x < 0, x, 0.0)
    before: Any = 2 / math.sqrt(math.pi)
    now = special.erfcx(left)
    for k in range(1, n + 1):
        before, now = now, (before - 2 * left * now) / (2 * k)
    return np.where(x < 0, now, p / (1 + 0.5 * n + 2 * size) ** (n + 1))


@by_order
def _mills(n: Any, x: Any) -> Any:
    """The n-th derivative of phi / Phi: a polynomial up to 1/2, from there on what it is in phi / Phi."""
    left, right = np.where(x < 0.5, x, 0.5), np.where(x < 0.5, 0.5, x)
    u = 0.5 - left
    t = 1 - 6 / (u + 3)
    p = horner(_MILLS[n], t)
    below = (p * (1 + u), p, p / (2 + u) ** 3, p / (3 + u) ** 4)[n]
    short = np.round(16 * right) / 16
    bell = np.exp(-0.5 * short * short) * np.exp(-0.5 * (right - short) * (right + short))
    m = 0.3989422804014327 * bell / (1 - 0.5 * special.erfc(0.7071067811865476 * right))
    w = right + m
    above = (m, -m * w, m * (w * (w + m) - 1), m * (w * (3 - w * (w + 4 * m) - m * m) + m))[n]
    return np.where(x < 0.5, below, np.where(m == 0, -0.0 if n % 2 else 0.0, above))


def _definition_of_integral(n: Expr, x: Expr) -> Expr:
    before, now = 2 / sympy.sqrt(sympy.pi), sympy.exp(x**2) * sympy.erfc(x)
    for k in range(1, int(n) + 1):
        before, now = now, (before - 2 * x * now) / (2 * k)
    return now


def _definition_of_ratio(n: Expr, x: Expr) -> Expr:
    s = sympy.Dummy()
    ratio = sympy.sqrt(2 / sympy.pi) * sympy.exp(-(s**2) / 2) / sympy.erfc(-s / sympy.sqrt(2))
    return sympy.diff(ratio, s, int(n)).subs(s, x)


def _spelling(name: str) -> dict[str, str]:
    array = f"_{name}({{0}}, {{1}})"
    return {"numpy": array, "torch": array, "jax": array, "numba": f"{name}_{{0}}({{1}})"}


IERFCX = Elementwise(
    "ierfcx", ierfcx, ("derive.special.ierfcx",), head=ierfcx, value=_ierfcx, high_precision=_ierfcx_exact,
    definition=_definition_of_integral, constants=1, arity=2, analytic=False, spelling=_spelling("ierfcx"),
    latex=r"e^{{{1}^2}} \operatorname{{i}}^{{{0}}}\operatorname{{erfc}}\left({1}\right)", note="for a constant order",
    source="DLMF 7.18.2 and 7.18.7",
)  # fmt: skip
MILLS = Elementwise(
    "mills", mills, ("derive.special.mills",), head=mills, value=_mills, high_precision=_mills_exact,
    definition=_definition_of_ratio, constants=1, arity=2, analytic=False, spelling=_spelling("mills"),
    latex=r"\left(\frac{{\varphi}}{{\Phi}}\right)^{{({0})}}\left({1}\right)", note=f"for a constant order up to {LAST}",
    source="Sampford (1953), eq. 3",
)  # fmt: skip
