"""The reference interpreter: runs a program on arrays of any number system, one equation after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr, S
from sympy.logic.boolalg import And, Boolean, Not, Or

from ..deadline import check_time
from ..errors import DomainError, UnsupportedOp
from ..ops.elementwise import op_of_head
from ..ops.linalg import primitives
from .nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Slot,
    Where,
    indices_of,
    substitute,
)
from .numbers import FLOAT64, Numbers
from .recurrences import Recurrence, blocks
from .sizes import Sizes, solve_sizes

COMPARE: dict[type, Any] = {
    sympy.Eq: np.equal, sympy.Ne: np.not_equal, sympy.StrictLessThan: np.less, sympy.LessThan: np.less_equal,
    sympy.StrictGreaterThan: np.greater, sympy.GreaterThan: np.greater_equal,
}  # fmt: skip


Fixed = Mapping[Index, int]
"""The indices that are times, and where they stand."""
NOTHING: Fixed = {}


def evaluate(program: Program, inputs: Mapping[str, Any], numbers: Numbers = FLOAT64) -> dict[str, Any]:
    """Run `program` and return every tensor by name, inputs included.

    Args:
        program: any well-formed program.
        inputs: arrays by name; integer and boolean tensors keep their integers, all others become `numbers`.
        numbers: the number system to compute in.

    Raises:
        ShapeError: shapes that do not fit the declared axes, or are too small for what is read.
        UnknownName: an input is missing.
        DomainError: an integer input, or an index computed from one, is out of its range.
        NotExact: `numbers` are the rationals and the program leaves them.
    """
    sizes = solve_sizes(program, inputs)
    values: dict[str, Any] = {}
    for tensor in program.inputs:
        given = np.asarray(inputs[tensor.name])
        values[tensor.name] = numbers.array(given) if tensor.kind == "real" else given
        if tensor.kind == "integer" and tensor.bound is not None:
            bound = tensor.bound.subs(sizes)
            _in_bounds(
                given, int(bound) if bound.is_Integer else None, f"{tensor.name} (integer < {tensor.bound})"
            )
    with np.errstate(all="ignore"):
        for block in blocks(program.equations):
            check_time()
            if isinstance(block, Equation):
                values[block.target.name] = _Evaluator(block, values, sizes, numbers).run()
            else:
                _allocate(block, values, sizes, numbers)
                _run_steps(block, values, sizes, numbers, {})
    return values


def _allocate(block: Recurrence, values: dict[str, Any], sizes: Sizes, numbers: Numbers) -> None:
    integers = {symbol: sympy.Integer(value) for symbol, value in sizes.items()}
    for e in block.equations:
        array = np.empty([int(n.xreplace(integers)) for n in e.target.shape], dtype=numbers.dtype)
        array[...] = numbers.constant(sympy.S.Zero)
        values[e.target.name] = array if e.target.kind == "real" else np.zeros(array.shape, np.int64)


def _run_steps(
    block: Recurrence, values: dict[str, Any], sizes: Sizes, numbers: Numbers, at: Mapping[str, Fixed]
) -> None:
    """Compute a recurrence one step after the other; `at` fixes the times of recurrences around it."""
    extents = {
        e.target.name: values[e.target.name].shape[block.places[e.target.name]] for e in block.equations
    }
    first = min(-block.offsets[name] for name in extents)
    last = max(extent - 1 - block.offsets[name] for name, extent in extents.items())
    steps = range(first, last + 1) if block.forward else range(last, first - 1, -1)
    for step in steps:
        now: dict[str, Fixed] = {}
        for e in block.equations:
            entry = step + block.offsets[e.target.name]
            if 0 <= entry < extents[e.target.name]:
                now[e.target.name] = {**at.get(e.target.name, {}), block.time(e): entry}
        for part in block.parts:
            if isinstance(part, Recurrence):
                _run_steps(part, values, sizes, numbers, now)
            elif part.target.name in now:
                fixed = now[part.target.name]
                where = tuple(fixed.get(i, slice(None)) for i in part.axes)
                found = np.asarray(_Evaluator(part, values, sizes, numbers, fixed).run())
                values[part.target.name][where] = found[()]  # an array would become an entry of an array of objects


def _in_bounds(values: Any, bound: int | None, what: str) -> None:
    wrong = (values < 0) | (values >= bound) if bound is not None else values < 0
    if np.any(wrong):
        place = tuple(int(p) for p in np.argwhere(wrong)[0])
        value = values[place] if place else values
        raise DomainError(
            f"{what} holds {int(value)}{f' at {list(place)}' if place else ''}: "
            + ("it must not be negative" if bound is None else f"it must be at least 0 and less than {bound}")
        )


@lru_cache(maxsize=2**14)
def _number(extent: Expr, sizes: tuple[tuple[Expr, Expr], ...]) -> int:
    """An extent as a number; programs are run at many points of the same sizes."""
    return int(extent.xreplace(dict(sizes)))


class _Evaluator:
    """One equation: every subexpression becomes an array over the equation's axes and bound indices.

    In a recurrence the times are `fixed`: they are numbers, and no axes of the arrays.
    """

    def __init__(
        self,
        equation: Equation,
        values: dict[str, Any],
        sizes: Sizes,
        numbers: Numbers,
        fixed: Fixed = NOTHING,
    ) -> None:
        self.equation, self.values, self.numbers, self.fixed = equation, values, numbers, fixed
        self.sizes: dict[Any, Any] = {symbol: sympy.Integer(value) for symbol, value in sizes.items()}
        self.known = tuple(self.sizes.items())
        self.axes = tuple(i for i in equation.axes if i not in fixed)
        self.indices = self.axes + equation.bound
        self.order = {index: position for position, index in enumerate(self.indices)}
        self.extents = [self.size(index.extent) for index in self.indices]
        self.conditional = equation.body.has(Bracket, Where)

    def size(self, extent: Expr) -> int:
        return _number(extent, self.known)

    def run(self) -> Any:
        equation, free = self.equation, len(self.axes)
        if isinstance(equation.body, Entry):
            return self.numbers.array(self.primitive(equation.body))
        factors = sympy.Mul.make_args(equation.body)
        if equation.reduce == "sum" and not any(isinstance(f, Bracket) for f in factors):
            result = self.contract(factors)
        else:
            full = np.broadcast_to(self.value(equation.body), self.extents)
            axes = tuple(range(free, len(self.extents)))
            result = self.reduced(full, axes) if equation.reduce else np.array(full)
        if equation.target.kind != "real":
            return np.asarray(result).real.astype(np.int64)
        return self.numbers.array(result)

    def reduced(self, full: Any, axes: tuple[int, ...]) -> Any:
        """The sum, product, largest or smallest entry along the last axes."""
        match self.equation.reduce:
            case "max":
                return self.numbers.largest(full, axis=axes)
            case "min":
                return self.numbers.smallest(full, axis=axes)
            case "prod":
                return np.multiply.reduce(full, axis=axes)
        return np.add.reduce(full, axis=axes)

    def contract(self, factors: tuple[Expr, ...]) -> Any:
        """A sum of products, as one einsum: factors are evaluated on their own indices only."""
        operands: list[Any] = []
        covered: set[Index] = set()
        for factor in factors:
            used = indices_of(factor)
            covered |= used
            shape = [e if i in used else 1 for i, e in zip(self.indices, self.extents, strict=True)]
            keep = tuple(slice(None) if i in used else 0 for i in self.indices)
            array = np.broadcast_to(np.asarray(self.value(factor)), shape)
            operands += [array[keep], [self.order[i] for i in self.indices if i in used]]
        for index in self.indices:
            if index not in covered:
                ones = np.empty(self.extents[self.order[index]], dtype=self.numbers.dtype)
                ones[...] = self.numbers.constant(sympy.S.One)
                operands += [ones, [self.order[index]]]
        out = [self.order[i] for i in self.axes]
        return np.einsum(*operands, out, optimize=self.numbers.dtype is not object and len(operands) > 4)

    def primitive(self, e: Entry) -> Any:
        """The result that the entry belongs to, over the batch axes, with its axes where the target has them."""
        batch = tuple(i for i in self.axes if i not in e.places)
        arrays = [self.operand(read, batch) for read in e.operands]
        stack = self.on(batch, S.Zero)
        parameters = [stack.integer(p) for p in e.parameters]
        result = self.numbers.linear_algebra(primitives()[e.primitive], arrays, parameters)[e.output]
        order = (*batch, *e.places)
        extents = [self.size(i.extent) for i in order]
        return np.broadcast_to(result, extents).transpose([order.index(i) for i in self.axes])

    def on(self, axes: tuple[Any, ...], body: Expr) -> _Evaluator:
        """Another body over other axes, at the same times."""
        equation = replace(self.equation, axes=axes, body=body)
        return _Evaluator(equation, self.values, self.sizes, self.numbers, self.fixed)

    def operand(self, read: Read, batch: tuple[Index, ...]) -> Any:
        """The array that a primitive is given: batch axes first, of extent 1 where the read does not vary."""
        extents = [n for n, i in zip(read.tensor.shape, read.indices, strict=True) if isinstance(i, Slot)]
        slots = [i for i in read.indices if isinstance(i, Slot)]
        whole = dict(sorted(((s, Index(str(s), n)) for s, n in zip(slots, extents, strict=True)), key=str))
        places = tuple(whole.values())
        axes, body = (*batch, *places), substitute(read, whole)
        array = self.on(axes, body).value(body)
        array = np.reshape(array, (*(1,) * (len(axes) - np.ndim(array)), *np.shape(array)))
        return np.broadcast_to(array, (*array.shape[: len(batch)], *(self.size(i.extent) for i in places)))

    def grid(self, index: Index) -> Any:
        if index in self.fixed:
            return np.int64(self.fixed[index])
        shape = [1] * len(self.extents)
        shape[self.order[index]] = -1
        return np.arange(self.extents[self.order[index]]).reshape(shape)

    # -- numbers

    def value(self, e: Expr) -> Any:
        if not e.has(Index, Read):
            return self.numbers.constant(e.xreplace(self.sizes))
        match e:
            case Read():
                array = self.read(e)
                return array if e.tensor.kind == "real" else self.numbers.array(array)
            case Index():
                return self.numbers.array(self.grid(e))
            case sympy.Add():
                total = self.value(e.args[0])
                for term in e.args[1:]:
                    total = total + self.value(term)
                return total
            case sympy.Mul():
                return self.product(e)
            case sympy.Pow():
                base, exponent = e.args
                power = int(exponent) if exponent.is_Integer else self.value(exponent)
                return self.numbers.power(self.value(base), power)
            case Bracket():
                return self.choice(e.condition, sympy.S.One, sympy.S.Zero)
            case Where():
                return self.choice(*e.args)
        op = op_of_head(e.func)
        if op is not None and op.value is not None:
            return self.numbers.apply(op, *(self.value(a) for a in e.args))
        return self.numbers.array(self.integer(e))

    def choice(self, condition: Boolean, a: Expr, b: Expr) -> Any:
        holds = self.holds(condition)
        if np.ndim(holds) == 0:
            return self.value(a if holds else b)
        return np.where(holds, self.value(a), self.value(b))

    def product(self, e: Expr) -> Any:
        conditions = [f.condition for f in e.args if isinstance(f, Bracket)]
        rest = [f for f in e.args if not isinstance(f, Bracket)]
        holds = self.holds(And(*conditions)) if conditions else True
        if np.ndim(holds) == 0 and not holds:
            return self.numbers.constant(sympy.S.Zero)
        result = self.value(rest[0]) if rest else self.numbers.constant(sympy.S.One)
        for factor in rest[1:]:
            result = result * self.value(factor)
        return np.where(holds, result, self.numbers.constant(sympy.S.Zero)) if np.ndim(holds) else result

    def read(self, e: Read) -> Any:
        array = np.asarray(self.values[e.tensor.name])
        if not array.size and self.conditional:  # no entry is there to be read, and a condition says that none is
            array = np.full([max(n, 1) for n in array.shape], self.numbers.constant(S.Zero), dtype=array.dtype)
        one = [not indices_of(place) - self.fixed.keys() for place in e.indices]
        if any(one):
            key = [self.place(e, axis, n) if one[axis] else slice(None) for axis, n in enumerate(array.shape)]
            array = np.asarray(array[tuple(key)])
        rest = [axis for axis, single in enumerate(one) if not single]
        if not rest:
            return array[()]
        plain = [i for axis in rest if isinstance(i := e.indices[axis], Index)]
        if len(plain) == len(rest) == len(set(plain)) and all(
            self.extents[self.order[i]] == n for i, n in zip(plain, array.shape, strict=True)
        ):
            order = sorted(range(len(plain)), key=lambda p: self.order[plain[p]])
            shape = [1] * len(self.extents)
            for p in order:
                shape[self.order[plain[p]]] = array.shape[p]
            return array.transpose(order).reshape(shape)
        return array[tuple(self.place(e, axis, n) for axis, n in zip(rest, array.shape, strict=True))]

    def place(self, e: Read, axis: int, extent: int) -> Any:
        """Where to read along one axis; where a condition decides whether to read at all, anywhere will do."""
        place = self.integer(e.indices[axis])
        if self.conditional:
            return np.clip(place, 0, max(extent - 1, 0))
        _in_bounds(place, extent, f"the index {e.indices[axis]} of {e} in {self.equation}")
        return place

    # -- integers and conditions

    def integer(self, e: Expr) -> Any:
        """An index expression, in exact integer arithmetic."""
        match e:
            case sympy.Integer():
                return np.int64(int(e))
            case Index():
                return self.grid(e)
            case sympy.Symbol():
                return np.int64(int(self.sizes[e]))
            case Read():
                return np.asarray(self.read(e)).astype(np.int64)
            case sympy.Add():
                return sum((self.integer(a) for a in e.args), np.int64(0))
            case sympy.Mul() if all(a.is_integer for a in e.args):
                result = np.int64(1)
                for a in e.args:
                    result = result * self.integer(a)
                return result
            case sympy.Pow() if e.args[1].is_Integer and e.args[1].is_positive:
                return self.integer(e.args[0]) ** int(e.args[1])
            case sympy.floor():
                numerator, denominator = sympy.together(e.args[0]).as_numer_denom()
                return self.integer(numerator) // self.integer(denominator)
            case sympy.Mod():
                return self.integer(e.args[0]) % self.integer(e.args[1])
            case Bracket():
                return np.asarray(self.holds(e.condition)).astype(np.int64)
            case Where():
                return np.where(self.holds(e.args[0]), self.integer(e.args[1]), self.integer(e.args[2]))
        op = op_of_head(e.func)
        if op is not None and op.value is not None and e.is_integer:
            return np.asarray(np.real(self.value(e))).astype(np.int64)
        raise UnsupportedOp(f"{e!s} has no integer value, in {self.equation}")

    def holds(self, c: Boolean) -> Any:
        if isinstance(c, And | Or):
            combine = np.logical_and if isinstance(c, And) else np.logical_or
            return combine.reduce(np.broadcast_arrays(*(self.holds(a) for a in c.args)))
        if isinstance(c, Not):
            return np.logical_not(self.holds(c.args[0]))
        if c in (sympy.true, sympy.false):
            return np.bool_(bool(c))
        left, right = (self.comparable(side) for side in c.args)
        return self.numbers.compare(COMPARE[c.func], left, right)

    def comparable(self, e: Expr) -> Any:
        if e.is_integer:
            try:
                return self.integer(e)
            except UnsupportedOp:
                pass
        return np.real(self.value(e))


__all__ = ["Sizes", "evaluate", "solve_sizes"]
