"""Sums of fractions over one denominator, and quotients before products."""

import mpmath
import numpy as np
import pytest

import derive as dv
from derive.ops.elementwise.arithmetic import quotient

GRADIENTS = {
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, [-1e10, -3.0, 0.0, 1e12]),
    "hill": (lambda x: x**2 / (1 + x**2), lambda x: 2 * x / (1 + x**2) ** 2, [-1e9, 1e-9, 1e10]),
    "x / (2 + |x|)": (lambda x: x / (2 + np.abs(x)), lambda x: 2 / (2 + abs(x)) ** 2, [-1e11, 1e10]),
}
HESSIANS = {
    "softsign": (
        GRADIENTS["softsign"][0],
        lambda x: -2 * mpmath.sign(x) / (1 + abs(x)) ** 3,
        [-1e10, 2.0, 1e9],
    ),
    "hill": (GRADIENTS["hill"][0], lambda x: 2 * (1 - 3 * x**2) / (1 + x**2) ** 3, [-1e9, 0.1, 1e10]),
    "root": (lambda x: np.sqrt(1 + x**2), lambda x: 1 / mpmath.sqrt(1 + x**2) ** 3, [-1e9, 0.1, 1e8]),
}


@pytest.mark.parametrize(("order", "name"), [(1, n) for n in GRADIENTS] + [(2, n) for n in HESSIANS])
def test_what_cancels_above_is_gone(order, name):
    formula, exact, points = (GRADIENTS if order == 1 else HESSIANS)[name]
    f = dv.trace(formula, x="")
    f = dv.grad(f) if order == 1 else dv.hessian(f)
    for x in points:
        with mpmath.workdps(60):
            right = float(exact(mpmath.mpf(x)))
        assert float(f(x)) == pytest.approx(right, rel=1e-13), x
        assert float(f.compile()(x)) == pytest.approx(right, rel=1e-13), x


def test_an_ordinary_difference_of_fractions_stays():
    f = dv.trace(lambda a, b, c, d: a / b - c / d, a="", b="", c="", d="")
    assert f.stable is f.presented


def heads(f):
    return [q for e in f.stable.equations for q in e.body.atoms(quotient)]


@pytest.mark.parametrize("s", [1e-300, 1e-200, 1.0, 1e300])
def test_comparable_numbers_are_divided_first(s):
    relative = dv.grad(dv.trace(lambda x, y: (x - y) / (x + y), x="", y=""))
    assert heads(relative)
    for run in (relative, relative.compile()):
        gx, gy = run(3 * s, s)
        assert float(gx) == pytest.approx(0.125 / s, rel=1e-14)
        assert float(gy) == pytest.approx(-0.375 / s, rel=1e-14)


def test_a_harmonic_mean_of_tiny_numbers_has_a_gradient():
    g = dv.grad(dv.trace(lambda x: 1 / np.mean(1 / x), x="n"))
    x = np.array([1e-300, 2e-300, 4e-300])
    for run in (g, g.compile()):
        np.testing.assert_allclose(
            run(x), 3 / (1 + 0.5 + 0.25) ** 2 * np.array([1, 0.25, 0.0625]), rtol=1e-13
        )


def test_numbers_with_nothing_in_common_are_divided_as_before():
    g = dv.grad(dv.trace(lambda x, m, s: np.sum((x - m) ** 2 / (2 * s**2)), x="n", m="n", s="n"))
    assert not heads(g)


def test_derivatives_of_roots_are_products():
    """sqrt(1 + x^2) has the slopes x / r and 1 / r^3, r the root, also where x^2 / d^2 underflows."""
    loss = dv.trace(lambda x, d: d**2 * (np.sqrt(1 + (x / d) ** 2) - 1), x="", d="")
    g = dv.grad(loss)
    for x, d in ((-4.6e-98, 1.159), (1e4, 1e-3), (0.3, 2.0)):
        with mpmath.workdps(700):
            u = (mpmath.mpf(x) / mpmath.mpf(d)) ** 2
            s = mpmath.sqrt(1 + u)
            right = [float(mpmath.mpf(x) / s), float(mpmath.mpf(d) * (s - 1) ** 2 / s)]
        np.testing.assert_allclose([float(v) for v in g(x, d)], right, rtol=1e-13)


def test_directions_of_vectors_that_are_nearly_axes():
    g = dv.jacobian(dv.trace(lambda x: x / np.sqrt(np.sum(x**2)), x="n"))
    x = np.array([-1e-60, 3e-30, 0.0, -0.5])
    for run in (g, g.compile()):
        found = run(x)
        assert found[3, 3] == pytest.approx(2 * (3e-30) ** 2 / 0.25, rel=1e-12)
        np.testing.assert_allclose(np.diag(found)[:3], 2.0, rtol=1e-13)
    equal = run(np.array([2.0, 2.0, 0.0]))
    np.testing.assert_allclose(np.diag(equal), np.array([0.5, 0.5, 1.0]) / np.sqrt(8), rtol=1e-14)
