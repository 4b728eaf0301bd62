"""Losses and their gradients at extreme raw outputs, as they are run, against the same formulas in 60 digits."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import mpmath
import numpy as np
import pytest

import derive as dv
from derive.distributions import Record, distributions
from derive.ir.evaluate import evaluate
from derive.ir.numbers import MPMATH

from .arrays import usual
from .test_targets import EVERY, arguments

LAWS = [d for d in distributions() if d.log_density is not None and getattr(d, "axes", "") != "k k"]
EXTREMES = (0.0, 1e-300, 5.0, -40.0, 700.0)
DIGITS, MORE, ULP, SMALL, LARGE = 60, 1200, 2.0**-53, mpmath.mpf("1e-300"), mpmath.mpf("1e308")
WANTED = {
    "ordinal probit": "a narrow interval far in the tail of the normal law has no stable form yet",
}
"""What is known to lose digits, and why."""
FACTOR = 64
"""Units of rounding, of the value and of each of the inputs, by which it may be off."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    numbers = range(1, len(LAWS), 1 if metafunc.config.getoption("--laws") == "all" else EVERY)
    laws = [LAWS[n] for n in numbers]
    known = {name: [pytest.mark.xfail(reason=reason)] for name, reason in WANTED.items()}
    metafunc.parametrize("law", [pytest.param(d, marks=known.get(d.name, []), id=d.name) for d in laws])


def in_digits(f: dv.Function, given: dict[str, Any], step: Any = 0, moved: str = "") -> Any:
    """The first output, one input made larger by a relative step."""
    lifted = {n: np.vectorize(mpmath.mpf, otypes=[object])(v) for n, v in given.items()}
    if moved:
        lifted[moved] = lifted[moved] * (1 + step)
    return np.asarray(evaluate(f.program, lifted, MPMATH)[f.program.outputs[0].name])


def wrong(f: dv.Function, given: dict[str, Any]) -> list[str]:
    """The entries that are off by more than rounding of the value and of the inputs explains.

    Where many digits are not enough for the formula as it stands, such as 1 - erfc(x) / 2 far on the left, many more are taken.
    """
    with np.errstate(all="ignore"):
        found = np.atleast_1d(np.asarray(f(**given), dtype=float))
    with suppress(ZeroDivisionError):
        if not (mistakes := compared(f, given, found, DIGITS)):
            return mistakes
    return compared(f, given, found, MORE)


def compared(f: dv.Function, given: dict[str, Any], found: Any, digits: int) -> list[str]:
    with mpmath.workdps(digits):
        exact = np.atleast_1d(in_digits(f, given))
        off = ULP * abs(exact)
        for name in given:
            off = off + abs(np.atleast_1d(in_digits(f, given, mpmath.mpf(ULP), name)) - exact)
        pairs = zip(found.ravel(), exact.ravel(), off.ravel(), strict=True)
        return [
            f"{ours} for {mpmath.nstr(true, 8)}"
            for ours, true, allowed in pairs
            if isinstance(true, mpmath.mpf)
            and abs(true) < LARGE
            and not abs(mpmath.mpf(float(ours)) - true) <= FACTOR * allowed + SMALL
        ]


def test_values_and_gradients_keep_their_digits(law: Record) -> None:
    loss = usual(law)
    given = arguments(loss, law)
    (raw,) = loss.raw
    found = {}
    for z in EXTREMES:
        spread = np.linspace(1, -1, given[raw].shape[1]) if given[raw].ndim > 1 else np.float64(1)
        at = {**given, raw: np.broadcast_to(z * spread, given[raw].shape)}
        for f in (loss.function, loss.gradient):
            if mistakes := wrong(f, {n: at[n] for n in f.inputs}):
                found[f.name, z] = mistakes
    assert not found
