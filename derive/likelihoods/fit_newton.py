"""The minimum of a smooth function: Newton's method with a line search, or scipy.optimize with Hessian-vector products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import scipy
from scipy.sparse.linalg import LinearOperator, cg

ACCURATE = 1e-9
"""A point is the minimum when Newton's next step is shorter than this many standard errors."""
NEAR = 1e-4
"""As close as this the loss says nothing any more, since rounding hides its changes: steps are judged by their length."""
FEW = 250
"""Variables for which the Hessian is factorised in each step."""


@dataclass(frozen=True)
class Problem:
    """A function of a vector with its derivatives; values outside of its domain are not finite.

    product: of the Hessian at a point with a vector.
    reach: how far a step may go in each variable.
    """

    value_and_gradient: Callable[[Any], tuple[float, Any]]
    hessian: Callable[[Any], Any]
    product: Callable[[Any, Any], Any]
    reach: Any


@dataclass(frozen=True)
class Optimum:
    """Where a search ended.

    step: the next step that Newton's method would take; where there is a minimum it is nearly 0.
    gain: by how much, about, the step would lower the value.
    reason: why the search ended early; empty at a minimum.
    """

    point: Any
    value: float
    step: Any
    gain: float
    steps: int
    method: str
    reason: str = ""


def minimise(problem: Problem, start: Any, method: str, limit: int) -> Optimum:
    """The minimum near `start`: `method` is "newton", a method of scipy.optimize with gradients, or "auto"."""
    if method == "auto":
        method = "newton" if len(start) <= FEW else "trust-ncg"
    if method == "newton":
        return _newton(problem, start, limit)
    products = {"hessp": problem.product} if method.startswith(("trust", "Newton")) else {}
    options: dict[str, Any] = {"maxiter": 50 * limit}
    found = scipy.optimize.minimize(
        problem.value_and_gradient,
        start,
        (),
        method,
        True,
        options=options,
        **products,  # type: ignore[call-overload]
    )
    polish = _newton if len(start) <= FEW else _newton_by_products
    end = polish(problem, found.x, limit)  # to the accuracy that standard errors deserve
    why = f"{found.message} {end.reason}" if end.reason else ""
    return replace(end, steps=int(found.nit) + end.steps, method=method, reason=why)


def _newton_by_products(problem: Problem, start: Any, limit: int) -> Optimum:
    """Newton's method close to the minimum, its steps by conjugate gradients."""
    point, before = start, np.inf
    value, gradient = problem.value_and_gradient(point)
    for count in range(limit):
        hessian: Any = LinearOperator(
            (len(point),) * 2, matvec=partial(problem.product, point), dtype=np.float64
        )
        step, _ = cg(hessian, -gradient, rtol=1e-6)
        gain = -float(gradient @ step)
        if 0 <= gain <= ACCURATE**2 or before / 4 < gain <= NEAR**2:
            return Optimum(point, value, step, gain, count, "newton")
        found = _full(problem, point, step) if 0 < gain < before else None
        if found is None:
            return Optimum(
                point, value, step, gain, count, "newton", "the search ended too far from a minimum"
            )
        before = gain
        point, value, gradient = found
    return Optimum(point, value, step, before, limit, "newton", f"{limit} steps were not enough")


def _newton(problem: Problem, start: Any, limit: int) -> Optimum:
    point = np.array(start, dtype=float)
    value, gradient = problem.value_and_gradient(point)
    step, gain, before = np.zeros_like(point), np.inf, np.inf
    for count in range(limit):
        hessian = problem.hessian(point)
        if not np.all(np.isfinite(hessian)) or not np.all(np.isfinite(gradient)):
            return Optimum(point, value, step, gain, count, "newton", "derivatives are not finite")
        step, convex = _downhill(hessian, gradient)
        with np.errstate(divide="ignore"):
            step = step * min(1.0, float(np.min(problem.reach / np.abs(step))))
        gain = -float(gradient @ step)
        near = convex and gain <= NEAR**2
        if near and (gain <= ACCURATE**2 or gain > before / 4):
            return Optimum(point, value, step, gain, count, "newton")
        found = _full(problem, point, step) if near else _lower(problem, point, value, step, gain)
        if found is None:
            why = "no step along Newton's direction lowers the loss"
            return Optimum(point, value, step, gain, count, "newton", why)
        before = gain if near else np.inf
        point, value, gradient = found
    return Optimum(point, value, step, gain, limit, "newton", f"{limit} steps were not enough")


def _downhill(hessian: Any, gradient: Any) -> tuple[Any, bool]:
    """Newton's step, and whether the Hessian is positive definite; if not, that of its absolute value.

    Variables are scaled to a unit diagonal first, so that what is measured in large units does not look flat.
    """
    scale = np.sqrt(np.abs(np.diag(hessian)))
    scale = np.where(scale > 0, scale, 1.0)
    scaled = hessian / np.outer(scale, scale)
    try:
        factor = scipy.linalg.cho_factor(scaled)
        return -scipy.linalg.cho_solve(factor, gradient / scale) / scale, True
    except scipy.linalg.LinAlgError:
        values, vectors = scipy.linalg.eigh(scaled)
        size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
        size = np.where(size > 0, size, 1.0)
        return -(vectors @ ((vectors.T @ (gradient / scale)) / size)) / scale, False


def _full(problem: Problem, point: Any, step: Any) -> Any:
    value, gradient = problem.value_and_gradient(point + step)
    return (point + step, value, gradient) if np.all(np.isfinite(gradient)) else None


def _lower(problem: Problem, point: Any, value: float, step: Any, gain: float) -> Any:
    """The first of the points a full, a half, a quarter ... step away whose value is low enough; None if none is."""
    for length in 0.5 ** np.arange(40):
        moved = point + length * step
        with np.errstate(all="ignore"):
            lower, gradient = problem.value_and_gradient(moved)
        rounding = 4 * np.finfo(float).eps * abs(value)
        if (
            np.isfinite(lower)
            and lower <= value - 1e-4 * length * gain + rounding
            and np.all(np.isfinite(gradient))
        ):
            return moved, lower, gradient
    return None
