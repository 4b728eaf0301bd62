"""Equality at small sizes: every entry written out, with symbols for the entries of the inputs, difference exactly zero."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any

import sympy
from sympy import Expr, S

from ...deadline import OutOfTime, within
from ...errors import DeriveError
from ...ir.nodes import Entry, Equation, Index, Program, Read, Slot, substitute
from ...ir.slots import slot_extents
from ...ops.elementwise.piecewise import Maximum, Minimum
from ...verify.sample import input_sizes
from .canonical import Canonical
from .equal import is_zero
from .polynomial import Polynomial, TooLarge

LARGEST = 3
"""The largest size of an axis that is written out."""
MOST = 200
"""Entries of both sides that are compared at one choice of sizes."""
SECONDS = 6.0

Sizes = Mapping[Expr, Expr]
UNKNOWN_FACTS = {"orthogonal", "one-hot"}
"""What is declared of inputs, and is no equation for single entries here."""


class NotWritten(Exception):
    """A program of which not every entry can be written out."""


@dataclass(frozen=True)
class Compared:
    """All sizes up to `largest` were compared, this many entries in all; without sizes, `largest` is 0."""

    largest: int
    entries: int

    def __str__(self) -> str:
        where = f"all sizes up to {self.largest}" if self.largest else "the only sizes there are"
        return f"{self.entries} entries with symbols for those of the inputs, at {where}: each difference is exactly 0"


def equal_entries(program: Program, seconds: float = SECONDS) -> Compared | None:
    """How far both outputs were found equal entry by entry; None if they were not, or only for sizes of 1."""
    symbols = input_sizes(program)
    if any(t.facts & UNKNOWN_FACTS or t.kind != "real" for t in program.inputs):
        return None
    compared, reached = 0, 0
    try:
        with within(seconds):
            for largest in range(1, LARGEST + 1) if symbols else (1,):
                for sizes in _sizes(symbols, largest):
                    found = _entries_equal(program, sizes)
                    if found is None:
                        return None
                    compared += found
                reached = largest
    except (OutOfTime, TooLarge, NotWritten, RecursionError, DeriveError):
        pass
    if not symbols:
        return Compared(0, compared) if reached else None
    return Compared(reached, compared) if reached > 1 else None


def _sizes(symbols: list[sympy.Symbol], largest: int) -> Iterator[Sizes]:
    """The choices of sizes up to `largest` of which one is `largest`."""
    for values in product(range(1, largest + 1), repeat=len(symbols)):
        if not symbols or max(values) == largest:
            yield {s: S(v) for s, v in zip(symbols, values, strict=True)}


def _entries_equal(program: Program, sizes: Sizes) -> int | None:
    """How many entries are equal at these sizes; None if one is not found to be."""
    left, right = program.outputs
    forms = Written(program, sizes)
    places = list(product(*(range(forms.size(n)) for n in left.shape)))
    if len(places) > MOST:
        raise NotWritten
    for place in places:
        difference = forms.entry(Read(left, place)) - forms.entry(Read(right, place))
        if not is_zero(difference, forms, set()):
            return None
    return len(places)


class Written(Canonical):
    """Forms at given sizes: an entry is a polynomial in the entries of the inputs, and sums are written out."""

    def __init__(self, program: Program, sizes: Sizes) -> None:
        super().__init__(program)
        self.sizes = dict(sizes)
        self.found: dict[tuple[str, tuple[Any, ...]], Polynomial] = {}
        self.results: dict[tuple[Any, ...], Any] = {}

    def size(self, extent: Expr) -> int:
        """The number of entries along an axis."""
        value = extent.xreplace(self.sizes)
        if not value.is_Integer:
            raise NotWritten
        return int(value)

    def form(self, e: Expr) -> Polynomial:
        return super().form(self.sizes[e]) if e in self.sizes else super().form(e)

    def entry(self, read: Read) -> Polynomial:
        """One entry, at places that are numbers."""
        places = tuple(p.xreplace(self.sizes) for p in read.indices)
        if not all(p.is_Integer for p in places):
            raise NotWritten
        for place, extent in zip(places, read.tensor.shape, strict=True):
            if not 0 <= int(place) < self.size(extent):
                raise NotWritten
        source = self.definitions.get(read.tensor.name)
        key = read.tensor.name, places
        if key not in self.found:
            self.found[key] = (
                self.input(Read(read.tensor, places))
                if source is None
                else self.defined(source, dict(zip(source.axes, places, strict=True)))
            )
        return self.found[key]

    def input(self, read: Read) -> Polynomial:
        """An entry of an input; the last one of a simplex is 1 without the others."""
        if "simplex" in read.tensor.facts and read.indices[-1] == self.size(read.tensor.shape[-1]) - 1:
            others = (Read(read.tensor, (*read.indices[:-1], S(k))) for k in range(int(read.indices[-1])))
            return Polynomial.number(1) - Polynomial.sum(map(Polynomial.of, others))
        return super().input(read)

    def defined(self, equation: Equation, renaming: dict[Any, Any]) -> Polynomial:
        if isinstance(equation.body, Entry):
            return self.applied(substitute(equation.body, renaming))
        parts = [
            self.form(
                substitute(
                    equation.body, {**self.sizes, **renaming, **dict(zip(equation.bound, where, strict=True))}
                )
            )
            for where in self.places(equation.bound)
        ]
        match equation.reduce:
            case "prod":
                return Polynomial.product(parts)
            case "max" | "min":
                if not parts:
                    raise NotWritten
                kind = Maximum if equation.reduce == "max" else Minimum
                return reduce(lambda a, b: self.form(kind(a.expression(), b.expression())), parts)
        return Polynomial.sum(parts)

    def places(self, bound: Iterable[Index]) -> Iterator[tuple[Expr, ...]]:
        """All values of indices."""
        return product(*(map(S, range(self.size(b.extent))) for b in bound))

    def applied(self, e: Entry) -> Polynomial:
        """An entry of an inverse, a solution, a determinant or a power, in the entries of the matrix."""
        places = tuple(p.xreplace(self.sizes) for p in e.places)
        parameters = tuple(p.xreplace(self.sizes) for p in e.parameters)
        matrix = self.matrix(e.operands[0])
        match e.primitive:
            case "det":
                return self.determinant_of(matrix)
            case "slogdet":
                value = self.determinant_of(matrix)
                return self.sign(value) if e.output == 0 else self.logarithm(self.absolute(value))
            case "inv":
                return self.inverse_entry(matrix, int(places[0]), int(places[1]))
            case "solve":
                right = self.vector(e.operands[1])
                row = (self.inverse_entry(matrix, int(places[0]), k) for k in range(len(matrix)))
                return Polynomial.sum(a * b for a, b in zip(row, right, strict=True))
            case "power" if parameters[0].is_Integer and 0 <= parameters[0] <= 8:
                return self.power_entry(matrix, int(parameters[0]), int(places[0]), int(places[1]))
        raise NotWritten

    def matrix(self, operand: Read) -> list[list[Polynomial]]:
        """The entries of an operand with two axes."""
        extents = [self.size(n) for n in slot_extents(operand)]
        if len(extents) != 2:
            raise NotWritten
        rows, columns = (range(n) for n in extents)
        return [
            [self.entry(substitute(operand, {Slot(0): S(i), Slot(1): S(j)})) for j in columns] for i in rows
        ]

    def vector(self, operand: Read) -> list[Polynomial]:
        """The entries of an operand with one axis."""
        (extent,) = slot_extents(operand)
        return [self.entry(substitute(operand, {Slot(0): S(i)})) for i in range(self.size(extent))]

    def determinant_of(self, matrix: list[list[Polynomial]]) -> Polynomial:
        """By the first row."""
        if not matrix:
            return Polynomial.number(1)
        if len(matrix) > LARGEST + 1:
            raise NotWritten
        terms = [
            (matrix[0][j] * self.determinant_of(_minor(matrix, 0, j))).scaled(S.NegativeOne**j)
            for j in range(len(matrix))
        ]
        return Polynomial.sum(terms)

    def inverse_entry(self, matrix: list[list[Polynomial]], row: int, column: int) -> Polynomial:
        """By Cramer's rule."""
        cofactor = self.determinant_of(_minor(matrix, column, row)).scaled(S.NegativeOne ** (row + column))
        whole = self.determinant_of(matrix)
        if whole.is_zero:
            raise NotWritten
        return cofactor * self.power(whole, S.NegativeOne)

    def power_entry(self, matrix: list[list[Polynomial]], exponent: int, row: int, column: int) -> Polynomial:
        """An entry of a natural power."""
        n = len(matrix)
        current = [Polynomial.number(int(j == row)) for j in range(n)]
        for _ in range(exponent):
            current = [Polynomial.sum(current[k] * matrix[k][j] for k in range(n)) for j in range(n)]
        return current[column]


def _minor(matrix: list[list[Polynomial]], row: int, column: int) -> list[list[Polynomial]]:
    return [[x for j, x in enumerate(line) if j != column] for i, line in enumerate(matrix) if i != row]
