"""The canonical form of an entry of a program: sums of products of atoms, with sums over indices named canonically."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Expr, S, Tuple

from ..ir.nodes import (
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
from ..ir.slots import runs_whole, slot_extents, takes_whole
from ..rewrite.deltas import solve_deltas
from ..rewrite.digits import split_digits
from .atoms import INVERSE, Applied, Grow, Total, oriented, pinched, renamed, with_own_slots
from .matching import beside_inverse
from .naming import components, named_again, named_sum
from .polynomial import Monomial, Polynomial, as_expression, common_factor, monic, reciprocal
from .scalars import Scalars


class Canonical(Scalars):
    """Canonical forms of the tensors of one program."""

    def __init__(self, program: Program) -> None:
        self.definitions: Mapping[str, Equation] = program.definitions
        self.count = 0
        self.known: dict[str, tuple[tuple[Index, ...], Polynomial]] = {}
        self.matrices: dict[Tuple, Polynomial] = {}

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

    def fresh(self, extent: Expr) -> Index:
        self.count += 1
        return Index(f"_{self.count}", extent)

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
        return self.extreme(inner, bound, equation.reduce == "max")

    def applied(self, e: Entry) -> Polynomial:
        """An entry of a primitive's result; a solution is the inverse times the right-hand side."""
        operands = [self.form(operand) for operand in e.operands]
        extents = [n for operand in e.operands for n in slot_extents(operand)]
        if e.primitive == "inv":
            return self.inverse(operands[0], extents[0], *e.places)
        if e.primitive == "solve":
            k = self.fresh(extents[0])
            return self.total(
                self.inverse(operands[0], extents[0], e.places[0], k) * self.at(operands[1], {Slot(0): k}), (k,)
            )
        expressions = Tuple(*(with_own_slots(o.expression()) for o in operands))
        primitive = sympy.Symbol(e.primitive)
        parameters = Tuple(*extents, *e.parameters)
        return Polynomial.of(Applied(primitive, S(e.output), expressions, Tuple(*e.places), parameters))

    def inverse(self, matrix: Polynomial, extent: Expr, row: Any, column: Any) -> Polynomial:
        """An entry of the inverse: of the matrix or of its transpose, whichever comes first, without a common factor."""
        content, matrix = monic(matrix)
        if (single := matrix.single()) is not None and len(single[0]) == 1:
            ((atom, exponent),) = single[0]
            if exponent == 1 and _whole_orthogonal(atom, extent):
                return self.at(matrix, {Slot(0): column, Slot(1): row}).scaled(1 / content)
        turned = self.at(matrix, {Slot(0): Slot(1), Slot(1): Slot(0)})
        symmetric = turned.terms == matrix.terms
        if symmetric:
            row, column = sorted((row, column), key=str)
        elif _text(turned) < _text(matrix):
            matrix, row, column = turned, column, row
        closed = with_own_slots(matrix.expression())
        atom = Applied(INVERSE, S.Zero, Tuple(closed), Tuple(row, column), Tuple(extent, S(int(symmetric))))
        self.matrices[atom.matrix] = matrix
        return Polynomial.of(atom).scaled(1 / content)

    # -- sums

    def total(self, form: Polynomial, bound: tuple[Index, ...]) -> Polynomial:
        """The sum over indices: free factors out, deltas solved, one `Total` for each connected product."""
        if not bound:
            return form
        return Polynomial.sum(self.sum_of_term(m, bound).scaled(c) for m, c in form)

    def sum_of_term(self, monomial: Monomial, bound: tuple[Index, ...]) -> Polynomial:
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
        for cancel in (self.without_inverses, self.without_orthogonal):
            if (cancelled := cancel(factors, bound)) is not None:
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
        for atom, exponent in factors:
            if not (isinstance(atom, Applied) and atom.is_inverse and exponent == 1):
                continue
            others = list(factors)
            others.remove((atom, exponent))
            for found in beside_inverse(atom, self.matrices[atom.matrix], others, bound, self.parts):
                left = Polynomial.monomial(found.left, reciprocal(found.coefficient))
                remaining = tuple(b for b in bound if b not in found.inner)
                unit = self.form(Bracket(sympy.Eq(found.far, found.end)))
                first = self.total(left * unit, tuple(b for b in remaining if b != found.near))
                places = {Slot(found.side): found.near, Slot(1 - found.side): found.end}
                rest = self.at(found.rest, places)
                return first - self.total(left * Polynomial.of(atom) * rest, remaining)
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

    # -- products and extrema over indices

    def product(self, form: Polynomial, bound: tuple[Index, ...]) -> Polynomial:
        """The product over indices, factor by factor: ``prod_k c x[k]^2`` is ``c^n (prod_k x[k])^2``."""
        single = form.single()
        if single is None:
            common = common_factor(form, integral=True)
            if not common:
                return Polynomial.of(self.over_indices("prod", form.expression(), bound))
            rest = form * Polynomial.monomial((a, -e) for a, e in common)
            return self.product(Polynomial.monomial(common), bound) * self.product(rest, bound)
        monomial, coefficient = single
        if any(isinstance(a, Bracket) for a, _ in monomial) or not coefficient.is_Rational:
            return Polynomial.of(self.over_indices("prod", form.expression(), bound))
        every = sympy.Mul(*(b.extent for b in bound))
        parts = [self.power(Polynomial.number(coefficient), every)]
        for atom, exponent in monomial:
            own = tuple(b for b in bound if b in indices_of(atom))
            times = sympy.Mul(*(b.extent for b in bound if b not in own))
            if not own:
                parts.append(self.power(Polynomial.monomial([(atom, exponent)]), times))
            elif isinstance(atom, Grow):
                inner = self.form(atom.args[0]).scaled(exponent) * self.form(times)
                parts.append(self.exponential(self.total(inner, own)))
            elif exponent.is_integer or atom.is_positive:
                parts.append(self.power(Polynomial.of(self.over_indices("prod", atom, own)), exponent * times))
            else:
                parts.append(self.power(Polynomial.of(self.over_indices("prod", atom**exponent, own)), times))
        return Polynomial.product(parts)

    def extreme(self, form: Polynomial, bound: tuple[Index, ...], largest: bool) -> Polynomial:
        """The maximum or minimum: ``max_k (a + 2 x[k])`` is ``a + 2 max_k x[k]``, ``max_k -x[k]`` is ``-min_k x[k]``."""
        outside = Polynomial({m: c for m, c in form if not indices_of(as_expression(m)) & set(bound)})
        inside = form - outside
        bound = tuple(b for b in bound if any(b in indices_of(as_expression(m)) for m, _ in inside))
        if inside.is_zero or not all(c.is_Rational for _, c in inside):
            atom = self.over_indices("max" if largest else "min", form.expression(), bound)
            return outside if inside.is_zero else Polynomial.of(atom)
        common = common_factor(inside, integral=False)
        factor = [(a, -e) for a, e in common if not indices_of(a) & set(bound)]
        content, inner = monic(inside * Polynomial.monomial(factor))
        scale = Polynomial.monomial(((a, -e) for a, e in factor), content)
        largest = largest == bool(content.is_positive)
        single = inner.single()
        if single is not None and all(isinstance(a, Grow) for a, _ in single[0]):
            argument = Polynomial.sum(self.form(a.args[0]).scaled(e) for a, e in single[0])
            return outside + scale * self.exponential(self.extreme(argument, bound, largest))
        atom = self.over_indices("max" if largest else "min", inner.expression(), bound)
        return outside + scale * Polynomial.of(atom)

    def over_indices(self, kind: str, body: Expr, bound: tuple[Index, ...]) -> Applied:
        """A product or maximum over indices as an atom."""
        over = named_sum([(body, S.One)], list(bound))
        return Applied(sympy.Symbol(kind), S.Zero, Tuple(over), Tuple(), Tuple())

    def parts(self, monomial: Monomial) -> tuple[list[Expr], list[Index]] | None:
        """The reads and inverses of a product of matrices, with the indices that it sums over; None for anything else."""
        factors: list[Expr] = []
        bound: list[Index] = []
        for atom, exponent in monomial:
            if isinstance(atom, Total) and exponent == 1:
                fresh = {b: self.fresh(b.extent) for b in atom.bound}
                factors.extend(sympy.Mul.make_args(substitute(atom.body, fresh)))
                bound.extend(fresh.values())
            elif exponent == 1:
                factors.append(atom)
            else:
                return None
        return (factors, bound) if all(isinstance(f, Read | Applied) for f in factors) else None

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
        if len(group) == len(bound) == 1:
            ((atom, exponent),) = group
            if (
                isinstance(atom, Read)
                and exponent == 1
                and "simplex" in atom.tensor.facts
                and runs_whole(atom, bound[0]) == len(atom.indices) - 1
            ):
                return Polynomial.number(1)
        return Polynomial.of(named_sum(group, bound))


def _both(facts: frozenset[str]) -> bool:
    """Whether a matrix is symmetric and a triangle, and so diagonal."""
    return "symmetric" in facts and bool(facts & {"lower triangular", "upper triangular"})


def _text(form: Polynomial) -> list[str]:
    return sorted(f"{c} {as_expression(m)}" for m, c in form)


def _whole_orthogonal(atom: Expr, extent: Expr) -> bool:
    """Whether this is an entry of a matrix that was declared orthogonal, of all of it."""
    if not isinstance(atom, Read) or "orthogonal" not in atom.tensor.facts:
        return False
    return takes_whole(atom, (extent, extent)) and all(isinstance(i, Slot) for i in atom.indices[-2:])
