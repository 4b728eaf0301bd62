"""High-water marks of memory: what one call adds to a process that holds its arguments, beside jax.

`python -m benchmarks.memory derive|jax.jit CASE` prints them as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .case import Case

CASES = (
    "layer norm 4096x768", "softmax cross-entropy 1024x1000", "GELU 6e6", "attention 2048x64",
    "transformer block 256x256, 4 heads", "LSTM 50 steps, 32x64->128", "conv 3x3, 16x16x32x32->32",
    "matrix factorisation Hessian 60x40, rank 5",
)  # fmt: skip
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def memory_peaks(cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Bytes that a call adds at most, for each case and library; empty where the system does not say."""
    from .suite import lines_of

    if not STATUS.exists():
        return {}
    found: dict[str, dict[str, float]] = {}
    for case in cases:
        if case.name in CASES:
            rows = {}
            for what in ("derive", "jax.jit"):
                for record in lines_of([sys.executable, "-m", "benchmarks.memory", what, case.name], 1):
                    rows |= {what: record["peak"], "results": record["results"]}
            found[case.name] = rows
    return found


def memory_lines(found: dict[str, dict[str, float]]) -> list[str]:
    """Markdown: MB beyond the arguments."""
    lines = ["| case | its results, MB | derive, MB | jax.jit, MB |", "|---|---|---|---|"]
    for name, row in found.items():
        cells = [f"{row[k] / 1e6:.1f}" if k in row else "-" for k in ("results", "derive", "jax.jit")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [
        *lines,
        "",
        "High-water mark of the first call after compiling, results included, arguments not.",
        "",
    ]


def main() -> None:
    """Compile, set the mark back, call for the first time."""
    what, name = sys.argv[1], sys.argv[2]
    from .case import all_cases
    from .compare import arrays_of

    case = next(c for c in all_cases() if c.name == name)
    call, reserved = compiled(what, case)
    before = kilobytes("VmRSS")
    RESET.write_text("5", encoding="utf-8")
    result = call()
    peak = max(0, kilobytes("VmHWM") - before) * 1024
    print(json.dumps({"peak": max(peak, reserved), "results": sum(a.nbytes for a in arrays_of(result))}))


def compiled(what: str, case: Case) -> tuple[Any, int]:
    """A call that holds its arguments, with all that is done before the first one; and the bytes it is known to need.

    jax takes memory that it has held before: what its compiler says counts where that is more.
    """
    values = list(case.arrays().values())
    if what == "derive":
        kernel = case.derived.compile()
        return (lambda: kernel(*values)), 0
    import jax

    from .peers.jax import transformed

    jax.config.update("jax_enable_x64", True)
    held = [jax.numpy.asarray(a) for a in values]
    run = jax.jit(transformed(jax, case)).lower(*held).compile()
    needed = run.memory_analysis()
    return (lambda: jax.block_until_ready(run(*held))), needed.temp_size_in_bytes + needed.output_size_in_bytes


def kilobytes(field: str) -> int:
    """A line of the process's status."""
    line = next(
        line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(field + ":")
    )
    return int(line.split()[1])


if __name__ == "__main__":
    main()
