"""Norms of vectors and of matrices."""

from typing import Any

import numpy as np
import sympy

from ...errors import ShapeError
from ...ir.nodes import Bracket
from .._tensor import tensor_op
from ..elementwise.piecewise import Absolute
from .reductions import max_, min_, reduce_axes


def _vector(trace: Any, x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    """``(sum |x|^p)^(1/p)``, the largest or least entry, or how many are not 0."""
    if order is None or order == 2:
        return trace.apply("numpy.sqrt", reduce_axes(trace, x, axis, keepdims, "sum", lambda e, _: e**2))
    if isinstance(order, str):
        raise ShapeError(f"ord={order!r} is a norm of matrices; found one axis of {x} ({trace.place()})")
    if order in (np.inf, -np.inf):
        return reduce_axes(trace, x, axis, keepdims, "max" if order > 0 else "min", lambda e, _: Absolute(e))
    if order == 0:
        return reduce_axes(trace, x, axis, keepdims, "sum", lambda e, _: Bracket(sympy.Ne(e, 0)))
    power = trace.lift(order).at(())
    total = reduce_axes(trace, x, axis, keepdims, "sum", lambda e, _: Absolute(e) ** power)
    return total if order == 1 else trace.apply("numpy.power", total, trace.view((), 1 / power))


SINGULAR_VALUES = {"nuc": "numpy.sum", 2: "numpy.max", -2: "numpy.min"}
"""Norms by what they make of the singular values."""


def _spectral(trace: Any, x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    """The sum, the largest or the least of the singular values."""
    values = trace.primitive("svd", (trace.call("numpy.moveaxis", (x, axes, (-2, -1)), {}),))[1]
    found = trace.call(SINGULAR_VALUES[order], (values,), {"axis": -1})
    return trace.call("numpy.expand_dims", (found, tuple(sorted(axes))), {}) if keepdims else found


def _matrix(trace: Any, x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    """The Frobenius norm, or the largest or least sum of magnitudes of a row or column."""
    if order is None or order == "fro":
        return _vector(trace, x, 2, axes, keepdims)
    if order in SINGULAR_VALUES:
        return _spectral(trace, x, order, axes, keepdims)
    if order not in (1, -1, np.inf, -np.inf):
        raise trace.unsupported(
            "numpy.linalg.norm", f"ord={order!r} of the matrix {x}",
            "ord='fro', 'nuc', 1, -1, 2, -2, inf and -inf of matrices; every ord of vectors",
        )  # fmt: skip
    along, over = axes if abs(order) == 1 else axes[::-1]
    sums = reduce_axes(trace, x, along, True, "sum", lambda e, _: Absolute(e))
    pick = max_ if order > 0 else min_
    found = pick.lower(trace, sums, over, keepdims=True)
    return found if keepdims else trace.squeeze(found, axes)


@tensor_op("numpy.linalg.norm")
def norm(trace: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = trace.lift(x)
    if axis is None and ord is None:
        return _vector(trace, x, 2, None, keepdims)
    chosen = trace.axes_of(x, axis)
    if len(chosen) == 1:
        return _vector(trace, x, ord, chosen, keepdims)
    if len(chosen) != 2:
        raise ShapeError(f"a norm is over one or two axes; found {len(chosen)} of {x} ({trace.place()})")
    return _matrix(trace, x, ord, (chosen[0], chosen[1]), keepdims)


@tensor_op("numpy.linalg.vector_norm")
def vector_norm(trace: Any, x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return _vector(trace, trace.lift(x), ord, axis, keepdims)


@tensor_op("numpy.linalg.matrix_norm")
def matrix_norm(trace: Any, x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    x = trace.lift(x)
    if x.rank < 2:
        raise ShapeError(f"matrix_norm needs a matrix; found {x} ({trace.place()})")
    return _matrix(trace, x, ord, (x.rank - 2, x.rank - 1), keepdims)
