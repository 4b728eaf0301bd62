"""Forward mode: tangents of the outputs from tangents of the inputs."""

from __future__ import annotations

import sympy

from ..ir.nodes import Equation, Program, Read, Reduction, Step, Tensor
from .differentiate import active_tensors, linearise, new_name


def jvp(program: Program, wrt: tuple[str, ...]) -> Program:
    """The differential: inputs ``d<name>`` for each of `wrt` are added; outputs ``d<output>`` have the outputs' shapes."""
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    inputs = {t.name: t for t in program.inputs}
    tangents = {name: Tensor(new_name(f"d{name}", taken), inputs[name].shape) for name in wrt}
    seeds = tuple(tangents.values())
    active = active_tensors(program.equations, set(wrt))
    equations: list[Equation] = []
    for equation in program.equations:
        equations.append(equation)
        if equation.target.name not in active:
            continue
        differential = linearise(equation, active, taken)
        equations.extend(differential.helpers)
        body = sympy.Add(
            *(d * Read(tangents[r.tensor.name], r.indices) for r, d in differential.partials.items())
        )
        target = Tensor(new_name(f"d{equation.target.name}", taken), equation.target.shape)
        tangents[equation.target.name] = target
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
    return Program((*program.inputs, *seeds), tuple(equations), tuple(outputs))
