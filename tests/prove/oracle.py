"""A second reading of formulas, in plain NumPy: the judge of what is true at a point, which shares no code with the prover.

It takes the tree of the grammar and computes in floats. Derivatives are central differences of fourth order, entry by entry,
as if the entries of the variable were independent; beside a symmetric matrix, functions of symmetric matrices see the
symmetric part. A point at which anything is undefined (a logarithm of a negative number, a singular matrix) counts for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import scipy.special

from derive.frontends.formula_grammar import Formula, dotted
from derive.frontends.formula_tree import (
    Attribute,
    Call,
    Chain,
    Compare,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Several,
    Slice,
    Subscript,
    Text,
    Transpose,
    walk,
)

STEPS = (2e-3, 8e-3, 3e-2)
"""Of the differences, by how many derivatives are nested."""
COARSE = {-4: 1 / 12, -2: -2 / 3, 2: 2 / 3, 4: -1 / 12}
FINE = {-2: 1 / 6, -1: -4 / 3, 1: 4 / 3, 2: -1 / 6}
"""Weights of differences, by how many half steps away; where both disagree, there is a kink or a pole nearby."""
SETTLED = (1e-7, 1e-5, 1e-4)
"""Up to which relative difference they agree, by how many derivatives are nested."""
CONSTANTS = {"pi": math.pi, "np.pi": math.pi, "np.e": math.e, "inf": math.inf, "np.inf": math.inf}
WORDS = {"True": True, "False": False, "None": None, "...": ...}
ALIASES = {
    "tr": "trace",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "abs": "absolute",
}
DIFFERENTIATED = ("grad", "jacobian", "hessian", "jvp", "vjp")
OF_SYMMETRIC = {"cholesky", "eigvalsh", "eigh"}
SAME_SHAPE = {"where", "clip", "maximum", "minimum", "power", "arctan2", "hypot", "mod", "add", "multiply"}


class Undefined(ArithmeticError):
    """No value at this point."""


class Unread(Exception):
    """A formula that this reading has no words for."""


@dataclass(frozen=True)
class Value:
    """An array; a vector is a column unless `row` says otherwise."""

    array: Any
    row: bool = False

    @property
    def rank(self) -> int:
        return int(np.ndim(self.array))


class Reader:
    """One formula at one point.

    point: arrays by the names of variables. sizes: numbers by the names of axes. lengths: how long the n-th
    ``vector(...)`` is, or the n-th ``matrix(...)``.
    """

    def __init__(
        self,
        formula: Formula,
        point: Mapping[str, Any],
        sizes: Mapping[str, int],
        lengths: Mapping[int, tuple[int, ...]],
    ) -> None:
        self.columns, self.defined = formula.style.columns, {d.name: d.body for d in formula.definitions}
        self.point, self.sizes, self.lengths = dict(point), sizes, lengths
        self.level = 0  # how many differences are being taken
        self.rows: set[str] = set()  # names of rows among what is defined and differentiated by

    def value(self, node: Node) -> Value:
        try:
            with np.errstate(divide="raise", invalid="raise", over="raise", under="ignore"):
                found = self._value(node)
        except (FloatingPointError, ZeroDivisionError, OverflowError, np.linalg.LinAlgError) as error:
            raise Undefined(str(error)) from None
        if isinstance(found.array, tuple):
            return found
        array = np.asarray(found.array)
        if array.dtype.kind == "c" or (array.dtype.kind == "f" and not np.isfinite(array).all()):
            raise Undefined("no finite real number")
        return found

    def _value(self, node: Node) -> Value:
        match node:
            case Number(value=value):
                return Value(float(value))
            case Name(name=name) if name in self.point:
                return Value(self.point[name], name in self.rows)
            case Name(name=name) if name in self.defined:
                return self.value(self.defined[name])
            case Name(name=name) if name in self.sizes:
                return Value(float(self.sizes[name]))
            case Name() | Attribute() if dotted(node) in CONSTANTS:
                return Value(CONSTANTS[dotted(node)])
            case Chain(first=first, rest=rest):
                total = self.value(first)
                for symbol, operand in rest:
                    total = self.joined(symbol, total, self.value(operand))
                return total
            case Negative(arg=arg):
                inner = self.value(arg)
                return Value(-inner.array * 1, inner.row)
            case Power(symbol="^", base=base, exponent=exponent):
                a, b = self.value(base), self.value(exponent)
                if a.rank == 2 and not b.rank:
                    return Value(np.linalg.matrix_power(a.array, round(float(b.array))))
                return Value(raised(a.array, b.array), a.row)
            case Power(base=base, exponent=exponent):
                a, b = self.together(base, exponent)
                return Value(raised(a.array, b.array), a.row or b.row)
            case Compare(symbol=symbol, left=left, right=right):
                a, b = self.together(left, right)
                return Value(COMPARED[symbol](a.array, b.array) * 1.0, a.row or b.row)
            case Transpose(arg=arg, symbol=symbol):
                inner = self.value(arg)
                if inner.rank == 1 and self.columns:
                    return Value(inner.array, not inner.row)
                return Value(
                    np.swapaxes(inner.array, -1, -2) if symbol == ".mT" else np.transpose(inner.array)
                )
            case Call():
                return self.call(node)
            case Attribute(name=name, receiver=receiver) if name in ("size", "ndim"):
                return Value(float(getattr(np.asarray(self.value(receiver).array), name)))
            case Subscript(receiver=Attribute(name="shape", receiver=inner), items=(item,)):
                return Value(float(np.shape(self.value(inner).array)[self.index(item)]))
            case Subscript(receiver=receiver, items=items):
                inner = self.value(receiver)
                at = tuple(map(self.index, items))
                found = inner.array[at[0]] if isinstance(inner.array, tuple) else inner.array[at]
                return Value(found, inner.row and np.ndim(found) == 1)
        raise Unread(str(node))

    # -- operators

    def together(self, *nodes: Node) -> list[Value]:
        return self.alike([self.value(n) for n in nodes])

    def alike(self, values: list[Value]) -> list[Value]:
        """In MATLAB style operands have one shape, or are numbers; sizes of 1 are not stretched."""
        shapes = {np.shape(v.array) for v in values if v.rank}
        if self.columns and len(shapes) > 1:
            raise Unread(f"shapes {sorted(shapes)}")
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            raise Unread(f"shapes {sorted(shapes)}") from None
        return values

    def joined(self, symbol: str, a: Value, b: Value) -> Value:
        matrix = symbol == "@" or (symbol == "*" and self.columns and a.rank and b.rank)
        if symbol == "\\" and a.rank:
            return Value(np.linalg.solve(a.array, b.array))
        if not matrix:
            a, b = self.alike([a, b])
            arrays = (b.array, a.array) if symbol == "\\" else (a.array, b.array)
            return Value(ENTRYWISE[symbol](*map(np.asarray, arrays)), a.row or b.row)
        if self.columns and a.rank == b.rank == 1 and not a.row and b.row:
            return Value(np.outer(a.array, b.array))
        try:
            found = np.matmul(a.array, b.array)
        except ValueError as error:
            raise Unread(str(error)) from None
        return Value(found, self.columns and a.rank == 1 and a.row and np.ndim(found) == 1)

    # -- functions

    def call(self, node: Call) -> Value:
        name = bare(node)
        if name in DIFFERENTIATED:
            return self.derivative(name, node)
        if name in ("vector", "matrix"):
            return Value(np.full(self.lengths[node.place.start], self.value(node.args[0]).array))
        nodes = (*(() if node.receiver is None else (node.receiver,)), *node.args)
        if name == "where":
            return self.chosen(*nodes)
        args = [self.argument(a) for a in nodes]
        options = {key: plain(self.argument(value)) for key, value in node.options}
        first = args[0] if args and isinstance(args[0], Value) else Value(0.0)
        values = [a for a in args if isinstance(a, Value)]
        if name in SAME_SHAPE or (name in ("max", "min") and len(nodes) == 2):
            self.alike(values)
            name = {"max": "maximum", "min": "minimum"}.get(name, name)
        if (
            name in OF_SYMMETRIC
            and not self.level
            and not np.allclose(A := first.array, np.swapaxes(A, -1, -2))
        ):
            raise Undefined("a matrix that should be symmetric")
        found = FUNCTIONS.get(name) or library(name)
        try:
            result = found(*map(plain, args), **options)
        except (TypeError, ValueError, IndexError) as error:
            raise Unread(f"{name}: {error}") from None
        row = any(v.row for v in values) or (first.rank == 2 and options.get("axis") in (0, -2))
        return Value(result, self.columns and row and np.ndim(result) == 1)

    def chosen(self, condition: Node, yes: Node, no: Node) -> Value:
        """Each branch counts where it is taken."""
        holds = self.value(condition)
        branches = []
        for branch in (yes, no):
            try:
                branches.append(self.value(branch))
            except Undefined:
                raise Unread("a branch that is undefined somewhere") from None
        return Value(
            np.where(holds.array, *(b.array for b in branches)), any(b.row for b in (holds, *branches))
        )

    def argument(self, node: Node) -> Any:
        match node:
            case Number(value=value) if value.is_Integer:
                return int(value)
            case Negative(arg=Number(value=value)) if value.is_Integer:
                return -int(value)
            case Name(name=name) if name in WORDS:
                return WORDS[name]
            case Name(name=name) if name in self.sizes and name not in self.point:
                return self.sizes[name]
            case Several(items=items):
                return tuple(map(self.argument, items))
            case Text(value=value):
                return value
            case Attribute(name="shape", receiver=receiver):
                return np.shape(self.value(receiver).array)
        return self.value(node)

    def index(self, node: Node) -> Any:
        match node:
            case Slice(parts=parts):
                return slice(*(None if p is None else self.index(p) for p in parts))
        found = self.argument(node)
        return np.asarray(found.array).astype(int) if isinstance(found, Value) else found

    # -- derivatives

    def derivative(self, name: str, node: Call) -> Value:
        variable = node.args[1]
        assert isinstance(variable, Name)
        if name == "jvp":
            return self.along(node.args[0], variable.name, self.value(node.args[2]).array)
        if name == "hessian":
            place = node.place
            return self.derivative("jacobian", Call(place, "", (Call(place, "grad", node.args), variable)))
        base = self.value(variable)
        if name == "vjp":
            weight = np.asarray(self.value(node.args[2]).array, dtype=float)
            if np.shape(self.value(node.args[0]).array) != weight.shape:
                raise Unread("a cotangent of another shape")
            rows = np.asarray(self.derivative("jacobian", Call(node.place, "", node.args[:2])).array)
            return Value(np.tensordot(weight, rows, weight.ndim)[()], base.row)
        x = np.asarray(base.array, dtype=float)
        columns = []
        for entry in np.ndindex(*x.shape):
            unit = np.zeros_like(x)
            unit[entry] = 1.0
            columns.append(np.asarray(self.along(node.args[0], variable.name, unit).array, dtype=float))
        shape = columns[0].shape
        row = name == "grad" and base.row
        return Value(np.moveaxis(np.array(columns), 0, -1).reshape((*shape, *x.shape))[()], row)

    def along(self, node: Node, name: str, direction: Any) -> Value:
        """The derivative of a formula along a direction of one variable."""
        entered = dict(self.point), self.level
        base = self.value(Name(node.place, name))
        self.rows |= {name} if base.row else set()
        before = np.asarray(base.array, dtype=float)
        if np.shape(before) != np.shape(direction):
            raise Unread(f"shapes {np.shape(before)} and {np.shape(direction)}")
        level = min(self.nesting(node), len(STEPS) - 1)
        step = STEPS[level]
        try:
            if not self.level and any(
                isinstance(n, Call) and bare(n) in OF_SYMMETRIC for n in self.within(node)
            ):
                self.value(node)
            self.level += 1
            found = {}
            for k in sorted({*COARSE, *FINE}):
                self.point[name] = before + k * step / 2 * np.asarray(direction)
                found[k] = self.value(node)
            coarse, fine = (
                sum(w / step * np.asarray(found[k].array, dtype=float) for k, w in weights.items())
                for weights in (COARSE, FINE)
            )
            if np.max(np.abs(coarse - fine), initial=0) > SETTLED[level] * max(
                1, np.max(np.abs(fine), initial=0)
            ):
                raise Undefined("the differences do not settle")
            return Value(fine, found[1].row)
        finally:
            self.point, self.level = entered

    def nesting(self, node: Node) -> int:
        """How many more derivatives are within."""
        derivatives = (n for n in self.within(node) if isinstance(n, Call) and n.function in DIFFERENTIATED)
        return max((1 + self.nesting(n.args[0]) for n in derivatives), default=0)

    def within(self, node: Node) -> Iterator[Node]:
        """All nodes, those of the definitions that are used as well."""
        for n in walk(node):
            yield n
            if isinstance(n, Name) and n.name in self.defined:
                yield from self.within(self.defined[n.name])


def bare(node: Call) -> str:
    return node.function.rpartition(".")[2]


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.array if isinstance(value, Value) else value


def raised(a: Any, b: Any) -> Any:
    """A power of real numbers: a whole one of anything, others of what is not negative."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if np.any((b != np.round(b)) & (a < 0)):
        raise Undefined("a root of a negative number")
    return np.power(a, b)


def symmetric_part(A: Any) -> Any:
    return (A + np.swapaxes(A, -1, -2)) / 2


def library(name: str) -> Callable[..., Any]:
    name = ALIASES.get(name, name)
    for module in (np, np.linalg, scipy.special):
        if callable(found := getattr(module, name, None)):
            return found  # type: ignore[no-any-return]
    raise Unread(f"there is no function {name}")


def logarithm_of_determinant(A: Any) -> Any:
    sign, value = np.linalg.slogdet(A)
    if np.any(sign == 0):
        raise Undefined("a singular matrix")
    return value


def inverse(A: Any) -> Any:
    if np.linalg.cond(A).max() > 1e9:
        raise Undefined("a matrix that is nearly singular")
    return np.linalg.inv(A)


def pseudoinverse(A: Any) -> Any:
    """Differences see a jump where the rank drops."""
    if min(A.shape[-2:]) and np.linalg.cond(A).max() > 1e9:
        raise Undefined("a matrix whose rank is nearly lower")
    return np.linalg.pinv(A)


COMPARED: dict[str, Any] = {
    "==": np.equal, "!=": np.not_equal, "~=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater,
    ">=": np.greater_equal,
}  # fmt: skip
ENTRYWISE: dict[str, Any] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, ".*": np.multiply, "/": np.true_divide, "./": np.true_divide,
    "\\": np.true_divide,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "norm1": lambda x: np.sum(np.abs(x)),
    "norm2": lambda x: np.sqrt(np.sum(np.square(x))),
    "logdet": logarithm_of_determinant,
    "relu": lambda x: np.maximum(x, 0.0),
    "transpose": np.transpose,
    "vec": lambda X: np.ravel(np.transpose(X)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "inv": inverse,
    "pinv": pseudoinverse,
    "cholesky": lambda A: np.linalg.cholesky(symmetric_part(A)),
    "eigvalsh": lambda A: np.linalg.eigvalsh(symmetric_part(A)),
    "eigh": lambda A: tuple(np.linalg.eigh(symmetric_part(A))),
    "eye": lambda n, *rest, **options: np.eye(int(n), *map(int, rest), **options),
    "svdvals": lambda A: np.linalg.svd(A, compute_uv=False),
}


# -- claims


def has_derivatives(formula: Formula) -> bool:
    """Whether the values of a claim are differences somewhere."""
    nodes = (n for tree in formula.trees for n in walk(tree))
    return any(isinstance(n, Call) and n.function in DIFFERENTIATED for n in nodes)


@dataclass(frozen=True)
class Sides:
    """Both sides of a claim at a point."""

    left: Any
    right: Any

    @property
    def distance(self) -> float:
        """The largest difference of two entries, beside the largest number."""
        if not np.size(self.left):
            return 0.0
        scale = max(1.0, float(np.max(np.abs(self.left))), float(np.max(np.abs(self.right))))
        return float(np.max(np.abs(self.left - self.right))) / scale

    def violates(self, relation: str, margin: float) -> bool:
        """Whether the relation is false at an entry, by more than the margin."""
        if relation in ("==", "!="):
            return (self.distance > margin) == (relation == "==")
        left, right = (self.left, self.right) if relation in ("<", "<=") else (self.right, self.left)
        scale = np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
        slack = margin if relation in ("<=", ">=") else 0.0
        return bool(np.any(left - right > slack * scale) if slack else np.any(left >= right))


def sides(
    formula: Formula,
    point: Mapping[str, Any],
    sizes: Mapping[str, int],
    lengths: Mapping[int, tuple[int, ...]],
) -> Sides:
    """Both sides at a point.

    Raises:
        Undefined: there is no value. Unread: a formula that this reading does not know.
    """
    claim, reader = formula.tree, Reader(formula, point, sizes, lengths)
    if not isinstance(claim, Compare):
        raise Unread("no relation")
    try:
        left, right = reader.value(claim.left), reader.value(claim.right)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:  # shapes that do not fit
        raise Unread(str(error)) from None
    if np.shape(left.array) != np.shape(right.array):
        raise Unread(f"shapes {np.shape(left.array)} and {np.shape(right.array)}")
    return Sides(np.asarray(left.array, dtype=float), np.asarray(right.array, dtype=float))


CURVATURES = {"convex": 1.0, "concave": -1.0}


def variables_of_curvature(formula: Formula) -> list[str]:
    """The variables x of ``convex(f, x)`` and ``concave(f, x)``; none of other claims."""
    tree = formula.tree
    curved = isinstance(tree, Call) and tree.function in CURVATURES
    return [n.name for n in tree.args[1:] if isinstance(n, Name)] if curved and isinstance(tree, Call) else []


def chord(
    formula: Formula, ends: tuple[Mapping[str, Any], Mapping[str, Any]], sizes: Mapping[str, int]
) -> Sides:
    """The value in the middle of two points, and the mean of those at the ends: for a convex function no less.

    Raises:
        Undefined: there is no value. Unread: a formula that this reading does not know.
    """
    tree, variables = formula.tree, variables_of_curvature(formula)
    assert isinstance(tree, Call)
    start, end = ends
    found = []
    for weight in (0.0, 0.5, 1.0):
        moved = {name: (1 - weight) * start[name] + weight * end[name] for name in variables}
        try:
            found.append(float(Reader(formula, {**start, **moved}, sizes, {}).value(tree.args[0]).array))
        except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
            raise Unread(str(error)) from None
    sign = CURVATURES[tree.function]
    return Sides(np.array(sign * found[1]), np.array(sign * (found[0] + found[2]) / 2))


def possible_lengths(formula: Formula, sizes: Mapping[str, int]) -> Iterator[dict[int, tuple[int, ...]]]:
    """All lengths that the parts ``vector(...)`` and ``matrix(...)`` could have, of which shapes allow one."""
    nodes = [n for tree in formula.trees for n in walk(tree) if isinstance(n, Call)]
    ranks = {n.place.start: 1 + (n.function == "matrix") for n in nodes if n.function in ("vector", "matrix")}
    free = [start for start, rank in ranks.items() for _ in range(rank)]
    lengths = sorted({*sizes.values()})
    if len(lengths) ** len(free) > 1_000:
        raise Unread("too many constant arrays")
    for chosen in product(lengths, repeat=len(free)):
        found: dict[int, tuple[int, ...]] = {}
        for start, length in zip(free, chosen, strict=True):
            found[start] = (*found.get(start, ()), length)
        yield found


def sides_somehow(formula: Formula, point: Mapping[str, Any], sizes: Mapping[str, int]) -> Sides:
    """Both sides with the lengths of constant vectors that fit.

    Raises:
        Undefined: there is no value. Unread: no lengths fit, or a formula that this reading does not know.
    """
    failed: Unread | None = None
    for lengths in possible_lengths(formula, sizes):
        try:
            return sides(formula, point, sizes, lengths)
        except Unread as error:
            failed = error
    raise failed or Unread("no lengths fit")
