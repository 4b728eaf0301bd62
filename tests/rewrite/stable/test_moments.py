"""Central moments and squared differences are summed after the subtraction."""

import mpmath
import numpy as np
import pytest

import derive as dv

RNG = np.random.default_rng(0)
FAR = 1e8 + RNG.standard_normal(50)
OTHER = 1e8 + RNG.standard_normal(50)

FORMULAS = {
    "variance": (lambda x, y: np.mean(x**2) - np.mean(x) ** 2, lambda x, y: var(x, x)),
    "unbiased": (lambda x, y: (np.sum(x**2) - np.sum(x) ** 2 / 50) / 49, lambda x, y: var(x, x) * 50 / 49),
    "covariance": (lambda x, y: np.mean(x * y) - np.mean(x) * np.mean(y), lambda x, y: var(x, y)),
    "scaled": (lambda x, y: 3 * np.mean((2 * x) ** 2) - 12 * np.mean(x) ** 2, lambda x, y: 12 * var(x, x)),
    "std": (lambda x, y: np.sqrt(np.mean(x**2) - np.mean(x) ** 2), lambda x, y: mpmath.sqrt(var(x, x))),
    "distance": (lambda x, y: x @ x - 2 * (x @ y) + y @ y, lambda x, y: mpmath.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True))),
}  # fmt: skip


def var(x, y):
    mean = mpmath.fsum(x) / len(x), mpmath.fsum(y) / len(y)
    return mpmath.fsum((a - mean[0]) * (b - mean[1]) for a, b in zip(x, y, strict=True)) / len(x)


@pytest.mark.parametrize("name", FORMULAS)
def test_digits_of_moments_far_from_0(name):
    formula, exact = FORMULAS[name]
    f = dv.trace(formula, x="50", y="50")
    with mpmath.workdps(50):
        right = float(exact([mpmath.mpf(float(v)) for v in FAR], [mpmath.mpf(float(v)) for v in OTHER]))
    assert f(FAR, OTHER) == pytest.approx(right, rel=1e-9)
    assert f.compile()(FAR, OTHER) == pytest.approx(right, rel=1e-9)


def test_rows_have_their_own_means():
    f = dv.trace(
        lambda X: (
            (X - X.mean(1, keepdims=True))
            / np.sqrt((X**2).mean(1, keepdims=True) - X.mean(1, keepdims=True) ** 2)
        ),
        X="n m",
    )
    X = np.array([[1e8, 1e8 + 1, 1e8 + 2], [0.0, 1.0, 5.0]])
    centred = X - X.mean(1, keepdims=True)
    np.testing.assert_allclose(f(X), centred / centred.std(1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: np.mean(x**2) - 2 * np.mean(x) ** 2,
        lambda x: np.sum(x**2) - np.sum(x) ** 2,
        lambda x: np.mean(x**2) + np.mean(x) ** 2,
        lambda x: np.mean(x**3) - np.mean(x) ** 2,
    ],
)
def test_what_is_no_central_moment_stays(formula):
    f = dv.trace(formula, x="n")
    assert f.stable is f.presented


def test_distances_between_rows_stay_matrix_products():
    f = dv.trace(lambda X, Y: (X**2).sum(1)[:, None] - 2 * X @ Y.T + (Y**2).sum(1), X="n d", Y="m d")
    assert f.stable is f.presented


def test_products_with_entries_of_norms_have_their_scales():
    f = dv.trace(lambda x, y: np.sum(x * y) / (np.sqrt(np.sum(x**2)) * np.sqrt(np.sum(y**2))), x="n", y="n")
    for s, t in ((1e-300, 1e-300), (1e200, 1e-200), (1.0, 1.0)):
        assert f(s * np.array([3.0, 4.0]), t * np.array([4.0, 3.0])) == pytest.approx(0.96, rel=1e-12)
        assert f.compile()(s * np.array([3.0, 4.0]), t * np.array([4.0, 3.0])) == pytest.approx(
            0.96, rel=1e-12
        )
