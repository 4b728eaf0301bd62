"""A scheduled loop nest as the body of a Numba function."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr

from ..ir.nodes import Bracket, Index, Program, Read, Tensor, Where, reads_of
from ..ops.elementwise import op_of_head
from .loops_nodes import Allocate, Block, Close, Compute, Loop, Op, Product, Start, Statement, Storage, inside, uses
from .loops_scalar import Scalars

RESERVED = {
    "np", "math", "njit", "prange", "range", "real", "min", "max", "abs", "float", "int", "len", "blocks", "block",
    "get_num_threads", "intrinsic", "ir", "maximum", "minimum", "sigmoid", "softplus", "sign", "IndexError",
}  # fmt: skip
IDENTITY = {"sum": "0.0", "prod": "1.0", "max": "-math.inf", "min": "math.inf"}
UPDATE = {"sum": "{0} += {1}", "prod": "{0} *= {1}", "max": "{0} = maximum({0}, {1})", "min": "{0} = minimum({0}, {1})"}
MERGE = {**UPDATE, "max": "{0} = np.maximum({0}, {1})", "min": "{0} = np.minimum({0}, {1})"}
DTYPES = {"integer": "np.int64", "boolean": "np.bool_"}
PARALLEL_FROM = 16384


class Names:
    """Gives every thing of a kernel an identifier that nothing else has."""

    def __init__(self) -> None:
        self.taken = set(RESERVED)

    def new(self, wanted: str) -> str:
        base = re.sub(r"\W", "_", wanted) or "x"
        if keyword.iskeyword(base) or base[0].isdigit():
            base += "_"
        name = next(n for n in (base, *(f"{base}{k}" for k in range(1, 10**6))) if n not in self.taken)
        self.taken.add(name)
        return name


@dataclass
class Writer:
    """Writes statements as lines; knows where every tensor lives and which entries a variable holds."""

    program: Program
    storages: dict[str, Storage]
    typed: bool
    names: Names = field(default_factory=Names)
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    indices: dict[Index, str] = field(default_factory=dict)
    live: dict[str, tuple[tuple[Expr, ...], str]] = field(default_factory=dict)
    checks: set[tuple[Tensor, Expr]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.arrays = {tensor.name: self.names.new(tensor.name) for tensor in self.program.inputs}
        self.sizes = {size: self.names.new(size.name) for size in self.program.sizes}
        self.inputs = frozenset(self.arrays)
        for name, storage in self.storages.items():
            self.arrays[name] = self.names.new(name + storage.suffix)
        self.variables: dict[str, str] = {}
        self.scalars = Scalars(self.typed, self.place, self.name)

    # --- names ----------------------------------------------------------------------------------------------

    def name(self, e: Any) -> str:
        return self.indices[e] if isinstance(e, Index) else self.sizes[e]

    def variable(self, op: Op) -> str:
        """The variable for the entry that `op` computes."""
        storage = self.storages[op.target.name]
        if storage.scalar:
            return self.arrays[op.target.name]
        wanted = op.target.name + "_" + "".join(re.sub(r"\W", "", self.scalars.integer(i)) for i in op.at)
        if wanted not in self.variables:
            self.variables[wanted] = self.names.new(wanted)
        return self.variables[wanted]

    def place(self, read: Read) -> str:
        name = read.tensor.name
        if name in self.live and self.live[name][0] == read.indices:
            return self.live[name][1]
        if name in self.inputs:
            return self.element(name, read.tensor, read.indices, range(read.tensor.rank))
        return self.element(name, read.tensor, read.indices, self.storages[name].kept)

    def element(self, name: str, tensor: Tensor, indices: Any, kept: Any) -> str:
        positions = [self.position(tensor, indices[p], p) for p in kept]
        return self.arrays[name] + (f"[{', '.join(positions)}]" if positions else "")

    def position(self, tensor: Tensor, index: Any, axis: int) -> str:
        """An index of a read; data in it must never lead outside of the array."""
        text = self.scalars.integer(index)
        if not reads_of(index):
            return text
        if isinstance(index, Read) and index.tensor.name in self.inputs and index.tensor.kind == "integer":
            self.checks.add((index.tensor, tensor.shape[axis]))
            return text
        return f"min(max({text}, 0), {self.scalars.integer(tensor.shape[axis] - 1)})"

    def extent(self, e: Expr) -> str:
        """An integer expression of indices and sizes."""
        return self.scalars.integer(e)

    # --- lines ----------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    @contextmanager
    def indented(self, head: str) -> Iterator[None]:
        self.line(head)
        self.depth += 1
        live = dict(self.live)
        try:
            yield
        finally:
            self.depth -= 1
            self.live = live

    @contextmanager
    def running(self, index: Index) -> Iterator[str]:
        """A name for a loop's index, different from those around it."""
        used = set(self.indices.values()) | self.names.taken
        base = index.name.split("#")[0]
        name = next(n for n in (base, *"ijklpqrst", *(f"{base}{k}" for k in range(1, 1000))) if n not in used)
        self.indices[index] = name
        try:
            yield name
        finally:
            del self.indices[index]

    # --- statements -----------------------------------------------------------------------------------------

    def block(self, block: Block) -> None:
        for position, statement in enumerate(block):
            self.statement(statement, block[position + 1 :])

    def statement(self, statement: Statement, rest: Block) -> None:
        match statement:
            case Allocate():
                self.line(f"{self.arrays[statement.storage.tensor.name]} = {self.allocation(statement.storage, statement.fill)}")
            case Start(op):
                self.start(op)
            case Close(op):
                self.close(op)
            case Compute(Product() as op):
                write_product(self, op)
            case Compute(Op() as op):
                self.compute(op, rest)
            case Loop(parallel=True):
                write_parallel(self, statement)
            case Loop():
                with self.running(statement.index) as name:
                    extent = self.scalars.integer(statement.index.extent)
                    with self.indented(f"for {name} in range({extent}):"):
                        self.block(statement.body)

    def literal(self, text: str, tensor: Tensor) -> str:
        if tensor.kind != "real":
            return {"0.0": "0", "1.0": "1"}.get(text, text)
        return f"real({text})" if self.typed else text

    def dtype(self, tensor: Tensor) -> str:
        return DTYPES.get(tensor.kind, "real" if self.typed else "")

    def allocation(self, storage: Storage, fill: str | None, extra: str = "") -> str:
        tensor = storage.tensor
        extents = [extra] * bool(extra) + [self.scalars.integer(tensor.shape[p]) for p in storage.kept]
        shape = extents[0] if len(extents) == 1 else f"({', '.join(extents)})"
        dtype = ", ".join(["", self.dtype(tensor)] if self.dtype(tensor) else [])
        if fill is None:
            return f"np.empty({shape}{dtype})"
        if fill == "sum":
            return f"np.zeros({shape}{dtype})"
        return f"np.full({shape}, {self.literal(IDENTITY[fill], tensor)}{dtype})"

    def start(self, op: Op) -> None:
        identity = self.literal(IDENTITY[op.how], op.target)
        if self.storages[op.target.name].scalar:
            if op.starts:
                self.line(f"{self.variable(op)} = {identity}")
        elif not any(uses(i, op.loops) for i in op.at):
            variable = self.variable(op)
            value = identity if op.starts else self.place(Read(op.target, op.at))
            if value != variable:
                self.line(f"{variable} = {value}")
            self.live[op.target.name] = op.at, variable
        elif op.starts:
            self.line(f"{self.slice(op)} = {identity}")

    def slice(self, op: Op, name: str = "") -> str:
        """The part of the target that `op` still runs over."""
        kept = self.storages[op.target.name].kept
        parts = [":" if uses(op.at[p], op.loops) else self.scalars.integer(op.at[p]) for p in kept]
        return f"{name or self.arrays[op.target.name]}" + (f"[{', '.join(parts)}]" if parts else "")

    def close(self, op: Op) -> None:
        live = self.live.get(op.target.name)
        if live is not None and live[0] == op.at:
            self.line(f"{self.element(op.target.name, op.target, op.at, self.storages[op.target.name].kept)} = {live[1]}")

    def compute(self, op: Op, rest: Block) -> None:
        if op.guard == True:  # noqa: E712 - SymPy's true
            self.assign(op, rest)
        else:
            with self.indented(f"if {self.scalars.holds(op.guard)}:"):
                self.assign(op, ())

    def assign(self, op: Op, rest: Block) -> None:
        value = self.value(op)
        storage = self.storages[op.target.name]
        live = self.live.get(op.target.name)
        held = live is not None and live[0] == op.at
        if op.how != "set":
            place = live[1] if held and live else self.element(op.target.name, op.target, op.at, storage.kept)
            text = UPDATE[op.how].format(place, value)
            self.line(text.replace("+= -", "-= ") if re.fullmatch(r"-[\w.\[\], ]+", value) else text)
        elif storage.scalar:
            self.line(f"{self.variable(op)} = {value}")
        else:
            place = self.element(op.target.name, op.target, op.at, storage.kept)
            if held or needed_later(op, rest):
                variable = self.variable(op)
                self.line(f"{variable} = {value}")
                self.live[op.target.name] = op.at, variable
                value = variable
            self.line(f"{place} = {value}")

    def value(self, op: Op) -> str:
        """The right-hand side, after variables for functions that occur in it more than once."""
        body = op.body
        if op.target.kind == "integer" and body.is_integer:
            return self.scalars.integer(body)
        if op.target.kind == "boolean" and isinstance(body, Bracket):
            return self.scalars.holds(body.condition)
        self.scalars.known = {}
        for e in repeated(body):
            text = self.scalars.value(e)
            self.scalars.known[e] = self.names.new("t")
            self.line(f"{self.scalars.known[e]} = {text}")
        text = self.scalars.value(body)
        self.scalars.known = {}
        if op.target.kind != "real":
            return f"int({text})" if op.target.kind == "integer" else f"({text}) != 0"
        return self.literal(text, op.target) if body.is_Integer and not self.typed else text


def write_product(writer: Writer, op: Product) -> None:
    """A matrix product by BLAS; the target is made by it where it is a whole array."""
    storage = writer.storages[op.target.name]
    target = writer.arrays[op.target.name]
    own = [op.at[p] for p in storage.kept if op.at[p] in op.rows or op.at[p] in op.columns]
    left, right = matrix(writer, op.left, op.rows, op.bound), matrix(writer, op.right, op.bound, op.columns)
    if tuple(own) != (*op.rows, *op.columns):
        left, right = matrix(writer, op.right, op.columns, op.bound), matrix(writer, op.left, op.bound, op.rows)
    flat = len(op.rows) == 1 and len(op.columns) == 1
    batch = [p for p in storage.kept if op.at[p] not in own]
    extents = ", ".join(writer.extent(i.extent) for i in own)
    if not batch and writer.depth == 1:
        writer.line(f"{target} = {left} @ {right}" if flat else f"{target} = ({left} @ {right}).reshape({extents})")
    elif batch == list(range(len(batch))) and flat:
        view = f"{target}[{', '.join(writer.extent(op.at[p]) for p in batch)}]" if batch else target
        writer.line(f"np.dot({left}, {right}, {view})")
    else:
        parts = [":" if op.at[p] in own else writer.extent(op.at[p]) for p in storage.kept]
        result = f"np.dot({left}, {right})" + ("" if flat else f".reshape({extents})")
        writer.line(f"{target}[{', '.join(parts)}] = {result}")


def matrix(writer: Writer, read: Read, first: tuple[Index, ...], second: tuple[Index, ...]) -> str:
    """A read as the matrix whose rows are `first` and whose columns are `second`."""
    name = read.tensor.name
    kept = range(read.tensor.rank) if name in writer.inputs else writer.storages[name].kept
    own = [read.indices[p] for p in kept if read.indices[p] in first or read.indices[p] in second]
    batch = [p for p in kept if read.indices[p] not in own]
    text = writer.arrays[name]
    if batch != list(range(len(batch))):
        parts = [writer.extent(read.indices[p]) if p in batch else ":" for p in kept]
        text = f"np.ascontiguousarray({text}[{', '.join(parts)}])"
    elif batch:
        text += f"[{', '.join(writer.extent(read.indices[p]) for p in batch)}]"
    straight = tuple(own) == (*first, *second)
    groups = (first, second) if straight else (second, first)
    if any(len(group) > 1 for group in groups):
        counts = (" * ".join(writer.scalars.integer(i.extent, 2) for i in group) for group in groups)
        text += f".reshape({', '.join(counts)})"
    return text if straight else f"{text}.T"


def write_parallel(writer: Writer, loop: Loop) -> None:
    """Blocks of turns at the same time, each with buffers and accumulators of its own."""
    extent = writer.scalars.integer(loop.index.extent, 4)
    work = " * ".join(writer.scalars.integer(e, 2) for e in extents_of(loop))
    writer.line(f"blocks = get_num_threads() if {work} > {PARALLEL_FROM} else 1")
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
                writer.block(loop.body)
        for op, name, part in zip(loop.partial, shared, parts, strict=True):
            if part.scalar:
                writer.line(f"{name}[block] = {writer.arrays[op.target.name]}")
    writer.arrays, writer.storages = arrays, storages
    if loop.partial:
        with writer.indented("for block in range(blocks):"):
            for op, name in zip(loop.partial, shared, strict=True):
                held = writer.live.get(op.target.name)
                place = held[1] if held is not None and held[0] == op.at else writer.slice(op)
                writer.line(MERGE[op.how].format(place, f"{name}[block]"))


def remaining(writer: Writer, op: Op) -> Storage:
    """The axes of the target that the loops of `op` still run over."""
    kept = writer.storages[op.target.name].kept
    return Storage(op.target, tuple(p for p in kept if uses(op.at[p], op.loops)))


def extents_of(loop: Loop) -> list[Expr]:
    """The extents of the deepest nest of loops."""
    deepest = max((extents_of(inner) for inner in loop.body if isinstance(inner, Loop)), key=len, default=[])
    return [loop.index.extent, *deepest]


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
