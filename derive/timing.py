"""Times of several callables in one run, interleaved, as medians with their spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import Any

LEAST = 3
"""Rounds in which a call is timed however long it takes."""


def interleaved(
    calls: Mapping[str, Callable[[], Any]], seconds: float = 0.4, rounds: int = 7
) -> dict[str, list[float]]:
    """Seconds per call, one figure for each round.

    Args:
        calls: what to time, by name; each is called once or twice beforehand and not counted.
        seconds: about how long each of them may take in all; one that is slower is timed in fewer rounds, at least 3.
        rounds: every round times each callable once, in turn, so that a drifting machine drifts for all.
    """
    plans = {name: _plan(call, seconds, rounds) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds):
        for name, call in calls.items():
            if turn < plans[name].rounds:
                times[name].append(per_call(call, plans[name].repeats))
    return times


@dataclass(frozen=True)
class Plan:
    """How often a callable is called in one round, and in how many."""

    repeats: int
    rounds: int


def _plan(call: Callable[[], Any], seconds: float, rounds: int) -> Plan:
    once = per_call(call, 1)
    if once > seconds:
        return Plan(1, min(rounds, LEAST))
    once = per_call(call, 1)
    repeats = max(1, round(seconds / rounds / max(once, 1e-7)))
    return Plan(
        repeats, rounds if repeats > 1 else max(min(rounds, LEAST), min(rounds, round(seconds / once)))
    )


def per_call(call: Callable[[], Any], repeats: int) -> float:
    """Seconds per call over so many in a row."""
    start = perf_counter()
    for _ in range(repeats):
        call()
    return (perf_counter() - start) / repeats


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: median(values) for name, values in times.items()}


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and least of the figures of one callable."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return {"median": median(values), "low": low, "high": high, "least": min(values), "rounds": len(values)}


def readable(seconds: float) -> str:
    """``0.000123`` as ``"123 us"``."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
