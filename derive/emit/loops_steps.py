"""Recurrences in kernels: a loop over the steps, and in it the loop nests of one step on slices of the arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

import sympy
from sympy import Expr, Symbol

from ..ir.nodes import Equation, Index, Program, Read, Tensor, indices_of, reads_of, substitute
from ..ir.recurrences import TIMES, Recurrence, blocks
from ..rewrite.conditions import in_range
from ..rewrite.steps import Loop, Part, steps_of, stored, without_time
from .loops_nodes import Block, Storage
from .loops_print import write_block
from .loops_schedule import schedule
from .loops_storage import allocate, assign_storage
from .loops_terms import operations
from .loops_writer import Notation, Writer


@dataclass(frozen=True)
class Segment:
    """Equations between recurrences, scheduled together, or a recurrence."""

    program: Program
    block: Block = ()
    recurrence: Recurrence | None = None


def segments(program: Program, parallel: bool, by_rows: bool = False) -> tuple[list[Segment], dict[str, Storage]]:
    """The parts of a program in order, and where every tensor that they pass on lives."""
    found: list[Segment] = []
    storages: dict[str, Storage] = {}
    known = {t.name: t for t in program.inputs}
    runs = groupby(blocks(program.equations), key=lambda b: id(b) if isinstance(b, Recurrence) else 0)
    for _, run in runs:
        parts = list(run)
        recurrence = parts[0] if isinstance(parts[0], Recurrence) else None
        equations = tuple(e for b in parts for e in ((b,) if isinstance(b, Equation) else b.equations))
        part = _part(program, equations, known)
        if recurrence is not None:
            kept = stored(recurrence, program)
            found.append(Segment(program, recurrence=recurrence))
            whole = {e.target.name: Storage(e.target, tuple(range(e.target.rank))) for e in equations}
            storages |= {name: storage for name, storage in whole.items() if name in kept}
        elif part.outputs:
            block = schedule(operations(part), {t.name for t in part.outputs}, parallel, by_rows)
            own = assign_storage(block, part)
            storages |= own
            found.append(Segment(part, allocate(block, own)))
        known |= {e.target.name: e.target for e in equations}
    return found, storages


def _part(program: Program, equations: tuple[Equation, ...], known: dict[str, Tensor]) -> Program:
    """Some of the equations as a program: what it is given, and what others need of it."""
    own = {e.target.name for e in equations}
    needed = {t.name for t in program.outputs}
    needed |= {r.tensor.name for e in program.equations if e.target.name not in own for r in e.reads}
    outputs = tuple(e.target for e in equations if e.target.name in needed)
    return Program(tuple(known.values()), equations, outputs)


def write_recurrence(writer: Writer, block: Recurrence, program: Program) -> None:
    """The lines of a recurrence; its arrays are made here unless they are arguments."""
    _Steps(writer, block, program).write()


class _Steps:
    def __init__(self, writer: Writer, block: Recurrence, program: Program) -> None:
        self.writer, self.block, self.program = writer, block, program
        self.kept = stored(block, program)
        self.members = {e.target.name: e for e in block.equations}
        self.known = {**program.tensors}
        self.axes = block.times
        self.passing = {name: self.axes[name] for name in self.members if name not in self.kept}
        self.times: dict[Index, Symbol] = {}
        self.made: list[str] = []

    def write(self) -> None:
        writer = self.writer
        for e in self.members.values():
            writer.line(f"# {Notation().equation(e)}")
        for name in self.members:
            if name in self.kept and name not in writer.given:
                writer.line(f"{writer.arrays[name]} = {writer.allocation(writer.storages[name], None)}")
        start = len(writer.lines)
        self.parts(steps_of(self.block, self.kept))
        writer.lines[start:start] = self.made

    def parts(self, parts: Iterable[Part]) -> None:
        for is_loop, run in groupby(parts, key=lambda part: isinstance(part, Loop)):
            if is_loop:
                for part in run:
                    assert isinstance(part, Loop)
                    self.loop(part)
            else:
                self.plain([e for e in run if isinstance(e, Equation)])

    def loop(self, loop: Loop) -> None:
        writer = self.writer
        count = writer.extent(loop.time.extent)
        with writer.running(Index(TIMES[len(self.times) % len(TIMES)], loop.time.extent)) as name:
            symbol = Symbol(name, integer=True, nonnegative=True)
            writer.sizes[symbol] = name
            self.times[loop.time] = symbol
            steps = count if loop.forward else f"{writer.extent(loop.time.extent - 1)}, -1, -1"
            with writer.indented(f"for {name} in range({steps}):"):
                self.parts(loop.parts)
            del self.times[loop.time], writer.sizes[symbol]

    # -- one step

    def plain(self, equations: list[Equation]) -> None:
        """Equations of one step, scheduled together on slices of the arrays."""
        writer = self.writer
        views: dict[tuple[str, tuple[Expr, ...]], Tensor] = {}
        results: dict[str, str] = {}
        now = [self.at_step(e, views, results) for e in equations]
        targets = {e.target.name for e in now}
        inputs = {r.tensor.name: r.tensor for e in now for r in e.reads if r.tensor.name not in targets}
        local = [e.target for e in now if e.target.name in self.members]
        outputs = [e.target for e in now if e.target.name in results]
        outputs += [t for t in local if self.is_passed_on(t.name, equations)]
        program = Program(tuple(inputs.values()), tuple(now), tuple(outputs))
        block = schedule(operations(program), {t.name for t in outputs})
        storages = assign_storage(block, program)
        apart = {name for name, place in results.items() if ":" in place and len(storages[name].kept) > 2}
        inner = self.inner(program, storages, {name: place for name, place in results.items() if name not in apart})
        for storage in storages.values():
            if not storage.scalar and (storage.tensor.name in apart or storage.tensor.name not in results):
                self.made.append(
                    f"    {inner.arrays[storage.tensor.name]} = {writer.allocation(storage, None)}"
                )
        write_block(inner, allocate(block, storages))
        for name, place in results.items():
            if storages[name].scalar or name in apart:
                writer.line(f"{place} = {inner.arrays[name]}")

    def is_passed_on(self, name: str, here: list[Equation]) -> bool:
        """Whether other statements of a step, in or outside of a loop within it, read a local value."""
        own = {e.target.name for e in here}
        return any(
            r.tensor.name == name for e in self.members.values() if e.target.name not in own for r in e.reads
        )

    def inner(self, program: Program, storages: dict[str, Storage], results: dict[str, str]) -> Writer:
        """A writer of the statements of one step, to the same lines and under the same names."""
        writer = self.writer
        inner = Writer(
            program, storages, writer.typed, writer.vector, frozenset(storages), writer.names, writer.lines,
            writer.depth, writer.indices, outer=writer,
        )  # fmt: skip
        inner.checks, inner.computed = writer.checks, writer.computed
        for name, storage in storages.items():
            if name in results and not storage.scalar:
                writer.line(f"{inner.arrays[name]} = {results[name]}")
                writer.strided |= {inner.arrays[name]} if ":" in results[name] else set()
            elif name in self.members:
                writer.arrays.setdefault(name, inner.arrays[name])
        return inner

    def at_step(
        self, e: Equation, views: dict[tuple[str, tuple[Expr, ...]], Tensor], results: dict[str, str]
    ) -> Equation:
        """The equation over the axes that are left; entries at a time are views, or results of this step."""
        body = self.sliced(without_time(substitute(e.body, dict(self.times)), self.passing), views)
        left = substitute(e.lhs, dict(self.times))
        axes = tuple(i for i in e.axes if i in left.indices)
        target = replace(e.target, shape=tuple(i.extent for i in axes))
        if e.target.name in self.kept:
            places = tuple(p for p in left.indices if not isinstance(p, Index))
            target = replace(target, name=f"{e.target.name}_{len(results)}.{len(views)}")
            views[e.target.name, places] = target
            results[target.name] = self.element(left)
        return Equation(target, axes, body, e.reduce, e.bound, e.step)

    def element(self, read: Read) -> str:
        """``h[t + 1]``, an entry or the slice of an array at a time."""
        parts = [":" if isinstance(p, Index) else self.writer.extent(p) for p in read.indices]
        while parts and parts[-1] == ":":
            parts.pop()
        return f"{self.writer.arrays[read.tensor.name]}[{', '.join(parts)}]"

    def sliced(self, body: Expr, views: dict[tuple[str, tuple[Expr, ...]], Tensor]) -> Expr:
        """Reads at a time as reads of what holds at this time: a result of this step, or a view made ahead of it."""
        mapping: dict[Expr, Expr] = {}
        for r in reads_of(body):
            places = tuple(p for p in r.indices if not indices_of(p) and not reads_of(p))
            rest = [p for p, place in enumerate(r.indices) if indices_of(place) or reads_of(place)]
            if (
                not any(p.free_symbols & set(self.times.values()) for p in places)
                and (
                    r.tensor.name,
                    places,
                )
                not in views
            ):
                continue
            key = r.tensor.name, places
            if key not in views:
                if not rest or r.tensor.kind != "real":
                    continue
                views[key] = self.view(r, rest)
            mapping[r] = Read(views[key], tuple(r.indices[p] for p in rest))
        return substitute(body, mapping)

    def view(self, read: Read, rest: list[int]) -> Tensor:
        """A name for the slice of an array at a time."""
        writer = self.writer
        name = writer.names.new(f"{read.tensor.name}_t")
        parts = [":" if p in rest else self.position(read, p) for p in range(read.tensor.rank)]
        if rest != list(range(read.tensor.rank))[-len(rest) :]:
            writer.strided.add(name)
        while parts and parts[-1] == ":":
            parts.pop()
        writer.line(f"{name} = {writer.arrays[read.tensor.name]}[{', '.join(parts)}]")
        writer.arrays[name] = name
        return Tensor(name, tuple(read.tensor.shape[p] for p in rest), "real", read.tensor.facts)

    def position(self, read: Read, axis: int) -> str:
        """A place at a time; where a condition keeps the view from being read, it may be anywhere in the array."""
        place, extent = read.indices[axis], read.tensor.shape[axis]
        back = {symbol: index for index, symbol in self.times.items()}
        if in_range(substitute(place, back), Index("", extent)) is sympy.true:
            return self.writer.extent(place)
        return self.writer.position(read.tensor, place, axis)
