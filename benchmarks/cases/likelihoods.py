"""Negative log-likelihoods: value and gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaln

from .. import by_hand
from ..case import Case, counts, normal

FUSED = "elementwise, norms, losses, NLLs"


def gaussian(mu: Any, s: Any, y: Any) -> Any:
    """s is the logarithm of the deviation."""
    return np.sum(s + (y - mu) ** 2 * np.exp(-2 * s) / 2)


def gaussian_numpy(mu: Any, s: Any, y: Any) -> Any:
    w, r = np.exp(-2 * s), y - mu
    q = r * r * w
    return (s + q / 2).sum(), -r * w, 1 - q


def gaussian_sympy(sp: Any) -> Any:
    mu, s, y = sp.symbols("mu s y", real=True)
    e = s + (y - mu) ** 2 * sp.exp(-2 * s) / 2
    run = sp.lambdify([mu, s, y], [e, sp.diff(e, mu), sp.diff(e, s)], modules="numpy", cse=True)
    return summed(run)


def summed(run: Any) -> Any:
    """The sum of the first result, and the others as they are."""

    def total(*arrays: Any) -> Any:
        value, *gradients = run(*arrays)
        return value.sum(), *gradients

    return total


GAUSSIAN = Case(
    "Gaussian NLL 1e6", FUSED, gaussian, {"mu": "n", "s": "n", "y": "n"}, {"n": 1_000_000}, "value_and_grad",
    wrt=("mu", "s"), bound="memory", data={"mu": normal(), "s": normal(0.3), "y": normal()},
    torch=lambda torch, mu, s, y: (s + (y - mu) ** 2 * torch.exp(-2 * s) / 2).sum(),
    jax=lambda jax, mu, s, y: (s + (y - mu) ** 2 * jax.numpy.exp(-2 * s) / 2).sum(),
    numpy=gaussian_numpy, sympy=gaussian_sympy, numba=by_hand.gaussian,
)  # fmt: skip


def poisson(z: Any, y: Any) -> Any:
    return np.sum(np.exp(z) - y * z)


def poisson_numpy(z: Any, y: Any) -> Any:
    mu = np.exp(z)
    return (mu - y * z).sum(), mu - y


def poisson_sympy(sp: Any) -> Any:
    z, y = sp.symbols("z y", real=True)
    e = sp.exp(z) - y * z
    return summed(sp.lambdify([z, y], [e, sp.diff(e, z)], modules="numpy", cse=True))


POISSON = Case(
    "Poisson NLL 1e6", FUSED, poisson, {"z": "n", "y": "n"}, {"n": 1_000_000}, "value_and_grad", wrt=("z",),
    bound="memory", data={"z": normal(), "y": counts(2.0)},
    torch=lambda torch, z, y: torch.nn.functional.poisson_nll_loss(z, y, reduction="sum"),
    jax=lambda jax, z, y: (jax.numpy.exp(z) - y * z).sum(),
    numpy=poisson_numpy, sympy=poisson_sympy, numba=by_hand.poisson,
)  # fmt: skip

NU = 4.0


def student(mu: Any, s: Any, y: Any) -> Any:
    """Four degrees of freedom; s is the logarithm of the scale."""
    return np.sum(s + (NU + 1) / 2 * np.log1p((y - mu) ** 2 * np.exp(-2 * s) / NU))


def student_numpy(mu: Any, s: Any, y: Any) -> Any:
    w, r = np.exp(-2 * s), y - mu
    q = r * r * w
    v = (NU + 1) / (NU + q)
    return (s + (NU + 1) / 2 * np.log1p(q / NU)).sum(), -r * w * v, 1 - q * v


STUDENT = Case(
    "Student-t NLL 1e6", FUSED, student, {"mu": "n", "s": "n", "y": "n"}, {"n": 1_000_000}, "value_and_grad",
    wrt=("mu", "s"), bound="memory", data={"mu": normal(), "s": normal(0.3), "y": normal(2.0)},
    torch=lambda torch, mu, s, y: (s + (NU + 1) / 2 * torch.log1p((y - mu) ** 2 * torch.exp(-2 * s) / NU)).sum(),
    jax=lambda jax, mu, s, y: (s + (NU + 1) / 2 * jax.numpy.log1p((y - mu) ** 2 * jax.numpy.exp(-2 * s) / NU)).sum(),
    numpy=student_numpy,
)  # fmt: skip


def negative_binomial(z: Any, a: Any, y: Any) -> Any:
    """Mean exp(z), shape exp(a) shared by all."""
    r, mu = np.exp(a), np.exp(z)
    return -np.sum(
        gammaln(y + r) - gammaln(r) - gammaln(y + 1) + r * np.log(r / (r + mu)) + y * np.log(mu / (r + mu))
    )


def negative_binomial_torch(torch: Any, z: Any, a: Any, y: Any) -> Any:
    r, lgamma, logaddexp = torch.exp(a), torch.lgamma, torch.logaddexp
    total = logaddexp(a, z)
    return -(lgamma(y + r) - lgamma(r) - lgamma(y + 1) + r * (a - total) + y * (z - total)).sum()


def negative_binomial_jax(jax: Any, z: Any, a: Any, y: Any) -> Any:
    r, lgamma, total = jax.numpy.exp(a), jax.scipy.special.gammaln, jax.numpy.logaddexp(a, z)
    return -(lgamma(y + r) - lgamma(r) - lgamma(y + 1) + r * (a - total) + y * (z - total)).sum()


NEGATIVE_BINOMIAL = Case(
    "negative binomial NLL 1e5", FUSED, negative_binomial, {"z": "n", "a": "", "y": "n"}, {"n": 100_000}, "value_and_grad",
    wrt=("z", "a"), data={"z": normal(), "a": lambda rng, shape: np.array(0.4), "y": counts(2.0)},
    torch=negative_binomial_torch, jax=negative_binomial_jax, single=2e-3,
)  # fmt: skip

HALF_LOG_2PI = math.log(2 * math.pi) / 2


def mixture(a: Any, mu: Any, s: Any, x: Any) -> Any:
    """K components with weights softmax(a), means mu, log-deviations s."""
    logp = a - np.log(np.sum(np.exp(a))) - s - (x[:, None] - mu) ** 2 * np.exp(-2 * s) / 2
    return -np.sum(np.log(np.sum(np.exp(logp), axis=1))) + len(x) * HALF_LOG_2PI


def mixture_torch(torch: Any, a: Any, mu: Any, s: Any, x: Any) -> Any:
    logp = torch.log_softmax(a, 0) - s - (x[:, None] - mu) ** 2 * torch.exp(-2 * s) / 2
    return -torch.logsumexp(logp, 1).sum() + len(x) * HALF_LOG_2PI


def mixture_jax(jax: Any, a: Any, mu: Any, s: Any, x: Any) -> Any:
    logp = jax.nn.log_softmax(a) - s - (x[:, None] - mu) ** 2 * jax.numpy.exp(-2 * s) / 2
    return -jax.nn.logsumexp(logp, axis=1).sum() + len(x) * HALF_LOG_2PI


MIXTURE = Case(
    "Gaussian mixture NLL 1e5x8", FUSED, mixture, {"a": "K", "mu": "K", "s": "K", "x": "n"}, {"n": 100_000, "K": 8},
    "value_and_grad", wrt=("a", "mu", "s"), single=2e-3,
    data={"a": normal(), "mu": normal(3.0), "s": normal(0.2), "x": normal(3.0)},
    torch=mixture_torch, jax=mixture_jax,
)  # fmt: skip


def multivariate_normal(mu: Any, S: Any, X: Any) -> Any:
    R = X - mu
    return 0.5 * np.sum(R * np.linalg.solve(S, R.T).T) + 0.5 * len(X) * np.linalg.slogdet(S)[1]


MULTIVARIATE_NORMAL = Case(
    "multivariate normal NLL 2000x64", FUSED, multivariate_normal,
    {"mu": "d", "S": "d d, positive definite", "X": "n d"}, {"n": 2000, "d": 64}, "value_and_grad", wrt=("mu", "S"),
    torch=lambda torch, mu, S, X: 0.5 * ((X - mu) * torch.linalg.solve(S, (X - mu).T).T).sum()
    + 0.5 * len(X) * torch.linalg.slogdet(S)[1],
    jax=lambda jax, mu, S, X: 0.5 * ((X - mu) * jax.numpy.linalg.solve(S, (X - mu).T).T).sum()
    + 0.5 * len(X) * jax.numpy.linalg.slogdet(S)[1],
    single=2e-3,
)  # fmt: skip


def marginal_likelihood(log_scale: Any, log_noise: Any, log_signal: Any, D: Any, y: Any) -> Any:
    """Of a Gaussian process with an exponential-quadratic kernel; D holds the squared distances."""
    n = len(y)
    K = np.exp(log_signal) * np.exp(-D / 2 * np.exp(-2 * log_scale)) + np.exp(log_noise) * np.eye(n)
    L = np.linalg.cholesky(K)
    return 0.5 * y @ np.linalg.solve(K, y) + np.sum(np.log(np.diagonal(L)))


def marginal_torch(torch: Any, log_scale: Any, log_noise: Any, log_signal: Any, D: Any, y: Any) -> Any:
    eye = torch.eye(len(y), dtype=y.dtype)
    K = torch.exp(log_signal) * torch.exp(-D / 2 * torch.exp(-2 * log_scale)) + torch.exp(log_noise) * eye
    L = torch.linalg.cholesky(K)
    return 0.5 * y @ torch.cholesky_solve(y[:, None], L)[:, 0] + torch.log(torch.diagonal(L)).sum()


def marginal_jax(jax: Any, log_scale: Any, log_noise: Any, log_signal: Any, D: Any, y: Any) -> Any:
    jnp = jax.numpy
    eye = jnp.eye(len(y), dtype=y.dtype)
    K = jnp.exp(log_signal) * jnp.exp(-D / 2 * jnp.exp(-2 * log_scale)) + jnp.exp(log_noise) * eye
    L = jnp.linalg.cholesky(K)
    return 0.5 * y @ jax.scipy.linalg.cho_solve((L, True), y) + jnp.log(jnp.diagonal(L)).sum()


def marginal_numpy(log_scale: Any, log_noise: Any, log_signal: Any, D: Any, y: Any) -> Any:
    from scipy.linalg import cho_factor, cho_solve

    E = np.exp(log_signal - D / 2 * np.exp(-2 * log_scale))
    noise = np.exp(log_noise)
    factor = cho_factor(E + noise * np.eye(len(y)), lower=True)
    alpha = cho_solve(factor, y)
    G = (cho_solve(factor, np.eye(len(y))) - np.outer(alpha, alpha)) / 2
    value = 0.5 * y @ alpha + np.log(np.diagonal(factor[0])).sum()
    return value, np.sum(G * E * D) * np.exp(-2 * log_scale), noise * np.trace(G), np.sum(G * E)


def distances(rng: Any, shape: tuple[int, ...]) -> Any:
    points = rng.standard_normal((shape[0], 3))
    return ((points[:, None] - points) ** 2).sum(-1)


GAUSSIAN_PROCESS = Case(
    "GP marginal likelihood n=400", FUSED, marginal_likelihood,
    {"log_scale": "", "log_noise": "", "log_signal": "", "D": "n n, symmetric", "y": "n"}, {"n": 400}, "value_and_grad",
    wrt=("log_scale", "log_noise", "log_signal"), single=2e-3,
    data={"log_scale": lambda rng, shape: np.array(0.1), "log_noise": lambda rng, shape: np.array(-1.0),
          "log_signal": lambda rng, shape: np.array(0.2), "D": distances, "y": normal()},
    torch=marginal_torch, jax=marginal_jax, numpy=marginal_numpy,
    reasons="K is factored twice: by Cholesky as written, and by LU to solve, since nothing says that it is positive "
    "definite. Next: what has a Cholesky factor is positive definite.",
)  # fmt: skip
