"""From a claim to its verdict: proof for all sizes, then a search for a counterexample, then tests by numbers."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import sympy

from ..deadline import OutOfTime, check_time, within
from ..errors import DeriveError, DomainError
from ..frontends.claim import Guards
from ..ir.evaluate import evaluate
from ..ir.nodes import Program
from ..ir.numbers import NotExact
from ..rewrite.derived import simplified
from ..verify.sample import plan_sizes, sample_inputs
from .forms.cuts import generalised
from .forms.entries import equal_entries
from .forms.equal import equal_outputs
from .inequality.decide import decide_inequality
from .points.anywhere import REAL, differ, is_real, lifted
from .points.counterexample import smallest_counterexample
from .points.fields import FIELD, PRIME, Residue
from .points.floats import may_agree
from .points.gaps import gaping, smallest_gap, total_on
from .points.second_opinion import NotSurvived, checking
from .verdict import SMALL, Counterexample, Verdict

WHERE = ", wherever both sides are defined"
"""The convention of every proof, said where one of the sides is not defined everywhere; where just one of them is, but for a
boundary, there is a gap."""
SECONDS = 20.0
"""Of processor time, for one claim: what is not decided by then is unknown."""
DIGITS = 40
TRIALS = 4


def decide(program: Program, relation: str, claim: str) -> Verdict:
    """The verdict on a relation between the two outputs of a program."""
    if relation == "==":
        return _decide_equality(program, claim)
    if relation != "!=":
        return decide_inequality(program, relation, claim)
    if (found := smallest_counterexample(program, relation)) is not None:
        return _refuted(claim, found)
    return Verdict(claim, "UNKNOWN", evidence="no counterexample in small integers; that two sides differ is not proved")


def decide_within(
    program: Program, relation: str, claim: str, seconds: float | None, guards: Guards | None = None
) -> Verdict:
    """As `decide`, in a limited processor time, and no refutation by a derivative that differences do not confirm."""
    try:
        with within(seconds), checking(guards):
            return decide(program, relation, claim)
    except NotSurvived as error:
        return Verdict(claim, "UNKNOWN", evidence=str(error))
    except OutOfTime:
        return Verdict(claim, "UNKNOWN", "time limit", f"the time limit of {seconds:g} s has passed")


def _decide_equality(program: Program, claim: str) -> Verdict:
    if not may_agree(program) and (found := smallest_counterexample(program, "==", screened=True)) is not None:
        return _refuted(claim, found)
    by, gap = proved(program), gaping(program)
    if by and not gap:
        return Verdict(claim, "PROVED", "all sizes", by + ("" if total_on(program) else WHERE))
    if (found := smallest_counterexample(program, "==")) is not None:
        return _refuted(claim, found)
    if gap:
        if (found := smallest_gap(program)) is not None:
            return _refuted(claim, found)
        what = "one side has no value at points where the other has one, but at none with small numbers that shows it"
        return Verdict(claim, "UNKNOWN", evidence=what)
    if differ(program):
        what = "both sides differ at random points, but at none with small integers that shows it beyond doubt"
        return Verdict(claim, "UNKNOWN", evidence=what)
    for test in (by_entries, by_residues, by_digits):
        if (verdict := test(program, claim)) is not None:
            return verdict
    what = "no canonical form decides it, and no point was found where it can be tested"
    return Verdict(claim, "UNKNOWN", evidence=what)


def _refuted(claim: str, found: Counterexample) -> Verdict:
    return Verdict(claim, "REFUTED", evidence=found.evidence, counterexample=found)


def proved_everywhere(program: Program) -> str:
    """How it is proved that both outputs are equal, and have values at the same points; empty if it is not."""
    by = proved(program)
    return "" if by and gaping(program) else by


def proved(program: Program) -> str:
    """How it is proved that both outputs are equal for all sizes; empty if it is not."""
    for general in generalised(program):
        if _equal(general):
            return "equal canonical forms, whatever the arrays are that both sides share"
    for prepared, how in (
        (program, "equal canonical forms"),
        (_simplified(program), "equal after cancellation"),
    ):
        if prepared is not None and _equal(prepared):
            return how
    return ""


def _equal(program: Program) -> bool:
    """Whether the canonical forms are equal; what nests without end is not decided."""
    check_time()
    left, right = (replace(program, outputs=(t,)) for t in program.outputs)
    try:
        return bool(equal_outputs(left, right))
    except RecursionError:
        return False


def _simplified(program: Program) -> Program | None:
    try:
        found = simplified(program)
    except DeriveError:
        return None
    return found if len(found.outputs) == len(program.outputs) else None


def by_entries(program: Program, claim: str) -> Verdict | None:
    """Equality of every entry at small sizes; where there are no sizes, that is all there is to prove."""
    found = equal_entries(program)
    if found is None:
        return None
    level = f"{SMALL} {found.largest}" if found.largest else "all sizes"
    return Verdict(claim, "PROVED", level, str(found))


def by_residues(program: Program, claim: str) -> Verdict | None:
    """Equality in a prime field at random points: a rational identity, but for a stated probability.

    Source: Schwartz (1980), Zippel (1979).
    """
    rng = np.random.default_rng(11)
    compared = 0
    constrained = any(t.facts - {"invertible", "positive", "nonnegative"} for t in program.inputs)
    if constrained or any(t.kind != "real" for t in program.inputs):
        return None
    for sizes in plan_sizes(program, TRIALS):
        try:
            arrays = {}
            for t in program.inputs:
                shape = [int(e.xreplace({s: sympy.Integer(n) for s, n in sizes.items()})) for e in t.shape]
                made = np.empty(shape, dtype=object)
                for place in np.ndindex(*shape):
                    made[place] = Residue(int(rng.integers(0, PRIME)))
                arrays[t.name] = made
            values = evaluate(program, arrays, FIELD)
        except (NotExact, DeriveError, ArithmeticError, TypeError, ValueError):
            return None
        left, right = (np.asarray(values[t.name]) for t in program.outputs)
        if not all(a == b for a, b in zip(left.flat, right.flat, strict=True)):
            return None
        compared += left.size
    return Verdict(
        claim, "TESTED", f"a false identity of degree d passes with probability at most d / {PRIME:.1e} at a size",
        f"{compared} entries agree in the field of {PRIME} elements, at one random point of each of {TRIALS} sizes",
    )  # fmt: skip


def by_digits(program: Program, claim: str) -> Verdict | None:
    """Agreement to many digits at random points of the domain."""
    rng = np.random.default_rng(12)
    worst, compared = mpmath.mpf(0), 0
    with mpmath.workdps(DIGITS + 15):
        for sizes in plan_sizes(program, TRIALS):
            try:
                arrays = sample_inputs(program, sizes, rng)
                values = evaluate(program, lifted(program, arrays), REAL)
                left, right = (np.asarray(values[t.name]) for t in program.outputs)
                for a, b in zip(left.flat, right.flat, strict=True):
                    if not (is_real(a) and is_real(b)):
                        return None
                    worst = max(worst, abs(a - b) / max(1, abs(a), abs(b)))
                    compared += 1
            except DomainError:
                continue  # a singular matrix at these sizes
            except (DeriveError, ArithmeticError, TypeError, ValueError):
                return None
        if compared and worst < mpmath.mpf(10) ** -DIGITS:
            return Verdict(
                claim,
                "TESTED",
                f"{DIGITS} digits",
                f"{compared} entries at {TRIALS} random points agree to {DIGITS} digits",
            )
    return None
