"""Equations with deltas: ``[a = tok[i]]``, ``[j = y[i]]`` and ``[i = j]`` become additions at those places."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Dummy, Expr, Mul
from sympy.logic.boolalg import And

from ..ir.nodes import Bracket, Equation, Index, Read, indices_of, substitute
from .code import Atom, Code, call, span
from .dialect import Update
from .ranges import inside
from .reads import placed
from .scalars import Printer, is_scalar
from .scope import Scope
from .sums import solved, summed


@dataclass(frozen=True)
class Term:
    """``value`` added where each axis in `places` has the index given there."""

    places: dict[Index, Expr]
    value: Expr


def decompose(body: Expr, axes: tuple[Index, ...]) -> tuple[Expr, list[Term]]:
    """Write a body as a part without deltas over `axes`, plus terms placed by deltas."""
    body = body.replace(_is_conjunction, lambda b: Mul(*map(Bracket, b.args[0].args)))
    for bracket in sorted(body.atoms(Bracket), key=str):
        for axis in reversed(axes):
            value = solved(bracket, axis)
            if value is None:
                continue
            marker = Dummy(real=True)
            marked = body.xreplace({bracket: marker})
            factor = sympy.diff(marked, marker)
            if marker in factor.free_symbols or factor.has(sympy.Derivative) or factor == 0:
                break
            base, more = decompose(marked.xreplace({marker: sympy.S.Zero}), axes)
            return base, [*more, *_placed(factor, axis, value, axes)]
    return body, []


def _is_conjunction(e: Expr) -> bool:
    return isinstance(e, Bracket) and isinstance(e.args[0], And)


def _placed(factor: Expr, axis: Index, value: Expr, axes: tuple[Index, ...]) -> list[Term]:
    """The terms of ``[axis = value] factor``; the factor may hold further deltas."""
    left = tuple(a for a in axes if a != axis)
    base, terms = decompose(substitute(factor, {axis: value}), left)
    if not inside(value, axis.extent):
        guard = Bracket(And(sympy.GreaterThan(value, 0), sympy.StrictLessThan(value, axis.extent)))
        base, terms = base * guard, [Term(t.places, t.value * substitute(guard, t.places)) for t in terms]
    first = [Term({axis: value}, base)] if base != 0 else []
    return first + [Term({axis: substitute(value, t.places), **t.places}, t.value) for t in terms]


class Placement:
    """Writes the placed terms of one equation into its target."""

    def __init__(self, scope: Scope, equation: Equation) -> None:
        self.scope, self.equation = scope, equation
        self.target = scope.tensor(equation.target).text

    def diagonal(self, term: Term) -> Code | None:
        """``diag(v)`` for a matrix that is nothing but its diagonal."""
        axes = self.equation.axes
        if len(axes) != 2 or len(term.places) != 1 or self.equation.bound or is_scalar(term.value):
            return None
        ((axis, value),) = term.places.items()
        other = axes[0] if axis == axes[1] else axes[1]
        if value != other or axis.extent != other.extent or indices_of(term.value) != {other}:
            return None
        return call(f"{self.scope.dialect.module}.diag", Printer(self.scope, (other,)).code(term.value))

    def zeros(self) -> Code:
        shape = shape_code(self.scope, self.equation)
        return Atom(self.scope.dialect.zeros.format(shape=shape, like=self.scope.template()))

    def update(self, term: Term) -> Update:
        """The subscript and the value of ``target[index] += value``."""
        where = {axis: term.places.get(axis, axis) for axis in self.equation.axes}
        repeated = self._repeated(term)
        spans = {axis: self._span(axis, value, where, repeated) for axis, value in where.items()}
        used = {i for axis, value in where.items() if not spans[axis] for i in indices_of(value)}
        order = (*self.equation.axes, *self.equation.bound)
        common = tuple(i for i in order if i in used)
        index, axes = [], []
        for axis, value in where.items():
            text, own = spans[axis] if spans[axis] and not indices_of(value) & used else ("", None)
            index.append(text or Printer(self.scope, common, exact=True).code(value).text)
            axes.append(own)
        arrays = [axis is None for axis in axes]
        laid = tuple(placed(axes, common)) if any(arrays) else tuple(a for a in axes if a is not None)
        value = self.value(term, laid)
        repeats = any(i in used for i in self.equation.bound)
        return Update(self.target, tuple(index), tuple(arrays), value, repeats)

    def _repeated(self, term: Term) -> set[Index]:
        """Indices that occur in more than one place, or not on their own."""
        found = [i for value in term.places.values() for i in indices_of(value)]
        return {i for i in found if found.count(i) > 1}

    def _span(
        self, axis: Index, value: Expr, where: dict[Index, Expr], repeated: set[Index]
    ) -> tuple[str, Index | None] | None:
        """A slice for an axis that is whole, or a shift of a summed index that occurs nowhere else."""
        if value == axis:
            free = all(axis not in indices_of(other) for key, other in where.items() if key != axis)
            return (":", axis) if free else None
        own = indices_of(value)
        if len(own) != 1 or own & repeated or own & set(self.equation.axes):
            return None
        (index,) = own
        start = sympy.expand(value - index)
        if start.atoms(Index, Read) or index not in self.equation.bound:
            return None
        stop = sympy.expand(start + index.extent)
        integers = Printer(self.scope, (), exact=True)
        first = integers.code(start) if start != 0 else None
        last = integers.code(stop) if stop != axis.extent else None
        return (span(first, last) if first or last else ":"), index

    def value(self, term: Term, laid: tuple[Index, ...]) -> Code:
        """The increments, summed over the bound indices that do not say where they go."""
        rest = tuple(b for b in self.equation.bound if b not in laid)
        kept = tuple(i for i in laid if i in indices_of(term.value))
        body = summed(self.scope, term.value, kept, rest) if rest else term.value
        return Printer(self.scope, laid).code(body)


def shape_code(scope: Scope, equation: Equation) -> str:
    """The shape of the target as a tuple."""
    sizes = Printer(scope, (), exact=True)
    texts = [sizes.code(extent).text for extent in equation.target.shape]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


