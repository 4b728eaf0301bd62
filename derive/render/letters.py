"""Index letters that mean the same axis in every equation of a program."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from sympy import Expr

from ..ir.nodes import Equation, Index, Program, Read, indices_of, reads_of
from ..ir.recurrences import TIMES, recurrences

POOL = "ijklpqrstuvwabcfgh"
Place = tuple[str, int]
"""An axis of a tensor, by the tensor's name and the position."""


class Letters:
    """Axes that one index runs over form a class; classes that meet get different letters."""

    def __init__(self, program: Program, times: frozenset[Place] = frozenset()) -> None:
        self.reserved = {*program.tensors, *(str(s) for s in program.sizes), "e", "pi"}
        self.parent: dict[Place, Place] = {}
        for equation in program.equations:
            self._link(equation)
        self.extents: dict[Place, Expr] = {}
        self.meets: dict[Place, set[Place]] = {}
        for equation in program.equations:
            self._observe(equation)
        self.times = {self._find(place) for place in times}
        self.chosen = self._colour(program)

    def of(self, equation: Equation) -> dict[Index, str]:
        """A letter for each index of the equation, all different."""
        found: dict[Index, str] = {}
        for index in indices_in(equation):
            wanted = self.chosen.get(self._find(place_of(equation, index))) or str(index.name)
            taken = set(found.values())
            found[index] = wanted if wanted not in taken else self._another(taken, index.extent)
        return found

    def _another(self, taken: set[str], extent: Expr) -> str:
        same = [letter for place, letter in self.chosen.items() if self.extents[place] == extent]
        kept = taken | set(TIMES[:1] if self.times else ())
        return next(letter for letter in chain(same, self._pool()) if letter not in kept)

    def _pool(self) -> Iterator[str]:
        numbered = (f"{letter}{number}" for number in range(1, 1000) for letter in POOL)
        yield from (letter for letter in (*POOL, *numbered) if letter not in self.reserved)

    # -- classes

    def _link(self, equation: Equation) -> None:
        first: dict[Index, Place] = {}
        for place, index in places_in(equation):
            self.parent.setdefault(place, place)
            one, other = self._find(first.setdefault(index, place)), self._find(place)
            if one != other:
                self.parent[other] = one

    def _find(self, place: Place) -> Place:
        while self.parent.get(place, place) != place:
            place = self.parent[place]
        return place

    def _observe(self, equation: Equation) -> None:
        classes = {self._find(place_of(equation, i)): i.extent for i in reading_order(equation)}
        for place, extent in classes.items():
            self.extents.setdefault(place, extent)
            self.meets.setdefault(place, set()).update(set(classes) - {place})

    def _colour(self, program: Program) -> dict[Place, str]:
        """One extent keeps to its letters where it can; leading axes (batch, heads) get their initial."""
        leading = {self._find((t.name, p)) for t in program.tensors.values() for p in range(t.rank - 2)}
        chosen: dict[Place, str] = {}
        owners: dict[str, Expr] = {}
        for place, neighbours in self.meets.items():
            extent = self.extents[place]
            taken = {chosen[n] for n in neighbours if n in chosen}
            own = [letter for letter, owner in owners.items() if owner == extent]
            new = [letter for letter in POOL if letter not in owners and letter not in self.reserved]
            initial = self._initial(extent, owners) if place in leading else []
            choices: tuple[str, ...] = (*own, *initial, *new, *self._pool())
            if place in self.times:
                choices = (*(c for c in TIMES if c not in self.reserved), *choices)
            elif self.times:
                choices = tuple(c for c in choices if c not in TIMES[:1])
            chosen[place] = next(letter for letter in choices if letter not in taken)
            owners.setdefault(chosen[place], extent)
        return chosen

    def _initial(self, extent: Expr, owners: dict[str, Expr]) -> list[str]:
        letter = str(extent)[0].lower()
        free = letter.isalpha() and letter not in self.reserved and letter not in owners
        return [letter] if extent.is_Symbol and free else []


def places_in(equation: Equation) -> list[tuple[Place, Index]]:
    """Which index stands on which axis; axes on which several indices stand are left out."""
    found: dict[Place, set[Index]] = {}
    for read in (equation.lhs, *reads_of(equation.body)):
        for position, index in enumerate(read.indices):
            if isinstance(index, Index):
                found.setdefault((read.tensor.name, position), set()).add(index)
    return [(place, next(iter(indices))) for place, indices in found.items() if len(indices) == 1]


def place_of(equation: Equation, index: Index) -> Place:
    """An axis that stands for the index; one of its own if it is on none."""
    own = (f"{equation.target.name}.{index.name}", -1)
    return next((place for place, found in places_in(equation) if found == index), own)


def reading_order(equation: Equation) -> list[Index]:
    """The indices as `indices_in`, or as on the one tensor that has them all: rows before columns."""
    indices = indices_in(equation)
    whole = [r.indices for r in reads_of(equation.body) if set(r.indices) == set(indices)]
    return list(whole[0]) if equation.bound and len(whole) == 1 else indices


def shifted_places(read: Read) -> list[tuple[Place, Index]]:
    """Which index stands on which axis, alone or a number of steps away."""
    found = []
    for position, place in enumerate(read.indices):
        for index in indices_of(place):
            if (place - index).is_Integer:
                found.append(((read.tensor.name, position), index))
    return found


def time_axes(program: Program) -> frozenset[Place]:
    """The axes of tensors that are the time of a recurrence, or are read along with one."""
    found = {place for block in recurrences(program.equations) for place in block.places.items()}
    groups: list[set[Place]] = []
    for e in program.equations if found else ():
        along: dict[Index, set[Place]] = {}
        for read in (e.lhs, *reads_of(e.body)):
            for place, index in shifted_places(read):
                along.setdefault(index, set()).add(place)
        groups += along.values()
    before = -1
    while len(found) > before:
        before = len(found)
        for group in groups:
            if group & found:
                found |= group
    return frozenset(found)


def indices_in(equation: Equation) -> list[Index]:
    """Free indices, then the others in the order in which the body mentions them."""
    mentioned = [i for r in reads_of(equation.body) for i in r.indices if isinstance(i, Index)]
    rest = sorted(indices_of(equation.body) | indices_of(equation.lhs), key=lambda i: i.name)
    return list(dict.fromkeys((*equation.axes, *mentioned, *equation.bound, *rest)))
