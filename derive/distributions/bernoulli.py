"""Counts of successes: one trial, or several."""

from functools import cache

import scipy
import sympy
from sympy import Expr, S

from ._record import Distribution, Parameter

_p = sympy.Symbol("p")


@cache
def _of_one(k: int) -> Expr:
    """``k_{n+1} = p (1 - p) dk_n/dp``."""
    return _p if k == 1 else sympy.expand(_p * (1 - _p) * sympy.diff(_of_one(k - 1), _p))


def _cumulant(k: int, p: Expr) -> Expr:
    return _of_one(k).xreplace({_p: p})


def _tilted(t: Expr, p: Expr) -> Expr:
    return p * sympy.exp(t) / (1 - p + p * sympy.exp(t))


def log_binomial(n: Expr, k: Expr) -> Expr:
    """The logarithm of the number of ways to choose k of n."""
    return sympy.loggamma(n + 1) - sympy.loggamma(k + 1) - sympy.loggamma(n - k + 1)


BERNOULLI = Distribution(
    name="bernoulli",
    parameters=(Parameter("p", ("probability",)),),
    support=("binary",),
    cumulant=_cumulant,
    generating=lambda t, p: sympy.log(1 - p + p * sympy.exp(t)),
    tilted=lambda t, p: (_tilted(t, p),),
    values=lambda p: ((S.Zero, 1 - p), (S.One, p)),
    log_density=lambda x, p: x * sympy.log(p) + (1 - x) * sympy.log(1 - p),
    discrete=True,
    bounds=lambda p: (S.Zero, S.One),
    reference=lambda p: scipy.stats.bernoulli(p),
    source="Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, sec. 3.2",
)

BINOMIAL = Distribution(
    name="binomial",
    parameters=(Parameter("trials", ("positive",), integer=True), Parameter("p", ("probability",))),
    support=("nonnegative",),
    cumulant=lambda k, trials, p: trials * _cumulant(k, p),
    generating=lambda t, trials, p: trials * sympy.log(1 - p + p * sympy.exp(t)),
    tilted=lambda t, trials, p: (trials, _tilted(t, p)),
    log_density=lambda x, trials, p: (
        log_binomial(trials, x) + x * sympy.log(p) + (trials - x) * sympy.log(1 - p)
    ),
    discrete=True,
    bounds=lambda trials, p: (S.Zero, trials),
    modelled="p",
    reference=lambda trials, p: scipy.stats.binom(round(trials), p),
    source="Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, sec. 3.2",
)
