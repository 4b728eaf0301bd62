"""From the outcomes at all points to one report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .compare import Comparison
from .expect import Question
from .point import Outcome
from .report import Entry, Report, sizes
from .subject import Subject
from .trial import entry_at


def summarize(
    subject: Subject, rounded: Sequence[Outcome], exact: Sequence[Outcome], rng: np.random.Generator
) -> Report:
    """One report of the outcomes in floating point, and of those without rounding."""
    outcomes = [*rounded, *exact]
    found = [(o, c) for o in rounded for c in o.comparisons]
    levels = [(o.point.name, c.label, c.sensitivity(rng)) for o, c in found if not o.point.nonfinite]
    limit = 64 * subject.precision**0.5
    coarse = [o.coarse for o in rounded if o.coarse]
    one = max((*(level for *_, level in levels if level <= limit), *coarse), default=np.inf)
    common = (c.sensitivity_all() for _, c in found)
    every = max((*(level for level in common if level <= limit), *coarse), default=np.inf)
    worst = max((_worst(o, c) for o, c in found), key=lambda e: e.error, default=None)
    blind, unclear = _blind(levels, limit)
    failures = (*(f for o in outcomes for f in o.failures), *unclear)
    notes = [*(n for o in outcomes for n in (*o.point.notes, *o.notes, *_nonfinite(o))), *blind]
    question: Question = subject.question
    return Report(
        question.kind, question.wrt, _method(rounded, exact),
        tuple(o.point.shape for o in rounded if o.entries),
        sum(o.entries for o in outcomes), worst.error if worst else 0.0, one, every, worst, failures,
        tuple(k for o in outcomes for k in o.kinks), tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _blind(levels: Sequence[tuple[str, str, float]], limit: float) -> tuple[list[str], list[str]]:
    """Notes on points where rounding hides errors, and failures for arrays that were clear nowhere: not
    tested is not passed."""
    clear = {label for _, label, level in levels if level <= limit}
    notes = [
        f"rounding hides errors of {label} up to {level:.1e} of its largest entry at {name}"
        for name, label, level in levels
        if level > limit
    ]
    labels = dict.fromkeys(label for _, label, _ in levels)
    failures = [
        f"{label} cannot be judged: rounding hides its errors at every point"
        for label in labels
        if label not in clear
    ]
    return notes, failures


def _worst(outcome: Outcome, comparison: Comparison) -> Entry:
    """The entry, or where only directions were compared the array, with the largest difference."""
    differences = comparison.differences(comparison.got)
    if not differences.size:
        return Entry(comparison.label, (), 0.0, 0.0, 0.0, 0.0, outcome.point.name)
    place = np.unravel_index(int(np.argmax(differences)), differences.shape)
    if not comparison.projected:
        return entry_at(comparison, int(place[0]), int(place[1]), outcome.point)
    seen = np.asarray(comparison.seen(comparison.got), dtype=float)
    error = float(differences[place]) / comparison.smallest_weight / comparison.scale
    return Entry(
        f"{comparison.label} along a random direction", (),
        float(comparison.expected[place]), float(seen[place]), error,
        float(comparison.tolerance[place]) / comparison.scale, outcome.point.name,
    )  # fmt: skip


def _method(rounded: Sequence[Outcome], exact: Sequence[Outcome]) -> str:
    methods = dict.fromkeys(o.method for o in rounded if o.entries)
    checks = [f"{o.method} at {sizes(o.point.shape)}" for o in exact if o.entries]
    return " and ".join(methods) + (f", and {', '.join(checks)}" if checks else "")


def _nonfinite(outcome: Outcome) -> list[str]:
    """Where NaN and inf came out, in what was derived and in what was expected."""
    notes = []
    if names := outcome.point.nonfinite:
        notes.append(f"NaN or inf in {', '.join(names)} at {outcome.point.name}")
    for c in outcome.comparisons:
        got, expected = (~np.isfinite(np.asarray(a, dtype=float)) for a in (c.seen(c.got), c.expected))
        if np.any(got) or np.any(expected):
            both, all_entries = int(np.sum(got & expected)), got.size
            notes.append(
                f"{c.label} at {outcome.point.name}: "
                f"not finite in {int(np.sum(got))} of {all_entries} entries derived, "
                f"in {int(np.sum(expected))} expected, in {both} of them both" + _places(c, got | expected)
            )
    return notes


def _places(comparison: Comparison, where: Any) -> str:
    if comparison.projected:
        return ""
    indices = [comparison.index(row, column) for row, column in np.argwhere(where)[:4].tolist()]
    shown = [f"[{','.join(map(str, index))}]" for index in indices]
    return ": " + ", ".join(shown) + (" ..." if np.sum(where) > len(shown) else "")
