"""A function, its gradient and Hessian, as they are run: what each form of them loses at each point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log2
from typing import Any, Literal

import numpy as np

from .. import api
from ..errors import SpecError, closest
from ..function import Function
from ..ir.evaluate import evaluate
from ..ir.nodes import Program
from ..ir.numbers import FLOAT32, FLOAT64
from ..rewrite.stable.stabilise import stabilise
from .errors import Reference, errors
from .sample import Point

Derivative = Literal["value", "gradient", "Hessian"]
DERIVATIVES: tuple[Derivative, ...] = ("value", "gradient", "Hessian")
NUMBERS = {"float64": FLOAT64, "float32": FLOAT32}
MANY = 1e6
"""Errors beyond this many ulps count as failures, as do NaN and infinity in the place of a number."""
Run = Callable[[Mapping[str, Any]], list[Any]]


@dataclass(frozen=True)
class Trial:
    """One point: the error of the worst entry in ulps, infinite for NaN and Inf, and what that entry is and should be."""

    point: Point
    ulps: float
    computed: Any
    exact: Any

    @property
    def failed(self) -> bool:
        return not self.ulps <= MANY


@dataclass(frozen=True)
class Measured:
    """One form of one derivative in one precision, at all points where there is a value.

    form: "naive", "stable", or what else was measured.
    begins: where NaN or Inf begin, for one scalar input: the value, and the direction in which they go on.
    """

    form: str
    derivative: Derivative
    dtype: str
    trials: tuple[Trial, ...]
    begins: tuple[Point, ...] = ()

    @property
    def worst(self) -> Trial | None:
        """The point with the largest error, NaN and Inf first."""
        return max(self.trials, key=lambda t: t.ulps, default=None)

    @property
    def median(self) -> float:
        """The error in ulps that half of the points do not exceed."""
        return float(np.median([t.ulps for t in self.trials])) if self.trials else 0.0

    @property
    def failures(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if t.failed)

    @property
    def bits(self) -> float:
        """Binary digits lost at the worst point."""
        return inf if self.worst is None or self.worst.ulps == inf else log2(max(self.worst.ulps, 1.0))


def derivatives(f: Function, wrt: Sequence[str], wanted: Sequence[str]) -> dict[Derivative, Function]:
    """The value, the first derivatives (of an array: the Jacobian) and the second ones.

    Raises:
        SpecError: something else is wanted.
    """
    for word in wanted:
        if word not in DERIVATIVES:
            raise SpecError(
                f"what is measured are {', '.join(DERIVATIVES)}; found {word!r}; {closest(word, DERIVATIVES)}"
            )
    scalar = not f.program.outputs[0].rank and len(f.program.outputs) == 1
    found: dict[Derivative, Function] = {}
    for word in DERIVATIVES:
        if word not in wanted or (word != "value" and not wrt):
            continue
        match word:
            case "value":
                found[word] = f
            case "gradient" if len(f.program.outputs) == 1:
                found[word] = (api.grad if scalar else api.jacobian)(f, list(wrt))
            case "Hessian" if scalar:
                found[word] = api.hessian(f, list(wrt))
    return found


def runs(f: Function, dtype: str) -> dict[str, Run]:
    """The forms of a function: as it was derived, and as it is run."""
    return {"naive": interpreted(f.presented, dtype), "stable": interpreted(stable(f), dtype)}


def stable(f: Function) -> Program:
    """The program that is run."""
    return f.stable


def rules_of(f: Function) -> tuple[str, ...]:
    """The names of the rules that make the program that is run of the one that was written."""
    fired = [*stabilise(f.program, "analytic").fired, *stabilise(f.presented).fired]
    return tuple(dict.fromkeys(x.rule for x in fired))


def interpreted(program: Program, dtype: str) -> Run:
    """A program run by the reference interpreter in one precision."""
    numbers = NUMBERS[dtype]

    def run(point: Mapping[str, Any]) -> list[Any]:
        values = evaluate(program, point, numbers)
        return [values[t.name] for t in program.outputs]

    return run


def measure(
    form: str, derivative: Derivative, dtype: str, run: Run, reference: Reference, points: Sequence[Point]
) -> Measured:
    """Run one form at all points and compare."""
    kind = np.dtype(dtype).type
    trials = []
    for point in points:
        with np.errstate(all="ignore"):
            ulps, computed, right = errors(run(point), reference, point, kind)
        if ulps >= 0:
            trials.append(Trial(point, ulps, computed, right))
    return Measured(form, derivative, dtype, tuple(trials), begins(run, reference, trials, kind))


def begins(run: Run, reference: Reference, trials: Sequence[Trial], kind: Any) -> tuple[Point, ...]:
    """Where NaN and Inf begin: for one scalar input found by bisection, on either side; else the smallest bad point."""
    bad = [t for t in trials if t.ulps == inf]
    if not bad:
        return ()
    names = list(bad[0].point)
    if (
        len(names) > 1
        or np.ndim(bad[0].point[names[0]])
        or np.asarray(bad[0].point[names[0]]).dtype.kind != "f"
    ):
        return (min(bad, key=_size).point,)
    (name,) = names
    in_order = sorted(trials, key=lambda t: float(t.point[name]))
    found: list[Point] = []
    for a, b in pairwise(in_order):
        if (a.ulps == inf) != (b.ulps == inf):
            good, wrong = (b, a) if a.ulps == inf else (a, b)
            found.append({name: _edge(run, reference, good.point[name], wrong.point[name], name, kind)})
    return tuple(found) or (min(bad, key=_size).point,)


def _size(t: Trial) -> float:
    return max(float(np.max(np.abs(np.asarray(v, dtype=float)), initial=0.0)) for v in t.point.values())


def _edge(run: Run, reference: Reference, good: Any, bad: Any, name: str, kind: Any) -> Any:
    """The bad number next to good ones, to three digits."""
    for _ in range(60):
        apart = float(good) * float(bad) > 0 and max(good / bad, bad / good) > 4
        middle = kind(np.sign(bad) * np.sqrt(abs(good)) * np.sqrt(abs(bad)) if apart else good / 2 + bad / 2)
        if middle in (good, bad) or abs(bad - good) < 1e-3 * abs(bad):
            break
        with np.errstate(all="ignore"):
            wrong = errors(run({name: middle}), reference, {name: middle}, kind)[0] == inf
        good, bad = (good, middle) if wrong else (middle, bad)
    return bad
