"""Matrix products and their kin: sums of products over shared indices."""

import re
from typing import Any

import sympy

from ...errors import ShapeError
from .._tensor import tensor_op


def _contract(trace: Any, labels: list[str], out: str, operands: list[Any], rule: str) -> Any:
    """``Y[out] = sum over the other labels of the product``; each label is one index, sizes are unified."""
    extents: dict[str, Any] = {}
    for operand, label in zip(operands, labels, strict=True):
        for letter, extent in zip(label, operand.extents, strict=True):
            if letter not in extents or extents[letter] == 1:
                extents[letter] = extent
            elif extent != 1:
                extents[letter] = trace.unify(extents[letter], extent, f"{rule}: index {letter}")
    index = dict(zip(extents, trace.fresh(extents.values()), strict=True))
    body = sympy.Mul(*(_entry(operand, label, index) for operand, label in zip(operands, labels, strict=True)))
    free = tuple(index[letter] for letter in out)
    bound = tuple(i for letter, i in index.items() if letter not in out)
    return trace.define(free, body, "sum" if bound else None, bound, rule=rule)


def _entry(operand: Any, label: str, index: dict[str, Any]) -> Any:
    at = [
        sympy.S.Zero if extent == 1 and index[letter].extent != 1 else index[letter]
        for letter, extent in zip(label, operand.extents, strict=True)
    ]
    return operand.at(at)


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@tensor_op("numpy.matmul", "numpy.linalg.matmul")
def _matmul(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if 0 in (a.rank, b.rank):
        raise ShapeError(f"matmul needs arrays with at least one axis; found {trace.describe(a)} and {trace.describe(b)}; try: *")
    batch = max(a.rank, b.rank, 2) - 2
    left = LETTERS[batch - max(a.rank - 2, 0) : batch] + ("mk" if a.rank > 1 else "k")
    right = LETTERS[batch - max(b.rank - 2, 0) : batch] + ("kn" if b.rank > 1 else "k")
    out = LETTERS[:batch] + ("m" if a.rank > 1 else "") + ("n" if b.rank > 1 else "")
    trace.unify(a.extents[-1], b.extents[-2 if b.rank > 1 else 0], "matmul", (a, a.rank - 1), (b, max(b.rank - 2, 0)))
    return _contract(trace, [left, right], out, [a, b], "matmul")


@tensor_op("numpy.dot", "dot")
def _dot(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if 0 in (a.rank, b.rank):
        return a * b
    left = LETTERS[: a.rank - 1] + "z"
    right = list(LETTERS[a.rank : a.rank + b.rank])
    right[-2 if b.rank > 1 else 0] = "z"
    out = left[:-1] + "".join(c for c in right if c != "z")
    trace.unify(a.extents[-1], b.extents[-2 if b.rank > 1 else 0], "dot", (a, a.rank - 1), (b, max(b.rank - 2, 0)))
    return _contract(trace, [left, "".join(right)], out, [a, b], "dot")


@tensor_op("numpy.vdot")
def _vdot(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if a.rank != b.rank:
        raise ShapeError(f"vdot needs equal ranks; found {trace.describe(a)} and {trace.describe(b)}")
    return _contract(trace, [LETTERS[: a.rank]] * 2, "", [a, b], "vdot")


@tensor_op("numpy.vecdot", "numpy.linalg.vecdot")
def _vecdot(trace: Any, a: Any, b: Any, *, axis: int = -1) -> Any:
    product = trace.lift(a) * trace.lift(b)
    return product.sum(axis=axis)


@tensor_op("numpy.inner")
def _inner(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if 0 in (a.rank, b.rank):
        return a * b
    left, right = LETTERS[: a.rank - 1] + "z", LETTERS[a.rank : a.rank + b.rank - 1] + "z"
    return _contract(trace, [left, right], left[:-1] + right[:-1], [a, b], "inner")


@tensor_op("numpy.outer", "numpy.linalg.outer")
def _outer(trace: Any, a: Any, b: Any) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if (a.rank, b.rank) != (1, 1):
        raise trace.unsupported("numpy.outer", f"ranks {a.rank} and {b.rank}", "two vectors, or a[:, None] * b")
    return _contract(trace, ["a", "b"], "ab", [a, b], "outer")


@tensor_op("numpy.tensordot")
def _tensordot(trace: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = trace.lift(a), trace.lift(b)
    if isinstance(axes, int):
        axes = (range(a.rank - axes, a.rank), range(axes))
    first, second = ([x] if isinstance(x, int) else list(x) for x in axes)
    left = list(LETTERS[: a.rank])
    right = list(LETTERS[a.rank : a.rank + b.rank])
    for p, q in zip(first, second, strict=True):
        right[q] = left[p]
    shared = {left[p] for p in first}
    out = "".join(c for c in [*left, *right] if c not in shared)
    return _contract(trace, ["".join(left), "".join(right)], out, [a, b], "tensordot")


@tensor_op("numpy.trace", "trace")
def _trace(trace: Any, a: Any) -> Any:
    a = trace.lift(a)
    if a.rank != 2:
        raise trace.unsupported("numpy.trace", f"rank {a.rank}", "a matrix, or np.einsum('...ii->...', a)")
    return _contract(trace, ["aa"], "", [a], "trace")


EINSUM = re.compile(r"[A-Za-z,.\s]*(->[A-Za-z.\s]*)?")


@tensor_op("numpy.einsum")
def _einsum(trace: Any, subscripts: Any, *operands: Any, optimize: Any = None) -> Any:
    if not isinstance(subscripts, str) or not EINSUM.fullmatch(subscripts):
        raise trace.unsupported("numpy.einsum", f"subscripts {subscripts!r}", "a string such as 'ik,kj->ij'")
    arrays = [trace.lift(x) for x in operands]
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    labels = left.split(",")
    if len(labels) != len(arrays):
        raise ShapeError(f"einsum {subscripts!r} names {len(labels)} operands; {len(arrays)} were given")
    dots = max((x.rank - len(label.replace("...", "")) for label, x in zip(labels, arrays, strict=True) if "..." in label), default=0)
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts][:dots]
    full = []
    for label, x in zip(labels, arrays, strict=True):
        hidden = x.rank - len(label.replace("...", ""))
        label = label.replace("...", "".join(spare[dots - hidden :]) if hidden > 0 else "")
        if len(label) != x.rank:
            raise ShapeError(f"einsum {subscripts!r}: {label!r} has {len(label)} indices for {trace.describe(x)} of rank {x.rank}")
        full.append(label)
    if arrow:
        out = out.replace("...", "".join(spare))
    else:
        letters = "".join(full)
        out = "".join(spare) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in spare))
    if unknown := set(out) - set("".join(full)):
        raise ShapeError(f"einsum {subscripts!r}: output index {sorted(unknown)[0]!r} is in no operand")
    return _contract(trace, full, out, arrays, "einsum")
