"""Differences of a function at two places that are close: cos, sin, sigmoid, atan, erf."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import sympy
from sympy import Add, Expr, Mul, atan, cos, erf, erfc, exp, log, pi, sin, tanh

from ...ir.nodes import Where
from ...ops.elementwise.complements import log1mexp
from ...ops.elementwise.exponential import sigmoid, softplus
from ...ops.elementwise.hyperbolic import sech2
from ...ops.elementwise.piecewise import Absolute
from ...ops.elementwise.special import erfcx
from ._rule import Rule
from .known import Known
from .rewriter import shorter

Difference = Callable[[Expr, Expr, Known], Expr | None]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
WIDEST = sympy.Rational(3, 4)
"""Intervals up to this are integrated by Gauss and Legendre's rule with these nodes."""


def _pairs(head: type, of: Difference) -> Callable[[Expr, Known], Expr | None]:
    """A rule for ``c f(a) - c f(b)`` among the terms of a sum."""

    def rewrite(e: Expr, known: Known) -> Expr | None:
        for s, t in combinations([t for t in e.args if t.has(head)], 2):
            (c, a), (d, b) = _split(s, head), _split(t, head)
            if a is not None and b is not None and c == -d:
                found = of(a, b, known)
                if found is not None:
                    return c * found + Add(*(x for x in e.args if x not in (s, t)))
        return None

    return rewrite


def _split(t: Expr, head: Any) -> tuple[Expr, Expr | None]:
    """A term as a factor and the argument of a function."""
    for f in Mul.make_args(t):
        if isinstance(f, head):
            return t / f, f.args[0]
    return t, None


def near(a: Expr, b: Expr, known: Known) -> Expr | None:
    """The difference of two arguments, if they have so much in common that it is simpler."""
    gap = known.gap(a, b)
    return gap if shorter(gap, a, b) and (a.is_Add or b.is_Add or gap != sympy.expand(a - b)) else None


def _cosines(a: Expr, b: Expr, known: Known) -> Expr | None:
    gap = near(a, b, known)
    return None if gap is None else -2 * sin((a + b) / 2) * sin(gap / 2)


def _sines(a: Expr, b: Expr, known: Known) -> Expr | None:
    gap = near(a, b, known)
    return None if gap is None else 2 * cos((a + b) / 2) * sin(gap / 2)


def _sigmoids(a: Expr, b: Expr, known: Known) -> Expr:
    if sympy.expand(a + b) == 0:
        return tanh(a / 2)
    return tanh(known.gap(a, b) / 2) * (sigmoid(a) * sigmoid(-b) + sigmoid(-a) * sigmoid(b))


def _tanhs(a: Expr, b: Expr, known: Known) -> Expr | None:
    return None if near(a, b, known) is None else 2 * _sigmoids(2 * a, 2 * b, known)


def _sum_of_tanhs(e: Expr, known: Known) -> Expr | None:
    """``tanh(u) + tanh(v)``, which is tanh(u) - tanh(-v)."""
    for s, t in combinations([t for t in e.args if t.has(tanh)], 2):
        (c, a), (d, b) = _split(s, tanh), _split(t, tanh)
        if a is not None and b is not None and c == d and (found := _tanhs(a, -b, known)) is not None:
            return c * found + Add(*(x for x in e.args if x not in (s, t)))
    return None


def _squares_of_sech(a: Expr, b: Expr, known: Known) -> Expr | None:
    """sech(a)^2 - sech(b)^2 = (tanh(b) - tanh(a)) (tanh(b) + tanh(a))."""
    if near(a, b, known) is None:
        return None
    return 4 * _sigmoids(2 * b, 2 * a, known) * _sigmoids(2 * b, -2 * a, known)


def _crossed(e: Expr, known: Known) -> Expr | None:
    """``s(u) s(v) - s(-u) s(-v)`` is ``s(u) - s(-v)``."""
    for s, t in combinations([t for t in e.args if t.has(sigmoid)], 2):
        own = [f.args[0] for f in Mul.make_args(s) if isinstance(f, sigmoid)]
        other = [f.args[0] for f in Mul.make_args(t) if isinstance(f, sigmoid)]
        if len(own) == 2 and sorted(map(str, other)) == sorted(str(-a) for a in own):
            a, b = own
            c = Mul(*(f for f in Mul.make_args(s) if not isinstance(f, sigmoid)))
            if t == -c * sigmoid(-a) * sigmoid(-b):
                rest = Add(*(x for x in e.args if x not in (s, t)))
                return c * _sigmoids(a, -b, known) + rest
    return None


def _log_of_sigmoids(e: Expr, known: Known) -> Expr | None:
    """``log(c (s(a) - s(b)))`` is ``log(c) + log s(a) + log s(-b) + log(1 - exp(b - a))``: terms of one sign."""
    found = _as_difference(e.args[0])
    if found is None or not known.positive(found[0]):
        return None
    c, a, b = found
    return log(c) - softplus(-a) - softplus(b) + log1mexp(known.gap(a, b))


def _as_difference(x: Expr) -> tuple[Expr, Expr, Expr] | None:
    """A factor and the arguments of a difference of sigmoids, also one that was written as a product."""
    if x.is_Add and len(x.args) == 2:
        (c, a), (d, b) = (_split(t, sigmoid) for t in x.args)
        if a is None or b is None or c != -d:
            return None
        return (d, b, a) if c.could_extract_minus_sign() else (c, a, b)
    for f in x.args if x.is_Mul else ():
        for g in x.args if isinstance(f, tanh) else ():
            for t in g.args if g.is_Add and len(g.args) == 2 else ():
                places = [s.args[0] for s in Mul.make_args(t) if isinstance(s, sigmoid)]
                if (
                    len(places) == len(Mul.make_args(t)) == 2
                    and sympy.expand(sum(places) - 2 * f.args[0]) == 0
                ):
                    return x / f / g, places[0], -places[1]
    return None


def _arctangents(a: Expr, b: Expr, known: Known) -> Expr | None:
    one_side = (known.nonnegative(a) and known.nonnegative(b)) or (
        known.nonpositive(a) and known.nonpositive(b)
    )
    gap = near(a, b, known)
    return atan(gap / (1 + a * b)) if one_side and gap is not None else None


def _half_pi(e: Expr, known: Known) -> Expr | None:
    """``pi/2 - atan(u)`` is ``atan(1/u)`` for u > 0."""
    for t in e.args:
        c, u = _split(t, atan)
        if u is not None and known.positive(u) and -c * pi / 2 in e.args:
            return -c * atan(1 / u) + Add(*(x for x in e.args if x not in (t, -c * pi / 2)))
    return None


def _error_functions(a: Expr, b: Expr, known: Known) -> Expr | None:
    """The integral of exp(-t^2) between them where they are close, else erfc on the side on which they are."""
    h, middle = near(a, b, known), (a + b) / 2
    if h is None:
        return None
    places = [
        (sympy.Float(w, 17), middle + sympy.Float(x, 17) * h / 2) for x, w in zip(NODES, WEIGHTS, strict=True)
    ]
    integral = h / sympy.sqrt(pi) * Add(*(w * exp(-(t**2)) for w, t in places))
    left = exp(-(a**2)) * erfcx(-a) - exp(-(b**2)) * erfcx(-b)  # SymPy turns erfc(-a) into 2 - erfc(a)
    apart = Where(sympy.Gt(b, 0), erfc(b) - erfc(a), Where(sympy.Lt(a, 0), left, _straddling(a, b)))
    return Where(sympy.Lt(Absolute(h), WIDEST), integral, apart)


def _straddling(a: Expr, b: Expr) -> Expr:
    """erf(a) - erf(b) where 0 lies between them: nothing cancels."""
    return erf(a) + erf(Absolute(b))


BY_HEAD: dict[Any, Difference] = {tanh: _tanhs, sech2: _squares_of_sech, sigmoid: _sigmoids, cos: _cosines, sin: _sines}
"""The differences of which those of products are made."""


def _products(e: Expr, known: Known) -> Expr | None:
    """``c f(u) g(u) - c f(v) g(v)`` is ``c (f(u) - f(v)) g(u) + c f(v) (g(u) - g(v))``."""
    for s, t in combinations([t for t in e.args if t.has(*BY_HEAD)], 2):
        (c, own), (d, other) = _factors(s), _factors(t)
        if c != -d or len(own) != len(other) or len(own) < 2 or not _alike(own, other, known):
            continue
        total: Expr = sympy.S.Zero
        for k, (f, g) in enumerate(zip(own, other, strict=True)):
            gap = BY_HEAD[f.func](f.args[0], g.args[0], known)
            if gap is None:
                break
            total += Mul(*other[:k]) * gap * Mul(*own[k + 1 :])
        else:
            return c * total + Add(*(x for x in e.args if x not in (s, t)))
    return None


def _complement(e: Expr, known: Known) -> Expr | None:
    """``1 - s(u) s(v)`` is ``s(-u) + s(u) s(-v)``."""
    for t in e.args:
        own = [f for f in Mul.make_args(t) if isinstance(f, sigmoid)]
        c = Mul(*(f for f in Mul.make_args(t) if f not in own))
        if len(own) == 2 == len([f for f in Mul.make_args(t) if f.has(sigmoid)]) and -c in e.args:
            u, v = (f.args[0] for f in own)
            rest = Add(*(x for x in e.args if x not in (t, -c)))
            return -c * (sigmoid(-u) + sigmoid(u) * sigmoid(-v)) + rest
    return None


def _alike(own: list[Expr], other: list[Expr], known: Known) -> bool:
    return all(
        f.func is g.func and near(f.args[0], g.args[0], known) is not None
        for f, g in zip(own, other, strict=True)
    )


def _factors(t: Expr) -> tuple[Expr, list[Expr]]:
    """A term as a coefficient and the functions of which differences are known, in the order of their names."""
    own = [f for f in Mul.make_args(t) if f.func in BY_HEAD]
    rest = Mul(*(f for f in Mul.make_args(t) if f not in own))
    return rest, sorted(own, key=lambda f: (str(f.func), f.args[0].could_extract_minus_sign()))


COSINES = Rule(
    "cos(u) - cos(v)", (Add,), _pairs(cos, _cosines), ("cos(u + v) - cos(u) == -2*sin(u + v/2)*sin(v/2)",),
    when="u - v is simpler than u and v", phase="numeric", source="DLMF 4.21.10",
)  # fmt: skip
SINES = Rule(
    "sin(u) - sin(v)", (Add,), _pairs(sin, _sines), ("sin(u + v) - sin(u) == 2*cos(u + v/2)*sin(v/2)",),
    when="u - v is simpler than u and v", phase="numeric", source="DLMF 4.21.8",
)  # fmt: skip
SIGMOIDS = Rule(
    "sigmoid(u) - sigmoid(v)", (Add,), _pairs(sigmoid, _sigmoids),
    ("sigmoid(u) - sigmoid(v) == tanh((u - v)/2)*(sigmoid(u)*sigmoid(-v) + sigmoid(-u)*sigmoid(v))",),
    phase="numeric", source="derived: sigmoid(u) sigmoid(-v) = exp(u - v) sigmoid(-u) sigmoid(v)",
)  # fmt: skip
LOG_SIGMOIDS = Rule(
    "log(sigmoid(u) - sigmoid(v))", (log,), _log_of_sigmoids,
    ("log(sigmoid(u) - sigmoid(v)) == log(1 - exp(v - u)) - softplus(-u) - softplus(v) where u > v",),
    source="derived: sigmoid(u) - sigmoid(v) = sigmoid(u) sigmoid(-v) (1 - exp(v - u))",
)  # fmt: skip
TANHS = Rule(
    "tanh(u) - tanh(v)", (Add,), _pairs(tanh, _tanhs), ("tanh(u) - tanh(v) == 2*sigmoid(2*u) - 2*sigmoid(2*v)",),
    when="u - v is simpler than u and v", phase="numeric", source="DLMF 4.35.15",
)  # fmt: skip
SUM_OF_TANHS = Rule(
    "tanh(u) + tanh(v)", (Add,), _sum_of_tanhs,
    ("tanh(u) + tanh(v) == 2*sinh(u + v)/(cosh(u + v) + cosh(u - v))",),
    when="u + v is simpler than u and v", phase="numeric", source="DLMF 4.35.15",
)  # fmt: skip
PRODUCTS = Rule(
    "f(u) g(u) - f(v) g(v)", (Add,), _products,
    ("tanh(u)*cos(u) - tanh(v)*cos(v) == (tanh(u) - tanh(v))*cos(u) + tanh(v)*(cos(u) - cos(v))",),
    when="u - v is simpler than u and v", phase="numeric", source="derived: the product rule of differences",
)  # fmt: skip
COMPLEMENT = Rule(
    "1 - s(u) s(v)", (Add,), _complement, ("1 - sigmoid(u)*sigmoid(v) == sigmoid(-u) + sigmoid(u)*sigmoid(-v)",),
    source="derived: sigmoid(-u) = 1 - sigmoid(u)",
)  # fmt: skip
CROSSED = Rule(
    "s(u) s(v) - s(-u) s(-v)", (Add,), _crossed,
    ("sigmoid(u)*sigmoid(v) - sigmoid(-u)*sigmoid(-v) == sigmoid(u) - sigmoid(-v)",), phase="numeric",
    source="derived: sigmoid(-u) = 1 - sigmoid(u)",
)  # fmt: skip
SECHS = Rule(
    "sech2(u) - sech2(v)", (Add,), _pairs(sech2, _squares_of_sech),
    ("1/cosh(u)**2 - 1/cosh(v)**2 == (tanh(v) - tanh(u))*(tanh(v) + tanh(u))",),
    when="u - v is simpler than u and v", phase="numeric", source="DLMF 4.35.11",
)  # fmt: skip
ARCTANGENTS = Rule(
    "atan(u) - atan(v)", (Add,), _pairs(atan, _arctangents),
    ("tan(u - v) == (tan(u) - tan(v))/(1 + tan(u)*tan(v))",),
    when="u and v have one sign, and u - v is simpler", source="DLMF 4.24.15",
)  # fmt: skip
HALF_PI = Rule(
    "pi/2 - atan(u)", (Add,), _half_pi, ("tan(u) == 1/tan(pi/2 - u)",), when="u > 0",
    source="DLMF 4.24.17",
)  # fmt: skip
ERRORS = Rule(
    "erf(u) - erf(v)", (Add,), _pairs(erf, _error_functions), ("erf(u) - erf(v) == erfc(v) - erfc(u)",),
    when="u - v is simpler than u and v", phase="numeric", source="DLMF 7.2.1; by Gauss and Legendre's rule of 10 points",
)  # fmt: skip
