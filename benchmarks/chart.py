"""The times of the peers over ours as a picture: a row for each case, a mark for each peer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .goals import GOALS, Record, ratio
from .measure import all_peers
from .table import Setting, in_setting, over

COLOURS = {"jax.jit": "#1f6fb4", "torch": "#e0662e", "torch.compile": "#b3331d", "NumPy": "#4d4d4d", "SymPy": "#3a923a",
           "Numba by hand": "#8a5fb0"}  # fmt: skip
MARKS = {"jax.jit": "o", "torch": "s", "torch.compile": "D", "NumPy": "^", "SymPy": "v", "Numba by hand": "x"}


def draw(records: Sequence[Record], setting: Setting, path: Path) -> None:
    """A bar to the fastest peer, and a mark for each, on a logarithmic axis; left of 1 we are slower."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    mine = [r for r in in_setting(records, setting) if ratio(r) is not None]
    if not mine:
        return
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.24 * len(mine)), layout="constrained")
    goals = {goal.group: goal for goal in GOALS}
    for place, r in enumerate(mine):
        best = ratio(r)
        assert best is not None
        good = best >= goals[r["group"]].worst
        axes.barh(place, best - 1, left=1, height=0.62, color="#cfe3cf" if good else "#f3cfc6", zorder=1)
    for name in all_peers():
        points = [(value, place) for place, r in enumerate(mine) if (value := over(r, name)) is not None]
        if name != "derive" and points:
            axes.scatter(
                *zip(*points, strict=True),
                s=22,
                marker=MARKS[name],
                color=COLOURS[name],
                label=name,
                zorder=3,
            )
    axes.axvline(1, color="black", linewidth=1, zorder=2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(mine)), [r["case"] for r in mine], fontsize=8)
    axes.set_ylim(len(mine) - 0.4, -0.6)
    for place in range(1, len(mine)):
        if mine[place]["group"] != mine[place - 1]["group"]:
            axes.axhline(place - 0.5, color="#999999", linewidth=0.6)
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.6, zorder=0)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.set_xlabel(
        "time of the peer / time of derive; the bar ends at the fastest peer, red if below the goal"
    )
    axes.set_title(f"{setting[0]}, {setting[1]} thread{'s' * (setting[1] > 1)}", fontsize=10)
    figure.legend(fontsize=8, loc="outside upper center", ncols=6)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
