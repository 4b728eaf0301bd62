"""Second moments about the mean, and sums of squares of differences: ``mean(x^2) - mean(x)^2`` in two passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import sympy
from sympy import Add, Expr, Mul, S

from ...calculus.differentiate import new_name
from ...ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Program,
    Read,
    Step,
    Tensor,
    Where,
    indices_of,
    reads_of,
    substitute,
)
from ...ir.recurrences import in_order
from .rewriter import size_of
from .view import View

MOST = 8
"""Terms of a sum among which sums of squares are looked for."""


def by_differences(program: Program) -> tuple[Program, list[Equation]]:
    """Central moments and squared differences as sums of what is subtracted first; with the equations that changed."""
    view = View(program)
    if not any(e.reduce == "sum" for e in program.equations):
        return program, []
    search = _Search(program, view)
    equations: list[Equation] = []
    changed: list[Equation] = []
    for e in program.equations:
        if not isinstance(e.body, Entry) and e.target.name not in view.fixed | view.members:
            body = search.better(e.body)
            if body is not e.body:
                e = replace(e, body=body)
                changed.append(e)
        equations += [*search.new, e]
        search.new = []
    return (replace(program, equations=in_order(equations)), changed) if changed else (program, [])


class _Search:
    """new: equations that the body at hand needs."""

    def __init__(self, program: Program, view: View) -> None:
        self.view = view
        self.taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
        self.new: list[Equation] = []

    def better(self, e: Any) -> Any:
        """The expression with every sum that is a moment about a mean written as one."""
        if isinstance(e, Read | Bracket) or not e.args or not isinstance(e, Expr):
            return e
        fixed = 1 if isinstance(e, Where) else 0
        args = [*e.args[:fixed], *map(self.better, e.args[fixed:])]
        e = e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
        if not e.is_Add or len(e.args) > MOST:
            return e
        for taken, found in self._found(e):
            return self.better(found + Add(*(t for t in e.args if t not in taken)))
        return e

    def _found(self, e: Expr) -> Iterator[tuple[tuple[Expr, ...], Expr]]:
        for s, t in permutations(e.args, 2):
            if (found := self._central(s, t)) is not None:
                yield (s, t), found
        for some in combinations(e.args, 3):
            if (found := self._squares(some)) is not None:
                yield some, found

    def _central(self, s: Expr, t: Expr) -> Expr | None:
        """``c sum(k a b) - d sum(a) sum(b)`` as ``c k sum((a - mean(a)) (b - mean(b)))``, for d n = c k."""
        second, firsts = self._sums(s), self._sums(t)
        if second is None or firsts is None or len(second[1]) != 1 or len(firsts[1]) != 2:
            return None
        (whole,), c, d = second[1], second[0], -firsts[0]
        e = self.view.definitions[whole.tensor.name]
        bodies = [self._at(r, e.bound) for r in firsts[1]]
        a, b = bodies[0], bodies[1]
        both = self._at(whole, e.bound)
        if a is None or b is None or both is None:
            return None
        number = Mul(*(i.extent for i in e.bound))
        k = both / (a * b)
        if indices_of(k) & set(e.bound) or sympy.cancel(c * k - d * number) != 0:
            return None
        scales = [x.as_independent(*reads_of(x), as_Add=False)[0] for x in (a, b)]
        left, right = (
            self._named(sympy.expand((x - r / number) / q), whole, e)
            for x, r, q in zip((a, b), firsts[1], scales, strict=True)
        )
        return c * k * scales[0] * scales[1] * self._total(left * right, whole, e)

    def _squares(self, terms: tuple[Expr, ...]) -> Expr | None:
        """``sum(a^2) - 2 sum(a b) + sum(b^2)`` as ``sum((a - b)^2)``."""
        sums = [self._sums(t) for t in terms]
        if any(s is None or len(s[1]) != 1 for s in sums):
            return None
        reads = [s[1][0] for s in sums if s is not None]
        first = self.view.definitions[reads[0].tensor.name]
        if len({frozenset(r.indices) for r in reads}) > 1:
            return None
        bodies = [self._at(r, first.bound) for r in reads]
        if any(b is None for b in bodies):
            return None
        total = Add(*(s[0] * b for s, b in zip(sums, bodies, strict=True) if s is not None and b is not None))
        number, square = sympy.factor(total).as_coeff_Mul()
        if not (square.is_Pow and square.exp == 2 and square.base.is_Add) or size_of(square) >= size_of(
            total
        ):
            return None
        return number * self._total(self._named(square.base, reads[0], first) ** 2, reads[0], first)

    def _sums(self, t: Expr) -> tuple[Expr, tuple[Read, ...]] | None:
        """A term as a factor and the sums in it, at most two."""
        reads: list[Read] = []
        rest = S.One
        for f in Mul.make_args(t):
            base, k = f.as_base_exp()
            if isinstance(base, Read) and self._is_sum(base) and k in (1, 2):
                reads += [base] * int(k)
            else:
                rest *= f
        return (rest, tuple(reads)) if 1 <= len(reads) <= 2 else None

    def _is_sum(self, read: Read) -> bool:
        e = self.view.definitions.get(read.tensor.name)
        return e is not None and e.reduce == "sum" and not isinstance(e.body, Entry)

    def _at(self, read: Read, bound: tuple[Any, ...]) -> Expr | None:
        """What a sum adds up, in other names for the bound indices."""
        e = self.view.definitions[read.tensor.name]
        if [i.extent for i in e.bound] != [i.extent for i in bound] or set(read.indices) & set(bound):
            return None
        mapping = {**dict(zip(e.axes, read.indices, strict=True)), **dict(zip(e.bound, bound, strict=True))}
        return self.view.expanded(substitute(e.body, mapping))

    def _named(self, entry: Expr, read: Read, e: Equation) -> Read:
        axes = (*(i for i in read.indices if i in indices_of(entry)), *e.bound)
        return self._put("differences", entry, axes, None, ())

    def _total(self, entry: Expr, read: Read, e: Equation) -> Read:
        return self._put("squares", entry, tuple(read.indices), "sum", e.bound)

    def _put(self, name: str, body: Expr, axes: Any, reduce: Any, bound: Any) -> Read:
        for e in self.new:
            if (e.body, e.axes, e.reduce) == (body, axes, reduce):
                return Read(e.target, axes)
        target = Tensor(new_name(name, self.taken), tuple(i.extent for i in axes))
        self.new.append(Equation(target, axes, body, reduce, bound, Step("two passes")))
        return Read(target, axes)
