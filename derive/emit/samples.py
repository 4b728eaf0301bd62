"""Valid random inputs for the tests in emitted files: which sizes, and which kind of values each input takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..errors import DeriveError, DomainError
from ..ir.evaluate import evaluate
from ..ir.nodes import Entry, Program, Slot, Tensor
from ..ir.sizes import presuppositions
from ..ops.linalg import primitives
from .dialect import Dialect
from .plan import Plan
from .scalars import Printer
from .scope import Scope

VALUES = (3, 4, 5, 2, 6, 7, 8, 9, 10, 11, 12, 13)
LARGER = (0, 4, 10, 30)  # added to the values where the program needs longer axes
TRIES = 500  # orders of the values that are tried
FACTS = (
    "one-hot", "simplex", "binary", "diagonal", "orthogonal", "positive definite", "positive semidefinite", "symmetric",
    "lower triangular", "upper triangular", "increasing", "positive", "nonnegative",
)  # fmt: skip
CONSTRAINED = {"one-hot", "simplex", "binary", "orthogonal"}  # facts that a small step always breaks
HELD = {
    "diagonal": "diagonal", "positive definite": "symmetric", "positive semidefinite": "symmetric",
    "symmetric": "symmetric", "lower triangular": "lower triangular", "upper triangular": "upper triangular",
}  # facts that a step keeps, once its part outside of the fact is taken off
REGULAR = ("normal", "symmetric", "diagonal", "lower triangular", "upper triangular")

Templates = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sample:
    """An input of the test and the kind of its values: a key of a target's templates.

    regular: it is inverted, so it must be far from singular.
    """

    tensor: Tensor
    role: str
    regular: bool = False

    @property
    def free(self) -> bool:
        """Whether the function can be differentiated by steps in the entries."""
        return self.tensor.kind == "real" and not self.tensor.facts & CONSTRAINED

    @property
    def held(self) -> str:
        """The declared fact that steps must keep, a key of a target's projections; empty if there is none."""
        return next((kept for fact, kept in HELD.items() if fact in self.tensor.facts), "")


def sizes_of(program: Program) -> dict[sympy.Symbol, int]:
    """A value for each size, all different and small, such that every axis has entries and every read stays inside."""
    symbols = program.sizes
    values = (*VALUES, *range(14, 14 + len(symbols)))[: len(symbols)]
    needed = [p.value for p in presuppositions(program)]
    needed += [extent - 1 for t in program.tensors.values() for extent in t.shape if not extent.is_Symbol]
    for more in LARGER:
        for chosen in islice(permutations([value + more for value in values]), TRIES):
            sizes = dict(zip(symbols, chosen, strict=True))
            if all(extent.subs(sizes) >= 0 for extent in needed):
                return sizes
    raise DeriveError(f"found no small sizes for which every axis of the program exists:\n{program}")


def samples_of(program: Program, backward: Program | None = None) -> list[Sample]:
    """The role of each input; reals of which nothing is known become positive where it or its gradients demand that."""
    sizes = sizes_of(program)
    needs = _needs(program)
    for role in ("normal", "positive", "unit", "above one", "normal"):
        samples = [_sample(t, role, needs.get(t.name, set())) for t in program.inputs]
        if all(_finite(p, samples, sizes) for p in (program, backward) if p is not None):
            break
    return samples


def _sample(tensor: Tensor, otherwise: str, needs: set[str]) -> Sample:
    if tensor.kind != "real":
        return Sample(tensor, "integers" if tensor.kind == "integer" else "booleans")
    known = next((fact for fact in FACTS if fact in tensor.facts), otherwise)
    role = "unit" if "probability" in tensor.facts else known
    if "positive definite" in needs and role not in ("diagonal", "positive definite"):
        return Sample(tensor, "positive definite")
    regular = "invertible" in needs and role in (*REGULAR, otherwise)
    return Sample(tensor, "normal" if regular and role == otherwise else role, regular)


def _needs(program: Program) -> dict[str, set[str]]:
    """What the matrices that primitives take must be, also where they are entrywise made of others."""
    found: dict[str, set[str]] = {}

    def look(tensor: Tensor, need: str) -> None:
        found.setdefault(tensor.name, set()).add(need)
        equation = program.definitions.get(tensor.name)
        if equation is not None and not isinstance(equation.body, Entry):
            for read in equation.reads:
                if equation.reduce is None and set(read.indices) == set(equation.axes):
                    look(read.tensor, need)

    for equation in program.equations:
        if isinstance(equation.body, Entry):
            first = equation.body.operands[0]
            if all(isinstance(i, Slot) for i in first.indices[-2:]):
                look(first.tensor, primitives()[equation.body.primitive].needs)
    return found


def _finite(program: Program, samples: Sequence[Sample], sizes: dict[sympy.Symbol, int]) -> bool:
    rng = np.random.default_rng(0)
    values = {}
    for sample in samples:
        shape = tuple(int(extent.subs(sizes)) for extent in sample.tensor.shape)
        values[sample.tensor.name] = _draw(rng, sample, shape, sizes)
    for t in program.inputs:  # cotangents
        if t.name not in values:
            values[t.name] = rng.standard_normal(tuple(int(extent.subs(sizes)) for extent in t.shape))
    try:
        found = evaluate(program, values)
    except DomainError:
        return False
    return all(bool(np.all(np.isfinite(np.asarray(found[t.name], dtype=float)))) for t in program.outputs)


def _draw(
    rng: np.random.Generator, sample: Sample, shape: tuple[int, ...], sizes: dict[sympy.Symbol, int]
) -> Any:
    """Values for a dry run; only their range matters."""
    match sample.role:
        case "integers":
            bound = sample.tensor.bound
            return rng.integers(2 if bound is None else int(bound.subs(sizes)), size=shape)
        case "booleans":
            return rng.random(shape) < 0.5
        case "binary":
            return rng.integers(2, size=shape)
        case "positive" | "nonnegative" | "simplex" | "one-hot":
            return rng.uniform(0.5, 1.5, shape)
        case "unit":
            return rng.uniform(0.1, 0.9, shape)
        case "above one":
            return rng.uniform(1.5, 2.5, shape)
        case "positive definite":
            root = rng.standard_normal(shape)
            return root @ root.swapaxes(-1, -2) + np.eye(shape[-1])
        case "lower triangular" | "upper triangular" | "diagonal":
            return np.eye(shape[-1]) + np.zeros(shape)
        case "orthogonal":
            return np.linalg.qr(rng.standard_normal(shape))[0]
    return rng.standard_normal(shape) + (shape[-1] * np.eye(shape[-1]) if sample.regular else 0)


def held_parts(templates: Templates, samples: Sequence[Sample]) -> dict[str, str]:
    """For each input whose declared fact steps must keep: the part of an array ``{x}`` that has the fact."""
    return {s.tensor.name: templates[f"held {s.held}"][0] for s in samples if s.held and s.free}


def sample_lines(plan: Plan, dialect: Dialect, templates: Templates, samples: Sequence[Sample]) -> list[str]:
    """``n, d = 3, 4`` and a statement or two for each input."""
    scope = Scope(dialect, plan.names, ())
    sizes = Printer(scope, (), exact=True)

    def dims(shape: Sequence[Expr]) -> str:
        return ", ".join(sizes.code(extent).text for extent in shape)

    lines = [
        template.format(
            x=plan.name(s.tensor), dims=dims(s.tensor.shape) or "()", shape=_tuple(dims(s.tensor.shape), s.tensor.rank),
            bound="2" if s.tensor.bound is None else sizes.code(s.tensor.bound).text,
            last=dims(s.tensor.shape[-1:]), lead=_tuple(dims(s.tensor.shape[:-1]), s.tensor.rank - 1),
        )
        for s in samples
        for template in (*templates[s.role], *(templates["regular"] if s.regular else ()))
    ]  # fmt: skip
    chosen = {symbol: value for symbol, value in sizes_of(plan.original).items() if symbol in scope.symbols}
    if not chosen:
        return lines
    names = ", ".join(plan.names.sizes[symbol] for symbol in chosen)
    return [f"{names} = {', '.join(map(str, chosen.values()))}", *lines]


def _tuple(dims: str, rank: int) -> str:
    return f"({dims},)" if rank == 1 else f"({dims})"
