"""The law of a positive number whose logarithm is normal, and that of the size of a normal number."""

import math

import scipy
import sympy
from sympy import Expr

from ._record import Distribution, Parameter


def _power(r: Expr, location: Expr, scale: Expr) -> Expr:
    return sympy.exp(r * location + r**2 * scale**2 / 2)


LOG_NORMAL = Distribution(
    name="log-normal",
    parameters=(Parameter("location"), Parameter("scale", ("positive",))),
    support=("positive",),
    log_density=lambda x, location, scale: (
        -((sympy.log(x) - location) ** 2) / (2 * scale**2)
        - sympy.log(x)
        - sympy.log(2 * sympy.pi * scale**2) / 2
    ),
    cdf=lambda x, location, scale: sympy.erfc((location - sympy.log(x)) / (sympy.sqrt(2) * scale)) / 2,
    bounds=lambda location, scale: (sympy.S.Zero, sympy.oo),
    power=_power,
    power_exists=lambda r, location, scale: sympy.S.One,
    reference=lambda location, scale: scipy.stats.lognorm(scale, scale=math.exp(location)),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 14",
)


def _absolute(r: Expr, scale: Expr) -> Expr:
    """``E |x|^r = (2 scale^2)^(r/2) Gamma((r + 1)/2) / sqrt(pi)``."""
    return (2 * scale**2) ** (r / 2) * sympy.exp(sympy.loggamma((r + 1) / 2)) / sympy.sqrt(sympy.pi)


HALF_NORMAL = Distribution(
    name="half-normal",
    parameters=(Parameter("scale", ("positive",)),),
    support=("nonnegative",),
    log_density=lambda x, scale: -(x**2) / (2 * scale**2) + sympy.log(2 / (sympy.pi * scale**2)) / 2,
    cdf=lambda x, scale: sympy.erf(x / (sympy.sqrt(2) * scale)),
    bounds=lambda scale: (sympy.S.Zero, sympy.oo),
    power=_absolute,
    power_exists=lambda r, scale: r + 1,
    reference=lambda scale: scipy.stats.halfnorm(0, scale),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, sec. 13.10",
)
