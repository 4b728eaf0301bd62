"""A result of linear algebra as a call of a library: operands as stacks of matrices, columns side by side."""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.nodes import (
    Entry,
    Equation,
    Index,
    Read,
    Slot,
    fresh_indices,
    indices_of,
    operand_slots,
    substitute,
)
from .code import POSTFIX, Atom, Call, Code, Suffix, call
from .layout import Statement
from .routine import SOLVES, routine_of
from .scalars import Printer
from .scope import Scope


def call_statements(scope: Scope, equation: Equation) -> list[Statement]:
    """``w, V = np.linalg.eigh(A)`` where the first result of a call stands, nothing where the others do."""
    together = scope.calls.get(equation.target.name, (equation,))
    if together[0] != equation:
        return []
    entry = equation.body
    assert isinstance(entry, Entry)
    routine, target = routine_of(entry), scope.dialect.target
    scope.look_at(equation.body)
    named = {e.body.output: scope.tensor(e.target).text for e in together if isinstance(e.body, Entry)}
    alone = f"{target}.{entry.output}"
    varies = any(p.has(Index, Read) for p in entry.parameters)
    if len(named) == 1 and alone in routine.spelling:
        return [Statement(f"{named[entry.output]} =", _call(scope, equation, routine.spelling[alone]))]
    flipped = operand_slots(entry.operands[0]) == [1, 0]
    spelling = getattr(routine, "transposed", {}).get(target) if flipped else None
    usual = routine.spelling[f"{target}.each" if varies else target]
    code = _call(scope, equation, spelling or usual, untransposed=spelling is not None)
    if len(routine.results) == 1:
        return [Statement(f"{named[0]} =", code)]
    if len(named) == 1:
        return [Statement(f"{named[entry.output]} =", Suffix(code, f"[{entry.output}]", copies=True))]
    left = ", ".join(named.get(output, "_") for output in range(len(routine.results)))
    return [Statement(f"{left} =", code)]


def _call(scope: Scope, equation: Equation, spelling: str, untransposed: bool = False) -> Code:
    """The call that `spelling` says, with right-hand sides as a vector or a matrix of columns."""
    entry = equation.body
    assert isinstance(entry, Entry)
    routine = routine_of(entry)
    batch = tuple(i for i in equation.axes if i not in entry.places)
    operands = [Operand(scope, read, batch) for read in entry.operands]
    if untransposed:
        operands[0] = Operand(scope, _turned(entry.operands[0]), batch)
    codes = [operand.code for operand in operands]
    integers = Printer(scope, batch, exact=True)
    parameters = [integers.code(p) for p in entry.parameters]
    columns = entry.places[1:]
    if entry.primitive not in SOLVES:
        return _spelled(spelling, [*codes, *parameters])
    right = operands[-1]
    alone = not columns and (batch or scope.dialect.target in getattr(routine, "columns", ()))
    codes[-1] = right.wide() if batch and right.missing else right.code
    if alone:
        codes[-1] = Suffix(codes[-1], "[..., None]" if batch else "[:, None]")
    elif len(columns) > 1:
        codes[-1] = Suffix(codes[-1], f".reshape({right.lead()}, -1)", copies=True)
    code = _spelled(spelling, codes)
    if alone:
        return Suffix(code, "[..., 0]" if batch else "[:, 0]", copies=True)
    if len(columns) > 1:
        return Suffix(code, f".reshape({_extents(scope, equation.axes)})", copies=True)
    return code


class Operand:
    """What a call is given: an array whose axes are batch axes of the equation and then its own."""

    def __init__(self, scope: Scope, read: Read, batch: Sequence[Index]) -> None:
        self.scope = scope
        extents = {
            i.number: n for i, n in zip(read.indices, read.tensor.shape, strict=True) if isinstance(i, Slot)
        }
        fresh = fresh_indices([extents[k] for k in sorted(extents)], avoid=(*batch, *indices_of(read)))
        own = {Slot(k): index for k, index in zip(sorted(extents), fresh, strict=True)}
        self.own, self.batch = fresh, tuple(batch)
        self.read = substitute(read, own)
        self.missing = [i for i in batch if i not in indices_of(read)]
        self.order = (*batch, *fresh)

    @property
    def code(self) -> Code:
        code = Printer(self.scope, self.order).code(self.read) if self.read.tensor.kind == "real" else self.integers()
        return code

    def integers(self) -> Code:
        return Printer(self.scope, self.order, exact=True).code(self.read)

    def wide(self) -> Code:
        """With all batch axes."""
        shape = f"({_extents(self.scope, self.order)})"
        return call(f"{self.scope.dialect.module}.broadcast_to", self.code, shape)

    def lead(self) -> str:
        """The extents of all axes before the columns."""
        return _extents(self.scope, self.order[: len(self.batch) + 1])


def _extents(scope: Scope, axes: Sequence[Index]) -> str:
    integers = Printer(scope, (), exact=True)
    return ", ".join(integers.code(i.extent).text for i in axes)


def _turned(read: Read) -> Read:
    """The matrix whose transpose is read."""
    return substitute(read, {Slot(0): Slot(1), Slot(1): Slot(0)})


def _spelled(spelling: str, codes: Sequence[Code]) -> Code:
    """``function(arguments)`` with operands put in; an attribute or a subscript may follow."""
    function, _, rest = spelling.partition("(")
    inner, bracket, tail = rest.rpartition(")")
    assert bracket, spelling
    named = {f"{{{n}}}": code for n, code in enumerate(codes)}
    arguments = [named.get(part) or Atom(part.format(*_texts(part, codes))) for part in _split(inner)]
    made = Call(function, tuple(arguments))
    return Suffix(made, tail, copies=True) if tail else made


def _texts(part: str, codes: Sequence[Code]) -> list[str]:
    """The operands, in parentheses where something follows them that binds tighter."""
    return [code.within(POSTFIX) if f"{{{n}}}." in part else code.text for n, code in enumerate(codes)]


def _split(inner: str) -> list[str]:
    """Arguments between commas outside of parentheses."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(inner[start:position].strip())
            start = position + 1
    return [*parts, inner[start:].strip()]


