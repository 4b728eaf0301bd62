"""The form of an exponential family, found from a log-density: ``log p = eta(theta) . T(x) - A(theta) + log h(x)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..ir.nodes import Bracket, Where
from ..ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign


@dataclass(frozen=True)
class Family:
    """An exponential family.

    natural: the natural parameters as functions of the parameters; statistics: of x alone, as many.
    log_partition: A in the parameters; log_base: log h, of x alone.
    """

    natural: tuple[Expr, ...]
    statistics: tuple[Expr, ...]
    log_partition: Expr
    log_base: Expr


def exponential_family(log_density: Expr, x: sympy.Symbol, symbols: Sequence[sympy.Symbol]) -> Family | None:
    """The form of an exponential family in these parameters, if the terms of the log-density have it.

    Example:
        >>> x, m = sympy.Symbol("x", real=True), sympy.Symbol("m", real=True)
        >>> exponential_family(-((x - m) ** 2) / 2, x, [m])
        Family(natural=(m,), statistics=(x,), log_partition=m**2/2, log_base=-x**2/2)
    """
    found: dict[Expr, Expr] = {}
    log_partition = log_base = S.Zero
    for coefficient, statistic in terms_of(log_density, x):
        if statistic == 1:
            log_partition -= coefficient
        elif statistic.free_symbols & set(symbols):
            return None
        elif coefficient.free_symbols & set(symbols):
            found[statistic] = found.get(statistic, S.Zero) + coefficient
        else:
            log_base += coefficient * statistic
    for statistic, coefficient in list(found.items()):
        fixed = sympy.Add(*(t for t in sympy.Add.make_args(coefficient) if not t.free_symbols & set(symbols)))
        if fixed != 0:  # what stands before a statistic without any parameter belongs to the base measure
            found[statistic], log_base = coefficient - fixed, log_base + fixed * statistic
    statistics = sorted((t for t, c in found.items() if c != 0), key=lambda t: (t.count_ops(), str(t)))
    return Family(tuple(found[t] for t in statistics), tuple(statistics), log_partition, log_base)


def terms_of(e: Expr, x: sympy.Symbol) -> list[tuple[Expr, Expr]]:
    """A sum as pairs of a coefficient without x and a factor that has x, or 1; equal factors are gathered."""
    found: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(expanded(e, x)):
        coefficient, statistic = term.as_independent(x, as_Add=False)
        found[statistic] = found.get(statistic, S.Zero) + coefficient
    return [(c, t) for t, c in found.items() if c != 0]


def expanded(e: Expr, x: sympy.Symbol) -> Expr:
    """A sum of products; logarithms of products are opened, and sines of sums; what stands in a function of x stays."""
    e = sympy.expand_log(with_absolutes(e))
    if e.has(sympy.cos, sympy.sin):
        e = e.replace(
            lambda f: isinstance(f, sympy.cos | sympy.sin) and f.has(x),
            lambda f: sympy.expand_trig(sympy.expand(f)),
        )
    e = e.replace(lambda f: f.is_Pow and f.base.is_Mul and f.has(x), sympy.expand_power_base)
    e = e.replace(
        lambda f: isinstance(f, sympy.exp) and f.has(x),
        lambda f: sympy.expand_power_exp(sympy.exp(sympy.expand(f.args[0]))),
    )
    closed: dict[Expr, sympy.Dummy] = {}

    def close(f: Expr) -> Expr:
        return closed.setdefault(f, sympy.Dummy())

    def is_whole(f: Expr) -> bool:
        """A function of x, or a power of a sum that does not open."""
        if not f.has(x):
            return False
        return isinstance(f, sympy.Function) or (
            f.is_Pow and f.base.is_Add and not (f.exp.is_Integer and f.exp.is_positive)
        )

    opened = sympy.expand(e.replace(is_whole, close))
    back = {d: f for f, d in closed.items()}
    while opened.has(*back):
        opened = opened.xreplace(back)
        if not back:
            break
    return opened


def with_absolutes(e: Expr) -> Expr:
    """Our own absolute values; the larger of two as ``(a + b + |a - b|)/2``, a case at one point by its bracket."""
    e = e.replace(lambda f: isinstance(f, Where) and isinstance(f.args[0], sympy.Eq), _at_one_point)
    e = e.replace(sympy.Abs, Absolute).replace(sympy.sign, Sign)
    for kind, side in ((sympy.Max, 1), (Maximum, 1), (sympy.Min, -1), (Minimum, -1)):
        e = e.replace(
            lambda f, kind=kind: isinstance(f, kind) and len(f.args) == 2,
            lambda f, side=side: (
                (f.args[0] + f.args[1] + side * Absolute(sympy.expand(f.args[0] - f.args[1]))) / 2
            ),
        )
    return e


def _at_one_point(choice: Expr) -> Expr:
    """``where(x = c, a, b(x))`` as ``b(x) + [x = c] (a - b(c))``."""
    condition, there, elsewhere = choice.args
    x, c = condition.args
    return elsewhere + Bracket(condition) * (there - elsewhere.subs(x, c)) if x.is_Symbol else choice
