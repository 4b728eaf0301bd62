"""Differences of roots and of squares, by the conjugate: ``sqrt(x + 1) - sqrt(x) = 1 / (sqrt(x + 1) + sqrt(x))``."""

from __future__ import annotations

from itertools import combinations

import sympy
from sympy import Add, Expr, Mul, S, cos, cosh, sin, sinh, tanh

from ...ir.nodes import Where
from ...ops.elementwise.arithmetic import Hypot, unit
from ...ops.elementwise.exponential import sigmoid
from ...ops.elementwise.piecewise import Absolute
from ._rule import Rule
from .known import Known
from .rewriter import size_of

NAMED = (cos, sin, cosh, sinh, tanh, sigmoid)
"""Functions whose squares have identities of their own."""
MOST = 6
"""Terms of a sum of which pairs are looked at."""
WIDEST = 40
"""Nodes of two terms that are brought over one denominator."""


def has_root(t: Expr) -> bool:
    """Whether a term has a factor ``A^(k/2)``, k odd, with A a sum or a product with one in it."""
    factors = [f.as_base_exp() for f in Mul.make_args(t)]
    return any(isinstance(b, Hypot) or (_with_sum(b) and k.is_Rational and k.q == 2) for b, k in factors)


def _with_sum(base: Expr) -> bool:
    return any(f.is_Add for f in Mul.make_args(base))


def squared(t: Expr) -> Expr:
    found = S.One
    for f in Mul.make_args(t):
        base, k = f.as_base_exp()
        found *= (base.args[0] ** 2 + base.args[1] ** 2) ** k if isinstance(base, Hypot) else base ** (2 * k)
    return found


def count(e: Expr) -> int:
    """The terms of an expanded sum."""
    return len(Add.make_args(sympy.expand(e)))


def numerator(e: Expr) -> tuple[Expr, Expr]:
    """A sum as an expanded numerator over a product."""
    above, below = sympy.together(e).as_numer_denom()
    return sympy.expand(above), below


def one_sign(e: Expr, known: Known) -> bool:
    """Whether no two terms of a sum can cancel."""
    terms = Add.make_args(e)
    return all(known.nonnegative(t) for t in terms) or all(known.nonpositive(t) for t in terms)


def _conjugate(e: Expr, known: Known) -> Expr | None:
    """``s + t`` with s^2 - t^2 simpler than s and t is ``(s^2 - t^2) / (s - t)``, for s > 0 > t."""
    if len(e.args) > MOST or not any(map(has_root, e.args)):
        return None
    for s, t in combinations(e.args, 2):
        if not (has_root(s) or has_root(t)):
            continue
        if known.nonnegative(t) and known.nonpositive(s):
            s, t = t, s
        if known.nonnegative(s) and known.nonpositive(t):
            found = _quotient(s, t, known)
            if found is not None:
                return found / (s - t) + _others(e, s, t)
    return None


def _quotient(s: Expr, t: Expr, known: Known) -> Expr | None:
    """``s^2 - t^2`` as a quotient, if it has fewer terms than both, or terms of one sign alone."""
    if size_of(s) + size_of(t) > WIDEST:
        return None
    (above, below), (a, b) = numerator(squared(s) - squared(t)), (numerator(squared(x))[0] for x in (s, t))
    if above == 0:
        return S.Zero
    return above / below if count(above) < count(a) + count(b) or one_sign(above, known) else None


def _others(e: Expr, *taken: Expr) -> Expr:
    return Add(*(a for a in e.args if a not in taken))


def _of_either_sign(e: Expr, known: Known) -> Expr | None:
    """``s + t`` with s > 0 and t of any sign: as it stands where t > 0, by the conjugate where t < 0."""
    if len(e.args) > MOST or not any(map(has_root, e.args)):
        return None
    for s, t in combinations(e.args, 2):
        if not (has_root(s) or has_root(t)):
            continue
        for sign, a, b in ((1, s, t), (1, t, s), (-1, -s, -t), (-1, -t, -s)):
            if not known.nonnegative(a) or known.nonnegative(b) or known.nonpositive(b):
                continue
            found = _quotient(a, b, known)
            if found is not None and (known.positive(a) or (found.is_number and found != 0)):  # not 0 both of them
                both = a + _size(b)
                return sign * Where(sympy.Lt(_signed(b, known), 0), found / both, both) + _others(e, s, t)
    return None


def _size(t: Expr) -> Expr:
    """|t|, factor by factor."""
    return Mul(*(f if f.is_nonnegative else Absolute(f) for f in Mul.make_args(t)))


def _signed(t: Expr, known: Known) -> Expr:
    """What has the sign of t: its factors that are not positive."""
    return Mul(*(f for f in Mul.make_args(t) if not known.positive(f)))


def _squares(e: Expr, known: Known) -> Expr | None:
    """``a^2 - b^2`` is ``(a - b) (a + b)``."""
    if len(e.args) != 2:
        return None
    s, t = e.args
    if s.could_extract_minus_sign():
        s, t = t, s
    if s.could_extract_minus_sign() or not t.could_extract_minus_sign():
        return None
    a, b = _root(s), _root(-t)
    if a is None or b is None or (a.is_number and b.is_number):
        return None
    return (a - b) * (a + b)


def _root(t: Expr) -> Expr | None:
    """The root of a product of squares."""
    found = S.One
    for f in Mul.make_args(t):
        if f.is_Rational and f > 0 and sympy.sqrt(f).is_Rational:
            found *= sympy.sqrt(f)
        elif f.is_Pow and f.exp.is_Integer and f.exp % 2 == 0 and f.exp > 0 and not isinstance(f.base, NAMED):
            found *= f.base ** (f.exp / 2)
        else:
            return None
    return found


def _fractions(e: Expr, known: Known) -> Expr | None:
    """``1/a - 1/b`` is ``(b - a)/(a b)`` where the terms above that cancel are gone."""
    if len(e.args) > MOST or not any(map(_is_fraction, e.args)):
        return None
    for s, t in combinations([a for a in e.args if not a.has(sympy.Function)], 2):
        same = (known.nonnegative(s) and known.nonnegative(t)) or (
            known.nonpositive(s) and known.nonpositive(t)
        )
        if same or not (_is_fraction(s) or _is_fraction(t)) or size_of(s) + size_of(t) > WIDEST:
            continue
        above, under = numerator(s + t)
        if one_sign(above, known):
            return above / under + _others(e, s, t)
    return None


def _is_fraction(t: Expr) -> bool:
    """Whether a term is a rational function with something below the line."""
    return not t.has(sympy.Function) and any(
        f.is_Pow and f.exp.is_Integer and f.exp < 0 for f in Mul.make_args(t)
    )


def _hypot(e: Expr, known: Known) -> Expr | None:
    """``sqrt(a^2 + b^2)`` of numbers that may both be tiny."""
    if not (e.exp.is_Rational and e.exp.q == 2 and e.base.is_Add and len(e.base.args) == 2):
        return None
    a, b = (_root(t) for t in e.base.args)
    if a is None or b is None or a.is_number or b.is_number:
        return None
    return Hypot(a, b) ** (2 * e.exp)


def _units(e: Expr, known: Known) -> Expr | None:
    """``a / hypot(a, b)^k`` by the direction ``a / hypot(a, b)``, which is a number where the power is none."""
    for f in e.args:
        h, k = f.as_base_exp()
        if not (isinstance(h, Hypot) and k.is_Integer and k < 0):
            continue
        for g in e.args:
            base, n = g.as_base_exp()
            if base in h.args and n.is_Integer and n > 0:
                times = min(n, -k)
                other = h.args[1] if base == h.args[0] else h.args[0]
                return e / base**times * h**times * unit(base, other) ** times
    return None


HYPOT = Rule(
    "sqrt(u^2 + v^2)", (sympy.Pow,), _hypot, ("sqrt(u**2 + v**2)**2 == u**2 + v**2",),
    when="neither is a constant", source="DLMF 1.9.7; Moler and Morrison (1983)",
)  # fmt: skip
UNITS = Rule(
    "u / hypot(u, v)", (Mul,), _units, ("u/sqrt(u**2 + v**2)**3 == u/sqrt(u**2 + v**2)/sqrt(u**2 + v**2)**2",),
    phase="numeric", source="derived: one factor after the other",
)  # fmt: skip
CONJUGATE = Rule(
    "conjugate", (Add,), _conjugate,
    ("sqrt(u + 1) - sqrt(u) == 1/(sqrt(u + 1) + sqrt(u)) where u > 0",
     "sqrt(u**2 + v) - u == v/(sqrt(u**2 + v) + u) where u > 0, v > 0"),
    when="both are known to have opposite signs, and terms cancel in the difference of their squares",
    source="Higham (2002), sec. 1.8",
)  # fmt: skip
EITHER_SIGN = Rule(
    "conjugate on one side", (Add,), _of_either_sign, ("sqrt(u**2 + 1) + u == 1/(sqrt(u**2 + 1) - u)",),
    when="one is positive and the sign of the other is not known", phase="numeric", source="Higham (2002), sec. 1.8",
)  # fmt: skip
SQUARES = Rule(
    "u^2 - v^2",
    (Add,),
    _squares,
    ("u**2 - v**2 == (u - v)*(u + v)",),
    phase="numeric",
    source="Higham (2002), sec. 3.1",
)
FRACTIONS = Rule(
    "1/u - 1/v", (Add,), _fractions,
    ("1/u - 1/(u + 1) == 1/(u*(u + 1)) where u > 0", "1 - u/(u + 1) == 1/(u + 1) where u > 0"),
    when="the terms that cancel are gone above", source="Higham (2002), problem 1.7",
)  # fmt: skip
