"""The form of an exponential family, found from a log-density: ``log p = eta(theta) . T(x) - A(theta) + log h(x)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..ops.elementwise.piecewise import Absolute, Sign


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
    return [(sympy.sympify(c), t) for t, c in found.items() if c != 0]


def expanded(e: Expr, x: sympy.Symbol) -> Expr:
    """A sum of products, logarithms of products and powers opened, and sines of sums; powers of x gathered."""
    e = e.replace(sympy.Abs, Absolute).replace(sympy.sign, Sign)
    e = sympy.expand_log(e)
    if e.has(sympy.cos, sympy.sin):
        e = e.replace(
            lambda f: isinstance(f, sympy.cos | sympy.sin) and f.has(x),
            lambda f: sympy.expand_trig(sympy.expand(f)),
        )
    e = sympy.expand(e)
    e = e.replace(lambda f: f.is_Pow and f.base.is_Mul and f.has(x), lambda f: sympy.expand_power_base(f))
    e = e.replace(
        lambda f: isinstance(f, sympy.exp) and f.args[0].is_Add and f.has(x),
        lambda f: sympy.expand_power_exp(f),
    )
    return sympy.expand(e)
