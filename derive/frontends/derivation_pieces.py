"""The formulas of a derivation as trees, read together: which names are variables, and which it gives to values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..ir.facts import Spec
from .derivation_text import Side, Written
from .formula import lengths_of, variables_of
from .formula_grammar import KEYWORDS, MODULES, Style, read_formula
from .formula_names import CONSTANTS, OWN, functions
from .formula_program import Reading, check_declared
from .formula_tree import Call, Chain, Name, Node, Place, Several, walk
from .latex import LOSSES, LatexStyle, base_of, left_of, new_sizes, ranks_of, rows_of, variables_in
from .latex_grammar import read_latex
from .latex_lower import open_lengths
from .latex_resolve import MAPS, Resolver, names_of
from .latex_tokens import Symbols
from .latex_tree import Group

Letters = tuple[tuple[str, Place], ...]
"""Indices that the left side of a formula in LaTeX brings along, and where."""
Chains = tuple[tuple[Side, ...], ...]


@dataclass(frozen=True)
class Piece:
    """One side of a derivation, or the value of a name, as a tree."""

    tree: Node
    letters: Letters = ()


@dataclass(frozen=True)
class Pieces:
    """A derivation before anything is known of shapes.

    chains: its sides, without names that stand for what follows; sides: their trees; definitions: those of its names;
    base: the index of the first entry of an array, in LaTeX.
    reading: all of it as one formula, which its lowering is not decided of.
    """

    written: Written
    chains: Chains
    sides: Mapping[Place, Piece]
    definitions: Mapping[str, Piece]
    reading: Reading
    base: int = 1


def read_pieces(written: Written, specs: Mapping[str, Spec]) -> Pieces:
    """The trees of a derivation.

    Raises:
        ParseError: a formula cannot be read, or a name is defined twice or by itself.
    """
    return (_latex_pieces if written.latex else _plain_pieces)(written, specs)


def together(trees: Iterable[Node]) -> Several:
    """Several formulas as one tree."""
    trees = tuple(trees)
    places = [t.place for t in trees]
    start, end = min(p.start for p in places), max(p.end for p in places)
    return Several(Place(start, end, max(p.depth for p in places) + 1), trees)


def names_in(tree: Node) -> dict[str, Place]:
    """The names in a tree, and where each stands first."""
    found: dict[str, Place] = {}
    for n in walk(tree):
        if isinstance(n, Name):
            found.setdefault(n.name, n.place)
    return found


def _places(written: Written) -> Iterator[Place]:
    yield from (d.value for d in written.definitions)
    yield from (s.place for chain in written.chains for s in chain)


# -- names that are given to values


@dataclass
class _Named:
    """Collects the names of a derivation; `taken` are those that mean something else."""

    written: Written
    taken: Collection[str]
    found: dict[str, Place]

    def where(self, name: str, left: Place, right: Place) -> None:
        """A name after the word where."""
        if not name or name in self.taken or name in self.found:
            what = (
                "is defined twice"
                if name in self.found
                else "is a variable"
                if name in self.taken
                else "is no name"
            )
            raise self.written.source.error_at(f"{self.written.words(left)} {what}", left)
        self.found[name] = right

    def head(self, name: str, chain: tuple[Side, ...]) -> tuple[Side, ...]:
        """The chain without its first side, if that is a new name for the second."""
        if not name or chain[1].relation != "==" or name in self.taken or name in self.found:
            return chain
        self.found[name] = chain[1].place
        return chain[1:]

    def ordered(self, sides: Mapping[Place, Piece]) -> dict[str, Piece]:
        """The definitions, each behind those that it uses."""
        done: dict[str, Piece] = {}
        open_: list[str] = []

        def visit(name: str) -> None:
            if name in open_:
                raise self.written.source.error_at(f"{name} is defined by itself", self.found[name])
            open_.append(name)
            piece = sides[self.found[name]]
            for other in names_in(piece.tree):
                if other in self.found and other not in done:
                    visit(other)
            done[name] = piece
            open_.pop()

        for name in self.found:
            if name not in done:
                visit(name)
        return done


def _new(name: str, value: Node) -> str:
    """The name, if its value does not contain it: ``A = A'`` is a claim about A."""
    return "" if name in names_in(value) else name


# -- MATLAB and NumPy


def _plain_pieces(written: Written, specs: Mapping[str, Spec]) -> Pieces:
    read = {place: read_formula(written.piece(place)) for place in _places(written)}
    sides = {place: Piece(tree) for place, (tree, _) in read.items()}
    named = _Named(written, {*check_declared(specs), *specs, *CONSTANTS, *MODULES, *KEYWORDS}, {})
    for d in written.definitions:
        left, _ = read_formula(written.piece(d.name))
        named.where(_name_of(left), d.name, d.value)
    chains = []
    for chain in written.chains:
        first, second = (sides[side.place].tree for side in chain[:2])
        chains.append(named.head(_new(_name_of(first), second), chain))
    definitions = named.ordered(sides)
    kept = [*named.found.values(), *(s.place for chain in chains for s in chain)]
    tree = together(sides[place].tree for place in dict.fromkeys(kept))
    variables = tuple(n for n in variables_of(written.source, tree, specs) if n.name not in definitions)
    reading = Reading(
        written.source, tree, _style([s for _, s in read.values()]), variables, lengths=lengths_of(tree)
    )
    return Pieces(written, tuple(chains), sides, definitions, reading)


def _style(styles: Sequence[Style]) -> Style:
    """The style of formulas that belong together."""
    return Style(
        next((s.matlab for s in styles if s.matlab), ""), next((s.numpy for s in styles if s.numpy), "")
    )


def _name_of(tree: Node) -> str:
    """The name that a side is, ``f``, or that it gives to a function of names, ``f(x)``."""
    match tree:
        case Name(name=name):
            return name
        case Call(function=name, args=args, options=(), receiver=None) if name not in {*functions(), *OWN}:
            return name if args and all(isinstance(a, Name) for a in args) else ""
    return ""


# -- LaTeX


def _latex_pieces(written: Written, specs: Mapping[str, Spec]) -> Pieces:
    symbols, raws = Symbols(), dict[Place, Any]()
    for place in (*_places(written), *(d.name for d in written.definitions)):
        _, raws[place], own = read_latex(written.piece(place), specs)
        symbols.bold |= own.bold
    sizes = check_declared(specs)
    taken = {*sizes, *specs}
    named = _Named(written, taken, {})
    letters: dict[Place, Letters] = {}
    for d in written.definitions:
        name, own_letters = left_of(raws[d.name], raws[d.value], taken)
        letters[d.value] = own_letters
        named.where(name, d.name, d.value)
    chains = []
    for chain in written.chains:
        name, own_letters = _head(raws, chain, taken)
        shorter = named.head(name, chain)
        if shorter is not chain:
            letters |= {side.place: own_letters for side in shorter}
        chains.append(shorter)
    kept = list(dict.fromkeys([*named.found.values(), *(s.place for chain in chains for s in chain)]))
    integers = {n for n, s in specs.items() if s.kind == "integer"}
    resolver = Resolver(written.source, {*specs, *named.found}, integers, set(sizes), set(), [], {})
    sides: dict[Place, Piece] = {}
    for _ in range(2):  # what has an index somewhere has one everywhere
        resolver.variables.clear()
        for place in kept:
            own_letters = letters.get(place, ())
            tree = resolver.node(raws[place], frozenset(letter for letter, _ in own_letters))
            sides[place] = Piece(tree, own_letters)
    definitions = named.ordered(sides)
    tree = together(sides[place].tree for place in kept)
    lengths = lengths_of(tree)
    for place in kept:
        lengths |= open_lengths(sides[place].tree, sides[place].letters)
    variables = tuple(n for n in variables_in(resolver, specs) if n.name not in definitions)
    reading = Reading(
        written.source, tree, LatexStyle(), variables, new_sizes(tree, resolver, sizes), lengths,
        partial(ranks_of, symbols, rows_of(tree)),
    )  # fmt: skip
    return Pieces(written, tuple(chains), sides, definitions, reading, base_of(written.source, resolver))


def _head(raws: Mapping[Place, Any], chain: tuple[Side, ...], taken: set[str]) -> tuple[str, Letters]:
    """The name that stands before the first sign and its indices; ``A(B + C)`` is a product, ``f(x)`` a name."""
    first = raws[chain[0].place]
    if isinstance(first, Chain):
        called = isinstance(first.first, Name) and first.first.name in {*MAPS, *LOSSES}
        if not called or any(s or not isinstance(p, Group) for s, p in first.rest):
            return "", ()
    name, letters = left_of(first, tuple(raws[s.place] for s in chain[1:]), taken)
    own = {n.name for n in names_of(raws[chain[1].place])}
    return ("", ()) if name in own else (name, letters)
