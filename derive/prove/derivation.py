"""The verdict on a derivation: one for each step, the first line that does not follow, and what follows of the whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from typing import NoReturn

from ..errors import NoClosedForm, ParseError
from ..frontends.claim import understand_claim
from ..frontends.derivation import Derivation, understand_derivation
from ..frontends.derivation_text import Side
from ..frontends.formula_grammar import read_formula
from ..frontends.formula_text import Source
from ..ir.facts import Spec
from .verdict import Status, Verdict, jsonable, worst
from .verify import Notation, verify_claim

MARKS: dict[str, str] = {"PROVED": "✓", "TESTED": "≈", "UNKNOWN": "?", "REFUTED": "✗"}
UPWARD, DOWNWARD = {"<=", "<"}, {">=", ">"}


@dataclass(frozen=True)
class Step:
    """One line of a derivation and whether it follows from the one before.

    line: its number in the text; after: that of the line before; reason: what the text says of the step.
    """

    line: int
    after: int
    relation: str
    left: str
    right: str
    verdict: Verdict
    reason: str = ""

    @property
    def status(self) -> Status:
        return self.verdict.status


@dataclass(frozen=True)
class Chain:
    """Lines that are related one to the next, and the verdict on how the last is related to the first.

    whole: None where the signs do not add up to a relation, as for ``a <= b >= c``, or there is only one step.
    """

    steps: tuple[Step, ...]
    whole: Verdict | None = None


@dataclass(frozen=True)
class DerivationVerdict:
    """What is known of a derivation: its status is that of the step for which least is known.

    named: names that the text gives to values; variables: all others, with their shapes and facts.
    """

    text: str
    chains: tuple[Chain, ...]
    variables: Mapping[str, str]
    named: Mapping[str, str]
    understood: str = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for chain in self.chains for step in chain.steps)

    @property
    def status(self) -> Status:
        return worst([s.verdict for s in self.steps]).status

    @property
    def first_wrong(self) -> Step | None:
        """The first line that does not follow, its counterexample in its verdict."""
        return next((s for s in self.steps if s.status == "REFUTED"), None)

    @property
    def open(self) -> tuple[Step, ...]:
        """The steps of which nothing is known."""
        return tuple(s for s in self.steps if s.status == "UNKNOWN")

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a verdict is no truth value (this one is {self.status}): compare .status with 'PROVED', 'TESTED', 'REFUTED' "
            "or 'UNKNOWN'"
        )

    def __str__(self) -> str:
        lines = [self._headline()]
        width = max(len(str(s.line)) for s in self.steps)
        reach = min(80, max(len(_line(s)) for s in self.steps))
        for chain in self.chains:
            first = chain.steps[0]
            lines.append(f"    {first.after:>{width}}  {first.left}")
            for step in chain.steps:
                lines.append(
                    f"  {MARKS[step.status]} {step.line:>{width}}  {_line(step):<{reach}}   {_summary(step.verdict)}"
                )
                lines += (f"{'':{width + 9}}{text}" for text in _details(step))
            if chain.whole is not None:
                lines.append(f"    so {_summary(chain.whole)}: {chain.whole.claim}")
        if self.named:
            lines.append("  where " + ", ".join(f"{name} = {value}" for name, value in self.named.items()))
        if self.understood:
            lines.append(f"  {self.understood}")
        return "\n".join(lines)

    def _headline(self) -> str:
        count = len(self.steps)
        steps = f"{count} step{'s' if count > 1 else ''}"
        if self.first_wrong is not None:
            first, before = self.first_wrong.line, self.first_wrong.after
            return f"REFUTED: line {first} " + (
                "is wrong" if first == before else f"does not follow from line {before}"
            )
        if self.open:
            lines = ", ".join(str(s.line) for s in self.open)
            return f"UNKNOWN: nothing is known of {'line' if len(self.open) == 1 else 'lines'} {lines}"
        return f"{self.status}: {steps}"

    def to_json(self) -> str:
        """The verdict as text that can be kept; `verify_derivation` on its text and variables checks it again."""
        first = self.first_wrong
        found = {**asdict(self), "status": self.status, "first_wrong": None if first is None else first.line}
        return json.dumps(found, default=jsonable, indent=1)


def _summary(verdict: Verdict) -> str:
    return f"{verdict.status}{f' ({verdict.level})' if verdict.level else ''}"


def _line(step: Step) -> str:
    return f"{step.relation} {step.right}{f'   [{step.reason}]' if step.reason else ''}"


def _details(step: Step) -> list[str]:
    """Under a line that does not follow: where it fails, with the values of both lines, and what would be right."""
    verdict, found = step.verdict, step.verdict.counterexample
    lines = []
    if found is not None:
        where, _, _ = str(found.without(verdict.random)).rpartition("\n")
        at = f" at entry {list(found.place)}" if found.place else ""
        left, right = (
            ("left", "right") if step.after == step.line else (f"line {step.after}", f"line {step.line}")
        )
        lines += [
            *where.splitlines(),
            f"{left} is {found.left}, {right} is {found.right}{at} ({found.evidence})",
        ]
    elif step.status != "PROVED":
        lines.append(verdict.evidence)
    if verdict.holds_when:
        lines.append(f"holds when {'; or when '.join(verdict.holds_when)}")
    if verdict.corrected and step.relation == "==":
        lines.append(f"what holds: {verdict.corrected}")
    return lines


def verify_derivation(text: str, specs: Mapping[str, Spec]) -> DerivationVerdict:
    """The verdict on each step of a derivation, and on its chains from the first line to the last.

    Raises:
        ParseError: the text is no derivation, or shapes do not fit.
    """
    found = understand_derivation(text, specs)
    chains = tuple(_chain(found, sides) for sides in found.chains if len(sides) > 1)
    variables = {name: s.words() for name, s in found.specs.items()}
    note = str(found.understood) if found.understood.guessed else ""
    return DerivationVerdict(text, chains, variables, found.named(), note)


def _chain(found: Derivation, sides: Sequence[Side]) -> Chain:
    steps = tuple(
        Step(
            b.line,
            a.line,
            b.relation,
            found.words(a),
            found.words(b),
            _verdict(found, a, b, b.relation),
            b.reason,
        )
        for a, b in pairwise(sides)
    )
    relation = composed([s.relation for s in steps])
    if len(steps) == 1 or not relation:
        return Chain(steps)
    claim = f"{found.words(sides[0])} {relation} {found.words(sides[-1])}"
    least = worst([s.verdict for s in steps])
    if least.status in ("PROVED", "TESTED"):
        return Chain(steps, Verdict(claim, least.status, least.level, f"by its {len(steps)} steps"))
    whole = _verdict(found, sides[0], sides[-1], relation)
    return Chain(steps, replace(whole, holds_when=(), corrected=""))


def _verdict(found: Derivation, left: Side, right: Side, relation: str) -> Verdict:
    shown = f"{found.words(left)} {relation} {found.words(right)}"
    try:
        return verify_claim(
            lambda specs: found.claim(left, right, relation, specs),
            {},
            shown,
            _notation(found, left, right, shown),
        )
    except NoClosedForm as error:
        reason, *_ = str(error).splitlines()
        return Verdict(shown, "UNKNOWN", evidence=reason)


def _notation(found: Derivation, left: Side, right: Side, shown: str) -> Notation | None:
    """How a step is read as a claim by itself, if it is in the same style then; LaTeX is no notation of claims."""
    if found.pieces.written.latex:
        return None
    needed = found.needed(left, right)
    text = f"{shown} where {'; '.join(needed)}" if needed else shown
    try:
        style = read_formula(Source(text)).style
    except ParseError:
        return None
    whole = found.understood.style
    return (
        Notation(understand_claim, partial(understand_claim, text))
        if style.columns == whole.columns
        else None
    )


def composed(relations: Sequence[str]) -> str:
    """How the ends of a chain are related, if anything follows: ``a == b <= c < d`` says a < d."""
    kinds = {r for r in relations if r != "=="}
    if not kinds:
        return "=="
    for direction, strict in ((UPWARD, "<"), (DOWNWARD, ">")):
        if kinds <= direction:
            return strict if strict in kinds else f"{strict}="
    return "!=" if kinds == {"!="} and list(relations).count("!=") == 1 else ""
