"""First calls: derive with an empty cache, then in a second process with a full one; jax and torch.compile beside it.

`python -m benchmarks.startup derive|jax.jit|torch.compile CASES` prints a line of JSON for each case.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .case import Case
from .goals import WARM, geometric_mean

CASES = (
    "layer norm 4x16", "softmax cross-entropy 8x5", "dense + tanh 4x8->8", "attention 6x4", "Gaussian NLL 16",
    "logistic Hessian 20x3", "LSTM cell 64x256",
)  # fmt: skip


def startup_times(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """For each case the seconds to derive, to compile and call for the first time, and to do so in a second process."""
    names = [case.name for case in cases if case.name in CASES]
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    with tempfile.TemporaryDirectory() as cache:
        variables = {
            "DERIVE_CACHE_DIR": str(Path(cache) / "derive"),
            "TORCHINDUCTOR_CACHE_DIR": str(Path(cache) / "torch"),
        }
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            for what, run in (("derive", ""), ("derive", "warm "), ("jax.jit", ""), ("torch.compile", "")):
                for record in _process(what, names):
                    found[record["case"]] |= {f"{what} {run}{k}": v for k, v in record.items() if k != "case"}
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
    return found


def _process(what: str, names: list[str]) -> Any:
    from .suite import lines_of

    return lines_of([sys.executable, "-m", "benchmarks.startup", what, json.dumps(names)], 1)


def startup_lines(found: dict[str, dict[str, Any]]) -> list[str]:
    """Markdown: seconds; the first kernel of a process also loads Numba, in a line of its own."""
    columns = ("derive derivation", "derive first call", "derive warm first call", "jax.jit first call",
               "torch.compile first call")  # fmt: skip
    titles = ("derivation, s", "first call, s", "second process, s", "jax.jit, s", "torch.compile, s")
    lines = ["| case | " + " | ".join(titles) + " |", "|---|" + "---|" * len(titles)]
    for name, row in found.items():
        lines.append(
            f"| {name} | " + " | ".join(f"{row[c]:.3f}" if c in row else "-" for c in columns) + " |"
        )
    warm = [row["derive warm first call"] for row in found.values() if "derive warm first call" in row]
    worst = max(warm, default=float("nan"))
    verdict = "reached" if worst <= WARM else "**missed**"
    mean = geometric_mean(warm)
    said = f"Warm start: {1e3 * mean:.0f} ms (geometric mean), {1e3 * worst:.0f} ms at worst"
    said += f"; goal {1e3 * WARM:.0f} ms: {verdict}."
    return [
        *lines,
        "",
        said,
        "",
        "The time to load Numba, once for each process, is not in these figures.",
        "",
    ]


def main() -> None:
    """Time the first calls of these cases, one after the other."""
    what, names = sys.argv[1], json.loads(sys.argv[2])
    from .worker import confine

    confine(1)
    from .case import all_cases
    from .measure import all_peers
    from .peers._record import Setting

    import_module_of(what)
    by_name = {case.name: case for case in all_cases()}
    for name in names:
        case = by_name[name]
        start = perf_counter()
        record: dict[str, Any] = {"case": name}
        if what == "derive":
            record["derivation"] = -(start - (case.derived and perf_counter()))
        arrays = case.arrays()
        start = perf_counter()
        try:
            built = all_peers()[what].build(case, arrays, Setting())
            if built is None or isinstance(built, tuple):
                continue
            built()
        except Exception:
            continue
        record["first call"] = perf_counter() - start
        print(json.dumps(record), flush=True)


def import_module_of(what: str) -> None:
    """Load the library first: its own time to start is no kernel's."""
    if what == "derive":
        import numba

        numba.njit(lambda x: x + 1.0)(1.0)
    elif what == "jax.jit":
        import jax

        jax.jit(lambda x: x + 1.0)(np.ones(3))
    else:
        import torch

        torch.compile(lambda x: x + 1.0)(torch.ones(3))


if __name__ == "__main__":
    main()
