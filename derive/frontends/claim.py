"""A claim as text, ``grad(x'*A*x, x) == (A + A')*x``: a relation between two formulas, as a program with two outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..errors import ShapeError, SidesDiffer, closest
from ..ir.facts import Spec
from ..ir.nodes import Program, Read
from ..ir.tensors import prune
from .formula import Understood, reading_of
from .formula_conventions import conventions
from .formula_derivatives import Taken
from .formula_grammar import Formula, read_formula
from .formula_lower import Lowering
from .formula_program import program_of
from .formula_text import Source
from .formula_tree import Call, Compare, Name, Node
from .formula_values import Value
from .layouts import Layout

ARRANGED = {"grad", "jacobian"}
"""Derivatives that layouts arrange in different ways; a Hessian is symmetric."""
RAVEL = {"numpy.ravel", "ravel", "flatten"}
CURVATURES = ("convex", "concave")
RELATIONS = ("==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Guards:
    """The derivatives in a claim with what was differentiated, so that their values can be checked by other means.

    program: its outputs are both sides and, for each derivative, its arrays.
    """

    program: Program
    derivatives: tuple[Taken, ...]


@dataclass(frozen=True)
class Claim:
    """A relation between two formulas, understood as a program whose two outputs are its sides.

    turned: whether one side is a row where the other is a column: they agree up to the layout at best.
    defined: the definitions after ``where``, as they are written.
    random: the declarations of random variables, which are no inputs of the program.
    wrt: for ``convex(f, x)`` and ``concave(f, x)``, whose program has one output, the variables.
    guards: what its derivatives are derivatives of.
    """

    understood: Understood
    relation: str
    sides: tuple[str, str]
    turned: bool = False
    defined: tuple[str, ...] = ()
    random: Mapping[str, Spec] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()
    guards: Guards | None = None

    def __str__(self) -> str:
        definitions = f" where {'; '.join(self.defined)}" if self.defined else ""
        if self.wrt:
            return f"{self.relation}({self.sides[0]}, {self.sides[1]}){definitions}"
        return f"{self.sides[0]} {self.relation} {self.sides[1]}{definitions}"


def in_one_line(text: str) -> str:
    """The claim as a verdict shows it and as it can be read again: semicolons between definitions that begin lines.

    Raises:
        ParseError: the text cannot be read.
    """
    source = Source(text)
    formula = read_formula(source)
    defined = "; ".join(source.words(d.place) for d in formula.definitions)
    return source.words(formula.tree.place) + (f" where {defined}" if defined else "")


def understand_claim(text: str, specs: Mapping[str, Spec], layout: Layout | None = None) -> Claim:
    """Read a relation ``left == right``, or an inequality, between two formulas; or ``convex(f, x)``, ``concave(f, x)``.

    What both use may be defined after ``where``, as in `formula.understand`. A derivative may be by what is defined:
    ``grad(L, S)`` is that of L as a function of S, all that does not pass through S being held fixed.

    Args:
        text: the claim.
        specs: shapes and facts, as for `formula.understand`.
        layout: how derivatives are arranged, if not as we do.

    Raises:
        ParseError: the text cannot be read, or is no relation; where the sides have different shapes `SidesDiffer` as well.
    """
    source = Source(text)
    with source.about():
        formula = read_formula(source)
        tree = formula.tree
        if isinstance(tree, Call) and tree.function in CURVATURES and tree.receiver is None:
            return _curvature(source, formula, tree, specs)
        if not isinstance(tree, Compare) or tree.symbol not in RELATIONS:
            end = tree.place.end if formula.definitions else len(text)
            raise source.error("a claim is a relation between two formulas, such as x'*x == norm2(x)^2", 0, end)
        turned: list[bool] = []
        reading = reading_of(source, formula, specs, lambda *given: _BothSides(turned, layout, *given))
        derivatives: list[Taken] = []
        whole, guessed = program_of(replace(reading, derivatives=derivatives), specs)
        program = prune(replace(whole, outputs=whole.outputs[:2]))
        left, right = (source.words(side.place) for side in (tree.left, tree.right))
        defined = tuple(source.words(d.place) for d in formula.definitions)
        notes = conventions((tree, *(d.body for d in formula.definitions)), program)
        understood = Understood(program, formula.style, guessed, notes)
        guards = Guards(whole, tuple(derivatives))
        return Claim(understood, tree.symbol, (left, right), turned[-1], defined, drawn(specs), guards=guards)


def drawn(specs: Mapping[str, Spec]) -> dict[str, Spec]:
    """The declarations of random variables."""
    return {name: s for name, s in specs.items() if s.law is not None}


def _curvature(source: Source, formula: Formula, tree: Call, specs: Mapping[str, Spec]) -> Claim:
    """``convex(f, x, y)``: f as a function of x and y together."""
    example = f"{tree.function}(log(sum(exp(x))), x)"
    if len(tree.args) < 2 or tree.options:
        raise source.error_at(f"{tree.function} takes a function and its variables, as in {example}", tree.place)
    body, *names = tree.args
    for node in names:
        if not isinstance(node, Name):
            raise source.error_at(f"{tree.function} is said of variables: write their names, as in {example}", node.place)
    inner = replace(formula, tree=body)
    program, guessed = program_of(replace(reading_of(source, inner, specs), number=True), specs)
    inputs = {t.name: t for t in program.inputs}
    for node in names:
        if isinstance(node, Name) and node.name not in inputs:
            raise source.error_at(f"{node.name} is no variable of the function; {closest(node.name, inputs)}", node.place)
    if program.outputs[0].rank:
        shape = ", ".join(map(str, program.outputs[0].shape))
        raise source.error_at(f"{tree.function} needs a scalar; found an array [{shape}]; try: sum(...)", body.place)
    wrt = tuple(dict.fromkeys(n.name for n in names if isinstance(n, Name)))
    understood = Understood(program, formula.style, guessed)
    defined = tuple(source.words(d.place) for d in formula.definitions)
    return Claim(understood, tree.function, (source.words(body.place), ", ".join(wrt)), False, defined, drawn(specs), wrt)


class _BothSides(Lowering):
    """A claim on traced arrays: both sides, which must have one shape."""

    def __init__(self, turned: list[bool], layout: Layout | None, *given: Any) -> None:
        super().__init__(*given)
        self.turned, self.layout = turned, layout
        self.rearranged = False

    def result(self, tree: Node) -> Any:
        """The sides as arrays of one shape; whether one is a row and one a column is added to `turned`."""
        assert isinstance(tree, Compare)
        left, right = self.value(tree.left), self.value(tree.right)
        if tree.symbol not in ("==", "!=") and 0 in (left.rank, right.rank):
            left, right = self._repeated(left, right), self._repeated(right, left)
        if self.layout is not None and not self.rearranged:
            raise SidesDiffer("nothing in this claim is arranged in another way by this layout")
        if left.rank != right.rank:
            raise SidesDiffer(f"the left side is a {left.shape}, the right side a {right.shape}")
        for p, (m, n) in enumerate(zip(left.array.extents, right.array.extents, strict=True)):
            try:
                self.trace.unify(m, n, "the sides of the claim", (left.array, p), (right.array, p))
            except ShapeError as error:
                raise SidesDiffer(str(error)) from None
        self.turned.append(self.style.columns and left.row != right.row and left.rank == 1)
        return left.array, right.array

    def derivative(self, name: str, node: Call) -> Value:
        """A derivative, in the layout of the claim."""
        found = super().derivative(name, node)
        variable = node.args[1]
        if self.layout is None or name not in ARRANGED or not isinstance(variable, Name):
            return found
        array = self.layout.arranged(self.trace, found.array, self.names[variable.name].rank)
        self.rearranged |= array is not found.array
        return Value(array, found.row)

    def tied(self, name: str, node: Call) -> bool:
        """Whether the entries of a symmetric variable are one variable, by its own words or by the layout."""
        tied = super().tied(name, node)
        if tied or self.layout is None or not self.layout.tied or name != "grad":
            return tied
        variable = node.args[1] if len(node.args) > 1 else None
        entry = self.names[variable.name].array.entry if isinstance(variable, Name) and variable.name in self.names else None
        symmetric = isinstance(entry, Read) and "symmetric" in entry.tensor.facts
        self.rearranged |= symmetric
        return symmetric

    def apply(
        self, name: str, args: tuple[Any, ...], options: Mapping[str, Any] = MappingProxyType({}), take: int | None = None
    ) -> Value:  # fmt: skip
        """A function of NumPy; ``ravel`` stacks columns if the layout says so."""
        first = args[0] if args else None
        if self.layout is not None and self.layout.columns and name in RAVEL and isinstance(first, Value):
            self.rearranged |= first.rank == 2
            args = (self.operators.transposed(first), *args[1:]) if first.rank == 2 else args
        return super().apply(name, args, options, take)

    def _repeated(self, side: Value, other: Value) -> Value:
        """A number as an array of the shape of the other side: ``0 <= x`` is said of every entry."""
        if side.rank or not other.rank:
            return side
        axes = self.trace.fresh(other.array.extents)
        return Value(self.trace.view(axes, side.array.entry), other.row)
