"""Canonical forms in which absolute values, the larger of two, conditions and sines stay atoms with a sign of their own."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr

from ...ir.nodes import Bracket, reads_of
from ...ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign
from ..forms.atoms import Applied, Signum, Total, ordered
from ..forms.canonical import Canonical
from ..forms.polynomial import Polynomial, monic


class Forms(Canonical):
    """Canonical forms for signs: ``|u|`` is nonnegative, which ``sign(u) u`` does not show."""

    def form(self, e: Expr) -> Polynomial:
        match e:
            case Maximum() | Minimum() | sympy.sin() | sympy.cos():
                found = e.func(*(self.form(a).expression() for a in e.args))
                return Polynomial.of(found) if isinstance(found, type(e)) else super().form(found)
            case Bracket():
                bracket = Bracket(self._condition(e.condition))
                bracket = ordered(bracket) if isinstance(bracket, Bracket) else bracket
                return Polynomial.of(bracket) if isinstance(bracket, Bracket) else Polynomial.number(bracket)
            case Signum():
                return self.sign(self.form(e.args[0]))
        return super().form(e)

    def _condition(self, c: Any) -> Any:
        """A condition on the canonical forms of what it compares."""
        if isinstance(c, sympy.And | sympy.Or | sympy.Not):
            return c.func(*map(self._condition, c.args))
        if isinstance(c, sympy.core.relational.Relational) and reads_of(c):
            return c.func(*(self.form(x).expression() for x in c.args))
        return c

    def absolute(self, form: Polynomial) -> Polynomial:
        """``|u v|`` is ``|u| |v|``."""
        if form.is_zero or form.expression().is_nonnegative:
            return form
        single = form.single()
        if single is not None and all(e.is_Integer for _, e in single[0]):
            parts = [self._modulus(a, e) for a, e in single[0]]
            return Polynomial.product(parts).scaled(abs(single[1]))
        content, primitive = monic(form)
        return Polynomial.of(Absolute(primitive.expression())).scaled(abs(content))

    def _modulus(self, atom: Expr, exponent: Expr) -> Polynomial:
        if atom.is_nonnegative or exponent % 2 == 0:
            return Polynomial.monomial([(atom, exponent)])
        found = Absolute(atom)
        return Polynomial.of(found, exponent) if isinstance(found, Absolute) else self.power(self.form(found), exponent)

    def sign(self, form: Polynomial) -> Polynomial:
        """The sign as a function of the form."""
        found = Sign(form.expression())
        return Polynomial.of(found) if isinstance(found, Sign) else Polynomial.number(found)


def over(a: Applied) -> Total:
    """What a maximum, a minimum or a product over indices runs over."""
    total: Total = a.args[2][0]
    return total


def is_plain(form: Polynomial) -> bool:
    """Whether coefficients and exponents are rational numbers, which is what signs are known of."""
    return all(c.is_Rational and all(e.is_Rational for _, e in m) for m, c in form)
