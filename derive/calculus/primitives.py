"""The derivative of a linear-algebra primitive: its record's rule, traced where the primitive stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sympy import Expr, S

from ..frontends.trace import Trace
from ..frontends.traced import FLOAT, INT, Traced
from ..frontends.words import TEMPORARY
from ..ir.nodes import Entry, Equation, Index, Read, Slot, Step, Tensor, fresh_indices, indices_of, substitute
from ..ir.slots import operand_facts
from ..ir.tensors import with_equation
from ..ops.linalg import primitives
from .differentiate import new_name

RULE = f"{TEMPORARY}rule"
"""What the names begin with that a rule gives its tensors: they differ from those of a trace that it is applied in."""


def siblings(equations: Iterable[Equation]) -> dict[str, list[Equation]]:
    """The equations of the results of one primitive, by the name of the one that stands first.

    A result that is computed twice belongs to two groups: each has a cotangent of its own.
    """
    groups: dict[Any, list[Equation]] = {}
    times: Counter[Any] = Counter()
    for equation in equations:
        if isinstance(equation.body, Entry):
            result = equation.body.of(equation.body.output, ())
            groups.setdefault((equation.body.of(0, ()), times[result]), []).append(equation)
            times[result] += 1
    return {members[0].target.name: members for members in groups.values()}


class Application:
    """A primitive where it stands in a program, as traced arrays: batch axes first, of extent 1 where nothing varies.

    members: the equations of its results that the program has; a result that only the rule reads is added.
    taken: the names that are in use.
    """

    def __init__(self, members: Sequence[Equation], taken: dict[str, int]) -> None:
        self.members, self.taken, self.trace = members, taken, Trace(prefix=RULE)
        first = members[0]
        assert isinstance(first.body, Entry)
        self.entry = first.body
        self.record = primitives()[self.entry.primitive]
        self.batch = tuple(i for i in first.axes if i not in self.entry.places)
        own = [_whole_axes(read, first.axes) for read in self.entry.operands]
        self.places = [substitute(read, axes) for read, axes in zip(self.entry.operands, own, strict=True)]
        self.operands = [self.view(axes.values(), at) for axes, at in zip(own, self.places, strict=True)]
        self.parameters = [
            self.view((), p, INT) if indices_of(p) else self.trace.view((), p, INT)
            for p in self.entry.parameters
        ]

    def view(self, axes: Iterable[Index], entry: Expr, dtype: Any = FLOAT) -> Traced:
        """An array over the batch axes and its own."""
        used = indices_of(entry)
        lead = (i if i in used else self.trace.unit() for i in self.batch)
        return self.trace.view((*lead, *axes), entry, dtype)

    def seeded(self, member: Equation, entry: Expr) -> Traced:
        """What belongs to a result, its tangent or cotangent, as an array in the result's shape."""
        assert isinstance(member.body, Entry)
        return self.trace.view((*self.batch, *member.body.places), entry)

    def results(self) -> list[Traced]:
        """The results, each a read of its equation; those that the program lacks are defined first."""
        found = []
        for output, letters in enumerate(self.record.results):
            member = next((m for m in self.members if m.body.output == output), None)
            if member is None:
                member = self.define(output, letters)
            found.append(self.view(member.body.places, member.lhs))
        return found

    def define(self, output: int, letters: str) -> Equation:
        """An equation for a result that nothing has read so far; unused ones are pruned later."""
        extents = self.trace.primitive(self.record.name, self.operands, self.parameters)[output].extents
        del self.trace.equations[-len(self.record.results) :]
        places = fresh_indices(extents[len(extents) - len(letters.split()) :], avoid=self.batch)
        first = self.members[0]
        facts = self.record.facts(*map(operand_facts, self.entry.operands))
        known = facts[output] if output < len(facts) else frozenset()
        name = new_name(f"{self.record.name}_{first.target.name}", self.taken)
        target = Tensor(name, tuple(i.extent for i in (*self.batch, *places)), facts=known)
        step = Step(first.step.rule, where=first.step.where)
        equation = Equation(target, (*self.batch, *places), self.entry.of(output, places), step=step)
        self.trace.equations.append(equation)
        return equation

    def cotangents(self, received: dict[str, Expr]) -> list[tuple[Read, Expr, tuple[Index, ...]]]:
        """For each operand that has one: where it is read, its cotangent there, and the indices of both."""
        seeds = [self._seed(output, received) for output in range(len(self.record.results))]
        pulled = self.record.vjp(self.operands, self.results(), seeds, *self.parameters)
        shares = []
        for place, operand, share in zip(self.places, self.operands, pulled, strict=True):
            if share is not None:
                own = operand.axes[len(self.batch) :]
                body = self._at(share, (*self.batch, *own))
                shares.append((place, body, (*self.batch, *own)))
        return shares

    def tangents(self, moved: Sequence[Expr | None]) -> dict[str, Expr]:
        """For each result that the program has its tangent, from those of the operands at their reads."""
        seeds = [
            None if e is None else self.view(x.axes[len(self.batch) :], e)
            for x, e in zip(self.operands, moved, strict=True)
        ]
        pushed = self.record.jvp(self.operands, self.results(), seeds, *self.parameters)
        found: dict[str, Expr] = {}
        for member in self.members:
            assert isinstance(member.body, Entry)
            share = pushed[member.body.output]
            found[member.target.name] = (
                S.Zero if share is None else self._at(share, (*self.batch, *member.body.places))
            )
        return found

    def _seed(self, output: int, received: dict[str, Expr]) -> Traced | None:
        for member in self.members:
            assert isinstance(member.body, Entry)
            if member.body.output == output and member.target.name in received:
                return self.seeded(member, received[member.target.name])
        return None

    def _at(self, array: Any, indices: tuple[Index, ...]) -> Expr:
        return self.trace.broadcast_entry(self.trace.lift(array), indices)

    def equations(self) -> tuple[list[Equation], dict[Tensor, Tensor]]:
        """What the rule wrote down, under names of its own, and how its tensors were renamed."""
        renaming: dict[Tensor, Tensor] = {}
        first = self.members[0]
        made = Step("primitive", of=first.target.name, where=first.step.where)
        for equation in self.trace.equations:
            if equation.target.name.startswith(RULE):
                name = new_name(f"{self.record.name}_{self.members[0].target.name}", self.taken)
                old = equation.target
                renaming[old] = Tensor(name, old.shape, old.kind, old.facts, old.bound)
        found = (replace(e, step=made) if e.target in renaming else e for e in self.trace.equations)
        return [with_equation(e, renaming) for e in found], renaming


def _whole_axes(read: Read, avoid: Sequence[Index]) -> dict[Slot, Index]:
    """A new index for each axis that a primitive takes whole, in the order of its slots."""
    extents = {
        i.number: n for i, n in zip(read.indices, read.tensor.shape, strict=True) if isinstance(i, Slot)
    }
    fresh = fresh_indices([extents[k] for k in sorted(extents)], avoid=(*avoid, *indices_of(read)))
    return {Slot(number): index for number, index in zip(sorted(extents), fresh, strict=True)}
