"""Whether a saved verdict is right: its counterexample is computed anew, exactly, and its proof is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import DeriveError, VerdictError
from ..frontends.claim import understand_claim
from ..ir.facts import spec
from ..ir.nodes import Program, size
from ..ir.sizes import solve_sizes
from .points.counterexample import violated
from .points.exact_facts import have_facts
from .points.gaps import NO_VALUE, gap_at
from .points.second_opinion import NotSurvived, checking
from .verdict import Counterexample, Verdict
from .verify import verify_text


@dataclass(frozen=True)
class Recheck:
    """What became of a saved verdict.

    recorded: the verdict as it was saved.
    findings: what was looked at, each with whether it was confirmed, and in words.
    """

    recorded: Verdict
    findings: tuple[tuple[bool, str], ...]

    @property
    def confirmed(self) -> bool:
        """Whether all of it was found again; what is UNKNOWN is never confirmed."""
        return self.recorded.status != "UNKNOWN" and all(right for right, _ in self.findings)

    def __bool__(self) -> NoReturn:
        raise TypeError("a check of a verdict is no truth value: look at .confirmed")

    def __str__(self) -> str:
        word = "confirmed" if self.confirmed else "NOT CONFIRMED"
        lines = [f"{word}: {self.recorded.status}: {self.recorded.claim}"]
        return "\n".join(lines + [f"  {'✓' if right else '✗'} {what}" for right, what in self.findings])


def recheck(source: str | Path) -> Recheck:
    """Check a saved verdict: the text of `Verdict.to_json`, or a file of it.

    Raises:
        VerdictError: no such file, no verdict, or one on something else than a claim in text.
        ParseError: its claim cannot be read.
    """
    recorded = Verdict.from_json(source)
    if recorded.variables is None:
        raise VerdictError(
            "this verdict is about functions, which are not saved with it; try: verify them again"
        )
    specs = {name: spec(shape) for name, shape in recorded.variables.items()}
    if recorded.counterexample is not None:
        claim = understand_claim(recorded.claim, specs)
        with checking(claim.guards):
            again = _at_the_same_point(claim.understood.program, claim.relation, recorded.counterexample)
        if recorded.status != "REFUTED":
            again = (False, f"there is a counterexample, but the verdict says {recorded.status}")
        if not again[0]:
            return Recheck(recorded, (again,))
    else:
        again = None
    found = verify_text(recorded.claim, specs)
    findings = () if again is None else (again,)
    return Recheck(recorded, (*findings, *_compared(recorded, found)))


def _compared(recorded: Verdict, found: Verdict) -> Iterator[tuple[bool, str]]:
    """What a new run says about each part."""
    enough = {"PROVED": ("PROVED",), "TESTED": ("PROVED", "TESTED"), "REFUTED": ("REFUTED",), "UNKNOWN": ()}
    level = f" ({found.level})" if found.level else ""
    yield found.status in enough[recorded.status], f"the claim is {found.status}{level} now: {found.evidence}"
    if recorded.status == "PROVED":
        yield (
            recorded.level == found.level,
            f"proved for {found.level or 'nothing'}; recorded: {recorded.level or 'nothing'}",
        )
    for condition in recorded.holds_when:
        yield condition in found.holds_when, f"holds when {condition}"
    if recorded.corrected:
        yield recorded.corrected == found.corrected, f"what holds: {recorded.corrected}"


def _at_the_same_point(program: Program, relation: str, recorded: Counterexample) -> tuple[bool, str]:
    """Whether both sides have the recorded values at the recorded arrays, and the relation is false there."""
    try:
        arrays = _arrays(program, recorded)
        sizes = {size(name): n for name, n in recorded.sizes.items()}
        if dict(solve_sizes(program, arrays)) != sizes:
            return False, "the counterexample: its arrays do not have the recorded sizes"
        gap = NO_VALUE in (recorded.left, recorded.right) and relation == "=="
        found = gap_at(program, arrays, sizes) if gap else violated(program, arrays, sizes, relation)
    except (DeriveError, NotSurvived) as error:
        return False, f"the counterexample: {error}"
    if found is None:
        return False, "the counterexample: the claim is not false at these arrays"
    now = f"left {found.left}, right {found.right}" + (
        f" at entry {list(found.place)}" if found.place else ""
    )
    same = (found.place, found.left, found.right) == (recorded.place, recorded.left, recorded.right)
    return same, f"the counterexample: {now} ({found.evidence})" + (
        "" if same else "; other values were recorded"
    )


def _arrays(program: Program, recorded: Counterexample) -> dict[str, Any]:
    """The recorded arrays, in exact numbers, if they are in the domain of the claim."""
    names = {t.name for t in program.inputs}
    if names != recorded.arrays.keys():
        raise VerdictError(
            f"arrays for {', '.join(sorted(recorded.arrays))}; the claim has {', '.join(sorted(names))}"
        )
    found = {}
    for t in program.inputs:
        exact = t.kind == "real"
        try:
            array = np.array(recorded.arrays[t.name], dtype=object if exact else None)
        except ValueError:
            raise VerdictError(f"the rows of {t.name} have different lengths") from None
        if exact and any(isinstance(entry, list) for entry in array.flat):
            raise VerdictError(f"the rows of {t.name} have different lengths")
        if array.ndim != t.rank:
            raise VerdictError(f"{t.name} has {array.ndim} axes, and should have {t.rank}")
        array = np.asarray(np.frompyfunc(_fraction, 1, 1)(array), dtype=object) if exact else array
        if exact and not have_facts(array, t.facts):
            raise VerdictError(f"{t.name} is not {' and '.join(sorted(t.facts))}")
        found[t.name] = array
    return found


def _fraction(value: Any) -> Fraction:
    try:
        return Fraction(value)
    except (ValueError, TypeError, ZeroDivisionError):
        raise VerdictError(f"{str(value)[:80]!r} is no fraction") from None
