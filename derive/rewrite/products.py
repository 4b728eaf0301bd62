"""Inverses and determinants of products, multiples, triangles and low-rank updates, in terms of their parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr

from ..calculus.differentiate import new_name
from ..ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Slot,
    Tensor,
    fresh_indices,
    indices_of,
    substitute,
)
from ..ir.slots import operand_facts, slot_extents, takes_whole
from ..ops.elementwise.piecewise import Absolute
from ..ops.linalg import primitives

Definitions = Mapping[str, Equation]


def factored(
    program: Program, names: frozenset[str] | None = None, small: frozenset[str] = frozenset()
) -> Program:
    """Write each inverse or determinant in terms of the parts of its operand, where a rule below knows how.

    Args:
        program: a well-formed program.
        names: the equations that may change; None for all.
        small: sizes that are small beside others, so that an update of that rank is worth a formula of its own.

    Source:
        (A B)^-1 = B^-1 A^-1 and det(A B) = det A det B for square factors; Sylvester (1851) for det(I + U V');
        Woodbury (1950) for its inverse.
    """
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    definitions: dict[str, Equation] = {}
    for equation in program.equations:
        changed = None
        if isinstance(equation.body, Entry) and (names is None or equation.target.name in names):
            changed = _Parts(equation, definitions, taken, small).rewritten()
        for e in changed or [equation]:
            definitions[e.target.name] = e
    return replace(program, equations=tuple(definitions.values()))


class _Parts:
    """One application of inv, det or slogdet to a matrix that is made of others."""

    def __init__(
        self, equation: Equation, definitions: Definitions, taken: dict[str, int], small: frozenset[str]
    ) -> None:
        self.equation, self.definitions, self.taken, self.small = equation, definitions, taken, small
        assert isinstance(equation.body, Entry)
        self.entry = equation.body
        self.helpers: list[Equation] = []
        self.batch = tuple(i for i in equation.axes if i not in self.entry.places)

    def rewritten(self) -> list[Equation] | None:
        """The equations that stand in for this one, or None."""
        if self.entry.primitive not in ("inv", "det", "slogdet"):
            return None
        (operand,) = self.entry.operands
        for rule in (self.of_triangle, self.of_inverse, self.of_product, self.of_multiple, self.of_update):
            found: tuple[Expr, tuple[Index, ...]] | None = rule(operand)
            if found is not None:
                body, bound = found
                return [
                    *self.helpers,
                    replace(self.equation, body=body, reduce="sum" if bound else None, bound=bound),
                ]
        return None

    # -- pieces

    def apply(self, primitive: str, output: int, operand: Read, places: tuple[Any, ...] = ()) -> Expr:
        """An entry of a primitive's result, defined by a new equation."""
        own = [n for n, i in zip(operand.tensor.shape, operand.indices, strict=True) if isinstance(i, Slot)]
        axes = fresh_indices(own[: len(places)], avoid=(*self.equation.axes, *self.batch))
        batch = tuple(i for i in self.batch if i in indices_of(operand))
        facts = primitives()[primitive].facts(operand_facts(operand))
        known = facts[output] if output < len(facts) else frozenset()
        name = new_name(f"{primitive}_{operand.tensor.name}", self.taken)
        target = Tensor(name, tuple(i.extent for i in (*batch, *axes)), facts=known)
        body = Entry(primitive, output, (operand,), axes)
        self.helpers.append(Equation(target, (*batch, *axes), body, step=self.equation.step))
        return Read(target, (*batch, *places))

    def determinant(self, operand: Read) -> Expr:
        """det, sign or log |det| of another matrix, as this one asks for."""
        return self.apply(self.entry.primitive, self.entry.output, operand)

    def combined(self, parts: list[Expr]) -> Expr:
        """The determinant of a product, or its logarithm, from those of its factors."""
        return sympy.Add(*parts) if self._logarithmic else sympy.Mul(*parts)

    @property
    def _logarithmic(self) -> bool:
        return self.entry.primitive == "slogdet" and self.entry.output == 1

    def definition(self, operand: Read) -> tuple[Equation, dict[Any, Any]] | None:
        """How the operand is defined, with its batch indices, and its two axes as slots."""
        source = self.definitions.get(operand.tensor.name)
        return None if source is None else (source, dict(zip(source.axes, operand.indices, strict=True)))

    # -- rules

    def of_triangle(self, operand: Read) -> tuple[Expr, tuple[Index, ...]] | None:
        """The determinant of a triangle is the product of its diagonal."""
        triangular = operand_facts(operand) & {"lower triangular", "upper triangular"}
        if self.entry.primitive == "inv" or not triangular or not self._logarithmic:
            return None
        (k,) = fresh_indices([operand.tensor.shape[-1]], avoid=self.equation.axes)
        return sympy.log(Absolute(substitute(operand, {Slot(0): k, Slot(1): k}))), (k,)

    def of_inverse(self, operand: Read) -> tuple[Expr, tuple[Index, ...]] | None:
        """det(A^-1) = 1 / det A."""
        found = self.definition(operand)
        if found is None or not isinstance(found[0].body, Entry) or found[0].body.primitive != "inv":
            return None
        if self.entry.primitive == "inv":
            return None  # `tidy` knows that the inverse of the inverse is the matrix
        inner = {i: n for i, n in found[1].items() if not isinstance(n, Slot)}
        value = self.determinant(substitute(found[0].body.operands[0], inner))
        return (
            -value if self._logarithmic else value if self.entry.primitive == "slogdet" else 1 / value
        ), ()

    def of_product(self, operand: Read) -> tuple[Expr, tuple[Index, ...]] | None:
        """(A B)^-1 = B^-1 A^-1, det(A B) = det A det B, for square A and B."""
        factors = self._square_factors(operand)
        if factors is None:
            return None
        A, B = factors
        if self.entry.primitive != "inv":
            return self.combined([self.determinant(A), self.determinant(B)]), ()
        i, j = self.entry.places
        (k,) = fresh_indices([i.extent], avoid=self.equation.axes)
        return self.apply("inv", 0, B, (i, k)) * self.apply("inv", 0, A, (k, j)), (k,)

    def _square_factors(self, operand: Read) -> tuple[Read, Read] | None:
        """A and B as operands, where the matrix is ``A B``."""
        found = self.definition(operand)
        if found is None or found[0].reduce != "sum" or len(found[0].bound) != 1:
            return None
        source, places = found
        (k,) = source.bound
        reads = sympy.Mul.make_args(source.body)
        if len(reads) == 1 and reads[0].is_Pow and reads[0].exp == 2:
            reads = (reads[0].base,) * 2
        if len(reads) != 2 or not all(isinstance(r, Read) and list(r.indices).count(k) == 1 for r in reads):
            return None
        outer = {n: i for i, n in places.items() if isinstance(n, Slot)}
        ordered: dict[int, Read] = {}
        for read in reads:
            for number in (0, 1):
                slots = {outer[Slot(number)]: Slot(number), k: Slot(1 - number)}
                rest = {i: n for i, n in places.items() if not isinstance(n, Slot)}
                whole = substitute(read, slots | rest)
                square = takes_whole(whole, [k.extent, k.extent]) and slot_extents(operand) == [k.extent] * 2
                if square and outer[Slot(number)] in read.indices:
                    ordered.setdefault(number, whole)
        return (ordered[0], ordered[1]) if len(ordered) == 2 else None

    def of_multiple(self, operand: Read) -> tuple[Expr, tuple[Index, ...]] | None:
        """(c A)^-1 = A^-1 / c, det(c A) = c^n det A."""
        found = self.definition(operand)
        if found is None or found[0].reduce is not None:
            return None
        source, places = found
        factors = sympy.Mul.make_args(source.body)
        rows = [i for i, n in places.items() if isinstance(n, Slot)]
        matrix = [f for f in factors if indices_of(f) & set(rows)]
        scalar = substitute(sympy.Mul(*(f for f in factors if f not in matrix)), places)
        if scalar == 1 or len(matrix) != 1 or not isinstance(matrix[0], Read):
            return None
        inner = substitute(matrix[0], places)
        if not takes_whole(inner, slot_extents(operand)):
            return None
        n = operand.tensor.shape[-1]
        if self.entry.primitive == "inv":
            return self.apply("inv", 0, inner, self.entry.places) / scalar, ()
        power = n * sympy.log(Absolute(scalar)) if self._logarithmic else scalar**n
        if self.entry.primitive == "slogdet" and not self._logarithmic:
            return None
        return self.combined([power, self.determinant(inner)]), ()

    def of_update(self, operand: Read) -> tuple[Expr, tuple[Index, ...]] | None:
        """det(c I + U V') = c^(n-k) det(c I + V' U), and Woodbury's inverse of it, where k is small."""
        found = self._update(operand)
        if found is None:
            return None
        c, U, V, rank = found
        if self.entry.primitive == "slogdet" and not self._logarithmic:
            return None
        i, j = fresh_indices([rank, rank], avoid=self.equation.axes)
        (r,) = fresh_indices([operand.tensor.shape[-1]], avoid=(i, j, *self.equation.axes))
        inside = self._defined("inner", (i, j), U(r, j) * V(r, i), (r,))
        core = self._defined("core", (i, j), c * Bracket(sympy.Eq(i, j)) + inside[i, j], ())
        whole = Read(core, (Slot(0), Slot(1)))
        n = operand.tensor.shape[-1]
        if self.entry.primitive != "inv":
            outside = (n - rank) * sympy.log(Absolute(c)) if self._logarithmic else c ** (n - rank)
            return self.combined([outside, self.determinant(whole)]), ()
        a, b = self.entry.places
        middle = self.apply("inv", 0, whole, (i, j))
        update = self._defined("update", (a, b), U(a, i) * middle * V(b, j), (i, j))
        return (Bracket(sympy.Eq(a, b)) - update[a, b]) / c, ()

    def _defined(self, name: str, axes: tuple[Index, ...], body: Expr, bound: tuple[Index, ...]) -> Tensor:
        target = Tensor(new_name(name, self.taken), tuple(i.extent for i in axes))
        self.helpers.append(Equation(target, axes, body, "sum" if bound else None, bound, self.equation.step))
        return target

    def _update(self, operand: Read) -> tuple[Expr, Any, Any, Expr] | None:
        """c, U and V as functions of their places, and the rank, where the matrix is ``c I + U V'`` of small rank."""
        found = self.definition(operand)
        if found is None or found[0].reduce is not None or self.batch:
            return None
        source, _ = found
        terms = sympy.Add.make_args(source.body)
        unit = [t for t in terms if t.has(Bracket)]
        low = [t for t in terms if isinstance(t, Read)]
        if len(terms) != 2 or len(unit) != 1 or len(low) != 1:
            return None
        i, j = source.axes
        c = sympy.Mul(*(f for f in sympy.Mul.make_args(unit[0]) if not isinstance(f, Bracket)))
        if indices_of(c) or unit[0] / c not in (Bracket(sympy.Eq(i, j)), Bracket(sympy.Eq(j, i))):
            return None
        product = self.definitions.get(low[0].tensor.name)
        if product is None or product.reduce != "sum" or len(product.bound) != 1 or low[0].indices != (i, j):
            return None
        (k,) = product.bound
        if not k.extent.free_symbols <= {s for s in k.extent.free_symbols if str(s) in self.small}:
            return None
        row, column = product.axes
        sides: dict[Index, Expr] = {}
        for f in sympy.Mul.make_args(product.body):
            base = [f.base, f.base] if f.is_Pow and f.exp == 2 else [f]
            for read in base:
                for axis in (row, column):
                    if axis in indices_of(read) and axis not in sides:
                        sides[axis] = read
        if set(sides) != {row, column} or sympy.Mul(*sides.values()) != product.body:
            return None

        def side(axis: Index) -> Callable[[Any, Any], Expr]:
            return lambda place, inner: substitute(sides[axis], {axis: place, k: inner})

        return c, side(row), side(column), k.extent


def candidates(program: Program, frozen: frozenset[str]) -> Iterator[str]:
    """The derived equations whose inverse or determinant might be worth writing in parts."""
    return (
        e.target.name
        for e in program.equations
        if isinstance(e.body, Entry) and e.body.primitive in ("inv", "det") and e.target.name not in frozen
    )
