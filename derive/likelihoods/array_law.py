"""Laws of arrays in their own parameters: the score, and the expected information about each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from .. import api
from ..distributions import VectorDistribution
from ..errors import DeriveError
from ..function import Function
from ..information.expected import over, with_names
from ..ir.facts import Spec
from ..ir.nodes import Tensor
from ..verify.sample import sample
from .example import example_of
from .setting import Given, Setting

RANK_POINTS = 14
"""Observations, and parameters, at which log-densities are compared."""
ROUNDING, GAP = 1e-13, 1e5
"""Beyond the rank singular values are rounding, and the one before is larger by far; of other laws they fall gradually."""
CHANGE = "D"
"""A direction in which a parameter that is a matrix is changed."""


@dataclass(frozen=True)
class Information:
    """The information about one parameter, the others known.

    form: of a vector the matrix; of a matrix the quadratic form in a change D of it, ``-d^2/dt^2 log p(theta + t D)``.
    same: whether what is observed does not depend on the observation.
    """

    form: Function
    same: bool


@dataclass(frozen=True, eq=False)
class ArrayLaw:
    """A law of arrays, its parameters as they were given, each of them an input of `loss`, which is -log p."""

    setting: Setting
    loss: Function

    @property
    def parameters(self) -> tuple[Given, ...]:
        """Those that are learned or that a raw output stands for."""
        return self.setting.parts("learned")

    @cached_property
    def log_density(self) -> Function:
        specs = self._specs()
        found: Function = api.trace(with_names(lambda **a: -self._loss(a), specs), **specs)
        return found

    def score(self, name: str) -> Function:
        """The derivative of log p by a parameter."""
        found: Function = api.grad(self.log_density, name)
        return found

    def information(self, name: str) -> Information | None:
        """The mean of minus the second derivative by a parameter; None where the moments of the law do not say it."""
        record = self.setting.density.record
        if not isinstance(record, VectorDistribution) or not (record.cumulant or record.moment):
            return None
        tensor = self.tensor(name)
        kept = tensor.facts & {"symmetric", "lower triangular"}
        specs = {**self._specs(), CHANGE: Spec(tensor.shape, "real", kept)}
        product = api.hvp(self.loss, name)

        def curvature(**arrays: Any) -> Any:
            change = arrays.pop(CHANGE)
            names = {f"d{name}": change, **arrays}
            return np.sum(change * product(**{n: names[n] for n in product.inputs}))

        y = self.setting.density.variable
        try:
            found = api.simplify(api.trace(with_names(curvature, specs), **specs))
            same = not _reads(found, y)
            mean = found if same else self._mean(found, record)
            if mean is None:
                return None
            mean = _without(mean, y)
            return Information(mean if tensor.rank > 1 else self._matrix(mean), same)
        except DeriveError:
            return None

    def _mean(self, curvature: Function, record: VectorDistribution) -> Function | None:
        """The mean over what is observed, by the moments of the law."""
        y = self.setting.density.variable
        specs = {t.name: _spec(t) for t in curvature.program.inputs}

        def mean(**arrays: Any) -> Any:
            given = {
                g.name: float(g.value) if g.value is not None else arrays[g.symbol]
                for g in self.setting.given
            }
            return over(curvature(**arrays), arrays[y], record, self.setting.in_law(given))

        found: Function = api.simplify(api.trace(with_names(mean, specs), **specs))
        return None if _reads(found, y) else found

    def _matrix(self, form: Function) -> Function:
        """Of a quadratic form its matrix."""
        specs = {t.name: _spec(t) for t in form.program.inputs}
        half: Function = api.trace(with_names(lambda **a: form(**a) / 2, specs), **specs)
        found: Function = api.hessian(half, CHANGE)
        return found

    def _loss(self, arrays: Mapping[str, Any]) -> Any:
        return self.loss(*(arrays[n] for n in self.loss.inputs))

    def _specs(self) -> dict[str, Spec]:
        return {t.name: _spec(t) for t in self.loss.program.inputs}

    def tensor(self, name: str) -> Tensor:
        """The input of this name."""
        return next(t for t in self.loss.program.inputs if t.name == name)

    def drawn(self, tensor: Tensor, rng: np.random.Generator, least: int = 2) -> Any:
        """A value of an input that has its facts, sizes being `least`, and one more for each size after the first."""
        sizes = {s: least + k for k, s in enumerate(sorted(self.loss.program.sizes, key=str))}
        shape = tuple(int(sympy.S(e).subs(sizes)) for e in tensor.shape)
        given = next((g for g in self.setting.given if g.name == tensor.name), None)
        if given is not None and given.parameter.integer:
            return np.float64(rng.integers(2, 6))
        return sample(tensor, shape, rng) + (2.0 if not shape and "positive" in tensor.facts else 0.0)

    def dimension(self, least: int) -> int | None:
        """The number of statistics of an exponential family: how many functions of y log-likelihood ratios are made of.

        It is the rank of ``log p(y_i; theta_j)`` without what depends on i or on j alone, at sizes of `least`; None if it
        grows with the number of points, so that the law is no such family.
        """
        rng = np.random.default_rng(8)
        y = self.setting.density.variable
        free = {g.name for g in self.parameters}
        fixed = {t.name: self.drawn(t, rng, least) for t in self.loss.program.inputs if t.name not in free}
        columns = [
            {n: self.drawn(self.tensor(n), rng, least) for n in sorted(free)} for _ in range(RANK_POINTS)
        ]
        each = [self.observations({**fixed, **c}, rng, RANK_POINTS, least) for c in columns]
        rows = rng.permutation(np.unique(np.concatenate(each), axis=0))[:RANK_POINTS]
        values = np.array([[self._loss({**fixed, **c, y: r}) for c in columns] for r in rows], float)
        if not np.all(np.isfinite(values)):
            return None
        centred = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
        sizes = np.maximum(np.linalg.svd(centred, compute_uv=False), 1e-16 * np.abs(values).max())
        noise = ROUNDING * np.abs(values).max()
        if len(rows) < RANK_POINTS:  # finitely many values, of which every law is a family
            return int(np.sum(sizes > noise))
        rank = int(np.argmax(sizes[: RANK_POINTS - 3] / sizes[1 : RANK_POINTS - 2])) + 1
        return rank if sizes[rank] <= noise and sizes[rank - 1] > GAP * sizes[rank] else None

    def observations(
        self, values: Mapping[str, Any], rng: np.random.Generator, count: int, least: int = 2
    ) -> Any:
        """Some values that are in the support, [count, ...]; of counts those that the law itself draws."""
        record = self.setting.density.record
        if record is not None and record.discrete:
            own = [np.asarray(v, float) for v in self.setting.in_law(dict(values))]
            return np.asarray(record.reference(*own).rvs(size=count, random_state=rng), float)
        y = self.tensor(self.setting.density.variable)
        return np.stack([self.drawn(y, rng, least) for _ in range(count)])


def array_law(setting: Setting) -> ArrayLaw:
    """The law of a setting, with parameters in the place of raw outputs."""
    given = tuple(
        replace(g, part="learned", symbol=g.name, link=None, raw=()) if g.part == "raw" else g
        for g in setting.given
    )
    own = Setting(setting.density, given)
    return ArrayLaw(own, example_of(own))


def _spec(t: Tensor) -> Spec:
    return Spec(t.shape, t.kind, t.facts, t.bound)


def _without(function: Function, name: str) -> Function:
    """Without an input that is not read."""
    inputs = tuple(t for t in function.program.inputs if t.name != name)
    return replace(function, program=replace(function.program, inputs=inputs), _kernels={})


def _reads(function: Function, name: str) -> bool:
    return any(r.tensor.name == name for e in function.program.equations for r in e.reads)
