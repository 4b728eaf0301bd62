"""The derived arrays and the expected ones at one point, compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..ir.evaluate import evaluate
from ..ir.numbers import Numbers
from .compare import Comparison, tolerance
from .differences import LEVELS, ComplexStep, Oracle
from .expect import Bases, Block, Expected, Question, dense_bases, unit_bases
from .locate import locate
from .point import Outcome, Point
from .report import Entry
from .subject import Answer, Subject, WrongShape

BUDGET = 4_000_000
"""Numbers that the expected side may compute entry by entry; beyond it, along random directions."""
PROJECTIONS = 3
REPLICATES = 3


@dataclass(frozen=True)
class Jittered(Numbers):
    """Complex numbers whose imaginary parts change in the last digit after every equation: measures their noise."""

    rng: Any = None
    precision: float = 2.0**-52

    def array(self, values: Any) -> Any:
        moved = np.array(super().array(values))
        moved.imag *= 1 + self.precision * self.rng.integers(-1, 2, moved.shape)
        return moved


@dataclass(frozen=True)
class Sides:
    """The directions between which every block is compared, and on which sides they are the entries themselves."""

    left: Bases
    right: Bases
    left_unit: bool
    right_unit: bool


@dataclass(frozen=True)
class Trial:
    """One comparison of a derivative with one oracle at one point.

    With `exact`, the derived program is run in the arithmetic of the oracle, so that no difference is rounding.
    """

    question: Question
    subject: Subject
    oracle: Oracle
    point: Point
    rng: np.random.Generator
    exact: bool = False

    def run(self) -> Outcome:
        """Compare entry by entry where that is affordable, else along random directions; then locate what is wrong."""
        try:
            answer = self.subject.answer(self.point.inputs, self.oracle.arithmetic if self.exact else None)
            near = [] if self.exact else self.subject.neighbours(self.point.inputs, REPLICATES, self.rng)
        except WrongShape as wrong:
            return Outcome(self.point, self.oracle.name, failures=(f"{wrong}, at {self.point.name}",))
        found = self.comparisons(answer, near, self.sides())
        if self.question.kind == "value_and_grad":
            found.append(self.value(answer, near))
        failures = [failure for comparison in found for failure in self.failures(comparison)]
        entries = sum(comparison.got.size for comparison in found)
        return Outcome(self.point, self.oracle.name, tuple(found), tuple(failures), entries=entries)

    def sides(self) -> Sides:
        """Unit directions as far as the budget goes, dense random ones beyond."""
        names, inputs, hessian = self.question.wrt, self.point.inputs, self.question.kind == "hessian"
        count = sum(prod(inputs[x].shape) for x in names)
        cheap = isinstance(self.oracle, ComplexStep) and self.question.order == 1
        cost = (1 if cheap else 4 * LEVELS) * (self.oracle.model.work(inputs) + count)
        if self.oracle.arithmetic.dtype is object:
            cost = BUDGET
        left_unit = count * PROJECTIONS * cost <= BUDGET
        right_unit = count * cost * (count if hessian else 1) <= BUDGET

        def bases(unit: bool) -> Bases:
            count = 1 if self.oracle.arithmetic.dtype is object else PROJECTIONS
            return unit_bases(names, inputs) if unit else dense_bases(names, inputs, count, self.rng)

        return Sides(bases(left_unit), bases(right_unit), left_unit or not hessian, right_unit or self.question.kind == "jvp")

    def expected(self, oracle: Oracle, sides: Sides) -> Expected:
        left, right = ({n: self.lift(b) for n, b in bases.items()} for bases in (sides.left, sides.right))
        return self.question.expected(oracle, self.point.inputs, left, right)

    def lift(self, array: Any) -> Any:
        return self.oracle.arithmetic.array(array)

    def noisy(self) -> Iterable[Oracle]:
        """Oracles that differ from ours by rounding alone."""
        if isinstance(self.oracle, ComplexStep) and self.question.order == 1:
            numbers = Jittered(**vars(self.oracle.numbers), rng=self.rng, precision=self.subject.precision)
            return [replace(self.oracle, numbers=numbers)] * 2
        return []

    def comparisons(self, answer: Answer, near: Sequence[Answer], sides: Sides) -> list[Comparison]:
        expected = self.expected(self.oracle, sides)
        noisy = [self.expected(oracle, sides) for oracle in self.noisy()]
        drafts = [self.draft(block, answer, expected[block][0], sides) for block in self.question.blocks]
        everything = max((draft.scale for draft in drafts), default=0.0)
        found = []
        for draft in drafts:
            value, error = expected[draft.block]
            noise = spread([draft.seen(a.blocks[draft.block]) for a in near], draft.seen(draft.got))
            noise = noise + spread([n[draft.block][0] for n in noisy], value)
            allowed = self.tolerance(value, error, noise, (draft.scale, everything))
            scale = self.scale(draft.scale, everything, largest(allowed))
            found.append(replace(draft, tolerance=allowed, scale=scale))
        return found

    def scale(self, own: float, everything: float, noise: float) -> float:
        """What errors are relative to: the largest entry, unless that is the rounding noise of zeros."""
        weights = [largest(self.point.inputs[n]) for n in (*self.question.cotangents, *self.question.tangents)]
        natural = max(everything, *(weights or [1.0]))
        return natural if own <= 100 * noise and noise <= 1e-9 * natural else own

    def draft(self, block: Block, answer: Answer, expected: Any, sides: Sides) -> Comparison:
        label = dict(zip(self.question.blocks, self.subject.labels, strict=True))[block]
        left = None if sides.left_unit else self.lift(sides.left[block.of])
        right = None if sides.right_unit else self.lift(sides.right[block.wrt])
        got = answer.blocks[block]
        scale = largest(expected if left is None and right is None else got)
        axes = self.question.shapes(block, self.point.inputs)
        return Comparison(block, label, axes, got, left, right, expected, 0.0, scale, bool(self.point.nonfinite))

    def value(self, answer: Answer, near: Sequence[Answer]) -> Comparison:
        """The value that value_and_grad returns first, compared with the base program's."""
        output = self.question.base.outputs[0].name
        values = evaluate(self.question.base, self.point.inputs, self.oracle.arithmetic)
        expected, got, *others = (np.reshape(v, (1, 1)) for v in (values[output], answer.value, *(a.value for a in near)))
        allowed = self.tolerance(expected, 0.0, spread(others, got), (largest(expected), 0.0))
        scale = largest(expected) or 1.0
        return Comparison(
            Block("value"), output, ((), ()), got, None, None, expected, allowed, scale, bool(self.point.nonfinite)
        )

    def tolerance(self, expected: Any, error: Any, noise: Any, scales: tuple[float, float]) -> Any:
        precision = 0.0 if self.exact else self.subject.precision
        error = np.asarray(error, dtype=float)
        finite = np.where(np.isfinite(error), error, 0.0)
        return tolerance(expected, finite, noise, precision, self.oracle.floors[self.question.order - 1], scales)

    def failures(self, comparison: Comparison) -> list[Entry]:
        """The entries that are wrong; along dense directions, the one that explains the largest difference."""
        flagged = comparison.flagged(comparison.got)
        if not np.any(flagged):
            return []
        if comparison.left is None and comparison.right is None:
            return [entry_at(comparison, *place, self.point) for place in np.argwhere(flagged).tolist()]
        row, column, truth = locate(self.question, self.oracle, self.point.inputs, comparison, self.lift)
        got = float(comparison.got[row, column])
        error, allowed = (x / comparison.scale for x in (abs(got - truth), float(np.max(comparison.tolerance))))
        return [Entry(comparison.label, comparison.index(row, column), truth, got, error, allowed, self.point.name)]


def entry_at(comparison: Comparison, row: int, column: int, point: Point) -> Entry:
    """One entry of a comparison that was made entry by entry."""
    expected, got = float(comparison.expected[row, column]), float(comparison.got[row, column])
    error = float(comparison.differences(comparison.got)[row, column]) / comparison.scale
    allowed = float(np.broadcast_to(comparison.tolerance, comparison.expected.shape)[row, column]) / comparison.scale
    return Entry(comparison.label, comparison.index(row, column), expected, got, error, allowed, point.name)


def spread(replicates: Sequence[Any], value: Any) -> Any:
    """How far the replicates are from the value, entry by entry; 0 where that is no number."""
    distances = [np.abs(np.asarray(r - value, dtype=float)) for r in replicates]
    farthest = np.max(distances, axis=0) if distances else np.zeros(np.shape(value))
    return np.where(np.isfinite(farthest), farthest, 0.0)


def largest(array: Any) -> float:
    """The largest finite absolute value."""
    sizes = np.abs(np.asarray(array, dtype=float))
    return float(np.max(sizes[np.isfinite(sizes)], initial=0.0))
