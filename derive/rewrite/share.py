"""Nonlinear subexpressions that occur more than once get an equation of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Expr

from ..calculus.differentiate import new_name
from ..ir.nodes import Bracket, Equation, Program, Read, Step, Tensor, Where, indices_of, reads_of
from ..ir.recurrences import in_order
from .deltas import reads_whole
from .values import canonical


def share(program: Program) -> Program:
    """Name every function value (exp, tanh, a root ...) that two equations, or one equation twice, compute.

    The new equation stands before its first reader. Innermost values first, so that what contains them is found
    in a later round.
    """
    for _ in range(8):
        after = _round(program)
        if after is program:
            return program
        program = after
    return program


def _round(program: Program) -> Program:
    places: dict[Any, list[tuple[int, Expr]]] = {}
    whole: dict[Any, int] = {}
    for position, equation in enumerate(program.equations):
        _collect(equation.body, equation, position, places, whole)
    shared = {key: found for key, found in places.items() if len(found) > 1}
    if not shared:
        return program
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    names: dict[Any, Equation] = {}
    first: dict[int, list[Equation]] = {}
    for key, found in shared.items():
        first_reader, value = min(found, key=lambda place: place[0])
        reader = program.equations[first_reader]
        position = min(first_reader, whole.get(key, first_reader))
        axes = tuple(i for i in reader.indices if i in indices_of(value))
        facts = frozenset({"positive"} if value.is_positive else ())
        target = Tensor(new_name("shared", taken), tuple(i.extent for i in axes), facts=facts)
        names[key] = Equation(
            target, axes, value, step=Step("shared value", of=reader.target.name, where=reader.step.where)
        )
        first.setdefault(position, []).append(names[key])
    equations: list[Equation] = []
    for position, equation in enumerate(program.equations):
        equations.extend(first.get(position, []))
        equations.append(replace(equation, body=_use(equation.body, names)))
    return replace(program, equations=in_order(equations))


Places = dict[Any, list[tuple[int, Expr]]]


def _collect(e: Any, equation: Equation, position: int, places: Places, whole: dict[Any, int]) -> None:
    """Note where function values stand within bodies, and which are the whole body of an equation."""
    if e.is_Atom or isinstance(e, Read):
        return
    for a in e.args:
        _collect(a, equation, position, places, whole)
    if _worth_a_name(e) and not (e == equation.body and equation.reduce is None) and not _contains_worthy(e):
        places.setdefault(canonical(e).key, []).append((position, e))
    elif e == equation.body and equation.reduce is None and _worth_a_name(e):
        whole.setdefault(canonical(e).key, position)


def _worth_a_name(e: Any) -> bool:
    """A function value that costs more than arithmetic and varies over indices."""
    if (
        not isinstance(e, Expr)
        or isinstance(e, Bracket | Where | Read)
        or e.is_Add
        or e.is_Mul
        or not reads_of(e)
    ):
        return False
    return not (e.is_Pow and e.exp.is_Integer) and not e.is_integer and reads_whole(e)


def _contains_worthy(e: Expr) -> bool:
    return any(_worth_a_name(x) or _contains_worthy(x) for x in e.args if isinstance(x, Expr))


def _use(e: Any, names: dict[Any, Equation]) -> Any:
    if e.is_Atom or isinstance(e, Read):
        return e
    if _worth_a_name(e):
        found = canonical(e)
        if found.key in names:
            equation = names[found.key]
            order = canonical(equation.body).order
            return equation.target[tuple(found.order[order.index(i)] for i in equation.axes)]
    args = [_use(a, names) for a in e.args]
    return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
