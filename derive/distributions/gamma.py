"""Waiting times: the gamma distribution by shape and rate, and the exponential distribution by its rate."""

import scipy
import sympy
from sympy import Expr

from ._record import Distribution, Form, Parameter


def gamma_ratio(a: Expr, r: Expr) -> Expr:
    """``Gamma(a + r) / Gamma(a)``, for a whole number r as a product."""
    if r.is_Integer:
        steps = range(int(r)) if r >= 0 else range(int(r), 0)
        product = sympy.Mul(*(a + j for j in steps))
        return product if r >= 0 else 1 / product
    return sympy.exp(sympy.loggamma(a + r) - sympy.loggamma(a))


def _power(r: Expr, shape: Expr, rate: Expr) -> Expr:
    return gamma_ratio(shape, r) * rate ** (-r)


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
    log_density=lambda x, shape, rate: (
        shape * sympy.log(rate) + (shape - 1) * sympy.log(x) - rate * x - sympy.loggamma(shape)
    ),
    bounds=lambda shape, rate: (sympy.S.Zero, sympy.oo),
    forms={
        "mean": Form("rate", lambda mean, shape: shape / mean, ("positive",)),
        "scale": Form("rate", lambda scale: 1 / scale, ("positive",)),
        "dispersion": Form("shape", lambda dispersion: 1 / dispersion, ("positive",)),
    },
    modelled="mean",
    reference=lambda shape, rate: scipy.stats.gamma(shape, scale=1 / rate),
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
    log_density=lambda x, rate: sympy.log(rate) - rate * x,
    cdf=lambda x, rate: 1 - sympy.exp(-rate * x),
    bounds=lambda rate: (sympy.S.Zero, sympy.oo),
    forms={"mean": Form("rate", lambda mean: 1 / mean, ("positive",))},
    reference=lambda rate: scipy.stats.expon(scale=1 / rate),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 19",
)

INVERSE_GAMMA = Distribution(
    name="inverse gamma",
    parameters=(Parameter("shape", ("positive",)), Parameter("scale", ("positive",))),
    support=("positive",),
    power=lambda r, shape, scale: _power(-r, shape, scale),
    power_exists=lambda r, shape, scale: shape - r,
    log_density=lambda x, shape, scale: (
        shape * sympy.log(scale) - (shape + 1) * sympy.log(x) - scale / x - sympy.loggamma(shape)
    ),
    bounds=lambda shape, scale: (sympy.S.Zero, sympy.oo),
    modelled="scale",
    reference=lambda shape, scale: scipy.stats.invgamma(shape, scale=scale),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, sec. 17.8.1",
)
