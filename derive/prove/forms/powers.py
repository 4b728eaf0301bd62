"""Canonical forms of powers, exponentials, sines and logarithms: each of a product by its factors, where that is allowed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import sympy
from sympy import Expr, Pow, S

from ...ir.nodes import Bracket, Index, Read, indices_of, substitute
from ...ops.elementwise.piecewise import Absolute
from .atoms import Applied, Grow, Signum, Turn
from .polynomial import Monomial, Polynomial, as_expression, common_factor, monic
from .switches import choice, switch


def anywhere(e: Expr) -> Expr:
    """An expression with its indices called by the order in which they stand: it is the same at all places."""
    found = sorted(indices_of(e), key=str)
    return substitute(e, {i: Index(f"at{n}", i.extent) for n, i in enumerate(found)}) if found else e


class Powers(ABC):
    """What `Scalars` makes of powers, given the forms of other expressions.

    assumed: what is positive wherever the claim says anything, since its logarithm is taken.
    """

    assumed: frozenset[Expr] = frozenset()

    @abstractmethod
    def entry(self, read: Read) -> Polynomial:
        """The entry of a tensor at these places."""

    @abstractmethod
    def total(self, form: Polynomial, bound: tuple[Index, ...]) -> Polynomial:
        """The sum of a form over indices."""

    @abstractmethod
    def fresh(self, extent: Expr) -> Index:
        """An index that nothing else uses."""

    @abstractmethod
    def form(self, e: Expr) -> Polynomial:
        """The canonical form of an expression over reads, indices and sizes."""

    @abstractmethod
    def absolute(self, form: Polynomial) -> Polynomial:
        """The absolute value of a form."""

    def apart(
        self, argument: Polynomial, function: Callable[[Polynomial], Polynomial], zero: bool = True
    ) -> Polynomial | None:
        """``f(a + b y) = (1 - y) f(a) + y f(a + b)`` for a binary y, and ``f(sum_k y[k] u[k]) = sum_k y[k] f(u[k])``.

        zero: whether the function has a value at 0.
        """
        if (found := switch(argument)) is not None:
            entry, off, on = found
            if not zero and (off.is_zero or on.is_zero):
                return None
            y = Polynomial.of(entry)
            return function(off) * (Polynomial.number(1) - y) + function(on) * y
        if (chosen := choice(argument)) is not None:
            hot, rest, k = chosen
            own = self.fresh(k.extent)
            inner = self.form(substitute(rest, {k: own}))
            if zero or not inner.is_zero:
                return self.total(Polynomial.of(substitute(hot, {k: own})) * function(inner), (own,))
        return None

    # -- powers

    def power(self, base: Polynomial, exponent: Expr) -> Polynomial:
        """A power: expanded if the exponent is a small natural number, else of each factor where that is allowed."""
        if not exponent.is_Rational:
            known = self.form(exponent)
            if known.constant is None or not known.constant.is_Rational:
                return self.symbolic_power(base, known, bool(exponent.is_integer))
            exponent = known.constant
        if exponent.is_Integer and 0 <= exponent <= 6:
            return base.power(int(exponent))
        if base.is_zero:
            return Polynomial.of(Pow(S.Zero, exponent, evaluate=False))
        if (apart := self.apart(base, lambda b: self.power(b, exponent), zero=False)) is not None:
            return apart
        single = base.single()
        if single is not None:
            return self.power_of_monomial(*single, exponent)
        if (fraction := self.fraction(base)) is not None:
            numerator, divisors = fraction
            if exponent.is_Integer or all(self.nonnegative(a) for a, _ in divisors):
                below = Polynomial.monomial((a, e * exponent) for a, e in divisors)
                return self.power(numerator, exponent) * below
        common = common_factor(base, integral=bool(exponent.is_Integer))
        if not common and (2 * exponent).is_Integer:
            common = frozenset((a, e) for a, e in common_factor(base, integral=True) if e.is_even)
            if common:
                rest = base * Polynomial.monomial((a, -e) for a, e in common)
                moduli = (self.power(self.absolute(Polynomial.of(a)), e * exponent) for a, e in common)
                return Polynomial.product(moduli) * self.power(rest, exponent)
        if common:
            rest = base * Polynomial.monomial((a, -e) for a, e in common)
            outside = Polynomial.monomial((a, e * exponent) for a, e in common)
            return outside * self.power(rest, exponent)
        content, primitive = monic(base)
        if not (exponent.is_Integer or content.is_positive):
            content, primitive = S.One, base
        return number_power(content, exponent) * Polynomial.of(primitive.expression(), exponent)

    def power_of_monomial(self, monomial: Monomial, coefficient: Expr, exponent: Expr) -> Polynomial:
        """Of each factor for a whole exponent; a root only of what cannot be negative: ``(x^2)^(1/2)`` is ``|x|``."""
        if exponent.is_Integer:
            factors = [(a, e * exponent) for a, e in monomial]
            return number_power(coefficient, exponent) * Polynomial.monomial(factors)
        if coefficient.is_positive:
            if len(monomial) == 1 and next(iter(monomial))[1] == 1:
                ((atom, _),) = monomial
                return number_power(coefficient, exponent) * Polynomial.of(atom, exponent)
            roots = [self.root(a, e, exponent) for a, e in monomial]
            if all(r is not None for r in roots):
                return number_power(coefficient, exponent) * Polynomial.product(
                    r for r in roots if r is not None
                )
        return Polynomial.of(coefficient * as_expression(monomial), exponent)

    def fraction(self, form: Polynomial) -> tuple[Polynomial, Monomial] | None:
        """A sum with sums in denominators as one numerator, and what it is multiplied by."""
        least: dict[Expr, Expr] = {}
        for monomial, _ in form:
            for atom, exponent in monomial:
                if atom.is_Add and exponent.is_Integer:
                    least[atom] = min(least.get(atom, S.Zero), exponent)
        divisors = frozenset((atom, e) for atom, e in least.items() if e < 0)
        if not divisors or len(form.terms) < 2:
            return None
        parts = []
        for monomial, coefficient in form:
            exponents = dict(monomial)
            raised = [(atom, exponents.pop(atom, S.Zero) - e) for atom, e in divisors]
            whole = Polynomial({frozenset(exponents.items()): coefficient})
            parts.append(whole * Polynomial.product(self.multiplied_out(a, e) for a, e in raised))
        return Polynomial.sum(parts), divisors

    def multiplied_out(self, atom: Expr, exponent: Expr) -> Polynomial:
        """A positive power of a sum, its whole part written out."""
        natural = sympy.floor(exponent)
        whole = self.form(atom).power(int(natural))
        return whole if natural == exponent else whole * Polynomial.of(atom, exponent - natural)

    def nonnegative(self, atom: Expr) -> bool:
        """Whether an atom cannot be negative, or is not wherever the claim says anything."""
        return bool(atom.is_nonnegative) or (bool(self.assumed) and anywhere(atom) in self.assumed)

    def root(self, atom: Expr, own: Expr, exponent: Expr) -> Polynomial | None:
        """``(atom^own)^exponent`` where the inner power cannot be negative."""
        if self.nonnegative(atom):
            return Polynomial.monomial([(atom, own * exponent)])
        if (own / 2).is_Integer and (own * exponent).is_Integer:
            return self.power(self.absolute(Polynomial.of(atom)), own * exponent)
        return None

    def symbolic_power(self, base: Polynomial, exponent: Polynomial, whole: bool) -> Polynomial:
        """A power with an exponent that is no number: of each factor where all are positive, or the exponent is whole."""
        opaque = Polynomial.of(Pow(base.expression(), exponent.expression(), evaluate=False))
        if base.is_zero:
            return opaque
        if (apart := self.apart(exponent, lambda e: self.power(base, e.expression()))) is not None:
            return apart
        if (
            apart := self.apart(base, lambda b: self.power(b, exponent.expression()), zero=False)
        ) is not None:
            return apart
        common = common_factor(base, integral=False)
        if base.single() is None and common:
            rest = base * Polynomial.monomial((a, -e) for a, e in common)
            outside = self.symbolic_power(Polynomial.monomial(common), exponent, whole)
            return outside * self.symbolic_power(rest, exponent, whole)
        if base.single() is None:
            content, primitive = monic(base)
            if not content.is_Rational:
                return opaque
            if content.is_negative:
                content, primitive = -content, primitive.scaled(S.NegativeOne)
            monomial: Monomial = frozenset({(primitive.expression(), S.One)})
        else:
            monomial, content = base.single() or (frozenset(), S.One)
        every = [(a, e) for a, e in factored_number(content)] + list(monomial)
        if any(isinstance(a, Bracket | Signum | Turn) for a, _ in every):
            return opaque
        if all(a.is_positive for a, _ in every) or (
            whole and _whole_terms(exponent) and _whole_powers(every)
        ):
            return Polynomial.product(self.raised(a, e, exponent) for a, e in every)
        if content.is_positive and len(monomial) == 1 and next(iter(monomial))[1] == 1:
            ((atom, _),) = monomial
            inner = Polynomial.of(Pow(atom, exponent.expression(), evaluate=False))
            return (
                Polynomial.product(self.raised(a, e, exponent) for a, e in factored_number(content)) * inner
            )
        return opaque

    def raised(self, atom: Expr, own: Expr, exponent: Polynomial) -> Polynomial:
        """``(atom^own)^exponent``: sizes stay in the exponent, what depends on indices or entries makes an atom."""
        if isinstance(atom, Grow):
            return self.exponential(self.form(atom.args[0]) * exponent.scaled(own))
        factors: list[tuple[Expr, Expr]] = []
        for monomial, coefficient in exponent:
            expression = as_expression(monomial)
            if _of_sizes(expression):
                factors.append((atom, own * coefficient * expression))
            else:
                factors.append((Pow(atom, expression, evaluate=False), own * coefficient))
        return Polynomial.monomial(factors)

    # -- exponentials and circular functions

    def exponential(self, argument: Polynomial) -> Polynomial:
        """``exp(c m + d n)`` is ``exp(m)^c exp(n)^d``; ``exp(a log(u))`` is ``u^a``."""
        if (apart := self.apart(argument, self.exponential)) is not None:
            return apart
        plain = [(m, c) for m, c in argument if c.is_Rational]
        factors: list[tuple[Expr, Expr]] = []
        powers = Polynomial.number(1)
        for monomial, coefficient in plain:
            logarithm = next((a for a, e in monomial if isinstance(a, sympy.log) and e == 1), None)
            if logarithm is None:
                factors.append((Grow(as_expression(monomial)), coefficient))
            else:
                rest = coefficient * as_expression(monomial - {(logarithm, S.One)})
                powers = powers * self.power(self.form(logarithm.args[0]), rest)
        if len(plain) < len(argument.terms):  # sines, complex term by term, stay together
            curved = Polynomial({m: c for m, c in argument if not c.is_Rational})
            size = abs(monic(curved)[0])
            scale = size if size.is_Rational else S.One
            factors.append((Grow(curved.scaled(1 / scale).expression()), scale))
        return powers * Polynomial.monomial(factors)

    def turned(self, angle: Expr) -> tuple[Polynomial, Polynomial]:
        """``exp(i x)`` and its inverse."""
        form = self.form(angle)
        if not all(c.is_Rational for _, c in form):
            form = Polynomial.of(form.expression())
        turn = Polynomial.monomial((Turn(as_expression(m)), c) for m, c in form)
        return turn, Polynomial.monomial((Turn(as_expression(m)), -c) for m, c in form)

    # -- logarithms

    def logarithm(self, argument: Polynomial) -> Polynomial:
        """Of a product of factors that cannot be negative the sum of theirs; of an even power that of the absolute value."""
        if (apart := self.apart(argument, self.logarithm, zero=False)) is not None:
            return apart
        single = argument.single()
        if single is None:
            return self.logarithm_of_sum(argument)
        monomial, coefficient = single
        known: list[Polynomial] = []
        rest = dict(monomial)
        for atom, exponent in monomial:
            if atom not in rest or isinstance(atom, Signum):
                continue
            sign, odd = Signum(atom), exponent.is_Integer and exponent % 2
            if self.nonnegative(atom):
                known.append(self.log_of_atom(atom).scaled(exponent))
            elif exponent.is_even or (odd and rest.get(sign) == 1):
                known.append(self.log_of_modulus(atom).scaled(exponent))
                rest.pop(sign, None) if odd else None
            else:
                continue
            rest.pop(atom)
        number = abs(coefficient) if coefficient.is_Rational else S.One
        left = coefficient / number * as_expression(frozenset(rest.items()))
        known.append(self.log_of_number(number))
        if len(rest) == 1 and left == as_expression(frozenset(rest.items())):
            ((atom, exponent),) = rest.items()
            plain = exponent.is_Integer or exponent.is_Rational
            known.append(
                Polynomial.of(sympy.log(atom)).scaled(exponent) if plain else Polynomial.of(sympy.log(left))
            )
        elif left != 1:
            known.append(Polynomial.of(sympy.log(left)))
        return Polynomial.sum(known)

    def logarithm_of_sum(self, argument: Polynomial) -> Polynomial:
        """Positive factors of all terms come out, and the first coefficient up to its sign."""
        if (fraction := self.fraction(argument)) is not None:
            numerator, divisors = fraction
            known = [a for a, _ in divisors if self.nonnegative(a)]
            whole = numerator * Polynomial.monomial((a, e) for a, e in divisors if a not in known)
            if numerator.single() is not None or len(known) == len(divisors):
                logs = [self.log_of_atom(a).scaled(e) for a, e in divisors if a in known]
                return self.logarithm(whole) + Polynomial.sum(logs)
        shared = common_factor(argument, integral=True) | common_factor(argument, integral=False)
        common = frozenset((a, e) for a, e in shared if self.nonnegative(a))
        if common:
            rest = argument * Polynomial.monomial((a, -e) for a, e in common)
            return self.logarithm(Polynomial.monomial(common)) + self.logarithm(rest)
        content, _ = monic(argument)
        size = abs(content) if content.is_Rational else S.One
        inner = sympy.log(argument.scaled(1 / size).expression())
        return self.log_of_number(size) + Polynomial.of(inner)

    def log_of_atom(self, atom: Expr) -> Polynomial:
        """The logarithm of an atom that cannot be negative."""
        if isinstance(atom, Grow):
            return self.form(atom.args[0])
        if isinstance(atom, Pow) and atom.base.is_positive:
            return self.logarithm(self.form(atom.base)) * self.form(atom.exp)
        if isinstance(atom, Applied) and atom.is_product and atom.is_positive:
            over = atom.args[2][0]
            return self.total(self.logarithm(self.form(over.body)), over.bound)
        if atom.is_Integer:
            return self.log_of_number(atom)
        return Polynomial.of(sympy.log(atom))

    def log_of_modulus(self, atom: Expr) -> Polynomial:
        """``log |u|``."""
        if isinstance(atom, Applied) and atom.is_sign:
            return Polynomial.number(0)
        if isinstance(atom, Applied) and atom.is_product:
            over = atom.args[2][0]
            return self.total(self.form(sympy.log(Absolute(over.body))), over.bound)
        return Polynomial.of(sympy.log(Absolute(atom)))

    def log_of_number(self, number: Expr) -> Polynomial:
        """By the prime factors of numerator and denominator."""
        if not number.is_Rational:
            return Polynomial.of(sympy.log(number))
        factors = sympy.factorrat(number)
        return Polynomial.sum(Polynomial.of(sympy.log(p)).scaled(e) for p, e in factors.items() if p != 1)


def _of_sizes(e: Expr) -> bool:
    """Whether an expression is made of numbers and sizes alone."""
    return all(isinstance(a, sympy.Symbol | sympy.Rational) for a in e.atoms()) and not indices_of(e)


def _whole_terms(exponent: Polynomial) -> bool:
    """Whether every term of an exponent is whole by itself."""
    return all(c.is_Integer and as_expression(m).is_integer for m, c in exponent)


def _whole_powers(factors: list[tuple[Expr, Expr]]) -> bool:
    return all(e.is_integer for _, e in factors)


def factored_number(number: Expr) -> list[tuple[Expr, Expr]]:
    """A coefficient as powers of primes and -1."""
    if not number.is_Rational:
        return [(number, S.One)]
    factors = [(S(p), S(e)) for p, e in sympy.factorrat(abs(number)).items() if p != 1]
    return factors + ([(S.NegativeOne, S.One)] if number < 0 else [])


def number_power(number: Expr, exponent: Expr) -> Polynomial:
    """A power of a coefficient, with the primes that have no whole exponent as atoms."""
    if exponent.is_Integer:
        power = number**exponent
        return Polynomial.number(power if power.is_Rational else sympy.expand(power, complex=True))
    return Polynomial.monomial((p, e * exponent) for p, e in factored_number(number))
