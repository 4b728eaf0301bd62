"""Choices between arrays, entry by entry."""

from typing import Any

import numpy as np
import sympy
from sympy import S

from ...errors import ShapeError
from ...ir.nodes import Bracket, Where
from .._tensor import tensor_op
from ..elementwise.comparisons import truth
from ..elementwise.nonfinite import is_inf, is_nan


@tensor_op("numpy.where")
def _where(trace: Any, condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        raise trace.unsupported("numpy.where", "one argument", "np.where(condition, a, b)")
    x, y = trace.lift(x), trace.lift(y)
    dtype = np.result_type(x.dtype, y.dtype)
    return trace.elementwise(lambda c, a, b: Where(truth(c), a, b), [condition, x, y], "where", dtype)


@tensor_op("numpy.select")
def _select(trace: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ShapeError(
            f"select has {len(condlist)} conditions for {len(choicelist)} choices ({trace.place()})"
        )
    chosen = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        chosen = _where.lower(trace, condition, choice, chosen)
    return trace.lift(chosen)


@tensor_op("numpy.piecewise")
def _piecewise(trace: Any, x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x, conditions = trace.lift(x), list(condlist) if isinstance(condlist, list | tuple) else [condlist]
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        raise ShapeError(
            f"piecewise has {len(conditions)} conditions for {len(funclist)} functions ({trace.place()})"
        )
    values = [f(x, *args, **kw) if callable(f) else f for f in funclist]
    default = values.pop() if len(values) > len(conditions) else 0
    for condition, value in zip(conditions, values, strict=True):
        default = _where.lower(trace, condition, value, default)
    return trace.lift(default)


@tensor_op("numpy.clip", "clip")
def _clip(
    trace: Any, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Any:
    low = a_min if a_min is not None else min
    high = a_max if a_max is not None else max
    a = trace.lift(a)
    a = a if low is None else trace.apply("numpy.maximum", a, low)
    return a if high is None else trace.apply("numpy.minimum", a, high)


@tensor_op("numpy.nan_to_num")
def _nan_to_num(trace: Any, x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    largest = np.finfo(np.float64).max
    values = [x, nan, largest if posinf is None else posinf, -largest if neginf is None else neginf]

    def finite(entry: Any, for_nan: Any, above: Any, below: Any) -> Any:
        infinite = Where(sympy.Gt(entry, 0), above, below)
        return Where(is_nan(entry), for_nan, Where(is_inf(entry), infinite, entry))

    return trace.elementwise(finite, values, "nan_to_num", np.dtype(float))


@tensor_op("numpy.round", "numpy.around", "round")
def _round(trace: Any, a: Any, decimals: int = 0) -> Any:
    scale = sympy.Integer(10) ** decimals
    a = trace.lift(a)
    if decimals == 0:
        return trace.apply("numpy.rint", a)
    scaled = trace.apply("numpy.rint", trace.apply("numpy.multiply", a, trace.view((), scale)))
    return trace.apply("numpy.divide", scaled, trace.view((), scale))


@tensor_op("numpy.divmod")
def _divmod(trace: Any, a: Any, b: Any) -> Any:
    return trace.apply("numpy.floor_divide", a, b), trace.apply("numpy.remainder", a, b)


@tensor_op("numpy.modf")
def _modf(trace: Any, x: Any) -> Any:
    whole = trace.apply("numpy.trunc", x)
    return trace.apply("numpy.subtract", x, whole), whole


@tensor_op("numpy.real", "conj", "conjugate", "numpy.real_if_close")
def _real(trace: Any, a: Any) -> Any:
    return trace.lift(a)


@tensor_op("numpy.imag")
def _imag(trace: Any, a: Any) -> Any:
    a = trace.lift(a)
    return a.through(a.axes, S.Zero)


def _triangle(trace: Any, m: Any, condition: Any) -> Any:
    m = trace.lift(m)
    if m.rank < 2:
        raise ShapeError(f"tril and triu need a matrix; found {m} ({trace.place()})")
    indices = trace.indices(m)
    bracket = Bracket(condition(indices[-2], indices[-1]))
    return trace.define(indices, bracket * m.at(indices), rule="triangle", dtype=m.dtype)


@tensor_op("numpy.tril")
def _tril(trace: Any, m: Any, k: int = 0) -> Any:
    return _triangle(trace, m, lambda i, j: sympy.Le(j, i + k))


@tensor_op("numpy.triu")
def _triu(trace: Any, m: Any, k: int = 0) -> Any:
    return _triangle(trace, m, lambda i, j: sympy.Ge(j, i + k))
