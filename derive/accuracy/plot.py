"""The error over the domain as a picture: one panel for each derivative, one colour for each form."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DeriveError
from .measure import MANY, Measured

COLOURS = {"naive": "#c0392b", "stable": "#1f6fb4"}
TOP = 1e18
"""Where NaN and Inf are drawn."""


def plot(title: str, measured: Sequence[Measured], path: Path) -> Path:
    """Draw and write the picture.

    Raises:
        DeriveError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise DeriveError("a plot needs matplotlib; try: pip install matplotlib") from None
    derivatives = list(dict.fromkeys(m.derivative for m in measured))
    names = list(measured[0].trials[0].point) if measured and measured[0].trials else []
    figure = Figure(figsize=(4.2 * max(1, len(names)), 2.5 * len(derivatives) + 0.6), layout="constrained")
    panels = figure.subplots(len(derivatives), max(1, len(names)), squeeze=False, sharex="col", sharey=True)
    for row, derivative in enumerate(derivatives):
        for column, name in enumerate(names):
            _panel(panels[row][column], [m for m in measured if m.derivative == derivative], name)
            panels[-1][column].set_xlabel(
                name if not np.ndim(measured[0].trials[0].point[name]) else f"largest |{name}|"
            )
        panels[row][0].set_ylabel(f"{derivative}\nerror in ulps")
    if names:
        panels[0][0].legend(loc="best", fontsize=8, framealpha=0.8)
    figure.suptitle(title, fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    return path


def _panel(axes: Any, measured: Sequence[Measured], name: str) -> None:
    places = np.array([_place(t.point[name]) for m in measured for t in m.trials])
    for m in measured:
        x = np.array([_place(t.point[name]) for t in m.trials])
        ulps = np.array([t.ulps for t in m.trials])
        colour, bad = COLOURS.get(m.form, "#555555"), ulps == inf
        axes.plot(
            x[~bad], np.clip(ulps[~bad], 1e-2, TOP / 10), ".", ms=5, color=colour, label=m.form, alpha=0.75
        )
        axes.plot(x[bad], np.full(bad.sum(), TOP), "x", ms=5, color=colour, alpha=0.75)
    sizes = np.abs(places[places != 0])
    if sizes.size and sizes.max() > 1e3 * sizes.min():
        if (places < 0).any() or (places == 0).any():
            least = max(float(np.quantile(sizes, 0.25)), float(sizes.max()) * 1e-8)
            axes.set_xscale("symlog", linthresh=least, linscale=0.5)
            axes.set_xticks(_ticks(float(places.min()), float(places.max()), least))
        else:
            axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(5e-3, TOP * 10)
    axes.set_yticks([1e-2, 1, 1e6, 1e12, TOP], ["0.01", "1", "1e6", "1e12", "NaN, Inf"])
    axes.minorticks_off()
    axes.axhline(MANY, color="#bbbbbb", lw=0.8, ls="--")
    axes.axhline(1, color="#dddddd", lw=0.8)
    axes.tick_params(labelsize=8)


def _ticks(low: float, high: float, least: float) -> list[float]:
    """At most four powers of ten on each side of 0."""
    found = [0.0]
    for end in (low, high):
        if abs(end) > least:
            powers = np.unique(np.round(np.linspace(np.log10(least), np.log10(abs(end)), 4)))
            found += [float(np.sign(end) * 10.0**p) for p in powers[1:]]
    return sorted(found)


def _place(value: Any) -> float:
    """A scalar itself; of an array its entry of largest size, without a sign."""
    array = np.asarray(value, dtype=np.float64)
    return float(array) if not array.ndim else float(np.abs(array).max(initial=0.0))
