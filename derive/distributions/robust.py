"""Laws whose negative log-density is a robust loss: the quantile loss, Huber's loss, log-cosh."""

import math
from functools import cache
from typing import Any

import numpy as np
import scipy
import sympy
from sympy import Expr

from ..ir.nodes import Where
from ..ops.elementwise.piecewise import Absolute
from ._record import Distribution, Parameter


def _slopes(scale: Expr, quantile: Expr) -> tuple[Expr, Expr]:
    """How fast the logarithm of the density falls above and below the location."""
    return quantile / scale, (1 - quantile) / scale


def _check(x: Expr, location: Expr, scale: Expr, quantile: Expr) -> Expr:
    """``u (quantile - [u < 0])``, whose mean is smallest where the location is the quantile."""
    return (Absolute(x - location) + (2 * quantile - 1) * (x - location)) / (2 * scale)


def _cdf(x: Expr, location: Expr, scale: Expr, quantile: Expr) -> Expr:
    tail = sympy.exp(-_check(x, location, scale, quantile))
    return Where(sympy.Lt(x, location), quantile * tail, 1 - (1 - quantile) * tail)


def _cumulant(k: int, location: Expr, scale: Expr, quantile: Expr) -> Expr:
    """The difference of two independent exponential variables."""
    above, below = _slopes(scale, quantile)
    both = sympy.factorial(k - 1) * (above**-k + (-below) ** -k)
    return location + both if k == 1 else both


def _generating(t: Expr, location: Expr, scale: Expr, quantile: Expr) -> Expr:
    above, below = _slopes(scale, quantile)
    return location * t - sympy.log(1 - t / above) - sympy.log(1 + t / below)


def _exists(t: Expr, location: Expr, scale: Expr, quantile: Expr) -> Expr:
    above, below = _slopes(scale, quantile)
    return sympy.Min(above - t, below + t)


def _asymmetry(quantile: float) -> float:
    return math.sqrt(quantile / (1 - quantile))


ASYMMETRIC_LAPLACE = Distribution(
    name="asymmetric laplace",
    parameters=(
        Parameter("location"),
        Parameter("scale", ("positive",)),
        Parameter("quantile", ("probability",)),
    ),
    cumulant=_cumulant,
    generating=_generating,
    exists=_exists,
    log_density=lambda x, location, scale, quantile: (
        sympy.log(quantile * (1 - quantile) / scale) - _check(x, location, scale, quantile)
    ),
    cdf=_cdf,
    reference=lambda location, scale, quantile: scipy.stats.laplace_asymmetric(
        _asymmetry(quantile), location, scale * _asymmetry(quantile) / quantile
    ),
    source="Koenker and Machado (1999), JASA 94, eq. 4; Yu and Moyeed (2001), Statistics and Probability Letters 54",
)


def _huber(x: Expr, location: Expr, scale: Expr, threshold: Expr) -> Expr:
    z = Absolute(x - location) / scale
    return Where(sympy.Le(z, threshold), z**2 / 2, threshold * z - threshold**2 / 2)


def _mass(threshold: Expr) -> Expr:
    """The integral of ``exp(-huber(z))``: the middle of a normal law between exponential tails."""
    middle = sympy.sqrt(2 * sympy.pi) * sympy.erf(threshold / sympy.sqrt(2))
    return middle + 2 * sympy.exp(-(threshold**2) / 2) / threshold


def _huber_cdf(x: Expr, location: Expr, scale: Expr, threshold: Expr) -> Expr:
    z = (x - location) / scale
    middle = sympy.S.Half + sympy.sqrt(sympy.pi / 2) * sympy.erf(z / sympy.sqrt(2)) / _mass(threshold)
    tail = sympy.exp(threshold**2 / 2 - threshold * Absolute(z)) / (threshold * _mass(threshold))
    outside = Where(sympy.Lt(z, 0), tail, 1 - tail)
    return Where(sympy.Le(Absolute(z), threshold), middle, outside)


@cache
def _half(threshold: float, x: float = math.inf) -> float:
    """The integral from 0 to x."""
    kinks = [s * threshold for s in (-1, 1) if abs(x) != math.inf]
    found, _ = scipy.integrate.quad(lambda z: math.exp(-scipy.special.huber(threshold, z)), 0, x, points=kinks or None)
    return float(found)


class _Huber(scipy.stats.rv_continuous):
    """SciPy has the loss and not the law: its mass by quadrature."""

    def _logpdf(self, x: Any, *args: Any) -> Any:
        (threshold,) = args
        half = np.vectorize(_half)(threshold)
        return -scipy.special.huber(threshold, np.abs(x)) - np.log(2 * half)

    def _pdf(self, x: Any, *args: Any) -> Any:
        return np.exp(self._logpdf(x, *args))

    def _cdf(self, x: Any, *args: Any) -> Any:
        return np.vectorize(lambda z, t: 0.5 + _half(t, z) / (2 * _half(t)))(x, *args)


HUBER = Distribution(
    name="huber",
    parameters=(
        Parameter("location"),
        Parameter("scale", ("positive",)),
        Parameter("threshold", ("positive",)),
    ),
    log_density=lambda x, location, scale, threshold: (
        -_huber(x, location, scale, threshold) - sympy.log(scale * _mass(threshold))
    ),
    cdf=_huber_cdf,
    reference=lambda location, scale, threshold: _Huber(name="huber", shapes="threshold")(
        threshold, location, scale
    ),
    source="Huber (1964), Annals of Mathematical Statistics 35, sec. 4: the least favourable law",
)

HYPERBOLIC_SECANT = Distribution(
    name="hyperbolic secant",
    parameters=(Parameter("location"), Parameter("scale", ("positive",))),
    generating=lambda t, location, scale: location * t - sympy.log(sympy.cos(sympy.pi * scale * t / 2)),
    exists=lambda t, location, scale: 1 - scale**2 * t**2,
    log_density=lambda x, location, scale: (
        -sympy.log(sympy.cosh((x - location) / scale)) - sympy.log(sympy.pi * scale)
    ),
    cdf=lambda x, location, scale: 2 / sympy.pi * sympy.atan(sympy.exp((x - location) / scale)),
    reference=lambda location, scale: scipy.stats.hypsecant(location, scale),
    source="Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, sec. 23.11",
)
