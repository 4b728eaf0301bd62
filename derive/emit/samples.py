"""Valid random inputs for the tests in emitted files: which sizes, and which kind of values each input takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..ir.evaluate import evaluate
from ..ir.nodes import Program, Tensor
from .plan import Plan

VALUES = (3, 4, 5, 2, 6, 7, 8, 9, 10, 11, 12, 13)
FACTS = ("one-hot", "simplex", "positive definite", "orthogonal", "symmetric", "lower triangular", "positive")
FREE = ("normal", "positive", "unit")  # values that can be moved one entry at a time

Templates = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sample:
    """An input of the test and the kind of its values: a key of a target's templates."""

    tensor: Tensor
    role: str

    @property
    def free(self) -> bool:
        return self.role in FREE


def sizes_of(program: Program) -> dict[sympy.Symbol, int]:
    """A value for each size, all different, such that every extent is positive."""
    symbols = program.sizes
    values = VALUES[: len(symbols)] + tuple(range(14, 14 + len(symbols) - len(VALUES)))
    extents = [e for t in program.tensors.values() for e in t.shape if not e.is_Symbol]
    for count, chosen in enumerate(permutations(values)):
        sizes = dict(zip(symbols, chosen, strict=True))
        if count > 5000 or all(extent.subs(sizes) > 0 for extent in extents):
            break
    return dict(sorted(sizes.items(), key=lambda pair: symbols.index(pair[0])))


def samples_of(program: Program, sizes: dict[sympy.Symbol, int]) -> list[Sample]:
    """The role of each input; reals of which nothing is known become positive where the function demands it."""
    for role in FREE:
        samples = [Sample(t, _role(t, role)) for t in program.inputs]
        if _finite(program, samples, sizes):
            return samples
    return [Sample(t, _role(t, FREE[0])) for t in program.inputs]


def _role(tensor: Tensor, otherwise: str) -> str:
    if tensor.kind != "real":
        return "integers" if tensor.kind == "integer" else "booleans"
    if "nonnegative" in tensor.facts:
        return "positive"
    return next((fact for fact in FACTS if fact in tensor.facts), otherwise)


def _finite(program: Program, samples: Sequence[Sample], sizes: dict[sympy.Symbol, int]) -> bool:
    rng = np.random.default_rng(0)
    values = {}
    for sample in samples:
        shape = tuple(int(extent.subs(sizes)) for extent in sample.tensor.shape)
        values[sample.tensor.name] = _draw(rng, sample, shape, sizes)
    found = evaluate(program, values)
    return all(bool(np.all(np.isfinite(np.asarray(found[t.name], dtype=float)))) for t in program.outputs)


def _draw(rng: np.random.Generator, sample: Sample, shape: tuple[int, ...], sizes: dict[sympy.Symbol, int]) -> Any:
    """Values for a dry run; only their range matters."""
    match sample.role:
        case "integers":
            bound = sample.tensor.bound
            return rng.integers(2 if bound is None else int(bound.subs(sizes)), size=shape)
        case "booleans":
            return rng.random(shape) < 0.5
        case "positive" | "simplex" | "one-hot" | "positive definite":
            return rng.uniform(0.5, 1.5, shape)
        case "unit":
            return rng.uniform(0.1, 0.9, shape)
    return rng.standard_normal(shape)


def sample_lines(plan: Plan, templates: Templates, samples: Sequence[Sample], sizes: dict[sympy.Symbol, int]) -> list[str]:
    """``n, d = 3, 4`` and a statement or two for each input."""
    lines = [
        template.format(
            x=plan.name(s.tensor), shape=shape_text(plan, s.tensor.shape), dims=dims_text(plan, s.tensor.shape),
            bound="2" if s.tensor.bound is None else extent_text(plan, s.tensor.bound),
            last=extent_text(plan, s.tensor.shape[-1]) if s.tensor.shape else "1",
            lead=shape_text(plan, s.tensor.shape[:-1]),
        )
        for s in samples
        for template in templates[s.role]
    ]  # fmt: skip
    used = {symbol for s in samples for e in (*s.tensor.shape, s.tensor.bound or sympy.S.One) for symbol in e.free_symbols}
    names = [plan.names.sizes[symbol] for symbol in sizes if symbol in used]
    values = [str(value) for symbol, value in sizes.items() if symbol in used]
    return [f"{', '.join(names)} = {', '.join(values)}", *lines] if names else lines


def extent_text(plan: Plan, extent: Expr) -> str:
    return str(extent.subs({s: sympy.Symbol(name) for s, name in plan.names.sizes.items()}))


def dims_text(plan: Plan, shape: Sequence[Expr]) -> str:
    return ", ".join(extent_text(plan, extent) for extent in shape) or "()"


def shape_text(plan: Plan, shape: Sequence[Expr]) -> str:
    inner = ", ".join(extent_text(plan, extent) for extent in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
