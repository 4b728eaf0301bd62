"""Matrix products of a kernel: views of the operands as matrices, multiplied by BLAS."""

from __future__ import annotations

from ..ir.nodes import Index, Read
from .loops_nodes import Product
from .loops_writer import Writer


def write_product(writer: Writer, op: Product) -> None:
    """A matrix product by BLAS; the target is made by it where it is a whole array."""
    storage = writer.storages[op.target.name]
    target = writer.arrays[op.target.name]
    own = [op.at[p] for p in storage.kept if op.at[p] in op.rows or op.at[p] in op.columns]
    left, right = matrix(writer, op.left, op.rows, op.bound), matrix(writer, op.right, op.bound, op.columns)
    if tuple(own) != (*op.rows, *op.columns):
        left, right = matrix(writer, op.right, op.columns, op.bound), matrix(writer, op.left, op.bound, op.rows)
    flat = len(op.rows) == 1 and len(op.columns) <= 1
    batch = [n for n, p in enumerate(storage.kept) if op.at[p] not in own]
    extents = ", ".join(writer.extent(i.extent) for i in own)
    if not batch and writer.depth == 1 and op.target.name not in writer.given:
        writer.line(f"{target} = {left} @ {right}" if flat else f"{target} = ({left} @ {right}).reshape({extents})")
    elif batch == list(range(len(batch))):
        view = f"{target}[{', '.join(writer.extent(op.at[storage.kept[n]]) for n in batch)}]" if batch else target
        first, second = (op.rows, op.columns) if own[0] in op.rows else (op.columns, op.rows)
        view += "" if flat else f".reshape({count(writer, first)}, {count(writer, second)})"
        writer.line(f"np.dot({left}, {right}, {view})")
    else:
        parts = [":" if op.at[p] in own else writer.extent(op.at[p]) for p in storage.kept]
        result = f"np.dot({left}, {right})" + ("" if flat else f".reshape({extents})")
        writer.line(f"{target}[{', '.join(parts)}] = {result}")


def count(writer: Writer, indices: tuple[Index, ...]) -> str:
    """How many rows or columns these indices make together."""
    return " * ".join(writer.scalars.integer(i.extent, 2) for i in indices)


def matrix(writer: Writer, read: Read, first: tuple[Index, ...], second: tuple[Index, ...]) -> str:
    """A read as the matrix whose rows are `first` and whose columns are `second`."""
    name = read.tensor.name
    kept = range(read.tensor.rank) if name in writer.inputs else writer.storages[name].kept
    own = [read.indices[p] for p in kept if read.indices[p] in first or read.indices[p] in second]
    batch = [p for p in kept if read.indices[p] not in own]
    text = writer.arrays[name]
    if batch != list(kept)[: len(batch)]:
        parts = [writer.extent(read.indices[p]) if p in batch else ":" for p in kept]
        text = f"np.ascontiguousarray({text}[{', '.join(parts)}])"
    elif batch:
        text += f"[{', '.join(writer.extent(read.indices[p]) for p in batch)}]"
    straight = tuple(own) == (*first, *second)
    groups = (first, second) if straight else (second, first)
    if any(len(group) > 1 for group in groups):
        text += f".reshape({', '.join(count(writer, group) for group in groups)})"
    return text if straight else f"{text}.T"
