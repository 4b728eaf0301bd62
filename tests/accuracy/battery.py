"""Functions as they stand in textbooks, each with the domain on which its digits should be right.

A formula is naive on purpose: what is measured is what the engine makes of it. `np` and `special` are looked up when a case
is called, so that the same formula can be run by other libraries; see `benchmarks.stability`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Case:
    """A naive formula and the domain of each input, in the words of `dv.accuracy`; all real inputs are differentiated by."""

    name: str
    f: Callable[..., Any]
    domain: dict[str, str]

    def __str__(self) -> str:
        return self.name


def case(name: str, f: Callable[..., Any], **domain: str) -> Case:
    return Case(name, f, domain)


WIDE = "-1e4..1e4"
PLUS = "1e-300..1e4"
PART = "1e-300..1"
UNIT = "-1..1"
COUNT = "integer 0..10000"
LABEL = "integer 0..1"
VECTOR = "n, -1e4..1e4"
POSITIVES = "n, 1e-300..1e4"
WEIGHTS = "n, 1e-10..1"


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def Phi(x: Any) -> Any:
    return 0.5 * (1 + special.erf(x / np.sqrt(2)))


def phi(x: Any) -> Any:
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def softmax(x: Any) -> Any:
    return np.exp(x) / np.sum(np.exp(x))


LOSSES = [
    case("softplus", lambda x: np.log(1 + np.exp(x)), x=WIDE),
    case("softplus of -x", lambda x: np.log(1 + np.exp(-x)), x=WIDE),
    case("softplus, beta", lambda x, b: np.log(1 + np.exp(b * x)) / b, x="-1e3..1e3", b="1e-3..1e3"),
    case("log(e^x + 1) - x", lambda x: np.log(np.exp(x) + 1) - x, x=WIDE),
    case("logistic loss of a margin", lambda z, y: np.log(1 + np.exp(-y * z)), z=WIDE, y="-1..1"),
    case("BCE of a logit", lambda z, y: -(y * np.log(sigmoid(z)) + (1 - y) * np.log(1 - sigmoid(z))), z=WIDE, y="0..1"),
    case("BCE of a logit, label 1", lambda z: -np.log(1 / (1 + np.exp(-z))), z=WIDE),
    case("BCE of a logit, label 0", lambda z: -np.log(1 - 1 / (1 + np.exp(-z))), z=WIDE),
    case("BCE, softplus - y z", lambda z, y: np.log(1 + np.exp(z)) - y * z, z=WIDE, y=LABEL),
    case("BCE of probabilities", lambda p, y: -(y * np.log(p) + (1 - y) * np.log(1 - p)), p=PART, y=LABEL),
    case("focal loss", lambda z: -((1 - sigmoid(z)) ** 2) * np.log(sigmoid(z)), z=WIDE),
    case("focal loss, gamma", lambda z, g: -((1 - sigmoid(z)) ** g) * np.log(sigmoid(z)), z="-1e3..1e3", g="0.5..5"),
    case("focal loss of a probability", lambda p: -((1 - p) ** 2) * np.log(p), p=PART),
    case("log-cosh", lambda x: np.log(np.cosh(x)), x=WIDE),
    case("log-cosh by exp", lambda x: np.log((np.exp(x) + np.exp(-x)) / 2), x=WIDE),
    case("pseudo-Huber", lambda x: np.sqrt(1 + x**2) - 1, x="-1e10..1e10"),
    case("pseudo-Huber, delta", lambda x, d: d**2 * (np.sqrt(1 + (x / d) ** 2) - 1), x=WIDE, d="1e-3..1e3"),
    case("Cauchy loss", lambda x, c: c**2 / 2 * np.log(1 + (x / c) ** 2), x="-1e10..1e10", c="1e-3..1e3"),
    case("Welsch loss", lambda x: 1 - np.exp(-(x**2) / 2), x=WIDE),
    case("Geman-McClure", lambda x: x**2 / (1 + x**2), x="-1e10..1e10"),
    case("smooth quantile loss", lambda x: 0.9 * x + 0.1 * np.log(1 + np.exp(-x / 0.1)), x="-1e3..1e3"),
    case("quantile loss", lambda y, q: np.maximum(0.9 * (y - q), -0.1 * (y - q)), y=WIDE, q=WIDE),
    case("exponential tilt loss", lambda x, t: np.log(1 + t * (np.exp(x) - 1)), x="-1e3..1e3", t="1e-10..1"),
    case("LINEX loss", lambda x: np.exp(x) - x - 1, x="-700..700"),
    case("Poisson deviance", lambda y, m: 2 * (y * np.log(y / m) - (y - m)), y="1e-3..1e4", m="1e-3..1e4"),
    case("Poisson loss, log link", lambda z, y: np.exp(z) - y * z, z="-1e4..700", y=COUNT),
    case("Itakura-Saito", lambda p, q: p / q - np.log(p / q) - 1, p="1e-3..1e3", q="1e-3..1e3"),
    case("gamma deviance", lambda y, m: -np.log(y / m) + (y - m) / m, y="1e-3..1e3", m="1e-3..1e3"),
    case("Bernoulli KL", lambda p, q: p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)), p=PART, q=PART),
    case("Bernoulli KL of logits", lambda a, b: sigmoid(a) * np.log(sigmoid(a) / sigmoid(b))
         + (1 - sigmoid(a)) * np.log((1 - sigmoid(a)) / (1 - sigmoid(b))), a="-1e3..1e3", b="-1e3..1e3"),
    case("Gaussian KL", lambda m, s: (s**2 + m**2 - 1) / 2 - np.log(s), m="-1e3..1e3", s="1e-3..1e3"),
    case("Gaussian KL of a log-variance", lambda m, v: 0.5 * (np.exp(v) + m**2 - 1 - v), m="-1e3..1e3", v="-700..700"),
]  # fmt: skip

ACTIVATIONS = [
    case("sigmoid", lambda x: 1 / (1 + np.exp(-x)), x=WIDE),
    case("sigmoid, e^x / (1 + e^x)", lambda x: np.exp(x) / (1 + np.exp(x)), x=WIDE),
    case("1 - sigmoid", lambda x: 1 - 1 / (1 + np.exp(-x)), x=WIDE),
    case("e^-x / (1 + e^-x)", lambda x: np.exp(-x) / (1 + np.exp(-x)), x=WIDE),
    case("slope of sigmoid", lambda x: sigmoid(x) * (1 - sigmoid(x)), x=WIDE),
    case("slope of sigmoid, one fraction", lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, x=WIDE),
    case("log sigmoid", lambda x: np.log(1 / (1 + np.exp(-x))), x=WIDE),
    case("log(1 - sigmoid)", lambda x: np.log(1 - 1 / (1 + np.exp(-x))), x=WIDE),
    case("tanh by exp", lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)), x=WIDE),
    case("tanh by exp(2x)", lambda x: (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1), x=WIDE),
    case("1 - tanh^2", lambda x: 1 - np.tanh(x) ** 2, x=WIDE),
    case("1 - tanh", lambda x: 1 - np.tanh(x), x=WIDE),
    case("sech", lambda x: 1 / np.cosh(x), x=WIDE),
    case("artanh", lambda x: 0.5 * np.log((1 + x) / (1 - x)), x=UNIT),
    case("arsinh", lambda x: np.log(x + np.sqrt(x**2 + 1)), x="-1e10..1e10"),
    case("arcosh", lambda x: np.log(x + np.sqrt(x**2 - 1)), x="1..1e10"),
    case("silu", lambda x: x / (1 + np.exp(-x)), x=WIDE),
    case("gelu", lambda x: 0.5 * x * (1 + special.erf(x / np.sqrt(2))), x=WIDE),
    case("gelu by tanh", lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), x=WIDE),
    case("mish", lambda x: x * np.tanh(np.log(1 + np.exp(x))), x=WIDE),
    case("softsign", lambda x: x / (1 + np.abs(x)), x="-1e10..1e10"),
    case("1 - softsign", lambda x: 1 - x / (1 + x), x=PLUS),
    case("elu", lambda x: np.where(x > 0, x, np.exp(x) - 1), x=WIDE),
    case("selu", lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)), x=WIDE),
    case("softmax of two", lambda a, b: np.exp(a) / (np.exp(a) + np.exp(b)), a=WIDE, b=WIDE),
    case("logit", lambda p: np.log(p / (1 - p)), p=PART),
    case("logit, difference of logs", lambda p: np.log(p) - np.log(1 - p), p=PART),
    case("logit of sigmoid", lambda x: np.log(sigmoid(x) / (1 - sigmoid(x))), x=WIDE),
    case("inverse of softplus", lambda y: np.log(np.exp(y) - 1), y=PLUS),
    case("cloglog", lambda p: np.log(-np.log(1 - p)), p=PART),
    case("inverse of cloglog", lambda z: 1 - np.exp(-np.exp(z)), z="-1e4..700"),
    case("log of cloglog's inverse", lambda z: np.log(1 - np.exp(-np.exp(z))), z="-1e4..700"),
    case("log1mexp", lambda x: np.log(1 - np.exp(-x)), x=PLUS),
    case("bent identity", lambda x: (np.sqrt(x**2 + 1) - 1) / 2 + x, x="-1e10..1e10"),
    case("squareplus", lambda x: (x + np.sqrt(x**2 + 4)) / 2, x="-1e10..1e10"),
]  # fmt: skip

VECTORS = [
    case("logsumexp", lambda x: np.log(np.sum(np.exp(x))), x=VECTOR),
    case("logsumexp with weights", lambda x, w: np.log(np.sum(w * np.exp(x))), x=VECTOR, w=WEIGHTS),
    case("logsumexp with temperature", lambda x, T: T * np.log(np.sum(np.exp(x / T))), x="n, -1e3..1e3", T="1e-3..1e3"),
    case("logmeanexp", lambda x: np.log(np.mean(np.exp(x))), x=VECTOR),
    case("logsumexp of -x", lambda x: -np.log(np.sum(np.exp(-x))), x=VECTOR),
    case("softmax", lambda x: np.exp(x) / np.sum(np.exp(x)), x=VECTOR),
    case("log softmax", lambda x: np.log(np.exp(x) / np.sum(np.exp(x))), x=VECTOR),
    case("log softmax, difference", lambda x: x - np.log(np.sum(np.exp(x))), x=VECTOR),
    case("cross-entropy of logits", lambda x, y: -np.sum(y * np.log(softmax(x))), x=VECTOR, y="n, simplex"),
    case("cross-entropy of first logit", lambda x: -np.log(np.exp(x[0]) / np.sum(np.exp(x))), x=VECTOR),
    case("entropy of softmax", lambda x: -np.sum(softmax(x) * np.log(softmax(x))), x=VECTOR),
    case("KL of softmaxes", lambda x, y: np.sum(softmax(x) * np.log(softmax(x) / softmax(y))), x="n, -1e3..1e3", y="n, -1e3..1e3"),
    case("InfoNCE", lambda s, T: -np.log(np.exp(s[0] / T) / np.sum(np.exp(s / T))), s="n, -1..1", T="1e-3..1e1"),
    case("contrastive, log(1 + sum)", lambda s: np.log(1 + np.sum(np.exp(s))), s=VECTOR),
    case("entropy", lambda p: -np.sum(p * np.log(p)), p="n, simplex"),
    case("entropy in bits", lambda p: -np.sum(p * np.log2(p)), p="n, simplex"),
    case("KL of probabilities", lambda p, q: np.sum(p * np.log(p / q)), p="n, simplex", q="n, simplex"),
    case("Euclidean norm", lambda x: np.sqrt(np.sum(x**2)), x="n, -1e4..1e4"),
    case("norm by dot", lambda x: np.sqrt(x @ x), x="n, -1e4..1e4"),
    case("distance", lambda x, y: np.sqrt(np.sum((x - y) ** 2)), x="n, -1e4..1e4", y="n, -1e4..1e4"),
    case("normalised vector", lambda x: x / np.sqrt(np.sum(x**2)), x="n, -1e4..1e4"),
    case("cosine similarity", lambda x, y: np.sum(x * y) / (np.sqrt(np.sum(x**2)) * np.sqrt(np.sum(y**2))),
         x="n, 1e-300..1e4", y="n, 1e-300..1e4"),
    case("p-norm", lambda x: np.sum(np.abs(x) ** 3) ** (1 / 3), x="n, -1e4..1e4"),
    case("smooth maximum", lambda x: np.sum(x * np.exp(x)) / np.sum(np.exp(x)), x="n, 1e-3..1e4"),
    case("geometric mean", lambda x: np.prod(x) ** (1 / 4), x="4, 1e-300..1e4"),
    case("log of a product", lambda x: np.log(np.prod(x)), x="n, 1e-300..1e4"),
    case("harmonic mean", lambda x: 1 / np.mean(1 / x), x="n, 1e-300..1e4"),
    case("variance, E[x^2] - E[x]^2", lambda x: np.mean(x**2) - np.mean(x) ** 2, x="n, 1e4..1.0001e4"),
    case("standard deviation, one pass", lambda x: np.sqrt(np.mean(x**2) - np.mean(x) ** 2), x="n, -1e4..1e4"),
    case("covariance, one pass", lambda x, y: np.mean(x * y) - np.mean(x) * np.mean(y), x="n, 1e4..1.0001e4", y="n, -1..1"),
    case("sum of squares from differences", lambda x: np.sum(x**2) - np.sum(x) ** 2 / 4, x="4, 1e4..1.0001e4"),
    case("layer norm", lambda x: (x - np.mean(x)) / np.sqrt(np.mean(x**2) - np.mean(x) ** 2), x="n, -1e4..1e4"),
    case("squared distance by dots", lambda x, y: x @ x - 2 * (x @ y) + y @ y, x="n, 1e4..1.0001e4", y="n, 1e4..1.0001e4"),
    case("mixture of two normals", lambda x, m: -np.log(0.5 * phi(x - m) + 0.5 * phi(x + m)), x="-1e3..1e3", m="-1e2..1e2"),
    case("sum of log sigmoids", lambda x: -np.sum(np.log(sigmoid(x))), x=VECTOR),
    case("log of a product of sigmoids", lambda x: np.log(np.prod(sigmoid(x))), x=VECTOR),
    case("noisy or", lambda p: 1 - np.prod(1 - p), p="n, 1e-300..1"),
]  # fmt: skip

TAILS = [
    case("normal cdf", lambda x: 0.5 * (1 + special.erf(x / np.sqrt(2))), x="-38..38"),
    case("normal tail", lambda x: 1 - Phi(x), x="-37..37"),
    case("log of the normal cdf", lambda x: np.log(0.5 * (1 + special.erf(x / np.sqrt(2)))), x=WIDE),
    case("log of the normal tail", lambda x: np.log(1 - Phi(x)), x=WIDE),
    case("log erfc", lambda x: np.log(special.erfc(x)), x=WIDE),
    case("1 - erf", lambda x: 1 - special.erf(x), x="-26..26"),
    case("scaled erfc", lambda x: np.exp(x**2) * special.erfc(x), x="-26..1e4"),
    case("Mills ratio", lambda x: (1 - Phi(x)) / phi(x), x="-37..1e4"),
    case("inverse Mills ratio", lambda x: phi(x) / Phi(x), x=WIDE),
    case("probit loss", lambda z: -np.log(Phi(z)), z=WIDE),
    case("erf difference", lambda a, h: special.erf(a + h) - special.erf(a), a="-5..26", h="1e-10..1"),
    case("interval of a logistic law", lambda a, h: sigmoid(a + h) - sigmoid(a), a="-700..700", h="1e-10..1e3"),
    case("log of a logistic interval", lambda a, h: np.log(sigmoid(a + h) - sigmoid(a)), a=WIDE, h="1e-3..1e3"),
    case("exponential tail", lambda x: 1 - np.exp(-x), x=PLUS),
    case("Weibull cdf", lambda x, k: 1 - np.exp(-(x**k)), x="1e-10..1e4", k="0.5..5"),
    case("log Weibull cdf", lambda x, k: np.log(1 - np.exp(-(x**k))), x="1e-10..1e4", k="0.5..5"),
    case("Gumbel log density", lambda z: np.log(np.exp(-(z + np.exp(-z)))), z="-700..1e4"),
    case("Gompertz hazard", lambda t: (np.exp(t) - 1) / t, t="-1e4..700"),
    case("log density of the logistic law", lambda x: np.log(np.exp(-x) / (1 + np.exp(-x)) ** 2), x=WIDE),
    case("log density of the normal law", lambda x, s: np.log(np.exp(-(x**2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))),
         x=WIDE, s="1e-3..1e3"),
    case("log density of sech", lambda x: np.log(1 / (np.pi * np.cosh(x))), x=WIDE),
    case("Student's log density", lambda x, v: -(v + 1) / 2 * np.log(1 + x**2 / v), x="-1e10..1e10", v="1e-3..1e10"),
    case("Student's constant", lambda v: special.gammaln((v + 1) / 2) - special.gammaln(v / 2), v="1e-3..1e10"),
    case("Cauchy log density", lambda x: -np.log(np.pi * (1 + x**2)), x="-1e10..1e10"),
    case("Poisson log pmf", lambda y, z: y * z - np.exp(z) - special.gammaln(y + 1), y=COUNT, z="-1e3..700"),
    case("log Poisson pmf", lambda y, m: np.log(m**y * np.exp(-m) / special.gamma(y + 1)), y="integer 0..150", m="1e-3..1e4"),
    case("truncated Poisson, log(1 - e^-m)", lambda m: m - np.log(1 - np.exp(-m)), m=PLUS),
    case("zero-inflated Poisson at 0", lambda z, l: -np.log(sigmoid(z) + (1 - sigmoid(z)) * np.exp(-np.exp(l))),
         z="-1e3..1e3", l="-1e3..700"),
]  # fmt: skip

LIKELIHOODS = [
    case("negative binomial, log dispersion", lambda y, m, a: special.gammaln(y + 1 / a) - special.gammaln(1 / a)
         - (y + 1 / a) * np.log(1 + a * m) + y * np.log(a * m), y="integer 0..1000", m="1e-3..1e3", a="1e-12..1e2"),
    case("negative binomial, size", lambda y, r: special.gammaln(y + r) - special.gammaln(r), y="integer 1..1000", r="1e-3..1e12"),
    case("r log(r / (r + m))", lambda r, m: r * np.log(r / (r + m)), r="1e-3..1e12", m="1e-3..1e3"),
    case("beta-binomial", lambda k, a, b: special.betaln(k + a, 20 - k + b) - special.betaln(a, b),
         k="integer 0..20", a="1e-3..1e8", b="1e-3..1e8"),
    case("von Mises", lambda x, k: k * np.cos(x) - np.log(2 * np.pi * special.i0(k)), x="-3..3", k=PLUS),
    case("Bessel ratio", lambda k: special.i1(k) / special.i0(k), k=PLUS),
    case("log I0", lambda k: np.log(special.i0(k)), k=PLUS),
    case("Bernoulli log pmf of a log-odds", lambda z, y: np.log(sigmoid(z) ** y * (1 - sigmoid(z)) ** (1 - y)), z="-700..700", y=LABEL),
    case("binomial log pmf of a logit", lambda z, k: k * np.log(sigmoid(z)) + (20 - k) * np.log(1 - sigmoid(z)),
         z=WIDE, k="integer 0..20"),
    case("geometric log pmf", lambda z, k: k * np.log(1 - sigmoid(z)) + np.log(sigmoid(z)), z=WIDE, k="integer 0..100"),
    case("log binomial coefficient", lambda n, k: special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1),
         n="1e2..1e10", k="1..50"),
    case("lgamma difference", lambda x, h: special.gammaln(x + h) - special.gammaln(x), x="1..1e12", h="1e-8..10"),
    case("log beta", lambda a, b: special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b), a="1e-3..1e10", b="1e-3..1e10"),
    case("gamma log density", lambda x, a: (a - 1) * np.log(x) - x - special.gammaln(a), x=PLUS, a="1e-3..1e4"),
    case("beta log density of a logit", lambda z, a, b: a * np.log(sigmoid(z)) + b * np.log(1 - sigmoid(z)), z=WIDE, a="0.1..10", b="0.1..10"),
    case("ordinal logit", lambda z, h: -np.log(sigmoid(h - z) - sigmoid(-h - z)), z="-1e3..1e3", h="1e-3..1e2"),
    case("Bradley-Terry", lambda a, b: -np.log(np.exp(a) / (np.exp(a) + np.exp(b))), a=WIDE, b=WIDE),
    case("Bradley-Terry of strengths", lambda a, b: -np.log(a / (a + b)), a=PLUS, b=PLUS),
    case("hinge, smooth", lambda z: np.log(1 + np.exp(1 - z)), z=WIDE),
    case("Tweedie term", lambda m, p: (m ** (1 - p) - 1) / (1 - p), m="1e-3..1e3", p="1.000001..1.999"),
    case("Box-Cox", lambda x, l: (x**l - 1) / l, x="1e-3..1e3", l="1e-12..2"),
    case("log-normal moment", lambda s: (np.exp(s**2) - 1) * np.exp(s**2), s="1e-100..15"),
    case("censored exponential", lambda x, z: np.log(1 - np.exp(-x * np.exp(z))), x="1e-3..1e3", z="-500..100"),
    case("Rasch", lambda t, b, y: -np.log(np.where(y > 0.5, sigmoid(t - b), 1 - sigmoid(t - b))), t=WIDE, b=WIDE, y=LABEL),
]  # fmt: skip

CANCELLATION = [
    case("log(1 + x)", lambda x: np.log(1 + x), x="1e-300..1e10"),
    case("log(1 - x)", lambda x: np.log(1 - x), x=PART),
    case("exp(x) - 1", lambda x: np.exp(x) - 1, x="-1e4..700"),
    case("(exp(x) - 1) / x", lambda x: (np.exp(x) - 1) / x, x="-1e4..700"),
    case("x / (exp(x) - 1)", lambda x: x / (np.exp(x) - 1), x=WIDE),
    case("Bose-Einstein", lambda x: 1 / (np.exp(x) - 1), x=PLUS),
    case("log(1 + x) / x", lambda x: np.log(1 + x) / x, x="1e-300..1e10"),
    case("u - log(1 + u)", lambda u: u - np.log(1 + u), u="-0.999..1e4"),
    case("1 - cos", lambda x: 1 - np.cos(x), x="-10..10"),
    case("(1 - cos x) / x^2", lambda x: (1 - np.cos(x)) / x**2, x="1e-150..10"),
    case("cosine difference", lambda x, h: np.cos(x + h) - np.cos(x), x="-10..10", h="1e-10..1"),
    case("sine difference", lambda x, h: np.sin(x + h) - np.sin(x), x="-10..10", h="1e-10..1"),
    case("sinc", lambda x: np.sin(x) / x, x="-100..100"),
    case("x - sin x", lambda x: x - np.sin(x), x="-10..10"),
    case("tan x - x", lambda x: np.tan(x) - x, x="-1..1"),
    case("x coth x - 1", lambda x: x * np.cosh(x) / np.sinh(x) - 1, x=PLUS),
    case("Langevin", lambda x: np.cosh(x) / np.sinh(x) - 1 / x, x=PLUS),
    case("sinh by exp", lambda x: (np.exp(x) - np.exp(-x)) / 2, x="-700..700"),
    case("cosh - 1", lambda x: np.cosh(x) - 1, x="-700..700"),
    case("e^x - e^y", lambda x, h: np.exp(x + h) - np.exp(x), x="-600..600", h="1e-10..1"),
    case("log difference", lambda x, h: np.log(x + h) - np.log(x), x="1e-3..1e10", h="1e-10..1"),
    case("log of exp difference", lambda x, y: np.log(np.exp(x + y) - np.exp(x)), x=WIDE, y=PLUS),
    case("logaddexp", lambda x, y: np.log(np.exp(x) + np.exp(y)), x=WIDE, y=WIDE),
    case("log(e^x + y)", lambda x, y: np.log(np.exp(x) + y), x=WIDE, y=PLUS),
    case("compounding", lambda r, n: (1 + r) ** n - 1, r="1e-300..1", n="1..1000"),
    case("annuity", lambda r: r / (1 - (1 + r) ** -30), r="1e-300..10"),
    case("geometric sum", lambda q: (1 - q**10) / (1 - q), q="0.5..2"),
    case("sqrt(x + 1) - sqrt(x)", lambda x: np.sqrt(x + 1) - np.sqrt(x), x="1e-300..1e10"),
    case("sqrt(1 + x) - 1", lambda x: np.sqrt(1 + x) - 1, x="1e-300..1e10"),
    case("sqrt(1 + x^2) - x", lambda x: np.sqrt(1 + x**2) - x, x="1e-300..1e10"),
    case("1/sqrt(x) - 1/sqrt(x + 1)", lambda x: 1 / np.sqrt(x) - 1 / np.sqrt(x + 1), x="1e-10..1e10"),
    case("1/x - 1/(x + 1)", lambda x: 1 / x - 1 / (x + 1), x="1e-150..1e10"),
    case("small root of a quadratic", lambda b, c: (-b + np.sqrt(b**2 - 4 * c)) / 2, b="1..1e8", c="1e-100..0.2"),
    case("large root of a quadratic", lambda b, c: (-b - np.sqrt(b**2 - 4 * c)) / 2, b="1..1e8", c="1e-100..0.2"),
    case("root of a general quadratic", lambda a, b, c: (-b + np.sqrt(b**2 - 4 * a * c)) / (2 * a),
         a="1e-100..1", b="2..1e8", c="1e-100..1"),
    case("hypot", lambda x, y: np.sqrt(x**2 + y**2), x="-1e10..1e10", y="-1e10..1e10"),
    case("hypot - x", lambda x, y: np.sqrt(x**2 + y**2) - x, x="1e-10..1e10", y="1e-10..1e10"),
    case("leg of a triangle", lambda c, x: np.sqrt(c**2 - x**2), c="1e-300..1e10", x="1e-300..1e10"),
    case("difference of squares", lambda x, y: x**2 - y**2, x="1..1e8", y="1..1e8"),
    case("relative difference", lambda x, y: (x - y) / (x + y), x=PLUS, y=PLUS),
    case("reciprocal difference", lambda x, h: 1 / (x + h) - 1 / x, x="1e-3..1e10", h="1e-10..1"),
    case("binary entropy", lambda p: -p * np.log(p) - (1 - p) * np.log(1 - p), p=PART),
    case("x log x", lambda x: x * np.log(x), x="0..1e4"),
    case("x^x", lambda x: x**x, x="1e-300..100"),
    case("acos near 1", lambda x: np.arccos(1 - x), x="1e-300..1"),
    case("haversine", lambda x: np.arccos(np.cos(x)), x="1e-100..3"),
    case("arctan difference", lambda x: np.arctan(x + 1) - np.arctan(x), x="1..1e15"),
    case("atan tail", lambda x: np.pi / 2 - np.arctan(x), x="1..1e15"),
    case("power mean limit", lambda x, h: ((1 + x) ** h - 1) / h, x="1e-10..1e3", h="1e-12..1"),
    case("exp(-x) x^3", lambda x: x**3 / (np.exp(x) - 1), x=PLUS),
    case("log-odds difference", lambda p, q: np.log(p / (1 - p)) - np.log(q / (1 - q)), p=PART, q=PART),
    case("log ratio of near", lambda x, y: np.log(x / y), x="1e3..1.001e3", y="1e3..1.001e3"),
]  # fmt: skip

CASES = [*LOSSES, *ACTIVATIONS, *VECTORS, *TAILS, *LIKELIHOODS, *CANCELLATION]
"""Formulas that tests look at; the benchmark looks at those of models too."""

MODELS = [
    case("hard label smoothing CE", lambda z, y, e: -(((1-e)*y + e/2)*np.log(sigmoid(z)) + (1-((1-e)*y + e/2))*np.log(1-sigmoid(z))), z=WIDE, y="integer 0..1", e="1e-10..0.5"),
    case("asymmetric Laplace cdf log", lambda x: np.log(1 - np.exp(-x)/2), x=PLUS),
    case("Jensen-Shannon of Bernoullis", lambda p, q: 0.5*(p*np.log(2*p/(p+q)) + q*np.log(2*q/(p+q)) + (1-p)*np.log(2*(1-p)/(2-p-q)) + (1-q)*np.log(2*(1-q)/(2-p-q))), p="1e-300..0.999", q="1e-300..0.999"),
    case("Hellinger of Bernoullis", lambda p, q: 1 - np.sqrt(p*q) - np.sqrt((1-p)*(1-q)), p="1e-300..0.999", q="1e-300..0.999"),
    case("Poisson KL", lambda a, b: a*np.log(a/b) - a + b, a=PLUS, b=PLUS),
    case("exponential KL", lambda a, b: np.log(a/b) + b/a - 1, a="1e-3..1e3", b="1e-3..1e3"),
    case("gamma KL, equal rate", lambda a, b: (a-b)*special.digamma(a) - special.gammaln(a) + special.gammaln(b), a="1e-2..1e6", b="1e-2..1e6"),
    case("Tsallis entropy term", lambda p, q: (p**q - p)/(1-q), p="1e-10..1", q="0.5..1.999"),
    case("Renyi of Bernoulli", lambda p, a: np.log(p**a + (1-p)**a)/(1-a), p="1e-10..0.999", a="1.000001..3"),
    case("softmax with temperature entropy", lambda x, T: -np.sum(np.exp(x/T)/np.sum(np.exp(x/T))*np.log(np.exp(x/T)/np.sum(np.exp(x/T)))), x="n, -1e3..1e3", T="1e-2..1e2"),
    case("margin softmax", lambda x, m: -np.log(np.exp(x[0]-m)/(np.exp(x[0]-m) + np.sum(np.exp(x[1:])))), x="4, -1e3..1e3", m="0..10"),
    case("log of 1 - softmax", lambda x: np.log(1 - np.exp(x[0])/np.sum(np.exp(x))), x="4, -1e3..1e3"),
    case("logit of softmax", lambda x: np.log(softmax(x)[0]/(1-softmax(x)[0])), x="4, -1e3..1e3"),
    case("softplus inverse shift", lambda y: y + np.log(1-np.exp(-y)), y=PLUS),
    case("log of softplus", lambda x: np.log(np.log(1+np.exp(x))), x=WIDE),
    case("sqrt of softplus", lambda x: np.sqrt(np.log(1+np.exp(x))), x=WIDE),
    case("tanhshrink", lambda x: x - np.tanh(x), x=WIDE),
    case("logsigmoid minus x", lambda x: np.log(1/(1+np.exp(-x))) - x, x=WIDE),
    case("expected improvement", lambda z: z*Phi(z) + phi(z), z="-37..1e4"),
    case("log expected improvement", lambda z: np.log(z*Phi(z)+phi(z)), z="-1e4..1e4"),
    case("truncated normal mean", lambda a: a + phi(a)/Phi(a), a="-1e4..1e4"),
    case("log of normal interval", lambda a, h: np.log(Phi(a+h)-Phi(a)), a="-30..30", h="1e-3..1e2"),
    case("ordinal probit", lambda z, h: -np.log(Phi(h-z)-Phi(-h-z)), z="-30..30", h="1e-3..1e1"),
    case("Weibull log density", lambda x, k: np.log(k) + (k-1)*np.log(x) - x**k, x="1e-10..1e3", k="0.5..5"),
    case("Gumbel cdf complement", lambda z: 1 - np.exp(-np.exp(-z)), z="-700..1e4"),
    case("log Gumbel survival", lambda z: np.log(1-np.exp(-np.exp(-z))), z="-700..1e4"),
    case("Gompertz log survival", lambda t, b: -(np.exp(b*t)-1)/b, t="1e-10..1e2", b="1e-12..1"),
    case("GEV log density exponent", lambda x, k: (1+k*x)**(-1/k), x="1e-3..1e2", k="1e-12..1"),
    case("GPD log density", lambda x, k: -(1+1/k)*np.log(1+k*x), x="1e-10..1e3", k="1e-12..1e1"),
    case("generalised logit mean", lambda x, q: (1 - (1-q)*x)**(1/(1-q)), x="1e-3..1", q="1.000001..2"),
    case("Student to normal limit", lambda x, v: special.gammaln((v+1)/2) - special.gammaln(v/2) - 0.5*np.log(v*np.pi) - (v+1)/2*np.log(1+x**2/v), x="-1e3..1e3", v="1e-2..1e10"),
    case("beta log pdf", lambda x, a, b: (a-1)*np.log(x)+(b-1)*np.log(1-x)-special.betaln(a,b), x="1e-10..0.999", a="1e-2..1e6", b="1e-2..1e6"),
    case("Dirichlet-multinomial term", lambda a, n: special.gammaln(a) - special.gammaln(a+n), a="1e-3..1e10", n="integer 0..1000"),
    case("negative binomial by p", lambda y, r, p: special.gammaln(y+r)-special.gammaln(r)-special.gammaln(y+1)+r*np.log(p)+y*np.log(1-p), y="integer 0..1000", r="1e-3..1e6", p="1e-10..0.999"),
    case("NB variance form", lambda m, a: np.log(1+a*m)/a, m="1e-3..1e3", a="1e-12..1e2"),
    case("zero-truncated Poisson mean", lambda m: m/(1-np.exp(-m)), m=PLUS),
    case("zero-inflated at zero", lambda p, m: -np.log(p + (1-p)*np.exp(-m)), p="1e-10..0.999", m="1e-10..1e3"),
    case("hurdle log", lambda z, m: -np.log(sigmoid(z)) - np.log(1-np.exp(-m)), z=WIDE, m=PLUS),
    case("complementary log of sum", lambda a, b: np.log(np.exp(-a)+np.exp(-b)-np.exp(-a-b)), a=PLUS, b=PLUS),
    case("prob or, logits", lambda a, b: 1-(1-sigmoid(a))*(1-sigmoid(b)), a="-700..700", b="-700..700"),
    case("log prob or, logits", lambda a, b: np.log(1-(1-sigmoid(a))*(1-sigmoid(b))), a="-700..700", b="-700..700"),
    case("inverse softplus of exp", lambda x: np.log(np.exp(np.exp(x))-1), x="-700..700"),
    case("hyperbolic distance", lambda x: np.arccosh(1+x), x=PLUS),
    case("versine of difference", lambda a, b: 1-np.cos(a-b), a="-10..10", b="-10..10"),
    case("log1p of x^2 near", lambda x: np.log(1+x**2)-x**2, x="-1e3..1e3"),
    case("evidence of Beta", lambda a, b: special.digamma(a+b)-special.digamma(a), a="1e-2..1e8", b="1e-2..1e8"),
    case("cross entropy with soft labels", lambda x, y: np.log(np.sum(np.exp(x))) - np.sum(y*x), x="n, -1e3..1e3", y="n, simplex"),
    case("unlikelihood", lambda x: -np.log(1-softmax(x)[0]), x="4, -1e3..1e3"),
    case("Sinkhorn soft-min", lambda x, e: -e*np.log(np.sum(np.exp(-x/e))), x="n, -1e3..1e3", e="1e-3..1e3"),
    case("LogSumExp minus max", lambda x: np.log(np.sum(np.exp(x)))-np.max(x), x="n, -1e3..1e3"),
    case("log mean exp difference", lambda x, y: np.log(np.mean(np.exp(x)))-np.log(np.mean(np.exp(y))), x="n, -1e3..1e3", y="n, -1e3..1e3"),
]  # fmt: skip
