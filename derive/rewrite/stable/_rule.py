"""The record of a stabilising rule, and how its pattern is found in sums, products and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sympy
from sympy import Add, Expr, Mul, S

from .known import Known

Phase = Literal["analytic", "numeric"]
Rewrite = Callable[[Expr, Known], Expr | None]


@dataclass(frozen=True, eq=False)
class Rule:
    """One way to write a scalar expression without losing digits or leaving the range of the numbers.

    name: what it is called in tables of rules.
    heads: the kinds of nodes at which it is tried: `sympy.Add`, `sympy.log`, ...
    rewrite: a node and what is known of its reads -> the better form, or None where the rule does not apply.
    claims: identities in numbers u, v, w that `verify` proves, ``... where u > 0``; together they say that the rule leaves
        values as they are.
    when: the condition under which it fires, in words; empty if it always does.
    phase: "analytic" rules are smooth identities, used before and after differentiation; "numeric" ones, such as a
        polynomial beside a closed form, only at the end.
    source: where the identity or the method stands.
    """

    name: str
    heads: tuple[type, ...]
    rewrite: Rewrite
    claims: tuple[str, ...]
    when: str = ""
    phase: Phase = "analytic"
    source: str = ""


# -- patterns

U, V, W = PLACES = tuple(sympy.Symbol(name, real=True) for name in ("u", "v", "w"))
"""What may stand for any expression in a pattern."""

Bindings = dict[Any, Any]
Condition = Callable[..., bool]


def identity(
    name: str,
    pattern: Sequence[Any] | Expr,
    result: Expr,
    *,
    when: str = "",
    holds: Condition | None = None,
    given: str = "",
    claims: tuple[str, ...] = (),
    phase: Phase = "analytic",
    source: str = "",
) -> Rule:
    """A rule that is a pattern and what replaces it, in the places u, v and w.

    Args:
        pattern: a list of terms is found, times any factor, among the terms of a sum: ``[exp(u), -1]`` in
            ``2 y exp(x) - 2 y + z``. A product is found among the factors of a product; anything else matches a whole node.
        holds: what must be known for the rule to fire: a function of `Known` and what u, v, w stand for; `when` says it.
        given: the condition of the claim, such as ``"u > 0"``.
        claims: in place of the claim that the pattern equals its result.
    """
    terms = list(map(sympy.sympify, pattern)) if isinstance(pattern, list | tuple) else None
    whole: Expr = pattern if terms is None else Add(*terms)
    places = [p for p in PLACES if p in whole.free_symbols]

    def fits(known: Known, found: Bindings) -> bool:
        return holds is None or holds(known, *(found[p] for p in places))

    def in_sum(e: Expr, known: Known) -> Expr | None:
        assert terms is not None
        for factor, found, rest in in_terms(terms, e):
            if fits(known, found):
                return factor * put(result, found) + rest
        return None

    def in_product(e: Expr, known: Known) -> Expr | None:
        for found, rest in in_factors(whole, e):
            if fits(known, found):
                return put(result, found) * rest
        return None

    def at_node(e: Expr, known: Known) -> Expr | None:
        return next((put(result, found) for found in matches(whole, e, {}) if fits(known, found)), None)

    rewrite = in_sum if terms is not None else in_product if whole.is_Mul else at_node
    heads = (Add,) if terms is not None else (Mul,) if whole.is_Mul else (whole.func,)
    claim = f"{whole} == {result}".replace("LogAddExp", "logaddexp") + (f" where {given}" if given else "")
    return Rule(name, heads, rewrite, claims or (claim,), when, phase, source)


def without(e: Expr, f: Expr) -> Expr:
    """A product without one of its factors; a quotient would leave ``m^(1-p) m^(p-1)`` as it is."""
    parts = list(Mul.make_args(e))
    if f not in parts:
        return e / f
    parts.remove(f)
    return Mul(*parts)


def put(e: Expr, found: Bindings) -> Expr:
    """An expression in places as one in what they stand for."""
    if e in found:
        return found[e]
    return e.func(*(put(a, found) for a in e.args)) if e.args else e


def matches(pattern: Any, e: Any, found: Bindings) -> Iterator[Bindings]:
    """Every way in which an expression has the form of a pattern; sums and products match as wholes."""
    if pattern in PLACES:
        if pattern not in found:
            yield {**found, pattern: e}
        elif found[pattern] == e:
            yield found
    elif not pattern.args:
        if pattern == e:
            yield found
    elif all(p in found for p in PLACES if p in pattern.free_symbols):
        if put(pattern, found) == e:
            yield found
    elif pattern.is_Mul and len(pattern.args) == 2 and pattern.args[0].is_number:
        yield from matches(pattern.args[1], e / pattern.args[0], found)
    elif pattern.func is e.func and len(pattern.args) == len(e.args):
        commutes = pattern.is_Add or pattern.is_Mul
        yield from _each(pattern.args, list(e.args), found, commutes)


def _each(patterns: Sequence[Any], parts: list[Any], found: Bindings, commutes: bool) -> Iterator[Bindings]:
    if not patterns:
        yield found
        return
    for n, part in enumerate(parts if commutes else parts[:1]):
        for more in matches(patterns[0], part, found):
            yield from _each(patterns[1:], parts[:n] + parts[n + 1 :], more, commutes)


def in_terms(pattern: Sequence[Expr | int], e: Expr) -> Iterator[tuple[Expr, Bindings, Expr]]:
    """Where terms of a sum are a factor times those of a pattern: the factor, the places, and the other terms."""
    terms, wanted = list(e.args), [sympy.sympify(p, strict=True) for p in pattern]
    for n, term in enumerate(terms):
        others = terms[:n] + terms[n + 1 :]
        for factor, found in _quotients(term, wanted[0]):
            for more, rest in _others(wanted[1:], factor, others, found):
                yield factor, more, Add(*rest)


def _quotients(term: Expr, anchor: Expr) -> Iterator[tuple[Expr, Bindings]]:
    """The factors by which a term is a multiple of something that has the form of the anchor."""
    number, core = anchor.as_coeff_Mul()
    for f in Mul.make_args(term):
        for found in matches(core, f, {}):
            yield without(term, f) / number, found
        if f.is_Pow and f.exp.is_Integer and f.exp > 1:
            base, power = (core.base, core.exp) if core.is_Pow and core.exp.is_Integer else (core, S.One)
            for found in matches(base, f.base, {}) if 0 < power < f.exp else ():
                yield term / (number * f.base**power), found


def _others(
    pattern: Sequence[Expr], factor: Expr, terms: list[Expr], found: Bindings
) -> Iterator[tuple[Bindings, list[Expr]]]:
    if not pattern:
        yield found, terms
        return
    for n, term in enumerate(terms):
        for more in matches(pattern[0], term / factor, found):
            yield from _others(pattern[1:], factor, terms[:n] + terms[n + 1 :], more)


def in_factors(pattern: Expr, e: Expr) -> Iterator[tuple[Bindings, Expr]]:
    """Where factors of a product are those of a pattern, with the rest of the product; of powers one factor is taken."""

    def search(parts: Sequence[Expr], rest: Expr, found: Bindings) -> Iterator[tuple[Bindings, Expr]]:
        if not parts:
            yield found, rest
            return
        for f in Mul.make_args(rest):
            for more in matches(parts[0], f, found):
                yield from search(parts[1:], rest / f, more)
            if f.is_Pow and f.exp.is_Integer and abs(f.exp) > 1:
                one = f.base if f.exp > 0 else 1 / f.base
                for more in matches(parts[0], one, found):
                    yield from search(parts[1:], rest / one, more)

    number, factors = pattern.as_coeff_mul()
    for found, rest in search(list(factors), e, {}):
        yield found, rest / number
