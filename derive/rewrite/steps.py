"""A recurrence as a loop: first the initial values, then one step for every t, to be printed and to be written as code."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from ..errors import UnsupportedOp
from ..ir.nodes import Entry, Equation, Index, Program, Read, indices_of, reads_of, substitute
from ..ir.recurrences import TIMES, Recurrence, blocks, recurrences
from .conditions import simplify_brackets


@dataclass(frozen=True)
class Statement(Equation):
    """An equation at one step: ``left`` is what it defines, and its axes are those that are left."""

    left: Read | None = None

    @property
    def lhs(self) -> Read:
        return self.left or super().lhs


@dataclass(frozen=True)
class Loop:
    """Parts that are computed for each value of `time`, upward or downward."""

    time: Index
    forward: bool
    parts: tuple[Part, ...]

    @property
    def statements(self) -> tuple[Equation, ...]:
        """All equations in it, also those of loops in it."""
        return tuple(
            e for part in self.parts for e in ((part,) if isinstance(part, Equation) else part.statements)
        )


Part = Equation | Loop


def scheduled(program: Program) -> list[Part]:
    """The equations in order, each recurrence as the statements ahead of its loop, the loop, and those behind it.

    Raises:
        UnsupportedOp: the members of a recurrence do not have the same number of steps, up to a constant.
    """
    parts: list[Part] = []
    for block in blocks(program.equations):
        parts += steps_of(block, stored(block, program)) if isinstance(block, Recurrence) else [block]
    return parts


def steps_of(block: Recurrence, kept: frozenset[str]) -> list[Part]:
    """One recurrence in statements; members that are not `kept` may be left out of single steps."""
    return _steps(block, {e.target.name: e for e in block.equations}, kept)


def stored(block: Recurrence, program: Program) -> frozenset[str]:
    """The members of which more is needed than their value at the step at hand."""
    found = {t.name for t in program.outputs}
    for inner in recurrences(block.equations):
        found |= {r.tensor.name for e in program.equations if e.target.name not in inner.places for r in e.reads}
        found |= {r.tensor.name for e in inner.equations for r in inner.recurrent(e) if inner.lag(e, r)}
    return frozenset(found & block.places.keys())


def _steps(block: Recurrence, now: Mapping[str, Equation], stored: frozenset[str]) -> list[Part]:
    """A recurrence within equations that may stand at a time of another one already."""
    times = {name: now[name].lhs.indices[place] for name, place in block.places.items()}
    last = {name: time.extent - 1 - block.offsets[name] for name, time in times.items()}
    least = min((sympy.expand(x) for x in last.values()), key=lambda x: _difference(x, last))
    begin = max(-offset for offset in block.offsets.values())
    more = max(_difference(x, {"": least}) for x in last.values())
    fewer = min(-offset for offset in block.offsets.values())
    if block.forward and fewer == begin:  # the first step of all cannot read any before it
        begin += 1
    elif not block.forward and not more:
        least, more = least - 1, 1
    ahead = [sympy.Integer(p) for p in range(fewer, begin)]
    behind = [sympy.expand(least + p) for p in range(1, more + 1)]
    time = Index(_letter(now.values(), times.values()), sympy.expand(least - begin + 1))
    loop = Loop(time, block.forward, tuple(_at(block, now, times, time + begin, stored)))
    before, after = (ahead, behind) if block.forward else (behind[::-1], ahead[::-1])
    return [
        *(part for p in before for part in _passed_on(list(_at(block, now, times, p, stored)), stored)),
        loop,
        *(part for p in after for part in _passed_on(list(_at(block, now, times, p, stored)), stored)),
    ]


def _passed_on(parts: list[Part], stored: frozenset[str]) -> Iterator[Part]:
    """A single step: what is only passed on within it is written where it is read."""
    passing: dict[str, Equation] = {}
    for part in parts:
        if not isinstance(part, Equation):
            yield part
            continue
        mapping: dict[Expr, Expr] = {}
        for r in part.reads:
            source = passing.get(r.tensor.name)
            if source is not None:
                mapping[r] = substitute(source.body, dict(zip(source.lhs.indices, r.indices, strict=True)))
        part = replace(part, body=substitute(part.body, mapping))
        if part.reduce is None and part.target.name not in stored and not isinstance(part.body, Entry):
            passing[part.target.name] = part
        else:
            yield part


def _difference(x: Expr, others: Mapping[str, Expr]) -> int:
    """How much larger `x` is than the first of the others."""
    more = sympy.expand(x - next(iter(others.values())))
    if not more.is_Integer:
        raise UnsupportedOp(
            f"the equations of {', '.join(others)} have numbers of steps that differ by {more}"
        )
    return int(more)


def _letter(equations: Iterable[Equation], times: Iterable[Index]) -> str:
    """A name that no other index has."""
    found = {i for e in equations for i in (*e.indices, *indices_of(e.body), *indices_of(e.lhs))}
    taken = {i.name for i in found - set(times)}
    names = (*TIMES, *(f"t{n}" for n in range(1, 100)))
    return next(name for name in names if name not in taken)


def _at(
    block: Recurrence,
    now: Mapping[str, Equation],
    times: Mapping[str, Index],
    step: Expr,
    stored: frozenset[str],
) -> Iterator[Part]:
    """The parts of a recurrence at one step, without those that have no such entry."""
    there = {
        name: _statement(now[name], time, sympy.expand(step + block.offsets[name]))
        for name, time in times.items()
        if _has(time, sympy.expand(step + block.offsets[name]))
    }
    for part in block.parts:
        if isinstance(part, Recurrence) and part.places.keys() <= there.keys():
            yield from _steps(part, {name: there[name] for name in part.places}, stored)
        elif isinstance(part, Equation) and part.target.name in there:
            yield there[part.target.name]


def _has(time: Index, entry: Expr) -> bool:
    """Whether an axis has an entry; of what varies with t it has all."""
    if indices_of(entry):
        return True
    return not (entry.is_negative or (entry - time.extent).is_nonnegative)


def _statement(e: Equation, time: Index, place: Expr) -> Statement:
    body = simplify_brackets(substitute(e.body, {time: place}))
    left = substitute(e.lhs, {time: place})
    axes = tuple(i for i in e.axes if i != time)
    if body == 0:
        return Statement(e.target, axes, body, step=e.step, left=left)
    return Statement(e.target, axes, body, e.reduce, e.bound, e.step, left)


def without_time(body: Expr, passing: Mapping[str, Container[int]]) -> Expr:
    """Reads of what is not stored over time as of its value at this step; `passing` gives the axes of time of each."""
    mapping: dict[Expr, Expr] = {}
    for r in reads_of(body):
        if (times := passing.get(r.tensor.name)) is not None:
            rest = [p for p in range(r.tensor.rank) if p not in times]
            own = replace(r.tensor, shape=tuple(r.tensor.shape[p] for p in rest))
            mapping[r] = Read(own, tuple(r.indices[p] for p in rest))
    return substitute(body, mapping)
