"""Derived against expected, entry by entry, and the smallest injected error that this comparison flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .expect import Block, Matrix

SAFETY = 32
ROUNDINGS = 64
FLOOR = 64
SMALLEST = 2.0**-1000
DOUBLINGS = 60


@dataclass(frozen=True)
class Comparison:
    """One derived array seen from directions on both sides (None: entry by entry).

    got: (rows, columns), the derived array; expected, tolerance: (directions on the left, on the right).
    scale: what errors are relative to: the largest entry of the array, or, where the array is `zero` but for
        rounding, the largest entry of all arrays and weights.
    """

    block: Block
    label: str
    axes: tuple[tuple[int, ...], tuple[int, ...]]
    got: Matrix
    left: Matrix | None
    right: Matrix | None
    expected: Any
    tolerance: Any
    scale: float
    ignore_nonfinite: bool = False
    zero: bool = False

    def seen(self, derived: Matrix) -> Any:
        derived = derived if self.left is None else self.left @ derived
        return derived if self.right is None else derived @ self.right.T

    def differences(self, derived: Matrix) -> Any:
        """|derived - expected|; a number that should be there and is not counts as infinitely wrong."""
        difference = np.abs(np.asarray(self.seen(derived) - self.expected, dtype=float))
        finite = np.isfinite(np.asarray(self.expected, dtype=float))
        missing = 0.0 if self.ignore_nonfinite else np.inf
        return np.where(finite, np.where(np.isfinite(difference), difference, missing), 0.0)

    def flagged(self, derived: Matrix) -> Any:
        """Where `derived` is wrong."""
        return self.differences(derived) > self.tolerance

    def index(self, row: int, column: int) -> tuple[int, ...]:
        """The index in the derived array of an entry of its matrix."""
        return index_of(self.axes, row, column)

    @property
    def projected(self) -> bool:
        """Whether combinations of entries are compared, not the entries themselves."""
        return self.left is not None or self.right is not None

    @property
    def smallest_weight(self) -> float:
        """The least that an entry can count in what is compared."""
        sides = [np.min(np.abs(side)) for side in (self.left, self.right) if side is not None and side.size]
        return float(np.prod(sides)) if sides else 1.0

    @property
    def measurable(self) -> bool:
        """Whether there is something to inject an error into."""
        return (
            bool(self.got.size)
            and bool(np.all(np.isfinite(self.got)))
            and bool(np.all(np.isfinite(self.expected)))
        )

    def sensitivity(self, rng: np.random.Generator) -> float:
        """The smallest error of one entry, relative to the largest, that is flagged when it is injected."""
        if not self.measurable:
            return 0.0
        level = float(np.max(self.flag_level)) / self.smallest_weight
        level = max(level * 1.01, 4 * 2.0**-52 * self.scale, SMALLEST)
        places = self._places(rng)
        for _ in range(DOUBLINGS):
            if all(self._catches(place, level) for place in places):
                return level / self.scale
            level *= 2
        return np.inf

    @property
    def flag_level(self) -> Any:
        """The error that is flagged whatever its sign, given the difference that is there already."""
        difference = self.differences(self.got)
        return self.tolerance + np.where(difference > self.tolerance, 0.0, difference)

    def _places(self, rng: np.random.Generator) -> list[tuple[int, int]]:
        """The entry that is hardest to judge, and a few random ones."""
        rows, columns = self.got.shape
        random = [(int(rng.integers(rows)), int(rng.integers(columns))) for _ in range(4)]
        if self.projected:
            return random
        worst = np.unravel_index(
            int(np.argmax(np.broadcast_to(self.tolerance, self.got.shape))), self.got.shape
        )
        return [(int(worst[0]), int(worst[1])), *random]

    def _catches(self, place: tuple[int, int], level: float) -> bool:
        wrong = self.got.copy()
        wrong[place] += level
        return bool(np.any(self.flagged(wrong)))

    def sensitivity_all(self) -> float:
        """The smallest common relative error that is flagged when injected; inf if all entries are 0."""
        seen = np.abs(np.asarray(self.seen(self.got), dtype=float))
        if self.zero or not self.measurable or not np.any(seen):
            return np.inf
        with np.errstate(divide="ignore"):
            level = float(np.min(self.flag_level / seen))
        level = max(level * 1.01, 4 * 2.0**-52)
        for _ in range(DOUBLINGS):
            if np.any(self.flagged(self.got * (1 + level))):
                return level
            level *= 2
        return np.inf


def index_of(axes: tuple[tuple[int, ...], tuple[int, ...]], row: int, column: int) -> tuple[int, ...]:
    """The index of an array with the axes of rows and of columns, from the place in its matrix."""
    return tuple(
        int(i)
        for size, at in zip(axes, (row, column), strict=True)
        for i in np.unravel_index(at, size)
        if size
    )


def tolerance(
    expected: Any, error: Any, noise: Any, precision: float, floor: float, scales: tuple[float, float]
) -> Any:
    """The difference that rounding explains, entry by entry.

    Args:
        expected: the reference values, whose own stated error is `error`.
        noise: how far the last digits of the inputs and of the intermediates move each entry, as measured in
            a few trials; an entry may have been lucky, so it counts at least as much as is usual in its
            array.
        precision: the machine epsilon of the derived side; floor: the relative error of the reference.
        scales: the largest entry of this array, and of everything around.
    """
    own, around = scales
    noise = np.maximum(noise, np.sqrt(np.mean(noise**2))) if np.size(noise) else noise
    rounding = SAFETY * noise + ROUNDINGS * precision * np.abs(np.asarray(expected, dtype=float))
    return rounding + 10 * error + max(floor, FLOOR * precision) * max(own, 1e-3 * around)
