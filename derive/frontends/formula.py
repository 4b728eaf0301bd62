"""A formula as text -> Program: ``0.5*x'*A*x - log(det(B))``, in the spelling of MATLAB, matrixcalculus.org or NumPy."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from ..errors import ParseError, ShapeError, SpecError, UnknownName, closest, in_text
from ..ir.facts import Spec
from ..ir.nodes import Program, size
from .formula_code import FormulaCode
from .formula_grammar import KEYWORDS, MODULES, Style, read_formula
from .formula_guess import GREEK, Guess, guesses
from .formula_limits import check_growth
from .formula_lower import Lowering
from .formula_names import CONSTANTS, OWN, functions
from .formula_text import Source
from .formula_tree import Call, Name, Node, walk
from .formula_values import Value
from .names import sizes_of
from .trace import Trace
from .trace_numpy import trace_numpy
from .traced import Traced


@dataclass(frozen=True)
class Understood:
    """A formula and how it was read: its style, and the shapes that were not declared."""

    program: Program
    style: Style
    guessed: tuple[str, ...] = ()

    def __str__(self) -> str:
        inputs = [t for t in self.program.inputs if t.name in self.guessed]
        shapes = ", ".join(f"{t.name}[{', '.join(map(str, t.shape))}]" for t in inputs)
        return f"{self.style.name} style" + (f"; taken to be {shapes}" if shapes else "")


def parse_formula(text: str, specs: Mapping[str, Spec]) -> Program:
    """The program that a formula says; see `understand` for how it is read."""
    return understand(text, specs).program


def understand(text: str, specs: Mapping[str, Spec]) -> Understood:
    """Read a formula.

    In MATLAB style, which holds when one of ``' .* ./ .^ ^ \\`` occurs or nothing decides, vectors are columns and
    ``*`` is the matrix product; ``x'*y`` is a number, ``x*y'`` a matrix, ``x'*A`` a row. Entry by entry are ``.*``,
    ``./``, ``.^``, and functions; ``sum``, ``max``, ``mean``, ``norm1``, ``norm2`` run over all entries. In NumPy
    style, which holds when only marks of NumPy occur (``@ ** .T np. [``), everything means what NumPy means.

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
        return _understand(source, specs)


def _understand(source: Source, specs: Mapping[str, Spec]) -> Understood:
    tree, style = read_formula(source)
    check_growth(source, tree)
    names = _variables(source, tree, specs)
    undeclared = [name for name in names if name not in specs]
    failed: list[ParseError] = []
    for group in guesses(undeclared, {*names, *sizes_of_specs(specs)}, sum(1 for _ in walk(tree))):
        found: list[tuple[Guess, Program]] = []
        for guess in group:
            shapes = {name: specs.get(name) or guess.specs[name] for name in names}
            try:
                found.append((guess, _trace(source, tree, style, shapes, guess.sizes)))
            except ShapeError as error:
                position = error.position if isinstance(error, ParseError) else 0
                failed.append(in_text(type(error))(f"{error}{guess.note()}", position))
        if len(found) > 1:
            raise _undetermined(source, tree, found[0][0], found[1][0])
        if found:
            return Understood(found[0][1], style, tuple(undeclared))
    raise failed[0]


def sizes_of_specs(specs: Mapping[str, Spec]) -> set[str]:
    """The names of the sizes that are declared."""
    return sizes_of(spec.tensor(name) for name, spec in specs.items())


def _variables(source: Source, tree: Node, specs: Mapping[str, Spec]) -> list[str]:
    """The variables of the formula: the declared ones in their order, then the others as they occur."""
    sizes = sizes_of_specs(specs)
    if both := sorted(specs.keys() & sizes):
        raise SpecError(f"{both[0]!r} is a variable and an axis; try: give the axis another name")
    if reserved := sorted(specs.keys() & {*MODULES, *KEYWORDS}):
        raise SpecError(f"{reserved[0]!r} cannot be the name of a variable: a formula means a module or a constant by it")
    known = {*sizes, *CONSTANTS, *MODULES, *KEYWORDS, "..."} - specs.keys()
    found = [n for n in walk(tree) if isinstance(n, Name) and n.name not in known]
    for n in found:
        if n.name not in specs and n.name not in GREEK and n.name in {*functions(), *OWN}:
            raise source.error_at(f"{n.name} is a function; write {n.name}(...), or declare it if it is a variable", n.place)
    used = [n.name for n in found]
    for name in specs:
        if name not in used:
            known_names = closest(name, dict.fromkeys(used))
            raise UnknownName(f"the {source.what} has no variable {name!r}; {known_names}\n  {source.text[:100]}")
    return list(dict.fromkeys((*specs, *used)))


def _trace(
    source: Source, tree: Node, style: Style, specs: Mapping[str, Spec], flexible: frozenset[sympy.Symbol]
) -> Program:  # fmt: skip
    """Trace the formula as a function of its variables."""
    calls = [n for n in walk(tree) if isinstance(n, Call) and n.function in LENGTHS]
    lengths = {c.place.start: _lengths(c) for c in calls}
    trace = Trace({*flexible, *(length for group in lengths.values() for length in group)})
    trace.user = code = FormulaCode(source)
    sizes = [size(name) for name in sorted(sizes_of_specs(specs))]

    def formula(*arrays: Traced) -> Traced:
        names = {str(s): Value(trace.lift(trace.number(s))) for s in sizes}
        names |= {name: Value(array) for name, array in zip(specs, arrays, strict=True)}
        return Lowering(trace, code, style, names, lengths).value(tree).array

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    formula.__signature__ = inspect.Signature([inspect.Parameter(name, positional) for name in specs])  # type: ignore[attr-defined]
    program, _ = trace_numpy(formula, specs, trace)
    known = {s for t in program.inputs for e in t.shape for s in e.free_symbols}
    for call in calls:
        if any(trace.resolve(length).free_symbols - known for length in lengths[call.place.start]):
            raise source.error_at(f"the length of {call.function}(...) is not determined", call.place)
    return program


LENGTHS = {"vector": 1, "matrix": 2}
"""Functions that repeat a number, and how many sizes they need."""


def _lengths(call: Call) -> tuple[sympy.Symbol, ...]:
    """Sizes to be determined by what surrounds the call; their names sort last, so that they give way to others."""
    start = call.place.start
    return tuple(size(f"~{call.function} at {start}, {axis}") for axis in range(LENGTHS[call.function]))


def _undetermined(source: Source, tree: Node, one: Guess, other: Guess) -> ParseError:
    """Two readings fit equally well: the error names the first variable in which they differ."""
    name = next(n for n in one.specs if one.rank(n) != other.rank(n))
    place = next(n.place for n in walk(tree) if isinstance(n, Name) and n.name == name)
    return source.error(
        f"the shape of {name} is not determined: {one.word(name)} and {other.word(name)} both fit; "
        f'try: declare it, {name}="n"', place.start, place.end, ShapeError,
    )  # fmt: skip
