"""A formula that was read -> Program: shapes for what is not declared, and the trace on arrays of these shapes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from ..errors import ParseError, ShapeError, SpecError, UnknownName, closest, in_text
from ..ir.facts import Spec
from ..ir.nodes import Index, Program, Tensor, indices_of, size, substitute
from ..ir.sizes import sizes_in
from ..ir.tensors import with_tensors
from .formula_code import FormulaCode
from .formula_derivatives import Taken
from .formula_grammar import KEYWORDS, MODULES, Style
from .formula_guess import Guess, Ranks, guesses, likely_ranks
from .formula_limits import Growth, check_growth
from .formula_lower import Lowering
from .formula_random import Random, completed
from .formula_text import Source
from .formula_tree import Call, Definition, Name, Node, Place, walk
from .formula_values import Value
from .formula_where import differentiated_by
from .names import RESERVED, sizes_of
from .trace import Trace
from .trace_numpy import trace_numpy
from .traced import Traced

Lengths = dict[int, tuple[sympy.Symbol, ...]]
"""Sizes that what surrounds them determines, by the character at which the part of the formula starts."""


@dataclass(frozen=True)
class Reading:
    """A formula before anything is known of shapes.

    style: how it says what it is written in.
    variables: where the names of variables stand, as they occur.
    sizes: names that stand for sizes though no axis is declared with them, and where.
    lengths: sizes that nothing in the text names, as that of ``vector(1)``.
    likely: the ranks to try for a name without a declaration, in their order.
    lowering: what makes arrays of the tree.
    left: the name of the result, if the formula gives it one.
    derivatives: where the derivatives of a formula of several results are put, but for those of what is random; then
        their arrays are further results.
    number: whether the result must be a number.
    definitions: what the formula defines, each after what it uses.
    random: its random variables, over which it takes means.
    only_shapes: whether means are left out, where only the shapes of variables are asked for.
    """

    source: Source
    tree: Node
    style: Style
    variables: tuple[Name, ...]
    sizes: Mapping[str, Place] = field(default_factory=dict)
    lengths: Lengths = field(default_factory=dict)
    likely: Callable[[str], Ranks] = likely_ranks
    lowering: Callable[..., Lowering] = Lowering
    left: str = ""
    number: bool = False
    derivatives: list[Taken] | None = None
    definitions: tuple[Definition, ...] = ()
    random: Mapping[str, Random] = field(default_factory=dict)
    only_shapes: bool = False

    @property
    def trees(self) -> tuple[Node, ...]:
        """What is defined, then the formula."""
        return *(d.body for d in self.definitions), self.tree


def program_of(reading: Reading, specs: Mapping[str, Spec]) -> tuple[Program, tuple[str, ...]]:
    """The program, and the names of the variables whose shapes were not declared.

    Raises:
        ShapeError: no shapes fit, or several do equally well.
        UnknownName: a declared name does not occur.
    """
    source, tree = reading.source, reading.tree
    known: dict[str, Growth] = {}
    for definition in reading.definitions:
        known[definition.name] = check_growth(source, definition.body, known)
    check_growth(source, tree, known)
    declared, specs = specs, completed(reading.random, specs)
    names = _variables(reading, specs)
    undeclared = [name for name in names if name not in specs]
    guessed = tuple(name for name in names if name not in declared)
    failed: list[ParseError] = []
    taken = {*names, *sizes_of_specs(specs), *reading.sizes, *known}
    length = sum(1 for part in reading.trees for _ in walk(part))
    for group in guesses(undeclared, taken, length, reading.likely):
        found: list[tuple[Guess, Program]] = []
        for guess in group:
            shapes = {name: specs.get(name) or guess.specs[name] for name in names}
            try:
                found.append((guess, _trace(reading, shapes, guess.sizes)))
                if reading.number and undeclared and found[-1][1].outputs[0].rank:
                    raise _no_number(reading, found.pop()[1])
            except ShapeError as error:
                position = error.position if isinstance(error, ParseError) else 0
                failed.append(in_text(type(error))(f"{error}{guess.note()}", position))
        if len(found) > 1:
            raise _undetermined(reading, found[0][0], found[1][0])
        if found:
            return found[0][1], guessed
    raise failed[0]


def _no_number(reading: Reading, program: Program) -> ParseError:
    place, shape = reading.tree.place, ", ".join(map(str, program.outputs[0].shape))
    what = f"{reading.left} should be a number; it would have the axes {shape}"
    return reading.source.error(what, place.start, place.end, ShapeError)


def sizes_of_specs(specs: Mapping[str, Spec]) -> set[str]:
    """The names of the sizes that are declared."""
    return sizes_of(spec.tensor(name) for name, spec in specs.items())


def check_declared(specs: Mapping[str, Spec]) -> set[str]:
    """The declared sizes.

    Raises:
        SpecError: a name is a variable and a size, or means something else in formulas.
    """
    sizes = sizes_of_specs(specs)
    if both := sorted(specs.keys() & sizes):
        raise SpecError(f"{both[0]!r} is a variable and an axis; try: give the axis another name")
    if reserved := sorted(specs.keys() & {*MODULES, *KEYWORDS}):
        raise SpecError(f"{reserved[0]!r} cannot be the name of a variable: a formula means a module or a constant by it")
    return sizes


def _variables(reading: Reading, specs: Mapping[str, Spec]) -> list[str]:
    """The variables of the formula: the declared ones in their order, then the others as they occur."""
    used = dict.fromkeys(n.name for n in reading.variables)
    for name in specs:
        if name not in used:
            source = reading.source
            raise UnknownName(f"the {source.what} has no variable {name!r}; {closest(name, used)}\n  {source.text[:100]}")
    return list(dict.fromkeys((*specs, *used)))


def _trace(reading: Reading, specs: Mapping[str, Spec], flexible: frozenset[sympy.Symbol]) -> Program:
    """Trace the formula as a function of its variables."""
    open_sizes = {name: size(name) for name in reading.sizes if name not in sizes_of_specs(specs)}
    trace = Trace({*flexible, *open_sizes.values(), *(length for group in reading.lengths.values() for length in group)})
    trace.user = code = FormulaCode(reading.source)
    sizes = [size(name) for name in sorted({*sizes_of_specs(specs), *open_sizes})]

    def formula(*arrays: Traced) -> Any:
        names = {str(s): Value(trace.lift(trace.number(s))) for s in sizes}
        names |= {name: Value(array) for name, array in zip(specs, arrays, strict=True)}
        lowering = reading.lowering(trace, code, reading.style, names, reading.lengths)
        lowering.means.random, lowering.means.tensors = reading.random, trace.inputs
        lowering.means.only_shapes = reading.only_shapes
        lowering.define(reading.definitions, differentiated_by(reading.trees))
        found = lowering.result(reading.tree)
        if reading.derivatives is None:
            return found
        known = (d for d in lowering.derivatives if not reading.random.keys() & {t.name for t in d.base.inputs})
        reading.derivatives[:] = known
        return (*found, *(a for d in reading.derivatives for a in d.arrays))

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    formula.__signature__ = inspect.Signature([inspect.Parameter(name, positional) for name in specs])  # type: ignore[attr-defined]
    program, _ = trace_numpy(formula, specs, trace)
    known = {s for t in program.inputs for e in t.shape for s in e.free_symbols}
    for start, group in reading.lengths.items():
        if any(trace.resolve(length).free_symbols - known for length in group):
            raise reading.source.error_at(f"the length of {_at(reading, start)} is not determined", Place(start, start + 1))
    for name, place in reading.sizes.items():
        if trace.resolve(size(name)).free_symbols - known:
            what = f"the size {name} is not determined by any axis; try: declare a shape with it"
            raise reading.source.error_at(what, place)
    return _called(_plain(_averaged(reading, program)), reading.left)


def _averaged(reading: Reading, program: Program) -> Program:
    """The program without its random variables, over which it must have taken the mean.

    Raises:
        ParseError: one of them stands outside of every mean over it.
    """
    if not reading.random or reading.only_shapes:
        return program
    made, needed = program.definitions, set[str]()
    waiting = [t.name for t in program.outputs]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [r.tensor.name for r in made[name].reads] if name in made else []
    for n in reading.variables:
        if n.name in reading.random and n.name in needed:
            raise reading.source.error_at(f"{n.name} is random; it can stand within expectation(.., {n.name}) only", n.place)
    equations = tuple(e for e in program.equations if e.target.name in needed)
    sizes = set().union(*(sizes_in(e) for e in equations))
    inputs = [t for t in program.inputs if t.name not in reading.random]
    for t in inputs:
        sizes -= _sizes_of(t)
    for t in program.inputs:  # a size that only a random variable has is known by it
        if t.name in reading.random and _sizes_of(t) & sizes:
            inputs.append(t)
            sizes -= _sizes_of(t)
    return Program(tuple(inputs), equations, program.outputs)


def _sizes_of(tensor: Tensor) -> set[Any]:
    return {s for extent in tensor.shape for s in extent.free_symbols}


def _at(reading: Reading, start: int) -> str:
    """What stands there, in words."""
    call = next((n for tree in reading.trees for n in walk(tree) if isinstance(n, Call) and n.place.start == start), None)
    return f"{call.function}(...)" if call else f"the index at {reading.source.place(start)}"


def _plain(program: Program) -> Program:
    """Indices that a formula brought along under names that cannot be printed get plain ones."""
    equations = []
    for e in program.equations:
        present = {*e.indices, *indices_of(e.body)}
        taken = {i.name for i in present}
        renamed: dict[Index, Index] = {}
        for index in sorted((i for i in present if "~" in i.name), key=str):
            letter = index.name.partition("~")[0]
            name = next(n for n in (letter, *(f"{letter}{k}" for k in range(2, 1000))) if n not in taken)
            taken.add(name)
            renamed[index] = index.renamed(name)
        axes, bound = (tuple(renamed.get(i, i) for i in group) for group in (e.axes, e.bound))
        equations.append(replace(e, axes=axes, bound=bound, body=substitute(e.body, renamed)))
    return Program(program.inputs, tuple(equations), program.outputs)


def _called(program: Program, left: str) -> Program:
    """The program with its result called as the formula calls it, if that name is free."""
    if len(program.outputs) > 1:
        return program
    (output,) = program.outputs
    taken = {*program.tensors, *RESERVED, *map(str, program.sizes)}
    if not left or left in taken or output in program.inputs:
        return program
    return with_tensors(program, {output: replace(output, name=left)})


def _undetermined(reading: Reading, one: Guess, other: Guess) -> ParseError:
    """Two readings fit equally well: the error names the first variable in which they differ."""
    name = next(n for n in one.specs if one.rank(n) != other.rank(n))
    place = next(n.place for n in reading.variables if n.name == name)
    return reading.source.error(
        f"the shape of {name} is not determined: {one.word(name)} and {other.word(name)} both fit; "
        f'try: declare it, {name}="n"', place.start, place.end, ShapeError,
    )  # fmt: skip
