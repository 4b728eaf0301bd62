"""`python -m benchmarks [--only derivation|verify|kernels] [--out FOLDER]`: run, print a Markdown table, save JSON."""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.progress import Progress

from .derivation import depth_times, layer_times
from .kernels import kernel_times
from .verify import verify_times


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", choices=("derivation", "verify", "kernels"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/output"))
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine()}
    lines: list[str] = []
    with Progress(transient=True) as progress:
        if options.only in (None, "derivation"):
            task = progress.add_task("derivation", total=2)
            result["layers"] = layer_times()
            progress.advance(task)
            depths, exponent = depth_times()
            progress.advance(task)
            result["depth"] = {"seconds": depths, "exponent": exponent}
            lines += derivation_table(result["layers"], depths, exponent)
        if options.only in (None, "verify"):
            result["verify"] = verify_times()
            lines += verify_table(result["verify"])
        if options.only in (None, "kernels"):
            result["kernels"] = kernel_times(progress)
            lines += kernel_table(result["kernels"])
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    (options.out / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def machine() -> dict[str, str]:
    """What the figures were measured with."""
    packages = {}
    for package in ("numpy", "scipy", "sympy", "numba", "torch", "jax"):
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "not installed"
    return {"processor": platform.machine(), "python": platform.python_version(), **packages}


def derivation_table(layers: dict[str, float], depths: dict[int, float], exponent: float) -> list[str]:
    """Markdown: time to derive each layer, and a deep net by depth."""
    lines = ["| layer | trace + backward pass, ms |", "|---|---|"]
    lines += [f"| {name} | {1e3 * seconds:.0f} |" for name, seconds in layers.items()]
    lines += ["", "| MLP depth | trace + gradient, s |", "|---|---|"]
    lines += [f"| {depth} | {seconds:.2f} |" for depth, seconds in depths.items()]
    return [*lines, "", f"time grows as depth^{exponent:.2f} from depth 10 on", ""]


def verify_table(identities: dict[str, tuple[float, str]]) -> list[str]:
    """Markdown: time to verify each identity."""
    lines = ["| identity | verdict | ms |", "|---|---|---|"]
    lines += [f"| {name} | {status} | {1e3 * seconds:.0f} |" for name, (seconds, status) in identities.items()]
    middle = sorted(seconds for seconds, _ in identities.values())[len(identities) // 2]
    return [*lines, "", f"median of all: {1e3 * middle:.0f} ms", ""]


def kernel_table(cases: list[dict[str, Any]]) -> list[str]:
    """Markdown: medians in ms, forward and all gradients; a peer's time over ours in brackets."""
    peers = list(cases[0]["ms"])
    lines = [
        "| case (float64, forward + all gradients) | " + " | ".join(peers) + " |",
        "|---" * (len(peers) + 1) + "|",
    ]
    for case in cases:
        ours = case["ms"]["derive"]
        cells = [
            "-"
            if case["ms"].get(p) is None
            else f"{case['ms'][p]:.3g}" + ("" if p == "derive" else f" ({case['ms'][p] / ours:.2f})")
            for p in peers
        ]
        lines.append(f"| {case['name']} | " + " | ".join(cells) + " |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
