"""Laws with heavy tails: Student's t distribution, and the Cauchy distribution, which has no mean."""

import scipy
import sympy
from sympy import Expr

from ._record import Distribution, Parameter


def _log_density(x: Expr, location: Expr, scale: Expr, freedom: Expr) -> Expr:
    z = (x - location) / scale
    return (
        sympy.loggamma((freedom + 1) / 2)
        - sympy.loggamma(freedom / 2)
        - sympy.log(sympy.pi * freedom * scale**2) / 2
        - (freedom + 1) / 2 * sympy.log(1 + z**2 / freedom)
    )


STUDENT_T = Distribution(
    name="student t",
    parameters=(
        Parameter("location"),
        Parameter("scale", ("positive",)),
        Parameter("freedom", ("positive",)),
    ),
    log_density=_log_density,
    reference=lambda location, scale, freedom: scipy.stats.t(freedom, location, scale),
    source="Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 28",
)

CAUCHY = Distribution(
    name="cauchy",
    parameters=(Parameter("location"), Parameter("scale", ("positive",))),
    log_density=lambda x, location, scale: (
        -sympy.log(sympy.pi * scale) - sympy.log(1 + ((x - location) / scale) ** 2)
    ),
    cdf=lambda x, location, scale: sympy.atan((x - location) / scale) / sympy.pi + sympy.S.Half,
    reference=lambda location, scale: scipy.stats.cauchy(location, scale),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 16",
)
