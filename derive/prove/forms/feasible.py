"""Whether linear conditions can hold together, by elimination of one variable after the other (Fourier and Motzkin)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr, S

from ...ir.nodes import Index
from .polynomial import ONE, Monomial, Polynomial, as_expression

MOST = 400
"""Conditions beyond which nothing is said."""


@dataclass(frozen=True)
class Row:
    """``form > 0``, or ``form >= 0``; every monomial that is no number counts as a variable."""

    form: Polynomial
    strict: bool


def rows_of(form: Polynomial, sign: int) -> list[Row]:
    """``form`` is positive, negative or zero."""
    turned = form.scaled(S.NegativeOne)
    match sign:
        case 1:
            return [Row(form, True)]
        case -1:
            return [Row(turned, True)]
        case _:
            return [Row(form, False), Row(turned, False)]


def feasible(rows: Iterable[Row]) -> bool:
    """False only if no real numbers satisfy all rows together, given the signs that the variables are known to have."""
    left = [r for r in rows if all(c.is_Rational for _, c in r.form)]
    variables = {m for r in left for m, _ in r.form} - {ONE}
    left += [row for m in variables for row in _known(m)]
    variables = {m for r in left for m, _ in r.form} - {ONE}
    while variables:
        chosen = min(variables, key=lambda v: _pairs(left, v))
        variables.discard(chosen)
        above = [r for r in left if r.form.terms.get(chosen, S.Zero) > 0]
        below = [r for r in left if r.form.terms.get(chosen, S.Zero) < 0]
        left = [r for r in left if chosen not in r.form.terms]
        if len(above) * len(below) + len(left) > MOST:
            return True
        left += [_without(chosen, a, b) for a in above for b in below]
    for row in left:
        value = row.form.constant
        if value is not None and (value < 0 or (row.strict and value == 0)):
            return False
    return True


def _known(variable: Monomial) -> list[Row]:
    """What is always true of a variable: its sign, and the range of an index."""
    expression = as_expression(variable)
    form = Polynomial({variable: S.One})
    if isinstance(expression, Index):
        extent = expression.extent
        last = Polynomial.number(extent - 1) if extent.is_Integer else None
        if last is None and extent.is_Symbol:
            last = Polynomial.of(extent) - Polynomial.number(1)
        return [Row(form, False)] + ([Row(last - form, False)] if last is not None else [])
    if expression.is_positive:
        least = Polynomial.number(1) if expression.is_integer else None
        return [Row(form - least, False) if least is not None else Row(form, True)]
    return [Row(form, False)] if expression.is_nonnegative else []


def _pairs(rows: list[Row], variable: Monomial) -> int:
    signs = [c for r in rows if (c := r.form.terms.get(variable)) is not None]
    above = sum(bool(c > 0) for c in signs)
    return above * (len(signs) - above)


def _without(variable: Monomial, above: Row, below: Row) -> Row:
    """The consequence of two rows in which a variable cancels."""
    a: Expr = above.form.terms[variable]
    b: Expr = below.form.terms[variable]
    return Row(above.form.scaled(-b) + below.form.scaled(a), above.strict or below.strict)
