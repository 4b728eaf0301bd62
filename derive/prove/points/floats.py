"""A first look at both sides of a claim in floating point: do they agree, and is there anything to see?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy

from ...deadline import check_time
from ...errors import DeriveError
from ...ir.evaluate import evaluate
from ...ir.facts import IMPLIES
from ...ir.nodes import Entry, Program
from ...verify.sample import FACTS, plan_sizes, sample_inputs

POINTS = 3
WORST_CONDITION = 1e8
"""The condition number of a matrix from which on its inverse is not trusted."""
INVERTED = {"inv", "solve", "slogdet"}


def may_agree(program: Program) -> bool:
    """False where both outputs are seen to differ, at a point at which no matrix is close to singular."""
    return all(_close(left, right) for left, right in sides(program))


def vanish(program: Program) -> tuple[bool, bool]:
    """For each output whether it is 0 at every point."""
    found = list(sides(program))
    return bool(found) and all(_zero(a) for a, _ in found), bool(found) and all(_zero(b) for _, b in found)


def has_values(program: Program) -> bool:
    """False where both sides together have no value at any point that was tried: a claim about them says nothing then."""
    found = list(sides(program, plan_sizes(program, POINTS)[::2]))
    return not found or any(bool(np.all(np.isfinite(left) & np.isfinite(right))) for left, right in found)


def finite_at_zero(program: Program, name: str) -> bool:
    """Whether both outputs have values where this input is 0."""
    rng = np.random.default_rng(5)
    (sizes,) = plan_sizes(program, 1)
    try:
        arrays = sample_inputs(program, sizes, rng)
        values = evaluate(program, {**arrays, name: 0 * arrays[name]})
    except (DeriveError, ArithmeticError, TypeError, ValueError):
        return False
    return all(bool(np.isfinite(values[t.name]).all()) for t in program.outputs)


def sides(program: Program, plans: Sequence[dict[sympy.Symbol, int]] = ()) -> Iterator[tuple[Any, Any]]:
    """Both outputs at random points of the domain, at several sizes; points that are of no use are left out.

    plans: the sizes; by default some of different kinds, in every second an axis is 1.
    """
    if any(len(_generating(t.facts) & DRAWN) > 1 for t in program.inputs):
        return
    rng = np.random.default_rng(13)
    for sizes in plans or plan_sizes(program, POINTS):
        check_time()
        try:
            values = evaluate(program, sample_inputs(program, sizes, rng))
        except (DeriveError, ArithmeticError, TypeError, ValueError):
            continue
        if _regular(program, values):
            left, right = (np.asarray(values[t.name]) for t in program.outputs)
            if left.size:
                yield left, right


DRAWN = FACTS.keys() & {"orthogonal", "symmetric", "positive semidefinite", "lower triangular", "simplex"}
"""Facts of which the sampler can give an array one, but not two."""


def _generating(facts: frozenset[str]) -> frozenset[str]:
    return facts - {implied for fact in facts for implied in IMPLIES[fact]}


def _close(left: Any, right: Any) -> bool:
    """Whether the entries agree where both sides have a value."""
    defined = np.isfinite(left) & np.isfinite(right)
    return bool(np.allclose(np.where(defined, left, 0), np.where(defined, right, 0), rtol=1e-6, atol=1e-8))


def _zero(x: Any) -> bool:
    """No entry is other than 0; one without a value is not."""
    return not bool(np.any(np.abs(x) > 1e-12))


def _regular(program: Program, values: dict[str, Any]) -> bool:
    """Whether no matrix that is inverted is close to singular."""
    for equation in program.equations:
        body = equation.body
        if isinstance(body, Entry) and body.primitive in INVERTED:
            matrix = np.asarray(values[body.operands[0].tensor.name])
            if matrix.ndim == 2 and matrix.size and not np.linalg.cond(matrix) < WORST_CONDITION:
                return False
    return True
