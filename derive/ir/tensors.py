"""The same program under other tensors: renamed, or with other sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .nodes import Equation, Program, Read, Tensor


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


def merge(programs: Sequence[Program]) -> Program:
    """Programs over the same inputs as one: equations they share by name and value stand once, others are renamed apart."""
    inputs = {t.name: t for p in programs for t in p.inputs}
    equations: dict[str, Equation] = {}
    outputs: list[Tensor] = []
    for program in programs:
        renaming: dict[Tensor, Tensor] = {}
        for equation in program.equations:
            name = equation.target.name
            same = equations.get(name)
            if same is not None and (same != with_equation(equation, renaming)):
                fresh = next(
                    c for n in range(2, 10**6) if (c := f"{name}_{n}") not in equations and c not in inputs
                )
                renaming[equation.target] = replace(equation.target, name=fresh)
            renamed = with_equation(equation, renaming)
            equations.setdefault(renamed.target.name, renamed)
        outputs.extend(renaming.get(t, t) for t in program.outputs)
    return Program(tuple(inputs.values()), tuple(equations.values()), tuple(outputs))


def with_equation(equation: Equation, mapping: Mapping[Tensor, Tensor]) -> Equation:
    """One equation under other tensors."""
    return with_tensors(Program((), (equation,), ()), mapping).equations[0]
