"""`verify`: a claim as text, or two functions, to a verdict; what would make a false one true, and what holds instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import sympy

from ..errors import ShapeError, UnknownName
from ..frontends.claim import Claim, understand_claim
from ..ir.facts import Spec
from ..ir.nodes import Equation, Program, Tensor, fresh_indices
from ..ir.tensors import merge, with_tensors
from ..rewrite.measure import prune
from .conditions import conditions
from .corrected import corrected
from .ladder import decide, proved
from .verdict import Verdict

Understand = Callable[[Mapping[str, Spec]], Claim]
"""A claim read once more, with other declarations of its variables."""

def verify_text(text: str, specs: Mapping[str, Spec]) -> Verdict:
    """The verdict on a relation between two formulas.

    Raises:
        ParseError: the text is no claim, or its sides do not fit.
    """
    return verify_claim(partial(understand_claim, text), specs, reread=understand_claim)


def verify_claim(
    understand: Understand,
    specs: Mapping[str, Spec],
    shown: str = "",
    reread: Callable[[str, Mapping[str, Spec]], Claim] | None = None,
) -> Verdict:
    """The verdict on a claim, however it was written.

    Args:
        understand: reads the claim under declarations.
        specs: the declarations.
        shown: how the verdict names the claim, if not as it is written.
        reread: reads other texts in the notation of the claim, so that a correction can be written in it.

    Raises:
        ParseError: the claim cannot be read, or its sides do not fit.
    """
    claim = understand(specs)
    program = claim.understood.program
    verdict = decide(program, claim.relation, shown or str(claim))
    shapes = {t.name: _declared(t.shape, t.facts) for t in program.inputs}
    note = str(claim.understood) if claim.understood.guessed else ""
    if claim.turned:
        note = "; ".join(
            filter(None, [note, "one side is a row, the other a column: they are compared entry by entry"])
        )
    verdict = replace(verdict, understood=note, variables=shapes)
    if verdict.status != "REFUTED" or claim.relation != "==":
        return verdict
    known = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.inputs}
    again = None if reread is None else lambda text: reread(text, known)
    return replace(verdict, holds_when=tuple(_conditions(program)), corrected=corrected(claim, program, again))


def verify_programs(left: Program, right: Program, claim: str) -> list[Verdict]:
    """One verdict for each pair of outputs of two programs over the same inputs.

    Raises:
        UnknownName: the inputs have other names. ShapeError: shapes differ.
    """
    known = {t.name: t for t in left.inputs}
    if known.keys() != {t.name for t in right.inputs}:
        theirs = ", ".join(t.name for t in right.inputs)
        raise UnknownName(f"both functions need the same inputs; found {', '.join(known)} and {theirs}")
    for t in right.inputs:
        if known[t.name].shape != t.shape:
            raise ShapeError(
                f"{t.name} has the shape {known[t.name].shape} in one function and {t.shape} in the other"
            )
    if len(left.outputs) != len(right.outputs):
        raise ShapeError(f"one function returns {len(left.outputs)} arrays, the other {len(right.outputs)}")
    right = with_tensors(right, {t: known[t.name] for t in right.inputs})
    both = merge([left, right])
    count = len(left.outputs)
    verdicts = []
    for a, b in zip(both.outputs[:count], both.outputs[count:], strict=True):
        if a.shape != b.shape:
            raise ShapeError(f"{a.name} has the shape {_axes(a)}, what it is compared with {_axes(b)}")
        verdicts.append(
            decide(prune(replace(both, outputs=(a, b))), "==", f"{claim}: {a.name}" if count > 1 else claim)
        )
    return verdicts


def _axes(t: Tensor) -> str:
    return f"[{', '.join(map(str, t.shape))}]"


def _declared(shape: tuple[sympy.Expr, ...], facts: frozenset[str]) -> str:
    return ", ".join([" ".join(map(str, shape)), *sorted(facts)])


def _conditions(program: Program) -> Iterator[str]:
    """Conditions under which the claim is proved, after the other layout if it holds in that."""
    left, right = program.outputs
    if left.rank == 2 and left.shape == right.shape and _holds_transposed(program):
        yield "one side is transposed: it is the same derivative in the other layout"
    yield from conditions(program)


def _holds_transposed(program: Program) -> bool:
    left, right = program.outputs
    if right.shape[0] != right.shape[1]:
        return False
    i, j = fresh_indices(right.shape)
    turned = Tensor(f"{right.name}_turned", right.shape)
    equations = (*program.equations, Equation(turned, (i, j), right[j, i]))
    return bool(proved(replace(program, equations=equations, outputs=(left, turned))))
