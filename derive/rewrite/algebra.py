"""What holds between matrices: A A^-1 = I, V'V = I, symmetric ones equal their transposes, (A')^-1 = (A^-1)'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Read,
    Slot,
    fresh_indices,
    indices_of,
    operand_slots,
    reads_of,
    substitute,
)
from ..ir.slots import runs_whole
from ..ops.linalg import primitives
from .values import Canonical, canonical

Definitions = Mapping[str, Equation]


# -- symmetry


def oriented(body: Expr, axes: tuple[Index, ...], symmetric: set[str]) -> Expr:
    """Reads of symmetric matrices with their last two places in one order, so that equal entries look equal."""
    if not symmetric:
        return body
    rank = {index: position for position, index in enumerate(axes)}

    def place(i: Any) -> tuple[int, str]:
        return (rank.get(i, len(rank)), str(i))

    mapping: dict[Any, Any] = {}
    for read in reads_of(body):
        if read.tensor.name in symmetric and len(read.indices) >= 2:
            *batch, i, j = read.indices
            slots = isinstance(i, Slot) and isinstance(j, Slot)
            if (slots and i.number > j.number) or (not slots and place(j) < place(i)):
                mapping[read] = Read(read.tensor, (*batch, j, i))
    return substitute(body, mapping)


def is_symmetric(equation: Equation, symmetric: set[str]) -> bool:
    """Whether the equation defines matrices that equal their transposes, for all values of what it reads."""
    if len(equation.axes) < 2 or equation.axes[-1].extent != equation.axes[-2].extent:
        return False
    if isinstance(equation.body, Entry):
        return _gives_symmetric(equation.body, equation.axes, symmetric)
    i, j = equation.axes[-2:]
    swapped = {i: j, j: i}
    if len(equation.bound) > 3 or not {i, j} <= indices_of(equation.body):
        return False

    def seen(renaming: dict[Any, Any]) -> Expr:
        return _equalities_ordered(oriented(substitute(equation.body, renaming), equation.axes, symmetric))

    body = seen({})
    orders = permutations(equation.bound)
    return any(seen(swapped | dict(zip(equation.bound, order, strict=True))) == body for order in orders)


def _equalities_ordered(e: Any) -> Any:
    """``[j = i]`` and ``[i = j]`` as one expression."""
    return (
        e.replace(
            lambda x: isinstance(x, sympy.Eq), lambda x: sympy.Eq(*sorted(x.args, key=str), evaluate=False)
        )
        if e.has(sympy.Eq)
        else e
    )


def _gives_symmetric(e: Entry, axes: tuple[Index, ...], symmetric: set[str]) -> bool:
    if e.places != axes[-2:] and e.places != axes[:-3:-1]:
        return False
    record = primitives()[e.primitive]
    (operand, *others) = e.operands
    last = all(isinstance(i, Slot) for i in operand.indices[-2:])
    whole = record.under_transpose == "transposed" and not others and last and operand.tensor.name in symmetric
    return whole or (e.primitive == "sqrtm")


def is_orthogonal(equation: Equation, orthogonal: set[str]) -> bool:
    """Whether a primitive gives an orthogonal matrix whatever it is applied to."""
    if not isinstance(equation.body, Entry) or "orthogonal" not in equation.target.facts:
        return False
    operands = equation.body.operands
    return all("orthogonal" not in o.tensor.facts or o.tensor.name in orthogonal for o in operands)


# -- primitives in one form


def normal_entry(e: Entry, definitions: Definitions) -> Expr:
    """The entry with its operand as it stands rather than transposed, and inverses of inverses gone."""
    record = primitives()[e.primitive]
    first = e.operands[0]
    if len(e.operands) == 1 and operand_slots(first) == [1, 0] and record.under_transpose != "different":
        swap = {Slot(0): Slot(1), Slot(1): Slot(0)}
        places = e.places[::-1] if record.under_transpose == "transposed" else e.places
        return normal_entry(
            Entry(e.primitive, e.output, (substitute(first, swap),), places, e.parameters), definitions
        )
    if e.primitive == "solve" and (column := _unit_column(e.operands[1], definitions)) is not None:
        return normal_entry(Entry("inv", 0, e.operands[:1], (*e.places, column)), definitions)
    if e.primitive == "inv":
        source = definitions.get(first.tensor.name)
        if source is not None and isinstance(source.body, Entry) and source.body.primitive == "inv":
            inner = dict(zip(source.axes, first.indices, strict=True))
            slots = {Slot(number): place for number, place in enumerate(e.places)}
            rows, columns = (slots[inner[p]] for p in source.body.places)
            operand = substitute(
                source.body.operands[0], {i: n for i, n in inner.items() if not isinstance(n, Slot)}
            )
            return substitute(operand, {Slot(0): rows, Slot(1): columns})
    return e


def _unit_column(right: Read, definitions: Definitions) -> Index | None:
    """The batch axis that numbers right-hand sides which are the columns of the unit matrix."""
    source = definitions.get(right.tensor.name)
    if source is None or len(right.indices) != 2 or not isinstance(source.body, Bracket):
        return None
    if source.body.condition not in (sympy.Eq(*source.axes), sympy.Eq(*source.axes[::-1])):
        return None
    if source.axes[0].extent != source.axes[1].extent:
        return None
    (column,) = [i for i in right.indices if not isinstance(i, Slot)]
    return column if isinstance(column, Index) else None


# -- products that are known


def cancelled(body: Expr, bound: tuple[Index, ...], definitions: Definitions, orthogonal: set[str]) -> Expr:
    """Replace ``A[i,k] B[k,j]`` summed over k by deltas where B is the inverse of A, and ``V[k,i] V[k,j]`` likewise.

    ``[i = j] [k = i]`` has the same sum over k, which is left to be solved.
    """
    return sympy.Add(*(_cancelled_term(t, bound, definitions, orthogonal) for t in sympy.Add.make_args(body)))


def _cancelled_term(
    term: Expr, bound: tuple[Index, ...], definitions: Definitions, orthogonal: set[str]
) -> Expr:
    factors = list(sympy.Mul.make_args(term))
    squares = [f.base for f in factors if f.is_Pow and f.exp == 2 and isinstance(f.base, Read)]
    reads = [f for f in factors if isinstance(f, Read)]
    for k in bound:
        holders = [f for f in factors if k in indices_of(f)]
        pair = holders if len(holders) == 2 else holders * 2 if holders and holders[0].is_Pow else []
        pair = [f.base if f.is_Pow else f for f in pair]
        if len(pair) != 2 or not all(f in reads or f in squares for f in pair):
            continue
        for first, second in (pair, pair[::-1]):
            value = _contraction(first, second, k, definitions, orthogonal)
            if value is not None:
                rest = sympy.Mul(*(f for f in factors if f not in holders))
                return _cancelled_term(
                    rest * value, tuple(b for b in bound if b != k), definitions, orthogonal
                )
    return term


def widened(
    body: Expr, bound: tuple[Index, ...], definitions: Definitions, orthogonal: set[str]
) -> tuple[Expr, tuple[Index, ...]] | None:
    """A product with a factor's own sum written out, where that lets a matrix cancel against its inverse.

    ``sum_j Z[j,i] T[j,k]`` with ``T[j,k] = sum_l A[l,j] g[l,k]`` and Z the inverse of A is ``g[i,k]``. None if nothing
    cancels; the indices of the inner sum are fixed by the deltas that take its place.
    """
    factors = sympy.Mul.make_args(body)
    for factor in factors:
        source = definitions.get(factor.tensor.name) if isinstance(factor, Read) else None
        if source is None or source.reduce != "sum" or not set(bound) & indices_of(factor):
            continue
        inner = fresh_indices([b.extent for b in source.bound], avoid=(*bound, *indices_of(body)))
        places = dict(zip(source.axes, factor.indices, strict=True)) | dict(
            zip(source.bound, inner, strict=True)
        )
        rest = sympy.Mul(*(f for f in factors if f is not factor))
        wide = rest * substitute(source.body, places)
        if wide.is_Mul and not wide.has(sympy.Add):
            found = _cancelled_term(wide, bound, definitions, orthogonal)
            if found != wide:
                return found, (*bound, *inner)
    return None


def _contraction(
    first: Any, second: Any, k: Index, definitions: Definitions, orthogonal: set[str]
) -> Expr | None:
    """The sum over k of the product of two reads, as deltas that fix k, or None if nothing is known."""
    if runs_whole(first, k) is None or runs_whole(second, k) is None:
        return None
    for other in (
        _beside_inverse(first, second, k, definitions),
        _beside_itself(first, second, k, orthogonal),
    ):
        if other is not None:
            i, j = other
            return Bracket(sympy.Eq(i, j)) * Bracket(sympy.Eq(k, i))
    return _beside_solution(first, second, k, definitions)


def _beside_inverse(A: Read, B: Read, k: Index, definitions: Definitions) -> tuple[Any, Any] | None:
    """Row and column of ``A B`` or ``B A`` at which k is contracted, where B is the inverse of A."""
    found = _operands_at(B, "inv", definitions)
    if found is None:
        return None
    (operand,), (i, j) = found
    for row, column, free in ((None, i, j), (j, None, i)):
        if (column if row is None else row) != k:
            continue
        place = _other_place(operand, A, {Slot(1): i} if row is None else {Slot(0): j})
        if place is not None:
            return place, free
    return None


def _beside_solution(A: Read, x: Read, k: Index, definitions: Definitions) -> Expr | None:
    """``sum_k A[i,k] x[k]`` is b[i] where x solves ``A x = b``."""
    found = _operands_at(x, "solve", definitions)
    if found is None:
        return None
    (matrix, right), (place,) = found
    row = _other_place(matrix, A, {Slot(1): place}) if place == k else None
    return None if row is None else substitute(right, {Slot(0): row}) * Bracket(sympy.Eq(k, row))


def _operands_at(read: Read, primitive: str, definitions: Definitions) -> tuple[list[Read], list[Any]] | None:
    """The operands of the primitive that defines what is read, with their batch indices, and the places of the entry."""
    source = definitions.get(read.tensor.name)
    if source is None or not isinstance(source.body, Entry) or source.body.primitive != primitive:
        return None
    at = dict(zip(source.axes, read.indices, strict=True))
    return [substitute(o, at) for o in source.body.operands], [at[p] for p in source.body.places]


def _other_place(operand: Read, read: Read, fixed: dict[Slot, Any]) -> Any:
    """Where `read` stands in the slot of `operand` that is not `fixed`; None if it is another entry."""
    if operand.tensor != read.tensor:
        return None
    free = None
    for wanted, found in zip(operand.indices, read.indices, strict=True):
        if isinstance(wanted, Slot) and wanted not in fixed:
            free = found
        elif (fixed[wanted] if isinstance(wanted, Slot) else wanted) != found:
            return None
    return free


def _beside_itself(first: Read, second: Read, k: Index, orthogonal: set[str]) -> tuple[Any, Any] | None:
    """The free places of two reads of an orthogonal matrix that share k on the same side."""
    if first.tensor != second.tensor or first.tensor.name not in orthogonal:
        return None
    if first.indices[:-2] != second.indices[:-2]:
        return None
    for own, other in ((-1, -2), (-2, -1)):
        if first.indices[own] == k == second.indices[own]:
            return first.indices[other], second.indices[other]
    return None


# -- chains of products


LONGEST = 8
"""Factors of a chain that is written out to see whether it was computed before."""


def flattened(equation: Equation, definitions: Definitions) -> Canonical | None:
    """A sum of products with the sums that it reads written out: equal for tr(A B C) and tr(C A B).

    None for anything but a product of reads.
    """
    if equation.reduce != "sum":
        return None
    body, bound, again = equation.body, equation.bound, True
    while again:
        again = False
        factors = sympy.Mul.make_args(body)
        if not all(isinstance(f, Read) or f.is_number for f in factors):
            return None
        for read in factors:
            source = definitions.get(read.tensor.name) if isinstance(read, Read) else None
            if source is None or source.reduce != "sum" or source.body.is_Add:
                continue
            inner = fresh_indices([b.extent for b in source.bound], avoid=(*bound, *indices_of(body)))
            places = dict(zip(source.axes, read.indices, strict=True)) | dict(
                zip(source.bound, inner, strict=True)
            )
            wide = sympy.Mul(*(f for f in factors if f is not read)) * substitute(source.body, places)
            if len(wide.args) <= LONGEST and all(
                isinstance(f, Read) or f.is_number for f in sympy.Mul.make_args(wide)
            ):
                body, bound, again = wide, (*bound, *inner), True
                break
    return canonical(body, bound)


# -- operands with a factor


def split_factor(e: Expr) -> tuple[Expr, Expr]:
    """A body as a factor made of numbers, sizes and scalars, and a read that varies."""
    factors = sympy.Mul.make_args(e)
    scalars = [f for f in factors if not indices_of(f) and not any(operand_slots(r) for r in reads_of(f))]
    return sympy.Mul(*scalars), sympy.Mul(*(f for f in factors if f not in scalars))


def proportional(body: Expr) -> tuple[Expr, Expr]:
    """A sum as a number times a sum that is the same for all its multiples: ``x/2 - m/2`` is 1/2 of ``x - m``."""
    if not body.is_Add:
        return S.One, body
    content, primitive = body.as_content_primitive()
    leading = min(primitive.args, key=lambda t: str(t.as_coeff_Mul()[1])) if primitive.is_Add else primitive
    if leading.as_coeff_Mul()[0].is_negative:
        return -content, -primitive
    return content, primitive


def operand_names(equations: Iterable[Equation]) -> tuple[set[str], set[str]]:
    """The tensors that primitives take whole, and those of them that are only ever a linear operand."""
    whole: set[str] = set()
    fixed: set[str] = set()
    for e in equations:
        if isinstance(e.body, Entry):
            for position, operand in enumerate(e.body.operands):
                whole.add(operand.tensor.name)
                if position != primitives()[e.body.primitive].linear:
                    fixed.add(operand.tensor.name)
    return whole, whole - fixed


def is_rearranged(body: Expr, axes: tuple[Index, ...], scaled: bool) -> bool:
    """Whether a body is another array with its axes in another order; where `scaled`, a multiple will do."""
    factor, read = split_factor(body)
    if not isinstance(read, Read) or (factor != 1 and not scaled):
        return False
    return all(runs_whole(read, i) is not None for i in axes) and len(read.indices) == len(axes)
