"""From operations to loop nests: operations that agree on their outermost loop share it, level by level."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sympy import Mul

from ..ir.nodes import Index, Read
from .loops_blocks import in_blocks
from .loops_groups import Group, grouped
from .loops_hoist import hoist_invariants
from .loops_nodes import Block, Close, Compute, Loop, Op, Operation, Product, Start, Statement, covers
from .loops_pointwise import compute_at_places
from .loops_recompute import recompute


def schedule(ops: Iterable[Operation], outputs: Collection[str], parallel: bool = False, blocks: bool = False) -> Block:
    """The loop nests that run `ops`, in an order that keeps every dependency.

    outputs: names of the tensors that are kept.
    parallel: run the turns of outermost loops at the same time where each writes to places of its own.
    blocks: run what stands between matrix products for a block of rows at a time.
    """
    found = hoist_invariants(compute_at_places(ops, outputs), outputs)
    found = in_blocks(found, outputs) if blocks else found
    groups = grouped([distinct(op, number) for number, op in enumerate(found)])
    kept = frozenset(outputs)
    return nests(recompute(groups, kept), parallel, kept)


def distinct(op: Operation, number: int) -> Operation:
    """The operation with indices that no other operation has; what follows # is not printed."""
    own = (*op.loops, *op.rows, *op.columns, *op.bound) if isinstance(op, Product) else op.loops
    return op.renamed({i: i.renamed(f"{i.name}#{number}") for i in own})


def nests(groups: list[Group], parallel: bool, kept: frozenset[str]) -> Block:
    """The loop of each group, around the nests of what is left of its operations.

    kept: names of the tensors that are read elsewhere.
    """
    block: list[Statement] = []
    for group in groups:
        if group.index is None:
            block += [Compute(op) for op in group.ops]
            continue
        if len(group.ops) == 1 and (product := matrix_times_vector(group.ops[0])):
            block.append(Compute(product))
            continue
        opening = tuple(op for op in group.ops if isinstance(op, Op | Product) and op.opens)
        together = parallel and group.independent
        inside = parallel and any(isinstance(op, Product) for op in group.ops)
        read = frozenset(r.tensor.name for other in groups if other is not group for op in other.ops for r in op.reads)
        inner = recompute(grouped([op.entered() for op in group.ops]), kept | read)
        body = nests(inner, inside, kept | read)
        block += [Start(op) for op in opening]
        partial = tuple(op for op in opening if isinstance(op, Op)) if together else ()
        block.append(Loop(group.index, body, together, partial))
        block += [Close(op) for op in opening]
    return tuple(block)


def matrix_times_vector(op: Operation) -> Product | None:
    """``z[i] = sum_k A[i,k] x[k]`` that has its loop for itself, as a product for BLAS."""
    if not isinstance(op, Op) or op.how != "sum" or not op.starts or len(op.at) != 1 or len(op.loops) != 2:
        return None
    row = op.at[0]
    bound = next(index for index in op.loops if index != row)
    if row not in op.loops:
        return None
    reads = [f for f in Mul.make_args(op.body) if isinstance(f, Read) and covers(f) and f.tensor.kind == "real"]
    matrix = [read for read in reads if set(read.indices) == {row, bound}]
    vector = [read for read in reads if read.indices == (bound,)]
    if len(Mul.make_args(op.body)) != 2 or len(matrix) != 1 or len(vector) != 1 or not isinstance(row, Index):
        return None
    return Product(op.target, op.at, matrix[0], vector[0], (), (row,), (), (bound,), op.equation)
