"""The points of a check: random ones of the declared domain, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from ..errors import DomainError, UnknownName, closest
from ..ir.evaluate import evaluate
from ..ir.sizes import solve_sizes
from .batch import Arrays
from .expect import Question, signed
from .kinks import KinkGauge
from .point import Point
from .sample import POSITIVE, Range, sample_inputs

DRAWS = 8
FALLBACKS: tuple[Range | None, ...] = (None, POSITIVE, (0.1, 0.9), (1.2, 3.0), (-3.0, -0.2))
"""Domains to try one after the other until the function is finite; None is the usual one."""
LARGER = (0, 2, 5, 9, 14, 20)
"""What is added to all sizes, one after the other, until the function can be evaluated."""

Assignment = Mapping[sympy.Symbol, int]


@dataclass(frozen=True)
class Points:
    """Draws points at which a question can be asked; the numbers are rounded to `dtype`."""

    question: Question
    gauge: KinkGauge
    dtype: type[np.floating]
    rng: np.random.Generator

    def draw(self, sizes: Assignment, reach: float, fixed: bool = False) -> Point:
        """A random point at which the function is finite, farther than `reach` from the next kink where that
        is possible.

        Raises:
            DomainError: no point was found at which the function is finite.
        """
        sizes = sizes if fixed else self.large_enough(sizes)
        best, found, domains = -1.0, None, list(FALLBACKS)
        notes: tuple[str, ...] = ()
        for _ in range(DRAWS):
            inputs = self.rounded(sample_inputs(self.question.base, sizes, self.rng, domains[0]))
            if not self.finite(inputs):
                domains = domains[1:] or domains
                notes = (
                    f"not finite at {_text(sizes)}: inputs of no declared domain drawn from {domains[0]}",
                )
                continue
            distance, _ = self.gauge.nearest(inputs)
            if distance > best:
                best, found = distance, inputs
            if best > reach:
                break
        if found is None:
            raise DomainError(f"no point was found at {_text(sizes)} where the function is finite")
        return Point(self.complete(found), named(sizes), notes=notes)

    def large_enough(self, sizes: Assignment) -> Assignment:
        """The sizes, enlarged where the function reads more entries than there are."""
        for more in LARGER:
            larger = {symbol: value + more for symbol, value in sizes.items()}
            try:
                evaluate(self.question.base, sample_inputs(self.question.base, larger, self.rng))
            except ValueError:
                if more == LARGER[-1]:
                    raise
            else:
                break
        return larger

    def given(self, inputs: Mapping[str, Any]) -> Point:
        """The user's point.

        Raises:
            UnknownName: an array is missing, or one is not an input.  ShapeError: sizes disagree.
        """
        arrays = {n: np.asarray(x) for n, x in inputs.items()}
        kinds = {t.name: t.kind for t in self.question.base.inputs}
        kinds |= dict.fromkeys((*self.question.cotangents, *self.question.tangents), "real")
        for name in arrays:
            if name not in kinds:
                raise UnknownName(f"no input is called {name!r}; {closest(name, kinds)}")
        sizes = solve_sizes(self.question.base, arrays)
        arrays = {n: x.astype(float) if kinds[n] == "real" else x for n, x in arrays.items()}
        return Point(self.complete(self.rounded(arrays)), named(sizes), given=True)

    def rounded(self, inputs: Arrays) -> Arrays:
        """The inputs as they are in the precision of the derived side."""
        return {
            n: x.astype(self.dtype).astype(float) if x.dtype.kind == "f" else x for n, x in inputs.items()
        }

    def finite(self, inputs: Arrays) -> bool:
        """Whether every output is."""
        values = evaluate(self.question.base, inputs)
        return all(np.all(np.isfinite(values[t.name])) for t in self.question.base.outputs)

    def complete(self, inputs: Arrays) -> Arrays:
        """`inputs`, with random cotangents and tangents where they are not given."""
        shapes: dict[str, tuple[int, ...]] = {}
        if any(g not in inputs for g in self.question.cotangents):
            values = evaluate(self.question.base, inputs)
            outputs = (np.shape(values[t.name]) for t in self.question.base.outputs)
            shapes = dict(zip(self.question.cotangents, outputs, strict=True))
        if self.question.tangents:
            shapes |= {
                d: inputs[x].shape for d, x in zip(self.question.tangents, self.question.wrt, strict=True)
            }
        return {**{n: np.asarray(signed(self.rng, shape)) for n, shape in shapes.items()}, **inputs}


def named(sizes: Assignment) -> dict[str, int]:
    return {symbol.name: value for symbol, value in sizes.items()}


def _text(sizes: Assignment) -> str:
    return Point({}, named(sizes)).name
