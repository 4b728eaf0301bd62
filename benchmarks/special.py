"""`python -m benchmarks.special`: functions of scalars in kernels beside those of NumPy and SciPy, ns per element and ulp.

Times are the least of many short runs in turn; the largest error is that of 400 points of the interval, against 60 digits.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import special

import derive as dv
from derive.ops.elementwise import elementwise_ops
from derive.timing import interleaved

SIZE = 100_000
POINTS = 400


@dataclass(frozen=True)
class Case:
    """A function, and what a user of NumPy and SciPy calls for it.

    ours: a call with traced arrays.  exact: to many digits.  interval: where the arguments are.
    """

    name: str
    ours: Callable[..., Any]
    library: Callable[..., Any]
    exact: Callable[..., Any]
    interval: tuple[float, float]


def of_record(name: str) -> Callable[..., Any]:
    """The reference of an elementwise operation."""
    op = next(op for op in elementwise_ops() if op.name == name)
    assert op.high_precision is not None
    return lambda *x: op.high_precision(mpmath.mp, *x)  # type: ignore[misc]


def case(name: str, low: float, high: float, library: Any = None, ours: Any = None, exact: Any = None) -> Case:
    function = library or getattr(np, name, None) or getattr(special, name)
    return Case(name, ours or function, function, exact or of_record(name), (low, high))


mp = mpmath.mp
own = dv.special
CASES = (
    case("exp", -700, 700), case("log", 1e-3, 1e3), case("expm1", -3, 3), case("log1p", -0.9, 9), case("tanh", -4, 4),
    case("sigmoid", -20, 20, special.expit), case("softplus", -20, 20, lambda x: np.logaddexp(0, x)),
    case("log_sigmoid", -20, 20, special.log_expit, exact=lambda x: -mp.log1p(mp.exp(-x))),
    case("log1mexp", 0.01, 9, lambda x: np.log(-np.expm1(-x)), lambda x: np.log(1 - np.exp(-x))),
    case("logaddexp", -9, 9, lambda x: np.logaddexp(x, 1.0), exact=lambda x: mp.log(mp.exp(x) + mp.e)),
    case("sech2", -5, 5, lambda x: 1 / np.cosh(x) ** 2, own.sech2),
    case("logcosh", -5, 5, lambda x: np.log(np.cosh(x)), own.logcosh),
    case("log1pmx", -0.7, 2, special._ufuncs._log1pmx, own.log1pmx),
    case("xlogy", 0.1, 9, lambda x: special.xlogy(x, x), exact=lambda x: x * mp.log(x)),
    case("sin", -30, 30), case("cos", -30, 30), case("tan", -30, 30),
    case("power", 0.01, 30, lambda x: np.power(x, 1.7), lambda x: x**1.7, lambda x: x ** mp.mpf(1.7)),
    case("sqrt", 0.01, 30, exact=mp.sqrt),
    case("rsqrt", 0.01, 30, lambda x: 1 / np.sqrt(x), exact=lambda x: 1 / mp.sqrt(x)),
    case("erf", -3, 3), case("erfc", -3, 9), case("erfcx", -3, 30), case("ndtr", -9, 5), case("log_ndtr", -30, 5),
    case("ndtri", 0.001, 0.999), case("erfinv", -0.99, 0.99),
    case("gammaln", 0.1, 30), case("digamma", 2, 30, special.digamma, exact=lambda x: mp.digamma(x)),
    case("polygamma", 0.1, 30, lambda x: special.polygamma(1, x), exact=lambda x: mp.polygamma(1, x)),
    case("gammaln_diff", 2, 30, lambda x: special.gammaln(x + 1.5) - special.gammaln(x),
         lambda x: own.gammaln_diff(x, 1.5), lambda x: mp.loggamma(x + 1.5) - mp.loggamma(x)),
    case("i0e", -30, 30), case("i1e", -30, 30),
    case("log_i0", 0.01, 30, lambda x: np.abs(x) + np.log(special.i0e(x)), own.log_i0),
)  # fmt: skip


def measured(one: Case, dtype: Any) -> tuple[float, float, float]:
    """Nanoseconds per element of ours and of the library's, and our largest error in units of the last place."""
    kernel = dv.trace(lambda x: one.ours(x), x="n").compile(dtype=dtype)
    low, high = one.interval
    x = np.linspace(low, high, SIZE).astype(dtype)
    out = np.empty_like(x)
    calls = {"ours": lambda: kernel(x, out=out), "library": lambda: one.library(x)}
    times = {name: min(found) for name, found in interleaved(calls, 0.3, 60).items()}
    some = x[:: SIZE // POINTS]
    with mpmath.workdps(60):
        exact = [one.exact(mp.mpf(float(v))) for v in some]
        units = np.spacing(np.abs(np.array([float(e) for e in exact])).astype(dtype)).astype(float)
        errors = [abs(mp.mpf(float(y)) - e) / u for y, e, u in zip(kernel(some), exact, units, strict=True)]
    return 1e9 * times["ours"] / SIZE, 1e9 * times["library"] / SIZE, float(max(errors))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.special", description=__doc__)
    parser.add_argument("--single", action="store_true", help="single precision")
    parser.add_argument("names", nargs="*", help="only these functions")
    options = parser.parse_args()
    dtype = np.float32 if options.single else np.float64
    table = Table("function", "ns", "library, ns", "ratio", "worst ulp")
    for one in CASES:
        if options.names and one.name not in options.names:
            continue
        with np.errstate(all="ignore"):
            ours, theirs, worst = measured(one, dtype)
        table.add_row(one.name, f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.1f}", f"{worst:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
