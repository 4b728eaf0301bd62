"""A matrix form as a sum of products of matrices: words of letters, each an expression over two slots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, S

from ...ir.nodes import Bracket, Slot, indices_of, substitute
from .atoms import Applied, Total, has_slots, renamed, slots_of
from .polynomial import Monomial, Polynomial
from .scalars import Scalars

ROW, COLUMN = Slot(0), Slot(1)
UNIT = Bracket(sympy.Eq(ROW, COLUMN, evaluate=False))


@dataclass(frozen=True)
class Word:
    """``coefficient * scalars * letters[0] @ letters[1] @ ...``; without letters the unit matrix.

    extents: the sizes of the axes before, between and after the letters; 1 where a column meets a row.
    """

    coefficient: Expr
    scalars: Monomial
    letters: tuple[Expr, ...]
    extents: tuple[Expr, ...]

    def part(self, first: int, last: int) -> Word:
        """The letters from `first` up to `last`, without the scalars."""
        return Word(S.One, frozenset(), self.letters[first:last], self.extents[first : last + 1])

    def then(self, other: Word) -> Word:
        """The product of two words."""
        scalars = Polynomial.monomial((*self.scalars, *other.scalars), self.coefficient * other.coefficient)
        ((monomial, coefficient),) = scalars
        return Word(coefficient, monomial, self.letters + other.letters, self.extents + other.extents[1:])

    @property
    def factor(self) -> Polynomial:
        """The scalar that the product of letters is multiplied by."""
        return Polynomial({self.scalars: self.coefficient})

    def turned(self) -> Word:
        """The transpose."""
        return replace(self, letters=tuple(map(transposed, self.letters[::-1])), extents=self.extents[::-1])


def transposed(letter: Expr) -> Expr:
    """The letter with rows and columns exchanged; a diagonal one is its own transpose."""
    if UNIT in sympy.Mul.make_args(letter):
        return letter
    return renamed(letter, {ROW: COLUMN, COLUMN: ROW})


def words_of(forms: Scalars, form: Polynomial, rows: Expr, columns: Expr) -> list[Word] | None:
    """The terms of a matrix as words; None where one of them is no product of matrices along one path."""
    found = [_word(forms, monomial, coefficient, rows, columns) for monomial, coefficient in form]
    return None if any(w is None for w in found) else [w for w in found if w is not None]


def written_out(forms: Scalars, words: Iterable[Word]) -> Polynomial:
    """The form of a sum of words."""
    return Polynomial.sum(product_of(forms, w) for w in words)


def product_of(forms: Scalars, word: Word) -> Polynomial:
    """The entry at slots 0 and 1."""
    if not word.letters:
        return word.factor * Polynomial.of(UNIT)
    inner = [forms.fresh(n) for n in word.extents[1:-1]]
    places = [ROW, *inner, COLUMN]
    entries = [
        forms.form(substitute(letter, {ROW: a, COLUMN: b}))
        for letter, a, b in zip(word.letters, places, places[1:], strict=False)
    ]
    bound = tuple(i for i in inner if i.extent != 1)
    return word.factor * forms.total(Polynomial.product(entries), bound)


def _word(forms: Scalars, monomial: Monomial, coefficient: Expr, rows: Expr, columns: Expr) -> Word | None:
    scalars, factors, extents = _opened(forms, monomial, {ROW: rows, COLUMN: columns})
    vectors: dict[Any, list[Expr]] = {}
    edges: dict[frozenset[Any], list[Expr]] = {}
    for factor in factors:
        nodes = [n for n in extents if factor.has(n) or n in indices_of(factor) or n in slots_of(factor)]
        if len(nodes) == 1:
            vectors.setdefault(nodes[0], []).append(factor)
        elif len(nodes) == 2:
            edges.setdefault(frozenset(nodes), []).append(factor)
        else:
            return None
    if UNIT in edges.get(frozenset((ROW, COLUMN)), []):
        if len(edges) > 1 or len(edges[frozenset((ROW, COLUMN))]) > 1 or set(vectors) - {ROW, COLUMN}:
            return None
        entries = [*vectors.get(ROW, []), *(substitute(v, {COLUMN: ROW}) for v in vectors.get(COLUMN, []))]
        letters = (sympy.Mul(UNIT, *entries),) if entries else ()
        return Word(coefficient, scalars, letters, (rows, rows) if letters else (rows,))
    first = _walk(ROW, vectors, edges, extents)
    if first is None:
        return None
    letters_found, sizes, end = first
    if end != COLUMN:
        second = _walk(COLUMN, vectors, edges, extents)
        if second is None:
            return None
        back = Word(S.One, frozenset(), tuple(second[0]), tuple(second[1])).turned()
        word = Word(coefficient, scalars, tuple(letters_found), tuple(sizes)).then(back)
    else:
        word = Word(coefficient, scalars, tuple(letters_found), tuple(sizes))
    return None if edges or vectors else word


def _opened(
    forms: Scalars, monomial: Monomial, extents: dict[Any, Expr]
) -> tuple[Monomial, list[Expr], dict[Any, Expr]]:
    """Scalars, factors that depend on places, and the sizes of all places."""
    scalars: list[tuple[Expr, Expr]] = []
    factors: list[Expr] = []
    for atom, exponent in monomial:
        if not has_slots(atom):
            scalars.append((atom, exponent))
        elif isinstance(atom, Total) and exponent.is_Integer and 0 < exponent <= 3:
            for _ in range(int(exponent)):
                fresh = {b: forms.fresh(b.extent) for b in atom.bound}
                extents = extents | {i: i.extent for i in fresh.values()}
                factors.extend(sympy.Mul.make_args(substitute(atom.body, fresh)))
        else:
            factors.append(atom**exponent)
    return frozenset(scalars), factors, extents


def _walk(
    start: Any,
    vectors: dict[Any, list[Expr]],
    edges: dict[frozenset[Any], list[Expr]],
    extents: dict[Any, Expr],
) -> tuple[list[Expr], list[Expr], Any] | None:
    """Letters along the path from a slot: to the other slot, or to where a vector ends it; what was used is taken out."""
    letters: list[Expr] = []
    sizes = [extents[start]]
    node = start
    while True:
        here = sympy.Mul(*(substitute(v, {node: ROW}) for v in vectors.pop(node, [])))
        onward = [pair for pair in edges if node in pair]
        arrived = node in (ROW, COLUMN) and node != start
        if len(onward) > (0 if arrived else 1):
            return None
        if not onward and not arrived:
            letters.append(here)  # a column; of ones, where nothing stands here
            return letters, [*sizes, S.One], node
        if here != 1:
            letters.append(UNIT * here)
            sizes.append(extents[node])
        if not onward:
            return letters, sizes, node
        (pair,) = onward
        (following,) = pair - {node}
        letter = sympy.Mul(*edges.pop(pair))
        letters.append(renamed(letter, {node: ROW, following: COLUMN}))
        sizes.append(extents[following])
        node = following


def is_inverse(letter: Expr) -> bool:
    """Whether a letter is an inverse, as it stands or transposed."""
    return isinstance(letter, Applied) and letter.is_inverse
