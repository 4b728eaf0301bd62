"""The score, and observed and expected Fisher information, in the parametrisation in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, S

from ..ir.nodes import Read
from ..ops.elementwise.piecewise import Absolute, Sign
from .expectation import Expectation
from .law import Law
from .textbook import shorter, textbook

Matrix = tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True)
class Information:
    """Fisher information of one observation.

    law: with its parameters in `reads` (`Law.in_raw`); names: of these, which are the parametrisation: raw outputs and
    learned parameters, or the parameters themselves. loss: minus the log-density in `reads`, up to a constant.
    """

    law: Law
    names: tuple[str, ...]
    reads: tuple[Expr, ...]
    loss: Expr

    @cached_property
    def score(self) -> tuple[Expr, ...]:
        """The derivatives of the log-density."""
        return tuple(shorter(-self.loss.diff(r)) for r in self.reads)

    @cached_property
    def observed(self) -> Matrix:
        """Minus the second derivatives of the log-density."""
        return self._symmetric(lambda j, k: self.loss.diff(self.reads[j]).diff(self.reads[k]))

    @property
    def kinks(self) -> bool:
        """Whether the log-density has kinks, which second derivatives do not see: then the variance of the score counts."""
        return bool(self.loss.has(Absolute, Sign))

    @cached_property
    def expected(self) -> Matrix | None:
        """The mean of what is observed, by the chain rule from that about the law's own parameters: ``J' I J``.

        None where no closed form is found, or where the support depends on the parameters and there is none.
        """
        law = self.law
        values = {p: law.in_raw(p) for p in law.own.values()}
        slopes = {(p, r): value.diff(r) for p, value in values.items() for r in self.reads}
        used = [p for p in values if any(slopes[p, r] != 0 for r in self.reads)]
        if _moving_support(law, used):
            return None
        mean = Expectation(law)
        of_own = {}
        for a in used:
            for b in used[: used.index(a) + 1]:
                first, second = law.log_density.diff(a), law.log_density.diff(b)
                found = mean(first * second if _kinked(law, a, b) else -first.diff(b))
                if found is None:
                    return None
                of_own[a, b] = of_own[b, a] = found.xreplace(values)

        def entry(j: int, k: int) -> Any:
            r, s = self.reads[j], self.reads[k]
            return sum(of_own[a, b] * slopes[a, r] * slopes[b, s] for a in used for b in used)

        return self._symmetric(entry)

    def _symmetric(self, entry: Callable[[int, int], Any]) -> Matrix:
        count = range(len(self.reads))
        upper = {(j, k): shorter(S(entry(j, k))) for k in count for j in range(k + 1)}
        return tuple(tuple(upper[min(j, k), max(j, k)] for k in count) for j in count)


def _kinked(law: Law, a: Read, b: Read) -> bool:
    """Whether the log-density has a kink that moves with both parameters: its second derivative there is no function."""
    return any(k.has(a) and k.has(b) for k in law.log_density.atoms(Absolute, Sign))


def _moving_support(law: Law, used: list[Read]) -> bool:
    """Whether the support depends on these parameters: then the score has not mean 0, and there is no information."""
    if law.density.bounds is None:
        return False
    low, high = law.density.bounds(*law.own.values())
    if not any(b.has(p) for b in (low, high) for p in used):
        return False
    width = sympy.expand(high - low)
    turned = law.log_density.xreplace({law.y: law.y + width})
    circular = width.is_number and textbook(turned - law.log_density) == 0
    return not circular
