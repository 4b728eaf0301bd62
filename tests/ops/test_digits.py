"""Functions of stable programs keep their digits: value and three derivatives, in every way to run them, at all magnitudes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy

from derive.ops.elementwise.arithmetic import Hypot
from derive.ops.elementwise.bessel_ratios import log_i0
from derive.ops.elementwise.complements import bose, expdiff, log1mexp
from derive.ops.elementwise.exponential import LogAddExp, sigmoid, softplus
from derive.ops.elementwise.gamma_differences import gammaln_diff
from derive.ops.elementwise.hyperbolic import logcosh
from derive.ops.elementwise.relative import bosex, relexp, rellog1p
from derive.ops.elementwise.remainders import cosm1, expm1mx, log1pmx
from derive.ops.elementwise.special import erfcx, log_ndtr
from derive.ops.elementwise.trigonometric import Arctan2

from .ulps import Case, compiled, interpreted, spread, worst

rng = np.random.default_rng(5)


def everywhere(low: float, high: float, both: bool = True) -> np.ndarray:
    """Points of all magnitudes, and some where most functions have their shape."""
    usual = np.exp(rng.uniform(np.log(max(low, 0.01)), np.log(min(high, 30.0)), 20))
    found = np.concatenate([spread(low, high / 1.1, 12), usual])
    return np.concatenate([found, -found]) if both else found


def grid(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every x with every y."""
    a, b = np.meshgrid(x, y)
    return a.ravel(), b.ravel()


RISING, STEPS = grid(everywhere(1e-6, 1e12, both=False), everywhere(1e-10, 1e6, both=False)[::4])
STEPS = np.where(np.arange(STEPS.size) % 2, STEPS, -np.minimum(STEPS, 0.9 * RISING))

CASES = (
    Case("tanh", sympy.tanh, (everywhere(1e-300, 300),)),
    Case("sigmoid", sigmoid, (everywhere(1e-300, 700),)),
    Case("softplus", softplus, (everywhere(1e-300, 700),)),
    Case("logcosh", logcosh, (everywhere(1e-150, 300),)),
    Case("log1mexp", log1mexp, (everywhere(1e-90, 700, both=False),)),
    Case("bose", bose, (everywhere(1e-70, 700),)),
    Case("log1pmx", log1pmx, (np.concatenate([everywhere(1e-150, 1e100, both=False), -everywhere(1e-150, 0.99, both=False)]),)),
    Case("expm1mx", expm1mx, (everywhere(1e-150, 700),)),
    Case("cosm1", cosm1, (everywhere(1e-150, 1e4),)),
    Case("relexp", lambda x: relexp(sympy.S.Zero, x), (everywhere(1e-300, 600),)),
    Case("rellog1p", lambda x: rellog1p(sympy.S.Zero, x), (np.concatenate([everywhere(1e-300, 1e60, both=False), -everywhere(1e-300, 0.99, both=False)]),)),
    Case("bosex", lambda x: bosex(sympy.S.Zero, x), (everywhere(1e-300, 700),)),
    Case("erfcx", erfcx, (np.concatenate([everywhere(1e-300, 1e6, both=False), -everywhere(1e-300, 20, both=False)]),)),
    Case("log_i0", log_i0, (everywhere(1e-150, 1e6),)),
    Case("hypot", Hypot, grid(everywhere(1e-9, 1e9), everywhere(1e-9, 1e9)[::9])),
    Case("atan2", Arctan2, grid(everywhere(1e-9, 1e9), everywhere(1e-9, 1e9)[::9])),
    Case("asinh", sympy.asinh, (everywhere(1e-30, 1e8),)),
    Case("asin", sympy.asin, (everywhere(1e-30, 0.99),)),
    Case("atanh", sympy.atanh, (everywhere(1e-30, 0.99),)),
    Case("logaddexp", LogAddExp, grid(everywhere(1e-9, 700), everywhere(1e-9, 700)[::9]), orders=2),
    Case("expdiff", expdiff, grid(everywhere(1e-9, 700), everywhere(1e-9, 700)[::9]), orders=2),
    Case("gammaln_diff", gammaln_diff, (RISING, STEPS)),
    Case("gammaln_diff_h", gammaln_diff, (RISING, STEPS), along=1, orders=2),
    Case("log_ndtr", log_ndtr, (np.concatenate([-everywhere(1e-300, 1e6, both=False), everywhere(1e-300, 30, both=False)]),)),
)
BOUNDS = {
    "hypot": (1, 3, 6, 6), "atan2": (2, 4, 7, 8), "gammaln_diff": (30, 6, 6, 6), "gammaln_diff_h": (30, 8),
    "erfcx": (5, 4, 8, 8), "log_ndtr": (4, 4, 4, 8), "logaddexp": (4, 6), "expdiff": (4, 6), "rellog1p": (4, 4, 8, 16),
}  # fmt: skip
"""Units of the last place for the value and each derivative, where they are not 4, 4, 4 and 6."""
RUNS = {"interpreter": np.float64, "kernel": np.float64, "single": np.float32}


SINGLE = CASES[:8]
"""Those that kernels of single precision compute in single precision."""


@cache
def values(run: str) -> dict[str, Any]:
    if run == "interpreter":
        return interpreted(CASES)
    return compiled(CASES if run == "kernel" else SINGLE, RUNS[run])


@pytest.mark.parametrize(
    ("case", "run"),
    [(case, run) for run in RUNS for case in (SINGLE if run == "single" else CASES)],
    ids=lambda part: part if isinstance(part, str) else part.name,
)
def test_value_and_derivatives_keep_their_digits(case: Case, run: str) -> None:
    found = worst(case, values(run), RUNS[run])
    bounds = BOUNDS.get(case.name, (4, 4, 4, 6))
    assert all(error <= bound for (error, _), bound in zip(found, bounds, strict=False)), found
