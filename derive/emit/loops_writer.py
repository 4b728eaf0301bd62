"""The state of writing a kernel: names, where every tensor lives, which entries a variable holds, the lines so far."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from sympy import Expr
from sympy.printing.str import StrPrinter

from ..ir.nodes import (
    Bracket,
    Equation,
    Index,
    Program,
    Read,
    Tensor,
    Where,
    indices_of,
    reads_of,
    substitute,
)
from .loops_helpers import NAMES
from .loops_nodes import Op, Rows, Storage, label, uses
from .loops_ranges import certain, implied
from .loops_scalar import Scalars

RESERVED = {
    "np", "math", "njit", "prange", "range", "real", "min", "max", "abs", "float", "int", "len", "blocks", "block",
    "threads", "intrinsic", "ir", "IndexError", "FAST", "PRANGE_ONLY", "BLOCK",
    "types", "cgutils", "blas_gemm", *NAMES,
}  # fmt: skip
IDENTITY = {"sum": "0.0", "prod": "1.0", "max": "-math.inf", "min": "math.inf"}
UPDATE = {
    "sum": "{0} += {1}", "prod": "{0} *= {1}", "max": "{0} = maximum({0}, {1})", "min": "{0} = minimum({0}, {1})",
}  # fmt: skip
WHOLE = {"0.0": "0", "1.0": "1", "math.inf": str(2**62), "-math.inf": str(-(2**62))}
DTYPES = {"integer": "np.int64", "boolean": "np.bool_"}


class Notation(StrPrinter):
    """Equations in comments: brackets with ``=`` as on paper."""

    def equation(self, e: Equation) -> str:
        head = f"{e.reduce}_{','.join(b.name for b in e.bound)} " if e.bound else ""
        body = self.doprint(e.body)
        return f"{e.lhs} = {head}" + (f"({body})" if head and e.body.is_Add else body)

    def _print_Maximum(self, e: Any) -> str:
        return f"max({', '.join(map(self._print, e.args))})"

    def _print_Minimum(self, e: Any) -> str:
        return f"min({', '.join(map(self._print, e.args))})"

    def _print_Relational(self, e: Any) -> str:
        return f"{self._print(e.lhs)} {'=' if e.rel_op == '==' else e.rel_op} {self._print(e.rhs)}"


class Names:
    """Gives every thing of a kernel an identifier that nothing else has."""

    def __init__(self) -> None:
        self.taken = set(RESERVED)

    def new(self, wanted: str) -> str:
        base = re.sub(r"\W", "_", wanted) or "x"
        if keyword.iskeyword(base) or base[0].isdigit():
            base += "_"
        name = next(n for n in chain([base], (f"{base}{k}" for k in count(1))) if n not in self.taken)
        self.taken.add(name)
        return name


def without_blocks(e: Any) -> Any:
    """Places on the whole axis in the place of those in a block."""
    rows = [i for i in indices_of(e) if isinstance(i.extent, Rows)]
    return substitute(e, {i: Index(i.name, i.extent.whole) - i.extent.first for i in rows}) if rows else e


@dataclass
class Writer:
    """Writes statements as lines; knows where every tensor lives and which entries a variable holds.

    given: tensors whose array is an argument of the function, to be filled.
    checks, computed: integer inputs, and what is computed of them, that index an axis of this extent.
    sure: the reads of the equation at hand are known to lie inside of their tensors.
    outer: the writer of what stands around, whose names are used.
    strided: views of arrays that do not lie in one piece.
    unsaid: comments that still have to be written, by the target of their equation.
    """

    program: Program
    storages: dict[str, Storage]
    typed: bool
    vector: bool = False
    given: frozenset[str] = frozenset()
    names: Names = field(default_factory=Names)
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    indices: dict[Index, str] = field(default_factory=dict)
    live: dict[str, tuple[tuple[Expr, ...], str]] = field(default_factory=dict)
    checks: set[tuple[Tensor, Expr]] = field(default_factory=set)
    computed: set[tuple[Expr, Expr]] = field(default_factory=set)
    sure: bool = False
    outer: Writer | None = None
    strided: set[str] = field(default_factory=set)
    unsaid: dict[str, list[str]] = field(default_factory=dict)
    arrays: dict[str, str] = field(init=False)
    sizes: dict[Any, str] = field(init=False)

    def __post_init__(self) -> None:
        arrays: dict[str, str] = self.outer.arrays if self.outer else {}
        sizes: dict[Any, str] = self.outer.sizes if self.outer else {}
        self.arrays = {t.name: arrays.get(t.name) or self.names.new(t.name) for t in self.program.inputs}
        self.sizes = {**sizes, **{s: self.names.new(s.name) for s in self.program.sizes if s not in sizes}}
        self.inputs = frozenset(self.arrays)
        self.strided = self.outer.strided if self.outer else self.strided
        for name, storage in self.storages.items():
            self.arrays[name] = arrays.get(name) or self.names.new(storage.name)
        self.variables: dict[str, str] = {}
        self.presupposed = {e.target.name for e in self.program.equations if not e.body.has(Bracket, Where)}
        self.scalars = Scalars(self.typed, self.vector, self.place, self.name)

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

    def entry(self, op: Op) -> str:
        """The place in memory that `op` writes; its guard keeps it inside of the array."""
        positions = [self.scalars.integer(op.at[p]) for p in self.storages[op.target.name].kept]
        return self.arrays[op.target.name] + (f"[{', '.join(positions)}]" if positions else "")

    def position(self, tensor: Tensor, index: Any, axis: int) -> str:
        """An index of a read, which must never lead outside of the array.

        Sizes are checked against the reads of equations without conditions before a kernel runs, and integer inputs
        that such an equation reads by are checked by the kernel. All others must follow from the conditions that the
        read stands under; what does not is pushed to the nearest entry.
        """
        text, extent = self.scalars.integer(index), tensor.shape[axis]
        if isinstance(index, Index) and isinstance(index.extent, Rows) and index.extent.size == extent:
            return text
        index, assumed = without_blocks(index), [without_blocks(condition) for condition in self.scalars.assumed]
        data = reads_of(index)
        if (isinstance(index, Index) and index.extent == extent) or (self.sure and not data):
            return text
        if self.sure and isinstance(index, Read) and index.tensor.name in self.inputs and index.tensor.kind == "integer":
            self.checks.add((index.tensor, extent))
            return text
        if self.sure and all(read.tensor.name in self.inputs and read.tensor.kind == "integer" for read in data):
            self.computed.add((index, extent))
            return text
        if certain(index, extent) or implied(index, extent, assumed):
            return text
        return f"min(max({text}, 0), {self.scalars.integer(extent - 1)})"

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
        base = label(index)
        name = next(n for n in chain([base], "ijklpqrst", (f"{base}{k}" for k in count(1))) if n not in used)
        self.indices[index] = name
        try:
            yield name
        finally:
            del self.indices[index]

    # --- memory ---------------------------------------------------------------------------------------------

    def literal(self, text: str, tensor: Tensor) -> str:
        if tensor.kind != "real":
            return WHOLE.get(text, text)
        return f"real({text})" if self.typed else text

    def update(self, op: Op, place: str, value: str) -> str:
        """One more value taken into an accumulator; between integers Python's own min and max decide."""
        text = UPDATE[op.how].format(place, value)
        return text if op.target.kind == "real" else text.replace("imum(", "(")

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

    def slice(self, op: Op, name: str = "") -> str:
        """The part of the target that `op` still runs over."""
        kept = self.storages[op.target.name].kept
        parts = [":" if uses(op.at[p], op.loops) else self.scalars.integer(op.at[p]) for p in kept]
        return f"{name or self.arrays[op.target.name]}" + (f"[{', '.join(parts)}]" if parts else "")

