"""Proof by generalising: what both sides share is replaced by arrays about which nothing is known but their facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...ir.nodes import Program
from ...ir.recurrences import members
from ...rewrite.measure import prune

LEVELS = 4


def generalised(program: Program) -> Iterator[Program]:
    """The program with two outputs with shared arrays as inputs, from the most general to one that knows a bit more.

    If its outputs are equal, so are those of `program`: they are its special case. Of the shared arrays that the rest reads,
    those stay defined that the others determine (``u = sum(C^2)`` beside C); each step gives the others their definitions
    back, as ``A = tanh(Z)``, which a derivative of it needs.
    """
    definitions = program.definitions
    left, right = (_ancestors(program, t.name) for t in program.outputs)
    shared = (left & right) - {t.name for t in program.outputs}
    if not shared or shared & members(program.equations):
        return
    given = {t.name for t in program.inputs}
    told: set[str] = set()
    for _ in range(LEVELS):
        kept = [e for e in program.equations if e.target.name not in shared or e.target.name in told]
        cut = {r.tensor.name for e in kept for r in e.reads} & shared - told
        if not cut:
            return
        for e in program.equations:
            if e.target.name in cut and {r.tensor.name for r in e.reads} <= cut | told | given:
                told.add(e.target.name)
        free = [e.target for e in program.equations if e.target.name in cut - told]
        if not free:
            continue
        kept = [e for e in program.equations if e.target.name not in shared or e.target.name in told]
        yield prune(replace(program, inputs=(*program.inputs, *free), equations=tuple(kept)))
        told |= {t.name for t in free if t.name in definitions}


def _ancestors(program: Program, name: str) -> set[str]:
    """All defined arrays that one of them is computed from, and itself."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        n = waiting.pop()
        if n in program.definitions and n not in found:
            found.add(n)
            waiting += [r.tensor.name for r in program.definitions[n].reads]
    return found
