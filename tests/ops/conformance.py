"""How far each operation is from 50 digits: value, both directions of its derivative, and second order.

``python -m tests.ops.conformance`` writes the table docs/conformance.md; `test_conformance.py` asserts its rows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

import derive as dv
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Program
from derive.ir.numbers import MPMATH
from derive.ops._record import Elementwise
from derive.ops.elementwise import elementwise_ops
from docs.operation_examples import AXES, EXAMPLES
from docs.operations import example, function_of

DIGITS, STEP = 50, "1e-16"
SIZES = ({"n": 4, "m": 3, "k": 2, "b": 2}, {"n": 5, "m": 1, "k": 1, "b": 1})
SHAPES = {1: (("",), ("k 1",)), 2: (("k 1", "m"), ("", "k"))}
"""Axes of the arguments of an elementwise function: 0-d, size 1, and broadcasting on either side."""

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """The largest differences found, relative to the largest entry: the value in doubles, the rest in 50 digits."""

    name: str
    value: float
    jvp: float
    vjp: float
    second: float


def draw(
    axes: str, sizes: Mapping[str, int], rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    names, _, fact = axes.partition(",")
    shape = [sizes.get(axis) or int(axis) for axis in names.split()]
    if fact:
        bound = fact.split()[-1]
        return rng.integers(sizes.get(bound) or int(bound), size=shape)
    return np.asarray(rng.uniform(low, high, shape))


def difference(found: Any, expected: Any) -> float:
    """The largest difference of two lists of arrays, relative to the largest entry or 1."""
    worst = 0.0
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape, (a.shape, b.shape)
        scale = max([1.0, *(abs(float(x)) for x in b.ravel())])
        worst = max([worst, *(float(abs(x - y)) / scale for x, y in zip(a.ravel(), b.ravel(), strict=True))])
    return worst


def many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]


def run(program: Program, arrays: Mapping[str, Any]) -> list[Any]:
    """The outputs of a program in 50 digits."""
    values = evaluate(program, {t.name: arrays[t.name] for t in program.inputs}, MPMATH)
    return [np.asarray(values[t.name]) for t in program.outputs]


def moved(arrays: Mapping[str, Any], along: Mapping[str, Any], step: Any) -> Arrays:
    return {name: x + step * along[name] if name in along else x for name, x in arrays.items()}


def slope(program: Program, arrays: Mapping[str, Any], along: Mapping[str, Any]) -> list[Any]:
    """The differential of a program along a direction, by a central difference."""
    step = mpmath.mpf(STEP)
    above, below = (run(program, moved(arrays, along, sign * step)) for sign in (1, -1))
    return [(a - b) / (2 * step) for a, b in zip(above, below, strict=True)]


def lifted(x: np.ndarray) -> Any:
    """Doubles as numbers of 50 digits; integers stay."""
    return MPMATH.array(x) if x.dtype.kind == "f" else x


@cache
def derived(
    call: Callable[..., Any], axes: tuple[tuple[str, str], ...]
) -> tuple[dv.Function, Program, Program, Program]:
    """A function, its jvp, its vjp, and the jvp of its vjp."""
    f = dv.trace(call, **dict(axes))
    wrt = [x for x, a in axes if "," not in a]
    backward = dv.vjp(f, wrt=wrt)
    return f, dv.jvp(f, wrt=wrt).program, backward.program, dv.jvp(backward, wrt=wrt).program


def measure(
    name: str,
    call: Callable[..., Any],
    axes: Mapping[str, str],
    domain: tuple[float, float] = (0.3, 1.7),
    number: int = 0,
) -> Row:
    """Check one function at one choice of sizes."""
    rng = np.random.default_rng(11)
    sizes = SIZES[number]
    arrays = {x: draw(a, sizes, rng, *domain) for x, a in axes.items()}
    f, tangent, backward, second = derived(call, tuple(axes.items()))
    with np.errstate(all="ignore"):
        value = difference(many(f(**arrays)), [np.asarray(v, dtype=float) for v in many(call(**arrays))])
    wrt = [x for x, a in axes.items() if "," not in a]
    with mpmath.workdps(DIGITS):
        exact = {x: lifted(a) for x, a in arrays.items()}
        along = {x: lifted(rng.normal(size=arrays[x].shape)) for x in wrt}
        seeds = {t.name: t for t in backward.inputs if t.name not in axes}
        outputs = run(f.program, exact)
        weights = dict(zip(seeds, (lifted(rng.normal(size=o.shape)) for o in outputs), strict=True))
        tangents = {**exact, **{f"d{x}": d for x, d in along.items()}}
        forwards, expected = run(tangent, tangents), slope(f.program, exact, along)
        gradients = run(backward, {**exact, **weights})
        paired = sum((np.sum(g * along[x]) for g, x in zip(gradients, wrt, strict=True)), mpmath.mpf(0))
        seeded = sum((np.sum(w * o) for w, o in zip(weights.values(), expected, strict=True)), mpmath.mpf(0))
        curved = run(second, {**tangents, **weights})
        bent = slope(backward, {**exact, **weights}, along)
        return Row(
            name,
            value,
            difference(forwards, expected),
            difference([paired], [seeded]),
            difference(curved, bent),
        )


def measure_example(name: str, number: int = 0) -> Row:
    """The typical call of a tensor operation."""
    call, axes = example(name)
    return measure(name, call, axes, number=number)


def measure_elementwise(op: Elementwise) -> Row:
    """An elementwise function over all shapes; the row has the largest differences."""
    function, names = function_of(op)
    rows = [
        measure(
            op.name,
            function,
            dict(zip(names, axes, strict=True)),
            (op.domain[0] + 0.013, op.domain[1] - 0.017),
        )
        for axes in SHAPES[len(names)]
    ]
    return Row(
        op.name, *(max(getattr(row, part) for row in rows) for part in ("value", "jvp", "vjp", "second"))
    )


@cache
def table() -> str:
    """All rows as a page."""
    lines = [
        "# Conformance",
        "",
        "Made by `python -m tests.ops.conformance`. Largest difference relative to the largest entry: of the value from",
        "NumPy's or SciPy's in doubles, of the rest from differences of the function in 50 digits.",
        "",
        "| operation | value | jvp | vjp | second order |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows = [measure_elementwise(op) for op in elementwise_ops()] + [
        measure_example(name) for name in EXAMPLES
    ]
    for row in rows:
        cells = (f"{x:.0e}" if x else "0" for x in (row.value, row.jvp, row.vjp, row.second))
        lines.append(f"| `{row.name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/conformance.md")
    path.write_text(table(), encoding="utf-8")
    print(f"wrote {path}")

__all__ = ["AXES", "EXAMPLES", "Row", "measure_elementwise", "measure_example"]
