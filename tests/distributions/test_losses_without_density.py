"""Losses without a density: that there is none, or that it is the one of the reference but for what the mean does not change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import derive as dv
from derive.distributions import LossRecord, loss_records
from derive.errors import SpecError

from .laws import RANGES

RECORDS = loss_records()


def points(record: LossRecord, count: int) -> list[list[float]]:
    """Values of the parameters; those in `fixed` are the same at all."""
    rng = np.random.default_rng(0)

    def one() -> list[float]:
        while True:
            drawn = [
                rng.uniform(*RANGES[next((f for f in RANGES if f in p.facts), "")]) for p in record.parameters
            ]
            if record.requires is None or all(r > 0 for r in record.requires(*drawn)):
                return drawn

    first = one()
    found = [first]
    while len(found) < count:
        found.append(
            [
                f if p.name in record.fixed else new
                for p, f, new in zip(record.parameters, first, one(), strict=True)
            ]
        )
    return found


def loss(record: LossRecord, y: Any, parameters: list[float]) -> Any:
    return float(sympy.N(record.loss(sympy.Float(float(y)), *map(sympy.Float, parameters))))


@pytest.mark.parametrize("record", [r for r in RECORDS if r.reference is not None], ids=lambda r: r.name)
def test_differences_are_those_of_the_law(record: LossRecord) -> None:
    """What is left out of the density does not depend on what is not fixed."""
    assert record.reference is not None and record.fixed
    for other in points(record, 4)[1:]:
        first = points(record, 1)[0]
        laws = record.reference(*first), record.reference(*other)
        drawn = laws[0].rvs(12, random_state=0)
        expected = laws[0].logpdf(drawn) - laws[1].logpdf(drawn)
        found = [loss(record, y, other) - loss(record, y, first) for y in drawn]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
        if "nonnegative" in record.support:
            assert loss(record, 0, other) - loss(record, 0, first) == pytest.approx(
                float(laws[0].logpdf(0.0) - laws[1].logpdf(0.0))
            )


@pytest.mark.parametrize("record", [r for r in RECORDS if r.reference is None], ids=lambda r: r.name)
def test_there_is_no_density(record: LossRecord) -> None:
    """If h(y) exp(-loss) were one, the sums over y would be 1 at all parameters: more equations than h has values."""
    mass = np.array([[np.exp(-loss(record, y, p)) for y in record.values] for p in points(record, 12)])
    h, *_ = np.linalg.lstsq(mass, np.ones(len(mass)), rcond=None)
    assert np.abs(mass @ h - 1).max() > 1e-3
    logistic = np.array([[p, 1 - p] for p in np.linspace(0.1, 0.9, 12)])
    assert np.abs(logistic @ np.linalg.lstsq(logistic, np.ones(12), rcond=None)[0] - 1).max() < 1e-12


@pytest.mark.parametrize("record", [r for r in RECORDS if r.bound is not None], ids=lambda r: r.name)
def test_bound(record: LossRecord) -> None:
    assert record.bound is not None
    for parameters in points(record, 20):
        for y in record.values:
            below = float(sympy.N(record.bound(sympy.Float(y), *map(sympy.Float, parameters))))
            assert loss(record, y, parameters) >= below - 1e-12
    assert record.statement and record.source


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_likelihood_says_what_stands_behind_the_loss(record: LossRecord) -> None:
    derived = dv.likelihood(record.name)
    page = " ".join(str(derived).split())
    assert record.statement in page and "score" not in page and derived.fisher is None
    for name in record.fixed:
        with pytest.raises(SpecError, match=f"{name} of the {record.name} loss cannot be learned"):
            dv.likelihood(record.name, **{name: "learned"})
