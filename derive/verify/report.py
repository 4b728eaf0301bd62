"""What a check found, as a record and as a few lines for the lab book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Entry:
    """One entry of a derivative: what the function itself says, and what the derived program says.

    `error` is relative to the largest entry of the same array; `tolerance` is the error from which it is
    flagged.
    """

    output: str
    index: tuple[int, ...]
    expected: float
    got: float
    error: float
    tolerance: float
    at: str

    def __str__(self) -> str:
        name, off = entry(self.output, self.index), "" if isfinite(self.error) else "not finite, "
        off = off or f"off by {self.error:.1e} of the largest entry, "
        return f"{name} = {self.got:.10g}, expected {self.expected:.10g}: {off}at {self.at}"


@dataclass(frozen=True)
class Kink:
    """An entry at a point where the derivative jumps: the interval of subgradients and the value in it."""

    output: str
    index: tuple[int, ...]
    low: float
    high: float
    got: float
    inside: bool
    at: str

    def __str__(self) -> str:
        where = "inside" if self.inside else "OUTSIDE"
        return (
            f"{entry(self.output, self.index)} = {self.got:.6g}, {where} the subgradient interval "
            f"[{self.low:.6g}, {self.high:.6g}], at {self.at}"
        )


@dataclass(frozen=True)
class Report:
    """The verdict of a numeric cross-check, with the smallest error that it would have caught.

    kind: which derivative was checked, with respect to what `wrt` names.
    method: the ways in which the expected values were computed.
    shapes: the sizes of every point that was compared.
    entries: how many numbers were compared.
    max_error: the largest difference found, relative to the largest entry of its array.
    sensitivity: the smallest error in any single entry, on that scale, that was flagged when it was injected.
    sensitivity_all: the smallest relative error of all entries together that was flagged when it was
        injected.
    worst: the entry with the largest difference.
    failures: the entries that are wrong; kinks: entries at which the derivative jumps.
    notes: what else a reader should know.
    """

    kind: str
    wrt: tuple[str, ...]
    method: str
    shapes: tuple[Mapping[str, int], ...] = ()
    entries: int = 0
    max_error: float = 0.0
    sensitivity: float = float("inf")
    sensitivity_all: float = float("inf")
    worst: Entry | None = None
    failures: tuple[Entry | Kink | str, ...] = ()
    kinks: tuple[Kink, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether something was compared and nothing was wrong: what could not be tested is not a pass."""
        return not self.failures and self.entries > 0

    def __bool__(self) -> bool:
        raise TypeError("a report has more to say than yes or no: ask report.passed, or print it")

    def __str__(self) -> str:
        verdict = "PASSED" if self.passed else "FAILED" if self.failures else "NOT TESTED"
        lines = [f"{self.kind.replace('_', ' ')} with respect to {', '.join(self.wrt)}: {verdict}"]
        lines += _some([f"wrong: {failure}" for failure in self.failures], 5)
        if self.entries:
            lines.append(f"{self.entries} entries at {'; '.join(map(sizes, self.shapes))}")
            lines.append(f"expected values: {self.method}")
        if self.worst:
            at = (
                f": {entry(self.worst.output, self.worst.index)} at {self.worst.at}" if self.max_error else ""
            )
            lines.append(f"largest difference {self.max_error:.1e} of the largest entry{at}")
        if self.sensitivity < float("inf"):
            lines.append(
                f"would have caught {self.sensitivity:.1e} of the largest entry in any one entry, "
                f"{self.sensitivity_all:.1e} in all at once (confirmed by injecting such errors)"
            )
        lines += _some([f"kink: {kink}" for kink in self.kinks if kink.inside], 5)
        lines += [f"note: {note}" for note in self.notes]
        return "\n  ".join(lines)


def entry(output: str, index: tuple[int, ...]) -> str:
    return f"{output}[{','.join(map(str, index))}]" if index else output


def sizes(shape: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in shape.items()) or "fixed sizes"


def _some(lines: list[str], count: int) -> list[str]:
    return lines if len(lines) <= count else [*lines[:count], f"... and {len(lines) - count} more"]
