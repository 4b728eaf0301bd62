"""A program for a whole batch: one more index in every equation that depends on an input with a batch axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr

from ..errors import ShapeError
from ..ir.facts import facts_across
from ..ir.nodes import Equation, Index, Program, Read, Step, Tensor, fresh_indices, indices_of
from ..ir.recurrences import dependents
from .differentiate import new_name


def batched(
    program: Program, axis: sympy.Symbol, inputs: Mapping[str, int], outputs: Sequence[int | None]
) -> Program:
    """The program of many problems of one kind, ``Y[b,i] = sum_j W[i,j] x[b,j]`` for ``Y[i] = sum_j W[i,j] x[j]``.

    What does not depend on a batched input stays shared and is computed once.

    Args:
        axis: how many problems there are, a size that the program does not have.
        inputs: for each batched input the place of its batch axis.
        outputs: the place of the batch axis of each output; None for one that is shared.

    Raises:
        ShapeError: None for an output that differs from problem to problem.
    """
    touched = dependents(program.equations, inputs, lambda e: e.reads)
    places = {name: 0 for name in touched} | dict(inputs)
    for output, place in zip(program.outputs, outputs, strict=True):
        if output.name in touched and place is None:
            raise ShapeError(
                f"{output.name} depends on {', '.join(inputs)}, so it has an axis of {axis}; "
                "out_axes is None for what is shared by all"
            )
        if output.name in touched and output.name not in inputs and place is not None:
            places[output.name] = place
    batch = _Batch(program, axis, places)
    equations = list(map(batch.equation, program.equations))
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes), str(axis)), 1)
    returned = []
    for output, place in zip(program.outputs, outputs, strict=True):
        whole = batch.tensors.get(output.name, output)
        if place is not None and places.get(output.name) != place:
            equations.append(batch.moved(output, place, taken))
            whole = equations[-1].target
        returned.append(whole)
    return Program(
        tuple(batch.tensors.get(t.name, t) for t in program.inputs), tuple(equations), tuple(returned)
    )


@dataclass(frozen=True)
class _Batch:
    """Tensors with a batch axis at their `places`, by name."""

    program: Program
    axis: sympy.Symbol
    places: Mapping[str, int]

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """What the tensors that have a batch axis are now."""
        return {t.name: self.grown(t) for t in self.program.tensors.values() if t.name in self.places}

    def grown(self, tensor: Tensor) -> Tensor:
        place = self.places[tensor.name]
        facts = facts_across(tensor.facts, tensor.rank + 1, place)
        return replace(tensor, shape=with_entry(tensor.shape, place, self.axis), facts=facts)

    @cached_property
    def index(self) -> Index:
        """An index that stands nowhere in the program, called by the first letter of the axis if that is free."""
        used = {i for e in self.program.equations for i in (*e.indices, *indices_of(e.body))}
        own = Index(str(self.axis)[0], self.axis)
        free = own.name not in {i.name for i in used} | self.program.tensors.keys()
        return own if free else fresh_indices([self.axis], avoid=used)[0]

    def equation(self, equation: Equation) -> Equation:
        name = equation.target.name
        if name not in self.places:
            return equation
        axes = with_entry(equation.axes, self.places[name], self.index)
        return replace(equation, target=self.tensors[name], axes=axes, body=self.body(equation.body))

    def body(self, e: Any) -> Any:
        """An expression of one problem, in all of them."""
        if isinstance(e, Read):
            indices = tuple(map(self.body, e.indices))
            name = e.tensor.name
            if name not in self.places:
                return Read(e.tensor, indices)
            return Read(self.tensors[name], with_entry(indices, self.places[name], self.index))
        args = [self.body(a) for a in e.args]
        return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)

    def moved(self, output: Tensor, place: int, taken: dict[str, int]) -> Equation:
        """An output again, with its batch axis at another place, or repeated along it if it is shared."""
        name = new_name(f"{output.name}_{self.axis}", taken)
        shape = with_entry(output.shape, place, self.axis)
        target = replace(
            output, name=name, shape=shape, facts=facts_across(output.facts, output.rank + 1, place)
        )
        own = fresh_indices(output.shape, avoid=[self.index])
        axes = with_entry(own, place, self.index)
        return Equation(target, axes, self.body(output[own]), step=Step("batch", of=output.name))


def with_entry(entries: Sequence[Any], place: int, entry: Expr) -> tuple[Any, ...]:
    """The entries with one more at a place."""
    return (*entries[:place], entry, *entries[place:])
