"""Priors as penalties: against the posterior of SciPy's densities, ridge and lasso of scikit-learn, conjugate estimates."""

import numpy as np
import pytest
from scipy import integrate, special, stats
from sklearn.linear_model import Lasso, Ridge

import derive as dv
from derive.errors import DomainError, SpecError, UnknownName
from derive.likelihoods.priors import HIERARCHIES

rng = np.random.default_rng(0)
X, W = rng.normal(size=(30, 3)), np.array([1.0, 0.0, -2.0])
Y = X @ W + 0.5 * rng.normal(size=30)


def lines(m, title):
    return next(s.lines for s in m.steps if s.title.startswith(title))


class TestCorrespondence:
    def test_ridge(self):
        """L2 = the normal prior: lambda = 1/(2 tau^2), beside the squared errors sigma^2/tau^2."""
        m = dv.likelihood("normal", sigma="known").map(w=dv.prior("normal", tau="tau"))
        scales = lines(m, "the penalty λ ‖w‖²")
        assert scales[0].startswith("λ = 1 / (2 τ²) ") and scales[1].startswith("λ = 1 / (2 n τ²) ")
        assert scales[2].startswith("λ = σ² / τ² ") and "squared errors" in scales[2]
        sigma, tau = 0.5, 0.8
        ridge = Ridge(alpha=sigma**2 / tau**2, fit_intercept=False).fit(X, Y)
        gradient = dv.grad(m.linear, "w")
        np.testing.assert_allclose(gradient(X=X, w=ridge.coef_, y=Y, sigma=sigma, tau=tau), 0, atol=1e-9)
        assert str(dv.grad(m.linear, "w")).endswith("gw = X' (X w − y) / sigma² + w / tau²")

    def test_lasso(self):
        """L1 = the Laplace prior: lambda = 1/b; scikit-learn's alpha is lambda sigma^2/n."""
        m = dv.likelihood("normal", sigma=0.5).map(w=dv.prior("laplace", tau="b"))
        assert lines(m, "the penalty λ ‖w‖₁")[0].startswith("λ = 1 / b ")
        b = 0.1
        found = Lasso(alpha=0.25 / b / len(Y), fit_intercept=False, tol=1e-12).fit(X, Y).coef_
        f = m.linear
        best = f(X=X, w=found, y=Y, b=b)
        steps = 1e-4 * np.concatenate([np.eye(3), -np.eye(3)])
        assert all(best < f(X=X, w=found + s, y=Y, b=b) for s in steps)

    def test_elastic_net(self):
        m = dv.likelihood("poisson").map(w=dv.prior("elastic_net", l1=2, l2="c"))
        assert lines(m, "the penalty λ ‖w‖₁")[0].startswith("λ = 2 ")
        assert lines(m, "the penalty λ ‖w‖²")[0].startswith("λ = c ")
        assert "convex in w" in lines(m, "curvature")[0]

    def test_what_is_no_norm(self):
        m = dv.likelihood("poisson").map(w=dv.prior("student_t", tau=1, freedom=3))
        assert not any(s.title.startswith("the penalty") for s in m.steps)
        assert "not convex" in lines(m, "curvature")[0]


@pytest.mark.parametrize(
    ("given", "log_prior"),
    [
        (dv.prior("normal", tau=0.7), stats.norm(0, 0.7).logpdf),
        (dv.prior("laplace(1, 2)"), stats.laplace(1, 2).logpdf),
        (dv.prior("student_t", tau=2, freedom=4), stats.t(4, 0, 2).logpdf),
        (dv.prior("cauchy", tau=2), stats.cauchy(0, 2).logpdf),
    ],
    ids=["normal", "laplace", "student t", "cauchy"],
)
def test_objective_is_minus_the_log_posterior(given, log_prior):
    m = dv.likelihood("bernoulli").map(w=given)
    y = (Y > 0).astype(float)

    def posterior(w):
        return -np.sum(stats.bernoulli(special.expit(X @ w)).logpmf(y)) - np.sum(log_prior(w))

    a, b = np.array([0.3, -0.4, 1.2]), np.array([-0.9, 0.1, 0.5])
    assert m.linear(X=X, w=a, y=y) - m.linear(X=X, w=b, y=y) == pytest.approx(
        posterior(a) - posterior(b), rel=1e-9
    )


class TestHierarchy:
    def test_learned_scales_keep_their_logarithm(self):
        m = dv.likelihood("normal", sigma="learned").map(
            w=dv.prior("normal", tau="tau"),
            tau=dv.prior("half_cauchy", scale=2),
            sigma=dv.prior("gamma", shape=2, rate=3),
            **{},
        )
        assert {p.name for p in m.penalties} == {"w", "tau", "sigma"}
        point = {"z": X[:, 0], "y": Y, "w": W, "tau": np.full(3, 0.6), "sigma": 0.4}

        def posterior(point):
            total = (
                -stats.norm(point["z"], point["sigma"]).logpdf(point["y"]).sum()
                - stats.norm(0, point["tau"]).logpdf(point["w"]).sum()
            )
            return (
                total
                - stats.halfcauchy(0, 2).logpdf(point["tau"]).sum()
                - stats.gamma(2, scale=1 / 3).logpdf(point["sigma"])
            )

        other = {**point, "tau": np.array([0.2, 1.0, 3.0]), "sigma": 0.9}
        assert m.function(**point) - m.function(**other) == pytest.approx(posterior(point) - posterior(other))

    def test_one_scale_for_all_weights(self):
        priors = {"w": dv.prior("normal", tau="tau"), "tau": dv.prior("half_cauchy", scale=2)}
        m = dv.likelihood("poisson").map({"tau": ""}, **priors)
        assert m.penalty(w=W, tau=0.5) == pytest.approx(
            np.sum(W**2) / 0.5 + 3 * np.log(0.5) + np.log1p(1 / 16)
        )

    def test_horseshoe(self):
        m = dv.likelihood("bernoulli").map(w=dv.prior("horseshoe", tau="tau"))
        assert m.function.inputs == ("z", "y", "w", "local", "tau")
        assert "not convex" in "".join(lines(m, "curvature"))
        page = str(m)
        assert "exp(u) E₁(u)" in page and "log(1 + 4 τ² / w²)" in page

    @pytest.mark.parametrize("w", [0.01, 0.3, 2.0, 9.0])
    def test_the_law_of_a_horseshoe_entry(self, w):
        """What the page says of it: its formula is the integral over the scale, and lies between the bounds."""
        tau = 0.7
        assert "horseshoe" in HIERARCHIES

        def joint(t):
            return stats.norm(0, np.exp(t) * tau).pdf(w) * stats.halfcauchy().pdf(np.exp(t)) * np.exp(t)

        density = integrate.quad(joint, -30, 30, limit=200)[0]
        u, k = w**2 / (2 * tau**2), tau * np.sqrt(2 * np.pi**3)
        assert density == pytest.approx(np.exp(u) * special.exp1(u) / k, rel=1e-7)
        assert np.log1p(4 * tau**2 / w**2) / 2 < k * density < np.log1p(2 * tau**2 / w**2)


class TestEstimates:
    def test_bernoulli(self):
        found = dv.likelihood("bernoulli").map(p=dv.prior("beta", a=2, b=2)).estimate
        assert str(found.value) == "(s + 1)/(n + 2)"
        assert found([1, 1, 0]) == pytest.approx(3 / 5)

    def test_poisson(self):
        found = dv.likelihood("poisson").map(mean=dv.prior("gamma", shape="a", rate="b")).estimate
        y = np.array([3, 0, 2, 5])
        assert found(y, a=2.5, b=1.5) == pytest.approx((10 + 1.5) / (4 + 1.5))

    def test_normal(self):
        found = dv.likelihood("normal", sigma=2).map(mean=dv.prior("normal", tau=3)).estimate
        y = np.array([1.0, 2.5, 4.0])
        assert found(y) == pytest.approx((y.sum() / 4) / (3 / 4 + 1 / 9))

    def test_none(self):
        assert dv.likelihood("bernoulli").map(w=dv.prior("normal", tau=1)).estimate is None
        assert dv.likelihood("normal", sigma="learned").map(mean=dv.prior("normal", tau=1)).estimate is None


class TestBadInput:
    def test_numbers(self):
        with pytest.raises(DomainError, match="must be positive; found -1"):
            dv.prior("normal", tau=-1)
        with pytest.raises(DomainError, match="horseshoe prior must be positive; found -2"):
            dv.prior("horseshoe", tau=-2)

    def test_names(self):
        with pytest.raises(UnknownName, match="did you mean 'normal'"):
            dv.prior("nrmal", tau=1)
        with pytest.raises(SpecError, match="variance is missing"):
            dv.prior("normal")
        with pytest.raises(SpecError, match="law of counts"):
            dv.prior("poisson", mean=1)

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"w": dv.prior("gamma", shape=1, rate=1)}, "w may be any real number, and gamma"),
            ({"sigma": dv.prior("normal", tau=1)}, "sigma is positive, and normal"),
            (
                {"tau": dv.prior("half_cauchy", scale=1), "w": dv.prior("laplace", mean="tau", scale=1)},
                "tau may be any real number",
            ),
        ],
    )
    def test_supports_that_do_not_fit(self, given, words):
        with pytest.raises(DomainError, match=words):
            dv.likelihood("normal", sigma="learned").map(**given)

    def test_what_has_no_prior(self):
        loss = dv.likelihood("normal", sigma=1)
        with pytest.raises(SpecError, match="sigma is not learned"):
            loss.map(sigma=dv.prior("half_cauchy", scale=1))
        with pytest.raises(SpecError, match="z is an input"):
            loss.map(z=dv.prior("normal", tau=1))
        with pytest.raises(SpecError, match="found 3"):
            loss.map(w=3)
        with pytest.raises(SpecError, match="takes priors by name"):
            loss.map()
