"""Every law of arrays against SciPy and against itself; nothing here knows any one of them."""

from __future__ import annotations

import numpy as np
import pytest

from derive.distributions import VectorDistribution

from .arrays import ARRAYS, loss_of, observed, parameters, raw_outputs, whole

DRAWS = 4000
DEVIATIONS = 5
"""Means of draws may be off by as many standard deviations."""


@pytest.mark.parametrize("law", ARRAYS, ids=lambda d: d.name)
def test_density_is_that_of_scipy(law: VectorDistribution) -> None:
    for seed in range(2):
        own = parameters(law, seed)
        minus_log, reference = whole(law, [*own]), law.reference(*own.values())
        log_density = reference.logpmf if hasattr(reference, "logpmf") else reference.logpdf
        for y in observed(law, own, 5):
            expected = float(np.ravel(log_density(y))[0])
            assert -float(minus_log(**raw_outputs(own), y=y)) == pytest.approx(expected, rel=1e-9, abs=1e-10)
    assert law.source


@pytest.mark.parametrize("law", ARRAYS, ids=lambda d: d.name)
def test_score_has_mean_zero_over_draws(law: VectorDistribution) -> None:
    """What constrains a parameter (a simplex, symmetry) holds to first order along directions that keep it."""
    own = parameters(law)
    loss = loss_of(law, [p.name for p in law.parameters if not p.integer])
    free = {n: v for n, v in own.items() if n in {g.name for g in loss.setting.raws}}
    known = {n: v for n, v in own.items() if n not in free}
    y = observed(law, own, DRAWS)
    repeated = {
        n: np.repeat(v[None], DRAWS, axis=0)
        for n, v in raw_outputs({n: np.asarray(v) for n, v in free.items()}).items()
    }
    found = loss.gradient(**repeated, y=y, **known)
    for slope, parameter in zip(
        found if isinstance(found, tuple) else (found,), loss.setting.raws, strict=True
    ):
        flat = np.asarray(slope).reshape(DRAWS, -1)
        if "simplex" in parameter.parameter.facts:
            flat = flat - flat.mean(axis=1, keepdims=True)
        spread = flat.std(axis=0) / np.sqrt(DRAWS) + 1e-12
        assert (np.abs(flat.mean(axis=0)) < DEVIATIONS * spread).all(), parameter.name
