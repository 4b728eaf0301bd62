"""The formulas of a derivation as trees, read together: which names are variables, and which it gives to values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..ir.facts import Spec
from .derivation_text import Side, Written
from .formula import lengths_of, reading_of
from .formula_grammar import Formula, Style, read_formula
from .formula_names import CONSTANTS, OWN, functions
from .formula_program import Reading, check_declared
from .formula_random import parameters_of, random_of
from .formula_tree import Call, Chain, Definition, Name, Node, Place, Several, walk
from .formula_where import in_order
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

    chains: its sides, without names that stand for what follows; sides: their trees.
    reading: all of it as one formula, with the names that it gives to values; letters: the indices of these, in LaTeX.
    base: the index of the first entry of an array, in LaTeX.
    """

    written: Written
    chains: Chains
    sides: Mapping[Place, Piece]
    reading: Reading
    letters: Mapping[str, Letters] = field(default_factory=dict)
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


def names_in(trees: Iterable[Node]) -> set[str]:
    """The names that occur in some trees."""
    return {n.name for tree in trees for n in walk(tree) if isinstance(n, Name)}


def _places(written: Written) -> Iterator[Place]:
    yield from (d.value for d in written.definitions)
    yield from (s.place for chain in written.chains for s in chain)


@dataclass
class _Heads:
    """Names that stand before the first sign of a chain, for what follows; `taken` are those that mean something else.

    found: where the value of each stands.
    """

    taken: Collection[str]
    found: dict[str, tuple[Place, Place]] = field(default_factory=dict)

    def without(self, name: str, chain: tuple[Side, ...]) -> tuple[Side, ...]:
        """The chain without its first side, if that is a new name for the second."""
        if not name or chain[1].relation != "==" or name in self.taken or name in self.found:
            return chain
        self.found[name] = chain[0].place, chain[1].place
        return chain[1:]

    def used(self, trees: Iterable[Node]) -> dict[str, tuple[Place, Place]]:
        """Those that occur in some trees."""
        names = names_in(trees)
        return {name: places for name, places in self.found.items() if name in names}


def _defined(name: str, left: Place, body: Node) -> Definition:
    whole = Place(left.start, body.place.end, body.place.depth)
    return Definition(whole, Name(left, name), "=", body)


# -- MATLAB and NumPy


def _plain_pieces(written: Written, specs: Mapping[str, Spec]) -> Pieces:
    read = {place: read_formula(written.piece(place)) for place in _places(written)}
    trees = {place: f.tree for place, f in read.items()}
    definitions = []
    for d in written.definitions:
        name = _name_of(read_formula(written.piece(d.name)).tree)
        if not name:
            raise written.source.error_at(f"{written.words(d.name)} is no name", d.name)
        definitions.append(_defined(name, d.name, trees[d.value]))
    heads = _Heads({*check_declared(specs), *specs, *CONSTANTS, *(d.name for d in definitions)})
    chains = []
    for chain in written.chains:
        first, second = (trees[side.place] for side in chain[:2])
        name = _name_of(first)
        chains.append(heads.without("" if name in names_in([second]) else name, chain))
    shown = [trees[s.place] for chain in chains for s in chain]
    definitions += [
        _defined(n, a, trees[b]) for n, (a, b) in heads.used([*shown, *(d.body for d in definitions)]).items()
    ]
    formula = Formula(together(shown), _style([f.style for f in read.values()]), tuple(definitions))
    reading = reading_of(written.source, formula, specs)
    return Pieces(written, tuple(chains), {place: Piece(tree) for place, tree in trees.items()}, reading)


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
    letters: dict[Place, Letters] = {}
    where: dict[str, tuple[Place, Place]] = {}
    for d in written.definitions:
        name, letters[d.value] = left_of(raws[d.name], raws[d.value], taken)
        if not name or name in where:
            what = "is defined twice" if name else "is no name"
            raise written.source.error_at(f"{written.words(d.name)} {what}", d.name)
        where[name] = d.name, d.value
    heads = _Heads({*taken, *where})
    chains = []
    for chain in written.chains:
        name, own_letters = _head(raws, chain, taken)
        chains.append(heads.without(name, chain))
        if chains[-1] is not chain:
            letters |= {side.place: own_letters for side in chains[-1]}
    values = [value for _, value in where.values()]
    kept = [*values, *(s.place for chain in chains for s in chain)]
    integers = {n for n, s in specs.items() if s.kind == "integer"}
    random, known = random_of(specs), {*specs, *where, *heads.found}
    resolver = Resolver(written.source, known, integers, set(sizes), set(), [], {}, random=random)
    trees: dict[Place, Node] = {}
    for _ in range(2):  # what has an index somewhere has one everywhere
        resolver.variables.clear()
        for place in kept:
            trees[place] = resolver.node(
                raws[place], frozenset(letter for letter, _ in letters.get(place, ()))
            )
    named = {**where, **heads.used(trees.values())}
    definitions = tuple(_defined(name, left, trees[value]) for name, (left, value) in named.items())
    whole = together(trees.values())
    lengths = lengths_of(whole)
    for place in kept:
        lengths |= open_lengths(trees[place], letters.get(place, ()))
    formula = Formula(together(trees[s.place] for chain in chains for s in chain), LatexStyle(), definitions)
    reading = Reading(
        written.source, formula.tree, formula.style,
        (*(n for n in variables_in(resolver, specs) if n.name not in named), *parameters_of(random, specs)),
        new_sizes(whole, resolver, sizes), lengths, partial(ranks_of, symbols, rows_of(whole)),
        definitions=in_order(written.source, formula, specs, sizes), random=random,
    )  # fmt: skip
    sides = {place: Piece(tree, letters.get(place, ())) for place, tree in trees.items()}
    of_names = {name: letters.get(value, ()) for name, (_, value) in named.items()}
    return Pieces(written, tuple(chains), sides, reading, of_names, base_of(written.source, resolver))


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
