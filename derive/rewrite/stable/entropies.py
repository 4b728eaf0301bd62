"""Losses near their minimum: remainders of logarithms, differences of softplus, mixtures near one, 0 log 0."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, Rational, S, log

from ...ir.nodes import Bracket, Read, Where
from ...ops.elementwise.complements import log1mexp
from ...ops.elementwise.exponential import LogAddExp, expm1, log1p, sigmoid, softplus
from ...ops.elementwise.remainders import log1pmx
from ._rule import Rule, U, V, in_terms
from .exponentials import exponential
from .known import Known


def _bregman(e: Expr, known: Known) -> Expr | None:
    """``log(u / v) - 1 + v / u``."""
    for factor, found, rest in in_terms([log(U / V), S.NegativeOne, V / U], e):
        return factor * _remainder(found[V], found[U], known) + rest
    return None


def _one_off(e: Expr, known: Known) -> Expr | None:
    """``u - 1 - log(u)``."""
    for factor, found, rest in in_terms([-log(U), U, S.NegativeOne], e):
        return factor * _remainder(sympy.fraction(found[U])[0], sympy.fraction(found[U])[1], known) + rest
    for factor, found, rest in in_terms([-2 * log(U), U**2, S.NegativeOne], e):
        return -factor * log1pmx((found[U] - 1) * (found[U] + 1)) + rest
    return None


def _remainder(above: Expr, below: Expr, known: Known) -> Expr:
    """``r - 1 - log(r)`` for a quotient: where it is near 1 by log1pmx."""
    near = -log1pmx((above - below) / below)
    if not (known.positive(above) and known.positive(below)):
        return near
    far = above / below - 1 + (log(below) - log(above))
    return Where(sympy.And(above < 2 * below, below < 2 * above), near, far)


BREGMAN = Rule(
    "log(u / v) - 1 + v / u", (Add,), _bregman, ("log(u/v) - 1 + v/u == -log1pmx((v - u)/u) where u > 0, v > 0",),
    source="derived: log(u / v) = -log(1 + (v - u) / u)",
)  # fmt: skip
ONE_OFF = Rule(
    "u - 1 - log(u)", (Add,), _one_off, ("u - 1 - log(u) == -log1pmx(u - 1) where u > 0",),
    source="derived: log(u) = log(1 + (u - 1))",
)  # fmt: skip


def _softplus_line(e: Expr, known: Known) -> Expr | None:
    """``c softplus(u) - d u`` is ``(c - d) softplus(u) + d softplus(-u)``: no large numbers are subtracted for d = c."""
    for t in e.args:
        for f in Mul.make_args(t):
            if not isinstance(f, softplus):
                continue
            c, u = t / f, f.args[0]
            sign, core = (-1, -u) if u.could_extract_minus_sign() else (1, u)
            for other in e.args:
                if other == t or core not in Mul.make_args(other):
                    continue
                d = -sign * other / core
                ratio = d / c
                low, high = known.range(ratio)
                if not (low >= 0 and high <= 1) or ratio == 0:
                    continue
                rest = Add(*(a for a in e.args if a not in (t, other)))
                return (c - d) * softplus(u) + d * softplus(-u) + rest
    return None


SOFTPLUS_LINE = Rule(
    "softplus(u) - v u", (Add,), _softplus_line, ("softplus(u) - v*u == (1 - v)*softplus(u) + v*softplus(-u)",),
    when="v is known to lie between 0 and 1", source="derived: softplus(-u) = softplus(u) - u",
)  # fmt: skip


def _softpluses(e: Expr, known: Known) -> Expr | None:
    """``softplus(u) - softplus(v)`` at close places by log1p."""
    for factor, found, rest in in_terms([softplus(U), -softplus(V)], e):
        u, v = found[U], found[V]
        if u == -v:
            return factor * u + rest
        gap = sympy.expand(u - v)
        near = log1p(sigmoid(v) * expm1(gap))
        far = LogAddExp(gap - softplus(-v), -softplus(v))
        return factor * Where(sympy.And(gap < 1, gap > -1), near, far) + rest
    return None


SOFTPLUSES = Rule(
    "softplus(u) - softplus(v)", (Add,), _softpluses,
    ("softplus(u) - softplus(v) == log1p(sigmoid(v)*expm1(u - v))",
     "softplus(u) - softplus(v) == logaddexp(u - v - softplus(-v), -softplus(v))"),
    phase="numeric", source="derived: the quotient of 1 + exp(u) and 1 + exp(v)",
)  # fmt: skip


def _mixture(e: Expr, known: Known) -> Expr | None:
    """``log(p exp(a) + q exp(b))`` with p + q = 1, near 0 by what is missing from 1."""
    x = e.args[0]
    if not (x.is_Add and len(x.args) == 2):
        return None
    (p, a), (q, b) = (exponential(t) for t in x.args)
    whole = p + q == 1 or (isinstance(p, sigmoid) and isinstance(q, sigmoid) and p.args[0] == -q.args[0])
    if not whole or (a == 0 and b == 0) or p.is_number:
        return None
    near = log1p(p * expm1(a) + q * expm1(b))
    far = LogAddExp(a + log(p), b + log(q))
    small = [sympy.And(c < 1, c > -1) for c in (a, b) if c != 0]
    return Where(sympy.And(*small), near, far)


MIXTURE = Rule(
    "log of a mixture", (log,), _mixture,
    ("log(sigmoid(u)*exp(v) + sigmoid(-u)*exp(w)) == log1p(sigmoid(u)*expm1(v) + sigmoid(-u)*expm1(w))",),
    when="the weights add up to 1", source="derived: exp(a) = 1 + expm1(a)",
)  # fmt: skip


def _tilt(e: Expr, known: Known) -> Expr | None:
    """``log(1 + c expm1(u))``, where expm1 overflows from the larger term."""
    x = e.args[0]
    for f in Mul.make_args(x):
        if isinstance(f, expm1) and known.positive(x / f) and not known.bounded_above(f.args[0]):
            c, u = x / f, f.args[0]
            if c == 1 or c.has(sigmoid):
                return None
            above = Where(u > 0, u + log1p((1 - c) * expm1(-u)), e)
            far = Where(c <= 1, LogAddExp(u + log(c), log1p(-c)), above)
            return Where(sympy.And(u < 1, u > -1), e, far)
    return None


TILT = Rule(
    "log(1 + c (exp(u) - 1))", (log1p,), _tilt,
    ("log1p(v*expm1(u)) == u + log1p((1 - v)*expm1(-u))",), phase="numeric", when="c is positive",
    source="derived: exp(u) taken out",
)  # fmt: skip


def _zero(e: Expr, known: Known) -> Expr | None:
    """``x log(x y)``, which is 0 at 0."""
    if any(isinstance(f, Bracket) for f in e.args):
        return None
    for f in e.args:
        if isinstance(f, Read) and not known.positive(f):
            for g in e.args:
                if isinstance(g, log) and _has_factor(g.args[0], f):
                    return e * Bracket(sympy.Ne(f, 0))
    return None


def _has_factor(x: Expr, f: Expr) -> bool:
    return any(g.as_base_exp()[0] == f for g in Mul.make_args(x))


ZERO = Rule(
    "0 log 0", (Mul,), _zero, ("u*log(u) == log(u)*u",), phase="numeric", when="x may be 0",
    source="Cover and Thomas (2006), sec. 2.1",
)  # fmt: skip


def _log1mexp_exp(e: Expr, known: Known) -> Expr | None:
    """``log(1 - exp(-w))`` for w = c exp(a), which may underflow: log(w) - w / 2 + w^2 / 24 where w is small."""
    c, a = exponential(e.args[0])
    if a == 0 or not known.positive(c):
        return None
    w = e.args[0]
    return Where(w < Rational(1, 1000), a + log(c) - w / 2 + w**2 / 24, e)


LOG1MEXP_EXP = Rule(
    "log1mexp(c exp(u))", (log1mexp,), _log1mexp_exp, ("log(1 - exp(-u)) == log1mexp(u) where u > 0",), phase="numeric",
    when="c is positive", source="DLMF 24.2.1",
)  # fmt: skip
