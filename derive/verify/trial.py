"""The derived arrays and the expected ones at one point, compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..ir.evaluate import evaluate
from .compare import Comparison, tolerance
from .differences import LEVELS
from .expect import Bases, Block, Expected, Question, dense_bases, unit_bases
from .locate import locate
from .noise import Jittered, computational_noise, spread
from .oracles import ComplexStep, Oracle
from .point import Outcome, Point
from .report import Entry
from .subject import Answer, Subject, WrongShape

BUDGET = 4_000_000
"""Numbers that the expected side may compute entry by entry; beyond it, along random directions."""
PROJECTIONS = 3
DENSE = "{}: too many entries to compare one by one; compared along random directions, in which each shows"


@dataclass(frozen=True)
class Sides:
    """The directions between which blocks are compared; `unit` where they are the entries themselves."""

    left: Bases
    right: Bases
    left_unit: bool
    right_unit: bool


@dataclass(frozen=True)
class Trial:
    """One comparison of a derivative with one oracle at one point.

    With `exact`, the derived program is run in the arithmetic of the oracle, so that no difference is
    rounding. `distance` is how far the nearest kink is.
    """

    question: Question
    subject: Subject
    oracle: Oracle
    point: Point
    rng: np.random.Generator
    exact: bool = False
    distance: float = np.inf

    def run(self) -> Outcome:
        """Compare entry by entry as far as affordable, else along random directions; locate errors."""
        try:
            answer = self.subject.answer(self.point.inputs, self.oracle.arithmetic if self.exact else None)
            near = [] if self.exact else self.subject.along(self.point.inputs, self.line, self.rng)
        except WrongShape as wrong:
            return Outcome(self.point, self.oracle.name, failures=(f"{wrong}, at {self.point.name}",))
        found = self.comparisons(answer, near, self.sides())
        if self.question.kind == "value_and_grad":
            found.append(self.value(answer, near))
        failures = [failure for comparison in found for failure in self.failures(comparison)]
        entries = sum(comparison.got.size for comparison in found)
        dense = not self.slow and any(c.projected for c in found)
        notes = (DENSE.format(self.point.name),) if dense else ()
        return Outcome(self.point, self.oracle.name, tuple(found), tuple(failures), (), notes, entries)

    @property
    def line(self) -> float:
        """The relative distance of points in which noise is measured: far enough to round differently, near
        enough for fourth differences to vanish but for that."""
        return float(min(self.subject.precision ** (1 / 3), self.distance / 100))

    @property
    def slow(self) -> bool:
        """Whether every number is a Python object: then one direction is enough."""
        return self.oracle.arithmetic.dtype is object

    def sides(self) -> Sides:
        """Unit directions as far as the budget goes, dense random ones beyond."""
        names, inputs, hessian = self.question.wrt, self.point.inputs, self.question.kind == "hessian"
        count = sum(prod(inputs[x].shape) for x in names)
        cheap = isinstance(self.oracle, ComplexStep) and self.question.order == 1
        cost = (1 if cheap else 4 * LEVELS) * (self.oracle.model.work(inputs) + count)
        if self.slow:
            cost = BUDGET
        left_unit = count * PROJECTIONS * cost <= BUDGET
        right_unit = count * cost * (count if hessian else 1) <= BUDGET

        def bases(unit: bool) -> Bases:
            count = 1 if self.slow else PROJECTIONS
            return unit_bases(names, inputs) if unit else dense_bases(names, inputs, count, self.rng)

        left, right = bases(left_unit), bases(right_unit)
        return Sides(left, right, left_unit or not hessian, right_unit or self.question.kind == "jvp")

    def expected(self, oracle: Oracle, sides: Sides) -> Expected:
        left, right = ({n: self.lift(b) for n, b in bases.items()} for bases in (sides.left, sides.right))
        return self.question.expected(oracle, self.point.inputs, left, right)

    def lift(self, array: Any) -> Any:
        return self.oracle.arithmetic.array(array)

    def noisy(self) -> Iterable[Oracle]:
        """Oracles that differ from ours by rounding alone."""
        if not isinstance(self.oracle, ComplexStep):
            return []
        precision = self.subject.precision if self.question.order == 1 else 2.0**-52
        numbers = Jittered(**vars(self.oracle.numbers), rng=self.rng, precision=precision)
        return [replace(self.oracle, numbers=numbers)] * 2

    def comparisons(self, answer: Answer, near: Sequence[Answer], sides: Sides) -> list[Comparison]:
        expected = self.expected(self.oracle, sides)
        noisy = [self.expected(oracle, sides) for oracle in self.noisy()]
        drafts = [self.draft(block, answer, expected[block][0], sides) for block in self.question.blocks]
        names = (*self.question.cotangents, *self.question.tangents)
        weight = max((largest(self.point.inputs[n]) for n in names), default=1.0)
        natural = max(weight, *(draft.scale for draft in drafts))
        floor = self.oracle.floors[self.question.order - 1]
        found = []
        for draft in drafts:
            value, error = expected[draft.block]
            noise = computational_noise([draft.seen(a.blocks[draft.block]) for a in near])
            noise = noise + spread([n[draft.block][0] for n in noisy], value)
            allowed = self.tolerance(value, error, noise, floor, (draft.scale, natural))
            draft = replace(draft, tolerance=allowed)
            noise_only = draft.scale <= 100 * largest(allowed) <= self.vanishing * natural
            vanishes = noise_only or not draft.scale
            found.append(replace(draft, scale=natural or 1.0, zero=True) if vanishes else draft)
        return found

    @property
    def vanishing(self) -> float:
        """The size, relative to everything around, of an array in which only rounding may be left."""
        return max(1e-7, 1e6 * self.subject.precision)

    def draft(self, block: Block, answer: Answer, expected: Any, sides: Sides) -> Comparison:
        label = dict(zip(self.question.blocks, self.subject.labels, strict=True))[block]
        left = None if sides.left_unit else self.lift(sides.left[block.of])
        right = None if sides.right_unit else self.lift(sides.right[block.wrt])
        got = answer.blocks[block]
        scale = largest(got if left is not None or right is not None else expected)
        axes = self.question.shapes(block, self.point.inputs)
        return Comparison(
            block, label, axes, got, left, right, expected, 0.0, scale, bool(self.point.nonfinite)
        )

    def value(self, answer: Answer, near: Sequence[Answer]) -> Comparison:
        """The value that value_and_grad returns first, compared with the base program's."""
        output = self.question.base.outputs[0].name
        values = evaluate(self.question.base, self.point.inputs, self.oracle.arithmetic)
        expected, got, *others = (
            np.reshape(v, (1, 1)) for v in (values[output], answer.value, *(a.value for a in near))
        )
        floor = min(self.oracle.floors[0], 1e-20)
        allowed = self.tolerance(expected, 0.0, computational_noise(others), floor, (largest(expected), 0.0))
        scale = largest(expected) or 1.0
        block, ignore = Block("value"), bool(self.point.nonfinite)
        return Comparison(block, output, ((), ()), got, None, None, expected, allowed, scale, ignore)

    def tolerance(
        self, expected: Any, error: Any, noise: Any, floor: float, scales: tuple[float, float]
    ) -> Any:
        precision = 0.0 if self.exact else self.subject.precision
        error = np.asarray(error, dtype=float)
        finite = np.where(np.isfinite(error), error, 0.0)
        return tolerance(expected, finite, noise, precision, floor, scales)

    def failures(self, comparison: Comparison) -> list[Entry]:
        """The entries that are wrong; along dense directions, the one that explains the most."""
        flagged = comparison.flagged(comparison.got)
        if not np.any(flagged):
            return []
        if not comparison.projected:
            return [
                entry_at(comparison, row, column, self.point) for row, column in np.argwhere(flagged).tolist()
            ]
        row, column, truth = locate(self.question, self.oracle, self.point.inputs, comparison, self.lift)
        got = float(comparison.got[row, column])
        error = abs(got - truth) / comparison.scale
        allowed = float(np.max(comparison.tolerance)) / comparison.scale
        index = comparison.index(row, column)
        return [Entry(comparison.label, index, truth, got, error, allowed, self.point.name)]


def entry_at(comparison: Comparison, row: int, column: int, point: Point) -> Entry:
    """One entry of a comparison that was made entry by entry."""
    expected, got = float(comparison.expected[row, column]), float(comparison.got[row, column])
    error = float(comparison.differences(comparison.got)[row, column]) / comparison.scale
    tolerances = np.broadcast_to(comparison.tolerance, comparison.expected.shape)
    allowed = float(tolerances[row, column]) / comparison.scale
    return Entry(comparison.label, comparison.index(row, column), expected, got, error, allowed, point.name)


def largest(array: Any) -> float:
    """The largest finite absolute value."""
    sizes = np.abs(np.asarray(array, dtype=float))
    return float(np.max(sizes[np.isfinite(sizes)], initial=0.0))
