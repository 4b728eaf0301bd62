"""`fit`: the maximum of a likelihood at data, and how well it is determined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import linalg
from sympy import Symbol

from ..errors import DomainError, FitError, ShapeError, SpecError, UnknownName, UnsupportedOp, closest
from .fit_data import INTERCEPT, Design, design_of, labels_of
from .fit_model import Block, Model, Predictor
from .fit_newton import NEAR, Optimum, minimise
from .fit_result import Fit
from .fit_scales import SCALES, Scale, scale_of
from .setting import Given

if TYPE_CHECKING:
    from .loss import Loss

IDENTITY = SCALES[-1]
MOVING = 1e-3
"""A next step of Newton's method that is longer than this, in units of a raw output, where the loss changes no more."""


def fit(
    loss: Loss,
    X: Any,
    y: Any = None,
    *,
    intercept: bool = True,
    names: Sequence[str] | None = None,
    offset: Any = None,
    weights: Any = None,
    start: Mapping[str, Any] | None = None,
    information: Literal["observed", "expected"] = "observed",
    method: str = "auto",
    limit: int = 100,
    **known: Any,
) -> Fit:
    """Maximum likelihood; see `Loss.fit`."""
    if y is None:
        X, y = None, X
    if isinstance(X, Mapping) and {g.name for g in loss.setting.raws} & set(X):
        given = dict(X)
    else:
        given = {g.name: X for g in loss.setting.raws}
    _check_support_is_fixed(loss)
    labels, classes = labels_of(y, loss)
    n = len(labels)
    data: dict[str, Any] = {loss.variable: labels, **_known(loss, known, n)}
    if weights is not None:
        data["weights"] = _weights(weights, n)
    blocks, predictors = [], []
    for g in loss.setting.raws:
        if g.name not in given:
            raise UnknownName(f"X has no columns for {g.name}; {closest(g.name, given)}")
        design = design_of(given[g.name], n, intercept, names, "X" if len(given) == 1 else f"X[{g.name!r}]")
        block, predictor = _linear(loss, g, design, given[g.name] is None, classes)
        blocks.append(block)
        data[predictor.matrix] = design.matrix
        if offset is not None:
            predictor = _with_offset(predictor, offset, n, data)
        predictors.append(predictor)
    parameters = {g.symbol: _parameter(g, (start or {}).get(g.name)) for g in loss.setting.learned}
    each = frozenset(
        {*loss.raw, loss.variable, *(k for k, v in data.items() if k in known and np.ndim(v) == 1)}
    )
    model = Model(loss.example, (*blocks, *parameters.values()), tuple(predictors), parameters, data, each)
    point = _start(model, loss, labels, start or {})
    _check_curved(model, loss, point)
    optimum = minimise(model.problem, point, method, limit)
    _check(model, optimum)
    constants = loss.constant(labels, **{k: data[k] for k in known})
    total = np.sum(data.get("weights", 1.0) * constants)
    inverse = _inverse(model, optimum.point, _information(loss, model, optimum.point, information))
    J = model.slopes(optimum.point)
    return Fit(
        loss=loss, model=model, point=optimum.point, names=tuple(name for b in model.blocks for name in b.names),
        estimates=model.reported(optimum.point), covariance=J @ inverse @ J.T, free_covariance=inverse,
        log_likelihood=-float(optimum.value + total), information=information, steps=optimum.steps,
        method=optimum.method, classes=classes, observations=float(np.sum(data["weights"])) if "weights" in data else n,
    )  # fmt: skip


# -- what is estimated


def _linear(
    loss: Loss, g: Given, design: Design, alone: bool, classes: Sequence[str]
) -> tuple[Block, Predictor]:
    """The coefficients of a raw output, and the linear predictor that it is.

    alone: there is no matrix, so that the one coefficient is reported as the parameter itself.
    """
    several = len(loss.raw) > 1
    matrix, beta = (f"X_{g.name}", f"beta_{g.name}") if several else ("X", "beta")
    p, row, link = len(design.names), _raw_rank(loss, g.symbol), g.link
    assert link is not None
    if row:
        reference = _only_differences(loss, g.symbol)
        shown = classes[1:] if reference else classes
        shape: tuple[int, ...] = (p, len(shown))
        if alone:
            named = tuple(f"{g.name}[{c}]" for c in classes)
            scale = Scale(link.name, lambda b: link.inverse(_with_reference(b, reference)[0]), _none)
        else:
            named = tuple(f"{name} [{c}]" for name in design.names for c in shown)
            scale = IDENTITY
        return Block(beta, shape, "coefficients", named, scale), Predictor(
            g.symbol, matrix, beta, reference=reference
        )
    if alone:
        scale = Scale(link.name, link.inverse, link.link or _none)
        return Block(beta, (1,), "coefficients", (g.name,), scale), Predictor(g.symbol, matrix, beta)
    named = tuple(f"{g.name}: {name}" if several else name for name in design.names)
    return Block(beta, (p,), "coefficients", named, IDENTITY), Predictor(g.symbol, matrix, beta)


def _with_reference(b: Any, reference: bool) -> Any:
    return np.concatenate((0 * b[:, :1], b), axis=1) if reference else b


def _none(parameter: Any) -> Any:
    raise UnsupportedOp("this scale has no way back")


def _raw_rank(loss: Loss, raw: str) -> int:
    return next(t.rank for t in loss.example.program.inputs if t.name == raw)


def _only_differences(loss: Loss, raw: str) -> bool:
    """Whether a number that is added to all entries of a raw output changes nothing: only their differences count then."""
    from .. import api

    H = api.hessian(loss.example, raw)
    rng = np.random.default_rng(0)
    z = rng.normal(size=3)
    arrays = {loss.variable: np.eye(3)[0], raw: z}
    rest = {n: np.array(1.0) for n in loss.example.inputs if n not in arrays}
    found = H(**{n: {**arrays, **rest}[n] for n in loss.example.inputs})
    return bool(np.all(np.abs(found.sum(axis=1)) <= 1e-12 * np.abs(found).sum()))


def _parameter(g: Given, start: Any) -> Block:
    """A learned parameter on its scale without bounds."""
    scale = scale_of(g.parameter.facts)
    shape = () if start is None or np.ndim(start) == 0 else (len(np.asarray(start)) - scale.shorter,)
    if g.parameter.role == "vector" and not shape:
        raise SpecError(
            f"{g.name} has several entries: say how many, and where to start, with start={{{g.name!r}: [...]}}"
        )
    count = int(np.prod(shape, dtype=int)) + scale.shorter if shape else 1
    names = tuple(f"{g.name}[{k}]" for k in range(count)) if shape else (g.name,)
    return Block(f"{g.symbol}_free", shape, "parameter", names, scale)


# -- data beside X and y


def _known(loss: Loss, known: Mapping[str, Any], n: int) -> dict[str, Any]:
    wanted = [g.symbol for g in loss.setting.parts("known")]
    if unknown := [name for name in known if name not in wanted]:
        raise UnknownName(f"fit() of this loss takes no {unknown[0]!r}; {closest(unknown[0], wanted)}")
    if missing := [name for name in wanted if name not in known]:
        raise UnknownName(
            f"the loss has {missing[0]} as a known parameter; try: loss.fit(X, y, {missing[0]}=...)"
        )
    found = {name: np.asarray(value, dtype=float) for name, value in known.items()}
    for name, value in found.items():
        if value.ndim > 1 or (value.ndim == 1 and len(value) != n):
            raise ShapeError(
                f"{name} must be one number, or one for each of {n} rows; found the shape {value.shape}"
            )
    return found


def _weights(weights: Any, n: int) -> Any:
    found = np.asarray(weights, dtype=float)
    if found.shape != (n,):
        raise ShapeError(f"weights must have the shape ({n},); found {found.shape}")
    if len(bad := np.flatnonzero(~(found >= 0))):
        raise DomainError(
            f"a weight says how often a row counts, 0 or more; weights[{bad[0]}] is {found[bad[0]]:g}"
        )
    return found


def _with_offset(p: Predictor, offset: Any, n: int, data: dict[str, Any]) -> Predictor:
    parts = offset if isinstance(offset, Mapping) else {p.raw: offset}
    key = next((k for k in (p.raw, p.raw.removeprefix("z_")) if k in parts), None)
    if key is None:
        return p
    found = np.asarray(parts[key], dtype=float)
    if found.shape[:1] != (n,):
        raise ShapeError(f"offset must have one entry for each of {n} rows; found the shape {found.shape}")
    name = f"offset_{p.raw}"
    data[name] = found
    return Predictor(p.raw, p.matrix, p.coefficients, name, p.reference)


# -- where to start


def _start(model: Model, loss: Loss, labels: Any, start: Mapping[str, Any]) -> Any:
    """A point at which the loss is finite: what the caller gives, and for the rest the best of a coarse grid."""
    u = np.zeros(sum(b.size for b in model.blocks))
    places = dict(
        zip((b.name for b in model.blocks), np.cumsum([0, *(b.size for b in model.blocks)]), strict=False)
    )
    free: list[tuple[int, list[float]]] = []
    grid = [0.0, *(s * 2.0**k for k in range(-1, 5) for s in (1, -1))]
    for g, p in zip(loss.setting.raws, model.predictors, strict=True):
        block = next(b for b in model.blocks if b.name == p.coefficients)
        first = places[block.name]
        if g.name in start:
            given = np.ravel(np.asarray(start[g.name], dtype=float))
            given = np.ravel(block.scale.free(given)) if block.scale is not IDENTITY else given
            if given.size != block.size:
                raise ShapeError(
                    f"start[{g.name!r}] has {given.size} entries; there are {block.size} coefficients"
                )
            u[first : first + block.size] = given
        elif len(block.shape) == 1 and np.ptp(model.data[p.matrix][:, 0]) == 0:
            free.append((first, [*_through_link(g, labels), *grid]))
    for symbol, block in model.parameters.items():
        name = next(g.name for g in loss.setting.learned if g.symbol == symbol)
        first = places[block.name]
        if name in start:
            u[first : first + block.size] = np.ravel(block.scale.free(np.asarray(start[name], dtype=float)))
        elif block.size == 1:
            free.append((first, grid))
    for _ in range(2 if len(free) > 1 else 1):
        for place, candidates in free:
            u[place] = _best(model, u, place, [u[place], *candidates])
    if not np.isfinite(model.value(u)):
        raise DomainError(
            f"the {loss.setting.density.name} loss is not finite at any point that was tried to start from; "
            f"try: start={{...}} with values for {', '.join(g.name for g in (*loss.setting.raws, *loss.setting.learned))}, "
            "or a link whose values are all in the domain"
        )
    return u


def _through_link(g: Given, labels: Any) -> list[float]:
    """The raw output whose parameter is the mean of the labels, where there is one."""
    if labels.ndim > 1 or g.link is None or g.link.link is None:
        return []
    with np.errstate(all="ignore"):
        found = float(g.link.link(np.mean(labels)))
    return [found] if np.isfinite(found) else []


def _best(model: Model, u: Any, place: int, candidates: Sequence[float]) -> float:
    def value(c: float) -> float:
        moved = u.copy()
        moved[place] = c
        found = model.value(moved)
        return found if np.isfinite(found) else np.inf

    return float(min(candidates, key=value))


# -- whether there is a maximum that derivatives can find


def _check_support_is_fixed(loss: Loss) -> None:
    """A maximum at the boundary of the support has no slope 0."""
    density = loss.setting.density
    if density.bounds is None:
        return
    symbols = [Symbol(p.name) for p in density.parameters]
    moving = {s.name for end in density.bounds(*symbols) for s in end.free_symbols}
    estimated = {g.name for g in loss.setting.given if g.part in ("raw", "learned")}
    if found := sorted(moving & estimated):
        raise UnsupportedOp(
            f"the support of the {density.name} law ends at {found[0]}, which is to be estimated: the likelihood is largest "
            "at the end of its domain, where no derivative is 0; try: loss.mle"
        )


def _check_curved(model: Model, loss: Loss, u: Any) -> None:
    """A loss whose second derivative is 0 gives Newton's method nothing to go by, and no information."""
    H = model.hessian(u)
    for b in (b for b in model.blocks if b.part == "coefficients"):
        place = sum(c.size for c in model.blocks[: model.blocks.index(b)])
        if not np.any(H[place : place + b.size, place : place + b.size]):
            raise UnsupportedOp(
                f"the {loss.setting.density.name} loss is straight almost everywhere: its second derivative is 0, which "
                "gives Newton's method no step and coefficients no standard errors; try: a linear program for its minimum "
                "(scipy.optimize.linprog), a smooth law such as student t, or loss.mle for one law of all labels"
            )


def _check(model: Model, optimum: Optimum) -> None:
    """Whether a maximum was reached.

    Raises:
        FitError: there is none, as when columns separate the labels, or the search ended before it.
    """
    moving = _moving(model, optimum.step) if optimum.gain <= NEAR**2 else ""
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
        if block.scale is not IDENTITY:
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


WIDE = 10.0
"""A standard error on a logarithmic scale, that is a factor of 20000: the data do not determine the parameter."""


def _information(loss: Loss, model: Model, u: Any, kind: str) -> Any:
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


def _inverse(model: Model, u: Any, H: Any) -> Any:
    """The inverse of an information.

    Raises:
        FitError: it is singular, or says nothing about a parameter.
    """
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.diag(H))
    try:
        factor = linalg.cho_factor(H / np.outer(scale, scale))
    except linalg.LinAlgError:
        raise FitError(
            "the information is not positive definite at the point that was reached, so it is no maximum; "
            "try: start={...}"
        ) from None
    inverse = linalg.cho_solve(factor, np.eye(len(u))) / np.outer(scale, scale)
    place = 0
    for b in model.blocks:
        if b.scale.name == "log" and inverse[place, place] > WIDE**2:
            raise FitError(
                f"the likelihood has no maximum: it keeps growing, or hardly changes, as {b.names[0]} goes to 0 or grows "
                f"without end from {b.reported(u[place : place + 1])[0]:.3g}: a law without this parameter fits as well"
            )
        place += b.size
    return inverse


__all__ = ["INTERCEPT", "fit"]
