"""Scalar expressions by the rules of the tables, innermost first, until none fires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr

from ...ir.nodes import Bracket, Index, Read, Where, reads_of
from . import stable_rules
from ._rule import Phase, Rule
from .known import Known

MOST = 400
"""Rewrites of one body after which it is left as it is: a rule that undoes another would go on for ever."""


@dataclass
class Rewriter:
    """Rewrites bodies; conditions and indices are never touched.

    fired: the names of the rules that did something, with the expression before and after.
    """

    known: Known
    phase: Phase
    fired: list[tuple[str, Expr, Expr]] = field(default_factory=list)
    memo: dict[Expr, Expr] = field(default_factory=dict)
    left: int = MOST

    def __call__(self, e: Expr) -> Expr:
        self.left = MOST
        return self.rewritten(e)

    def rewritten(self, e: Expr) -> Expr:
        if isinstance(e, Read | Index | Bracket) or e.is_Atom or not isinstance(e, Expr) or not reads_of(e):
            return e
        found = self.memo.get(e)
        if found is None:
            found = self.memo[e] = self._rewritten(e)
        return found

    def _rewritten(self, e: Expr) -> Expr:
        args = [self.rewritten(a) if isinstance(a, Expr) else a for a in e.args]
        if any(a != b for a, b in zip(args, e.args, strict=True)):
            return self.rewritten(e.func(*args))
        for rule in _rules(e.func, self.phase):
            new = rule.rewrite(e, self.known)
            if new is not None and new != e and self.left > 0:
                self.left -= 1
                self.fired.append((rule.name, e, new))
                return self.rewritten(new)
        return e


_TABLE: dict[tuple[Any, Phase], tuple[Rule, ...]] = {}


def _rules(head: Any, phase: Phase) -> tuple[Rule, ...]:
    key = (head, phase)
    if key not in _TABLE:
        _TABLE[key] = tuple(
            r
            for r in stable_rules()
            if (r.phase == "analytic" or phase == "numeric") and any(issubclass(head, h) for h in r.heads)
        )
    return _TABLE[key]


def outside_conditions(e: Any, change: Callable[[Read], Any]) -> Any:
    """An expression with its reads replaced, but for those in conditions and in indices."""
    if isinstance(e, Read):
        return change(e)
    if isinstance(e, Bracket) or not e.args:
        return e
    if isinstance(e, Where):
        args = [e.args[0], *(outside_conditions(a, change) for a in e.args[1:])]
    else:
        args = [outside_conditions(a, change) for a in e.args]
    return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)


def size_of(e: Any) -> int:
    """The number of nodes of an expression."""
    return 1 + sum(map(size_of, e.args)) if not isinstance(e, Read) else 1


def shorter(e: Expr, *parts: Expr) -> bool:
    """Whether an expression, such as a difference of the others, is shorter than they are together."""
    return size_of(e) < sum(map(size_of, parts)) and sympy.S.NaN not in e.args
