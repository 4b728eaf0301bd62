"""The uniform distribution on an interval."""

import scipy
import sympy
from sympy import Expr

from ._record import Distribution, Parameter


def _cumulant(k: int, low: Expr, high: Expr) -> Expr:
    """The k-th Bernoulli number times ``(high - low)^k / k``; the mean is the middle."""
    return (low + high) / 2 if k == 1 else sympy.bernoulli(k) * (high - low) ** k / k


UNIFORM = Distribution(
    name="uniform",
    parameters=(Parameter("low"), Parameter("high")),
    requires=lambda low, high: (high - low,),
    cumulant=_cumulant,
    generating=lambda t, low, high: sympy.log(
        (sympy.exp(high * t) - sympy.exp(low * t)) / (t * (high - low))
    ),
    log_density=lambda x, low, high: -sympy.log(high - low),
    cdf=lambda x, low, high: (x - low) / (high - low),
    bounds=lambda low, high: (low, high),
    reference=lambda low, high: scipy.stats.uniform(low, high - low),
    source="Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 26",
)
