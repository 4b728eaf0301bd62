"""Where a check looks, and what it finds there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .batch import Arrays
from .compare import Comparison
from .report import Entry, Kink, sizes


@dataclass(frozen=True)
class Point:
    """Arrays for every input, cotangent and tangent; `shape` are the sizes that a reader sees."""

    inputs: Arrays
    shape: Mapping[str, int]
    given: bool = False
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return ("the given point, " if self.given else "") + sizes(self.shape)

    @property
    def nonfinite(self) -> list[str]:
        """The arrays that hold a NaN or an infinity."""
        return [n for n, x in self.inputs.items() if x.dtype.kind == "f" and not np.all(np.isfinite(x))]


@dataclass(frozen=True)
class Outcome:
    """What one point gave.

    coarse: where no comparison says it, the smallest relative error that was flagged when it was injected.
    """

    point: Point
    method: str
    comparisons: tuple[Comparison, ...] = ()
    failures: tuple[Entry | Kink | str, ...] = ()
    kinks: tuple[Kink, ...] = ()
    notes: tuple[str, ...] = ()
    entries: int = 0
    coarse: float = 0.0
