"""The arrays that a NumPy function sees while it is traced: an entry expression over some axes, nothing computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin
from sympy import Expr

from ..errors import TraceError, UnsupportedOp, closest
from ..ir.nodes import Index, substitute
from ..ops.tensor import tensor_ops


class Traced(NDArrayOperatorsMixin):
    """A lazy array ``axes -> entry``.

    The entry is a read of a tensor with any index expressions (so a transpose, a slice or a new axis costs
    nothing), or an expression without reads (arange, masks), or a condition in brackets.
    """

    def __init__(self, trace: Any, axes: tuple[Index, ...], entry: Expr) -> None:
        self.trace, self.axes, self.entry = trace, axes, entry

    # -- what an array says about itself

    @property
    def extents(self) -> tuple[Expr, ...]:
        return tuple(self.trace.resolve(i.extent) for i in self.axes)

    @property
    def rank(self) -> int:
        return len(self.axes)

    ndim = rank

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(int(e) if e.is_Integer else Traced(self.trace, (), e) for e in self.extents)

    @property
    def size(self) -> Any:
        return Traced(self.trace, (), sympy.Mul(*self.extents))

    @property
    def dtype(self) -> Any:
        return np.dtype(np.float64)

    @property
    def T(self) -> Traced:
        return Traced(self.trace, self.axes[::-1], self.entry)

    @property
    def mT(self) -> Traced:
        return Traced(self.trace, (*self.axes[:-2], self.axes[-1], self.axes[-2]), self.entry)

    @property
    def real(self) -> Traced:
        return self

    def at(self, indices: Any) -> Expr:
        """The entry at these index expressions."""
        return substitute(self.entry, dict(zip(self.axes, indices, strict=True)))

    # -- NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if options.pop("out", None) is not None:
            raise TraceError(f"np.{ufunc.__name__} with out= changes an array in place ({self.trace.where()}); try: y = np.{ufunc.__name__}(x)")
        name = f"{_module(ufunc)}.{ufunc.__name__}"
        if method != "__call__":
            return self.trace.call(f"{name}.{method}", inputs, options)
        if name in tensor_ops():
            return self.trace.call(name, inputs, options)
        return self.trace.apply(name, *inputs, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = function.__module__ or "numpy"
        return self.trace.call(f"{module}.{function.__name__}", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in tensor_ops():
            if name.startswith("_"):
                raise AttributeError(name)
            known = [n for n in tensor_ops() if "." not in n]
            raise UnsupportedOp(f"arrays being traced have no {name!r} ({self.trace.where()}); {closest(name, known)}")
        return lambda *args, **kwargs: self.trace.call(name, (self, *args), kwargs)

    def __getitem__(self, key: Any) -> Traced:
        return self.trace.getitem(self, key)

    # -- what needs a number

    def __bool__(self) -> bool:
        decided = self.trace.decide(self)
        if decided is None:
            raise TraceError(
                f"a branch asks for the truth of {self.trace.describe(self)} ({self.trace.where()}), which is known only when arrays "
                "are given; try: np.where(condition, a, b)"
            )
        return decided

    def _number(self, what: str) -> Any:
        if not self.axes and self.entry.is_number:
            return self.entry
        raise TraceError(
            f"{what}() asks for the number behind {self.trace.describe(self)} ({self.trace.where()}), which is known only when "
            "arrays are given; try: keep it an array, with NumPy's functions (np.sqrt instead of math.sqrt)"
        )

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __complex__(self) -> complex:
        return complex(self._number("complex"))

    def __index__(self) -> int:
        return int(self._number("range or index"))

    def __len__(self) -> int:
        extent = self.extents[0] if self.axes else None
        if extent is not None and extent.is_Integer:
            return int(extent)
        raise TraceError(f"len() of {self.trace.describe(self)} is symbolic ({self.trace.where()}); try: x.shape[0]")

    def __iter__(self) -> Any:
        if not self.axes:
            raise TraceError(f"cannot iterate over the scalar {self.trace.describe(self)} ({self.trace.where()})")
        if not self.extents[0].is_Integer:
            raise TraceError(
                f"a loop over the axis of size {self.extents[0]} of {self.trace.describe(self)} ({self.trace.where()}) needs a number; "
                "try: whole-array operations, or declare the size as an integer"
            )
        return (self[p] for p in range(int(self.extents[0])))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TraceError(
            f"{self.trace.describe(self)} is being traced and has no numbers yet ({self.trace.where()}); a function that "
            "NumPy cannot dispatch (np.array, math.*, a list of arrays) was called on it; try: np.stack or np.concatenate"
        )

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TraceError(
            f"assignment into {self.trace.describe(self)} ({self.trace.where()}): a traced array cannot be changed in place; "
            "try: np.where(mask, new, old), or np.concatenate"
        )

    def _in_place(self, other: Any) -> Any:
        raise TraceError(
            f"in-place update of {self.trace.describe(self)} ({self.trace.where()}); try: x = x + y instead of x += y"
        )

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __imatmul__ = __ipow__ = _in_place  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Traced({self.trace.describe(self)})"


def _module(ufunc: Any) -> str:
    return "numpy" if getattr(np, ufunc.__name__, None) is ufunc else "scipy.special"
