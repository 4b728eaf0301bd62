"""Products, maxima and minima over indices: what does not depend on the index comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, S, Tuple

from ...ir.nodes import Bracket, Index, indices_of
from ...ir.slots import runs_whole
from .atoms import Applied, Grow
from .factorisations import product_of_values
from .naming import named_sum
from .polynomial import Polynomial, as_expression, common_factor, monic
from .switches import switch

if TYPE_CHECKING:
    from .matrices import Matrices


def product(forms: Matrices, form: Polynomial, bound: tuple[Index, ...]) -> Polynomial:
    """The product over indices, factor by factor: ``prod_k c x[k]^2`` is ``c^n (prod_k x[k])^2``."""
    single = form.single()
    if single is None and (found := switch(form)) is not None and len(bound) == 1:
        entry, off, on = found
        whole = runs_whole(entry, bound[0]) == len(entry.indices) - 1
        if whole and "one-hot" in entry.tensor.facts and off.constant == 1:
            return forms.total(Polynomial.of(entry) * on, bound)
    if single is None:
        common = common_factor(form, integral=True)
        if not common:
            return Polynomial.of(over_indices("prod", form.expression(), bound))
        rest = form * Polynomial.monomial((a, -e) for a, e in common)
        return product(forms, Polynomial.monomial(common), bound) * product(forms, rest, bound)
    monomial, coefficient = single
    if any(isinstance(a, Bracket) for a, _ in monomial) or not coefficient.is_Rational:
        return Polynomial.of(over_indices("prod", form.expression(), bound))
    every = sympy.Mul(*(b.extent for b in bound))
    parts = [forms.power(Polynomial.number(coefficient), every)]
    for atom, exponent in monomial:
        own = tuple(b for b in bound if b in indices_of(atom))
        times = sympy.Mul(*(b.extent for b in bound if b not in own))
        if not own:
            parts.append(forms.power(Polynomial.monomial([(atom, exponent)]), times))
        elif isinstance(atom, Grow):
            inner = forms.form(atom.args[0]).scaled(exponent) * forms.form(times)
            parts.append(forms.exponential(forms.total(inner, own)))
        elif exponent.is_Integer and (known := product_of_values(forms, atom, own)) is not None:
            parts.append(forms.power(known, exponent * times))
        elif exponent.is_integer or atom.is_positive:
            parts.append(forms.power(Polynomial.of(over_indices("prod", atom, own)), exponent * times))
        else:
            parts.append(forms.power(Polynomial.of(over_indices("prod", atom**exponent, own)), times))
    return Polynomial.product(parts)


def extreme(forms: Matrices, form: Polynomial, bound: tuple[Index, ...], largest: bool) -> Polynomial:
    """The maximum or minimum: ``max_k (a + 2 x[k])`` is ``a + 2 max_k x[k]``, ``max_k -x[k]`` is ``-min_k x[k]``."""
    outside = Polynomial({m: c for m, c in form if not indices_of(as_expression(m)) & set(bound)})
    inside = form - outside
    bound = tuple(b for b in bound if any(b in indices_of(as_expression(m)) for m, _ in inside))
    if inside.is_zero or not all(c.is_Rational for _, c in inside):
        atom = over_indices("max" if largest else "min", form.expression(), bound)
        return outside if inside.is_zero else Polynomial.of(atom)
    common = common_factor(inside, integral=False)
    factor = [(a, -e) for a, e in common if not indices_of(a) & set(bound)]
    content, inner = monic(inside * Polynomial.monomial(factor))
    scale = Polynomial.monomial(((a, -e) for a, e in factor), content)
    largest = largest == bool(content.is_positive)
    single = inner.single()
    if single is not None and all(isinstance(a, Grow) for a, _ in single[0]):
        argument = Polynomial.sum(forms.form(a.args[0]).scaled(e) for a, e in single[0])
        return outside + scale * forms.exponential(extreme(forms, argument, bound, largest))
    atom = over_indices("max" if largest else "min", inner.expression(), bound)
    return outside + scale * Polynomial.of(atom)


def over_indices(kind: str, body: Expr, bound: tuple[Index, ...]) -> Applied:
    """A product or maximum over indices as an atom."""
    over = named_sum([(body, S.One)], list(bound))
    return Applied(sympy.Symbol(kind), S.Zero, Tuple(over), Tuple(), Tuple())
