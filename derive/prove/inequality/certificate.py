"""A form as a sum of known ones with nonnegative coefficients: a linear program, its answer solved again in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint
import numpy as np
import scipy
import sympy
from sympy import Expr

from ..forms.polynomial import Monomial, Polynomial
from .goal import Known

Certificate = list[tuple[Expr, Known]]
SMALL = 1e-9
"""Multipliers of the floating-point solution below this are taken to be 0; the exact system then decides."""


def certificate(form: Polynomial, knowns: Sequence[Known], strict: bool) -> Certificate | None:
    """``form = sum_k c_k known_k`` with all c_k >= 0, and if strict one of a positive known > 0; None if none is found.

    Numerics: the linear program only says which knowns to take; the c_k are the solution of the equations in fractions.
    """
    if form.is_zero:
        return None if strict else []
    rows = list(dict.fromkeys(m for f in (form, *(k.form for k in knowns)) for m in f.terms))
    if not knowns or not set(form.terms) <= {m for k in knowns for m in k.form.terms}:
        return None
    place = {m: r for r, m in enumerate(rows)}
    A = np.zeros((len(rows), len(knowns)))
    for column, known in enumerate(knowns):
        for m, c in known.form:
            A[place[m], column] = float(c)
    b = np.array([float(form.terms.get(m, 0)) for m in rows])
    cost = np.array([k.cost for k in knowns])
    for objective in (cost, -1.0 * np.array([k.strict for k in knowns])) if strict else (cost,):
        answer = scipy.optimize.linprog(objective, A_eq=A, b_eq=b, bounds=(0, None), method="highs-ds")
        if answer.status != 0 or answer.x is None:
            return None
        taken = [known for known, c in zip(knowns, answer.x, strict=True) if c > SMALL]
        found = exactly(form, taken, rows)
        if found is not None and (not strict or any(k.strict and c > 0 for c, k in found)):
            return found
    return None


def exactly(form: Polynomial, knowns: Sequence[Known], rows: Sequence[Monomial]) -> Certificate | None:
    """The coefficients as fractions, where the equations have one solution and it is nonnegative."""
    if not knowns:
        return None
    augmented = flint.fmpq_mat(
        [
            [_fraction(k.form.terms.get(m, 0)) for k in knowns] + [_fraction(form.terms.get(m, 0))]
            for m in rows
        ]
    )
    reduced, rank = augmented.rref()
    count = len(knowns)
    if rank < count or any(reduced[r, r] != 1 for r in range(count)):
        return None
    if rank > count:
        return None  # the equations contradict each other
    values = [sympy.Rational(int(q.p), int(q.q)) for q in (reduced[r, count] for r in range(count))]
    if any(v < 0 for v in values):
        return None
    found = [(v, k) for v, k in zip(values, knowns, strict=True) if v != 0]
    total = Polynomial.sum(k.form.scaled(v) for v, k in found)
    return found if total.terms == form.terms else None


def _fraction(c: Expr) -> flint.fmpq:
    q = Fraction(int(sympy.S(c).p), int(sympy.S(c).q))
    return flint.fmpq(q.numerator, q.denominator)
