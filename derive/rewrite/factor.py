"""The shorter of equal scalar expressions: common factors out, nothing expanded that a kernel should not expand."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Read, Where, indices_of, reads_of
from .conditions import simplify_brackets
from .deltas import is_delta


@lru_cache(maxsize=20000)
def cost(e: Any) -> float:
    """Scalar operations of an expression, a division as 2 and a function as 8, plus a little for every read."""
    if isinstance(e, Read):
        return 0.25
    if e.is_number or e.is_Symbol:
        return 0.0 if e.is_Integer else 0.01
    if not e.args:
        return 0.1
    inner = sum(cost(a) for a in e.args)
    if e.is_Add:
        return inner + len(e.args) - 1
    if e.is_Mul:
        divisions = sum(1 for a in e.args if a.is_Pow and a.exp.could_extract_minus_sign())
        return inner + len(e.args) - 1 + min(divisions, 1) - (0.9 if e.args[0] == -1 else 0)
    if e.is_Pow:
        if e.exp.is_Integer:
            return inner + (1 if abs(e.exp) > 1 else 0)
        return inner + 4
    if isinstance(e, Bracket | Where):
        return inner + 1
    if isinstance(e, sympy.core.relational.Relational) or e.is_Boolean:
        return inner + 0.5
    return inner + 8


def expand_products(e: Expr) -> Expr:
    """Distribute products over sums, at the top only; powers and the insides of functions stay."""
    return sympy.expand(
        e, deep=False, mul=True, power_base=False, power_exp=False, log=False, multinomial=False, basic=False
    )


@lru_cache(maxsize=20000)
def simplify(body: Expr) -> Expr:
    """The cheapest form found; a tie keeps the form at hand."""
    body = simplify_brackets(body)
    if body.is_Atom or not body.has(sympy.Add):
        return body
    body = _inside(body)
    expanded = expand_products(body)
    deltas = [t for t in sympy.Add.make_args(expanded) if any(is_delta(f) for f in sympy.Mul.make_args(t))]
    if deltas:
        rest = sympy.Add(*(t for t in sympy.Add.make_args(expanded) if t not in deltas))
        return sympy.Add(*(_group_deltas(deltas)), simplify(rest) if rest != 0 else S.Zero)
    return min((body, factor(body), factor(expanded)), key=cost)


def _inside(e: Expr) -> Expr:
    """Simplify the arguments of functions and the bases of powers."""
    if e.is_Atom or isinstance(e, Bracket):
        return e
    if e.is_Add or e.is_Mul:
        return e.func(*(_inside(a) for a in e.args))
    if e.is_Boolean:
        return e
    return e.func(*(simplify(a) if isinstance(a, Expr) else a for a in e.args))


def _group_deltas(terms: list[Expr]) -> list[Expr]:
    groups: dict[Expr, list[Expr]] = {}
    for term in terms:
        factors = sympy.Mul.make_args(term)
        delta = sympy.Mul(*(f for f in factors if is_delta(f)))
        groups.setdefault(delta, []).append(sympy.Mul(*(f for f in factors if not is_delta(f))))
    return [delta * simplify(sympy.Add(*parts)) for delta, parts in groups.items()]


@lru_cache(maxsize=20000)
def factor(e: Expr) -> Expr:
    """Common factors of a sum, then of the largest groups of its terms; a product is factored factor by factor."""
    if e.is_Mul:
        return sympy.Mul(*(factor(f) for f in e.args))
    if e.is_Pow and e.exp.is_Integer:
        return factor(e.base) ** e.exp
    if not e.is_Add:
        return e
    content, primitive = e.primitive()
    if content != 1:
        return content * factor(primitive)
    if all(t.could_extract_minus_sign() for t in e.args):
        return -factor(-e)
    terms = [_powers(t) for t in e.args]
    common = _common(terms)
    if common:
        rest = sympy.Add(*(_without(t, common) for t in terms))
        return sympy.Mul(*(b**p for b, p in common.items())) * (factor(rest) if rest.is_Add else rest)
    counts = Counter(
        (base, power > 0)
        for t in terms
        for base, power in t.items()
        if not base.is_number and power.is_number
    )
    for (base, positive), count in counts.most_common():
        if count < 2:
            break
        group = [t for t in terms if base in t and t[base].is_number and (t[base] > 0) == positive]
        others = [t for t in terms if t not in group]
        inner = sympy.Add(*(_product(t) for t in group))
        grouped = factor(inner) + factor(sympy.Add(*(_product(t) for t in others)))
        return min((e, grouped), key=cost)
    return e


Powers = dict[Expr, Expr]


def _powers(term: Expr) -> Powers:
    powers: Powers = {}
    for f in sympy.Mul.make_args(term):
        base, power = (f.base, f.exp) if f.is_Pow and f.exp.is_Rational else (f, S.One)
        powers[base] = powers.get(base, S.Zero) + power
    return powers


def _common(terms: list[Powers]) -> Powers:
    """Powers that every term has: of each base the one nearest to zero, if all have the same sign."""
    shared: Powers = {}
    for base in terms[0]:
        found = [t.get(base, S.Zero) for t in terms]
        if not all(p.is_Rational for p in found):
            continue
        if all(p > 0 for p in found):
            shared[base] = min(found)
        elif all(p < 0 for p in found):
            shared[base] = max(found)
    return {b: p for b, p in shared.items() if b != 1}


def _without(term: Powers, common: Powers) -> Expr:
    return sympy.Mul(*(b ** (p - common.get(b, S.Zero)) for b, p in term.items()))


def _product(term: Powers) -> Expr:
    return sympy.Mul(*(b**p for b, p in term.items()))


def split_sizes(body: Expr) -> tuple[Expr, Expr]:
    """A product as the part made of numbers and sizes, and the rest."""
    constant: list[Expr] = []
    rest: list[Expr] = []
    for f in sympy.Mul.make_args(body):
        (rest if reads_of(f) or indices_of(f) else constant).append(f)
    return sympy.Mul(*constant), sympy.Mul(*rest)
