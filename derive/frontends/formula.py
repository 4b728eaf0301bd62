"""A formula as text -> Program: ``0.5*x'*A*x - log(det(B))``, in the spelling of MATLAB, matrixcalculus.org or NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy

from ..ir.facts import Spec
from ..ir.nodes import Program, size
from .formula_grammar import KEYWORDS, MODULES, Formula, Style, read_formula
from .formula_guess import GREEK
from .formula_lower import Lowering
from .formula_names import CONSTANTS, OWN, functions
from .formula_program import Reading, check_declared, program_of
from .formula_random import parameters_of, random_of
from .formula_text import Source
from .formula_tree import Call, Name, Node, walk
from .formula_where import in_order


@dataclass(frozen=True)
class Understood:
    """A formula and how it was read: its style, the shapes that were not declared, and what else was assumed."""

    program: Program
    style: Style
    guessed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        inputs = [t for t in self.program.inputs if t.name in self.guessed]
        shapes = ", ".join(f"{t.name}[{', '.join(map(str, t.shape))}]" for t in inputs)
        taken = [f"taken to be {shapes}"] if shapes else []
        return "; ".join((f"{self.style.name} style", *taken, *self.notes))


def parse_formula(text: str, specs: Mapping[str, Spec]) -> Program:
    """The program that a formula says; see `understand` for how it is read."""
    return understand(text, specs).program


def understand(text: str, specs: Mapping[str, Spec]) -> Understood:
    """Read a formula.

    In MATLAB style, which holds when one of ``' .* ./ .^ ^ \\`` occurs or nothing decides, vectors are columns and
    ``*`` is the matrix product; ``x'*y`` is a number, ``x*y'`` a matrix, ``x'*A`` a row. Entry by entry are ``.*``,
    ``./``, ``.^``, and functions; ``sum``, ``max``, ``mean``, ``norm1``, ``norm2`` run over all entries. In NumPy
    style, which holds when only marks of NumPy occur (``@ ** .T np. [``), everything means what NumPy means.

    After ``where`` come definitions, ``S = Q*K'; P = softmax(S, axis=1)``, in any order, one on each line or with
    semicolons between them.

    Args:
        text: the formula.
        specs: shapes and facts of the variables by name. One without a declaration is taken to be a scalar
            (a to g, Greek letters), a vector (h to z) or a matrix (A to Z), as on matrixcalculus.org, or else what
            the fewest of such changes make fit; its sizes are those that the operations determine.

    Raises:
        ParseError: the text cannot be read, and nothing else; the message points at the character. Where operations
            do not fit it is a ShapeError, UnsupportedOp or DomainError as well; an UnknownName where a declared name
            does not occur, a SpecError where a name is a variable and a size.
    """
    source = Source(text)
    with source.about():
        formula = read_formula(source)
        program, guessed = program_of(reading_of(source, formula, specs), specs)
        return Understood(program, formula.style, guessed)


def reading_of(
    source: Source, formula: Formula, specs: Mapping[str, Spec], lowering: Callable[..., Lowering] = Lowering
) -> Reading:  # fmt: skip
    """What is known of a formula before any shapes are, its definitions in the order in which they can be computed."""
    random = random_of(specs)
    sizes = check_declared(specs)
    return Reading(
        source, formula.tree, formula.style, (*variables_of(source, formula, specs), *parameters_of(random, specs)),
        lengths=lengths_of(*formula.trees), lowering=lowering, definitions=in_order(source, formula, specs, sizes),
        random=random,
    )  # fmt: skip


def variables_of(source: Source, formula: Formula, specs: Mapping[str, Spec]) -> tuple[Name, ...]:
    """Where variables stand in the formula; a function without its arguments is an error."""
    known = {*check_declared(specs), *CONSTANTS, *MODULES, *KEYWORDS, "..."} - specs.keys()
    known |= {d.target.name for d in formula.definitions}
    found = tuple(n for tree in formula.trees for n in walk(tree) if isinstance(n, Name) and n.name not in known)
    for n in found:
        if n.name not in specs and n.name not in GREEK and n.name in {*functions(), *OWN}:
            raise source.error_at(f"{n.name} is a function; write {n.name}(...), or declare it if it is a variable", n.place)
    return found


LENGTHS = {"vector": 1, "matrix": 2, "identity": 1}
"""Functions that repeat a number, and how many sizes they need."""


def lengths_of(*trees: Node) -> dict[int, tuple[sympy.Symbol, ...]]:
    """Sizes to be determined by what surrounds a call; their names sort last, so that they give way to others."""
    calls = [n for tree in trees for n in walk(tree) if isinstance(n, Call) and n.function in LENGTHS]
    return {
        c.place.start: tuple(size(f"~{c.function} at {c.place.start}, {axis}") for axis in range(LENGTHS[c.function]))
        for c in calls
    }
