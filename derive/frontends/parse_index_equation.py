"""One line of index notation -> equations: its own, and one for every reduction within it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr

from ..errors import ShapeError
from ..ir.facts import sign_facts
from ..ir.nodes import (
    Bracket,
    Equation,
    Index,
    Read,
    Reduction,
    Step,
    Tensor,
    fresh_indices,
    indices_of,
)
from ..ir.nodes import Entry as Result
from ..ir.slots import operand_facts
from ..ops.linalg import primitives
from .extents import Extents
from .formula_text import Source
from .formula_tree import Applied, Big, Chain, Compare, Definition, Entry, Iverson, Name, Negative, Node, walk
from .parse_index_applied import understood
from .parse_index_bodies import Bodies, Indices
from .parse_index_letters import Letter, Letters, Scope, unbound_letters

Reduced = tuple[list[Expr], Reduction | None, tuple[Index, ...]]
"""The factors of a body, how it is reduced, and over which indices."""


@dataclass
class Build:
    """What the equations of a text share.

    tensors: all tensors so far; sizes: names of sizes; extents: which sizes are equal; fresh: sizes for tensors
    that are not declared, which are collected in `new`; words: names that are not free.
    """

    source: Source
    tensors: dict[str, Tensor]
    sizes: frozenset[str]
    extents: Extents
    fresh: Iterator[sympy.Symbol]
    words: set[str]
    new: list[Tensor] = field(default_factory=list)

    def equations(self, definition: Definition, declared: Tensor | None) -> list[Equation]:
        """The equations of one line, that for its left side last."""
        return _Line(self, definition, declared).equations()


class _Line:
    def __init__(self, build: Build, definition: Definition, declared: Tensor | None) -> None:
        self.build, self.source, self.definition, self.declared = build, build.source, definition, declared
        target = definition.target
        self.places = target.indices if isinstance(target, Entry) else ()
        stated = dict(map(self._range, definition.ranges))
        self.letters = Letters(
            build.source, build.tensors, build.sizes, build.extents, build.fresh, stated, new=build.new
        )
        root = self._root()
        self._collect(root)
        self.indices, scopes = self.letters.indices(root)
        self.bodies = Bodies(build.source, build.tensors, scopes, self.aside, build.sizes)
        self.made: list[Equation] = []

    def equations(self) -> list[Equation]:
        if (places := self._own_places()) is not None:
            return [self._result(self.definition.body, places)]  # type: ignore[arg-type]
        factors, reduce, bound = self._reduced(self.definition.body, self.indices)
        if self.definition.sign == "+=" and reduce not in (None, "sum"):
            factors, reduce, bound = [self.bodies.scalar(self.definition.body, self.indices)], None, ()
        axes: list[Index] = []
        for position, place in enumerate(self.places):
            axis, bracket = self._axis(position, place, axes)
            axes.append(axis)
            factors = [*factors, bracket]
        if self.definition.sign == "+=":
            bound, reduce = (*(i for i in self.indices.values() if i not in axes), *bound), "sum"
        name = self.definition.target.name
        return [*self.made, self._equation(name, tuple(axes), (factors, reduce, bound), named=True)]

    # -- letters

    def _range(self, node: Node) -> tuple[str, Expr]:
        """What is said after ``for``: ``i < 2 m``."""
        if not (isinstance(node, Compare) and node.symbol == "<" and isinstance(node.left, Name)):
            raise self.source.error_at("after for stand the ranges of indices; try: for i < 2 n, j < 3", node.place)
        extent = Bodies(self.source, {}, {}, self.aside, self.build.sizes).place(node.right, {})
        if extent.is_nonpositive or not extent.is_finite:
            raise self.source.error_at(f"{extent} is no length of an axis", node.right.place)
        return node.left.name, extent

    def _root(self) -> Scope:
        """The letters of the left side; of a scatter also those that are summed."""
        scope: Scope = {}
        for place in self.places:
            if isinstance(place, Name) and self.letters.is_letter(place.name):
                if place.name in scope:
                    what = f"the index {place.name} stands twice on the left side; try: [i = j] on the right"
                    raise self.source.error_at(what, place.place)
                scope[place.name] = Letter(place.name, place.place)
            elif self.definition.sign == "=":
                what = "the left side of = has letters as indices; try: += for a scatter"
                raise self.source.error_at(what, place.place)
        if self.definition.sign == "+=":
            for part in (*self.places, self.definition.body):
                for name in unbound_letters(part, self.letters):
                    scope.setdefault(name, Letter(name, self.definition.place))
        return scope

    def _collect(self, root: Scope) -> None:
        """Find the axes on which the letters stand; a declared left side decides how far its own run."""
        if self.declared is not None:
            self._follow(self.declared, root)
        for place in self.places:
            self.letters.collect(place, root)
        self.letters.collect(self.definition.body, root)

    def _follow(self, declared: Tensor, root: Scope) -> None:
        target = self.definition.target.place
        if declared.rank != len(self.places):
            what = f"{declared.name} was declared with {declared.rank} axes; found {len(self.places)} indices"
            raise self.source.error(what, target.start, target.end, ShapeError)
        parts = list(walk(self.definition.body))
        self.letters.conditional = any(isinstance(n, Iverson) or getattr(n, "function", "") == "where" for n in parts)
        for place, extent in zip(self.places, declared.shape, strict=True):
            self.letters.use(place, extent, root, self.source.words(target))
            if isinstance(place, Name) and place.name in root and place.name not in self.letters.stated:
                root[place.name].declared = True

    # -- the left side

    def _axis(self, position: int, place: Node, before: list[Index]) -> tuple[Index, Expr]:
        """An axis of the target; where a scatter has an expression, a new index that must be equal to it."""
        if isinstance(place, Name) and place.name in self.indices:
            return self.indices[place.name], sympy.S.One
        expression = self.bodies.place(place, self.indices)
        taken = {*self.build.words, *(i.name for i in before)}
        names = (f"{letter}{number}" for number in ("", *range(1, 1000)) for letter in "abcijkl")
        axis = Index(next(name for name in names if name not in taken), self._length(position, expression, place))
        return axis, Bracket(sympy.Eq(axis, expression))

    def _length(self, position: int, place: Expr, node: Node) -> Expr:
        """The extent of an axis that is scattered to: as declared, or the bound of the integers that point into it."""
        if self.declared is not None:
            return self.declared.shape[position]
        if isinstance(place, Read) and place.tensor.bound is not None:
            return place.tensor.bound
        what = f"the size of axis {position} of {self.definition.target.name} is not known; try: declare its shape"
        raise self.source.error_at(what, node.place)

    def _equation(self, name: str, axes: tuple[Index, ...], reduced: Reduced, named: bool) -> Equation:
        factors, reduce, bound = reduced
        body = self.bodies.real(sympy.Mul(*factors), self.definition)
        shape = tuple(i.extent for i in axes)
        if named and self.declared is not None:
            target = replace(self.declared, shape=shape)
        else:
            target = Tensor(name, shape, facts=sign_facts(body, reduce if bound else None, bound))
        step = Step(rule="given", where=self.source.words(self.definition.place), named=named)
        return Equation(target, axes, body, reduce if bound else None, bound, step)

    # -- the right side

    def _reduced(self, node: Node, indices: Indices) -> Reduced:
        """The outermost reduction; factors in front of a sum go into it, and so does a sum of a sum."""
        match node:
            case Big(kind=kind, arg=arg, place=place):
                inner = self.bodies.scopes[place]
                bound = tuple(inner[letter] for letter in node.letters)
                if kind == "sum" and _is_sum(arg):
                    factors, _, further = self._reduced(arg, inner)
                    return factors, "sum", (*bound, *further)
                return self.bodies.factors(arg, inner), kind, bound  # type: ignore[return-value]
            case Negative(arg=arg) if _is_sum(arg):
                factors, reduce, bound = self._reduced(arg, indices)
                return [sympy.S.NegativeOne, *factors], reduce, bound
            case Chain(first=first, rest=(*front, (_, last))) if _is_sum(node):
                factors, reduce, bound = self._reduced(last, indices)
                before = Chain(node.place, first, tuple(front)) if front else first
                return [*self.bodies.factors(before, indices), *factors], reduce, bound
        return self.bodies.factors(node, indices), None, ()

    def aside(self, node: Big | Applied, indices: Indices) -> Expr:
        """A reduction or a function of matrices within an expression: an equation of its own over the letters in it."""
        if isinstance(node, Applied):
            return self._aside_result(node, indices)
        reduced = self._reduced(node, indices)
        free = indices_of(sympy.Mul(*reduced[0])) - set(reduced[2])
        axes = tuple(i for i in indices.values() if i in free)
        self.made.append(self._equation(self._new_name(len(axes)), axes, reduced, named=False))
        target = self.build.tensors[self.made[-1].target.name] = self.made[-1].target
        return Read(target, axes)

    def _new_name(self, rank: int) -> str:
        letters = "ZUVTRSQPHGFDCB" if rank > 1 else "zuvtrsqphgfdcb"
        names = (f"{letter}{number}" for number in ("", *range(2, 10_000)) for letter in letters)
        return next(name for name in names if name not in self.build.words and name not in self.build.tensors)

    # -- functions of matrices

    def _own_places(self) -> list[Index] | None:
        """The axes of the target on which the result of a function of matrices stands, if the line says only that."""
        body, sign = self.definition.body, self.definition.sign
        if not isinstance(body, Applied) or sign != "=":
            return None
        names = [i.name for i in body.indices if isinstance(i, Name) and i.name in self.indices]
        if len(set(names)) < len(body.indices):
            return None
        return [self.indices[name] for name in names]

    def _result(self, node: Applied, places: list[Index]) -> Equation:
        """The equation of a line that is a function of matrices."""
        axes = tuple(self.indices[p.name] for p in self.places if isinstance(p, Name))
        return self._defined(self.definition.target.name, axes, self.bodies.applied(node, self.indices, places), True)

    def _aside_result(self, node: Applied, indices: Indices) -> Expr:
        """An entry of a result within an expression: the whole result in an equation of its own."""
        meant = understood(self.source, node, self.build.tensors)
        extents = meant.extents(meant.sizes(self.source, self.build.tensors, self.build.extents))
        places = fresh_indices(extents, avoid=indices.values())
        body = self.bodies.applied(node, indices, places)
        used = indices_of(body) - set(places)
        batch = tuple(i for i in indices.values() if i in used)
        self.made.append(self._defined(self._new_name(len(batch) + len(places)), (*batch, *places), body, False))
        target = self.build.tensors[self.made[-1].target.name] = self.made[-1].target
        return Read(target, (*batch, *(self.bodies.place(i, indices) for i in node.indices)))

    def _defined(self, name: str, axes: tuple[Index, ...], body: Result, named: bool) -> Equation:
        """An equation whose body is a function of matrices, with the facts that its record knows."""
        known = primitives()[body.primitive].facts(*map(operand_facts, body.operands))
        facts = known[body.output] if body.output < len(known) else frozenset()
        target = Tensor(name, tuple(i.extent for i in axes), facts=facts)
        if named and self.declared is not None:
            target = replace(self.declared, shape=target.shape, facts=self.declared.facts | facts)
        step = Step(rule="given", where=self.source.words(self.definition.place), named=named)
        return Equation(target, axes, body, step=step)


def _is_sum(node: Node) -> bool:
    """Whether a term is a sum with factors in front of it."""
    match node:
        case Big(kind=kind):
            return kind == "sum"
        case Negative(arg=arg):
            return _is_sum(arg)
        case Chain(rest=(*front, ("" | "*", last))):
            return all(symbol not in ("+", "-") for symbol, _ in front) and _is_sum(last)
    return False
