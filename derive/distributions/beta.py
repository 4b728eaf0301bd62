"""The beta distribution."""

from functools import cache

import scipy
import sympy
from sympy import Expr, S

from ..ops.elementwise.gamma import betaln
from ._record import Distribution, Form, Parameter
from .gamma import gamma_ratio

_a, _b = sympy.symbols("a b", positive=True)


def _raw(k: int) -> Expr:
    return sympy.Mul(*((_a + j) / (_a + _b + j) for j in range(k)))


@cache
def _of_moments(k: int) -> Expr:
    """``k_n = m_n - sum_j binomial(n - 1, j - 1) k_j m_{n - j}``."""
    before = (sympy.binomial(k - 1, j - 1) * _of_moments(j) * _raw(k - j) for j in range(1, k))
    return _raw(k) - sympy.Add(*before)


def _power(r: Expr, a: Expr, b: Expr) -> Expr:
    return gamma_ratio(a, r) / gamma_ratio(a + b, r)


BETA = Distribution(
    name="beta",
    parameters=(Parameter("a", ("positive",)), Parameter("b", ("positive",))),
    support=("probability",),
    cumulant=lambda k, a, b: _of_moments(k).xreplace({_a: S(a), _b: S(b)}),
    power=_power,
    power_exists=lambda r, a, b: a + r,
    log_density=lambda x, a, b: (a - 1) * sympy.log(x) + (b - 1) * sympy.log(1 - x) - betaln(a, b),
    bounds=lambda a, b: (S.Zero, S.One),
    forms={
        "mean": Form("a", lambda mean, precision: mean * precision, ("probability",)),
        "precision": Form("b", lambda precision, mean: (1 - mean) * precision, ("positive",)),
    },
    modelled="mean",
    reference=lambda a, b: scipy.stats.beta(a, b),
    source="Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 25",
)
