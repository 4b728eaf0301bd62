"""Matrix products and their kin: sums of products over shared indices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy
from sympy import S

from ...errors import ShapeError
from .._tensor import tensor_op

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _contract(
    trace: Any, labels: Sequence[str], out: str, operands: Sequence[Any], rule: str, spread: str = ""
) -> Any:  # fmt: skip
    """``Y[out] = sum over the other labels of the product``; each label is one index, sizes are unified.

    Labels in `spread` follow the rules of broadcasting: an axis of extent 1 goes with any other.
    """
    extents: dict[str, Any] = {}
    owner: dict[str, tuple[Any, int]] = {}
    for operand, label in zip(operands, labels, strict=True):
        for p, (letter, extent) in enumerate(zip(label, operand.extents, strict=True)):
            one = letter in spread and 1 in (extent, extents.get(letter))
            if letter not in extents or (one and extent != 1):
                extents[letter], owner[letter] = extent, (operand, p)
            elif not one:
                extents[letter] = trace.unify(extents[letter], extent, rule, owner[letter], (operand, p))
    index = dict(zip(extents, trace.fresh(extents.values()), strict=True))
    body = sympy.Mul(
        *(_entry(operand, label, index) for operand, label in zip(operands, labels, strict=True))
    )
    free = tuple(index[letter] for letter in out)
    bound = tuple(i for letter, i in index.items() if letter not in out)
    kinds = np.result_type(*(operand.dtype for operand in operands))
    return trace.define(free, body, "sum", bound, rule=rule, dtype=kinds)


def _entry(operand: Any, label: str, index: dict[str, Any]) -> Any:
    return operand.at([S.Zero if e == 1 else index[c] for c, e in zip(label, operand.extents, strict=True)])


@tensor_op("numpy.matmul", "numpy.linalg.matmul")
def _matmul(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if 0 in (a.rank, b.rank):
        raise ShapeError(
            f"matmul needs arrays with axes; found {a} and {b} ({trace.place()}); try: * for scalars"
        )
    batch = LETTERS[: max(a.rank, b.rank, 2) - 2]
    left = batch[len(batch) - max(a.rank - 2, 0) :] + ("YX" if a.rank > 1 else "X")
    right = batch[len(batch) - max(b.rank - 2, 0) :] + ("XZ" if b.rank > 1 else "X")
    out = batch + ("Y" if a.rank > 1 else "") + ("Z" if b.rank > 1 else "")
    return _contract(trace, [left, right], out, [a, b], "matmul", spread=batch)


@tensor_op("numpy.matvec")
def _matvec(trace: Any, x1: Any, x2: Any) -> Any:
    return _matmul.lower(trace, x1, trace.lift(x2)[..., None])[..., 0]


@tensor_op("numpy.vecmat")
def _vecmat(trace: Any, x1: Any, x2: Any) -> Any:
    return _matmul.lower(trace, trace.lift(x1)[..., None, :], x2)[..., 0, :]


@tensor_op("numpy.vecdot", "numpy.linalg.vecdot")
def _vecdot(trace: Any, a: Any, b: Any, *, axis: int = -1) -> Any:
    return (trace.lift(a) * trace.lift(b)).sum(axis=axis)


@tensor_op("numpy.dot", "dot")
def _dot(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if 0 in (a.rank, b.rank):
        return a * b
    left = LETTERS[: a.rank - 1] + "Z"
    right = list(LETTERS[a.rank : a.rank + b.rank])
    right[-2 if b.rank > 1 else 0] = "Z"
    out = left[:-1] + "".join(c for c in right if c != "Z")
    return _contract(trace, [left, "".join(right)], out, [a, b], "dot")


@tensor_op("numpy.vdot")
def _vdot(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if a.extents != b.extents:
        a, b = (trace.reshape(x, (-1,)) if x.rank != 1 else x for x in (a, b))
    return _contract(trace, [LETTERS[: a.rank]] * 2, "", [a, b], "vdot")


@tensor_op("numpy.inner")
def _inner(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if 0 in (a.rank, b.rank):
        return a * b
    left, right = LETTERS[: a.rank - 1] + "Z", LETTERS[a.rank : a.rank + b.rank - 1] + "Z"
    return _contract(trace, [left, right], left[:-1] + right[:-1], [a, b], "inner")


@tensor_op("numpy.outer", "numpy.linalg.outer")
def _outer(trace: Any, a: Any, b: Any) -> Any:
    a, b = (trace.reshape(x, (-1,)) if x.rank != 1 else x for x in (trace.lift(a), trace.lift(b)))
    return _contract(trace, ["a", "b"], "ab", [a, b], "outer")


@tensor_op("numpy.tensordot", "numpy.linalg.tensordot")
def _tensordot(trace: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if isinstance(axes, int):
        axes = (range(a.rank - axes, a.rank), range(axes))
    first, second = ([x] if isinstance(x, int) else list(x) for x in axes)
    if len(first) != len(second):
        raise ShapeError(
            f"tensordot contracts {len(first)} axes of {a} with {len(second)} of {b} ({trace.place()})"
        )
    left = list(LETTERS[: a.rank])
    right = list(LETTERS[a.rank : a.rank + b.rank])
    for p, q in zip(trace.axes_of(a, first), trace.axes_of(b, second), strict=True):
        right[q] = left[p]
    out = "".join(c for c in [*left, *right] if [*left, *right].count(c) == 1)
    return _contract(trace, ["".join(left), "".join(right)], out, [a, b], "tensordot")


@tensor_op("numpy.kron")
def _kron(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    rank = max(a.rank, b.rank)
    a, b = (x.through((*(trace.unit() for _ in range(rank - x.rank)), *x.axes), x.entry) for x in (a, b))
    indices = trace.fresh([m * n for m, n in zip(a.extents, b.extents, strict=True)])
    outer = a.at([sympy.floor(i / n) for i, n in zip(indices, b.extents, strict=True)])
    inner = b.at([sympy.Mod(i, n) for i, n in zip(indices, b.extents, strict=True)])
    return trace.define(indices, outer * inner, rule="kron")


@tensor_op("numpy.cross")
def _cross(
    trace: Any, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a = trace.call("numpy.moveaxis", (trace.lift(a), axisa, -1), {})
    b = trace.call("numpy.moveaxis", (trace.lift(b), axisb, -1), {})
    for x in (a, b):
        trace.unify(x.extents[-1], S(3), "cross", (x, x.rank - 1))
    pairs = [a[..., p] * b[..., q] - a[..., q] * b[..., p] for p, q in ((1, 2), (2, 0), (0, 1))]
    return trace.call("numpy.stack", (pairs, axisc), {})


@tensor_op("numpy.linalg.cross")
def _linalg_cross(trace: Any, x1: Any, x2: Any, *, axis: int = -1) -> Any:
    return _cross.lower(trace, x1, x2, axis=axis)


@tensor_op("numpy.trace", "trace")
def _trace(trace: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    diagonal = trace.call("numpy.diagonal", (trace.lift(a), offset, axis1, axis2), {})
    return trace.call("numpy.sum", (diagonal, -1), {})


@tensor_op("numpy.linalg.trace")
def _linalg_trace(trace: Any, x: Any, /, *, offset: int = 0) -> Any:
    return _trace.lower(trace, x, offset, -2, -1)


@tensor_op("numpy.linalg.multi_dot")
def _multi_dot(trace: Any, arrays: Any) -> Any:
    result, *rest = (trace.lift(x) for x in arrays)
    for x in rest:
        result = _dot.lower(trace, result, x)
    return result


@tensor_op("numpy.einsum")
def _einsum(trace: Any, subscripts: Any, *operands: Any, optimize: Any = None) -> Any:
    if not isinstance(subscripts, str):
        subscripts, operands = _lettered(trace, (subscripts, *operands))
    arrays = [trace.lift(x) for x in operands]
    try:
        labels, out = _subscripts(subscripts.replace(" ", ""), arrays)
    except ValueError as error:
        raise ShapeError(f"einsum {subscripts!r}: {error} ({trace.place()})") from None
    return _contract(trace, labels, out, arrays, "einsum", spread="".join(labels))


def _lettered(trace: Any, given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """``einsum(A, [0, 1], B, [1, 2], [0, 2])`` in letters, whose order is that of the numbers."""
    operands, lists = given[: len(given) // 2 * 2 : 2], given[1::2]
    out = list(given[-1:]) if len(given) % 2 else []
    wrong = [
        x
        for part in (*lists, *out)
        for x in part
        if x is not Ellipsis and not isinstance(x, int | np.integer)
    ]
    if wrong:
        raise ShapeError(
            f"einsum: an index is an integer or an Ellipsis; found {wrong[0]!r} ({trace.place()})"
        )
    order = "".join(sorted(LETTERS))

    def letters(part: Any) -> str:
        return "".join("..." if x is Ellipsis else order[x] for x in part)

    text = ",".join(map(letters, lists)) + ("->" + letters(out[0]) if out else "")
    return text, operands


def _subscripts(subscripts: str, arrays: Sequence[Any]) -> tuple[list[str], str]:
    """One letter for each axis of each operand, and of the result; ``...`` becomes letters that are not used."""
    left, arrow, out = subscripts.partition("->")
    given = left.split(",")
    if len(given) != len(arrays):
        raise ValueError(f"{len(given)} operands are named; {len(arrays)} were given")
    hidden = [
        x.rank - len(label.replace("...", "")) if "..." in label else 0
        for label, x in zip(given, arrays, strict=True)
    ]
    dots = "".join([c for c in reversed(LETTERS) if c not in subscripts][: max(hidden, default=0)])
    labels = [
        label.replace("...", dots[len(dots) - max(n, 0) :], 1) for label, n in zip(given, hidden, strict=True)
    ]
    for label, x in zip(labels, arrays, strict=True):
        if len(label) != x.rank:
            raise ValueError(f"{len(label)} indices for {x} of rank {x.rank}")
    if dots and arrow and "..." not in out:
        raise ValueError("the output must have the ... of the operands")
    letters = "".join(labels)
    once = "".join(sorted(c for c in letters if letters.count(c) == 1 and c not in dots))
    out = out.replace("...", dots, 1) if arrow else dots + once
    if wrong := [c for c in letters + out if not c.isalpha() or c not in letters or out.count(c) > 1]:
        raise ValueError(f"the output must name indices of the operands, each once; found {wrong[0]!r}")
    return labels, out
