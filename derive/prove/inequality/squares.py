"""Products written out under one sum, and the squares in them: ``sum_jk X[i,j] v[j] X[i,k] v[k]`` is ``(Xv)[i]^2``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from sympy import Expr, S

from ...deadline import check_time
from ...ir.nodes import Index, Read, Slot, Tensor, indices_of, substitute
from ..forms.atoms import Applied, Total
from ..forms.canonical import Canonical
from ..forms.naming import components, named_sum
from ..forms.polynomial import Monomial

Factors = list[tuple[Expr, Expr]]
MOST_INDICES = 8
"""Bound indices beyond which squares are not looked for."""


@dataclass(frozen=True)
class Opened:
    """A product of sums as one sum over `bound` of a product of factors with their exponents."""

    bound: tuple[Index, ...]
    factors: tuple[tuple[Expr, Expr], ...]


def opened(
    monomial: Iterable[tuple[Expr, Expr]],
    forms: Canonical,
    split: Collection[Expr] = (),
    over: Iterable[Index] = (),
) -> Opened:
    """All sums of a product under one.

    split: entries A[i,j] of positive semidefinite matrices to be written as ``sum_r R[r,i] R[r,j]``.
    over: indices that the product is summed over already.
    """
    bound: list[Index] = list(over)
    factors: Factors = []
    pending = list(monomial)
    while pending:
        atom, exponent = pending.pop()
        if isinstance(atom, Total) and exponent.is_Integer and exponent > 0:
            for _ in range(int(exponent)):
                fresh = {b: forms.fresh(b.extent) for b in atom.bound}
                bound.extend(fresh.values())
                pending.extend(_factors(substitute(atom.body, fresh)))
        elif exponent == 1 and atom in split:
            r = forms.fresh(order(atom))
            bound.append(r)
            factors.extend((root(atom, r, place), S.One) for place in _places(atom)[-2:])
        else:
            factors.append((atom, exponent))
    return Opened(tuple(bound), tuple(factors))


def order(atom: Expr) -> Expr:
    """The number of rows of the matrix that the atom is an entry of."""
    if isinstance(atom, Read):
        return atom.tensor.shape[-1]
    assert isinstance(atom, Applied)
    return atom.extent


def slot_extent(e: Any) -> Expr | None:
    """The size of the axis on which a slot stands."""
    if isinstance(e, Read):
        return next((n for n, i in zip(e.tensor.shape, e.indices, strict=True) if isinstance(i, Slot)), None)
    return next((n for child in e.args if (n := slot_extent(child)) is not None), None)


def slots_of(e: Any) -> list[Slot]:
    """The slots of a matrix, rows first."""
    return sorted(_slots(e), key=lambda s: s.number)


def _slots(e: Any) -> set[Slot]:
    if isinstance(e, Slot):
        return {e}
    return {s for child in (e.indices if isinstance(e, Read) else e.args) for s in _slots(child)}


def root(atom: Expr, r: Index, place: Expr) -> Read:
    """``R[r, place]`` where the matrix of the atom is R'R."""
    if isinstance(atom, Read):
        tensor = replace(atom.tensor, name=f"{atom.tensor.name}^½", facts=frozenset())
        return Read(tensor, (*atom.indices[:-2], r, place))
    assert isinstance(atom, Applied)
    (operand,) = atom.args[2]
    text = operand.tensor.name if isinstance(operand, Read) else str(operand)
    return Read(Tensor(f"inv({text})^½", (r.extent, r.extent)), (r, place))


def _places(atom: Expr) -> tuple[Expr, ...]:
    return atom.indices if isinstance(atom, Read) else atom.places


def _factors(product: Expr) -> Factors:
    return [f.as_base_exp() if f.is_Pow else (f, S.One) for f in product.as_ordered_factors()]


def free_indices(e: Any) -> set[Index]:
    """The indices of an expression that none of its sums binds."""
    if isinstance(e, Index):
        return {e}
    found: set[Index] = set()
    for child in e.indices if isinstance(e, Read) else e.args:
        found |= free_indices(child)
    return found - set(e.bound) if isinstance(e, Total) else found


@dataclass(frozen=True)
class Squares:
    """``sum_spine weight prod_k parts[k]^2`` with a weight that is nonnegative."""

    spine: tuple[Index, ...]
    weight: Monomial
    parts: tuple[Expr, ...]


def squares(product: Opened, nonnegative: Callable[[Expr], bool]) -> Squares | None:
    """The product as a sum of squares, if it is one term by term."""
    if len(product.bound) > MOST_INDICES:
        return None
    for spine in _subsets(product.bound):
        check_time()
        found = _mirrored(product, spine, nonnegative)
        if found is not None:
            return found
    return None


def _mirrored(
    product: Opened, spine: tuple[Index, ...], nonnegative: Callable[[Expr], bool]
) -> Squares | None:
    """Whether, with the spine held fixed, the other indices fall into pairs of equal sums."""
    rest = [b for b in product.bound if b not in spine]
    weight: Factors = []
    odd: Factors = []
    halves: Counter[Expr] = Counter()
    for atom, exponent in product.factors:
        if indices_of(atom) & set(rest):
            odd.append((atom, exponent))
        elif nonnegative(atom) or (exponent.is_Integer and exponent % 2 == 0):
            weight.append((atom, exponent))
        elif exponent.is_Integer and exponent > 0:
            halves[atom] += int(exponent)
        else:
            return None
    touched = set().union(*(indices_of(a) for a, _ in odd)) if odd else set()
    if not set(rest) <= touched:
        return None
    for group, own in components(odd, rest):
        if all(nonnegative(a) or (e.is_Integer and e % 2 == 0) for a, e in group):
            weight.append((named_sum(group, own), S.One))
        else:
            halves[named_sum(group, own)] += 1
    if any(count % 2 for count in halves.values()):
        return None
    parts = tuple(p for p, count in halves.items() for _ in range(count // 2))
    return Squares(spine, frozenset(weight), parts)


def _subsets(bound: tuple[Index, ...]) -> Iterator[tuple[Index, ...]]:
    for size in range(len(bound), -1, -1):
        yield from combinations(bound, size)
