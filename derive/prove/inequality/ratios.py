"""Sums of weighted logarithms: ``w log(v/u) >= w (1 - u/v)`` for the very ratio that a weight w stands beside in a form.

The ratio is read off the form: where ``p log(p) - p log(q)`` stands, it is p/q. A logarithm without a weight of its own is
shared among weights that add up to a number, since ``log(Z) = sum_i p[i] log(Z)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy
from sympy import Expr, S

from ..forms.polynomial import Monomial, Polynomial
from .goal import Known
from .scene import Scene
from .squares import free_indices
from .text import shown

Logarithms = list[tuple[Expr, Expr]]
"""Coefficients with what the logarithm is taken of."""
MOST_FACTORS = 6


def logarithm_ratios(scene: Scene) -> Iterator[Known]:
    """For each weight the inequality for its ratio, summed up; with and without a share of the unweighted logarithms."""
    forms = scene.goal.forms
    groups = {w: logs for w, logs in _weighted(scene.products).items() if scene.signs.monomial(w)}
    alone = _weighted(scene.goal.form.terms).get(frozenset(), []) if scene.bound else []
    totals = {w: forms.total(Polynomial({w: S.One}), scene.bound).constant for w in groups}
    constant = {w: t for w, t in totals.items() if t is not None and t.is_positive}
    whole = sympy.Add(*constant.values())
    for w, logs in groups.items():
        shares = [S.Zero]
        if alone and w in constant:
            shares += list(dict.fromkeys((1 / whole, 1 / constant[w])))
        beside = _beside(scene.products, w)
        for share in shares:
            extra = [(c * share, b) for c, b in alone] if share else []
            for linear in (Polynomial.number(0), beside) if beside.terms else (beside,):
                known = _ratio(scene, w, [*logs, *extra], linear)
                if known is not None:
                    yield known


def _weighted(products: Mapping[Monomial, Expr]) -> dict[Monomial, Logarithms]:
    """The logarithms beside each weight."""
    found: dict[Monomial, Logarithms] = {}
    for monomial, c in products.items():
        logs = [a for a, e in monomial if isinstance(a, sympy.log) and e == 1]
        if len(logs) == 1:
            found.setdefault(monomial - {(logs[0], S.One)}, []).append((c, logs[0].args[0]))
    return found


def _beside(products: Mapping[Monomial, Expr], w: Monomial) -> Polynomial:
    """What else stands beside a weight: a logarithm of its exponential."""
    found = {m - w: c for m, c in products.items() if w and w < m}
    return Polynomial({m: c for m, c in found.items() if not any(isinstance(a, sympy.log) for a, _ in m)})


def _ratio(scene: Scene, w: Monomial, logs: Logarithms, linear: Polynomial) -> Known | None:
    """``w (log r - 1 + 1/r) >= 0`` for ``log r = sum_k c_k log b_k``, its coefficients whole and without a common factor."""
    forms = scene.goal.forms
    scale = sympy.ilcm(1, *(c.q for c, _ in logs))
    divisor = sympy.igcd(0, *(c * scale for c, _ in logs)) or 1
    whole = [(c * scale / divisor, b) for c, b in logs]
    if len(whole) > MOST_FACTORS or any(abs(c) > 4 for c, _ in whole):
        return None
    if any(free_indices(b) - set(scene.indices) for _, b in whole):
        return None
    linear = linear.scaled(sympy.Rational(scale, divisor))
    inverse = Polynomial.product(forms.power(forms.form(b), -c) for c, b in whole)
    inverse = inverse * forms.exponential(linear.scaled(-1))
    logarithm = Polynomial.sum(Polynomial.of(sympy.log(b)).scaled(c) for c, b in whole) + linear
    weight = Polynomial({w: S.One})
    inner = weight * (logarithm - Polynomial.number(1) + inverse)
    form = forms.total(forms.form(inner.expression()), scene.bound)
    factors = Polynomial.product(forms.power(forms.form(b), c) for c, b in whole)
    ratio = shown(factors * forms.exponential(linear))
    return Known(form, f"log(r) >= 1 - 1/r with r = {ratio}, times {shown(weight)}", cost=2)
