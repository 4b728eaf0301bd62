"""What an emitted file computes where: the forward pass, what it saves, and what is left for the backward pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sympy

from ..errors import DeriveError
from ..ir.nodes import Equation, Program, Tensor, substitute
from ..ir.recurrences import Recurrence, blocks
from ..rewrite.measure import prune
from .factor import ONCE, Style, factored, siblings
from .scope import Names
from .target import EmitRequest


@dataclass(frozen=True)
class Plan:
    """The equations of both passes and the tensors that pass from one to the other.

    original, pullback: both passes as they were given, linear algebra not yet in steps.
    kept: inputs that the backward pass reads.  saved: outputs and intermediates that it reads.
    backward: the equations of the gradients, without those that the forward pass has computed.
    """

    request: EmitRequest
    names: Names
    original: Program
    forward: tuple[Equation, ...]
    kept: tuple[Tensor, ...] = ()
    saved: tuple[Tensor, ...] = ()
    backward: tuple[Equation, ...] = ()
    pullback: Program | None = None

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self.request.forward.inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        return self.request.forward.outputs

    @property
    def extras(self) -> tuple[Tensor, ...]:
        """Saved tensors that the function does not return anyway."""
        return tuple(t for t in self.saved if t.name not in {o.name for o in self.outputs})

    @property
    def cotangents(self) -> tuple[Tensor, ...]:
        program = self.request.backward
        return tuple(t for t in program.inputs if t.name in self.request.cotangents) if program else ()

    @property
    def gradients(self) -> tuple[Tensor, ...]:
        """The gradient of each input in `wrt`."""
        return self.request.backward.outputs if self.request.backward else ()

    def name(self, tensor: Tensor) -> str:
        return self.names.tensors[tensor.name]

    def keeping(self, symbol: sympy.Symbol) -> Plan:
        """The plan with one more tensor kept for the backward pass: one that has this size as an axis."""
        passed = {t.name for t in (*self.kept, *self.saved, *self.cotangents)}
        for tensor in (*self.inputs, *(e.target for e in self.forward)):
            if any(symbol in extent.free_symbols for extent in tensor.shape) and tensor.name not in passed:
                if tensor in self.inputs:
                    return replace(self, kept=_in_order((*self.kept, tensor), self.inputs))
                return replace(self, saved=(*self.saved, tensor))
        raise DeriveError(f"no tensor of {self.request.name}() has the size {symbol} as an axis of its own")


def plan_of(request: EmitRequest, reserved: Iterable[str], style: Style = ONCE) -> Plan:
    """Divide the work of a request; `reserved` are names that the emitted file uses for something else."""
    original, pullback = request.forward, request.backward
    programs = factored([p for p in (request.forward, request.backward) if p is not None], style)
    request = replace(request, forward=programs[0], backward=programs[1] if request.backward else None)
    names = Names(programs, {*reserved, request.name})
    if request.backward is None:
        return Plan(request, names, original, _needed(request.forward.equations, request.forward.outputs))
    forward, backward = request.forward, request.backward
    ahead = _computable(forward)
    given = {e.target.name: e for e in ahead}
    left = tuple(e for e in backward.equations if not _computed(e, given))
    left = _needed(left, backward.outputs)
    read = {r.tensor.name for e in left for r in e.reads} | {t.name for t in backward.outputs}
    own = {e.target.name for e in left}
    kept = tuple(t for t in forward.inputs if t.name in read)
    saved = tuple(e.target for e in ahead if e.target.name in read - own)
    needed = _needed(ahead, (*forward.outputs, *saved))
    return Plan(request, names, original, needed, kept, saved, left, pullback)


def _computable(program: Program) -> tuple[Equation, ...]:
    """The equations that read nothing but inputs and each other."""
    known = {t.name for t in program.inputs}
    found: list[Equation] = []
    for block in blocks(program.equations):
        members = (block,) if isinstance(block, Equation) else block.equations
        own = {e.target.name for e in members} if isinstance(block, Recurrence) else set()
        if all(r.tensor.name in known | own for e in members for r in e.reads):
            known |= {e.target.name for e in members}
            found += members
    return tuple(found)


def _computed(equation: Equation, given: dict[str, Equation]) -> bool:
    """Whether the forward pass has this very equation, up to the names of indices."""
    other = given.get(equation.target.name)
    if other is None or len(other.indices) != len(equation.indices) or other.reduce != equation.reduce:
        return False
    renamed = dict(zip(other.indices, equation.indices, strict=True))
    return other.target.shape == equation.target.shape and bool(
        substitute(other.body, renamed) == equation.body
    )


def _needed(equations: Iterable[Equation], outputs: Iterable[Tensor]) -> tuple[Equation, ...]:
    """The equations on which the outputs depend."""
    return prune(Program((), tuple(equations), tuple(outputs))).equations


def _in_order(tensors: Iterable[Tensor], order: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    names = {t.name for t in tensors}
    return tuple(t for t in order if t.name in names)


def users(plan: Plan) -> dict[str, set[str]]:
    """For each tensor of the backward pass, the gradients that depend on it."""
    found: dict[str, set[str]] = {e.target.name: set() for e in plan.backward}
    definitions, calls = {e.target.name: e for e in plan.backward}, siblings(plan.backward)
    for gradient in plan.gradients:
        waiting, seen = [gradient.name], set()
        while waiting:
            name = waiting.pop()
            if name in definitions and name not in seen:
                for e in calls.get(name, (definitions[name],)):
                    seen.add(e.target.name)
                    found[e.target.name].add(gradient.name)
                    waiting += [r.tensor.name for r in e.reads]
    return found
