"""What a canonical form is made of beside reads: sums, exponentials, entries of primitives, and reads put in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy
from sympy import Expr, Tuple

from ..ir.nodes import HIDDEN, Bracket, Index, Read, Slot, substitute


class Total(Expr):
    """``sum_bound body`` with one connected product as body, and bound indices that are named canonically."""

    is_commutative = True
    is_real = True

    def __new__(cls, body: Expr, bound: Iterable[Index]) -> Total:
        return Expr.__new__(cls, body, Tuple(*bound))

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def bound(self) -> tuple[Index, ...]:
        return tuple(self.args[1])

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}

    def _eval_is_positive(self) -> bool | None:
        return True if self.body.is_positive and all(b.extent.is_positive for b in self.bound) else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.body.is_nonnegative else None


class Grow(Expr):
    """``exp(m)`` for a monomial m without coefficient, so that products of exponentials are products of powers."""

    is_commutative = True
    is_positive = True
    is_real = True

    def __new__(cls, exponent: Expr) -> Grow:
        return Expr.__new__(cls, exponent)

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}


class Applied(Expr):
    """An entry of what a primitive makes of matrices given by the canonical form of their entries."""

    is_commutative = True
    is_real = True

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}

    @property
    def is_inverse(self) -> bool:
        return self.args[0] == INVERSE

    @property
    def symmetric(self) -> bool:
        """Whether this is an entry of a symmetric inverse."""
        return self.is_inverse and self.args[4][1] == 1

    @property
    def matrix(self) -> Tuple:
        """Of an inverse: the matrix, and its size."""
        return Tuple(self.args[2][0], self.extent)

    @property
    def extent(self) -> Expr:
        """The size of the first axis of the first operand."""
        return self.args[4][0]

    @property
    def places(self) -> tuple[Any, ...]:
        return tuple(self.args[3])

    def at(self, places: Iterable[Any]) -> Applied:
        """Another entry of the same result."""
        return Applied(*self.args[:3], Tuple(*places), self.args[4])


INVERSE = sympy.Symbol("inv")


def oriented(read: Read) -> Read:
    """A read of a symmetric matrix, with its places in alphabetical order."""
    if "symmetric" not in read.tensor.facts or len(read.indices) < 2:
        return read
    *batch, i, j = read.indices
    return Read(read.tensor, (*batch, *sorted((i, j), key=str)))


def renamed(e: Any, mapping: Mapping[Any, Any]) -> Any:
    """Other indices in place of some, symmetric reads put in order again."""
    changed = substitute(e, dict(mapping))
    turned = {r: oriented(r) for r in changed.atoms(Read) if "symmetric" in r.tensor.facts}
    turned |= {a: a.at(sorted(a.places, key=str)) for a in changed.atoms(Applied) if a.symmetric}
    turned |= {b: ordered(b) for b in changed.atoms(Bracket)}
    return substitute(changed, {r: o for r, o in turned.items() if r != o})


def ordered(bracket: Bracket) -> Bracket:
    """``[j = i]`` as ``[i = j]``."""
    if not isinstance(bracket.condition, sympy.Eq | sympy.Ne):
        return bracket
    return Bracket(bracket.condition.func(*sorted(bracket.condition.args, key=str), evaluate=False))


def with_own_slots(e: Expr) -> Expr:
    """A matrix with slots that no matrix outside of it has: what is done to theirs leaves these alone."""
    level = 1 + max((s.number // 2 for s in _slots(e)), default=0)
    return substitute(e, {Slot(number): Slot(2 * level + number) for number in (0, 1)})


def _slots(e: Any) -> set[Slot]:
    if isinstance(e, Slot):
        return {e}
    return {s for child in (e.indices if isinstance(e, Read) else e.args) for s in _slots(child)}
