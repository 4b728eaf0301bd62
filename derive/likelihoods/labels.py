"""Whether observations lie in the support of a law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import S

from ..errors import DomainError
from .setting import Setting

HOLDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "binary": (lambda y: (y == 0) | (y == 1), "0 or 1"),
    "positive": (lambda y: y > 0, "positive"),
    "nonnegative": (lambda y: y >= 0, "nonnegative"),
    "probability": (lambda y: (y > 0) & (y < 1), "between 0 and 1"),
}
SUMS = 1e-6
"""How far probabilities may add up to something other than 1: observations are often single-precision."""


def check_labels(setting: Setting, y: Any) -> None:
    """Raise if an observation is outside the support of the law.

    Raises:
        DomainError: the value and its place are named.
    """
    density = setting.density
    name, values = density.variable, np.asarray(y)
    if values.dtype.kind not in "fiub":
        raise DomainError(f"{name} holds {values.dtype}; numbers were expected")
    _all(np.isfinite(values), values, name, "finite", density.name)
    if density.whole and "one-hot" not in density.facts:
        _all(values == np.floor(values), values, name, "a whole number", density.name)
    for fact in density.facts:
        if fact in HOLDS:
            _all(HOLDS[fact][0](values), values, name, HOLDS[fact][1], density.name)
    if {"one-hot", "simplex"} & set(density.facts):
        _rows(values, name, density.name)
    _within_bounds(setting, values)


def _all(holds: Any, values: Any, name: str, what: str, law: str) -> None:
    if not np.all(holds):
        place = tuple(int(i) for i in np.argwhere(~np.asarray(holds))[0])
        at = f"[{', '.join(map(str, place))}]" if place else ""
        raise DomainError(
            f"{name}{at} = {values[place]} is outside the support of the {law} law: it must be {what}"
        )


def _rows(values: Any, name: str, law: str) -> None:
    """Probabilities of classes; a class itself is a vector with one 1, and a mean of these is allowed."""
    sums = np.sum(values, axis=-1)
    wrong = np.argwhere(~(np.abs(sums - 1) < SUMS))
    if np.any(values < 0) or len(wrong):
        row = tuple(int(i) for i in (wrong[0] if len(wrong) else np.argwhere(values < 0)[0][:-1]))
        at = f"[{', '.join(map(str, row))}]" if row else ""
        raise DomainError(
            f"{name}{at} adds up to {sums[row]:g} in the {law} law: it must be a vector of "
            "nonnegative numbers that add up to 1; try: np.eye(k)[y] for the number y of a class"
        )


def _within_bounds(setting: Setting, values: Any) -> None:
    """The bounds of the support, where they are numbers."""
    density = setting.density
    if density.bounds is None or any(g.value is None for g in setting.given):
        ends = [S.NegativeInfinity, S.Infinity] if density.bounds is None else _of_any(setting)
    else:
        ends = list(density.bounds(*setting.in_law({g.name: g.value for g in setting.given})))
    for end, holds in ((ends[0], np.greater_equal), (ends[1], np.less_equal)):
        if end.is_number and end.is_finite:
            side = "at least" if holds is np.greater_equal else "at most"
            _all(holds(values, float(end)), values, density.variable, f"{side} {end}", density.name)


def _of_any(setting: Setting) -> list[Any]:
    """The bounds for parameters that are not numbers: those that do not depend on them."""
    from .law import law_of

    law = law_of(setting)
    assert setting.density.bounds is not None
    return [law.in_given(b) for b in setting.density.bounds(*law.own.values())]
