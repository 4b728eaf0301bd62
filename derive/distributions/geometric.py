"""The geometric distribution: the number of trials up to the first success."""

from functools import cache

import scipy
import sympy
from sympy import Expr

from ._record import Distribution, Parameter

_q = sympy.Symbol("q")


@cache
def _of_failure(k: int) -> Expr:
    """``k_{n+1} = q dk_n/dq`` for the probability q of a failure."""
    return 1 / (1 - _q) if k == 1 else sympy.together(_q * sympy.diff(_of_failure(k - 1), _q))


def _left(t: Expr, p: Expr) -> Expr:
    return 1 - (1 - p) * sympy.exp(t)


GEOMETRIC = Distribution(
    name="geometric",
    parameters=(Parameter("p", ("probability",)),),
    support=("positive",),
    cumulant=lambda k, p: _of_failure(k).xreplace({_q: 1 - p}),
    generating=lambda t, p: sympy.log(p) + t - sympy.log(_left(t, p)),
    exists=_left,
    tilted=lambda t, p: (_left(t, p),),
    log_density=lambda x, p: (x - 1) * sympy.log(1 - p) + sympy.log(p),
    cdf=lambda x, p: 1 - (1 - p) ** x,
    discrete=True,
    bounds=lambda p: (sympy.S.One, sympy.oo),
    reference=lambda p: scipy.stats.geom(p),
    source="Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, sec. 5.2",
)
