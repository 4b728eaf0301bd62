"""How the outputs of a program depend on some of its inputs: rationally, or in another way."""

from __future__ import annotations

from collections.abc import Collection

import sympy
from sympy import Expr

from ...ir.nodes import Bracket, Entry, Index, Program, Read, Slot, Where, reads_of

RATIONAL_PRIMITIVES = {"inv", "solve", "det"}


def rational_in(program: Program, names: Collection[str]) -> bool:
    """Whether every tensor that depends on these inputs is a rational function of their entries, the others fixed."""
    moving = set(names)
    changed = True
    while changed:
        more = {e.target.name for e in program.equations if any(r.tensor.name in moving for r in e.reads)}
        changed = not more <= moving
        moving |= more
    for equation in program.equations:
        if equation.target.name not in moving:
            continue
        if isinstance(equation.body, Entry):
            if equation.body.primitive not in RATIONAL_PRIMITIVES:
                return False
        elif equation.reduce not in (None, "sum", "prod") or not _rational(equation.body, moving):
            return False
    return True


def _rational(e: Expr, moving: Collection[str]) -> bool:
    if not any(r.tensor.name in moving for r in reads_of(e)):
        return True
    match e:
        case Read():
            return e.tensor.name in moving and not any(isinstance(i, Read) for i in e.indices)
        case sympy.Add() | sympy.Mul():
            return all(_rational(a, moving) for a in e.args)
        case sympy.Pow():
            return bool(e.exp.is_Integer) and _rational(e.base, moving)
        case Where():
            condition, a, b = e.args
            return not reads_of(condition) and _rational(a, moving) and _rational(b, moving)
        case Bracket() | Index() | Slot():
            return not reads_of(e)
    return False
