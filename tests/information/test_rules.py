"""How means are found: by scores, by powers, by exponents; and the forms of exponential families."""

import numpy as np
import pytest
import sympy
from scipy import integrate, special, stats

import derive as dv
from derive.distributions import Distribution, distributions
from derive.information.family import exponential_family, terms_of
from derive.information.laws import read_law, scalar_law
from derive.information.means import by_euler, by_exponent, by_scores
from derive.information.quadrature import mean_at

x = sympy.Symbol("x", real=True)


def test_terms_keep_what_stands_in_a_function():
    m, s = sympy.symbols("m s", positive=True)
    terms = dict((t, c) for c, t in terms_of(m * sympy.log(1 + (x - m) ** 2 / s) - 2 * x * m, x))
    assert terms == {sympy.log(1 + (x - m) ** 2 / s): m, x: -2 * m}


def test_a_maximum_is_an_absolute_value():
    (c, t), *_ = [(c, t) for c, t in terms_of(sympy.Max(x, 0), x) if t != x]
    assert c == sympy.Rational(1, 2) and str(t) == "Absolute(x)"


def test_student_t_with_fixed_freedom_is_no_exponential_family():
    nu = sympy.Symbol("nu", positive=True)
    assert exponential_family(-(nu + 1) / 2 * sympy.log(1 + x**2 / nu), x, [nu]) is None


@pytest.mark.parametrize(
    ("law", "statistic", "truth"),
    [
        ("gumbel(0, 1)", sympy.exp(-x), 1.0),
        ("laplace(0, 3)", sympy.Abs(x), 3.0),
        ("student_t(0, 1, 5)", sympy.log(1 + x**2 / 5), special.digamma(3) - special.digamma(2.5)),
    ],
)
def test_by_scores(law, statistic, truth):
    assert float(by_scores(statistic, x, scalar_law(read_law(law), {}))) == pytest.approx(truth)


@pytest.mark.parametrize(
    ("law", "statistic", "truth"),
    [
        ("logistic(0, 1)", x**2, np.pi**2 / 3),
        ("student_t(0, 1, 5)", 1 / (5 + x**2), 1 / 6),
        ("beta(2, 3)", sympy.log(x) * sympy.log(1 - x), None),
        ("inverse_gamma(2, 3)", sympy.log(x) / x, None),
    ],
)
def test_by_euler(law, statistic, truth):
    scalar = scalar_law(read_law(law), {})
    found = float(by_euler(statistic.xreplace({x: scalar.variable}), scalar.variable, scalar))
    assert found == pytest.approx(truth or mean_at(statistic, x, scalar, {}).value, rel=1e-9)


@pytest.mark.parametrize(
    ("law", "statistic"),
    [
        ("laplace(0, b)", sympy.Abs(x - 1)),  # a gamma variable is not below 1
        ("cauchy(0, 1)", x**2),
        ("student_t(0, 1, nu)", x**2),  # finite only for more than 2 degrees of freedom
        ("gamma(a, 1)", 1 / x),
    ],
)
def test_by_euler_gives_no_mean_that_may_be_wrong_or_infinite(law, statistic):
    scalar = scalar_law(read_law(law), {})
    assert by_euler(statistic.xreplace({x: scalar.variable}), scalar.variable, scalar) is None


def test_by_exponent():
    found = by_exponent(sympy.log(1 + x**2), x, scalar_law(read_law("cauchy(0, 1)"), {}))
    assert float(found) == pytest.approx(2 * np.log(2))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("cauchy(m, s)", lambda m, s: stats.cauchy(m, s)),
        ("gumbel(m, s)", lambda m, s: stats.gumbel_r(m, s)),
        ("weibull(s, k)", lambda k, s: stats.weibull_min(k, scale=s)),
        ("von_mises(m, k)", lambda k, m: stats.vonmises(k, m)),
        ("student_t(0, 1, n)", lambda n: stats.t(n)),
    ],
)
def test_entropies_of_scipy(text, reference):
    """SciPy's own entropies, which have closed forms of their own or are integrated there."""
    found = dv.entropy(text)
    assert found.function is not None, found
    point = dict(zip(sorted(found._names), (1.7, 0.6), strict=False))
    names = {k: point[k] for k in found.function.inputs}
    assert found(**names) == pytest.approx(float(reference(**point).entropy()), rel=1e-7)


def test_quadrature_of_heavy_tails():
    """The mass of t with 0.86 degrees of freedom beyond 1e9 is not lost."""
    law = scalar_law(read_law("student_t(0, 1, 0.86)"), {})
    found = mean_at(sympy.log(1 + x**2), x, law, {})
    truth = integrate.quad(
        lambda t: 2 * stats.t(0.86).pdf(np.exp(t)) * np.exp(t) * np.log1p(np.exp(2 * t)), -200, 300, limit=500
    )[0]
    assert found.value == pytest.approx(truth, rel=1e-9)
    assert found.error < 1e-9


@pytest.mark.parametrize(
    "record", [d for d in distributions() if isinstance(d, Distribution)], ids=lambda d: d.name
)
def test_every_law_from_itself(record, request):
    """With ``--programs 100``: the divergence of each law from one of its own family, checked before it is returned."""
    if request.config.getoption("--programs") <= 60 and record.name not in ("poisson", "weibull"):
        pytest.skip("a long search; run with --programs 100")
    letters = ["abcdef"[k] for k in range(len(record.parameters))]
    first, second = (f"{record.name}({', '.join(f'{c}{n}' for c in letters)})" for n in (1, 2))
    found = dv.kl(first, second)
    assert found.function is not None or "no closed form" in found.note or "infinite" in found.note
