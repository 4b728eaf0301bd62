"""Expectations in claims: the textbook's are proved, wrong ones refuted, and values agree with quadrature and enumeration."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.distributions import Distribution, distributions
from derive.errors import ParseError, ShapeError, SpecError, UnknownName

Shapes = dict[str, str]
GAUSS = {"x": "n, normal(mu, Sigma)"}

TRUE: list[tuple[str, Shapes]] = [
    # multivariate normal
    ("expectation(x, x) == mu", GAUSS),
    ("expectation(A*x + b, x) == A*mu + b", {**GAUSS, "b": "m", "A": "m n"}),
    ("expectation((x - mu)*(x - mu)', x) == Sigma", GAUSS),
    ("expectation(x*x', x) == Sigma + mu*mu'", GAUSS),
    ("expectation(x'*A*x, x) == tr(A*Sigma) + mu'*A*mu", GAUSS),
    ("variance(a'*x, x) == a'*Sigma*a", {**GAUSS, "a": "n"}),
    ("covariance(x, x) == Sigma", GAUSS),
    ("covariance(A*x, B*x, x) == A*Sigma*B'", {**GAUSS, "A": "m n", "B": "p n"}),
    ("variance(x'*A*x, x) == 2*tr(A*Sigma*A*Sigma) + 4*mu'*A*Sigma*A*mu", {**GAUSS, "A": "n n, symmetric"}),
    ("expectation((a'*x)^4, x) == 3*(a'*S*a)^2", {"x": "n, normal(0, S)", "a": "n"}),
    ("expectation((x'*A*x)*(x'*B*x), x) == tr(A*S)*tr(B*S) + 2*tr(A*S*B*S)",
     {"x": "n, normal(0, S)", "A": "n n, symmetric", "B": "n n, symmetric"}),
    ("expectation(exp(a'*x), x) == exp(a'*mu + a'*Sigma*a/2)", {**GAUSS, "a": "n"}),
    ("expectation(x*exp(a'*x), x) == (mu + Sigma*a)*exp(a'*mu + a'*Sigma*a/2)", {**GAUSS, "a": "n"}),
    ("expectation((x - mu)*exp(a'*x), x) == Sigma*expectation(grad(exp(a'*x), x), x)", {**GAUSS, "a": "n"}),
    ("grad(expectation(exp(a'*x), x), mu) == expectation(grad(exp(a'*x), x), x)", {**GAUSS, "a": "n"}),
    ("expectation(norm2(x - mu)^2, x) == tr(Sigma)", GAUSS),
    ("expectation(x'*inv(Sigma)*x, x) == n + mu'*inv(Sigma)*mu", {**GAUSS, "Sigma": "n n, positive definite"}),
    ("expectation(cos(a'*x), x) == exp(-a'*Sigma*a/2)*cos(a'*mu)", {**GAUSS, "a": "n"}),
    ("expectation(cos(w'*(x - y)), w) == exp(-s*norm2(x - y)^2/2)", {"w": "n, normal(0, s)", "x": "n", "y": "n"}),
    ("expectation(cos(w'*x)*cos(w'*y) + sin(w'*x)*sin(w'*y), w) == exp(-norm2(x - y)^2/2)",
     {"w": "n, normal(0, 1)", "x": "n", "y": "n"}),
    ("expectation(x*sin(t*x), x) == v*t*exp(-v*t^2/2)", {"x": ", normal(0, v)", "t": ""}),
    # independent entries
    ("expectation((q'*k)^2, q, k) == d", {"q": "d, normal(0, 1)", "k": "d, normal(0, 1)"}),
    ("variance(q'*k/sqrt(d), q, k) == 1", {"q": "d, normal(0, 1)", "k": "d, normal(0, 1)"}),
    ("expectation(X*X', X) == m*s*eye(n)", {"X": "n m, normal(0, s)"}),
    ("variance(W*x, W) == s*norm2(x)^2*vector(1)", {"W": "m n, normal(0, s)", "x": "n"}),
    ("variance(W*x, W, x) == n*s*v*vector(1)", {"W": "m n, normal(0, s)", "x": "n, normal(0, v)"}),
    ("variance(mean(x), x) == v/n", {"x": "n, normal(c, v)"}),
    ("expectation(sum((x - mean(x)).^2), x) == (n - 1)*v", {"x": "n, normal(c, v)"}),
    ("expectation(sum((x - mean(x)).^2), x) == (n - 1)*b", {"x": "n, poisson(b)"}),
    # kinks
    ("expectation(relu(z)^2, z) == v/2", {"z": ", normal(0, v)"}),
    ("expectation(relu(z), z) == sqrt(v/(2*pi))", {"z": ", normal(0, v)", "v": ", positive"}),
    ("expectation(abs(z), z) == sqrt(2*v/pi)", {"z": ", normal(0, v)", "v": ", positive"}),
    ("expectation(norm2(relu(z))^2, z) == n*v/2", {"z": "n, normal(0, v)"}),
    ("variance(W*relu(z), W) == s*norm2(relu(z))^2*vector(1)", {"W": "m n, normal(0, s)", "z": "n"}),
    ("expectation((w'*relu(z))^2, w, z) == n*s*v/2", {"w": "n, normal(0, s)", "z": "n, normal(0, v)"}),
    ("variance(sum(relu(z)), z) == n*v*(1/2 - 1/(2*pi))", {"z": "n, normal(0, v)", "v": ", positive"}),
    ("expectation(z*(1 + erf(z/sqrt(2)))/2, z) == v/sqrt(2*pi*(1 + v))", {"z": ", normal(0, v)"}),
    ("expectation((1 + erf(x/sqrt(2)))/2, x) == (1 + erf(c/sqrt(2*(1 + v))))/2", {"x": ", normal(c, v)"}),
    # exponential families: moments, generating functions, score and Fisher information
    ("expectation(exp(t*x), x) == exp(c*t + v*t^2/2)", {"x": ", normal(c, v)", "t": ""}),
    ("expectation(grad(-(x - c)^2/(2*v) - log(v)/2, c), x) == 0", {"x": ", normal(c, v)", "v": ", positive", "c": ""}),
    ("expectation(grad(-(x - c)^2/(2*v) - log(v)/2, c)^2, x) == 1/v", {"x": ", normal(c, v)", "v": ", positive", "c": ""}),
    ("expectation(grad(-(x - c)^2/(2*v) - log(v)/2, v)^2, x) == 1/(2*v^2)", {"x": ", normal(c, v)", "v": ", positive", "c": ""}),
    ("expectation(grad(x*log(p) + (1 - x)*log(1 - p), p), x) == 0", {"x": ", bernoulli(p)"}),
    ("expectation(grad(x*log(p) + (1 - x)*log(1 - p), p)^2, x) == 1/(p*(1 - p))", {"x": ", bernoulli(p)"}),
    ("expectation(exp(t*x), x) == 1 - p + p*exp(t)", {"x": ", bernoulli(p)", "t": ""}),
    ("expectation(log(1 + x), x) == p*log(2)", {"x": ", bernoulli(p)"}),
    ("expectation(x^2, x) == m*p*(1 - p) + (m*p)^2", {"x": ", binomial(m, p)"}),
    ("variance(x, x) == m*p*(1 - p)", {"x": ", binomial(m, p)"}),
    ("expectation(grad(x*log(b) - b - gammaln(x + 1), b)^2, x) == 1/b", {"x": ", poisson(b)"}),
    ("expectation(x^3, x) == b^3 + 3*b^2 + b", {"x": ", poisson(b)"}),
    ("expectation(exp(t*x), x) == exp(b*(exp(t) - 1))", {"x": ", poisson(b)", "t": ""}),
    ("expectation(exp(-t*x), x) == b/(b + t)", {"x": ", exponential(b)", "t": ", positive"}),
    ("expectation(x*exp(-t*x), x) == b/(b + t)^2", {"x": ", exponential(b)", "t": ", positive"}),
    ("variance(x, x) == a/b^2", {"x": ", gamma(a, b)"}),
    ("expectation(log(x), x) == digamma(a) - log(b)", {"x": ", gamma(a, b)"}),
    ("expectation(grad(a*log(b) + (a - 1)*log(x) - b*x - gammaln(a), a), x) == 0", {"x": ", gamma(a, b)"}),
    ("variance(x, x) == (b - a)^2/12", {"x": ", uniform(a, b)"}),
    ("variance(x, x) == 2*b^2", {"x": ", laplace(a, b)"}),
    ("expectation((x - a)^4, x) == 24*b^4", {"x": ", laplace(a, b)"}),
    # one of n classes
    ("expectation(y, y) == p", {"y": "n, categorical(p)"}),
    ("covariance(y, y) == diag(p) - p*p'", {"y": "n, categorical(p)"}),
    ("expectation(-sum(y.*log(q)), y) == -p'*log(q)", {"y": "n, categorical(p)", "q": "n, positive"}),
    ("expectation(log(y'*q), y) == p'*log(q)", {"y": "n, categorical(p)", "q": "n, positive"}),
    ("expectation(softmax(z) - y, y) == softmax(z) - p", {"y": "n, categorical(p)", "z": "n"}),
    ("expectation((softmax(z) - y)*(softmax(z) - y)', y) == diag(softmax(z)) - softmax(z)*softmax(z)'",
     {"y": "n, categorical(softmax(z))", "z": "n"}),
    ("expectation(x*x', x) == m*diag(p) + m*(m - 1)*p*p'", {"x": "n, multinomial(m, p)"}),
    ("covariance(x, x) == m*(diag(p) - p*p')", {"x": "n, multinomial(m, p)"}),
    ("expectation(exp(t'*x), x) == (p'*exp(t))^m", {"x": "n, multinomial(m, p)", "t": "n"}),
    ("expectation(x, x) == a/sum(a)", {"x": "n, dirichlet(a)", "a": "n, positive"}),
    ("covariance(x, x) == (diag(q) - q*q')/(sum(a) + 1) where q = a/sum(a)", {"x": "n, dirichlet(a)", "a": "n, positive"}),
    ("expectation(log(x), x) == digamma(a) - digamma(sum(a))*vector(1)", {"x": "n, dirichlet(a)", "a": "n, positive"}),
    # other laws of numbers
    ("expectation(x, x) == a/(a + b)", {"x": ", beta(a, b)"}),
    ("variance(x, x) == a*b/((a + b)^2*(a + b + 1))", {"x": ", beta(a, b)"}),
    ("expectation(log(x), x) == digamma(a) - digamma(a + b)", {"x": ", beta(a, b)"}),
    ("expectation(1/x, x) == b/a", {"x": ", gamma(a + 1, b)", "a": ", positive"}),
    ("variance(x, x) == (1 - p)/p^2", {"x": ", geometric(p)"}),
    ("expectation(expectation(x, x), u) == a/b", {"x": ", poisson(u)", "u": ", gamma(a, b)"}),
    ("variance(x, x, u) == a/b + a/b^2", {"x": ", poisson(u)", "u": ", gamma(a, b)"}),
    # a law that depends on another variable
    ("expectation(expectation(x, x), u) == c*vector(1)", {"x": "n, normal(u, 1)", "u": "n, normal(c, 1)"}),
    ("variance(x, x, u) == (v + w)*vector(1)", {"x": "n, normal(u, v)", "u": "n, normal(c, w)", "v": "", "w": ""}),
    ("variance(x, x, u) == expectation(variance(x, x), u) + variance(expectation(x, x), u)",
     {"x": "n, normal(u, v)", "u": "n, normal(c, w)", "v": "", "w": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), TRUE, ids=[f"{c} {s.get('x', '')}" for c, s in TRUE])
def test_true_for_all_sizes(claim: str, shapes: Shapes) -> None:
    verdict = dv.verify(claim, **shapes)
    assert (verdict.status, verdict.level) == ("PROVED", "all sizes"), str(verdict)


FALSE: list[tuple[str, Shapes]] = [
    ("expectation(x*x', x) == Sigma", GAUSS),
    ("expectation(x'*A*x, x) == tr(A*Sigma)", GAUSS),
    ("expectation(x'*A*x, x) == mu'*A*mu", GAUSS),
    ("variance(x'*A*x, x) == 2*tr(A*Sigma*A*Sigma) + 4*mu'*A*Sigma*A*mu", GAUSS),
    ("variance(a'*x, x) == a'*Sigma*Sigma*a", {**GAUSS, "a": "n"}),
    ("expectation(exp(a'*x), x) == exp(a'*mu)", {**GAUSS, "a": "n"}),
    ("covariance(A*x, B*x, x) == B*Sigma*A'", {**GAUSS, "A": "n n", "B": "n n"}),
    ("expectation((q'*k)^2, q, k) == 1", {"q": "d, normal(0, 1)", "k": "d, normal(0, 1)"}),
    ("expectation(X*X', X) == n*s*eye(n)", {"X": "n m, normal(0, s)"}),
    ("expectation(relu(z)^2, z) == v", {"z": ", normal(0, v)"}),
    ("expectation(relu(z), z)^2 == v/2", {"z": ", normal(0, v)", "v": ", positive"}),
    ("variance(x, x) == p", {"x": ", bernoulli(p)"}),
    ("expectation(x^2, x) == b^2", {"x": ", poisson(b)"}),
    ("expectation(x^3, x) == b^3 + 3*b^2", {"x": ", poisson(b)"}),
    ("expectation(sum((x - mean(x)).^2), x) == n*v", {"x": "n, normal(c, v)"}),
    ("variance(mean(x), x) == v", {"x": "n, normal(c, v)"}),
    ("covariance(y, y) == diag(p)", {"y": "n, categorical(p)"}),
    ("expectation(log(y'*q), y) == log(p'*q)", {"y": "n, categorical(p)", "q": "n, positive"}),
    ("expectation(cos(a'*x), x) == cos(a'*mu)", {**GAUSS, "a": "n"}),
    ("variance(x, x, u) == v*vector(1)", {"x": "n, normal(u, v)", "u": "n, normal(c, w)", "v": "", "w": ""}),
    ("expectation(x, x)^2 >= expectation(x^2, x)", {"x": ", normal(b, c)"}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "shapes"), FALSE, ids=[f"{c} {s.get('x', '')}" for c, s in FALSE])
def test_false_with_a_counterexample(claim: str, shapes: Shapes) -> None:
    verdict = dv.verify(claim, **shapes)
    assert verdict.status == "REFUTED", str(verdict)


# -- values against numbers that share no code


def hermite(mean: np.ndarray, covariance: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Points and weights of the product rule of Gauss and Hermite: exact for polynomials up to degree 15 in each axis."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    root = np.linalg.cholesky(covariance)
    return [
        (mean + root @ nodes[list(places)], float(np.prod(weights[list(places)] / weights.sum())))
        for places in itertools.product(range(8), repeat=len(mean))
    ]


MU, A, B = np.array([0.3, -0.7, 1.1]), np.random.default_rng(1).normal(size=(3, 3)), np.random.default_rng(2).normal(size=(3, 3))
SIGMA = A @ A.T / 3 + np.eye(3) / 2
POLYNOMIALS: list[tuple[str, Any]] = [
    ("(x'*A*x)^2", lambda x: (x @ A @ x) ** 2),
    ("(x'*A*x)*(x'*B*x)", lambda x: (x @ A @ x) * (x @ B @ x)),
    ("sum(x.^3)*sum(x)^2", lambda x: np.sum(x**3) * np.sum(x) ** 2),
    ("(x'*A*x)^3", lambda x: (x @ A @ x) ** 3),
    ("norm2(A*x - B*x)^2*x", lambda x: np.sum((A @ x - B @ x) ** 2) * x),
    ("(A*x)*(B*x)'.*(x*x')", lambda x: np.outer(A @ x, B @ x) * np.outer(x, x)),
]


@pytest.mark.parametrize(("formula", "value"), POLYNOMIALS, ids=[p[0] for p in POLYNOMIALS])
def test_moments_of_a_normal_vector(formula: str, value: Any) -> None:
    f = dv.parse(f"expectation({formula}, x)", x="n, normal(mu, Sigma)", **{n: "n n" for n in "AB" if n in formula})
    known = {"mu": MU, "Sigma": SIGMA, "A": A, "B": B}
    found = f(**{name: known[name] for name in f.inputs})
    expected = sum(weight * value(x) for x, weight in hermite(MU, SIGMA))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


PARAMETERS: dict[str, tuple[float, ...]] = {
    "poisson": (1.3,), "gamma": (2.5, 1.4), "laplace": (0.3, 0.8), "uniform": (-0.5, 1.2),
}  # fmt: skip


def enumerated(p: np.ndarray, value: Any, rows: int) -> Any:
    """The mean over independent rows, each one of the classes."""
    eye = np.eye(len(p))
    choices = itertools.product(range(len(p)), repeat=rows)
    return sum(np.prod(p[list(c)]) * value(eye[list(c)]) for c in choices)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("sum(Y'*Y.*C)", lambda Y: np.sum(Y.T @ Y * C)),
        ("(vector(1)'*Y*c)^3", lambda Y: (Y @ c).sum() ** 3),
        ("sum(log(Y*q))^2", lambda Y: np.log(Y @ q).sum() ** 2),
        ("norm2(Y'*Y*c)^2", lambda Y: np.sum((Y.T @ Y @ c) ** 2)),
    ],
)
def test_rows_of_classes(formula: str, value: Any) -> None:
    f = dv.parse(f"expectation({formula}, Y)", Y="3 n, categorical(p)", **{n: s for n, s in CLASS.items() if n in formula})
    known = {"p": p, "C": C, "c": c, "q": q}
    np.testing.assert_allclose(f(**{n: known[n] for n in f.inputs}), enumerated(p, value, 3), rtol=1e-10)


def test_counts_and_weights_of_classes() -> None:
    """Three draws as rows of classes added up; weights against the moments of three independent gamma variables."""
    f = dv.parse("expectation((c'*x)^3 + sum(x.^2).*x, x)", x="n, multinomial(m, p)", c="n")
    value = lambda Y: (c @ Y.sum(0)) ** 3 + np.sum(Y.sum(0) ** 2) * Y.sum(0)  # noqa: E731
    np.testing.assert_allclose(f(**{"c": c, "p": p, "m": 3.0}), enumerated(p, value, 3), rtol=1e-10)
    g = dv.parse("expectation((c'*x)^3, x)", x="n, dirichlet(a)", c="n", a="n, positive")
    a = np.array([0.7, 1.9, 2.6])
    total = 0.0
    for k in itertools.product(range(3), repeat=3):
        rising = [np.prod([a[i] + j for j in range(k.count(i))]) for i in range(3)]
        total += np.prod(c[list(k)]) * np.prod(rising) / (a.sum() * (a.sum() + 1) * (a.sum() + 2))
    assert float(g(**{n: {"a": a, "c": c}[n] for n in g.inputs})) == pytest.approx(total)


CLASS = {"C": "n n", "c": "n", "q": "n, positive"}
p, C, c, q = np.array([0.2, 0.5, 0.3]), A, np.array([1.0, -2.0, 0.5]), np.array([0.4, 1.3, 2.0])


@pytest.mark.parametrize(
    ("formula", "value", "law"),
    [
        ("sum(x)^3", lambda x: x.sum() ** 3, "bernoulli(p)"),
        ("exp(x'*c)*sum(x)", lambda x: np.exp(x @ c) * x.sum(), "bernoulli(p)"),
        ("sum(exp(x).*c)*sum(x)^2", lambda x: (np.exp(x) @ c) * x.sum() ** 2, "bernoulli(p)"),
        ("sum(sigmoid(x))^2", lambda x: (1 / (1 + np.exp(-x))).sum() ** 2, "bernoulli(p)"),
        ("x*exp(x'*c)", lambda x: x * np.exp(x @ c), "bernoulli(p)"),
    ],
)
def test_independent_trials(formula: str, value: Any, law: str) -> None:
    f = dv.parse(f"expectation({formula}, x)", x=f"n, {law}", p="n", **({"c": "n"} if "c" in formula else {}))
    probabilities = np.array([0.2, 0.6, 0.35])
    known = {"p": probabilities, "c": c}
    expected = sum(
        np.prod(np.where(x, probabilities, 1 - probabilities)) * value(np.array(x, dtype=float))
        for x in itertools.product((0, 1), repeat=3)
    )
    np.testing.assert_allclose(f(**{n: known[n] for n in f.inputs}), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("formula", "value", "law", "degree"),
    [
        ("sum(x)^4", lambda x: x.sum() ** 4, "poisson", 4),
        ("x'*A*x*sum(x.^3)", lambda x: (x @ A @ x) * np.sum(x**3), "gamma", 5),
        ("(x'*A*x)^2*sum(x)", lambda x: (x @ A @ x) ** 2 * x.sum(), "laplace", 5),
        ("(x'*A*x)^2*sum(x)", lambda x: (x @ A @ x) ** 2 * x.sum(), "uniform", 5),
    ],
)
def test_independent_entries(formula: str, value: Any, law: str, degree: int) -> None:
    """Against the product rule whose nodes have the moments that SciPy gives: exact for polynomials of this degree."""
    names = [f"q{k}" for k in range(len(PARAMETERS[law]))]
    shapes = {"x": f"n, {law}({', '.join(names)})", **({"A": "n n"} if "A" in formula else {})}
    f = dv.parse(f"expectation({formula}, x)", **shapes)
    known = {"x": np.zeros(3), "A": A, **dict(zip(names, map(np.array, PARAMETERS[law]), strict=True))}
    reference = _record(law).reference(*PARAMETERS[law])
    nodes = np.linspace(-1.0, 2.0, degree + 1)
    moments = [1.0, *(reference.moment(k) for k in range(1, degree + 1))]
    weights = np.linalg.solve(np.vander(nodes, increasing=True).T, moments)
    places = itertools.product(range(degree + 1), repeat=3)
    expected = sum(np.prod(weights[list(k)]) * value(nodes[list(k)]) for k in places)
    np.testing.assert_allclose(f(**{n: known[n] for n in f.inputs}), expected, rtol=1e-7)


def _record(name: str) -> Distribution:
    return next(d for d in distributions() if d.name == name and isinstance(d, Distribution))


def test_kinks_of_independent_entries() -> None:
    f = dv.parse("expectation(sum(relu(x))^2*sum(x), x)", x="2, normal(c, v)")
    mean, variance = 0.4, 1.7
    nodes, weights = np.polynomial.legendre.leggauss(60)

    def integral(g: Any) -> float:
        total = 0.0
        for low, high in ((-12.0, 0.0), (0.0, 12.0)):
            x = low + (high - low) * (nodes + 1) / 2
            density = np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
            total += float((high - low) / 2 * (weights * density * g(x)).sum())
        return total

    r, s, m = (lambda x: np.maximum(x, 0)), (lambda x: np.maximum(x, 0) ** 2), (lambda x: x)
    rx, sx = (lambda x: r(x) * x), (lambda x: s(x) * x)
    # (r1 + r2)^2 (x1 + x2) = 2 [s1 x1 + s1 x2 + 2 r1 x1 r2]
    expected = 2 * (integral(sx) + integral(s) * integral(m) + 2 * integral(rx) * integral(r))
    assert float(f(c=mean, v=variance)) == pytest.approx(expected, rel=1e-9)


# -- what has no answer here


@pytest.mark.parametrize(
    ("claim", "shapes", "reason"),
    [
        ("expectation(tanh(x), x) == 0", {"x": ", normal(0, 1)"}, "no formula"),
        ("expectation(sin(x), x) == 0", {"x": ", laplace(0, 1)"}, "no formula"),
        ("expectation(1/x, x) == 1", {"x": ", normal(0, 1)"}, "no formula"),
        ("expectation(exp(t*x), x) == b/(b - t)", {"x": ", exponential(b)", "t": ""}, "finite only where"),
        ("expectation(1/x, x) == b/(a - 1)", {"x": ", gamma(a, b)"}, "finite only where"),
        ("expectation(exp(x'*x), x) == 1", {"x": "n, normal(0, 1)"}, "no formula"),
        ("expectation(norm2(x), x) == 1", {"x": "n, normal(0, 1)"}, "no formula"),
        ("expectation(inv(X), X) == eye(n)", {"X": "n n, normal(0, 1)"}, "no formula"),
        ("expectation(inv(X), X) == eye(n)", {"X": "n n, bernoulli(p)"}, "no formula"),
        ("expectation(log(x), x) == 0", {"x": ", bernoulli(p)"}, "no value"),
        ("expectation(max(x), x) == 0", {"x": "n, bernoulli(p)"}, "no formula"),
        ("expectation(softmax(x), x) == vector(1)/n", {"x": "n, normal(0, 1)"}, "no formula"),
        ("expectation(sum(x)^12, x) == 0", {"x": "n, normal(0, 1)"}, "expanded"),
    ],
)
def test_unknown_with_the_reason(claim: str, shapes: Shapes, reason: str) -> None:
    verdict = dv.verify(claim, **shapes)
    assert verdict.status == "UNKNOWN", str(verdict)
    assert reason in verdict.evidence


@pytest.mark.parametrize(
    ("claim", "shapes", "error", "message"),
    [
        ("x == mu", GAUSS, ParseError, "x is random"),
        ("expectation(x, x) == x", GAUSS, ParseError, "x is random"),
        ("expectation(x, y) == 0", {"x": "n"}, ParseError, "has no distribution"),
        ("expectation(x) == 0", GAUSS, ParseError, "random variables that it is over"),
        ("expectation(x, x) == 0", {"x": "n, normall(0, 1)"}, UnknownName, "'normal'"),
        ("expectation(x, x) == 0", {"x": "n, normal(0)"}, SpecError, r"normal\(mean, variance\)"),
        ("expectation(x, x) == 0", {"x": "n, positive, normal(0, 1)"}, SpecError, "positive"),
        ("expectation(x, x) == 0", {"x": ", normal(0, -1)"}, SpecError, "must be nonnegative"),
        ("expectation(x, x) == 0", {"x": ", normal(0, a - b)"}, SpecError, "must be nonnegative"),
        ("expectation(x, x) == 0", {"x": ", bernoulli(2)"}, SpecError, "must be probability"),
        ("expectation(x, x) == 0", {"x": "n, normal(0, S)", "S": "m m"}, ShapeError, "shape"),
        ("expectation(y, y) == 0", {"y": ", categorical(p)"}, SpecError, "law of vectors"),
        ("expectation(x, x) == 0", {"x": "n, normal(0, )"}, ParseError, "declaration of x"),
        ("expectation(expectation(x*u, u), x) == 0", {"x": ", normal(u, 1)", "u": ", normal(0, 1)"}, ParseError, "depends on"),
    ],
)
def test_what_cannot_be_asked(claim: str, shapes: Shapes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dv.verify(claim, **shapes)


def test_a_verdict_names_the_laws_and_can_be_checked_again() -> None:
    verdict = dv.verify("expectation(x*x', x) == Sigma", x="n, normal(mu, Sigma)")
    assert verdict.variables is not None and verdict.counterexample is not None
    assert verdict.variables["x"] == "n, normal(mu, Sigma)"
    assert verdict.variables["Sigma"] == "n n, positive semidefinite, symmetric"
    assert "x" not in verdict.counterexample.arrays
    assert dv.verify(verdict.claim, **verdict.variables).status == "REFUTED"


def test_expectations_in_a_derivation() -> None:
    text = """variance(a'*x, x)
      = expectation((a'*x - a'*mu)^2, x)
      = a'*expectation((x - mu)*(x - mu)', x)*a     by linearity
      = a'*Sigma*a"""
    found = dv.verify_derivation(text, x="n, normal(mu, Sigma)", a="n")
    assert found.status == "PROVED" and len(found.steps) == 3
    wrong = dv.verify_derivation(text.replace("= a'*Sigma*a", "= a'*Sigma*a + (a'*mu)^2"), x="n, normal(mu, Sigma)", a="n")
    assert wrong.first_wrong is not None and wrong.first_wrong.line == 4


def test_expectations_in_latex() -> None:
    text = r"""\begin{align}
      \mathbb{E}_x[x^\top A x] &= \operatorname{tr}(A \mathbb{E}[x x^\top]) \\
      &= \operatorname{tr}(A \Sigma) + \operatorname{tr}(A \mu \mu^\top) \\
      &= \operatorname{tr}(A \Sigma) + \mu^\top A \mu
    \end{align}"""
    found = dv.verify_derivation(text, x="n, normal(mu, Sigma)", A="n n")
    assert found.status == "PROVED" and len(found.steps) == 3
    wrong = dv.verify_derivation(text.replace(r"A \mathbb{E}[x x^\top]", r"A \Sigma"), x="n, normal(mu, Sigma)", A="n n")
    assert wrong.first_wrong is not None and wrong.first_wrong.line == 2
