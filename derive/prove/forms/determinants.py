"""Determinants of matrix forms: of products, multiples, triangles, low-rank updates and Kronecker products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, S, Tuple

from ...ir.facts import TRIANGULAR
from ...ir.nodes import Bracket, Read, Slot, substitute
from ...ir.slots import takes_whole
from .atoms import Applied, has_slots, with_own_slots
from .polynomial import Polynomial, as_expression, monic
from .words import COLUMN, ROW, UNIT, Word, is_inverse, product_of, words_of, written_out

if TYPE_CHECKING:
    from .matrices import Matrices

STATES = 40
"""Equal determinants that are compared to find the one that is written."""
LARGEST = 3
"""The size up to which a determinant of a known size is written out."""


@dataclass(frozen=True)
class State:
    """``factor * det(words)``, a matrix of this size."""

    factor: Polynomial
    words: tuple[Word, ...]
    size: Expr


def determinant(forms: Matrices, matrix: Polynomial, size: Expr) -> Polynomial:
    """The determinant of a square matrix, in factors that are as simple as the rules below make them.

    Source: Sylvester (1851) for ``det(I + A B) = det(I + B A)``; Horn and Johnson (2013), sections 0.3 and 0.8.
    """
    if size.is_Integer and size <= LARGEST:
        return _by_permutations(forms, matrix, int(size))
    if matrix.is_zero:
        return forms.power(Polynomial.number(0), size)
    content, matrix = monic(matrix)
    scalars = common_scalars(matrix)
    if scalars or content != 1:
        rest = matrix * Polynomial.monomial((a, -e) for a, e in scalars)
        outside = forms.power(Polynomial.monomial(scalars, content), size)
        return outside * determinant(forms, rest, size)
    if _triangular(matrix):
        k = forms.fresh(size)
        return forms.product(forms.at(matrix, {ROW: k, COLUMN: k}), (k,))
    if (parts := _kronecker(matrix)) is not None:
        (A, n), (B, m) = parts
        return forms.power(determinant(forms, A, n), m) * forms.power(determinant(forms, B, m), n)
    words = words_of(forms, matrix, size, size)
    if words is None:
        return _opaque(forms, matrix, size)
    best = min(_states(forms, State(Polynomial.number(1), tuple(words), size)), key=lambda s: _rank(forms, s))
    return best.factor * _settled(forms, best)


def _settled(forms: Matrices, state: State) -> Polynomial:
    """The determinant of a matrix that the moves make no simpler."""
    if state.size == 1:
        return forms.at(written_out(forms, state.words), {ROW: S.Zero, COLUMN: S.Zero})
    if len(state.words) == 1:
        (word,) = state.words
        parts = list(square_parts(word, state.size))
        if len(parts) > 1:
            return Polynomial.product(determinant(forms, product_of(forms, p), state.size) for p in parts)
        if len(word.letters) == 1 and (known := _of_letter(forms, word.letters[0], state.size)) is not None:
            return known
    return _opaque(forms, written_out(forms, state.words), state.size)


def _of_letter(forms: Matrices, letter: Expr, size: Expr) -> Polynomial | None:
    """The determinant of a triangle, an inverse, an exponential or a Cholesky factor."""
    if isinstance(letter, Read) and _is_matrix(letter, size) and letter.tensor.facts & TRIANGULAR:
        k = forms.fresh(size)
        return forms.product(forms.at(forms.form(letter), {ROW: k, COLUMN: k}), (k,))
    if not isinstance(letter, Applied):
        return None
    inner = forms.matrices.get(Tuple(letter.args[2][0], size))
    if is_inverse(letter):
        return forms.power(determinant(forms, forms.matrices[letter.matrix], size), S.NegativeOne)
    if inner is not None and letter.name == "expm":
        k = forms.fresh(size)
        return forms.exponential(forms.total(forms.at(inner, {ROW: k, COLUMN: k}), (k,)))
    if inner is not None and letter.name == "cholesky":
        return forms.power(determinant(forms, inner, size), S.Half)
    return None


def _opaque(forms: Matrices, matrix: Polynomial, size: Expr) -> Polynomial:
    """The determinant as an atom, of the matrix or its transpose, whichever comes first."""
    turned = forms.at(matrix, {ROW: COLUMN, COLUMN: ROW})
    matrix = min(matrix, turned, key=text_of)
    words = words_of(forms, matrix, size, size) or []
    sign = 0
    if len(words) == 1 and len(words[0].letters) == 1 and is_orthogonal(words[0].letters[0], size):
        sign = -1
    elif words and is_definite(forms, words, size):
        sign = 1
    closed = with_own_slots(matrix.expression())
    forms.matrices[Tuple(closed, size)] = matrix
    atom = Applied(sympy.Symbol("det"), S.Zero, Tuple(closed), Tuple(), Tuple(size, S(sign)))
    return Polynomial.of(atom)


# -- what is known of a matrix


def is_orthogonal(letter: Expr, size: Expr) -> bool:
    """Whether a letter is a whole orthogonal matrix: declared, or one of eigenvectors."""
    if isinstance(letter, Applied):
        return letter.name == "eigh" and letter.args[1] == 1
    return isinstance(letter, Read) and "orthogonal" in letter.tensor.facts and _is_matrix(letter, size)


def is_regular(forms: Matrices, word: Word, size: Expr) -> bool:
    """Whether a word is a matrix that is known to be invertible, or that is any matrix at all."""
    if not word.letters:
        return True
    if len(word.letters) != 1:
        return False
    (letter,) = word.letters
    if isinstance(letter, Applied):
        return is_inverse(letter) or letter.name in ("expm", "cholesky") or is_orthogonal(letter, size)
    return _is_matrix(letter, size) and bool(letter.tensor.facts & {"invertible", "positive definite"})


def is_definite(forms: Matrices, words: list[Word], size: Expr) -> bool:
    """Whether a sum of words is positive definite: none of them is negative, and one is positive definite."""
    return all(_weight(forms, w, size) >= 0 for w in words) and any(
        _weight(forms, w, size) == 1 for w in words
    )


def _weight(forms: Matrices, word: Word, size: Expr) -> int:
    """1 if a word is positive definite, 0 if positive semidefinite, else -1: a congruence of what is in its middle."""
    factor, letters = word.factor.expression(), word.letters
    if not factor.is_nonnegative or word.turned().letters != letters:
        return -1
    own = (
        1 if len(letters) % 2 == 0 else _declared(letters[len(letters) // 2], word.extents[len(letters) // 2])
    )
    half = [Word(S.One, frozenset(), (a,), ()) for a in letters[: len(letters) // 2]]
    regular = factor.is_positive and all(is_regular(forms, w, size) for w in half)
    return own if regular else min(own, 0)


def _declared(letter: Expr, size: Expr) -> int:
    if isinstance(letter, Applied) and letter.name == "inv" and letter.args[4][1] == 1:
        inner = letter.args[2][0]
        return 1 if isinstance(inner, Read) and "positive definite" in inner.tensor.facts else -1
    if UNIT in sympy.Mul.make_args(letter):
        entries = sympy.Mul(*(f for f in sympy.Mul.make_args(letter) if f != UNIT))
        return 1 if entries.is_positive else 0 if entries.is_nonnegative else -1
    if not isinstance(letter, Read) or not _is_matrix(letter, size):
        return -1
    facts = letter.tensor.facts
    return 1 if "positive definite" in facts else 0 if "positive semidefinite" in facts else -1


def _is_matrix(letter: Expr, size: Expr) -> bool:
    """Whether a letter is a whole matrix, in the axes that facts speak of."""
    return takes_whole(letter, (size, size)) and all(isinstance(i, Slot) for i in letter.indices[-2:])


def _triangular(matrix: Polynomial) -> bool:
    """Whether every term is 0 above, or every term below the diagonal."""
    lower, upper = sympy.Le(COLUMN, ROW, evaluate=False), sympy.Le(ROW, COLUMN, evaluate=False)
    conditions = [
        {c for a, _ in m if isinstance(a, Bracket) for c in sympy.And.make_args(a.condition)}
        for m, _ in matrix
    ]
    return any(all(c & {side, UNIT.condition} for c in conditions) for side in (lower, upper))


def common_scalars(matrix: Polynomial) -> list[tuple[Expr, Expr]]:
    """Factors of every term that do not depend on the place."""
    shared = set.intersection(*(set(m) for m, _ in matrix))
    return [(a, e) for a, e in shared if not has_slots(a) and not isinstance(a, Bracket)]


def diagonal_of(matrix: Polynomial) -> Polynomial | None:
    """The entries at slot 0 of a matrix that is 0 beside its diagonal."""
    if matrix.is_zero or any((UNIT, S.One) not in m for m, _ in matrix):
        return None
    return Polynomial({m - {(UNIT, S.One)}: c for m, c in matrix})


def _kronecker(matrix: Polynomial) -> tuple[tuple[Polynomial, Expr], tuple[Polynomial, Expr]] | None:
    """The two square matrices of a Kronecker product, with their sizes."""
    single = matrix.single()
    if single is None:
        return None
    factors = sympy.Mul.make_args(as_expression(single[0]))
    places = {i for f in factors if isinstance(f, Read) for i in f.indices}
    moduli = {i.args[1] for i in places if isinstance(i, sympy.Mod)}
    if len(moduli) != 1 or any(not isinstance(f, Read) for f in factors):
        return None
    (m,) = moduli
    quotients = {sympy.floor(s / m): s for s in (ROW, COLUMN)}
    remainders = {sympy.Mod(s, m): s for s in (ROW, COLUMN)}
    first = [f for f in factors if set(f.indices) <= set(quotients)]
    second = [f for f in factors if set(f.indices) <= set(remainders)]
    if len(first) != 1 or len(second) != 1 or len(factors) != 2:
        return None
    A, B = substitute(first[0], quotients), substitute(second[0], remainders)
    n = A.tensor.shape[-1]
    if not (takes_whole(A, (n, n)) and takes_whole(B, (m, m))):
        return None
    return (Polynomial.of(A), n), (Polynomial.of(B), m)


def _by_permutations(forms: Matrices, matrix: Polynomial, n: int) -> Polynomial:
    """The determinant of a matrix of known size, entry by entry."""
    return _leibniz([[forms.at(matrix, {ROW: S(i), COLUMN: S(j)}) for j in range(n)] for i in range(n)])


def _leibniz(entries: list[list[Polynomial]]) -> Polynomial:
    """Leibniz's formula."""
    terms = []
    for order in permutations(range(len(entries))):
        sign = sympy.combinatorics.Permutation(list(order)).signature()
        terms.append(Polynomial.product(entries[i][j] for i, j in enumerate(order)).scaled(sign))
    return Polynomial.sum(terms)


# -- moves


def _states(forms: Matrices, start: State) -> list[State]:
    """Everything that the moves reach."""
    found, waiting = {_key(forms, start): start}, [start]
    while waiting and len(found) < STATES:
        for state in _moves(forms, waiting.pop(0)):
            if (key := _key(forms, state)) not in found:
                found[key] = state
                waiting.append(state)
    return list(found.values())


def _key(forms: Matrices, state: State) -> Any:
    return state.size, *text_of(written_out(forms, state.words))


def _rank(forms: Matrices, state: State) -> tuple[bool, int, int, str, list[str]]:
    """Numbers before matrices, then few inverses, then few letters."""
    letters = [letter for w in state.words for letter in w.letters]
    inverses = sum(map(is_inverse, letters))
    return state.size != 1, inverses, len(letters), str(state.size), text_of(written_out(forms, state.words))


def _moves(forms: Matrices, state: State) -> Iterator[State]:
    """Other matrices whose determinants are the same up to factors."""
    if state.size == 1 or len(state.words) < 2:
        return
    for words, turned in ((state.words, False), (tuple(w.turned() for w in state.words), True)):
        now = State(state.factor, words, state.size)
        yield from (*_exchanged(forms, now), *_without_inverse(forms, now), *_from_regular(forms, now))
        if not turned and (common := _without_common(forms, now)) is not None:
            yield common


def _exchanged(forms: Matrices, state: State) -> Iterator[State]:
    """``det(c I + P R) = c^(n - k) det(c I + R P)``, for all words that begin with the same letters P."""
    units = [w for w in state.words if not w.letters]
    others = [w for w in state.words if w.letters]
    if len(units) != 1 or not others:
        return
    (unit,) = units
    for length in range(1, min(len(w.letters) for w in others) + 1):
        if any(w.letters[:length] != others[0].letters[:length] for w in others):
            return
        k = others[0].extents[length]
        rotated = [
            Word(
                w.coefficient,
                w.scalars,
                w.letters[length:] + w.letters[:length],
                (*w.extents[length:], *w.extents[1 : length + 1]),
            )
            for w in others
        ]
        outside = forms.power(unit.factor, state.size - k)
        yield State(state.factor * outside, (Word(unit.coefficient, unit.scalars, (), (k,)), *rotated), k)


def _without_inverse(forms: Matrices, state: State) -> Iterator[State]:
    """``det(X^-1 R + S) = det(R + X S) / det X``."""
    leading = [w.letters[0] for w in state.words if w.letters and is_inverse(w.letters[0])]
    for inverse in dict.fromkeys(leading):
        base = base_of(forms, inverse)
        inner = words_of(forms, base, state.size, state.size)
        if inner is None or len(inner) != 1:
            continue
        words = []
        for w in state.words:
            if w.letters and w.letters[0] == inverse:
                words.append(Word(w.coefficient, w.scalars, w.letters[1:], w.extents[1:]))
            else:
                words.append(inner[0].then(w))
        factor = forms.power(determinant(forms, base, state.size), S.NegativeOne)
        yield State(state.factor * factor, tuple(words), state.size)


def _from_regular(forms: Matrices, state: State) -> Iterator[State]:
    """``det(A + sum_r u[r] v[r]') = det(A) det(I + [v[r]' A^-1 u[s]])``, where A is invertible."""
    others = [w for w in state.words if S.One not in w.extents[1:-1]]
    updates = [w for w in state.words if S.One in w.extents[1:-1]]
    if not updates or len(updates) > LARGEST or not others:
        return
    base = written_out(forms, others)
    single = len(others) == 1 and is_regular(forms, others[0], state.size)
    if not (single or is_definite(forms, others, state.size) or _inverted(forms, base, state.size)):
        return
    inverse = words_of(forms, forms.inverse_matrix(base, state.size), state.size, state.size)
    if inverse is None:
        return
    cuts = [w.extents.index(S.One, 1) for w in updates]
    columns = [
        Word(w.coefficient, w.scalars, w.letters[:n], w.extents[: n + 1])
        for w, n in zip(updates, cuts, strict=True)
    ]
    rows = [w.part(n, len(w.letters)) for w, n in zip(updates, cuts, strict=True)]
    small = [
        [
            _scalar(forms, [v.then(m).then(u) for m in inverse]) + Polynomial.number(int(u is own))
            for u in columns
        ]
        for v, own in zip(rows, columns, strict=True)
    ]
    factor = state.factor * determinant(forms, base, state.size) * _leibniz(small)
    yield State(factor, (Word(S.One, frozenset(), (), (S.One,)),), S.One)


def _scalar(forms: Matrices, words: list[Word]) -> Polynomial:
    """The value of words that are rows times columns."""
    return forms.at(written_out(forms, words), {ROW: S.Zero, COLUMN: S.Zero})


def _inverted(forms: Matrices, base: Polynomial, size: Expr) -> bool:
    """Whether the claim takes the inverse of this matrix: then it is invertible wherever the claim says anything."""
    _, matrix = monic(base)
    turned = forms.at(matrix, {ROW: COLUMN, COLUMN: ROW})
    return any(n == size and m.terms in (matrix.terms, turned.terms) for m, n in forms.inverted)


def _without_common(forms: Matrices, state: State) -> State | None:
    """A square first letter of all words comes out."""
    if any(not w.letters for w in state.words):
        return None
    (first, *others) = state.words
    if any(w.letters[0] != first.letters[0] for w in others) or first.extents[1] != state.size:
        return None
    factor = determinant(forms, product_of(forms, first.part(0, 1)), state.size)
    words = tuple(Word(w.coefficient, w.scalars, w.letters[1:], w.extents[1:]) for w in state.words)
    return State(state.factor * factor, words, state.size)


def base_of(forms: Matrices, inverse: Applied) -> Polynomial:
    """The matrix that a letter is the inverse of."""
    matrix = forms.matrices[inverse.matrix]
    return matrix if inverse.places == (ROW, COLUMN) else forms.at(matrix, {ROW: COLUMN, COLUMN: ROW})


def square_parts(word: Word, size: Expr) -> Iterator[Word]:
    """The word cut wherever its size returns to that of the whole."""
    cuts = [n for n, extent in enumerate(word.extents) if extent == size]
    for first, last in pairwise(cuts):
        yield word.part(first, last)


def text_of(form: Polynomial) -> list[str]:
    return sorted(f"{c} {as_expression(m)}" for m, c in form)
