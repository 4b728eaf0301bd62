"""The special functions that kernels bring along, against 60 digits over their whole range, and at its ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import special

import derive as dv
from derive.emit.loops_helpers import helpers_for

mp = mpmath.mp
CALLED = (
    "erfcx", "ndtr", "log_ndtr", "ndtri", "erfinv", "bessel_i0", "bessel_i1", "bessel_i0e", "bessel_i1e",
    *(f"polygamma_{n}" for n in range(6)),
)  # fmt: skip
IMPORTS = """import math
import numpy as np
from llvmlite import ir
from numba import njit
from numba.extending import intrinsic
real = np.float32
"""


@pytest.fixture(scope="module", params=[False, True], ids=["double", "single"])
def module(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The functions as a kernel of double or single precision has them."""
    source = IMPORTS + "\n\n".join(helpers_for(" ".join(f"{name}(" for name in CALLED), request.param, True))
    names: dict[str, Any] = {"dtype": np.float32 if request.param else np.float64}
    exec(source.replace("cache=True, ", ""), names)
    return names


def quantile(tail: Any) -> Any:
    """The normal quantile of a probability up to 1/2."""
    goal = mp.log(tail)
    return mp.findroot(lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) - goal, mp.mpf(float(special.ndtri(float(tail)))))


def scaled(order: int) -> Callable[[Any], Any]:
    return lambda x: mp.exp(-abs(x)) * mp.besseli(order, x)


def points(name: str) -> np.ndarray:
    rng = np.random.default_rng(7)
    match name:
        case "erfcx":
            return np.concatenate([rng.uniform(-9, 26, 200), 10.0 ** rng.uniform(-6, 3, 100)])
        case "log_ndtr":
            return np.concatenate([rng.uniform(-37, 8, 200), -(10.0 ** rng.uniform(-4, 3, 60))])
        case "ndtri":
            return np.concatenate([rng.uniform(0.001, 0.999, 100), 10.0 ** rng.uniform(-37, -1, 60)])
        case "erfinv":
            return np.concatenate([rng.uniform(-0.999, 0.999, 100), 1 - 10.0 ** rng.uniform(-6, -1, 40)])
        case "bessel_i0" | "bessel_i1":
            return np.concatenate([rng.uniform(-80, 80, 100), 10.0 ** rng.uniform(-4, 1, 60)])
        case "bessel_i0e" | "bessel_i1e":
            return np.concatenate([rng.uniform(-60, 60, 100), 10.0 ** rng.uniform(-4, 5, 60)])
    return np.concatenate([rng.uniform(0.05, 20, 100), 10.0 ** rng.uniform(-2, 4, 60)])


EXACT: dict[str, tuple[Callable[[Any], Any], float]] = {
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), 5.0),
    "log_ndtr": (lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), 6.0),
    "ndtri": (lambda p: quantile(p) if p <= 0.5 else -quantile(1 - p), 6.0),
    "erfinv": (lambda y: -mp.sign(y) * quantile((1 - abs(y)) / 2) / mp.sqrt(2), 4.0),
    "bessel_i0": (lambda x: mp.besseli(0, x), 8.0),
    "bessel_i1": (lambda x: mp.besseli(1, x), 8.0),
    "bessel_i0e": (scaled(0), 8.0),
    "bessel_i1e": (scaled(1), 8.0),
}
"""The function to many digits, and the error in units of the last place that its docstring states."""


def error(found: float, exact: Any, dtype: Any) -> float:
    unit = float(np.spacing(np.abs(dtype(float(exact))))) or float(np.finfo(dtype).smallest_subnormal)
    return float(abs(mp.mpf(float(found)) - exact) / unit)


@pytest.mark.parametrize("name", EXACT)
def test_accuracy(module: dict[str, Any], name: str) -> None:
    exact, bound = EXACT[name]
    dtype = module["dtype"]
    with mpmath.workdps(60):
        x = points(name).astype(dtype)
        found = [(v, module[name](v)) for v in x]
        worst = max(((error(y, exact(mp.mpf(float(v))), dtype), v) for v, y in found), key=lambda pair: pair[0])
    assert all(isinstance(y, float | np.float32) for _, y in found)
    assert worst[0] <= (bound if dtype is np.float64 else 1.0), f"{name}({worst[1]}) is off by {worst[0]:.1f} ulp"


@pytest.mark.parametrize("order", range(6))
def test_accuracy_of_polygamma(module: dict[str, Any], order: int) -> None:
    dtype = module["dtype"]
    with mpmath.workdps(40):
        for v in points("polygamma").astype(dtype):
            exact = mp.polygamma(order, mp.mpf(float(v)))
            found = module[f"polygamma_{order}"](v)
            near_zero = order == 0 and abs(mp.mpf(float(found)) - exact) < 1e-15
            assert near_zero or error(found, exact, dtype) <= (4 if dtype is np.float64 else 1), v


@pytest.mark.parametrize(
    ("name", "theirs", "x"),
    [
        ("erfcx", special.erfcx, [-np.inf, -30.0, 0.0, 1e200, np.inf, np.nan]),
        ("log_ndtr", special.log_ndtr, [-np.inf, -1e100, 0.0, 40.0, np.inf, np.nan]),
        ("ndtri", special.ndtri, [0.0, 0.5, 1.0, -0.1, 1.1, np.nan]),
        ("erfinv", special.erfinv, [-1.0, 0.0, 1.0, 1.1, np.nan]),
        ("bessel_i0", special.i0, [-800.0, 0.0, np.nan]),
        ("bessel_i1", special.i1, [-800.0, 0.0, 800.0, np.nan]),
        ("bessel_i0e", special.i0e, [-np.inf, 0.0, 1e300, np.inf, np.nan]),
        ("bessel_i1e", special.i1e, [-1e300, 0.0, np.inf, np.nan]),
    ],
)
def test_ends(module: dict[str, Any], name: str, theirs: Any, x: list[float]) -> None:
    dtype = module["dtype"]
    with np.errstate(all="ignore"):
        values = np.array(x, dtype=dtype)
        np.testing.assert_allclose([module[name](v) for v in values], theirs(values), rtol=1e-6)


def test_digamma_below_zero(module: dict[str, Any]) -> None:
    x = module["dtype"]([-0.5, -1.25, -7.75])
    np.testing.assert_allclose([module["polygamma_0"](v) for v in x], special.digamma(x.astype(float)), rtol=1e-6)


def test_a_helper_with_a_wrong_coefficient_would_be_noticed() -> None:
    (*others, own) = helpers_for("log_ndtr(", False, True)
    wrong = own.replace("0.75 + size", "0.7500000000001 + size")
    assert wrong != own
    names: dict[str, Any] = {}
    exec((IMPORTS + "\n\n".join([*others, wrong])).replace("cache=True, ", ""), names)
    with mpmath.workdps(60):
        errors = [error(names["log_ndtr"](v), EXACT["log_ndtr"][0](mp.mpf(v)), np.float64) for v in (-0.7, -2.0)]
    assert max(errors) > 6


def test_a_gradient_of_special_functions_compiles() -> None:
    def likelihood(x: np.ndarray, a: np.ndarray) -> Any:
        return np.sum(special.gammaln(a + x) - special.betaln(a, x) + special.log_ndtr(x) * special.i0e(a))

    backward = dv.grad(dv.trace(likelihood, x="n", a="n"))
    rng = np.random.default_rng(0)
    x, a = rng.uniform(0.5, 3, size=(2, 50))
    for found, expected in zip(backward.compile()(x, a), backward(x, a), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert math.isfinite(float(np.sum(found)))
