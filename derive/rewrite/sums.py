"""The normal form of a sum: free factors out, deltas solved, terms that are known replaced by what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Index, Read, indices_of
from ..ir.slots import runs_whole
from .deltas import has_delta, is_delta, reads_whole, solve_deltas
from .digits import split_digits
from .factor import cost, expand_products


@dataclass(frozen=True)
class Term:
    """``factor * sum_bound summand``: no factor of the summand is free of the bound indices."""

    factor: Expr
    summand: Expr
    bound: tuple[Index, ...]


def split(body: Expr, bound: tuple[Index, ...], full: bool = False) -> list[Term]:
    """A sum as terms with their free factors outside.

    A product is distributed over a sum only where that lets a factor out of the summation or a delta be
    solved; with `full`, everywhere.
    """
    if body.is_Add:
        terms = [t for part in body.args for t in split(part, bound, full)]
        return _merge(terms) if not full else terms
    body, bound = solve_deltas(*split_digits(body, bound))
    if body == 0:
        return []
    if body.is_Add:
        return split(body, bound, full)
    factors = sympy.Mul.make_args(body)
    for f in factors:
        if f.is_Add and _must_distribute(f, bound, full):
            rest = sympy.Mul(*(g for g in factors if g is not f))
            return split(sympy.Add(*(t * rest for t in f.args)), bound, full)
        if (
            full
            and f.is_Pow
            and f.exp == 2
            and f.base.is_Add
            and len(f.base.args) <= 3
            and indices_of(f) & set(bound)
        ):
            expanded = expand_products(sympy.expand(f) * sympy.Mul(*(g for g in factors if g is not f)))
            return split(expanded, bound, full)
    inner = sympy.Mul(*(f for f in factors if indices_of(f) & set(bound)))
    guards = [f for f in factors if not indices_of(f) & set(bound) and _guards(f, inner)]
    inner = sympy.Mul(inner, *guards)
    outside = sympy.Mul(*(f for f in factors if not indices_of(f) & set(bound) and f not in guards))
    if not reads_whole(outside):
        outside *= sympy.Mul(*guards)
    unused = [b for b in bound if b not in indices_of(inner)]
    outside *= sympy.Mul(*(b.extent for b in unused))
    return [Term(outside, inner, tuple(b for b in bound if b not in unused))]


def _guards(f: Expr, inner: Expr) -> bool:
    """Whether a factor has a bracket that may keep reads of the summand within their arrays, so that it must stay inside."""
    brackets = [b for b in f.atoms(Bracket) if not all(isinstance(a, Index) for a in b.condition.args)]
    return bool(brackets) and (bool(indices_of(f) & indices_of(inner)) or not reads_whole(inner))


def _must_distribute(f: Expr, bound: tuple[Index, ...], full: bool) -> bool:
    inside = indices_of(f) & set(bound)
    if not inside:
        return False
    if full:
        return True
    if any(
        has_delta(t) and indices_of(t) & set(bound) and any(is_delta(d) for d in sympy.Mul.make_args(t))
        for t in f.args
    ):
        return True
    return any(indices_of(t) & set(bound) != inside and not t.is_number for t in f.args)


def _merge(terms: list[Term]) -> list[Term]:
    """Put terms with the same free factor and the same bound indices back under one sum."""
    groups: dict[tuple[Expr, tuple[Index, ...]], Expr] = {}
    for term in terms:
        number, free = term.factor.as_coeff_Mul()
        key = (free, term.bound)
        groups[key] = groups.get(key, S.Zero) + number * term.summand
    return [Term(free, summand, bound) for (free, bound), summand in groups.items() if summand != 0]


Lookup = Callable[[Expr, tuple[Index, ...]], Expr | None]


def normal_sum(body: Expr, bound: tuple[Index, ...], known: Lookup) -> tuple[Expr, list[Term]]:
    """A sum as an elementwise part and the terms that remain to be summed.

    Args:
        body, bound: the sum.
        known: the value of a pure sum, if some equation or fact gives it.
    """
    least = _resolve(split(body, bound), known)
    if not body.has(sympy.Add):
        return least
    full = _resolve(split(body, bound, full=True), known)
    return full if _price(full) < _price(least) else least


def _resolve(terms: list[Term], known: Lookup) -> tuple[Expr, list[Term]]:
    done: Expr = S.Zero
    left: list[Term] = []
    for term in terms:
        if not term.bound:
            done += term.factor * term.summand
            continue
        number, summand = term.summand.as_coeff_Mul()
        value = known(summand, term.bound)
        if value is None:
            left.append(term)
        else:
            done += number * term.factor * value
    return done, left


def _price(resolved: tuple[Expr, list[Term]]) -> float:
    done, left = resolved
    return sum(cost(t.summand) + 3 for t in left) + 0.1 * cost(done)


def sum_facts(
    summand: Expr, bound: tuple[Index, ...], fact: Callable[[Read, int], Expr | None]
) -> tuple[Expr, tuple[Index, ...]]:
    """Replace factors whose sum over one axis is a known constant: ``sum_j P[i,j]`` is 1."""
    factors = list(sympy.Mul.make_args(summand))
    for b in bound:
        holders = [f for f in factors if b in indices_of(f)]
        if len(holders) != 1 or not isinstance(holders[0], Read) or (axis := runs_whole(holders[0], b)) is None:
            continue
        value = fact(holders[0], axis)
        if value is not None:
            factors.remove(holders[0])
            return sum_facts(value * sympy.Mul(*factors), tuple(x for x in bound if x != b), fact)
    return summand, bound
