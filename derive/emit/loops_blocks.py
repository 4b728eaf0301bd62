"""Blocks of rows around matrix products: what a product makes is used while it is in cache, and never stored whole.

``S = Q K'``, ``P = f(S)``, ``O = P V`` run for some rows of Q at a time. An index i that such operations share is split
into a block and a row in it, ``i = first + r``; tensors that live between them get an axis of blocks, of which the
storage of a loop keeps one turn. Sums over i are added up block by block.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import sympy
from sympy import Add, Expr, Max, Min, Mul, floor

from ..ir.nodes import Index, Read, Tensor, indices_of, substitute
from .loops_nodes import BlockIndex, Op, Operation, Product, Rows

FEWEST = 64  # rows of a block; the library multiplies fewer at a lower rate
MOST_PRODUCTS = 20  # of a chain; the layers of a deeper net are functions instead, each compiled once
ENTRIES = 2**13  # of a block, for every multiplication that one of them costs: more stay out of the cache


class Unsuitable(Exception):
    """Some operation cannot run for a block of rows."""


class TooLong(Exception):
    """The chain goes on through too many products."""


def in_blocks(ops: Iterable[Operation], outputs: Collection[str]) -> list[Operation]:
    """The operations, chains of them around matrix products split into blocks of rows."""
    found = list(ops)
    taken: set[int] = set()
    for place, op in enumerate(found):
        if isinstance(op, Product) and op.rows and op.columns and place not in taken and op.target.name not in outputs:
            plans = (planned(found, op, group[0], outputs, frozenset(taken)) for group in (op.rows, op.columns))
            plan = next((plan for plan in plans if plan is not None), None)
            if plan is not None:
                taken |= plan.indices.keys()
                found = plan.applied(len(taken))
    return found


def planned(
    ops: list[Operation], op: Product, index: Index, outputs: Collection[str], taken: frozenset[int]
) -> Plan | None:
    """How to split what follows from splitting one index of one product; None if that is no use or not possible."""
    plan = Plan(ops, frozenset(outputs), taken)
    try:
        plan.block(op.target, op.at.index(index))
        plan.check()
    except (Unsuitable, TooLong):
        return None
    return plan


@dataclass
class Plan:
    """Which axis of which tensor is split, and what that makes the index of each operation that is split.

    taken: the places of operations that are split already.
    blocked: the axis of every tensor that is split; indices: the index of every operation, by its place among `ops`;
    whole: tensors that the operations write row by row, for readers that are not split.
    """

    ops: list[Operation]
    outputs: frozenset[str]
    taken: frozenset[int]
    blocked: dict[str, int] = field(default_factory=dict)
    indices: dict[int, Index] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    def block(self, tensor: Tensor, axis: int) -> None:
        """Split an axis of a tensor, and with it whatever writes or reads it."""
        if self.blocked.setdefault(tensor.name, axis) != axis:
            raise Unsuitable
        for place, op in enumerate(self.ops):
            if tensor.name not in op.names:
                continue
            touched = [r.indices[axis] for r in op.reads if r.tensor.name == tensor.name]
            touched += [op.at[axis]] if op.target.name == tensor.name else []
            for index in touched:
                self.split(place, op, index)

    def extend(self, tensor: Tensor, axis: int) -> None:
        """Split what an operation writes together with its readers; if one of them cannot be split, leave it whole."""
        if tensor.name in self.whole or self.blocked.get(tensor.name) == axis:
            return
        before = dict(self.blocked), dict(self.indices)
        try:
            self.block(tensor, axis)
        except Unsuitable:
            if tensor.name in before[0]:
                raise
            self.blocked, self.indices = before
            self.whole.add(tensor.name)

    def split(self, place: int, op: Operation, index: Expr) -> None:
        """Split an index of an operation, and the axis of its target that has it."""
        if place in self.taken or not isinstance(index, Index) or not isinstance(op, Op | Product):
            raise Unsuitable
        if place in self.indices:
            if self.indices[place] != index:
                raise Unsuitable
            return
        groups = (op.rows, op.columns, op.bound) if isinstance(op, Product) else (op.loops,)
        if not any(index in group and (isinstance(op, Op) or group[0] == index) for group in groups):
            raise Unsuitable
        if any(index in indices_of(e) and e != index for e in (*op.at, *(e for r in op.reads for e in r.indices))):
            raise Unsuitable
        if isinstance(op, Op) and (op.guard != True or (op.how == "set" and index not in op.at)):  # noqa: E712
            raise Unsuitable
        if isinstance(op, Product) and not (op.rows and op.columns):
            raise Unsuitable
        self.indices[place] = index
        if sum(isinstance(self.ops[p], Product) for p in self.indices) > MOST_PRODUCTS:
            raise TooLong
        kinds = {(tuple(i.extent for i in self.around(p)), i.extent) for p, i in self.indices.items()}
        if len(kinds) != 1:
            raise Unsuitable
        if index in op.at:
            self.extend(op.target, op.at.index(index))
        made = {other.target.name for other in self.ops} - self.outputs
        for read in op.reads:
            if read.tensor.name in made and index in read.indices:
                self.extend(read.tensor, read.indices.index(index))

    def check(self) -> None:
        """Something is used where it is made and multiplied again, and nothing waits for what all blocks make together."""
        members = [self.ops[place] for place in self.indices]
        products = [op for op in members if isinstance(op, Product)]
        made = {op.target.name for op in products} & self.blocked.keys() - self.outputs
        used = {r.tensor.name for op in members for r in op.reads}
        between = {r.tensor.name for op in products for r in op.reads} & self.blocked.keys()
        if not made & used or not between:
            raise Unsuitable
        waiting: set[str] = set()
        for place, op in enumerate(self.ops):
            if place not in self.indices:
                waiting |= {op.target.name} if not op.names.isdisjoint(waiting | self.blocked.keys()) else set()
            elif any(r.tensor.name in waiting for r in op.reads):
                raise Unsuitable
            elif op.target.name not in self.blocked:
                waiting.add(op.target.name)

    def around(self, place: int) -> tuple[Index, ...]:
        """The loops outside of the split index."""
        op, index = self.ops[place], self.indices[place]
        return op.loops if isinstance(op, Product) else op.loops[: op.loops.index(index)]

    # --- applying it

    def applied(self, number: int) -> list[Operation]:
        index = next(iter(self.indices.values()))
        size = self.size(index.extent)
        first = sympy.Symbol(f"first{number}", integer=True, nonnegative=True)
        rows = Rows(f"rows{number}", first, index.extent, size)
        blocks = BlockIndex("part", Max(1, floor((index.extent + size - 1) / size)), rows)
        return [self.changed(op, self.indices[p], blocks) if p in self.indices else op for p, op in enumerate(self.ops)]

    def size(self, extent: Expr) -> Expr:
        """How many rows a block has: all, unless what lies between the products is large for what they have to do."""
        work: Expr = sympy.S.Zero
        widths: dict[str, Expr] = {}
        for place, index in self.indices.items():
            op = self.ops[place]
            if isinstance(op, Product):
                work += Mul(*(i.extent for i in (*op.rows, *op.columns, *op.bound) if i != index))
                own = {*self.around(place), index}
                for read in (*op.reads, Read(op.target, op.at)):
                    if read.tensor.name in self.blocked.keys() - self.outputs:
                        extents = zip(read.indices, read.tensor.shape, strict=True)
                        widths[read.tensor.name] = Mul(*(n for e, n in extents if e not in own))
        width = Add(*widths.values())
        return Min(extent + 1, Max(FEWEST, floor(ENTRIES * work / (width + 1) ** 2)))

    def changed(self, op: Operation, index: Index, blocks: BlockIndex) -> Operation:
        """One operation with a loop over blocks, and rows of a block instead of all."""
        assert isinstance(op, Op | Product)
        row = Index(index.name, blocks.rows)
        loops = op.loops
        if isinstance(op, Product):
            loops = (*loops, blocks)
        else:
            loops = tuple(part for i in loops for part in ((blocks, row) if i == index else (i,)))
        reads = {r: self.read(r, index, row, blocks) for r in op.reads if index in indices_of(r)}
        target = self.read(Read(op.target, op.at), index, row, blocks)
        if isinstance(op, Op):
            body = substitute(op.body, reads)
            body = substitute(body, {index: blocks.rows.first + row})
            return replace(op, target=target.tensor, at=target.indices, body=body, loops=loops)
        mapping = {index: row}
        rows, columns, bound = (tuple(mapping.get(i, i) for i in group) for group in (op.rows, op.columns, op.bound))
        left, right = reads.get(op.left, op.left), reads.get(op.right, op.right)
        summed = index in op.bound
        return replace(
            op, target=target.tensor, at=target.indices, left=left, right=right, loops=loops, rows=rows, columns=columns,
            bound=bound, how="sum" if summed else op.how, begins=blocks.rows.first if summed and op.how == "set" else None,
        )  # fmt: skip

    def read(self, read: Read, index: Index, row: Index, blocks: BlockIndex) -> Read:
        """A read at a row of a block: of a tensor that has an axis of blocks, or of one that lies whole."""
        tensor, axis = read.tensor, self.blocked.get(read.tensor.name)
        if axis is None or tensor.name in self.outputs:
            return Read(tensor, tuple(substitute(e, {index: blocks.rows.first + row}) for e in read.indices))
        shape = (*tensor.shape[:axis], blocks.extent, blocks.rows.size, *tensor.shape[axis + 1 :])
        indices = (*read.indices[:axis], blocks, row, *read.indices[axis + 1 :])
        return Read(replace(tensor, shape=shape, facts=frozenset()), indices)
