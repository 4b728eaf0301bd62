"""The arrays that a NumPy function sees while it is traced: an entry expression over some axes, nothing computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin
from sympy import Expr

from ..errors import ShapeError, TraceError, UnknownMethod, closest
from ..ir.nodes import Index, reads_of, substitute
from ..ops.tensor import tensor_ops

BOOL, INT, FLOAT = np.dtype(bool), np.dtype(np.int64), np.dtype(np.float64)


class Traced(NDArrayOperatorsMixin):
    """A lazy array ``axes -> entry``.

    The entry is a read of a tensor with any index expressions (so a transpose, a slice or a new axis costs
    nothing), or an expression without reads (arange, masks), or a condition in brackets. `dtype` is bool, int64
    or float64 as NumPy's own promotion gives it; all arithmetic is exact whatever it says.
    """

    def __init__(
        self, owner: Any, axes: tuple[Index, ...], entry: Expr, dtype: np.dtype[Any] = FLOAT
    ) -> None:
        self.owner, self.axes, self.entry, self.dtype = owner, axes, entry, dtype

    # -- what an array says about itself

    @property
    def extents(self) -> tuple[Expr, ...]:
        """The extent of each axis."""
        return tuple(self.owner.resolve(i.extent) for i in self.axes)

    @property
    def ndim(self) -> int:
        return len(self.axes)

    rank = ndim

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(self.owner.number(extent) for extent in self.extents)

    @property
    def size(self) -> Any:
        return self.owner.number(sympy.Mul(*self.extents))

    @property
    def is_size(self) -> bool:
        """Whether it is a scalar made of sizes alone."""
        return not self.axes and not reads_of(self.entry)

    @property
    def T(self) -> Traced:
        return self.through(self.axes[::-1], self.entry)

    @property
    def mT(self) -> Traced:
        if self.ndim < 2:
            raise ShapeError(f".mT needs at least two axes; found {self} ({self.owner.place()})")
        return self.through((*self.axes[:-2], self.axes[-1], self.axes[-2]), self.entry)

    @property
    def real(self) -> Traced:
        return self

    @property
    def imag(self) -> Traced:
        return self.through(self.axes, sympy.S.Zero)

    @property
    def flat(self) -> Iterator[Traced]:
        return iter(self.owner.innermost().call("ravel", (self,), {}))

    def at(self, indices: Any) -> Expr:
        """The entry at these index expressions."""
        return substitute(self.entry, dict(zip(self.axes, indices, strict=True)))

    def through(self, axes: tuple[Index, ...], entry: Expr) -> Traced:
        """The same values seen through other axes."""
        return Traced(self.owner, axes, entry, self.dtype)

    # -- NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return self.owner.innermost().ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.owner.innermost().call(f"{function.__module__ or 'numpy'}.{function.__name__}", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = {n for n in tensor_ops() if "." not in n}
        if name in known:
            return lambda *args, **kwargs: self.owner.innermost().call(name, (self, *args), kwargs)
        if name in IN_PLACE:
            self._changed(f"{self}.{name}()")
        if name in NUMBERS:
            self._number(f".{name}()")
        raise UnknownMethod(
            f"a traced array has no {name!r} yet ({self.owner.place()}); {closest(name, known | PROPERTIES)}"
        )

    def __getitem__(self, key: Any) -> Traced:
        return self.owner.innermost().getitem(self, key)

    def __mul__(self, other: Any) -> Any:
        self._repeats_nothing(other)
        return super().__mul__(other)

    def __rmul__(self, other: Any) -> Any:
        self._repeats_nothing(other)
        return super().__rmul__(other)

    def _repeats_nothing(self, other: Any) -> None:
        """A list times an integer is a longer list.

        Raises:
            NeedsSize: a list times a size.
        """
        if isinstance(other, list | tuple | str | bytes) and self.is_size and self.dtype == INT:
            raise self.owner.needs_size(f"a {type(other).__name__} that is repeated", self.entry)

    def __abs__(self) -> Any:
        return np.absolute(self)

    def __round__(self, digits: int = 0) -> Any:
        return self.owner.innermost().call("numpy.round", (self, digits), {})

    def __floor__(self) -> Any:
        return np.floor(self)

    def __ceil__(self) -> Any:
        return np.ceil(self)

    def __trunc__(self) -> Any:
        return np.trunc(self)

    def __copy__(self) -> Traced:
        return self

    def __deepcopy__(self, memo: Any) -> Traced:
        return self

    # -- what needs a number

    def __bool__(self) -> bool:
        return self.owner.decide(self)

    def _number(self, what: str) -> Any:
        if not self.axes and self.entry.is_number:
            return self.entry
        self._needs_no_size(what)
        raise TraceError(
            f"{what} asks for the number behind {self} ({self.owner.place()}), which is known only when arrays are "
            "given; try: keep it an array, with NumPy's functions (np.sqrt instead of math.sqrt, np.stack instead of "
            "filling an array; np.where instead of if)"
        )

    def _needs_no_size(self, what: str) -> None:
        """Ask for numbers of the sizes that this is made of, if it is made of nothing else.

        Raises:
            NeedsSize: it is.
        """
        if self.is_size:
            raise self.owner.needs_size(what, self.entry)

    def __float__(self) -> float:
        return float(self._number("float()"))

    def __int__(self) -> int:
        return int(self._number("int()"))

    def __complex__(self) -> complex:
        return complex(self._number("complex()"))

    def __index__(self) -> int:
        if not self.axes and self.entry.is_number:
            return int(self.entry)
        self._needs_no_size("range() or an index of a plain list")
        raise TraceError(
            f"range() or an index of a plain array asks for the number {self} ({self.owner.place()}); try: whole-array "
            "operations, or the array that is indexed as an argument"
        )

    def __len__(self) -> int:
        if not self.axes:
            raise TypeError(f"len() of the scalar {self} ({self.owner.place()})")
        if self.extents[0].is_Integer:
            return int(self.extents[0])
        raise self.owner.needs_size(f"the length of {self}", self.extents[0])

    def __iter__(self) -> Iterator[Traced]:
        if not self.axes:
            raise TypeError(f"cannot iterate over the scalar {self} ({self.owner.place()})")
        if not self.extents[0].is_Integer:
            raise self.owner.needs_size(f"a loop over the first axis of {self}", self.extents[0])
        return (self[p] for p in range(int(self.extents[0])))

    def __hash__(self) -> int:
        self._needs_no_size("a key of a dict or set")
        raise TraceError(f"{self} cannot be a key of a dict or set ({self.owner.place()}): it has no value yet")

    def __contains__(self, value: Any) -> bool:
        raise TraceError(
            f"`in` asks for the numbers behind {self} ({self.owner.place()}); try: np.any(x == value) in np.where"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        self._needs_no_size("a function that NumPy cannot dispatch")
        raise TraceError(
            f"{self} is being traced and has no numbers yet; a function that NumPy cannot dispatch was called on it\n"
            f"  in {self.owner.line()}\n"
            "  try: NumPy's own functions; np.stack or np.concatenate to put arrays together; an argument for a constant "
            "array that is indexed"
        )

    # -- what would change it

    def _changed(self, what: str) -> NoReturn:
        raise TraceError(
            f"{what} would change an array in place ({self.owner.place()}), and a traced array is a value; "
            "try: x = x + y instead of x += y, np.where(mask, new, old) or np.concatenate instead of x[...] = new"
        )

    def __setitem__(self, key: Any, value: Any) -> None:
        self._changed(f"assignment into {self}")

    def __delitem__(self, key: Any) -> None:
        self._changed(f"del {self}[...]")

    def _update(self, other: Any) -> NoReturn:
        self._changed(f"the in-place update of {self}")

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ifloordiv__ = _update
    __imod__ = __ipow__ = __imatmul__ = __iand__ = __ior__ = __ixor__ = _update
    __ilshift__ = __irshift__ = _update

    # -- words

    def __str__(self) -> str:
        return self.owner.describe(self)

    def __format__(self, spec: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"Traced({self})"


IN_PLACE = {"fill", "sort", "partition", "put", "resize", "itemset", "setfield", "setflags"}
NUMBERS = {"item", "tolist", "tobytes", "tofile", "dump", "dumps"}
PROPERTIES = {"T", "mT", "shape", "ndim", "size", "dtype", "real", "imag", "flat"}


def holds_traced(value: Any) -> bool:
    """Whether a value is traced, or a nested list or tuple with a traced value in it."""
    return isinstance(value, Traced) or (isinstance(value, tuple | list) and any(map(holds_traced, value)))
