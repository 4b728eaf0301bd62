"""The canonical form of an entry of a program: sums of products of atoms, with sums over indices named canonically."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    Where,
    indices_of,
    reads_of,
    substitute,
)
from ..ir.slots import runs_whole, slot_extents, takes_whole
from ..ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from ..rewrite.deltas import solve_deltas
from ..rewrite.digits import split_digits
from .atoms import INVERSE, Applied, Grow, Total, ordered, oriented, renamed, with_own_slots
from .matching import beside_inverse
from .naming import components, named_again, named_sum
from .polynomial import Monomial, Polynomial, as_expression, collected, common_factor, monic

REWRITTEN: dict[type, Callable[..., Expr]] = {
    sigmoid: lambda x: sympy.exp(x) / (1 + sympy.exp(x)),
    softplus: lambda x: sympy.log(1 + sympy.exp(x)),
    log1p: lambda x: sympy.log(1 + x),
    expm1: lambda x: sympy.exp(x) - 1,
    sympy.tanh: lambda x: (sympy.exp(2 * x) - 1) / (sympy.exp(2 * x) + 1),
    sympy.cosh: lambda x: (sympy.exp(x) + sympy.exp(-x)) / 2,
    sympy.sinh: lambda x: (sympy.exp(x) - sympy.exp(-x)) / 2,
}
"""Functions that are rational in exponentials."""


class Canonical:
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
                Polynomial({collected((named_again(renamed(a, places)), e) for a, e in m): c})
                for m, c in form
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
        return Polynomial.of(Applied(sympy.Symbol(equation.reduce), Total(inner.expression(), bound)))

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

    # -- scalar expressions

    def form(self, e: Expr) -> Polynomial:
        """The canonical form of an expression over reads, indices and sizes."""
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
            case sympy.Pow():
                return self.power(self.form(e.base), e.exp)
            case sympy.exp():
                return self.exponential(self.form(e.args[0]))
            case Grow():
                return self.exponential(self.form(e.args[0]))
            case sympy.log():
                return self.logarithm(self.form(e.args[0]))
            case Where():
                chosen, other = Bracket(e.args[0]), Bracket(sympy.Not(e.args[0]))
                return self.form(chosen) * self.form(e.args[1]) + self.form(other) * self.form(e.args[2])
            case Bracket():
                return Polynomial.of(ordered(e))
            case Applied() | Index() | Slot() | sympy.Symbol():
                return Polynomial.of(e)
        if (rule := REWRITTEN.get(e.func)) is not None:
            return self.form(rule(*e.args))
        if e.is_number or not e.args:
            return Polynomial.of(e)
        return Polynomial.of(e.func(*(self.form(a).expression() for a in e.args)))

    def power(self, base: Polynomial, exponent: Expr) -> Polynomial:
        """A power: expanded if the exponent is a small natural number, else of each factor where that is allowed."""
        if not exponent.is_Rational:
            return Polynomial.of(sympy.Pow(base.expression(), self.form(exponent).expression()))
        if exponent.is_Integer and 0 < exponent <= 6:
            return base.power(int(exponent))
        if base.is_zero:
            return Polynomial.of(sympy.Pow(S.Zero, exponent, evaluate=False))
        single = base.single()
        if single is not None:
            return self.power_of_monomial(*single, exponent)
        common = common_factor(base, integral=bool(exponent.is_Integer))
        if common:
            rest = base * Polynomial({frozenset((a, -e) for a, e in common): S.One})
            outside = Polynomial({frozenset((a, e * exponent) for a, e in common): S.One})
            return outside * self.power(rest, exponent)
        content, primitive = monic(base)
        number = content**exponent if exponent.is_Integer or content.is_positive else None
        if number is None or not number.is_Rational:
            return Polynomial.of(base.expression(), exponent)
        return Polynomial.of(primitive.expression(), exponent).scaled(number)

    def power_of_monomial(self, monomial: Monomial, coefficient: Expr, exponent: Expr) -> Polynomial:
        """Of each factor for a whole exponent; a root only of what cannot be negative: ``(x^2)^(1/2)`` is no x."""
        whole = exponent.is_Integer
        number = coefficient**exponent if whole or coefficient.is_positive else None
        alone = len(monomial) == 1 and next(iter(monomial))[1] == 1
        if (
            number is not None
            and number.is_Rational
            and (whole or alone or all(atom.is_nonnegative for atom, _ in monomial))
        ):
            return Polynomial({frozenset((a, e * exponent) for a, e in monomial): number})
        return Polynomial.of(coefficient * as_expression(monomial), exponent)

    def exponential(self, argument: Polynomial) -> Polynomial:
        """``exp(c m + d n)`` is ``exp(m)^c exp(n)^d``."""
        return Polynomial({frozenset((Grow(as_expression(m)), c) for m, c in argument): S.One})

    def logarithm(self, argument: Polynomial) -> Polynomial:
        """Of a product of positive factors the sum of theirs."""
        single = argument.single()
        if single is None:
            common = common_factor(argument, integral=False)
            if common:
                inverse = Polynomial({frozenset((a, -e) for a, e in common): S.One})
                return self.logarithm(Polynomial({common: S.One})) + self.logarithm(argument * inverse)
            content, primitive = monic(argument)
            if content.is_positive and content != 1:
                return self.form(sympy.log(content)) + self.logarithm(primitive)
            return Polynomial.of(sympy.log(argument.expression()))
        monomial, coefficient = single
        positive = [(a, e) for a, e in monomial if a.is_positive]
        rest = frozenset((a, e) for a, e in monomial if not a.is_positive)
        if not coefficient.is_positive or (rest and not positive and coefficient == 1):
            return Polynomial.of(sympy.log(coefficient * as_expression(monomial)))
        parts = [Polynomial.number(0) if coefficient == 1 else self._log_of_number(coefficient)]
        for atom, exponent in positive:
            inner = self.form(atom.args[0]) if isinstance(atom, Grow) else Polynomial.of(sympy.log(atom))
            parts.append(inner.scaled(exponent))
        if rest:
            parts.append(Polynomial.of(sympy.log(as_expression(rest))))
        return Polynomial.sum(parts)

    def _log_of_number(self, number: Expr) -> Polynomial:
        """By the prime factors of numerator and denominator."""
        factors = sympy.factorrat(number)
        return Polynomial.sum(Polynomial.of(sympy.log(p)).scaled(e) for p, e in factors.items())

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
            solved, left = solve_deltas(term, bound)
            if (solved, left) != (term, bound):
                return self.total(self.form(solved), left)
        for cancel in (self.without_inverses, self.without_orthogonal):
            if (cancelled := cancel(factors, bound)) is not None:
                return cancelled
        outside = [(a, e) for a, e in factors if not indices_of(a) & set(bound)]
        inside = [(a, e) for a, e in factors if indices_of(a) & set(bound)]
        result = Polynomial({collected(outside): S.One})
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
                left = Polynomial({collected(found.left): S.One}).scaled(1 / found.coefficient)
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
                    left = Polynomial({collected(f for f in factors if f not in holders): S.One})
                    unit = self.form(Bracket(sympy.Eq(first.indices[other], second.indices[other])))
                    return self.total(left * unit, tuple(b for b in bound if b != k))
        return None

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
