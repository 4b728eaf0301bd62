"""Linear algebra in a kernel: a call of a helper for each primitive, in a loop over the matrices of a stack."""

from __future__ import annotations

from contextlib import ExitStack

from sympy import Expr, Min, Mul

from ..ir.nodes import (
    Entry,
    Equation,
    Index,
    Read,
    Slot,
    Tensor,
    fresh_indices,
    indices_of,
    operand_slots,
    substitute,
)
from .loops_linalg import OVERWRITING
from .loops_nodes import Call, Op, Operation, Result
from .loops_writer import Writer
from .routine import SOLVES, Routine, routine_of

HELPERS = {"lu": "_lu_factor"}


def call_operations(together: tuple[Equation, ...], taken: set[str]) -> list[Operation]:
    """The call that computes all results of a primitive, and that each of them is there afterwards."""
    first = together[0]
    entry = first.body
    assert isinstance(entry, Entry)
    batch = tuple(i for i in first.axes if i not in entry.places)
    copies: list[Operation] = []
    reads = []
    for position, read in enumerate(entry.operands):
        if not _lies_well(read, position == 0 and entry.primitive in SOLVES):
            copied, read = _copied(read, first, batch, taken)
            copies.append(copied)
        reads.append(read)
    results = _results(together, entry, reads, batch, taken)
    named = {e.target.name: e for e in together}
    head = (results[0].tensor, results[0].indices, entry.primitive)
    call = Call(*head, tuple(reads), entry.parameters, results, batch, first)
    done = [Result(r.tensor, r.indices, results[0], named.get(r.tensor.name)) for r in results[1:]]
    return [*copies, call, *done]


def _results(
    together: tuple[Equation, ...], entry: Entry, reads: list[Read], batch: tuple[Index, ...], taken: set[str]
) -> tuple[Read, ...]:
    """All results in their order; for those that nothing reads, room."""
    found = {e.body.output: Read(e.target, e.axes) for e in together if isinstance(e.body, Entry)}
    routine = routine_of(entry)
    sizes = {letter: n for letters, read in zip(routine.operands, reads, strict=True) for letter, n in _sizes(letters, read)}
    for output, letters in enumerate(routine.results):
        if output not in found:
            axes = fresh_indices([_extent(letter, sizes) for letter in letters.split()], avoid=batch)
            name, shape = _name(f"{entry.primitive}_{letters[:1]}", taken), tuple(i.extent for i in (*batch, *axes))
            whole = isinstance(routine, Routine) and output in routine.integers
            tensor = Tensor(name, shape, "integer" if whole else "real")
            found[output] = Read(tensor, (*batch, *axes))
    return tuple(found[output] for output in range(len(routine.results)))


def _sizes(letters: str, read: Read) -> list[tuple[str, Expr]]:
    extents = {i.number: n for i, n in zip(read.indices, read.tensor.shape, strict=True) if isinstance(i, Slot)}
    return [(letter, extents[k]) for k, letter in enumerate(letters.split()) if letter != "*"]


def _extent(letter: str, sizes: dict[str, Expr]) -> Expr:
    """``n``, or ``min(m,n)``."""
    if letter in sizes:
        return sizes[letter]
    return Min(*(sizes[part] for part in letter[len("min(") : -1].split(",")))


def _name(stem: str, taken: set[str]) -> str:
    candidates = (stem if n == 1 else f"{stem}{n}" for n in range(1, 10**6))
    chosen = next(c for c in candidates if c not in taken)
    taken.add(chosen)
    return chosen


def _lies_well(read: Read, either: bool) -> bool:
    """One matrix, or vector, of it lies in memory without gaps; transposed too where `either` will do."""
    slots = operand_slots(read)
    alone = all(isinstance(i, Slot) for i in read.indices[len(read.indices) - len(slots) :])
    return alone and (slots == sorted(slots) or (either and slots == [1, 0]))


def _copied(read: Read, e: Equation, batch: tuple[Index, ...], taken: set[str]) -> tuple[Op, Read]:
    """An operand written out so that it lies well."""
    lead = tuple(i for i in batch if i in indices_of(read))
    extents = {i.number: n for i, n in zip(read.indices, read.tensor.shape, strict=True) if isinstance(i, Slot)}
    own = fresh_indices([extents[k] for k in sorted(extents)], avoid=(*batch, *indices_of(read)))
    slots = {Slot(k): index for k, index in zip(sorted(extents), own, strict=True)}
    axes = (*lead, *own)
    tensor = Tensor(_name(f"{read.tensor.name}_operand", taken), tuple(i.extent for i in axes))
    body = substitute(read, slots)
    return Op(tensor, axes, body, axes, equation=e), Read(tensor, (*lead, *slots))


# --- writing


def write_call(writer: Writer, op: Call) -> None:
    """``_lu_factor(A, LU, pivots)``, for each matrix of a stack."""
    writer.sure = op.equation is not None and op.equation.target.name in writer.presupposed
    with ExitStack() as stack:
        for index in op.batch:
            name = stack.enter_context(writer.running(index))
            stack.enter_context(writer.indented(f"for {name} in range({writer.scalars.integer(index.extent)}):"))
        operands = [_view(writer, read) for read in op.operands]
        results = [_view(writer, _whole(read, len(op.batch))) for read in op.results]
        flags = []
        if op.primitive in SOLVES:
            flags = [str(operand_slots(op.operands[0]) == [1, 0])] if op.primitive != "cho_solve" else []
            operands[-1] += _as_columns(writer, op.operands[-1])
            results[0] += _as_columns(writer, _whole(op.results[0], len(op.batch)))
        parameters = [writer.scalars.integer(p) for p in op.parameters]
        if op.primitive in OVERWRITING:
            writer.line(f"_copy({operands.pop()}, {results[0]})")
        helper = HELPERS.get(op.primitive, f"_{op.primitive}")
        writer.line(f"{helper}({', '.join([*operands, *parameters, *results, *flags])})")


def _whole(read: Read, lead: int) -> Read:
    """A result as an operand is read: at batch indices, then whole."""
    return Read(read.tensor, (*read.indices[:lead], *(Slot(k) for k in range(read.tensor.rank - lead))))


def _view(writer: Writer, read: Read) -> str:
    lead = [p for p, i in enumerate(read.indices) if not isinstance(i, Slot)]
    positions = [writer.position(read.tensor, read.indices[p], p) for p in lead]
    name = writer.arrays[read.tensor.name]
    return f"{name}[{', '.join(positions)}]" if positions else name


def _as_columns(writer: Writer, read: Read) -> str:
    """How a vector, or columns over several axes, becomes a matrix."""
    extents = [n for n, i in zip(read.tensor.shape, read.indices, strict=True) if isinstance(i, Slot)]
    if len(extents) == 2:
        return ""
    rows, columns = (writer.scalars.integer(e) for e in (extents[0], Mul(*extents[1:])))
    return f".reshape({rows}, {columns})"
