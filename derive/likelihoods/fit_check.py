"""Whether there is a maximum that derivatives can find, and whether what was found is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
from sympy import Float, Symbol, simplify

from ..errors import FitError, SpecError, UnsupportedOp
from .density import Density
from .fit_model import Model
from .fit_newton import NEAR, Optimum

if TYPE_CHECKING:
    from .loss import Loss

MOVING = 1e-3
"""A next step of Newton's method that is longer than this, in units of a raw output, where the loss changes no more."""


def check_support(loss: Loss) -> None:
    """A maximum at the boundary of the support has no slope 0."""
    density = loss.setting.density
    if density.bounds is None:
        return
    symbols = [Symbol(p.name) for p in density.parameters]
    moving = {s.name for end in density.bounds(*symbols) for s in end.free_symbols}
    estimated = {g.name for g in loss.setting.given if g.part in ("raw", "learned")}
    if (found := sorted(moving & estimated)) and not _is_periodic(density, symbols):
        raise UnsupportedOp(
            f"the support of the {density.name} law ends at {found[0]}, which is to be estimated: the likelihood is largest "
            "at the end of its domain, where no derivative is 0; try: loss.mle"
        )


def _is_periodic(density: Density, symbols: list[Symbol]) -> bool:
    """Whether the support is one period of a density that goes on beyond it, as that of an angle does."""
    assert density.bounds is not None
    low, high = density.bounds(*symbols)
    period = simplify(high - low)
    if not period.is_number:
        return False
    values = {s: 0.7 + 0.2 * k for k, s in enumerate(symbols)}
    here, there = (density.log_density(x, *symbols).subs(values) for x in (Float(0.3), 0.3 + period))
    return bool(abs((here - there).evalf()) < 1e-9)


def check_curved(model: Model, loss: Loss, u: Any) -> None:
    """A loss whose second derivative is 0 gives Newton's method nothing to go by, and no information."""
    H = model.hessian(u)
    for b in (b for b in model.blocks if b.part == "coefficients"):
        place = sum(c.size for c in model.blocks[: model.blocks.index(b)])
        if b.size and not np.any(H[place : place + b.size, place : place + b.size]):
            raise UnsupportedOp(
                f"the {loss.setting.density.name} loss is straight almost everywhere: its second derivative is 0, which "
                "gives Newton's method no step and coefficients no standard errors; try: a linear program for its minimum "
                "(scipy.optimize.linprog), a smooth law such as student t, or loss.mle for one law of all labels"
            )


def check_maximum(model: Model, optimum: Optimum) -> None:
    """Whether a maximum was reached.

    Raises:
        FitError: there is none, as when columns separate the labels, or the search ended before it.
    """
    moving = _moving(model, optimum.step) if optimum.gain <= NEAR**2 else ""
    if optimum.reason and not moving:
        moving = _without_end(model, optimum)
    if moving:
        raise FitError(f"the likelihood has no maximum: it keeps growing {moving}")
    if optimum.reason:
        raise FitError(
            f"no maximum was reached after {optimum.steps} steps: {optimum.reason}; "
            "try: start={...}, limit=..., columns of similar size, or method='trust-ncg'"
        )


def _moving(model: Model, step: Any) -> str:
    """What Newton's method would still move far at a point where the loss hardly changes; empty if nothing."""
    parts = model.split(step)
    for p in model.predictors:
        d = parts[p.coefficients]
        if np.abs(model.data[p.matrix] @ d).max(initial=0.0) <= MOVING:
            continue
        block = next(b for b in model.blocks if b.name == p.coefficients)
        if block.scale.name != "identity":
            return f"as {block.names[0]} goes to the end of its range"
        sizes = np.abs(model.data[p.matrix]).max(axis=0)
        share = np.ravel(np.abs(d) * (sizes[:, None] if d.ndim == 2 else sizes))
        large = [k for k in np.argsort(-share) if share[k] > 0.05 * share.max()]
        flat = np.ravel(d)
        named = " and ".join(f"{block.names[k]} to {'+' if flat[k] > 0 else '-'}infinity" for k in large[:4])
        more = " ..." if len(large) > 4 else ""
        return (
            f"as coefficients go {named}{more}: they tell some labels apart without error (separation); "
            "try: leave a column out, join categories, or add a prior"
        )
    for block in model.parameters.values():
        d = np.ravel(parts[block.name])
        if np.abs(d).max() > MOVING:
            k = int(np.argmax(np.abs(d)))
            end = (
                "grows without end"
                if d[k] > 0
                else "goes to 0"
                if block.scale.name == "log"
                else "falls without end"
            )
            return (
                f"as {block.names[min(k, len(block.names) - 1)]} {end}: a law without this parameter fits as well, or the "
                "columns explain the labels without error"
            )
    return ""


SLIGHT = 0.01
"""A change of the log-likelihood that no test would notice."""


def _without_end(model: Model, optimum: Optimum) -> str:
    """The parameter on a logarithmic scale that may go on by a factor of 50 without a change of the loss; empty if none."""
    place = 0
    for b in model.blocks:
        for k in range(b.size if b.scale.name == "log" else 0):
            low = optimum.point[place + k] < 0
            for far in (-4.0, 4.0):
                moved = optimum.point.copy()
                moved[place + k] += far
                if abs(model.value(moved) - optimum.value) <= SLIGHT:
                    end = "goes to 0" if low else "grows without end"
                    return (
                        f"or hardly changes, as {b.names[k]} {end}: a law without this parameter fits as well"
                    )
        place += b.size
    return ""


WIDE = 10.0
"""A standard error on a logarithmic scale, that is a factor of 20000: the data do not determine the parameter."""


def information_of(loss: Loss, model: Model, u: Any, kind: str) -> Any:
    """The information about u: the Hessian of the loss, or its mean over labels that the law draws.

    Raises:
        UnsupportedOp: the mean has no formula.  SpecError: no such kind.
    """
    if kind == "observed":
        return model.hessian(u)
    if kind != "expected":
        raise SpecError(f"information is 'observed' or 'expected'; found {kind!r}")
    if loss.fisher is None:
        raise UnsupportedOp(
            f"no formula was found for the expected information of the {loss.setting.density.name} law in these parameters; "
            "try: information='observed'"
        )
    return model.expected(u, loss.fisher)


def inverse_of(model: Model, u: Any, H: Any) -> Any:
    """The inverse of an information.

    Raises:
        FitError: it is singular, or says nothing about a parameter.
    """
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.diag(H))
    try:
        factor = scipy.linalg.cho_factor(H / np.outer(scale, scale))
    except scipy.linalg.LinAlgError:
        raise FitError(
            "the information is not positive definite at the point that was reached, so it is no maximum; "
            "try: start={...}"
        ) from None
    inverse = scipy.linalg.cho_solve(factor, np.eye(len(u))) / np.outer(scale, scale)
    place = 0
    for b in model.blocks:
        wide = np.flatnonzero(np.diag(inverse)[place : place + b.size] > WIDE**2)
        if b.scale.name == "log" and len(wide):
            raise FitError(
                f"the likelihood has no maximum: it keeps growing, or hardly changes, as {b.names[wide[0]]} goes to 0 or "
                "grows without end: a law without this parameter fits as well"
            )
        place += b.size
    return inverse
