"""Value numbering: which tensor already holds a value, or a power, a multiple or the new state of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import Entry, Equation, Read, Tensor
from ..ir.recurrences import advanced
from .algebra import proportional
from .factor import split_sizes
from .values import Canonical, canonical

Key = tuple[Any, Any]
"""How a value is made (the reduction, or "chain" for products of matrices), and its canonical form."""


@dataclass(frozen=True)
class Value:
    """A tensor that holds a value: where its axes stand among the canonical indices, and a factor or exponent.

    `shifts` is what is added to each index: the new value of a state stands one step later.
    """

    tensor: Tensor
    places: tuple[int, ...]
    number: Expr = S.One
    shifts: tuple[Expr, ...] = ()

    def read(self, found: Canonical) -> Read:
        """The tensor at the indices of an expression that was found to have this value."""
        indices = [found.order[p] for p in self.places]
        return Read(self.tensor, map(sympy.Add, indices, self.shifts) if self.shifts else indices)


class Memory:
    """The values of the equations met so far. The first to hold a value keeps it."""

    def __init__(self) -> None:
        self.values: dict[Key, Value] = {}
        self.powers: dict[Any, Value] = {}
        self.multiples: dict[Any, Value] = {}
        self.sums: dict[Any, Value] = {}
        self.learned: dict[str, list[tuple[dict[Any, Value], Any]]] = {}

    def learn(
        self, equation: Equation, key: Key, whole: Canonical, chain: Canonical | None, state: bool
    ) -> None:
        """Remember what an equation holds.

        whole, key: its canonical form; chain: that as a product of matrices written out, if it is one; state: whether it is
        kept from step to step of a recurrence.
        """
        if _places(equation, whole) is None:
            return
        self._put(self.values, key, equation, whole)
        if chain is not None:
            self._put(self.values, ("chain", chain.key), equation, chain)
        if equation.reduce == "sum":
            number, summand = split_sizes(equation.body)
            pure = canonical(summand, equation.bound)
            self._put(self.sums, pure.key, equation, pure, 1 / number)
        elif equation.reduce is None and not isinstance(equation.body, Entry):
            self._learn_power(equation)
            self._learn_multiple(equation)
            if state:
                self._learn_new_state(equation)

    def forget(self, name: str) -> None:
        """Take back all that was learned of a tensor."""
        for table, key in self.learned.pop(name, []):
            if key in table and table[key].tensor.name == name:
                del table[key]

    def _put(
        self, table: dict[Any, Value], key: Any, equation: Equation, found: Canonical,
        number: Expr = S.One, shifts: tuple[Expr, ...] = (),
    ) -> None:  # fmt: skip
        places = _places(equation, found)
        if places is not None and key not in table:
            table[key] = Value(equation.target, places, number, shifts)
            self.learned.setdefault(equation.target.name, []).append((table, key))

    def _learn_power(self, equation: Equation) -> None:
        """``r = b^e`` also names every other power of b: b^f is r^(f/e)."""
        body = equation.body
        if body.is_Pow and body.exp.is_Rational and (body.base.is_Add or not body.exp.is_Integer):
            base = canonical(body.base)
            self._put(self.powers, base.key, equation, base, body.exp)

    def _learn_multiple(self, equation: Equation) -> None:
        """``v = x - m`` also names all multiples of it."""
        content, primitive = proportional(equation.body)
        if primitive.is_Add:
            whole = canonical(primitive)
            self._put(self.multiples, whole.key, equation, whole, content)

    def _learn_new_state(self, equation: Equation) -> None:
        """``h[s] = where(s = 0, h0, f(s - 1))`` also names f(t): it is ``h[t+1]``."""
        if (found := advanced(equation)) is not None:
            axes, body, shifts = found
            whole = canonical(body)
            self._put(self.values, (None, whole.key), replace(equation, axes=axes), whole, shifts=shifts)

    def multiple(self, body: Expr) -> tuple[Expr, Canonical] | None:
        """A sum as a number times a tensor that is a multiple of it, with its canonical form."""
        content, primitive = proportional(body)
        if primitive.is_Add and (found := canonical(primitive)).key in self.multiples:
            value = self.multiples[found.key]
            return content / value.number * value.read(found), found
        return None

    def put_values(self, body: Expr) -> Expr:
        """The body with reads in place of nonlinear subexpressions that an earlier equation computes."""
        if body.is_Atom or not body.args or not isinstance(body, Expr):
            return body
        if body.is_Pow and body.exp.is_Rational:
            found = canonical(body.base)
            entry = self.powers.get(found.key)
            if entry is not None:
                ratio = body.exp / entry.number
                if ratio.is_Integer and (not body.exp.is_Integer or body.base.is_Add):
                    return entry.read(found) ** ratio
        elif not (body.is_Add or body.is_Mul or body.is_number):
            whole = canonical(body)
            if (None, whole.key) in self.values:
                return self.values[None, whole.key].read(whole)
        args = [self.put_values(a) if isinstance(a, Expr) else a for a in body.args]
        return body if all(a is b for a, b in zip(args, body.args, strict=True)) else body.func(*args)


def _places(equation: Equation, found: Canonical) -> tuple[int, ...] | None:
    """Where the axes of an equation stand among the canonical indices; None if one is not there."""
    if any(i not in found.order for i in equation.axes):
        return None
    return tuple(found.order.index(i) for i in equation.axes)
