"""Divergences near 0: u log(u / v) beside terms with which it adds up to a distance, entropies of a logit."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Add, And, Expr, Mul, log

from ...ir.nodes import Bracket, Where
from ...ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from ...ops.elementwise.piecewise import Absolute
from ...ops.elementwise.remainders import expm1mx, log1pmx
from ._rule import Rule, U, V, in_terms, without
from .known import Known


def _terms(e: Expr) -> Iterator[tuple[Expr, Expr, Expr, Expr]]:
    """The terms ``c u log(u / v)`` of a sum: with c, u and v; that of u = 0 may have been set to 0."""
    for t in e.args:
        for f in Mul.make_args(t):
            if isinstance(f, log):
                above, below = sympy.fraction(f.args[0])
                if below != 1:
                    c = without(t, f) / above
                    some = Bracket(sympy.Ne(above, 0))
                    yield t, without(c, some) if some in Mul.make_args(c) else c, above, below


def _divergence(e: Expr, known: Known) -> Expr | None:
    """``c (u log(u / v) + w log(w / z))`` with u + w = v + z: each term with v - u, so that none is negative."""
    found = list(_terms(e))
    for _, c, *_ in found:
        own = [(t, u, v) for t, d, u, v in found if d == c]
        if len(own) > 1 and sympy.expand(Add(*(u - v for _, u, v in own))) == 0:
            rest = Add(*(t for t in e.args if t not in [s for s, *_ in own]))
            return c * Add(*(distance(u, v, known) for _, u, v in own)) + rest
    return None


def distance(u: Expr, v: Expr, known: Known) -> Expr:
    """``u log(u / v) - u + v``."""
    gap = known.gap(v, u)
    some = u * log(u / v)
    if not known.positive(u):
        some = Bracket(u > 0) * some
    return Where(And(u < 2 * v, v < 2 * u), -u * log1pmx(gap / u), some + gap)


def _of_logits(e: Expr, known: Known) -> Expr | None:
    """``s(u) (log s(u) - log s(v)) + s(-u) (log s(-u) - log s(-v))`` as ``softplus(v) - softplus(u) - s(u) (v - u)``."""
    for t in e.args:
        for f in Mul.make_args(t):
            if not isinstance(f, sigmoid):
                continue
            c, u = without(t, f), f.args[0]
            for g in Mul.make_args(c):
                for factor, found, rest in in_terms([softplus(U), -softplus(V)], g) if g.is_Add else ():
                    if rest != 0 or found[V] != -u:
                        continue
                    v = -found[U]
                    k = without(c, g) * factor
                    other = _product(k * sigmoid(-u), softplus(v) - softplus(u))
                    for s in e.args:
                        if s in other:
                            left = Add(*(x for x in e.args if x not in (s, t)))
                            return k * (softplus(v) - softplus(u)) + k * sigmoid(u) * (u - v) + left
    return None


def _product(c: Expr, difference: Expr) -> tuple[Expr, ...]:
    """A factor times a difference, as SymPy may write it."""
    return (c * difference, Mul(-c, -difference, evaluate=True))


def _bregman(e: Expr, known: Known) -> Expr | None:
    """``softplus(v) - softplus(u) - s(u) (v - u)``."""
    for factor, found, rest in in_terms([softplus(V), -softplus(U)], e):
        u, v = found[U], found[V]
        for left in _without(rest, factor * sigmoid(u) * (u - v)):
            gap = known.gap(v, u)
            up, down = log1p(sigmoid(u) * expm1(gap)), log1p(sigmoid(-u) * expm1(-gap))
            near = sigmoid(u) * expm1mx(-down) + sigmoid(-u) * expm1mx(-up)
            far = sigmoid(u) * (softplus(-v) - softplus(-u)) + sigmoid(-u) * (softplus(v) - softplus(u))
            return factor * Where(And(gap < 1, gap > -1), near, far) + left
    return None


def _without(rest: Expr, product: Expr) -> Iterator[Expr]:
    """What is left of a sum without a product, also if that was written out."""
    terms = Add.make_args(rest)
    for form in (product, sympy.expand_mul(product)):
        parts = Add.make_args(form)
        if all(p in terms for p in parts):
            yield Add(*(t for t in terms if t not in parts))
            return


def _entropy(e: Expr, known: Known) -> Expr | None:
    """``softplus(u) - u s(u)``, the entropy of a logit, an even function: from |u|."""
    for factor, found, rest in in_terms([softplus(U)], e):
        u = found[U]
        for left in _without(rest, -factor * u * sigmoid(u)):
            size = Absolute(u)
            return factor * (softplus(-size) + size * sigmoid(-size)) + left
    return None


def _halves(e: Expr, known: Known) -> Expr | None:
    """``a s(u) + b s(-u)`` is ``(a + b) / 2 + (a - b) / 2 tanh(u / 2)``, where a + b and a - b are shorter."""
    found = [(t, f) for t in e.args for f in Mul.make_args(t) if isinstance(f, sigmoid)]
    for t, f in found:
        for s, g in found:
            if s is t or g.args[0] != -f.args[0] or not f.args[0].could_extract_minus_sign():
                continue
            a, b = without(t, f), without(s, g)
            if a.has(sigmoid) or b.has(sigmoid):
                continue
            total, gap = sympy.expand(a + b), sympy.expand(a - b)
            if _count(total) < _count(a) + _count(b) > _count(total) + _count(gap) and total != 0 != gap:
                rest = Add(*(x for x in e.args if x not in (s, t)))
                return total / 2 + gap / 2 * sympy.tanh(f.args[0] / 2) + rest
    return None


def _count(e: Expr) -> int:
    """The number of terms of a sum that is written out."""
    return len(Add.make_args(sympy.expand(e))) if e != 0 else 0


DIVERGENCE = Rule(
    "u log(u / v) + w log(w / z)", (Add,), _divergence,
    ("u*log(u/v) - u + v == -u*log1pmx((v - u)/u) where u > 0, v > 0",), phase="numeric",
    when="u + w is v + z", source="derived: log(u / v) = -log(1 + (v - u) / u)",
)  # fmt: skip
OF_LOGITS = Rule(
    "s(u) log(s(u) / s(v)) + s(-u) log(s(-u) / s(-v))", (Add,), _of_logits,
    ("sigmoid(u)*(softplus(-v) - softplus(-u)) + sigmoid(-u)*(softplus(v) - softplus(u)) == "
     "softplus(v) - softplus(u) + sigmoid(u)*(u - v)",),
    source="Banerjee et al. (2005), table 1",
)  # fmt: skip
BREGMAN = Rule(
    "softplus(v) - softplus(u) - s(u) (v - u)", (Add,), _bregman,
    ("sigmoid(u)*expm1mx(-log1p(sigmoid(-u)*expm1(u - v))) + sigmoid(-u)*expm1mx(-log1p(sigmoid(u)*expm1(v - u))) == "
     "softplus(v) - softplus(u) - sigmoid(u)*(v - u)",), phase="numeric",
    source="derived: p log(p / q) - p + q = p (exp(r) - 1 - r) with r = log(q / p)",
)  # fmt: skip
ENTROPY = Rule(
    "softplus(u) - u s(u)", (Add,), _entropy,
    ("softplus(u) - u*sigmoid(u) == softplus(-u) + u*sigmoid(-u)",), phase="numeric",
    source="derived: the entropy is that of the other class",
)  # fmt: skip
HALVES = Rule(
    "a s(u) + b s(-u)", (Add,), _halves,
    ("(v + w)*sigmoid(u) + (v - w)*sigmoid(-u) == v + w*tanh(u/2)",),
    when="a + b and a - b are shorter", source="derived: sigmoid(u) = (1 + tanh(u / 2)) / 2",
)  # fmt: skip
