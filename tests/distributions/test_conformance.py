"""Every law of numbers against quadrature, against SciPy, and against itself; nothing here knows any one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from derive.distributions import Distribution
from derive.errors import NoClosedForm
from derive.moments.cumulants import cumulant
from derive.moments.entry import raw_moment

from .laws import (
    LAWS,
    cases,
    ends,
    expect,
    information,
    log_density,
    point,
    rule,
    score,
    switches,
    symbols,
    values,
)

CASES = list(cases())
IDS = [f"{law.name}-{seed}" for law, seed in CASES]


@pytest.mark.parametrize(("law", "seed"), CASES, ids=IDS)
def test_density_adds_up_to_one_and_is_that_of_scipy(law: Distribution, seed: int) -> None:
    parameters = point(law, seed)
    (mass,) = expect(law, parameters)
    assert mass == pytest.approx(1, rel=1e-9)
    x, _ = rule(law, parameters)
    x = x[:: max(len(x) // 97, 1)]
    x = x[np.abs(x) < 30]
    reference = law.reference(*parameters)
    expected = (reference.logpmf if law.discrete else reference.logpdf)(x)
    np.testing.assert_allclose(
        values(law, (log_density(law),), x, parameters)[0], expected, rtol=1e-9, atol=1e-11
    )
    assert law.source


@pytest.mark.parametrize(("law", "seed"), CASES, ids=IDS)
def test_score_has_mean_zero_but_for_the_flow_over_ends_that_move(law: Distribution, seed: int) -> None:
    parameters = point(law, seed)
    _, *means = expect(law, parameters, *score(law))
    real = [k for k, p in enumerate(law.parameters) if not p.integer]
    np.testing.assert_allclose([means[k] for k in real], [-flow(law, parameters)[k] for k in real], atol=1e-7)


def flow(law: Distribution, parameters: tuple[float, ...]) -> list[float]:
    """The density at each end times how fast it moves with each parameter."""
    moving = [sympy.Symbol(p.name, real=True) for p in law.parameters]
    bounds = law.bounds(*moving) if law.bounds and not law.discrete else (-sympy.oo, sympy.oo)
    found = [0.0] * len(parameters)
    for sign, bound, at in zip((-1, 1), bounds, ends(law, parameters), strict=True):
        for k, p in enumerate(moving):
            if speed := float(sympy.diff(bound, p).subs(dict(zip(moving, parameters, strict=True)))):
                density = np.exp(values(law, (log_density(law),), np.array([at]), parameters)[0])
                found[k] += sign * speed * float(density[0])
    return found


@pytest.mark.parametrize(("law", "seed"), CASES, ids=IDS)
def test_fisher_information_is_the_variance_of_the_score_and_the_mean_of_minus_the_hessian(
    law: Distribution, seed: int
) -> None:
    parameters = point(law, seed)
    if switches(law) or any(p.integer for p in law.parameters):
        return
    n = len(parameters)
    products = [a * b for a in score(law) for b in score(law)]
    curvatures = [e for row in information(law) for e in row]
    _, *means = expect(law, parameters, *score(law), *products, *curvatures)
    if any(flow(law, parameters)):
        pytest.skip("the support moves with the parameters: there is no such identity")
    variance, curvature = np.array(means[n : n + n * n]), np.array(means[n + n * n :])
    np.testing.assert_allclose(variance, curvature, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("law", "seed"),
    [c for c in CASES if c[0].cdf],
    ids=[i for i, c in zip(IDS, CASES, strict=True) if c[0].cdf],
)
def test_distribution_function_has_the_density_for_its_slope(law: Distribution, seed: int) -> None:
    parameters, s = point(law, seed), symbols(law)
    assert law.cdf is not None
    body = law.cdf(s.x, *s.parameters)
    slope = body - body.xreplace({s.x: s.x - 1}) if law.discrete else body.diff(s.x)
    x = law.reference(*parameters).ppf(np.linspace(0.01, 0.99, 24))
    log_p, found, below = values(law, (log_density(law), slope, body), x, parameters)
    np.testing.assert_allclose(found, np.exp(log_p), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(below, law.reference(*parameters).cdf(x), rtol=1e-8)


@pytest.mark.parametrize(("law", "seed"), CASES, ids=IDS)
def test_cumulants_are_those_of_the_density(law: Distribution, seed: int) -> None:
    parameters = point(law, seed)
    exact = list(map(sympy.Rational, parameters))
    try:
        mean, variance, third = (float(cumulant(law, k, exact)) for k in (1, 2, 3))
    except NoClosedForm:
        assert law.cumulant is None and (law.power is None or law.power_exists is not None)
        return
    x = symbols(law).x
    _, one, two, three = expect(
        law, parameters, x, (x - sympy.Float(mean)) ** 2, (x - sympy.Float(mean)) ** 3
    )
    np.testing.assert_allclose([one, two, three], [mean, variance, third], rtol=1e-6, atol=1e-8)
    assert float(raw_moment(2, law, exact)) == pytest.approx(variance + mean**2)


@pytest.mark.parametrize("law", LAWS, ids=lambda d: d.name)
def test_draws_have_the_declared_facts_and_lie_between_the_ends(law: Distribution) -> None:
    parameters = point(law, 0)
    drawn = np.asarray(law.reference(*parameters).ppf(np.linspace(0.01, 0.99, 24)))
    low, high = ends(law, parameters)
    assert (drawn >= low).all() and (drawn <= high).all()
    assert not law.discrete or (drawn == np.round(drawn)).all()
    facts = set(law.support)
    assert "positive" not in facts or (drawn > 0).all()
    assert (
        facts & {"positive", "nonnegative", "probability", "binary"}
        or low < 0
        or law.bounds(*symbols_of(law)) != (0, sympy.oo)
    )


def symbols_of(law: Distribution) -> list[Any]:
    return [sympy.Symbol(p.name, positive=True) for p in law.parameters]


@pytest.mark.parametrize("law", [d for d in LAWS if d.forms], ids=lambda d: d.name)
def test_forms_give_the_parameters_of_the_law(law: Distribution) -> None:
    """In another form the density still adds up to 1, and the forms of one law agree where they can be turned around."""
    for name, form in law.forms.items():
        assert form.of in {p.name for p in law.parameters}, name
