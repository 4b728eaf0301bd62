"""What is checked: a derived program, a kernel or any function, called with arrays by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..ir.evaluate import evaluate
from ..ir.nodes import Program
from ..ir.numbers import FLOAT32, FLOAT64, Numbers
from .batch import Arrays
from .expect import Block, Matrix, Question

NEIGHBOURS = 7
"""Points in which rounding noise is measured."""

Derived = Callable[[Arrays], Any] | Program


class WrongShape(Exception):
    """The derived arrays do not have the number or the shapes that the question asks for."""


@dataclass(frozen=True)
class Answer:
    """The derived arrays as matrices, and the value of a value_and_grad."""

    blocks: dict[Block, Matrix]
    value: Any = None


@dataclass(frozen=True)
class Subject:
    """The derived side of a check."""

    question: Question
    derived: Derived
    dtype: type[np.floating]

    @property
    def exact(self) -> bool:
        """Whether it can be run in any number system."""
        return isinstance(self.derived, Program)

    @property
    def precision(self) -> float:
        return float(np.finfo(self.dtype).eps)

    @property
    def labels(self) -> list[str]:
        """Names of the derived arrays, as the derived program calls them."""
        skip = self.question.kind == "value_and_grad"
        if (
            isinstance(self.derived, Program)
            and len(self.derived.outputs) == len(self.question.blocks) + skip
        ):
            return [t.name for t in self.derived.outputs[skip:]]
        return [b.label for b in self.question.blocks]

    def answer(self, inputs: Arrays, numbers: Numbers | None = None) -> Answer:
        """The derived arrays at `inputs`, in `numbers` where it is a program.

        Raises:
            WrongShape: the number of arrays or a shape is not what the question asks for.
        """
        inputs = inputs if numbers else self.rounded(inputs)
        if isinstance(self.derived, Program):
            values = evaluate(
                self.derived, inputs, numbers or (FLOAT32 if self.dtype is np.float32 else FLOAT64)
            )
            arrays = [np.asarray(values[t.name]) for t in self.derived.outputs]
        else:
            found = self.derived(dict(inputs))
            arrays = [np.asarray(a) for a in (found if isinstance(found, tuple | list) else (found,))]
        return self._answer(arrays, inputs)

    def rounded(self, inputs: Arrays) -> Arrays:
        """`inputs` with real numbers in the precision of the derived side."""
        return {n: x.astype(self.dtype) if x.dtype.kind in "fO" else x for n, x in inputs.items()}

    def _answer(self, arrays: list[Any], inputs: Arrays) -> Answer:
        blocks = self.question.blocks
        value, arrays = (arrays[0], arrays[1:]) if self.question.kind == "value_and_grad" else (None, arrays)
        if len(arrays) != len(blocks):
            raise WrongShape(
                f"{len(blocks)} arrays were expected ({', '.join(self.labels)}), {len(arrays)} returned"
            )
        matrices = {}
        for block, label, array in zip(blocks, self.labels, arrays, strict=True):
            rows, columns = self.question.shapes(block, inputs)
            if array.shape != rows + columns:
                raise WrongShape(f"{label} has shape {array.shape}, expected {rows + columns}")
            matrices[block] = array.reshape(prod(rows), prod(columns))
        return Answer(matrices, value)

    def along(self, inputs: Arrays, step: float, rng: np.random.Generator) -> list[Answer]:
        """The answers at NEIGHBOURS equidistant points around `inputs`, on a random line."""
        inputs = self.rounded(inputs)
        signs = {n: rng.choice([-1.0, 1.0], x.shape) * step for n, x in inputs.items() if x.dtype.kind == "f"}
        places = np.arange(NEIGHBOURS) - NEIGHBOURS // 2
        return [
            self.answer({**inputs, **{n: inputs[n] * (1 + p * s) for n, s in signs.items()}}) for p in places
        ]
