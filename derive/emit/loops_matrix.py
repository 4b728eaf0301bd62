"""Matrix products of a kernel: views of the operands as matrices, multiplied by BLAS."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from sympy import Expr, Mul

from ..ir.nodes import Index, Read, indices_of
from .loops_nodes import Product, uses
from .loops_writer import Writer

Indices = tuple[Index, ...]


def write_product(writer: Writer, op: Product) -> None:
    """A matrix product by BLAS: by NumPy's name where that copies nothing, else by a call that takes parts of arrays."""
    if op.rows and op.columns and not is_plain(writer, op):
        write_gemm(writer, op)
    else:
        write_dot(writer, op)


def write_product_start(writer: Writer, op: Product) -> None:
    """Zeros, to which the products of all turns are added."""
    if op.starts:
        kept = writer.storages[op.target.name].kept
        own = (*op.rows, *op.columns, *op.loops)
        parts = [":" if uses(op.at[p], own) else writer.extent(op.at[p]) for p in kept]
        writer.line(f"{writer.arrays[op.target.name]}[{', '.join(parts)}] = 0.0")


def kept_axes(writer: Writer, read: Read) -> list[tuple[Expr, Expr]]:
    """Index and extent of every axis that the array of a tensor has."""
    name = read.tensor.name
    kept = range(read.tensor.rank) if name in writer.inputs else writer.storages[name].kept
    return [(read.indices[p], read.tensor.shape[p]) for p in kept]


def is_plain(writer: Writer, op: Product) -> bool:
    """Nothing is scaled or added up, and all three matrices are arrays, or entries along leading axes of one."""
    target = Read(op.target, op.at)
    own = {*op.rows, *op.columns, *op.bound}
    return op.scale == 1 and op.how == "set" and all(whole(writer, read, own) for read in (op.left, op.right, target))


def whole(writer: Writer, read: Read, own: set[Index]) -> bool:
    """The matrix is what stands behind leading indices of the array, all of it."""
    if writer.arrays[read.tensor.name] in writer.strided:
        return False
    axes = kept_axes(writer, read)
    inner = [index in own for index, _ in axes]
    full = all(isinstance(i, Index) and i.extent == n for (i, n), mine in zip(axes, inner, strict=True) if mine)
    leading = all(uses(i, own) is False for (i, _), mine in zip(axes, inner, strict=True) if not mine)
    return full and leading and all(later or not earlier for earlier, later in pairwise(inner))


# --- parts of arrays ----------------------------------------------------------------------------------------


def write_gemm(writer: Writer, op: Product) -> None:
    """``gemm(alpha, A, B, beta, C)``; C is turned so that its rows lie in one piece."""
    target = Read(op.target, op.at)
    own = [i for i, _ in kept_axes(writer, target) if uses(i, (*op.rows, *op.columns))]
    first, second, left, right = op.rows, op.columns, op.left, op.right
    if uses(own[0], op.columns):
        first, second, left, right = op.columns, op.rows, op.right, op.left
    scale = f"{op.scale}.0" if op.scale.is_Integer else writer.scalars.value(op.scale)
    beta = "0.0" if op.how == "set" else "1.0"
    if op.begins is not None:
        beta = f"0.0 if {writer.extent(op.begins)} == 0 else 1.0"
    a, b, c = view(writer, left, first, op.bound), view(writer, right, op.bound, second), view(writer, target, first, second)
    writer.line(f"gemm({scale}, {a}, {b}, {beta}, {c})")


def view(writer: Writer, read: Read, first: Indices, second: Indices) -> str:
    """A part of an array as the matrix whose rows are `first` and whose columns are `second`."""
    axes = kept_axes(writer, read)
    text = writer.arrays[read.tensor.name]
    places = [next((g for g, group in enumerate((first, second)) if uses(i, group)), -1) for i, _ in axes]
    leading = next(n for n, place in enumerate(places) if place >= 0)
    if leading:
        text += f"[{', '.join(writer.extent(index) for index, _ in axes[:leading])}]"
    rest = range(leading, len(axes))
    runs = [list(run) for _, run in groupby(rest, key=lambda n: places[n] if places[n] >= 0 else -n - 1)]
    if any(len(run) > 1 for run in runs):
        text = f"np.ascontiguousarray({text})" if writer.arrays[read.tensor.name] in writer.strided else text
        text += f".reshape({', '.join(extent_of(writer, [axes[n][1] for n in run]) for run in runs)})"
    parts = [
        writer.extent(axes[run[0]][0]) if places[run[0]] < 0 else part(writer, *axes[run[0]], [axes[n][1] for n in run[1:]])
        for run in runs
    ]  # fmt: skip
    while parts and parts[-1] == ":":
        parts.pop()
    text += f"[{', '.join(parts)}]" if parts else ""
    return text if places[leading] == 0 else f"{text}.T"


def part(writer: Writer, index: Expr, extent: Expr, inner: Sequence[Expr]) -> str:
    """``2 * n : (2 + m) * n``: where the rows of an axis lie that may be read in part."""
    (own,) = indices_of(index)
    if index == own and own.extent == extent:
        return ":"
    width = Mul(*inner)
    begin = (index - own) * width
    return f"{writer.extent(begin) if begin != 0 else ''}:{writer.extent(begin + own.extent * width)}"


def extent_of(writer: Writer, extents: Sequence[Expr]) -> str:
    return " * ".join(writer.scalars.integer(extent, 2) for extent in extents)


# --- whole arrays -------------------------------------------------------------------------------------------


def write_dot(writer: Writer, op: Product) -> None:
    """``np.dot``; the target is made by it where it is a whole array."""
    storage = writer.storages[op.target.name]
    target = writer.arrays[op.target.name]
    own = [op.at[p] for p in storage.kept if op.at[p] in op.rows or op.at[p] in op.columns]
    left, right = matrix(writer, op.left, op.rows, op.bound), matrix(writer, op.right, op.bound, op.columns)
    if tuple(own) != (*op.rows, *op.columns):
        left, right = matrix(writer, op.right, op.columns, op.bound), matrix(writer, op.left, op.bound, op.rows)
    flat = len(op.rows) == 1 and len(op.columns) <= 1
    batch = [n for n, p in enumerate(storage.kept) if op.at[p] not in own]
    extents = ", ".join(writer.extent(i.extent) for i in own)
    if not batch and writer.depth == 1 and op.makes_array and op.target.name not in writer.given:
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
