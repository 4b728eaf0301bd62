"""Parallel loops of a kernel: blocks of turns, each with buffers and accumulators of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import sympy
from sympy import Expr

from ..ir.nodes import Index
from .loops_nodes import Block, Loop, Op, Storage, uses
from .loops_writer import IDENTITY, Writer

PARALLEL_FROM = 131072  # turns of the innermost loop; below, waking the threads takes longer than the work


def write_parallel(writer: Writer, loop: Loop, write_block: Callable[[Writer, Block], None]) -> None:
    """Blocks of turns at the same time, each with buffers and accumulators of its own."""
    extent = writer.scalars.integer(loop.index.extent, 4)
    work = " * ".join(writer.scalars.integer(e, 2) for e in extents_of(loop))
    writer.line(f"blocks = threads if {work} > {PARALLEL_FROM} else 1")
    shared = [writer.names.new(f"{op.target.name}_blocks") for op in loop.partial]
    parts = [remaining(writer, op) for op in loop.partial]
    for op, name, part in zip(loop.partial, shared, parts, strict=True):
        writer.line(f"{name} = {writer.allocation(part, op.how, 'blocks')}")
    arrays, storages = dict(writer.arrays), dict(writer.storages)
    with writer.indented("for block in prange(blocks):"):
        for op, name, part in zip(loop.partial, shared, parts, strict=True):
            own = writer.names.new(f"{op.target.name}_block")
            identity = writer.literal(IDENTITY[op.how], op.target)
            writer.line(f"{own} = {identity if part.scalar else f'{name}[block]'}")
            writer.arrays[op.target.name], writer.storages[op.target.name] = own, part
            writer.live.pop(op.target.name, None)
        for storage in loop.allocate:
            writer.line(f"{writer.arrays[storage.tensor.name]} = {writer.allocation(storage, None)}")
        with writer.running(loop.index) as name:
            turns = f"block * {extent} // blocks, (block + 1) * {extent} // blocks"
            with writer.indented(f"for {name} in range({turns}):"):
                write_block(writer, loop.body)
        for op, name, part in zip(loop.partial, shared, parts, strict=True):
            if part.scalar:
                writer.line(f"{name}[block] = {writer.arrays[op.target.name]}")
    writer.arrays, writer.storages = arrays, storages
    if loop.partial:
        with writer.indented("for block in range(blocks):"):
            for op, name, part in zip(loop.partial, shared, parts, strict=True):
                merge(writer, op, name, part)


def gains(block: Block) -> tuple[Expr, ...]:
    """For each parallel loop an expression of sizes that is positive where its turns are worth waking threads for."""
    loops = [statement for statement in block if isinstance(statement, Loop)]
    own = [sympy.Mul(*extents_of(loop)) - PARALLEL_FROM for loop in loops if loop.parallel]
    return (*own, *(gain for loop in loops if not loop.parallel for gain in gains(loop.body)))


def merge(writer: Writer, op: Op, name: str, part: Storage) -> None:
    """Add the accumulator of one block to the whole, entry by entry."""
    with ExitStack() as stack:
        for axis in part.kept:
            index = op.at[axis]
            assert isinstance(index, Index)
            own = stack.enter_context(writer.running(index))
            stack.enter_context(writer.indented(f"for {own} in range({writer.extent(index.extent)}):"))
        held = writer.live.get(op.target.name)
        place = held[1] if held is not None and held[0] == op.at else writer.entry(op)
        entry = ", ".join(["block", *(writer.extent(op.at[axis]) for axis in part.kept)])
        writer.line(writer.update(op, place, f"{name}[{entry}]"))


def remaining(writer: Writer, op: Op) -> Storage:
    """The axes of the target that the loops of `op` still run over."""
    kept = writer.storages[op.target.name].kept
    return Storage(op.target, tuple(p for p in kept if uses(op.at[p], op.loops)))


def extents_of(loop: Loop) -> list[Expr]:
    """The extents of the deepest nest of loops."""
    deepest = max((extents_of(inner) for inner in loop.body if isinstance(inner, Loop)), key=len, default=[])
    return [loop.index.extent, *deepest]
