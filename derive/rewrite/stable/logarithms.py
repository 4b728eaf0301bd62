"""Logarithms of sums, products, powers and of functions that underflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from sympy import Add, Expr, Mul, S, exp, log

from ...ir.nodes import Bracket, Where
from ...ops.elementwise.bessel import i0
from ...ops.elementwise.bessel_ratios import log_i0
from ...ops.elementwise.complements import bose, expdiff, log1mexp
from ...ops.elementwise.exponential import LogAddExp, expm1, log1p, sigmoid, softplus
from ...ops.elementwise.hyperbolic import logcosh, sech2
from ...ops.elementwise.piecewise import Absolute
from ...ops.elementwise.special import log_ndtr, ndtr
from ._rule import Rule, U, V, identity, in_terms, without
from .exponentials import exponential, exponentials, log_of_sum
from .known import Known
from .rewriter import shorter

ROOT2 = sympy.sqrt(2)
LOGS: Mapping[type, Callable[[Expr], Expr]] = {
    sigmoid: lambda u: -softplus(-u),
    sympy.erfc: lambda u: log(2) + log_ndtr(-ROOT2 * u),
    sympy.cosh: logcosh,
    sech2: lambda u: -2 * logcosh(u),
    ndtr: log_ndtr,
    i0: log_i0,
}
"""Positive functions that leave the range of numbers, with their logarithms."""
SIGNED: Mapping[type, Callable[..., tuple[Expr, Expr]]] = {
    expm1: lambda u: (u + log1mexp(u), log1mexp(-u)),
    sympy.sinh: lambda u: (u + log1mexp(2 * u) - log(2), -u + log1mexp(-2 * u) - log(2)),
    sympy.tanh: lambda u: (log1mexp(2 * u) - softplus(-2 * u), log1mexp(-2 * u) - softplus(2 * u)),
    bose: lambda u: (-u - log1mexp(u), -log1mexp(-u)),
    expdiff: lambda a, b: (a + log1mexp(a - b), b + log1mexp(b - a)),
}
"""Functions with the sign of their argument: the logarithms of their values and of minus their values."""


def log_of(f: Expr, known: Known) -> Expr | None:
    """The logarithm of a positive factor, if that is better taken by itself."""
    base, power = f.as_base_exp()
    if isinstance(f, exp):
        return f.args[0]
    if type(base) in LOGS:
        return power * LOGS[type(base)](base.args[0])
    if power == 1:
        return log(f) if f.is_Add and exponentials(f, known) is not None else None
    if known.positive(base):
        return power * log(base)
    if power.is_Integer and power % 2 == 0:
        return power * log(Absolute(base))
    return None


def _product(e: Expr, known: Known) -> Expr | None:
    """``log(exp(a) b^p c)`` is ``a + p log(b) + log(c)``."""
    x = e.args[0]
    if not (x.is_Mul or x.is_Pow or isinstance(x, exp) or type(x) in (*LOGS, *SIGNED)):
        return None
    if (found := _signed(x, known)) is not None:
        return found
    logs: list[Expr] = []
    rest: list[Expr] = []
    for f in Mul.make_args(x):
        found = log_of(f, known)
        if found is not None and f.is_Pow and f.exp == -1 and x.is_Mul and not f.base.has(exp, *LOGS):
            rest.append(f)  # a plain quotient
        elif found is None:
            rest.append(f)
        else:
            logs.append(found)
    own = [f for f in rest if not f.is_number]
    below = [f for f in own if f.is_Pow]
    if len(own) - len(below) > 1 or len(below) > 1 or (logs and below):
        for f in own:
            if known.positive(f):
                rest.remove(f)
                logs.append(f.as_base_exp()[1] * log(f.as_base_exp()[0]))
    if not logs:
        return None
    return Add(*logs) + (log(Mul(*rest)) if rest else S.Zero)


def _signed(x: Expr, known: Known) -> Expr | None:
    """The logarithm of a function that takes the sign of its argument, times what has a known sign."""
    for f in Mul.make_args(x):
        if type(f) in SIGNED:
            rest = x / f
            above, below = SIGNED[type(f)](*f.args)
            if known.positive(rest):
                return log(rest) + above
            if known.positive(-rest):
                return log(-rest) + below
    return None


def _sum(e: Expr, known: Known) -> Expr | None:
    """``log(c exp(a) + d exp(b))`` from the larger one."""
    terms = exponentials(e.args[0], known)
    return None if terms is None else log_of_sum(terms)


def _difference(e: Expr, known: Known) -> Expr | None:
    """``log(c exp(a) - d exp(b))`` is ``log(c) + a + log(1 - exp(b - a + log(d / c)))``."""
    x = e.args[0]
    if not (x.is_Add and len(x.args) == 2 and x.has(exp)):
        return None
    above = [t for t in x.args if known.positive(exponential(t)[0])]
    below = [t for t in x.args if known.positive(-exponential(t)[0])]
    if len(above) != 1 or len(below) != 1:
        return None
    (c, a), (d, b) = exponential(above[0]), exponential(-below[0])
    return a + log(c) + log1mexp(sympy.expand(a - b) + log(c) - log(d))


def _one_plus(e: Expr, known: Known) -> Expr | None:
    """``log(1 + x)``."""
    x = e.args[0]
    return log1p(x - 1) if x.is_Add and S.One in x.args else None


def _size_near_one(e: Expr, known: Known) -> Expr | None:
    """``log|1 + x|``, near 0 by log1p."""
    x = e.args[0]
    if isinstance(x, Absolute) and x.args[0].is_Add:
        for sign in (1, -1):
            if sign in x.args[0].args:
                u = sign * x.args[0] - 1
                return Where(Absolute(u) < sympy.S.Half, log1p(u), e)
    return None


def _choice(e: Expr, known: Known) -> Expr | None:
    """The logarithm of a choice, or of a sum with a choice, is the choice of logarithms."""
    x = e.args[0]
    for t in Add.make_args(x):
        for f in Mul.make_args(t) if x.is_Add or isinstance(x, Where) else ():
            rest, c = x - t, without(t, f)
            if isinstance(f, Where):
                return Where(f.args[0], log(rest + c * f.args[1]), log(rest + c * f.args[2]))
            if isinstance(f, Bracket):
                return Where(f.condition, log(rest + c), log(rest))
    return None


def _weighted(e: Expr, known: Known) -> Expr | None:
    """``log(exp(u) - c expm1(u))``, a mixture of 1 and exp(u), is ``log1p((1 - c) expm1(u))``."""
    for factor, found, rest in in_terms([exp(U)], e.args[0]):
        step = expm1(found[U])
        c = -rest / step
        if factor == 1 and step in Mul.make_args(rest) and not c.has(exp, expm1):
            return Where(found[U] > -1, log1p((1 - c) * step), e)
    return None


PRODUCT = Rule(
    "log of a product", (log,), _product,
    ("log(exp(u)*v) == u + log(v)", "log(u**v) == v*log(u) where u > 0", "log(u*v) == log(u) + log(v) where u > 0, v > 0"),
    when="the factors are known to be positive", source="DLMF 4.8.1",
)  # fmt: skip
SUM = Rule(
    "log of a sum of exp", (log,), _sum,
    ("log(exp(u) + exp(v)) == v + softplus(u - v)", "log(1 + exp(u)) == softplus(u)"),
    when="all terms are positive", source="Blanchard, Higham and Higham (2021), eq. 1.2",
)  # fmt: skip
DIFFERENCE = Rule(
    "log of a difference of exp", (log,), _difference,
    ("log(exp(v + w) - exp(v)) == v + w + log1mexp(w) where w > 0",),
    source="Maechler (2012), eq. 7",
)  # fmt: skip
SIZE = Rule(
    "log|1 + u|", (log,), _size_near_one, ("log(abs(1 + u)) == log1p(u) where u > -1",), phase="numeric",
    source="DLMF 4.6.1",
)  # fmt: skip
ONE_PLUS = Rule("log(1 + u)", (log,), _one_plus, ("log(1 + u) == log1p(u)",), source="DLMF 4.2.2")


def _one_plus_exp(e: Expr, known: Known) -> Expr | None:
    """``log(1 + c exp(a))``."""
    c, a = exponential(e.args[0])
    return softplus(a + log(c)) if a != 0 and known.positive(c) else None


def _one_minus_exp(e: Expr, known: Known) -> Expr | None:
    """``log(1 - c exp(a))``."""
    c, a = exponential(-e.args[0])
    return log1mexp(-a - log(c)) if a != 0 and known.positive(c) else None


ONE_MINUS_EXP = Rule(
    "log(1 - c exp(u))", (log1p,), _one_minus_exp, ("log1p(-exp(-u)) == log1mexp(u) where u > 0",),
    when="c is positive", source="Maechler (2012), eq. 7",
)  # fmt: skip
ONE_PLUS_EXP = Rule(
    "log(1 + c exp(u))", (log1p,), _one_plus_exp, ("log1p(v*exp(u)) == softplus(u + log(v)) where v > 0",),
    when="c is positive", source="Maechler (2012), eq. 10",
)  # fmt: skip
CHOICE = Rule(
    "log of a choice", (log,), _choice, ("log(where(u > 0, u, 1 - u)) == where(u > 0, log(u), log(1 - u))",)
)
WEIGHTED = Rule(
    "log(exp(u) - c expm1(u))", (log,), _weighted,
    ("log(exp(u) - v*expm1(u)) == log1p((1 - v)*expm1(u)) where 0 < v, v < 1",), phase="numeric",
    source="derived: exp(u) = 1 + expm1(u)",
)  # fmt: skip
INVERSE = identity("log1p(expm1(u))", log1p(expm1(U)), U)
NEAR = identity(
    "log(u) - log(v)", [log(U), -log(V)], log1p((U - V) / V),
    when="u and v are positive and have terms in common", given="u > 0, v > 0",
    holds=lambda known, u, v: known.positive(u) and known.positive(v) and shorter(sympy.expand(u - v), u, v)
    and (u.is_Add or v.is_Add),
)  # fmt: skip


LOG_ADD_EXP = identity("v + softplus(u - v)", [softplus(U - V), V], LogAddExp(U, V))
