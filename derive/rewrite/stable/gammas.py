"""Differences of log gamma and its derivatives at close or large arguments; Bessel functions beside each other."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, S, exp, loggamma, polygamma

from ...ir.nodes import Where
from ...ops.elementwise.bessel import i0, i1
from ...ops.elementwise.bessel_ratios import bessel_ratio, log_i0
from ...ops.elementwise.gamma import log_factorial
from ...ops.elementwise.gamma_differences import gammaln_diff, gammaln_excess, polygamma_diff
from ._rule import Rule, U, V, W, identity, in_terms, without
from .exponentials import exponential
from .known import Known
from .rewriter import shorter, size_of


def _log_gammas(e: Expr, known: Known) -> Expr | None:
    """``loggamma(u) - loggamma(v)`` by what is left of u - v, of all pairs the one with the shortest difference."""
    found = []
    for factor, places, rest in in_terms([loggamma(U), -loggamma(V)], e):
        u, v = places[U], places[V]
        gap = sympy.expand(u - v)
        if shorter(gap, u, v) and not u.is_number and not v.is_number:
            found.append((size_of(gap), str(gap), factor, u, v, gap, rest))
    if not found:
        return None
    _, _, factor, u, v, gap, rest = min(found)
    if known.nonpositive(gap) or gap.could_extract_minus_sign():
        factor, u, v, gap = -factor, v, u, -gap
    if not known.positive(v):  # log gamma has values at negative numbers, its differences have none
        return rest - factor * gammaln_diff(u, -gap) if known.positive(u) else None
    if known.positive(gap) and (twin := factor * loggamma(gap) * -1) in Add.make_args(rest):
        small = rest - twin  # log of the beta function: the larger argument is the base
        first, second = loggamma(gap) - gammaln_diff(v, gap), loggamma(v) - gammaln_diff(gap, v)
        return small - factor * Where(v > gap, first, second)
    return factor * gammaln_diff(v, gap) + rest


def _polygammas(e: Expr, known: Known) -> Expr | None:
    """``polygamma(n, u) - polygamma(n, v)`` by what is left of u - v."""
    for factor, places, rest in in_terms([polygamma(W, U), -polygamma(W, V)], e):
        u, v, n = places[U], places[V], places[W]
        gap = sympy.expand(u - v)
        if not shorter(gap, u, v) or u.is_number or v.is_number:
            continue
        if known.nonpositive(gap) or gap.could_extract_minus_sign():
            factor, v, gap = -factor, u, -gap
        if known.positive(v):
            return factor * polygamma_diff(n, v, gap) + rest
    return None


def _bessel(e: Expr, known: Known) -> Expr | None:
    """I0 beside an exponential, by its logarithm."""
    c, n = exponential(e)
    for f in Mul.make_args(c) if n != 0 else ():
        base, k = f.as_base_exp()
        if isinstance(base, i0):
            return c / f * exp(n + k * log_i0(base.args[0]))
    return None


LOG_GAMMAS = Rule(
    "loggamma(u) - loggamma(v)", (Add,), _log_gammas,
    ("loggamma(u + v) - loggamma(u) == gammaln_diff(u, v) where u > 0, v > 0",),
    when="u and v have terms in common, one of them is positive", source="DLMF 5.11.1",
)  # fmt: skip
POLYGAMMAS = Rule(
    "polygamma(n, u) - polygamma(n, v)", (Add,), _polygammas,
    ("polygamma(0, u + v) - polygamma(0, u) == polygamma_diff(0, u, v) where u > 0, v > 0",),
    when="u and v have terms in common, the smaller is positive", source="DLMF 5.15.1",
)  # fmt: skip
BESSEL = Rule("exp(u) I0(v)", (Mul,), _bessel, ("exp(u)*i0(v) == exp(u + log_i0(v))",), source="DLMF 10.40.1")


def _excess(e: Expr, known: Known) -> Expr | None:
    """``gammaln_diff(x, h) - h log(x)``."""
    for t in e.args:
        for f in Mul.make_args(t):
            if isinstance(f, gammaln_diff):
                x, h = f.args
                other = sympy.expand(-t / f * h) * sympy.log(x)
                if other in e.args:
                    return t / f * gammaln_excess(x, h) + Add(*(a for a in e.args if a not in (t, other)))
    return None


def _compensated(e: Expr, known: Known) -> Expr | None:
    """``sum_i c_i gammaln_diff(u_i, h_i)`` with ``sum_i c_i h_i = 0``: the powers u^h leave logarithms of ratios."""
    found = [(t, f, without(t, f)) for t in e.args for f in Mul.make_args(t) if isinstance(f, gammaln_diff)]
    own = [(t, f, c) for t, f, c in found if c.is_number]
    if len(own) < 2 or sympy.expand(Add(*(c * f.args[1] for _, f, c in own))) != 0:
        return None
    base = max((f.args[0] for _, f, _ in own), key=lambda u: (len(Add.make_args(u)), str(u)))
    terms = [c * gammaln_excess(*f.args) + c * f.args[1] * sympy.log(f.args[0] / base) for _, f, c in own]
    return Add(*terms, *(x for x in e.args if x not in [t for t, *_ in own]))


COMPENSATED = Rule(
    "gammaln_diff(u, w) - gammaln_diff(v, w)", (Add,), _compensated,
    ("gammaln_diff(u, w) - gammaln_diff(v, w) == gammaln_excess(u, w) - gammaln_excess(v, w) + w*log(u/v) "
     "where u > 0, v > 0, w > 0",),
    when="the steps add up to 0", source="DLMF 5.11.12",
)  # fmt: skip
LOG_FACTORIAL = identity(
    "log(gamma(u))", sympy.log(sympy.gamma(U)), log_factorial(U - 1), given="u > 0",
    when="the argument is a whole number", claims=("gammaln(u) == log_factorial(u - 1) where u > 0",), source="DLMF 5.4.1",
)  # fmt: skip
EXCESS = Rule(
    "gammaln_diff(u, v) - v log(u)", (Add,), _excess,
    ("gammaln_diff(u, v) - v*log(u) == gammaln_excess(u, v) where u > 0, v > 0",), source="DLMF 5.11.12",
)  # fmt: skip
LOG_I0 = identity("log I0(u)", sympy.log(i0(U)), log_i0(U))
RATIO = identity(
    "I1(u) / I0(u)", i1(U) / i0(U), bessel_ratio(S.Zero, U), claims=("i1(u)/i0(u) == bessel_ratio(0, u)",)
)
