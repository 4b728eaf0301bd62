"""How far rounding moves a result: measured, not estimated from the formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir.numbers import Numbers


@dataclass(frozen=True)
class Jittered(Numbers):
    """Complex numbers whose imaginary parts change in the last digit after every equation."""

    rng: Any = None
    precision: float = 2.0**-52

    def array(self, values: Any) -> Any:
        moved = np.array(super().array(values))
        moved.imag *= 1 + self.precision * self.rng.integers(-1, 2, moved.shape)
        return moved


def computational_noise(values: Sequence[Any]) -> Any:
    """The standard deviation of rounding errors, entry by entry, from fourth differences of equidistant
    values.

    Source: Moré and Wild (2011), Estimating computational noise, sec. 3.
    """
    if not values:
        return 0.0
    differences = np.diff(np.asarray(values, dtype=float), n=4, axis=0)
    noise = np.sqrt(np.mean(differences**2, axis=0) / 70)
    return np.where(np.isfinite(noise), noise, 0.0)


def spread(replicates: Sequence[Any], value: Any) -> Any:
    """How far the replicates are from the value, entry by entry; 0 where that is no number."""
    distances = [np.abs(np.asarray(r - value, dtype=float)) for r in replicates]
    farthest = np.max(distances, axis=0) if distances else np.zeros(np.shape(value))
    return np.where(np.isfinite(farthest), farthest, 0.0)
