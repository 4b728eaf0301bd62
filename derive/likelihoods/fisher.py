"""The score, and observed and expected Fisher information, in the parametrisation in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy import Add, Expr, S

from ..errors import DomainError
from ..ir.nodes import Read
from ..ops.elementwise.piecewise import Absolute, Sign
from .expectation import Expectation
from .expected_at import expected_at
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

    @property
    def inputs(self) -> set[Read]:
        """What the expected information depends on."""
        return set().union(*(value.atoms(Read) for value in self._values.values()))

    @property
    def regular(self) -> bool:
        """Whether the support stays where it is; where it moves the score has not mean 0, and there is no information."""
        return not _moving_support(self.law, self._used)

    @property
    def expected(self) -> Matrix | None:
        """The mean of what is observed, by the chain rule from that about the law's own parameters: ``J' I J``.

        None where an entry has no closed form that is found, or where the support depends on the parameters and there is no
        information.
        """
        rows = tuple(tuple(e for e in row if e is not None) for row in self.entries)
        return rows if all(len(row) == len(self.reads) for row in rows) else None

    @cached_property
    def entries(self) -> tuple[tuple[Expr | None, ...], ...]:
        """The same entry by entry; None for each that has no closed form."""
        mean = Expectation(self.law) if self.regular else None
        means: dict[tuple[Read, Read], Expr | None] = {}

        def of_own(a: Read, b: Read) -> Expr | None:
            if (a, b) not in means:
                found = None if mean is None else mean(self._information_of(a, b))
                means[a, b] = means[b, a] = None if found is None else found.xreplace(self._values)
            return means[a, b]

        def entry(j: int, k: int) -> Any:
            parts = [(w, of_own(a, b)) for a, b, w in self._weights(j, k)]
            return None if any(m is None for _, m in parts) else Add(*(w * m for w, m in parts))

        return self._symmetric(entry)

    def integrands(self, j: int, k: int) -> Expr:
        """What has the mean that is the entry."""
        return Add(*(w * self._information_of(a, b).xreplace(self._values) for a, b, w in self._weights(j, k)))

    def expected_at(self, **values: float) -> Any:
        """The expected information at values of what it depends on, by quadrature or summation: [k, k], as `names`.

        Raises:
            DomainError: a value is missing or outside of its domain, or there is no information.
            UnknownName: the information depends on nothing that is called so.

        Example:
            >>> import derive as dv
            >>> dv.likelihood("negative binomial").information.expected_at(z=0.0, dispersion=0.5).round(3).tolist()
            [[0.667, 0.0], [0.0, 0.168]]
        """
        if not self.regular:
            raise DomainError("the support depends on the parameters: there is no Fisher information")
        return expected_at(self.law, self._information_of, self._weights, len(self.reads), values)

    @property
    def _values(self) -> dict[Expr, Expr]:
        """The law's own parameters in what the information is about."""
        return {p: self.law.in_raw(p) for p in self.law.own.values()}

    @property
    def _used(self) -> list[Read]:
        return [p for p, value in self._values.items() if any(value.diff(r) != 0 for r in self.reads)]

    def _weights(self, j: int, k: int) -> list[tuple[Read, Read, Expr]]:
        """The pairs of own parameters that an entry is made of, each with its factor."""
        r, s, values = self.reads[j], self.reads[k], self._values
        pairs = ((a, b, values[a].diff(r) * values[b].diff(s)) for a in self._used for b in self._used)
        return [(a, b, weight) for a, b, weight in pairs if weight != 0]

    def _information_of(self, a: Read, b: Read) -> Expr:
        """What has the mean that is the information about two of the law's own parameters."""
        log_density = self.law.log_density
        return (
            log_density.diff(a) * log_density.diff(b) if _kinked(self.law, a, b) else -log_density.diff(a).diff(b)
        )

    def _symmetric(self, entry: Callable[[int, int], Any]) -> Any:
        count = range(len(self.reads))
        found = {(j, k): entry(j, k) for k in count for j in range(k + 1)}
        upper = {place: None if e is None else shorter(S(e)) for place, e in found.items()}
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
