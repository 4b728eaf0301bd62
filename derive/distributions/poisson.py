"""The Poisson distribution."""

import scipy
import sympy

from ._record import Distribution, Parameter

POISSON = Distribution(
    name="poisson",
    parameters=(Parameter("mean", ("positive",)),),
    support=("nonnegative",),
    cumulant=lambda k, mean: mean,
    generating=lambda t, mean: mean * (sympy.exp(t) - 1),
    tilted=lambda t, mean: (mean * sympy.exp(t),),
    log_density=lambda x, mean: x * sympy.log(mean) - mean - sympy.loggamma(x + 1),
    discrete=True,
    bounds=lambda mean: (sympy.S.Zero, sympy.oo),
    reference=lambda mean: scipy.stats.poisson(mean),
    source="Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, sec. 4.3",
)
