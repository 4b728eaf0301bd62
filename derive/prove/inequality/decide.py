"""From an inequality to its verdict: a search for a counterexample, a proof for all sizes, then tests in balls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import flint
import numpy as np

from ...deadline import OutOfTime, within
from ...errors import DeriveError, UnsupportedOp
from ...ir.evaluate import evaluate
from ...ir.nodes import NAMES, Index, Program, Read, reads_of
from ...ir.numbers import RATIONAL
from ...verify.sample import fractions, plan_sizes, sample_inputs
from ..forms.polynomial import Polynomial, TooLarge
from ..points.counterexample import violated
from ..points.fields import BALL
from ..verdict import Counterexample, Verdict
from .domain import arguments_of_logarithms, within_domain
from .forms import Forms
from .goal import Goal, Proof
from .prove import nonnegative
from .search import counterexample

RANGES = ((-1.0, 1.0), (-0.05, 0.05), (-8.0, 8.0), (-40.0, 40.0))
TRIALS = 4
"""Ranges of the entries of test points, and how many choices of sizes for each."""
SECONDS = 10.0
"""For a proof; those that are found take a second or two. A long search for a counterexample gets half of it."""


def decide_inequality(program: Program, relation: str, claim: str) -> Verdict:
    """The verdict on ``left <= right``, or with <, >=, >, between the two outputs of a program."""
    if (found := counterexample(program, relation, sizes=4, draws=10)) is not None:
        return Verdict(claim, "REFUTED", evidence=found.evidence, counterexample=found)
    if (proof := proved_inequality(program, relation)) is not None:
        return Verdict(claim, "PROVED", "all sizes", str(proof))
    if (found := longer_search(program, relation)) is not None:
        return Verdict(claim, "REFUTED", evidence=found.evidence, counterexample=found)
    return tested(program, relation, claim)


def longer_search(program: Program, relation: str) -> Counterexample | None:
    """A counterexample among many points, as far as the time allows."""
    try:
        with within(SECONDS / 2):
            return counterexample(program, relation, sizes=40, draws=32)
    except OutOfTime:
        return None


def proved_inequality(program: Program, relation: str, patient: bool = True) -> Proof | None:
    """A proof for all sizes, or None; `patient` as for `nonnegative`."""
    try:
        with within(SECONDS):
            goal, said = _goal(program, relation)
            proof = nonnegative(goal, patient)
    except (TooLarge, DeriveError, OutOfTime):
        return None
    return proof.after(*said) if proof else None


def holds(relation: str, program: Program) -> bool:
    """Whether the inequality is proved, after a look at a few points that is quick where it is false."""
    if counterexample(program, relation, sizes=3, draws=3) is not None:
        return False
    return proved_inequality(program, relation, patient=False) is not None


def _goal(program: Program, relation: str) -> tuple[Goal, tuple[str, ...]]:
    _, (left, right), goal, said = prepared(program)
    difference: Polynomial = right - left if relation in ("<", "<=") else left - right
    return replace(goal, form=difference, strict=relation in ("<", ">")), said


def prepared(program: Program) -> tuple[Program, tuple[Polynomial, ...], Goal, tuple[str, ...]]:
    """The outputs in canonical form under the facts that their being defined implies, and what these are."""
    said: list[str] = []
    while True:
        forms = Forms(program)
        axes = tuple(Index(NAMES[p], extent) for p, extent in enumerate(program.outputs[0].shape))
        sides = tuple(forms.entry(Read(t, axes)) for t in program.outputs)
        _check_inlined(program, sides)
        stronger, found = within_domain(program, sides)
        if not found:
            positive = arguments_of_logarithms(program, sides)
            return program, sides, Goal(Polynomial.number(0), False, forms, axes, positive=positive), tuple(said)
        program = stronger
        said.extend(found)


def _check_inlined(program: Program, sides: tuple[Polynomial, ...]) -> None:
    """Nothing is concluded from a form that still names what the program defines: it would be taken for an input.

    Raises:
        UnsupportedOp: a form reads a tensor that is no input.
    """
    inputs = {t.name for t in program.inputs}
    for read in (r for side in sides for r in reads_of(side.expression())):
        if read.tensor.name not in inputs:
            raise UnsupportedOp(f"{read.tensor.name} stands in a canonical form")


def tested(program: Program, relation: str, claim: str) -> Verdict:
    """The inequality at random rational points of the domain, in exact numbers or balls; or unknown."""
    rng = np.random.default_rng(17)
    points = entries = 0
    for values in RANGES:
        for sizes in plan_sizes(program, TRIALS):
            try:
                arrays = fractions(program, sample_inputs(program, sizes, rng, values))
            except (DeriveError, ArithmeticError, TypeError, ValueError):
                continue
            if arrays is None:
                continue
            if (found := violated(program, arrays, sizes, relation)) is not None:
                return Verdict(claim, "REFUTED", evidence=found.evidence, counterexample=found)
            surely = _surely_true(program, arrays, relation)
            points += surely > 0
            entries += surely
    if points < TRIALS:
        return Verdict(
            claim, "UNKNOWN", evidence=f"no counterexample, no proof, and only {points} points decide it"
        )
    return Verdict(
        claim, "TESTED", f"{points} points",
        f"{entries} entries at {points} random rational points of sizes up to 7, entries up to {RANGES[-1][1]:.0f}: "
        "all satisfy it, in exact numbers or disjoint balls; no proof was found",
    )  # fmt: skip


def _surely_true(program: Program, arrays: dict[str, Any], relation: str) -> int:
    """How many entries certainly satisfy the inequality; 0 if one of them is not decided."""
    for numbers in (RATIONAL, BALL):
        lift = np.frompyfunc(numbers.lift, 1, 1)
        try:
            lifted = {
                n: np.asarray(lift(x), dtype=object) if np.asarray(x).dtype == object else x
                for n, x in arrays.items()
            }
            with np.errstate(all="ignore"):
                values = evaluate(program, lifted, numbers)
        except (DeriveError, ArithmeticError, TypeError, ValueError):
            continue
        left, right = (np.asarray(values[t.name]) for t in program.outputs)
        pairs = list(zip(left.flat, right.flat, strict=True))
        return len(pairs) if all(_holds(a, b, relation) for a, b in pairs) else 0
    return 0


def _holds(a: Any, b: Any, relation: str) -> bool:
    if isinstance(a, flint.arb) or isinstance(b, flint.arb):
        a, b = flint.arb(a), flint.arb(b)
    low, high = (a, b) if relation in ("<", "<=") else (b, a)
    return bool(low < high) if relation in ("<", ">") else bool(low <= high)
