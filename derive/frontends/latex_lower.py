"""The tree of a formula in LaTeX -> traced arrays: indices and sums, norms by their subscripts, bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sympy
from sympy import Expr, S

from ..errors import ShapeError
from ..ir.nodes import Index, reads_of, size
from ..ir.sizes import interval
from .formula_lower import ENTRYWISE, Lowering
from .formula_tree import Big, Call, Compare, Name, Node, Place, Range, Subscript, Transpose, walk
from .formula_values import Signs, Value
from .traced import BOOL, INT

LATEX = Signs(r"x^\top y", r"x y^\top", r"\odot", r"\oslash", r"^{\odot p}", r"\mathbf{1} x^\top")
NEUTRAL = {"sum": S.Zero, "prod": S.One, "max": S.NegativeInfinity, "min": S.Infinity}
"""What an entry that a condition leaves out counts as."""
LARGEST_RANGE = 1_000_000


class LatexLowering(Lowering):
    """One formula on one set of traced arrays; a letter of a sum is an index of the trace while its body is lowered."""

    signs = LATEX

    def __init__(self, *args: Any, base: int = 1, left: tuple[tuple[str, Place], ...] = ()) -> None:
        """`base` is the index of the first entry; `left` the letters on the left side of the formula."""
        super().__init__(*args)
        self.base, self.left = base, left
        self.names = dict(self.names)

    def result(self, tree: Node) -> Any:
        indices = [self._index(name, Range(), place) for name, place in self.left]
        with self._running(dict(zip((name for name, _ in self.left), indices, strict=True)), [S(self.base)] * len(indices)):
            array = self.value(tree).array
        return self.trace.view((*indices, *array.axes), array.entry, array.dtype)

    def _value(self, node: Node) -> Value:
        match node:
            case Big():
                return self.big(node)
            case Subscript():
                return self.entries(node)
            case Compare():
                return self.compared(node)
            case Transpose(arg=Name() | Subscript() as arg) if not self.value(arg).rank:
                raise ShapeError(f"a scalar is transposed ({self.trace.place()})")
        return super()._value(node)

    def compared(self, node: Compare) -> Value:
        """A relation; one of letters is that of their indices, ``i < j`` and not ``i + 1 < j + 1``."""
        a, b = self.value(node.left), self.value(node.right)
        shift = a.array.entry.as_coeff_Add()[0]
        if not (a.rank or b.rank) and shift == b.array.entry.as_coeff_Add()[0] and shift.is_Integer:
            a, b = (Value(self.trace.view((), v.array.entry - shift, v.array.dtype)) for v in (a, b))
        return self.operators.by_entry(ENTRYWISE[node.symbol], a, b)

    def join(self, symbol: str, a: Value, b: Value) -> Value:
        match symbol:
            case "dot" if a.rank == b.rank == 1:
                return self.inner(a, b)
            case "dot":
                return self.operators.product(a, b)
            case "kron":
                return self.apply("numpy.kron", (a, b))
        return super().join(symbol, a, b)

    # -- sums

    def big(self, node: Big) -> Value:
        """A sum, product, maximum or minimum over letters."""
        ranges = node.ranges or (Range(),) * len(node.letters)
        firsts = [S(self.base) if r.first is None else self._whole(r.first) for r in ranges]
        indices = [
            self._index(name, r, node.place, first)
            for name, r, first in zip(node.letters, ranges, firsts, strict=True)
        ]
        with self._running(dict(zip(node.letters, indices, strict=True)), firsts):
            body = self.value(node.arg)
            for condition in node.conditions:
                holds = self.value(condition)
                neutral = Value(self.trace.view((), NEUTRAL[node.kind]))
                body = Value(self.operators.call("numpy.where", (holds.array, body.array, neutral.array)), body.row)
        array = body.array
        dtype = INT if array.dtype == BOOL else array.dtype
        total = self.trace.define(array.axes, array.entry, node.kind, tuple(indices), rule=node.kind, dtype=dtype)  # type: ignore[arg-type]
        return Value(total, body.row)

    def _index(self, name: str, r: Range, place: Place, first: Expr | None = None) -> Index:
        """An index of the trace, of the extent that the text gives or the axes that it stands on will."""
        if r.last is None:
            return Index(f"{name}~{place.start}", self.lengths[place.start][self._position(name, place)])
        count = self.trace.resolve(self._whole(r.last) - (S(self.base) if first is None else first) + 1)
        if count.is_nonpositive or (count.is_Integer and count > LARGEST_RANGE):
            with self.code.at(r.last.place):
                raise self.code.error(f"{name} would take {count} values; 1 to {LARGEST_RANGE} are possible")
        return Index(f"{name}~{place.start}", count)

    def _position(self, name: str, place: Place) -> int:
        """Which of the open sizes at this place belongs to a letter."""
        names = [str(s).split(" ")[0] for s in self.lengths[place.start]]
        return names.index(f"~{name}")

    @contextmanager
    def _running(self, indices: dict[str, Index], firsts: list[Expr]) -> Iterator[None]:
        """Within the block these letters are integers that count from `firsts`."""
        names, loops = dict(self.names), self.trace.ambient
        self.trace.ambient = (*loops, *indices.values())
        for (name, index), first in zip(indices.items(), firsts, strict=True):
            self.names[name] = Value(self.trace.view((), index + first, INT))
        try:
            yield
        finally:
            self.names, self.trace.ambient = names, loops

    def _whole(self, node: Node) -> Expr:
        """The value of an end of a range: an integer made of numbers, sizes and letters."""
        with self.code.at(node.place):
            found = self.value(node).array
            entry = self.trace.resolve(found.entry)
            if found.axes or reads_of(entry) or not entry.is_integer:
                raise self.code.error("the ends of a sum are integers made of numbers and sizes")
            return entry

    # -- entries

    def entries(self, node: Subscript) -> Value:
        """``x_i``, ``W_{ij}``; a matrix with one index is its row, as a column."""
        x = self.value(node.receiver).array
        if len(node.items) > x.rank:
            raise ShapeError(f"{len(node.items)} indices for an array with {x.rank} axes ({self.trace.place()})")
        places = [self._place(item, x, axis) for axis, item in enumerate(node.items)]
        rest = x.axes[len(places) :]
        return Value(x.through(rest, x.at((*places, *rest))))

    def _place(self, node: Node, x: Any, axis: int) -> Expr:
        """Where an index points to, counted from 0; what stands in an array of integers counts from 0 as it is."""
        with self.code.at(node.place):
            found = self.value(node).array
            entry = self.trace.whole(found).entry
            if found.axes or not entry.is_integer:
                raise self.code.error("an index must be an integer")
            if reads_of(entry):
                return entry
            place = sympy.expand(entry - self.base)
            self._fits(place, x, axis)
            return place

    def _fits(self, place: Expr, x: Any, axis: int) -> None:
        """A letter without a range runs over the whole axis; anything else must stay on it."""
        extent = x.extents[axis]
        if isinstance(place, Index) and self.trace.resolve(place.extent).is_Symbol:
            self.trace.unify(place.extent, extent, f"the index {self.code.where()}")
            return
        limits = interval(place)
        if limits is None:
            raise self.code.error("an index must be a letter, a number, or a sum of these")
        low, high = (self.trace.resolve(end) for end in limits)
        if extent in self.trace.sizes.open and (high.free_symbols or not high.is_Integer):
            self._long_enough(extent, high)
            extent = self.trace.resolve(extent)
        last = sympy.expand(extent - 1 - self.trace.resolve(high))
        constant = low == high and low.is_Integer and last.is_negative is not True
        if low.is_nonnegative is not True or (last.is_nonnegative is not True and not constant):
            self._outside(low, high, last, extent)

    def _long_enough(self, extent: Expr, high: Expr) -> None:
        """An axis that nobody declared is as long as the size that the range names: n for ``\\sum_{i=1}^{n-1} x_i``."""
        sizes = [s for s in high.free_symbols if sympy.expand(high - s).is_Integer]
        wanted = sizes[0] if len(sizes) == 1 and (high - sizes[0]).is_negative else high + 1
        self.trace.unify(extent, wanted, f"the index {self.code.where()}")

    def _outside(self, low: Expr, high: Expr, last: Expr, extent: Expr) -> None:
        if low.is_negative or last.is_negative:
            first, end = sympy.expand(low + self.base), sympy.expand(high + self.base)
            reach = f"{first}" if first == end else f"{first} to {end}"
            axis = f"{self.base} to {sympy.expand(extent - 1 + self.base)}"
            raise ShapeError(f"the index {self.code.where()} is {reach}, on an axis from {axis} ({self.trace.place()})")
        raise ShapeError(
            f"the index {self.code.where()} may leave its axis of {extent} entries ({self.trace.place()}); try: give the "
            "range of the sum, as in \\sum_{t=2}^{T}"
        )

    # -- functions

    def call(self, node: Call) -> Value:
        if node.function not in OWN:
            return super().call(node)
        args = [self.value(a) for a in node.args]
        match node.function:
            case "identity":
                length = self.trace.number(self.lengths[node.place.start][0])
                return Value(self.operators.call("numpy.eye", (length,)))
            case "inner":
                return self.inner(*args)
            case "bars":
                return self.apply("numpy.linalg.det" if args[0].rank == 2 else "numpy.absolute", (args[0],))
        return self.norm(node.function, *args)

    def inner(self, a: Value, b: Value) -> Value:
        """The sum of the products of entries."""
        if a.rank != b.rank:
            raise ShapeError(f"the inner product of a {a.shape} and a {b.shape} ({self.trace.place()})")
        products = self.operators.call("numpy.multiply", (a.array, b.array))
        return Value(self.operators.call("numpy.sum", (products,)))

    def norm(self, kind: str, x: Value, more: Value | None = None) -> Value:
        """The norms that depend on the rank; of a scalar each is its absolute value."""
        if x.rank == 0 and more is None:
            return self.apply("numpy.absolute", (x,))
        if x.rank > 2:
            raise ShapeError(f"the norm of an {x.shape} ({self.trace.place()})")
        match kind:
            case "norm_of" if more is not None and more.rank == 2:
                return self.apply("numpy.sqrt", (self.quadratic(x, more),))
            case "norm_of":
                raise ShapeError("the subscript of a norm is 1, 2, p > 0, F, \\infty, *, or a matrix")
            case "norm_" if x.rank == 2:
                raise ShapeError("the norm of a matrix needs a subscript; try: _F, _2 or _*")
            case "norm_p" if more is not None:
                order = more.array.entry
                return self.apply("numpy.linalg.norm", (x,), {"ord": int(order) if order.is_Integer else float(order)})
            case "norm_inf" if x.rank == 1:
                return self.apply("numpy.max", (self.operators.by_entry("numpy.absolute", x),))
            case "norm_2" if x.rank == 2:
                return self.apply("numpy.linalg.norm", (x,), {"ord": 2})
            case "norm_inf" | "norm_nuc":
                return self.apply("numpy.linalg.norm", (x,), {"ord": "nuc" if kind == "norm_nuc" else float("inf")})
        return self.apply("numpy.linalg.norm", (x,))

    def quadratic(self, x: Value, A: Value) -> Value:
        """``x' A x``."""
        if x.rank != 1:
            raise ShapeError(f"the norm of a {x.shape} with respect to a matrix ({self.trace.place()})")
        return Value(self.operators.call("numpy.matmul", (x.array, self.operators.call("numpy.matmul", (A.array, x.array)))))


OWN = {"identity", "inner", "bars", "norm_", "norm_2", "norm_inf", "norm_nuc", "norm_p", "norm_of"}
"""Functions that only LaTeX has."""


def open_lengths(tree: Node, left: tuple[tuple[str, Place], ...]) -> dict[int, tuple[sympy.Symbol, ...]]:
    """The extents of letters whose range the text does not give."""
    found: dict[int, tuple[sympy.Symbol, ...]] = {}
    for node in walk(tree):
        if isinstance(node, Big):
            ranges = node.ranges or (Range(),) * len(node.letters)
            names = [name for name, r in zip(node.letters, ranges, strict=True) if r.last is None]
            if names:
                found[node.place.start] = tuple(size(f"~{name} at {node.place.start}") for name in names)
    for name, place in left:
        found[place.start] = (*found.get(place.start, ()), size(f"~{name} at {place.start}"))
    return found

