"""What the figures were measured with."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "scipy", "sympy", "numba", "torch", "jax")


def machine() -> dict[str, Any]:
    """Processor, versions, and a digest of the code of derive and of the benchmarks."""
    packages = {}
    for package in PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "not installed"
    return {
        "processor": processor(),
        "python": platform.python_version(),
        "packages": packages,
        "code": code(),
    }


def processor() -> str:
    """Name and features that decide about speed."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    vector = next(
        (f for f in ("avx512f", "avx2", "asimd") if f in fields.get("flags", fields.get("Features", ""))), ""
    )
    return f"{fields.get('model name', platform.machine())}, {os.cpu_count()} processors, {vector}"


def code() -> str:
    """A digest of every source file of derive and of the cases."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for folder in ("derive", "benchmarks"):
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def line(head: dict[str, Any]) -> str:
    """One line for above a table."""
    packages = ", ".join(f"{name} {v}" for name, v in head["packages"].items())
    return f"{head['processor']}; Python {head['python']}, {packages}."
