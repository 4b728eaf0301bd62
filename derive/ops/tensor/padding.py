"""Padding: an array within a larger one, and what stands around it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy

from ...ir.nodes import Where
from .._tensor import tensor_op


def _pairs(trace: Any, a: Any, given: Any) -> list[tuple[Any, Any]]:
    """A pair (before, after) for each axis, from what NumPy lets stand for all of them."""
    if isinstance(given, Mapping):
        pairs: list[tuple[Any, Any]] = [(0, 0)] * a.rank
        for axis, value in given.items():
            low, high = np.broadcast_to(np.asarray(value), 2).tolist()
            pairs[trace.axis(a, axis)] = (low, high)
        return pairs
    return [tuple(row) for row in np.broadcast_to(np.asarray(given), (a.rank, 2)).tolist()]


@tensor_op("numpy.pad")
def pad(
    trace: Any, array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0,
    reflect_type: str = "even",
) -> Any:  # fmt: skip
    a = trace.lift(array)
    widths = _pairs(trace, a, pad_width)
    if mode == "constant":
        return _constant(trace, a, widths, constant_values)
    if mode not in AROUND:
        raise trace.unsupported(
            "numpy.pad", f"mode={mode!r}", f"mode='constant', {', '.join(map(repr, AROUND))}"
        )
    if reflect_type not in ("even", "odd"):
        raise trace.unsupported("numpy.pad", f"reflect_type={reflect_type!r}", "'even' and 'odd'")
    odd = reflect_type == "odd" and mode in ("reflect", "symmetric")
    for p, (before, after) in enumerate(widths):
        a = _around(trace, a, p, before, after, mode, odd)
    return a


def _constant(trace: Any, a: Any, widths: Any, values: Any) -> Any:
    value = trace.lift(values)
    if not value.rank:
        return _within(trace, a, widths, value)
    pairs = np.broadcast_to(np.asarray(values, dtype=object), (a.rank, 2)).tolist()
    for p, ((before, after), (low, high)) in enumerate(zip(widths, pairs, strict=True)):
        for width, constant in (((before, 0), low), ((0, after), high)):
            one = [(0, 0)] * p + [width] + [(0, 0)] * (a.rank - p - 1)
            a = _within(trace, a, one, trace.lift(constant))
    return a


def _within(trace: Any, a: Any, widths: Any, value: Any) -> Any:
    """``Y[i] = X[i - before]`` where that is an entry, the value elsewhere."""
    indices = trace.fresh([n + before + after for n, (before, after) in zip(a.extents, widths, strict=True)])
    at = [i - before for i, (before, _) in zip(indices, widths, strict=True)]
    inside = sympy.And(
        *(
            c
            for i, n, (before, after) in zip(at, a.extents, widths, strict=True)
            for c in ((sympy.Ge(i, 0),) if before else ()) + ((sympy.Lt(i, n),) if after else ())
        )
    )
    return trace.define(indices, Where(inside, a.at(at), value.at(())), rule="pad", dtype=a.dtype)


def _edge(k: int, n: Any) -> tuple[Any, Any]:
    return 0, n - 1


def _reflect(k: int, n: Any) -> tuple[Any, Any]:
    return k, n - 1 - k


def _symmetric(k: int, n: Any) -> tuple[Any, Any]:
    return k - 1, n - k


def _wrap(k: int, n: Any) -> tuple[Any, Any]:
    return n - k, k - 1


AROUND: dict[str, Callable[[int, Any], tuple[Any, Any]]] = {
    "edge": _edge, "reflect": _reflect, "symmetric": _symmetric, "wrap": _wrap,
}  # fmt: skip
"""Which entries stand k places before the first and after the last one of n."""
REACH = {"edge": 0, "reflect": 1, "symmetric": 0, "wrap": 0}
"""How many entries an axis must have beyond the width of its padding."""


def _around(trace: Any, a: Any, p: int, before: int, after: int, mode: str, odd: bool) -> Any:
    n = a.extents[p]
    if mode != "edge" and n.is_Integer and max(before, after) + REACH[mode] > n:
        raise trace.unsupported(
            "numpy.pad",
            f"mode={mode!r} and {max(before, after)} entries beside the {n} of {a}",
            "less than one turn",
        )
    first, last = _slice(a, p, 0), _slice(a, p, n - 1)

    def beside(k: int, side: int) -> Any:
        part = _slice(a, p, AROUND[mode](k, n)[side])
        return 2 * (last if side else first) - part if odd else part

    parts = [beside(k, 0) for k in range(before, 0, -1)] + [a] + [beside(k, 1) for k in range(1, after + 1)]
    return trace.call("numpy.concatenate", (parts, p), {}) if len(parts) > 1 else a


def _slice(a: Any, p: int, place: Any) -> Any:
    """The entries at one place of axis p, which stays as an axis of extent 1."""
    unit = a.owner.unit()
    axes = tuple(unit if q == p else i for q, i in enumerate(a.axes))
    return a.through(axes, a.at(tuple(sympy.S(place) if q == p else i for q, i in enumerate(a.axes))))
