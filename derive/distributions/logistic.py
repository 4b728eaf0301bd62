"""The logistic distribution, and the law of the largest of many: their cumulants are values of the zeta function."""

import scipy
import sympy
from sympy import Expr, S

from ._record import Distribution, Parameter


def _extreme(k: int, location: Expr, scale: Expr) -> Expr:
    """``(k - 1)! zeta(k) scale^k``: the logarithm of ``Gamma(1 - t)`` at 0."""
    if k == 1:
        return location + sympy.EulerGamma * scale
    return sympy.factorial(k - 1) * sympy.zeta(k) * scale**k


def _symmetric(k: int, location: Expr, scale: Expr) -> Expr:
    """The difference of two independent Gumbel variables is logistic."""
    if k == 1:
        return location
    return 2 * _extreme(k, S.Zero, scale) if k % 2 == 0 else S.Zero


def _log_density(x: Expr, location: Expr, scale: Expr) -> Expr:
    z = (x - location) / scale
    return -z - 2 * sympy.log(1 + sympy.exp(-z)) - sympy.log(scale)


LOGISTIC = Distribution(
    name="logistic",
    parameters=(Parameter("location"), Parameter("scale", ("positive",))),
    log_density=_log_density,
    cdf=lambda x, location, scale: 1 / (1 + sympy.exp((location - x) / scale)),
    cumulant=_symmetric,
    generating=lambda t, location, scale: (
        location * t + sympy.loggamma(1 - scale * t) + sympy.loggamma(1 + scale * t)
    ),
    exists=lambda t, location, scale: 1 - scale**2 * t**2,
    reference=lambda location, scale: scipy.stats.logistic(location, scale),
    source="Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 23",
)

GUMBEL = Distribution(
    name="gumbel",
    parameters=(Parameter("location"), Parameter("scale", ("positive",))),
    log_density=lambda x, location, scale: (
        -(x - location) / scale - sympy.exp((location - x) / scale) - sympy.log(scale)
    ),
    cdf=lambda x, location, scale: sympy.exp(-sympy.exp((location - x) / scale)),
    cumulant=_extreme,
    generating=lambda t, location, scale: location * t + sympy.loggamma(1 - scale * t),
    exists=lambda t, location, scale: 1 - scale * t,
    reference=lambda location, scale: scipy.stats.gumbel_r(location, scale),
    source="Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 22",
)
