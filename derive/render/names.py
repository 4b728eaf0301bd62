"""Names for people: index letters that mean the same axis in every equation, and which tensor is whose cotangent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import sympy

from ..ir.nodes import Equation, Index, Program, Read, indices_of, reads_of

POOL = "ijklpqrstuvwabcfgh"
Place = tuple[str, int]


@dataclass(frozen=True)
class Names:
    """What the equations of a program are written with.

    forward: names of the tensors of the forward pass; all others are derived.
    """

    program: Program
    forward: frozenset[str] = frozenset()

    def letters(self, equation: Equation) -> dict[Index, str]:
        """A letter for each index of the equation, all different."""
        chosen: dict[Index, str] = {}
        for index in _all_indices(equation):
            wanted = self._letter_of.get(self._find(_place(equation, index)), index.name)
            chosen[index] = wanted if wanted not in chosen.values() else self._another(set(chosen.values()), index)
        return chosen

    @cached_property
    def reserved(self) -> set[str]:
        """Names that no index may have: tensors and sizes."""
        return {*self.program.tensors, *map(str, self.program.sizes), "e", "pi"}

    @cached_property
    def order(self) -> dict[str, tuple[int, int, int]]:
        """For each tensor: cotangents first; then the first input that it depends on, then how deep it lies."""
        found: dict[str, tuple[int, int, int]] = {}
        for position, tensor in enumerate(self.program.inputs):
            found[tensor.name] = (self._rank_of_kind(tensor.name), position, 0)
        for depth, equation in enumerate(self.program.equations, 1):
            name = equation.target.name
            births = [found[r.tensor.name][1] for r in reads_of(equation.body) if r.tensor.name in found]
            found[name] = (self._rank_of_kind(name), min(births, default=0), depth)
        return found

    def _rank_of_kind(self, name: str) -> int:
        return 0 if self.variable_of(name, "g") else 1

    @cached_property
    def known(self) -> set[str]:
        """Every tensor that is mentioned, also those whose equations are not needed any more."""
        return {*self.program.tensors, *self.forward, *(e.step.of for e in self.program.equations if e.step.of)}

    def variable_of(self, name: str, prefix: str) -> str | None:
        """The tensor whose cotangent (prefix "g") or tangent (prefix "d") `name` is, else None."""
        if not name.startswith(prefix) or len(name) < 2 or name in self.forward:
            return None
        base = name[len(prefix) :]
        for candidate in (base, base.rstrip("0123456789"), base.rsplit("_", 1)[0]):
            if candidate and candidate in self.known:
                return candidate
        return None

    # -- letters: axes that the same index runs over are one class; classes are coloured

    @cached_property
    def _parent(self) -> dict[Place, Place]:
        parent: dict[Place, Place] = {}
        for equation in self.program.equations:
            seen: dict[Index, Place] = {}
            for place, index in _places(equation):
                parent.setdefault(place, place)
                if index in seen:
                    _union(parent, seen[index], place)
                else:
                    seen[index] = place
        return parent

    def _find(self, place: Place) -> Place:
        return _root(self._parent, place) if place in self._parent else place

    @cached_property
    def _letter_of(self) -> dict[Place, str]:
        meets: dict[Place, set[Place]] = {}
        extents: dict[Place, sympy.Expr] = {}
        leading: set[Place] = set()
        for equation in self.program.equations:
            classes = {}
            for index in _all_indices(equation):
                root = self._find(_place(equation, index))
                classes[root] = index.extent
            for root, extent in classes.items():
                meets.setdefault(root, set()).update(set(classes) - {root})
                extents.setdefault(root, extent)
        for tensor in self.program.tensors.values():
            leading |= {self._find((tensor.name, p)) for p in range(tensor.rank - 2)}
        return _colour(meets, extents, leading, self.reserved)

    def _another(self, taken: set[str], index: Index) -> str:
        same = [l for root, l in self._letter_of.items() if self._extent_of.get(root) == index.extent]
        return next(l for l in (*same, *_pool(self.reserved)) if l not in taken)

    @cached_property
    def _extent_of(self) -> dict[Place, sympy.Expr]:
        shapes = {name: t.shape for name, t in self.program.tensors.items()}
        return {(n, p): shapes[n][p] for n, p in self._letter_of if n in shapes and p < len(shapes[n])}


def _colour(
    meets: dict[Place, set[Place]], extents: dict[Place, sympy.Expr], leading: set[Place], reserved: set[str]
) -> dict[Place, str]:
    """A letter for each class, different from those it meets; one extent keeps to its letters where it can."""
    chosen: dict[Place, str] = {}
    owners: dict[str, sympy.Expr] = {}
    for root, neighbours in meets.items():
        taken = {chosen[n] for n in neighbours if n in chosen}
        extent = extents[root]
        own = [letter for letter, owner in owners.items() if owner == extent]
        new = [letter for letter in _pool(reserved) if letter not in owners]
        initial = [str(extent)[0].lower()] if root in leading and extent.is_Symbol else []
        initial = [letter for letter in initial if letter not in reserved and letter not in owners and letter.isalpha()]
        choices = (*own, *initial, *new, *_pool(reserved))
        chosen[root] = next(letter for letter in choices if letter not in taken)
        owners.setdefault(chosen[root], extent)
    return chosen


def _pool(reserved: set[str]) -> list[str]:
    return [n for n in (*POOL, *(f"{c}{d}" for d in range(1, 30) for c in POOL)) if n not in reserved]


def _root(parent: dict[Place, Place], place: Place) -> Place:
    while parent[place] != place:
        place = parent[place]
    return place


def _union(parent: dict[Place, Place], a: Place, b: Place) -> None:
    a, b = _root(parent, a), _root(parent, b)
    if a != b:
        parent[b] = a


def _places(equation: Equation) -> Iterable[tuple[Place, Index]]:
    """Which index stands on which axis of which tensor; an axis that two indices share in one equation is left out."""
    found: dict[Place, set[Index]] = {}
    for read in (equation.lhs, *_all_reads(equation)):
        for position, index in enumerate(read.indices):
            if isinstance(index, Index):
                found.setdefault((read.tensor.name, position), set()).add(index)
    for place, indices in found.items():
        if len(indices) == 1:
            yield place, next(iter(indices))


def _all_reads(equation: Equation) -> list[Read]:
    return reads_of(equation.body)


def _all_indices(equation: Equation) -> list[Index]:
    """Free indices, then the bound ones in the order in which the body mentions them."""
    mentioned = [i for r in _all_reads(equation) for i in r.indices if isinstance(i, Index)]
    rest = sorted(indices_of(equation.body), key=lambda i: i.name)
    return list(dict.fromkeys((*equation.axes, *mentioned, *equation.bound, *rest)))


def _place(equation: Equation, index: Index) -> Place:
    """An axis that stands for the index; of its own if it is on none."""
    own = (f"{equation.target.name}.{index.name}", -1)
    return next((place for place, found in _places(equation) if found == index), own)
