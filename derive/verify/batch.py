"""Many evaluations at once: a program with a leading axis on everything that moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from sympy import Integer

from ..ir.evaluate import evaluate
from ..ir.nodes import Equation, Index, Program, Read, Tensor, size
from ..ir.numbers import Numbers
from ..ir.recurrences import dependents
from ..ir.sizes import solve_sizes

BATCH = Index("_batch", size("_batch"))
CHUNK = 2_000_000
"""Entries of the largest intermediate that one evaluation may hold."""

Arrays = dict[str, Any]


def batched(program: Program, names: Iterable[str]) -> Program:
    """`program` on a batch of values of `names`; whatever depends on them gets the leading axis."""
    touched = dependents(program.equations, names, lambda e: e.reads)
    moving = {name: _widen(t) for name, t in program.tensors.items() if name in touched}
    equations = []
    for equation in program.equations:
        if equation.target.name in moving:
            body = _lift(equation.body, moving)
            equation = Equation(
                moving[equation.target.name], (BATCH, *equation.axes), body, equation.reduce, equation.bound
            )
        equations.append(equation)
    current = [moving.get(t.name, t) for t in (*program.inputs, *program.outputs)]
    return Program(
        tuple(current[: len(program.inputs)]), tuple(equations), tuple(current[len(program.inputs) :])
    )


def _widen(tensor: Tensor) -> Tensor:
    return replace(tensor, shape=(BATCH.extent, *tensor.shape))


def _lift(e: Any, moving: Mapping[str, Tensor]) -> Any:
    if isinstance(e, Read):
        indices = tuple(_lift(i, moving) for i in e.indices)
        wide = moving.get(e.tensor.name)
        return Read(e.tensor, indices) if wide is None else Read(wide, (BATCH, *indices))
    return e.func(*(_lift(a, moving) for a in e.args)) if e.args else e


class Model:
    """A base program that is evaluated at many displaced points together."""

    def __init__(self, program: Program, names: Iterable[str]) -> None:
        self.program = program
        self.names = tuple(names)
        self.wide = batched(program, self.names)

    def work(self, inputs: Arrays) -> int:
        """Entries of the largest loop nest at the sizes of `inputs`."""
        sizes = solve_sizes(self.program, inputs)
        values = {symbol: Integer(value) for symbol, value in sizes.items()}
        nests = (prod(int(i.extent.xreplace(values)) for i in e.indices) for e in self.program.equations)
        return max(nests, default=1)

    def run(self, numbers: Numbers, inputs: Arrays, moved: Arrays) -> list[Any]:
        """Every output at every row of `moved` (arrays with a leading axis, by name of input)."""
        count = len(next(iter(moved.values())))
        one = {**inputs, **{n: a[0] for n, a in moved.items()}}
        step = max(1, CHUNK // max(1, self.work(one)))
        parts = [
            self._run(numbers, {**inputs, **{n: a[start : start + step] for n, a in moved.items()}})
            for start in range(0, count, step)
        ]
        return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]

    def _run(self, numbers: Numbers, inputs: Arrays) -> list[Any]:
        count = len(inputs[self.names[0]])
        values = evaluate(self.wide, inputs, numbers)
        found = []
        for tensor in self.wide.outputs:
            value = np.asarray(values[tensor.name])
            fixed = BATCH.extent not in tensor.shape[:1]
            found.append(np.broadcast_to(value, (count, *value.shape)) if fixed else value)
        return found
