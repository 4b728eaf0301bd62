"""What a kernel may be called with: arguments become contiguous arrays of the kernel's types, shapes are checked."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import sympy

from ..errors import DomainError, ShapeError, UnknownName, closest
from ..ir.nodes import Bracket, Program, Tensor, Where
from ..ir.sizes import Sizes, solve_sizes

Shapes = tuple[tuple[int, ...], ...]
REMEMBERED_SHAPES = 4096


class Arguments:
    """Checks and converts the arguments of one kernel.

    An array that has the kernel's type already is passed on as it is; shapes that were right once are remembered.
    """

    def __init__(self, name: str, program: Program, dtype: np.dtype[Any]) -> None:
        self.name, self.program = name, program
        self.names = tuple(tensor.name for tensor in program.inputs)
        kinds = {"real": dtype, "integer": np.dtype(np.int64), "boolean": np.dtype(np.bool_)}
        self.slots = tuple((tensor, kinds[tensor.kind]) for tensor in program.inputs)
        self.scalars = [position for position, tensor in enumerate(program.inputs) if not tensor.rank]
        self.known: dict[Shapes, Sizes] = {}

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        """Arguments in the order of the inputs.

        Raises:
            UnknownName: too many, missing, unknown or doubled arguments.
        """
        if not kwargs and len(args) == len(self.names):
            return list(args)
        if len(args) > len(self.names):
            wanted = f"{len(self.names)} arrays ({', '.join(self.names)})"
            raise UnknownName(f"{self.name}() takes {wanted}; {len(args)} were given")
        given = dict(zip(self.names, args, strict=False))
        for name, value in kwargs.items():
            if name not in self.names:
                raise UnknownName(f"{self.name}() has no input {name!r}; {closest(name, self.names)}")
            if name in given:
                raise UnknownName(f"{self.name}() got {name!r} twice: by position and by name")
            given[name] = value
        if missing := [name for name in self.names if name not in given]:
            raise UnknownName(f"{self.name}() needs {', '.join(self.names)}; missing: {', '.join(missing)}")
        return [given[name] for name in self.names]

    def ready(self, values: list[Any]) -> tuple[list[Any], Shapes, Sizes]:
        """Contiguous arrays of the kernel's types whose shapes agree, the shapes, and the sizes that they give.

        Raises:
            ShapeError: ranks or axes that disagree; the axis, both tensors and both values are named.
            DomainError: complex input, or fractions where integers were declared.
        """
        for position, (tensor, dtype) in enumerate(self.slots):
            value = values[position]
            if type(value) is np.ndarray and value.dtype is dtype:
                flags = value.flags
                if flags.c_contiguous and flags.aligned:
                    continue
            values[position] = as_array(value, tensor, dtype)
        shapes = tuple([value.shape for value in values])
        sizes = self.known.get(shapes)
        if sizes is None:
            sizes = self._solved(values)
            self.known[shapes] = sizes
        if self.scalars:
            for position in self.scalars:
                values[position] = values[position][()]
        return values, shapes, sizes

    def _solved(self, values: list[Any]) -> Sizes:
        """The sizes, which fit all that the program reads.

        Raises:
            ShapeError: a shape disagrees, or is too short.
        """
        sizes = solve_sizes(self.program, dict(zip(self.names, values, strict=True)))
        if 0 in sizes.values():
            _nothing_is_read_of_nothing(self.program, sizes)
        if len(self.known) >= REMEMBERED_SHAPES:
            self.known.clear()
        return sizes


def _nothing_is_read_of_nothing(program: Program, sizes: Sizes) -> None:
    """An equation that computes anything must not read an entry of a tensor that has none.

    Raises:
        ShapeError: it does, outside of any condition.
    """
    values = {symbol: sympy.Integer(value) for symbol, value in sizes.items()}
    for equation in program.equations:
        if equation.body.has(Bracket, Where) or any(i.extent.xreplace(values) == 0 for i in equation.indices):
            continue
        for read in equation.reads:
            if any(extent.xreplace(values) == 0 for extent in read.tensor.shape):
                raise ShapeError(f"{read.tensor.name} has an axis of length 0, but {equation} reads an entry of it")


def as_array(value: Any, tensor: Tensor, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """`value` as a contiguous array; integers are promoted, wider floats rounded, nothing is truncated.

    Raises:
        DomainError: the values have no counterpart in the kernel's type.
    """
    array = np.asarray(value)
    kind = array.dtype.kind
    if kind == "O":
        array = _from_objects(array, tensor)
        kind = array.dtype.kind
    if kind == "c":
        raise DomainError(
            f"{tensor.name} is complex ({array.dtype}); only real inputs are defined; try: pass its real and imaginary parts"
        )
    if kind not in "fiub":
        raise DomainError(f"{tensor.name} has dtype {array.dtype}; numbers were expected")
    if tensor.kind == "integer" and kind in "fu":
        _must_be_integers(array, tensor)
    converted = array != 0 if tensor.kind == "boolean" else array.astype(dtype, copy=False)
    return np.require(converted, dtype, ["C", "A"])


def _from_objects(array: np.ndarray[Any, Any], tensor: Tensor) -> np.ndarray[Any, Any]:
    """Python's own numbers, such as fractions or integers too large for int64."""
    strange = next((value for value in array.flat if not isinstance(value, Real)), None)
    if array.size and (strange is not None or any(value is None for value in array.flat)):
        raise DomainError(f"{tensor.name} holds {strange!r}; numbers were expected")
    return array.astype(np.float64)


def _must_be_integers(array: np.ndarray[Any, Any], tensor: Tensor) -> None:
    """Every value is one that int64 holds exactly."""
    good = (array == np.floor(array)) & (array < 2.0**63) & (array >= -(2.0**63))
    if not good.all():
        place = tuple(int(i) for i in np.argwhere(~good)[0])
        raise DomainError(f"{tensor.name} was declared integer but {tensor.name}{list(place)} is {array[place]}")
