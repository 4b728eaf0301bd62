"""Which sizes are equal: what a trace finds out about the axes of its arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy
from sympy import Expr

from ..ir.nodes import size

SPARE = "dqpsuvw"


class Extents:
    """The sizes of one trace: `open` ones may be bound to others; declared ones only to multiples."""

    def __init__(self, flexible: Iterable[sympy.Symbol] = ()) -> None:
        self.open = set(flexible)
        self.same: dict[Any, Expr] = {}
        self.new: list[sympy.Symbol] = []

    def resolve(self, extent: Expr) -> Expr:
        """The extent in sizes that are not bound to others."""
        while self.same and (known := {s: self.same[s] for s in extent.free_symbols if s in self.same}):
            extent = extent.xreplace(known)
        return extent

    def unify(self, a: Expr, b: Expr) -> Expr | None:
        """The common value of two extents that must be equal, binding an open size; None if they are not."""
        a, b = self.resolve(a), self.resolve(b)
        difference = sympy.expand(a - b)
        if difference == 0:
            return a
        for symbol in sorted(difference.free_symbols & self.open, key=str, reverse=True):
            factor = difference.coeff(symbol)
            rest = difference - factor * symbol
            value = sympy.expand(-rest / factor) if factor in (1, -1) else None
            if value is not None and symbol not in rest.free_symbols and not value.is_nonpositive:
                self.same[symbol] = value
                return self.resolve(a)
        return None

    def quotient(self, a: Expr, b: Expr) -> Expr | None:
        """a / b where b divides a; a size that is a factor of a becomes a multiple of b, as NumPy would demand."""
        ratio = sympy.cancel(self.resolve(a) / self.resolve(b))
        if ratio.is_integer:
            return ratio
        above, below = sympy.fraction(ratio)
        for factor in reversed(sympy.Mul.make_args(above)):
            if factor.is_Symbol and factor not in below.free_symbols and below.is_integer:
                self.same[factor] = below * self._part_of(factor)
                return self.quotient(ratio, sympy.S.One)
        return None

    def _part_of(self, symbol: Expr) -> sympy.Symbol:
        part = size(f"{symbol}'{len(self.new)}")
        self.new.append(part)
        return part
