"""Functions of stable programs keep their digits: value and three derivatives, in every way to run them, at all magnitudes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy

from derive.ops.elementwise.complements import bose, log1mexp
from derive.ops.elementwise.exponential import sigmoid, softplus
from derive.ops.elementwise.hyperbolic import logcosh
from derive.ops.elementwise.remainders import cosm1, expm1mx, log1pmx
from derive.ops.elementwise.special import erfcx, log_ndtr

from .ulps import Case, compiled, interpreted, spread, worst

rng = np.random.default_rng(5)


def everywhere(low: float, high: float, both: bool = True) -> np.ndarray:
    """Points of all magnitudes, and some where most functions have their shape."""
    usual = np.exp(rng.uniform(np.log(max(low, 0.01)), np.log(min(high, 30.0)), 20))
    found = np.concatenate([spread(low, high / 1.1, 12), usual])
    return np.concatenate([found, -found]) if both else found


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
    Case("erfcx", erfcx, (np.concatenate([everywhere(1e-300, 1e6, both=False), -everywhere(1e-300, 20, both=False)]),)),
    Case("log_ndtr", log_ndtr, (np.concatenate([-everywhere(1e-300, 1e6, both=False), everywhere(1e-300, 30, both=False)]),)),
)
BOUNDS = {"erfcx": (5, 3, 8, 8), "log_ndtr": (4, 4, 4, 8)}
"""Units of the last place for the value and each derivative, where they are not 3, 3, 3 and 5."""
RUNS = {"interpreter": np.float64, "kernel": np.float64, "single": np.float32}


@cache
def values(run: str) -> dict[str, Any]:
    return interpreted(CASES) if run == "interpreter" else compiled(CASES, RUNS[run])


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_value_and_derivatives_keep_their_digits(case: Case, run: str) -> None:
    found = worst(case, values(run), RUNS[run])
    assert all(error <= bound for (error, _), bound in zip(found, BOUNDS.get(case.name, (3, 3, 3, 5)), strict=True)), found
