"""Whether two programs have equal outputs for all sizes and values: the difference of their canonical forms is zero."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Expr, S, Tuple

from ...deadline import check_time
from ...ir.nodes import Bracket, Index, Program, Read, Slot, Tensor, substitute
from .atoms import Applied, Signum, Total
from .canonical import Canonical
from .cases import MOST, Known, cases
from .polynomial import Monomial, Polynomial, TooLarge, collected
from .powers import anywhere
from .switches import all_met

DEPTH = 10


def equal_outputs(left: Program, right: Program) -> bool | None:
    """True where proved; None where this form cannot decide. Inputs of the same name are the same."""
    try:
        return (
            all(_equal_entries(left, a, right, b) for a, b in zip(left.outputs, right.outputs, strict=True))
            or None
        )
    except (TooLarge, RecursionError):
        return None


def _equal_entries(left: Program, a: Tensor, right: Program, b: Tensor) -> bool:
    axes = tuple(Index(f"i{p}", extent) for p, extent in enumerate(a.shape))
    forms = Canonical(left), Canonical(right)
    inverted = [
        m for form, program in zip(forms, (left, right), strict=True) for m in form.inverted_in(program)
    ]
    for form in forms:
        form.inverted = inverted
    difference = forms[0].entry(Read(a, axes)) - forms[1].entry(Read(b, axes))
    forms[0].matrices |= forms[1].matrices
    if difference.is_zero:
        return True
    forms[0].assumed = _defined(difference)
    difference = forms[0].form(difference.expression())  # with its indices named as they are here
    return is_zero(difference, forms[0], set(axes))


def _defined(form: Polynomial) -> frozenset[Expr]:
    """What is positive wherever the form has a value: that of which it takes logarithms, whatever else holds there."""
    found: set[Expr] = set()
    for monomial, _ in form:
        atoms = [a for a, _ in monomial]
        if not any(a.has(Bracket, Signum) for a in atoms):
            found |= {anywhere(x.args[0]) for a in atoms for x in a.atoms(sympy.log)}
    return frozenset(found)


def is_zero(
    form: Polynomial, forms: Canonical, free: set[Index], depth: int = DEPTH, known: Known = ()
) -> bool:
    """Whether a form vanishes: at once, over a common denominator, sum by sum, case by case, or times an invertible matrix.

    free: the indices for which it must vanish. known: conditions under which it must.
    """
    check_time()
    form = all_met(form)
    if form.is_zero:
        return True
    if depth == 0:
        return False
    cleared = _cleared(form, forms)
    if cleared is not None:
        return is_zero(cleared, forms, free, depth - 1, known)
    merged = _merged(form, forms, free, depth, known)
    if merged is not None and is_zero(merged, forms, free, depth - 1, known):
        return True
    before = _inverses(form, forms)
    products = [(_inverses(p, forms), len(p.terms), p, left) for p, left in _multiplied(form, forms, free)]
    better = [p for p in products if p[0] < before]
    if not better:
        apart = cases(form, forms, free, known) if len(known) < MOST else None
        return apart is not None and all(is_zero(c.form, forms, free, depth - 1, c.known) for c in apart)
    *_, product, left = min(better, key=lambda p: p[:2])
    return is_zero(product, forms, left, depth - 1, known)


def _inverses(form: Polynomial, forms: Canonical) -> list[tuple[tuple[int, int, str], int]]:
    """How often each inverse occurs, those of the most complex matrices first: multiplying must take one of these away."""
    counts: dict[Tuple, int] = {}
    for monomial, _ in form:
        for a, exponent in monomial:
            for x in sympy.preorder_traversal(a):
                if isinstance(x, Applied) and x.is_inverse:
                    times = int(sympy.floor(exponent)) if exponent.is_Rational else 1
                    counts[x.matrix] = counts.get(x.matrix, 0) + max(1, times)
    return sorted(((_complexity(m, forms), n) for m, n in counts.items()), reverse=True)


def _complexity(matrix: Tuple, forms: Canonical) -> tuple[int, int, str]:
    nested = sum(isinstance(x, Applied) for x in sympy.preorder_traversal(matrix))
    return nested, len(forms.matrices[matrix].terms), str(matrix)


def _multiplied(
    form: Polynomial, forms: Canonical, free: set[Index]
) -> Iterator[tuple[Polynomial, set[Index]]]:
    """The form times each matrix whose inverse stands at a free index of it: it vanishes where the product does."""
    ends: dict[tuple[Tuple, Index, int], None] = {}
    for monomial, _ in form:
        for atom in {x for a, _ in monomial for x in a.atoms(Applied) if x.is_inverse}:
            for side, place in enumerate(atom.places):
                if place in free and place.extent == atom.extent:
                    ends.setdefault((atom.matrix, place, side))
    for matrix, place, side in sorted(ends, key=str):
        summed, fresh = forms.fresh(place.extent), forms.fresh(place.extent)
        factor = forms.at(forms.matrices[matrix], {Slot(side): fresh, Slot(1 - side): summed})
        yield forms.total(factor * forms.at(form, {place: summed}), (summed,)), free - {place} | {fresh}


def _cleared(form: Polynomial, forms: Canonical) -> Polynomial | None:
    """The numerator over a common denominator of what is a sum under a negative or fractional power."""
    least: dict[Expr, Expr] = {}
    for monomial, _ in form:
        for atom, exponent in monomial:
            if atom.is_Add and exponent.is_Rational:
                least[atom] = min(least.get(atom, S.Zero), sympy.floor(exponent))
    negative = {atom: e for atom, e in least.items() if e < 0}
    positive = any(a.is_Add and e.is_Rational and e >= 1 for m, _ in form for a, e in m)
    if not negative and not positive:
        return None
    factor: Monomial = frozenset((atom, -e) for atom, e in negative.items())
    parts = []
    for monomial, coefficient in form:
        exponents, number = collected([*monomial, *factor])
        sums = [(a, e) for a, e in exponents if a.is_Add and e.is_Rational]
        whole = Polynomial({exponents - set(sums): coefficient * number})
        for atom, exponent in sums:
            natural = sympy.floor(exponent)
            whole = whole * forms.form(atom).power(int(natural))
            if exponent != natural:
                whole = whole * Polynomial.of(atom, exponent - natural)
        parts.append(whole)
    return Polynomial.sum(parts)


def _merged(
    form: Polynomial, forms: Canonical, free: set[Index], depth: int, known: Known
) -> Polynomial | None:
    """The form without groups of sums over one index whose bodies add up to zero."""
    groups: dict[tuple[Monomial, Expr], list[tuple[Monomial, Expr, Total]]] = {}
    for monomial, coefficient in form:
        for atom, exponent in monomial:
            if isinstance(atom, Total) and exponent == 1 and len(atom.bound) == 1:
                rest = monomial - {(atom, exponent)}
                groups.setdefault((rest, atom.bound[0].extent), []).append((monomial, coefficient, atom))
    for (_, extent), members in groups.items():
        if len(members) < 2:
            continue
        index = forms.fresh(extent)
        inner = Polynomial.sum(
            forms.form(substitute(total.body, {total.bound[0]: index})).scaled(c) for _, c, total in members
        )
        if is_zero(inner, forms, free | {index}, depth - 1, known):
            return Polynomial({m: c for m, c in form if m not in {m for m, _, _ in members}})
    return None
