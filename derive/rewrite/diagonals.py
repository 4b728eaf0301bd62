"""Inverses and determinants of diagonal matrices, entry by entry: ``inv([i = j] c[i]) = [i = j] / c[i]``."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Entry, Equation, Index, Program, Slot, Tensor, substitute


def of_diagonals(program: Program) -> Program:
    """The program with ``inv`` and ``log |det|`` of matrices that are seen to be diagonal written by their diagonals.

    Only matrices without batch axes are looked at. What is diagonal has no zero on its diagonal wherever the inverse is
    defined.
    """
    made = {e.target: e for e in program.equations}
    found = []
    for e in program.equations:
        found.append(_by_diagonal(e, made) or e)
    return replace(program, equations=tuple(found))


def _by_diagonal(e: Equation, made: dict[Tensor, Equation]) -> Equation | None:
    if not (isinstance(e.body, Entry) and len(e.body.operands) == 1):
        return None
    operand = e.body.operands[0]
    if operand.indices not in ((Slot(0), Slot(1)), (Slot(1), Slot(0))) or operand.tensor not in made:
        return None
    source = made[operand.tensor]
    if (diagonal := _diagonal(source)) is None:
        return None
    i = source.axes[0]
    match e.body.primitive, e.body.output:
        case "inv", _:
            row, column = e.body.places
            body = Bracket(sympy.Eq(row, column)) / substitute(diagonal, {i: row})
            return replace(e, body=body)
        case "slogdet", 1:
            bound = Index(f"{i.name}_d", i.extent)
            entry = substitute(diagonal, {i: bound})
            body = sympy.log(entry if entry.is_positive else sympy.sqrt(entry**2))
            return replace(e, body=body, reduce="sum", bound=(bound,))
    return None


def _diagonal(e: Equation) -> Expr | None:
    """``c[i]`` of ``A[i,j] = [i = j] c[i]``."""
    if e.reduce is not None or len(e.axes) != 2:
        return None
    i, j = e.axes
    for bracket in (Bracket(sympy.Eq(i, j)), Bracket(sympy.Eq(j, i))):
        rest = e.body.xreplace({bracket: S.One})
        if rest != e.body and not rest.has(Bracket):
            return substitute(rest, {j: i})
    return None
