"""The page that `derive backprop` prints: equations, derivation, verdict, times, stub."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.rule import Rule

from . import api
from .emit.emit import emit_source
from .function import Function, board
from .pairs import forward_and_backward
from .render.html import render_html
from .render.legend import render_legend
from .timing import interleaved, medians, readable
from .verify.sample import sample_inputs

SIZES = (64, 96, 48, 80, 32, 40, 24, 56)
"""Sizes of the arrays that kernels are timed on, in the order in which the sizes appear."""


def section(console: Console, title: str, lines: Iterable[str]) -> None:
    """A titled block of preformatted lines."""
    console.print(Rule(title, align="left", style="dim"))
    for line in lines:
        console.print(f"  {line}", markup=False)
    console.print()


def backprop_report(pullback: Function, target: str, out: Path | None, console: Console) -> bool:
    """Print the whole page; True if the cross-check passed."""
    assert pullback.origin is not None
    base = pullback.origin.base
    forward, backward, _ = forward_and_backward(base.program, pullback.origin.wrt)
    ahead, back = board(forward, backward)
    console.print(f"\n[bold]{base.name}[/bold]  ({base.source})\n", highlight=False)
    section(console, "symbols", render_legend(pullback.presented, pullback.forward, base.program))
    section(console, "forward", ahead)
    section(console, "backward", back)
    section(console, "derivation", _steps(pullback.explain()))
    report = api.check(pullback)
    section(console, "cross-check", str(report).splitlines())
    section(console, "speed", speed(pullback))
    path = out or Path("derive_stubs") / f"{base.name}_{target}.py"
    section(console, "stub", [write_stub(pullback.emit(target), path)])
    return report.passed


def _steps(explanation: str) -> list[str]:
    """The derivation alone out of an explanation, whose other parts have sections of their own."""
    blocks = (block.splitlines() for block in explanation.split("\n\n"))
    return [line.removeprefix("  ") for title, *lines in blocks if title == "derivation" for line in lines]


def backprop_html(function: Function) -> str:
    """The same equations and steps as a self-contained page."""
    base = function.origin.base.program if function.origin else None
    notes = str(api.check(function)).splitlines() if function.origin else ()
    return render_html(function.name, function.presented, function.forward, notes, base=base)


def write_stub(source: str, path: Path) -> str:
    """Write a stub without losing what someone may have edited: a differing file is kept beside it."""
    kept = ""
    if path.exists() and path.read_text(encoding="utf-8") != source:
        older = next(p for n in range(1, 10**6) if not (p := path.with_suffix(f".{n}.old.py")).exists())
        path.rename(older)
        kept = f"  (the file that was there is kept as {older.name})"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return f"{path}{kept}"


def speed(pullback: Function) -> list[str]:
    """Median times of the kernels beside plain NumPy: the reference is the NumPy source that is emitted as a stub."""
    assert pullback.origin is not None
    base = pullback.origin.base
    arrays = sample_at(pullback, SIZES)
    inputs = [arrays[name] for name in base.inputs]
    seeds = [arrays[name] for name in pullback.origin.seeds]
    forward, backward = base.compile().kernel, pullback.compile().kernel
    plain_forward, plain_backward = numpy_pair(pullback)
    calls: dict[str, Any] = {
        "forward, NumPy": lambda: plain_forward(*inputs),
        "forward, kernel": lambda: forward(*inputs),
        "forward + backward, NumPy": lambda: plain_backward(*inputs, *seeds),
        "forward + backward, kernel": lambda: backward(*inputs, *seeds),
    }
    found = medians(interleaved(calls))
    shapes = ", ".join(
        f"{name} {'×'.join(map(str, np.shape(arrays[name]))) or 'scalar'}" for name in base.inputs
    )
    lines = [f"{name:28} {readable(found[name]):>9}" for name in calls]
    for what in ("forward", "forward + backward"):
        ratio = found[f"{what}, NumPy"] / found[f"{what}, kernel"]
        lines.append(f"{what}: NumPy takes {ratio:.2f} times as long as the kernel")
    return [f"float64, {shapes}; medians of interleaved runs", *lines]


def sample_at(function: Function, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Random arrays of the declared kinds and facts, of these sizes."""
    chosen = {s: sizes[p % len(sizes)] for p, s in enumerate(function.program.sizes)}
    return sample_inputs(function.program, chosen, np.random.default_rng(0))


def numpy_pair(pullback: Function) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The forward pass, and forward with backward pass, of the emitted NumPy source: what a user runs without us."""
    assert pullback.origin is not None
    request = replace(pullback.request, nested=None)
    names = [re.sub(r"\W", "_", n) for n in (*pullback.origin.base.inputs, *pullback.origin.seeds)]
    outputs = [re.sub(r"\W", "_", n) for n in pullback.origin.base.outputs]
    module = numpy_module(emit_source(request, "numpy"), request.name)
    plain = getattr(module, request.name)
    forward = getattr(module, f"{request.name}_forward", plain)
    backward = getattr(module, f"{request.name}_backward")
    needed = list(inspect.signature(backward).parameters)
    saved = [name for name in needed if name not in (*names, *outputs)]
    count = len(pullback.origin.base.inputs)

    def both(*arrays: Any) -> Any:
        values = dict(zip(names, arrays, strict=True))
        found = forward(*arrays[:count])
        found = found if isinstance(found, tuple) else (found,)
        values |= dict(zip((*outputs, *saved), found, strict=True))
        return backward(*(values[name] for name in needed))

    return plain, both


def numpy_module(source: str, name: str) -> Any:
    """Our own emitted source as a module."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}_numpy.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        before = sys.dont_write_bytecode
        sys.dont_write_bytecode = True
        try:
            spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = before
    return module
