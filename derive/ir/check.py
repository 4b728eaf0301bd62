"""Whether a program is well formed: names defined once and before they are read, indices of one equation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import sympy
from sympy import Expr, S
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Not, Or

from ..errors import DeriveError
from ..ops.elementwise import op_of_head
from ..ops.linalg import primitives
from .nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Reduction,
    Slot,
    Tensor,
    Where,
    operand_slots,
)
from .recurrences import Recurrence, blocks
from .slots import slot_extents

INTEGER_FUNCTIONS = (sympy.floor, sympy.ceiling, sympy.Mod)
NO_NUMBERS = (S.ComplexInfinity, S.NaN, S.ImaginaryUnit)


class IllFormed(DeriveError, ValueError):
    """A program that breaks a rule of the language; always a mistake of the pass that made it."""


def check_program(program: Program) -> None:
    """Check the rules that every pass relies on.

    Names are defined once, before they are read, and read as they were defined (members of a recurrence stand
    together and may read each other at a lag); a read has an integer expression for every axis; the indices of a
    body are axes of its target or bound; the sizes that occur can be known from the inputs; a body is made of the
    nodes of the language.

    Raises:
        IllFormed: a rule is broken; the message names it and prints the equation.
        Circular: equations read each other, but not along a time axis.
    """
    known: dict[str, Tensor] = {}
    for tensor in program.inputs:
        _define(tensor, known, f"the inputs {', '.join(t.name for t in program.inputs)}")
    sizes = {symbol for t in program.inputs for extent in t.shape for symbol in extent.free_symbols}
    everything = dict(known)
    for equation in program.equations:
        _define(equation.target, everything, equation)
    together = _recurrences(program)
    for equation in program.equations:
        _Check(equation, known | together.get(equation.target.name, {}), sizes).run()
        known[equation.target.name] = equation.target
    for tensor in program.outputs:
        if known.get(tensor.name) != tensor:
            found = _found(tensor.name, known)
            raise IllFormed(f"the output {_signature(tensor)} is {found}\n  in {program}")


def _define(tensor: Tensor, known: dict[str, Tensor], where: object) -> None:
    if tensor.name in known:
        raise IllFormed(f"{tensor.name} is defined a second time\n  in {where}")
    known[tensor.name] = tensor


def _recurrences(program: Program) -> dict[str, dict[str, Tensor]]:
    """For each member of a recurrence the tensors that it may read before they are defined: those of all members."""
    order = [e.target.name for e in program.equations]
    found: dict[str, dict[str, Tensor]] = {}
    for block in blocks(program.equations):
        if isinstance(block, Recurrence):
            members = {e.target.name: e.target for e in block.equations}
            start = min(map(order.index, members))
            if order[start : start + len(members)] != list(members):
                lines = "\n".join(f"  {e}" for e in block.equations)
                raise IllFormed(
                    f"the equations of a recurrence must stand together and in this order:\n{lines}"
                )
            found |= dict.fromkeys(members, members)
    return found


def _check_sizes(expressions: Iterable[Expr], sizes: set[Any], where: object) -> None:
    for e in expressions:
        if unknown := {s for s in e.free_symbols if isinstance(s, sympy.Symbol)} - sizes:
            found = ", ".join(sorted(map(str, unknown)))
            raise IllFormed(f"no input has an axis of size {found}, so it cannot be known\n  in {where}")


def _signature(tensor: Tensor) -> str:
    facts = ", ".join([tensor.kind, *sorted(tensor.facts)])
    return f"{tensor.name}[{', '.join(map(str, tensor.shape))}] ({facts})"


def _found(name: str, known: Mapping[str, Tensor]) -> str:
    return f"defined as {_signature(known[name])}" if name in known else "not defined before"


def _integral(e: Expr) -> bool:
    """Whether an index expression is an integer; to SymPy ``floor(i / (n - 2))`` may be none, as n could be 2."""
    if e.is_integer or isinstance(e, sympy.floor | sympy.ceiling):
        return True
    return isinstance(e, sympy.Add | sympy.Mul | sympy.Mod) and all(map(_integral, e.args))


class _Check:
    """The rules of one equation."""

    def __init__(self, equation: Equation, known: Mapping[str, Tensor], sizes: set[Any]) -> None:
        self.equation, self.known, self.sizes = equation, known, sizes
        self.indices = set(equation.indices)

    def broken(self, rule: str) -> IllFormed:
        return IllFormed(f"{rule}\n  in {self.equation}")

    def run(self) -> None:
        equation = self.equation
        names = [i.name for i in equation.indices]
        extents = tuple(i.extent for i in equation.axes)
        if extents != equation.target.shape:
            raise self.broken(f"the axes have extents {extents}, the target {equation.target.shape}")
        if len(set(names)) < len(names):
            raise self.broken(f"an index occurs twice among {', '.join(names)}")
        if equation.reduce not in (None, *get_args(Reduction)):
            raise self.broken(f"{equation.reduce!r} is no reduction")
        if bool(equation.reduce) != bool(equation.bound):
            raise self.broken("a reduction and bound indices come together")
        _check_sizes((i.extent for i in equation.indices), self.sizes, equation)
        if isinstance(equation.body, Entry):
            self.entry(equation.body)
        else:
            self.scalar(equation.body)

    def entry(self, e: Entry) -> None:
        """A primitive's result, which is the whole body and defines the whole target."""
        primitive = primitives().get(e.primitive)
        if primitive is None:
            raise self.broken(f"no primitive is called {e.primitive}")
        if self.equation.reduce:
            raise self.broken("what a primitive gives cannot be reduced in the same equation")
        if len(e.operands) != len(primitive.operands) or e.output >= len(primitive.results):
            raise self.broken(f"{primitive.name} takes {primitive.operands} and gives {primitive.results}")
        if len(set(e.places)) < len(e.places) or not set(e.places) <= set(self.equation.axes):
            raise self.broken(f"the places {e.places} are not axes of the target, each once")
        if len(e.places) != len(primitive.results[e.output].split()):
            raise self.broken(f"{primitive.name} gives {primitive.results[e.output]!r}")
        sizes: dict[str, Expr] = {}
        for operand, axes in zip(e.operands, primitive.operands, strict=True):
            if not isinstance(operand, Read):
                raise self.broken(f"the operand {operand} is no read")
            if sorted(operand_slots(operand)) != list(range(len(axes.split()))):
                raise self.broken(f"the operand {operand} does not have the axes {axes!r}, each once")
            self.read(operand)
            for letter, extent in zip(axes.split(), slot_extents(operand), strict=True):
                if sizes.setdefault(letter, extent) != extent:
                    raise self.broken(f"the operand {operand} is {extent} long where {letter} is {sizes[letter]}")
        for place, word in zip(e.places, primitive.results[e.output].split(), strict=True):
            if word in sizes and place.extent != sizes[word]:
                raise self.broken(f"the place {place} runs up to {place.extent}, the result to {sizes[word]}")
        for parameter in e.parameters:
            if not _integral(parameter):
                raise self.broken(f"the parameter {parameter} is not known to be an integer")
            self.scalar(parameter)

    def scalar(self, e: Any) -> None:
        """An expression that has a value: not a condition."""
        match e:
            case Slot():
                if not isinstance(self.equation.body, Entry):
                    raise self.broken("a whole axis is read outside of a primitive")
            case Index():
                if e not in self.indices:
                    raise self.broken(f"the index {e} of extent {e.extent} is neither an axis nor bound")
            case Read():
                self.read(e)
            case sympy.Symbol():
                _check_sizes([e], self.sizes, self.equation)
            case Bracket():
                self.condition(e.condition)
            case Where():
                self.condition(e.args[0])
                for branch in e.args[1:]:
                    if branch is not S.NaN:
                        self.scalar(branch)
            case Expr() if e.is_number and not e.args:
                if e in NO_NUMBERS:
                    raise self.broken(f"{e} is no real number")
            case Entry():
                raise self.broken(f"{e} does not stand alone")
            case Expr():
                arithmetic = e.is_Add or e.is_Mul or e.is_Pow or isinstance(e, INTEGER_FUNCTIONS)
                if not arithmetic and op_of_head(e.func) is None:
                    raise self.broken(f"no operation is called {e.func.__name__}")
                for argument in e.args:
                    self.scalar(argument)
            case _:
                raise self.broken(f"{e} stands where a scalar is needed")

    def read(self, read: Read) -> None:
        tensor = read.tensor
        if self.known.get(tensor.name) != tensor:
            raise self.broken(f"{_signature(tensor)} is read, but {_found(tensor.name, self.known)}")
        if len(read.indices) != tensor.rank:
            raise self.broken(f"{read} has {len(read.indices)} indices, {tensor.name} has rank {tensor.rank}")
        for place in read.indices:
            if not _integral(place):
                raise self.broken(f"the place {place} in {read} is not known to be an integer")
            self.scalar(place)

    def condition(self, c: Any) -> None:
        match c:
            case And() | Or() | Not():
                for part in c.args:
                    self.condition(part)
            case Relational():
                for side in c.args:
                    self.scalar(side)
            case _ if c not in (sympy.true, sympy.false):
                raise self.broken(f"{c} stands where a condition is needed")
