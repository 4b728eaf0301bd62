"""One example -> n independent examples: the same equations with an axis in front of whatever differs between examples."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import chain, count

import sympy

from ..ir.nodes import Equation, Index, Program, Read, Tensor, indices_of, size, substitute


def batched(program: Program, names: Collection[str]) -> Program:
    """The program for n examples.

    Args:
        program: of one example.
        names: the inputs that each example has its own of; what depends on them gets the axis, and so do the outputs.
    """
    n = size(_free("n", map(str, program.sizes)))
    axis = Index(
        _free("i", {i.name for e in program.equations for i in (*e.indices, *indices_of(e.body))}), n
    )
    moved = {t.name: _longer(t, n) for t in program.inputs if t.name in names}
    equations = []
    for e in program.equations:
        if e.target not in program.outputs and not any(r.tensor.name in moved for r in e.reads):
            equations.append(e)
            continue
        moved[e.target.name] = _longer(e.target, n)
        body = substitute(
            e.body,
            {r: Read(moved[r.tensor.name], (axis, *r.indices)) for r in e.reads if r.tensor.name in moved},
        )
        equations.append(Equation(moved[e.target.name], (axis, *e.axes), body, e.reduce, e.bound, e.step))
    for t in program.outputs:
        moved.setdefault(t.name, t)
    return Program(
        tuple(moved.get(t.name, t) for t in program.inputs),
        tuple(equations),
        tuple(moved[t.name] for t in program.outputs),
    )


def summed(program: Program, name: str) -> Program:
    """The sum of the one output over its axis of examples, called `name`."""
    (output,) = program.outputs
    axis = Index(_free("i", ()), output.shape[0])
    total = Tensor(name)
    equation = Equation(total, (), Read(output, (axis,)), "sum", (axis,))
    return replace(program, equations=(*program.equations, equation), outputs=(total,))


def _longer(t: Tensor, n: sympy.Symbol) -> Tensor:
    return replace(t, shape=(n, *t.shape))


def _free(name: str, taken: Iterable[str]) -> str:
    used = set(taken)
    return next(c for c in chain([name], (f"{name}{k}" for k in count(1))) if c not in used)
