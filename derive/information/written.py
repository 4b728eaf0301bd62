"""A closed form as one would write it: differences of locations, logarithms of quotients, the shortest of some spellings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import sympy
from sympy import Expr, S

from .limited import MILLION, limited

CALLS = MILLION
LARGE = 160
"""Operations above which only common factors are looked for."""


def tidied(e: Expr, pairs: Iterable[tuple[Expr, Expr]] = ()) -> Expr:
    """The shortest of several spellings.

    Args:
        pairs: two names on whose difference alone the expression may depend, as on that of two locations; where it does,
            this difference is kept in one piece.
    """
    gaps: dict[sympy.Symbol, Expr] = {}
    for a, b in pairs:
        if not (a.is_Symbol and b.is_Symbol) or a == b or not e.has(a, b):
            continue
        if _is_of_difference(e, a, b):
            d = sympy.Dummy(f"{a}_{b}", real=True)
            e = e.xreplace({a: b + d}) if b.is_zero else sympy.expand(e.xreplace({a: d, b: S.Zero}))
            gaps[d] = a - b
    first, *others = _spellings(e)
    best = min(others, key=_length, default=first)
    best = min(best, best.replace(lambda f: f.is_Add, _squares), key=_length)
    best = min(best, sympy.powsimp(best, combine="base", deep=True), key=_length).replace(_is_turned, _turned)
    return best.xreplace(gaps)


def _is_of_difference(e: Expr, a: sympy.Symbol, b: sympy.Symbol) -> bool:
    return limited(lambda: sympy.simplify(sympy.diff(e, a) + sympy.diff(e, b)), CALLS) == 0


def _spellings(e: Expr) -> list[Expr]:
    """The expression, and other spellings of it; one term after another comes first among equals."""
    found = [e]
    makers = (
        (_by_parts, sympy.factor_terms, sympy.simplify)
        if sympy.count_ops(e) < LARGE
        else (sympy.factor_terms,)
    )
    for make in makers:
        other = _made(make, e)
        if other is not None and not other.has(sympy.nan, sympy.zoo):
            found.append(other)
            if (both := _made(_by_parts, other)) is not None:
                found.append(both)
    return found


def _made(make: Callable[[Expr], Expr], e: Expr) -> Expr | None:
    return limited(lambda: make(e), CALLS)


def _length(e: Expr) -> tuple[float, int]:
    """Operations; where logarithms stand inside a fraction, it is hard to see what belongs together."""
    buried = sum(
        f.is_Mul and any(a.is_Add and a.has(sympy.log) for a in f.args) for f in sympy.preorder_traversal(e)
    )
    return sympy.count_ops(e) + 6 * buried, len(str(e))


def _by_parts(e: Expr) -> Expr:
    """Terms with logarithms and special functions gathered, each with one coefficient; rational ones put together."""
    e = sympy.expand(sympy.expand_log(e))
    special = sorted(e.atoms(sympy.Function) - e.atoms(sympy.Abs), key=str)
    collected = sympy.collect(e, special, evaluate=False) if special else {S.One: e}
    rest = collected.pop(S.One, S.Zero)
    by_coefficient: dict[Expr, Expr] = {}
    collected = _with_constants(collected)
    for function, coefficient in collected.items():
        key, value = _with_sign(sympy.factor(coefficient), function)
        by_coefficient[key] = by_coefficient.get(key, S.Zero) + value
    gathered = (c * _logs(f) for c, f in by_coefficient.items())
    return sympy.Add(*gathered, _rational(rest))


def _squares(e: Expr) -> Expr:
    """``a^2 + 2 a b + b^2`` within a sum as ``(a + b)^2``."""
    roots = [sympy.sqrt(t) for t in e.args if t.is_Pow and t.exp == 2]
    for k, a in enumerate(roots):
        for b in roots[k + 1 :]:
            for sign in (1, -1):
                if 2 * sign * a * b in e.args:
                    return _squares_left(e, a, b, sign)
    return e


def _squares_left(e: Expr, a: Expr, b: Expr, sign: int) -> Expr:
    rest = [t for t in e.args if t not in (a**2, b**2, 2 * sign * a * b)]
    return sympy.Add(*rest, (a + sign * b) ** 2)


def _is_turned(e: Expr) -> bool:
    """Whether a product with the logarithm of a quotient has a factor such as p - 1, which is negative for a probability."""
    return bool(
        e.is_Mul and any(_quotient(f) for f in e.args) and any(f.is_Add and _is_below(f) for f in e.args)
    )


def _turned(e: Expr) -> Expr:
    """``(p - 1) log(a/b)`` as ``(1 - p) log(b/a)``."""
    quotient = next(f for f in e.args if _quotient(f))
    factor = next(f for f in e.args if f.is_Add and _is_below(f))
    rest = -sympy.Mul(*(f for f in e.args if f not in (quotient, factor)))
    below = rest.as_coeff_Mul()[0] < 0
    return sympy.Mul(
        -factor, sympy.log(1 / quotient.args[0]) if below else quotient, -rest if below else rest
    )


def _quotient(e: Expr) -> bool:
    return isinstance(e, sympy.log) and sympy.fraction(e.args[0])[1] != 1


def _is_below(e: Expr) -> bool:
    """Whether it is negative where all names are small and positive."""
    return bool(e.subs({s: sympy.Rational(3, 10) for s in e.free_symbols}).is_negative)


def _with_constants(collected: dict[Expr, Expr]) -> dict[Expr, Expr]:
    """Logarithms of numbers within one of names: ``log(s) + log(2 pi)/2`` is ``log(sqrt(2 pi) s)``."""
    logs = {f: c for f, c in collected.items() if isinstance(f, sympy.log) and c.is_Rational}
    home = next((f for f in sorted(logs, key=str) if f.args[0].free_symbols), None)
    if home is None:
        return collected
    numbers = [f for f in logs if not f.args[0].free_symbols]
    inside = sympy.Mul(*(f.args[0] ** (logs[f] / logs[home]) for f in numbers))
    found = {f: c for f, c in collected.items() if f not in numbers and f != home}
    return found | {sympy.log(home.args[0] * inside, evaluate=False): logs[home]}


def _with_sign(coefficient: Expr, function: Expr) -> tuple[Expr, Expr]:
    """A coefficient that is positive, or its opposite, for names that are positive and small, such as probabilities."""
    return (-coefficient, -function) if _is_below(coefficient) else (coefficient, function)


def _logs(e: Expr) -> Expr:
    """``log a - log b`` as the logarithm of a quotient; other functions as they are."""
    up, down, rest = S.One, S.One, S.Zero
    for term in sympy.Add.make_args(e):
        c, f = term.as_coeff_Mul()
        if isinstance(f, sympy.log) and c == 1:
            up *= f.args[0]
        elif isinstance(f, sympy.log) and c == -1:
            down *= f.args[0]
        else:
            rest += term
    if up == 1 and down != 1:
        return rest - sympy.log(down)
    return (sympy.log(up / down) if up / down != 1 else S.Zero) + rest


def _rational(e: Expr) -> Expr:
    """A sum of fractions: those with one denominator on one line, the number alone."""
    by_denominator: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(sympy.expand(e)):
        _, bottom = sympy.fraction(term)
        _, bare = bottom.as_coeff_Mul()
        by_denominator[bare] = by_denominator.get(bare, S.Zero) + term
    return sympy.Add(*(t if b == 1 else sympy.factor(sympy.together(t)) for b, t in by_denominator.items()))


def named(values: Mapping[str, Expr] | Sequence[tuple[str, Expr]]) -> str:
    """``a = 1, b = 2``."""
    items = values.items() if isinstance(values, Mapping) else values
    return ", ".join(f"{name} = {value}" for name, value in items)
