"""The Tweedie laws with powers between 1 and 2: sums of a Poisson number of gamma variables, 0 with positive probability."""

from typing import Any

import numpy as np
import scipy

from ._loss import LossRecord
from ._record import Parameter

TERMS = 400


class _PoissonSum:
    """The same law as a sum of gamma variables, by its density at 0 and above."""

    def __init__(self, mean: float, dispersion: float, power: float) -> None:
        self._rate = mean ** (2 - power) / (dispersion * (2 - power))
        self._shape = (2 - power) / (power - 1)
        self._scale = dispersion * (power - 1) * mean ** (power - 1)

    def logpdf(self, x: Any) -> Any:
        x = np.asarray(x, dtype=float)
        count = np.arange(1, TERMS)[:, None]
        above = np.where(x > 0, x, 1.0).ravel()
        parts = scipy.stats.poisson.logpmf(count, self._rate)
        parts = parts + scipy.stats.gamma.logpdf(above, count * self._shape, scale=self._scale)
        found = scipy.special.logsumexp(parts, axis=0).reshape(x.shape)
        return np.where(x > 0, found, -self._rate)

    def rvs(self, size: int, random_state: Any = None) -> Any:
        rng = np.random.default_rng(random_state)
        count = rng.poisson(self._rate, size)
        drawn = rng.gamma(np.maximum(count, 1) * self._shape, self._scale)
        return np.where(count > 0, drawn, 0.0)


TWEEDIE = LossRecord(
    name="tweedie",
    parameters=(
        Parameter("mean", ("positive",)),
        Parameter("dispersion", ("positive",)),
        Parameter("power", ("positive",)),
    ),
    support=("nonnegative",),
    requires=lambda mean, dispersion, power: (power - 1, 2 - power),
    loss=lambda y, mean, dispersion, power: (
        (mean ** (2 - power) / (2 - power) - y * mean ** (1 - power) / (1 - power)) / dispersion
    ),
    fixed=("dispersion", "power"),
    statement=(
        "The density has a factor of y, the dispersion and the power that is an infinite series and has no closed form. "
        "It does not depend on the mean: the loss is all that a mean can be learned from."
    ),
    reference=_PoissonSum,
    source="Jorgensen (1997), The Theory of Dispersion Models, ch. 4; Dunn and Smyth (2005), Statistics and Computing 15",
)
