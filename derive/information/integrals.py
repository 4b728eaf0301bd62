"""The mean of a function of a random number as an integral or a sum that SymPy finds: split where the density has kinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import pairwise

import sympy
from sympy import Expr, S

from ..distributions import Distribution
from ..ir.nodes import Bracket
from ..ops.elementwise.piecewise import Absolute, Sign
from .family import with_absolutes
from .laws import Scalar
from .limited import MILLION, limited

CALLS = 4 * MILLION
"""For one integral."""


def integral(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """``integral g(x) p(x) dx``, or the sum; None if SymPy finds none in time.

    A probability is 1/(1 + t) with t positive while SymPy works, so that it knows what converges.
    """
    low, high = law.bounds
    unit, back = standardised(x, law)
    log_density = back(law.log_density(x))
    if unit != x:
        log_density += sympy.log(sympy.diff(back(x), unit))
    odds = {
        s: 1 / (1 + sympy.Dummy(f"t_{s}", positive=True))
        for s in law.symbols
        if "probability" in law.facts.get(s.name, ())
    }
    log_density, body = (
        sympy.together(e.xreplace(odds)) if odds else e for e in (sympy.expand_log(log_density), back(g))
    )
    if law.record.discrete:
        found = limited(lambda: _sum(g, x, law, low, high), CALLS)
    elif kinks := _kinks(log_density, unit) | _kinks(body, unit):
        found = limited(lambda: _ordered(body, log_density, unit, low, high, sorted(kinks, key=str)), CALLS)
    else:
        found = limited(lambda: _plain(body, log_density, unit, low, high), CALLS)
    if found is None or not odds:
        return found
    return sympy.simplify(found.subs({_odd(t): 1 / s - 1 for s, t in odds.items()}))


def _odd(probability: Expr) -> Expr:
    """t of 1/(1 + t)."""
    (t,) = probability.free_symbols
    return t


def standardised(x: sympy.Symbol, law: Scalar) -> tuple[sympy.Symbol, Callable[[Expr], Expr]]:
    """Of a law of locations and scales: its own unit z, and how a function of x is one of ``z = (x - location)/scale``.

    A location is a parameter that may be any number, a scale a positive one or the root of one, if the density depends on
    them as it must. Of other laws x itself.
    """
    location, scale = _location_and_scale(law.record)
    if scale is None or x.is_nonnegative:
        return x, lambda e: with_absolutes(e)
    z = sympy.Symbol("z", real=True)
    place, power = scale
    width = law.parameters[place] ** power
    centre = law.parameters[location] if location is not None else S.Zero

    def back(e: Expr) -> Expr:
        return opened(with_absolutes(e).xreplace({x: centre + width * z}))

    return z, back


@cache
def _location_and_scale(record: Distribution) -> tuple[int | None, tuple[int, Expr] | None]:
    """The place of the location among the parameters, that of the scale, and its power."""
    if record.discrete or record.log_density is None:
        return None, None
    x, z = sympy.symbols("x z", real=True)
    free = [k for k, p in enumerate(record.parameters) if not p.facts]
    names = [sympy.Symbol(p.name, real=True, positive=True if p.facts else None) for p in record.parameters]
    if len(free) != 1:
        return None, None
    for place, power in ((k, r) for r in (S.One, S.Half) for k in range(len(names)) if k not in free):
        width = names[place] ** power
        moved = with_absolutes(record.log_density(x, *names)).xreplace(
            {x: names[free[0]] + width * z}
        ) + sympy.log(width)
        standard = dict(zip(names, names, strict=True)) | {names[free[0]]: S.Zero, names[place]: S.One}
        difference = limited(partial(_vanishes, moved, standard), CALLS)
        if difference:
            return free[0], (place, power)
    return None, None


def _vanishes(e: Expr, standard: dict[Expr, Expr]) -> bool:
    return bool(sympy.simplify(sympy.expand_log(opened(e) - opened(e.xreplace(standard)))) == 0)


def opened(e: Expr) -> Expr:
    """With the arguments of functions multiplied out, and positive factors out of absolute values."""

    def open_one(f: Expr) -> Expr:
        if isinstance(f, Absolute):
            return Absolute(sympy.factor_terms(sympy.expand(f.args[0]))).replace(
                lambda a: isinstance(a, Absolute) and a.args[0].is_Mul,
                lambda a: sympy.Mul(*(b if b.is_positive else Absolute(b) for b in a.args[0].args)),
            )
        return f.func(*map(sympy.expand, f.args))

    return e.replace(lambda f: isinstance(f, sympy.Function), open_one)


def _sum(g: Expr, x: sympy.Symbol, law: Scalar, low: Expr, high: Expr) -> Expr | None:
    k = sympy.Dummy("k", integer=True, nonnegative=x.is_nonnegative)
    found = sympy.summation((g * sympy.exp(law.log_density(x))).xreplace({x: k}), (k, low, high))
    if isinstance(found, sympy.Piecewise):
        found = found.args[0][0]
    return None if found.has(sympy.Sum, sympy.hyper, sympy.Piecewise) else found


def _plain(g: Expr, log_density: Expr, x: sympy.Symbol, low: Expr, high: Expr) -> Expr | None:
    density = sympy.powsimp(sympy.expand_power_exp(sympy.exp(sympy.expand(sympy.expand_log(log_density)))))
    found = sympy.integrate(sympy.powsimp(g * density), (x, low, high), conds="none")
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
            if (second - first).is_positive or (second - first).is_negative:
                order = [first, second] if (second - first).is_positive else [second, first]
                return _pieces(g, log_density, x, [low, *order, high])
            if not second.free_symbols:
                first, second = second, first
            d, gap = sympy.Dummy("d", positive=True), second - first
            up, down = (_with_gap(g, log_density, x, first, second, side) for side in (d, -d))
            if up is None or down is None:
                return None
            if sympy.simplify(up - down) == 0:
                return opened(up.xreplace({d: Absolute(gap)}))
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
    symbol = next((s for s in sorted(second.free_symbols, key=str) if _slopes(second, s)), None)
    if symbol is None:
        return None
    moved = sympy.solve(second - first - d, symbol)[0]
    origin = first.subs(symbol, moved)
    e, log_p = (opened(f.subs(symbol, moved).subs(x, u + origin).expand()) for f in (g, log_density))
    between = [S.Zero, d] if d.is_positive else [d, S.Zero]
    return _pieces(e, log_p, u, [-sympy.oo, *between, sympy.oo])


def _slopes(e: Expr, s: sympy.Symbol) -> bool:
    """Whether it is linear in a symbol that may be any number."""
    slope = sympy.diff(e, s)
    return bool(slope != 0 and not slope.has(s) and s.is_positive is None)


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
