"""Canonical forms of scalar expressions: which function is written in which others; signs and conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr, Pow, S

from ...deadline import check_time
from ...ir.nodes import Bracket, Index, Read, Slot, Where
from ...ops.elementwise import op_of_head
from ...ops.elementwise.exponential import sigmoid
from ...ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign
from .atoms import Applied, Grow, Signum, Total, Turn, ordered
from .polynomial import Polynomial, common_factor, monic
from .powers import Powers, anywhere

REWRITTEN: dict[type, Callable[..., Expr]] = {
    sigmoid: lambda x: sympy.exp(x) / (1 + sympy.exp(x)),
    sympy.tanh: lambda x: (sympy.exp(2 * x) - 1) / (sympy.exp(2 * x) + 1),
    sympy.cosh: lambda x: (sympy.exp(x) + sympy.exp(-x)) / 2,
    sympy.sinh: lambda x: (sympy.exp(x) - sympy.exp(-x)) / 2,
    sympy.atanh: lambda x: (sympy.log(1 + x) - sympy.log(1 - x)) / 2,
    sympy.asinh: lambda x: sympy.log(x + sympy.sqrt(x**2 + 1)),
    sympy.acosh: lambda x: sympy.log(x + sympy.sqrt(x + 1) * sympy.sqrt(x - 1)),
    sympy.tan: lambda x: sympy.sin(x) / sympy.cos(x),
    sympy.erfc: lambda x: 1 - sympy.erf(x),
    sympy.acos: lambda x: sympy.pi / 2 - sympy.asin(x),
    Maximum: lambda a, b: (a + b + Absolute(a - b)) / 2,
    Minimum: lambda a, b: (a + b - Absolute(a - b)) / 2,
}
"""Functions in terms of exponentials, logarithms, sines and absolute values; others by the definition in their record."""


def expansion(head: type) -> Callable[..., Expr] | None:
    """A function in terms of simpler ones."""
    op = op_of_head(head)
    return REWRITTEN.get(head) or (op.definition if op is not None else None)


RELATIONS: dict[type, Callable[[Polynomial], Polynomial]] = {
    sympy.StrictGreaterThan: lambda s: (s * s + s).scaled(S.Half),
    sympy.StrictLessThan: lambda s: (s * s - s).scaled(S.Half),
    sympy.GreaterThan: lambda s: Polynomial.number(1) - (s * s - s).scaled(S.Half),
    sympy.LessThan: lambda s: Polynomial.number(1) - (s * s + s).scaled(S.Half),
    sympy.Ne: lambda s: s * s,
    sympy.Eq: lambda s: Polynomial.number(1) - s * s,
}
"""Conditions on the sign of ``left - right``, as polynomials in that sign."""


class Scalars(Powers):
    """Canonical forms of scalar expressions over whatever `entry` knows."""

    def form(self, e: Expr) -> Polynomial:
        """The canonical form of an expression over reads, indices and sizes."""
        check_time()
        if e.is_Rational:
            return Polynomial.number(e)
        match e:
            case Read():
                return self.entry(e)
            case Total():
                return self.total(self.form(e.body), e.bound)
            case sympy.Add():
                return Polynomial.sum(map(self.form, e.args))
            case sympy.Mul():
                return Polynomial.product(map(self.form, e.args))
            case sympy.core.numbers.Exp1():
                return self.exponential(Polynomial.number(1))
            case sympy.core.numbers.ImaginaryUnit():
                return Polynomial.number(e)
            case sympy.Pow():
                return self.power(self.form(e.base), e.exp)
            case sympy.exp() | Grow():
                return self.exponential(self.form(e.args[0]))
            case sympy.log():
                return self.logarithm(self.form(e.args[0]))
            case sympy.sin():
                turn, back = self.turned(e.args[0])
                return (turn - back).scaled(-sympy.I / 2)
            case sympy.cos():
                turn, back = self.turned(e.args[0])
                return (turn + back).scaled(S.Half)
            case Absolute() | sympy.Abs():
                return self.absolute(self.form(e.args[0]))
            case Sign() | Signum() | sympy.sign():
                return self.sign(self.form(e.args[0]))
            case Where():
                chosen, other = Bracket(e.args[0]), Bracket(sympy.Not(e.args[0]))
                return self.form(chosen) * self.form(e.args[1]) + self.form(other) * self.form(e.args[2])
            case Bracket():
                return self.condition(e.condition)
            case Applied() | Turn() | Index() | Slot() | sympy.Symbol():
                return Polynomial.of(e)
        if (rule := expansion(e.func)) is not None:
            return self.form(rule(*e.args))
        if e.is_number or not e.args:
            return Polynomial.of(e)
        return self.odd(e) or Polynomial.of(e.func(*(self.form(a).expression() for a in e.args)))

    def odd(self, e: Expr) -> Polynomial | None:
        """An odd function of a form whose first coefficient is positive."""
        if not isinstance(e, sympy.erf | sympy.atan | sympy.asin):
            return None
        argument = self.form(e.args[0])
        if argument.is_zero or monic(argument)[0].is_negative is not True:
            return None
        inner = argument.scaled(S.NegativeOne).expression()
        return Polynomial.of(e.func(inner, evaluate=False)).scaled(S.NegativeOne)

    # -- signs and conditions

    def absolute(self, form: Polynomial) -> Polynomial:
        """``|u| = sign(u) u``."""
        return form if self.nonnegative(form.expression()) else self.sign(form) * form

    def sign(self, form: Polynomial) -> Polynomial:
        """The product of the signs of factors; that of a sum is an atom unless all terms are positive."""
        if form.is_zero:
            return form
        if (apart := self.apart(form, self.sign)) is not None:
            return apart
        single = form.single()
        if single is not None and single[1].is_Rational:
            factors = [f for a, e in single[0] for f in _sign_factors(a, e)]
            return Polynomial.monomial(factors, sympy.sign(single[1]))
        common = common_factor(form, integral=True)
        if common:
            rest = form * Polynomial.monomial((a, -e) for a, e in common)
            return self.sign(Polynomial.monomial(common)) * self.sign(rest)
        content, primitive = monic(form)
        if not content.is_Rational:
            return Polynomial.of(Signum(form.expression()))
        expression = form.expression()
        if (fraction := self.fraction(form)) is not None:
            numerator, divisors = fraction
            return self.sign(numerator) * self.sign(Polynomial.monomial(divisors))
        if self.assumed and {anywhere(expression), anywhere(primitive.expression())} & self.assumed:
            return Polynomial.number(1 if anywhere(expression) in self.assumed or content.is_positive else -1)
        if expression.is_positive or expression.is_negative:
            return Polynomial.number(1 if expression.is_positive else -1)
        if (compared := self.compared(primitive)) is not None:
            return compared.scaled(sympy.sign(content))
        return Polynomial.of(Signum(primitive.expression())).scaled(sympy.sign(content))

    def compared(self, form: Polynomial) -> Polynomial | None:
        """The sign of ``a - b``, for exponentials a and b, is that of ``log(a) - log(b)``; and of logarithms that of
        what they are taken of.
        """
        if len(form.terms) != 2:
            return None
        (m, c), (n, d) = form
        if c == -d and all(len(x) == 1 and isinstance(a, sympy.log) and e == 1 for x in (m, n) for a, e in x):
            ((a, _),), ((b, _),) = m, n
            return self.sign((self.form(a.args[0]) - self.form(b.args[0])).scaled(sympy.sign(c)))
        if not (c * d).is_negative or not all(isinstance(a, Grow) for a, _ in m | n):
            return None
        sides = [self.logarithm(Polynomial({x: abs(y)})) for x, y in ((m, c), (n, d))]
        return self.sign((sides[0] - sides[1]).scaled(sympy.sign(c)))

    def condition(self, c: Any) -> Polynomial:
        """``[c]``; conditions on real values in terms of signs, conditions on indices as they are."""
        if not _about_values(c):
            return self.form_of_bracket(Bracket(c))
        match c:
            case sympy.And():
                plain = [a for a in c.args if not _about_values(a)]
                parts = [self.condition(a) for a in c.args if _about_values(a)]
                return Polynomial.product([self.form_of_bracket(Bracket(sympy.And(*plain))), *parts])
            case sympy.Or():
                one = Polynomial.number(1)
                return one - Polynomial.product(one - self.condition(a) for a in c.args)
            case sympy.Not():
                return Polynomial.number(1) - self.condition(c.args[0])
        if type(c) in RELATIONS:
            return RELATIONS[type(c)](self.sign(self.form(c.lhs - c.rhs)))
        return self.form_of_bracket(Bracket(c))

    def form_of_bracket(self, bracket: Expr) -> Polynomial:
        return Polynomial.of(ordered(bracket)) if isinstance(bracket, Bracket) else Polynomial.number(bracket)


def _sign_factors(atom: Expr, exponent: Expr) -> list[tuple[Expr, Expr]]:
    """The factors of the sign of a power."""
    if atom.is_positive:
        return []
    if isinstance(atom, Signum) or (isinstance(atom, Applied) and atom.is_sign):
        return [(atom, exponent)]
    if isinstance(atom, Bracket):
        return [(atom, S.One)]
    if exponent.is_Integer:
        return [(Signum(atom), S(2) if exponent % 2 == 0 else S.One)]
    return (
        [(Signum(atom**exponent), S.One)] if exponent.is_Rational else [(Signum(Pow(atom, exponent)), S.One)]
    )


def _about_values(c: Any) -> bool:
    """Whether a condition compares real values that a program computes, and not places or integers."""
    if isinstance(c, sympy.And | sympy.Or | sympy.Not):
        return any(map(_about_values, c.args))
    if not isinstance(c, sympy.core.relational.Relational):
        return False
    return not (c.lhs.is_integer and c.rhs.is_integer) or any(r.tensor.kind == "real" for r in c.atoms(Read))
