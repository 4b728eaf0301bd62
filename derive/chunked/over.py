"""A program over dask arrays: lazily, chunk by chunk, with as many passes over the data as its equations need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..errors import ChunkError, DeriveError
from ..ir.nodes import Program, Tensor
from ..ir.sizes import solve_sizes
from ..kernels.arguments import as_array
from .graph import Chunk, tasks
from .passes import Names, Pass, names_for, passes, with_numbers
from .states import Cut, Layout, layout
from .task import Runner, Task, combined, split

FAN_IN = 8
"""How many parts of results are combined at once."""


def over(name: str, program: Program, arrays: Sequence[Any], runner: Runner) -> list[Any]:
    """The outputs of a program as lazy dask arrays.

    Args:
        name: of the function.
        arrays: for each input a dask array, or anything that is an array in memory.
        runner: how the chunks are computed.

    Raises:
        ChunkError: no argument is a dask array, several axes are chunked, or the chunks are not independent.
        ShapeError: axes do not fit.  DomainError: arguments that are no real numbers, or fractions for integers.
    """
    da = _dask_array()
    given = dict(zip((t.name for t in program.inputs), arrays, strict=True))
    chunked = {t.name: given[t.name] for t in program.inputs if isinstance(given[t.name], da.Array)}
    if not chunked:
        raise ChunkError(
            f"no argument of {name}() is a dask array; try: {name}(...), or dask.array.from_array(...)"
        )
    _known_chunks(chunked)
    for t in program.inputs:
        like = np.empty(0, chunked[t.name].dtype) if t.name in chunked else given[t.name]
        checked = as_array(like, t, runner.dtype_of(t.kind))
        given[t.name] = chunked.get(t.name, checked)
    sizes = solve_sizes(program, given)
    axis = _cut_axis(name, program, chunked)
    if axis is None:
        return _at_once(name, program, given, sizes, runner)
    size, first = axis
    cut = _cut_inputs(program, chunked, size)
    found = layout(name, program, cut, size, first)
    blocks = _blocks(cut, chunked)
    given |= _ready(chunked, cut, blocks)
    return _Run(name, found, given, sizes, runner, blocks).outputs()


def _dask_array() -> Any:
    try:
        import dask.array as da
    except ImportError as error:
        raise DeriveError("over() needs dask; try: pip install 'derive[dask]'") from error
    return da


def _known_chunks(chunked: Mapping[str, Any]) -> None:
    for n, x in chunked.items():
        if any(np.isnan(length) for lengths in x.chunks for length in lengths):
            raise ChunkError(
                f"the chunks of {n} have lengths that dask does not know; try: {n}.compute_chunk_sizes()"
            )


def _cut_axis(name: str, program: Program, chunked: Mapping[str, Any]) -> tuple[sympy.Symbol, str] | None:
    """The size of the one axis along which arguments are chunked, and the first of them; None if all are in one piece."""
    found: dict[Expr, tuple[Tensor, int]] = {}
    for t in program.inputs:
        if t.name in chunked:
            axes = [p for p, count in enumerate(chunked[t.name].numblocks) if count > 1]
            for p in axes:
                found.setdefault(t.shape[p], (t, p))
            if len({t.shape[p] for p in axes}) < len(axes):
                raise ChunkError(_several(name, [(t, p) for p in axes]))
    if len(found) > 1:
        raise ChunkError(_several(name, list(found.values())))
    if not found:
        return None
    ((extent, (t, p)),) = found.items()
    if not isinstance(extent, sympy.Symbol):
        raise ChunkError(
            f"axis {p} of {t.name} is chunked, but {name}() was traced for {extent} entries along it; try: a name for its "
            "size, or one chunk"
        )
    return extent, t.name


def _several(name: str, axes: Sequence[tuple[Tensor, int]]) -> str:
    what = " and ".join(f"{t.shape[p]} (axis {p} of {t.name})" for t, p in axes)
    t, p = axes[-1]
    return (
        f"the arguments of {name}() are chunked along several axes, {what}; one is possible\n"
        f"  try: one chunk along the others, such as {t.name}.rechunk({{{p}: -1}})"
    )


def _cut_inputs(program: Program, chunked: Mapping[str, Any], size: sympy.Symbol) -> dict[str, int]:
    """Which axis of which input is cut: those that are chunked, and those of the same size of inputs in one piece.

    Where an input must be there along that size as a whole, so is every input that is given in one piece.
    """
    own: dict[str, int] = {}
    alike: dict[str, int] = {}
    everywhere = False
    for t in program.inputs:
        axes = [p for p, extent in enumerate(t.shape) if size in extent.free_symbols]
        cut = [p for p in axes if t.name in chunked and chunked[t.name].numblocks[p] > 1]
        if cut:
            own[t.name] = cut[0]
            everywhere |= len(axes) > 1
        elif len(axes) == 1 and t.shape[axes[0]] == size:
            alike[t.name] = axes[0]
        else:
            everywhere |= bool(axes)
    return own if everywhere else own | alike


def _blocks(cut: Mapping[str, int], chunked: Mapping[str, Any]) -> tuple[int, ...]:
    """The lengths of common chunks; empty ones are left out."""
    from dask.array.core import common_blockdim

    lengths = common_blockdim([chunked[n].chunks[p] for n, p in cut.items() if n in chunked])
    return tuple(length for length in lengths if length) or (0,)


def _ready(chunked: Mapping[str, Any], cut: Mapping[str, int], blocks: tuple[int, ...]) -> dict[str, Any]:
    """The dask arrays in common chunks, their graphs optimised together: every pass has tasks of its own."""
    from dask import optimize

    arrays = [x.rechunk({cut[n]: blocks}) if n in cut else x for n, x in chunked.items()]
    return dict(zip(chunked, optimize(*arrays), strict=True))


def _at_once(
    name: str, program: Program, given: Mapping[str, Any], sizes: Mapping[Any, int], runner: Runner
) -> list[Any]:
    """The outputs where every argument is in one piece."""
    from dask import delayed

    task = delayed(Task(name, program, runner), traverse=False)
    values = task(*given.values())
    return [_array(values[k], t, sizes, runner) for k, t in enumerate(program.outputs)]


def _array(
    value: Any, tensor: Tensor, sizes: Mapping[Any, int], runner: Runner, cut: tuple[int, ...] = ()
) -> Any:
    """A delayed value as a dask array of one chunk; `cut`: the axis that is cut, and how much of it the value has."""
    shape = [int(extent.subs(sizes)) for extent in tensor.shape]
    if cut:
        shape[cut[0]] = cut[1]
    return _dask_array().from_delayed(value, tuple(shape), runner.dtype_of(tensor.kind))


@dataclass(frozen=True)
class _Run:
    """The task graph of one call; `blocks` are the lengths of the chunks."""

    name: str
    layout: Layout
    given: Mapping[str, Any]
    sizes: Mapping[Any, int]
    runner: Runner
    blocks: tuple[int, ...]

    def outputs(self) -> list[Any]:
        """The outputs as dask arrays, those that are cut in as many chunks as the inputs."""
        whole: dict[str, Any] = {
            n: self.delayed(x) for n, x in self.given.items() if not isinstance(self.layout.states[n], Cut)
        }
        pieces: dict[str, list[Any]] = {}
        for p in passes(self.layout):
            if p.once is not None:
                whole |= self.once(p.once, whole)
            if p.each is not None:
                total = self.each(p, whole, pieces)
                whole |= {t.name: total[k] for k, t in enumerate(p.parts)}
        found = []
        for t in self.layout.program.outputs:
            if t.name in pieces:
                found.append(self.joined(t, pieces[t.name]))
            else:
                found.append(_array(whole[t.name], t, self.sizes, self.runner))
        return found

    def delayed(self, value: Any) -> Any:
        """A value that all tasks share."""
        from dask import delayed

        return delayed(value, traverse=False)

    def once(self, program: Program, whole: Mapping[str, Any]) -> dict[str, Any]:
        """What is the same for all chunks."""
        program = with_numbers(program, self.sizes)
        task = self.delayed(Task(self.name, program, self.runner))
        values = task(*(self.argument(t, whole) for t in program.inputs))
        return {t.name: values[k] for k, t in enumerate(program.outputs)}

    def each(self, p: Pass, whole: Mapping[str, Any], pieces: dict[str, list[Any]]) -> Any:
        """One pass over all chunks: `pieces` of outputs are noted; the parts of results, combined."""
        assert p.each is not None
        program = with_numbers(p.each, self.sizes)
        task, count = self.delayed(Task(self.name, program, self.runner)), len(p.reductions)
        starts = list(accumulate(self.blocks[:-1], initial=0))
        cut = {t.name: s.axis for t in program.inputs if isinstance(s := self.layout.states.get(t.name), Cut)}
        lazy = {n: self.given[n] for n in cut if not isinstance(self.given[n], np.ndarray)}
        here = {n: np.split(self.given[n], starts[1:], axis) for n, axis in cut.items() if n not in lazy}

        def call(number: int) -> tuple[Any, ...]:
            known = {
                **whole,
                **{n: Chunk(n) for n in lazy},
                **{n: self.delayed(parts[number]) for n, parts in here.items()},
            }
            return (
                split,
                count,
                starts[number],
                task,
                *(self.argument(t, known, starts[number]) for t in program.inputs),
            )

        results = tasks(self.name, lazy, len(self.blocks), call)
        for k, t in enumerate(p.pieces):
            pieces[t.name] = [result[1][k] for result in results]
        return self.together(p, [result[0] for result in results]) if count else None

    def argument(self, t: Tensor, known: Mapping[str, Any], start: int = 0) -> Any:
        """What a task is given for an input of its program."""
        if t.name == self.names.start.name:
            return start
        return self.sizes[self.layout.size] if t.name == self.names.total.name else known[t.name]

    @cached_property
    def names(self) -> Names:
        return names_for(self.layout)

    def together(self, p: Pass, parts: list[Any]) -> Any:
        """The parts of all chunks combined, a few at once, so that there are never many of them."""
        combine = self.delayed(combined)
        while len(parts) > 1:
            groups = (parts[k : k + FAN_IN] for k in range(0, len(parts), FAN_IN))
            parts = [combine(p.reductions, group) for group in groups]
        return parts[0]

    def joined(self, t: Tensor, pieces: list[Any]) -> Any:
        """A result that is cut, as a dask array."""
        axis = self.layout.cut(t)
        assert axis is not None
        both = zip(pieces, self.blocks, strict=True)
        arrays = [_array(piece, t, self.sizes, self.runner, (axis, length)) for piece, length in both]
        return _dask_array().concatenate(arrays, axis)
