"""No time counts before the results have been compared with those of an independent implementation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .case import Case
from .peers._record import flat

DOUBLE = 1e-9
"""The error allowed in double precision, of the largest entry of each result."""


class Disagreement(AssertionError):
    """A peer computes something else."""


def arrays_of(results: Any) -> list[Any]:
    """Results of any library as arrays of NumPy in double precision."""
    return [np.asarray(x, dtype=np.float64) for x in flat(results)]


def largest_difference(got: Sequence[Any], expected: Sequence[Any]) -> float:
    """Over all results the largest difference, each of the largest expected entry of the result.

    Raises:
        Disagreement: another number of results, another shape, or no number where one is expected.
    """
    if len(got) != len(expected):
        raise Disagreement(f"{len(got)} results in the place of {len(expected)}")
    worst = 0.0
    for place, (g, e) in enumerate(zip(got, expected, strict=True)):
        if g.shape != e.shape:
            raise Disagreement(f"result {place} has shape {g.shape}, not {e.shape}")
        if not (np.isfinite(g).all() and np.isfinite(e).all()):
            raise Disagreement(f"result {place} is not finite everywhere")
        scale = float(np.max(np.abs(e), initial=0.0))
        error = float(np.max(np.abs(g - e), initial=0.0))
        worst = max(worst, error / scale if scale else (0.0 if not error else np.inf))
    return worst


def compare(name: str, case: Case, got: Any, expected: Sequence[Any], dtype: str) -> float:
    """The difference of a peer's results from the reference.

    Raises:
        Disagreement: it is larger than 1e-9 in double precision, or than the case's tolerance in single precision.
    """
    try:
        found = largest_difference(arrays_of(got), expected)
    except Disagreement as error:
        raise Disagreement(f"{name}: {error}") from None
    allowed = DOUBLE if dtype == "float64" else case.single
    if not found <= allowed:
        raise Disagreement(
            f"{name} differs from the reference by {found:.1e} of the largest entry; allowed: {allowed:.0e}"
        )
    return found
