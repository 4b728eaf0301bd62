"""`fit`: the maximum of a likelihood at data, and how well it is determined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Integer

from ..errors import UnknownName, closest
from ..ir.tensors import resized
from .fit_blocks import extents, is_cut, parameter, predictor
from .fit_check import check_curved, check_maximum, check_support, information_of, inverse_of
from .fit_data import Design, constants_of, design_of, known_of, labels_of, offset_of, weights_of
from .fit_linear import covariance_of_straight, minimise_straight, straight
from .fit_model import Model
from .fit_newton import minimise
from .fit_result import Fit
from .fit_start import start_of

if TYPE_CHECKING:
    from .loss import Loss

BY_DENSITY = "observed (by the density of residuals at the kink)"
"""Information where the second derivative is 0 but for kinks."""


def fit(
    loss: Loss,
    X: Any,
    y: Any = None,
    *,
    intercept: bool | None = None,
    names: Sequence[str] | None = None,
    offset: Any = None,
    weights: Any = None,
    start: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    information: str = "observed",
    method: str = "auto",
    limit: int = 100,
    **known: Any,
) -> Fit:
    """Maximum likelihood; see `Loss.fit`."""
    check_support(loss)
    if y is None:
        X, y = None, X
    start = start or {}
    labels, classes = labels_of(y, loss)
    n = len(labels)
    data: dict[str, Any] = {loss.variable: labels, **known_of(loss, known, n), **weights_of(weights, n)}
    extent = extents(loss, labels, start, sizes or {})
    given = _columns(loss, X)
    blocks, predictors = [], []
    for g in loss.setting.raws:
        what = "X" if not isinstance(X, Mapping) or g.name not in X else f"X[{g.name!r}]"
        ones = not is_cut(loss) if intercept is None else intercept
        design = design_of(given[g.name], n, ones, names, what)
        if given[g.name] is None and is_cut(loss):
            design = Design(design.matrix[:, :0], ())
        own, name = offset_of(g, offset, n)
        block, linear = predictor(loss, g, design, given[g.name] is None, classes, extent, name)
        data |= {linear.matrix: design.matrix, **own}
        blocks.append(block)
        predictors.append(linear)
    parameters = {g.symbol: parameter(loss, g, classes, extent) for g in loss.setting.learned}
    each = frozenset({*loss.raw, loss.variable, *(k for k in known if np.ndim(data[k]) == 1)})
    blocks += parameters.values()
    example = resized(loss.example.program, {s: Integer(k) for s, k in extent.items()})
    model = Model(example, tuple(blocks), tuple(predictors), parameters, data, each)
    constants = constants_of(loss, data, n)
    point = start_of(model, loss, start)
    kinked = straight(loss) if blocks[0].size else None
    if kinked is None:
        check_curved(model, loss, point)
        optimum = minimise(model.problem, point, method, limit)
    else:
        optimum = minimise_straight(kinked, loss, model, point, limit)
    check_maximum(model, optimum)
    if kinked is None or information != "observed":
        inverse = inverse_of(model, optimum.point, information_of(loss, model, optimum.point, information))
    else:
        inverse, information = covariance_of_straight(kinked, loss, model, optimum), BY_DENSITY
    J = model.slopes(optimum.point)
    counts = data.get("weights", np.ones(n))
    return Fit(
        loss=loss, model=model, point=optimum.point, names=tuple(name for b in blocks for name in b.names),
        estimates=model.reported(optimum.point), covariance=J @ inverse @ J.T, free_covariance=inverse,
        log_likelihood=-float(optimum.value + np.sum(counts * constants)), information=information,
        steps=optimum.steps, method=optimum.method, classes=classes, observations=float(np.sum(counts)),
    )  # fmt: skip


def _columns(loss: Loss, X: Any) -> dict[str, Any]:
    """What stands for X in each raw output.

    Raises:
        UnknownName: a dictionary by the names of parameters has none for one of them.
    """
    names = [g.name for g in loss.setting.raws]
    if not isinstance(X, Mapping) or not set(names) & set(X):
        return dict.fromkeys(names, X)
    if missing := [name for name in names if name not in X]:
        raise UnknownName(f"X has no columns for {missing[0]}; {closest(missing[0], X)}")
    return dict(X)
