"""Where the search for a maximum begins: what the caller gives, and for the rest the best of a coarse grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DomainError, ShapeError, UnknownName, closest
from .fit_model import Block, Model
from .setting import Given

if TYPE_CHECKING:
    from .loss import Loss

GRID = (0.0, *(sign * 2.0**k for k in range(-1, 5) for sign in (1, -1)))


def start_of(model: Model, loss: Loss, start: Mapping[str, Any]) -> Any:
    """A point at which the loss is finite.

    Raises:
        UnknownName: a start for what is not estimated.  ShapeError: it has too many or too few entries.
        DomainError: the loss is finite nowhere on the grid.
    """
    setting = loss.setting
    own = {
        g.name: (g, _block(model, p.coefficients))
        for g, p in zip(setting.raws, model.predictors, strict=True)
    }
    own |= {g.name: (g, model.parameters[g.symbol]) for g in setting.learned}
    if unknown := [name for name in start if name not in own]:
        raise UnknownName(f"nothing that is estimated is called {unknown[0]!r}; {closest(unknown[0], own)}")
    ends = np.cumsum([0, *(b.size for b in model.blocks)])
    places = {b.name: int(place) for b, place in zip(model.blocks, ends, strict=False)}
    u = np.zeros(ends[-1])
    free: list[tuple[slice, Sequence[float]]] = []
    for name, (g, block) in own.items():
        if block is None or not block.size:
            continue
        part = slice(places[block.name], places[block.name] + block.size)
        if name in start:
            u[part] = _given(name, block, start[name])
        elif block.part == "parameter":
            free += [(part, GRID)] if block.scale.entrywise else []
        elif np.ptp(model.data[model.predictors[setting.raws.index(g)].matrix][:, 0]) == 0:
            first = slice(part.start, part.start + (block.shape[1] if len(block.shape) == 2 else 1))
            candidates = _through_link(g, model.data[loss.variable])
            if len(block.shape) == 2:
                u[first] = _spread(g, model.data[loss.variable], block.shape[1])
            else:
                free.append((first, [*candidates, *GRID]))
    for _ in range(2 if len(free) > 1 else 1):
        for part, grid in free:
            u[part] = _best(model, u, part, [u[part][0], *grid])
    if not np.isfinite(model.value(u)):
        raise DomainError(
            f"the {setting.density.name} loss is not finite at any point that was tried to start from; "
            f"try: start={{...}} with values for {', '.join(own)}, or a link whose values are all in the domain"
        )
    return u


def _block(model: Model, name: str) -> Block | None:
    return next((b for b in model.blocks if b.name == name), None)


def _given(name: str, block: Block, value: Any) -> Any:
    found = np.asarray(value, dtype=float)
    with np.errstate(all="ignore"):
        found = np.ravel(found if block.scale.name == "identity" else block.scale.free(found))
    if found.size != block.size:
        raise ShapeError(
            f"start[{name!r}] has {np.size(value)} entries; {', '.join(block.names)} are to be estimated"
        )
    if not np.all(np.isfinite(found)):
        raise DomainError(f"start[{name!r}] = {value} is not within the domain of {name}")
    return found


def _through_link(g: Given, labels: Any) -> list[float]:
    """The raw output whose parameter is the mean of the labels, where there is one."""
    if g.link is None or g.link.link is None:
        return []
    with np.errstate(all="ignore"):
        found = float(g.link.link(np.mean(labels if labels.ndim == 1 else labels[:, 0])))
    return [found] if np.isfinite(found) else []


def _spread(g: Given, labels: Any, k: int) -> Any:
    """Different values for entries that would stay equal: the raw outputs of quantiles of the labels."""
    if labels.ndim > 1 or g.link is None or g.link.link is None:
        return np.zeros(k)
    with np.errstate(all="ignore"):
        found = g.link.link(np.quantile(labels, (np.arange(k) + 0.5) / k))
    return found if np.all(np.isfinite(found)) else np.linspace(-1, 1, k)


def _best(model: Model, u: Any, part: slice, candidates: Sequence[float]) -> float:
    def value(c: float) -> float:
        moved = u.copy()
        moved[part] = c
        found = model.value(moved)
        return found if np.isfinite(found) else np.inf

    return float(min(candidates, key=value))
