"""One point at which the derivative jumps: the derived value must lie in the interval of the slopes around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .batch import Arrays
from .compare import index_of
from .differences import ComplexStep, Oracle, magnitude
from .expect import Block, Question, signed, unit_bases
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
    oracle: Oracle
    point: Point
    rng: np.random.Generator
    where: str

    def run(self) -> Outcome:
        """Entries with one slope are compared with it, the others with the interval of all slopes found."""
        inputs = self.point.inputs
        count = sum(inputs[x].size for x in self.question.wrt)
        if count > LARGEST:
            note = f"kink ({self.where}) at {self.point.name}: {count} entries are too many to try every side; not compared"
            return Outcome(self.point, self.oracle.name, notes=(note,))
        try:
            answer = self.subject.answer(inputs)
        except WrongShape as wrong:
            return Outcome(self.point, self.oracle.name, failures=(f"{wrong}, at {self.point.name}",))
        slopes = list(self.slopes())
        failures: list[Entry | Kink] = []
        kinks: list[Kink] = []
        for block, label in zip(self.question.blocks, self.subject.labels, strict=True):
            low, high = _hull([s[block] for s in slopes])
            found = list(self.judge(block, label, answer.blocks[block], low, high))
            kinks += [k for k in found if isinstance(k, Kink)]
            failures += [f for f in found if isinstance(f, Entry) or not f.inside]
        note = f"kink: {self.where}, at {self.point.name}"
        entries = sum(m.size for m in answer.blocks.values())
        return Outcome(self.point, f"one-sided {self.oracle.name}", (), tuple(failures), tuple(kinks), (note,), entries)

    @property
    def gap(self) -> float:
        """How far from the kink the nearest slope is taken."""
        return 1e-5 if self.plain else 1e-3

    @property
    def plain(self) -> bool:
        return isinstance(self.oracle, ComplexStep) and self.question.order == 1

    def slopes(self) -> Iterable[dict[Block, Any]]:
        """The derivative's limits: along each input entry from both sides, and from joint moves of the inputs."""
        oracle = self.oracle if self.plain else replace(self.oracle, step=self.gap / 4)
        bases = unit_bases(self.question.wrt, self.point.inputs)
        for move in self.moves(bases):
            samples = [
                self.question.expected(oracle, self.point.inputs, bases, bases, self.moved(move, k)) for k in (1, 2, 3)
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

    def judge(self, block: Block, label: str, got: Any, low: Any, high: Any) -> Iterable[Entry | Kink]:
        scale = max(largest(low), largest(high)) or 1.0
        allowed = (1e-9 if self.plain else 1e-5) * scale + 64 * self.subject.precision * scale
        axes = self.question.shapes(block, self.point.inputs)
        for row, column in np.ndindex(*got.shape):
            least, most, value = float(low[row, column]), float(high[row, column]), float(got[row, column])
            inside = least - allowed <= value <= most + allowed
            index = index_of(axes, row, column)
            if most - least > 1000 * allowed:
                yield Kink(label, index, least, most, value, inside, self.point.name)
            elif not inside:
                middle = (least + most) / 2
                error = abs(value - middle) / scale
                yield Entry(label, index, middle, value, error, allowed / scale, self.point.name)


def _hull(slopes: list[Any]) -> tuple[Any, Any]:
    """The interval of the slopes, entry by entry, of those that are numbers."""
    stacked = np.stack(slopes)
    known = ~np.isnan(stacked)
    low = np.min(np.where(known, stacked, np.inf), axis=0)
    high = np.max(np.where(known, stacked, -np.inf), axis=0)
    return np.where(low > high, np.nan, low), np.where(low > high, np.nan, high)


def _limit(near: Any, middle: Any, far: Any) -> Any:
    """The slope at distance 0 from those at distances 1, 2, 3; at a root, where they run away, 0 or infinity."""
    with np.errstate(invalid="ignore"):
        limit = 3 * near - 3 * middle + far
        running = np.abs(near - 2 * middle + far) > 1e-3 * np.abs(near)
        end = np.where(np.abs(near) > np.abs(far), np.copysign(np.inf, near), 0.0)
    return np.where(running & (np.abs(limit - near) > 1e-3), end, limit)
