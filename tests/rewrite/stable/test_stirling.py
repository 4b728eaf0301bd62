"""Ratios of gamma functions beside powers keep their digits where their terms are large."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import derive as dv

mp = mpmath.mp


@pytest.mark.parametrize("scale", [1.0, 2.0, 0.5])
def test_a_ratio_of_gamma_functions_over_a_power(scale: float) -> None:
    def rising(r: Any, y: Any) -> Any:
        return np.sum(dv.special.gammaln_diff(r, y) - y * np.log(scale * r))

    r, y = np.array([1e3, 1e8, 1e13]), np.array([3.0, 0.5, 40.0])
    f = dv.trace(rising, r="n, positive", y="n, positive")
    found = dv.grad(f, wrt="r").compile()(r, y)
    with mpmath.workdps(80):
        pairs = [(mp.mpf(float(a)), mp.mpf(float(b))) for a, b in zip(r, y, strict=True)]
        exact = [float(mp.digamma(a + b) - mp.digamma(a) - b / a) for a, b in pairs]
        total = float(mp.fsum(mp.loggamma(a + b) - mp.loggamma(a) - b * mp.log(scale * a) for a, b in pairs))
    np.testing.assert_allclose(found, exact, rtol=1e-14)
    np.testing.assert_allclose(f.compile()(r, y), total, rtol=1e-14)


def test_a_logarithm_of_a_sum_beside_it() -> None:
    def size(r: Any, y: Any, m: Any) -> Any:
        return np.sum(dv.special.gammaln_diff(r, y) - y * np.log(r + m))

    r, y, m = np.array([1e12, 1e15]), np.array([3.0, 7.0]), np.array([2.0, 0.1])
    found = dv.trace(size, r="n, positive", y="n, positive", m="n, positive").compile()(r, y, m)
    with mpmath.workdps(80):
        exact = [
            mp.loggamma(a + b) - mp.loggamma(a) - b * mp.log(a + c)
            for a, b, c in (map(mp.mpf, map(float, row)) for row in zip(r, y, m, strict=True))
        ]
    np.testing.assert_allclose(found, float(mp.fsum(exact)), rtol=1e-14)
