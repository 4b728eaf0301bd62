"""Arrays made of nothing but sizes, and choices between arrays."""

from typing import Any

import sympy
from sympy import S

from ...errors import ShapeError
from ...ir.nodes import Where
from .._tensor import tensor_op


def _shape(trace: Any, shape: Any) -> tuple[Any, ...]:
    return tuple(trace.extent(s) for s in (shape if isinstance(shape, tuple | list) else (shape,)))


@tensor_op("numpy.full")
def _full(trace: Any, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return trace.view(trace.fresh(_shape(trace, shape)), trace.lift(fill_value).at(()))


@tensor_op("numpy.ones")
def _ones(trace: Any, shape: Any, dtype: Any = None) -> Any:
    return trace.view(trace.fresh(_shape(trace, shape)), S.One)


@tensor_op("numpy.zeros")
def _zeros(trace: Any, shape: Any, dtype: Any = None) -> Any:
    return trace.view(trace.fresh(_shape(trace, shape)), S.Zero)


@tensor_op("numpy.ones_like")
def _ones_like(trace: Any, a: Any, dtype: Any = None) -> Any:
    return trace.view(trace.fresh(trace.lift(a).extents), S.One)


@tensor_op("numpy.zeros_like")
def _zeros_like(trace: Any, a: Any, dtype: Any = None) -> Any:
    return trace.view(trace.fresh(trace.lift(a).extents), S.Zero)


@tensor_op("numpy.full_like")
def _full_like(trace: Any, a: Any, fill_value: Any, dtype: Any = None) -> Any:
    return trace.view(trace.fresh(trace.lift(a).extents), trace.lift(fill_value).at(()))


@tensor_op("numpy.arange")
def _arange(trace: Any, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    low, high = (S.Zero, start) if stop is None else (trace.lift(start).at(()), stop)
    stride = trace.lift(step).at(())
    count = (trace.extent(high) - low) / stride
    (i,) = trace.fresh([count if count.is_integer else sympy.ceiling(count)])
    return trace.view((i,), low + stride * i)


@tensor_op("numpy.eye", "numpy.identity")
def _eye(trace: Any, n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Any:
    i, j = trace.fresh([trace.extent(n), trace.extent(n if m is None else m)])
    return trace.view((i, j), trace.bracket(sympy.Eq(j, i + k)))


@tensor_op("numpy.tri")
def _tri(trace: Any, n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Any:
    i, j = trace.fresh([trace.extent(n), trace.extent(n if m is None else m)])
    return trace.view((i, j), trace.bracket(sympy.Le(j, i + k)))


def _triangle(trace: Any, m: Any, condition: Any) -> Any:
    m = trace.lift(m)
    if m.rank < 2:
        raise ShapeError(f"tril and triu need a matrix; found {trace.describe(m)}")
    indices = trace.indices(m)
    bracket = trace.bracket(condition(indices[-2], indices[-1]))
    return trace.define(indices, bracket * m.at(indices), rule="triangle", lazy=True)


@tensor_op("numpy.tril")
def _tril(trace: Any, m: Any, k: int = 0) -> Any:
    return _triangle(trace, m, lambda i, j: sympy.Le(j, i + k))


@tensor_op("numpy.triu")
def _triu(trace: Any, m: Any, k: int = 0) -> Any:
    return _triangle(trace, m, lambda i, j: sympy.Ge(j, i + k))


@tensor_op("numpy.where")
def _where(trace: Any, condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        raise trace.unsupported("numpy.where", "one argument", "np.where(condition, a, b)")
    return trace.elementwise(
        lambda c, a, b: Where(trace.truth(c), a, b), [condition, x, y], "where"
    )


@tensor_op("numpy.concatenate", "numpy.concat")
def _concatenate(trace: Any, arrays: Any, axis: int = 0) -> Any:
    parts = [trace.lift(a) for a in arrays]
    p = trace.axis(parts[0], axis)
    extents = list(parts[0].extents)
    for part in parts[1:]:
        for q in range(part.rank):
            if q != p:
                extents[q] = trace.unify(extents[q], part.extents[q], "concatenate", (parts[0], q), (part, q))
    extents[p] = sum(part.extents[p] for part in parts)
    indices = trace.fresh(extents)
    start = extents[p] - parts[-1].extents[p]
    body = parts[-1].at(_shifted(indices, p, start))
    for part in reversed(parts[:-1]):
        end, start = start, start - part.extents[p]
        body = Where(sympy.Lt(indices[p], end), part.at(_shifted(indices, p, start)), body)
    return trace.define(indices, body, rule="concatenate")


def _shifted(indices: Any, p: int, start: Any) -> list[Any]:
    return [i - start if q == p else i for q, i in enumerate(indices)]


@tensor_op("numpy.stack")
def _stack(trace: Any, arrays: Any, axis: int = 0) -> Any:
    from_each = [_expand(trace, trace.lift(a), axis) for a in arrays]
    return _concatenate.lower(trace, from_each, axis)


def _expand(trace: Any, a: Any, axis: int) -> Any:
    place = axis % (a.rank + 1)
    return trace.view((*a.axes[:place], trace.unit(), *a.axes[place:]), a.entry)


@tensor_op("numpy.copy", "copy", "numpy.asarray", "astype", "numpy.ascontiguousarray")
def _copy(trace: Any, a: Any, dtype: Any = None) -> Any:
    return trace.lift(a)
