"""The mean of a function of one random number: polynomials, half-lines, powers, logarithms and exponentials."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, S

from ..distributions import Distribution
from ..errors import NoClosedForm
from ..ir.nodes import Bracket, Where
from ..ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign
from ..prove.forms.atoms import Signum
from .cumulants import cumulant, surely_positive


def entry_mean(g: Expr, u: sympy.Symbol, law: Distribution, parameters: Sequence[Expr]) -> Expr:
    """E g(u) for u of this law.

    Raises:
        NoClosedForm: a term is no product of powers, logarithms, exponentials of u and one condition ``u > c``.
    """
    expanded = sympy.expand(_without_kinks(g, u))
    return sympy.Add(*(_term(t, u, law, tuple(parameters)) for t in sympy.Add.make_args(expanded)))


def _without_kinks(g: Expr, u: sympy.Symbol) -> Expr:
    """Maxima, absolute values and signs by conditions; at one point, which has no mass, they may differ."""
    g = g.replace(
        lambda e: isinstance(e, Maximum), lambda e: _choice(e.args[0] - e.args[1], e.args[0], e.args[1], u)
    )
    g = g.replace(
        lambda e: isinstance(e, Minimum), lambda e: _choice(e.args[1] - e.args[0], e.args[0], e.args[1], u)
    )
    g = g.replace(lambda e: isinstance(e, Absolute), lambda e: _choice(e.args[0], e.args[0], -e.args[0], u))
    g = g.replace(
        lambda e: isinstance(e, Sign | Signum), lambda e: Bracket(e.args[0] > 0) - Bracket(e.args[0] < 0)
    )
    return g.replace(
        lambda e: isinstance(e, Where),
        lambda e: Bracket(e.args[0]) * e.args[1] + (1 - Bracket(e.args[0])) * e.args[2],
    )


def _choice(positive: Expr, a: Expr, b: Expr, u: sympy.Symbol) -> Expr:
    if positive.is_nonnegative:
        return a
    if not positive.has(u):
        raise NoClosedForm(f"no formula here for a case that depends on {positive}")
    above = Bracket(sympy.Gt(positive, 0))
    return above * a + (1 - above) * b


def _term(term: Expr, u: sympy.Symbol, law: Distribution, parameters: tuple[Expr, ...]) -> Expr:
    """The mean of a product."""
    outside, power, logs, rate = S.One, S.Zero, 0, S.Zero
    conditions: list[Expr] = []
    waves: list[Expr] = []
    for factor in sympy.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if not factor.has(u):
            outside *= factor
        elif isinstance(factor, sympy.exp) and (slope := sympy.diff(factor.args[0], u)) and not slope.has(u):
            rate += slope
            outside *= sympy.exp(sympy.expand(factor.args[0] - slope * u))
        elif base == u and not exponent.has(u):
            power += exponent
        elif (
            isinstance(base, sympy.log) and base.args[0] == u and exponent.is_Integer and exponent.is_positive
        ):
            logs += int(exponent)
        elif isinstance(factor, sympy.erf) and (slope := sympy.diff(factor.args[0], u)) and not slope.has(u):
            waves.append(factor.args[0])
        elif isinstance(base, Bracket) and exponent.is_positive:
            conditions.append(base.condition)
        else:
            raise NoClosedForm(
                f"no formula here for the mean of {str(factor).replace('u', 'x')} where x is {law.name}"
            )
    if rate != 0 and law.tilted is None and law.generating is not None and not (power or logs or conditions or waves):
        return outside * _mass(rate, law, parameters)
    if rate != 0:
        outside, parameters = _tilted(rate, law, parameters, outside)
    if waves:
        return outside * _with_erf(u, power, waves, bool(logs or conditions), law, parameters)
    return outside * _plain(u, power, logs, conditions, law, parameters)


def _with_erf(
    u: sympy.Symbol, power: Expr, arguments: list[Expr], beside: bool, law: Distribution, parameters: tuple[Expr, ...]
) -> Expr:
    """E u^power erf(a u + b)."""
    if law.erf is None or beside or len(arguments) > 1 or not (power.is_Integer and power.is_nonnegative):
        raise NoClosedForm(f"no formula here for the mean of a function with erf where x is {law.name}")
    slope = sympy.diff(arguments[0], u)
    return law.erf(int(power), slope, sympy.expand(arguments[0] - slope * u), *parameters)


def _tilted(
    rate: Expr, law: Distribution, parameters: tuple[Expr, ...], outside: Expr
) -> tuple[Expr, tuple[Expr, ...]]:
    if law.tilted is None or law.generating is None:
        raise NoClosedForm(
            f"no formula here for the mean of an exponential and another function where x is {law.name}"
        )
    return outside * _mass(rate, law, parameters), law.tilted(rate, *parameters)


def _mass(rate: Expr, law: Distribution, parameters: tuple[Expr, ...]) -> Expr:
    """E exp(rate x)."""
    assert law.generating is not None
    if law.exists is not None and not surely_positive(need := law.exists(rate, *parameters)):
        raise NoClosedForm(f"the mean of exp({rate} x) is finite only where {need} > 0, which does not follow")
    return sympy.exp(law.generating(rate, *parameters))


def _plain(
    u: sympy.Symbol,
    power: Expr,
    logs: int,
    conditions: list[Expr],
    law: Distribution,
    parameters: tuple[Expr, ...],
) -> Expr:
    """E u^power log(u)^logs on a half-line."""
    natural = power.is_Integer and power.is_nonnegative
    if not conditions and not logs and natural:
        return raw_moment(int(power), law, parameters)
    if conditions and natural and not logs and law.above is not None:
        return _on_half_lines(u, int(power), conditions, law, parameters)
    if conditions or law.power is None or law.power_exists is None:
        under = f" under {conditions[0]}" if conditions else ""
        raise NoClosedForm(
            f"no formula here for the mean of x^{power} log(x)^{logs}{under} where x is {law.name}"
        )
    if not surely_positive(law.power_exists(power, *parameters)):
        need = law.power_exists(power, *parameters)
        raise NoClosedForm(f"the mean of x^{power} is finite only where {need} > 0, which does not follow")
    r = sympy.Symbol("r", real=True)
    return (
        sympy.diff(law.power(r, *parameters), r, logs).xreplace({r: power})
        if logs
        else law.power(power, *parameters)
    )


def _on_half_lines(
    u: sympy.Symbol, power: int, conditions: list[Expr], law: Distribution, parameters: tuple[Expr, ...]
) -> Expr:
    """The same condition may occur several times; the opposite of one leaves nothing."""
    ends = {_half_line(c, u) for c in conditions}
    if len({end for end, _ in ends}) == 1 and len(ends) == 2:
        return S.Zero
    if len(ends) != 1:
        raise NoClosedForm("no formula here for a mean under several conditions")
    end, upward = next(iter(ends))
    assert law.above is not None
    above = law.above(power, end, *parameters)
    return above if upward else raw_moment(power, law, parameters) - above


def _half_line(condition: Expr, u: sympy.Symbol) -> tuple[Expr, bool]:
    """``u > c`` as (c, True), ``u < c`` as (c, False)."""
    if not isinstance(condition, sympy.Gt | sympy.Ge | sympy.Lt | sympy.Le):
        raise NoClosedForm(f"no formula here for a mean under the condition {condition}")
    difference = sympy.expand(condition.gts - condition.lts)
    slope = sympy.diff(difference, u)
    if slope.has(u) or not (slope.is_positive or slope.is_negative):
        raise NoClosedForm(f"no formula here for a mean under the condition {condition}")
    return sympy.expand(u - difference / slope), bool(slope.is_positive)


def raw_moment(k: int, law: Distribution, parameters: Sequence[Expr]) -> Expr:
    """``m_k = sum_j binomial(k - 1, j - 1) k_j m_{k - j}``."""
    moments = [S.One]
    for n in range(1, k + 1):
        parts = (
            sympy.binomial(n - 1, j - 1) * cumulant(law, j, parameters) * moments[n - j]
            for j in range(1, n + 1)
        )
        moments.append(sympy.expand(sympy.Add(*parts)))
    return moments[k]
