"""Quantile and Laplace regression by linear programs, against statsmodels on its own data."""

import numpy as np
import pytest
from scipy.stats import norm

import derive as dv
from derive.errors import FitError, UnsupportedOp

sm = pytest.importorskip("statsmodels.api")
from statsmodels.regression.quantile_regression import QuantReg, hall_sheather, kernels  # noqa: E402

ENGEL = sm.datasets.engel.load_pandas().data
X, Y = ENGEL[["income"]], ENGEL["foodexp"].to_numpy()


def quantreg(q, columns, y):
    return QuantReg(y, sm.add_constant(columns)).fit(q=q, max_iter=50_000, p_tol=1e-13)


def check_loss(q, y, z):
    return np.sum(np.where(y > z, q * (y - z), (q - 1) * (y - z)))


@pytest.mark.parametrize("q", [0.1, 0.5, 0.75, 0.9])
def test_quantile_regression(q):
    found = dv.likelihood("asymmetric laplace", quantile=q, scale=1).fit(X, Y)
    theirs = quantreg(q, X, Y)
    np.testing.assert_allclose(found.coef, theirs.params, rtol=1e-6)
    ours = check_loss(q, Y, found.predict())
    assert ours <= check_loss(q, Y, np.asarray(theirs.fittedvalues)) * (1 + 1e-12)
    assert found.log_likelihood == pytest.approx(len(Y) * np.log(q * (1 - q)) - ours, rel=1e-12)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.75])
def test_standard_errors_are_those_of_statsmodels(q):
    """Its formula at the corner: an iterative solution leaves residuals of either sign on the kink."""
    found = dv.likelihood("asymmetric laplace", quantile=q, scale=1).fit(X, Y)
    matrix, e = sm.add_constant(X).to_numpy(), Y - found.predict()
    e = np.where(np.abs(e) < 1e-9, 0, e)
    h = hall_sheather(len(e), q)
    iqr = np.subtract(*np.percentile(e, [75, 25]))
    h = min(np.std(Y), iqr / 1.34) * (norm.ppf(q + h) - norm.ppf(q - h))
    density = np.sum(kernels["epa"](e / h)) / (len(e) * h)
    inner = np.linalg.inv(matrix.T @ matrix)
    middle = (matrix.T * np.where(e > 0, (q / density) ** 2, ((1 - q) / density) ** 2)) @ matrix
    np.testing.assert_allclose(found.standard_errors, np.sqrt(np.diag(inner @ middle @ inner)), rtol=1e-8)
    if q == 0.5:
        np.testing.assert_allclose(found.standard_errors, quantreg(q, X, Y).bse, rtol=1e-6)


def test_laplace_regression_with_a_learned_scale():
    """Coefficients of the median; the scale is the mean absolute residual, its standard error s / sqrt(n)."""
    found = dv.likelihood("laplace").fit(X, Y)
    np.testing.assert_allclose(found.coef, quantreg(0.5, X, Y).params, rtol=1e-6)
    s = np.mean(np.abs(Y - found.predict()))
    assert found.parameters["scale"] == pytest.approx(s, rel=1e-9)
    assert found.standard_errors[2] == pytest.approx(s / np.sqrt(len(Y)), rel=1e-6)
    by_law = dv.likelihood("laplace").fit(X, Y, information="expected")
    matrix = sm.add_constant(X).to_numpy()
    errors = s * np.sqrt(np.diag(np.linalg.inv(matrix.T @ matrix)))
    np.testing.assert_allclose(by_law.standard_errors[:2], errors, rtol=1e-9)


def test_a_density_of_ones_own_and_weights():
    """Rows that count twice are rows twice, with an offset; the formula alone says that it is a linear program."""
    own = dv.likelihood("exp(-abs(y-mu)/b)/(2*b)")
    counts, offset = np.arange(len(Y)) % 3 + 1.0, 0.1 * Y
    found = own.fit(X, Y, weights=counts, offset=offset, information="expected")
    rows = np.repeat(np.arange(len(Y)), counts.astype(int))
    same = own.fit(X.iloc[rows], Y[rows], offset=offset[rows], information="expected")
    np.testing.assert_allclose(found.estimates, same.estimates, rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors, same.standard_errors, rtol=1e-9)


def test_a_loss_with_a_corner_that_is_no_density():
    """The hinge of a margin: its minimum is no higher than that of any direction around."""
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(60, 2))
    labels = np.sign(columns @ [1.0, -0.5] + rng.normal(size=60))
    found = dv.likelihood("hinge").fit(columns, labels)
    matrix = np.column_stack((np.ones(60), columns))

    def height(beta):
        return np.sum(np.maximum(1 - labels * (matrix @ beta), 0))

    assert all(height(found.coef + 1e-3 * d) >= height(found.coef) for d in rng.normal(size=(200, 3)))
    assert np.all(found.standard_errors > 0)


@pytest.mark.parametrize(
    ("loss", "y", "error", "words"),
    [
        (dv.likelihood("asymmetric laplace"), Y, UnsupportedOp, "depends on quantile"),
        (dv.likelihood("laplace"), 2 * X["income"].to_numpy(), FitError, "without error"),
    ],
)
def test_what_has_no_minimum_of_this_kind_is_said(loss, y, error, words):
    with pytest.raises(error, match=words):
        loss.fit(X, y)
