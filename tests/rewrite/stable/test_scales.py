"""Norms, roots and differences keep their digits at all scales, against mpmath."""

import mpmath
import numpy as np
import pytest

import derive as dv

SCALES = [1e-300, 1e-170, 1e-3, 1.0, 1e4, 1e170]


@pytest.mark.parametrize("scale", SCALES)
def test_a_norm_and_its_derivatives(scale):
    norm = dv.trace(lambda x: np.sqrt(np.sum(x**2)), x="n")
    x = scale * np.array([3.0, -4.0, 12.0])
    assert norm(x) == pytest.approx(13 * scale, rel=1e-15)
    assert dv.grad(norm, "x")(x) == pytest.approx(x / scale / 13, rel=1e-15)
    hessian = (np.eye(3) - np.outer(x / scale, x / scale) / 169) / 13 / scale
    assert dv.hessian(norm, "x")(x) == pytest.approx(hessian, rel=1e-14)


def test_a_norm_of_zeros_and_of_infinity():
    norm = dv.trace(lambda x: np.sqrt(np.sum(x**2)), x="n")
    assert norm(np.zeros(3)) == 0
    assert norm(np.array([1.0, np.inf])) == np.inf
    assert np.isnan(norm(np.array([1.0, np.nan])))


def test_distances_of_rows_are_scaled_by_row():
    rows = dv.trace(lambda X, Y: np.sqrt(np.sum((X - Y) ** 2, axis=1)), X="m n", Y="m n")
    X = np.array([[3e-200, 4e-200], [3e180, 4e180]])
    assert rows(X, np.zeros((2, 2))) == pytest.approx([5e-200, 5e180], rel=1e-15)


@pytest.mark.parametrize(
    ("formula", "oracle", "points"),
    [
        ("sqrt(x + 1) - sqrt(x)", lambda x: 1 / (mpmath.sqrt(x + 1) + mpmath.sqrt(x)), (1e-300, 1.0, 1e12)),
        ("x + sqrt(x**2 + 4)", lambda x: 4 / (mpmath.sqrt(x * x + 4) - x), (-1e8, -1e4, 3.0)),
        ("1/x - 1/(x + 1)", lambda x: 1 / (x * (x + 1)), (1e-3, 1e10)),
        ("(1 + x)**30.5 - 1", lambda x: mpmath.expm1(30.5 * mpmath.log1p(x)), (1e-300, 1e-9, 2.0)),
        ("log(x + sqrt(x**2 + 1))", mpmath.asinh, (1e-200, 1e-3, 1e8)),
        ("arctan(x + 1) - arctan(x)", lambda x: mpmath.atan(1 / (1 + x * (x + 1))), (1.0, 1e8)),
        ("pi/2 - arctan(x)", lambda x: mpmath.atan(1 / x), (0.5, 1e15)),
        ("arccos(1 - x)", lambda x: 2 * mpmath.asin(mpmath.sqrt(x / 2)), (1e-250, 1e-9, 0.5)),
    ],
)
def test_what_cancels_is_rewritten(formula, oracle, points):
    f = dv.parse(formula, x=", positive" if min(points) > 0 else "")
    g = dv.grad(f, "x")
    with mpmath.workdps(400):
        for x in points:
            step = mpmath.mpf(abs(x)) * mpmath.mpf(10) ** -60
            value, slope = oracle(mpmath.mpf(x)), mpmath.diff(oracle, mpmath.mpf(x), h=step)
            assert f(x) == pytest.approx(float(value), rel=1e-14)
            assert g(x) == pytest.approx(float(slope), rel=1e-13)


def test_differences_over_an_interval():
    f = dv.parse("erf(a + h) - erf(a)", a="", h=", positive")
    g = dv.trace(lambda a, h: np.cos(a + h) - np.cos(a), a="", h="")
    with mpmath.workdps(60):
        for a, h in ((0.0, 1e-10), (3.0, 1e-5), (-4.0, 0.3), (2.0, 5.0), (-6.0, 3.0), (-1.0, 2.5)):
            b = mpmath.mpf(a) + mpmath.mpf(h)
            wanted = mpmath.erfc(a) - mpmath.erfc(b) if a > 0 else mpmath.erf(b) - mpmath.erf(a)
            assert f(a, h) == pytest.approx(float(wanted), rel=1e-13)
            assert g(a, h) == pytest.approx(float(mpmath.cos(b) - mpmath.cos(a)), rel=1e-14)


def test_derivatives_of_differences_are_differences_of_derivatives():
    f = dv.parse("1/(1 + exp(-a - h)) - 1/(1 + exp(-a))", a="", h=", positive")
    ga, gh = dv.grad(f)(1e-9, 1e-10)
    with mpmath.workdps(60):

        def slope(x):
            return mpmath.sech(x / 2) ** 2 / 4

        a, h = mpmath.mpf(1e-9), mpmath.mpf(1e-10)
        assert ga == pytest.approx(float(slope(a + h) - slope(a)), rel=1e-14)
        assert gh == pytest.approx(float(slope(a + h)), rel=1e-15)


def test_fractions_whose_terms_cancel():
    gx, gy = dv.grad(dv.parse("(x - y)/(x + y)", x=", positive", y=", positive"))(1e-9, 1e9)
    assert (gx, gy) == pytest.approx((2e-9, -2e-27), rel=1e-14)
