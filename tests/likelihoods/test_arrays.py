"""Laws of arrays: informations against variances of scores, estimates against samples, families by their dimension."""

import numpy as np
import pytest

import derive as dv
from derive.distributions import VectorDistribution, distributions
from derive.information.expected import over
from derive.information.vector_gate import points_of
from derive.ir.facts import spec
from derive.likelihoods.array_estimate import ArrayEstimates

COVARIANCE = np.array([[1.5, 0.4], [0.4, 0.8]])
FACTOR = np.linalg.cholesky(COVARIANCE)
SETTINGS = {
    "mean": (("normal", {"covariance": "learned"}), {"mean": np.array([0.3, -0.5]), "covariance": COVARIANCE}),
    "covariance": (("normal", {"covariance": "learned"}), {"mean": np.array([0.3, -0.5]), "covariance": COVARIANCE}),
    "variances": (("normal", {"variances": "learned"}), {"mean": np.array([0.3, -0.5]), "variances": np.array([0.7, 1.9])}),
    "cholesky": (("normal", {"cholesky": "learned"}), {"mean": np.array([0.3, -0.5]), "cholesky": FACTOR}),
    "p": (("categorical", {}), {"p": np.array([0.3, 0.7])}),
    "concentration": (("dirichlet", {}), {"concentration": np.array([1.7, 2.5])}),
}  # fmt: skip
CHANGES = {"covariance": np.array([[0.3, -0.2], [-0.2, 0.9]]), "cholesky": np.array([[0.3, 0.0], [-0.2, 0.9]])}


def law_of(name):
    (law, given), values = SETTINGS[name]
    return dv.likelihood(law, **given).array_law, values


@pytest.mark.parametrize("name", SETTINGS)
def test_information_is_the_variance_of_the_score(name):
    """By sums over all values of the law or a grid, along a change; of probabilities one that adds up to 0."""
    law, values = law_of(name)
    found = law.information(name)
    change = CHANGES.get(name, np.array([1.0, -1.0]))
    form = found.form(**{n: {**values, "D": change}[n] for n in found.form.inputs})
    if np.ndim(form):
        form = change @ form @ change
    covariance = np.diag(values["variances"]) if name == "variances" else FACTOR @ FACTOR.T
    own = [values["mean"], covariance] if "mean" in values else [values[name]]
    x, weight = points_of(law.setting.density.record, own, 2)
    kept = weight > 1e-13
    score = law.score(name)
    each = dv.vmap(score, in_axes=["y"])(**{n: {**values, "y": x[kept]}[n] for n in score.inputs})
    along = np.sum(change * each, axis=tuple(range(1, np.ndim(each))))
    assert np.sum(weight[kept] * np.square(along)) == pytest.approx(float(form), rel=1e-6)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("categorical", {}), {"p": "the average of y"}),
        (("multinomial", {}), {"p": "the average of y / trials"}),
        (("normal", {"covariance": "learned"}), {"mean": "the average of y", "covariance": "avg((y − {m}) (y − {m})')"}),
        (("normal", {"variances": "learned"}), {"mean": "the average of y", "variances": "avg((y − {m})²)"}),
        (("dirichlet", {}), {"concentration": None}),
    ],
)  # fmt: skip
def test_estimates_are_moments(given, words):
    law, options = given
    found = ArrayEstimates(dv.likelihood(law, **options).array_law).estimates
    assert {e.parameter: e.moment and e.words for e in found} == words


def test_estimates_of_the_normal_law_of_vectors():
    y = np.random.default_rng(1).normal(size=(40, 3)) @ np.diag([1.0, 2.0, 0.5])
    found = ArrayEstimates(dv.likelihood("normal", covariance="learned").array_law)(y)
    np.testing.assert_allclose(found["mean"], y.mean(axis=0))
    np.testing.assert_allclose(found["covariance"], np.cov(y.T, bias=True))


@pytest.mark.parametrize(
    ("law", "given", "dimensions"),
    [
        ("categorical", {}, (1, 2)),
        ("dirichlet", {}, (2, 3)),
        ("normal", {"covariance": "learned"}, (5, 9)),
        ("mixture of normal", {}, (None, None)),
        ("censored weibull", {}, (None, None)),
    ],
)
def test_families_have_as_many_statistics_as_log_densities_have_directions(law, given, dimensions):
    found = dv.likelihood(law, **given).array_law
    assert tuple(map(found.dimension, (2, 3))) == dimensions


def test_pages_say_it():
    text = str(dv.likelihood("normal", covariance="learned"))
    for line in (
        "d log p/d mean = covariance⁻¹ (y − mean)",
        "in mean: covariance⁻¹, observed and expected are the same",
        "mean = ȳ        there the score vanishes",
        "covariance = avg((y − ȳ) (y − ȳ)')        there the score vanishes",
    ):
        assert line in text


def test_the_mean_of_a_product_of_solutions():
    """E (v' C^-1 x)^2 is (v' C^-1 m)^2 + v' C^-1 S C^-1 v: the indices of the inverse are not those of the solution."""
    normal = next(d for d in distributions() if d.name == "normal" and isinstance(d, VectorDistribution))
    specs = {"x": spec("k"), "v": spec("k"), "m": spec("k"), "C": spec("k k"), "S": spec("k k")}
    found = dv.trace(
        lambda x, v, m, C, S: over(np.sum(v * np.linalg.solve(C, x)) ** 2, x, normal, [m, S]), **specs
    )
    rng = np.random.default_rng(0)
    v, m, A, B = rng.normal(size=3), rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    C, S = A @ A.T + np.eye(3), B @ B.T + np.eye(3)
    w = np.linalg.solve(C, v)
    arrays = {"x": m, "v": v, "m": m, "C": C, "S": S}
    assert found(**{n: arrays[n] for n in found.inputs}) == pytest.approx((w @ m) ** 2 + w @ S @ w, rel=1e-10)
