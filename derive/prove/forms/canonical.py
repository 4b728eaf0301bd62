"""The canonical form of an entry of a program: sums of products of atoms, with sums over indices named canonically."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Expr, S

from ...deadline import check_time
from ...ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Slot,
    indices_of,
    reads_of,
    substitute,
)
from ...ir.slots import runs_whole, slot_extents
from ...rewrite.deltas import solve_deltas
from ...rewrite.digits import split_digits
from .atoms import Applied, Total, has_slots, oriented, pinched, renamed
from .extrema import extreme, product
from .factorisations import RULES, over_spectrum, pivots
from .matching import beside_inverse
from .matrices import Matrices
from .naming import components, named_again, named_sum
from .polynomial import Monomial, Polynomial, TooLarge, monic, reciprocal
from .switches import met

FEW = 3
"""The largest number of terms of a sum that is written out."""
DEEPEST = 20
"""How often inverses are cancelled one after the other in one product."""


class Canonical(Matrices):
    """Canonical forms of the tensors of one program."""

    def __init__(self, program: Program) -> None:
        self.definitions: Mapping[str, Equation] = program.definitions
        super().__init__()
        self.nested = 0
        self.known: dict[str, tuple[tuple[Index, ...], Polynomial]] = {}

    def entry(self, read: Read) -> Polynomial:
        """The entry of a tensor at these places."""
        source = self.definitions.get(read.tensor.name)
        if source is None:
            return self.input(read)
        if source.target.name not in self.known:
            axes = tuple(self.fresh(i.extent) for i in source.axes)
            renaming = dict(zip(source.axes, axes, strict=True))
            self.known[source.target.name] = axes, self.defined(source, renaming)
        axes, form = self.known[source.target.name]
        return self.at(form, dict(zip(axes, read.indices, strict=True)))

    def inverted_in(self, program: Program) -> list[tuple[Polynomial, Expr]]:
        """The matrices of which a program takes the inverse, with their sizes."""
        found = []
        for equation in program.equations:
            body = equation.body
            if isinstance(body, Entry) and body.primitive in ("inv", "solve"):
                matrix = self.form(body.operands[0])
                if not matrix.is_zero:
                    found.append((monic(matrix)[1], slot_extents(body.operands[0])[0]))
        return found

    def input(self, read: Read) -> Polynomial:
        """The entry of an input; of a diagonal or triangular matrix with the condition for it not to be 0."""
        facts = read.tensor.facts
        if "diagonal" in facts or _both(facts):
            *batch, i, j = read.indices
            return self.form(Bracket(sympy.Eq(i, j))) * Polynomial.of(Read(read.tensor, (*batch, i, i)))
        for fact, relation in (("lower triangular", sympy.Ge), ("upper triangular", sympy.Le)):
            if fact in facts and not any(isinstance(i, Slot) for i in read.indices):
                i, j = read.indices[-2:]
                return self.form(Bracket(relation(i, j))) * Polynomial.of(oriented(read))
        return Polynomial.of(oriented(read))

    def at(self, form: Polynomial, places: dict[Any, Any]) -> Polynomial:
        """A form with indices replaced; an index that became a number may decide a condition."""
        if all(isinstance(p, Index | Slot) for p in places.values()):
            return Polynomial.sum(
                Polynomial.monomial(((named_again(renamed(a, places)), e) for a, e in m), c) for m, c in form
            )
        return self.form(substitute(form.expression(), places))

    def defined(self, equation: Equation, renaming: dict[Any, Any]) -> Polynomial:
        bound = tuple(self.fresh(b.extent) for b in equation.bound)
        body = substitute(equation.body, renaming | dict(zip(equation.bound, bound, strict=True)))
        if isinstance(body, Entry):
            return self.applied(body)
        inner = self.form(body)
        if equation.reduce in (None, "sum"):
            return self.total(inner, bound)
        if equation.reduce == "prod":
            return self.product(inner, bound)
        return extreme(self, inner, bound, equation.reduce == "max")

    def product(self, form: Polynomial, bound: tuple[Index, ...]) -> Polynomial:
        """The product of a form over indices."""
        return product(self, form, bound)

    # -- sums

    def total(self, form: Polynomial, bound: tuple[Index, ...]) -> Polynomial:
        """The sum over indices: free factors out, deltas solved, one `Total` for each connected product."""
        if not bound:
            return form
        return Polynomial.sum(self.sum_of_term(m, bound).scaled(c) for m, c in form)

    def sum_of_term(self, monomial: Monomial, bound: tuple[Index, ...]) -> Polynomial:
        check_time()
        factors, bound = self.flattened(monomial, bound)
        term = sympy.Mul(*(a**e for a, e in factors))
        if any(isinstance(i, sympy.Mod) for r in reads_of(term) for i in r.indices):
            split, parts = split_digits(term, bound)
            if parts != bound:
                return self.total(self.form(split), parts)
        if term.has(Bracket):
            term = pinched(term)
            solved, left = solve_deltas(term, bound)
            if (solved, left) != (term, bound):
                return self.total(self.form(solved), left)
        if (row := _whole_row(factors, bound)) is not None:
            return self.total(
                Polynomial.monomial(f for f in factors if f[0] != row[0]),
                tuple(b for b in bound if b != row[1]),
            )
        if (fewer := met(factors)) is not None:
            return self.total(Polynomial.monomial(fewer), bound)
        for cancel in (self.without_inverses, self.without_orthogonal):
            if (cancelled := cancel(factors, bound)) is not None:
                return cancelled
        if any(isinstance(a, Applied) for a, _ in factors):
            for rule in RULES:
                if (cancelled := rule(self, factors, bound)) is not None:
                    return cancelled
        outside = [(a, e) for a, e in factors if not indices_of(a) & set(bound)]
        inside = [(a, e) for a, e in factors if indices_of(a) & set(bound)]
        result = Polynomial.monomial(outside)
        unused = [b for b in bound if not any(b in indices_of(a) for a, _ in inside)]
        for b in unused:
            result = result * self.form(b.extent)
        for group, own in components(inside, [b for b in bound if b not in unused]):
            result = result * self.component(group, own)
        return result

    def without_inverses(
        self, factors: list[tuple[Expr, Expr]], bound: tuple[Index, ...]
    ) -> Polynomial | None:
        """``W M = I`` used once: the leading term of M beside its inverse W gives way to the unit and the other terms."""
        inverses = [(a, e) for a, e in factors if isinstance(a, Applied) and a.is_inverse and e == 1]
        if not inverses:
            return None
        inverses.sort(key=lambda f: (-len(self.matrices[f[0].matrix].terms), str(f[0])))
        factors = sorted(factors, key=str)
        for atom, exponent in inverses:
            others = list(factors)
            others.remove((atom, exponent))
            for found in beside_inverse(atom, self.matrices[atom.matrix], others, bound, self.parts):
                over = ((a, -e) for a, e in found.scalars)
                left = Polynomial.monomial((*found.left, *over), reciprocal(found.coefficient))
                remaining = tuple(b for b in bound if b not in found.inner)
                unit = self.form(Bracket(sympy.Eq(found.far, found.end)))
                first = self.total(left * unit, tuple(b for b in remaining if b != found.near))
                places = {Slot(found.side): found.near, Slot(1 - found.side): found.end}
                rest = self.at(found.rest, places)
                self.nested += 1
                if self.nested > DEEPEST:
                    raise TooLarge
                try:
                    return first - self.total(left * Polynomial.of(atom) * rest, remaining)
                finally:
                    self.nested -= 1
        return None

    def without_orthogonal(
        self, factors: list[tuple[Expr, Expr]], bound: tuple[Index, ...]
    ) -> Polynomial | None:
        """``sum_k Q[k,i] Q[k,j]`` is ``[i = j]``, and likewise for rows, where Q was declared orthogonal."""
        for k in bound:
            holders = [f for f in factors if k in indices_of(f[0])]
            twice = holders * 2 if len(holders) == 1 and holders[0][1] == 2 else holders
            if len(twice) != 2 or any(
                not isinstance(a, Read) or e != 2 / S(len(holders)) for a, e in holders
            ):
                continue
            first, second = (a for a, _ in twice)
            if first.tensor != second.tensor or "orthogonal" not in first.tensor.facts:
                continue
            for own, other in ((-1, -2), (-2, -1)):
                alone = first.indices[own] == k == second.indices[own] and not any(
                    k in indices_of(i) for r in (first, second) for i in (*r.indices[:-2], r.indices[other])
                )
                alone = alone and k.extent == first.tensor.shape[own]
                if alone and first.indices[:-2] == second.indices[:-2]:
                    left = Polynomial.monomial(f for f in factors if f not in holders)
                    unit = self.form(Bracket(sympy.Eq(first.indices[other], second.indices[other])))
                    return self.total(left * unit, tuple(b for b in bound if b != k))
        return None

    def parts(self, monomial: Monomial) -> tuple[list[Expr], list[Index], Monomial] | None:
        """The reads and inverses of a product of matrices, with the indices that it sums over, and its scalars.

        None for anything else.
        """
        factors: list[Expr] = []
        bound: list[Index] = []
        scalars: list[tuple[Expr, Expr]] = []
        for atom, exponent in monomial:
            if not has_slots(atom):
                scalars.append((atom, exponent))
            elif isinstance(atom, Total) and exponent == 1:
                fresh = {b: self.fresh(b.extent) for b in atom.bound}
                factors.extend(sympy.Mul.make_args(substitute(atom.body, fresh)))
                bound.extend(fresh.values())
            elif exponent == 1:
                factors.append(atom)
            else:
                return None
        plain = all(isinstance(f, Read | Applied) for f in factors) and bool(factors)
        return (factors, bound, frozenset(scalars)) if plain else None

    def flattened(
        self, monomial: Monomial, bound: tuple[Index, ...]
    ) -> tuple[list[tuple[Expr, Expr]], tuple[Index, ...]]:
        """Inner sums that share an index with this one become part of it, once for each power."""
        factors: list[tuple[Expr, Expr]] = []
        for atom, exponent in monomial:
            natural = exponent.is_Integer and exponent.is_positive
            if not (isinstance(atom, Total) and natural and indices_of(atom) & set(bound)):
                factors.append((atom, exponent))
                continue
            for _ in range(int(exponent)):
                fresh = {b: self.fresh(b.extent) for b in atom.bound}
                inner = substitute(atom.body, fresh)
                factors.extend(
                    (f.as_base_exp() if f.is_Pow else (f, S.One)) for f in sympy.Mul.make_args(inner)
                )
                bound = (*bound, *fresh.values())
        return factors, bound

    def component(self, group: list[tuple[Expr, Expr]], bound: list[Index]) -> Polynomial:
        """One connected sum, by what is known of it or as an atom."""
        for rule in (over_spectrum, pivots):
            if (known := rule(self, group, bound)) is not None:
                return known
        few = next((b for b in bound if b.extent.is_Integer and b.extent <= FEW), None)
        if few is not None:  # a sum of few terms is written out
            term = sympy.Mul(*(a**e for a, e in group))
            rest = tuple(b for b in bound if b != few)
            terms = (self.form(substitute(term, {few: S(n)})) for n in range(int(few.extent)))
            return Polynomial.sum(self.total(t, rest) for t in terms)
        return Polynomial.of(named_sum(group, bound))


def _both(facts: frozenset[str]) -> bool:
    """Whether a matrix is symmetric and a triangle, and so diagonal."""
    return "symmetric" in facts and bool(facts & {"lower triangular", "upper triangular"})


def _whole_row(factors: list[tuple[Expr, Expr]], bound: tuple[Index, ...]) -> tuple[Read, Index] | None:
    """An entry of a simplex that is summed over all of it, in which alone the index stands: the sum is 1."""
    for atom, exponent in factors:
        if not isinstance(atom, Read) or exponent != 1 or "simplex" not in atom.tensor.facts:
            continue
        for k in bound:
            alone = not any(k in indices_of(a) for a, _ in factors if a != atom)
            if alone and runs_whole(atom, k) == len(atom.indices) - 1:
                return atom, k
    return None
