"""Maximum likelihood for laws of arrays: which moments of the observations make the scores vanish, whatever these are.

The score of n observations is a sum, so an estimate in closed form is made of averages over them. Averages of the
observations, of their products about their mean, and what is made of these by the forms of the law are tried; an estimate is
one at which the summed scores vanish for samples drawn at random, and the likelihood falls to every side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from ..errors import DeriveError
from ..function import Function
from ..ir.nodes import Tensor
from ..verify.sample import sample
from .array_law import ArrayLaw
from .setting import Given

SAMPLES = 3
OBSERVATIONS = 24
VANISHES = 1e-8
"""The summed score beside the sum of its absolute parts."""
Known = Mapping[str, Any]


@dataclass(frozen=True)
class Moment:
    """An estimate of the shape of a parameter: its words, with the name of the mean in place of ``{m}``, and its value.

    value: (observations [n, ...], mean) -> the estimate.
    """

    words: str
    value: Callable[[Any, Any], Any]
    about_mean: bool = False


def _scatter(y: Any, m: Any) -> Any:
    u = y - m
    return np.einsum("ni,nj->ij", u, u) / len(y)


MOMENTS = (
    Moment("the average of y", lambda y, m: y.mean(axis=0)),
    Moment("avg((y − {m}) (y − {m})')", _scatter, True),
    Moment("avg((y − {m})²)", lambda y, m: np.mean((y - m) ** 2, axis=0), True),
    Moment("avg((y − {m}) (y − {m})')⁻¹", lambda y, m: np.linalg.inv(_scatter(y, m)), True),
    Moment(
        "the Cholesky factor of avg((y − {m}) (y − {m})')",
        lambda y, m: np.linalg.cholesky(_scatter(y, m)),
        True,
    ),
)
"""Averages over the observations, and what is made of them."""


@dataclass(frozen=True)
class ArrayEstimate:
    """The estimate of one parameter: its words; None where no moment makes the score vanish."""

    parameter: str
    moment: Moment | None
    divided: str = ""

    @property
    def words(self) -> str:
        assert self.moment is not None
        return self.moment.words + (f" / {self.divided}" if self.divided else "")


@dataclass(frozen=True, eq=False)
class ArrayEstimates:
    """The estimates of all free parameters of a law of arrays."""

    law: ArrayLaw

    @cached_property
    def estimates(self) -> tuple[ArrayEstimate, ...]:
        """In an order in which they can be computed: the mean before what is about it."""
        found: dict[str, ArrayEstimate] = {}
        for _ in self.law.parameters:
            for g in self.law.parameters:
                if g.name not in found or found[g.name].moment is None:
                    found[g.name] = self._estimate(g, found)
        return tuple(sorted(found.values(), key=lambda e: e.moment is None))

    def __call__(self, y: Any, **known: Any) -> dict[str, Any]:
        """The estimates from observations [n, ...].

        Raises:
            DeriveError: one has no closed form, or needs what is not given.
        """
        y, values = np.asarray(y, float), dict(known)
        for e in self.estimates:
            values[e.parameter] = self._value(e, y, values)
        return {e.parameter: values[e.parameter] for e in self.estimates}

    def _value(self, e: ArrayEstimate, y: Any, values: Known) -> Any:
        if e.moment is None:
            raise DeriveError(f"{e.parameter} has no maximum-likelihood estimate in closed form")
        found = e.moment.value(y, values.get(self.centre or ""))
        return found / values[e.divided] if e.divided else found

    @cached_property
    def centre(self) -> str | None:
        """The parameter that has the shape of an observation and no facts: a location."""
        shape = self._tensor(self.law.setting.density.variable).shape
        own = (g for g in self.law.setting.given if g.name in self.law.loss.inputs)
        return next(
            (g.name for g in own if self._tensor(g.name).shape == shape and not g.parameter.facts), None
        )

    def _estimate(self, g: Given, found: Mapping[str, ArrayEstimate]) -> ArrayEstimate:
        scores = self.law.score(g.name)
        for moment, divided in self._candidates(g):
            candidate = ArrayEstimate(g.name, moment, divided)
            try:
                if all(self._vanishes(candidate, scores, found, k) for k in range(SAMPLES)):
                    return candidate
            except (LinAlgError, ValueError, DeriveError):
                continue
        return ArrayEstimate(g.name, None)

    def _candidates(self, g: Given) -> Iterator[tuple[Moment, str]]:
        numbers = [t.name for t in self.law.loss.program.inputs if t.rank == 0 and t.name != g.name]
        for moment in MOMENTS:
            if not moment.about_mean or (self.centre and self.centre != g.name):
                yield moment, ""
        for number in numbers:
            yield MOMENTS[0], number

    def _vanishes(
        self, e: ArrayEstimate, scores: Function, found: Mapping[str, ArrayEstimate], k: int
    ) -> bool:
        """Whether the summed score is 0 at the estimate, for one sample; what else is learned is estimated where it is."""
        rng = np.random.default_rng([4, k])
        values = {t.name: self.law.drawn(t, rng) for t in self.law.loss.program.inputs}
        variable = self.law.setting.density.variable
        y = self.law.observations(values, rng, OBSERVATIONS)
        for name, other in found.items():
            if other.moment is not None and name != e.parameter:
                values[name] = self._value(other, y, values)
        estimate = self._value(e, y, values)
        if np.shape(estimate) != np.shape(values[e.parameter]):
            return False
        if "simplex" in self._tensor(e.parameter).facts and not np.isclose(np.sum(estimate), 1, rtol=1e-12):
            return False
        values[e.parameter] = estimate
        each = np.stack([np.asarray(scores(**self._of(scores, {**values, variable: one}))) for one in y])
        each = self._tangent(e.parameter, each)
        size = np.abs(each).sum(axis=0)
        if not bool(np.all(np.abs(each.sum(axis=0)) <= VANISHES * (size + size.max()))):
            return False
        return self._is_lower_around(e.parameter, values, y, rng)

    def _tangent(self, name: str, scores: Any) -> Any:
        """The part of scores along what the parameter may do: of probabilities that add up to 1 differences count."""
        if "simplex" in self._tensor(name).facts:
            return scores - scores.mean(axis=-1, keepdims=True)
        return scores

    def _is_lower_around(self, name: str, values: dict[str, Any], y: Any, rng: np.random.Generator) -> bool:
        """Whether the likelihood is smaller at points around."""

        def height(estimate: Any) -> float:
            at = {**values, name: estimate}
            variable = self.law.setting.density.variable
            loss = self.law.loss
            return float(sum(loss(**self._of(loss, {**at, variable: one})) for one in y))

        best, tensor = height(values[name]), self._tensor(name)
        for _ in range(4):
            other = sample(tensor, np.shape(values[name]), rng)
            if height(values[name] + 1e-3 * (other - values[name])) < best:
                return False
        return True

    def _tensor(self, name: str) -> Tensor:
        return self.law.tensor(name)

    def _of(self, function: Function, values: Known) -> dict[str, Any]:
        return {n: values[n] for n in function.inputs}

    @property
    def lines(self) -> list[str]:
        """One line for each parameter."""
        centre = self.centre or ""
        learned = {g.name for g in self.law.parameters}
        shown = "ȳ" if self.centre in learned else centre
        lines = []
        for e in self.estimates:
            name = e.parameter
            if e.moment is None:
                lines.append(
                    f"{name} has no closed form: no moment of the observations makes its score vanish"
                )
                continue
            words = e.words.replace("the average of y", "ȳ").format(m=shown)
            lines.append(f"{name} = {words}        there the score vanishes")
        return lines
