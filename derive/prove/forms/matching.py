"""Finding, within a product, the leading term of a matrix beside its inverse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Expr, S

from ...ir.nodes import Index, Read, Slot, indices_of, substitute
from .polynomial import Monomial, Polynomial, as_expression

Factors = list[tuple[Expr, Expr]]
Parts = Callable[[Monomial], tuple[list[Expr], list[Index], Monomial] | None]
"""Of a product of matrices: its factors, the indices that it sums over, and its scalars."""


@dataclass(frozen=True)
class Beside:
    """``sum_near W[far, near] lead[near, end]``, or with both turned round, where W is the inverse of a matrix.

    lead is ``coefficient`` times the scalars and a product of factors that were found, summed over `inner`; the matrix
    is lead + rest.
    side: the slot of the matrix that `near` takes. left: the factors that are neither W nor part of lead.
    """

    far: Any
    near: Index
    end: Any
    inner: tuple[Index, ...]
    coefficient: Expr
    scalars: Monomial
    rest: Polynomial
    side: int
    left: Factors


def leading(matrix: Polynomial, parts: Parts) -> tuple[Monomial, Expr] | None:
    """The term with the most factors, which the others do not contain."""
    sized = []
    for monomial, coefficient in matrix:
        found = parts(monomial)
        if found is not None:
            sized.append((len(found[0]), str(as_expression(monomial)), monomial, coefficient))
    return (sized and max(sized, key=lambda s: s[:2])[2:]) or None


def beside_inverse(
    W: Any, matrix: Polynomial, factors: Factors, bound: tuple[Index, ...], parts: Parts
) -> Iterator[Beside]:
    """Every way in which the leading term of the matrix stands next to its inverse."""
    lead = leading(matrix, parts)
    if lead is None:
        return
    monomial, coefficient = lead
    rest = Polynomial({m: c for m, c in matrix if m != monomial})
    pattern = parts(monomial)
    assert pattern is not None
    orders = [W.places, W.places[::-1]] if W.symmetric else [W.places]
    for row, column in orders:
        for side, near, far in ((0, column, row), (1, row, column)):
            if near not in bound or near == far or near.extent != W.extent:
                continue
            for binding, used in _matches(pattern[0], factors, {Slot(side): near}, set(pattern[1])):
                end = binding.get(Slot(1 - side))
                inner = tuple(binding[b] for b in pattern[1])
                if any(getattr(i, "extent", None) != b.extent for i, b in zip(inner, pattern[1], strict=True)):
                    continue
                left = [f for n, f in enumerate(factors) if n not in used]
                hidden = {near, *inner}
                if (
                    end is None
                    or not set(inner) <= set(bound)
                    or len(hidden) != len(inner) + 1
                    or end in hidden
                ):
                    continue
                if any(hidden & indices_of(atom) for atom, _ in left) or hidden & indices_of(far):
                    continue
                yield Beside(far, near, end, inner, coefficient, pattern[2], rest, side, left)


def _matches(
    pattern: list[Expr], factors: Factors, binding: dict[Any, Any], variables: set[Index]
) -> Iterator[tuple[dict[Any, Any], set[int]]]:
    """Assignments of the pattern's factors to different factors, and of its indices to theirs."""
    if not pattern:
        yield binding, set()
        return
    ready = [p for p in pattern if any(i in binding for i in _places(p))]
    first = ready[0] if ready else pattern[0]
    others = [p for p in pattern if p is not first]
    for position, (atom, exponent) in enumerate(factors):
        if exponent != 1:
            continue
        for bound in _unified(first, atom, binding, variables):
            taken = [(a, e) if n != position else (S.One, S.Zero) for n, (a, e) in enumerate(factors)]
            for found, used in _matches(others, taken, bound, variables):
                yield found, used | {position}


def _places(e: Any) -> tuple[Any, ...]:
    return e.indices if isinstance(e, Read) else e.places


def _unified(
    pattern: Any, atom: Any, binding: dict[Any, Any], variables: set[Index]
) -> Iterator[dict[Any, Any]]:
    """What the indices of the pattern must be for it to be the atom."""
    if type(pattern) is not type(atom):
        return
    if isinstance(pattern, Read):
        if pattern.tensor != atom.tensor:
            return
        symmetric = "symmetric" in pattern.tensor.facts
    else:
        if pattern.args[:3] != atom.args[:3] or pattern.args[4] != atom.args[4]:
            return
        symmetric = pattern.symmetric
    theirs = _places(atom)
    for order in (theirs, (*theirs[:-2], theirs[-1], theirs[-2])) if symmetric else (theirs,):
        found = dict(binding)
        for wanted, place in zip(_places(pattern), order, strict=True):
            if isinstance(wanted, Slot) or wanted in variables:
                if found.setdefault(wanted, place) != place:
                    break
            elif substitute(wanted, found) != place:
                break
        else:
            yield found
