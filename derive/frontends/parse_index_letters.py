"""Which sizes the letters of an equation run over: those of the axes on which they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sympy
from sympy import Expr

from ..errors import ParseError, ShapeError
from ..ir.nodes import Index, Tensor, size
from ..ir.sizes import interval
from .extents import Extents
from .formula_text import Source
from .formula_tree import (
    Applied,
    Big,
    Call,
    Chain,
    Entry,
    Iverson,
    Name,
    Negative,
    Node,
    Number,
    Place,
    children,
)
from .parse_index_applied import understood

CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "inf": sympy.oo}
"""Names that are numbers, unless a scalar is called so."""


@dataclass(eq=False)
class Letter:
    """An index of one equation, or of one sum in it, and the entry that said what it runs over.

    declared: whether that was the declared shape of the left side, which may leave out entries of what is read.
    """

    name: str
    place: Place
    extent: Expr | None = None
    origin: str = ""
    declared: bool = False


Scope = dict[str, Letter]


@dataclass(frozen=True)
class Use:
    """An index expression on an axis, and the letters that are known there."""

    index: Node
    extent: Expr
    scope: Scope
    origin: str


@dataclass
class Letters:
    """The letters of one equation.

    tensors: all tensors by name, those that are met for the first time included; sizes: names of sizes;
    extents: which sizes are equal; fresh: sizes for the axes of tensors that are not declared; stated: ranges that
    the text gives.
    """

    source: Source
    tensors: dict[str, Tensor]
    sizes: frozenset[str]
    extents: Extents
    fresh: Iterator[sympy.Symbol]
    stated: dict[str, Expr]
    scopes: dict[Place, Scope] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    conditional: bool = False
    new: list[Tensor] = field(default_factory=list)

    def is_letter(self, name: str) -> bool:
        """Whether a bare name is an index, not a size, a constant or a scalar."""
        tensor = self.tensors.get(name)
        return name not in self.sizes and name not in CONSTANTS and (tensor is None or tensor.rank > 0)

    # -- collecting

    def collect(self, node: Node, scope: Scope) -> None:
        """Note the axes in `node`; every sum brings letters of its own."""
        match node:
            case Big():
                scope = self.scopes[node.place] = self._inner(node, scope)
            case Entry():
                self._entry(node, scope)
            case Applied():
                self._applied(node, scope)
                return
            case Iverson() | Call(function="where"):
                self.conditional = True
        for child in children(node):
            self.collect(child, scope)

    def _inner(self, node: Big, scope: Scope) -> Scope:
        inner = dict(scope)
        for letter in node.letters:
            if not self.is_letter(letter):
                raise self.source.error_at(f"{letter} is a number, not an index", node.place)
            if letter in scope or node.letters.count(letter) > 1:
                raise self.source.error_at(f"{letter} stands for an index already", node.place)
            inner[letter] = Letter(letter, node.place)
        return inner

    def _entry(self, node: Entry, scope: Scope) -> None:
        """An entry of a tensor."""
        tensor = self._tensor(node.name, len(node.indices), node.place)
        for index, extent in zip(node.indices, tensor.shape, strict=True):
            self.use(index, extent, scope, self.source.words(node.place))

    def _tensor(self, name: str, count: int, place: Place) -> Tensor:
        """The tensor of this name; one that is not declared has as many axes as it has indices here."""
        tensor = self.tensors.get(name)
        if tensor is None:
            shape = tuple(next(self.fresh) for _ in range(count))
            self.extents.open.update(shape)
            tensor = self.tensors[name] = Tensor(name, shape)
            self.new.append(tensor)
        if tensor.rank != count:
            what = f"{name} has {tensor.rank} axes; found {count} indices"
            raise self.source.error(what, place.start, place.end, ShapeError)
        return tensor

    def _applied(self, node: Applied, scope: Scope) -> None:
        """The axes of a function of matrices: those of its operands that have an index, and those of its result."""
        meant = understood(self.source, node, self.tensors)
        for operand in meant.operands:
            origin = self.source.words(operand.node.place)
            shape = self._tensor(operand.name, len(operand.indices), operand.node.place).shape
            for index, extent in zip(operand.indices, shape, strict=True):
                if index is not None:
                    self.use(index, extent, scope, origin)
                    self.collect(index, scope)
        extents = meant.extents(meant.sizes(self.source, self.tensors, self.extents))
        for index, extent in zip(node.indices, extents, strict=True):
            self.use(index, extent, scope, self.source.words(node.place))
        for part in (*meant.parameters, *node.indices):
            self.collect(part, scope)

    def use(self, index: Node, extent: Expr, scope: Scope, origin: str) -> None:
        """A place on an axis of this extent: a letter by itself runs over the whole axis."""
        if not (isinstance(index, Name) and self.is_letter(index.name)):
            self.uses.append(Use(index, extent, scope, origin))
            return
        letter = scope.get(index.name)
        if letter is None:
            raise self.unbound(index)
        if letter.extent is None:
            letter.extent, letter.origin = self.stated.get(letter.name, extent), origin
        if letter.name in self.stated:
            return
        common = self.extents.unify(letter.extent, extent)
        if common is None and self._stays(letter, extent):
            return
        if common is None:
            common = self._shorter(letter.extent, extent)
        if common is None:
            one, other = self.extents.resolve(letter.extent), self.extents.resolve(extent)
            raise self.source.error(
                f"the index {letter.name} runs over {one} in {letter.origin} and over {other} in {origin}\n"
                "  try: give both axes the same name if they are meant to be equal",
                index.place.start, index.place.end, ShapeError,
            )  # fmt: skip
        letter.extent = common

    def _stays(self, letter: Letter, extent: Expr) -> bool:
        """Whether an index of a declared left side stays on an axis of another length, or a condition may see to that."""
        if not letter.declared or letter.extent is None:
            return False
        rest = sympy.expand(self.extents.resolve(extent) - self.extents.resolve(letter.extent))
        return self.conditional or bool(rest.is_positive)

    def _shorter(self, one: Expr, other: Expr) -> Expr | None:
        """Of ``T`` and ``T + 1`` the first: a recurrence has one state more than it has steps."""
        one, other = self.extents.resolve(one), self.extents.resolve(other)
        more = sympy.expand(other - one)
        if not (more.is_Integer and one.free_symbols):
            return None
        return one if more.is_positive else other

    def unbound(self, node: Name) -> ParseError:
        """The error for a letter that is neither on the left nor summed."""
        what = f"{node.name} is neither an index of the left side nor summed over; try: sum_{node.name}"
        return self.source.error_at(what, node.place)

    # -- what is left

    def indices(self, root: Scope) -> tuple[dict[str, Index], dict[Place, dict[str, Index]]]:
        """The indices of the equation, and those within each of its sums.

        A letter that stands on no axis by itself runs as far as ``X[i+k]`` stays within X.
        """
        scopes = (root, *self.scopes.values())
        for letter in (x for scope in scopes for x in scope.values() if x.extent is None):
            letter.extent = self.stated.get(letter.name)
        while missing := next((x for scope in scopes for x in scope.values() if x.extent is None), None):
            found = None if self.conditional else next(self._ranges(), None)
            if found is None:
                what = f"it is not known what the index {missing.name} runs over"
                raise self.source.error_at(f"{what}; try: declare the shape of the left side", missing.place)
            letter, extent, origin = found
            letter.extent, letter.origin = extent, origin
        return self._indices(root), {place: self._indices(scope) for place, scope in self.scopes.items()}

    def _indices(self, scope: Scope) -> dict[str, Index]:
        return {x.name: Index(x.name, self.extents.resolve(x.extent)) for x in scope.values() if x.extent is not None}

    def _ranges(self) -> Iterator[tuple[Letter, Expr, str]]:
        """Letters that are the only unknown of a place, with the range that keeps the place on its axis."""
        for use in self.uses:
            unknown: dict[sympy.Symbol, Letter] = {}
            place = self._affine(use.index, use.scope, unknown)
            if place is None or len(unknown) != 1:
                continue
            ((symbol, letter),) = unknown.items()
            step = sympy.expand(place).coeff(symbol)
            limits = interval(sympy.expand(place - step * symbol))
            if limits is None or not step.is_Integer or step == 0:
                continue
            length = use.extent - limits[1] if step > 0 else limits[0] + 1
            count = length if abs(step) == 1 else sympy.floor((length + abs(step) - 1) / abs(step))
            yield letter, sympy.expand(count), use.origin

    def _affine(self, node: Node, scope: Scope, unknown: dict[sympy.Symbol, Letter]) -> Expr | None:
        """A place as a sum of multiples of indices; letters whose range is open become symbols."""
        match node:
            case Number(value=value):
                return value
            case Name(name=name):
                return self._symbol(name, scope, unknown)
            case Negative(arg=arg):
                inner = self._affine(arg, scope, unknown)
                return None if inner is None else -inner
            case Chain():
                return self._joined(node, scope, unknown)
        return None

    def _joined(self, node: Chain, scope: Scope, unknown: dict[sympy.Symbol, Letter]) -> Expr | None:
        total = self._affine(node.first, scope, unknown)
        for symbol, operand in node.rest:
            right = self._affine(operand, scope, unknown)
            if total is None or right is None or symbol == "/":
                return None
            total = total + right if symbol == "+" else total - right if symbol == "-" else total * right
        return total

    def _symbol(self, name: str, scope: Scope, unknown: dict[sympy.Symbol, Letter]) -> Expr | None:
        if not self.is_letter(name):
            return size(name) if name in self.sizes else None
        letter = scope.get(name)
        if letter is None:
            return None
        if letter.extent is not None:
            return Index(letter.name, self.extents.resolve(letter.extent))
        symbol = sympy.Symbol(f"{name}?", integer=True)
        unknown[symbol] = letter
        return symbol


def unbound_letters(node: Node, letters: Letters, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The letters in a tree that no sum in it brings along, from left to right."""
    if isinstance(node, Big):
        bound |= frozenset(node.letters)
    if isinstance(node, Name) and node.name not in bound and letters.is_letter(node.name):
        yield node.name
    for child in children(node):
        yield from unbound_letters(child, letters, bound)
