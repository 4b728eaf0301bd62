"""Waiting times: the gamma distribution by shape and rate, and the exponential distribution by its rate."""

import sympy
from scipy import stats
from sympy import Expr

from ._record import Distribution, Parameter


def _power(r: Expr, shape: Expr, rate: Expr) -> Expr:
    return sympy.exp(sympy.loggamma(shape + r) - sympy.loggamma(shape)) * rate ** (-r)


GAMMA = Distribution(
    name="gamma",
    parameters=(Parameter("shape", ("positive",)), Parameter("rate", ("positive",))),
    support=("positive",),
    cumulant=lambda k, shape, rate: shape * sympy.factorial(k - 1) / rate**k,
    generating=lambda t, shape, rate: -shape * sympy.log(1 - t / rate),
    exists=lambda t, shape, rate: rate - t,
    tilted=lambda t, shape, rate: (shape, rate - t),
    power=_power,
    power_exists=lambda r, shape, rate: shape + r,
    reference=lambda shape, rate: stats.gamma(shape, scale=1 / rate),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 17",
)

EXPONENTIAL = Distribution(
    name="exponential",
    parameters=(Parameter("rate", ("positive",)),),
    support=("positive",),
    cumulant=lambda k, rate: sympy.factorial(k - 1) / rate**k,
    generating=lambda t, rate: -sympy.log(1 - t / rate),
    exists=lambda t, rate: rate - t,
    tilted=lambda t, rate: (rate - t,),
    power=lambda r, rate: _power(r, sympy.S.One, rate),
    power_exists=lambda r, rate: 1 + r,
    reference=lambda rate: stats.expon(scale=1 / rate),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 19",
)
