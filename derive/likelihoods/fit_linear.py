"""Losses that are straight between kinks: their minimum is that of a linear program, found from the formula of the loss.

Where the loss of one example is ``sum_k c_k |a_k z + b_k| + d z + r`` with c_k >= 0, a, b, c and d being anything that does
not have the raw output z, the minimum over ``z = X beta + offset`` is that of ``sum c (p + q) + d z`` under
``a z + b = p - q`` and p, q >= 0. Its solution is a corner: as many rows as there are coefficients lie on a kink exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
import sympy
from sympy import Expr

from ..errors import FitError, UnsupportedOp
from ..information.family import with_absolutes
from ..ir.callables import callable_of
from ..ops.elementwise.piecewise import Absolute, Maximum, Minimum
from .fit_model import Model
from .fit_newton import Optimum, Problem, minimise

if TYPE_CHECKING:
    from .loss import Loss

EXACT = 1e-11
"""Residuals this small beside the labels are rounding."""
KINKED = (Absolute, Maximum, Minimum)
ON_KINK = 1e-6
"""How far from its kink a row may be, in units of the residuals, to lie on it once the program is solved."""


@dataclass(frozen=True)
class Kink:
    """``weight |slope z + shift|``; none of them has z."""

    weight: Expr
    slope: Expr
    shift: Expr


@dataclass(frozen=True)
class Straight:
    """A loss of one example that is straight between kinks: the kinks, and the slope of the rest."""

    kinks: tuple[Kink, ...]
    tilt: Expr


def straight(loss: Loss) -> Straight | None:
    """The loss as such a sum in its one raw output; None if it is none."""
    if loss.law is None or len(loss.raw) != 1 or not loss.body.has(*KINKED):
        return None
    body, z = sympy.expand(with_absolutes(loss.body)), loss.reads[loss.raw[0]]
    parts = [a for a in body.atoms(Absolute) if a.has(z)]
    names = {a: sympy.Dummy("a", nonnegative=True) for a in parts}
    whole = sympy.expand(body.xreplace(names))
    kinks = []
    for a, name in names.items():
        argument = sympy.expand(a.args[0])
        weight, slope = whole.diff(name), argument.diff(z)
        if slope.has(z) or slope == 0 or weight.has(z, *names.values()):
            return None
        kinks.append(Kink(sympy.factor(weight), slope, sympy.expand(argument - slope * z)))
    tilt = whole.diff(z)
    if not kinks or tilt.has(z, *names.values()):
        return None
    return Straight(tuple(kinks), sympy.factor(tilt))


def minimise_straight(found: Straight, loss: Loss, model: Model, start: Any, limit: int) -> Optimum:
    """The minimum over the coefficients by a linear program, then over what else is learned by Newton's method.

    Raises:
        UnsupportedOp: the coefficients depend on what else is learned, or the loss has a maximum at a kink.
        FitError: the loss falls without end.
    """
    learned = [loss.reads[n] for n in loss.learned]
    first = found.kinks[0].weight
    shares = [sympy.simplify(e / first) for e in (*(k.weight for k in found.kinks), found.tilt)]
    if entangled := next((str(p) for p in learned for e in shares if e.has(p)), None):
        raise UnsupportedOp(
            f"the {loss.setting.density.name} loss is straight between kinks, and where its minimum lies depends on "
            f"{entangled}; try: {entangled} as a number, one fit for each"
        )
    point = np.array(start, dtype=float)
    count = model.blocks[0].size
    beta, steps = _program(found, loss, model, point)
    point[:count] = beta
    if count == len(point):
        return Optimum(point, model.value(point), np.zeros_like(point), 0.0, steps, "linear program")
    rows = _rows(found, loss, model, point)
    if np.abs(rows.slopes * (rows.X @ beta) + rows.shifts).max() <= EXACT * np.abs(rows.shifts).max():
        raise FitError(
            f"the likelihood has no maximum: it keeps growing as {loss.learned[0]} goes to the end of its domain, since "
            "the columns explain the labels without error"
        )
    rest = minimise(_held(model, point, count), point[count:], "newton", limit)
    point[count:] = rest.point
    step = np.concatenate((np.zeros(count), rest.step))
    return Optimum(
        point, rest.value, step, rest.gain, steps + rest.steps, "a linear program and newton", rest.reason
    )


def _held(model: Model, point: Any, count: int) -> Problem:
    """The loss as a function of what comes after the coefficients."""

    def whole(u: Any) -> Any:
        return np.concatenate((point[:count], u))

    def value_and_gradient(u: Any) -> tuple[float, Any]:
        value, gradient = model.value_and_gradient(whole(u))
        return value, gradient[count:]

    def product(u: Any, v: Any) -> Any:
        return model.product(whole(u), np.concatenate((np.zeros(count), v)))[count:]

    return Problem(
        value_and_gradient,
        lambda u: model.hessian(whole(u))[count:, count:],
        product,
        model.problem.reach[count:],
    )


def _at(e: Expr, loss: Loss, model: Model, u: Any) -> Any:
    """An expression without z at each row."""
    split = model.split(u)
    values = dict(model.data) | {n: b.scale.natural(split[b.name]) for n, b in model.parameters.items()}
    reads = sorted(
        (r for r in e.free_symbols | e.atoms(*map(type, loss.reads.values())) if str(r) in values), key=str
    )
    rows = len(model.data[model.predictors[0].matrix])
    return np.broadcast_to(
        np.asarray(callable_of(e, reads)(*(values[str(r)] for r in reads)), float), (rows,)
    )


@dataclass(frozen=True)
class _Rows:
    """The data of the program: for each row and kink its weight, slope and shift; for each row the tilt."""

    X: Any
    weights: Any
    slopes: Any
    shifts: Any
    tilts: Any


def _rows(found: Straight, loss: Loss, model: Model, u: Any) -> _Rows:
    (p,) = model.predictors
    X = np.asarray(model.data[p.matrix], float)
    offset = model.data[p.offset] if p.offset else np.zeros(len(X))
    counts = np.asarray(model.data.get("weights", np.ones(len(X))), float)
    columns = [[_at(e, loss, model, u) for e in (k.weight, k.slope, k.shift)] for k in found.kinks]
    weights, slopes, shifts = (np.stack(part) for part in zip(*columns, strict=True))
    return _Rows(
        X, weights * counts, slopes, shifts + slopes * offset, _at(found.tilt, loss, model, u) * counts
    )


def _program(found: Straight, loss: Loss, model: Model, u: Any) -> tuple[Any, int]:
    """The coefficients at the minimum, and the steps that it took."""
    rows = _rows(found, loss, model, u)
    if np.any(rows.weights < 0):
        raise UnsupportedOp(
            f"the {loss.setting.density.name} loss has a kink where it is largest, so it is not convex and no linear program"
        )
    (n, p), K = rows.X.shape, len(found.kinks)
    scale = max(float(np.abs(rows.weights).max()), 1e-300)
    cost = np.concatenate((rows.X.T @ rows.tilts, np.tile(np.ravel(rows.weights), 2))) / scale
    of_beta = scipy.sparse.vstack([scipy.sparse.csr_array(a[:, None] * rows.X) for a in rows.slopes])
    eye = scipy.sparse.eye_array(n * K)
    equations: Any = scipy.sparse.hstack([of_beta, -eye, eye])
    bounds = [(None, None)] * p + [(0, None)] * (2 * n * K)
    solved: Any = scipy.optimize.linprog(
        cost,
        A_eq=equations,
        b_eq=-np.ravel(rows.shifts),
        bounds=bounds,
        method="highs",
    )
    if solved.status == 3:
        raise FitError(
            "the likelihood has no maximum: it keeps growing as coefficients go to infinity; "
            "try: leave a column out, or add a prior"
        )
    if not solved.success:
        raise FitError(f"the linear program for the minimum was not solved: {solved.message}")
    return _corner(rows, np.asarray(solved.x[:p])), int(solved.nit)


def _corner(rows: _Rows, beta: Any) -> Any:
    """The corner itself: the rows that lie on a kink, but for rounding, determine it."""
    X = np.concatenate([a[:, None] * rows.X for a in rows.slopes])
    residuals = X @ beta + np.ravel(rows.shifts)
    size = float(np.median(np.abs(residuals))) or 1.0
    near = np.abs(residuals) <= ON_KINK * size
    if np.linalg.matrix_rank(X[near]) < len(beta):
        return beta  # a whole face is as low
    exact = scipy.linalg.lstsq(X[near], -np.ravel(rows.shifts)[near])[0]
    return exact if _height(rows, exact) <= _height(rows, beta) * (1 + 1e-12) + 1e-300 else beta


def _height(rows: _Rows, beta: Any) -> float:
    z = rows.X @ beta
    return float(np.sum(rows.weights * np.abs(rows.slopes * z + rows.shifts)) + rows.tilts @ z)


# -- how well coefficients are determined


def covariance_of_straight(found: Straight, loss: Loss, model: Model, optimum: Optimum) -> Any:
    """The covariance of all that is estimated: of the coefficients ``A^-1 B A^-1``, and the inverse Hessian of the rest.

    B is the sum of the squared scores, A that of ``2 c a^2 f(0)`` times ``x x'``, f the density of ``a z + b`` at the kink
    by Epanechnikov's kernel with the width of Hall and Sheather. Source: Koenker (2005), Quantile Regression, sec. 3.4.

    A row on the kink counts as below it.

    Raises:
        UnsupportedOp: there are several kinks, or weights, or no residuals near the kink but those on it.
    """
    if "weights" in model.data:
        raise UnsupportedOp(
            "the density of weighted residuals is not known here; try: information='expected'"
        )
    if len(found.kinks) > 1:
        raise UnsupportedOp(
            f"the {loss.setting.density.name} loss has several kinks, for which there are no standard errors here; "
            "try: information='expected'"
        )
    u, count = optimum.point, model.blocks[0].size
    rows = _rows(found, loss, model, u)
    weights, slopes = rows.weights[0], rows.slopes[0]
    residuals = slopes * (rows.X @ u[:count]) + rows.shifts[0]
    falls = weights * slopes
    below = float(np.mean((falls + rows.tilts) / (2 * falls)))
    density = _density_at_0(residuals, below, rows.shifts[0])
    if not density > 0:
        raise UnsupportedOp(
            "no residual is near the kink but those on it, so that their density there is not known; "
            "try: information='expected'"
        )
    above = residuals > ON_KINK * float(np.median(np.abs(residuals)))
    scores = np.where(above, falls, -falls) + rows.tilts
    A = rows.X.T @ ((2 * weights * slopes**2 * density)[:, None] * rows.X)
    B = rows.X.T @ ((scores**2)[:, None] * rows.X)
    inverse = scipy.linalg.inv(A)
    whole = np.zeros((len(u), len(u)))
    whole[:count, :count] = inverse @ B @ inverse
    if count < len(u):
        whole[count:, count:] = scipy.linalg.inv(model.hessian(u)[count:, count:])
    return whole


def _density_at_0(residuals: Any, share: float, labels: Any) -> float:
    """The density of residuals at 0, of which this share is to be below it."""
    n, share = len(residuals), min(max(share, 1e-6), 1 - 1e-6)
    z = scipy.stats.norm.ppf(share)
    width = (1.5 * scipy.stats.norm.pdf(z) ** 2 / (2 * z**2 + 1) / n) ** (1 / 3) * scipy.stats.norm.ppf(0.975) ** (2 / 3)
    low, high = np.percentile(residuals, [25, 75])
    near = min(float(np.std(labels)) or np.inf, (high - low) / 1.34)
    ends = scipy.special.ndtri(np.clip([share - width, share + width], 1e-6, 1 - 1e-6))
    h = near * (ends[1] - ends[0])
    if not h > 0:
        return 0.0
    inside = np.abs(residuals / h) < 1
    return float(np.sum(0.75 * (1 - (residuals[inside] / h) ** 2)) / (n * h))
