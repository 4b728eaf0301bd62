"""The negative binomial distribution: Poisson counts whose mean is drawn from a gamma law."""

from functools import cache

import scipy
import sympy
from sympy import Expr

from ._record import Distribution, Form, Parameter

_m, _a = sympy.symbols("m a", positive=True)


@cache
def _of_mean(k: int) -> Expr:
    """``k_{n+1} = variance dk_n/dmean``, at a fixed dispersion."""
    return _m if k == 1 else sympy.expand((_m + _a * _m**2) * sympy.diff(_of_mean(k - 1), _m))


def _log_density(x: Expr, mean: Expr, dispersion: Expr) -> Expr:
    shape = 1 / dispersion
    return (
        sympy.loggamma(x + shape)
        - sympy.loggamma(shape)
        - sympy.loggamma(x + 1)
        + x * sympy.log(dispersion * mean / (1 + dispersion * mean))
        - shape * sympy.log(1 + dispersion * mean)
    )


def _left(t: Expr, mean: Expr, dispersion: Expr) -> Expr:
    return 1 - dispersion * mean * (sympy.exp(t) - 1)


NEGATIVE_BINOMIAL = Distribution(
    name="negative binomial",
    parameters=(Parameter("mean", ("positive",)), Parameter("dispersion", ("positive",))),
    support=("nonnegative",),
    log_density=_log_density,
    discrete=True,
    bounds=lambda mean, dispersion: (sympy.S.Zero, sympy.oo),
    forms={
        "successes": Form("dispersion", lambda successes: 1 / successes, ("positive",)),
        "p": Form("mean", lambda p, dispersion: (1 - p) / (p * dispersion), ("probability",)),
    },
    cumulant=lambda k, mean, dispersion: _of_mean(k).xreplace({_m: mean, _a: dispersion}),
    generating=lambda t, mean, dispersion: -sympy.log(_left(t, mean, dispersion)) / dispersion,
    exists=_left,
    tilted=lambda t, mean, dispersion: (
        mean * sympy.exp(t) / _left(t, mean, dispersion),
        dispersion,
    ),
    reference=lambda mean, dispersion: scipy.stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)),
    source="Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, sec. 5.1",
)
