"""What is estimated: coefficients of linear predictors, and learned parameters on scales without bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from .. import api
from ..errors import ShapeError, SpecError, UnsupportedOp
from ..ir.nodes import Tensor
from .fit_data import Design
from .fit_model import Block
from .fit_scales import IDENTITY, Scale, scale_of
from .fit_total import Predictor
from .setting import Given

if TYPE_CHECKING:
    from .loss import Loss

Extents = Mapping[Any, int]


def extents(loss: Loss, labels: Any, start: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[Any, int]:
    """The sizes of one example as numbers: from the labels, from where to start, or as they are given.

    Raises:
        SpecError: a size is found nowhere.  ShapeError: it is found twice, and differs.
    """
    inputs = {t.name: t for t in loss.example.program.inputs}
    names = {g.name: g.symbol for g in loss.setting.learned}
    shapes = {loss.variable: labels.shape[1:]}
    shapes |= {names[name]: np.shape(value) for name, value in start.items() if name in names}
    found: dict[Any, int] = {s: int(n) for s in loss.example.program.sizes if (n := sizes.get(str(s)))}
    for name, shape in shapes.items():
        for extent, n in zip(inputs[name].shape, shape, strict=False):
            for symbol in extent.free_symbols:
                value = int(sympy.solve(extent - n, symbol)[0])
                if found.setdefault(symbol, value) != value:
                    raise ShapeError(
                        f"{name} has an axis of {n}, so {symbol} would be {value}, but it is {found[symbol]}"
                    )
    for g in loss.setting.raws:
        axes = inputs[g.symbol].shape
        if g.name in start and axes and axes[0].is_Symbol:
            found.setdefault(axes[0], np.size(start[g.name]))
    if missing := [s for s in loss.example.program.sizes if s not in found]:
        raise SpecError(
            f"the {loss.setting.density.name} law has a size {missing[0]} that labels do not say; "
            f"try: sizes={{{str(missing[0])!r}: 2}}, or where to start"
        )
    return found


def _shape(t: Tensor, extent: Extents) -> tuple[int, ...]:
    return tuple(int(e.subs(extent)) for e in t.shape)


def _input(loss: Loss, name: str) -> Tensor:
    return next(t for t in loss.example.program.inputs if t.name == name)


def is_cut(loss: Loss) -> bool:
    """Whether cutpoints are learned: a number that is added to all of them is an intercept already."""
    return any("increasing" in g.parameter.facts for g in loss.setting.learned)


def predictor(
    loss: Loss, g: Given, design: Design, alone: bool, classes: Sequence[str], extent: Extents, offset: str
) -> tuple[Block, Predictor]:
    """The coefficients of a raw output, and the linear predictor that it is.

    alone: there is no matrix, so that the one coefficient is reported as the parameter itself.
    """
    several, p, link = len(loss.raw) > 1, len(design.names), g.link
    assert link is not None
    matrix, beta = (f"X_{g.name}", f"beta_{g.name}") if several else ("X", "beta")
    row = _shape(_input(loss, g.symbol), extent)
    if len(row) > 1:
        raise UnsupportedOp(
            f"a linear predictor gives numbers or vectors; {g.name} is an array of {len(row)} axes"
        )
    relative = bool(row) and _only_differences(loss, g.symbol, row[0])
    shape = (p, row[0] - relative) if row else (p,)
    linear = Predictor(g.symbol, matrix, beta, offset, relative)
    entries = _entries(loss, g, classes, row)
    if alone:
        natural = (lambda b: link.inverse(_whole(b, relative)[0])) if row else link.inverse
        scale = Scale(link.name, natural, link.link or _no_way_back, entrywise=not relative)
        named = tuple(f"{g.name}[{c}]" for c in entries) if row else (g.name,)
        return Block(beta, shape, "coefficients", named if p else (), scale), linear
    first = [f"{g.name}: {name}" if several else name for name in design.names]
    named = tuple(f"{name} [{c}]" for name in first for c in entries[relative:]) if row else tuple(first)
    return Block(beta, shape, "coefficients", named, IDENTITY), linear


def _entries(loss: Loss, g: Given, classes: Sequence[str], row: tuple[int, ...]) -> list[str]:
    """What the entries of a vector are called: by the classes if it has one for each."""
    if not row:
        return []
    same = _input(loss, g.symbol).shape == loss.setting.density.shape and len(classes) == row[0]
    return list(classes) if same else [str(k) for k in range(row[0])]


def _whole(b: Any, relative: bool) -> Any:
    return np.concatenate((0 * b[:, :1], b), axis=1) if relative else b


def _no_way_back(parameter: Any) -> Any:
    raise UnsupportedOp("parameters under this link cannot be given to start from; try: without start")


def _only_differences(loss: Loss, raw: str, k: int) -> bool:
    """Whether a number that is added to all entries of a raw output changes nothing: only their differences count then."""
    if "one-hot" not in loss.setting.density.facts or _input(loss, raw).shape != loss.setting.density.shape:
        return False
    H = api.hessian(loss.example, raw)
    arrays = {loss.variable: np.eye(k)[0], raw: np.random.default_rng(0).normal(size=k)}
    found = H(**{n: arrays.get(n, np.array(1.0)) for n in loss.example.inputs})
    return bool(np.all(np.abs(found.sum(axis=1)) <= 1e-12 * np.abs(found).sum()))


def parameter(loss: Loss, g: Given, classes: Sequence[str], extent: Extents) -> Block:
    """A learned parameter on its scale without bounds.

    Raises:
        UnsupportedOp: it is a matrix.
    """
    shape = _shape(_input(loss, g.symbol), extent)
    scale = scale_of(g.parameter.facts)
    if len(shape) > 1:
        raise UnsupportedOp(f"{g.name} is a matrix, for which there is no scale without bounds here")
    if not shape:
        return Block(f"{g.symbol}_free", (), "parameter", (g.name,), scale)
    (n,) = shape
    if n == 1 and scale.shorter == 0 and not scale.entrywise:
        scale = IDENTITY
    cuts = "increasing" in g.parameter.facts and len(classes) == n + 1
    ends = [f"{a}|{b}" for a, b in pairwise(classes)] if cuts else map(str, range(n))
    names = tuple(f"{g.name}[{e}]" for e in ends)
    return Block(f"{g.symbol}_free", (n - scale.shorter,), "parameter", names, scale)
