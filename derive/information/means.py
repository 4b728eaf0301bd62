"""The mean of a function of a random number: by the record's moments, by scores whose mean is 0, by an integral."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..errors import NoClosedForm
from ..moments.entry import entry_mean
from .family import terms_of
from .integrals import integral
from .laws import Scalar
from .spelling import spelled


@dataclass(frozen=True)
class Mean:
    """The mean of a function of x, and the words that say how it was found."""

    of: Expr
    value: Expr
    how: str


Rule = Callable[[Expr, sympy.Symbol, Scalar], Expr | None]


def means(g: Expr, x: sympy.Symbol, law: Scalar) -> list[Mean]:
    """The means of the statistics of x in a sum, each by the first rule that has one.

    Raises:
        NoClosedForm: one has none.
    """
    found = []
    for _, statistic in terms_of(g, x):
        if statistic == 1:
            continue
        for how, rule in RULES.items():
            value = rule(statistic, x, law)
            if value is not None and not value.has(sympy.nan, sympy.zoo, sympy.Integral, sympy.Sum):
                found.append(Mean(statistic, value, how))
                break
        else:
            raise NoClosedForm(f"E {spelled(statistic)}")
    return found


def mean_of(g: Expr, x: sympy.Symbol, known: list[Mean]) -> Expr:
    """The mean of a sum by the means of its statistics."""
    values = {m.of: m.value for m in known} | {S.One: S.One}
    return sympy.Add(*(c * values[t] for c, t in terms_of(g, x)))


# -- rules


def by_values(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """A sum over finitely many values."""
    if law.record.values is None:
        return None
    return sympy.Add(
        *(probability * g.subs(x, value) for value, probability in law.record.values(*law.parameters))
    )


def by_moments(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """By the cumulants and other means that the record of the law knows."""
    if getattr(law.record, "cumulant", None) is None and law.record.power is None:
        return None
    try:
        return entry_mean(g, x, law.record, law.parameters)
    except (NoClosedForm, TypeError):
        return None


def by_scores(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """``E d log p / d theta = 0`` for each parameter: linear equations for the means of the statistics in the scores.

    In an exponential family these say that the means of the sufficient statistics are the gradient of the log-partition.
    """
    rows, constants = [], []
    for score in scores(x, law):
        terms = terms_of(score, x)
        rows.append({t: c for t, c in terms if t != 1})
        constants.append(-sympy.Add(*(c for c, t in terms if t == 1)))
    unknown = list(dict.fromkeys(t for row in rows for t in row))
    if g not in unknown:
        return None
    symbols = {t: sympy.Dummy() for t in unknown}
    for t in unknown:
        if t != g and (value := by_moments(t, x, law)) is not None:
            rows.append({t: S.One})
            constants.append(value)
    equations = [
        sympy.Add(*(c * symbols[t] for t, c in row.items())) - k
        for row, k in zip(rows, constants, strict=True)
    ]
    solutions = sympy.linsolve(equations, *symbols.values())
    for solution in solutions:
        value = solution[unknown.index(g)]
        if not value.free_symbols & set(symbols.values()):
            return sympy.sympify(value)
    return None


def scores(x: sympy.Symbol, law: Scalar) -> Iterator[Expr]:
    """The derivatives of the log-density by the parameters of the record, at the parameters of this law."""
    record = law.record
    assert record.log_density is not None
    names = [
        sympy.Dummy(p.name, positive="positive" in p.facts or None, real=True) for p in record.parameters
    ]
    log_density = sympy.S(record.log_density(x, *names))
    for name in names:
        yield sympy.diff(log_density, name).doit().xreplace(dict(zip(names, law.parameters, strict=True)))


def by_powers(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """``E x^r log(x)^k`` as the k-th derivative of ``E x^r``, of which SymPy knows the integral for any r."""
    if not x.is_positive or law.record.discrete:
        return None
    power, logs, outside = S.Zero, 0, S.One
    for factor in sympy.Mul.make_args(g):
        base, exponent = factor.as_base_exp()
        if base == x and not exponent.has(x):
            power += exponent
        elif (
            isinstance(base, sympy.log) and base.args[0] == x and exponent.is_Integer and exponent.is_positive
        ):
            logs += int(exponent)
        elif not factor.has(x):
            outside *= factor
        else:
            return None
    r = sympy.Symbol("r", positive=True)
    moment = integral(x**r, x, law)
    if moment is None:
        return None
    return outside * sympy.diff(moment, r, logs).subs(r, power)


def by_integral(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """The integral or sum of the function times the density, by SymPy."""
    return integral(g, x, law)


RULES: dict[str, Rule] = {
    "sum over its values": by_values,
    "moments of the law": by_moments,
    "the score has mean 0": by_scores,
    "derivative of E x^r": by_powers,
    "integral": by_integral,
}
