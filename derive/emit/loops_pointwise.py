"""Entries that are read at a few places, ``L[i, y[i]]``, computed where they are read instead of for all places."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from ..ir.nodes import Bracket, Read, Where, indices_of, reads_of, substitute
from .loops_nodes import Op, Operation, covers
from .loops_recompute import cheap


def compute_at_places(ops: Iterable[Operation], outputs: Collection[str]) -> list[Operation]:
    """The operations, narrow reads replaced by what is read where nothing else needs it or it is cheap.

    A read is narrow if the loops around it are fewer than the axes of its tensor.
    """
    found = list(ops)
    for position in range(len(found) - 1, -1, -1):
        op = found[position]
        if not isinstance(op, Op) or not movable(op, found):
            continue
        others = [(n, other) for n, other in enumerate(found) if any(r.tensor == op.target for r in other.reads)]
        narrow = [(n, other) for n, other in others if n > position and reads_narrowly(other, op)]
        nowhere_else = 0 < len(narrow) == len(others) and op.target.name not in outputs
        if not nowhere_else and not cheap(op):
            continue
        for n, other in narrow:
            found[n] = with_body(other, op)
        if nowhere_else:
            del found[position]
    return found


def movable(op: Op, ops: list[Operation]) -> bool:
    """It is the whole definition of its target, by values that are not written again after it."""
    if op.how != "set" or op.guard != True or op.at != op.loops or op.body.has(Bracket, Where):  # noqa: E712
        return False
    later = ops[ops.index(op) + 1 :]
    written = {other.target.name for other in later}
    once = sum(other.target == op.target for other in ops) == 1
    return once and all(covers(read) for read in op.reads) and written.isdisjoint(read.tensor.name for read in op.reads)


def reads_narrowly(other: Operation, op: Op) -> bool:
    if not isinstance(other, Op) or other.body.has(Bracket, Where) or other.guard != True:  # noqa: E712
        return False
    mine = [read for read in other.reads if read.tensor == op.target]
    return len(other.loops) < op.target.rank and set(mine) <= set(reads_of(other.body)) and not any(map(indirect, mine))


def indirect(read: Read) -> bool:
    """An index reads what is no input of integers by a plain index, which nobody would check."""
    inner = [r for index in read.indices for r in reads_of(index)]
    return any(r.tensor.kind != "integer" or r.tensor.bound is None for r in inner) or not indices_of(read)


def with_body(other: Operation, op: Op) -> Operation:
    """The operation with what `op` computes in the place of reads of its target."""
    assert isinstance(other, Op)
    mine = [read for read in reads_of(other.body) if read.tensor == op.target]
    values = {read: substitute(op.body, dict(zip(op.loops, read.indices, strict=True))) for read in mine}
    return replace(other, body=substitute(other.body, values))
