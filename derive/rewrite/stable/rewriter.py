"""Scalar expressions by the rules of the tables, innermost first, until none fires."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr

from ...ir.nodes import Bracket, Index, Read, Where, reads_of
from ..factor import expand_products
from . import stable_rules
from ._rule import Phase, Rule
from .known import Known

WIDEST = 80
"""Nodes of a sum above which its products are not written out."""
MOST = 400
"""Rewrites of one body after which it is left as it is: a rule that undoes another would go on for ever."""


Firing = tuple[str, Expr, Expr]
"""The name of a rule, and the expression before and after."""


@dataclass
class Rewriter:
    """Rewrites bodies; conditions and indices are never touched."""

    known: Known
    phase: Phase
    memo: dict[Expr, tuple[Expr, tuple[Firing, ...]]] = field(default_factory=dict)
    left: int = MOST

    def __call__(self, e: Expr) -> tuple[Expr, tuple[Firing, ...]]:
        """The better form, and what each rule did; nothing if it is the form at hand."""
        self.left = MOST
        return self.rewritten(e)

    def rewritten(self, e: Expr) -> tuple[Expr, tuple[Firing, ...]]:
        if isinstance(e, Read | Index | Bracket) or e.is_Atom or not isinstance(e, Expr) or not reads_of(e):
            return e, ()
        if e not in self.memo:
            self.memo[e] = (e, ())  # a rule that comes back to where it began stops here
            self.memo[e] = self._rewritten(e)
        return self.memo[e]

    def _rewritten(self, e: Expr) -> tuple[Expr, tuple[Firing, ...]]:
        parts = [self.rewritten(a) if isinstance(a, Expr) else (a, ()) for a in e.args]
        fired = tuple(f for _, more in parts for f in more)
        args = [a for a, _ in parts]
        if any(a != b for a, b in zip(args, e.args, strict=True)):
            new, more = self.rewritten(e.func(*args))
            return new, fired + more
        for rule, form in self._tries(e):
            found = rule.rewrite(form, self.known) if self.left > 0 else None
            if found is not None and found != e:
                self.left -= 1
                new, more = self.rewritten(found)
                return new, (*fired, (rule.name, e, found), *more)
        return e, fired

    def _tries(self, e: Expr) -> Iterator[tuple[Rule, Expr]]:
        """The rules to be tried at a node; of a sum also with products written out: ``m + y (log(y / m) - 1)``."""
        rules = _rules(e.func, self.phase)
        yield from ((rule, e) for rule in rules)
        if (
            e.is_Add
            and e.has(sympy.log)
            and size_of(e) < WIDEST
            and any(f.is_Add for t in e.args for f in sympy.Mul.make_args(t))
        ):
            wide = sympy.Add(*map(expand_products, e.args))
            if wide.is_Add and len(wide.args) < 12:
                yield from ((rule, wide) for rule in rules)


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
