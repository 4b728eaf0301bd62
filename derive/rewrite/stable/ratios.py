"""Logarithms of ratios that are nearly 1, and what is left of them beside the ratio."""

from __future__ import annotations

import sympy
from sympy import Expr, log

from ...ir.nodes import Where
from ...ops.elementwise.exponential import log1p
from ...ops.elementwise.remainders import log1pmx
from ._rule import Rule, U, identity
from .known import Known
from .rewriter import shorter


def _nearly_one(e: Expr, known: Known) -> Expr | None:
    """``log(u / v)`` by what the larger of the two is more."""
    above, below = e.args[0].as_numer_denom()
    if below == 1 or not (known.positive(above) and known.positive(below)):
        return None
    gap = sympy.expand(below - above)
    if not shorter(gap, above, below):
        return None
    if known.positive(gap):
        return -log1p(sympy.expand(gap / above))
    return log1p(sympy.expand(-gap / below)) if known.positive(-gap) else None


RATIO = Rule(
    "log(u / (u + v))", (log,), _nearly_one,
    ("log(u/(u + v)) == -log1p(v/u) where u > 0, v > 0", "log((u + v)/u) == log1p(v/u) where u > 0, v > 0"),
    when="u and v are positive", source="DLMF 4.6.1",
)  # fmt: skip
LEFT = identity(
    "log1p(u) - u / (1 + u)",
    [log1p(U), -U / (1 + U)],
    Where(sympy.Lt(U, 1), log1pmx(U) + U**2 / (1 + U), log1p(U) - 1 + 1 / (1 + U)),
    claims=("log1p(u) - u/(1 + u) == log1pmx(u) + u**2/(1 + u) where u > 0",),
    phase="numeric",
    source="DLMF 4.6.1",
)
