"""What a generated kernel does at given sizes: arithmetic and memory traffic of each statement, read off its source.

Loops are multiplied, not run. Functions of the module are entered, so that an exponential counts what its polynomial costs.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from math import prod
from typing import Any

FLOAT = object()
"""Any number that is not known before the kernel runs."""

INTEGER: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
WHOLE: dict[str, Callable[..., int]] = {"min": min, "max": max, "abs": abs, "int": int}
PRODUCTS = {"dot": 0, "gemm": 1, "matmul": 0}
"""Functions that multiply matrices: the place of the left factor among their arguments."""
FACTORISATIONS = {"cholesky": 1 / 3, "inv": 2.0, "solve": 2 / 3, "slogdet": 2 / 3, "det": 2 / 3, "eigh": 9.0, "qr": 4 / 3,
                  "eigvalsh": 4 / 3, "svd": 22.0}  # fmt: skip
"""Operations of NumPy's linear algebra on an n by n matrix, in n^3 (Golub and Van Loan 2013)."""

BLOCKS = 256
"""As many turns of a loop over blocks are walked one by one."""

_roots = count()


@dataclass(frozen=True)
class Array:
    """The shape of an array, or of a part of one; `root` says which memory it belongs to."""

    shape: tuple[int, ...]
    itemsize: int
    root: int = field(default_factory=lambda: next(_roots))
    size: int = -1

    @property
    def bytes(self) -> int:
        """Of the memory that it belongs to."""
        return (prod(self.shape) if self.size < 0 else self.size) * self.itemsize

    def part(self, shape: tuple[int, ...]) -> Array:
        """Another shape over the same memory."""
        return Array(shape, self.itemsize, self.root, self.bytes // self.itemsize)


@dataclass
class Cost:
    """Floating point operations, those of matrix products among them, and how often memory is read and written.

    Every array counts once for reading and once for writing, or as often as it is accessed, if that is less: what a
    kernel must move whose caches are perfect. Conditions count as if the larger branch were always taken.
    """

    flops: float = 0.0
    products: float = 0.0
    reads: dict[int, tuple[Array, float]] = field(default_factory=dict)
    writes: dict[int, tuple[Array, float]] = field(default_factory=dict)

    @property
    def bytes(self) -> float:
        return sum(
            min(array.bytes, times * array.itemsize)
            for kind in (self.reads, self.writes)
            for array, times in kind.values()
        )

    def add(self, other: Cost) -> None:
        self.flops += other.flops
        self.products += other.products
        for mine, theirs in ((self.reads, other.reads), (self.writes, other.writes)):
            for array, times in theirs.values():
                touch(mine, array, times)


def touch(kind: dict[int, tuple[Array, float]], array: Array, times: float) -> None:
    before = kind.get(array.root, (array, 0.0))[1]
    kind[array.root] = array, before + times


class Counter:
    """Walks one function of a module.

    functions, constants: those of the module, by name.
    names: what is known about each variable: an integer, an `Array`, a tuple of these, or `FLOAT`.
    """

    def __init__(
        self, functions: Mapping[str, ast.FunctionDef], names: Mapping[str, Any], constants: Mapping[str, int]
    ) -> None:
        self.functions, self.constants, self.names = functions, constants, {**constants, **names}
        self.cost, self.times = Cost(), 1.0
        self.returned: Any = FLOAT

    # --- statements -----------------------------------------------------------------------------------------

    def run(self, body: list[ast.stmt]) -> Cost:
        """The cost of these statements."""
        before, self.cost = self.cost, Cost()
        for statement in body:
            self.statement(statement)
        found, self.cost = self.cost, before
        before.add(found)
        return found

    def statement(self, s: ast.stmt) -> None:
        match s:
            case ast.Assign(targets=[target], value=value):
                self.assign(target, self.value(value))
            case ast.AugAssign(target=target, value=value):
                found = self.value(value)
                self.value(target)
                self.cost.flops += self.times
                if isinstance(target, ast.Name):
                    known = self.names.get(target.id)
                    plain = isinstance(known, int) and isinstance(found, int)
                    self.cost.flops -= self.times if plain else 0
                else:
                    self.assign(target, found)
            case ast.For(target=ast.Name(id=name), iter=iterator, body=body):
                self.loop(name, iterator, body)
            case ast.If(test=test, body=body, orelse=other):
                self.value(test)
                self.branch(body, other)
            case ast.While(body=body) | ast.With(body=body):
                self.run(body)
            case ast.Expr(value=value):
                self.value(value)
            case ast.Return(value=value) if value is not None:
                self.returned = self.value(value)
            case _:
                pass

    def loop(self, name: str, iterator: ast.expr, body: list[ast.stmt]) -> None:
        """``for name in range(...)``: the body as often as it turns, at its middle turn; loops over blocks turn by turn."""
        bounds: list[Any] = [self.value(a) for a in iterator.args] if isinstance(iterator, ast.Call) else []
        if not bounds or not all(isinstance(b, int) for b in bounds):
            bounds = [1]
        turns = range(*bounds)
        outer = self.times
        if turns.step != 1 and len(turns) <= BLOCKS:
            for turn in turns:
                self.names[name] = turn
                self.run(body)
        elif turns:
            self.times = outer * len(turns)
            self.names[name] = turns[len(turns) // 2]
            self.run(body)
        self.times = outer

    def branch(self, body: list[ast.stmt], other: list[ast.stmt]) -> None:
        """The larger of both branches."""
        before, self.cost = self.cost, Cost()
        first, second = self.run(body), self.run(other)
        self.cost = before
        self.cost.add(max((first, second), key=lambda c: (c.flops, c.bytes)))

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Tuple(elts=parts):
                values = (
                    value if isinstance(value, tuple) and len(value) == len(parts) else [FLOAT] * len(parts)
                )
                for part, one in zip(parts, values, strict=True):
                    self.assign(part, one)
            case ast.Subscript():
                found = self.subscript(target)
                if isinstance(found, Array):
                    touch(self.cost.writes, found, self.times * prod(found.shape))

    # --- expressions ----------------------------------------------------------------------------------------

    def value(self, e: ast.expr) -> Any:
        """What is known about an expression; its cost is added up."""
        match e:
            case ast.Constant(value=bool() | int() as number):
                return int(number)
            case ast.Name(id=name):
                return self.names.get(name, FLOAT)
            case ast.Tuple(elts=parts):
                return tuple(self.value(part) for part in parts)
            case ast.Attribute(value=inner, attr=attribute):
                return self.attribute(self.value(inner), attribute)
            case ast.Subscript():
                return self.read(e)
            case ast.BinOp(left=left, op=op, right=right):
                return self.operation(self.value(left), op, self.value(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                found = self.value(operand)
                return -found if isinstance(found, int) else found
            case ast.IfExp(test=test, body=body, orelse=other):
                self.value(test)
                found = self.value(body), self.value(other)
                return (
                    found[0]
                    if found[0] == found[1]
                    else next((f for f in found if not isinstance(f, int)), found[0])
                )
            case ast.Call():
                return self.call(e)
            case ast.Compare(left=left, comparators=others):
                for part in (left, *others):
                    self.value(part)
                return FLOAT
            case ast.BoolOp(values=values):
                for part in values:
                    self.value(part)
                return FLOAT
            case _:
                return FLOAT

    def attribute(self, of: Any, name: str) -> Any:
        match of, name:
            case Array(shape=shape), "shape":
                return shape
            case Array(shape=shape), "T":
                return of.part(shape[::-1])
            case Array(itemsize=itemsize), "itemsize":
                return itemsize
            case Array(shape=shape), "size":
                return prod(shape)
            case _:
                return FLOAT

    def operation(self, left: Any, op: ast.operator, right: Any) -> Any:
        if isinstance(op, ast.MatMult) and isinstance(left, Array) and isinstance(right, Array):
            return self.product(left, right, None)
        if isinstance(left, int) and isinstance(right, int) and type(op) in INTEGER:
            zero = right == 0 and isinstance(op, ast.FloorDiv | ast.Mod)
            return 0 if zero else INTEGER[type(op)](left, right)
        array = next((side for side in (left, right) if isinstance(side, Array)), None)
        steps = max(1, right - 1) if isinstance(op, ast.Pow) and isinstance(right, int) and right < 5 else 1
        self.cost.flops += self.times * steps * (prod(array.shape) if array else 1)
        return Array(array.shape, array.itemsize) if array else FLOAT

    def read(self, e: ast.Subscript) -> Any:
        """An entry, which is read, or a part of an array."""
        found = self.subscript(e)
        if isinstance(found, Array) and not found.shape:
            touch(self.cost.reads, found, self.times)
            return FLOAT
        return found

    def subscript(self, e: ast.Subscript) -> Any:
        """The part of an array behind an index; an entry is a part without axes."""
        of = self.value(e.value)
        indices = e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice]
        if isinstance(of, tuple):
            place = self.value(indices[0])
            return of[place] if isinstance(place, int) and place < len(of) else FLOAT
        if not isinstance(of, Array):
            for index in indices:
                self.value(index)
            return FLOAT
        left = list(of.shape)
        kept = []
        for index in indices:
            extent = left.pop(0) if left else 1
            if isinstance(index, ast.Slice):
                low = self.value(index.lower) if index.lower else 0
                high = self.value(index.upper) if index.upper else extent
                known = isinstance(low, int) and isinstance(high, int)
                kept.append(max(0, min(high, extent) - low) if known else extent)
            else:
                self.value(index)
        return of.part((*kept, *left))

    # --- calls ----------------------------------------------------------------------------------------------

    def call(self, e: ast.Call) -> Any:
        name = e.func.attr if isinstance(e.func, ast.Attribute) else getattr(e.func, "id", "")
        owner = e.func.value if isinstance(e.func, ast.Attribute) else None
        of = self.value(owner) if owner is not None else None
        arguments = [self.value(a) for a in e.args]
        if name in PRODUCTS:
            left, right, *rest = arguments[PRODUCTS[name] :]
            if isinstance(left, Array) and isinstance(right, Array):
                return self.product(left, right, rest[-1] if rest else None)
        if name in self.functions and owner is None:
            return self.enter(self.functions[name], arguments)
        if isinstance(of, Array):
            return self.method(of, name, arguments)
        if name in ("empty", "zeros", "full", "ones"):
            shape = arguments[0] if isinstance(arguments[0], tuple) else (arguments[0],)
            known = tuple(s if isinstance(s, int) else 1 for s in shape)
            made = Array(known, 8)
            if name != "empty":
                touch(self.cost.writes, made, self.times * prod(known))
            return made
        if name in WHOLE and all(isinstance(a, int) for a in arguments):
            return WHOLE[name](*arguments)
        if name == "len" and isinstance(arguments[0], Array):
            return arguments[0].shape[0]
        first = next((a for a in arguments if isinstance(a, Array)), None)
        if name in FACTORISATIONS and first is not None:
            self.cost.flops += self.times * FACTORISATIONS[name] * first.shape[-1] ** 3
            return Array(first.shape, first.itemsize)
        if name in ("ascontiguousarray", "asfortranarray") and first is not None:
            return self.method(first, "copy", [])
        if name not in ("float64", "float32", "int64", "int32", "real", "intp", "view"):
            self.cost.flops += self.times
        return FLOAT

    def method(self, of: Array, name: str, arguments: list[Any]) -> Any:
        match name:
            case "reshape":
                shape = arguments[0] if arguments and isinstance(arguments[0], tuple) else tuple(arguments)
                known = [s if isinstance(s, int) else -1 for s in shape]
                if -1 in known:
                    rest = prod(s for s in known if s >= 0)
                    known[known.index(-1)] = prod(of.shape) // max(1, rest)
                return of.part(tuple(max(1, s) for s in known))
            case "copy" | "astype":
                touch(self.cost.reads, of, self.times * prod(of.shape))
                made = Array(of.shape, of.itemsize)
                touch(self.cost.writes, made, self.times * prod(of.shape))
                return made
            case "transpose":
                return of.part(of.shape[::-1])
            case "sum" | "max" | "min" | "prod":
                touch(self.cost.reads, of, self.times * prod(of.shape))
                self.cost.flops += self.times * prod(of.shape)
                return FLOAT
            case _:
                return FLOAT

    def product(self, left: Array, right: Array, out: Any) -> Any:
        """Two operations for each term of each entry."""
        shape = (*left.shape[:-1], *right.shape[1:])
        flops = 2.0 * self.times * prod(shape) * (left.shape[-1] if left.shape else 1)
        self.cost.flops += flops
        self.cost.products += flops
        made = out if isinstance(out, Array) else Array(shape, left.itemsize)
        touch(self.cost.reads, left, self.times * prod(left.shape))
        touch(self.cost.reads, right, self.times * prod(right.shape))
        touch(self.cost.writes, made, self.times * prod(shape))
        return made if shape else FLOAT

    def enter(self, function: ast.FunctionDef, arguments: list[Any]) -> Any:
        """A function of the module, with what is known of its arguments; an intrinsic is one operation."""
        if any(getattr(d, "id", "") == "intrinsic" for d in function.decorator_list):
            self.cost.flops += self.times
            return FLOAT
        names = [a.arg for a in function.args.args]
        inner = Counter(self.functions, dict(zip(names, arguments, strict=False)), self.constants)
        inner.times = self.times
        self.cost.add(inner.run(function.body))
        return inner.returned


def functions_of(module: ast.Module) -> dict[str, ast.FunctionDef]:
    return {s.name: s for s in module.body if isinstance(s, ast.FunctionDef)}


def constants_of(module: ast.Module) -> dict[str, int]:
    """Integers that the module gives a name."""
    return {
        target.id: value.value
        for s in module.body
        if isinstance(s, ast.Assign)
        for target, value in [(s.targets[0], s.value)]
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, int)
    }
