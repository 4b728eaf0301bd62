"""A scalar expression as a line of text, as derivations print it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr

from ..errors import DeriveError
from ..frontends.from_sympy import from_sympy as program_from_sympy
from ..function import Function
from ..ir.facts import Spec
from ..render.matrix import render_matrix
from ..texts import from_sympy


def spelled(e: Expr) -> str:
    """The right side of ``Y = ...``; in SymPy's spelling if it takes several lines or has no other."""
    try:
        lines = render_matrix(program_from_sympy(e, {}), width=10_000)
    except DeriveError:
        return str(e)
    return lines[0].partition(" = ")[2] if len(lines) == 1 else str(e)


def function_of(e: Expr, names: Sequence[str], facts: Mapping[str, frozenset[str]], title: str) -> Function:
    """A scalar expression as a function of those of the names that it depends on, in this order."""
    used = {s.name for s in e.free_symbols}
    found = from_sympy(e, **{name: Spec((), facts=facts.get(name, frozenset())) for name in used})
    inputs = sorted(found.program.inputs, key=lambda t: names.index(t.name))
    return replace(found, name=title, program=replace(found.program, inputs=tuple(inputs)), source="derived")
