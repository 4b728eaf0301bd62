"""Everything that was measured as one page of Markdown, and the pictures beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import chart, machine
from .derivation import derivation_lines
from .goals import goals_table
from .limits import limit_lines
from .memory import memory_lines
from .startup import startup_lines
from .suite import Store
from .table import fractions_table, refused_lines, settings_of, times_table
from .verify import verify_lines

PARTS: dict[str, Any] = {
    "derivation": ("Derivation", derivation_lines),
    "startup": ("First call and warm start", startup_lines),
    "memory": ("Memory", memory_lines),
    "verify": ("Verification", verify_lines),
}


def page(store: Store) -> list[str]:
    """The goals first, then what they come from."""
    records = list(store.records.values())
    lines = [machine.line(store.head), ""]
    if records:
        lines += ["## Goals", "", *goals_table(records)]
        for setting in settings_of(records):
            lines += times_table(records, setting)
        lines += refused_lines(records)
    if "limits" in store.parts:
        lines += [
            "## What the machine can do, and what kernels reach of it",
            "",
            *limit_lines(store.parts["limits"]),
        ]
        lines += fractions_table(records, store.parts["limits"])
    for name, (title, write) in PARTS.items():
        if name in store.parts:
            lines += [f"## {title}", "", *write(store.parts[name])]
    return lines


def charts(store: Store, folder: Path) -> list[Path]:
    """A picture for each setting."""
    records = list(store.records.values())
    found = []
    for setting in settings_of(records):
        path = folder / f"{setting[0]}-{setting[1]}.png"
        chart.draw(records, setting, path)
        found.append(path)
    return found
