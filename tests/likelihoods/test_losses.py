"""Losses from likelihoods: what they are, against SciPy's densities, and how they are written."""

import numpy as np
import pytest
from scipy import special, stats

import derive as dv

RNG = np.random.default_rng(0)
Z = RNG.normal(size=40)
COUNTS = RNG.poisson(2, size=40).astype(float)
BINARY = (RNG.random(40) < 0.5).astype(float)
REALS = RNG.normal(size=40)
POSITIVE = RNG.gamma(2, size=40)


@pytest.mark.parametrize(
    ("arguments", "given", "y", "law"),
    [
        (("bernoulli", "logit"), {}, BINARY, lambda z: stats.bernoulli(special.expit(z))),
        (("bernoulli", "probit"), {}, BINARY, lambda z: stats.bernoulli(special.ndtr(z))),
        (("bernoulli", "cloglog"), {}, BINARY, lambda z: stats.bernoulli(1 - np.exp(-np.exp(z)))),
        (("bernoulli", "loglog"), {}, BINARY, lambda z: stats.bernoulli(np.exp(-np.exp(-z)))),
        (("bernoulli", "cauchit"), {}, BINARY, lambda z: stats.bernoulli(stats.cauchy.cdf(z))),
        (("poisson", "log"), {}, COUNTS, lambda z: stats.poisson(np.exp(z))),
        (("poisson", "softplus"), {}, COUNTS, lambda z: stats.poisson(np.log1p(np.exp(z)))),
        (("poisson",), {"raw": "positive", "link": "identity"}, COUNTS, lambda z: stats.poisson(z)),
        (("poisson", "sqrt"), {}, COUNTS, lambda z: stats.poisson(z**2)),
        (("normal", "identity"), {"sigma": 1}, REALS, lambda z: stats.norm(z, 1)),
        (("normal",), {"variance": 0.25}, REALS, lambda z: stats.norm(z, 0.5)),
        (("normal",), {"precision": 4}, REALS, lambda z: stats.norm(z, 0.5)),
        (("laplace",), {"scale": 0.5}, REALS, lambda z: stats.laplace(z, 0.5)),
        (("gamma", "log"), {"shape": 3}, POSITIVE, lambda z: stats.gamma(3, scale=np.exp(z) / 3)),
        (("gamma", {"rate": "log"}), {"shape": 3}, POSITIVE, lambda z: stats.gamma(3, scale=np.exp(-z))),
        (("exponential", "reciprocal"), {}, POSITIVE, lambda z: stats.expon(scale=z)),
        (("exp(-abs(y-mu)/b)/(2*b)",), {"b": 0.5}, REALS, lambda z: stats.laplace(z, 0.5)),
    ],
)  # fmt: skip
def test_loss_and_derivatives(arguments, given, y, law):
    loss = dv.likelihood(*arguments, **given)
    z = np.abs(Z) if "positive" in loss.setting.raws[0].raw else Z
    frozen = law(z)
    log = frozen.logpmf(y) if hasattr(frozen.dist, "logpmf") else frozen.logpdf(y)
    np.testing.assert_allclose(loss.function(z, y) + loss.constant(y), -log, rtol=1e-9, atol=1e-9)
    assert np.isclose(loss.total(z, y), loss.function(z, y).sum(), rtol=1e-12)
    h = 1e-5
    slope = (loss.function(z + h, y) - loss.function(z - h, y)) / (2 * h)
    np.testing.assert_allclose(loss.gradient(z, y), slope, rtol=1e-5, atol=1e-6)
    curve = (loss.gradient(z + h, y) - loss.gradient(z - h, y)) / (2 * h)
    np.testing.assert_allclose(loss.hessian(z, y), curve, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "given", "loss", "gradient"),
    [
        (("bernoulli", "logit"), {}, "loss = softplus(z) − z y", "gz = sigmoid(z) − y"),
        (("poisson", "log"), {}, "loss = exp(z) − z y", "gz = exp(z) − y"),
        (("normal",), {"sigma": 1}, "loss = (y − z)² / 2", "gz = z − y"),
        (("normal",), {"sigma": "known"}, "loss = (y − z)² / (2 sigma²)", "gz = (z − y) / sigma²"),
        (("normal",), {"sigma": "learned"}, "loss = (y − z)² / (2 sigma²) + log(sigma)", "gz = (z − y) / sigma²"),
        (("laplace",), {"scale": 1}, "loss = |y − z|", "gz = sign(z − y)"),
        (("exponential", "log"), {}, "loss = y exp(z) − z", "gz = y ∘ exp(z) − 1"),
        (("categorical", "softmax"), {}, None, "gz = softmax(z) − y"),
    ],
)  # fmt: skip
def test_how_it_is_written(arguments, given, loss, gradient):
    found = dv.likelihood(*arguments, **given)
    assert loss is None or str(found.example) == loss
    assert str(found.gradient) == gradient


def test_what_is_not_constant_for_one_is_for_another():
    known, learned = (dv.likelihood("normal", sigma=part) for part in ("known", "learned"))
    assert [d.inputs for d in known.dropped] == [(), ("sigma",)]
    assert [d.inputs for d in learned.dropped] == [()]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dv.likelihood("poisson", "identity"), "identity link gives any real number, such as -1, but mean of the poisson"),
        (lambda: dv.likelihood("bernoulli", "log"), "such as 2, but p of the bernoulli law must be between 0 and 1"),
        (lambda: dv.likelihood("normal", sigma=-1), "sigma of the normal law must be positive; found -1"),
        (lambda: dv.likelihood("normal", sigma=0), "must be positive; found 0"),
        (lambda: dv.likelihood("normal", sigma=float("nan")), "must be a finite real number; found nan"),
        (lambda: dv.likelihood("normal", sigma=1, variance=1), "say the same"),
        (lambda: dv.likelihood("normal", sigm=1), "did you mean 'sigma'"),
        (lambda: dv.likelihood("poison"), "did you mean 'poisson'"),
        (lambda: dv.likelihood("poisson", "lgo"), "there is no link 'lgo'; did you mean 'log'"),
        (lambda: dv.likelihood("exp(-x)"), "no parameter besides x"),
        (lambda: dv.likelihood(3), "found 3"),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(dv.DeriveError) as error:
        call()
    assert message in str(error.value)
