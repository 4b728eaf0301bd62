"""Means within a formula, ``expectation(x'*A*x, x)``: random variables give way to the parameters of their laws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy
from sympy import Expr, S

from ..distributions import Distribution, Parameter, Record
from ..errors import NoClosedForm, ShapeError, SpecError, closest
from ..ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Slot,
    Tensor,
    fresh_indices,
    indices_of,
    reads_of,
    substitute,
)
from ..moments.drawn import Drawn
from ..moments.entry import surely_positive
from ..moments.expectation import Expectation
from ..ops.elementwise.piecewise import Sign
from ..prove.forms.atoms import Applied, Grow, Signum, Total, Turn
from ..prove.forms.canonical import Canonical
from ..prove.forms.polynomial import Polynomial, TooLarge
from .formula_random import Random
from .formula_tree import Call, Name, Node
from .formula_values import Value
from .primitives import store
from .trace import Trace
from .traced import Traced

EXAMPLE = "x='n, normal(mu, Sigma)'"


class Means:
    """Expectations, variances and covariances in one formula; `lower` gives the array that a tree stands for."""

    def __init__(self, trace: Trace, code: Any, operators: Any, lower: Callable[[Node], Value]) -> None:
        self.trace, self.code, self.operators, self.lower = trace, code, operators, lower
        self.random: Mapping[str, Random] = {}
        self.tensors: Mapping[str, Tensor] = {}
        self.drawn: dict[str, Drawn] = {}
        self.only_shapes = False

    def call(self, node: Call) -> Value:
        """``expectation(f, x, ...)``, ``variance(f, x, ...)`` of each entry, ``covariance(f, g, x, ...)``.

        The covariance of a vector with itself is ``covariance(f, x)``.
        """
        name = node.function
        given = 2 if name == "covariance" and len(node.args) > 2 else 1
        if len(node.args) <= given:
            raise self.code.error(
                f"{name} takes a formula and the random variables that it is over, as in {name}(f, x)"
            )
        over = [self.variable(arg) for arg in node.args[given:]]
        values = [self.lower(arg) for arg in node.args[:given]]
        match name:
            case "expectation":
                return self.mean(values[0], over)
            case "variance":
                return self.minus(
                    self.mean(self.times(values[0], values[0]), over), values[0], values[0], over
                )
        f, g = values[0], values[-1]
        if f.rank > 1 or g.rank > 1:
            raise ShapeError(f"covariance takes numbers and vectors; found a {f.shape} and a {g.shape}")
        return self.minus(self.mean(self.times(f, g, outer=True), over), f, g, over, outer=True)

    def variable(self, node: Node) -> str:
        """The name of a random variable."""
        if isinstance(node, Name) and node.name in self.random:
            return node.name
        with self.code.at(node.place):
            known = f"; {closest(self.code.where(), self.random)}" if self.random else ""
            raise self.code.error(
                f"{self.code.where()} has no distribution{known}; declare one, such as {EXAMPLE}"
            )

    def times(self, a: Value, b: Value, outer: bool = False) -> Value:
        function = "numpy.outer" if outer and a.rank == b.rank == 1 else "numpy.multiply"
        return Value(self.operators.call(function, (a.array, b.array)), not outer and a.row)

    def minus(self, second: Value, a: Value, b: Value, over: Sequence[str], outer: bool = False) -> Value:
        """What is left of a second moment without the product of the means."""
        product = self.times(self.mean(a, over), self.mean(b, over), outer)
        return Value(self.operators.call("numpy.subtract", (second.array, product.array)), second.row)

    def mean(self, value: Value, over: Sequence[str]) -> Value:
        """The mean over some random variables, each after those whose law depends on it."""
        left, array = list(over), value.array
        while left:
            name = next((n for n in left if not any(self.conditions(m, n) for m in left if m != n)), left[0])
            left.remove(name)
            array = self.over(array, name)
        return Value(array, value.row)

    def conditions(self, name: str, other: str) -> bool:
        """Whether the law of a variable depends on another one."""
        return any(n.name == other for n in self.random[name].names)

    def over(self, array: Traced, name: str) -> Traced:
        """The mean of an array over one random variable."""
        law = self.law(name)
        y = store(self.trace, array.axes, array.entry, "averaged")
        made = {e.target: e for e in self.trace.equations}
        needed = _reached(y.entry, made)
        for e in [made[t] for t in needed if t in made]:
            if (linear := self.linear(e, law.tensor, made)) is not None:
                made[e.target] = linear
        if law.tensor not in needed or self.only_shapes:
            return array
        for other in self.random.values():
            if (
                other.name != name
                and self.tensors[other.name] in needed
                and self.conditions(other.name, name)
            ):
                raise self.code.error(
                    f"the law of {other.name} depends on {name}; average over {other.name} first, or over both"
                )
        opened = (
            e
            for t, e in made.items()
            if t in needed and (_by_entry(e) or law.tensor in _reached(e.body, made))
        )
        forms = Canonical(Program((), tuple(opened), ()))
        try:
            found = Expectation(forms, law).of(forms.form(y.entry))
        except TooLarge:
            raise NoClosedForm(f"the mean over {name} has too many terms to be expanded") from None
        return self.trace.view(y.axes, self.written(found))

    def linear(self, e: Equation, drawn: Tensor, made: Mapping[Tensor, Equation]) -> Equation | None:
        """``solve(A, b)`` as a product with ``inv(A)``, where b is random and A is not."""
        if not (isinstance(e.body, Entry) and e.body.primitive == "solve"):
            return None
        matrix, vector = e.body.operands
        if drawn in _reached(matrix, made) or drawn not in _reached(vector, made):
            return None
        (row,) = e.body.places
        batch = tuple(i for i in e.axes if i != row)
        column, other = fresh_indices((row.extent, row.extent), avoid=(*e.axes, *self.trace.ambient))
        inverse = Entry("inv", 0, (matrix,), (other, column))
        stored = store(self.trace, (*batch, other, column), inverse, "inv")
        body = stored.at((*batch, row, column)) * substitute(vector, {Slot(0): column})
        return Equation(e.target, e.axes, body, "sum", (column,), step=e.step)

    def written(self, form: Polynomial) -> Expr:
        """A canonical form of a real number as an expression over tensors of the trace."""
        return _parts(self._plain(form.expression()))[0]

    def _plain(self, e: Any) -> Any:
        match e:
            case Read():
                return e
            case Total():
                real, imaginary = (self._total(part, e.bound) for part in _parts(self._plain(e.body)))
                return real + S.ImaginaryUnit * imaginary
            case Grow():
                return sympy.exp(self._plain(e.args[0]))
            case sympy.Pow(base=Turn() as turn, exp=times):
                return self._turned(times * turn.args[0])
            case Turn():
                return self._turned(e.args[0])
            case Signum():
                return Sign(self._plain(e.args[0]))
            case Applied():
                raise NoClosedForm("no formula here for the mean of a function of a random matrix")
        return e.func(*map(self._plain, e.args)) if e.args else e

    def _turned(self, angle: Expr) -> Expr:
        plain = self._plain(angle)
        return sympy.cos(plain) + S.ImaginaryUnit * sympy.sin(plain)

    def _total(self, body: Expr, summed: Sequence[Index]) -> Expr:
        """A sum over indices as an equation of its own."""
        if body == 0:
            return S.Zero
        free = sorted(indices_of(body) - set(summed) - set(self.trace.ambient), key=str)
        fresh = self.trace.fresh(i.extent for i in (*free, *summed))
        renamed = dict(zip((*free, *summed), fresh, strict=True))
        axes, bound = fresh[: len(free)], fresh[len(free) :]
        return self.trace.define(axes, substitute(body, renamed), "sum", bound, rule="mean").at(tuple(free))

    # -- laws

    def law(self, name: str) -> Drawn:
        """The law of a random variable, its parameters traced."""
        if name not in self.drawn:
            random, tensor = self.random[name], self.tensors[name]
            values = [self.opened(self.lower(tree).array) for tree in random.trees]
            record = self.record(random, tensor, values)
            for p, tree, value in zip(record.parameters, random.trees, values, strict=True):
                self.check(random, p, tree, value)
            functions = (entry_of(p, v, tensor.rank) for p, v in zip(record.parameters, values, strict=True))
            self.drawn[name] = Drawn(record, tensor, tuple(functions))
        return self.drawn[name]

    def opened(self, x: Traced) -> Traced:
        """An array in terms of what it is made of entry by entry, so that signs can be seen."""
        made = {e.target: e for e in self.trace.equations if _by_entry(e)}
        entry = x.entry
        while found := [r for r in reads_of(entry) if r.tensor in made]:
            equations = (made[r.tensor] for r in found)
            bodies = (
                substitute(e.body, dict(zip(e.axes, r.indices, strict=True)))
                for r, e in zip(found, equations, strict=True)
            )
            entry = substitute(entry, dict(zip(found, bodies, strict=True)))
        return x.through(x.axes, entry)

    def record(self, random: Random, tensor: Tensor, values: Sequence[Traced]) -> Record:
        """Of the records of this name the one whose parameters have these shapes, which become those of the tensor."""
        matching = [r for r in random.records if self.fits(r, tensor, values)]
        if len(matching) != 1:
            shapes = ", ".join(f"[{', '.join(map(str, v.extents))}]" for v in values)
            own = f"[{', '.join(map(str, tensor.shape))}]"
            what = "could be of numbers or of vectors" if matching else "does not fit"
            raise ShapeError(
                f"{random.name} has the shape {own}; {random.law} {what}, its parameters having the shapes {shapes}"
            )
        axes = tensor.shape
        for p, v in zip(matching[0].parameters, values, strict=True):
            wanted = {"matrix": (*axes[-1:], *axes[-1:]), "whole": axes[:-1]}.get(p.role, axes)
            for a, b in zip(reversed(v.extents), reversed(wanted), strict=False):
                if a != 1:
                    self.trace.unify(a, b, f"the {p.name} of {random.name}")
        return matching[0]

    def fits(self, record: Record, tensor: Tensor, values: Sequence[Traced]) -> bool:
        """Whether parameters can have these shapes."""
        own = [self.trace.resolve(e) for e in tensor.shape]
        for p, v in zip(record.parameters, values, strict=True):
            extents = [self.trace.resolve(e) for e in v.extents]
            if p.role == "matrix" and (
                v.rank < 2 or not own or extents[-1] != own[-1] or extents[-2] != own[-1]
            ):
                return False
            if p.role != "matrix" and v.rank > tensor.rank - (p.role == "whole"):
                return False
        return isinstance(record, Distribution) or tensor.rank > 0

    def check(self, random: Random, parameter: Parameter, tree: Node, value: Traced) -> None:
        """A parameter that is no name must be seen to have its facts.

        Raises:
            SpecError: it does not follow from what is declared.
        """
        known = isinstance(value.entry, Read) and value.entry.tensor.facts
        for fact in parameter.facts:
            if not (known and fact in known) and not _has(
                fact, value, self.trace.equations, known or frozenset()
            ):
                what = f"the {parameter.name} of {random.name} must be {fact}, which does not follow for {random.law}"
                raise SpecError(f"{what}; try: a variable of its own, which then has this fact")


def _has(fact: str, value: Traced, equations: Sequence[Equation], known: frozenset[str]) -> bool:
    """Whether a fact of a parameter follows from its canonical form."""
    if fact == "positive semidefinite":
        return "positive definite" in known or _is_scaled_identity(value)
    forms = Canonical(Program((), tuple(e for e in equations if not isinstance(e.body, Entry)), ()))
    form = forms.form(value.entry)
    entry = _bare(form.expression())
    match fact:
        case "positive":
            return surely_positive(entry)
        case "nonnegative":
            return bool(entry.is_nonnegative)
        case "probability":
            return surely_positive(entry) and surely_positive(1 - entry)
        case "simplex" if value.rank:
            return bool(entry.is_nonnegative) and forms.total(form, value.axes[-1:]).constant == 1
    return False


def _parts(e: Expr) -> tuple[Expr, Expr]:
    """The real and the imaginary part of an expression in real numbers and the imaginary unit."""
    if not e.has(S.ImaginaryUnit):
        return e, S.Zero
    terms = sympy.Add.make_args(sympy.expand(e))
    imaginary = [t for t in terms if t.has(S.ImaginaryUnit)]
    return sympy.Add(*(t for t in terms if not t.has(S.ImaginaryUnit))), sympy.Add(
        *(t / S.ImaginaryUnit for t in imaginary)
    )


def _bare(e: Expr) -> Expr:
    """Canonical exponentials as numbers of which only the sign is known."""
    return e.xreplace({g: sympy.Dummy("e", positive=True) for g in e.atoms(Grow)})


def _is_scaled_identity(value: Traced) -> bool:
    """``c [i = j]`` with c nonnegative."""
    i, j = value.axes[-2:]
    scale = value.entry.xreplace({Bracket(sympy.Eq(i, j)): S.One, Bracket(sympy.Eq(j, i)): S.One})
    return bool(value.entry.has(Bracket) and scale.is_nonnegative and not scale.has(Bracket))


def entry_of(parameter: Parameter, value: Traced, rank: int) -> Callable[..., Expr]:
    """Places in the random tensor, or in its batch axes and those of the parameter, to an entry of the parameter."""
    whole = {"matrix": rank + 1, "whole": rank - 1}.get(parameter.role, rank)

    def at(*places: Any) -> Expr:
        assert len(places) == whole
        own = places[whole - value.rank :]
        return value.at(tuple(S.Zero if e == 1 else p for e, p in zip(value.extents, own, strict=True)))

    return at


def _by_entry(e: Equation) -> bool:
    """Whether an equation works entry by entry, so that what it says of signs can be seen through it."""
    return e.reduce is None and not isinstance(e.body, Entry)


def _reached(e: Any, made: Mapping[Tensor, Any]) -> set[Tensor]:
    """The tensors that an expression reads, directly or through others."""
    waiting, seen = [r.tensor for r in reads_of(e)], set[Tensor]()
    while waiting:
        tensor = waiting.pop()
        if tensor not in seen:
            seen.add(tensor)
            waiting.extend(r.tensor for r in (made[tensor].reads if tensor in made else ()))
    return seen
