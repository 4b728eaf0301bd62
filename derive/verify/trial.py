"""The derived arrays and the expected ones at one point, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..ir.evaluate import evaluate
from ..ir.numbers import Numbers
from .compare import Comparison, tolerance
from .differences import LEVELS, ComplexStep, Oracle
from .expect import Bases, Block, Expected, Question, dense_bases, unit_bases
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
    """The directions in which every block is compared; `unit` sides are compared entry by entry."""

    left: Bases
    right: Bases
    left_unit: bool
    right_unit: bool


@dataclass(frozen=True)
class Trial:
    """One comparison of a derivative with one oracle at one point.

    With `exact`, a number system, the derived program is run in it too, so that no difference is rounding.
    """

    question: Question
    subject: Subject
    oracle: Oracle
    point: Point
    rng: np.random.Generator
    exact: Numbers | None = None

    def run(self) -> Outcome:
        """Compare entry by entry where that is affordable, else along random directions; then locate what is wrong."""
        try:
            answer = self.subject.answer(self.point.inputs, self.exact)
            near = [] if self.exact else self.subject.neighbours(self.point.inputs, REPLICATES, self.rng)
        except WrongShape as wrong:
            return Outcome(self.point, self.oracle.name, failures=(f"{wrong}, at {self.point.name}",))
        sides = self.sides()
        expected = self.expected(sides)
        noisy = [self.question.expected(o, self.point.inputs, sides.left, sides.right) for o in self.noisy()]
        found = self.comparisons(answer, near, expected, noisy, sides)
        if self.question.kind == "value_and_grad":
            found.append(self.value(answer, near))
        failures = [failure for comparison in found for failure in self.failures(comparison)]
        notes = [note for comparison in found for note in self.nonfinite(comparison)]
        entries = sum(comparison.got.size for comparison in found)
        return Outcome(self.point, self.oracle.name, tuple(found), tuple(failures), (), tuple(notes), entries)

    def sides(self) -> Sides:
        """Unit directions as far as the budget goes, dense random ones beyond."""
        names, inputs, second = self.question.wrt, self.point.inputs, self.question.order == 2
        count = sum(prod(inputs[x].shape) for x in names)
        evaluations = 1 if isinstance(self.oracle, ComplexStep) and not second else 4 * LEVELS
        cost = evaluations * (self.oracle.model.work(inputs) + count)
        if self.exact:
            cost = BUDGET
        hessian = self.question.kind == "hessian"
        left_unit = hessian and count * PROJECTIONS * cost <= BUDGET
        right_unit = count * cost * (count if hessian else 1) <= BUDGET

        def bases(unit: bool) -> Bases:
            return unit_bases(names, inputs) if unit else dense_bases(names, inputs, PROJECTIONS, self.rng)

        return Sides(bases(left_unit), bases(right_unit), left_unit or not hessian, right_unit or self.question.kind == "jvp")

    def expected(self, sides: Sides) -> Expected:
        return self.between(sides.left, sides.right)

    def between(self, left: Bases, right: Bases) -> Expected:
        lift = self.exact.array if self.exact else np.asarray
        left, right = ({n: lift(b) for n, b in bases.items()} for bases in (left, right))
        return self.question.expected(self.oracle, self.point.inputs, left, right)

    def noisy(self) -> Iterable[Oracle]:
        """Oracles that differ from ours by rounding alone."""
        if isinstance(self.oracle, ComplexStep) and self.question.order == 1:
            numbers = Jittered(**vars(self.oracle.numbers), rng=self.rng, precision=self.subject.precision)
            return [replace(self.oracle, numbers=numbers)] * 2
        return []

    def comparisons(
        self, answer: Answer, near: list[Answer], expected: Expected, noisy: list[Expected], sides: Sides
    ) -> list[Comparison]:
        drafts = [self.draft(block, answer, expected[block][0], sides) for block in self.question.blocks]
        everything = max((draft.scale for draft in drafts), default=0.0)
        found = []
        for draft in drafts:
            value, error = expected[draft.block]
            noise = _spread([draft.seen(a.blocks[draft.block]) for a in near], draft.seen(draft.got))
            noise = noise + _spread([n[draft.block][0] for n in noisy], value)
            precision = 0.0 if self.exact else self.subject.precision
            floor = self.oracle.floors[self.question.order - 1]
            allowed = tolerance(value, np.where(np.isfinite(error), error, 0), noise, precision, floor, (draft.scale, everything))
            found.append(replace(draft, tolerance=allowed, scale=draft.scale or everything or 1.0))
        return found

    def draft(self, block: Block, answer: Answer, expected: Any, sides: Sides) -> Comparison:
        label = dict(zip(self.question.blocks, self.subject.labels, strict=True))[block]
        lift = self.exact.array if self.exact else np.asarray
        left = None if sides.left_unit else lift(sides.left[block.of])
        right = None if sides.right_unit else lift(sides.right[block.wrt])
        got = answer.blocks[block]
        return Comparison(
            block, label, self.question.shapes(block, self.point.inputs), got, left, right, expected, 0.0,
            _largest(got if left is not None or right is not None else expected), bool(self.point.nonfinite),
        )  # fmt: skip

    def value(self, answer: Answer, near: list[Answer]) -> Comparison:
        """The value that value_and_grad returns first, compared with the base program's."""
        base = self.question.base
        expected = np.reshape(evaluate(base, self.point.inputs, self.exact or FLOATS)[base.outputs[0].name], (1, 1))
        got = np.reshape(answer.value, (1, 1))
        noise = _spread([np.reshape(a.value, (1, 1)) for a in near], got)
        precision = 0.0 if self.exact else self.subject.precision
        allowed = tolerance(expected, 0.0, noise, precision, self.oracle.floors[0], (_largest(expected), 0.0))
        return Comparison(
            Block("value"), base.outputs[0].name, ((), ()), got, None, None, expected, allowed,
            _largest(expected) or 1.0, bool(self.point.nonfinite),
        )  # fmt: skip

    def failures(self, comparison: Comparison) -> list[Entry]:
        """The entries that are wrong; along dense directions, the one that explains the largest difference."""
        flagged = comparison.flagged(comparison.got)
        if not np.any(flagged):
            return []
        if comparison.left is None and comparison.right is None:
            return [entry_at(comparison, row, column, self.point) for row, column in np.argwhere(flagged).tolist()]
        return [self.locate(comparison)]

    def locate(self, comparison: Comparison) -> Entry:
        """Halve the directions until one entry is left, following the larger difference."""
        block, got, inputs = comparison.block, comparison.got, self.point.inputs
        row, column = np.unravel_index(int(np.argmax(comparison.differences(got))), np.shape(comparison.expected))
        sides = [comparison.left, comparison.right]
        pair = [_row(side, at, size) for side, at, size in zip(sides, (row, column), got.shape, strict=True)]

        def expected(left: Any, right: Any) -> Any:
            value = self.between(
                self.only(block.of, left if sides[0] is not None else None), self.only(block.wrt, right)
            )[block][0]
            return value if sides[0] is not None else left @ value

        for side in (1, 0):
            if sides[side] is None:
                continue
            while np.count_nonzero(pair[side]) > 1:
                halves = _halves(pair[side])
                trial = [pair[0], pair[1]]
                trial[side] = halves
                difference = np.abs(np.asarray(expected(*trial) - trial[0] @ got @ trial[1].T, dtype=float)).ravel()
                pair[side] = halves[[int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))]]
        place = tuple(int(np.argmax(np.abs(side[0].astype(float)))) for side in pair)
        units = [np.where(side != 0, 1.0, 0.0) for side in pair]
        truth = float(np.ravel(expected(*units))[0])
        value = float(got[place])
        return Entry(
            comparison.label, comparison.index(*place), truth, value, abs(value - truth) / comparison.scale,
            float(np.max(comparison.tolerance)) / comparison.scale, self.point.name,
        )  # fmt: skip
