"""The derivatives in a claim at one point, by differences of what they are derivatives of: nothing here knows a rule.

A point counts against a claim only if what is differentiated has a value there, and our derivative has the value that the
differences show. At a kink there is none to show; a counterexample says so, and others are preferred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import mpmath
import numpy as np

from ...errors import DeriveError, DomainError, UnsupportedOp
from ...frontends.claim import Guards
from ...frontends.formula_derivatives import Taken
from ...ir.evaluate import evaluate
from ...ir.numbers import MPMATH

DIGITS = 60
FIRST, SECOND = "1e-18", "1e-13"
"""Steps: of first differences the error is about 1e-36, of second ones 1e-26."""
ENOUGH = 1e-15
"""The relative error that is allowed."""
BROKEN = 1e-6
"""The relative distance of the slopes on both sides at which they are not one."""

KINKED = "at a kink, where the derivative is a convention"
"""What is said of a counterexample at such a point: our subgradients are stated, and the same everywhere."""

Arrays = Mapping[str, Any]


class NotSurvived(Exception):
    """A derivative of ours has not the value that differences show."""


class Kink(Exception):
    """The slopes on both sides are not one."""


class NoValue(Exception):
    """There is no derivative at this point."""


NOWHERE = (NoValue, DomainError, ArithmeticError)
"""What is raised where a function has no value."""

_admits: ContextVar[Callable[[Arrays], str | None] | None] = ContextVar("admits", default=None)


@contextmanager
def checking(guards: Guards | None) -> Iterator[None]:
    """A block in which a point counts as a counterexample only if the derivatives of the claim are confirmed there."""
    check = None if guards is None or not guards.derivatives else lambda arrays: confirmed(guards, arrays)
    token = _admits.set(check)
    try:
        yield
    finally:
        _admits.reset(token)


def admitted(arrays: Arrays) -> str | None:
    """Whether a point may count as a counterexample: None if not, `KINKED` if it is a kink of what is differentiated.

    Raises:
        NotSurvived: a derivative is wrong there.
    """
    check = _admits.get()
    return "" if check is None else check(arrays)


def confirmed(guards: Guards, arrays: Arrays) -> str | None:
    """What `admitted` says of the derivatives of a claim; nothing is said of one that cannot be computed in this way.

    Raises:
        NotSurvived: a derivative of ours has another value.
    """
    with mpmath.workdps(DIGITS):
        try:
            values = evaluate(guards.program, _lifted(arrays), MPMATH)
        except NOWHERE:
            return None
        except DeriveError:
            return ""
        outputs, kinked = iter(guards.program.outputs[2:]), ""
        for taken in guards.derivatives:
            ours, variable, *given = (np.asarray(values[next(outputs).name]) for _ in taken.arrays)
            try:
                theirs = _differences(taken, {**_inputs(taken, arrays), taken.wrt: variable}, given)
            except Kink:
                kinked = KINKED
                continue
            except NOWHERE:
                return None
            except DeriveError:
                continue
            if theirs.shape != ours.shape or not all(map(_near, ours.flat, theirs.flat)):
                raise NotSurvived(
                    f"our derivative in {taken.kind}(..., {taken.wrt}) does not survive the check by differences"
                )
    return kinked


def _lifted(arrays: Arrays) -> dict[str, Any]:
    lift = np.frompyfunc(lambda x: mpmath.mpf(x.numerator) / x.denominator, 1, 1)
    return {
        n: np.asarray(lift(x), dtype=object) if np.asarray(x).dtype == object else x
        for n, x in arrays.items()
    }


def _inputs(taken: Taken, arrays: Arrays) -> dict[str, Any]:
    """The inputs of what is differentiated beside its variable, which may be a computed one."""
    given = _lifted(arrays)
    if missing := [t.name for t in taken.base.inputs if t.name not in given and t.name != taken.wrt]:
        raise UnsupportedOp(f"{missing[0]} is no input of the claim: its mean is taken")
    return {t.name: given[t.name] for t in taken.base.inputs if t.name != taken.wrt}


def _near(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= ENOUGH * (1 + abs(b)))


def _differences(taken: Taken, inputs: dict[str, Any], given: list[Any]) -> Any:
    """The derivative by central differences, in the shape that our functions give it.

    Raises:
        NoValue: the function has no value here.  Kink: it has another slope on each side.
    """
    point = inputs[taken.wrt]

    def at(direction: Any) -> Any:
        values = evaluate(taken.base, {**inputs, taken.wrt: point + direction}, MPMATH)
        found = np.asarray(values[taken.base.outputs[0].name], dtype=object)
        if not all(isinstance(v, mpmath.mpf) and mpmath.isfinite(v) for v in found.flat):
            raise NoValue
        return found

    here = at(0 * point)
    if taken.kind == "jvp":
        return _slope(at, here, given[0])
    if taken.kind == "hessian":
        return _curvatures(at, here, point)
    slopes = [_slope(at, here, unit) for unit in _units(point, taken.tied)]
    if taken.kind == "vjp":
        flat = [np.sum(given[0] * s) for s in slopes]
        return np.array(flat, dtype=object).reshape(point.shape)
    return np.moveaxis(
        np.array(slopes, dtype=object).reshape((*point.shape, *here.shape)),
        range(point.ndim),
        range(here.ndim, here.ndim + point.ndim),
    )


def _units(point: Any, tied: bool) -> Iterator[Any]:
    """A direction for each entry; of a pair of tied entries both move."""
    for place in np.ndindex(*point.shape):
        unit = np.array(point * 0, dtype=object)
        unit[place] = mpmath.mpf(1)
        if tied:
            unit[place[::-1]] = mpmath.mpf(1)
        yield unit


def _slope(at: Callable[[Any], Any], here: Any, direction: Any) -> Any:
    h = mpmath.mpf(FIRST)
    ahead, behind = np.asarray((at(h * direction) - here) / h), np.asarray((here - at(-h * direction)) / h)
    if any(abs(a - b) > BROKEN * (1 + abs(a)) for a, b in zip(ahead.flat, behind.flat, strict=True)):
        raise Kink
    return np.asarray((ahead + behind) / 2)


def _curvatures(at: Callable[[Any], Any], here: Any, point: Any) -> Any:
    h = mpmath.mpf(SECOND)
    units = list(_units(point, False))
    for unit in units:
        _slope(at, here, unit)  # where there is a kink there is no Hessian
    rows = [
        [
            (at(h * (u + v)) - at(h * (u - v)) - at(h * (v - u)) + at(-h * (u + v))) / (4 * h * h)
            for v in units
        ]
        for u in units
    ]
    return np.array(rows, dtype=object).reshape((*point.shape, *point.shape))
