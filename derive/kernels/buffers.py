"""The memory of a kernel: new arrays for its outputs, and room for its intermediates that is used again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import starmap
from math import prod
from sys import getrefcount
from typing import Any
from weakref import getweakrefcount

import numpy as np
import sympy

from ..emit.loops import Lowered
from ..errors import DomainError, ShapeError
from ..ir.nodes import Program
from ..ir.sizes import Sizes

Shapes = tuple[tuple[int, ...], ...]
Array = np.ndarray[Any, Any]
KEPT_BYTES = 1 << 26
LARGE_BYTES = 1 << 15  # below, a new array costs less than it takes to find out whether an earlier one is unused
empty = np.empty


class Room:
    """The arrays of calls with arguments of one set of shapes, and for parallel kernels whether threads are worth waking.

    Intermediates are used again by the next call, and so are large outputs that nobody but the room holds any more:
    finding new memory for large arrays takes the system longer than many a kernel takes to fill it.
    """

    def __init__(
        self, wanted: list[tuple[tuple[int, ...], np.dtype[Any]]], made: int, threads: tuple[bool, ...] = ()
    ) -> None:
        self.threads = threads
        self._outputs, self._rest = wanted[:made], wanted[made:]
        sizes = [prod(shape) * dtype.itemsize for shape, dtype in wanted]
        outputs, rest = sum(sizes[:made]), sum(sizes[made:])
        self._keeps = rest <= KEPT_BYTES
        self._large = outputs <= KEPT_BYTES and max(sizes[:made], default=0) >= LARGE_BYTES
        self._spare: list[list[Array]] = []
        self._earlier: list[list[Array]] = [[] for _ in self._outputs]

    def take(self) -> tuple[list[Array], list[Array]]:
        """Arrays for the outputs, new ones or earlier ones that the caller has let go of; and for the intermediates."""
        try:
            rest = self._spare.pop()
        except IndexError:
            rest = [empty(shape, dtype) for shape, dtype in self._rest]
        if not self._large:
            return list(starmap(empty, self._outputs)), rest
        found = zip(self._earlier, self._outputs, strict=True)
        return [_unused(earlier, *wanted) if earlier else empty(*wanted) for earlier, wanted in found], rest

    def take_back(self, outputs: list[Array], rest: list[Array]) -> None:
        """What the next call may use again."""
        if self._keeps and not self._spare:
            self._spare.append(rest)
        if self._large:
            for earlier, array in zip(self._earlier, outputs, strict=True):
                earlier.append(array)
                del earlier[:-2]  # one may still have its name while the next is made

    def __reduce__(self) -> tuple[Any, ...]:
        return Room, ([*self._outputs, *self._rest], len(self._outputs), self.threads)

    def clear(self) -> None:
        self._spare.clear()
        for earlier in self._earlier:
            earlier.clear()


def _unused(earlier: list[Array], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array to which nothing else refers, or a new one."""
    for _ in range(len(earlier)):
        try:
            array = earlier.pop(0)
        except IndexError:  # another thread has it
            break
        if getrefcount(array) <= 2 and not getweakrefcount(array):
            if array.shape == shape and array.dtype is dtype and array.flags.carray and array.flags.owndata:
                return array
        else:
            earlier.append(array)
    return empty(shape, dtype)


class Buffers:
    """Makes the arrays that a kernel fills.

    A room is kept for all shapes that were seen, the arrays in it for those of the last call, up to 64 MiB for outputs
    and as much for intermediates.
    """

    def __init__(self, program: Program, lowered: Lowered, dtype: type[np.floating[Any]]) -> None:
        kinds: dict[str, type[np.generic]] = {"real": dtype, "integer": np.int64, "boolean": np.bool_}
        self._gains = lowered.gains
        names = [tensor.name for tensor, _ in lowered.buffers]
        inputs = [tensor.name for tensor in program.inputs]
        self._extents = [(shape, np.dtype(kinds[tensor.kind])) for tensor, shape in lowered.buffers]
        self._outputs = [(tensor, kinds[tensor.kind]) for tensor in program.outputs]
        self._places = [names.index(t.name) if t.name in names else -1 for t in program.outputs]
        self._made = 1 + max(self._places, default=-1)
        self._plain = all(place >= 0 for place in self._places) and len(set(self._places)) == len(self._places)
        self._copied: list[int] = []
        self._order = list(self._ordered(inputs))
        self._rooms: dict[Shapes, Room] = {}
        self._last: Room | None = None

    def room(self, shapes: Shapes, sizes: Sizes) -> Room:
        """The room for arguments of these shapes."""
        room = self._rooms.get(shapes)
        if room is None:
            if len(self._rooms) > 4096:
                self._rooms.clear()
            room = self._rooms[shapes] = Room(self._sizes(sizes), self._made, self._threads(sizes))
        return room

    def results(self, room: Room, values: Sequence[Any], outputs: list[Array], rest: list[Array], numbers: Any) -> Any:
        """The outputs in the program's order; the arrays go back to their room."""
        if room is not self._last:
            if self._last is not None:
                self._last.clear()
            self._last = room
        room.take_back(outputs, rest)
        if self._plain:
            return tuple(outputs)
        if self._copied:
            outputs = [*outputs, *(np.array(values[position]) for position in self._copied)]
        return tuple([outputs[place] if place >= 0 else kind(numbers[~place]) for place, kind in self._order])

    def _ordered(self, inputs: list[str]) -> Iterator[tuple[int, type[np.generic]]]:
        """For each output its place among the arrays, copies of inputs at their end, or ``~`` its place among numbers."""
        numbers = 0
        for (tensor, kind), place in zip(self._outputs, self._places, strict=True):
            if not tensor.rank:
                numbers += 1
                yield -numbers, kind
            elif place >= 0:
                yield place, kind
            else:
                self._copied.append(inputs.index(tensor.name))
                yield self._made + len(self._copied) - 1, kind

    def _threads(self, sizes: Sizes) -> tuple[bool, ...]:
        if not self._gains:
            return ()
        values = {symbol: sympy.Integer(value) for symbol, value in sizes.items()}
        return (any(gain.xreplace(values) > 0 for gain in self._gains),)

    def _sizes(self, sizes: Sizes) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
        values = {symbol: sympy.Integer(value) for symbol, value in sizes.items()}
        return [(tuple(max(0, int(e.xreplace(values))) for e in extents), dtype) for extents, dtype in self._extents]

    def given(self, out: Any, outputs: list[Array], values: list[Any]) -> None:
        """Put the caller's arrays in place of new ones.

        Raises:
            ShapeError: too few or too many arrays, or one of another shape.
            DomainError: one of another type, not contiguous, read-only, or overlapping an input or another output.
        """
        given = tuple(out) if isinstance(out, tuple | list) else (out,)
        if len(given) != len(self._places):
            raise ShapeError(f"out has {len(given)} arrays; the kernel has {len(self._places)} outputs")
        for array, (tensor, _), place in zip(given, self._outputs, self._places, strict=True):
            if array is None or place < 0:
                continue
            new = outputs[place]
            if not isinstance(array, np.ndarray) or array.dtype != new.dtype or not array.flags.carray:
                raise DomainError(f"out for {tensor.name} must be a contiguous, writeable array of {new.dtype}")
            if array.shape != new.shape:
                raise ShapeError(f"out for {tensor.name} has shape {array.shape}, not {new.shape}")
            if any(np.may_share_memory(array, value) for value in values if isinstance(value, np.ndarray)):
                raise DomainError(f"out for {tensor.name} overlaps an input")
            if any(np.may_share_memory(array, other) for other in outputs[:place] + outputs[place + 1 :]):
                raise DomainError(f"out for {tensor.name} overlaps the array for another output")
            outputs[place] = array
