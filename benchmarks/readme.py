"""The block of README.md that holds the measured figures."""

from __future__ import annotations

from pathlib import Path

from . import machine
from .goals import goals_table
from .limits import limit_lines
from .suite import Store
from .table import fractions_table, settings_of, times_table

README = Path(__file__).parents[1] / "README.md"
OPEN, CLOSE = "<!-- performance -->", "<!-- /performance -->"


def block(store: Store) -> str:
    """The table of goals and the times in double precision on one thread, as generated."""
    records = list(store.records.values())
    settings = settings_of(records)
    lines = [
        f"Measured {store.head['date']} by `python -m benchmarks --readme` on {machine.line(store.head)}",
        "",
    ]
    lines += goals_table(records)
    for setting in settings[:1]:
        lines += times_table(records, setting)
    if "limits" in store.parts:
        lines += [*limit_lines(store.parts["limits"]), *fractions_table(records, store.parts["limits"])]
    return "\n".join(lines).strip()


def replaced(text: str, inside: str) -> str:
    """The text with something else between the markers.

    Raises:
        ValueError: the markers are missing.
    """
    start, end = text.find(OPEN), text.find(CLOSE)
    if start < 0 or end < start:
        raise ValueError(f"no {OPEN} ... {CLOSE} in the file")
    return f"{text[: start + len(OPEN)]}\n{inside}\n{text[end:]}"


def rewrite(store: Store) -> str:
    """Write the block; the path of the file."""
    README.write_text(replaced(README.read_text(encoding="utf-8"), block(store)), encoding="utf-8")
    return str(README)
