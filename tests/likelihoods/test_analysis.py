"""What is derived of a law: information, exponential family, estimates, against integrals of SciPy's laws and samples."""

from functools import cache

import numpy as np
import pytest
import sympy

import derive as dv
from derive.errors import DomainError, UnknownName
from derive.information.quadrature import numeric
from derive.ir.facts import spec
from derive.likelihoods.expectation import Expectation
from derive.likelihoods.law import law_of
from derive.likelihoods.logarithms import in_terms
from derive.likelihoods.scalars import read as read_of
from derive.likelihoods.textbook import _forms
from derive.ops.elementwise.exponential import sigmoid, softplus
from derive.ops.elementwise.piecewise import Absolute

POINT = {"positive": 1.75, "probability": 0.375, "real": -0.5, "integer": 6.0}
LAWS = ["bernoulli", "binomial", "poisson", "geometric", "normal", "laplace", "gamma", "exponential", "inverse gamma",
        "inverse gaussian", "log-normal", "beta", "half-normal", "von mises"]  # fmt: skip
"""Laws whose information has a closed form: those of the table in the page."""

SUBSTITUTED = ["student t", "cauchy", "logistic", "gumbel", "weibull", "hyperbolic secant", "half-cauchy",
               "zero-inflated poisson"]  # fmt: skip
"""Laws that are no exponential family in all parameters."""


@cache
def loss_of(name):
    return dv.likelihood(name)


def at_point(law):
    """A value for each parameter that the law is spoken of with, and SciPy's law there."""
    values = {}
    for read in law.free.values() if law.record.name == "gamma" else law.given.values():
        facts = read.tensor.facts
        word = (
            "integer"
            if read.is_integer
            else next((f for f in ("probability", "positive") if f in facts), "real")
        )
        values[read] = sympy.Float(POINT[word])
    own = [float(law.in_given(p).xreplace(values)) for p in law.own.values()]
    return values, law.record.reference(*own)


def number(expr, values, y=None, at=None):
    return float(compiled(expr, values, y)(0.0 if at is None else at))


def compiled(expr, values, y):
    x = sympy.Symbol("x", real=True)
    expr = expr.replace(softplus, lambda u: sympy.log(1 + sympy.exp(u))).replace(
        sigmoid, lambda u: 1 / (1 + sympy.exp(-u))
    )
    return numeric(expr.xreplace({**values, **({} if y is None else {y: x})}), x)


def expected(frozen, expr, values, y, power=1):
    f = compiled(expr, values, y)
    return frozen.expect(lambda t: np.asarray(f(np.asarray(t, float)), float)[()] ** power)


@pytest.mark.parametrize("name", LAWS)
def test_expected_information_is_the_variance_of_the_score(name):
    loss = dv.likelihood(name)
    law = loss.law
    found = loss.information_of_parameters
    values, frozen = at_point(law)
    if "trials" in law.own:
        values[law.own["trials"]] = sympy.Integer(6)
    assert found.expected is not None
    for j, score in enumerate(found.score):
        variance = expected(frozen, score, values, law.y, 2)
        assert number(found.expected[j][j], values) == pytest.approx(variance, rel=1e-5)
        mean = expected(frozen, score, values, law.y)
        assert mean == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", SUBSTITUTED)
def test_informations_in_closed_form_are_what_quadrature_gives(name):
    found = loss_of(name).information_of_parameters
    point = {n: 0.375 if "probability" in r.tensor.facts else 0.75 for n, r in zip(found.names, found.reads, strict=True)}
    values = {r: sympy.Float(point[n]) for n, r in zip(found.names, found.reads, strict=True)}
    closed = [[number(e, values) for e in row] for row in found.expected]
    np.testing.assert_allclose(closed, found.expected_at(**point), rtol=1e-9, atol=1e-12)


def test_information_of_student_t_as_in_the_literature():
    """Lange, Little and Taylor (1989), JASA 84, p. 893."""
    (of_location, *zeros), (_, of_scale, both), (*_, of_freedom) = loss_of(
        "student t"
    ).information_of_parameters.expected
    assert [str(of_location), zeros, str(of_scale), str(both)] == [
        "(freedom + 1)/(scale**2*(freedom + 3))", [0, 0], "2*freedom/(scale**2*(freedom + 3))",
        "-2/(scale*(freedom + 1)*(freedom + 3))",
    ]  # fmt: skip
    assert str(of_freedom).endswith("- (freedom + 5)/(2*freedom*(freedom + 1)*(freedom + 3))")


@pytest.mark.parametrize(
    ("name", "point"),
    [("negative binomial", {"z": 0.25, "dispersion": 0.75}), ("huber", {"z": 0, "scale": 1.5, "threshold": 1.25})],
)
def test_informations_without_a_closed_form_are_numbers(name, point):
    """The variance of the score over draws of SciPy's law."""
    loss = dv.likelihood(name)
    law, found = loss.law, loss.information
    assert found.expected is None
    matrix = found.expected_at(**point)
    own = {p: sympy.Float(v) for p, v in zip(law.own.values(), point.values(), strict=True)}
    values = {r: sympy.Float(point[str(r)]) for r in found.inputs}
    if name == "negative binomial":
        own[law.own["mean"]] = sympy.exp(own[law.own["mean"]])
    frozen = law.record.reference(*map(float, own.values()))
    for j, score in enumerate(found.score):
        f = compiled(score, values, law.y)
        y = np.arange(400) if law.density.whole else np.linspace(-60, 60, 60_001)
        weight = frozen.pmf(y) if law.density.whole else frozen.pdf(y) * 2e-3
        assert np.sum(weight * f(y.astype(float)) ** 2) == pytest.approx(matrix[j][j], rel=1e-5)


def test_numbers_outside_of_their_domain_are_refused():
    found = dv.likelihood("negative binomial").information
    with pytest.raises(DomainError, match="dispersion has no value"):
        found.expected_at(z=0.0)
    with pytest.raises(DomainError, match="must be positive; found -1"):
        found.expected_at(z=0.0, dispersion=-1.0)
    with pytest.raises(UnknownName, match="dispersion"):
        found.expected_at(z=0.0, dispersion=1.0, dispersal=1.0)
    with pytest.raises(DomainError, match="support depends"):
        dv.likelihood("uniform").information.expected_at(z=0.0, high=1.0)


def test_forms_of_a_textbook_are_equal():
    """SymPy's `collect` takes 1/x for a power of exp(x); the forms do not."""
    x, y = (read_of(spec("", "positive").tensor(n)) for n in "xy")
    e = (1 - sympy.exp(-x)) * sympy.log(y) + sympy.exp(-x) * sympy.log(1 + x) + y / x - x * sympy.exp(x)
    at = {x: sympy.Rational(7, 10), y: sympy.Rational(3, 10)}
    for form in _forms(in_terms(e)):
        assert sympy.N((form - e).xreplace(at)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", [n for n in LAWS if n not in ("laplace", "asymmetric laplace", "von mises")])
def test_exponential_family_is_the_law(name):
    loss = dv.likelihood(name)
    law, family = loss.law, loss.exponential_family
    values, frozen = at_point(law)
    eta = {n: sympy.Float(number(e, values)) for n, e in zip(family.names, family.natural, strict=True)}
    for y in frozen.rvs(size=4, random_state=np.random.default_rng(0)):
        terms = [
            e * number(t, values, law.y, y) for e, t in zip(eta.values(), family.statistics, strict=True)
        ]
        whole = (
            float(sum(terms)) - number(family.log_partition, values) + number(family.base, values, law.y, y)
        )
        log = frozen.logpmf(y) if law.density.whole else frozen.logpdf(y)
        assert whole == pytest.approx(float(log), rel=1e-9)
    if family.partition is None:
        return
    assert number(family.partition, {**values, **eta}) == pytest.approx(
        number(family.log_partition, values), rel=1e-9
    )
    for k, statistic in enumerate(family.statistics):
        mean = expected(frozen, statistic, values, law.y)
        assert number(family.means[k], {**values, **eta}) == pytest.approx(mean, rel=1e-5)
        square = expected(frozen, statistic, values, law.y, 2)
        assert number(family.covariances[k][k], {**values, **eta}) == pytest.approx(
            square - mean**2, rel=1e-4
        )


def test_laws_that_are_no_exponential_family():
    for name in ("laplace", "cauchy", "student t", "uniform"):
        assert dv.likelihood(name).exponential_family is None


@pytest.mark.parametrize(
    "name",
    [*(n for n in LAWS if n not in ("inverse gamma", "beta", "von mises", "asymmetric laplace")), "uniform"],
)
def test_closed_estimates_are_maxima(name):
    """No parameter moved alone makes the observations likelier, and the estimate is no corner of our making."""
    loss = dv.likelihood(name, **({"shape": 2} if name == "gamma" else {}))
    law, found, record = loss.law, loss.mle, loss.law.record
    values, frozen = at_point(law)
    y = (
        frozen.rvs(size=60, random_state=np.random.default_rng(1))
        if record.name != "uniform"
        else np.linspace(-1, 2, 60)
    )
    fixed = {r: v for r, v in values.items() if r not in law.free.values()}
    closed = {str(e.parameter): e for e in found.estimates if e.value is not None}
    assert found.closed and closed
    estimates = found(y, **{str(r): float(v) for r, v in fixed.items()})
    best = {law.given[n]: sympy.Float(v) for n, v in estimates.items()} | fixed

    def nll(point):
        own = [float(law.in_given(p).xreplace(point)) for p in law.own.values()]
        reference = record.reference(*own)
        return -float(np.sum(reference.logpmf(y) if record.discrete else reference.logpdf(y)))

    for parameter in closed:
        read = law.given[parameter]
        for step in (-1e-3, 1e-3):
            moved = {**best, read: best[read] * (1 + step) + (step if best[read] == 0 else 0)}
            assert nll(moved) >= nll(best) - 1e-9


def test_estimates_of_the_normal_law_for_a_hundred_draws():
    """Mean and biased standard deviation, with the second derivative there negative."""
    y = np.random.RandomState(42).normal(5, 2, 100)
    found = dv.likelihood("normal", sigma="learned").mle
    values = found(y)
    assert values == pytest.approx({"mean": 4.7923, "sigma": 1.8072}, abs=1e-4)
    assert values["sigma"] == pytest.approx(np.std(y, ddof=0), rel=1e-12)
    assert all(e.second.is_negative for e in found.estimates)
    for name, value in (("variance", np.var(y)), ("precision", 1 / np.var(y))):
        assert dv.likelihood("normal", **{name: "learned"}).mle(y)[name] == pytest.approx(value, rel=1e-12)


def test_means_follow_from_the_scores():
    """E log y of a gamma law and E |y - m| of a Laplace law, without an integral."""
    gamma = law_of(dv.likelihood("gamma").setting)
    shape, rate = gamma.own.values()
    assert Expectation(gamma)(sympy.log(gamma.y)) == sympy.polygamma(0, shape) - sympy.log(rate)
    laplace = law_of(dv.likelihood("laplace").setting)
    mean, scale = laplace.own.values()
    assert Expectation(laplace)(Absolute(laplace.y - mean)) == scale


@pytest.mark.parametrize(
    ("density", "link", "given", "status"),
    [
        ("bernoulli", "logit", {}, "PROVED"),
        ("bernoulli", "probit", {}, "PROVED"),
        ("bernoulli", "cloglog", {}, "PROVED"),
        ("bernoulli", "loglog", {}, "PROVED"),
        ("bernoulli", "cauchit", {}, "REFUTED"),
        ("poisson", "log", {}, "PROVED"),
        ("poisson", "softplus", {}, "PROVED"),
        ("normal", {"mean": "identity", "sigma": "log"}, {}, "REFUTED"),
        ("gamma", "log", {}, "PROVED"),
        ("laplace", None, {}, "PROVED"),
        ("categorical", "softmax", {}, "PROVED"),
        ("cauchy", None, {"scale": 1}, "REFUTED"),
    ],
)
def test_convexity_in_the_raw_outputs(density, link, given, status):
    assert dv.likelihood(density, link, **given).convex.status == status


@pytest.mark.parametrize(
    ("density", "link", "natural", "used"),
    [
        ("bernoulli", "logit", "logit", True),
        ("bernoulli", "probit", "logit", False),
        ("poisson", "log", "log", True),
        ("gamma", "log", "reciprocal", False),
        ("normal", "identity", "identity", True),
        ("laplace", "identity", None, False),
    ],
)
def test_canonical_links(density, link, natural, used):
    (found,) = dv.likelihood(density, link).canonical
    assert (found.link.name if found else None) == natural
    assert (found.used if found else False) == used


def test_information_says_its_parametrisation():
    """Of sigma 2 / sigma^2, of log sigma 2, of the precision 1 / (2 tau^2)."""
    sigma, raw, precision = (
        dv.likelihood("normal", sigma="learned").information,
        dv.likelihood("normal", {"mean": "identity", "sigma": "log"}).information,
        dv.likelihood("normal", precision="learned").information,
    )
    assert (sigma.names[1], str(sigma.expected[1][1])) == ("sigma", "2/sigma**2")
    assert (raw.names[1], raw.expected[1][1]) == ("z_sigma", 2)
    assert (precision.names[1], str(precision.expected[1][1])) == ("precision", "1/(2*precision**2)")


def test_information_of_a_quantile():
    """q (1 - q) / s^2: the variance of the score, from the mean of the sign that the score has."""
    assert dv.likelihood("asymmetric laplace", quantile=0.9, scale=2).information.expected == (
        (sympy.Rational(9, 400),),
    )


def test_information_of_a_density_of_ones_own():
    """Only where a kink moves with both parameters the second derivative is no function."""
    (of_z, zero), (_, of_b) = dv.likelihood("exp(-abs(y-mu)/b)/(2*b)").information.expected
    assert (str(of_z), zero, str(of_b)) == ("b**(-2)", 0, "b**(-2)")
    logistic = dv.likelihood("exp(-(y-mu)/s)/(s*(1+exp(-(y-mu)/s))**2)", s="positive").information.expected
    assert [str(e) for row in logistic for e in row] == ["1/(3*s**2)", "0", "0", "(3 + pi**2)/(9*s**2)"]


def test_no_information_where_the_support_moves():
    assert dv.likelihood("uniform").information.expected is None


def test_fisher_is_a_function_of_many_examples():
    z = np.linspace(-2, 2, 5)
    loss = dv.likelihood("bernoulli")
    np.testing.assert_allclose(loss.fisher(z, np.ones(5)), 1 / (2 + np.exp(z) + np.exp(-z)), rtol=1e-12)
    blocks = dv.likelihood("normal", {"mean": "identity", "sigma": "log"}).fisher(z, z, z)
    assert np.shape(blocks[0][1]) == (5,) and np.allclose(blocks[1][1], 2)
