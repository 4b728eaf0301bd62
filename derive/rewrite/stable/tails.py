"""Tails of the normal law: no 1 - erf, no quotient of two numbers that underflow."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, S, erf, erfc, exp, sqrt

from ...ops.elementwise.special import erfcx, ndtr
from ...ops.elementwise.tails import mills
from ._rule import Rule, U, identity
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


BESIDE = Rule(
    "exp(x^2 / 2) Phi(-x)", (Mul,), _beside_exp,
    ("exp(u**2)*erfc(u) == erfcx(u)", "exp(-u**2/2)/ndtr(u) == sqrt(2*pi)*mills(0, u)",
     "exp(u**2/2)*ndtr(-u) == erfcx(u/sqrt(2))/2"),
    source="DLMF 7.2.3 and 7.8.1",
)  # fmt: skip
