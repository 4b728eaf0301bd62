"""Which operations share their outermost loop: as many as can do so without waiting for each other."""

from __future__ import annotations

from sympy import Expr

from ..ir.nodes import Index, indices_of
from .loops_nodes import BlockIndex, Op, Operation, Product

REACH = 16  # how many groups back a nest looks for one to share its loop with


class Group:
    """Operations that share their outermost loop, `index`; without one, operations that have no loop left."""

    def __init__(self, index: Index | None) -> None:
        self.index = index
        self.ops: list[Operation] = []
        self.names: set[str] = set()

    def accepts(self, op: Operation) -> bool:
        if self.index is None or not op.loops:
            return self.index is None and not op.loops
        mine, other = (i.rows if isinstance(i, BlockIndex) else None for i in (self.index, op.loops[0]))
        return bool(op.loops[0].extent == self.index.extent) and mine == other

    def aligned(self, op: Operation) -> Operation:
        """`op` with the index of this group as its outermost loop."""
        return op if self.index is None or op.loops[0] == self.index else op.renamed({op.loops[0]: self.index})

    def put(self, op: Operation, first: bool = False) -> None:
        self.ops.insert(0 if first else len(self.ops), self.aligned(op))
        self.names |= op.names

    def drop(self, op: Operation) -> None:
        self.ops.remove(op)
        self.names = set().union(*(other.names for other in self.ops))

    @property
    def independent(self) -> bool:
        """The turns of the loop may run at the same time, given accumulators of their own."""
        return all(isinstance(op, Op) and (op.aligned or (op.opens and op.starts)) for op in self.ops)


def grouped(ops: list[Operation]) -> list[Group]:
    """The operations in groups that share their outermost loop, in an order that keeps every dependency."""
    return merge(sink(fuse(ops)))


def fuse(ops: list[Operation]) -> list[Group]:
    """Put each operation into the first group that may run it and has something in common with it."""
    groups: list[Group] = []
    written: dict[str, set[int]] = {}
    for op in ops:
        lowest = 0
        for position in {p for name in op.names for p in written.get(name, ())}:
            lowest = max(lowest, position if joins(op, groups[position]) else position + 1)
        position = next((p for p in range(lowest, len(groups)) if suits(op, groups[p])), len(groups))
        if position == len(groups):
            groups.append(Group(op.loops[0] if op.loops else None))
        groups[position].put(op)
        written.setdefault(op.target.name, set()).add(position)
    return groups


def suits(op: Operation, group: Group) -> bool:
    return group.accepts(op) and (not op.loops or not op.names.isdisjoint(group.names))


def joins(op: Operation, group: Group) -> bool:
    """Whether `op` may run in the same turn of the loop as the operations of the group that it depends on."""
    if not group.accepts(op):
        return False
    op = group.aligned(op)
    return all(other.target.name not in op.names or follows(op, other, group.index) for other in group.ops)


def follows(op: Operation, other: Operation, index: Index | None) -> bool:
    """Each turn of the loop needs from `other` only what the same turn has written."""
    if index is None:
        return True
    axis = next((n for n, e in enumerate(other.at) if moves(e, index)), None)
    touched = [read.indices for read in op.reads if read.tensor.name == other.target.name]
    if op.target.name == other.target.name:
        touched.append(op.at)
    return axis is not None and all(moves(indices[axis], index) for indices in touched)


def moves(e: Expr, index: Index) -> bool:
    """Every turn of the loop is at a place of its own: at its index, or at rows of its block."""
    if isinstance(index, BlockIndex):
        rows = [i for i in indices_of(e) if i.extent == index.rows]
        return e == index or (len(rows) == 1 and e - rows[0] == index.rows.first)
    return bool(e == index)


def sink(groups: list[Group]) -> list[Group]:
    """Move an operation that needs nothing of its own group to the first one that reads its result."""
    for position in range(len(groups) - 2, -1, -1):
        for op in reversed(list(groups[position].ops)):
            later = destination(op, position, groups)
            if later is not None:
                groups[position].drop(op)
                groups[later].put(op, first=True)
    return [group for group in groups if group.ops]


def destination(op: Operation, position: int, groups: list[Group]) -> int | None:
    """The later group that first reads what `op` writes, if `op` could run there just as well."""
    group = groups[position]
    if isinstance(op, Product) or group.index is None or op.how != "set":
        return None
    if any(other is not op and (other.target.name in op.names or op.target.name in other.names) for other in group.ops):
        return None
    for later in range(position + 1, len(groups)):
        candidate = groups[later]
        if any(other.target.name in op.names for other in candidate.ops):
            return None
        if op.target.name in candidate.names:
            fits = candidate.accepts(op) and all(
                op.target.name not in other.names or follows(other, candidate.aligned(op), candidate.index)
                for other in candidate.ops
            )
            return later if fits else None
    return None


def merge(groups: list[Group]) -> list[Group]:
    """Let groups share a loop that were begun apart because they had nothing in common at first."""
    merged: list[Group] = []
    for group in groups:
        for position in range(len(merged) - 1, max(-1, len(merged) - 1 - REACH), -1):
            if may_move(group, merged[position:]):
                for op in group.ops:
                    merged[position].put(op)
                break
        else:
            merged.append(group)
    return merged if len(merged) == len(groups) else merge(merged)


def may_move(group: Group, earlier: list[Group]) -> bool:
    """Whether the operations of `group` may as well run in the turns of the first of `earlier`."""
    home, *between = earlier
    if group.index is None or home.index is None or home.names.isdisjoint(group.names):
        return False
    written = {op.target.name for other in between for op in other.ops}
    if not written.isdisjoint(group.names):
        return False
    return all(joins(op, home) for op in group.ops)
