"""The error of computed arrays in units in the last place, after what rounding the inputs would have done anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flint
import numpy as np

from ..ir.nodes import Program
from ..prove.points.balls import precision
from .exact import Exact, entrywise, exact, known

RIGHT = 2.0
"""Errors up to this are not divided by what the inputs' rounding does: they are good whatever it is."""


class Reference:
    """A program's exact outputs at points, and how far they move when its inputs are rounded; both computed once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._values: dict[Any, list[Exact]] = {}
        self._moves: dict[Any, list[Any]] = {}

    def at(self, point: Mapping[str, Any]) -> list[Exact]:
        """The exact outputs."""
        key = key_of(point)
        if key not in self._values:
            self._values[key] = exact(self.program, point)
        return self._values[key]

    def moves(self, point: Mapping[str, Any]) -> list[Any]:
        """For each output, how far its entries move in all when each entry of each real input moves by half an ulp."""
        key = key_of(point)
        if key not in self._moves:
            here = self.at(point)
            total = [np.zeros(np.shape(a), dtype=object) for a in here]
            for beside in _neighbours(point):
                there = [exact(self.program, p) for p in beside]
                for place, values in enumerate(here):
                    steps = [entrywise(_distance, values, t[place]) for t in there]
                    total[place] = np.asarray(total[place] + np.maximum.reduce(steps), dtype=object)
            self._moves[key] = total
        return self._moves[key]


def key_of(point: Mapping[str, Any]) -> Any:
    return tuple(
        (name, np.asarray(v).dtype.char, np.shape(v), np.asarray(v).tobytes()) for name, v in point.items()
    )


def _neighbours(point: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """For each entry of the real inputs, the points half a unit in its last place above and below."""
    found = []
    for name, value in point.items():
        array = np.asarray(value)
        if array.dtype.kind != "f":
            continue
        for place in np.ndindex(array.shape):
            half = float(np.spacing(np.abs(array[place]))) / 2
            pair = []
            for side in (1, -1):
                moved = np.array(entrywise(lambda x: flint.arb(float(x)), array))
                with precision(256):
                    moved[place] = moved[place] + side * flint.arb(half)
                pair.append({**point, name: moved})
            found.append(pair)
    return found


def _distance(a: Any, b: Any) -> flint.arb:
    if not (known(a) and known(b)):
        return flint.arb(0)
    with precision(256):
        return abs(flint.arb(a) - flint.arb(b)).mid()


def errors(
    computed: list[Any], reference: Reference, point: Mapping[str, Any], dtype: Any
) -> tuple[float, Any, Any]:
    """The worst entry of all outputs: its error in ulps, what was computed and what is right.

    Infinite where a number was to be computed and none was; 0 where there is no number to be computed. Below the smallest
    normal number an error of that size is none.
    """
    worst: tuple[float, Any, Any] = (-1.0, None, None)
    moved: list[Any] | None = None
    for number, (values, right) in enumerate(zip(computed, reference.at(point), strict=True)):
        for place in np.ndindex(np.shape(right)):
            c, e = np.asarray(values)[place], right[place]
            if not known(e):
                continue
            ulps = _ulps(c, e, flint.arb(0), dtype)
            if RIGHT < ulps < np.inf:
                moved = moved or reference.moves(point)
                ulps = _ulps(c, e, moved[number][place], dtype)
            if ulps > worst[0]:
                worst = (ulps, c, e)
    return worst


def _ulps(c: Any, e: Any, moved: Any, dtype: Any) -> float:
    """The distance of a float from a ball, in ulps of the ball and what it moves."""
    about = np.finfo(dtype)
    e = flint.arb(e)
    with precision(256):
        if bool(abs(e) > flint.arb(float(about.max))):
            return 0.0
        if not np.isfinite(c):
            return np.inf
        small = bool(abs(e) < flint.arb(float(about.tiny)))
        ulp = flint.arb(float(about.tiny)) if small else flint.arb(float(np.spacing(dtype(abs(float(e))))))
        return float((abs(flint.arb(float(c)) - e) / (ulp + moved)).mid())
