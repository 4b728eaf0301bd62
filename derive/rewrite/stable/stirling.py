"""Ratios of gamma functions beside the powers that they approach: what is left has no large terms."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, log

from ...ops.elementwise.exponential import log1p
from ...ops.elementwise.gamma_differences import gammaln_diff, gammaln_excess
from ._rule import Rule, U, V, in_terms
from .known import Known
from .rewriter import shorter


def _powers(e: Expr, known: Known) -> Expr | None:
    """``gammaln_diff(u, v) - v log(w)`` for a w that is u, a multiple of it, or more than it by a few terms."""
    for factor, places, rest in in_terms([gammaln_diff(U, V)], e):
        u, v = places[U], places[V]
        for term in Add.make_args(rest):
            w = _base(-term / (factor * v))
            left = _logarithm_of_ratio(w, u) if w is not None else None
            if left is not None:
                return factor * (gammaln_excess(u, v) - v * left) + rest - term
    return None


def _base(e: Expr) -> Expr | None:
    """w, if e is log(w) or -log(1 / w)."""
    if isinstance(e, log):
        return e.args[0]
    return 1 / (-e).args[0] if isinstance(-e, log) else None


def _logarithm_of_ratio(w: Expr, u: Expr) -> Expr | None:
    """log(w / u), if it has fewer terms than its parts."""
    ratio = sympy.cancel(w / u)
    if ratio.is_number:
        return log(ratio) if ratio.is_positive else None
    gap = sympy.expand(w - u)
    return log1p(gap / u) if shorter(gap, w, u) else None


POWERS = Rule(
    "gammaln(u + v) - gammaln(u) - v log(w)", (Add,), _powers,
    ("gammaln_diff(u, v) - v*log(w) == gammaln_excess(u, v) - v*log(w/u) where u > 0, v > 0, w > 0",),
    when="w is a multiple of u, or has terms in common with it", source="DLMF 5.11.12",
)  # fmt: skip
