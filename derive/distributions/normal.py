"""The normal distribution, of numbers and of vectors; the second parameter is the variance, or the covariance matrix."""

from typing import Any

import numpy as np
import scipy
import sympy
from sympy import Expr, S

from ..ops._primitive import eye
from ._record import Distribution, Form, Parameter, VectorDistribution


def _density(x: Expr, mean: Expr, variance: Expr) -> Expr:
    return sympy.exp(-((x - mean) ** 2) / (2 * variance)) / sympy.sqrt(2 * sympy.pi * variance)


def _above(k: int, c: Expr, mean: Expr, variance: Expr) -> Expr:
    """By parts: ``x p(x) = mean p(x) - variance p'(x)``."""
    if k == 0:
        return (1 + sympy.erf((mean - c) / sympy.sqrt(2 * variance))) / 2
    edge = variance * _density(c, mean, variance) * (c ** (k - 1) if k > 1 else S.One)
    before = (k - 1) * variance * _above(k - 2, c, mean, variance) if k > 1 else S.Zero
    return mean * _above(k - 1, c, mean, variance) + before + edge


def _bell(k: int, a: Expr, b: Expr, mean: Expr, variance: Expr) -> Expr:
    """``E x^k exp(-(a x + b)^2)``: but for a constant, the k-th moment of another normal distribution."""
    wider = 1 + 2 * a**2 * variance
    centre, spread = (mean - 2 * a * b * variance) / wider, variance / wider
    moments = [S.One, centre]
    for n in range(2, k + 1):
        moments.append(centre * moments[-1] + (n - 1) * spread * moments[-2])
    return moments[k] * sympy.exp(-((a * mean + b) ** 2) / wider) / sympy.sqrt(wider)


def _erf(k: int, a: Expr, b: Expr, mean: Expr, variance: Expr) -> Expr:
    """Bishop (2006), Pattern Recognition and Machine Learning, eq. 4.152; powers by parts, as in `_above`."""
    if k == 0:
        return sympy.erf((a * mean + b) / sympy.sqrt(1 + 2 * a**2 * variance))
    before = (k - 1) * variance * _erf(k - 2, a, b, mean, variance) if k > 1 else S.Zero
    slope = 2 * a / sympy.sqrt(sympy.pi) * _bell(k - 1, a, b, mean, variance)
    return mean * _erf(k - 1, a, b, mean, variance) + before + variance * slope


NORMAL = Distribution(
    name="normal",
    parameters=(Parameter("mean"), Parameter("variance", ("nonnegative",))),
    cumulant=lambda k, mean, variance: {1: mean, 2: variance}.get(k, S.Zero),
    order=2,
    generating=lambda t, mean, variance: mean * t + variance * t**2 / 2,
    tilted=lambda t, mean, variance: (mean + variance * t, variance),
    above=_above,
    erf=_erf,
    log_density=lambda x, mean, variance: (
        -((x - mean) ** 2) / (2 * variance) - sympy.log(variance) / 2 - sympy.log(2 * sympy.pi) / 2
    ),
    cdf=lambda x, mean, variance: sympy.erfc((mean - x) / sympy.sqrt(2 * variance)) / 2,
    forms={
        "sigma": Form("variance", lambda sigma: sigma**2, ("positive",)),
        "precision": Form("variance", lambda precision: 1 / precision, ("positive",)),
    },
    reference=lambda mean, variance: scipy.stats.norm(mean, variance**0.5),
    source="Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 13",
)

def _log_density(x: Any, mean: Any, covariance: Any) -> Any:
    from_mean = x - mean
    distance = np.sum(from_mean * np.linalg.solve(covariance, from_mean[..., None])[..., 0], axis=-1)
    return -(distance + np.linalg.slogdet(covariance)[1] + x.shape[-1] * np.log(2 * np.pi)) / 2


def diagonal(variances: Any) -> Any:
    """The diagonal matrix, or one for each of several."""
    return variances[..., None] * eye(variances, variances.shape[-1])


def _low_rank(factor: Any, noise: Any) -> Any:
    return factor @ factor.mT + diagonal(noise)


MULTIVARIATE_NORMAL = VectorDistribution(
    name="normal",
    parameters=(
        Parameter("mean", (), "vector"),
        Parameter("covariance", ("positive semidefinite",), "matrix"),
    ),
    cumulant=lambda places, total, mean, covariance: (
        mean(*places) if len(places) == 1 else covariance(*places)
    ),
    order=2,
    generating=lambda a, total, mean, covariance: (
        total(lambda i: a(i) * mean(i)) + total(lambda i: total(lambda j: a(i) * covariance(i, j) * a(j))) / 2
    ),
    tilted=lambda a, total, mean, covariance: (
        lambda i: mean(i) + total(lambda j: covariance(i, j) * a(j)),
        covariance,
    ),
    log_density=_log_density,
    forms={
        "variances": Form("covariance", diagonal, ("positive",), "k"),
        "cholesky": Form("covariance", lambda cholesky: cholesky @ cholesky.mT, ("lower triangular", "invertible"), "k k"),
        "precision": Form("covariance", lambda precision: np.linalg.inv(precision), ("positive definite",), "k k"),
        "factor": Form("covariance", _low_rank, (), "k r"),
        "noise": Form("covariance", _low_rank, ("positive",), "k"),
    },
    marginal=NORMAL,
    marginal_parameters=lambda i, total, mean, covariance: (mean(i), covariance(i, i)),
    reference=lambda mean, covariance: scipy.stats.multivariate_normal(mean, covariance, allow_singular=True),
    source="Isserlis (1918), Biometrika 12; Anderson (2003), An Introduction to Multivariate Statistical Analysis, ch. 2",
)
