"""Records as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from derive.timing import readable

from .goals import GOALS, Record, fraction_rows, geometric_mean, ratio
from .measure import all_peers

Setting = tuple[str, int]


def settings_of(records: Sequence[Record]) -> list[Setting]:
    """The settings in which there are records: float64 before float32, one thread before two."""
    return sorted({(r["dtype"], r["threads"]) for r in records}, key=lambda s: (s[0] != "float64", s[1]))


def in_setting(records: Sequence[Record], setting: Setting) -> list[Record]:
    """The records of a setting, in the order of the goals."""
    order = [goal.group for goal in GOALS]
    mine = [r for r in records if (r["dtype"], r["threads"]) == setting]
    return sorted(mine, key=lambda r: order.index(r["group"]))


def times_table(records: Sequence[Record], setting: Setting) -> list[str]:
    """Markdown: our median with its quartiles, and each peer's time over ours; the fastest peer is bold."""
    mine = in_setting(records, setting)
    peers = [n for n in all_peers() if n != "derive" and any(n in r.get("seconds", {}) for r in mine)]
    lines = [
        f"{setting[0]}, {setting[1]} thread{'s' * (setting[1] > 1)}: our median and quartiles; peers: their median / ours",
        "",
        "| case | derive | " + " | ".join(peers) + " |",
        "|---|---|" + "---|" * len(peers),
    ]
    group = ""
    for r in mine:
        if r["group"] != group:
            group = r["group"]
            lines.append(f"| *{group}* |" + " |" * (1 + len(peers)))
        lines.append(f"| {r['case']} | {ours(r)} | " + " | ".join(cell(r, name) for name in peers) + " |")
    for name in peers:
        if not all_peers()[name].counts:
            values = [v for r in mine if (v := over(r, name)) is not None]
            lines += ["", f"{name}, geometric mean over {len(values)} cases: {geometric_mean(values):.2f}"]
    if any(r.get("notes") for r in mine):
        lines += ["", "(e) the NumPy source that derive emits; the others are written by hand."]
    return [*lines, ""]


def ours(r: Record) -> str:
    """Our time with its quartiles; or why there is none."""
    if "error" in r:
        return f"**error**: {r['error'][:80]}"
    if "derive" in r["refused"]:
        return f"**wrong**: {r['refused']['derive']}"
    s = r["seconds"]["derive"]
    spread = (s["high"] - s["low"]) / s["median"]
    return f"{readable(s['median'])} ± {100 * spread / 2:.0f}%"


def over(r: Record, name: str) -> float | None:
    """A peer's time over ours."""
    seconds = r.get("seconds", {})
    return (
        seconds[name]["median"] / seconds["derive"]["median"]
        if name in seconds and "derive" in seconds
        else None
    )


def cell(r: Record, name: str) -> str:
    value = over(r, name)
    if value is None:
        return "refused" if name in r.get("refused", {}) else "-"
    text = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    text += " (e)" if name in r["notes"] else ""
    best = ratio(r)
    return (
        f"**{text}**"
        if all_peers()[name].counts and best is not None and value <= best * (1 + 1e-9)
        else text
    )


def fractions_table(records: Sequence[Record], limits: dict[str, Any]) -> list[str]:
    """Markdown: what kernels reach of the limit that bounds them: inputs and results are counted once each."""
    rows = fraction_rows(records, limits)
    if not rows:
        return []
    settings = settings_of(records)
    lines = [
        "| case | bound by | " + " | ".join(f"{d}, {t}" for d, t in settings) + " |", "|---|---|" + "---|" * len(settings)
    ]  # fmt: skip
    by_case: dict[tuple[str, str], dict[Setting, str]] = {}
    for r, limit, value, goal in rows:
        text = f"{100 * value:.0f}%" + ("" if value >= goal else " (missed)")
        by_case.setdefault((r["case"], limit), {})[r["dtype"], r["threads"]] = text
    for (case, limit), cells in by_case.items():
        lines.append(f"| {case} | {limit} | " + " | ".join(cells.get(s, "-") for s in settings) + " |")
    return [*lines, ""]


def refused_lines(records: Sequence[Record]) -> list[str]:
    """Peers whose results were refused, and cases that failed."""
    lines = []
    for r in records:
        where = f"{r['case']}, {r['dtype']}, {r['threads']}"
        lines += [f"- {where}: {text}" for text in r.get("refused", {}).values()]
        lines += [f"- {where}: {r['error']}"] if "error" in r else []
    return ["Refused or failed:", "", *lines, ""] if lines else []
