"""Values that are cheaper to compute again in a later loop than to keep in an array until then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sympy import Expr

from ..ir.nodes import Bracket, Read, Tensor, Where, substitute
from .loops_groups import Group
from .loops_nodes import Op, Operation, plain

OPERATIONS = 4  # additions, products and quotients that are worth an array's way to memory and back


def recompute(groups: list[Group], outputs: Collection[str]) -> list[Group]:
    """Repeat cheap entrywise operations in every group that reads their result, instead of in the first only."""
    taken = {name for group in groups for name in group.names} | set(outputs)
    for position in range(len(groups) - 1, -1, -1):
        for op in reversed(list(groups[position].ops)):
            if op.target.name not in outputs and cheap(op) and writers(groups, op) == 1:
                spread(groups, position, op, taken)
    return [group for group in groups if group.ops]


def cheap(op: Operation) -> bool:
    """A few rational operations on entries of at most one tensor of the target's rank."""
    if not isinstance(op, Op) or op.how != "set" or op.guard != True or not op.loops:  # noqa: E712 - SymPy's true
        return False
    body = op.body
    rational = all(e.is_Atom or e.is_Add or e.is_Mul or (e.is_Pow and e.exp.is_Integer) for e in parts(body))
    large = [read for read in op.reads if read.tensor.rank >= op.target.rank]
    return (
        rational and not body.has(Bracket, Where) and len(large) <= 1 and all(map(plain, op.reads))
        and body.count_ops() <= OPERATIONS and all(read.tensor != op.target for read in op.reads)
    )  # fmt: skip


def parts(e: Expr) -> list[Expr]:
    return [e, *(part for argument in e.args for part in parts(argument))]


def writers(groups: list[Group], op: Operation) -> int:
    return sum(other.target == op.target for group in groups for other in group.ops)


def spread(groups: list[Group], position: int, op: Operation, taken: set[str]) -> None:
    """Give each later group that could run `op` a copy under another name; drop what is read nowhere any more."""
    assert isinstance(op, Op)
    readers = [p for p in range(len(groups)) if reads(groups[p], op)]
    later = [p for p in readers if p > position]
    if not later or any(not can_repeat(groups[p], op) for p in later):
        return
    for p in later:
        name = next(n for n in (f"{op.target.name}{k}" for k in range(2, 10**4)) if n not in taken)
        taken.add(name)
        copy = replace(op, target=replace(op.target, name=name))
        group = groups[p]
        group.ops = [renamed_reads(other, op.target, copy.target) for other in group.ops]
        group.put(copy, first=True)
        group.names = set().union(*(other.names for other in group.ops))
    if position not in readers:
        groups[position].drop(op)


def reads(group: Group, op: Op) -> bool:
    return any(read.tensor == op.target for other in group.ops for read in other.reads)


def can_repeat(group: Group, op: Op) -> bool:
    """The group has loops of these extents, and reads the result entry by entry."""
    for other in group.ops:
        mine = [read for read in other.reads if read.tensor == op.target]
        if mine and not (isinstance(other, Op) and all(map(plain, mine)) and aligned(other, mine, op)):
            return False
    return group.accepts(op)


def aligned(other: Op, mine: list[Read], op: Op) -> bool:
    """`other` reads at its own loops, the outermost of which is the outermost of `op`, and in this turn of those around."""
    axis = op.at.index(op.loops[0])
    return all(
        read.indices[axis] == other.loops[0]
        and all(i in other.loops if at in op.loops else i == at for i, at in zip(read.indices, op.at, strict=True))
        for read in mine
    )


def renamed_reads(other: Operation, old: Tensor, new: Tensor) -> Operation:
    """The operation with reads of `new` instead of `old`."""
    if not isinstance(other, Op):
        return other
    mapping = {read: Read(new, read.indices) for read in other.reads if read.tensor == old}
    return replace(other, body=substitute(other.body, mapping), guard=substitute(other.guard, mapping)) if mapping else other
