"""``1 - u_i^2 / |u|^2`` where one entry is nearly all of a norm: by the squares of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import sympy
from sympy import Add, Expr, Mul, S

from ...calculus.differentiate import new_name
from ...ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Step,
    Tensor,
    Where,
    indices_of,
    substitute,
)
from ...ir.recurrences import in_order
from ...ops.elementwise.piecewise import Absolute
from .rewriter import size_of
from .scales import SCALED, Norm, directed
from .view import SCALE, View

MOST, WIDEST = 8, 150
"""Terms of a sum in which the pair is looked for, and nodes of a body that is written out."""


def by_rest(program: Program, norms: list[Norm]) -> Program:
    """Entries on a diagonal in which a norm's square and one entry's cancel, by the sum of the other squares."""
    view = View(program)
    totals = {e.step.of: e for e in program.equations if e.step.rule == SCALED}
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    new: dict[str, list[Equation]] = {}

    def rest_of(n: Norm) -> Tensor:
        if n.name not in new:
            new[n.name] = _rest(n, totals[n.name], taken)
        return new[n.name][-1].target

    def on_diagonal(whole: Expr) -> Expr | None:
        for s, t in permutations(whole.args, 2) if whole.is_Add and len(whole.args) <= MOST else ():
            ratio = -t / s
            for n in norms:
                for total, u in _parts(ratio, n, totals):
                    if ratio * total == u**n.power:
                        left = Where(
                            sympy.Eq(Absolute(u), 1), Read(rest_of(n), total.indices), total - u**n.power
                        )
                        return s * left / total + Add(*(x for x in whole.args if x not in (s, t)))
        return None

    equations = []
    for e in program.equations:
        if not isinstance(e.body, Entry) and e.step.rule != SCALE and e.body.has(Bracket):
            body = directed(view.expanded(e.body), norms)
            found = _split(body, on_diagonal) if size_of(body) <= WIDEST else None
            if found is not None:
                e = replace(e, body=found)
        equations.append(e)
    if not new:
        return program
    return replace(program, equations=in_order((*equations, *(e for some in new.values() for e in some))))


def _parts(ratio: Expr, n: Norm, totals: dict[str, Equation]) -> Iterator[tuple[Read, Read]]:
    """The scaled sum of a norm and a scaled entry in a quotient of the two."""
    if n.name not in totals:
        return
    powers = ratio.as_powers_dict()
    for total in powers:
        if isinstance(total, Read) and total.tensor == totals[n.name].target and powers[total] == -1:
            for u in powers:
                if isinstance(u, Read) and u.tensor == n.scaled and powers[u] == n.power:
                    yield total, u


def _split(e: Expr, on_diagonal: Any) -> Expr | None:
    """``[i = j] a + b`` as a choice between what is on the diagonal, if that can be written better, and b."""
    wide = sympy.expand(e)
    deltas = {f for t in Add.make_args(wide) for f in Mul.make_args(t) if isinstance(f, Bracket)}
    for delta in sorted((d for d in deltas if isinstance(d.condition, sympy.Eq)), key=str):
        i, j = delta.condition.args
        if not (isinstance(i, Index) and isinstance(j, Index)):
            continue
        on = [t / delta for t in Add.make_args(wide) if delta in Mul.make_args(t)]
        off = [t for t in Add.make_args(wide) if delta not in Mul.make_args(t)]
        whole = Add(*(substitute(t, {i: j}) for t in (*on, *off)))
        better = on_diagonal(whole) if j in indices_of(whole) else None
        if better is not None:
            return Where(delta.condition, better, Add(*off))
    return None


def _rest(n: Norm, total: Equation, taken: dict[str, int]) -> list[Equation]:
    """The scaled sum minus 1: the sum without its largest entries, which are 1 each and are counted."""
    e = n.equation
    u = Read(n.scaled, n.axes)
    largest = sympy.Eq(Absolute(u), 1)
    step = Step(SCALE, of=n.name)
    names = (f"{n.name}_{word}" for word in ("others", "count", "rest"))
    others, count, rest = (
        Tensor(new_name(name, taken), total.target.shape, facts=total.target.facts) for name in names
    )
    return [
        Equation(others, e.axes, Where(largest, S.Zero, u**n.power), "sum", e.bound, step),
        Equation(count, e.axes, Bracket(largest), "sum", e.bound, step),
        Equation(rest, e.axes, _but_one(others[e.axes], count[e.axes]), step=step),
    ]


def _but_one(others: Expr, count: Expr) -> Expr:
    """What others and all but one of those that are 1 add up to: no 1 is added that is subtracted again."""
    return Where(sympy.Gt(count, 1), others + count - 1, others)
