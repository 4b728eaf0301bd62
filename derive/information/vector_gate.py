"""Laws of vectors as numbers: sums over all values, or integrals over a grid, at small sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import scipy

from ..distributions import VectorDistribution
from ..ir.facts import with_facts
from ..ir.nodes import Tensor, size
from ..verify.sample import sample

Draws = tuple[Any, Any]
"""Values of a random vector, one in each row, and the weight of each."""
SPREAD, FINE = 9.0, 0.125
"""Of the grid for vectors of real numbers, in standard deviations."""


def points_of(record: VectorDistribution, parameters: Sequence[Any], count: int) -> Draws | None:
    """All values of a discrete law, or a grid of two entries, each with its weight under the law; None for others."""
    assert record.log_density is not None
    if record.one_hot:
        x, volume = np.eye(count), np.ones(count)
    elif record.discrete:
        most = round(
            float(
                np.max(
                    [
                        np.max(p)
                        for p, a in zip(parameters, record.parameters, strict=True)
                        if a.role == "whole"
                    ]
                )
            )
        )
        x = np.array([c for c in product(range(most + 1), repeat=count) if sum(c) == most], dtype=float)
        volume = np.ones(len(x))
    elif "simplex" in record.support and count == 2:
        t = np.arange(-600, 600, step := 0.05)
        x, volume = (
            np.stack([scipy.special.expit(t), scipy.special.expit(-t)], axis=1),
            step * scipy.special.expit(t) * scipy.special.expit(-t),
        )
    elif not record.support and record.axes == "k" and count == 2:
        law = record.reference(*parameters)
        centre, factor = np.asarray(law.mean), np.linalg.cholesky(np.asarray(law.cov))
        line = np.arange(-SPREAD, SPREAD + FINE, FINE)
        z = np.stack([a.ravel() for a in np.meshgrid(line, line)], axis=1)
        x, volume = centre + z @ factor.T, np.full(len(z), FINE**2 * abs(np.linalg.det(factor)))
    else:
        return None
    with np.errstate(divide="ignore"):
        return x, np.exp(record.log_density(x, *parameters)) * volume


def mean_of(g: Callable[[Any], Any], draws: Draws) -> float:
    """The mean of a function of one vector in each row."""
    x, weight = draws
    return float(np.sum(np.where(weight > 0, weight * g(x), 0.0)))


@cache
def is_moved_by(record: VectorDistribution) -> int | None:
    """The place of the parameter by which the law is moved, ``log p(x + c; mean + c) = log p(x; mean)``, seen at points."""
    if record.log_density is None or record.support or record.discrete:
        return None
    rng = np.random.default_rng(5)
    arrays = [_sampled(p.role, p.facts, rng) for p in record.parameters]
    x, c = rng.normal(size=2), rng.normal(size=2)
    for place, parameter in enumerate(record.parameters):
        if parameter.role == "vector" and not parameter.facts:
            moved = [a + c if k == place else a for k, a in enumerate(arrays)]
            if np.isclose(record.log_density(x + c, *moved), record.log_density(x, *arrays), rtol=1e-12):
                return place
    return None


def _sampled(role: str, facts: Sequence[str], rng: np.random.Generator) -> Any:
    shape = {"vector": (2,), "matrix": (2, 2)}.get(role, ())
    facts = ["positive definite" if f == "positive semidefinite" else f for f in facts]
    n = size("n")
    tensor = Tensor("a", (n,) * len(shape), "real", with_facts(frozenset(), *facts))
    return sample(tensor, shape, rng)
