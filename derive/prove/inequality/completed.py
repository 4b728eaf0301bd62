"""Completed squares: for a product ``w g h`` under a sum, ``sum w (g - h)^2 >= 0`` and ``sum w (g + h)^2 >= 0``.

With two indices this is Lagrange's identity, so that Cauchy-Schwarz needs no rule of its own:
``sum_ij (u[i] v[j] - u[j] v[i])^2 = 2 (sum u^2) (sum v^2) - 2 (sum u v)^2``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement

import sympy
from sympy import Expr, S

from ...deadline import check_time
from ...ir.nodes import NAMES, Index, Read, indices_of, reads_of
from ..forms.atoms import Total
from ..forms.naming import components, named_sum
from ..forms.polynomial import Monomial, Polynomial, collected
from .content import content
from .goal import Goal, Known
from .rewriting import inside
from .signs import Signs
from .squares import Factors, Opened
from .text import shown

MOST_UNITS = 8
MOST_FREE = 6
"""Factors that are divided between the halves of a square, and indices of a product, beyond which none are sought."""


def completed_squares(goal: Goal, signs: Signs) -> Iterator[Known]:
    """Squares whose own terms stand in the form, and whose mixed term is one of its products."""
    seen: set[tuple[tuple[Index, ...], Monomial, frozenset[Monomial]]] = set()
    support = set(goal.form.terms)
    contents = {content(m) for m in support}
    for spine, weight, g, h in _candidates(goal, signs):
        check_time()
        key = spine, weight, frozenset((g, h))
        if g != h and key not in seen:
            seen.add(key)
            if not {content([*weight, *half, *half]) for half in (g, h)} <= contents:
                continue
            yield from _both_signs(goal, spine, weight, g, h, support)


def _candidates(goal: Goal, signs: Signs) -> Iterator[tuple[tuple[Index, ...], Monomial, Monomial, Monomial]]:
    """Halves of products that are subtracted or have no sign; roots of two factors that are added."""
    for monomial, c in goal.form:
        if c < 0 or not signs.monomial(monomial):
            for spine, weight, units in _divisions(signs.opened(monomial), signs):
                for g, h in _halves(units):
                    yield spine, weight, g, h
        else:
            yield from _between(goal, signs, monomial)
    yield from _of_squares(goal, signs)


def _of_squares(goal: Goal, signs: Signs) -> Iterator[tuple[tuple[Index, ...], Monomial, Monomial, Monomial]]:
    """For two terms ``sum_i w[i] g[i]^2`` and ``sum_i v[i] h[i]^2`` the halves ``sqrt(w) g`` and ``sqrt(v) h``."""
    found = []
    for monomial, c in goal.form:
        squares = signs.squares(monomial) if c > 0 else None
        if squares is not None and all(signs.nonnegative(a) for a, _ in squares.weight):
            half = collected([*((a, e / 2) for a, e in squares.weight), *((p, S.One) for p in squares.parts)])[0]
            found.append((squares.spine, half))
    for (spine, g), (other, h) in combinations(found, 2):
        if [i.extent for i in spine] == [i.extent for i in other]:
            turned = goal.forms.at(Polynomial({h: S.One}), dict(zip(other, spine, strict=True))).single()
            if turned is not None:
                yield spine, frozenset(), g, turned[0]


def _between(
    goal: Goal, signs: Signs, monomial: Monomial
) -> Iterator[tuple[tuple[Index, ...], Monomial, Monomial, Monomial]]:
    """For ``(sum_i f[i]) (sum_j g[j])`` the roots of ``f[i] g[j]`` and ``f[j] g[i]``: Cauchy-Schwarz of two sums."""
    forms = goal.forms
    sums = {a: e for a, e in monomial if isinstance(a, Total) and e.is_Integer and e > 0}
    yield from _with_weights(goal, signs, monomial, list(sums))
    for a, b in combinations_with_replacement(sums, 2):
        if [i.extent for i in a.bound] != [i.extent for i in b.bound] or (a == b and sums[a] < 2):
            continue
        outer, _ = collected([*monomial, (a, S.NegativeOne), (b, S.NegativeOne)])
        (f, i), (g, j) = inside(a, forms), inside(b, forms)
        turned = inside(a, forms, j)[0] * inside(b, forms, i)[0]
        halves = [_root(p, signs) for p in (f * g, turned)]
        if signs.monomial(outer) and halves[0] is not None and halves[1] is not None:
            yield (*i, *j), outer, halves[0], halves[1]


def _with_weights(
    goal: Goal, signs: Signs, monomial: Monomial, sums: list[Total]
) -> Iterator[tuple[tuple[Index, ...], Monomial, Monomial, Monomial]]:
    """As for two sums, where one is ``sum_j q[j] = 1`` and does not show."""
    forms = goal.forms
    weights = {r.tensor for a in sums for r in reads_of(a) if "simplex" in r.tensor.facts}
    for a in sums:
        for q in (t for t in weights if len(a.bound) == 1 and t.shape == (a.bound[0].extent,)):
            outer, _ = collected([*monomial, (a, S.NegativeOne)])
            (f, (i,)), (g, (j,)) = inside(a, forms), inside(a, forms)
            halves = [_root(p, signs) for p in (f * Polynomial.of(Read(q, (j,))), g * Polynomial.of(Read(q, (i,))))]
            if signs.monomial(outer) and halves[0] is not None and halves[1] is not None:
                yield (i, j), outer, halves[0], halves[1]


def _root(product: Polynomial, signs: Signs) -> Monomial | None:
    """A product of which this one is the square."""
    single = product.single()
    if single is None or not all(_even(e) or signs.nonnegative(a) for a, e in single[0]):
        return None
    return frozenset((a, e / 2) for a, e in single[0])


def _even(exponent: Expr) -> bool:
    return bool(exponent.is_Integer and exponent % 2 == 0)


def _divisions(product: Opened, signs: Signs) -> Iterator[tuple[tuple[Index, ...], Monomial, Factors]]:
    """Ways to hold some indices fixed: the nonnegative weight, and the units that go to one half or the other."""
    if len(product.bound) > MOST_FREE:
        return
    for size in range(len(product.bound), -1, -1):
        for spine in combinations(product.bound, size):
            rest = [b for b in product.bound if b not in spine]
            inner = [f for f in product.factors if indices_of(f[0]) & set(rest)]
            units: Factors = [(named_sum(group, own), S.One) for group, own in components(inner, rest)]
            if not set(rest) <= set().union(*(indices_of(a) for a, _ in inner)):
                continue
            weight: Factors = []
            for atom, exponent in (f for f in product.factors if f not in inner):
                if signs.nonnegative(atom) and exponent == 1:
                    weight.append((atom, exponent))
                else:
                    units.extend(_units(atom, exponent, signs))
            if len(units) <= MOST_UNITS:
                yield spine, collected(weight)[0], units
                roots = [(a, S.Half) for a, _ in weight for _ in range(2)]
                if weight and len(units) + len(roots) <= MOST_UNITS:
                    yield spine, frozenset(), units + roots


def _units(atom: Expr, exponent: Expr, signs: Signs) -> Factors:
    """A power as equal factors: of whole exponents, else of halves where the atom is nonnegative."""
    if exponent.is_Integer:
        return [(atom, S.One if exponent > 0 else S.NegativeOne)] * abs(int(exponent))
    return [(atom, exponent / 2)] * 2 if signs.nonnegative(atom) else [(atom, exponent)]


def _halves(units: Factors) -> Iterator[tuple[Monomial, Monomial]]:
    """Two products that multiply to all units."""
    seen = set()
    for choice in range(2 ** max(len(units) - 1, 0)):
        g, _ = collected(u for n, u in enumerate(units) if choice >> n & 1)
        h, _ = collected(u for n, u in enumerate(units) if not choice >> n & 1)
        if (pair := frozenset((g, h))) not in seen:
            seen.add(pair)
            yield g, h


def _both_signs(
    goal: Goal, spine: tuple[Index, ...], weight: Monomial, g: Monomial, h: Monomial, support: set[Monomial]
) -> Iterator[Known]:
    forms = goal.forms
    w, first, second = (Polynomial({m: S.One}) for m in (weight, g, h))

    def summed(a: Polynomial, b: Polynomial) -> Polynomial:
        return forms.form(forms.total(forms.form((w * a * b).expression()), spine).expression())

    own: list[Polynomial] = []
    for half in (first, second):
        own.append(summed(half, half))
        if not set(own[-1].terms) <= support:
            return
    mixed = summed(first, second)
    names = {i: NAMES[n] for n, i in enumerate(spine)}
    over = f"sum_{','.join(names.values())} " if spine else ""
    for ratio in _ratios(goal.form, own[0], own[1], mixed):
        form = Polynomial.sum([own[0], own[1].scaled(ratio**2), mixed.scaled(2 * ratio)])
        if not form.is_zero:
            square = f"({_difference(first, second, ratio, names)})^2"
            inside = f"{shown(w, names)} {square}" if weight else square
            yield Known(form, f"{over}{inside}", cost=1.5 + 0.1 * len(spine), equal=True)


def _difference(g: Polynomial, h: Polynomial, ratio: Expr, names: dict[Index, str]) -> str:
    """``g + t h``, what comes first in the alphabet first where both have the same weight."""
    if ratio != -1:
        return shown(g + h.scaled(ratio), names)
    return " - ".join(sorted((shown(g, names), shown(h, names))))


def _ratios(form: Polynomial, first: Polynomial, second: Polynomial, mixed: Polynomial) -> Iterator[Expr]:
    """Numbers t for which ``(g + t h)^2`` may use up what the form has of g^2, of h^2 and of g h."""
    singles = [p.single() for p in (first, second, mixed)]
    found = {S.One, S.NegativeOne}
    if all(s is not None for s in singles):
        c, d, m = (form.terms.get(s[0], S.Zero) / s[1] for s in singles if s is not None)
        exact = [m / (2 * c)] if c else []
        exact += [2 * d / m] if m else []
        if c > 0 and d > 0 and sympy.sqrt(d / c).is_Rational:
            exact += [sympy.sqrt(d / c), -sympy.sqrt(d / c)]
        found |= {S(t) for t in exact if t != 0}
    yield from sorted(found)
