"""Functions that vanish at 0, divided by what they vanish with: ``expm1(c u) / u``, ``log1p(c u) / u``, or dividing it."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Add, Expr, Mul, S, log

from ...ir.nodes import Bracket, Read, Where
from ...ops.elementwise.complements import bose, log1mexp
from ...ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from ...ops.elementwise.piecewise import Absolute
from ...ops.elementwise.relative import bosex, relexp, rellog1p
from ._rule import Rule, U, identity, without
from .exponentials import exponential
from .known import Known

RELATIVE = {expm1: relexp, log1p: rellog1p}
"""f, and the function f(x) / x."""


def _powers(e: Expr) -> dict[Expr, Expr]:
    """The bases of a product with their exponents, but for exponentials."""
    return {b: k for b, k in (f.as_base_exp() for f in Mul.make_args(e) if not isinstance(f, sympy.exp))}


def _factors(w: Expr) -> Iterator[Expr]:
    """What an argument is a multiple of."""
    return (f.as_base_exp()[0] for f in Mul.make_args(w) if not f.is_number)


def _within(w: Expr) -> Iterator[Expr]:
    """What v is a multiple of, where the argument is a multiple of log(1 + v)."""
    return (g for f in Mul.make_args(w) if isinstance(f, log1p) for g in _factors(f.args[0]))


def _below(e: Expr, known: Known) -> Expr | None:
    """``f(w) / u`` for a multiple w of u."""
    powers = _powers(e)
    for f in e.args:
        base, k = f.as_base_exp()
        if type(base) in RELATIVE and k.is_Integer and k > 0:
            w = base.args[0]
            if any(powers.get(s * g, S.Zero).is_negative for g in _factors(w) for s in (1, -1)):
                return without(e, f) * base ** (k - 1) * w * RELATIVE[type(base)](S.Zero, w)
            for c in e.args:
                if c.is_Add and any(_powers(t).get(g, S.Zero).is_negative for t in c.args for g in _factors(w)):
                    return Add(*(without(e, c) * t for t in c.args))
    return None


def _above(e: Expr, known: Known) -> Expr | None:
    """``u / log1p(w)`` and ``u bose(w)`` for a multiple w of u, also ``exp(u) bose(exp(u))``."""
    powers = _powers(e)
    n = exponential(e)[1]
    for f in e.args:
        base, k = f.as_base_exp()
        if not k.is_Integer:
            continue
        if isinstance(base, log1p) and k < 0:
            w = base.args[0]
            if any(powers.get(g, S.Zero).is_positive for g in _factors(w)):
                return without(e, f) * base ** (k + 1) / w / rellog1p(S.Zero, w)
        if isinstance(base, bose) and k > 0:
            w = base.args[0]
            near = without(e, f) * base ** (k - 1) / w * bosex(S.Zero, w)
            if _multiple(powers, w, n):
                return near
            if any(powers.get(g, S.Zero).is_positive for g in _within(w)):
                return Where(Absolute(w) < 1, near, e)
    return None


def _multiple(powers: dict[Expr, Expr], w: Expr, n: Expr) -> bool:
    """Whether a product holds a factor of w, or the power of it with an exponent like that of w."""
    a = exponential(w)[1]
    if a != 0:
        return len(Add.make_args(sympy.expand(n - a))) < len(Add.make_args(n)) or sympy.expand(n - a) in (0, a)
    for f in Mul.make_args(w):
        base, k = f.as_base_exp()
        found = powers.get(base, S.Zero)
        if k.is_number and found.is_positive and not f.is_number:
            return True
        if not k.is_number and found != 0 and sympy.expand(found - k).is_number:
            return True
    return False


def _log_softplus(e: Expr, known: Known) -> Expr | None:
    """``log(softplus(u))``, which is nearly u far on the left."""
    if not isinstance(e.args[0], softplus):
        return None
    (u,) = e.args[0].args
    return Where(u < 0, u + log(rellog1p(S.Zero, sympy.exp(u))), e)


def _softplus_quotient(e: Expr, known: Known) -> Expr | None:
    """``s(u)^j softplus(u)^-k``, both nearly exp(u) far on the left."""
    for f in e.args:
        base, k = f.as_base_exp()
        above = sigmoid(base.args[0]) if isinstance(base, softplus) and k.is_negative else None
        for g in e.args if above is not None else ():
            b, j = g.as_base_exp()
            if b == above and j.is_positive:
                u = base.args[0]
                left = sympy.exp((j + k) * u) * sigmoid(-u) ** j * rellog1p(S.Zero, sympy.exp(u)) ** k
                return without(without(e, f), g) * Where(u < 0, left, f * g)
    return None


def _slope(e: Expr, known: Known) -> Expr | None:
    """``B(w) (1 - B(-w))`` is ``w B'(w)``, with B(w) = w bose(w)."""
    for f in e.args:
        if isinstance(f, bosex) and f.args[0] == 0:
            w = f.args[1]
            for g in e.args:
                if g.is_Add and sympy.expand(g - 1 + bosex(S.Zero, -w)) == 0:
                    return without(without(e, f), g) * w * bosex(S.One, w)
    return None


def _choice(e: Expr, known: Known) -> Expr | None:
    """A choice by a condition within a choice by the same condition is made already."""
    condition, a, b = e.args

    def settled(x: Expr, place: int) -> Expr:
        if isinstance(x, Read | Bracket) or not x.args:
            return x
        if isinstance(x, Where) and x.args[0] == condition:
            return settled(x.args[place], place)
        args = [settled(y, place) if isinstance(y, Expr) else y for y in x.args]
        return x if all(p is q for p, q in zip(args, x.args, strict=True)) else x.func(*args)

    found = Where(condition, settled(a, 1), settled(b, 2))
    return None if found == e else found


def _exponents(e: Expr, known: Known) -> Expr | None:
    """``exp(j v) bose(v)^k`` is ``(-1)^j bose(-v)^j bose(v)^(k-j)``."""
    c, n = exponential(e)
    for f in Mul.make_args(c) if n != 0 else ():
        base, k = f.as_base_exp()
        if isinstance(base, bose) and k.is_Integer and k > 0:
            v = base.args[0]
            for j in range(1, int(k) + 1):
                if n == j * v:
                    return without(c, f) * (-1) ** j * bose(-v) ** j * base ** (k - j)
    return None


def _reciprocal(e: Expr, known: Known) -> Expr | None:
    if isinstance(e.base, expm1) and e.exp.is_Integer and e.exp < 0:
        return bose(e.base.args[0]) ** -e.exp
    return None


def _logarithm(e: Expr, known: Known) -> Expr | None:
    """``log((exp(u) - 1) / u)``: near 0 by what it is more than 1, far from it by logarithms."""
    x = e.args[0]
    if not isinstance(x, relexp | bosex) or x.args[0] != 0:
        return None
    u, sign = x.args[1], 1 if isinstance(x, relexp) else -1
    near = log1p(u * (relexp(S.Zero, u) - relexp(S.One, u)))
    below = Where(u < -1, log1mexp(-u) - log(-u), near)
    return sign * Where(u > 1, u + log1mexp(u) - log(u), below)


BELOW = Rule(
    "expm1(u) / u", (Mul,), _below,
    ("expm1(u)/u == relexp(0, u)", "log1p(u)/u == rellog1p(0, u) where u > 0"),
    when="an argument is a multiple of what it is divided by", source="DLMF 4.2.19 and 4.6.1",
)  # fmt: skip
ABOVE = Rule(
    "u / expm1(u)", (Mul,), _above,
    ("u/expm1(u) == bosex(0, u)", "u/log1p(u) == 1/rellog1p(0, u) where u > 0"),
    when="an argument is a multiple of what is divided by it", source="DLMF 24.2.1",
)  # fmt: skip
RECIPROCAL = Rule("1 / expm1(u)", (sympy.Pow,), _reciprocal, ("1/expm1(u) == bose(u)",), source="DLMF 4.2.19")
SLOPE = Rule(
    "B(u) (1 - B(-u))", (Mul,), _slope, ("bosex(0, u)*(1 - bosex(0, -u)) == u*bosex(1, u)",),
    source="derived: the slope of u / (exp(u) - 1)",
)  # fmt: skip
CHOICE = Rule(
    "choice within a choice", (Where,), _choice,
    ("where(u > 0, where(u > 0, u, v), w) == where(u > 0, u, w)",), source="derived: the same condition",
)  # fmt: skip
EXPONENTS = Rule(
    "exp(v) bose(v)", (Mul,), _exponents, ("exp(u)*bose(u) == -bose(-u)",),
    source="derived: expm1(v) = -exp(v) expm1(-v)",
)  # fmt: skip
LOG_SOFTPLUS = Rule(
    "log(softplus(u))", (log,), _log_softplus, ("log(log1p(u)) == log(u) + log(log1p(u)/u) where u > 0",),
    source="derived: softplus(u) = exp(u) log1p(exp(u)) / exp(u)",
)  # fmt: skip
SOFTPLUS_QUOTIENT = Rule(
    "s(u) / softplus(u)", (Mul,), _softplus_quotient, ("sigmoid(u) == exp(u)*sigmoid(-u)",), phase="numeric",
    source="derived: softplus(u) = exp(u) log1p(exp(u)) / exp(u)",
)  # fmt: skip
PLUS_ONE = identity("bose(u) + 1", [bose(U), 1], -bose(-U))
LOGARITHM = Rule(
    "log(expm1(u) / u)", (log,), _logarithm,
    ("log(relexp(0, u)) == u + log1mexp(u) - log(u) where u > 0",
     "relexp(0, u) == 1 + u*(relexp(0, u) - relexp(1, u))"),
    source="derived: relexp(0, u) - relexp(1, u) is the integral of (1 - t) exp(u t)",
)  # fmt: skip
