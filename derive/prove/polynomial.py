"""Polynomials in any atoms with rational exponents: what a canonical form is added and multiplied in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket

Monomial = frozenset[tuple[Expr, Expr]]
"""Atoms with their exponents, rational numbers."""
ONE: Monomial = frozenset()
LARGEST = 4_000
"""Terms beyond which an expression is not expanded."""


class TooLarge(Exception):
    """A form with more terms than it is worth to write out."""


@dataclass(frozen=True, eq=False)
class Polynomial:
    """A sum of monomials with rational coefficients; equal ones have equal `terms`."""

    terms: dict[Monomial, Expr]

    @staticmethod
    def of(atom: Expr, exponent: Any = S.One) -> Polynomial:
        return Polynomial({frozenset({(atom, S(exponent))}): S.One})

    @staticmethod
    def number(value: Any) -> Polynomial:
        return Polynomial({ONE: S(value)} if value != 0 else {})

    @staticmethod
    def sum(parts: Iterable[Polynomial]) -> Polynomial:
        terms: dict[Monomial, Expr] = {}
        for part in parts:
            for monomial, coefficient in part.terms.items():
                total = terms.get(monomial, S.Zero) + coefficient
                if total == 0:
                    terms.pop(monomial, None)
                else:
                    terms[monomial] = total
        return Polynomial(terms)

    @staticmethod
    def product(parts: Iterable[Polynomial]) -> Polynomial:
        return reduce(lambda a, b: a * b, parts, Polynomial.number(1))

    def __add__(self, other: Polynomial) -> Polynomial:
        return Polynomial.sum((self, other))

    def __sub__(self, other: Polynomial) -> Polynomial:
        return Polynomial.sum((self, other.scaled(S.NegativeOne)))

    def __mul__(self, other: Polynomial) -> Polynomial:
        if len(self.terms) * len(other.terms) > LARGEST:
            raise TooLarge
        return Polynomial.sum(
            Polynomial({times(m, n): c * d}) for m, c in self.terms.items() for n, d in other.terms.items()
        )

    def power(self, exponent: int) -> Polynomial:
        return Polynomial.product([self] * exponent)

    def scaled(self, number: Any) -> Polynomial:
        return Polynomial({m: c * number for m, c in self.terms.items()} if number != 0 else {})

    @property
    def is_zero(self) -> bool:
        return not self.terms

    @property
    def constant(self) -> Expr | None:
        """The number that this is, if it is one."""
        if not self.terms:
            return S.Zero
        return self.terms[ONE] if set(self.terms) == {ONE} else None

    def single(self) -> tuple[Monomial, Expr] | None:
        """The only term, if there is just one."""
        return next(iter(self.terms.items())) if len(self.terms) == 1 else None

    def expression(self) -> Expr:
        """As a SymPy expression, in an order of its own."""
        return sympy.Add(*(c * as_expression(m) for m, c in self.terms.items()))

    def __iter__(self) -> Iterator[tuple[Monomial, Expr]]:
        return iter(self.terms.items())


def times(a: Monomial, b: Monomial) -> Monomial:
    """The product of two monomials."""
    if not a or not b:
        return a or b
    exponents = dict(a)
    for atom, exponent in b:
        total = exponents.get(atom, S.Zero) + exponent
        if total == 0:
            exponents.pop(atom, None)
        else:
            exponents[atom] = S.One if isinstance(atom, Bracket) else total
    return frozenset(exponents.items())


def as_expression(monomial: Monomial) -> Expr:
    return sympy.Mul(*(atom**exponent for atom, exponent in monomial))


def collected(factors: Iterable[tuple[Expr, Expr]]) -> Monomial:
    exponents: dict[Expr, Expr] = {}
    for atom, exponent in factors:
        exponents[atom] = exponents.get(atom, S.Zero) + exponent
    return frozenset((a, e) for a, e in exponents.items() if e != 0)


def common_factor(form: Polynomial, integral: bool) -> Monomial:
    """The monomial that divides every term and leaves no negative exponents: of ``1 + 1/E`` it is ``1/E``.

    Without `integral`, positive atoms only: those of which any power may be taken.
    """
    least: dict[Expr, Expr] = {}
    count: dict[Expr, int] = {}
    for monomial, _ in form:
        for atom, exponent in monomial:
            least[atom] = min(least.get(atom, exponent), exponent)
            count[atom] = count.get(atom, 0) + 1
    found = {a: e if count[a] == len(form.terms) else min(e, S.Zero) for a, e in least.items()}
    return frozenset(
        (a, e) for a, e in found.items() if e != 0 and (a.is_positive or (integral and e.is_Integer))
    )


def monic(form: Polynomial) -> tuple[Expr, Polynomial]:
    """A number times a form whose first coefficient is 1, in an order that no renaming changes."""
    leading = min(form.terms, key=lambda m: sorted(str(a**e) for a, e in m))
    content = form.terms[leading]
    return content, form.scaled(1 / content)
