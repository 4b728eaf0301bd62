"""What a printed line means, computed from its display tree: a second reading of the notation, sharing no code with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import linalg, special

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
    Part,
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
    Whole,
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


def _gaps(w: Any) -> Any:
    w = np.ravel(w)
    return np.array([[0 if i == j else 1 / (b - a) for j, b in enumerate(w)] for i, a in enumerate(w)])


WHOLE: dict[str, Any] = {
    "inv": np.linalg.inv, "det": np.linalg.det, "logdet": lambda x: np.log(abs(np.linalg.det(x))),
    "cholesky": np.linalg.cholesky, "pinv": np.linalg.pinv, "expm": linalg.expm, "sqrtm": linalg.sqrtm,
    "power": lambda x, k: np.linalg.matrix_power(x, int(k)), "unit": lambda n: np.eye(int(n)), "sym": lambda x: (x + x.T) / 2,
    "Phi": lambda x: np.tril(x) - np.diag(np.diag(x)) / 2, "gaps": _gaps, "qr": np.linalg.qr, "eigh": np.linalg.eigh,
    "svd": lambda x: np.linalg.svd(x, full_matrices=False), "solve": np.linalg.solve, "slogdet": np.linalg.slogdet,
}  # fmt: skip


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
            case Call("where", (condition, a, b), 0):
                return self.value(a if self.value(condition) else b)
            case Call(function, args):
                return self.call(function, self.together(args), rank(node))
            case Whole() | Part(arg=Whole()):
                return self.whole(node)
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

    def whole(self, node: Whole | Part) -> Any:
        """A function of matrices; an entry of it if the node says which."""
        call = node.arg if isinstance(node, Part) else node
        args = [self.slice(a) if _is_slice(a, self.values) else self.value(a) for a in call.args]
        result = WHOLE[call.function](*args)
        result = getattr(result, call.label) if call.label else result
        if isinstance(node, Part):
            return np.asarray(result)[tuple(int(self.value(a)) for a in node.at)]
        return result[:, None] if np.ndim(result) == 1 else result

    def slice(self, node: Node) -> Any:
        """What stands in index notation for an axis that a function takes whole: ``B[:,k]``, ``A'``."""
        if isinstance(node, Transpose):
            return self.slice(node.arg).T
        assert isinstance(node, Name)
        array = np.asarray(self.values[node.name])
        return array[tuple(slice(None) if a == Name(":") else int(self.value(a)) for a in node.at)]  # type: ignore[arg-type]

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


def _is_slice(node: Node, values: Mapping[str, Any]) -> bool:
    """Whether an argument is written in index notation, where a name stands for the whole array."""
    name = node.arg if isinstance(node, Transpose) else node
    whole = isinstance(name, Name) and not name.rank and (not name.at or Name(":") in name.at)
    return whole and name.name in values


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
