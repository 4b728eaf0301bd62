"""The score, and observed and expected Fisher information, in the parametrisation in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Expr, S

from ..ir.nodes import Read
from ..ops.elementwise.piecewise import Absolute, Sign
from .expectation import Expectation
from .law import Law
from .textbook import shorter

Matrix = tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True)
class Information:
    """Fisher information of one observation.

    names: the parametrisation: raw outputs and learned parameters.
    score: the derivatives of the log-density.
    observed: minus its second derivatives; expected: their mean, None where no closed form is found.
    by: "second derivatives", or "the variance of the score" where the log-density has kinks.
    """

    names: tuple[str, ...]
    score: tuple[Expr, ...]
    observed: Matrix
    expected: Matrix | None
    by: str


def information(law: Law, names: tuple[str, ...], reads: tuple[Expr, ...], loss: Expr) -> Information:
    """The information about `reads`, which the parameters of the law are written in (`Law.in_raw`).

    Args:
        loss: minus the log-density in these, up to a constant.
    """
    model = -loss
    score = tuple(shorter(model.diff(r)) for r in reads)
    observed = _symmetric(reads, lambda j, k: loss.diff(reads[j]).diff(reads[k]))
    kinks = model.has(Absolute, Sign)
    by = "the variance of the score" if kinks else "second derivatives"
    return Information(names, score, observed, _expected(law, reads, kinks), by)


def _expected(law: Law, reads: tuple[Expr, ...], kinks: bool) -> Matrix | None:
    """By the chain rule from the information about the law's own parameters: ``J' I J``, J = dparameters/dreads."""
    own = list(law.own.values())
    values = {p: law.in_raw(p) for p in own}
    slopes = {(p, r): values[p].diff(r) for p in own for r in reads}
    used = [p for p in own if any(slopes[p, r] != 0 for r in reads)]
    if _moving_support(law, used):
        return None
    mean = Expectation(law)
    of_own = {}
    for a in used:
        for b in used[: used.index(a) + 1]:
            first, second = law.log_density.diff(a), law.log_density.diff(b)
            found = mean(first * second if kinks else -first.diff(b))
            if found is None:
                return None
            of_own[a, b] = of_own[b, a] = found.xreplace(values)
    return _symmetric(
        reads,
        lambda j, k: sum(
            of_own[a, b] * slopes[a, reads[j]] * slopes[b, reads[k]] for a in used for b in used
        ),
    )


def _moving_support(law: Law, used: list[Read]) -> bool:
    """Whether the support depends on these parameters: then the score has not mean 0, and there is no information."""
    bounds = law.density.bounds
    return bounds is not None and any(b.has(p) for b in bounds(*law.own.values()) for p in used)


def _symmetric(reads: tuple[Expr, ...], entry: Callable[[int, int], Any]) -> Matrix:
    upper = {(j, k): shorter(S(entry(j, k))) for k in range(len(reads)) for j in range(k + 1)}
    return tuple(tuple(upper[min(j, k), max(j, k)] for k in range(len(reads))) for j in range(len(reads)))
