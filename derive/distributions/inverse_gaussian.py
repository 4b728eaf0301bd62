"""The inverse Gaussian distribution: when Brownian motion with drift first reaches a level."""

import scipy
import sympy
from sympy import Expr

from ._record import Distribution, Form, Parameter


def _cdf(x: Expr, mean: Expr, shape: Expr) -> Expr:
    root = sympy.sqrt(shape / (2 * x))
    return (
        sympy.erfc(root * (1 - x / mean)) / 2
        + sympy.exp(2 * shape / mean) * sympy.erfc(root * (1 + x / mean)) / 2
    )


INVERSE_GAUSSIAN = Distribution(
    name="inverse gaussian",
    parameters=(Parameter("mean", ("positive",)), Parameter("shape", ("positive",))),
    support=("positive",),
    log_density=lambda x, mean, shape: (
        sympy.log(shape / (2 * sympy.pi * x**3)) / 2 - shape * (x / mean - 1) ** 2 / (2 * x)
    ),
    cdf=_cdf,
    bounds=lambda mean, shape: (sympy.S.Zero, sympy.oo),
    forms={"dispersion": Form("shape", lambda dispersion: 1 / dispersion, ("positive",))},
    cumulant=lambda k, mean, shape: sympy.factorial2(2 * k - 3) * mean ** (2 * k - 1) / shape ** (k - 1),
    generating=lambda t, mean, shape: shape / mean * (1 - sympy.sqrt(1 - 2 * mean**2 * t / shape)),
    exists=lambda t, mean, shape: shape - 2 * mean**2 * t,
    tilted=lambda t, mean, shape: (mean / sympy.sqrt(1 - 2 * mean**2 * t / shape), shape),
    reference=lambda mean, shape: scipy.stats.invgauss(mean / shape, scale=shape),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 15",
)
