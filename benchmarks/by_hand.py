"""Kernels as an expert writes them in Numba for one case each: one pass over rows, sums in registers, a polynomial for exp.

Every function here is given the precision and returns a function of the case's arrays. All are serial.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

FAST = {"reassoc", "contract", "arcp", "nsz"}


@cache
def vector_exp(real: Any) -> Any:
    """exp without branches: 2^k times a Taylor polynomial on |r| <= log(2) / 2; no special values, for bounded arguments."""
    from numba import njit

    double = real is np.float64
    whole = np.int64 if double else np.int32
    shift = real(1.5 * 2.0 ** (52 if double else 23))
    place, bias = (52, 1023) if double else (23, 127)
    high = real(0.6931471803691238 if double else 0.693145752)
    low = real(math.log(2) - float(high))
    per = real(1 / math.log(2))
    c = tuple(real(1 / math.factorial(k)) for k in range(14 if double else 8))
    degree = len(c) - 1
    least = real(-700.0 if double else -86.0)
    one = whole(bias)

    @njit(fastmath={"contract"}, forceinline=True)
    def exp(x: Any) -> Any:
        x = max(x, least)
        shifted = x * per + shift
        n = shifted - shift
        r = x - n * high - n * low
        p = c[degree]
        for k in range(degree - 1, -1, -1):
            p = p * r + c[k]
        k = whole(real(shifted).view(whole) - real(shift).view(whole))
        return p * real(whole((k + one) << whole(place)).view(real))

    return exp


def gaussian(real: Any) -> Any:
    from numba import njit

    exp, half, two, one = vector_exp(real), real(0.5), real(2), real(1)

    @njit(fastmath=FAST)
    def run(mu: Any, s: Any, y: Any) -> Any:
        gmu, gs = np.empty_like(mu), np.empty_like(s)
        total = real(0)
        for i in range(mu.shape[0]):
            w, r = exp(-two * s[i]), y[i] - mu[i]
            rw = r * w
            q = r * rw
            total += s[i] + half * q
            gmu[i] = -rw
            gs[i] = one - q
        return total, gmu, gs

    return run


def poisson(real: Any) -> Any:
    from numba import njit

    exp = vector_exp(real)

    @njit(fastmath=FAST)
    def run(z: Any, y: Any) -> Any:
        gz, total = np.empty_like(z), real(0)
        for i in range(z.shape[0]):
            mu = exp(z[i])
            total += mu - y[i] * z[i]
            gz[i] = mu - y[i]
        return total, gz

    return run


def swish_gate(real: Any) -> Any:
    from numba import njit

    exp, one = vector_exp(real), real(1)

    @njit(fastmath=FAST)
    def run(a: Any, b: Any, gY: Any) -> Any:
        ga, gb = np.empty_like(a), np.empty_like(b)
        for i in range(a.shape[0]):
            s = one / (one + exp(-a[i]))
            g = gY[i] * s
            ga[i] = g * b[i] * (one + a[i] * (one - s))
            gb[i] = g * a[i]
        return ga, gb

    return run


def layer_norm(real: Any) -> Any:
    from numba import njit

    one, eps = real(1), real(1e-5)

    @njit(fastmath=FAST)
    def run(X: Any, gamma: Any, beta: Any, gY: Any) -> Any:
        rows, n = X.shape
        gX, ggamma, gbeta = np.empty_like(X), np.zeros_like(gamma), np.zeros_like(gamma)
        per = one / real(n)
        for i in range(rows):
            x, g, out = X[i], gY[i], gX[i]
            mu = real(0)
            for j in range(n):
                mu += x[j]
            mu *= per
            var = real(0)
            for j in range(n):
                var += (x[j] - mu) * (x[j] - mu)
            r = one / math.sqrt(var * per + eps)
            first, second = real(0), real(0)
            for j in range(n):
                h = (x[j] - mu) * r
                gh = g[j] * gamma[j]
                ggamma[j] += g[j] * h
                gbeta[j] += g[j]
                first += gh
                second += gh * h
            first, second = first * per, second * per
            for j in range(n):
                out[j] = (g[j] * gamma[j] - first - (x[j] - mu) * r * second) * r
        return gX, ggamma, gbeta

    return run


def rms_norm(real: Any) -> Any:
    from numba import njit

    one, eps = real(1), real(1e-5)

    @njit(fastmath=FAST)
    def run(X: Any, gamma: Any, gY: Any) -> Any:
        rows, n = X.shape
        gX, ggamma = np.empty_like(X), np.zeros_like(gamma)
        per = one / real(n)
        for i in range(rows):
            x, g, out = X[i], gY[i], gX[i]
            square, both = real(0), real(0)
            for j in range(n):
                square += x[j] * x[j]
                both += g[j] * gamma[j] * x[j]
            r = one / math.sqrt(square * per + eps)
            c = both * per * r * r
            for j in range(n):
                ggamma[j] += g[j] * x[j] * r
                out[j] = (g[j] * gamma[j] - x[j] * c) * r
        return gX, ggamma

    return run


def cross_entropy(real: Any) -> Any:
    from numba import njit

    exp, one = vector_exp(real), real(1)

    @njit(fastmath=FAST)
    def run(Z: Any, y: Any) -> Any:
        rows, k = Z.shape
        gZ, total = np.empty_like(Z), real(0)
        per = one / real(rows)
        for i in range(rows):
            z, out = Z[i], gZ[i]
            top = z[0]
            for j in range(1, k):
                top = max(top, z[j])
            mass = real(0)
            for j in range(k):
                e = exp(z[j] - top)
                out[j] = e
                mass += e
            scale = per / mass
            for j in range(k):
                out[j] *= scale
            out[y[i]] -= per
            total += math.log(mass) + top - z[y[i]]
        return total * per, gZ

    return run


def attention(real: Any) -> Any:
    from numba import njit

    exp, one = vector_exp(real), real(1)

    @njit(fastmath=FAST)
    def run(Q: Any, K: Any, V: Any, gO: Any) -> Any:
        n, d = Q.shape
        m = K.shape[0]
        scale = one / math.sqrt(real(d))
        P, gS = np.dot(Q, K.T), np.dot(gO, V.T)
        for i in range(n):
            p, g = P[i], gS[i]
            top = p[0]
            for j in range(1, m):
                top = max(top, p[j])
            mass = real(0)
            for j in range(m):
                p[j] = exp((p[j] - top) * scale)
                mass += p[j]
            inverse, c = one / mass, real(0)
            for j in range(m):
                p[j] *= inverse
                c += p[j] * g[j]
            for j in range(m):
                g[j] = p[j] * (g[j] - c) * scale
        return np.dot(gS, K), np.dot(gS.T, Q), np.dot(P.T, gO)

    return run


def dense_tanh(real: Any) -> Any:
    from numba import njit

    exp, one, two = vector_exp(real), real(1), real(2)

    @njit(fastmath=FAST)
    def run(X: Any, W: Any, b: Any, gY: Any) -> Any:
        Z = np.dot(X, W)
        gb = np.zeros_like(b)
        for i in range(Z.shape[0]):
            z, g = Z[i], gY[i]
            for j in range(Z.shape[1]):
                y = one - two / (one + exp(two * (z[j] + b[j])))
                z[j] = g[j] * (one - y * y)
                gb[j] += z[j]
        return np.dot(Z, W.T), np.dot(X.T, Z), gb

    return run


def logistic_hessian(real: Any) -> Any:
    from numba import njit

    exp, one = vector_exp(real), real(1)

    @njit(fastmath=FAST)
    def run(w: Any, X: Any, y: Any) -> Any:
        z, S = np.dot(X, w), np.empty_like(X)
        for i in range(X.shape[0]):
            e = exp(-abs(z[i]))
            c = e / ((one + e) * (one + e))
            for j in range(X.shape[1]):
                S[i, j] = c * X[i, j]
        return np.dot(X.T, S)

    return run


def logistic_hvp(real: Any) -> Any:
    from numba import njit

    exp, one = vector_exp(real), real(1)

    @njit(fastmath=FAST)
    def run(w: Any, X: Any, y: Any, dw: Any) -> Any:
        rows, n = X.shape
        out = np.zeros_like(w)
        for i in range(rows):
            x = X[i]
            z, v = real(0), real(0)
            for j in range(n):
                z += x[j] * w[j]
                v += x[j] * dw[j]
            e = exp(-abs(z))
            c = v * e / ((one + e) * (one + e))
            for j in range(n):
                out[j] += c * x[j]
        return out

    return run


def factorisation_hessian(real: Any) -> Any:
    from numba import njit

    two = real(2)

    @njit(fastmath=FAST)
    def run(U: Any, V: Any, T: Any) -> Any:
        n, r = U.shape
        H, G = np.zeros((n, r, n, r), U.dtype), np.dot(V.T, V)
        for i in range(n):
            for k in range(r):
                for j in range(r):
                    H[i, k, i, j] = two * G[k, j]
        return H

    return run
