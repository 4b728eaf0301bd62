"""The Laplace distribution by its mean and scale."""

import scipy
import sympy
from sympy import Expr, S

from ..ops.elementwise.piecewise import Absolute, Sign
from ._record import Distribution, Parameter


def _cumulant(k: int, mean: Expr, scale: Expr) -> Expr:
    if k == 1:
        return mean
    return 2 * sympy.factorial(k - 1) * scale**k if k % 2 == 0 else S.Zero


LAPLACE = Distribution(
    name="laplace",
    parameters=(Parameter("mean"), Parameter("scale", ("positive",))),
    cumulant=_cumulant,
    generating=lambda t, mean, scale: mean * t - sympy.log(1 - scale**2 * t**2),
    exists=lambda t, mean, scale: 1 - scale**2 * t**2,
    log_density=lambda x, mean, scale: -Absolute(x - mean) / scale - sympy.log(2 * scale),
    cdf=lambda x, mean, scale: (1 + Sign(x - mean) * (1 - sympy.exp(-Absolute(x - mean) / scale))) / 2,
    reference=lambda mean, scale: scipy.stats.laplace(mean, scale),
    source="Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 24",
)
