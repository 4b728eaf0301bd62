"""The same program under other tensors: renamed, or with other sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Expr

from .nodes import Equation, Index, Program, Read, Tensor, indices_of, substitute


def with_tensors(program: Program, mapping: Mapping[Tensor, Tensor]) -> Program:
    """Replace tensors wherever they are read, defined or returned."""
    if not mapping:
        return program
    equations = tuple(
        replace(e, target=mapping.get(e.target, e.target), body=renamed(e.body, mapping))
        for e in program.equations
    )
    return Program(
        tuple(mapping.get(t, t) for t in program.inputs),
        equations,
        tuple(mapping.get(t, t) for t in program.outputs),
    )


def renamed(expr: Any, mapping: Mapping[Tensor, Tensor]) -> Any:
    """An expression that reads other tensors."""
    if isinstance(expr, Read):
        return Read(mapping.get(expr.tensor, expr.tensor), tuple(renamed(i, mapping) for i in expr.indices))
    if not expr.args:
        return expr
    return expr.func(*(renamed(a, mapping) for a in expr.args))


def resized(program: Program, sizes: Mapping[Expr, Expr]) -> Program:
    """The program with other sizes: those that were found to be equal, or those of a caller."""
    if not sizes:
        return program
    values = dict(sizes)

    def tensor(t: Tensor) -> Tensor:
        bound = None if t.bound is None else t.bound.xreplace(values)
        return replace(t, shape=tuple(e.xreplace(values) for e in t.shape), bound=bound)

    program = with_tensors(program, {t: tensor(t) for t in program.tensors.values()})
    equations = []
    for e in program.equations:
        indices = {i: Index(i.name, i.extent.xreplace(values)) for i in {*e.indices, *indices_of(e.body)}}
        axes, bound = (tuple(indices[i] for i in group) for group in (e.axes, e.bound))
        equations.append(replace(e, axes=axes, bound=bound, body=substitute(e.body, {**values, **indices})))
    return Program(program.inputs, tuple(equations), program.outputs)


def prune(program: Program) -> Program:
    """Drop the equations that no output needs."""
    definitions = program.definitions
    needed: set[str] = set()
    waiting = [t.name for t in program.outputs]
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in needed:
            needed.add(name)
            waiting += [r.tensor.name for r in definitions[name].reads]
    return replace(program, equations=tuple(e for e in program.equations if e.target.name in needed))


def merge(programs: Sequence[Program]) -> Program:
    """Programs over the same inputs as one: equations they share by name and value stand once, others are renamed apart."""
    inputs = {t.name: t for p in programs for t in p.inputs}
    equations: dict[str, Equation] = {}
    outputs: list[Tensor] = []
    for program in programs:
        renaming = _renaming(program, equations, inputs)
        for equation in program.equations:
            renamed = with_equation(equation, renaming)
            equations.setdefault(renamed.target.name, renamed)
        outputs.extend(renaming.get(t, t) for t in program.outputs)
    return Program(tuple(inputs.values()), tuple(equations.values()), tuple(outputs))


def _renaming(
    program: Program, equations: Mapping[str, Equation], inputs: Mapping[str, Tensor]
) -> dict[Tensor, Tensor]:
    """New names for the tensors of a program that are called like others; those of a recurrence read each other."""
    renaming: dict[Tensor, Tensor] = {}
    before = -1
    while len(renaming) > before:
        before = len(renaming)
        for equation in program.equations:
            name = equation.target.name
            same = equations.get(name)
            if equation.target in renaming or same is None or same == with_equation(equation, renaming):
                continue
            taken = {*equations, *inputs, *program.tensors, *(t.name for t in renaming.values())}
            fresh = next(c for n in range(2, 10**6) if (c := f"{name}_{n}") not in taken)
            renaming[equation.target] = replace(equation.target, name=fresh)
    return renaming


def with_equation(equation: Equation, mapping: Mapping[Tensor, Tensor]) -> Equation:
    """One equation under other tensors."""
    return with_tensors(Program((), (equation,), ()), mapping).equations[0]
