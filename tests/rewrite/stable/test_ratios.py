"""Logarithms of ratios near 1 keep their digits, and so do their derivatives."""

from __future__ import annotations

import mpmath
import numpy as np

import derive as dv

mp = mpmath.mp
R, M = np.array([1e12, 3.0, 1e-9]), np.array([1e-3, 2.0, 5.0])


def test_a_large_number_times_the_logarithm_of_a_ratio() -> None:
    f = dv.trace(lambda r, m: np.sum(r * np.log(r / (r + m))), r="n, positive", m="n, positive")
    with mpmath.workdps(60):
        pairs = [(mp.mpf(float(a)), mp.mpf(float(b))) for a, b in zip(R, M, strict=True)]
        total = float(mp.fsum(a * mp.log(a / (a + b)) for a, b in pairs))
        slopes = [float(mp.log(a / (a + b)) + 1 - a / (a + b)) for a, b in pairs]
    np.testing.assert_allclose(f.compile()(R, M), total, rtol=1e-14)
    np.testing.assert_allclose(dv.grad(f, wrt="r").compile()(R, M), slopes, rtol=1e-14)
