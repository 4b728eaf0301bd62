"""The mean of a function of a random number as an integral or a sum that SymPy finds: split where the density has kinks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket
from ..ops.elementwise.piecewise import Absolute, Sign
from .laws import Scalar
from .limited import limited

SECONDS = 6.0
"""Of processor time for one integral."""


def integral(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """``integral g(x) p(x) dx``, or the sum; None if SymPy finds none in time."""
    low, high = law.bounds
    if law.record.discrete:
        return limited(lambda: _sum(g, x, law, low, high), SECONDS)
    log_density = law.log_density(x).replace(sympy.Abs, Absolute).replace(sympy.sign, Sign)
    body = g.replace(sympy.Abs, Absolute)
    kinks = _kinks(log_density, x) | _kinks(body, x)
    if not kinks:
        return limited(lambda: _plain(body, log_density, x, low, high), SECONDS)
    return limited(lambda: _ordered(body, log_density, x, low, high, sorted(kinks, key=str)), SECONDS)


def _sum(g: Expr, x: sympy.Symbol, law: Scalar, low: Expr, high: Expr) -> Expr | None:
    found = sympy.summation(g * sympy.exp(law.log_density(x)), (x, low, high))
    if isinstance(found, sympy.Piecewise):
        found = found.args[0][0]
    return None if found.has(sympy.Sum, sympy.hyper, sympy.Piecewise) else found


def _plain(g: Expr, log_density: Expr, x: sympy.Symbol, low: Expr, high: Expr) -> Expr | None:
    density = sympy.powsimp(sympy.expand_power_exp(sympy.exp(sympy.expand(sympy.expand_log(log_density)))))
    found = sympy.integrate(g * density, (x, low, high), conds="none")
    if isinstance(found, sympy.Piecewise):
        found = found.args[0][0]
    if found.has(sympy.Integral, sympy.I, sympy.meijerg, sympy.Piecewise, sympy.nan, sympy.zoo):
        return None
    return sympy.simplify(found)


def _kinks(e: Expr, x: sympy.Symbol) -> set[Expr]:
    """Where an absolute value or a sign has its kink: the zero of an argument that is linear in x."""
    found = set()
    for part in e.atoms(Absolute, Sign):
        argument = sympy.expand(part.args[0])
        slope = sympy.diff(argument, x)
        if slope != 0 and not slope.has(x):
            found.add(sympy.expand(x - argument / slope))
    return found


def _ordered(
    g: Expr, log_density: Expr, x: sympy.Symbol, low: Expr, high: Expr, kinks: list[Expr]
) -> Expr | None:
    """The integral for each order of the kinks; two cases are joined by an absolute value or a choice."""
    inside = [k for k in kinks if not ((low - k).is_nonnegative or (k - high).is_nonnegative)]
    match inside:
        case []:
            return _pieces(g, log_density, x, [low, high])
        case [only]:
            if _inside(low, only, high):
                return _pieces(g, log_density, x, [low, only, high])
            return None
        case [first, second] if low == -sympy.oo and high == sympy.oo:
            if (second - first).is_number:
                return _pieces(g, log_density, x, [low, *sorted(inside), high])
            if not second.free_symbols:
                first, second = second, first
            d, gap = sympy.Dummy("d", positive=True), second - first
            up, down = (_with_gap(g, log_density, x, first, second, side) for side in (d, -d))
            if up is None or down is None:
                return None
            if sympy.simplify(up - down) == 0:
                return up.xreplace({d: Absolute(gap)})
            return sympy.Piecewise((up.xreplace({d: gap}), gap >= 0), (down.xreplace({d: -gap}), True))
    return None


def _inside(low: Expr, point: Expr, high: Expr) -> bool:
    return bool(
        (low == -sympy.oo or (point - low).is_nonnegative)
        and (high == sympy.oo or (high - point).is_nonnegative)
    )


def _with_gap(g: Expr, log_density: Expr, x: sympy.Symbol, first: Expr, second: Expr, d: Expr) -> Expr | None:
    """The integral with x counted from the first kink and the second kink at d."""
    u = sympy.Dummy("u", real=True)
    symbol = next((s for s in sorted(second.free_symbols, key=str) if sympy.diff(second, s).is_number), None)
    if symbol is None:
        return None
    moved = sympy.solve(second - first - d, symbol)[0]
    origin = first.subs(symbol, moved)
    e, log_p = (_opened(f.subs(symbol, moved).subs(x, u + origin)) for f in (g, log_density))
    between = [S.Zero, d] if d.is_positive else [d, S.Zero]
    return _pieces(e, log_p, u, [-sympy.oo, *between, sympy.oo])


def _opened(e: Expr) -> Expr:
    return sympy.expand(e).replace(
        lambda a: isinstance(a, Absolute), lambda a: Absolute(sympy.expand(a.args[0]))
    )


def _pieces(g: Expr, log_density: Expr, x: sympy.Symbol, ends: Sequence[Expr]) -> Expr | None:
    total = S.Zero
    for low, high in pairwise(ends):
        inner = _between(low, high)
        e, log_p = (_smooth(f, x, inner) for f in (g, log_density))
        if any(f.has(Absolute, Sign, Bracket) for f in (e, log_p)):
            return None
        part = sympy.integrate(sympy.expand(e) * sympy.exp(sympy.expand(log_p)), (x, low, high), conds="none")
        if part.has(sympy.Integral, sympy.I, sympy.Piecewise, sympy.nan, sympy.zoo):
            return None
        total += part
    return sympy.simplify(total)


def _between(low: Expr, high: Expr) -> Expr:
    """A point of an interval, with a positive symbol for how far it lies within."""
    t = sympy.Dummy("t", positive=True)
    if low == -sympy.oo:
        return high - t
    if high == sympy.oo:
        return low + t
    return (low + t * high) / (1 + t)


def _smooth(e: Expr, x: sympy.Symbol, inner: Expr) -> Expr:
    """Absolute values and signs as they are on an interval."""

    def value(part: Expr) -> Expr:
        sign = _sign(sympy.simplify(part.args[0].subs(x, inner)))
        if sign == 0:
            return part
        return S(sign) if isinstance(part, Sign) else sign * part.args[0]

    return e.replace(lambda a: isinstance(a, Absolute | Sign) and a.has(x), value)


def _sign(e: Expr) -> int:
    e = sympy.factor(e)
    return 1 if e.is_positive else -1 if e.is_negative else 0
