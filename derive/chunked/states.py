"""What each tensor of a program is when one axis of its inputs is cut into chunks: cut as well, or whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import sympy

from ..errors import ChunkError
from ..ir.nodes import Entry, Equation, Index, Program, Read, Slot, Tensor
from ..ir.recurrences import Recurrence, blocks


@dataclass(frozen=True)
class Cut:
    """A tensor of which each chunk has a part of one axis.

    level: how many passes over all chunks must have ended before it can be computed.
    """

    axis: int
    level: int = 0


@dataclass(frozen=True)
class Whole:
    """A tensor that is the same for all chunks; what chunks were added up to is there after one more pass."""

    level: int = 0


State = Cut | Whole


@dataclass(frozen=True)
class Layout:
    """The state of every tensor of a program.

    size: what the cut axis is long; everywhere: whether some input has it along another axis too, as a whole.
    places: for each equation that is computed chunk by chunk the index that runs over the chunk.
    """

    program: Program
    size: sympy.Symbol
    everywhere: bool
    states: Mapping[str, State]
    places: Mapping[str, Index]

    @property
    def last(self) -> int:
        """The level of what is computed last."""
        return max((s.level for s in self.states.values()), default=0)

    def at(self, tensor: Tensor) -> int:
        return self.states[tensor.name].level

    def cut(self, tensor: Tensor) -> int | None:
        """The axis of a tensor that is cut."""
        state = self.states[tensor.name]
        return state.axis if isinstance(state, Cut) else None


def layout(name: str, program: Program, cut: Mapping[str, int], size: sympy.Symbol, first: str) -> Layout:
    """The state of every tensor when these axes of inputs, all of this size, are cut into chunks.

    An equation is computed chunk by chunk if one of its indices reads the cut axes, and reads them plainly: as a free
    index it leaves a result that is cut as well, under a reduction one part of the result for each chunk.

    Args:
        name: of the function; first: of the input that was given in chunks, both for messages.
        cut: which axis, for each input that is cut.

    Raises:
        ChunkError: an entry depends on entries of other chunks; the axis, the equation and what to try are named.
    """
    others = (e for t in program.inputs for p, e in enumerate(t.shape) if cut.get(t.name) != p)
    everywhere = any(size in e.free_symbols for e in others)
    found = _States(name, first, size, everywhere, {t.name: Whole() for t in program.inputs})
    found.states |= {n: Cut(axis) for n, axis in cut.items()}
    for block in blocks(program.equations):
        if isinstance(block, Recurrence):
            found.recurrence(block)
        else:
            found.equation(block)
    return Layout(program, size, everywhere, found.states, found.places)


class _States:
    """The states found so far."""

    def __init__(
        self, name: str, first: str, size: sympy.Symbol, everywhere: bool, states: dict[str, State]
    ) -> None:
        self.name, self.first, self.size, self.everywhere, self.states = name, first, size, everywhere, states
        self.places: dict[str, Index] = {}

    def fail(self, why: str, equation: Equation, hint: str) -> NoReturn:
        raise ChunkError(
            f"{self.name}() cannot be computed chunk by chunk along {self.size}, the axis along which {self.first} is "
            f"chunked: {why}\n  in {equation}\n  try: {hint}"
        )

    @property
    def one_chunk(self) -> str:
        return f"one chunk along {self.size}, if it fits into memory: {self.first}.rechunk(-1)"

    @property
    def before(self) -> str:
        return f"the entries chosen beforehand, such as {self.first}[1:], as an argument of its own; or {self.one_chunk}"

    def equation(self, e: Equation) -> None:
        """The state of the target of one equation."""
        place = self.place(e)
        level = self.level(e)
        if place is None:
            self.states[e.target.name] = Whole(level)
            return
        self.places[e.target.name] = place
        if place in e.axes:
            self.states[e.target.name] = Cut(e.axes.index(place), level)
        else:
            self.states[e.target.name] = Whole(level + 1)

    def level(self, e: Equation, ignoring: frozenset[str] = frozenset()) -> int:
        return max(
            (self.states[r.tensor.name].level for r in e.reads if r.tensor.name not in ignoring), default=0
        )

    def place(self, e: Equation) -> Index | None:
        """The index that runs over the chunk, if one does."""
        found: dict[Index, Read | None] = {}
        for read in e.reads:
            state = self.states.get(read.tensor.name)
            if isinstance(state, Cut):
                found.setdefault(self.plain(read, state.axis, e), read)
        for index in () if self.everywhere else e.indices:
            if index.extent == self.size:
                found.setdefault(index)
            elif self.size in index.extent.free_symbols:
                self.fail(
                    f"the index {index} takes {index.extent} values, so {e.target} and {self.first} have no common chunks",
                    e,
                    self.one_chunk,
                )
        if len(found) > 1:
            self.two_places(found, e)
        (place,) = found or (None,)
        if isinstance(e.body, Entry) and place in e.body.places:
            self.whole_axis(e, e.body)
        return place

    def plain(self, read: Read, axis: int, e: Equation) -> Index:
        """The index that stands in the cut axis of a read."""
        place = read.indices[axis]
        if isinstance(place, Slot) and isinstance(e.body, Entry):
            self.whole_axis(e, e.body)
        if not isinstance(place, Index):
            self.fail(f"the place {place} in {read} may be in another chunk", e, self.before)
        if place.extent != self.size:
            self.fail(f"{read} takes {place.extent} of the {self.size} entries", e, self.before)
        return place

    def whole_axis(self, e: Equation, entry: Entry) -> NoReturn:
        self.fail(f"{entry.primitive} takes this axis as a whole", e, self.one_chunk)

    def two_places(self, found: Mapping[Index, Read | None], e: Equation) -> NoReturn:
        reads = [r for r in found.values() if r is not None]
        if len(reads) < 2:
            names = " and ".join(i.name for i in found)
            self.fail(f"the indices {names} both run over all {self.size} entries", e, self.one_chunk)
        why = f"{' and '.join(map(str, reads))} are read together, so that every chunk meets every other"
        other = next((r.tensor.name for r in reads if r.tensor.name != self.first), None)
        if self.everywhere and other is not None:
            self.fail(why, e, f"{other} in one piece, such as {other}.compute()")
        second = "one of them in one piece, as an argument with a size of another name"
        self.fail(why, e, f"{second}; or {self.one_chunk}")

    # -- recurrences

    def recurrence(self, block: Recurrence) -> None:
        """The states of equations that read each other: they are cut along an axis other than their times, or whole."""
        members = block.equations
        names = frozenset(e.target.name for e in members)
        for e in members:
            for axis in block.times[e.target.name]:
                if not self.everywhere and self.size in e.axes[axis].extent.free_symbols:
                    self.in_time(e, e.axes[axis])
        level = max((self.level(e, names) for e in members), default=0)
        for _ in members:
            before = dict(self.states)
            for e in members:
                if (place := self.place(e)) is not None:
                    self.member(e, place, block, level)
            if self.states == before:
                break
        for e in members:
            self.states.setdefault(e.target.name, Whole(level))
            if (place := self.place(e)) is not None:
                self.member(e, place, block, level)

    def member(self, e: Equation, place: Index, block: Recurrence, level: int) -> None:
        if any(e.axes[axis] == place for axis in block.times[e.target.name]):
            self.in_time(e, place)
        if place not in e.axes:
            self.fail(
                f"each step of the recurrence reduces over {place}, so that every step is a pass over all chunks",
                e,
                "a function of one step, called in a loop",
            )
        self.places[e.target.name] = place
        self.states[e.target.name] = Cut(e.axes.index(place), level)

    def in_time(self, e: Equation, time: Index) -> NoReturn:
        self.fail(
            f"it is the time {time} of a recurrence, in which each step needs the one before",
            e,
            f"chunks along another axis, or {self.one_chunk}",
        )


def cut_reads(e: Equation, states: Mapping[str, State]) -> Iterator[tuple[Read, int]]:
    """The reads of an equation that are of cut tensors, with the axis."""
    for read in e.reads:
        state: Any = states[read.tensor.name]
        if isinstance(state, Cut):
            yield read, state.axis
