"""A form that contains signs, or conditions on places: what it becomes in each case, and which cases there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, S

from ...ir.nodes import Bracket, Index, Read, indices_of, substitute
from .atoms import Signum, Total
from .feasible import Row, feasible, rows_of
from .polynomial import Polynomial
from .scalars import Scalars

MOST = 6
"""Conditions that are told apart one within the other."""

Known = tuple[Row, ...]


@dataclass(frozen=True)
class Case:
    """What a form is under some conditions."""

    form: Polynomial
    known: Known


def cases(form: Polynomial, forms: Scalars, free: set[Index], known: Known) -> Iterator[Case] | None:
    """The form in every case that can occur for one of its signs or conditions; None if it has none on free indices."""
    expression = form.expression()
    sign = _innermost(expression.atoms(Signum), free)
    if sign is not None:
        return _by_sign(expression, sign, forms, known)
    found = sorted((b for b in expression.atoms(Bracket) if _splits(b, free)), key=str)
    return _by_place(expression, found[0], forms, known) if found else None


def _innermost(signs: set[Any], free: set[Index]) -> Signum | None:
    """A sign of something without signs, at free indices only."""
    ready = [s for s in signs if not s.args[0].has(Signum) and indices_of(s) <= free]
    return min(ready, key=lambda s: (len(str(s)), str(s)), default=None)


def _by_sign(expression: Expr, sign: Signum, forms: Scalars, known: Known) -> Iterator[Case]:
    about = forms.form(sign.args[0])
    for value in (1, -1, 0):
        now = (*known, *rows_of(about, value))
        if not feasible(now):
            continue
        decided = substitute(expression, {sign: S(value)})
        solved = _solved(about) if value == 0 else None
        form = forms.form(substitute(decided, solved or {}))
        yield Case(_modulo(form, about) if value == 0 and solved is None else form, now)


def _modulo(form: Polynomial, zero: Polynomial) -> Polynomial:
    """A form where another one vanishes: the term with the most factors in terms of the others."""
    leading = max(zero.terms, key=lambda m: (len(m), str(sorted(m, key=str))))
    if any(e != 1 for _, e in leading) or not leading or any(m > leading for m in zero.terms):
        return form
    rest = (zero - Polynomial({leading: zero.terms[leading]})).scaled(-1 / zero.terms[leading])
    for _ in range(MOST):
        found = [(m, c) for m, c in form if leading <= {(a, S.One) for a, e in m if e.is_Integer and e > 0}]
        if not found:
            break
        over = [(a, S.NegativeOne) for a, _ in leading]
        with_rest = (Polynomial.monomial([*m, *over], c) * rest for m, c in found)
        form = form - Polynomial(dict(found)) + Polynomial.sum(with_rest)
    return form


def _solved(form: Polynomial) -> dict[Any, Expr] | None:
    """One atom of a form that is zero, in terms of the others."""
    for monomial, coefficient in sorted(form, key=lambda t: str(t[0])):
        if len(monomial) != 1:
            continue
        ((atom, exponent),) = monomial
        rest = (form - Polynomial({monomial: coefficient})).scaled(-1 / coefficient).expression()
        if exponent == 1 and isinstance(atom, Read | Total) and not rest.has(atom):
            return {atom: rest}
    return None


def _splits(bracket: Bracket, free: set[Index]) -> bool:
    """Whether this is one condition on free indices that tells cases apart."""
    c = bracket.condition
    plain = _whole(c) and not c.has(Read, sympy.Mod, sympy.floor)
    return plain and bool(indices_of(c)) and indices_of(c) <= free


def _whole(c: Any) -> bool:
    """Whether this compares whole numbers: then what is not 0 is at least 1 or at most -1."""
    return isinstance(c, sympy.core.relational.Relational) and bool(c.lhs.is_integer and c.rhs.is_integer)


def _by_place(expression: Expr, bracket: Bracket, forms: Scalars, known: Known) -> Iterator[Case]:
    """Before, at, and after the place where both sides of a condition are equal."""
    c = bracket.condition
    about = forms.form(c.lhs - c.rhs)
    one = Polynomial.number(1)
    for rows in (
        [Row(about - one, False)],
        [Row(about.scaled(S.NegativeOne) - one, False)],
        rows_of(about, 0),
    ):
        now = (*known, *rows)
        if not feasible(now):
            continue
        decided = expression
        if len(rows) == 2 and (same := _same_place(about)) is not None:
            decided = substitute(expression, same)
            now = tuple(Row(forms.form(substitute(r.form.expression(), same)), r.strict) for r in now)
        yield Case(forms.form(_settled(decided, forms, now)), now)


def _same_place(form: Polynomial) -> dict[Any, Any] | None:
    """One index in terms of the others, where a form about places is zero."""
    indices = sorted((i for i in indices_of(form.expression())), key=str, reverse=True)
    for index in indices:
        monomial = frozenset({(index, S.One)})
        coefficient = form.terms.get(monomial)
        if coefficient in (1, -1):
            rest = (form - Polynomial({monomial: coefficient})).scaled(-1 / coefficient)
            if index not in indices_of(rest.expression()):
                return {index: rest.expression()}
    return None


def _settled(e: Any, forms: Scalars, known: Known) -> Any:
    """An expression without the conditions that must, or cannot, hold here; sums that are empty are zero."""
    if isinstance(e, Bracket):
        rows = _rows(e.condition, forms)
        if rows is None:
            return e
        if not feasible((*known, *rows)):
            return S.Zero
        return S.One if all(not feasible((*known, negation)) for negation in _negations(rows)) else e
    if isinstance(e, Read) or not e.args:
        return e
    if isinstance(e, sympy.Mul):
        conditions = [f for f in e.args if isinstance(f, Bracket)]
        rows = [r for f in conditions for r in _rows(f.condition, forms) or []]
        if not feasible((*known, *rows)):
            return S.Zero
    parts = [_settled(a, forms, known) for a in e.args]
    return e if all(p is a for p, a in zip(parts, e.args, strict=True)) else e.func(*parts)


def _negations(rows: Sequence[Row]) -> Iterator[Row]:
    """For each row that it does not hold, about integers."""
    for row in rows:
        slack = Polynomial.number(0 if row.strict else 1)
        yield Row(row.form.scaled(S.NegativeOne) - slack, False)


def _rows(condition: Any, forms: Scalars) -> list[Row] | None:
    """A condition on places as rows; None for what does not compare whole numbers."""
    if not (isinstance(condition, sympy.And) or _whole(condition)):
        return None
    match condition:
        case sympy.And():
            parts = [_rows(a, forms) for a in condition.args]
            return [r for p in parts if p is not None for r in p] if None not in parts else None
        case sympy.Eq():
            return rows_of(forms.form(condition.lhs - condition.rhs), 0)
        case sympy.LessThan() | sympy.GreaterThan():
            return [Row(forms.form(condition.gts - condition.lts), False)]
        case sympy.StrictLessThan() | sympy.StrictGreaterThan():
            return [Row(forms.form(condition.gts - condition.lts) - Polynomial.number(1), False)]
    return None
