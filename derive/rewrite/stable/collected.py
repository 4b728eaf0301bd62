"""Sums whose terms cancel where they are written out: common factors are taken out of what is left."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Add, Expr, Mul, S

from ...ir.nodes import Bracket, Where
from ...ops.elementwise.exponential import sigmoid
from ._rule import Rule, U, identity, without
from .known import Known
from .rewriter import size_of

WIDEST = 80
"""Nodes of a sum above which nothing is looked for."""
MOST = 12
"""Terms that a sum may have once it is written out."""


def _written(e: Expr) -> Expr:
    """Products and powers of sums written out, but nothing within functions."""
    return sympy.expand(e, deep=False, log=False, power_base=False, power_exp=False, complex=False, func=False, trig=False)


def _groups(e: Expr) -> Iterator[tuple[Expr, list[Expr]]]:
    """The terms that have a factor in common, and all terms with the factor 1; at least one of them holds a sum."""
    found: dict[Expr, list[Expr]] = {}
    for t in e.args:
        for f in Mul.make_args(t):
            if not f.is_number and not f.is_Add:
                found.setdefault(f, []).append(t)
    for f, terms in sorted(found.items(), key=lambda item: (-size_of(item[0]), str(item[0]))):
        if len(terms) > 1:
            yield f, terms
    yield S.One, list(e.args)


def _sums(e: Expr) -> bool:
    """Whether a product holds a sum, or a whole power of one."""
    powers = (f.as_base_exp() for f in Mul.make_args(e))
    return any(b.is_Add and k.is_Integer and k > 0 for b, k in powers)


def _collected(e: Expr, known: Known) -> Expr | None:
    """``f a + f b`` as ``f (a + b)`` where terms of a and b cancel."""
    if size_of(e) > WIDEST or e.has(Where, Bracket):
        return None
    for f, terms in _groups(e):
        parts = [without(t, f) for t in terms]
        if not any(map(_sums, parts)):
            continue
        each = [_written(p) for p in parts]
        count = sum(len(Add.make_args(p)) for p in each)
        whole = Add(*each)
        left = len(Add.make_args(whole)) if whole != 0 else 0
        plain = f != 1 and each == parts
        fewer = count <= MOST and left <= count - 2 and (plain or left <= len(terms))
        if fewer and size_of(whole) < sum(map(size_of, parts)):
            return f * whole + Add(*(t for t in e.args if t not in terms))
    return None


COLLECTED = Rule(
    "f a + f b", (Add,), _collected, ("u*(v + w) - u*(v - w) == 2*u*w", "(u + v)**2 - (u - v)**2 == 4*u*v"),
    phase="numeric", when="terms of a and b cancel", source="derived: written out",
)  # fmt: skip
WHOLE = identity("s(u) + s(-u)", [sigmoid(U), sigmoid(-U)], S.One)
