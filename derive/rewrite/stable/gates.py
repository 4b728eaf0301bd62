"""The slope of a gate beside the gate: ``sech(z/2)^2 / 4`` is ``s(z) s(-z)`` where s(z) is there."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any

from sympy import Expr

from ...ir.nodes import Entry, Equation, Program, Read, Where
from ...ops.elementwise.exponential import sigmoid
from ...ops.elementwise.hyperbolic import sech2
from ..values import canonical


def by_gates(program: Program, fixed: Set[str]) -> Program:
    """Squares of sech by the sigmoids that the program computes anyway: both have the same exponential.

    fixed: tensors that are left as they are.
    """
    own = [e for e in program.equations if not isinstance(e.body, Entry) and e.target.name not in fixed]
    bodies = [e.body for e in own]
    slopes = {f for body in bodies for f in body.atoms(sech2)}
    if not slopes:
        return program
    gates = {canonical(f).key for body in bodies for f in body.atoms(sigmoid)}
    pairs = {f: (sigmoid(2 * f.args[0]), sigmoid(-2 * f.args[0])) for f in slopes}
    there = {f: 4 * s * t for f, (s, t) in pairs.items() if {canonical(s).key, canonical(t).key} & gates}
    if not there:
        return program

    def changed(e: Equation) -> Equation:
        body = _put(e.body, there) if e in own else e.body
        return e if body is e.body else replace(e, body=body)

    return replace(program, equations=tuple(map(changed, program.equations)))


def _put(e: Any, there: dict[Expr, Expr]) -> Any:
    if isinstance(e, Read) or not e.args:
        return e
    if e in there:
        return there[e]
    args = (
        [e.args[0], *(_put(a, there) for a in e.args[1:])]
        if isinstance(e, Where)
        else [_put(a, there) for a in e.args]
    )
    return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
