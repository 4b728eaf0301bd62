"""The definitions of a formula, ``sum(P) where P = softmax(S); S = Q*K'``: checked, and put in the order of their use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ..errors import ParseError
from .formula_grammar import KEYWORDS, MODULES, Formula
from .formula_guess import GREEK
from .formula_names import CONSTANTS, DERIVATIVES, OWN, functions
from .formula_text import Source
from .formula_tree import Call, Definition, Name, Node, walk

MAX_DEFINITIONS = 100


def in_order(
    source: Source, formula: Formula, variables: Collection[str], sizes: Collection[str]
) -> tuple[Definition, ...]:
    """The definitions, each after those that it uses.

    Raises:
        ParseError: a name is defined twice, by itself, for nothing, or means something else.
    """
    if len(formula.definitions) > MAX_DEFINITIONS:
        place = formula.definitions[MAX_DEFINITIONS].place
        raise source.error_at(f"more than {MAX_DEFINITIONS} definitions", place)
    known: dict[str, Definition] = {}
    for d in formula.definitions:
        if meaning := _meaning(d.name, variables, sizes):
            raise source.error_at(f"{d.name} is defined but is {meaning}; try: another name", d.target.place)
        if d.name in known:
            before = source.place(known[d.name].place.start)
            raise source.error_at(
                f"{d.name} is defined a second time; the first is at {before}", d.target.place
            )
        known[d.name] = d
    ordered: dict[str, Definition] = {}
    for d in formula.definitions:
        _visit(source, d, known, ordered, ())
    used = reached(formula.tree, known)
    for d in formula.definitions:
        if d.name not in used:
            raise source.error_at(f"{d.name} is defined and never used; try: leave it out", d.target.place)
    return tuple(ordered.values())


def differentiated_by(trees: Iterable[Node]) -> frozenset[str]:
    """The names that stand where a derivative says by what it is taken."""
    calls = (n for tree in trees for n in walk(tree) if isinstance(n, Call) and n.function in DERIVATIVES)
    return frozenset(c.args[1].name for c in calls if len(c.args) > 1 and isinstance(c.args[1], Name))


def _meaning(name: str, variables: Collection[str], sizes: Collection[str]) -> str:
    """What a name stands for in every formula, or in the declarations; nothing if it is free."""
    if name in variables:
        return "declared as a variable"
    if name in sizes:
        return "the size of an axis"
    if name in CONSTANTS or name in KEYWORDS:
        return "a constant"
    if name in MODULES:
        return "a module"
    return "a function" if name not in GREEK and name in {*functions(), *OWN} else ""


def _visit(
    source: Source, d: Definition, known: Mapping[str, Definition], ordered: dict[str, Definition], path: tuple[str, ...]
) -> None:  # fmt: skip
    """Add a definition to those in order, behind those that it uses; `path` are the names on the way to it."""
    if d.name in ordered:
        return
    if d.name in path:
        circle = " -> ".join((*path[path.index(d.name) :], d.name))
        raise _circular(source, d, circle)
    for name in _names(d.body, known):
        _visit(source, known[name], known, ordered, (*path, d.name))
    ordered[d.name] = d


def _circular(source: Source, d: Definition, circle: str) -> ParseError:
    what = f"{d.name} is defined by itself ({circle})"
    return source.error_at(
        f"{what}; a recurrence is written step by step: h1 = ..., h2 = ...", d.target.place
    )


def _names(tree: Node, known: Mapping[str, Any]) -> Iterator[str]:
    """The defined names in a formula."""
    named = (n.name if isinstance(n, Name) else n.function for n in walk(tree) if isinstance(n, Name | Call))
    return (name for name in named if name in known)


def reached(tree: Node, known: Mapping[str, Definition]) -> frozenset[str]:
    """The defined names that a formula uses, directly or through others."""
    waiting, seen = list(_names(tree, known)), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_names(known[name].body, known))
    return frozenset(seen)
