"""Whether an expression is a density: it integrates, or adds up, to 1 over its support, wherever its parameters may be."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy
import sympy
from sympy import Expr

from ..errors import DomainError
from ..information.quadrature import charts, corners, numeric
from ..ir.nodes import Read

NEAR = 1e-6
"""How far a mass may be from 1: quadrature is better than this, and a forgotten constant is worse."""
TERMS = 20_000
POINTS = ((0.5, 0.25, 0.75, 0.375, 0.625), (0.25, 0.75, 0.5, 0.625, 0.375))
"""Values that parameters of any domain may have."""
WIDER = ((("positive",), 1.5), ((), -0.75))
"""Domains, each with a value that narrower ones do not have; the narrowest are probabilities."""


@dataclass(frozen=True)
class Support:
    """Where observations lie: a range of numbers, or of whole numbers."""

    words: str
    facts: tuple[str, ...]
    low: float
    high: float
    whole: bool = False


SUPPORTS = (
    Support("the real line", (), -np.inf, np.inf),
    Support("positive numbers", ("positive",), 0, np.inf),
    Support("the counts 0, 1, 2, ...", ("nonnegative",), 0, np.inf, True),
    Support("0 and 1", ("binary",), 0, 1, True),
    Support("numbers between 0 and 1", ("probability",), 0, 1),
)


def domains(
    density: Expr, y: Read, parameters: Sequence[Read], declared: Mapping[str, tuple[str, ...]], name: str
) -> tuple[Support, dict[str, tuple[str, ...]]]:
    """The support, and facts of each parameter, with which an expression is a density.

    Args:
        density: in y and the parameters.
        declared: what the user says of some of them, by name; it is checked, the rest is found.

    Raises:
        DomainError: it is no density over any support; the message says what it integrates to, and where.
    """
    points = [dict(zip(parameters, values, strict=False)) for values in POINTS]
    supports = _declared(declared[str(y)]) if str(y) in declared else SUPPORTS
    support = next(
        (s for s in supports if all(_is_one(mass(density, y, s, point)) for point in points)), None
    )
    if support is None:
        raise DomainError(_what_it_is(density, y, supports[0], points[0], name))
    facts = {}
    for parameter in parameters:
        if str(parameter) in declared:
            facts[str(parameter)] = declared[str(parameter)]
            continue
        facts[str(parameter)] = ("probability",)
        for wider, value in WIDER:
            if not _is_one(mass(density, y, support, {**points[0], parameter: value})):
                break
            facts[str(parameter)] = wider
    return support, facts


def _declared(facts: Sequence[str]) -> tuple[Support, ...]:
    whole = "integer" in facts
    low = 0.0 if {"positive", "nonnegative", "binary", "probability"} & set(facts) else -np.inf
    high = 1.0 if {"binary", "probability"} & set(facts) else np.inf
    own = tuple(f for f in facts if f != "integer")
    words = next(
        (s.words for s in SUPPORTS if s.facts == own and s.whole == (whole or "binary" in own)),
        ", ".join(facts),
    )
    return (Support(words, own, low + (whole and "positive" in facts), high, whole or "binary" in facts),)


def _what_it_is(density: Expr, y: Read, support: Support, point: Mapping[Read, float], name: str) -> str:
    found = mass(density, y, support, point)
    at = ", ".join(f"{p} = {v:g}" for p, v in point.items())
    does = "adds up to" if support.whole else "integrates to"
    what = (
        f"{does} {found:.6g}"
        if np.isfinite(found)
        else "is negative or infinite somewhere, or has no finite integral,"
    )
    return (
        f"{name} is no density: it {what} over {support.words} at {at}, and must give 1; "
        f'try: the constant that is missing, or where {y} lies, such as {y}="positive"'
    )


def _is_one(value: float) -> bool:
    return bool(abs(value - 1) < NEAR)


def mass(density: Expr, y: Read, support: Support, point: Mapping[Read, float]) -> float:
    """The integral or the sum over the support at one point; NaN where the expression is negative or no number."""
    x = sympy.Symbol("x", real=True)
    at = density.xreplace({p: sympy.Rational(str(v)) for p, v in point.items()}).xreplace({y: x})
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _sum(at, x, support) if support.whole else _integral(at, x, support)
        except (TypeError, ValueError, OverflowError, NameError, ZeroDivisionError):
            return float("nan")


def _sum(density: Expr, x: sympy.Symbol, support: Support) -> float:
    low = support.low if np.isfinite(support.low) else -TERMS
    values = np.asarray(numeric(density, x)(np.arange(float(low), min(support.high, TERMS) + 1)))
    values = np.where(np.isnan(values) & (np.arange(len(values)) > 100), 0, values)
    return float("nan") if np.iscomplexobj(values) or np.any(values < 0) else float(np.sum(values))


def _integral(density: Expr, x: sympy.Symbol, support: Support) -> float:
    value, log_value = numeric(density, x), numeric(sympy.expand_log(sympy.log(density), force=True), x)
    onto, back, log_slope = charts(support.low, support.high, 0.0, 1.0)
    marks = {float(c) for c in corners(density, x) if c.is_number and support.low < c < support.high}
    middle = {-8.0, 0.0, 8.0}
    ends = sorted({-np.inf, np.inf, *middle, *(float(back(m)) for m in marks)})

    def integrand(t: float) -> float:
        found = value(onto(t))
        if np.isnan(found):  # infinity over infinity, where logarithms still have a difference
            found = np.exp(log_value(onto(t)))
        if np.iscomplexobj(found) or found < 0:
            raise ValueError("no density")
        weight = float(found) * float(np.exp(log_slope(t)))
        return weight if np.isfinite(weight) or abs(t) < 30 else 0.0

    return float(
        sum(
            scipy.integrate.quad(integrand, a, b, epsabs=1e-9, epsrel=1e-9, limit=200)[0] for a, b in pairwise(ends)
        )
    )
