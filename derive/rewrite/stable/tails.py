"""Tails of the normal law: no 1 - erf, no quotient of two numbers that underflow."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, S, erf, erfc, exp, sqrt

from ...ir.nodes import Where
from ...ops.elementwise.special import erfcx, ndtr
from ...ops.elementwise.tails import mills
from ._rule import Rule, U, identity, in_terms
from .exponentials import exponential
from .known import Known

ROOT2 = sqrt(2)

LEFT = identity("1 + erf(u)", [erf(U), 1], 2 * ndtr(ROOT2 * U))
RIGHT = identity("1 - erf(u)", [-erf(U), 1], 2 * ndtr(-ROOT2 * U))
TWO = identity("2 - erfc(u)", [-erfc(U), 2], 2 * ndtr(ROOT2 * U))
ONE = identity("1 - erfc(u)", [-erfc(U), 1], erf(U))
OTHER = identity("1 - ndtr(u)", [-ndtr(U), 1], ndtr(-U))
BOTH = identity("ndtr(u) + ndtr(-u)", [ndtr(U), ndtr(-U)], S.One)


def _beside_exp(e: Expr, known: Known) -> Expr | None:
    """``exp(-x^2 / 2) / Phi(x)`` is the inverse Mills ratio; ``exp(x^2 / 2) Phi(x)`` is erfcx."""
    c, n = exponential(e)
    for f in Mul.make_args(c) if n != 0 else ():
        base, k = f.as_base_exp()
        if not isinstance(base, erfc | ndtr) or not k.is_Integer:
            continue
        x, scale = (base.args[0], 1) if isinstance(base, ndtr) else (-ROOT2 * base.args[0], 2)
        for j in range(int(abs(k)), 0, -1):
            square = sympy.expand((j if k > 0 else -j) * x**2 / 2)
            rest = sympy.expand(n - square)
            if rest != 0 and len(Add.make_args(rest)) >= len(Add.make_args(sympy.expand(n))):
                continue
            if k < 0:
                return c * base**j * (sqrt(2 * sympy.pi) * mills(S.Zero, x) / scale) ** j * exp(rest)
            return c / base**j * (scale * erfcx(-x / ROOT2) / 2) ** j * exp(rest)
    return None


def _mean(e: Expr, known: Known) -> Expr | None:
    """``x + phi(x) / Phi(x)`` is ``-m'(x) / m(x)``, m the ratio: on the left the terms cancel."""
    for factor, found, rest in in_terms([mills(S.Zero, U), U], e):
        x = found[U]
        return factor * Where(x < 0, -mills(S.One, x) / mills(S.Zero, x), x + mills(S.Zero, x)) + rest
    return None


MEAN = Rule(
    "u + phi(u) / Phi(u)", (Add,), _mean, ("u + mills(0, u) == -mills(1, u)/mills(0, u)",), phase="numeric",
    source="Sampford (1953), eq. 3",
)  # fmt: skip
BESIDE = Rule(
    "exp(x^2 / 2) Phi(-x)", (Mul,), _beside_exp,
    ("exp(u**2)*erfc(u) == erfcx(u)", "exp(-u**2/2)/ndtr(u) == sqrt(2*pi)*mills(0, u)",
     "exp(u**2/2)*ndtr(-u) == erfcx(u/sqrt(2))/2"),
    source="DLMF 7.2.3 and 7.8.1",
)  # fmt: skip
