"""The mode of a posterior in closed form: of one parameter that all observations have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sympy
from sympy import Add, Expr

from ..information.family import terms_of
from ..information.limited import MILLION, limited
from ..ir.callables import callable_of
from .priors import Penalty
from .wall import letter, wall

if TYPE_CHECKING:
    from .loss import Loss

CALLS = 6 * MILLION
"""For one equation."""
DRAWS = 40


@dataclass(frozen=True)
class Estimate:
    """A mode.

    name: of the parameter; value: in the sums over the observations, their number n, and the prior's parameters.
    sums: for each symbol in `value` what it is the sum of.
    lines: the equation and its solution, as they are written.
    """

    name: str
    value: Expr
    sums: dict[sympy.Symbol, Expr]
    lines: tuple[str, ...]

    def __call__(self, y: object, **values: float) -> float:
        """The estimate from observations and values of the prior's parameters."""
        data = np.asarray(y, dtype=float)
        known = {s: float(np.sum(_at(t, data))) for s, t in self.sums.items()} | {N: data.size}
        known |= {s: values[s.name] for s in self.value.free_symbols if s.name in values}
        return float(self.value.subs(known))


N = sympy.Symbol("n", positive=True)
Y = sympy.Symbol("y", real=True)


def _at(statistic: Expr, y: np.ndarray) -> np.ndarray:
    return np.broadcast_to(callable_of(statistic, (Y,))(y), y.shape)


def estimate(loss: Loss, penalties: Sequence[Penalty]) -> Estimate | None:
    """The mode of the one parameter that is learned, where its equation is solved by what is seen to be a minimum."""
    law = loss.law
    if law is None or len(penalties) != 1 or set(law.free) != {penalties[0].name} or law.record is None:
        return None
    (p,) = penalties
    theta = p.symbol
    symbols = {
        r: theta if r == law.free[p.name] else sympy.Symbol(r.tensor.name, positive=True)
        for r in law.free.values()
    }
    others = {
        r: sympy.Symbol(r.tensor.name, positive=True)
        for r in law.model.atoms(type(law.y))
        if r not in symbols and r != law.y
    }
    model = law.model.xreplace({**symbols, **others, law.y: Y})
    sums: dict[sympy.Symbol, Expr] = {}
    total = p.kept
    for factor, statistic in terms_of(-model, Y):
        if statistic == 1:
            total += N * factor
        elif factor.has(theta):
            s = sympy.Symbol("s" if statistic == Y else f"s_{len(sums) + 1}", real=True)
            sums[s] = statistic
            total += factor * s
    slope = sympy.together(sympy.diff(total, theta))
    solutions = limited(lambda: sympy.solve(sympy.numer(slope), theta), CALLS)
    for value in solutions or ():
        value = sympy.simplify(value)
        if _is_minimum(total, theta, value, sums, loss, p):
            return Estimate(p.name, value, sums, tuple(_lines(total, theta, value, sums)))
    return None


def _is_minimum(
    total: Expr, theta: sympy.Symbol, value: Expr, sums: dict[sympy.Symbol, Expr], loss: Loss, p: Penalty
) -> bool:
    """Whether it is one at some observations that the law itself drew: no point near it is lower."""
    law = loss.law
    assert law is not None and law.record is not None
    rng = np.random.default_rng(4)
    low, high = p.prior.scalar.bounds
    for _ in range(3):
        given = {g.name: float(rng.uniform(0.3, 0.7)) for g in loss.setting.given if g.part != "number"}
        given |= {g.name: float(g.value) for g in loss.setting.given if g.value is not None}
        y = law.record.reference(*(float(v) for v in loss.setting.in_law(given))).rvs(DRAWS, random_state=rng)
        known = {s: float(np.sum(_at(t, np.asarray(y, dtype=float)))) for s, t in sums.items()} | {N: DRAWS}
        rest = sorted((total.free_symbols | value.free_symbols) - set(known) - {theta}, key=str)
        known |= {s: given.get(s.name, float(rng.uniform(2.0, 3.0))) for s in rest}
        best = value.subs(known)
        if not best.is_real or not (low < best < high):
            return False
        at = callable_of(total.subs(known), (theta,))
        step = 1e-3 * min([1.0, *(abs(float(best - e)) for e in (low, high) if e.is_finite)])
        if not at(float(best)) <= min(at(float(best) - step), at(float(best) + step)):
            return False
    return True


def _lines(total: Expr, theta: sympy.Symbol, value: Expr, sums: dict[sympy.Symbol, Expr]) -> list[str]:
    words = ", ".join(f"{letter(s.name)} = Σ {wall(t)}" for s, t in sums.items())
    return [
        f"J = {wall(Add(*sympy.Add.make_args(total)))}        {words}",
        f"dJ/d{letter(theta.name)} = {wall(sympy.diff(total, theta))} = 0",
        f"{letter(theta.name)}\u0302 = {wall(value)}",
    ]
