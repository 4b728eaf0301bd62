"""The mean of a function of a random number: by the record's moments, by scores whose mean is 0, by an integral."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..errors import NoClosedForm
from ..ir.nodes import Bracket, Where
from ..moments.entry import entry_mean
from .euler_integrals import euler
from .family import terms_of
from .integrals import integral, standardised
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
            raise NoClosedForm(f"E {spelled(statistic)}{_finite(statistic, x, law)}")
    return found


def _finite(g: Expr, x: sympy.Symbol, law: Scalar) -> str:
    """The words for a condition under which the record of the law knows a mean."""
    try:
        entry_mean(g, x, law.record, law.parameters)
    except (NoClosedForm, TypeError) as error:
        _, only, condition = str(error).partition("is finite only where ")
        return f" unless {condition.partition(',')[0]}, which does not follow" if only else ""
    return ""


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


def by_probability(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """The probability of one value."""
    if not (isinstance(g, Bracket) and isinstance(g.condition, sympy.Eq) and law.record.discrete):
        return None
    left, right = g.condition.args
    if left != x or right.has(x):
        return None
    at = sympy.S(law.log_density(sympy.Symbol("x", real=True)).subs(sympy.Symbol("x", real=True), right))
    at = at.replace(
        lambda f: isinstance(f, Where) and f.args[0] in (True, False), lambda f: f.args[1 if f.args[0] else 2]
    )
    return sympy.simplify(sympy.exp(at))


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

    In an exponential family these say that the means of the sufficient statistics are the gradient of the log-partition;
    others may also need a moment that the record knows. A family of locations and scales is looked at in its own units.
    """
    unit, back = standardised(x, law)
    wanted = terms_of(back(g), unit)
    rows = [terms_of(back(score), unit) for score in scores(x, law)]
    unknown = {t: sympy.Dummy() for row in rows for _, t in row if t != 1}
    if any(t not in unknown and t != 1 for _, t in wanted):
        return None
    known = unknown | {S.One: S.One}
    equations = [sympy.Add(*(c * known[t] for c, t in row)) for row in rows]
    for solution in sympy.linsolve(equations, *unknown.values()):
        values = dict(zip(unknown.values(), solution, strict=True))
        value = sympy.Add(*(c * values.get(known[t], S.One) for c, t in wanted))
        for t, symbol in unknown.items():
            if value.has(symbol) and unit == x and (moment := by_moments(t, x, law)) is not None:
                value = value.xreplace({symbol: moment})
        if not value.has(*unknown.values()):
            return value
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


def by_euler(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """By the substitution that makes the density an integrand of Euler's."""
    form = None if law.record.discrete else euler(law.log_density(x), x)
    return None if form is None else form.mean(g)


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


def by_half_plane(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """Of a law with the density ``1/(pi (1 + z^2))``: ``E log(a + b z + c z^2) = log(a + c + sqrt(4 a c - b^2))``.

    Poisson's integral: the mean of a harmonic function in the upper half-plane is its value at i, and the logarithm is twice
    the real part of ``log(z - w)``, the root w in the lower half-plane.
    """
    z, back = standardised(x, law)
    if not isinstance(g, sympy.log) or z == x:
        return None
    log_density = back(law.log_density(x)) + sympy.log(sympy.diff(back(x), z))
    if sympy.simplify(sympy.exp(log_density) * sympy.pi * (1 + z**2) - 1) != 0:
        return None
    inside = sympy.Poly(sympy.expand(back(g.args[0])), z)
    if inside.degree() != 2:
        return None
    c, b, a = inside.all_coeffs()
    return sympy.log(sympy.simplify(a + c + sympy.sqrt(sympy.factor(4 * a * c - b**2))))


def by_exponent(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """``E log T`` as the derivative of ``-E T^-r`` at r = 0."""
    if not isinstance(g, sympy.log) or law.record.discrete:
        return None
    r = sympy.Symbol("r", positive=True)
    moment = integral(g.args[0] ** -r, x, law)
    if moment is None:
        return None
    found = -sympy.diff(moment, r).subs(r, 0)
    return None if found.has(sympy.nan, sympy.zoo, sympy.oo) else sympy.simplify(found)


def by_integral(g: Expr, x: sympy.Symbol, law: Scalar) -> Expr | None:
    """The integral or sum of the function times the density, by SymPy."""
    return integral(g, x, law)


RULES: dict[str, Rule] = {
    "sum over its values": by_values,
    "the probability of this value": by_probability,
    "moments of the law": by_moments,
    "the score has mean 0": by_scores,
    "Euler's integral": by_euler,
    "derivative of E x^r": by_powers,
    "Poisson's integral in the half-plane": by_half_plane,
    "derivative of E T^r at r = 0, T its argument": by_exponent,
    "integral": by_integral,
}
