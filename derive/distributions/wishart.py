"""The Wishart distribution: the scatter matrix of normal vectors."""

from typing import Any

import numpy as np
import scipy

from ..ops._primitive import arange
from ._record import Parameter, VectorDistribution


def _log_density(x: Any, freedom: Any, scale: Any) -> Any:
    k = x.shape[-1]
    trace = np.trace(np.linalg.solve(scale, x), axis1=-2, axis2=-1)
    size = (freedom - k - 1) * np.linalg.slogdet(x)[1] - freedom * np.linalg.slogdet(scale)[1]
    return (size - trace - freedom * k * np.log(2)) / 2 - _log_gamma(freedom, k, arange(x, k))


def _log_gamma(freedom: Any, k: Any, places: Any) -> Any:
    """The logarithm of the gamma function of matrices at half the degrees of freedom."""
    return k * (k - 1) / 4 * np.log(np.pi) + np.sum(scipy.special.gammaln((freedom - places) / 2))


WISHART = VectorDistribution(
    name="wishart",
    parameters=(
        Parameter("freedom", ("positive",), "whole"),
        Parameter("scale", ("positive definite",), "matrix"),
    ),
    support=("positive definite",),
    axes="k k",
    requires=lambda freedom, scale: (freedom - scale.shape[-1] + 1,),
    log_density=_log_density,
    modelled="scale",
    reference=lambda freedom, scale: scipy.stats.wishart(freedom, scale),
    source="Anderson (2003), An Introduction to Multivariate Statistical Analysis, sec. 7.2",
)
