"""Order: ranks, sorting, extremes by place. A place is an integer and has no derivative; what it selects has.

The rank of an entry is how many come before it, ``r[i] = #{k: x[k] < x[i], or x[k] = x[i] and k < i}``, so the order is
stable. Sorting is the scatter ``y[r[i]] = x[i]``, and its adjoint the gather ``gx[i] = gy[r[i]]``. NaN has no rank.
"""

from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ...ir.nodes import Bracket, Where
from .._tensor import tensor_op


def _along(trace: Any, a: Any, axis: Any) -> tuple[Any, int]:
    """The array and the axis to order along; None means all entries in one row."""
    a = trace.lift(a)
    return (trace.reshape(a, (-1,)), 0) if axis is None else (a, trace.axis(a, axis))


def _integers(trace: Any, axes: Any, body: Expr, reduce: str, bound: Any, rule: str, below: Expr) -> Any:
    """A tensor of integers from 0 to `below` - 1."""
    return trace.define(axes, body, reduce, bound, rule, np.dtype(np.int64), below=below)


def _before(a: Expr, b: Expr, earlier: Any) -> Expr:
    """[a comes before b], where of equal ones the earlier comes first."""
    return Bracket(sympy.Or(sympy.Lt(a, b), sympy.And(sympy.Eq(a, b), earlier)))


def ranks(trace: Any, x: Any, p: int) -> Any:
    """How many entries along axis p come before each one: integers below its extent."""
    *free, other = trace.fresh([*x.extents, x.extents[p]])
    here, there = x.at(free), x.at([other if q == p else i for q, i in enumerate(free)])
    return _integers(
        trace,
        tuple(free),
        _before(there, here, sympy.Lt(other, free[p])),
        "sum",
        (other,),
        "rank",
        x.extents[p],
    )


def _arranged(trace: Any, x: Any, p: int, of_ranks: Any, values: Any = None) -> Any:
    """``y[r[i]] = x[i]``; or the places i themselves."""
    *free, source = trace.fresh([*x.extents, x.extents[p]])
    at = [source if q == p else i for q, i in enumerate(free)]
    chosen = Bracket(sympy.Eq(free[p], of_ranks.at(at)))
    if values is None:
        return _integers(trace, tuple(free), chosen * source, "sum", (source,), "argsort", x.extents[p])
    return trace.define(tuple(free), chosen * x.at(at), "sum", (source,), rule="sort", dtype=x.dtype)


def _known_kind(trace: Any, name: str, kind: Any, order: Any) -> None:
    if order is not None or kind not in (None, "quicksort", "mergesort", "heapsort", "stable", "introselect"):
        raise trace.unsupported(
            name, f"kind={kind!r}, order={order!r}", "NumPy's kinds, all of them stable here"
        )


@tensor_op("numpy.sort")
def sort(
    trace: Any, a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Any:
    _known_kind(trace, "numpy.sort", kind, order)
    x, p = _along(trace, a, axis)
    return _arranged(trace, x, p, ranks(trace, x, p), x)


@tensor_op("numpy.argsort", "argsort")
def argsort(
    trace: Any, a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Any:
    _known_kind(trace, "numpy.argsort", kind, order)
    x, p = _along(trace, a, axis)
    return _arranged(trace, x, p, ranks(trace, x, p))


@tensor_op("numpy.partition")
def partition(
    trace: Any, a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    return sort.lower(trace, a, axis, kind, order)


@tensor_op("numpy.argpartition")
def argpartition(
    trace: Any, a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    return argsort.lower(trace, a, axis, kind, order)


# -- the place of an extreme


def _place(trace: Any, a: Any, axis: Any, keepdims: bool, extreme: str) -> Any:
    """``min over j of (j where x[j] is the extreme)``: the first place where it stands."""
    rank = trace.lift(a).rank
    x, p = _along(trace, a, axis)
    top = trace.call(f"numpy.{extreme}", (x, p), {"keepdims": True})
    indices = trace.indices(x)
    last = x.extents[p] - 1
    body = Where(sympy.Eq(x.at(indices), trace.broadcast_entry(top, indices)), indices[p], last)
    free = tuple(i for q, i in enumerate(indices) if q != p)
    found = _integers(trace, free, body, "min", (indices[p],), f"arg{extreme}", x.extents[p])
    if not keepdims:
        return found
    return trace.call("numpy.expand_dims", (found, p if axis is not None else tuple(range(rank))), {})


@tensor_op("numpy.argmax", "argmax")
def argmax(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _place(trace, a, axis, keepdims, "max")


@tensor_op("numpy.argmin", "argmin")
def argmin(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _place(trace, a, axis, keepdims, "min")


# -- middles


def _row(trace: Any, a: Any, axis: Any) -> Any:
    """The array with the chosen axes merged into a last one."""
    a = trace.lift(a)
    chosen = trace.axes_of(a, axis)
    rest = [p for p in range(a.rank) if p not in chosen]
    moved = trace.call("numpy.transpose", (a, [*rest, *chosen]), {})
    return trace.reshape(moved, (*(trace.number(a.extents[p]) for p in rest), -1))


def _kept(trace: Any, a: Any, axis: Any, keepdims: bool, found: Any) -> Any:
    chosen = trace.axes_of(trace.lift(a), axis)
    return trace.call("numpy.expand_dims", (found, tuple(sorted(chosen))), {}) if keepdims else found


@tensor_op("numpy.median")
def median(trace: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    y = sort.lower(trace, _row(trace, a, axis))
    n = y.extents[-1]
    low, high = (y.at((*y.axes[:-1], sympy.floor(k / 2))) for k in (n - 1, n))
    middle = trace.define(y.axes[:-1], low if low == high else (low + high) / 2, rule="median")
    return _kept(trace, a, axis, keepdims, middle)


METHODS = ("linear", "lower", "higher", "midpoint")


@tensor_op("numpy.quantile")
def quantile(
    trace: Any, a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Any:
    if method not in METHODS or not isinstance(q, int | float | list | tuple | np.ndarray | np.floating):
        raise trace.unsupported("numpy.quantile", f"q={q!r}, method={method!r}", f"numbers, and {METHODS}")
    if isinstance(q, list | tuple | np.ndarray):
        parts = [quantile.lower(trace, a, part, axis, method=method, keepdims=keepdims) for part in list(q)]
        return trace.call("numpy.stack", (parts,), {})
    y = sort.lower(trace, _row(trace, a, axis))
    place = trace.lift(q).at(()) * (y.extents[-1] - 1)
    low, high = sympy.floor(place), -sympy.floor(-place)
    weight = {"linear": place - low, "lower": S.Zero, "higher": S.One, "midpoint": S.Half}[method]
    below, above = (y.at((*y.axes[:-1], k)) for k in (low, high))
    found = trace.define(y.axes[:-1], below + weight * (above - below), rule="quantile")
    return _kept(trace, a, axis, keepdims, found)


@tensor_op("numpy.percentile")
def percentile(
    trace: Any, a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False
) -> Any:
    return quantile.lower(
        trace, a, np.asarray(q) / 100 if np.ndim(q) else q / 100, axis, method=method, keepdims=keepdims
    )


# -- places in a sorted array, and what stands between two of them


def _count_below(trace: Any, a: Any, v: Any, strict: bool, skip: int = 0) -> Any:
    """``#{k: a[k] < v}``, or <= if not strict, without the first and last `skip` entries."""
    *free, k = trace.fresh([*v.extents, a.extents[0] - 2 * skip])
    relation = sympy.Lt if strict else sympy.Le
    body = Bracket(relation(a.at((k + skip,)), v.at(free)))
    return _integers(trace, tuple(free), body, "sum", (k,), "searchsorted", a.extents[0] + 1 - 2 * skip)


@tensor_op("numpy.searchsorted", "searchsorted")
def searchsorted(trace: Any, a: Any, v: Any, side: str = "left") -> Any:
    return _count_below(trace, trace.lift(a), trace.lift(v), side == "left")


@tensor_op("numpy.digitize")
def digitize(trace: Any, x: Any, bins: Any, right: bool = False) -> Any:
    return _count_below(trace, trace.lift(bins), trace.lift(x), right)


@tensor_op("numpy.interp")
def interp(trace: Any, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    x, xp, fp = trace.lift(x), trace.lift(xp), trace.lift(fp)
    trace.unify(xp.extents[0], fp.extents[0], "interp", (xp, 0), (fp, 0))
    place = _count_below(trace, xp, x, False, skip=1)
    start, end = xp[place], xp[place + 1]
    slope = (fp[place + 1] - fp[place]) / (end - start)
    found = fp[place] + (x - start) * slope
    below, above = fp[0] if left is None else left, fp[-1] if right is None else right
    found = trace.call("numpy.where", (x < xp[0], below, found), {})
    return trace.call("numpy.where", (x > xp[-1], above, found), {})


@tensor_op("numpy.bincount")
def bincount(trace: Any, x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    x, length = trace.lift(x), trace.extent(minlength)
    bound = getattr(getattr(x.entry, "tensor", None), "bound", None)
    if bound is None or trace.resolve(bound) != length:
        raise trace.unsupported(
            "numpy.bincount", f"minlength={minlength} for {x}", "integers declared below minlength"
        )
    value, i = trace.fresh([length, x.extents[0]])
    weight = S.One if weights is None else trace.lift(weights).at((i,))
    chosen = Bracket(sympy.Eq(value, x.at((i,))))
    if weights is None:
        return _integers(trace, (value,), chosen, "sum", (i,), "bincount", x.extents[0] + 1)
    return trace.define((value,), chosen * weight, "sum", (i,), rule="bincount")
