"""Maximum-likelihood estimates in closed form: the score equations of n observations, solved parameter by parameter.

The log-likelihood is a sum over the observations, so a score equation is one between averages: each term is something in the
parameter times the average of something that does not have it. Where that can be solved it is solved; the others' estimates
are put in; the second derivative is looked at there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Add, Expr, Mul, S
from sympy.core.relational import Relational

from ..errors import DomainError
from ..ir.nodes import Bracket, Read
from ..ops.elementwise import op_of_head
from ..ops.elementwise.piecewise import Sign
from .expectation import almost_surely
from .law import Law
from .logarithms import in_terms
from .textbook import textbook


class Average(sympy.Function):
    """The average of a statistic over the observations; of one that is never negative it is positive almost surely."""

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        number, rest = x.as_coeff_Mul()
        if rest == 1 or isinstance(x, Add):
            return Add(*map(cls, x.args)) if isinstance(x, Add) else x
        return None if number == 1 else number * cls(rest)

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_nonnegative and not self.args[0].is_zero else None

    def _eval_is_nonnegative(self) -> bool | None:
        return self.args[0].is_nonnegative


class Median(sympy.Function):
    """The median of the observations."""

    nargs = 1
    is_real = True


class Smallest(sympy.Function):
    """The smallest observation."""

    nargs = 1
    is_real = True


class Largest(sympy.Function):
    """The largest observation."""

    nargs = 1
    is_real = True


RELATIONS: dict[type, Any] = {
    sympy.Eq: np.equal, sympy.Ne: np.not_equal, sympy.Lt: np.less, sympy.Le: np.less_equal, sympy.Gt: np.greater,
    sympy.Ge: np.greater_equal,
}  # fmt: skip
REDUCTIONS: dict[type, Any] = {Average: np.mean, Median: np.median, Smallest: np.min, Largest: np.max}


@dataclass(frozen=True)
class Estimate:
    """The maximum-likelihood estimate of one parameter.

    value: in averages of statistics and, for those that have no closed form, in other parameters; None if there is none.
    equation: the score equation, in averages: what must be 0.
    second: the second derivative of the average log-likelihood there, which is negative; None where there is none.
    reason: what shows that it is a maximum where the second derivative does not, or why there is no value.
    """

    parameter: Read
    value: Expr | None
    equation: Expr
    second: Expr | None = None
    reason: str = ""


@dataclass(frozen=True)
class Estimates:
    """The estimates of all parameters, in an order in which they can be computed."""

    law: Law
    estimates: tuple[Estimate, ...]

    def __getitem__(self, name: str) -> Estimate:
        return next(e for e in self.estimates if e.parameter.tensor.name == name)

    @property
    def closed(self) -> bool:
        """Whether every parameter has one in closed form."""
        known: set[Expr] = set()
        for e in self.estimates:
            if e.value is None or _others(e, self.law) - known:
                return False
            known.add(e.parameter)
        return True

    def __call__(self, y: Any, **known: float) -> dict[str, float]:
        """The estimates from observations.

        Raises:
            DomainError: a parameter has no estimate in closed form.
        """
        observed = np.asarray(y, float)
        values: dict[Expr, Any] = {v: known[n] for n, v in self.law.given.items() if n in known}
        found = {}
        for e in self.estimates:
            if e.value is None or any(p not in values for p in _others(e, self.law)):
                raise DomainError(
                    f"{e.parameter} has no maximum-likelihood estimate in closed form; try: loss.fit"
                )
            found[str(e.parameter)] = values[e.parameter] = float(
                _number(e.value, self.law.y, observed, values)
            )
        return found


def estimates(law: Law) -> Estimates:
    """The estimates of the free parameters of a law, all observations having the same."""
    waiting = [_estimate(law, parameter) for parameter in law.free.values()]
    done: list[Estimate] = []
    while ready := [
        e for e in waiting if e.value is not None and _others(e, law) <= {d.parameter for d in done}
    ]:
        done += ready
        waiting = [e for e in waiting if e not in ready]
    return Estimates(law, (*done, *waiting))


def _others(e: Estimate, law: Law) -> set[Read]:
    value = e.equation if e.value is None else e.value
    return {p for p in law.free.values() if p != e.parameter and value.has(p)}


def _estimate(law: Law, parameter: Read) -> Estimate:
    """One parameter, the others given."""
    score = law.model.diff(parameter)
    if (edge := _edge(law, parameter, score)) is not None:
        return edge
    if (middle := _middle(law, parameter, score)) is not None:
        return middle
    equation = averaged(score, law, parameter)
    value = _solution(equation, parameter) if equation is not None else None
    shown = textbook(equation) if equation is not None else Average(textbook(score), evaluate=False)
    if value is None or equation is None:
        return Estimate(parameter, None, shown, reason="no solution in closed form was found")
    second = textbook(equation.diff(parameter).subs(parameter, value))
    if second.is_negative is not True and not _negative_at_numbers(second, law):
        return Estimate(parameter, None, shown, second, "the second derivative there is not negative")
    return Estimate(parameter, value, shown, second)


def averaged(expr: Expr, law: Law, parameter: Read) -> Expr | None:
    """The average over the observations: statistics, which do not have the parameter, inside; None where they do."""
    found = S.Zero
    expr = in_terms(almost_surely(expr, law))
    apart = sympy.expand(expr, log=False, power_base=False, power_exp=False)
    for whole in (
        expr,
        apart,
        sympy.expand(sympy.expand_power_base(apart, force=True), log=False, power_exp=False),
    ):
        found = S.Zero
        for term in Add.make_args(whole):
            factors = Mul.make_args(term)
            statistic = Mul(*(f for f in factors if f.has(law.y)))
            if statistic.has(parameter):
                break
            found += Mul(*(f for f in factors if not f.has(law.y))) * (
                S.One if statistic == 1 else Average(statistic)
            )
        else:
            return found
    return None


def _solution(equation: Expr, parameter: Read) -> Expr | None:
    unknown = sympy.Dummy(str(parameter), real=True, positive=parameter.is_positive)
    averages = {
        a: sympy.Dummy("m", real=True, positive=a.is_positive or a.is_nonnegative or None)
        for a in equation.atoms(Average)
    }
    others = {
        r: sympy.Dummy(str(r), real=True, positive=r.is_positive)
        for r in equation.atoms(Read)
        if r != parameter
    }
    known = {**averages, **others}
    try:
        found = sympy.solve(equation.xreplace(known).xreplace({parameter: unknown}), unknown)
    except (NotImplementedError, ValueError, TypeError):
        return None
    back = {d: e for e, d in known.items()}
    values = [v for v in found if not v.has(sympy.LambertW)]
    return textbook(values[0].xreplace(back)) if len(values) == 1 else None


def _negative_at_numbers(second: Expr, law: Law) -> bool:
    """Whether an expression is negative at samples of the law, where its sign does not follow from signs of its parts."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        values: dict[Expr, Any] = {p: _sample(p, rng) for p in law.given.values() if isinstance(p, Read)}
        if law.record is None:
            y = rng.gamma(2.0, size=20) if law.density.facts else rng.normal(size=20)
        else:
            own = [float(law.in_given(p).xreplace(values)) for p in law.own.values()]
            y = law.record.reference(*own).rvs(size=200, random_state=rng)
        if not _number(second, law.y, y, values) < 0:
            return False
    return True


def _sample(parameter: Read, rng: np.random.Generator) -> float:
    facts = parameter.tensor.facts
    if parameter.is_integer:
        return float(rng.integers(2, 9))
    if "probability" in facts:
        return float(rng.uniform(0.2, 0.8))
    return float(rng.uniform(0.5, 2.5)) if "positive" in facts else float(rng.normal())


def _middle(law: Law, parameter: Read, score: Expr) -> Estimate | None:
    """A score that is a positive factor times sign(y - parameter) vanishes where as many observations are above as below."""
    for sign in almost_surely(score, law).atoms(Sign):
        rest = sympy.simplify(almost_surely(score, law) / sign)
        place = sympy.solve(sign.args[0], parameter)
        if not rest.has(law.y) and rest.is_nonzero is not False and place == [law.y]:
            return Estimate(
                parameter,
                Median(law.y),
                textbook(score),
                reason="as many observations above as below: there the score changes its sign",
            )
    return None


def _edge(law: Law, parameter: Read, score: Expr) -> Estimate | None:
    """A parameter that is an end of the support, and that the likelihood grows with, as far as the observations let it."""
    if law.density.bounds is None or score.has(law.y):
        return None
    low, high = (law.in_given(b) for b in law.density.bounds(*law.own.values()))
    for end, extreme in ((low, Smallest), (high, Largest)):
        if end == parameter:
            return Estimate(
                parameter,
                extreme(law.y),
                textbook(score),
                reason="the likelihood grows as the support shrinks onto the observations",
            )
    return None


def _number(expr: Expr, y: Read, observed: Any, values: dict[Expr, Any]) -> Any:
    """An expression of averages at observations."""
    if expr == y:
        return observed
    if expr in values:
        return values[expr]
    if type(expr) in REDUCTIONS:
        return REDUCTIONS[type(expr)](_number(expr.args[0], y, observed, values))
    if expr.is_number:
        return float(expr)
    if isinstance(expr, Bracket):
        return _number(expr.args[0], y, observed, values)
    args = [np.asarray(_number(a, y, observed, values), float) for a in expr.args]
    match expr:
        case Add():
            return sum(args[1:], args[0])
        case Mul():
            return np.prod(np.broadcast_arrays(*args), axis=0)
        case sympy.Pow():
            return args[0] ** args[1]
        case Relational():
            return RELATIONS[expr.func](*args).astype(float)
    op = op_of_head(expr.func)
    if op is None or op.value is None:
        raise DomainError(f"{expr.func.__name__} has no value here")
    return op.value(*args)


__all__ = ["Average", "Estimate", "Estimates", "Median", "averaged", "estimates"]
