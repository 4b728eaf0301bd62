"""Inverses, solutions and determinants of diagonal matrices, entry by entry: ``inv([i = j] c[i]) = [i = j] / c[i]``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Entry, Equation, Index, Program, Read, Slot, Tensor, substitute

Diagonal = Callable[[Expr], Expr]
"""A place on the diagonal -> the entry there."""


def of_diagonals(program: Program) -> Program:
    """The program with ``inv``, ``solve`` and ``log |det|`` of matrices that are seen to be diagonal by their diagonals.

    Axes before the last two count matrices. What is diagonal has no zero on its diagonal wherever the inverse is defined.
    """
    made = {e.target: e for e in program.equations}
    return replace(program, equations=tuple(_by_diagonal(e, made) or e for e in program.equations))


def _by_diagonal(e: Equation, made: dict[Tensor, Equation]) -> Equation | None:
    if not isinstance(e.body, Entry) or (diagonal := _diagonal(e.body.operands[0], made)) is None:
        return None
    match e.body.primitive, e.body.output:
        case "inv", _:
            row, column = e.body.places
            return replace(e, body=Bracket(sympy.Eq(row, column)) / diagonal(row))
        case "solve", _:
            (place,) = e.body.places
            right = e.body.operands[1]
            return replace(e, body=Read(right.tensor, _at(right.indices, place)) / diagonal(place))
        case "slogdet", 1:
            bound = Index("_d", e.body.operands[0].tensor.shape[-1])
            entry = diagonal(bound)
            body = sympy.log(entry if entry.is_positive else sympy.sqrt(entry**2))
            return replace(e, body=body, reduce="sum", bound=(bound,))
    return None


def _at(indices: tuple[Expr, ...], place: Expr) -> list[Expr]:
    return [place if isinstance(i, Slot) else i for i in indices]


def _diagonal(operand: Read, made: dict[Tensor, Equation]) -> Diagonal | None:
    """``c[b,i]`` of ``A[b,i,j] = [i = j] c[b,i]``, at the batch places b of the operand."""
    *batch, row, column = operand.indices
    e = made.get(operand.tensor)
    if {row, column} != {Slot(0), Slot(1)} or any(isinstance(b, Slot) for b in batch) or e is None:
        return None
    if e.reduce is not None or len(e.axes) != len(operand.indices):
        return None
    *before, i, j = e.axes
    for bracket in (Bracket(sympy.Eq(i, j)), Bracket(sympy.Eq(j, i))):
        rest = e.body.xreplace({bracket: S.One})
        if e.body.xreplace({bracket: S.Zero}) == 0 and not rest.has(Bracket):
            places = dict(zip(before, batch, strict=True))
            return lambda place: substitute(rest, {**places, i: place, j: place})
    return None
