"""Windows that slide over an array, and the convolutions they make."""

from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr

from ...errors import ShapeError
from ...ir.nodes import Bracket
from .._tensor import tensor_op


@tensor_op("numpy.lib.stride_tricks.sliding_window_view")
def sliding_window_view(trace: Any, x: Any, window_shape: Any, axis: Any = None) -> Any:
    x, widths = trace.lift(x), trace.shape(window_shape)
    if axis is None and len(widths) != x.rank:
        raise ShapeError(
            f"sliding_window_view has {len(widths)} widths for the {x.rank} axes of {x} ({trace.place()}); "
            "try: axis="
        )
    chosen = trace.axes_of(x, axis)
    if len(chosen) != len(widths):
        raise ShapeError(f"{len(widths)} widths for {len(chosen)} axes of {x} ({trace.place()})")
    extents = list(x.extents)
    for p, width in zip(chosen, widths, strict=True):
        extents[p] = extents[p] - width + 1
        if extents[p].is_negative:
            raise ShapeError(f"a window of {width} is wider than axis {p} of {x} ({trace.place()})")
    indices = trace.fresh([*extents, *widths])
    at = [_zero_if_single(i) for i in indices[: x.rank]]
    for p, offset in zip(chosen, indices[x.rank :], strict=True):
        at[p] += _zero_if_single(offset)
    return x.through(indices, x.at(at))


def _zero_if_single(index: Any) -> Any:
    return sympy.S.Zero if index.extent == 1 else index


# -- convolutions


def _shorter(trace: Any, a: Expr, b: Expr) -> bool:
    """Whether a < b; where the sizes do not tell, the first array is taken to be the longer one."""
    return bool(trace.resolve(a - b).is_negative)


def _convolve(
    trace: Any, x: Any, w: Any, mode: str, flip: bool, rule: str, same_as_first: bool, late: bool = False
) -> Any:
    """``Y[i] = sum_k X[i - k + n - 1 - before] W[k]``, and if `flip` ``X[i + k - before]``, over the entries that exist.

    before: how far the first window of n entries reaches over the edge; nothing for valid, n - 1 for full.
    same_as_first: whether 'same' means the first array, not the longer one.  late: whether a window of even
    width stands one entry later there.
    """
    x, w = trace.lift(x), trace.lift(w)
    if x.rank != w.rank or not x.rank:
        raise ShapeError(
            f"{rule} needs two arrays with equally many axes; found {x} and {w} ({trace.place()})"
        )
    if mode not in ("full", "same", "valid"):
        raise ShapeError(f"{rule} has the modes 'full', 'same' and 'valid'; found {mode!r} ({trace.place()})")
    wanted = x.extents
    shorter = [_shorter(trace, a, b) for a, b in zip(x.extents, w.extents, strict=True)]
    longer = [_shorter(trace, b, a) for a, b in zip(x.extents, w.extents, strict=True)]
    if any(shorter) and any(longer) and mode == "valid":
        raise ShapeError(
            f"{rule} with mode='valid' needs one array at least as long as the other in every axis; found {x} and {w} "
            f"({trace.place()})"
        )
    if any(shorter) and (mode == "valid" or (mode == "same" and not same_as_first)):
        x, w, late = (_reversed(w), _reversed(x), True) if flip else (w, x, late)
        wanted = x.extents
    extents, before = zip(
        *(_reach(mode, n, k, out, late) for n, k, out in zip(x.extents, w.extents, wanted, strict=True)),
        strict=True,
    )
    free = trace.fresh(extents)
    bound = trace.fresh([*extents, *w.extents])[x.rank :]
    at: list[Expr] = []
    for i, k, b in zip(map(_zero_if_single, free), map(_zero_if_single, bound), before, strict=True):
        at.append(i + k - b if flip else i - k + (w.extents[len(at)] - 1 - b))
    inside = [c for place, n, b in zip(at, x.extents, before, strict=True) if b != 0 or mode != "valid"
              for c in (sympy.Ge(place, 0), sympy.Lt(place, n))]  # fmt: skip
    body = Bracket(sympy.And(*inside)) * x.at(at) * w.at([_zero_if_single(k) for k in bound])
    return trace.define(free, body, "sum", bound, rule=rule)


def _reach(mode: str, n: Expr, k: Expr, wanted: Expr, late: bool) -> tuple[Expr, Expr]:
    """The extent of the result, and how far its first window reaches over the edge of n entries."""
    if mode == "valid":
        return n - k + 1, sympy.S.Zero
    if mode == "full":
        return n + k - 1, k - 1
    more = n + k - 1 - wanted + int(late)
    return wanted, k - 1 - sympy.floor(more / 2)


def _reversed(x: Any) -> Any:
    return x.through(
        x.axes, x.at([n - 1 - _zero_if_single(i) for n, i in zip(x.extents, x.axes, strict=True)])
    )


@tensor_op("numpy.convolve")
def convolve(trace: Any, a: Any, v: Any, mode: str = "full") -> Any:
    return _convolve(trace, a, v, mode, False, "convolve", False)


@tensor_op("numpy.correlate")
def correlate(trace: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    return _convolve(trace, a, v, mode, True, "correlate", False)


@tensor_op("scipy.signal.convolve", source="SciPy reference")
def signal_convolve(trace: Any, in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    return _convolve(trace, in1, in2, mode, False, "convolve", True)


@tensor_op("scipy.signal.correlate", source="SciPy reference")
def signal_correlate(trace: Any, in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    return _convolve(trace, in1, in2, mode, True, "correlate", True)


@tensor_op("scipy.signal.fftconvolve", "scipy.signal.oaconvolve", source="SciPy reference")
def fftconvolve(trace: Any, in1: Any, in2: Any, mode: str = "full") -> Any:
    return _convolve(trace, in1, in2, mode, False, "convolve", True)


def _two_axes(trace: Any, in1: Any, in2: Any, boundary: str, fillvalue: Any, name: str) -> None:
    arrays: Sequence[Any] = (trace.lift(in1), trace.lift(in2))
    if any(x.rank != 2 for x in arrays):
        raise ShapeError(f"{name} needs two matrices; found {arrays[0]} and {arrays[1]} ({trace.place()})")
    if boundary not in ("fill", 0) or fillvalue != 0:
        raise trace.unsupported(
            f"scipy.signal.{name}",
            f"boundary={boundary!r}, fillvalue={fillvalue!r}",
            "zeros outside; np.pad before it",
        )


@tensor_op("scipy.signal.convolve2d", source="SciPy reference")
def convolve2d(
    trace: Any, in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    _two_axes(trace, in1, in2, boundary, fillvalue, "convolve2d")
    return _convolve(trace, in1, in2, mode, False, "convolve2d", True)


@tensor_op("scipy.signal.correlate2d", source="SciPy reference")
def correlate2d(
    trace: Any, in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    _two_axes(trace, in1, in2, boundary, fillvalue, "correlate2d")
    return _convolve(trace, in1, in2, mode, True, "correlate2d", True, late=True)
