"""Names for the indices of a sum that do not depend on how they were called: equal sums get equal names."""

from __future__ import annotations

from itertools import permutations, product
from math import prod
from typing import Any

import sympy
from sympy import Expr, S

from ...ir.nodes import Index, Read, indices_of
from .atoms import Total, renamed

MOST_ORDERS = 120
"""Namings of bound indices that are compared when nothing else tells the indices apart."""


def components(
    factors: list[tuple[Expr, Expr]], bound: list[Index]
) -> list[tuple[list[tuple[Expr, Expr]], list[Index]]]:
    """Factors that share summed indices, group by group."""
    groups: list[tuple[list[tuple[Expr, Expr]], set[Index]]] = []
    for factor in factors:
        used = indices_of(factor[0]) & set(bound)
        touching = [g for g in groups if g[1] & used]
        groups = [g for g in groups if not g[1] & used]
        groups.append(([f for g in touching for f in g[0]] + [factor], used.union(*(g[1] for g in touching))))
    return [(group, [b for b in bound if b in used]) for group, used in groups]


def named_sum(group: list[tuple[Expr, Expr]], bound: list[Index]) -> Total:
    """The sum with its indices called ``_a``, ``_b``, ...: equal sums get equal names.

    Indices are told apart by how they occur (colour refinement of the product as a graph); where that leaves several
    orders, the one whose text comes first is taken.
    """
    colours = {b: f"({b.extent})" for b in bound}
    for _ in bound:
        masked = {b: sorted(_seen(a, e, b, colours) for a, e in group if b in indices_of(a)) for b in bound}
        ranks = {text: n for n, text in enumerate(sorted({str(v) for v in masked.values()}))}
        refined = {b: f"({b.extent}:{ranks[str(masked[b])]})" for b in bound}
        if len(set(refined.values())) == len(set(colours.values())):
            colours = refined
            break
        colours = refined
    classes: dict[str, list[Index]] = {}
    for b in bound:
        classes.setdefault(colours[b], []).append(b)
    ordered = [classes[c] for c in sorted(classes)]
    orders = product(*(permutations(c) for c in ordered)) if _count(ordered) <= MOST_ORDERS else [ordered]
    return min((_named(group, [b for c in order for b in c]) for order in orders), key=str)


def named_again(e: Any) -> Any:
    """An expression whose free indices were renamed, with its sums named anew."""
    if isinstance(e, Read) or not e.args or not e.has(Total):
        return e
    if isinstance(e, Total):
        inner = sympy.Mul.make_args(named_again(e.body))
        group = [(f.as_base_exp() if f.is_Pow else (f, S.One)) for f in inner]
        return named_sum(group, list(e.bound))
    return e.func(*(named_again(a) for a in e.args))


def _count(classes: list[list[Index]]) -> int:
    return prod(int(sympy.factorial(len(c))) for c in classes)


def _seen(atom: Expr, exponent: Expr, b: Index, colours: dict[Index, str]) -> str:
    """A factor as it looks from one of its indices."""
    mask = {c: Index("*" if c == b else colours[c], c.extent) for c in colours}
    return str(renamed(atom, mask) ** exponent)


def _depth(e: Any) -> int:
    """How many sums stand within one another in an expression."""
    inner = max((_depth(a) for a in (e.indices if isinstance(e, Read) else e.args)), default=0)
    return inner + isinstance(e, Total)


def _named(group: list[tuple[Expr, Expr]], bound: list[Index]) -> Total:
    """Names differ from those of the sums within, so that no index is taken for another."""
    depth = 1 + max((_depth(a) for a, _ in group), default=0)
    names = {b: Index(f"_{depth}.{n}", b.extent) for n, b in enumerate(bound)}
    body = sympy.Mul(*(renamed(a, names) ** e for a, e in group))
    return Total(body, [names[b] for b in bound])
