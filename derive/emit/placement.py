"""Equations with deltas: ``[a = tok[i]]``, ``[j = y[i]]`` and ``[i = j]`` become additions at those places."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Dummy, Expr, Mul, S
from sympy.logic.boolalg import And

from ..ir.nodes import Bracket, Equation, Index, Read, indices_of, reads_of, substitute
from .code import Atom, Code, Suffix, call
from .dialect import Update
from .ranges import inside
from .reads import part_of, placed
from .scalars import Printer, is_scalar
from .scope import Scope
from .sums import solved, summed, within


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
        guard = within(value, axis.extent)
        base, terms = base * guard, [Term(t.places, t.value * substitute(guard, t.places)) for t in terms]
    first = [Term({axis: value}, base)] if base != 0 else []
    return first + [Term({axis: substitute(value, t.places), **t.places}, t.value) for t in terms]


class Placement:
    """Writes the placed terms of one equation into its target."""

    def __init__(self, scope: Scope, equation: Equation) -> None:
        self.scope, self.equation = scope, equation
        self.target = scope.tensor(equation.target).text
        self.exact = equation.target.kind != "real"

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
        text = self.scope.dialect.integer_zeros if self.exact else self.scope.dialect.zeros
        return Atom(text.format(shape=shape, like=self.scope.template()))

    def update(self, term: Term) -> Update:
        """The subscript and the value of ``target[index] += value``."""
        where = {axis: term.places.get(axis, axis) for axis in self.equation.axes}
        repeated = self._repeated(term)
        spans = {axis: self._span(axis, value, where, repeated) for axis, value in where.items()}
        used = {i for axis, value in where.items() if not spans[axis] for i in indices_of(value)}
        repeats = any(i in used for i in self.equation.bound)
        if repeats and self.scope.dialect.arrays_first:
            used |= self._before_arrays(where, used)
        order = (*self.equation.axes, *self.equation.bound)
        common = tuple(i for i in order if i in used)
        index: list[str] = []
        axes: list[Index | None] = []
        for axis, value in where.items():
            text, own = (spans[axis] if not indices_of(value) & used else None) or ("", None)
            index.append(text or self.place(axis, value, common))
            axes.append(own)
        while len(index) > 1 and index[-1] == ":":
            index.pop()
        arrays = tuple(axis is None for axis in axes)
        laid = tuple(placed(axes, common)) if any(arrays) else tuple(a for a in axes if a is not None)
        body = self.value(term, laid)
        value_code = Printer(self.scope, laid, exact=self.exact).code(body)
        lacking = next((p for p, axis in enumerate(laid) if axis in indices_of(body)), 0)
        if repeats and lacking:  # np.add.at reads beyond the end of values of lower rank (NumPy 2.4)
            value_code = self._widened(value_code, body, laid, lacking)
        return Update(
            self.target, tuple(index), arrays, value_code, is_scalar(body), repeats, Atom(self.target)
        )

    def _widened(self, code: Code, body: Expr, laid: tuple[Index, ...], lacking: int) -> Code:
        """The value with all axes; where a read has axes of extent 1 they may be there already."""
        if all(extent != 1 for read in reads_of(body) for extent in read.tensor.shape):
            return Suffix(code, f"[{', '.join(['None'] * lacking)}]")
        sizes, own = Printer(self.scope, (), exact=True), indices_of(body)
        shape = (sizes.code(axis.extent if axis in own else S.One).text for axis in laid)
        return Suffix(code, f".reshape({', '.join(shape)})")

    def place(self, axis: Index, value: Expr, common: tuple[Index, ...]) -> str:
        """An index array, kept inside the axis; what is added outside is 0."""
        integers = Printer(self.scope, common, exact=True)
        code = integers.code(value)
        if inside(value, axis.extent) or is_scalar(value):
            return code.text
        return call(f"{self.scope.dialect.module}.clip", code, "0", integers.code(axis.extent - 1)).text

    def _before_arrays(self, where: dict[Index, Expr], used: set[Index]) -> set[Index]:
        """The indices of all axes before the last one that has an integer array."""
        values = list(where.values())
        last = max(p for p, value in enumerate(values) if indices_of(value) & used)
        return {i for value in values[:last] for i in indices_of(value)}

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
        if len(own) != 1 or own & repeated or own & set(self.equation.axes) or not inside(value, axis.extent):
            return None
        (index,) = own
        start = sympy.expand(value - index)
        if start.atoms(Index, Read) or index not in self.equation.bound:
            return None
        text = part_of(
            axis.extent, start, sympy.expand(start + index.extent), Printer(self.scope, (), exact=True).code
        )
        return text, index

    def value(self, term: Term, laid: tuple[Index, ...]) -> Expr:
        """The increments, summed over the bound indices that do not say where they go."""
        rest = tuple(b for b in self.equation.bound if b not in laid)
        kept = tuple(i for i in laid if i in indices_of(term.value))
        return summed(self.scope, term.value, kept, rest) if rest else term.value


def shape_code(scope: Scope, equation: Equation) -> str:
    """The shape of the target: that of an argument that is alike, else a tuple of sizes."""
    if not equation.target.shape:
        return "()"
    alike = next((t for t in scope.arguments if t.shape == equation.target.shape), None)
    if alike is not None:
        return f"{scope.tensor(alike).text}.shape"
    sizes = Printer(scope, (), exact=True)
    texts = [sizes.code(extent).text for extent in equation.target.shape]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
