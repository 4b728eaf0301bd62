"""Atoms of a form replaced by other forms, also within sums, whose indices are named anew first so that none is captured."""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Expr

from ...ir.nodes import Index, substitute
from ..forms.atoms import Applied, Grow, Total
from ..forms.canonical import Canonical
from ..forms.polynomial import Polynomial

Rule = Callable[[Expr], Polynomial | None]


def inside(
    total: Total, forms: Canonical, places: tuple[Index, ...] | None = None
) -> tuple[Polynomial, tuple[Index, ...]]:
    """What a sum adds up, at new indices or at the given ones, and these indices."""
    places = places or tuple(forms.fresh(b.extent) for b in total.bound)
    return forms.form(substitute(total.body, dict(zip(total.bound, places, strict=True)))), places


def rewritten(form: Polynomial, forms: Canonical, rule: Rule) -> Polynomial:
    """The form with every atom for which the rule has another form replaced by it."""
    return Polynomial.sum(
        Polynomial.product(_power(_atom(a, forms, rule), e, forms) for a, e in m).scaled(c) for m, c in form
    )


def _power(base: Polynomial, exponent: Expr, forms: Canonical) -> Polynomial:
    return base if exponent == 1 else forms.power(base, exponent)


def _atom(a: Expr, forms: Canonical, rule: Rule) -> Polynomial:
    if (found := rule(a)) is not None:
        return found
    match a:
        case Total():
            body, bound = inside(a, forms)
            return forms.total(rewritten(body, forms, rule), bound)
        case Grow():
            return forms.exponential(rewritten(forms.form(a.args[0]), forms, rule))
        case sympy.log():
            return forms.logarithm(rewritten(forms.form(a.args[0]), forms, rule))
        case sympy.Add() | sympy.Mul() | sympy.Pow():
            return _whole(a, forms, rule)
        case Applied():
            return Polynomial.of(a)
        case sympy.Function() if all(isinstance(x, Expr) for x in a.args):
            args = (rewritten(forms.form(x), forms, rule).expression() for x in a.args)
            return forms.form(a.func(*args))
    return Polynomial.of(a)


def _whole(a: Expr, forms: Canonical, rule: Rule) -> Polynomial:
    """A sum, a product or a power that is an atom of its own."""
    match a:
        case sympy.Add():
            return Polynomial.sum(rewritten(forms.form(x), forms, rule) for x in a.args)
        case sympy.Mul():
            return Polynomial.product(rewritten(forms.form(x), forms, rule) for x in a.args)
    base, exponent = a.as_base_exp()
    return forms.power(rewritten(forms.form(base), forms, rule), exponent)
