"""Index notation as text -> Program: what `render_index` prints, and what a person writes like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy
from sympy import Expr

from ..errors import ShapeError, SpecError, UnknownName, closest
from ..ir.facts import Spec
from ..ir.nodes import Bracket, Equation, Index, Program, Read, Reduction, Step, Tensor, indices_of
from .formula import sizes_of_specs
from .formula_limits import Growth, check_growth
from .formula_text import Source
from .formula_tree import Big, Chain, Definition, Entry, Name, Negative, Node
from .names import resize
from .parse_index_bodies import Bodies, Indices
from .parse_index_grammar import read_equations
from .parse_index_letters import Letter, Letters, Scope, unbound_letters
from .trace import Trace


def parse_equations(text: str, specs: Mapping[str, Spec], outputs: Sequence[str] | None = None) -> Program:
    """Read equations in index notation, one on each line.

        S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)
        gE[tok[b,t],k] += gY[b,t,k]

    Juxtaposition and ``*`` multiply, equally strong as ``/``; ``sum_k``, ``max_j``, ``prod_i``, ``min_i,j`` reduce
    all that follows up to a ``+`` or ``-``; ``[j <= i]`` is 1 or a strong 0; ``where(c, a, b)`` chooses; a bracket
    directly after a name holds indices. ``+=`` adds up over all indices that are not on its left.

    Args:
        text: the equations, each tensor defined before it is read.
        specs: shapes and facts of inputs; also the shapes of results that the equations leave open. A tensor
            without a declaration has as many axes as it is given indices, and the sizes that the letters give.
        outputs: names of results; None for those that no later equation reads.

    Raises:
        ParseError: the text cannot be read; the message points at the character.
        ShapeError: an index runs over axes of different sizes.  UnknownName: there is no such output.
        SpecError: a name is a tensor and a size.  DomainError: a value that is no real number.
    """
    source = Source(text, "equations")
    sizes = frozenset(sizes_of_specs(specs))
    if both := sorted(specs.keys() & sizes):
        raise SpecError(f"{both[0]!r} is a tensor and an axis; try: give the axis another name")
    definitions = read_equations(source, {*specs, *sizes})
    program = _Equations(source, specs, sizes, definitions)
    for definition in definitions:
        program.add(definition)
    return program.finish(outputs)


class _Equations:
    """The equations so far."""

    def __init__(self, source: Source, specs: Mapping[str, Spec], sizes: frozenset[str], definitions: list[Definition]) -> None:
        self.source, self.sizes = source, sizes
        self.defined = {d.target.name for d in definitions}
        self.declared = {name: spec.tensor(name) for name, spec in specs.items()}
        self.inputs = [t for t in self.declared.values() if t.name not in self.defined]
        self.tensors = {t.name: t for t in self.inputs}
        self.trace = Trace()
        self.equations: list[Equation] = []
        self.growth: dict[str, Growth] = {}

    def add(self, definition: Definition) -> None:
        """One equation, and those for the reductions within it."""
        target = definition.target
        if target.name in self.tensors:
            raise self.source.error(f"{target.name} is defined already", target.place.start, target.place.end)
        self.growth[target.name] = check_growth(self.source, definition.body, self.growth)
        self.equations += _One(self, definition).equations
        self.tensors[target.name] = self.equations[-1].target

    def finish(self, outputs: Sequence[str] | None) -> Program:
        read = {r.tensor.name for e in self.equations for r in e.reads}
        results = {e.target.name: e.target for e in self.equations}
        names = [n for n in results if n not in read] if outputs is None else list(outputs)
        for name in names:
            if name not in results:
                raise UnknownName(f"no equation defines the output {name!r}; {closest(name, results)}")
        program = Program(tuple(self.inputs), tuple(self.equations), tuple(results[n] for n in names))
        return resize(program, self.trace)

    def free_name(self, rank: int) -> str:
        """A name for a tensor that the text does not name."""
        taken = {*self.tensors, *self.declared, *self.defined, *self.sizes, *(e.target.name for e in self.equations)}
        pool = "ZUVTRSQPHGFDCB" if rank > 1 else "zuvtrsqphgfdcb"
        return next(c for number in ("", *range(2, 10_000)) for c in (f"{letter}{number}" for letter in pool) if c not in taken)


class _One:
    """One definition as an equation; the last of `equations` is its own."""

    def __init__(self, program: _Equations, definition: Definition) -> None:
        self.program, self.definition, self.source = program, definition, program.source
        self.equations: list[Equation] = []
        self.letters = Letters(self.source, program.tensors, program.sizes, program.trace.sizes)
        target = definition.target
        self.places = target.indices if isinstance(target, Entry) else ()
        self.declared = program.declared.get(target.name)
        self.scope = self._root()
        self._collect()
        program.inputs += self.letters.new
        scopes = {place: _indices(scope) for place, scope in self.letters.scopes.items()}
        self.bodies = Bodies(self.source, program.tensors, scopes, self.aside, program.sizes)
        self.indices = _indices(self.scope)
        self.equations.append(self._equation())

    # -- letters

    def _root(self) -> Scope:
        """The letters of the left side; of a scatter also those that are summed."""
        scope: Scope = {}
        for place in self.places:
            if isinstance(place, Name) and self.letters.is_letter(place.name):
                if place.name in scope:
                    raise self._error(f"the index {place.name} stands twice on the left side; try: [i = j] on the right", place)
                scope[place.name] = Letter(place.name, place.place)
            elif self.definition.sign == "=":
                raise self._error("the left side of = has letters as indices; try: += for a scatter", place)
        if self.definition.sign == "+=":
            for part in (*self.places, self.definition.body):
                for name in unbound_letters(part, self.letters):
                    scope.setdefault(name, Letter(name, self.definition.place))
        return scope

    def _collect(self) -> None:
        for place in self.places:
            self.letters.collect(place, self.scope)
        self.letters.collect(self.definition.body, self.scope)
        if self.declared is not None:
            if self.declared.rank != len(self.places):
                raise ShapeError(
                    f"{self.declared.name} was declared with {self.declared.rank} axes; found {len(self.places)} indices\n"
                    f"{self.source.pointed(self.definition.target.place.start, self.definition.target.place.end)}"
                )
            text = self.source.text[self.definition.target.place.start : self.definition.target.place.end]
            for place, extent in zip(self.places, self.declared.shape, strict=True):
                self.letters.use(place, extent, self.scope, text)
        self.letters.settle(self.scope)

    # -- the equation

    def _equation(self) -> Equation:
        body, reduce, bound = self._reduced(self.definition.body, self.indices)
        axes: list[Index] = []
        for position, place in enumerate(self.places):
            if isinstance(place, Name) and place.name in self.indices:
                axes.append(self.indices[place.name])
                continue
            expression = self.bodies.place(place, self.indices)
            axis = Index(self._free_letter(axes), self._scattered_over(position, expression, place))
            body = body * Bracket(sympy.Eq(axis, expression))
            axes.append(axis)
        if self.definition.sign == "+=":
            summed = tuple(i for i in self.indices.values() if i not in axes)
            if reduce not in (None, "sum"):
                raise self._error(f"+= adds up; put brackets around the {reduce}", self.definition.body)
            bound, reduce = (*summed, *bound), "sum"
        return self._made(self.definition.target.name, tuple(axes), body, reduce, bound)

    def _made(
        self, name: str, axes: tuple[Index, ...], body: Expr, reduce: Reduction | None, bound: tuple[Index, ...]
    ) -> Equation:  # fmt: skip
        shape = tuple(i.extent for i in axes)
        facts = frozenset({"positive"} if body.is_positive else {"nonnegative"} if body.is_nonnegative else ())
        target = replace(self.declared, shape=shape) if self.declared and name == self.declared.name else Tensor(name, shape, facts=facts)
        where = " ".join(self.source.text[self.definition.place.start : self.definition.place.end].split())
        step = Step(rule="given", where=where, named=name == self.definition.target.name)
        return Equation(target, axes, body, reduce if bound else None, bound, step)

    def _reduced(self, node: Node, indices: Indices) -> tuple[Expr, Reduction | None, tuple[Index, ...]]:
        """A body and its reduction; factors in front of a sum go into it."""
        match node:
            case Big(kind=kind, arg=arg, place=place):
                inner = self.bodies.scopes[place]
                bound = tuple(inner[letter] for letter in node.letters)
                body, deeper, further = self._reduced(arg, inner) if kind == "sum" else (self.bodies.scalar(arg, inner), None, ())
                if deeper not in (None, "sum"):
                    return self.bodies.scalar(arg, inner), kind, bound  # type: ignore[return-value]
                return body, kind, (*bound, *further)  # type: ignore[return-value]
            case Negative(arg=arg) if _ends_in_sum(arg):
                body, reduce, bound = self._reduced(arg, indices)
                return -body, reduce, bound
            case Chain(place=place, first=first, rest=(*front, ("" | "*", last))) if _ends_in_sum(last) and _is_product(node):
                body, reduce, bound = self._reduced(last, indices)
                before = self.bodies.chain(Chain(place, first, tuple(front)), indices) if front else self.bodies.scalar(first, indices)
                return sympy.Mul(*sympy.Mul.make_args(before), *sympy.Mul.make_args(body)), reduce, bound
        return self.bodies.scalar(node, indices), None, ()

    def aside(self, node: Big, indices: Indices) -> Expr:
        """A reduction within an expression: an equation of its own over the letters that occur in it."""
        body, reduce, bound = self._reduced(node, indices)
        free = indices_of(body) - set(bound)
        axes = tuple(i for i in indices.values() if i in free)
        equation = self._made(self.program.free_name(len(axes)), axes, body, reduce, bound)
        self.equations.append(equation)
        self.program.tensors[equation.target.name] = equation.target
        return Read(equation.target, axes)

    # -- scatters

    def _scattered_over(self, position: int, place: Expr, node: Node) -> Expr:
        """The extent of an axis that is scattered to: as declared, or the bound of the integers that point into it."""
        if self.declared is not None:
            return self.declared.shape[position]
        if isinstance(place, Read) and place.tensor.bound is not None:
            return place.tensor.bound
        raise self._error(
            f"the size of axis {position} of {self.definition.target.name} is not known; try: declare its shape", node
        )

    def _free_letter(self, axes: list[Index]) -> str:
        taken = {*self.indices, *(i.name for i in axes), *(n for s in self.letters.scopes.values() for n in s)}
        pool = (f"{letter}{number}" for number in ("", *range(1, 1000)) for letter in "abcijkl")
        return next(c for c in pool if c not in taken and self.letters.is_letter(c))

    def _error(self, message: str, node: Node) -> Exception:
        return self.source.error(f"{message}, at {self.source.place(node.place.start)}", node.place.start, node.place.end)


def _indices(scope: Scope) -> dict[str, Index]:
    return {name: letter.index() for name, letter in scope.items()}


def _is_product(node: Chain) -> bool:
    return all(symbol not in ("+", "-") for symbol, _ in node.rest)


def _ends_in_sum(node: Node) -> bool:
    """Whether a term is a sum with factors in front."""
    match node:
        case Big(kind=kind):
            return kind == "sum"
        case Negative(arg=arg):
            return _ends_in_sum(arg)
        case Chain(rest=(*_, ("" | "*", last))):
            return _is_product(node) and _ends_in_sum(last)
    return False
