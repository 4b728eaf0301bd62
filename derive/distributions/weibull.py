"""The Weibull distribution: times up to a failure whose hazard is a power of time."""

import scipy
import sympy

from ._record import Distribution, Parameter

WEIBULL = Distribution(
    name="weibull",
    parameters=(Parameter("scale", ("positive",)), Parameter("shape", ("positive",))),
    support=("positive",),
    log_density=lambda x, scale, shape: (
        sympy.log(shape / scale) + (shape - 1) * sympy.log(x / scale) - (x / scale) ** shape
    ),
    cdf=lambda x, scale, shape: 1 - sympy.exp(-((x / scale) ** shape)),
    bounds=lambda scale, shape: (sympy.S.Zero, sympy.oo),
    power=lambda r, scale, shape: scale**r * sympy.exp(sympy.loggamma(1 + r / shape)),
    power_exists=lambda r, scale, shape: shape + r,
    reference=lambda scale, shape: scipy.stats.weibull_min(shape, scale=scale),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 21",
)
