"""What a canonical form is made of beside reads: sums, exponentials, entries of primitives, and reads put in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy
from sympy import Expr, Tuple

from ...ir.nodes import HIDDEN, Bracket, Index, Read, Slot, substitute


class Total(Expr):
    """``sum_bound body`` with one connected product as body, and bound indices that are named canonically."""

    is_commutative = True

    def __new__(cls, body: Expr, bound: Iterable[Index]) -> Total:
        return Expr.__new__(cls, body, Tuple(*bound))

    def _eval_is_real(self) -> bool | None:
        return True if self.body.is_real else None

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


class Turn(Expr):
    """``exp(i m)`` for a monomial m without coefficient: sine and cosine are polynomials in it and its inverse."""

    is_commutative = True
    is_zero = False

    def __new__(cls, angle: Expr) -> Turn:
        return Expr.__new__(cls, angle)

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}


class Signum(Expr):
    """The sign of a form, -1, 0 or 1; its square is not written as a bracket, so that it stays a factor."""

    is_commutative = True
    is_integer = True

    def __new__(cls, value: Expr) -> Signum:
        return Expr.__new__(cls, value)

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}


class Applied(Expr):
    """An entry of what a primitive, a product or a maximum makes of arrays given by the canonical form of their entries."""

    is_commutative = True
    is_real = True

    @property
    def free_symbols(self) -> set[Any]:
        return {self, HIDDEN}

    def _eval_is_positive(self) -> bool | None:
        if self.name == "det":
            return True if self.args[4][1] == 1 else None
        if self.name == "cholesky":
            return True if self.places[0] == self.places[1] else None
        if self.name == "eigh":
            return True if self.args[1] == 0 and self.args[4][1] == 1 else None
        return True if self.is_product and self.args[2][0].body.is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        if self.name == "svd":
            return True if self.args[1] == 1 else None
        return True if self.is_product and self.args[2][0].body.is_nonnegative else None

    def _eval_is_zero(self) -> bool | None:
        return False if self.is_sign else None

    @property
    def name(self) -> str:
        """What is applied."""
        return str(self.args[0])

    @property
    def is_sign(self) -> bool:
        """Whether this is the determinant of an orthogonal matrix, 1 or -1."""
        return self.name == "det" and self.args[4][1] == -1

    @property
    def is_inverse(self) -> bool:
        return self.args[0] == INVERSE

    @property
    def is_product(self) -> bool:
        """Whether this is a product over indices."""
        return self.args[0] == PRODUCT

    @property
    def symmetric(self) -> bool:
        """Whether this is an entry of a symmetric inverse."""
        return self.is_inverse and self.args[4][1] == 1

    @property
    def matrix(self) -> Tuple:
        """What this is applied to: a matrix, and its size."""
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


INVERSE, PRODUCT = sympy.symbols("inv prod")


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
    """``[j = i]`` as ``[i = j]``, ``[j > i]`` as ``[i + 1 <= j]``: conditions on places in one way of writing."""
    condition = _ordered(bracket.condition)
    return bracket if condition == bracket.condition else Bracket(condition)


def _ordered(c: Any) -> Any:
    if isinstance(c, sympy.And):
        return sympy.And(*map(_ordered, c.args))
    if isinstance(c, sympy.Eq | sympy.Ne):
        return c.func(*sorted(c.args, key=str), evaluate=False)
    if not isinstance(c, sympy.core.relational.Relational) or not (c.lhs.is_integer and c.rhs.is_integer):
        return c
    strict = isinstance(c, sympy.StrictLessThan | sympy.StrictGreaterThan)
    terms = sympy.Add.make_args(sympy.expand(c.gts - c.lts - int(strict)))
    less = [-t for t in terms if t.as_coeff_Mul()[0].is_negative]
    more = [t for t in terms if not t.as_coeff_Mul()[0].is_negative]
    return sympy.Le(sympy.Add(*less), sympy.Add(*more), evaluate=False)


def pinched(term: Expr) -> Expr:
    """``[i <= k] [k <= i]`` as ``[i = k]`` in a product."""
    factors = sympy.Mul.make_args(term)
    below = {
        f.condition.args for f in factors if isinstance(f, Bracket) and isinstance(f.condition, sympy.Le)
    }
    lower = {f.places for f in factors if isinstance(f, Applied) and f.name == "cholesky"}
    pairs = {(a, b) for a, b in below if (b, a) in below and str(a) < str(b)} | (below & lower)
    if not pairs:
        return term
    gone = {sympy.Le(*p, evaluate=False) for pair in pairs for p in (pair, pair[::-1])}
    kept = [f for f in factors if not (isinstance(f, Bracket) and f.condition in gone)]
    return sympy.Mul(*kept, *(Bracket(sympy.Eq(a, b, evaluate=False)) for a, b in sorted(pairs, key=str)))


def with_own_slots(e: Expr) -> Expr:
    """A matrix with slots that no matrix outside of it has: what is done to theirs leaves these alone."""
    level = 1 + max((s.number // 2 for s in slots_of(e)), default=0)
    return substitute(e, {Slot(number): Slot(2 * level + number) for number in (0, 1)})


def has_slots(e: Any) -> bool:
    """Whether one of the two slots of a matrix occurs, also inside reads."""
    return not slots_of(e).isdisjoint((Slot(0), Slot(1)))


def slots_of(e: Any) -> set[Slot]:
    if isinstance(e, Slot):
        return {e}
    return {s for child in (e.indices if isinstance(e, Read) else e.args) for s in slots_of(child)}
