"""Canonical forms of what linear algebra makes of matrices: inverses, exponentials, factorisations."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import sympy
from sympy import Expr, S, Tuple

from ...ir.nodes import Entry, Index, Slot
from ...ir.slots import slot_extents
from .atoms import Applied, with_own_slots
from .determinants import (
    base_of,
    common_scalars,
    determinant,
    diagonal_of,
    is_orthogonal,
    is_regular,
    square_parts,
    text_of,
)
from .factorisations import eigenvalue
from .polynomial import Polynomial, monic, reciprocal
from .scalars import Scalars
from .words import COLUMN, ROW, UNIT, Word, product_of, transposed, words_of, written_out

HIGHEST = 8
"""The largest power of a matrix that is written out."""


class Matrices(Scalars):
    """Canonical forms of entries of primitives."""

    def __init__(self) -> None:
        self.count = 0
        self.matrices: dict[Tuple, Polynomial] = {}
        self.inverted: list[tuple[Polynomial, Expr]] = []

    @abstractmethod
    def at(self, form: Polynomial, places: dict[Any, Any]) -> Polynomial:
        """A form with other indices."""

    @abstractmethod
    def product(self, form: Polynomial, bound: tuple[Index, ...]) -> Polynomial:
        """The product of a form over indices."""

    def fresh(self, extent: Expr) -> Index:
        """An index that nothing else uses."""
        self.count += 1
        return Index(f"_{self.count}", extent)

    def applied(self, e: Entry) -> Polynomial:
        """An entry of a primitive's result, in terms of others where it is one."""
        operands = [self.form(operand) for operand in e.operands]
        extents = [n for operand in e.operands for n in slot_extents(operand)]
        matrix = operands[0]
        match e.primitive, *e.places:
            case "inv", row, column:
                return self.inverse(matrix, extents[0], row, column)
            case "solve", row:
                k = self.fresh(extents[0])
                inverse = self.inverse(matrix, extents[0], row, k)
                return self.total(inverse * self.at(operands[1], {Slot(0): k}), (k,))
            case ("det",):
                return determinant(self, matrix, extents[0])
            case ("slogdet",):
                value = determinant(self, matrix, extents[0])
                return self.sign(value) if e.output == 0 else self.logarithm(self.absolute(value))
            case "power", row, column if e.parameters[0].is_Integer and e.parameters[0] <= HIGHEST:
                whole = self.matrix_power(matrix, extents[0], int(e.parameters[0]))
                return self.at(whole, {ROW: row, COLUMN: column})
            case "expm", row, column:
                return self.exponential_of(matrix, extents[0], row, column)
            case "eigh", place:
                return eigenvalue(self, self.symmetrised(matrix), extents[0], place)
            case "eigh", row, column:
                matrix = self.symmetrised(matrix)
                return self.applied_atom("eigh", 1, matrix, (extents[0], S.Zero), (row, column))
            case "svd", place:
                return self.singular_value(matrix, extents, place)
            case "pinv", row, column:
                return self.pseudoinverse(matrix, extents, row, column)
            case "cholesky", row, column:
                return self.cholesky(self.symmetrised(matrix), extents[0], row, column)
        if len(operands) == 1 and extents:
            return self.applied_atom(e.primitive, e.output, matrix, (*extents, *e.parameters), e.places)
        expressions = Tuple(*(with_own_slots(o.expression()) for o in operands))
        parameters = Tuple(*extents, *e.parameters)
        primitive = sympy.Symbol(e.primitive)
        return Polynomial.of(Applied(primitive, S(e.output), expressions, Tuple(*e.places), parameters))

    def symmetrised(self, matrix: Polynomial) -> Polynomial:
        """What a factorisation of symmetric matrices sees of any matrix."""
        return (matrix + self.at(matrix, {ROW: COLUMN, COLUMN: ROW})).scaled(S.Half)

    def applied_atom(
        self, name: str, output: int, matrix: Polynomial, parameters: Iterable[Any], places: Iterable[Any]
    ) -> Polynomial:
        """An entry of a result as an atom, whose matrix is kept."""
        closed = with_own_slots(matrix.expression())
        atom = Applied(sympy.Symbol(name), S(output), Tuple(closed), Tuple(*places), Tuple(*parameters))
        self.matrices[atom.matrix] = matrix
        return Polynomial.of(atom)

    def inverse(self, matrix: Polynomial, size: Expr, row: Any, column: Any) -> Polynomial:
        """An entry of the inverse: factor by factor, or of the matrix or its transpose, whichever comes first."""
        if matrix.is_zero:
            return Polynomial.of(
                Applied(sympy.Symbol("singular"), S.Zero, Tuple(), Tuple(row, column), Tuple(size))
            )
        content, matrix = monic(matrix)
        places = {ROW: row, COLUMN: column}
        if (diagonal := diagonal_of(matrix)) is not None:
            return self.at(self.form(UNIT) * self.power(diagonal, S.NegativeOne), places).scaled(
                reciprocal(content)
            )
        if (scalars := common_scalars(matrix)) and matrix.single() is not None:
            rest = matrix * Polynomial.monomial((a, -e) for a, e in scalars)
            outside = Polynomial.monomial(((a, -e) for a, e in scalars), reciprocal(content))
            return outside * self.inverse(rest, size, row, column)
        words = words_of(self, matrix, size, size)
        if words is not None and len(words) == 1:
            parts = list(square_parts(words[0], size))
            if len(parts) > 1:
                inner = [row, *(self.fresh(size) for _ in parts[1:]), column]
                ends = pairwise(inner)
                entries = [
                    self.inverse(product_of(self, p), size, a, b)
                    for p, (a, b) in zip(reversed(parts), ends, strict=True)
                ]
                return self.total(Polynomial.product(entries), tuple(inner[1:-1])).scaled(reciprocal(content))
            if (
                len(words[0].letters) == 1
                and (known := self.inverse_of_letter(words[0].letters[0], size)) is not None
            ):
                return self.at(known, places).scaled(reciprocal(content))
        turned = self.at(matrix, {Slot(0): Slot(1), Slot(1): Slot(0)})
        symmetric = turned.terms == matrix.terms
        if symmetric:
            row, column = sorted((row, column), key=str)
        elif text_of(turned) < text_of(matrix):
            matrix, row, column = turned, column, row
        return self.applied_atom("inv", 0, matrix, (size, S(int(symmetric))), (row, column)).scaled(
            reciprocal(content)
        )

    def inverse_of_letter(self, letter: Expr, size: Expr) -> Polynomial | None:
        """The inverse of an orthogonal matrix, an inverse, an exponential or a Cholesky factor."""
        turned = self.form(transposed(letter))
        if is_orthogonal(letter, size):
            return turned
        if not isinstance(letter, Applied) or letter.extent != size:
            return None
        if letter.is_inverse:
            return base_of(self, letter)
        inner = self.matrices.get(letter.matrix)
        if letter.name == "expm" and inner is not None:
            return self.exponential_of(inner.scaled(S.NegativeOne), size, *letter.places)
        if letter.name == "cholesky" and inner is not None:
            inverse = self.inverse_matrix(inner, size)
            if letter.places == (ROW, COLUMN):
                return self.matrix_product(turned, inverse, size)
            return self.matrix_product(inverse, turned, size)
        return None

    def inverse_matrix(self, matrix: Polynomial, size: Expr) -> Polynomial:
        """The inverse at slots 0 and 1."""
        i, j = self.fresh(size), self.fresh(size)
        return self.at(self.inverse(matrix, size, i, j), {i: ROW, j: COLUMN})

    def matrix_product(self, left: Polynomial, right: Polynomial, size: Expr) -> Polynomial:
        """The product of two square matrices at slots 0 and 1."""
        k = self.fresh(size)
        return self.total(self.at(left, {COLUMN: k}) * self.at(right, {ROW: k}), (k,))

    def matrix_power(self, matrix: Polynomial, size: Expr, exponent: int) -> Polynomial:
        """A power of a square matrix at slots 0 and 1."""
        found = self.form(UNIT)
        for _ in range(exponent):
            found = self.matrix_product(found, matrix, size)
        return found

    def exponential_of(self, matrix: Polynomial, size: Expr, row: Any, column: Any) -> Polynomial:
        """An entry of the matrix exponential; of ``S^-1 M S`` from that of M."""
        places = {ROW: row, COLUMN: column}
        if matrix.is_zero:
            return self.at(self.form(UNIT), places)
        if (diagonal := diagonal_of(matrix)) is not None:
            return self.at(self.form(UNIT) * self.exponential(diagonal), places)
        words = words_of(self, matrix, size, size)
        if words is not None and all(len(w.letters) > 2 for w in words):
            sides = {(w.letters[0], w.letters[-1]) for w in words}
            if len(sides) == 1 and self.undoes(*next(iter(sides)), size):
                first, last = next(iter(sides))
                inner = written_out(
                    self, [Word(w.coefficient, w.scalars, w.letters[1:-1], w.extents[1:-1]) for w in words]
                )
                whole = self.exponential_of(inner, size, ROW, COLUMN)
                left = self.matrix_product(self.form(first), whole, size)
                return self.at(self.matrix_product(left, self.form(last), size), places)
        turned = self.at(matrix, {ROW: COLUMN, COLUMN: ROW})
        if text_of(turned) < text_of(matrix):
            matrix, row, column = turned, column, row
        return self.applied_atom("expm", 0, matrix, (size,), (row, column))

    def undoes(self, first: Expr, last: Expr, size: Expr) -> bool:
        """Whether the product of two letters is the unit matrix."""
        product = self.matrix_product(self.form(first), self.form(last), size)
        return product.terms == self.form(UNIT).terms

    def singular_value(self, matrix: Polynomial, extents: Sequence[Expr], place: Any) -> Polynomial:
        """``s(c A) = |c| s(A)``, and ``s(A') = s(A)``."""
        content, matrix = monic(matrix) if not matrix.is_zero else (S.One, matrix)
        turned = self.at(matrix, {ROW: COLUMN, COLUMN: ROW})
        if text_of(turned) < text_of(matrix):
            matrix, extents = turned, extents[::-1]
        return self.applied_atom("svd", 1, matrix, extents, (place,)).scaled(abs(content))

    def pseudoinverse(self, matrix: Polynomial, extents: Sequence[Expr], row: Any, column: Any) -> Polynomial:
        """Of an invertible matrix the inverse; of a multiple and a transpose from that of the matrix itself."""
        if matrix.is_zero:
            return self.applied_atom("pinv", 0, matrix, extents, (row, column))
        content, matrix = monic(matrix)
        scalars = common_scalars(matrix)
        if scalars:
            matrix = matrix * Polynomial.monomial((a, -e) for a, e in scalars)
        outside = Polynomial.monomial(((a, -e) for a, e in scalars), reciprocal(content))
        words = words_of(self, matrix, extents[0], extents[1])
        if (
            words is not None
            and len(words) == 1
            and extents[0] == extents[1]
            and is_regular(self, words[0], extents[0])
        ):
            return outside * self.inverse(matrix, extents[0], row, column)
        turned = self.at(matrix, {ROW: COLUMN, COLUMN: ROW})
        for outer, size in ((True, extents[1]), (False, extents[0])):
            if (gram := self.inverted_gram(matrix, extents, outer)) is not None:
                i, j = self.fresh(size), self.fresh(size)
                inverse = self.inverse(gram, size, i, j)
                if outer:
                    return outside * self.total(
                        self.at(inverse, {i: row}) * self.at(turned, {ROW: j, COLUMN: column}), (j,)
                    )
                return outside * self.total(
                    self.at(turned, {ROW: row, COLUMN: i}) * self.at(inverse, {j: column}), (i,)
                )
        if text_of(turned) < text_of(matrix):
            matrix, extents, row, column = turned, extents[::-1], column, row
        return outside * self.applied_atom("pinv", 0, matrix, extents, (row, column))

    def inverted_gram(self, matrix: Polynomial, extents: Sequence[Expr], outer: bool) -> Polynomial | None:
        """``A' A``, or ``A A'``, if the claim takes its inverse: then A has full rank."""
        k = self.fresh(extents[0 if outer else 1])
        first, second = (
            ({ROW: k, COLUMN: ROW}, {ROW: k}) if outer else ({COLUMN: k}, {ROW: COLUMN, COLUMN: k})
        )
        gram = self.total(self.at(matrix, first) * self.at(matrix, second), (k,))
        known = any(m.terms == gram.terms and n == extents[1 if outer else 0] for m, n in self.inverted)
        return gram if known else None

    def cholesky(self, matrix: Polynomial, size: Expr, row: Any, column: Any) -> Polynomial:
        """The factor of ``c A`` is the root of c times that of A; of a diagonal matrix it is diagonal."""
        scalars = [(a, e) for a, e in common_scalars(matrix) if a.is_positive]
        matrix = matrix * Polynomial.monomial((a, -e) for a, e in scalars)
        content = abs(monic(matrix)[0]) if not matrix.is_zero else S.One
        outside = self.power(Polynomial.monomial(scalars, content), S.Half)
        matrix = matrix.scaled(1 / content)
        if (diagonal := diagonal_of(matrix)) is not None:
            return outside * self.at(
                self.form(UNIT) * self.power(diagonal, S.Half), {ROW: row, COLUMN: column}
            )
        return outside * self.applied_atom("cholesky", 0, matrix, (size,), (row, column))
