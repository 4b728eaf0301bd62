"""What is known of factorisations: sums over their results that are the matrix again, or functions of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, S, Tuple

from ...ir.nodes import Bracket, Index, Read, indices_of
from ...ops.elementwise.piecewise import Absolute
from .atoms import Applied, Grow
from .determinants import determinant, is_definite, is_orthogonal
from .polynomial import Polynomial, as_expression, monic
from .words import COLUMN, ROW, Word, words_of, written_out

if TYPE_CHECKING:
    from .matrices import Matrices

Factors = list[tuple[Expr, Expr]]
LARGEST = 8
"""The highest power of eigenvalues whose sum is written as a trace."""


def shifted(forms: Matrices, matrix: Polynomial, size: Expr) -> tuple[Polynomial, Polynomial, Polynomial]:
    """A matrix as ``scale * inner + shift * I`` with a positive scale, and inner without rotations around it."""
    zero = Polynomial.number(0)
    words = words_of(forms, matrix, size, size)
    if words is None:
        return Polynomial.number(1), zero, matrix
    shift = Polynomial.sum(w.factor for w in words if not w.letters)
    rest = [w for w in words if w.letters]
    if not rest:
        return Polynomial.number(1), zero, matrix
    shared = set.intersection(*(set(w.scalars) for w in rest))
    positive = [(a, e) for a, e in shared if a.is_positive]
    number = abs(monic(written_out(forms, rest))[0])
    scale = Polynomial.monomial(positive, number)
    back = [(a, -e) for a, e in positive]
    plain = []
    for w in rest:
        ((scalars, coefficient),) = Polynomial.monomial((*w.scalars, *back), w.coefficient / number)
        plain.append(Word(coefficient, scalars, w.letters, w.extents))
    while (
        all(len(w.letters) > 2 and _rotates(w, size) for w in plain)
        and len({w.letters[0] for w in plain}) == 1
    ):
        plain = [Word(w.coefficient, w.scalars, w.letters[1:-1], w.extents[1:-1]) for w in plain]
    return scale, shift, written_out(forms, plain)


def _rotates(word: Word, size: Expr) -> bool:
    """Whether a word is ``Q ... Q'`` with Q orthogonal."""
    return is_orthogonal(word.letters[0], size) and word.turned().letters[0] == word.letters[0]


def eigenvalue(forms: Matrices, matrix: Polynomial, size: Expr, place: Any) -> Polynomial:
    """``w(s M + t I) = s w(M) + t`` for s > 0, and ``w(Q M Q') = w(M)``."""
    scale, shift, inner = shifted(forms, matrix, size)
    words = words_of(forms, inner, size, size)
    definite = words is not None and is_definite(forms, words, size)
    return shift + scale * forms.applied_atom("eigh", 0, inner, (size, S(int(definite))), (place,))


def over_spectrum(forms: Matrices, group: Factors, bound: list[Index]) -> Polynomial | None:
    """``sum_k g(w[k])`` as a trace and ``sum_k g(w[k]) V[i,k] V[j,k]`` as a matrix, w and V of one symmetric matrix.

    Likewise ``sum_k s[k]^2`` of singular values, and ``sum_k U[i,k] s[k] V[k,j]``.
    """
    if len(bound) != 1:
        return None
    (k,) = bound
    values, vectors = _split(group, k)
    if values is None:
        return None
    atoms = {a for f, _ in values for a in f.atoms(Applied) if a.name in ("eigh", "svd") and k in a.places}
    if len(atoms) != 1:
        return None
    (atom,) = atoms
    matrix, size = forms.matrices[Tuple(*atom.matrix)], atom.extent
    if atom.name == "svd":
        return _over_singular_values(forms, atom, values, vectors, k)
    if atom.args[1] != 0 or k.extent != size:
        return None
    if not vectors:
        return _trace_of(forms, atom, values, matrix, size)
    if len(vectors) != 2 or any(v.name != "eigh" or v.args[1] != 1 for v in vectors):
        return None
    if vectors[0].matrix != vectors[1].matrix:
        return None
    whole = forms.matrices[Tuple(*vectors[0].matrix)]
    if shifted(forms, whole, size)[2].terms != matrix.terms:
        return None
    found = _function(forms, atom, values, matrix, size)
    ends = [v.places[0] for v in vectors]
    if found is None or any(v.places[1] != k for v in vectors) or k in ends:
        return None
    return forms.at(found, {ROW: ends[0], COLUMN: ends[1]})


def _split(group: Factors, k: Index) -> tuple[Factors | None, list[Applied]]:
    """Functions of values at k, and the vectors beside them."""
    values: Factors = []
    vectors: list[Applied] = []
    for atom, exponent in group:
        if (
            isinstance(atom, Applied)
            and len(atom.places) == 2
            and k in atom.places
            and atom.name in ("eigh", "svd")
        ):
            if exponent not in (1, 2):
                return None, []
            vectors += [atom] * int(exponent)
        elif isinstance(atom, Read | Bracket):
            return None, []
        else:
            values.append((atom, exponent))
    return values, vectors


def _function(
    forms: Matrices, atom: Applied, values: Factors, matrix: Polynomial, size: Expr
) -> Polynomial | None:
    """The function of the matrix that has these values at its eigenvalues."""
    if len(values) != 1:
        return None
    ((value, exponent),) = values
    if value == atom and exponent.is_Integer and abs(exponent) <= LARGEST:
        base = matrix
        if exponent < 0:
            base = forms.inverse_matrix(matrix, size)
        return forms.matrix_power(base, size, abs(int(exponent)))
    if value == Grow(atom) and exponent.is_Rational:
        return forms.applied_atom("expm", 0, matrix.scaled(exponent), (size,), (ROW, COLUMN))
    return None


def _trace_of(
    forms: Matrices, atom: Applied, values: Factors, matrix: Polynomial, size: Expr
) -> Polynomial | None:
    if values in ([(sympy.log(atom), 1)], [(sympy.log(Absolute(atom)), 1)]):
        return forms.logarithm(forms.absolute(determinant(forms, matrix, size)))
    found = _function(forms, atom, values, matrix, size)
    if found is None:
        return None
    k = forms.fresh(size)
    return forms.total(forms.at(found, {ROW: k, COLUMN: k}), (k,))


def _over_singular_values(
    forms: Matrices, atom: Applied, values: Factors, vectors: list[Applied], k: Index
) -> Polynomial | None:
    matrix = forms.matrices[Tuple(*atom.matrix)]
    rows, columns = atom.args[4][0], atom.args[4][1]
    ((value, exponent),) = values if len(values) == 1 else ((S.Zero, S.Zero),)
    if value != atom or not exponent.is_Integer or exponent < 1 or k.extent not in _lengths(rows, columns):
        return None
    sides = {v.args[1]: v for v in vectors}
    if exponent == 1 and len(vectors) == 2 and set(sides) == {S.Zero, S(2)}:
        if any(v.matrix != atom.matrix for v in vectors):
            return None
        return forms.at(matrix, {ROW: sides[S.Zero].places[0], COLUMN: sides[S(2)].places[1]})
    if vectors or exponent % 2 or exponent > LARGEST:
        return None
    i = forms.fresh(rows)
    gram = forms.total(forms.at(matrix, {ROW: i, COLUMN: ROW}) * forms.at(matrix, {ROW: i}), (i,))
    power = forms.matrix_power(gram, columns, int(exponent) // 2)
    j = forms.fresh(columns)
    return forms.total(forms.at(power, {ROW: j, COLUMN: j}), (j,))


def _lengths(rows: Expr, columns: Expr) -> set[Expr]:
    return {sympy.Min(rows, columns)} if rows != columns else {rows}


# -- products with a factor twice, or beside what undoes it


def of_roots(forms: Matrices, factors: Factors, bound: tuple[Index, ...]) -> Polynomial | None:
    """``sum_k L[i,k] L[j,k]`` is the matrix of which L is the Cholesky factor; ``L' A^-1 L`` is the unit matrix."""
    for k in bound:
        pair = _pair(factors, k, _stands(k, 1, "cholesky", 0))
        if pair is not None and k.extent == pair[0].extent:
            first, second, left = pair
            value = forms.at(
                forms.matrices[Tuple(*first.matrix)], {ROW: first.places[0], COLUMN: second.places[0]}
            )
            return forms.total(value * Polynomial.monomial(left), tuple(b for b in bound if b != k))
    roots = [a for a, e in factors if isinstance(a, Applied) and a.name == "cholesky" and e == 1]
    for inverse, exponent in factors:
        if not (isinstance(inverse, Applied) and inverse.is_inverse and exponent == 1):
            continue
        beside = [
            r
            for r in roots
            if r.places[0] in inverse.places and r.places[0] in bound and _inverts(forms, inverse, r)
        ]
        for first in beside:
            for second in beside:
                ends = {first.places[0], second.places[0]}
                others = [f for f in factors if f[0] not in (first, second, inverse)]
                if (
                    first == second
                    or ends != set(inverse.places)
                    or len(ends) != 2
                    or len(others) != len(factors) - 3
                ):
                    continue
                if any(i.extent != inverse.extent for i in ends):
                    continue
                if any(ends & indices_of(a) for a, _ in others) or ends & {first.places[1], second.places[1]}:
                    continue
                unit = forms.form(Bracket(sympy.Eq(first.places[1], second.places[1])))
                rest = tuple(b for b in bound if b not in ends)
                return forms.total(unit * Polynomial.monomial(others), rest)
    return None


def _inverts(forms: Matrices, inverse: Applied, root: Applied) -> bool:
    """Whether these are an inverse and a Cholesky factor of one matrix, up to a positive number."""
    return (
        inverse.extent == root.extent
        and forms.matrices[inverse.matrix].terms == forms.matrices[Tuple(*root.matrix)].terms
    )


def of_vectors(forms: Matrices, factors: Factors, bound: tuple[Index, ...]) -> Polynomial | None:
    """Columns of eigenvectors, and of both sides of singular vectors, are orthonormal, and ``M V = V diag(w)``."""
    for k in bound:
        for side, name, output in ((0, "eigh", 1), (1, "eigh", 1), (0, "svd", 0), (1, "svd", 2)):
            pair = _pair(factors, k, _stands(k, side, name, output))
            if pair is None or k.extent != _extent_of(pair[0], side):
                continue
            first, second, left = pair
            unit = forms.form(Bracket(sympy.Eq(first.places[1 - side], second.places[1 - side])))
            return forms.total(unit * Polynomial.monomial(left), tuple(b for b in bound if b != k))
    for vector, exponent in factors:
        if isinstance(vector, Applied) and vector.name == "eigh" and vector.args[1] == 1 and exponent == 1:
            found = _stretched(forms, vector, factors, bound)
            if found is not None:
                return found
    return None


def _stands(k: Index, side: int, name: str, output: int) -> Callable[[Applied], bool]:
    return lambda a: a.name == name and a.args[1] == output and a.places[side] == k


def _extent_of(vector: Applied, side: int) -> Expr:
    """How many entries the axis at a side has."""
    return vector.args[4][0] if vector.name == "eigh" or side == 0 else vector.args[4][1]


def _stretched(
    forms: Matrices, vector: Applied, factors: Factors, bound: tuple[Index, ...]
) -> Polynomial | None:
    """A symmetric input times one of its eigenvectors."""
    j, k = vector.places
    matrix = forms.matrices[Tuple(*vector.matrix)]
    single = matrix.single()
    if j not in bound or j.extent != vector.extent or single is None or len(single[0]) != 1:
        return None
    ((atom, power),) = single[0]
    if not isinstance(atom, Read) or power != 1 or "symmetric" not in atom.tensor.facts:
        return None
    for read, exponent in factors:
        if isinstance(read, Read) and exponent == 1 and read.tensor == atom.tensor and j in read.indices:
            others = [f for f in factors if f[0] not in (read, vector)]
            ends = [i for i in read.indices if i != j]
            if (
                len(ends) != 1
                or any(j in indices_of(a) for a, _ in others)
                or len(others) != len(factors) - 2
            ):
                continue
            value = eigenvalue(forms, matrix, vector.extent, k).scaled(1 / single[1])
            turned = Polynomial.of(vector.at((ends[0], k)))
            return forms.total(
                value * turned * Polynomial.monomial(others), tuple(b for b in bound if b != j)
            )
    return None


def _pair(
    factors: Factors, k: Index, fits: Callable[[Applied], bool]
) -> tuple[Applied, Applied, Factors] | None:
    """The two factors in which k stands, if they are entries of one result, and the other factors."""
    holders = [f for f in factors if k in indices_of(f[0])]
    if any(not isinstance(a, Applied) or not fits(a) for a, _ in holders):
        return None
    twice = [a for a, e in holders for _ in range(int(e) if e in (1, 2) else 3)]
    if len(twice) != 2 or twice[0].args[:3] != twice[1].args[:3] or twice[0].args[4] != twice[1].args[4]:
        return None
    side = [n for n, i in enumerate(twice[0].places) if i == k]
    if len(side) != 1 or any(len([i for i in a.places if i == k]) != 1 for a in twice):
        return None
    return twice[0], twice[1], [f for f in factors if f not in holders]


def of_pseudoinverse(forms: Matrices, factors: Factors, bound: tuple[Index, ...]) -> Polynomial | None:
    """Both products of A and its pseudoinverse P are projections: ``A P A = A``, ``P A P = P``, and they are symmetric."""
    for pseudo, exponent in factors:
        if not (isinstance(pseudo, Applied) and pseudo.name == "pinv" and exponent == 1):
            continue
        for matrix, other in factors:
            if other != 1 or not _is_entry(forms, pseudo, matrix):
                continue
            for side in (0, 1):
                found = _projected(forms, pseudo, matrix, side, factors, bound)
                if found is not None:
                    return found
    return None


def _is_entry(forms: Matrices, pseudo: Applied, matrix: Expr) -> bool:
    """Whether this is an entry of the matrix that the pseudoinverse belongs to."""
    single = forms.matrices[Tuple(*pseudo.matrix)].single()
    if single is None or single[1] != 1 or len(single[0]) != 1 or not isinstance(matrix, Read):
        return False
    ((atom, power),) = single[0]
    return (
        isinstance(atom, Read)
        and power == 1
        and atom.tensor == matrix.tensor
        and len(atom.indices) == len(matrix.indices) == 2
    )


def _projected(
    forms: Matrices, pseudo: Applied, matrix: Any, side: int, factors: Factors, bound: tuple[Index, ...]
) -> Polynomial | None:
    """What a projection does to a factor beside it: it stays as it is.

    side 0: ``sum_a A[i,a] P[a,j]``; side 1: ``sum_i P[a,i] A[i,b]``.
    """
    joint = pseudo.places[side]
    if (
        joint not in bound
        or matrix.indices[1 - side] != joint
        or joint in (pseudo.places[1 - side], matrix.indices[side])
    ):
        return None
    others = [f for f in factors if f[0] not in (pseudo, matrix)]
    if joint.extent != matrix.tensor.shape[1 - side]:
        return None
    if len(others) != len(factors) - 2 or any(joint in indices_of(a) for a, _ in others):
        return None
    ends = (matrix.indices[side], pseudo.places[1 - side])
    if str(ends[1]) < str(ends[0]) and not set(ends) & set(bound):
        turned = Read(
            matrix.tensor, ends[1:] + matrix.indices[1:] if side == 0 else matrix.indices[:1] + ends[1:]
        )
        back = pseudo.at((joint, ends[0]) if side == 0 else (ends[0], joint))
        swapped = Polynomial.of(turned) * Polynomial.of(back)
        return forms.total(swapped * Polynomial.monomial(others), bound)
    for near, far in (ends, ends[::-1]):
        if near not in bound or near == far or near.extent != matrix.tensor.shape[side]:
            continue
        for atom, exponent in others:
            own = (
                _is_entry(forms, pseudo, atom)
                and atom.indices[side] == near
                and atom.indices[1 - side] != near
            )
            beside = (
                isinstance(atom, Applied)
                and atom.args[:3] == pseudo.args[:3]
                and atom.places[1 - side] == near
                and atom.places[side] != near
            )
            left = [f for f in others if f[0] != atom]
            if exponent != 1 or not (own or beside) or any(near in indices_of(a) for a, _ in left):
                continue
            kept = forms.at(Polynomial.of(atom), {near: far})
            rest = tuple(b for b in bound if b not in (near, joint))
            return forms.total(kept * Polynomial.monomial(left), rest)
    return None


def of_exponentials(forms: Matrices, factors: Factors, bound: tuple[Index, ...]) -> Polynomial | None:
    """``sum_k expm(M)[i,k] expm(N)[k,j]`` is ``expm(M + N)[i,j]`` where M and N commute."""
    exponentials = [a for a, e in factors if isinstance(a, Applied) and a.name == "expm" and e == 1]
    for first in exponentials:
        for second in exponentials:
            k = first.places[1]
            if (
                k not in bound
                or k != second.places[0]
                or first.extent != second.extent
                or k in (first.places[0], second.places[1])
            ):
                continue
            others = [f for f in factors if f[0] not in (first, second)]
            if len(others) != len(factors) - 2 or any(k in indices_of(a) for a, _ in others):
                continue
            M, N = (forms.matrices[Tuple(*a.matrix)] for a in (first, second))
            size = first.extent
            if (forms.matrix_product(M, N, size) - forms.matrix_product(N, M, size)).is_zero:
                value = forms.exponential_of(M + N, size, first.places[0], second.places[1])
                return forms.total(value * Polynomial.monomial(others), tuple(b for b in bound if b != k))
    return None


def pivots(forms: Matrices, group: Factors, bound: list[Index]) -> Polynomial | None:
    """``sum_k log L[k,k]`` of a Cholesky factor is half the logarithm of the determinant."""
    if len(group) != 1 or len(bound) != 1 or group[0][1] != 1 or not isinstance(group[0][0], sympy.log):
        return None
    atom = group[0][0].args[0]
    if not _on_diagonal(atom, bound[0]):
        return None
    value = determinant(forms, forms.matrices[Tuple(*atom.matrix)], atom.extent)
    return forms.logarithm(forms.absolute(value)).scaled(S.Half)


def product_of_values(forms: Matrices, atom: Expr, bound: tuple[Index, ...]) -> Polynomial | None:
    """The product of all eigenvalues is the determinant, and that of the diagonal of a Cholesky factor its root."""
    if (
        not isinstance(atom, Applied)
        or len(bound) != 1
        or bound[0].extent != (atom.extent if atom.args[4] else None)
    ):
        return None
    matrix = forms.matrices.get(Tuple(*atom.matrix)) if atom.args[2] else None
    if matrix is None:
        return None
    if atom.name == "eigh" and atom.args[1] == 0 and atom.places == bound:
        return determinant(forms, matrix, atom.extent)
    if _on_diagonal(atom, bound[0]):
        return forms.power(determinant(forms, matrix, atom.extent), S.Half)
    return None


def _on_diagonal(atom: Any, k: Index) -> bool:
    """Whether this is the entry k of the diagonal of a Cholesky factor, all of which k runs along."""
    if not isinstance(atom, Applied) or atom.name != "cholesky":
        return False
    return bool(atom.places == (k, k) and k.extent == atom.extent)


def past_exponentials(forms: Matrices, factors: Factors, bound: tuple[Index, ...]) -> Polynomial | None:
    """``A expm(c A)`` is ``expm(c A) A``."""
    for outer, exponent in factors:
        if not (isinstance(outer, Applied) and outer.name == "expm" and exponent == 1):
            continue
        single = forms.matrices[outer.matrix].single()
        k, last = outer.places
        if single is None or k not in bound or k.extent != outer.extent or k == last:
            continue
        pattern = as_expression(frozenset((a, e) for a, e in single[0] if isinstance(a, Read) and a.indices))
        for read, power in factors:
            if not isinstance(read, Read) or power != 1 or len(read.indices) != 2 or read.indices[1] != k:
                continue
            others = [f for f in factors if f[0] not in (read, outer)]
            first = read.indices[0]
            if pattern != Read(read.tensor, (ROW, COLUMN)):
                continue
            if first == k or len(others) != len(factors) - 2 or any(k in indices_of(a) for a, _ in others):
                continue
            turned = Polynomial.of(outer.at((first, k))) * Polynomial.of(Read(read.tensor, (k, last)))
            return forms.total(turned * Polynomial.monomial(others), bound)
    return None


RULES = (of_roots, of_vectors, of_pseudoinverse, of_exponentials, past_exponentials)
"""Rules for products under a sum, each of which takes one sum away."""
