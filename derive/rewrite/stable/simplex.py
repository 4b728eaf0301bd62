"""Divergences of points of a simplex: ``sum_i p[i] log(p[i] / q[i])`` by terms that are never negative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy
from sympy import Add, Expr, Mul, log

from ...ir.nodes import Bracket, Entry, Equation, Program, Read
from ...ops.elementwise.remainders import log1pmx
from ._rule import without
from .divergences import distance
from .known import Known
from .view import View


def divergences(program: Program, view: View, known: Known) -> Program:
    """The program with ``p log(p / q) - p + q`` in the place of ``p log(p / q)`` in sums over a simplex that both are on.

    What is added adds up to 0 as long as both are what they were declared to be; near p = q the sum has no large terms.
    """
    equations = []
    for e in program.equations:
        if e.reduce == "sum" and len(e.bound) == 1 and not isinstance(e.body, Entry) and not e.body.has(log1pmx):
            body = _body(view.expanded(e.body), e, known)
            e = e if body is None else replace(e, body=body)
        equations.append(e)
    return replace(program, equations=tuple(equations))


def _body(body: Expr, e: Equation, known: Known) -> Expr | None:
    found = next(_ratios(body, e), None)
    if found is None:
        return None
    c, p, q = found
    return c * distance(p, q, known)


def _ratios(body: Expr, e: Equation) -> Iterator[tuple[Expr, Read, Read]]:
    """The ways in which a body is ``c p (log p - log q)`` or ``c p log(p / q)``, c the same for all of the simplex."""
    factors = [f for f in Mul.make_args(body) if not isinstance(f, Bracket)]
    for f in factors:
        for p in factors:
            if not (isinstance(p, Read) and _on_simplex(p, e)):
                continue
            q = _other(f, p)
            if q is not None and _on_simplex(q, e):
                c = without(without(Mul(*factors), f), p)
                brackets = [b for b in Mul.make_args(body) if isinstance(b, Bracket)]
                if not c.has(e.bound[0]) and all(b in (Bracket(p > 0), Bracket(sympy.Ne(p, 0))) for b in brackets):
                    yield c, p, q


def _other(f: Expr, p: Read) -> Read | None:
    """q, if a factor is log(p) - log(q) or log(p / q)."""
    if isinstance(f, log):
        above, below = sympy.fraction(f.args[0])
        return below if above == p and isinstance(below, Read) else None
    rest = Add(*(-t for t in f.args if t != log(p))) if f.is_Add and log(p) in f.args else None
    return rest.args[0] if isinstance(rest, log) and isinstance(rest.args[0], Read) else None


def _on_simplex(read: Read, e: Equation) -> bool:
    """Whether a read runs along the simplex that its tensor was declared to be on, its last axis."""
    return "simplex" in read.tensor.facts and read.indices[-1] == e.bound[0] and e.bound[0] not in read.indices[:-1]
