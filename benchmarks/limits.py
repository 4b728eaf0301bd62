"""`python -m benchmarks.limits THREADS`: what this machine can do at most, as JSON: matrix products and bandwidth."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any


def limit_lines(found: dict[str, Any]) -> list[str]:
    """Markdown: a row for each number of threads."""
    lines = ["| threads | dgemm, GFLOP/s | sgemm, GFLOP/s | DRAM, GB/s | L3, GB/s |", "|---|---|---|---|---|"]
    for threads, here in found.items():
        cells = (f"{here[k] / 1e9:.0f}" for k in ("double", "single", "memory", "cached"))
        lines.append(f"| {threads} | " + " | ".join(cells) + " |")
    return [*lines, ""]


if __name__ == "__main__":
    from .worker import confine

    confine(int(sys.argv[1]))
    from derive.kernels.limits import measured_limits

    print(json.dumps(asdict(measured_limits(int(sys.argv[1])))))
