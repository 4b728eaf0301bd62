"""(exp(x) - 1) / x, log(1 + x) / x and x / (exp(x) - 1), which have limits at 0, and their derivatives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, S

from .._record import Elementwise
from ._fits import Fits, Smooth, by_order, horner
from .complements import bose

LAST = 3
"""The highest derivative of x / (exp(x) - 1) that is computed by itself."""


class _Relative(Function):
    """A family of one function and its derivatives."""

    is_real = True
    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        n, x = self.args
        return type(self)(n + 1, x) if argindex == 2 else S.Zero


class relexp(_Relative):
    """The n-th derivative of (exp(x) - 1) / x: the integral of t^n exp(x t) for t from 0 to 1."""

    is_positive = True

    @classmethod
    def eval(cls, n: Any, x: Any) -> Expr | None:
        return S.One / (n + 1) if x.is_zero else None


class rellog1p(_Relative):
    """The n-th derivative of log(1 + x) / x: (-1)^n n! times the integral of t^n / (1 + x t)^(n + 1) for t from 0 to 1."""

    @classmethod
    def eval(cls, n: Any, x: Any) -> Expr | None:
        return (-1) ** n * sympy.factorial(n) / (n + 1) if x.is_zero else None

    def _eval_is_positive(self) -> bool | None:
        return self.args[0].is_even


class bosex(_Relative):
    """The n-th derivative of x / (exp(x) - 1), which generates Bernoulli's numbers."""

    @classmethod
    def eval(cls, n: Any, x: Any) -> Expr | None:
        return (-1) ** n * sympy.bernoulli(n) if x.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        n, x = self.args
        if argindex == 1 or n < LAST:
            return super().fdiff(argindex)
        return bose(-x) * sympy.Add(*(sympy.binomial(n + 1, k) * bosex(k, x) for k in range(int(n) + 1)))

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_zero else None


# -- to many digits


def _relexp_exact(mp: Any, n: Any, x: Any) -> Any:
    return mp.hyp1f1(int(n) + 1, int(n) + 2, x) / (int(n) + 1)


def _rellog1p_exact(mp: Any, n: Any, x: Any) -> Any:
    n = int(n)
    return (-1) ** n * mp.factorial(n) / (n + 1) * mp.hyp2f1(n + 1, n + 1, n + 2, -x)


def _bosex_exact(mp: Any, n: Any, x: Any) -> Any:
    """By differentiating (exp(x) - 1) B = x, with as many more digits as that loses."""
    n = int(n)
    if not x:
        return (-1) ** n * mp.bernoulli(n) if n != 1 else -mp.mpf(1) / 2
    with mp.workprec(mp.prec + (n + 1) * max(0, -int(mp.mag(x))) + 4 * n + 20):
        above, below = 1 / mp.expm1(x), 1 / mp.expm1(-x)
        found = [x * above]
        for k in range(1, n + 1):
            found.append(
                (above if k == 1 else 0) + below * mp.fsum(mp.binomial(k, j) * found[j] for j in range(k))
            )
    return +found[n]


# -- by polynomials near 0, by recurrence elsewhere


def _of_relexp(order: int) -> Smooth:
    return lambda mp, t: _relexp_exact(mp, order, 2 * t)


def _of_rellog1p(order: int) -> Smooth:
    """In t = 3 x / (2 + x), of which log(1 + x) is 2 atanh(t / 3)."""
    return lambda mp, t: _rellog1p_exact(mp, order, 2 * t / (3 - t))


def _of_bosex(order: int) -> Smooth:
    """Odd derivatives from the third on are odd functions."""
    return lambda mp, t: _bosex_exact(mp, order, 3 * t) / (3 * t if order > 2 and order % 2 else 1)


_RELEXP, _RELLOG1P, _BOSEX = Fits(_of_relexp), Fits(_of_rellog1p), Fits(_of_bosex)


@by_order
def _relexp(n: Any, x: Any) -> Any:
    """The n-th derivative of (exp(x) - 1) / x: a polynomial up to 2, then I_k = (exp(x) - k I_(k-1)) / x."""
    near = np.abs(x) < 2
    small, large = np.where(near, x, 0.0), np.where(near, 4.0, x)
    size = np.abs(large)
    first = np.exp(np.where(large < 0, large, 0.0))
    part = -np.expm1(-size) / size
    for k in range(1, n + 1):
        part = (first - k * part) / large
    root = np.exp(np.where(large < 0, 0.0, 0.5 * large))
    return np.where(near, horner(_RELEXP[n], 0.5 * small), root * (root * part))


@by_order
def _rellog1p(n: Any, x: Any) -> Any:
    """The n-th derivative of log(1 + x) / x: a polynomial between -1/2 and 1, elsewhere by (x L)' = 1 / (1 + x)."""
    near = (x > -0.5) & (x < 1)
    small, large = np.where(near, x, 0.0), np.where(near, 4.0, np.where(x < 1e300, x, 1e300))
    part = np.log1p(large) / large
    slope = -1.0 / (1 + large)
    power: Any = -1.0
    for k in range(1, n + 1):
        power = power * slope * max(k - 1, 1)
        part = (power - k * part) / large
    return np.where(near, horner(_RELLOG1P[n], 3 * small / (2 + small)), part)


@by_order
def _bosex(n: Any, x: Any) -> Any:
    """The n-th derivative of x / (exp(x) - 1): a polynomial up to 3, then by differentiating (exp(x) - 1) B = x."""
    near = np.abs(x) < 3
    small, large = np.where(near, x, 0.0), np.where(near, 4.0, np.where(x < 1e300, x, 1e300))
    size = np.abs(large)
    least = np.exp(-size) / -np.expm1(-size)
    above, below = np.where(large < 0, -1 - least, least), np.where(large < 0, least, -1 - least)
    zeroth = large * above
    first = above + below * zeroth
    second = below * (zeroth + 2 * first)
    third = below * (zeroth + 3 * first + 3 * second)
    far = (zeroth, first, second, third)[n]
    polynomial = horner(_BOSEX[n], small / 3)
    return np.where(near, polynomial * small if n == 3 else polynomial, far)


def _definition(f: Callable[[Expr], Expr]) -> Callable[[Expr, Expr], Expr]:
    def derivative(n: Expr, x: Expr) -> Expr:
        s = sympy.Dummy()
        return sympy.diff(f(s), s, int(n)).subs(s, x)

    return derivative


def _spelling(name: str) -> dict[str, str]:
    return dict.fromkeys(("numpy", "torch", "jax"), f"_{name}({{0}}, {{1}})") | {
        "numba": f"{name}_{{0}}({{1}})"
    }


RELEXP = Elementwise(
    "relexp", relexp, ("derive.special.relexp",), head=relexp, value=_relexp, high_precision=_relexp_exact,
    definition=_definition(lambda s: (sympy.exp(s) - 1) / s), constants=1, arity=2, analytic=False,
    spelling=_spelling("relexp"), latex=r"\left(\frac{{e^x - 1}}{{x}}\right)^{{({0})}}\left({1}\right)",
    note="for a constant order", source="DLMF 13.4.1",
)  # fmt: skip
RELLOG1P = Elementwise(
    "rellog1p", rellog1p, ("derive.special.rellog1p",), head=rellog1p, value=_rellog1p, high_precision=_rellog1p_exact,
    definition=_definition(lambda s: sympy.log(1 + s) / s), constants=1, arity=2, analytic=False,
    spelling=_spelling("rellog1p"), latex=r"\left(\frac{{\log(1 + x)}}{{x}}\right)^{{({0})}}\left({1}\right)",
    domain=(-0.8, 3.0), note="for a constant order, above -1", source="DLMF 15.6.1",
)  # fmt: skip
BOSEX = Elementwise(
    "bosex", bosex, ("derive.special.bosex",), head=bosex, value=_bosex, high_precision=_bosex_exact,
    definition=_definition(lambda s: s / (sympy.exp(s) - 1)), constants=1, arity=2, analytic=False,
    spelling=_spelling("bosex"), latex=r"\left(\frac{{x}}{{e^x - 1}}\right)^{{({0})}}\left({1}\right)",
    note=f"for a constant order up to {LAST}", source="DLMF 24.2.1",
)  # fmt: skip
