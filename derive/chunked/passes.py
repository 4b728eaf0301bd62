"""The programs of a run chunk by chunk: in each pass one for what is whole, and one for every chunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr

from ..calculus.differentiate import new_name
from ..ir.facts import facts_across
from ..ir.nodes import Equation, Index, Program, Read, Reduction, Tensor, size
from ..ir.tensors import prune, resized
from .states import Cut, Layout, Whole


@dataclass(frozen=True)
class Names:
    """What a chunk is told beside its arrays: how many entries it has, the number of its first one, and of all.

    `chunk` is a size, `start` and `total` are integers.
    """

    chunk: sympy.Symbol
    start: Tensor
    total: Tensor


@dataclass(frozen=True)
class Pass:
    """One pass over all chunks.

    once: what is the same for all chunks and can be computed before the pass; None if nothing is.
    each: what is computed for every chunk: first one part of each result that `reductions` combine, then the chunk's
        part of outputs. None in the last pass, if nothing is left to do for chunks.
    """

    once: Program | None
    each: Program | None
    reductions: tuple[Reduction, ...] = ()

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """What the chunks have a part of."""
        return self.each.outputs[: len(self.reductions)] if self.each else ()

    @property
    def pieces(self) -> tuple[Tensor, ...]:
        """Outputs of which each chunk has a piece."""
        return self.each.outputs[len(self.reductions) :] if self.each else ()


def names_for(layout: Layout) -> Names:
    """Names that the program does not have."""
    n = layout.size
    taken = dict.fromkeys((*layout.program.tensors, *map(str, layout.program.sizes)), 1)
    start = Tensor(new_name(f"{n}_start", taken), (), "integer", frozenset({"nonnegative"}))
    total = Tensor(new_name(f"{n}_total", taken), (), "integer", frozenset({"positive", "nonnegative"}))
    return Names(size(new_name(f"{n}_chunk", taken)), start, total)


def passes(layout: Layout) -> list[Pass]:
    """The passes in their order.

    A pass computes again what it needs of cut tensors that earlier ones computed: only results that are whole are kept.
    """
    layout = replace(layout, program=prune(layout.program))
    names = names_for(layout)
    return [
        Pass(_once(layout, level, names), *_each(layout, level, names)) for level in range(layout.last + 1)
    ]


def _once(layout: Layout, level: int, names: Names) -> Program | None:
    """What is whole at this level, from inputs and what chunks were combined to."""
    own = [
        e
        for e in layout.program.equations
        if e.target.name not in layout.places and layout.at(e.target) == level
    ]
    inside = {e.target.name for e in own}
    outside = {
        r.tensor.name for e in layout.program.equations if e.target.name not in inside for r in e.reads
    }
    outside |= {t.name for t in layout.program.outputs}
    outputs = tuple(e.target for e in own if e.target.name in outside)
    mapping = {layout.size: Read(names.total, ())}
    equations = [replace(e, body=_substituted(e.body, mapping)) for e in own]
    return _program(equations, outputs) if outputs else None


def _each(layout: Layout, level: int, names: Names) -> tuple[Program | None, tuple[Reduction, ...]]:
    """What every chunk computes at this level, and how its parts of results are combined."""
    chunk = _Chunk(layout, names)
    own = [e for e in layout.program.equations if e.target.name in layout.places]
    states = layout.states
    parts = [e for e in own if states[e.target.name] == Whole(level + 1)]
    pieces = [t for t in layout.program.outputs if isinstance(s := states[t.name], Cut) and s.level == level]
    outputs = tuple(chunk.tensor(t) for t in (*(e.target for e in parts), *dict.fromkeys(pieces)))
    if not outputs:
        return None, ()
    below = [
        e
        for e in own
        if e in parts or (isinstance(states[e.target.name], Cut) and layout.at(e.target) <= level)
    ]
    program = _program([chunk.equation(e) for e in below], outputs)
    if not any(names.chunk in extent.free_symbols for t in program.inputs for extent in t.shape):
        given = next(t for t in layout.program.inputs if isinstance(states[t.name], Cut))
        program = replace(program, inputs=(*program.inputs, chunk.tensor(given)))
    return program, tuple(e.reduce for e in parts if e.reduce)


def _program(equations: Iterable[Equation], outputs: tuple[Tensor, ...]) -> Program:
    """The equations that these outputs need; what they read and do not define are inputs."""
    program = prune(Program((), tuple(equations), outputs))
    defined = {e.target.name for e in program.equations}
    reads = {r.tensor.name: r.tensor for e in program.equations for r in e.reads}
    reads |= {t.name: t for t in outputs if t.name not in defined}
    return replace(program, inputs=tuple(t for name, t in reads.items() if name not in defined))


def with_numbers(program: Program, sizes: Mapping[Any, int]) -> Program:
    """The program with numbers for the sizes that none of its inputs has."""
    known = {s for t in program.inputs for extent in t.shape for s in extent.free_symbols}
    return resized(
        program, {s: sympy.Integer(sizes[s]) for s in program.sizes if s not in known and s in sizes}
    )


@dataclass(frozen=True)
class _Chunk:
    """Equations as one chunk computes them."""

    layout: Layout
    names: Names

    def tensor(self, t: Tensor) -> Tensor:
        """A tensor within a chunk: a piece of a cut one, a part of a result, or a whole one."""
        axis = self.layout.cut(t)
        bound = None if t.bound is not None and self.layout.size in t.bound.free_symbols else t.bound
        if axis is None:
            return replace(t, facts=frozenset(), bound=bound) if t.name in self.layout.places else t
        shape = (*t.shape[:axis], self.names.chunk, *t.shape[axis + 1 :])
        return replace(t, shape=shape, facts=facts_across(t.facts, t.rank, axis), bound=bound)

    def equation(self, e: Equation) -> Equation:
        place = self.layout.places[e.target.name]
        own = Index(place.name, self.names.chunk)
        axes, bound = (tuple(own if i == place else i for i in group) for group in (e.axes, e.bound))
        body = self.body(e.body, place, own)
        return replace(e, target=self.tensor(e.target), axes=axes, bound=bound, body=body)

    def body(self, e: Any, place: Index, own: Index) -> Any:
        """An expression of the whole program: its index counts from the start of the chunk, but in cut axes."""
        if isinstance(e, Read):
            axis = self.layout.cut(e.tensor)
            indices = (own if p == axis else self.body(i, place, own) for p, i in enumerate(e.indices))
            return Read(self.seen(e.tensor), indices)
        if e == place:
            return own + Read(self.names.start, ())
        if e == self.layout.size:
            return Read(self.names.total, ())
        if not e.args:
            return e
        args = [self.body(a, place, own) for a in e.args]
        return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)

    def seen(self, t: Tensor) -> Tensor:
        """A tensor that is read: results that were combined have their facts again."""
        return self.tensor(t) if self.layout.cut(t) is not None else t


def _substituted(e: Any, mapping: Mapping[Expr, Expr]) -> Any:
    """Sizes replaced, also within places, but not in the extents of indices."""
    if e in mapping:
        return mapping[e]
    if isinstance(e, Read):
        return Read(e.tensor, tuple(_substituted(i, mapping) for i in e.indices))
    return e.func(*(_substituted(a, mapping) for a in e.args)) if e.args else e
