"""Recurrences: equations that read each other's targets along a time axis, found as cycles of the read graph.

``h[s,i] = where(s = 0, h0[i], tanh(z[s-1,i]))`` and ``z[t,i] = sum_j W[i,j] h[t,j]`` are one recurrence: at each
step its equations are computed in order, and what is read at a lag was computed at an earlier step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import sympy
from sympy import Expr, S

from ..errors import DeriveError
from .nodes import Bracket, Equation, Index, Read, Where, substitute

TIMES = "tsruvw"
"""What times are called, the outermost first."""
Reads = Callable[[Equation], Iterable[Read]]


class Circular(DeriveError, ValueError):
    """Equations that need each other's results at the same step, so that they cannot be computed one after the other."""


@dataclass(frozen=True)
class Recurrence:
    """Equations that are computed step by step.

    parts: in the order in which they are computed within one step; a recurrence among them has a time of its own.
    places: which axis of each target is the time, by the target's name.
    offsets: at step p the entry ``p + offset`` of a target is computed, if it has that entry.
    forward: whether steps go up (reading t - 1) or down (reading t + 1).
    """

    parts: tuple[Equation | Recurrence, ...]
    places: Mapping[str, int]
    offsets: Mapping[str, int]
    forward: bool

    @property
    def equations(self) -> tuple[Equation, ...]:
        """All equations, in the order within one step."""
        return flat(self.parts)

    @property
    def times(self) -> dict[str, frozenset[int]]:
        """All axes of each target that are times: of this recurrence, and of those within its steps."""
        found = {name: frozenset({place}) for name, place in self.places.items()}
        for part in self.parts:
            if isinstance(part, Recurrence):
                found |= {name: found[name] | places for name, places in part.times.items()}
        return found

    def time(self, equation: Equation) -> Index:
        """The index of a member that is its time."""
        return equation.axes[self.places[equation.target.name]]

    def step(self, equation: Equation) -> Expr:
        """The step at which an entry of a member is computed."""
        return self.time(equation) - self.offsets[equation.target.name]

    def number(self, equation: Equation) -> Expr:
        """The step of a member, counted from 0 in the order of time; the initial values come before."""
        offsets = self.offsets.values()
        extents = {e.target.name: self.time(e).extent for e in self.equations}
        ends = {name: extent - self.offsets[name] for name, extent in extents.items()}
        if self.forward:
            first = max(-offset for offset in offsets) + int(len(set(offsets)) == 1)
            return sympy.expand(self.step(equation) - first)
        last = min(ends.values(), key=lambda end: int(sympy.expand(end - ends[equation.target.name])))
        same = len({sympy.expand(end) for end in ends.values()}) == 1
        return sympy.expand(last - 1 - int(same) - self.step(equation))

    def lag(self, equation: Equation, read: Read) -> int:
        """How many steps before it is read the entry of a member was computed."""
        name = read.tensor.name
        read_at = read.indices[self.places[name]] - self.offsets[name]
        before = sympy.expand(self.step(equation) - read_at)
        return int(before) if self.forward else -int(before)

    def recurrent(self, equation: Equation) -> list[Read]:
        """The reads of members in the body of a member."""
        return [r for r in equation.reads if r.tensor.name in self.places]


def flat(parts: Iterable[Equation | Recurrence]) -> tuple[Equation, ...]:
    """The equations of parts in the order of one step."""
    return tuple(e for part in parts for e in ((part,) if isinstance(part, Equation) else part.equations))


@lru_cache(maxsize=512)
def blocks(equations: tuple[Equation, ...]) -> tuple[Equation | Recurrence, ...]:
    """The equations and recurrences in an order in which they can be computed, as near to the given one as can be.

    Raises:
        Circular: equations read each other and no axis orders them in time; they are shown.
    """
    return tuple(_blocks(equations, {e.target.name: frozenset() for e in equations}, lambda e: e.reads))


def in_order(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """The equations in an order in which they can be computed; those of one recurrence stand together."""
    equations = tuple(equations)
    position = {e.target.name: p for p, e in enumerate(equations)}
    if all(position.get(r.tensor.name, -1) < p for p, e in enumerate(equations) for r in e.reads):
        return equations
    return flat(blocks(equations))


def recurrences(equations: Iterable[Equation]) -> Iterator[Recurrence]:
    """All recurrences among equations, also those within each step of another."""
    waiting = list(blocks(tuple(equations)))
    while waiting:
        block = waiting.pop()
        if isinstance(block, Recurrence):
            yield block
            waiting += block.parts


def dependents(equations: Iterable[Equation], names: Iterable[str], reads: Reads) -> set[str]:
    """The tensors that depend on `names`, themselves included, through the `reads` of equations."""
    readers: dict[str, list[str]] = {}
    for e in equations:
        for r in reads(e):
            readers.setdefault(r.tensor.name, []).append(e.target.name)
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += readers.get(name, [])
    return found


def members(equations: Iterable[Equation]) -> frozenset[str]:
    """The names of the tensors that recurrences define."""
    return frozenset(name for block in recurrences(equations) for name in block.places)


def advanced(equation: Equation) -> tuple[tuple[Index, ...], Expr, tuple[Expr, ...]] | None:
    """What a state becomes: ``h[s] = where(s = 0, h0, f(s - 1))`` says that ``h[t + 1] = f(t)``.

    Returns:
        The axes with t in the place of s, f, and what each axis of the state adds to them; None for other bodies.
    """
    if (split := split_off(equation)) is None:
        return None
    s, first, _, rest = split
    t = Index(s.name, s.extent - 1)
    shift = S.One if first == 0 else S.Zero
    axes = tuple(t if i == s else i for i in equation.axes)
    return axes, substitute(rest, {s: t + shift}), tuple(shift if i == t else S.Zero for i in axes)


def split_off(equation: Equation) -> tuple[Index, Expr, Expr, Expr] | None:
    """``where(s = a, initial, rest)`` with a the first or the last value of the axis s: s, a, initial, rest."""
    body = equation.body
    if isinstance(body, Where):
        condition, initial, rest = body.args
    else:
        kept = [
            f
            for f in sympy.Mul.make_args(body)
            if isinstance(f, Bracket) and isinstance(f.condition, sympy.Ne)
        ]
        if len(kept) != 1:
            return None
        condition, initial, rest = sympy.Not(kept[0].condition), S.Zero, body / kept[0]
    if not isinstance(condition, sympy.Eq):
        return None
    for s, first in (condition.args, condition.args[::-1]):
        if s in equation.axes and (first == 0 or sympy.expand(first + 1 - s.extent) == 0):
            return s, first, initial, rest
    return None


# -- finding them

Used = Mapping[str, frozenset[int]]
"""The axes of each target that are times already."""


def _blocks(equations: tuple[Equation, ...], used: Used, reads: Reads) -> Iterator[Equation | Recurrence]:
    """Parts in order; `reads` gives those reads of an equation that ask for the same step."""
    names = {e.target.name for e in equations}
    graph = {e.target.name: [r.tensor.name for r in reads(e) if r.tensor.name in names] for e in equations}
    by_name = {e.target.name: e for e in equations}
    for group in components(graph):
        name = next(iter(group))
        if len(group) == 1 and name not in graph[name]:
            yield by_name[name]
        else:
            yield _recurrence(tuple(e for e in equations if e.target.name in group), used, reads)


def _recurrence(members: tuple[Equation, ...], used: Used, reads: Reads) -> Recurrence:
    first, reasons = members[0], []
    for place in range(first.target.rank):
        if place not in used[first.target.name]:
            try:
                return _along(place, members, used, reads)
            except Circular as error:
                reasons.append(f"  along {first.axes[place]}: {error}")
    names = ", ".join(e.target.name for e in members)
    if used[first.target.name]:
        raise Circular(f"at one and the same step {names} need each other")
    lines = [f"  {e}" for e in members]
    what = (
        f"the equation of {names} reads its own result" if len(members) == 1 else f"{names} read each other"
    )
    raise Circular(
        "\n".join((f"{what}, and no axis is a time along which they can be computed:", *lines, *reasons))
    )


def _along(place: int, members: tuple[Equation, ...], used: Used, reads: Reads) -> Recurrence:
    """The recurrence along this axis of the first member, if it is one."""
    places = _places(place, members, used, reads)

    def within(e: Equation) -> list[Read]:
        return [r for r in reads(e) if r.tensor.name in places]

    edges = []
    for e in members:
        for r in within(e):
            shift = sympy.expand(r.indices[places[r.tensor.name]] - e.axes[places[e.target.name]])
            if not shift.is_Integer:
                raise Circular(
                    f"{r} in the equation of {e.target.name} is not a constant number of steps away"
                )
            edges.append((e.target.name, r.tensor.name, int(shift)))
    for forward in (True, False):
        offsets = _offsets(forward, members, places, edges)
        if offsets is None:
            continue
        found = Recurrence((), places, offsets, forward)
        if any(found.lag(e, r) for e in members for r in within(e)):
            within_step = partial(_at_once, found, within)
            inner = {name: used[name] | {at} for name, at in places.items()}
            return replace(found, parts=tuple(_blocks(members, inner, within_step)))
    raise Circular(
        "every result is read at its own step"
        if not any(shift for *_, shift in edges)
        else "results are needed before they are computed"
    )


def _at_once(found: Recurrence, within: Callable[[Equation], list[Read]], equation: Equation) -> list[Read]:
    """The reads of results of the same step."""
    return [r for r in within(equation) if not found.lag(equation, r)]


def _places(place: int, members: tuple[Equation, ...], used: Used, reads: Reads) -> dict[str, int]:
    """Which axis of each member the time of the first one is, followed through the reads."""
    by_name = {e.target.name: e for e in members}
    places = {members[0].target.name: place}
    todo = [members[0]]
    while todo:
        e = todo.pop()
        time = e.axes[places[e.target.name]]
        for r in reads(e):
            name = r.tensor.name
            if name not in by_name or name in places:
                continue
            at = [p for p, i in enumerate(r.indices) if time in i.free_symbols and p not in used[name]]
            if not at:
                raise Circular(f"{r} in the equation of {e.target.name} does not depend on {time}")
            places[name] = at[0]
            todo.append(by_name[name])
    return places


def _offsets(
    forward: bool, members: tuple[Equation, ...], places: Mapping[str, int], edges: list[tuple[str, str, int]]
) -> dict[str, int] | None:
    """Which entry of each member belongs to step 0, so that nothing is read before it is computed.

    All end together where that is possible, so that what is special, the initial values, stands in the first steps.
    """
    extents = {e.target.name: e.axes[places[e.target.name]].extent for e in members}
    base = next(iter(extents.values()))
    longer = {name: sympy.expand(extent - base) for name, extent in extents.items()}
    offsets = {name: int(more) if forward and more.is_Integer else 0 for name, more in longer.items()}
    for _ in range(len(offsets) + 1):
        before = dict(offsets)
        for reader, read, shift in edges:
            late = shift + offsets[reader] - offsets[read]
            offsets[read] += max(late, 0) if forward else min(late, 0)
        if offsets == before:
            least = min(offsets.values())
            return {name: offset - least for name, offset in offsets.items()}
    return None


# -- strongly connected components


def components(graph: Mapping[str, Iterable[str]]) -> list[frozenset[str]]:
    """Groups of names that reach each other, what is read first; ties keep the order of `graph` (Tarjan 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[frozenset[str]] = []
    for root in graph:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        work = [(root, iter(graph[root]))]
        while work:
            name, successors = work[-1]
            for other in successors:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    work.append((other, iter(graph[other])))
                    break
                if other in stack:
                    low[name] = min(low[name], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    group = stack[stack.index(name) :]
                    del stack[stack.index(name) :]
                    found.append(frozenset(group))
    return found
