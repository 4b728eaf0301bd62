"""Means of functions of a random number as numbers: quadrature or summation, with a bound of the error."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy
import sympy
from sympy import Expr

from ..ir.callables import callable_of
from ..ir.nodes import Where
from ..ops.elementwise import op_of_head
from ..ops.elementwise.piecewise import Absolute, Sign
from ..render.to_sympy import HEADS
from .laws import Scalar

QUANTILES = (1e-9, 1e-4, 0.02, 0.25, 0.5, 0.75, 0.98, 1 - 1e-4, 1 - 1e-9)
BLOCK = 512
MOST_TERMS = 200_000
TINY = -740.0
"""The logarithm of a density below which it counts as 0."""
LOST = -40.0
"""The logarithm of a density below which a function that overflows to no number, inf - inf, is left out."""


@dataclass(frozen=True)
class Quadrature:
    """A number in nats and a bound of its error: of a sum by what is left, of an integral as its rule estimates it."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.12g}, error about {self.error:.0e} at most"


def mean_at(g: Expr, x: sympy.Symbol, law: Scalar, point: Mapping[str, float]) -> Quadrature:
    """The mean of g(x) at values of the names: independent of how SymPy or a record would find it."""
    values = {s: point[s.name] for s in (g.free_symbols | set(law.symbols)) - {x} if s.name in point}
    low, high = (float(sympy.N(b.subs(values))) for b in law.bounds)
    reference = law.record.reference(*(float(sympy.N(p.subs(values))) for p in law.parameters))
    log_p = sympy.expand_log(law.log_density(x))
    return mean_between(sympy.expand_log(g).subs(values), log_p.subs(values), x, low, high, law.record.discrete, reference)


def mean_between(
    g: Expr, log_density: Expr, x: sympy.Symbol, low: float, high: float, discrete: bool, reference: Any = None
) -> Quadrature:
    """The mean of g(x) under a log-density of x alone.

    Args:
        reference: the law of SciPy, whose quantiles say where the mass is.
    """
    if discrete:
        return _summed(_weighted(g, log_density, x), low, high)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        marks = [] if reference is None else [float(m) for m in reference.ppf(QUANTILES)]
    marks += [float(sympy.N(k)) for k in corners(log_density, x) | corners(g, x)]
    middle = _middle(reference) if reference else (0.0, 1.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        return _integrated(g, log_density, x, low, high, marks, middle)
    half = (low + high) / 2  # near the upper end what is counted is the distance from it, which has all its digits
    below = _integrated(g, log_density, x, low, half, marks, middle)
    turned, turned_density = (f.xreplace({x: sympy.Rational(high) - x}) for f in (g, log_density))
    from_end = [high - m for m in marks]
    above = _integrated(turned, turned_density, x, 0.0, high - half, from_end, middle)
    return Quadrature(below.value + above.value, below.error + above.error)


def _weighted(g: Expr, log_density: Expr, x: sympy.Symbol) -> Callable[..., Any]:
    """g times the density, and times the slope of a chart."""
    log_p, inner = numeric(log_density, x), numeric(g, x)

    def integrand(t: Any, log_slope: Any = 0.0) -> Any:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weight, values = log_p(t) + log_slope, inner(t)
            inside = (weight > TINY) & (weight < -TINY) & ~(np.isnan(values) & (weight < LOST))
            return np.where(inside, np.exp(np.clip(weight, TINY, -TINY)) * values, 0.0)

    return integrand


def _integrated(
    g: Expr,
    log_density: Expr,
    x: sympy.Symbol,
    low: float,
    high: float,
    marks: Sequence[float],
    middle: tuple[float, float],
) -> Quadrature:
    integrand = _weighted(g, log_density, x)
    ends = sorted({low, high, *(m for m in marks if low < m < high and np.isfinite(m))})
    onto, back, log_slope = charts(low, np.inf if np.isfinite(low) else high, *middle)
    total = error = 0.0
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for a, b in pairwise([back(end) for end in ends]):
            value, bound = scipy.integrate.quad(
                lambda t: float(integrand(onto(t), log_slope(t))), a, b, epsabs=1e-13, epsrel=1e-11, limit=200
            )[:2]
            total, error = total + value, error + bound
    return Quadrature(total, error)


Map = Callable[[Any], Any]


def charts(low: float, high: float, centre: float, width: float) -> tuple[Map, Map, Map]:
    """Maps of the real line onto the support, back, and the logarithm of the slope of the first.

    A pole of the density at an end of the support moves to infinity, and heavy tails decay exponentially there.
    """
    if np.isfinite(low) and np.isfinite(high):
        width = high - low
        return (
            lambda t: low + width * scipy.special.expit(t),
            lambda x: scipy.special.logit((x - low) / width),
            lambda t: np.log(width) + scipy.special.log_expit(t) + scipy.special.log_expit(-t),
        )
    if np.isfinite(low):
        return lambda t: low + np.exp(t), lambda x: np.log(x - low), lambda t: t
    if np.isfinite(high):
        return lambda t: high - np.exp(-t), lambda x: -np.log(high - x), lambda t: -t
    return (
        lambda t: centre + width * np.sinh(t),
        lambda x: np.arcsinh((x - centre) / width),
        lambda t: np.log(width) + np.logaddexp(t, -t) - np.log(2),
    )


def _middle(reference: Any) -> tuple[float, float]:
    """The median of a law, and how far the quartiles are from each other."""
    low, middle, high = (float(m) for m in reference.ppf([0.25, 0.5, 0.75]))
    return middle, high - low


def _summed(term: Callable[[Any], Any], low: float, high: float) -> Quadrature:
    """A sum up to where what is left is smaller than rounding; the rest is bounded by a geometric series."""
    total, size, start = 0.0, 0.0, low
    while start <= high and start - low < MOST_TERMS:
        stop = min(start + BLOCK - 1, high)
        parts = np.asarray(term(np.arange(start, stop + 1)), dtype=float)
        total, size = total + float(parts.sum()), size + float(np.abs(parts).sum())
        start = stop + 1
        last = float(np.abs(parts[-4:]).sum())
        if stop < high and last <= 1e-18 * (size + 1e-300):
            return Quadrature(total, 4e-16 * size + last * BLOCK)
    left = 0.0 if start > high else float("inf")
    return Quadrature(total, 4e-16 * size + left)


def corners(e: Expr, x: sympy.Symbol) -> set[Expr]:
    """Where an argument of an absolute value, or of a logarithm or a condition, is 0: where quadrature must stop."""
    found: set[Expr] = set()
    for part in e.atoms(Absolute, sympy.Abs, Sign, sympy.Max, sympy.Min, sympy.core.relational.Relational):
        whole = part.args[0] - part.args[1] if len(part.args) == 2 else part.args[0]
        slope = sympy.diff(whole, x) if not whole.has(Absolute, sympy.Abs) else sympy.S.Zero
        if slope != 0 and not slope.has(x):
            found.add(sympy.expand(x - whole / slope))
    return found


def value_at(e: Expr, point: Mapping[str, float]) -> float:
    """An expression at values of its names, in 30 digits and rounded."""
    found = sympy.N(_of_sympy(e).subs({s: sympy.Float(point[s.name], 30) for s in e.free_symbols}), 25)
    return float(found) if found.is_real or found in (sympy.oo, -sympy.oo) else float("nan")


def numeric(e: Expr, x: sympy.Symbol) -> Callable[[Any], Any]:
    """A function of NumPy arrays."""
    value = callable_of(e, (x,))
    return value if e.has(x) else lambda t: np.full(np.shape(t), value(t))


def _of_sympy(e: Expr) -> Expr:
    """Our own functions as those of SymPy."""
    e = e.replace(
        lambda f: isinstance(f, Where), lambda f: sympy.Piecewise((f.args[1], f.args[0]), (f.args[2], True))
    )

    def plain(f: Expr) -> Expr:
        op = op_of_head(f.func)
        definition = op and (op.definition or HEADS.get(op.name))
        return definition(*f.args) if definition else f

    return e.replace(
        lambda f: isinstance(f, sympy.Function) and not f.func.__module__.startswith("sympy."), plain
    )
