"""Programs that are run: right at extreme inputs, where the formula is not; equal elsewhere; printed as written."""

import mpmath
import numpy as np
import pytest
from scipy import special

import derive as dv
from derive.ir.check import check_program
from derive.rewrite.stable.stabilise import stabilise

Z = np.array([1000.0, -3000.0, 999.0])


def softmax(z):
    return np.exp(z) / np.sum(np.exp(z))


def test_softmax_in_one_equation_and_over_rows():
    assert np.allclose(dv.trace(softmax, z="n")(Z), special.softmax(Z), rtol=1e-15)
    rows = dv.trace(lambda z: np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True), z="b n")
    assert np.allclose(rows(np.stack([Z, -Z])), special.softmax(np.stack([Z, -Z]), axis=1), rtol=1e-15)
    columns = dv.trace(lambda z: np.exp(z) / np.sum(np.exp(z), axis=0), z="b n")
    assert np.allclose(columns(np.stack([Z, -Z])), special.softmax(np.stack([Z, -Z]), axis=0), rtol=1e-15)


def test_log_sum_exp_with_weights_and_temperature():
    f = dv.trace(
        lambda z, w, T: T * np.log(np.sum(w * np.exp(z / T))), z="n", w="n, positive", T=", positive"
    )
    w = np.array([1.0, 2.0, 3.0])
    want = 0.5 * special.logsumexp(Z / 0.5, b=w)
    assert np.isclose(f(Z, w, 0.5), want, rtol=1e-15)
    assert np.isclose(f.compile()(Z, w, 0.5), want, rtol=1e-15)


def test_a_shift_of_the_user_stays_and_is_not_doubled():
    f = dv.trace(lambda z: np.exp(z - np.max(z)) / np.sum(np.exp(z - np.max(z))), z="n")
    assert f.stable is f.presented
    g = dv.trace(lambda z, T: np.log(np.sum(np.exp((z - np.max(z)) / T))), z="n", T="")
    assert not [e for e in g.stable.equations if e.reduce == "max"][1:]


@pytest.mark.parametrize("z", [[np.inf, 0.0], [-np.inf, -np.inf], [np.nan, 0.0], [-np.inf, 1.0]])
def test_infinities_go_through_as_in_the_formula(z):
    f = dv.trace(lambda z: np.log(np.sum(np.exp(z))), z="n")
    with np.errstate(divide="ignore"):
        assert np.array_equal(f(z), np.log(np.sum(np.exp(np.array(z)))), equal_nan=True)


def test_cross_entropy_is_printed_as_written_and_run_stably():
    f = dv.trace(lambda z, y: -np.sum(y * np.log(softmax(z))), z="n", y="n")
    assert "log(softmax(z))" in str(f)
    y = np.array([0.2, 0.3, 0.5])
    assert np.isclose(f(Z, y), -np.sum(y * special.log_softmax(Z)), rtol=1e-15)
    g = dv.grad(f, "z")
    assert np.allclose(g(Z, y), special.softmax(Z) - y, rtol=1e-15)
    for function in (f, g, dv.hessian(f, "z")):
        check_program(function.stable)
    assert dv.check(g).passed and dv.check(g.compile()).passed


def test_log_softmax_keeps_its_digits_where_one_entry_is_nearly_everything():
    f = dv.trace(lambda z: np.log(softmax(z)), z="n")
    z = np.array([10000.0, 9950.0, -10000.0])
    want = -mpmath.log1p(mpmath.exp(-50) + mpmath.exp(-20000))
    assert abs(f(z)[0] / float(want) - 1) < 1e-15


def test_curvature_of_log_sum_exp_where_one_entry_is_nearly_everything():
    h = dv.hessian(dv.trace(lambda z: np.log(np.sum(np.exp(z))), z="n"), "z")
    found = h(np.array([0.0, -40.0, -50.0]))
    rest = np.exp(-40.0) + np.exp(-50.0)
    assert np.isclose(found[0, 0], rest / (1 + rest) ** 2, rtol=1e-14)
    assert np.isclose(found[0, 1], -np.exp(-40.0) / (1 + rest) ** 2, rtol=1e-14)


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (lambda x: np.sin(x) / x, lambda x: mpmath.sinc(x)),
        (lambda x: x - np.sin(x), lambda x: x - mpmath.sin(x)),
        (lambda x: (1 - np.cos(x)) / x**2, lambda x: (1 - mpmath.cos(x)) / x**2 if x else mpmath.mpf(1) / 2),
        (lambda x: np.tanh(x) / x, lambda x: mpmath.tanh(x) / x if x else mpmath.mpf(1)),
    ],
)
def test_functions_of_one_variable_near_zero(f, exact):
    g = dv.trace(f, x="n")
    x = np.array([0.0, 1e-9, -1e-5, 1e-3, 0.7, 3.0])
    with mpmath.workdps(60):
        want = np.array([float(exact(mpmath.mpf(v))) for v in x])
    assert np.allclose(g(x), want, rtol=2e-15, atol=0)
    assert np.allclose(g.compile()(x), want, rtol=2e-15, atol=0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * x) / 2,
        lambda x: np.sum(np.maximum(x, 0.0)),
        lambda x: np.mean(x) + np.sum(np.exp(-x)),
        lambda x: np.sum(np.tanh(x)),
    ],
)
def test_what_is_stable_stays_as_it_is(f):
    g = dv.trace(f, x="n")
    assert g.stable is g.presented


def test_rules_that_fired_are_told():
    program = dv.trace(lambda x: np.log(1 / (1 + np.exp(-x))), x="n").presented
    found = stabilise(program)
    assert [f.rule for f in found.fired] == ["log of a product"]
    assert found.fired[0].tensor == "Y"


def test_an_epsilon_of_the_user_stays():
    f = dv.trace(lambda p: -np.log(p + 1e-10), p="")
    assert np.isclose(f(0.0), 23.025850929940457, rtol=1e-15)
