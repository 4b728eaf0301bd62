"""The sizes of a program, from the shapes of its inputs; and the conditions on sizes that its reads presuppose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr, S

from ..errors import ShapeError, UnknownName
from .nodes import Bracket, Equation, Index, Program, Read, Tensor, Where, indices_of

Sizes = dict[sympy.Symbol, int]


@dataclass(frozen=True)
class Axis:
    """One axis of one input: what was declared and what was found."""

    tensor: Tensor
    place: int
    shape: tuple[int, ...]

    @property
    def extent(self) -> Expr:
        return self.tensor.shape[self.place]

    @property
    def found(self) -> int:
        return self.shape[self.place]

    def __str__(self) -> str:
        return f"{self.tensor.name} has shape {self.shape}: its axis {self.place}"


def solve_sizes(program: Program, inputs: Mapping[str, Any]) -> Sizes:
    """The value of every symbolic size, from the shapes of the input arrays.

    Raises:
        ShapeError: a rank is wrong; an axis disagrees with an earlier one, both are named; or the sizes are too
            small for what the program reads (``x[:5]`` of three entries).
        UnknownName: an input is missing.
    """
    axes = [axis for tensor in program.inputs for axis in _axes(tensor, inputs)]
    sizes: Sizes = {}
    origin: dict[sympy.Symbol, Axis] = {}
    for axis in axes:
        if axis.extent.is_Symbol and axis.extent not in sizes:
            sizes[axis.extent], origin[axis.extent] = axis.found, axis
    while new := next((found for axis in axes if (found := _solve(axis, sizes)) is not None), None):
        sizes[new[0]] = new[1]
    for axis in axes:
        _agree(axis, sizes, origin)
    _presuppose(program, sizes)
    return sizes


def sizes_in(equation: Equation) -> set[Expr]:
    """The sizes over which an equation runs, or that it has as numbers."""
    indices = {*equation.indices, *indices_of(equation.body)}
    return {s for part in (equation.body, *(i.extent for i in indices)) for s in part.free_symbols}


def _axes(tensor: Tensor, inputs: Mapping[str, Any]) -> list[Axis]:
    if tensor.name not in inputs:
        raise UnknownName(f"the input {tensor.name!r} is missing; got {', '.join(inputs) or 'nothing'}")
    shape = np.shape(inputs[tensor.name])
    if len(shape) != tensor.rank:
        declared = "[" + ", ".join(map(str, tensor.shape)) + "]"
        raise ShapeError(
            f"{tensor.name} has shape {shape} but was declared {declared}: rank {len(shape)}, not {tensor.rank}"
        )
    return [Axis(tensor, place, shape) for place in range(tensor.rank)]


def _solve(axis: Axis, sizes: Sizes) -> tuple[sympy.Symbol, int] | None:
    """The one unknown size of an extent that is linear in it, such as q in 4 q."""
    unknown = axis.extent.free_symbols - sizes.keys()
    if len(unknown) != 1:
        return None
    (symbol,) = unknown
    extent = sympy.expand(axis.extent.xreplace(_integers(sizes)))
    factor = extent.coeff(symbol)
    rest = extent - factor * symbol
    if not (factor.is_Integer and rest.is_Integer and factor):
        return None
    value = (axis.found - rest) / factor
    if not (value.is_Integer and value > 0):
        raise ShapeError(f"{axis} must be {axis.extent} for a positive integer {symbol}, not {axis.found}")
    return symbol, int(value)


def _agree(axis: Axis, sizes: Sizes, origin: Mapping[sympy.Symbol, Axis]) -> None:
    extent = axis.extent
    expected = extent.xreplace(_integers(sizes))
    if not expected.is_Integer:
        raise ShapeError(
            f"{axis} is {extent}, which leaves {', '.join(map(str, expected.free_symbols))} unknown"
        )
    if int(expected) == axis.found:
        return
    if extent.is_Symbol:
        first = origin[extent]
        raise ShapeError(
            f"{axis} is {extent} = {axis.found}, but {extent} = {expected} in {first.tensor.name} (axis {first.place})"
        )
    raise ShapeError(
        f"{axis} must be {extent}{'' if extent.is_Integer else f' = {expected}'}, not {axis.found}"
    )


def _integers(sizes: Sizes) -> dict[Any, Any]:
    return {symbol: sympy.Integer(value) for symbol, value in sizes.items()}


# -- what a program presupposes of its sizes


@dataclass(frozen=True)
class Presupposed:
    """``value >= 0`` for the reads and axes of `equation` to exist."""

    value: Expr
    equation: Equation


def _presuppose(program: Program, sizes: Sizes) -> None:
    integers = _integers(sizes)
    for condition in presuppositions(program):
        value = condition.value.xreplace(integers)
        if value.is_negative:
            given = ", ".join(f"{s} = {sizes[s]}" for s in sorted(condition.value.free_symbols, key=str))
            line = f"   ({condition.equation.step.where})" if condition.equation.step.where else ""
            raise ShapeError(
                f"the axes are too short: {condition.value} must not be negative, but {given}\n"
                f"  in {condition.equation}{line}"
            )


@lru_cache(maxsize=256)
def presuppositions(program: Program) -> tuple[Presupposed, ...]:
    """What must hold of the sizes for every axis to exist and every unconditional read to stay in its tensor.

    Under a bracket or a choice an index runs as far as the condition lets it; where the condition is about more than
    one index and sizes, the reads under it are left out.
    """
    found: dict[Expr, Presupposed] = {}
    for equation in program.equations:
        for value in _needed(equation):
            if not value.is_nonnegative and value.free_symbols:
                found.setdefault(value, Presupposed(value, equation))
    return tuple(found.values())


def _needed(equation: Equation) -> Iterator[Expr]:
    for index in equation.indices:
        yield index.extent
    for read, ranges in _reads_in_range(equation.body, {}):
        for place, extent in zip(read.indices, read.tensor.shape, strict=True):
            if isinstance(place, Index) and place.extent == extent:
                continue
            if (limits := interval(place, ranges)) is not None:
                yield sympy.expand(limits[0])
                yield sympy.expand(extent - 1 - limits[1])


Ranges = Mapping[Index, tuple[Expr, Expr]]
"""Where an index can be, if that is less than its extent."""


def _reads_in_range(e: Any, ranges: Ranges) -> Iterator[tuple[Read, Ranges]]:
    """The reads of a body, each with how far conditions around it let the indices run."""
    if isinstance(e, Read):
        yield e, ranges
    elif isinstance(e, Where):
        for branch, condition in ((e.args[1], e.args[0]), (e.args[2], sympy.Not(e.args[0]))):
            if (narrower := _narrowed(condition, ranges)) is not None:
                yield from _reads_in_range(branch, narrower)
    elif e.is_Mul and any(isinstance(f, Bracket) for f in e.args):
        brackets = [f.condition for f in e.args if isinstance(f, Bracket)]
        if (narrower := _narrowed(sympy.And(*brackets), ranges)) is not None:
            for f in e.args:
                yield from () if isinstance(f, Bracket) else _reads_in_range(f, narrower)
    elif not isinstance(e, Bracket):
        for argument in e.args:
            yield from _reads_in_range(argument, ranges)


def _narrowed(condition: Any, ranges: Ranges) -> Ranges | None:
    """The ranges under comparisons of one index with sizes; None for any other condition."""
    found = dict(ranges)
    for part in sympy.And.make_args(condition):
        if not isinstance(part, sympy.core.relational.Relational) or isinstance(part, sympy.Eq | sympy.Ne):
            return None
        low_side, high_side = (part.gts, part.lts)[::-1]
        difference = sympy.expand(high_side - low_side)  # at least 0, or 1 if strict
        inside = [i for i in difference.atoms(Index)]
        if len(inside) != 1 or difference.atoms(Read) or difference.coeff(inside[0]) not in (1, -1):
            return None
        (index,) = inside
        sign = difference.coeff(index)
        bound = -sign * (
            difference - sign * index - int(isinstance(part, sympy.StrictLessThan | sympy.StrictGreaterThan))
        )
        low, high = found.get(index, (S.Zero, index.extent - 1))
        found[index] = (sympy.Max(low, bound), high) if sign == 1 else (low, sympy.Min(high, bound))
    return found


def interval(e: Expr, ranges: Ranges | None = None) -> tuple[Expr, Expr] | None:
    """Least and greatest value of an index expression, in sizes; None where it depends on data or is not linear."""
    match e:
        case Index():
            return (ranges or {}).get(e, (S.Zero, e.extent - 1))
        case sympy.Integer() | sympy.Symbol():
            return e, e
        case sympy.Add():
            parts = [interval(a, ranges) for a in e.args]
            return _both(parts, lambda values: sympy.Add(*values))
        case sympy.Mul():
            constant, rest = e.as_independent(Index, Read, sympy.floor, sympy.Mod, as_Add=False)
            inner = interval(rest, ranges) if rest != e else None
            if rest == 1:
                return e, e
            if inner is None or constant.is_negative is None:
                return None
            low, high = constant * inner[0], constant * inner[1]
            return (high, low) if constant.is_negative else (low, high)
        case sympy.floor():
            return _both([interval(e.args[0], ranges)], lambda values: sympy.floor(values[0]))
        case sympy.Mod():
            return S.Zero, e.args[1] - 1
    return None


def _both(parts: list[tuple[Expr, Expr] | None], combine: Any) -> tuple[Expr, Expr] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return combine([low for low, _ in known]), combine([high for _, high in known])
