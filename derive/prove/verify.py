"""`verify`: a claim as text, or two functions, to a verdict; what would make a false one true, and what holds instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ..deadline import OutOfTime, within
from ..errors import NoClosedForm, ShapeError, SidesDiffer, UnknownName
from ..frontends.claim import Claim, in_one_line, understand_claim
from ..frontends.layouts import Layout
from ..ir.facts import IMPLIES, Spec, axes_as_declared
from ..ir.nodes import Program, Tensor
from ..ir.tensors import merge, with_tensors
from ..rewrite.measure import prune
from ..verify.sample import needs_of
from .conditions.layouts import other_layouts
from .conditions.search import conditions
from .corrected import corrected, is_derivative
from .inequality.convexity import decide_convexity
from .inequality.decide import holds
from .ladder import SECONDS, decide, decide_within
from .points.second_opinion import NotSurvived, checking
from .verdict import Verdict

ARRANGED = ("grad(", "jacobian(", "ravel", "flatten")
"""Words of claims that other layouts read in another way."""

Understand = Callable[[Mapping[str, Spec]], Claim]
"""A claim read once more, with other declarations of its variables."""


@dataclass(frozen=True)
class Notation:
    """How texts in the notation of a claim are read again, where that can be done.

    claim: another claim about the same variables.
    rearranged: the same claim with derivatives in another layout.
    """

    claim: Callable[[str, Mapping[str, Spec]], Claim]
    rearranged: Callable[[Mapping[str, Spec], Layout], Claim]


def verify_text(
    text: str, specs: Mapping[str, Spec], seconds: float | None = SECONDS, explained: bool = True
) -> Verdict:
    """The verdict on a relation between two formulas.

    Args:
        text: the claim.
        specs: shapes and facts of its variables.
        seconds: of processor time; what is not decided by then is UNKNOWN; None for no limit.
        explained: whether a refuted claim is to say what would make it true, and what holds in its place.

    Raises:
        ParseError: the text is no claim, or its sides do not fit.
    """
    notation = Notation(understand_claim, partial(understand_claim, text))
    try:
        return verify_claim(partial(understand_claim, text), specs, in_one_line(text), notation, seconds, explained)
    except NoClosedForm as error:
        reason, *_ = str(error).splitlines()
        words = {name: s.words() for name, s in specs.items()}
        return Verdict(in_one_line(text), "UNKNOWN", evidence=reason, variables=words)


def verify_claim(
    understand: Understand,
    specs: Mapping[str, Spec],
    shown: str = "",
    notation: Notation | None = None,
    seconds: float | None = SECONDS,
    explained: bool = True,
) -> Verdict:
    """The verdict on a claim, however it was written.

    Args:
        understand: reads the claim under declarations.
        specs: the declarations.
        shown: how the verdict names the claim, if not as it is written.
        notation: how other texts are read, so that a correction can be written, and other layouts tried.
        seconds: of processor time; what is not decided by then is UNKNOWN; None for no limit.
        explained: as for `verify_text`.

    Raises:
        ParseError: the claim cannot be read, or its sides do not fit in any layout.
    """
    start = time.thread_time()
    claim = None
    try:
        with within(seconds):
            try:
                claim = understand(specs)
            except SidesDiffer as error:
                return _of_other_shapes(error, shown, specs, notation)
            with checking(claim.guards):
                verdict = _decided(claim, shown or str(claim))
    except NotSurvived as error:
        verdict = Verdict(shown or str(claim or ""), "UNKNOWN", evidence=str(error))
    except OutOfTime:
        reason = f"the time limit of {seconds:g} s has passed"
        verdict = Verdict(shown or str(claim or ""), "UNKNOWN", "time limit", reason)
    if claim is None:
        return replace(verdict, variables={n: declared(s.tensor(n)) for n, s in specs.items()})
    program = claim.understood.program
    variables = {t.name: declared(t) for t in program.inputs}
    variables |= {name: s.words() for name, s in claim.random.items()}
    verdict = replace(verdict, understood=_note(claim), variables=variables)
    if not explained or verdict.status != "REFUTED" or claim.wrt or claim.relation == "!=":
        return verdict
    try:
        with within(None if seconds is None else max(seconds - (time.thread_time() - start), 1.0)):
            return _explained(verdict, claim, program, notation)
    except OutOfTime:
        return verdict


def _decided(claim: Claim, shown: str) -> Verdict:
    program = claim.understood.program
    if claim.wrt:
        return decide_convexity(program, claim.relation, claim.wrt, shown)
    return decide(program, claim.relation, shown)


def _explained(verdict: Verdict, claim: Claim, program: Program, notation: Notation | None) -> Verdict:
    """A refutation with what would make the claim true, and what holds in its place."""
    if claim.relation != "==":
        with within(SECONDS / 8):
            return replace(verdict, holds_when=conditions(program, partial(holds, claim.relation)))
    known = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.inputs} | dict(claim.random)
    again = None if notation is None else lambda text: notation.claim(text, known)
    arranged = any(word in str(claim) for word in ARRANGED)
    layouts = other_layouts(partial(notation.rearranged, known)) if notation is not None and arranged else ()
    verdict = replace(verdict, corrected=corrected(claim, program, again))
    return replace(verdict, holds_when=(*layouts, *conditions(program)))


def _of_other_shapes(
    error: SidesDiffer, shown: str, specs: Mapping[str, Spec], notation: Notation | None
) -> Verdict:
    """The verdict on sides of different shapes, if they agree in another layout; else the error."""
    layouts = () if notation is None else other_layouts(partial(notation.rearranged, specs))
    if not layouts:
        raise error
    reason = str(error).partition("\n")[0]
    variables = {name: declared(s.tensor(name)) for name, s in specs.items()}
    return Verdict(
        shown,
        "REFUTED",
        evidence=f"the sides have different shapes: {reason}",
        holds_when=layouts,
        variables=variables,
    )


def _note(claim: Claim) -> str:
    """What was taken for granted."""
    understood = claim.understood
    notes = [str(understood)] if understood.guessed else list(understood.notes)
    if claim.turned:
        one = "one side is a row, the other a column"
        if any(map(is_derivative, claim.sides)):
            one += " (numerator and denominator layout)"
        notes.append(f"{one}: they are compared entry by entry")
    notes += _taken_for_granted(understood.program)
    return "; ".join(notes)


def _taken_for_granted(program: Program) -> Iterator[str]:
    """The facts without which a function of an input has no value, where they are not declared."""
    known = {t.name: t.facts for t in program.inputs}
    for name, needed in needs_of(program).items():
        missing = {fact for fact in needed - known[name] if not any(fact in IMPLIES[other] for other in needed)}
        if missing - {"invertible"}:
            yield f"{name} is taken to be {' and '.join(sorted(missing))}: a function of it has no value otherwise"


def declared(t: Tensor) -> str:
    """The declaration of an input in words, as `derive.verify` reads it."""
    kind = {
        "real": [],
        "boolean": ["boolean"],
        "integer": [f"integer < {t.bound}" if t.bound is not None else "integer"],
    }
    return ", ".join([axes_as_declared(t.shape), *kind[t.kind], *sorted(t.facts)])


def verify_programs(
    left: Program, right: Program, claim: str, seconds: float | None = SECONDS
) -> list[Verdict]:
    """One verdict for each pair of outputs of two programs over the same inputs; `seconds` are for each.

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
        about = f"{claim}: {a.name}" if count > 1 else claim
        verdicts.append(decide_within(prune(replace(both, outputs=(a, b))), "==", about, seconds))
    return verdicts


def _axes(t: Tensor) -> str:
    return f"[{', '.join(map(str, t.shape))}]"
