"""The reference interpreter: runs a program on arrays of any number system, one equation after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Expr
from sympy.logic.boolalg import And, Boolean, Not, Or

from ..errors import ShapeError, UnknownName
from ..ops.elementwise import op_of_head
from .nodes import Bracket, Equation, Index, Program, Read, Where, indices_of
from .numbers import FLOAT64, Numbers

Sizes = dict[sympy.Symbol, int]

REDUCE = {"sum": np.add.reduce, "prod": np.multiply.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce}
COMPARE: dict[type, Any] = {
    sympy.Eq: np.equal, sympy.Ne: np.not_equal, sympy.StrictLessThan: np.less, sympy.LessThan: np.less_equal,
    sympy.StrictGreaterThan: np.greater, sympy.GreaterThan: np.greater_equal,
}  # fmt: skip


def solve_sizes(program: Program, inputs: Mapping[str, Any]) -> Sizes:
    """The value of every symbolic size, from the shapes of the input arrays.

    Raises:
        ShapeError: a rank is wrong, or an axis disagrees with an earlier one; both are named.
    """
    sizes: Sizes = {}
    origin: dict[sympy.Symbol, str] = {}
    compound: list[tuple[str, int, Expr, int]] = []
    for tensor in program.inputs:
        if tensor.name not in inputs:
            raise UnknownName(f"the input {tensor.name!r} is missing; got {sorted(inputs)}")
        shape = np.shape(inputs[tensor.name])
        declared = "[" + ", ".join(map(str, tensor.shape)) + "]"
        if len(shape) != tensor.rank:
            raise ShapeError(f"{tensor.name} has shape {shape} but was declared {declared}: rank {len(shape)}, not {tensor.rank}")
        for axis, (extent, found) in enumerate(zip(tensor.shape, shape, strict=True)):
            if not extent.is_Symbol:
                compound.append((tensor.name, axis, extent, found))
            elif sizes.setdefault(extent, found) != found:
                raise ShapeError(
                    f"{tensor.name} has shape {shape}: its axis {axis} is {extent!s} = {found}, "
                    f"but {extent!s} = {sizes[extent]} in {origin[extent]}"
                )
            else:
                origin.setdefault(extent, tensor.name)
    for name, axis, extent, found in compound:
        expected = extent.subs(sizes)
        if expected.is_Integer and int(expected) != found:
            raise ShapeError(f"{name} has shape {np.shape(inputs[name])}: its axis {axis} must be {extent} = {expected}, not {found}")
    return sizes


def evaluate(program: Program, inputs: Mapping[str, Any], numbers: Numbers = FLOAT64) -> dict[str, Any]:
    """Run `program` and return every tensor by name, inputs included.

    Args:
        program: any well-formed program.
        inputs: arrays by name; integer and boolean tensors keep their integers, all others become `numbers`.
        numbers: the number system to compute in.
    """
    sizes = solve_sizes(program, inputs)
    values: dict[str, Any] = {}
    for tensor in program.inputs:
        given = np.asarray(inputs[tensor.name])
        values[tensor.name] = numbers.array(given) if tensor.kind == "real" else given
    with np.errstate(all="ignore"):
        for equation in program.equations:
            values[equation.target.name] = _Evaluator(equation, values, sizes, numbers).run()
    return values


class _Evaluator:
    """One equation: every subexpression becomes an array over the equation's axes and bound indices."""

    def __init__(self, equation: Equation, values: dict[str, Any], sizes: Sizes, numbers: Numbers) -> None:
        self.equation, self.values, self.sizes, self.numbers = equation, values, sizes, numbers
        self.order = {index: position for position, index in enumerate(equation.indices)}
        self.extents = [self.extent(index.extent) for index in equation.indices]

    def extent(self, extent: Expr) -> int:
        return self.sizes[extent] if extent.is_Symbol else int(extent.subs(self.sizes))

    def run(self) -> Any:
        equation, free = self.equation, len(self.equation.axes)
        factors = sympy.Mul.make_args(equation.body)
        if equation.reduce == "sum" and not any(isinstance(f, Bracket) for f in factors):
            result = self.contract(factors)
        else:
            full = np.broadcast_to(self.value(equation.body), self.extents)
            axes = tuple(range(free, len(self.extents)))
            result = REDUCE[equation.reduce](full, axis=axes) if equation.reduce else np.array(full)
        if equation.target.kind != "real":
            return np.asarray(result).real.astype(np.int64)
        return self.numbers.array(result)

    def contract(self, factors: tuple[Expr, ...]) -> Any:
        """A sum of products, as one einsum: factors are evaluated on their own indices only."""
        operands: list[Any] = []
        covered: set[Index] = set()
        for factor in factors:
            own = [i for i in self.equation.indices if i in indices_of(factor)]
            covered.update(own)
            array = np.asarray(self.value(factor))
            keep = tuple(slice(None) if index in own else 0 for index in self.equation.indices)
            array = np.broadcast_to(array, [e if i in own else 1 for i, e in zip(self.equation.indices, self.extents, strict=True)])
            operands += [array[keep], [self.order[i] for i in own]]
        for index in self.equation.indices:
            if index not in covered:
                ones = np.empty(self.extents[self.order[index]], dtype=self.numbers.dtype)
                ones[...] = self.numbers.constant(sympy.S.One)
                operands += [ones, [self.order[index]]]
        out = [self.order[i] for i in self.equation.axes]
        return np.einsum(*operands, out, optimize=self.numbers.dtype is not object and len(operands) > 4)

    def grid(self, index: Index) -> Any:
        shape = [1] * len(self.extents)
        shape[self.order[index]] = -1
        return np.arange(self.extents[self.order[index]]).reshape(shape)

    def value(self, e: Expr) -> Any:
        if e.is_number:
            return self.numbers.constant(e)
        if isinstance(e, Read):
            return self.read(e)
        if isinstance(e, Index):
            return self.numbers.array(self.grid(e))
        if e.is_Symbol:
            return self.numbers.constant(sympy.Integer(self.sizes[e]))
        if e.is_Add:
            total = self.value(e.args[0])
            for term in e.args[1:]:
                total = total + self.value(term)
            return total
        if e.is_Mul:
            return self.product(e)
        if e.is_Pow:
            return self.power(e)
        if isinstance(e, Bracket):
            one, zero = self.numbers.constant(sympy.S.One), self.numbers.constant(sympy.S.Zero)
            return np.where(self.holds(e.condition), one, zero)
        if isinstance(e, Where):
            return np.where(self.holds(e.args[0]), self.value(e.args[1]), self.value(e.args[2]))
        op = op_of_head(e.func)
        if op is not None and op.value is not None:
            return self.numbers.apply(op, *(self.value(a) for a in e.args))
        return self.numbers.array(self.integer(e))

    def product(self, e: Expr) -> Any:
        conditions = [f.condition for f in e.args if isinstance(f, Bracket)]
        rest = [f for f in e.args if not isinstance(f, Bracket)]
        result = self.value(rest[0]) if rest else self.numbers.constant(sympy.S.One)
        for factor in rest[1:]:
            result = result * self.value(factor)
        if conditions:
            result = np.where(self.holds(And(*conditions)), result, self.numbers.constant(sympy.S.Zero))
        return result

    def power(self, e: Expr) -> Any:
        base, exponent = e.args
        if exponent.is_Integer:
            return self.numbers.power(self.value(base), int(exponent))
        return self.numbers.power(self.value(base), self.value(exponent))

    def read(self, e: Read) -> Any:
        array = np.asarray(self.values[e.tensor.name])
        if not e.indices:
            return array[()]
        plain = [i for i in e.indices if isinstance(i, Index)]
        if len(plain) == len(e.indices) == len(set(plain)):
            order = sorted(range(len(plain)), key=lambda p: self.order[plain[p]])
            array = array.transpose(order)
            shape = [1] * len(self.extents)
            for axis, p in enumerate(order):
                shape[self.order[plain[p]]] = array.shape[axis]
            return array.reshape(shape)
        clipped = (np.clip(self.integer(i), 0, max(n - 1, 0)) for i, n in zip(e.indices, array.shape, strict=True))
        return array[tuple(clipped)]

    def integer(self, e: Expr) -> Any:
        """An index expression: exact integer arithmetic."""
        if e.is_Integer:
            return np.int64(int(e))
        if isinstance(e, Index):
            return self.grid(e)
        if e.is_Symbol:
            return np.int64(self.sizes[e])
        if isinstance(e, Read):
            return np.asarray(self.read(e)).astype(np.int64)
        if e.is_Add:
            return sum((self.integer(a) for a in e.args), np.int64(0))
        if isinstance(e, sympy.floor):
            numerator, denominator = e.args[0].as_numer_denom()
            return self.integer(numerator) // self.integer(denominator)
        if isinstance(e, sympy.Mod):
            return self.integer(e.args[0]) % self.integer(e.args[1])
        if e.is_Mul and all(a.is_integer for a in e.args):
            result = np.int64(1)
            for a in e.args:
                result = result * self.integer(a)
            return result
        raise NotImplementedError(f"cannot evaluate {e!s} in {self.equation}")

    def holds(self, c: Boolean) -> Any:
        if isinstance(c, And):
            return np.logical_and.reduce(np.broadcast_arrays(*(self.holds(a) for a in c.args)))
        if isinstance(c, Or):
            return np.logical_or.reduce(np.broadcast_arrays(*(self.holds(a) for a in c.args)))
        if isinstance(c, Not):
            return np.logical_not(self.holds(c.args[0]))
        if c in (sympy.true, sympy.false):
            return np.bool_(bool(c))
        left, right = (self.comparable(side) for side in c.args)
        return COMPARE[c.func](left, right)

    def comparable(self, e: Expr) -> Any:
        try:
            return self.integer(e) if e.is_integer else np.real(self.value(e))
        except NotImplementedError:
            return np.real(self.value(e))
