"""The goals, and what was reached: the time of the fastest peer over ours, by group of cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

from derive.kernels.limits import Limits

from .measure import all_peers

Record = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """What a group is to reach: the geometric mean over its cases, and the worst of them."""

    group: str
    mean: float
    worst: float


GOALS = (
    Goal("elementwise, norms, losses, NLLs", 2.5, 1.2),
    Goal("attention, transformer block, recurrent", 1.5, 1.0),
    Goal("matrix-product bound (dense, MLP step, conv)", 1.05, 0.95),
    Goal("Hessians and hvp", 5.0, 2.0),
    Goal("tiny sizes (latency)", 10.0, 5.0),
)
BANDWIDTH, PRODUCTS = 0.8, 0.9
"""Fractions of the measured limits that kernels bound by memory, or by matrix products, are to reach."""
WARM, BLOCK, LINEAR = 0.05, 0.3, 1.1
"""Seconds of a warm start, and to derive a transformer block; the exponent of the depth that still counts as linear."""


@dataclass(frozen=True)
class Reached:
    """A row of the table."""

    goal: Goal
    mean: float
    worst: float
    case: str
    below: tuple[Record, ...]

    @property
    def verdict(self) -> str:
        """``reached``, or what is missed and by which cases."""
        missed = []
        if self.mean < self.goal.mean:
            missed.append("mean")
        if self.below:
            names = dict.fromkeys(named(r) for r in self.below)
            missed.append("worst: " + "; ".join(names))
        return "**missed** (" + ", ".join(missed) + ")" if missed else "reached"


def ratio(record: Record) -> float | None:
    """The fastest peer's time over ours; None where there are no times."""
    seconds, counted = record.get("seconds", {}), all_peers()
    ours = seconds.get("derive", {}).get("median")
    others = [v["median"] for name, v in seconds.items() if counted[name].counts]
    return min(others) / ours if ours and others else None


def fastest(record: Record) -> str:
    """The name of the fastest peer that counts."""
    counted, seconds = all_peers(), record["seconds"]
    return min((n for n in seconds if counted[n].counts), key=lambda n: seconds[n]["median"], default="-")


def named(record: Record) -> str:
    return f"{record['case']} ({record['dtype']}, {record['threads']} thread{'s' * (record['threads'] > 1)})"


def geometric_mean(values: Sequence[float]) -> float:
    return exp(sum(map(log, values)) / len(values)) if values else float("nan")


def reached(records: Sequence[Record]) -> list[Reached]:
    """A row for every group that has times; a case without a valid result of ours counts as missed with the ratio 0."""
    rows = []
    for goal in GOALS:
        mine = [r for r in records if r["group"] == goal.group]
        wrong = [r for r in mine if "error" in r or "derive" in r.get("refused", {})]
        timed = [(x, r) for r in mine if (x := ratio(r)) is not None]
        if not timed and not wrong:
            continue
        least, case = min(timed, key=lambda pair: pair[0], default=(0.0, {}))
        if wrong:
            least, case = 0.0, wrong[0]
        below = (*wrong, *(r for x, r in sorted(timed, key=lambda pair: pair[0]) if x < goal.worst))
        rows.append(Reached(goal, geometric_mean([x for x, _ in timed]), least, named(case), below))
    return rows


def goals_table(records: Sequence[Record]) -> list[str]:
    """Markdown: group, geometric mean, worst case, goal, verdict; the reasons found stand below."""
    rows = reached(records)
    lines = ["| group | geometric mean (goal) | worst case (goal) | its name | |", "|---|---|---|---|---|"]
    for row in rows:
        g = row.goal
        verdict = "reached" if row.verdict == "reached" else "**missed**"
        lines.append(
            f"| {g.group} | {row.mean:.2f} (>= {g.mean:g}) | {row.worst:.2f} (>= {g.worst:g}) | {row.case} | {verdict} |"
        )
    return [*lines, "", *missed_lines(rows)]


def missed_lines(rows: Sequence[Reached]) -> list[str]:
    """A line for each case below the goal, with its ratio in each setting, and the reason where one is known."""
    by_case: dict[str, list[Record]] = {}
    for row in rows:
        for record in row.below:
            by_case.setdefault(record["case"], []).append(record)
    lines: list[str] = []
    below: dict[str, list[str]] = {}
    for name, records in by_case.items():
        said = []
        for r in records:
            x = ratio(r)
            what = "no valid result" if x is None else f"{x:.2f} to {fastest(r)}"
            said.append(f"{what} in {r['dtype']}, {r['threads']} thread{'s' * (r['threads'] > 1)}")
        reasons = next((r["reasons"] for r in records if r.get("reasons")), "")
        below.setdefault(reasons, []).append(f"- {name}: {', '.join(said)}.")
    for reasons, those in below.items():
        lines += [*those, *(["", f"  {reasons}", ""] if reasons else [])]
    return [*(["Below the goal of their group:", ""] if lines else []), *lines, *([""] if lines else [])]


def fraction_rows(
    records: Sequence[Record], limits: dict[str, Any]
) -> list[tuple[Record, str, float, float]]:
    """Cases that a limit of the machine bounds: the record, the limit's name, what was reached of it, the goal."""
    found = []
    for r in records:
        ours = r.get("seconds", {}).get("derive", {}).get("median")
        if str(r["threads"]) not in limits or not ours or not r.get("bound"):
            continue
        here = Limits(**limits[str(r["threads"])])
        if r["bound"] == "product" and r.get("flops"):
            found.append((r, "GEMM rate", r["flops"] / ours / here.products(r["dtype"]), PRODUCTS))
        elif r["bound"] == "memory":
            name = "L3 bandwidth" if r["bytes"] <= here.cache else "DRAM bandwidth"
            found.append((r, name, r["bytes"] / ours / here.bandwidth(r["bytes"]), BANDWIDTH))
    return found
