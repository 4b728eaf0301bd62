"""From operations to loop nests: operations that agree on their outermost loop share it, level by level."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..ir.nodes import Index, Read
from .loops_nodes import Block, Close, Compute, Loop, Op, Operation, Product, Start, Statement


def schedule(ops: Iterable[Operation], parallel: bool = False) -> Block:
    """The loop nests that run `ops`, in an order that keeps every dependency.

    parallel: run the turns of outermost loops at the same time where each writes to places of its own.
    """
    return nest([distinct(op, number) for number, op in enumerate(ops)], parallel)


def distinct(op: Operation, number: int) -> Operation:
    """The operation with indices that no other operation has; what follows # is not printed."""
    own = op.loops if isinstance(op, Op) else (*op.loops, *op.rows, *op.columns, *op.bound)
    return op.renamed({i: i.renamed(f"{i.name}#{number}") for i in own})


def nest(ops: list[Operation], parallel: bool) -> Block:
    block: list[Statement] = []
    for group in sink(fuse(ops)):
        if group.index is None:
            block += [Compute(op) for op in group.ops]
            continue
        opening = [op for op in group.ops if isinstance(op, Op) and op.opens]
        together = parallel and group.independent
        body = nest([op.entered() for op in group.ops], parallel and not together)
        partial = tuple(op for op in opening) if together else ()
        block += [Start(op) for op in opening]
        block.append(Loop(group.index, body, together, partial))
        block += [Close(op) for op in opening]
    return tuple(block)


@dataclass
class Group:
    """Operations that share their outermost loop, `index`; without one, operations that have no loop left."""

    index: Index | None
    ops: list[Operation] = field(default_factory=list)

    def accepts(self, op: Operation) -> bool:
        if self.index is None or not op.loops:
            return self.index is None and not op.loops
        return op.loops[0].extent == self.index.extent

    def add(self, op: Operation) -> None:
        if self.index is not None and op.loops[0] != self.index:
            op = op.renamed({op.loops[0]: self.index})
        self.ops.append(op)

    @property
    def touched(self) -> set[str]:
        return {name for op in self.ops for name in names(op)}

    @property
    def independent(self) -> bool:
        """The turns of the loop may run at the same time, given accumulators of their own."""
        return all(
            isinstance(op, Op) and (op.aligned or (op.opens and op.starts and op.how in ("sum", "max", "min", "prod")))
            and not waits(op, self.ops) for op in self.ops
        )  # fmt: skip


def waits(op: Operation, ops: list[Operation]) -> bool:
    """Something accumulates to a target of which another operation of the group writes slices."""
    return any(other is not op and other.target == op.target and other.aligned != op.aligned for other in ops)


def names(op: Operation) -> set[str]:
    return {op.target.name, *(read.tensor.name for read in op.reads)}


def fuse(ops: list[Operation]) -> list[Group]:
    """Put each operation into the first group that may run it and has something in common with it."""
    groups: list[Group] = []
    written: dict[str, set[int]] = {}
    for op in ops:
        lowest = 0
        for name in names(op):
            for position in written.get(name, ()):
                lowest = max(lowest, position if joins(op, groups[position]) else position + 1)
        position = place(op, groups, lowest)
        if position == len(groups):
            groups.append(Group(op.loops[0] if op.loops else None))
        groups[position].add(op)
        written.setdefault(op.target.name, set()).add(position)
    return groups


def place(op: Operation, groups: list[Group], lowest: int) -> int:
    mine = names(op)
    for position in range(lowest, len(groups)):
        if groups[position].accepts(op) and (not op.loops or not mine.isdisjoint(groups[position].touched)):
            return position
    return len(groups)


def joins(op: Operation, group: Group) -> bool:
    """Whether `op` may run in the same turn of the loop as the operations of the group that it depends on."""
    if not group.accepts(op):
        return False
    return all(op.target.name not in names(other) and other.target.name not in names(op)
               or follows(op, other, group.index) for other in group.ops)  # fmt: skip


def follows(op: Operation, other: Operation, index: Index | None) -> bool:
    """Each turn of the loop needs from `other` only what the same turn has written."""
    if index is None:
        return True
    positions = [p for p, at in enumerate(other.at) if at == index]
    if not positions:
        return False
    p, mine = positions[0], op.loops[0]
    touched = [read.indices for read in op.reads if read.tensor.name == other.target.name]
    if op.target.name == other.target.name:
        touched.append(op.at)
    return all(indices[p] == mine for indices in touched)


def sink(groups: list[Group]) -> list[Group]:
    """Move an operation that needs nothing of its own group next to the first one that reads its result."""
    for position in range(len(groups) - 2, -1, -1):
        group = groups[position]
        for op in reversed(list(group.ops)):
            target = destination(op, position, groups)
            if target is not None:
                group.ops.remove(op)
                moved = op if group.index is None else op.renamed({group.index: index_of(groups[target])})
                groups[target].ops.insert(0, moved)
    return [group for group in groups if group.ops]


def index_of(group: Group) -> Index:
    assert group.index is not None
    return group.index


def destination(op: Operation, position: int, groups: list[Group]) -> int | None:
    """The later group that first reads what `op` writes, if it could run there just as well."""
    group = groups[position]
    if isinstance(op, Product) or group.index is None:
        return None
    mine = names(op)
    others = [other for other in group.ops if other is not op]
    if any(other.target.name in mine or op.target.name in names(other) for other in others):
        return None
    for later in range(position + 1, len(groups)):
        candidate = groups[later]
        if op.target.name not in candidate.touched:
            if any(other.target.name in mine for other in candidate.ops):
                return None
            continue
        fits = candidate.accepts(op) and all(
            follows(renamed(other, candidate, op), op, group.index) or op.target.name not in names(other)
            for other in candidate.ops
        )
        return later if fits else None
    return None


def renamed(other: Operation, group: Group, op: Operation) -> Operation:
    return replace_first(other, op.loops[0]) if group.index is not None else other


def replace_first(other: Operation, index: Index) -> Operation:
    return other.renamed({other.loops[0]: index}) if other.loops[0] != index else other


def reads_target(op: Operation, name: str) -> list[Read]:
    return [read for read in op.reads if read.tensor.name == name]


__all__ = ["Group", "replace", "schedule"]
