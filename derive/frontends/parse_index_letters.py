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
from .formula_tree import Big, Call, Chain, Entry, Iverson, Name, Negative, Node, Number, Place, children

CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "inf": sympy.oo}
"""Names that are numbers, unless a scalar is called so."""


@dataclass(eq=False)
class Letter:
    """An index of one equation, or of one sum in it, and the axis that said what it runs over."""

    name: str
    place: Place
    extent: Expr | None = None
    origin: str = ""

    def index(self) -> Index:
        return Index(self.name, self.extent)


Scope = dict[str, Letter]


@dataclass(frozen=True)
class Use:
    """An index expression on an axis, and the letters that are known there."""

    place: Node
    extent: Expr
    scope: Scope
    what: str


@dataclass
class Letters:
    """The letters of one equation.

    tensors: all tensors by name, those that are met for the first time included; sizes: what is known to be equal.
    """

    source: Source
    tensors: dict[str, Tensor]
    known: frozenset[str]
    sizes: Extents
    scopes: dict[Place, Scope] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    conditional: bool = False
    new: list[Tensor] = field(default_factory=list)

    def is_letter(self, name: str) -> bool:
        """Whether a bare name is an index, not a size, a constant or a scalar."""
        tensor = self.tensors.get(name)
        return name not in self.known and name not in CONSTANTS and (tensor is None or tensor.rank > 0)

    # -- collecting

    def collect(self, node: Node, scope: Scope) -> None:
        """Note the axes in `node`; every sum brings letters of its own."""
        match node:
            case Big(letters=letters, place=place):
                inner = dict(scope)
                for letter in letters:
                    if not self.is_letter(letter):
                        raise self.source.error(f"{letter} is a number, not an index, at {self.source.place(place.start)}", place.start)
                    if letter in scope or letters.count(letter) > 1:
                        raise self.source.error(f"{letter} stands for an index already, at {self.source.place(place.start)}", place.start)
                    inner[letter] = Letter(letter, place)
                self.scopes[place] = scope = inner
            case Entry():
                self.entry(node, scope)
            case Iverson() | Call(function="where"):
                self.conditional = True
        for child in children(node):
            self.collect(child, scope)

    def entry(self, node: Entry, scope: Scope) -> None:
        """An entry of a tensor; one that is not declared has as many axes as it has indices here."""
        tensor = self.tensors.get(node.name)
        if tensor is None:
            shape = tuple(self._open(f"{node.name}{axis}") for axis in range(len(node.indices)))
            tensor = self.tensors[node.name] = Tensor(node.name, shape)
            self.new.append(tensor)
        if tensor.rank != len(node.indices):
            raise ShapeError(
                f"{node.name} has {tensor.rank} axes; found {len(node.indices)} indices "
                f"({self.source.place(node.place.start)})\n{self.source.pointed(node.place.start, node.place.end)}"
            )
        text = self.source.text[node.place.start : node.place.end]
        for index, extent in zip(node.indices, tensor.shape, strict=True):
            self.use(index, extent, scope, text)

    def _open(self, hint: str) -> sympy.Symbol:
        """A size of its own, that may turn out to be another."""
        taken = {*self.tensors, *self.known, *map(str, self.sizes.open)}
        names = (f"{letter}{number}" for number in ("", *range(1, 10_000)) for letter in "nmpqrs")
        symbol = size(next(name for name in names if name not in taken))
        self.sizes.open.add(symbol)
        return symbol

    def use(self, index: Node, extent: Expr, scope: Scope, what: str) -> None:
        """A place on an axis of this extent: a letter by itself runs over the whole axis."""
        if not (isinstance(index, Name) and self.is_letter(index.name)):
            self.uses.append(Use(index, extent, scope, what))
            return
        letter = scope.get(index.name)
        if letter is None:
            raise self.unbound(index)
        if letter.extent is None:
            letter.extent, letter.origin = extent, what
            return
        common = self.sizes.unify(letter.extent, extent)
        if common is None:
            one, other = self.sizes.resolve(letter.extent), self.sizes.resolve(extent)
            raise ShapeError(
                f"the index {letter.name} runs over {one} in {letter.origin} and over {other} in {what}\n"
                f"{self.source.pointed(index.place.start, index.place.end)}\n"
                "  try: give both axes the same name if they are meant to be equal"
            )
        letter.extent = common

    def unbound(self, node: Name) -> ParseError:
        """The error for a letter that is neither on the left nor summed."""
        return self.source.error(
            f"{node.name} at {self.source.place(node.place.start)} is neither an index of the left side nor summed over; "
            f"try: sum_{node.name}",
            node.place.start,
            node.place.end,
        )

    # -- what is left

    def settle(self, scope: Scope) -> None:
        """The ranges of letters that stand on no axis by themselves: as far as ``X[i+k]`` stays within X."""
        letters = {id(x): x for s in (scope, *self.scopes.values()) for x in s.values()}.values()
        while open_letters := [x for x in letters if x.extent is None]:
            found = None if self.conditional else next(self._ranges(), None)
            if found is None:
                letter = open_letters[0]
                raise self.source.error(
                    f"it is not known what the index {letter.name} runs over; try: declare the shape of the left side",
                    letter.place.start,
                    letter.place.end,
                )
            letter, extent, origin = found
            letter.extent, letter.origin = extent, origin
        for s in (scope, *self.scopes.values()):
            for x in s.values():
                x.extent = self.sizes.resolve(x.extent)

    def _ranges(self) -> Iterator[tuple[Letter, Expr, str]]:
        """Letters of which a place is the only one unknown, with the range that keeps the place on its axis."""
        for use in self.uses:
            unknown: dict[sympy.Symbol, Letter] = {}
            place = self._affine(use.place, use.scope, unknown)
            if place is None or len(unknown) != 1:
                continue
            ((symbol, letter),) = unknown.items()
            step = sympy.expand(place).coeff(symbol)
            limits = interval(sympy.expand(place - step * symbol))
            if limits is None or not step.is_Integer or step == 0:
                continue
            length = use.extent - limits[1] if step > 0 else limits[0] + 1
            count = length if abs(step) == 1 else sympy.floor((length + abs(step) - 1) / abs(step))
            yield letter, sympy.expand(count), use.what

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
            return size(name) if name in self.known else None
        letter = scope.get(name)
        if letter is None:
            return None
        if letter.extent is not None:
            return Index(letter.name, self.sizes.resolve(letter.extent))
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
