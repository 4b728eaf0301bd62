"""The statements of a kernel: operations before they are scheduled, and the loop nest they end up in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import sympy
from sympy import Expr
from sympy.logic.boolalg import Boolean

from ..ir.nodes import Equation, Index, Read, Tensor, indices_of, reads_of, substitute


class Rows(sympy.Symbol):
    """The number of rows of a block: of an axis of `whole` rows those from `first` on, at most `size`."""

    first: sympy.Symbol
    whole: Expr
    size: Expr

    def __new__(cls, name: str, first: sympy.Symbol, whole: Expr, size: Expr) -> Rows:
        self: Rows = sympy.Symbol.__xnew__(cls, name, integer=True, nonnegative=True)
        self.first, self.whole, self.size = first, whole, size
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.first, self.whole, self.size)


class BlockIndex(Index):
    """A loop over the blocks of an axis."""

    __slots__ = ("rows",)

    def __new__(cls, name: str, extent: Any, rows: Rows) -> BlockIndex:
        self = super().__new__(cls, name, extent)
        assert isinstance(self, BlockIndex)
        self.rows = rows
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.rows)

    def renamed(self, name: str) -> BlockIndex:
        return BlockIndex(name, self.extent, self.rows)


How = Literal["set", "sum", "prod", "max", "min"]


@dataclass(frozen=True)
class Op:
    """``target[at] = body`` for all values of `loops` where `guard` holds, or ``+=`` and its like.

    loops: outermost first; those that are no plain index in `at` are accumulated over.
    starts: the accumulation begins from its identity, not from what the target holds already.
    open: its start has been scheduled, so only the accumulation is left to do.
    """

    target: Tensor
    at: tuple[Expr, ...]
    body: Expr
    loops: tuple[Index, ...]
    how: How = "set"
    starts: bool = False
    guard: Boolean = sympy.true
    equation: Equation | None = None
    open: bool = False

    @cached_property
    def reads(self) -> list[Read]:
        found = [*reads_of(self.body), *reads_of(self.guard)]
        for index in self.at:
            found += reads_of(index)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The tensors that it reads or writes."""
        return frozenset({self.target.name, *(read.tensor.name for read in self.reads)})

    def renamed(self, mapping: dict[Index, Index]) -> Op:
        if not mapping:
            return self
        return replace(
            self, at=tuple(substitute(i, mapping) for i in self.at), body=substitute(self.body, mapping),
            loops=tuple(mapping.get(i, i) for i in self.loops), guard=substitute(self.guard, mapping),
        )  # fmt: skip

    def entered(self) -> Op:
        """What is left to do inside the outermost loop."""
        return replace(self, loops=self.loops[1:], open=self.open or self.opens)

    @property
    def aligned(self) -> bool:
        """Each turn of the outermost loop writes a slice of the target of its own."""
        return self.loops[0] in self.at

    @property
    def opens(self) -> bool:
        """The accumulation begins before the outermost loop and is complete after it."""
        return bool(self.loops) and self.how != "set" and not self.open and not self.aligned


@dataclass(frozen=True)
class Product:
    """``target[at] = scale * sum_bound left * right``: one matrix product for every value of `loops`.

    `left` has the indices rows and bound, `right` bound and columns, each in either order; `at` rows, columns. Loops that
    are in `at` are a batch; the others are summed over too, by adding to the target (`how` is "sum" then).
    begins: a symbol that is 0 in the first turn of a loop, in which nothing has been added up yet.
    """

    target: Tensor
    at: tuple[Expr, ...]
    left: Read
    right: Read
    loops: tuple[Index, ...]
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    bound: tuple[Index, ...]
    equation: Equation | None = None
    scale: Expr = sympy.S.One
    how: How = "set"
    starts: bool = False
    open: bool = False
    begins: sympy.Symbol | None = None

    @property
    def reads(self) -> list[Read]:
        return [self.left, self.right]

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.target.name, self.left.tensor.name, self.right.tensor.name})

    def renamed(self, mapping: dict[Index, Index]) -> Product:
        if not mapping:
            return self
        kinds = ("loops", "rows", "columns", "bound")
        indices: dict[str, Any] = {kind: tuple(mapping.get(i, i) for i in getattr(self, kind)) for kind in kinds}
        return replace(
            self, at=tuple(substitute(i, mapping) for i in self.at), left=substitute(self.left, mapping),
            right=substitute(self.right, mapping), **indices,
        )  # fmt: skip

    def entered(self) -> Product:
        return replace(self, loops=self.loops[1:], open=self.open or self.opens)

    @property
    def aligned(self) -> bool:
        return self.loops[0] in self.at

    @property
    def opens(self) -> bool:
        return bool(self.loops) and self.how != "set" and not self.open and not self.aligned

    @property
    def makes_array(self) -> bool:
        """It can be written as the value of its target: a product of whole tensors."""
        return not self.loops and self.how == "set" and self.scale == 1 and all(map(covers, self.reads))


@dataclass(frozen=True, kw_only=True)
class Whole:
    """An operation that no loop of a kernel runs: it is done at once."""

    loops: tuple[Index, ...] = ()
    how: How = "set"
    starts: bool = False
    opens: bool = False

    def renamed(self, mapping: dict[Index, Index]) -> Self:
        return self

    def entered(self) -> Self:
        return self

    @property
    def aligned(self) -> bool:
        return False


@dataclass(frozen=True)
class Call(Whole):
    """A helper that fills all results of a linear-algebra primitive, once for every value of `batch`.

    operands: reads at batch indices, with a slot for each axis that is taken whole; results: reads at all axes.
    """

    target: Tensor
    at: tuple[Expr, ...]
    primitive: str
    operands: tuple[Read, ...]
    parameters: tuple[Expr, ...]
    results: tuple[Read, ...]
    batch: tuple[Index, ...]
    equation: Equation | None = None

    @property
    def reads(self) -> list[Read]:
        return [*self.operands, *self.results[1:], *(r for p in self.parameters for r in reads_of(p))]

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.target.name, *(read.tensor.name for read in self.reads)})


@dataclass(frozen=True)
class Result(Whole):
    """A further result of a `Call` is there as soon as its first one is."""

    target: Tensor
    at: tuple[Expr, ...]
    of: Read
    equation: Equation | None = None

    @property
    def reads(self) -> list[Read]:
        return [self.of]

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.target.name, self.of.tensor.name})


Operation = Op | Product | Call | Result


@dataclass(frozen=True)
class Compute:
    """One assignment, accumulation or matrix product whose loops all surround it."""

    op: Operation


@dataclass(frozen=True)
class Start:
    """The target of an accumulation gets its identity."""

    op: Op | Product


@dataclass(frozen=True)
class Close:
    """The accumulation is complete."""

    op: Op | Product


@dataclass(frozen=True)
class Loop:
    """The body for every value of the index.

    parallel: blocks of turns run at the same time; accumulations in `partial` get an accumulator per block.
    """

    index: Index
    body: Block
    parallel: bool = False
    partial: tuple[Op, ...] = ()
    allocate: tuple[Storage, ...] = ()


@dataclass(frozen=True)
class Allocate:
    """An array comes into being, with the given content or none."""

    storage: Storage
    fill: Any = None


@dataclass(frozen=True)
class Storage:
    """Where a tensor lives: an array over the axes `kept`, or a scalar if there are none.

    turns: the loops whose turns it serves one by one: the buffer `E_i` holds row i of E.
    """

    tensor: Tensor
    kept: tuple[int, ...]
    turns: tuple[Index, ...] = ()

    @property
    def scalar(self) -> bool:
        return not self.kept

    @property
    def name(self) -> str:
        return "_".join([self.tensor.name, *(["".join(label(i) for i in self.turns)] if self.turns else [])])


Statement = Compute | Start | Close | Loop | Allocate
Block = tuple[Statement, ...]


def label(index: Index) -> str:
    """The name that the equation gives to an index."""
    return index.name.split("#")[0]


def plain(read: Read) -> bool:
    """Every index is a bare index, and no two are the same."""
    return all(isinstance(i, Index) for i in read.indices) and len(set(read.indices)) == len(read.indices)


def covers(read: Read) -> bool:
    """The read runs over the whole of its tensor."""
    return plain(read) and all(i.extent == n for i, n in zip(read.indices, read.tensor.shape, strict=True))


def uses(expr: Any, indices: Any) -> bool:
    return not indices_of(expr).isdisjoint(indices)
