"""Whether a loss is convex in its raw outputs: for all observations at once, or for each of the two that there are."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, S

from ..ir.nodes import Program, Read, substitute
from ..prove.inequality.convexity import decide_convexity
from ..prove.verdict import Verdict

DECIDED = ("PROVED", "REFUTED")


def convexity(loss: Program, raws: tuple[str, ...], variable: str, claim: str) -> Verdict:
    """The verdict on the claim that the loss of one example is convex in its raw outputs together.

    Args:
        loss: a program with one number as output; variable: the input that is observed.
    """
    whole = decide_convexity(loss, "convex", raws, claim)
    observed = next(t for t in loss.inputs if t.name == variable)
    if whole.status in DECIDED or "binary" not in observed.facts:
        return whole
    found = [decide_convexity(_at(loss, variable, v), "convex", raws, claim) for v in (S.Zero, S.One)]
    refuted = [v for v in found if v.status == "REFUTED"]
    if refuted:
        return refuted[0]
    if any(v.status != "PROVED" for v in found):
        return whole
    lines = [f"for {variable} = {k}: {line}" for k, v in enumerate(found) for line in v.evidence.splitlines()]
    return replace(found[0], evidence="\n".join(lines))


def _at(program: Program, variable: str, value: Expr) -> Program:
    """The program with a number for one of its inputs."""
    equations = []
    for e in program.equations:
        reads: dict[Expr, Expr] = {
            r: value for r in e.reads if isinstance(r, Read) and r.tensor.name == variable
        }
        equations.append(replace(e, body=substitute(e.body, reads)))
    return replace(
        program, inputs=tuple(t for t in program.inputs if t.name != variable), equations=tuple(equations)
    )
