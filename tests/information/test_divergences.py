"""Entropies and divergences of laws of numbers, against SciPy and the published closed forms."""

import numpy as np
import pytest
from scipy import stats

import derive as dv
from derive.errors import DomainError, SpecError, UnknownName
from derive.information import divergence
from derive.information.limited import limited


class TestNormal:
    def test_two_normals(self):
        r = dv.kl("normal(mu1, sigma1^2)", "normal(mu2, sigma2^2)")
        assert r.formula == "log(sigma2 / sigma1) + (sigma1² + (mu1 − mu2)²) / (2 sigma2²) − 1 / 2"
        assert r.function.inputs == ("mu1", "sigma1", "mu2", "sigma2")
        assert r(1, 2, 0, 1) == pytest.approx(1.306853, abs=1e-6)
        assert "for sigma1, sigma2 > 0" in r.note
        assert any("Bregman" in line for line in r.steps)

    def test_it_is_proved_to_be_the_published_one(self):
        r = dv.kl("normal(mu, s^2)", "normal(0, 1)", s=", positive")
        published = dv.parse("(mu^2 + s^2 - 1)/2 - log(s)", mu="", s=", positive")
        assert dv.verify(r.function, published).status == "PROVED"
        assert r.note == ""

    def test_gradient_compiled_and_emitted(self):
        f = dv.kl("normal(mu1, v1)", "normal(mu2, v2)").function
        g = dv.grad(f, "mu1")
        assert str(g) == "gmu1 = (mu1 − mu2) / v2"
        assert g.compile()(1.0, 2.0, 0.5, 4.0) == pytest.approx(0.125)
        assert "def kl" in f.emit("torch")

    def test_differential_entropy_may_be_negative(self):
        r = dv.entropy("normal(0, s^2)")
        assert r(1.0) == pytest.approx(1.418939, abs=1e-6)
        assert r(0.1) == pytest.approx(-0.883647, abs=1e-6)

    def test_kl_is_cross_entropy_minus_entropy(self):
        names = {"a": "", "s": ", positive", "b": "", "t": ", positive"}
        p, q = "normal(a, s^2)", "normal(b, t^2)"
        kl, cross, own = dv.kl(p, q, **names), dv.cross_entropy(p, q, **names), dv.entropy(p, **names)
        difference = dv.trace(lambda a, s, b, t: cross(a, s, b, t) - own(s), **names)
        assert dv.verify(kl.function, difference).status == "PROVED"


@pytest.mark.parametrize(
    ("p", "q", "point", "truth"),
    [
        ("laplace(m1, b1)", "laplace(m2, b2)", (0.3, 1.2, -0.5, 0.7), (stats.laplace(0.3, 1.2), stats.laplace(-0.5, 0.7))),
        ("laplace(0, b)", "laplace(1, c)", (0.7, 1.2), (stats.laplace(0, 0.7), stats.laplace(1, 1.2))),
        ("normal(m, s^2)", "laplace(c, b)", (0.3, 1.2, -0.5, 0.7), (stats.norm(0.3, 1.2), stats.laplace(-0.5, 0.7))),
        ("laplace(c, b)", "normal(m, s^2)", (0.3, 1.2, -0.5, 0.7), (stats.laplace(0.3, 1.2), stats.norm(-0.5, 0.7))),
        ("gamma(a, b)", "gamma(c, d)", (0.6, 1.2, 1.5, 0.7), (stats.gamma(0.6, scale=1 / 1.2), stats.gamma(1.5, scale=1 / 0.7))),
        ("beta(a, b)", "uniform(0, 1)", (0.6, 2.5), (stats.beta(0.6, 2.5), stats.uniform())),
        ("gamma(3, b)", "inverse_gaussian(m, s)", (0.85, 1.1, 2.1), (stats.gamma(3, scale=1 / 0.85), stats.invgauss(1.1 / 2.1, scale=2.1))),
        ("exponential(r)", "gamma(a, b)", (0.6, 1.5, 0.7), (stats.expon(scale=1 / 0.6), stats.gamma(1.5, scale=1 / 0.7))),
    ],
)  # fmt: skip
def test_against_scipy_expectations(p, q, point, truth):
    """SciPy integrates its own densities: no code is shared with the derivation nor with its check."""
    found = dv.kl(p, q)
    own, other = truth
    low, high = own.ppf([1e-12, 1 - 1e-12])
    mean = own.expect(lambda x: own.logpdf(x) - other.logpdf(x), lb=low, ub=high)
    assert found.function is not None
    assert found(*point) == pytest.approx(mean, rel=1e-6)


def test_two_cauchy_laws():
    """Chyzak and Nielsen (2019): symmetric in the two laws."""
    found = dv.kl("cauchy(m1, s1)", "cauchy(m2, s2)")
    assert found(0.3, 0.5, -1.0, 2.0) == pytest.approx(np.log((2.5**2 + 1.3**2) / (4 * 0.5 * 2.0)))
    assert any("half-plane" in line for line in found.steps)


class TestCounts:
    def test_bernoulli_both_ways(self):
        r = dv.kl("bernoulli(p)", "bernoulli(q)")
        assert r(0.9, 0.5) == pytest.approx(0.368064, abs=1e-6)
        assert r(0.5, 0.9) == pytest.approx(0.510826, abs=1e-6)

    def test_poisson(self):
        assert dv.kl("poisson(a)", "poisson(b)").formula == "a log(a / b) + b − a"

    def test_without_closed_form(self):
        r = dv.entropy("poisson(lam)")
        assert r.function is None and r.formula == ""
        assert "no closed form" in r.note and "E log(x!)" in r.note
        value = r.at(lam=3.0)
        assert value.value == pytest.approx(float(stats.poisson(3).entropy()), abs=1e-9)
        assert 0 < value.error < 1e-10
        assert r(lam=3.0) == value.value


class TestSupport:
    def test_whole_numbers_under_a_density(self):
        r = dv.kl("poisson(a)", "normal(0, 1)")
        assert r.formula == "∞" and "whole numbers" in r.note

    def test_negative_numbers_under_a_law_of_positive_ones(self):
        r = dv.kl("normal(0, 1)", "gamma(a, b)")
        assert r.formula == "∞" and "(−∞, ∞)" in r.note
        assert dv.kl("gamma(a, b)", "normal(0, 1)").function(2.0, 3.0) < np.inf


class TestBadInput:
    def test_variance(self):
        with pytest.raises(DomainError, match="variance of normal must be positive; found -1"):
            dv.kl("normal(0, 1)", "normal(0, -1)")

    def test_variance_at_some_values(self):
        with pytest.raises(DomainError, match=r"1 - s is -.* where s = "):
            dv.entropy("normal(0, 1 - s)")

    def test_names(self):
        with pytest.raises(UnknownName, match="did you mean 'normal'"):
            dv.entropy("nrmal(0, 1)")
        with pytest.raises(UnknownName, match="no parameter 'sgma'; did you mean 'sigma'"):
            dv.entropy("normal(0, sgma=1)")
        with pytest.raises(SpecError, match="variance is missing"):
            dv.entropy("normal(0)")

    def test_code_is_no_parameter(self):
        with pytest.raises(SpecError):
            dv.entropy("normal(0, __import__('os').getpid())")

    def test_values_of_a_quadrature(self):
        with pytest.raises(UnknownName, match="needs a value of lam"):
            dv.entropy("poisson(lam)").at()


def test_a_wrong_form_is_not_returned(monkeypatch):
    """The gate: a derivation with an error gives no closed form."""
    right = divergence.mean_of
    monkeypatch.setattr(divergence, "mean_of", lambda *args: right(*args) * 1.001)
    assert dv.kl("laplace(0, 1)", "normal(m, 2)").function is None


def test_time_limit():
    def forever():
        def f(n):
            return 0 if n == 0 else f(n - 1)

        while True:
            f(10)

    assert limited(forever, 20_000) is None
    assert limited(lambda: 3, 20_000) == 3
