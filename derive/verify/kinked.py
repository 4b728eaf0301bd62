"""A point at which the derivative jumps: the derived value must lie in the interval of the slopes around."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .batch import Arrays
from .compare import index_of
from .differences import magnitude
from .expect import Block, Question, signed, unit_bases
from .oracles import ComplexStep, Differences
from .point import Outcome, Point
from .report import Entry, Kink
from .subject import Subject, WrongShape
from .trial import largest

LARGEST = 400
"""Entries up to which every one-sided slope is computed."""
RANDOM = 12


@dataclass(frozen=True)
class KinkedTrial:
    """A comparison with the slopes at points nearby, approached from several sides."""

    question: Question
    subject: Subject
    oracle: ComplexStep | Differences
    point: Point
    rng: np.random.Generator
    where: str

    def run(self) -> Outcome:
        """Entries with one slope are compared with it, the others with the interval of all slopes found."""
        inputs = self.point.inputs
        count = sum(inputs[x].size for x in self.question.wrt)
        if count > LARGEST:
            note = f"not compared at {self.point.name}, a kink ({self.where}): too many entries ({count})"
            return Outcome(self.point, self.oracle.name, notes=(note,))
        try:
            answer = self.subject.answer(inputs)
        except WrongShape as wrong:
            return Outcome(self.point, self.oracle.name, failures=(f"{wrong}, at {self.point.name}",))
        slopes = list(self.slopes())
        found: list[Entry | Kink] = []
        coarse = 0.0
        for block, label in zip(self.question.blocks, self.subject.labels, strict=True):
            hull = Hull.of([s[block] for s in slopes], 1e-9 if self.plain else 1e-5, self.subject.precision)
            found += self.judge(block, label, answer.blocks[block], hull)
            coarse = max(coarse, hull.sensitivity(answer.blocks[block]))
        kinks = tuple(k for k in found if isinstance(k, Kink))
        failures = tuple(f for f in found if isinstance(f, Entry) or not f.inside)
        note = f"kink: {self.where}, at {self.point.name}"
        entries = sum(m.size for m in answer.blocks.values())
        return Outcome(
            self.point, f"one-sided {self.oracle.name}", (), failures, kinks, (note,), entries, coarse
        )

    @property
    def gap(self) -> float:
        """How far from the kink the nearest slope is taken."""
        return 1e-5 if self.plain else 1e-3

    @property
    def plain(self) -> bool:
        return isinstance(self.oracle, ComplexStep) and self.question.order == 1

    def slopes(self) -> Iterable[dict[Block, Any]]:
        """The derivative's limits: along each input entry from both sides, and from joint moves of inputs."""
        oracle = self.oracle if self.plain else replace(self.oracle, step=self.gap / 4)
        bases = unit_bases(self.question.wrt, self.point.inputs)
        for move in self.moves(bases):
            samples = [
                self.question.expected(oracle, self.point.inputs, bases, bases, self.moved(move, k))
                for k in (1, 2, 3)
            ]
            yield {block: _limit(*(s[block][0] for s in samples)) for block in self.question.blocks}

    def moved(self, move: Arrays, times: int) -> Arrays:
        inputs = self.point.inputs
        return {n: inputs[n] + times * self.gap * magnitude(inputs[n]) * u for n, u in move.items()}

    def moves(self, bases: Any) -> Iterable[Arrays]:
        inputs = self.point.inputs
        real = [t.name for t in self.question.base.inputs if t.kind == "real"]
        if self.question.order == 1:
            along, _ = self.question.directions(inputs, bases)
            yield from (along, {n: -u for n, u in along.items()})
        for name in real:
            size = np.abs(signed(self.rng, inputs[name].shape))
            yield from ({name: size}, {name: -size})
        for _ in range(RANDOM):
            yield {n: signed(self.rng, inputs[n].shape) for n in real}

    def judge(self, block: Block, label: str, got: Any, hull: Hull) -> Iterable[Entry | Kink]:
        """The entries with an interval, and those that are wrong."""
        axes, outside = self.question.shapes(block, self.point.inputs), hull.outside(got)
        for row, column in np.argwhere(hull.kinked | outside).tolist():
            low, high, value = (float(a[row, column]) for a in (hull.low, hull.high, got))
            index = index_of(axes, row, column)
            if hull.kinked[row, column]:
                yield Kink(label, index, low, high, value, not outside[row, column], self.point.name)
            else:
                middle = (low + high) / 2
                error = abs(value - middle) / hull.scale
                yield Entry(label, index, middle, value, error, hull.allowed / hull.scale, self.point.name)


@dataclass(frozen=True)
class Hull:
    """The interval of the slopes of each entry; `allowed` is how far outside a value may be."""

    low: Any
    high: Any
    scale: float
    allowed: float

    @classmethod
    def of(cls, slopes: list[Any], error: float, precision: float) -> Hull:
        """Of those slopes that are numbers, which have the relative `error`."""
        stacked = np.stack(slopes)
        known = ~np.isnan(stacked)
        low = np.min(np.where(known, stacked, np.inf), axis=0)
        high = np.max(np.where(known, stacked, -np.inf), axis=0)
        scale = max(largest(low), largest(high)) or 1.0
        nowhere = low > high
        low, high = (np.where(nowhere, np.nan, side) for side in (low, high))
        return cls(low, high, scale, (error + 64 * precision) * scale)

    @property
    def kinked(self) -> Any:
        """Where there is more than one slope."""
        return self.high - self.low > 1000 * self.allowed

    def outside(self, got: Any) -> Any:
        return ~((self.low - self.allowed <= got) & (got <= self.high + self.allowed))

    def sensitivity(self, got: Any) -> float:
        """The relative error of an entry with one slope that is flagged when injected; 0 without any."""
        smooth = np.argwhere(~self.kinked & ~self.outside(got))
        level = 2 * self.allowed
        while len(smooth):
            wrong = np.array(got, dtype=float)
            wrong[tuple(smooth[0])] += level
            if self.outside(wrong)[tuple(smooth[0])]:
                return level / self.scale
            level *= 2
        return 0.0


def _limit(near: Any, middle: Any, far: Any) -> Any:
    """The slope at distance 0 from those at 1, 2, 3; at a root, where they run away, 0 or infinity."""
    with np.errstate(invalid="ignore"):
        limit = 3 * near - 3 * middle + far
        running = np.abs(near - 2 * middle + far) > 1e-3 * np.abs(near)
        end = np.where(np.abs(near) > np.abs(far), np.copysign(np.inf, near), 0.0)
    return np.where(running & (np.abs(limit - near) > 1e-3), end, limit)
