"""Expected Fisher information in numbers: the means of which it is made by quadrature, or by summation of counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from ..errors import DomainError, UnknownName, closest
from ..information.quadrature import mean_between
from ..ir.nodes import Read
from .law import Law

Weights = Callable[[int, int], list[tuple[Read, Read, Expr]]]


def expected_at(
    law: Law,
    information_of: Callable[[Read, Read], Expr],
    weights: Weights,
    count: int,
    values: Mapping[str, float],
) -> Any:
    """The matrix ``J' I J`` at numbers.

    Args:
        information_of: what has the mean that is the entry for two of the law's own parameters, in y and these.
        weights: for each entry pairs of own parameters, with the factors of their means.

    Raises:
        DomainError: a value is missing, or outside of its domain.  UnknownName: nothing has this name.
    """
    given = law.in_raw(sympy.Tuple(*law.own.values()))
    at = _numbers(given, values)
    _check(law, given, at)
    own = {p: sympy.Float(float(v), 17) for p, v in zip(law.own.values(), given.xreplace(at), strict=True)}
    means: dict[tuple[Read, Read], float] = {}

    def mean(a: Read, b: Read) -> float:
        if (a, b) not in means:
            means[a, b] = means[b, a] = mean_at_numbers(law, information_of(a, b), own)
        return means[a, b]

    found = np.zeros((count, count))
    for j in range(count):
        for k in range(j + 1):
            parts = [float(w.xreplace(at)) * mean(a, b) for a, b, w in weights(j, k)]
            found[j, k] = found[k, j] = sum(parts)
    return found


def _numbers(e: Expr, values: Mapping[str, float]) -> dict[Expr, Expr]:
    """The values of what an expression depends on.

    Raises:
        DomainError: one is missing.
    """
    reads = sorted(e.atoms(Read), key=str)
    if unknown := sorted(set(values) - set(map(str, reads))):
        raise UnknownName(
            f"the information depends on nothing called {unknown[0]!r}; {closest(unknown[0], map(str, reads))}"
        )
    if missing := [str(r) for r in reads if str(r) not in values]:
        raise DomainError(
            f"the information depends on {', '.join(map(str, reads))}; {', '.join(missing)} has no value"
        )
    return {r: sympy.Float(float(values[str(r)]), 17) for r in reads}


def _check(law: Law, given: Expr, at: Mapping[Expr, Expr]) -> None:
    """Whether the law's own parameters are in their domains.

    Raises:
        DomainError: one is not.
    """
    for parameter, value in zip(law.density.parameters, given.xreplace(at), strict=True):
        number = float(value) if value.is_comparable else np.nan
        low = -np.inf if not parameter.facts else 0.0
        high = 1.0 if "probability" in parameter.facts else np.inf
        if not low < number < high:
            kind = "between 0 and 1" if high == 1 else "positive" if low == 0 else "finite"
            raise DomainError(
                f"{parameter.name} of the {law.density.name} law must be {kind}; found {number:g}"
            )


def mean_at_numbers(law: Law, g: Expr, own: Mapping[Read, Expr]) -> float:
    """The mean of an expression in y and the law's own parameters, at numbers."""
    facts = set(law.density.facts)
    x = sympy.Symbol("x", real=True)
    low, high = ends(law, facts, own)
    reference = law.record.reference(*map(float, own.values())) if law.record else None
    body, log_density = (e.xreplace(own).xreplace({law.y: x}) for e in (g, law.log_density))
    return mean_between(body, log_density, x, low, high, law.density.whole, reference).value


def ends(law: Law, facts: set[str], own: Mapping[Read, Expr]) -> tuple[float, float]:
    """The smallest and the largest observation."""
    if law.density.bounds is not None:
        low, high = law.density.bounds(*own.values())
        return float(low), float(high)
    low = 0.0 if facts & {"positive", "nonnegative", "probability", "binary"} else -np.inf
    return low, 1.0 if facts & {"probability", "binary"} else np.inf
