"""The answer to a claim: proved, tested, refuted or unknown, with the evidence for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from ..ir.facts import spec
from .saved import Status, read_fields

SMALL = "sizes up to"
"""How the level of a verdict begins that is proved for small sizes only."""


@dataclass(frozen=True)
class Counterexample:
    """Arrays at which a claim is false, in small integers, and the values of both sides at one entry."""

    sizes: Mapping[str, int]
    arrays: Mapping[str, Any]
    place: tuple[int, ...]
    left: str
    right: str
    evidence: str

    def without(self, names: Collection[str]) -> Counterexample:
        """The same point without some arrays, of which only the sizes matter."""
        return replace(self, arrays={n: a for n, a in self.arrays.items() if n not in names})

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} = {n}" for name, n in self.sizes.items())
        arrays = ", ".join(f"{name} = {_plain(value)}" for name, value in self.arrays.items())
        at = f" at entry {list(self.place)}" if self.place else ""
        values = f"left {self.left}, right {self.right}{at} ({self.evidence})"
        return f"{'at ' + sizes + ': ' if sizes else ''}{arrays}\n  {values}"


@dataclass(frozen=True)
class Verdict:
    """What is known of a claim.

    status: PROVED, TESTED, REFUTED or UNKNOWN; unknown is never a pass.
    level: how far it holds: "all sizes", "sizes up to 3", or a probability or a number of digits.
    evidence: how it was found.
    counterexample: where it is false. holds_when: the facts under which it does hold. corrected: what holds in its place.
    understood: shapes that were taken for lack of a declaration.
    """

    claim: str
    status: Status
    level: str = ""
    evidence: str = ""
    counterexample: Counterexample | None = None
    holds_when: tuple[str, ...] = ()
    corrected: str = ""
    understood: str = ""
    variables: Mapping[str, str] | None = None

    @property
    def random(self) -> set[str]:
        """The variables that are drawn from a distribution, and of which no value matters."""
        return {name for name, words in (self.variables or {}).items() if spec(words).law is not None}

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a verdict is no truth value (this one is {self.status}): compare .status with 'PROVED', 'TESTED', 'REFUTED' "
            "or 'UNKNOWN'"
        )

    def __str__(self) -> str:
        lines = [f"{self.status}{f' ({self.level})' if self.level else ''}: {self.claim}"]
        if self.counterexample is not None:
            lines.append(f"  {self.counterexample.without(self.random)}".replace("\n", "\n  "))
        elif self.evidence:
            lines.append(f"  {self.evidence}".replace("\n", "\n  "))
        if self.holds_when:
            lines.append(f"  holds when {'; or when '.join(self.holds_when)}")
        if self.corrected:
            lines.append(f"  what holds: {self.corrected}")
        if self.understood:
            lines.append(f"  {self.understood}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """The verdict as text that can be kept; `from_json` reads it, and `derive.recheck` checks it again."""
        return json.dumps(asdict(self), default=jsonable, indent=1)

    @staticmethod
    def from_json(source: str | Path) -> Verdict:
        """The verdict in what `to_json` gave, or in a file of it, as it was saved: nothing is checked anew.

        Raises:
            VerdictError: there is no such file, or it holds no verdict.
        """
        data = read_fields(source)
        if (found := data.get("counterexample")) is not None:
            data["counterexample"] = Counterexample(**found)
        return Verdict(**data)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The one that says least for the claim: refuted, unknown, tested, proved."""
    return min(verdicts, key=lambda v: ("REFUTED", "UNKNOWN", "TESTED", "PROVED").index(v.status))


def _plain(value: Any) -> str:
    return json.dumps(value, default=jsonable)


def jsonable(value: Any) -> Any:
    """Arrays as lists, and what JSON has no word for as text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value) if not isinstance(value, dict) else dict(value)
