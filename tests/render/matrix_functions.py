"""Functions of matrices whose derivatives stand in every textbook, and what is printed for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

import derive as dv

L = np.linalg
PD = "n n, positive definite"
SYMMETRIC = "n n, symmetric"


def inverse(X: Any) -> Any:
    Y = L.inv(X)
    return Y


def solution(A: Any, b: Any) -> Any:
    Y = L.solve(A, b)
    return Y


def factor(A: Any) -> Any:
    L = np.linalg.cholesky(A)
    return L


def decomposition(A: Any) -> Any:
    w, V = L.eigh(A)
    return w, V


def log_likelihood(x: Any, mu: Any, S: Any) -> Any:
    r = x - mu
    return -L.slogdet(S)[1] / 2 - r @ L.solve(S, r) / 2


def log_likelihoods(X: Any, mu: Any, S: Any) -> Any:
    R = X - mu
    return -X.shape[0] * L.slogdet(S)[1] / 2 - np.sum(R * L.solve(S, R.T).T) / 2


def marginal_likelihood(D: Any, y: Any, s: Any, l: Any, noise: Any) -> Any:
    K = s**2 * np.exp(-D / (2 * l**2)) + noise * np.eye(len(y))
    alpha = L.solve(K, y)
    return -y @ alpha / 2 - L.slogdet(K)[1] / 2


def least_squares(A: Any, b: Any) -> Any:
    x = L.solve(A.T @ A, A.T @ b)
    return x


def divergence(m0: Any, S0: Any, m1: Any, S1: Any) -> Any:
    d = m1 - m0
    return (np.trace(L.solve(S1, S0)) + d @ L.solve(S1, d) - logdet(S0) + logdet(S1)) / 2


def kalman(P: Any, H: Any, R: Any, x: Any, y: Any) -> Any:
    S = H @ P @ H.T + R
    K = P @ H.T @ L.inv(S)
    return x + K @ (y - H @ x)


def by_factor(x: Any, mu: Any, S: Any) -> Any:
    C = L.cholesky(S)
    z = scipy.linalg.solve_triangular(C, x - mu, lower=True)
    return -np.sum(np.log(np.diag(C))) - z @ z / 2


def entropy(A: Any) -> Any:
    w = L.eigvalsh(A)
    return -np.sum(w * np.log(w))


def ridge(A: Any, b: Any, a: Any) -> Any:
    x = L.solve(A.T @ A + a * np.eye(A.shape[1]), A.T @ b)
    return x


def trace(fn: Callable[..., Any], **shapes: str) -> dv.Function:
    return dv.trace(fn, **shapes)


def logdet(X: Any) -> Any:
    return L.slogdet(X)[1]


GP = dict(D=SYMMETRIC, y="n", s=", positive", l=", positive", noise=", positive")
TABLE: dict[str, tuple[Callable[[], dv.Function], list[str]]] = {
    "logdet": (lambda: dv.grad(trace(logdet, X="n n")), ["gX = X⁻ᵀ"]),
    "logdet, symmetric": (lambda: dv.grad(trace(logdet, X=SYMMETRIC)), ["gX = X⁻¹"]),
    "logdet, positive definite": (lambda: dv.grad(trace(logdet, X=PD)), ["gX = X⁻¹"]),
    "value of logdet": (lambda: trace(logdet, X="n n"), ["Y = logdet(X)"]),
    "trace of an inverse": (
        lambda: dv.grad(trace(lambda A, X, B: np.trace(A @ L.inv(X) @ B), A="m n", X="n n", B="n m"), "X"),
        ["gX = −X⁻ᵀ A' B' X⁻ᵀ"],
    ),
    "jvp of inv": (lambda: dv.jvp(trace(lambda X: L.inv(X), X="n n")), ["Y = X⁻¹", "dY = −X⁻¹ dX X⁻¹"]),
    "vjp of inv": (lambda: dv.vjp(trace(lambda X: L.inv(X), X="n n")), ["Y = X⁻¹", "gX = −X⁻ᵀ gY X⁻ᵀ"]),
    "vjp of inv, named": (lambda: dv.vjp(trace(inverse, X="n n")), ["Y = X⁻¹", "gX = −Y' gY Y'"]),
    "vjp of inv, a stack": (
        lambda: dv.vjp(trace(lambda X: L.inv(X), X="k n n")),
        ["Y = X⁻¹   (for each i)", "gX = −X⁻ᵀ gY X⁻ᵀ   (for each i)"],
    ),
    "det": (lambda: dv.grad(trace(lambda X: L.det(X), X="n n")), ["gX = det(X) X⁻ᵀ"]),
    "jvp of det": (
        lambda: dv.jvp(trace(lambda X: L.det(X), X="n n")),
        ["Y = det(X)", "dY = Y tr(X⁻¹ dX)"],
    ),
    "power": (lambda: dv.grad(trace(lambda X: np.trace(L.matrix_power(X, 5)), X="n n")), ["gX = 5 X'^4"]),
    "vjp of a power": (
        lambda: dv.vjp(trace(lambda X: L.matrix_power(X, 6), X="n n")),
        ["gX = sum_i X'^i gY X'^(5 − i)"],
    ),
    "symbolic power": (
        lambda: dv.grad(trace(lambda X, v: np.trace(L.matrix_power(X, len(v))), X="n n", v="k"), "X"),
        ["gX = k X'^(k − 1)"],
    ),
    "both powers": (
        lambda: dv.grad(trace(lambda X: np.sum(X**3) + np.trace(L.matrix_power(X, 5)), X="n n")),
        ["gX = 3 X² + 5 X'^4"],
    ),
    "expm": (lambda: dv.grad(trace(lambda X: np.trace(scipy.linalg.expm(X)), X="n n")), ["gX = expm(X)'"]),
    "log-likelihood": (
        lambda: dv.grad(trace(log_likelihood, x="n", mu="n", S=PD), ["mu", "S"]),
        ["gmu = S⁻¹ (x − mu)", "gS = (gmu gmu' − S⁻¹) / 2"],
    ),
    "log-likelihoods": (
        lambda: dv.grad(trace(log_likelihoods, X="m n", mu="n", S=PD), ["mu", "S"]),
        ["Z = S⁻¹ (X − mu)'", "gmu = rowsum(Z)", "gS = (Z Z' − m S⁻¹) / 2"],
    ),
    "marginal likelihood": (
        lambda: dv.grad(trace(marginal_likelihood, **GP), ["s", "noise"]),
        [
            "M = exp(−D / (2 l²))",
            "K = s² M + noise I",
            "alpha = K⁻¹ y",
            "gK = (alpha alpha' − K⁻¹) / 2",
            "gs = 2 s sum(gK ∘ M)",
            "gnoise = tr(gK)",
        ],
    ),
    "Rayleigh quotient": (
        lambda: dv.grad(trace(lambda A, x: x @ A @ x / (x @ x), A=SYMMETRIC, x="n"), "x"),
        ["gx = 2 (A x − (x' A x) x / ‖x‖²) / ‖x‖²"],
    ),
    "norm": (lambda: dv.grad(trace(lambda x: L.norm(x), x="n")), ["gx = x / ‖x‖"]),
    "solve": (
        lambda: dv.vjp(trace(solution, A="n n", b="n")),
        ["Y = A⁻¹ b", "gb = A⁻ᵀ gY", "gA = −gb Y'"],
    ),
    "solve for a matrix": (
        lambda: dv.vjp(trace(lambda A, B: L.solve(A, B), A="n n", B="n m")),
        ["Y = A⁻¹ B", "gB = A⁻ᵀ gY", "gA = −gB Y'"],
    ),
    "least squares": (
        lambda: dv.vjp(trace(least_squares, A="n m", b="n"), "b"),
        ["gb = A (A' A)⁻¹ gx"],
    ),
    "cholesky": (
        lambda: dv.vjp(trace(factor, A=PD)),
        ["L = chol(A)", "gA = sym(L⁻ᵀ Φ(L' gL) L⁻¹)"],
    ),
    "jvp of cholesky": (
        lambda: dv.jvp(trace(factor, A=PD)),
        ["L = chol(A)", "dL = L Φ(L⁻¹ sym(dA) L⁻ᵀ)"],
    ),
    "eigenvalues": (
        lambda: dv.vjp(trace(lambda A: L.eigvalsh(A), A=SYMMETRIC)),
        ["_, V = eigh(A)", "gA = V diag(gY) V'"],
    ),
    "eigenvectors": (
        lambda: dv.vjp(trace(decomposition, A=SYMMETRIC)),
        ["w, V = eigh(A)", "gA = sym(V (gaps(w) ∘ (V' gV)) V') + V diag(gw) V'"],
    ),
    "sqrtm": (
        lambda: dv.vjp(trace(lambda A: scipy.linalg.sqrtm(A), A=PD)),
        ["w, V = eigh(A)", "c = sqrt(w)", "gA = V (V' (gY + gY') V / (c + c')) V' / 2"],
    ),
    "nuclear norm": (
        lambda: dv.grad(trace(lambda X: L.norm(X, "nuc"), X="m n")),
        ["U, _, Vh = svd(X)", "gX = U Vh"],
    ),
    "divergence of Gaussians": (
        lambda: dv.grad(trace(divergence, m0="n", S0=PD, m1="n", S1=PD), ["m1", "S0"]),
        ["gm1 = S1⁻¹ (m1 − m0)", "gS0 = (S1⁻¹ − S0⁻¹) / 2"],
    ),
    "Kalman filter": (
        lambda: dv.vjp(trace(kalman, P=PD, H="m n", R="m m, positive definite", x="n", y="m"), ["x", "y"]),
        ["K = P H' (H P H' + R)⁻¹", "gy = K' gY", "gx = gY − H' gy"],
    ),
    "logdet of a Gram matrix": (
        lambda: dv.grad(trace(lambda X: logdet(np.eye(4) + X.T @ X), X="n 4")),
        ["gX = 2 X (X' X + I)⁻¹"],
    ),
    "Cayley transform": (
        lambda: dv.vjp(trace(lambda A: L.solve(np.eye(4) + A, np.eye(4) - A), A="4 4")),
        ["Z = A + I", "Y = Z⁻¹ (I − A)", "gA = −Z⁻ᵀ (gY Y' + gY)"],
    ),
    "spectral radius": (
        lambda: dv.grad(trace(lambda A: L.eigvalsh(A)[-1], A=SYMMETRIC)),
        ["_, V = eigh(A)", "gA = V[:,n−1] V[:,n−1]'"],
    ),
    "hvp of logdet": (lambda: dv.hvp(trace(logdet, X="n n")), ["dgX = −X⁻ᵀ dX' X⁻ᵀ"]),
    "Hessian of a quadratic form": (
        lambda: dv.hessian(trace(lambda A, b: b @ L.solve(A, b), A="n n", b="n"), "b"),
        ["H = A⁻¹ + A⁻ᵀ"],
    ),
    "pinv, solution": (
        lambda: dv.vjp(trace(lambda A, b: L.pinv(A) @ b, A="m n", b="m"), "b"),
        ["gb = A⁺' gY"],
    ),
    "triangular solve": (
        lambda: dv.vjp(trace(lambda A, b: scipy.linalg.solve_triangular(A, b, lower=True), A="n n", b="n")),
        ["U = A ∘ [j ≤ i]", "Y = U⁻¹ b", "gb = U⁻ᵀ gY", "gA = −(gb Y') ∘ [j ≤ i]"],
    ),
    "quadratic form of an inverse": (
        lambda: dv.grad(dv.parse("0.5*x'*inv(S)*x + 0.5*logdet(S)", x="n", S=PD), "S"),
        ["gS = (S⁻¹ − S⁻¹ x x' S⁻¹) / 2"],
    ),
    "value of slogdet": (
        lambda: trace(lambda X: L.slogdet(X), X="n n"),
        ["sign = sign(det(X))", "logabsdet = logdet(X)"],
    ),
    "value of pinv": (lambda: trace(lambda X: L.pinv(X), X="n m"), ["Y = X⁺"]),
}
"""Each with the lines that are expected."""
MORE: dict[str, Callable[[], dv.Function]] = {
    "pinv": lambda: dv.vjp(trace(lambda A: L.pinv(A), A="m n")),
    "qr": lambda: dv.vjp(trace(lambda A: L.qr(A), A="5 3")),
    "svd": lambda: dv.vjp(trace(lambda A: L.svd(A, full_matrices=False), A="m n")),
    "vjp of expm": lambda: dv.vjp(trace(lambda A: scipy.linalg.expm(A), A="n n")),
    "Hessian of logdet": lambda: dv.hessian(trace(logdet, X="n n")),
    "stacks of right-hand sides": lambda: dv.vjp(trace(lambda A, B: L.solve(A, B), A="n n", B="k n m")),
    "ridge": lambda: dv.vjp(trace(ridge, A="n m", b="n", a=", positive")),
    "log-likelihood by Cholesky": lambda: dv.grad(trace(by_factor, x="n", mu="n", S=PD), ["mu", "S"]),
    "entropy": lambda: dv.grad(trace(entropy, A=PD)),
    "spectral norm": lambda: dv.grad(trace(lambda X: L.norm(X, 2), X="m n")),
    "jvp of a quadratic form": lambda: dv.jvp(trace(lambda A, x: x @ L.inv(A) @ x, A="n n", x="n")),
    "a stack of log-likelihoods": lambda: dv.grad(
        trace(lambda X, S: np.sum(X * L.solve(S, X[..., None])[..., 0]), X="k n", S="k n n, positive definite"), "S"
    ),
    "length scale": lambda: dv.grad(trace(marginal_likelihood, **GP), "l"),
}  # fmt: skip
"""Programs whose lines are checked for what they mean."""
