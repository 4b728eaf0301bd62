"""Polynomials in any atoms with rational exponents: what a canonical form is added and multiplied in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy
from sympy import Expr, S

from ...deadline import check_time
from ...ir.nodes import Bracket, Read
from .atoms import Applied, Signum, Turn

Monomial = frozenset[tuple[Expr, Expr]]
"""Atoms with their exponents: rational numbers, or polynomials in sizes."""
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
    def monomial(factors: Iterable[tuple[Expr, Expr]], coefficient: Any = S.One) -> Polynomial:
        """The product of powers of atoms, equal atoms collected."""
        monomial, number = collected(factors)
        return Polynomial({monomial: number * coefficient})

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
        check_time()
        if len(self.terms) * len(other.terms) > LARGEST:
            raise TooLarge
        return Polynomial.sum(
            _term(m, c, n, d) for m, c in self.terms.items() for n, d in other.terms.items()
        )

    def power(self, exponent: int) -> Polynomial:
        return Polynomial.product([self] * exponent)

    def scaled(self, number: Any) -> Polynomial:
        return Polynomial({m: _product(c, number) for m, c in self.terms.items()} if number != 0 else {})

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


def _term(a: Monomial, c: Expr, b: Monomial, d: Expr) -> Polynomial:
    """The product of two terms."""
    if not a or not b:
        return Polynomial({a or b: _product(c, d)})
    monomial, number = collected((*a, *b))
    return Polynomial({monomial: _product(_product(c, d), number)})


def _product(a: Any, b: Any) -> Expr:
    """Of two coefficients; complex ones as ``p + q i``."""
    found = S(a) * b
    return found if found.is_Rational else sympy.expand(found, complex=True)


def reciprocal(number: Expr) -> Expr:
    """Of a coefficient."""
    return 1 / number if number.is_Rational else sympy.expand(1 / number, complex=True)


def as_expression(monomial: Monomial) -> Expr:
    return sympy.Mul(*(atom**exponent for atom, exponent in monomial))


def collected(factors: Iterable[tuple[Expr, Expr]]) -> tuple[Monomial, Expr]:
    """Equal atoms in one power each, and the number that comes out of powers of numbers."""
    exponents: dict[Expr, Expr] = {}
    number: Expr = S.One
    for atom, exponent in factors:
        exponents[atom] = exponents.get(atom, S.Zero) + exponent
    settled = []
    for atom, exponent in exponents.items():
        if not exponent.is_Rational:
            exponent = sympy.expand(exponent)
        if isinstance(atom, Bracket | Signum | Turn | Read | Applied) or atom.is_Integer:
            exponent, factor = _settled(atom, exponent)
            number = number if factor == 1 else _product(number, factor)
        if exponent != 0:
            settled.append((atom, exponent))
    return frozenset(settled), number


def _settled(atom: Expr, exponent: Expr) -> tuple[Expr, Expr]:
    """The least exponent that says the same, and a number: ``[c]^2 = [c]``, ``sign^3 = sign``, ``2^(3/2) = 2 2^(1/2)``."""
    match atom:
        case Bracket() if exponent.is_positive:
            return S.One, S.One
        case Signum() if exponent.is_Integer and exponent != 0:
            return (S.One if exponent % 2 else S(2)), S.One
        case Turn() if atom.args[0] == sympy.pi and exponent.is_Rational:
            quarters = sympy.floor(2 * exponent)
            return exponent - quarters / 2, sympy.I**quarters
        case Read() if exponent.is_positive and atom.tensor.facts & {"binary", "one-hot"}:
            return S.One, S.One
        case Applied() if exponent.is_Integer and atom.is_sign:
            return exponent % 2, S.One
        case sympy.Integer():
            constant, rest = exponent.as_coeff_Add()
            if atom == -1:
                rest = sympy.Add(*(_parity(term) for term in sympy.Add.make_args(rest)))
                return (rest, atom**constant) if constant.is_Integer else (rest + constant, S.One)
            whole = sympy.floor(constant)
            return rest + constant - whole, atom**whole
    return exponent, S.One


def _parity(term: Expr) -> Expr:
    """A term of an exponent of -1, modulo 2."""
    number, rest = term.as_coeff_Mul()
    return (number % 2) * rest if number.is_Integer and rest.is_integer else term


def common_factor(form: Polynomial, integral: bool) -> Monomial:
    """The monomial that divides every term and leaves no negative exponents: of ``1 + 1/E`` it is ``1/E``.

    Without `integral`, positive atoms only: those of which any power may be taken.
    """
    least: dict[Expr, Expr] = {}
    count: dict[Expr, int] = {}
    for monomial, _ in form:
        for atom, exponent in monomial:
            if not exponent.is_Rational:
                continue
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
    return content, form.scaled(reciprocal(content))
