"""Laws that pull coefficients to 0: the elastic net's, and the half-Cauchy law of a scale."""

from typing import Any

import numpy as np
import scipy
import sympy
from sympy import Expr

from ..ir.nodes import Where
from ..ops.elementwise.piecewise import Absolute
from ..ops.elementwise.special import erfcx
from ._record import Distribution, Parameter


def _mass(l1: Expr, l2: Expr) -> Expr:
    """The integral of ``exp(-l1 |x| - l2 x^2)``, by completing the square on each side of 0."""
    return sympy.sqrt(sympy.pi / l2) * erfcx(l1 / (2 * sympy.sqrt(l2)))


def _below(x: Expr, l1: Expr, l2: Expr) -> Expr:
    """The probability of a value up to -|x|."""
    root = sympy.sqrt(l2)
    edge = erfcx(root * Absolute(x) + l1 / (2 * root)) / erfcx(l1 / (2 * root))
    return sympy.exp(-l1 * Absolute(x) - l2 * x**2) * edge / 2


class _Sides(scipy.stats.rv_continuous):
    """SciPy's truncated normal law on both sides of 0."""

    def _side(self, l1: Any, l2: Any) -> Any:
        return scipy.stats.truncnorm(l1 / np.sqrt(2 * l2), np.inf, loc=-l1 / (2 * l2), scale=1 / np.sqrt(2 * l2))

    def _logpdf(self, x: Any, *args: Any) -> Any:
        l1, l2 = args
        whole = scipy.stats.norm(-l1 / (2 * l2), 1 / np.sqrt(2 * l2))
        return whole.logpdf(np.abs(x)) - whole.logsf(0) - np.log(2)

    def _pdf(self, x: Any, *args: Any) -> Any:
        return np.exp(self._logpdf(x, *args))

    def _cdf(self, x: Any, *args: Any) -> Any:
        return 0.5 + np.sign(x) * self._side(*args).cdf(np.abs(x)) / 2

    def _ppf(self, q: Any, *args: Any) -> Any:
        return np.sign(q - 0.5) * self._side(*args).ppf(np.abs(2 * q - 1))


ELASTIC_NET = Distribution(
    name="elastic net",
    parameters=(Parameter("l1", ("positive",)), Parameter("l2", ("positive",))),
    log_density=lambda x, l1, l2: -l1 * Absolute(x) - l2 * x**2 - sympy.log(_mass(l1, l2)),
    cdf=lambda x, l1, l2: Where(sympy.Lt(x, 0), _below(x, l1, l2), 1 - _below(x, l1, l2)),
    reference=lambda l1, l2: _Sides(name="elastic_net", shapes="l1, l2")(l1, l2),
    source="Zou and Hastie (2005), JRSS B 67, sec. 2.2",
)

HALF_CAUCHY = Distribution(
    name="half-cauchy",
    parameters=(Parameter("scale", ("positive",)),),
    support=("nonnegative",),
    log_density=lambda x, scale: sympy.log(2 / (sympy.pi * scale)) - sympy.log(1 + (x / scale) ** 2),
    cdf=lambda x, scale: 2 / sympy.pi * sympy.atan(x / scale),
    bounds=lambda scale: (sympy.S.Zero, sympy.oo),
    reference=lambda scale: scipy.stats.halfcauchy(0, scale),
    source="Polson and Scott (2012), Bayesian Analysis 7, sec. 1",
)
