"""A scheduled loop nest as the body of a Numba function."""

from __future__ import annotations

import re
from typing import Any

import sympy
from sympy import Expr

from ..ir.nodes import Bracket, Read, Where, reads_of
from ..ops.elementwise import op_of_head
from .loops_matrix import write_product, write_product_start
from .loops_nodes import (
    Allocate,
    Block,
    BlockIndex,
    Call,
    Close,
    Compute,
    Loop,
    Op,
    Product,
    Start,
    Statement,
    uses,
)
from .loops_parallel import write_parallel
from .loops_primitives import write_call
from .loops_ranges import inside
from .loops_writer import IDENTITY, Writer


def write_block(writer: Writer, block: Block) -> None:
    """Every statement, knowing which ones follow it."""
    for position, statement in enumerate(block):
        write_statement(writer, statement, block[position + 1 :])


def write_statement(writer: Writer, statement: Statement, rest: Block) -> None:
    for name in begun(statement, rest):
        for line in writer.unsaid.pop(name, ()):
            writer.line(line)
    match statement:
        case Allocate():
            write_allocation(writer, statement)
        case Start(Product() as op):
            write_product_start(writer, op)
        case Close(Product()):
            pass
        case Start(Op() as op):
            write_start(writer, op)
        case Close(Op() as op):
            write_close(writer, op)
        case Compute(Product() as op):
            write_product(writer, op)
        case Compute(Call() as op):
            write_call(writer, op)
        case Compute(Op() as op):
            write_compute(writer, op, rest)
        case Loop(parallel=True):
            write_parallel(writer, statement, write_block)
        case Loop(index=BlockIndex()):
            write_blocks(writer, statement)
        case Loop():
            with writer.running(statement.index) as name:
                extent = writer.scalars.integer(statement.index.extent)
                with writer.indented(f"for {name} in range({extent}):"):
                    write_block(writer, statement.body)


def begun(statement: Statement, rest: Block = ()) -> list[str]:
    """The targets of the equations that a statement begins: its own, or all of an innermost loop; an accumulation
    begins those of the loop that it runs in."""
    match statement:
        case Start(op):
            loops = [begun(s) for s in rest if isinstance(s, Loop)]
            return next((names for names in loops if op.target.name in names), [op.target.name])
        case Compute(op) if op.equation is not None:
            return [op.equation.target.name]
        case Loop(body=body) if not any(isinstance(inner, Loop) for inner in body):
            return [name for inner in body for name in begun(inner)]
        case _:
            return []


def write_blocks(writer: Writer, loop: Loop) -> None:
    """A loop over blocks of rows, with the first row and the number of rows of each."""
    assert isinstance(loop.index, BlockIndex)
    rows = loop.index.rows
    most = sympy.Symbol(f"most {rows.name}", integer=True, positive=True)
    writer.sizes |= {most: writer.names.new("most"), rows.first: writer.names.new("first"), rows: writer.names.new("rows")}
    writer.line(f"{writer.name(most)} = {writer.extent(rows.size)}")
    count = writer.extent(loop.index.extent.xreplace({rows.size: most}))
    with writer.running(loop.index) as name, writer.indented(f"for {name} in range({count}):"):
        writer.line(f"{writer.name(rows.first)} = {name} * {writer.name(most)}")
        writer.line(f"{writer.name(rows)} = min({writer.extent(rows.whole - rows.first)}, {writer.name(most)})")
        write_block(writer, loop.body)
    for symbol in (most, rows.first, rows):
        del writer.sizes[symbol]


def write_allocation(writer: Writer, statement: Allocate) -> None:
    """A new array, or new content for one that the caller has given."""
    tensor = statement.storage.tensor
    name = writer.arrays[tensor.name]
    if tensor.name not in writer.given:
        writer.line(f"{name} = {writer.allocation(statement.storage, statement.fill)}")
    elif statement.fill is not None:
        writer.line(f"{name}[:] = {writer.literal(IDENTITY[statement.fill], tensor)}")


def write_start(writer: Writer, op: Op) -> None:
    """The identity: into a variable if a single entry is accumulated, else into the slice."""
    identity = writer.literal(IDENTITY[op.how], op.target)
    if writer.storages[op.target.name].scalar:
        if op.starts:
            writer.line(f"{writer.variable(op)} = {identity}")
    elif not any(uses(i, op.loops) for i in op.at):
        variable = writer.variable(op)
        value = identity if op.starts else writer.place(Read(op.target, op.at))
        if value != variable:
            writer.line(f"{variable} = {value}")
        writer.live[op.target.name] = op.at, variable
    elif op.starts:
        writer.line(f"{writer.slice(op)} = {identity}")


def write_close(writer: Writer, op: Op) -> None:
    """The variable of an accumulation goes to its place in the array."""
    live = writer.live.get(op.target.name)
    if live is not None and live[0] == op.at:
        writer.line(f"{writer.entry(op)} = {live[1]}")


def write_compute(writer: Writer, op: Op, rest: Block) -> None:
    """An assignment, under its guard if it has one."""
    writer.sure = op.equation is not None and op.equation.target.name in writer.presupposed
    if op.guard == True:  # noqa: E712 - SymPy's true
        write_assign(writer, op, rest)
    else:
        with writer.indented(f"if {writer.scalars.holds(op.guard)}:"), writer.scalars.assuming(op.guard):
            write_assign(writer, op, ())


def write_assign(writer: Writer, op: Op, rest: Block) -> None:
    value = right_hand_side(writer, op)
    storage = writer.storages[op.target.name]
    live = writer.live.get(op.target.name)
    held = live is not None and live[0] == op.at
    if op.how != "set":
        place = live[1] if held and live else writer.entry(op)
        text = writer.update(op, place, value)
        writer.line(text.replace("+= -", "-= ") if re.fullmatch(r"-[\w.\[\], ]+", value) else text)
    elif storage.scalar:
        writer.line(f"{writer.variable(op)} = {value}")
    else:
        place = writer.entry(op)
        if held or needed_later(op, rest):
            variable = writer.variable(op)
            writer.line(f"{variable} = {value}")
            writer.live[op.target.name] = op.at, variable
            value = variable
        writer.line(f"{place} = {value}")


def right_hand_side(writer: Writer, op: Op) -> str:
    """The right-hand side, after variables for functions that occur in it more than once."""
    body = op.body
    if op.target.kind == "integer" and body.is_integer:
        return writer.scalars.integer(body)
    if op.target.kind == "boolean" and isinstance(body, Bracket):
        return writer.scalars.holds(body.condition)
    writer.scalars.known = {}
    for e in repeated(body):
        text = writer.scalars.value(e)
        writer.scalars.known[e] = writer.names.new("t")
        writer.line(f"{writer.scalars.known[e]} = {text}")
    text = writer.scalars.value(body)
    writer.scalars.known = {}
    if op.target.kind != "real":
        return f"int({text})" if op.target.kind == "integer" else f"({text}) != 0"
    return writer.literal(text, op.target) if body.is_Integer and not writer.typed else text


def needed_later(op: Op, rest: Block) -> bool:
    """Whether a later statement of the same block reads the entry that `op` writes."""
    for statement in rest:
        match statement:
            case Loop():
                if needed_later(op, statement.body):
                    return True
            case Compute(later):
                if any(read.tensor == op.target and read.indices == op.at for read in later.reads):
                    return True
    return False


def repeated(body: Expr) -> list[Expr]:
    """Function values that occur more than once, inner ones first."""
    counts: dict[Expr, int] = {}

    def visit(e: Any) -> None:
        if costly(e):
            counts[e] = counts.get(e, 0) + 1
            if counts[e] > 1:
                return
        for arg in e.args:
            visit(arg)

    visit(body)
    often = [e for e, count in counts.items() if count > 1 and all(map(inside, reads_of(e)))]
    return sorted(often, key=lambda e: e.count_ops())


def costly(e: Any) -> bool:
    if not isinstance(e, Expr) or isinstance(e, Bracket | Where) or e.is_number:
        return False
    return op_of_head(e.func) is not None or (e.is_Pow and not e.exp.is_Integer)
