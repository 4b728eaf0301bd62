"""Cumulants of a law of numbers: as its record has them, else from its moments or its generating function."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, S

from ..distributions import Distribution
from ..errors import NoClosedForm


def surely_positive(e: Expr) -> bool:
    """Whether an expression is positive wherever the declared facts hold."""
    return any(make(e).is_positive for make in (sympy.S, sympy.expand, sympy.together))


def cumulant(law: Distribution, k: int, parameters: Sequence[Expr]) -> Expr:
    """The k-th cumulant, k >= 1.

    Raises:
        NoClosedForm: there is no formula, or it does not follow from the parameters that the k-th moment is finite.
    """
    if law.cumulant is not None:
        return law.cumulant(k, *parameters)
    if law.power is not None:
        return _from_moments(law, k, parameters)
    if law.generating is not None:
        symbols = tuple(sympy.Dummy(p.name, positive=True) for p in law.parameters)
        return _slope(law, k, symbols).xreplace(dict(zip(symbols, parameters, strict=True)))
    raise NoClosedForm(f"no formula here for moments where x is {law.name}")


def _slope(law: Distribution, k: int, symbols: tuple[Expr, ...]) -> Expr:
    """The k-th derivative of the logarithm of E exp(t x) at 0."""
    assert law.generating is not None
    t = sympy.Dummy("t", real=True)
    return sympy.diff(law.generating(t, *symbols), t, k).subs(t, 0)


def _from_moments(law: Distribution, k: int, parameters: Sequence[Expr]) -> Expr:
    """``k_n = m_n - sum_j binomial(n - 1, j - 1) k_j m_{n - j}``."""
    assert law.power is not None and law.power_exists is not None
    if not surely_positive(need := law.power_exists(sympy.Integer(k), *parameters)):
        raise NoClosedForm(f"the mean of x^{k} is finite only where {need} > 0, which does not follow")
    moments = [S.One, *(law.power(sympy.Integer(n), *parameters) for n in range(1, k + 1))]
    found: list[Expr] = []
    for n in range(1, k + 1):
        before = (sympy.binomial(n - 1, j - 1) * found[j - 1] * moments[n - j] for j in range(1, n))
        found.append(moments[n] - sympy.Add(*before))
    return found[-1]
