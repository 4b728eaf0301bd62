"""Quotients before products: ``(y / (x + y)) / (x + y)`` for ``y / (x + y)^2``, whose parts may leave the range."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any

from sympy import Expr, Mul, S

from ...ir.nodes import Bracket, Entry, Program, Read, Where, reads_of
from ...ops.elementwise.arithmetic import quotient
from .known import Known
from .scales import MODERATE
from .view import KEPT

SCALED = {"scaled sum", "sum of exponentials"}
"""Rules of sums whose largest term is 1."""
MOST = 6
"""Divisions into which one is divided."""


def by_division(program: Program, fixed: Set[str]) -> Program:
    """Products over products of comparable numbers, of any size, as quotients one after the other; not in `fixed`."""
    search = _Search(program)

    def changed(e: Any) -> Any:
        if isinstance(e.body, Entry) or e.reduce == "sum" or e.target.name in fixed or e.step.rule in KEPT:
            return e
        body = search.better(e.body)
        return e if body is e.body else replace(e, body=body)

    return replace(program, equations=tuple(map(changed, program.equations)))


class _Search:
    """inputs: for each tensor the inputs that it is made of. moderate: those with an entry near 1."""

    def __init__(self, program: Program) -> None:
        self.known = Known(program.definitions)
        self.inputs: dict[str, frozenset[str]] = {t.name: frozenset({t.name}) for t in program.inputs}
        self.moderate: set[str] = set()
        for e in program.equations:
            if (e.reduce == "sum" and e.step.rule in SCALED) or (
                not e.reduce and e.reads and all(r.tensor.name in self.moderate for r in e.reads)
            ):
                self.moderate.add(e.target.name)
            self.inputs[e.target.name] = frozenset().union(
                *(self.inputs.get(r.tensor.name, ()) for r in e.reads)
            )

    def better(self, e: Any) -> Any:
        if isinstance(e, Read | Bracket) or not isinstance(e, Expr) or not e.args:
            return e
        fixed = 1 if isinstance(e, Where) else 0
        args = [*e.args[:fixed], *map(self.better, e.args[fixed:])]
        e = e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
        return self._divided(e) if e.is_Mul or (e.is_Pow and e.exp.is_negative) else e

    def _divided(self, e: Expr) -> Expr:
        above: list[Expr] = []
        below: list[Expr] = []
        rest = S.One
        for f in Mul.make_args(e):
            base, k = f.as_base_exp()
            if not (k.is_Rational and abs(k) <= MOST and self._any_size(base)):
                rest *= f
                continue
            rest_of_k = abs(k) % 1
            (above if k > 0 else below).extend([base] * int(abs(k)) + [base**rest_of_k] * bool(rest_of_k))
        if not 0 < len(below) <= MOST or not self._comparable(above, below):
            return e
        return rest * self._chain(above, self._in_turn(above, below))

    def _any_size(self, base: Expr) -> bool:
        """Whether a number may be so small that its powers are 0."""
        if all(r.tensor.name in self.moderate for r in reads_of(base)) or (
            base.is_Add and any(t.is_number for t in base.args)
        ):
            return False
        low, high = self.known.range(base)
        return low < MODERATE[0] and high > -MODERATE[0]

    def _from(self, e: Expr) -> frozenset[str]:
        return frozenset().union(*(self.inputs.get(r.tensor.name, frozenset()) for r in reads_of(e)))

    def _comparable(self, above: list[Expr], below: list[Expr]) -> bool:
        """Whether numbers are divided by others that are made of the same inputs, and their products may be 0."""
        distinct = list(dict.fromkeys(below))
        own = sum(any(self._from(n) & self._from(d) for d in distinct) for n in above)
        if own:
            return own + len(below) > 2
        return not above and any(self._from(a) & self._from(b) for a in distinct for b in distinct if a != b)

    def _in_turn(self, above: list[Expr], below: list[Expr]) -> list[Expr]:
        """One of each in turn, so that they balance, and those first to which a number above is comparable."""
        counts = {d: below.count(d) for d in below}
        own = frozenset[str]().union(*map(self._from, above))
        order = sorted(counts, key=lambda d: (not self._from(d) & own, str(d)))
        return [d for turn in range(max(counts.values())) for d in order if counts[d] > turn]

    def _chain(self, above: list[Expr], below: list[Expr]) -> Expr:
        left, total = list(above), None
        for d in below:
            n = next((n for n in left if self._from(n) & self._from(d)), left[0] if left else None)
            if n is not None:
                left.remove(n)
            top = S.One if total is None else total
            total = quotient(top if n is None else top * n, d)
        return Mul(total, *left)
