"""One line of index notation -> equations: its own, and one for every reduction within it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr

from ..errors import ShapeError
from ..ir.nodes import Bracket, Equation, Index, Read, Reduction, Step, Tensor, indices_of
from .extents import Extents
from .formula_text import Source
from .formula_tree import Big, Chain, Compare, Definition, Entry, Name, Negative, Node
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
        """Find the axes on which the letters stand, those of the left side last."""
        for place in self.places:
            self.letters.collect(place, root)
        self.letters.collect(self.definition.body, root)
        if self.declared is None:
            return
        target = self.definition.target.place
        if self.declared.rank != len(self.places):
            what = f"{self.declared.name} was declared with {self.declared.rank} axes; found {len(self.places)} indices"
            raise self.source.error(what, target.start, target.end, ShapeError)
        for place, extent in zip(self.places, self.declared.shape, strict=True):
            self.letters.use(place, extent, root, self.source.words(target))

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
            sign = {"positive"} if body.is_positive else {"nonnegative"} if body.is_nonnegative else ()
            target = Tensor(name, shape, facts=frozenset(sign))
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

    def aside(self, node: Big, indices: Indices) -> Expr:
        """A reduction within an expression: an equation of its own over the letters that occur in it."""
        reduced = self._reduced(node, indices)
        free = indices_of(sympy.Mul(*reduced[0])) - set(reduced[2])
        axes = tuple(i for i in indices.values() if i in free)
        letters = "ZUVTRSQPHGFDCB" if len(axes) > 1 else "zuvtrsqphgfdcb"
        names = (f"{letter}{number}" for number in ("", *range(2, 10_000)) for letter in letters)
        name = next(name for name in names if name not in self.build.words and name not in self.build.tensors)
        self.made.append(self._equation(name, axes, reduced, named=False))
        target = self.build.tensors[name] = self.made[-1].target
        return Read(target, axes)


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
