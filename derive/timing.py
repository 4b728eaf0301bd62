"""Times of several callables in one run, interleaved, as medians."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any


def interleaved(
    calls: Mapping[str, Callable[[], Any]], seconds: float = 0.4, rounds: int = 7
) -> dict[str, list[float]]:
    """Seconds per call, one figure for each round.

    Args:
        calls: what to time, by name; each is called once beforehand and not counted.
        seconds: about how long each of them may take in all.
        rounds: every round times each callable once, in turn, so that a drifting machine drifts for all.
    """
    repeats: dict[str, int] = {}
    for name, call in calls.items():
        call()
        start = perf_counter()
        call()
        repeats[name] = max(1, round(seconds / rounds / max(perf_counter() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = perf_counter()
            for _ in range(repeats[name]):
                call()
            times[name].append((perf_counter() - start) / repeats[name])
    return times


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: median(values) for name, values in times.items()}


def readable(seconds: float) -> str:
    """``0.000123`` as ``"123 us"``."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
