"""The memory of a kernel: new arrays for its outputs, and room for its intermediates that is used again."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from ..emit.loops import Lowered
from ..errors import DomainError, ShapeError
from ..ir.nodes import Program
from ..ir.sizes import Sizes

Shapes = tuple[tuple[int, ...], ...]
KEPT_BYTES = 1 << 26


class Buffers:
    """Makes the arrays that a kernel fills.

    The room for intermediates of the last call is kept for the next one of the same shapes, up to 64 MiB: finding new
    memory for large arrays takes the system longer than many a kernel takes to fill it.
    """

    def __init__(self, program: Program, lowered: Lowered, dtype: type[np.floating[Any]]) -> None:
        kinds: dict[str, type[np.generic]] = {"real": dtype, "integer": np.int64, "boolean": np.bool_}
        names = [tensor.name for tensor, _ in lowered.buffers]
        inputs = [tensor.name for tensor in program.inputs]
        self._extents = [(shape, np.dtype(kinds[tensor.kind])) for tensor, shape in lowered.buffers]
        self._outputs = [(t, kinds[t.kind], inputs.index(t.name) if t.name in inputs else -1) for t in program.outputs]
        self._places = [names.index(t.name) if t.name in names else -1 for t in program.outputs]
        self._made = 1 + max(self._places, default=-1)
        self._plain = all(place >= 0 for place in self._places) and len(set(self._places)) == len(self._places)
        self._known: dict[Shapes, list[tuple[tuple[int, ...], np.dtype[Any]]]] = {}
        self._room: dict[Shapes, list[list[Any]]] = {}

    def take(self, shapes: Shapes, sizes: Sizes, values: list[Any], out: Any) -> list[Any]:
        """Arrays for the outputs, then for the intermediates."""
        wanted = self._known.get(shapes)
        if wanted is None:
            wanted = self._known[shapes] = self._sizes(sizes)
        outputs = [np.empty(shape, dtype) for shape, dtype in wanted[: self._made]]
        if out is not None:
            self._given(out, outputs, values)
        if len(wanted) == self._made:
            return outputs
        try:
            return outputs + self._room[shapes].pop()
        except (KeyError, IndexError):
            return outputs + [np.empty(shape, dtype) for shape, dtype in wanted[self._made :]]

    def results(self, shapes: Shapes, values: list[Any], buffers: list[Any], numbers: Any) -> tuple[Any, ...]:
        """The outputs in the program's order; the room for intermediates goes back."""
        rest = buffers[self._made :]
        if rest and sum(array.nbytes for array in rest) <= KEPT_BYTES:
            self._room = {shapes: [rest]}
        if self._plain:
            return tuple(buffers[: self._made])
        scalars = iter(numbers or ())
        found: list[Any] = []
        for (tensor, kind, position), place in zip(self._outputs, self._places, strict=True):
            if not tensor.rank:
                found.append(kind(next(scalars)))
            else:
                found.append(buffers[place] if place >= 0 else np.array(values[position]))
        return tuple(found)

    def _sizes(self, sizes: Sizes) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
        if len(self._known) > 4096:
            self._known.clear()
        values = {symbol: sympy.Integer(value) for symbol, value in sizes.items()}
        return [(tuple(max(0, int(e.xreplace(values))) for e in extents), dtype) for extents, dtype in self._extents]

    def _given(self, out: Any, outputs: list[Any], values: list[Any]) -> None:
        """Put the caller's arrays in place of new ones.

        Raises:
            ShapeError: too few or too many arrays, or one of another shape.
            DomainError: one of another type, not contiguous, read-only, or overlapping an input.
        """
        given = tuple(out) if isinstance(out, tuple | list) else (out,)
        if len(given) != len(self._places):
            raise ShapeError(f"out has {len(given)} arrays; the kernel has {len(self._places)} outputs")
        for array, (tensor, _, _), place in zip(given, self._outputs, self._places, strict=True):
            if array is None or place < 0:
                continue
            new = outputs[place]
            if not isinstance(array, np.ndarray) or array.dtype != new.dtype or not array.flags.carray:
                raise DomainError(f"out for {tensor.name} must be a contiguous, writeable array of {new.dtype}")
            if array.shape != new.shape:
                raise ShapeError(f"out for {tensor.name} has shape {array.shape}, not {new.shape}")
            if any(np.may_share_memory(array, value) for value in values if isinstance(value, np.ndarray)):
                raise DomainError(f"out for {tensor.name} overlaps an input")
            outputs[place] = array
