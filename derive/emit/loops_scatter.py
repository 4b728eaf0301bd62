"""Sums that end up at shifted places: first a matrix product of whole tensors, then every entry to where it belongs.

The gradient of a convolution is such a sum. As a gather it reads under conditions, which no matrix product can; as a
scatter, ``Y[l + q] += sum_r W[r, q] g[r, l]``, what is summed over r has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import sympy
from sympy import Expr, Mul

from ..ir.nodes import Bracket, Equation, Index, Read, indices_of, reads_of, substitute
from ..rewrite.conditions import simplify_brackets
from .loops_nodes import Op, Operation
from .loops_products import Contraction, NewTensor, as_product
from .loops_ranges import certain, implied, within

Lower = Callable[[Equation, Index | None], list[Operation]]


@dataclass(frozen=True)
class Term:
    """One term of a body, its deltas in free indices turned into index expressions of the target."""

    body: Expr
    at: tuple[Expr, ...]
    bound: tuple[Index, ...]
    guard: Expr = sympy.true


def as_scatter(term: Term) -> Term | None:
    """A gather under conditions as a scatter without any; None if it is no such thing, or no product of matrices."""
    found = term
    while (step := unshifted(found)) is not None:
        found = step
    if found is term or found.body.has(Bracket) or inner_product(found) is None:
        return None
    return found


def unshifted(term: Term) -> Term | None:
    """``Y[s] = [0 <= s - q < n] g[s - q]`` as ``Y[l + q] = g[l]``: one of the places by a new index."""
    conditions = [f.condition for f in Mul.make_args(term.body) if isinstance(f, Bracket)]
    for read in reads_of(term.body) if conditions else ():
        for place, extent in zip(read.indices, read.tensor.shape, strict=True):
            axis = shifted_axis(place, term)
            if axis is None or certain(place, extent) or not implied(place, extent, conditions):
                continue
            taken = {i.name for i in (*indices_of(term.body), *term.bound)}
            new = Index(next(name for n in count(2) if (name := f"{axis.name}{n}") not in taken), extent)
            sign = place.coeff(axis)
            value = sympy.expand((new - place) / sign + axis)
            mapping = {axis: value}
            guard = sympy.And(substitute(term.guard, mapping), within(value, axis))
            at = tuple(substitute(e, mapping) for e in term.at)
            return Term(simplify_brackets(substitute(term.body, mapping)), at, (*term.bound, new), guard)
    return None


def shifted_axis(place: Expr, term: Term) -> Index | None:
    """The axis s of the target in ``s - q`` with a summed q."""
    if isinstance(place, Index) or reads_of(place) or not indices_of(place) & set(term.bound):
        return None
    for axis in term.at:
        sign = place.coeff(axis) if isinstance(axis, Index) else 0
        if sign in (1, -1) and axis not in indices_of(place - sign * axis):
            return axis
    return None


def inner_product(term: Term) -> tuple[Contraction, tuple[Index, ...]] | None:
    """What is summed before it is put to its place, as a product of matrices, and the axes of the result."""
    placed = set().union(*map(indices_of, term.at))
    inner = tuple(b for b in term.bound if b not in placed)
    factors = list(Mul.make_args(term.body))
    if not inner or len(factors) < 2:
        return None
    found: list[tuple[bool, int, int, Contraction, tuple[Index, ...]]] = []
    for axes in orders(term):
        product = as_product(axes, inner, factors)
        if product is None or not (product.rows and product.columns) or None in product.reads:
            return None
        looped = product.looped(axes)
        well = looped.result_lies_well(axes) and all(
            looped.lies_well(r) for r in product.reads if r is not None
        )
        found.append((not well, len(looped.batch), len(found), product, axes))
    *_, product, axes = min(found, key=lambda candidate: candidate[:3])
    return product, axes


def orders(term: Term) -> Iterator[tuple[Index, ...]]:
    """In which order the result might have its axes: those of the target first, or all as they stand there."""
    placed = [i for e in term.at for i in indices_of(e)]
    plain = [e for e in term.at if isinstance(e, Index)]
    yield (*plain, *(b for b in term.bound if b in placed))
    if len(placed) <= 6:
        groups = [sorted(indices_of(e), key=lambda i: i.name) for e in term.at]
        yield tuple(i for group in groups for i in group)
        yield tuple(i for group in groups for i in reversed(group))


def scatter_operations(
    equation: Equation, term: Term, new: NewTensor, lower: Lower
) -> list[Operation] | None:
    """The product, for one turn of the outermost axis at a time, and the loops that add it to the target."""
    found = inner_product(term)
    if found is None:
        return None
    _, axes = found
    inner = tuple(b for b in term.bound if b not in axes)
    tensor = new(f"{equation.target.name}_placed", tuple(i.extent for i in axes))
    leading = axes[0] if axes[0] == term.at[0] else None
    summed = Equation(tensor, axes, term.body, "sum", inner, equation.step)
    placed = Op(
        equation.target, term.at, Read(tensor, axes), axes, "sum", guard=term.guard, equation=equation
    )
    return [*lower(summed, leading), placed]
