r"""A formula in LaTeX -> Program: ``\frac{1}{2}\|Wx+b-t\|_2^2``, in the notation of papers on machine learning."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..ir.facts import Spec
from ..ir.nodes import Program
from .formula import Understood, lengths_of
from .formula_grammar import Style
from .formula_guess import LIKELY, Ranks, by_convention
from .formula_names import CONSTANTS
from .formula_program import Reading, check_declared, program_of
from .formula_random import parameters_of, random_of
from .formula_text import Source
from .formula_tree import Call, Chain, Name, Node, Place, Subscript, walk
from .latex_grammar import read_latex
from .latex_lower import LatexLowering, open_lengths
from .latex_resolve import Resolver, split_items, subscripts, word_of
from .latex_tokens import Symbols
from .latex_tree import Group, Mark, Scripted
from .latex_words import GREEK

CAPITALS = {"Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"}


LOSSES = {"L", "J", "ell", "E", "R"}
"""Names of results that are numbers: losses, objectives, energies, risks."""


class LatexStyle(Style):
    """Vectors are columns and juxtaposition is the matrix product."""

    @property
    def name(self) -> str:
        return "LaTeX"


def parse_latex(text: str, specs: Mapping[str, Spec]) -> Program:
    """The program that a formula in LaTeX says; see `understand_latex` for how it is read."""
    return understand_latex(text, specs).program


def understand_latex(text: str, specs: Mapping[str, Spec]) -> Understood:
    r"""Read a formula in LaTeX.

    Every letter is a variable, called as it is written: ``x``, ``theta`` for ``\theta``, ``y_hat`` for ``\hat{y}``,
    whatever font it is in; words stand in ``\mathrm``, ``\text`` or ``\operatorname``. Vectors are columns,
    juxtaposition is the matrix product, ``\odot`` and functions go entry by entry, ``\cdot`` of vectors is their
    inner product. ``^\top``, ``^T`` and ``'`` transpose, ``^{-1}`` inverts, ``|A|`` of a matrix is its determinant.

    A function without brackets takes the factors that follow, up to the next sign or function; a sum all that follows
    up to a plus or minus. A subscript, or a superscript in round brackets, is an index where it contains a letter that
    a sum or the left side brings along, or where it is a number or size and the variable is declared without it;
    else it is part of the name (``W_1``, ``mu_k``). Indices count from 1, or from 0 if a sum of the formula starts
    there; integers in arrays count from 0. A sum without ends runs over the axes on which its letter stands.

    Args:
        text: the formula, with or without ``$``; a left side (``\mathcal{L}(\theta) =``, ``y_i =``) names the result.
        specs: shapes and facts of the variables by name. One without a declaration is taken to be what its letter
            says, as in `formula.understand`; letters in bold are vectors or matrices.

    Raises:
        ParseError: the text cannot be read, and nothing else; classes as in `formula.understand`.
    """
    source = Source(text, "LaTeX formula")
    with source.about():
        declared_sizes = check_declared(specs)
        left, right, symbols = read_latex(source, specs)
        name, letters = left_of(left, right, declared_sizes | specs.keys())
        scope = frozenset(letter for letter, _ in letters)
        integers = {n for n, s in specs.items() if s.kind == "integer"}
        random = random_of(specs)
        resolver = Resolver(source, specs.keys(), integers, set(declared_sizes), set(), [], {}, random=random)
        resolver.node(right, scope)
        resolver.variables.clear()
        tree = resolver.node(right, scope)
        base = base_of(source, resolver)
        reading = Reading(
            source, tree, LatexStyle(), (*variables_in(resolver, specs), *parameters_of(random, specs)),
            new_sizes(tree, resolver, declared_sizes),
            {**lengths_of(tree), **open_lengths(tree, letters)}, partial(ranks_of, symbols, rows_of(tree)),
            partial(LatexLowering, base=base, left=letters), name, name in LOSSES and not letters,
            random=random,
        )  # fmt: skip
        program, guessed = program_of(reading, specs)
        return Understood(program, reading.style, guessed, notes_of(tree, base, program))


def left_of(left: Any, right: Any, taken: set[str]) -> tuple[str, tuple[tuple[str, Place], ...]]:
    """The name on the left side, and the letters that are its indices: single ones that are subscripts on the right."""
    if isinstance(left, Chain) and all(not s and isinstance(p, Group) for s, p in left.rest):
        left = left.first
    marks: tuple[Mark, ...] = ()
    if isinstance(left, Scripted):
        left, marks = left.base, left.marks
    if not isinstance(left, Name):
        return "", ()
    used, name = subscripts(right), left.name
    letters: list[tuple[str, Place]] = []
    for mark in marks:
        for item in split_items(mark.items):
            if mark.kind == "sub" and isinstance(item, Name) and item.name in used - taken:
                letters.append((item.name, item.place))
            elif word := word_of(item):
                name = f"{name}_{word}"
    return name, tuple(letters) if len(dict(letters)) == len(letters) else ()


def variables_in(resolver: Resolver, specs: Mapping[str, Spec]) -> tuple[Name, ...]:
    constants = CONSTANTS.keys() - specs.keys()
    return tuple(n for n in resolver.variables if n.name not in resolver.sizes and n.name not in constants)


def new_sizes(tree: Node, resolver: Resolver, declared: set[str]) -> dict[str, Place]:
    """Sizes that only the upper ends of sums name."""
    new = resolver.sizes - declared
    return {n.name: n.place for n in walk(tree) if isinstance(n, Name) and n.name in new}


def rows_of(tree: Node) -> set[str]:
    """Names that always stand with one index: where they are bold, each is a row of a matrix."""
    parts = list(walk(tree))
    counts = {n.receiver.name: len(n.items) for n in parts if isinstance(n, Subscript) and isinstance(n.receiver, Name)}
    inside = [n.receiver for n in parts if isinstance(n, Subscript)]
    bare = {n.name for n in parts if isinstance(n, Name) and not any(n is r for r in inside)}
    return {name for name, count in counts.items() if count == 1} - bare


def ranks_of(symbols: Symbols, rows: set[str], name: str) -> Ranks:
    """Bold letters are vectors or matrices for certain; others by the letter, without what is written around it."""
    letter = name.partition("_")[0]
    upper = letter in CAPITALS or (len(letter) == 1 and letter.isupper())
    if name in symbols.bold:
        return (2,) if upper or name in rows else (1,)
    rank = 2 if upper else 0 if letter in GREEK else by_convention(letter)
    return (1, 2, 0) if rank == 1 and name in rows else LIKELY[rank]


def base_of(source: Source, resolver: Resolver) -> int:
    """What the first index is: 1, or 0 if sums start there."""
    if len(resolver.starts) > 1:
        what = "one sum starts at 1 and this one at 0, so that it is not clear which index comes first"
        raise source.error_at(what, resolver.starts[0])
    return next(iter(resolver.starts), 1)


def notes_of(tree: Node, base: int, program: Program) -> tuple[str, ...]:
    """Conventions that the formula depends on."""
    parts = list(walk(tree))
    notes = []
    if any(isinstance(n, Subscript) for n in parts):
        notes.append(f"indices count from {base}")
    if any(isinstance(n, Call) and n.function == "bars" for n in parts) and any(
        e.step.rule in ("det", "slogdet") for e in program.equations
    ):
        notes.append("|A| of a matrix is its determinant")
    return tuple(notes)
