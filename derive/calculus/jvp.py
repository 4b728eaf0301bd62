"""Forward mode: tangents of the outputs from tangents of the inputs."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy import Expr

from ..ir.nodes import Entry, Equation, Program, Read, Reduction, Step, Tensor
from ..ir.recurrences import in_order
from ..ir.tensors import renamed
from .differentiate import active_tensors, linearise, new_name
from .primitives import Application, siblings


def jvp(program: Program, wrt: tuple[str, ...]) -> Program:
    """The differential: inputs ``d<name>`` for each of `wrt` are added; outputs ``d<output>`` have the outputs' shapes."""
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    inputs = {t.name: t for t in program.inputs}
    tangents = {name: Tensor(new_name(f"d{name}", taken), inputs[name].shape) for name in wrt}
    seeds = tuple(tangents.values())
    active = active_tensors(program.equations, set(wrt))
    equations: list[Equation] = []
    applied = siblings(program.equations)
    for equation in program.equations:
        name = equation.target.name
        if name in active:
            tangents[name] = Tensor(new_name(f"d{name}", taken), equation.target.shape)
    for equation in program.equations:
        if isinstance(equation.body, Entry):
            if (
                equation.target.name in applied
            ):  # its other results have the same operands: they can stand here as well
                equations.extend(applied[equation.target.name])
                if equation.target.name in active:
                    equations.extend(_push_primitive(applied[equation.target.name], tangents, taken))
            continue
        equations.append(equation)
        if equation.target.name not in active:
            continue
        differential = linearise(equation, active, taken)
        equations.extend(differential.helpers)
        target = tangents[equation.target.name]
        body = _applied(differential.partials, tangents)
        reduce: Reduction | None = "sum" if equation.bound else None
        step = Step("differential", of=equation.target.name, where=equation.step.where)
        equations.append(Equation(target, equation.axes, body, reduce, equation.bound, step))
    outputs = []
    for output in program.outputs:
        if output.name not in tangents:
            from_nothing = Tensor(new_name(f"d{output.name}", taken), output.shape)
            axes = next(e.axes for e in equations if e.target == output)
            equations.append(
                Equation(from_nothing, axes, sympy.S.Zero, step=Step("does not depend", of=output.name))
            )
            tangents[output.name] = from_nothing
        outputs.append(tangents[output.name])
    return Program((*program.inputs, *seeds), in_order(equations), tuple(outputs))


def _push_primitive(
    members: list[Equation], tangents: dict[str, Tensor], taken: dict[str, int]
) -> list[Equation]:
    """The tangents of all results of a primitive, by the rule of its record."""
    application = Application(members, taken)
    moved = [
        Read(tangents[at.tensor.name], at.indices) if at.tensor.name in tangents else None
        for at in application.places
    ]
    pushed = application.tangents(moved)
    equations, renaming = application.equations()
    for member in members:
        step = Step("differential", of=member.target.name, where=member.step.where)
        body = renamed(pushed[member.target.name], renaming)
        equations.append(Equation(tangents[member.target.name], member.axes, body, step=step))
    return equations


def _applied(partials: Mapping[Read, Expr], tangents: Mapping[str, Tensor]) -> Expr:
    """The sum of partial derivatives times tangents."""
    return sympy.Add(*(d * Read(tangents[r.tensor.name], r.indices) for r, d in partials.items()))
