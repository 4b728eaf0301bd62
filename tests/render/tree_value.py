"""What a printed line means, computed from its display tree: a second reading of the notation, sharing no code with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from derive.ops.elementwise import elementwise_ops
from derive.render.scalars import scalar_tree
from derive.render.tree import (
    BigSum,
    Call,
    Diagonal,
    Hadamard,
    Iverson,
    Line,
    Logic,
    Name,
    Node,
    Position,
    Power,
    Product,
    Quotient,
    Reduce,
    Relation,
    Scalar,
    Scale,
    Spread,
    Sum,
    Transpose,
    rank,
    walk,
)

RELATIONS = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
CONSTANTS = {"pi": np.pi, "e": np.e, "inf": np.inf}


def _along(node: Node) -> int | None:
    return None if rank(node) == 1 else 1


def _keep(reduce: Any) -> Any:
    return lambda x, axis: reduce(x, axis=axis, keepdims=axis is not None)


REDUCE: dict[str, Any] = {
    "sum": _keep(np.sum), "mean": _keep(np.mean), "max": _keep(np.max), "min": _keep(np.min), "prod": _keep(np.prod),
    "var": _keep(np.var), "logsumexp": _keep(special.logsumexp),
}  # fmt: skip
NAMED: dict[str, Any] = {
    "relu": lambda x: np.maximum(x, 0), "silu": lambda x: x * special.expit(x), "max": np.maximum, "min": np.minimum,
    "sqrt": np.sqrt, "tr": np.trace, "norm": lambda x: np.sqrt(np.sum(x**2)), "pow": np.power,
    "diagonal": lambda x: np.diagonal(x)[:, None], "floor": np.floor, "mod": np.mod,
}  # fmt: skip
FUNCTIONS = {op.name: op.value for op in elementwise_ops() if op.value} | NAMED


class Reading:
    """Values of the nodes of one line: numbers, columns (n, 1), rows (1, n) and matrices."""

    def __init__(
        self, values: Mapping[str, Any], sizes: Mapping[str, int], classes: Mapping[str, int]
    ) -> None:
        self.values, self.sizes, self.classes = values, sizes, classes
        self.letters: dict[str, int] = {}
        self.shape: tuple[int, ...] = ()

    def value(self, node: Node) -> Any:
        match node:
            case Name():
                return self.name(node)
            case Scalar(value):
                return float(value) if value.is_number else self.value(scalar_tree(value))
            case Position("row"):
                return np.arange(self.shape[0])[:, None]
            case Position():
                return np.arange(self.shape[-1])[None, :]
            case Scale(factor, arg):
                return self.value(Scalar(factor)) * self.value(arg)
            case Product(factors):
                return self.product([self.value(f) for f in factors])
            case Sum(parts):
                return sum(self.together(parts))
            case Hadamard(parts):
                values = self.together(parts)
                return np.prod(np.broadcast_arrays(*values), axis=0)
            case Quotient(top, bottom):
                return self.value(top) / self.value(bottom)
            case Power(base, exponent):
                return self.value(base) ** self.value(exponent)
            case Transpose(arg):
                return self.value(arg).T
            case Spread(arg, along):
                return self.value(arg) if along == "row" else self.value(arg).T
            case Diagonal(arg):
                return np.diag(self.value(arg)[:, 0])
            case Reduce(kind, along, arg):
                return self.reduce(kind, along, self.value(arg))
            case Call("onehot", (arg,)):
                assert isinstance(arg, Name)
                columns = np.arange(self.classes[arg.name])
                labels = np.atleast_2d(self.value(arg))
                return (labels == columns) * 1.0 if rank(arg) else (labels == columns[:, None]) * 1.0
            case Call(function, args):
                return self.call(function, self.together(args), rank(node))
            case BigSum(kind, letters, arg):
                return self.big(kind, letters, arg)
            case Iverson(condition):
                return self.value(condition) * 1.0
            case Relation(symbol, left, right):
                return RELATIONS[symbol](*self.together((left, right)))
            case Logic("not", (arg,)):
                return np.logical_not(self.value(arg))
            case Logic(word, args):
                combine = np.logical_and if word == "and" else np.logical_or
                return combine.reduce(np.broadcast_arrays(*self.together(args)))
        raise AssertionError(node)

    def together(self, parts: tuple[Node, ...]) -> list[Any]:
        """Values that stand side by side; what speaks of row and column numbers has the shape of the others."""
        numbered = [any(isinstance(n, Position) for n in walk(p)) and not _own_shape(p) for p in parts]
        first = [None if late else self.value(p) for p, late in zip(parts, numbered, strict=True)]
        shape = np.broadcast_shapes(*(np.shape(v) for v in first if v is not None))
        before, self.shape = self.shape, shape if len(shape) == 2 else self.shape
        values = [self.value(p) if late else v for p, v, late in zip(parts, first, numbered, strict=True)]
        self.shape = before
        return values

    def name(self, node: Name) -> Any:
        if node.name in CONSTANTS and node.name not in self.values:
            return CONSTANTS[node.name]
        if not node.at and node.name in self.letters:
            return self.letters[node.name]
        if not node.at and node.name in self.sizes and node.name not in self.values:
            return self.sizes[node.name]
        array = np.asarray(self.values[node.name])
        if node.at:
            array = array[tuple(slice(None) if a is None else _index(self.value(a)) for a in node.at)]
        assert array.ndim == node.rank, node
        return array[:, None] if array.ndim == 1 else array[()]

    def product(self, values: list[Any]) -> Any:
        result: Any = None
        scalar = 1.0
        for v in values:
            if np.ndim(v) == 0:
                scalar = scalar * v
            else:
                result = v if result is None else result @ v
        if result is None:
            return scalar
        return scalar * (result[0, 0] if result.shape == (1, 1) and len(values) > 1 else result)

    def reduce(self, kind: str, along: str, x: Any) -> Any:
        if along == "all":
            return REDUCE[kind](x, None)
        result = REDUCE[kind](x, 1 if along == "row" else 0)
        return result if along == "row" else result.T

    def call(self, function: str, args: list[Any], r: int) -> Any:
        if function.endswith("softmax"):
            axis = 0 if r == 1 or function.startswith("col") else 1
            log = "logsoftmax" in function
            return (special.log_softmax if log else special.softmax)(args[0], axis=axis)
        return np.where(*args) if function == "where" else FUNCTIONS[function](*args)

    def big(self, kind: str, letters: tuple[str, ...], arg: Node) -> Any:
        found = []
        extents = [self.extents[letter] for letter in letters]
        for place in np.ndindex(*extents):
            outer = dict(self.letters)
            self.letters |= dict(zip(letters, place, strict=True))
            found.append(self.value(arg))
            self.letters = outer
        return REDUCE[kind](np.array(found), None) if np.ndim(found[0]) == 0 else sum(found)

    extents: dict[str, int] = {}  # noqa: RUF012


def _own_shape(node: Node) -> bool:
    """Whether the shape of a node does not depend on its neighbours."""
    match node:
        case Position() | Iverson() | Relation() | Logic():
            return False
        case Transpose(arg) | Scale(arg=arg):
            return _own_shape(arg)
        case _:
            return not isinstance(node, Sum | Hadamard) or any(
                _own_shape(p) and rank(p) for p in _parts(node)
            )


def _parts(node: Sum | Hadamard) -> tuple[Node, ...]:
    return node.terms if isinstance(node, Sum) else node.factors


def _index(value: Any) -> Any:
    array = np.asarray(value)
    return int(array) if array.ndim == 0 else array[:, 0].astype(int)


def line_value(
    line: Line, shape: tuple[int, ...], extents: dict[str, int], values: Mapping[str, Any], sizes: Mapping[str, int],
    classes: Mapping[str, int],
) -> Any:  # fmt: skip
    """The whole array that a line defines.

    shape: of that array; extents: of the axis that each letter stands for.
    """
    reading = Reading(values, sizes, classes)
    reading.extents = extents
    result = np.zeros(shape)
    left = line.left
    assert isinstance(left, Name)
    looped = _looped(line, extents)
    for place in np.ndindex(*(extents[letter] for letter in looped)):
        reading.letters = dict(zip(looped, place, strict=True))
        target = tuple(slice(None) if a is None else _index(reading.value(a)) for a in left.at)
        reading.shape = result[target].shape
        value = reading.value(line.right)
        result[target] += value[:, 0] if np.ndim(value) == 2 and result[target].ndim == 1 else value
    return result


def _looped(line: Line, extents: dict[str, int]) -> list[str]:
    letters = [n.name for n in walk(line.left) if isinstance(n, Name) and not n.at and n.name in extents]
    if line.sign == "+=":
        letters += [
            n.name for n in walk(line.right) if isinstance(n, Name) and not n.at and n.name in extents
        ]
    return list(dict.fromkeys((*line.each, *letters)))
