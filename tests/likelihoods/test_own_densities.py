"""Densities of one's own: read in any form, checked to be densities, with their domains found; and observations checked."""

import numpy as np
import pytest
import sympy
from scipy import special, stats

import derive as dv

Y, MU, B = sympy.symbols("y mu b")


def student(x, place, nu):
    top = special.gamma((nu + 1) / 2) / special.gamma(nu / 2)
    return top / np.sqrt(np.pi * nu) * (1 + (x - place) ** 2 / nu) ** (-(nu + 1) / 2)


@pytest.mark.parametrize(
    ("density", "facts", "whole", "parameters", "link", "law", "y"),
    [
        ("exp(-abs(y-mu)/b)/(2*b)", (), False, {"mu": (), "b": ("positive",)}, "identity",
         lambda z, b: stats.laplace(z, b), [-1.0, 0.3, 2.0]),
        ("rate^y*exp(-rate)/gamma(y+1)", ("nonnegative",), True, {"rate": ("positive",)}, "log",
         lambda z: stats.poisson(np.exp(z)), [0.0, 3.0, 5.0]),
        ("p^y*(1-p)^(1-y)", ("binary",), True, {"p": ("probability",)}, "logit",
         lambda z: stats.bernoulli(special.expit(z)), [0.0, 1.0, 1.0]),
        ("a*y^(a-1)", ("probability",), False, {"a": ("positive",)}, "log",
         lambda z: stats.beta(np.exp(z), 1), [0.1, 0.5, 0.9]),
        (sympy.exp(-((Y - MU) ** 2) / (2 * B**2)) / sympy.sqrt(2 * sympy.pi * B**2), (), False, None, "identity",
         lambda z, b: stats.norm(z, b), [-1.0, 0.3, 2.0]),
        (student, (), False, {"place": (), "nu": ("positive",)}, "identity",
         lambda z, nu: stats.t(nu, z), [-1.0, 0.3, 2.0]),
    ],
)  # fmt: skip
def test_domains_are_found(density, facts, whole, parameters, link, law, y):
    loss = dv.likelihood(density)
    found = loss.setting.density
    assert (found.facts, found.whole) == (facts, whole)
    assert parameters is None or {p.name: p.facts for p in found.parameters} == parameters
    assert loss.setting.raws[0].link.name == link
    z, others, y = np.array([0.25, -0.5, 1.0]), (1.5,) * len(loss.learned), np.array(y)
    frozen = law(z, *others)
    log = frozen.logpmf(y) if whole else frozen.logpdf(y)
    np.testing.assert_allclose(loss.function(z, y, *others) + loss.constant(y), -log, rtol=1e-9)


@pytest.mark.parametrize(
    ("density", "given", "message"),
    [
        (
            "exp(-abs(y-mu)/b)/(4*b)",
            {},
            "integrates to 0.5 over the real line at mu = 0.5, b = 0.25, and must give 1",
        ),
        ("exp(-(y-mu)^2/2)", {}, "integrates to 2.50663 over the real line"),
        ("rate*exp(-rate*y)", {"y": "nonnegative, integer"}, "adds up to 1.27"),
        ("rate*exp(-rate*y)", {"c": "positive"}, "has no 'c'"),
        ("exp(-max(0, 1 - y*m))", {"y": "binary"}, "adds up to 0.97441 over 0 and 1 at m = 0.5"),
        ("y", {}, "no law 'y'"),
    ],
)
def test_what_is_no_density_is_refused(density, given, message):
    with pytest.raises(dv.DeriveError) as error:
        dv.likelihood(density, **given)
    assert message in str(error.value)


def test_hinge_is_no_likelihood():
    """exp(-hinge) over both labels adds up to 0.736 at m = 0 and to 1.135 at m = 1: no constant normalises it."""
    with pytest.raises(dv.DomainError, match="adds up to"):
        dv.likelihood("exp(-max(0, 1 - (2*y - 1)*m))", y="binary")


@pytest.mark.parametrize(
    ("law", "y", "message"),
    [
        ("bernoulli", [0, 1, 2], "y[2] = 2 is outside the support of the bernoulli law: it must be 0 or 1"),
        (
            "poisson",
            [0, 1.5],
            "y[1] = 1.5 is outside the support of the poisson law: it must be a whole number",
        ),
        ("poisson", [3, -1], "y[1] = -1 is outside the support of the poisson law: it must be nonnegative"),
        ("gamma", [1.0, 0.0], "y[1] = 0.0 is outside the support of the gamma law: it must be positive"),
        ("beta", [0.5, 1.0], "y[1] = 1.0 is outside the support of the beta law: it must be between 0 and 1"),
        ("normal", [0.5, np.nan], "y[1] = nan is outside the support of the normal law: it must be finite"),
        ("normal", ["a"], "numbers were expected"),
    ],
)
def test_observations_outside_the_support(law, y, message):
    with pytest.raises(dv.DomainError) as error:
        dv.likelihood(law)(np.zeros(len(y)), y)
    assert message in str(error.value)


def test_rows_of_probabilities():
    loss = dv.likelihood("categorical", "softmax")
    z, y = np.zeros((2, 3)), np.eye(3)[[0, 2]]
    np.testing.assert_allclose(loss(z, y), np.log(3))
    with pytest.raises(dv.DomainError, match=r"y\[1\] adds up to 2"):
        loss(z, y + np.array([[0, 0, 0], [1, 0, 0]]))


def test_losses_at_extreme_raw_outputs():
    z, y = np.array([-800.0, 800.0, -800.0, 800.0]), np.array([0.0, 1.0, 1.0, 0.0])
    np.testing.assert_array_equal(dv.likelihood("bernoulli").function(z, y), [0, 0, 800, 800])
