"""Laws of vectors and independent entries, tables, and the facts that the course states of them."""

import numpy as np
import pytest
from scipy import stats

import derive as dv
from derive.errors import SpecError
from derive.information import vectors

P = np.array([0.7, 0.2, 0.1])
Q = np.array([0.5, 0.3, 0.2])


class TestClasses:
    def test_the_three_numbers(self):
        assert dv.entropy("categorical(p)")(P) == pytest.approx(0.8018, abs=1e-4)
        assert dv.cross_entropy("categorical(p)", "categorical(q)")(P, Q) == pytest.approx(0.8869, abs=1e-4)
        kl = dv.kl("categorical(p)", "categorical(q)")
        assert kl(P, Q) == pytest.approx(0.0851, abs=1e-4)
        assert kl.bits(P, Q) == pytest.approx(0.1228, abs=1e-4)
        assert dv.entropy("categorical(p)")(np.full(7, 1 / 7)) == pytest.approx(np.log(7))

    def test_zeros(self):
        assert dv.entropy("categorical(p)")(np.array([1.0, 0.0])) == 0
        assert dv.cross_entropy("categorical(p)", "categorical(q)")(P, np.array([1.0, 0.0, 0.0])) == np.inf
        kl = dv.kl("categorical(p)", "categorical(q)")
        assert kl(np.array([0.0, 1.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
        assert kl(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == np.inf
        assert kl.function.compile()(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0

    def test_never_negative(self):
        """Ten thousand pairs, without an epsilon."""
        rng = np.random.default_rng(0)
        f = dv.kl("categorical(p)", "categorical(q)").function.compile()
        pairs = rng.dirichlet(np.ones(5), size=(10_000, 2))
        assert min(f(p, q) for p, q in pairs) >= 0

    def test_kl_is_cross_entropy_minus_entropy(self):
        assert (
            dv.verify(
                "sum(p.*log(p./q)) == -sum(p.*log(q)) - (-sum(p.*log(p)))", p="n, positive", q="n, positive"
            ).status
            == "PROVED"
        )

    def test_distillation(self):
        """The gradient of tau^2 KL(teacher ‖ student) by the student's logits is tau (student - teacher)."""
        kl = dv.kl(
            "categorical(softmax(t/tau))", "categorical(softmax(z/tau))", t="n", z="n", tau=", positive"
        )
        assert str(dv.grad(kl.function, "z")) == "gz = (softmax(z / tau) − softmax(t / tau)) / tau"
        assert dv.check(dv.grad(kl.function, "z")).passed

    def test_counts(self):
        found = dv.kl("multinomial(k, p)", "multinomial(k, q)")
        assert found(4.0, P, Q) == pytest.approx(4 * 0.0851228, abs=1e-6)


class TestNormal:
    def test_full_covariances(self):
        found = dv.kl("n, normal(mu1, S1)", "n, normal(mu2, S2)")
        rng = np.random.default_rng(1)
        A, B = (a @ a.T + np.eye(3) for a in rng.normal(size=(2, 3, 3)))
        m = rng.normal(size=(2, 3))
        own, other = stats.multivariate_normal(m[0], A), stats.multivariate_normal(m[1], B)
        d = m[1] - m[0]
        Bi = np.linalg.inv(B)
        truth = (np.trace(Bi @ A) + d @ Bi @ d - 3 + np.linalg.slogdet(B)[1] - np.linalg.slogdet(A)[1]) / 2
        assert found(m[0], A, m[1], B) == pytest.approx(truth)
        assert dv.entropy("n, normal(mu, S)").function(S=A) == pytest.approx(float(own.entropy()))
        cross = dv.cross_entropy("n, normal(mu1, S1)", "n, normal(mu2, S2)")
        assert cross(m[0], A, m[1], B) == pytest.approx(truth + float(own.entropy()))
        assert other.dim == 3

    def test_prior_of_a_variational_autoencoder(self):
        assert (
            dv.kl("n, normal(mu, Sigma)", "n, normal(0, eye(n))").formula
            == "‖mu‖² / 2 + tr(Sigma) / 2 − logdet(Sigma) / 2 − n / 2"
        )
        entries = dv.kl("batch n, normal(mu, exp(s))", "batch n, normal(0, 1)", mu="batch n", s="batch n")
        assert str(dv.grad(entries.function, "mu")) == "gmu = mu"
        mu, s = np.random.default_rng(2).normal(size=(2, 4, 3))
        assert entries(mu, s) == pytest.approx(np.sum(mu**2 + np.exp(s) - s - 1) / 2)

    def test_entries_of_one_law(self):
        found = dv.entropy("n, normal(0, s^2)")
        assert found.function(s=2.0, n=5) == pytest.approx(5 * float(stats.norm(0, 2).entropy()))


class TestOthers:
    def test_dirichlet(self):
        a, b = np.array([1.5, 0.7, 2.2]), np.array([0.9, 1.1, 1.3])
        draws = stats.dirichlet(a).rvs(200_000, random_state=0).T
        truth = stats.dirichlet(a).logpdf(draws) - stats.dirichlet(b).logpdf(draws)
        found = dv.kl("dirichlet(a)", "dirichlet(b)")(a, b)
        assert abs(found - truth.mean()) < 5 * truth.std() / np.sqrt(truth.size)
        assert dv.entropy("dirichlet(a)")(a) == pytest.approx(float(stats.dirichlet(a).entropy()))

    def test_apart(self):
        found = dv.kl("n, normal(mu, Sigma)", "dirichlet(a)")
        assert found.formula == "∞" and "no values in common" in found.note

    def test_a_wrong_mean_is_not_returned(self, monkeypatch):
        right = vectors.over
        monkeypatch.setattr(vectors, "over", lambda *args: right(*args) * 1.001)
        assert dv.kl("dirichlet(a)", "dirichlet(b)").function is None


class TestMutualInformation:
    def test_table(self):
        found = dv.mutual_information("n m, categorical(P)")
        assert found(np.array([[0.45, 0.05], [0.05, 0.45]])) == pytest.approx(0.368064, abs=1e-6)
        assert found(np.diag([0.5, 0.5])) == pytest.approx(np.log(2))

    def test_correlation(self):
        found = dv.mutual_information("normal(rho)")
        assert found.formula == "−log(1 − rho²) / 2"
        assert found(0.8) == pytest.approx(0.510826, abs=1e-6)
        assert dv.mutual_information("normal(vx, c, vy)")(4.0, 1.6, 1.0) == pytest.approx(0.510826, abs=1e-6)

    def test_blocks(self):
        found = dv.mutual_information("n m, normal(A, C, B)")
        assert found(np.eye(1), np.array([[0.8]]), np.eye(1)) == pytest.approx(0.510826, abs=1e-6)

    def test_bad_input(self):
        with pytest.raises(SpecError, match=r"normal\(1\.2\)"):
            dv.mutual_information("normal(1.2)")
        with pytest.raises(SpecError, match="no joint law"):
            dv.mutual_information("poisson(2)")
