"""Fits agree with statsmodels and SciPy on real data, and say what is wrong with data that have no fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

import derive as dv
from derive.errors import DomainError, FitError, ShapeError, SpecError, UnknownName, UnsupportedOp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
BINARY = (X[:, 0] + RNG.normal(size=60) > 0).astype(float)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 1])).astype(float)
GROUP = np.repeat([0.0, 1.0], 30)

LOGISTIC = dv.likelihood("bernoulli", "logit")
POISSON = dv.likelihood("poisson", "log")


def agrees(fit: Any, params: Any, errors: Any, log_likelihood: float, rtol: float = 1e-6) -> None:
    """The first estimates, their standard errors, and the log-likelihood."""
    count = len(params)
    np.testing.assert_allclose(fit.estimates[:count], params, rtol=rtol)
    np.testing.assert_allclose(fit.standard_errors[:count], errors, rtol=rtol)
    np.testing.assert_allclose(fit.log_likelihood, log_likelihood, rtol=rtol)


# --- beside statsmodels, on data sets that it ships


@pytest.fixture(scope="module")
def sm() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it imports is not ours
        return pytest.importorskip("statsmodels.api")


EXACT = {"disp": 0, "method": "newton", "tol": 1e-14, "maxiter": 200}


def test_logistic(sm: Any) -> None:
    data = sm.datasets.spector.load_pandas()
    fit = LOGISTIC.fit(data.exog, data.endog)
    theirs = sm.Logit(data.endog, sm.add_constant(data.exog)).fit(**EXACT)
    agrees(fit, theirs.params, theirs.bse, theirs.llf)
    assert fit.names == ("(intercept)", "GPA", "TUCE", "PSI")
    np.testing.assert_allclose(fit.p_values, theirs.pvalues, rtol=1e-6)
    np.testing.assert_allclose(fit.intervals(), theirs.conf_int(), rtol=1e-6)
    np.testing.assert_allclose([fit.aic, fit.bic], [theirs.aic, theirs.bic], rtol=1e-6)
    np.testing.assert_allclose(fit.predict(data.exog), theirs.predict(), rtol=1e-6)


def test_probit(sm: Any) -> None:
    data = sm.datasets.spector.load_pandas()
    fit = dv.likelihood("bernoulli", "probit").fit(data.exog, data.endog)
    theirs = sm.Probit(data.endog, sm.add_constant(data.exog)).fit(**EXACT)
    agrees(fit, theirs.params, theirs.bse, theirs.llf)


def test_binomial_with_trials_of_each_row(sm: Any) -> None:
    data = sm.datasets.star98.load_pandas()
    successes, trials = data.endog.iloc[:, 0], data.endog.sum(axis=1)
    loss = dv.likelihood("binomial", "logit", trials="known")
    fit = loss.fit(data.exog, successes, trials=trials)
    theirs = sm.GLM(data.endog, sm.add_constant(data.exog), family=sm.families.Binomial()).fit(
        tol=1e-14, maxiter=200
    )
    agrees(fit, theirs.params, theirs.bse, theirs.llf)
    with pytest.raises(DomainError, match="row 0 has no probability under the binomial law"):
        loss.fit(data.exog, trials + 1, trials=trials)


def test_poisson_and_negative_binomial(sm: Any) -> None:
    data = sm.datasets.randhie.load_pandas()
    design = sm.add_constant(data.exog)
    fit = POISSON.fit(data.exog, data.endog)
    theirs = sm.Poisson(data.endog, design).fit(**EXACT)
    agrees(fit, theirs.params, theirs.bse, theirs.llf)
    rows = slice(None, None, 10)
    fit = dv.likelihood("negative binomial", "log").fit(data.exog[rows], data.endog[rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of logarithms on its way
        theirs = sm.NegativeBinomial(data.endog[rows], design[rows]).fit(
            start_params=fit.estimates * 1.01, **EXACT
        )
    agrees(fit, theirs.params, theirs.bse, theirs.llf)
    assert fit.names[-1] == "dispersion" and fit.parameters["dispersion"] == fit.estimates[-1]


def test_gamma(sm: Any) -> None:
    data = sm.datasets.scotland.load_pandas()
    loss = dv.likelihood("gamma", "log")
    fit = loss.fit(data.exog, data.endog, information="expected")
    shape = fit.parameters["shape"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own deprecated names
        family = sm.families.Gamma(sm.families.links.Log())
        theirs = sm.GLM(data.endog, sm.add_constant(data.exog), family=family).fit(
            scale=1 / shape, tol=1e-14, maxiter=200
        )
    agrees(fit, theirs.params, theirs.bse, theirs.llf)
    observed = loss.fit(data.exog, data.endog)
    np.testing.assert_allclose(observed.estimates, fit.estimates, rtol=1e-9)
    assert np.abs(observed.standard_errors / fit.standard_errors - 1).max() > 1e-3
    best = optimize.minimize_scalar(
        lambda u: -stats.gamma(np.exp(u), scale=fit.predict() * np.exp(-u)).logpdf(data.endog).sum(),
        bounds=(0, 10), method="bounded", options={"xatol": 1e-12},
    )  # fmt: skip
    np.testing.assert_allclose(np.log(shape), best.x, rtol=1e-6)


def test_offset_and_weights(sm: Any) -> None:
    exposure, weights = RNG.uniform(1, 5, 60), RNG.integers(1, 4, 60)
    fit = POISSON.fit(X, COUNTS, offset=np.log(exposure), weights=weights)
    design = sm.add_constant(X)
    family = sm.families.Poisson()
    theirs = sm.GLM(COUNTS, design, family=family, exposure=exposure, freq_weights=weights).fit(tol=1e-14)
    agrees(fit, theirs.params, theirs.bse, theirs.llf)
    assert fit.observations == weights.sum()
    repeated = np.repeat(np.arange(60), weights)
    again = POISSON.fit(X[repeated], COUNTS[repeated], offset=np.log(exposure)[repeated])
    np.testing.assert_allclose(fit.standard_errors, again.standard_errors, rtol=1e-10)
    expected = theirs.predict(design[:4], exposure=exposure[:4])
    np.testing.assert_allclose(fit.predict(X[:4], offset=np.log(exposure)[:4]), expected, rtol=1e-6)


def test_several_classes(sm: Any) -> None:
    labels = RNG.integers(3, size=60)
    fit = dv.likelihood("categorical", "softmax").fit(X, np.array(["a", "b", "c"])[labels])
    theirs = sm.MNLogit(labels, sm.add_constant(X)).fit(**EXACT)
    agrees(fit, theirs.params.ravel(), theirs.bse.ravel(), theirs.llf)
    assert fit.coef.shape == (4, 2) and fit.names[0] == "(intercept) [b]" and fit.classes == ("a", "b", "c")
    np.testing.assert_allclose(fit.predict(X), theirs.predict(), rtol=1e-6)


def test_ordered_classes(sm: Any) -> None:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    data = sm.datasets.anes96.load_pandas()
    labels = data.endog.astype(int) // 3  # three classes, of which the last has one answer only
    columns = data.exog[["logpopul", "selfLR", "educ"]]
    fit = dv.likelihood("ordinal logit").fit(columns, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = OrderedModel(labels, columns, distr="logit")
        theirs = model.fit(**EXACT)
    agrees(fit, theirs.params[:3], theirs.bse[:3], theirs.llf)
    cuts = model.transform_threshold_params(np.asarray(theirs.params))[1:-1]
    np.testing.assert_allclose(fit.parameters["cutpoints"], cuts, rtol=1e-6)
    assert fit.names == ("logpopul", "selfLR", "educ", "cutpoints[0|1]", "cutpoints[1|2]")
    with pytest.raises(FitError):
        dv.likelihood("ordinal logit").fit(columns, labels, intercept=True)


# --- one law for all labels


def test_normal_law() -> None:
    y = RNG.normal(5, 2, 100)
    for loss in (
        dv.likelihood("normal", sigma="learned"),
        dv.likelihood("normal", {"mean": "identity", "sigma": "log"}),
    ):
        fit = loss.fit(y)
        sigma = y.std()
        agrees(
            fit,
            [y.mean(), sigma],
            [sigma / 10, sigma / np.sqrt(200)],
            stats.norm(y.mean(), sigma).logpdf(y).sum(),
            1e-10,
        )
        assert fit.names == ("mean", "sigma")


def test_law_of_angles() -> None:
    y = RNG.vonmises(1, 3, 200)
    fit = dv.likelihood("von mises").fit(y)
    location, concentration = fit.estimates
    resultant = np.mean(np.exp(1j * y))
    np.testing.assert_allclose(location, np.angle(resultant), rtol=1e-9)
    ratio = special.ive(1, concentration) / special.ive(0, concentration)
    np.testing.assert_allclose(ratio, np.abs(resultant), rtol=1e-9)
    np.testing.assert_allclose(
        fit.log_likelihood, stats.vonmises(concentration, location).logpdf(y).sum(), rtol=1e-12
    )


def test_probabilities_of_classes() -> None:
    labels = np.repeat(["x", "y", "z"], [10, 30, 60])
    fit = dv.likelihood("categorical", "softmax").fit(labels)
    p = np.array([0.1, 0.3, 0.6])
    agrees(fit, p, np.sqrt(p * (1 - p) / 100), 100 * np.sum(p * np.log(p)), 1e-9)


def test_mixture() -> None:
    y = np.concatenate([RNG.normal(-2, 0.5, 60), RNG.normal(1, 1, 100)])
    fit = dv.likelihood("mixture of normal").fit(y, sizes={"k": 2})
    mean, variance, weights = fit.estimates[:2], fit.parameters["variance"], fit.parameters["weights"]
    each = weights * stats.norm(mean, np.sqrt(variance)).pdf(y[:, None])
    np.testing.assert_allclose(fit.log_likelihood, np.log(each.sum(axis=1)).sum(), rtol=1e-12)
    share = each / each.sum(axis=1, keepdims=True)  # at a maximum, steps of EM go nowhere
    total = share.sum(axis=0)
    np.testing.assert_allclose(weights, total / 160, rtol=1e-9)
    np.testing.assert_allclose(mean, share.T @ y / total, rtol=1e-9)
    np.testing.assert_allclose(variance, np.sum(share * (y[:, None] - mean) ** 2, axis=0) / total, rtol=1e-9)
    np.testing.assert_allclose(fit.standard_errors[-1], fit.standard_errors[-2], rtol=1e-9)


def test_censored_times() -> None:
    times, ends = 3 * RNG.weibull(1.7, 100), RNG.uniform(0, 5, 100)
    observed = times <= ends
    y = np.column_stack((np.minimum(times, ends), observed))
    fit = dv.likelihood("censored exponential", "log").fit(y)
    count = observed.sum()
    rate = count / y[:, 0].sum()
    agrees(fit, [rate], [rate / np.sqrt(count)], count * (np.log(rate) - 1), 1e-10)


def test_censored_weibull_times() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports
        lifelines = pytest.importorskip("lifelines")
    times, ends = 3 * RNG.weibull(1.7, 100), RNG.uniform(0, 5, 100)
    y = np.column_stack((np.minimum(times, ends), times <= ends))
    fit = dv.likelihood("censored weibull", "log").fit(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.WeibullFitter().fit(y[:, 0], y[:, 1], fit_options={"ftol": 1e-16, "gtol": 1e-12})
    table = theirs.summary
    agrees(fit, table["coef"], table["se(coef)"], theirs.log_likelihood_)


# --- parameters on other scales, and other searches


def test_covariance_is_the_inverse_information_on_any_scale() -> None:
    y = RNG.gamma(3, size=80)
    fit = dv.likelihood("gamma", "log").fit(X[:, :1], np.resize(y, 60))
    shape, beta = fit.parameters["shape"], fit.coef
    total = fit.loss.total

    def nll(v: Any) -> float:
        z = v[0] + v[1] * X[:, 0]
        return float(total(z, np.resize(y, 60), v[2]))

    at, h = np.array([*beta, shape]), 1e-4
    H = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            a, b = h * np.eye(3)[i], h * np.eye(3)[j]
            H[i, j] = (nll(at + a + b) - nll(at + a - b) - nll(at - a + b) + nll(at - a - b)) / (4 * h * h)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(H), rtol=1e-4, atol=1e-7)
    low, high = fit.intervals()[2]
    assert 0 < low < shape < high


@pytest.mark.parametrize("method", ["trust-ncg", "L-BFGS-B"])
def test_searches_agree(method: str) -> None:
    newton, other = (LOGISTIC.fit(X, BINARY, method=m) for m in ("newton", method))
    np.testing.assert_allclose(other.estimates, newton.estimates, rtol=1e-9)


def test_many_coefficients() -> None:
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(600, 260))
    labels = (wide[:, 0] + rng.normal(size=600) * 3 > 0).astype(float)
    fit = LOGISTIC.fit(wide, labels)
    assert fit.method == "trust-ncg"
    residual = labels - fit.predict()
    assert np.abs(np.column_stack((np.ones(600), wide)).T @ residual).max() < 1e-6


def test_two_raw_outputs() -> None:
    y = X[:, 0] + np.exp(0.5 * X[:, 1]) * RNG.normal(size=60)
    loss = dv.likelihood("normal", {"mean": "identity", "sigma": "log"})
    fit = loss.fit({"mean": X[:, :1], "sigma": X[:, 1:2]}, y)
    assert fit.names == ("mean: (intercept)", "mean: x1", "sigma: (intercept)", "sigma: x1")
    found = fit.predict({"mean": X[:, :1], "sigma": X[:, 1:2]})
    score = (y - found["mean"]) / found["sigma"] ** 2
    assert abs(score.sum()) < 1e-9 and abs(score @ X[:, 0]) < 1e-9
    np.testing.assert_allclose(
        fit.log_likelihood, stats.norm(found["mean"], found["sigma"]).logpdf(y).sum(), rtol=1e-12
    )


# --- how it reads


def test_the_table() -> None:
    fit = LOGISTIC.fit({"dose": GROUP}, np.resize([0.0, 0, 1, 0, 1, 1, 1], 60), names=None)
    assert str(fit).splitlines()[:5] == [
        "bernoulli law, logit link for p",
        "60 observations, 2 estimated numbers",
        f"log-likelihood {fit.log_likelihood:.6g}, AIC {fit.aic:.6g}, BIC {fit.bic:.6g}",
        "",
        "             estimate  std err     z      p  95 % from      to",
    ]
    assert str(fit).splitlines()[-1] == "standard errors from the observed information; 3 steps of newton"


# --- data without a fit


@pytest.mark.parametrize(
    ("loss", "columns", "y", "error", "words"),
    [
        (LOGISTIC, X, X[:, 0] > 0, FitError, "no maximum.*x1 to .infinity.*separation"),
        (LOGISTIC, GROUP, np.where(GROUP == 1, 1, BINARY), FitError, "x1 to .infinity.*separation"),
        (POISSON, GROUP, np.where(GROUP == 1, 0, 1 + COUNTS), FitError, "x1 to -infinity"),
        (LOGISTIC, None, np.ones(9), FitError, "p goes to the end of its range"),
        (dv.likelihood("negative binomial"), X, np.resize([2, 3, 4], 60), FitError, "dispersion goes to 0"),
        (LOGISTIC, np.column_stack((X, X[:, 0] - 2 * X[:, 2] + 1)), BINARY, DomainError, "collinear.*x4 = -2 x3 . 1 x1 . 1"),
        (LOGISTIC, np.column_stack((X, np.ones(60))), BINARY, DomainError, "'x4' of X is 1 in every row"),
        (LOGISTIC, X[:3], BINARY[:3], DomainError, "4 columns with the intercept but only 3 rows"),
        (POISSON, X, COUNTS - 1, DomainError, r"y\[\d+\] = -1.0 is outside the support of the poisson law"),
        (POISSON, X, COUNTS + 0.5, DomainError, "a whole number"),
        (LOGISTIC, X, 3 * BINARY, DomainError, "= 3.0 is outside .* 0 or 1"),
        (dv.likelihood("gamma", "log"), X, COUNTS, DomainError, "it must be positive"),
        (POISSON, X, np.where(COUNTS > 2, np.nan, COUNTS), DomainError, "must be finite"),
        (POISSON, np.where(X > 2, np.inf, X), COUNTS, DomainError, "is inf in column"),
        (POISSON, X[:50], COUNTS, ShapeError, "50 rows, but there are 60 labels"),
        (POISSON, {"a": list("xy") * 30}, COUNTS, ValueError, "could not convert|must hold numbers"),
        (dv.likelihood("laplace"), X, X[:, 0], FitError, "without error"),
        (dv.likelihood("uniform"), None, X[:, 0], UnsupportedOp, "the support of the uniform law ends at"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said(loss: Any, columns: Any, y: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        loss.fit(columns, np.asarray(y, dtype=float))


def test_what_is_derived_is_derived_once() -> None:
    fits = [LOGISTIC.fit(X[:n, :p], BINARY[:n]) for n, p in ((60, 2), (50, 3))]
    assert fits[0].model.derived is fits[1].model.derived
    assert fits[0].model.derived is not LOGISTIC.fit(X, BINARY, weights=np.ones(60)).model.derived


def test_options_that_do_not_fit_are_said() -> None:
    with pytest.raises(ShapeError, match="3 columns, but there are 2 names"):
        POISSON.fit(X, COUNTS, names=["a", "b"])
    with pytest.raises(DomainError, match=r"weights\[0\] is -1"):
        POISSON.fit(X, COUNTS, weights=-np.ones(60))
    with pytest.raises(UnknownName, match="takes no 'ofset'"):
        POISSON.fit(X, COUNTS, ofset=np.ones(60))
    with pytest.raises(SpecError, match="has a size k that labels do not say"):
        dv.likelihood("mixture of normal").fit(X[:, 0])
    with pytest.raises(UnknownName, match="nothing that is estimated is called 'rate'"):
        POISSON.fit(X, COUNTS, start={"rate": 1})
    with pytest.raises(FitError, match="1 steps were not enough"):
        POISSON.fit(X, COUNTS, limit=1)
