"""A catalog entry before the oracle: is its verdict right, and is any false mutant of its claim verified?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, zip_longest
from typing import Any

import numpy as np

from derive.deadline import OutOfTime, within
from derive.errors import DeriveError
from derive.frontends.claim import Claim, understand_claim
from derive.frontends.formula_grammar import Formula, read_formula
from derive.frontends.formula_text import Source
from derive.frontends.formula_tree import Compare, Name, walk
from derive.ir.facts import Spec, spec
from derive.ir.nodes import Tensor
from derive.prove.catalog.entries import Entry
from derive.prove.inequality.convexity import decide_convexity
from derive.prove.ladder import decide, proved
from derive.prove.points.second_opinion import checking
from derive.prove.verdict import Counterexample

from .mutations import MUTATIONS, Stated, written
from .oracle import Sides, Undefined, Unread, chord, has_derivatives, sides_somehow, variables_of_curvature
from .points import at_sizes, points

POINTS = 14
LIMIT = 20.0
"""Seconds for a verdict."""
MARGIN, SMOOTH_MARGIN = 1e-7, 1e-4
"""By how much, beside the largest number, sides must differ to be different; more where there are derivatives."""


@dataclass(frozen=True)
class Mutant:
    """A changed claim. kind: the name of the mutation."""

    kind: str
    claim: str
    formula: Formula
    specs: Mapping[str, Spec]

    @property
    def inputs(self) -> list[Tensor]:
        return [s.tensor(name) for name, s in self.specs.items()]


@dataclass(frozen=True)
class Judged:
    """What the oracle saw: at how many points both sides are defined, and the first at which the relation is false."""

    defined: int
    violated: tuple[Mapping[str, Any], Mapping[str, int], Sides] | None = None
    unread: str = ""


def read(claim: str) -> Formula:
    return read_formula(Source(claim))


def judged(formula: Formula, inputs: Sequence[Tensor], seed: int = 5, count: int = POINTS) -> Judged:
    """The oracle's view of a claim at random points."""
    curved, smooth = variables_of_curvature(formula), has_derivatives(formula)
    relation = formula.tree.symbol if isinstance(formula.tree, Compare) else "<="
    defined = 0
    chance = np.random.default_rng(seed + 1)
    for point, sizes in points(inputs, np.random.default_rng(seed), count, smooth):
        try:
            found = (
                chord(formula, (point, at_sizes(inputs, sizes, chance)), sizes)
                if curved
                else sides_somehow(formula, point, sizes)
            )
        except Undefined:
            continue
        except Unread as error:
            return Judged(defined, unread=str(error))
        defined += 1
        if found.violates(relation, SMOOTH_MARGIN if smooth else MARGIN):
            return Judged(defined, (point, sizes, found))
    return Judged(defined)


def understood(entry: Entry) -> Claim:
    return understand_claim(entry.statement, {name: spec(shape) for name, shape in entry.variables.items()})


def stated(entry: Entry) -> Stated:
    """The claim of an entry with the shapes that it was understood to have."""
    program = understood(entry).understood.program
    specs = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.inputs}
    return Stated(read(entry.statement), specs, program.outputs[0].shape)


def mutants(entry: Entry) -> list[Mutant]:
    """All mutants of an entry's claim, each once."""
    found: dict[Any, Mutant] = {}
    original = stated(entry)
    for mutation in MUTATIONS:
        for changed, specs in mutation.mutants(original):
            claim = written(changed)
            used = {n.name for tree in changed.trees for n in walk(tree) if isinstance(n, Name)}
            kept = {name: s for name, s in specs.items() if name in used}
            key = claim, tuple((name, s.facts) for name, s in kept.items())
            if key not in found and (again := reread(claim, original.columns)) is not None:
                found[key] = Mutant(mutation.name, claim, again, kept)
    return list(found.values())


def reread(claim: str, columns: bool) -> Formula | None:
    """The tree of a mutant's text; None where a change has made it no claim in this style."""
    try:
        formula = read(claim)
    except DeriveError:
        return None
    return formula if formula.style.columns == columns else None


def false_mutants(entry: Entry, count: int | None) -> Iterator[Mutant]:
    """Mutants that are false somewhere, in a random order that is always the same, all kinds in turn: so many, or all."""
    every = mutants(entry)
    chance = random.Random(entry.id)
    chance.shuffle(every)
    order = chance.sample(MUTATIONS, len(MUTATIONS))
    turns = zip_longest(*([m for m in every if m.kind == mutation.name] for mutation in order))
    found = (
        m
        for turn in turns
        for m in turn
        if m is not None and judged(m.formula, m.inputs).violated is not None
    )
    yield from islice(found, count)


def at_counterexample(formula: Formula, shown: Counterexample) -> Sides | None:
    """Both sides at a counterexample; None where the oracle has no value."""
    point = {name: floats(value) for name, value in shown.arrays.items()}
    try:
        return sides_somehow(formula, point, dict(shown.sizes))
    except (Undefined, Unread):
        return None


def floats(value: Any) -> Any:
    """An array of the numbers and fractions that are printed."""
    return np.vectorize(lambda v: float(Fraction(v)), otypes=[float])(value)[()]


def verified(mutant: Mutant) -> tuple[str, str]:
    """The status that a mutant gets, and how it is proved, if it is; ("", "") where it cannot be read."""
    try:
        claim = understand_claim(mutant.claim, mutant.specs)
    except DeriveError:
        return "", ""
    program = claim.understood.program
    try:
        with within(LIMIT), checking(claim.guards):
            if claim.wrt:
                return decide_convexity(program, claim.relation, claim.wrt, mutant.claim).status, ""
            status = decide(program, claim.relation, mutant.claim).status
            return status, proved(program) if claim.relation == "==" else ""
    except OutOfTime:
        return "UNKNOWN", ""
