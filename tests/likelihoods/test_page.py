"""The page of a loss, and the command that prints it."""

import pytest

import derive as dv
from derive.cli import main

POISSON = """\
poisson law, log link

log-density
  log p(y) = y log(μ) − μ − log(y!)        y is a count

parameters
  mean μ = exp(z)        the log link of the raw output z

negative log-likelihood
  −log p = log(y!) + exp(z) − y z

constant, dropped
  log(y!)        depends on y alone

loss
  L = exp(z) − y z

derivatives by the raw output
  dL/dz = exp(z) − y
  d²L/dz² = exp(z)

score
  d log p/dμ = y / μ − 1

Fisher information of one observation
  in μ: observed y / μ²
  in μ: expected 1 / μ
  in z: exp(z), observed and expected are the same

canonical link
  log for μ: the natural parameter is log(μ)

exponential family
  log p(y) = η y − A + log h(y)
  η = log(μ),  log h(y) = −log(y!)
  A(η) = exp(η)
  E y = A′ = exp(η) = μ,   var y = A″ = exp(η) = μ

maximum likelihood, for n observations with the same parameters
  μ̂ = ȳ        second derivative −1 / ȳ < 0

convexity
  PROVED: convex in z
  exp(z) - y z has, moving z along dz, the second derivative
  dz^2 exp(z) >= 0: no term is negative
"""


def test_page(capsys):
    assert main(["likelihood", "poisson", "--link", "log"]) == 0
    assert capsys.readouterr().out == POISSON
    assert str(dv.likelihood("poisson", "log")) + "\n" == POISSON


@pytest.mark.parametrize(
    ("arguments", "given", "lines"),
    [
        (("bernoulli",), {}, ["L = −log p = softplus(z) − y z", "dL/dz = sigmoid(z) − y", "d²L/dz² = sigmoid(z) sigmoid(−z)",
                              "E y = A′ = sigmoid(η) = p,   var y = A″ = sigmoid(η) sigmoid(−η) = p (1 − p)", "p̂ = ȳ"]),
        (("bernoulli", "probit"), {}, ["dL/dz = φ(z) ((1 − y) / Φ(−z) − y / Φ(z))", "in z: expected φ(z)² / (Φ(z) Φ(−z))"]),
        (("normal",), {"sigma": "learned"}, ["L = (y − z)² / (2 σ²) + log(σ)", "log(2 π) / 2        depends on nothing",
                                             "in z, σ: expected diag(1 / σ², 2 / σ²)", "σ̂ = sqrt(avg((y − μ̂)²))"]),
        (("normal",), {"sigma": "known"}, ["L = (y − z)² / (2 σ²)", "log(σ)        σ is known"]),
        (("laplace",), {}, ["dL/dz = sign(z − y) / s", "μ̂ = median(y)", "ŝ = avg(|y − μ̂|)"]),
        (("asymmetric laplace",), {"quantile": 0.9, "scale": 1}, ["dL/dz = −sign(y − z) / 2 − 2 / 5"]),
        (("categorical",), {}, ["L = −log p = −y' log(softmax(z))", "gz = softmax(z) − y", "H = diag(p) − p p'"]),
    ],
)  # fmt: skip
def test_lines_of_pages(arguments, given, lines):
    page = str(dv.likelihood(*arguments, **given))
    for line in lines:
        assert line in page


def test_command_says_what_is_wrong(capsys):
    assert main(["likelihood", "poisson", "--link", "identity"]) == 2
    assert "mean of the poisson law must be positive" in capsys.readouterr().err
    assert main(["likelihood", "normal", "--set", "sigma"]) == 2
    assert '--set takes "name=value, name=value"; found' in capsys.readouterr().err


def test_command_emits(capsys, tmp_path):
    assert main(["likelihood", "exp(-abs(y-mu)/b)/(2*b)", "--set", "b=positive", "--target", "numpy"]) == 0
    assert "def own_loss(z, y, b):" in capsys.readouterr().out
    out = tmp_path / "page.txt"
    assert main(["likelihood", "normal", "--link", "mean=identity, sigma=log", "--out", str(out)]) == 0
    assert "dL/dz_σ = 1 − exp(−2 z_σ) (y − z_μ)²" in out.read_text(encoding="utf-8")
