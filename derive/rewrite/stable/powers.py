"""Powers beside 1, and inverse functions written out: ``(1 + r)^n - 1 = expm1(n log1p(r))``."""

from __future__ import annotations

from itertools import combinations

import sympy
from sympy import Add, Expr, Mul, S, acos, acosh, asin, asinh, atanh, log, sqrt

from ...ir.nodes import Read, reads_of
from ...ops.elementwise.exponential import expm1, log1p
from ._rule import Rule, without
from .known import Known
from .rewriter import size_of

WIDEST, DEGREE = 40, 40
"""Nodes and degrees of polynomials whose common factors are looked for."""


def _power(e: Expr, known: Known) -> Expr | None:
    """``c b^p - c`` is ``c expm1(p log(b))``, unless b^p is a polynomial without a 1."""
    for t in e.args:
        for f in Mul.make_args(t):
            if not f.is_Pow or f.base.is_number or abs(f.exp) == S.Half:  # of a root the conjugate is better
                continue
            b, p, c = f.base, f.exp, without(t, f)
            one = b.is_Add and S.One in b.args
            polynomial = p.is_Integer or (p.is_Rational and p.q == 2)
            if (polynomial and not one) or -c not in e.args or not known.positive(b):
                continue
            return c * expm1(p * (log1p(b - 1) if one else log(b))) + Add(
                *(x for x in e.args if x not in (t, -c))
            )
    return None


def _one_base(e: Expr, known: Known) -> Expr | None:
    """``c b^p - c b^q`` is ``c b^q expm1((p - q) log(b))``, where an exponent is no number."""
    for s, t in combinations(e.args, 2):
        for f in Mul.make_args(s):
            b, p = f.as_base_exp()
            c = without(s, f)
            for g in Mul.make_args(t) if known.positive(b) and not b.is_number else ():
                if g.as_base_exp()[0] == b and t == -c * g and not (p - g.as_base_exp()[1]).is_number:
                    q = g.as_base_exp()[1]
                    rest = Add(*(x for x in e.args if x not in (s, t)))
                    return c * g * expm1((p - q) * log(b)) + rest
    return None


def _near_one(e: Expr, known: Known) -> Expr | None:
    """``(1 + u)^p`` is ``exp(p log1p(u))``, where p has what u is a multiple of in its denominator."""
    b, p = e.as_base_exp()
    if p.is_number or not (b.is_Add and S.One in b.args):
        return None
    below = {f.as_base_exp()[0] for f in Mul.make_args(p) if f.as_base_exp()[1].is_negative}
    above = {f for f in Mul.make_args(b - 1) if not f.is_number}
    same = any(g in above or -g in above or sympy.expand(-g) in above for g in below)
    return sympy.exp(p * log1p(b - 1)) if same else None


def _arcosh(e: Expr, known: Known) -> Expr | None:
    """``acosh(1 + u)`` is ``2 asinh(sqrt(u / 2))`` for u >= 0."""
    x = e.args[0]
    if x.is_Add and S.One in x.args and known.nonnegative(x - 1):
        return 2 * asinh(sqrt((x - 1) / 2))
    return None


def _factors(e: Expr, known: Known) -> Expr | None:
    """``c b^n - c`` for a base of any sign, b = 1 + r: c times the factors of b^n - 1, the first of them r."""
    for t in e.args:
        for f in Mul.make_args(t):
            if not (f.is_Pow and f.exp.is_Integer and 1 < f.exp < DEGREE and f.base.is_Add and S.One in f.base.args):
                continue
            if -t / f in e.args:
                u = sympy.Dummy("u")
                _, found = sympy.factor_list(u**f.exp - 1, u)
                whole = Mul(*(g.xreplace({u: f.base}) ** k for g, k in found))
                return t / f * whole + Add(*(x for x in e.args if x not in (t, -t / f)))
    return None


def _arsinh(e: Expr, known: Known) -> Expr | None:
    """``log(u + sqrt(u^2 + 1))``, and with -1 for u > 0."""
    x = e.args[0]
    if not x.is_Add or len(x.args) != 2:
        return None
    for r, u in (x.args, x.args[::-1]):
        if r.is_Pow and r.exp == S.Half:
            rest = sympy.expand(r.base - u**2)
            if rest in (1, -1):
                return asinh(u) if rest == 1 else acosh(u)
    return None


def _artanh(e: Expr, known: Known) -> Expr | None:
    """``log((1 + u) / (1 - u))`` is ``2 atanh(u)``."""
    x = e.args[0]
    for a, b in (x.args, x.args[::-1]) if x.is_Mul and len(x.args) == 2 else ():
        if b.is_Pow and b.exp == -1 and a.is_Add and S.One in a.args and sympy.expand(a + b.base) == 2:
            return 2 * atanh(a - 1)
    return None


def _difference(e: Expr, known: Known) -> Expr | None:
    """``log1p(u) - log1p(-u)`` is ``2 atanh(u)``."""
    for t in e.args:
        for f in Mul.make_args(t):
            if isinstance(f, log1p):
                other = -(t / f) * log1p(-f.args[0])
                if other in e.args:
                    return t / f * 2 * atanh(f.args[0]) + Add(*(x for x in e.args if x not in (t, other)))
    return None


def _arccos(e: Expr, known: Known) -> Expr | None:
    """``acos(1 - u)`` is ``2 asin(sqrt(u / 2))`` for u >= 0."""
    x = e.args[0]
    if x.is_Add and S.One in x.args and known.nonnegative(1 - x):
        return 2 * asin(sqrt((1 - x) / 2))
    return None


def _common(e: Expr, known: Known) -> Expr | None:
    """A quotient of polynomials in which a common factor cancels: ``(1 - q^3) / (1 - q)``."""
    below = [f for f in e.args if f.is_Pow and f.exp.is_Integer and f.exp < 0 and f.base.is_Add]
    for a in e.args:
        for b in below if a.is_Add else ():
            reads = reads_of(a)
            if set(reads_of(b)) != set(reads) or size_of(a) + size_of(b) > WIDEST:
                continue
            if not (_polynomial(a) and _polynomial(b.base)):
                continue
            n, d = sympy.fraction(sympy.cancel(a / b.base))
            if d.is_number and not n.is_number:
                return e / a / b * b.base ** (b.exp + 1) * n / d
    return None


def _polynomial(e: Expr) -> bool:
    """Whether an expression is made of sums, products and small whole powers of reads and numbers."""
    if e.is_Pow:
        return bool(e.exp.is_Integer and 0 < e.exp < DEGREE) and _polynomial(e.base)
    return (
        isinstance(e, Read)
        or bool(e.is_Rational)
        or ((e.is_Add or e.is_Mul) and all(map(_polynomial, e.args)))
    )


POWER = Rule(
    "u^p - 1", (Add,), _power,
    ("(1 + u)**v - 1 == expm1(v*log1p(u)) where u > 0", "u**v - 1 == expm1(v*log(u)) where u > 0"),
    when="the base is positive", source="Higham (2002), problem 1.5",
)  # fmt: skip
FACTORS = Rule(
    "u^n - 1", (Add,), _factors, ("(1 + u)**4 - 1 == u*(u + 2)*((1 + u)**2 + 1)",),
    when="n is a whole number", source="derived: cyclotomic polynomials",
)  # fmt: skip
ARSINH = Rule(
    "log(u + sqrt(u^2 + 1))", (log,), _arsinh,
    ("log(u + sqrt(u**2 + 1)) == arcsinh(u)", "log(cosh(u) + sinh(u)) == u"),
    source="DLMF 4.37.16",
)  # fmt: skip
ARTANH = Rule(
    "log((1 + u)/(1 - u))", (log,), _artanh, ("log((1 + u)/(1 - u)) == 2*arctanh(u) where u**2 < 1",),
    source="DLMF 4.37.24",
)  # fmt: skip
ARTANHS = Rule(
    "log1p(u) - log1p(-u)", (Add,), _difference, ("log1p(u) - log1p(-u) == 2*arctanh(u) where u**2 < 1",),
    source="DLMF 4.37.24",
)  # fmt: skip
ONE_BASE = Rule(
    "b^u - b^v", (Add,), _one_base, ("w**u - w**v == w**v*expm1((u - v)*log(w)) where w > 0",),
    when="the base is positive", source="Higham (2002), problem 1.5",
)  # fmt: skip
NEAR_ONE = Rule(
    "(1 + u v)^(w / v)", (sympy.Pow,), _near_one, ("(1 + u)**v == exp(v*log1p(u)) where u > 0",),
    when="the exponent is divided by what u is a multiple of", source="DLMF 4.2.26",
)  # fmt: skip
ARCOSH = Rule(
    "acosh(1 + u)", (acosh,), _arcosh, ("1 + 2*sinh(u)**2 == cosh(2*u)",), when="u >= 0",
    source="DLMF 4.35.20",
)  # fmt: skip
ARCCOS = Rule(
    "acos(1 - u)", (acos,), _arccos, ("1 - 2*sin(u)**2 == cos(2*u)",), when="u >= 0",
    source="DLMF 4.21.28",
)  # fmt: skip
COMMON = Rule(
    "common factor",
    (Mul,),
    _common,
    ("(1 - u**3)/(1 - u) == 1 + u + u**2",),
    source="derived: polynomial division",
)
