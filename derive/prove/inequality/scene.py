"""The products of a form, also within its sums, together with the atoms that stand beside each other there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import sympy
from sympy import Expr, S

from ...deadline import check_time
from ...ir.nodes import Index, Read
from ...ops.elementwise.piecewise import Absolute
from ..forms.atoms import Applied, Total
from ..forms.polynomial import Monomial, Polynomial, collected
from . import rewriting
from .goal import Goal, Known
from .signs import Signs
from .squares import free_indices

MOST_PRODUCTS = 60
"""Ways to use one lemma beyond which no more are tried."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What stands under a sum over `bound`, or with no bound the form itself.

    products: the terms with all their factors, and their coefficients. atoms: every atom in them, also within functions.
    """

    goal: Goal
    signs: Signs
    bound: tuple[Index, ...]
    products: Mapping[Monomial, Expr]
    atoms: tuple[Expr, ...] = field(default=())

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices that are fixed here: the free ones of the claim, and those summed outside."""
        return (*self.goal.free, *self.bound)

    def summed(self, known: Known) -> Iterator[Known]:
        """A known form times whatever is nonnegative and makes one of its terms one of the products here, summed up."""
        seen: set[Monomial] = set()
        forms = self.goal.forms
        filled = all(b.extent.is_positive for b in self.bound)  # a sum without terms is not positive
        for m in known.form.terms:
            inverse = frozenset((a, -e) for a, e in m)
            for own in self.products:
                factor = collected((*own, *inverse))[0]
                if factor in seen or len(seen) >= MOST_PRODUCTS:
                    continue
                seen.add(factor)
                check_time()
                if not self.signs.monomial(factor) or not self._defined(factor):
                    continue
                product = known.form * Polynomial({factor: S.One})
                if any(isinstance(a, Absolute) and e.is_even for m in product.terms for a, e in m):
                    product = self.goal.normal(product)
                form = forms.total(product, self.bound)
                strict = known.strict and filled and self.signs.monomial(factor, strict=True)
                yield Known(form, known.why, strict, known.cost + 0.1 * len(factor) + 0.1 * len(self.bound))

    def _defined(self, factor: Monomial) -> bool:
        """Whether the factor has a value wherever the form has one: what is cancelled must not have been 0."""
        below = {a for m in self.products for a, e in m if e < 0}
        return all(e > 0 or a in below or self.signs.positive(a) for a, e in factor)


def scenes(goal: Goal, signs: Signs) -> list[Scene]:
    """The form itself, and what stands under its sums, those over equal axes together."""
    forms = goal.forms
    inside: dict[tuple[Expr, ...], tuple[tuple[Index, ...], dict[Monomial, Expr]]] = {(): ((), {})}
    for monomial, c in goal.form:
        inside[()][1][monomial] = c
        for atom, exponent in monomial:
            if isinstance(atom, Total) and exponent.is_Integer and exponent > 0:
                extents = tuple(b.extent for b in atom.bound)
                if extents not in inside:
                    inside[extents] = (tuple(forms.fresh(e) for e in extents), {})
                bound, products = inside[extents]
                body = rewriting.inside(atom, forms, bound)[0]
                outer = collected((*monomial, *frozenset({(atom, S.NegativeOne)})))[0]
                for inner, factor in body:
                    product = collected((*outer, *inner))[0]
                    products[product] = products.get(product, S.Zero) + c * factor
    every = tuple(atoms_of(m for m, _ in goal.form))
    found = []
    for bound, products in inside.values():
        own = tuple(atoms_of(products))
        alone = tuple(a for a in every if a not in own and not free_indices(a) - set(goal.free))
        found.append(Scene(goal, signs, bound, products, own + alone))
    return found


def atoms_of(monomials: Iterable[Monomial]) -> list[Expr]:
    """Atoms of products, and those within their functions and powers, but not within sums over indices of their own."""
    found: dict[Expr, None] = {}

    def visit(e: Expr) -> None:
        if e in found or e.is_number:
            return
        if not e.is_Add and not e.is_Mul and not (e.is_Pow and e.exp.is_number):
            found.setdefault(e)
        if isinstance(e, Read | Index | Total | Applied):
            return
        for a in e.args:
            if isinstance(a, sympy.Expr):
                visit(a)

    for m in monomials:
        for atom, _ in m:
            visit(atom)
    return list(found)
