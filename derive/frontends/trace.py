"""The record of one trace: the equations so far, which sizes are equal, and how values become entries."""

from __future__ import annotations

import inspect
import linecache
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Rational, S

from ..errors import ShapeError, TraceError, UnsupportedOp, closest
from ..ir.nodes import Bracket, Equation, Index, Kind, Program, Read, Reduction, Step, Tensor, fresh_indices, indices_of, reads_of
from ..ops.elementwise import elementwise_ops, op_of_numpy
from ..ops.tensor import tensor_ops
from .constants import exact
from .indexing import getitem, reshape
from .traced import Traced

HERE = str(Path(__file__).resolve().parents[1])
LIBRARIES = (HERE, str(Path(np.__file__).parent), str(Path(sympy.__file__).parent))
TEMPORARY = "_t"


class Trace:
    """Collects equations while a NumPy function runs on `Traced` arrays."""

    def __init__(self, flexible: Iterable[sympy.Symbol] = (), examples: dict[sympy.Symbol, int] | None = None) -> None:
        self.equations: list[Equation] = []
        self.flexible = set(flexible)
        self.examples = examples or {}
        self.same: dict[sympy.Symbol, Expr] = {}
        self.frames: dict[int, Any] = {}

    # -- sizes

    def resolve(self, extent: Expr) -> Expr:
        while self.same and (known := {s: self.same[s] for s in extent.free_symbols if s in self.same}):
            extent = extent.xreplace(known)
        return extent

    def unify(self, a: Expr, b: Expr, why: str, *where: tuple[Traced, int]) -> Expr:
        """The common extent of two axes that must agree; a size that is still open is bound to the other."""
        a, b = self.resolve(a), self.resolve(b)
        if a == b or sympy.expand(a - b) == 0:
            return a
        for open_size, other in ((b, a), (a, b)):
            if open_size in self.flexible and open_size not in other.free_symbols:
                self.same[open_size] = other
                return other
        names = [self.describe(x) + f" (axis {p})" for x, p in where]
        between = f" of {names[0]} and {names[1]}" if len(names) == 2 else ""
        raise ShapeError(
            f"{why}: the axes{between} have extents {a} and {b}, which are not equal\n"
            f"  in {self.line()}\n"
            "  try: transpose an operand, or give both axes the same name if they are meant to be equal"
        )

    def extent(self, value: Any) -> Expr:
        """A size given as an int or as a traced size."""
        if isinstance(value, Traced):
            if value.axes or not value.entry.is_integer or reads_of(value.entry):
                raise TraceError(f"a size must be an integer made of sizes; found {self.describe(value)} ({self.where()})")
            return self.resolve(value.entry)
        if isinstance(value, int | np.integer):
            return sympy.Integer(int(value))
        raise TraceError(f"a size must be an integer; found {value!r} ({self.where()})")

    # -- building

    def fresh(self, extents: Iterable[Any]) -> tuple[Index, ...]:
        return fresh_indices([self.resolve(S(e)) for e in extents])

    def indices(self, x: Traced) -> tuple[Index, ...]:
        return self.fresh(x.extents)

    def unit(self) -> Index:
        self.units = getattr(self, "units", 0) + 1
        return Index(f"_u{self.units}", S.One)

    def view(self, axes: Iterable[Index], entry: Expr) -> Traced:
        return Traced(self, tuple(axes), entry)

    def bracket(self, condition: Any) -> Expr:
        return Bracket(condition)

    def truth(self, entry: Expr) -> Any:
        """The condition that an entry is true."""
        return entry.condition if isinstance(entry, Bracket) else sympy.Ne(entry, 0)

    def define(
        self, axes: tuple[Index, ...], body: Expr, reduce: Reduction | None = None, bound: tuple[Index, ...] = (),
        rule: str = "", lazy: bool = False,
    ) -> Traced:  # fmt: skip
        """A new equation, unless the body has no reads and needs no reduction: that stays an expression."""
        kept = [i for i in axes if i.extent != 1]
        ones = {i: S.Zero for i in axes if i.extent == 1}
        body = body.xreplace(ones) if ones and not reads_of(body) else self._at_zero(body, ones)
        if bound and not any(i in indices_of(body) for i in bound) and reduce in ("sum", "max", "min"):
            body, reduce, bound = (body * sympy.Mul(*(i.extent for i in bound)) if reduce == "sum" else body), None, ()
        if reduce is None and (isinstance(body, Read | Bracket) or not reads_of(body)):
            return self.view(axes, body)
        kind: Kind = "real"
        facts = frozenset({"positive"} if _positive(body, reduce) else {"nonnegative"} if body.is_nonnegative else ())
        name = f"{TEMPORARY}{len(self.equations)}"
        target = Tensor(name, tuple(i.extent for i in kept), kind, facts)
        frame = self.user_frame()
        where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""
        self.equations.append(Equation(target, tuple(kept), body, reduce, bound, Step(rule=rule, where=where)))
        return self.view(axes, Read(target, tuple(kept)))

    def _at_zero(self, body: Expr, ones: dict[Index, Expr]) -> Expr:
        from_index = {i: z for i, z in ones.items() if i in indices_of(body)}
        return self.view(tuple(from_index), body).at(tuple(from_index.values())) if from_index else body

    def elementwise(self, make: Callable[..., Expr], args: Iterable[Any], rule: str) -> Traced:
        """Apply a scalar function entry by entry, with NumPy's broadcasting."""
        arrays = [self.lift(a) for a in args]
        axes = self.fresh(self.broadcast(arrays, rule))
        body = make(*(self.broadcast_entry(x, axes) for x in arrays))
        return self.define(axes, domestic(body), rule=rule)

    def broadcast(self, arrays: list[Traced], rule: str) -> list[Expr]:
        rank = max((x.rank for x in arrays), default=0)
        result: list[Expr] = [S.One] * rank
        owner: list[Any] = [None] * rank
        for x in arrays:
            for p, extent in enumerate(x.extents):
                q = rank - x.rank + p
                if extent == 1:
                    continue
                if result[q] == 1:
                    result[q], owner[q] = extent, (x, p)
                else:
                    result[q] = self.unify(result[q], extent, rule, owner[q], (x, p))
        return result

    def broadcast_entry(self, x: Traced, axes: tuple[Index, ...]) -> Expr:
        own = axes[len(axes) - x.rank :]
        return x.at(tuple(S.Zero if e == 1 and i.extent != 1 else i for e, i in zip(x.extents, own, strict=True)))

    def lift(self, value: Any) -> Traced:
        """Any operand as a traced array: numbers exactly, constant arrays by their rule where they have one."""
        if isinstance(value, Traced):
            if value.trace is not self:
                raise TraceError(f"{value!r} belongs to another trace; a traced value must not be kept between calls")
            return value
        if isinstance(value, sympy.Expr):
            return self.view((), value)
        array = np.asarray(value)
        if array.dtype.kind == "c":
            raise TraceError(f"complex constant {value!r} ({self.where()}): only real arithmetic can be derived")
        if array.dtype.kind not in "fiub":
            raise TraceError(f"cannot use {value!r} of type {type(value).__name__} as an array ({self.where()})")
        if array.ndim == 0:
            return self.view((), exact(array.item()))
        if array.size and (array == array.flat[0]).all():
            return self.view(self.fresh(array.shape), exact(array.flat[0].item()))
        raise UnsupportedOp(
            f"a constant array of shape {array.shape} inside the function ({self.where()}); try: make it an argument"
        )

    # -- dispatch

    def apply(self, name: str, *args: Any, **options: Any) -> Traced:
        """An elementwise function by its NumPy name."""
        options = {k: v for k, v in options.items() if not (k == "dtype" and v is None)}
        comparison = COMPARISONS.get(name)
        if comparison is not None:
            return self.elementwise(comparison, args, name)
        op = op_of_numpy(name)
        if op is None:
            raise self.unknown(name)
        if options:
            raise self.unsupported(name, ", ".join(f"{k}={v!r}" for k, v in options.items()), "without this option")
        return self.elementwise(op.make, args, op.name)

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A tensor function by its NumPy name."""
        op = tensor_ops().get(name)
        if op is None:
            return self.apply(name, *args, **kwargs) if op_of_numpy(name) else self._raise(self.unknown(name))
        try:
            inspect.signature(op.lower).bind(self, *args, **kwargs)
        except TypeError as error:
            raise self.unsupported(name, f"these arguments ({error})", "the options in docs/operations.md") from None
        return op.lower(self, *args, **kwargs)

    def _raise(self, error: Exception) -> Any:
        raise error

    def getitem(self, x: Traced, key: Any) -> Traced:
        return getitem(self, x, key)

    def reshape(self, x: Traced, shape: tuple[Any, ...]) -> Traced:
        return reshape(self, x, shape)

    def axis(self, x: Traced, axis: Any) -> int:
        if not isinstance(axis, int | np.integer) or not -x.rank <= axis < x.rank:
            raise ShapeError(f"axis {axis!r} of {self.describe(x)}, which has {x.rank} axes ({self.where()})")
        return int(axis) % x.rank

    def axes_of(self, x: Traced, axis: Any) -> tuple[int, ...]:
        if axis is None:
            return tuple(range(x.rank))
        return tuple(self.axis(x, a) for a in (axis if isinstance(axis, tuple | list) else (axis,)))

    def squeeze(self, x: Traced, chosen: Iterable[int]) -> Traced:
        chosen = set(chosen)
        for p in chosen:
            self.unify(x.extents[p], S.One, "squeeze")
        at = tuple(S.Zero if p in chosen else i for p, i in enumerate(x.axes))
        return self.view(tuple(i for p, i in enumerate(x.axes) if p not in chosen), x.at(at))

    # -- words

    def describe(self, x: Traced) -> str:
        names = {i: i.name for i in x.axes}
        inner = ", ".join(str(self.resolve(i.extent)) for i in names)
        reads = reads_of(x.entry)
        what = str(x.entry) if not x.axes else reads[0].tensor.name if reads else str(x.entry)
        return f"{'an intermediate' if what.startswith(TEMPORARY) else what}[{inner}]" if x.axes else what

    def user_frame(self) -> Any:
        frame: Any = sys._getframe(1)
        found = None
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(HERE) and frame.f_code.co_name == "run_traced":
                break
            if not file.startswith(LIBRARIES) and not file.startswith("<frozen"):
                self.frames.setdefault(id(frame), frame)
                found = found or frame
            frame = frame.f_back
        return found

    def where(self) -> str:
        frame = self.user_frame()
        return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else "in the traced function"

    def line(self) -> str:
        frame = self.user_frame()
        if frame is None:
            return "the traced function"
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        return f"{frame.f_code.co_name}(): {text}   ({self.where()})"

    def unknown(self, name: str) -> UnsupportedOp:
        known = {n for op in elementwise_ops() for n in op.numpy} | {n for n in tensor_ops() if "." in n}
        return UnsupportedOp(f"{name} is not supported yet ({self.where()}); {closest(name, known)}")

    def unsupported(self, name: str, what: str, instead: str) -> UnsupportedOp:
        return UnsupportedOp(f"{name} with {what} is not supported ({self.where()}); supported: {instead}")

    def decide(self, x: Traced) -> bool | None:
        if x.axes or reads_of(x.entry):
            return None
        entry = x.entry.condition if isinstance(x.entry, Bracket) else sympy.Ne(x.entry, 0)
        return True if entry == sympy.true else False if entry == sympy.false else None


def _positive(body: Expr, reduce: str | None) -> bool:
    return bool(body.is_positive) and reduce in (None, "sum", "prod", "max", "min")


def domestic(body: Expr) -> Expr:
    """Replace the functions that SymPy brings in by itself by ours, whose derivatives are ordinary functions."""
    from_sympy = {sympy.Abs: "numpy.absolute", sympy.sign: "numpy.sign"}
    for foreign, name in from_sympy.items():
        if body.has(foreign):
            op = op_of_numpy(name)
            assert op is not None
            body = body.replace(foreign, op.make)
    return body


def _condition(relation: Any) -> Callable[[Expr, Expr], Expr]:
    def compare(a: Expr, b: Expr) -> Expr:
        if isinstance(a, Bracket) and b.is_number:
            if_true, if_false = relation(S.One, b), relation(S.Zero, b)
            return Bracket(sympy.Or(sympy.And(a.condition, if_true), sympy.And(sympy.Not(a.condition), if_false)))
        return Bracket(relation(a, b))

    return compare


def _logical(combine: Any) -> Callable[..., Expr]:
    return lambda *args: Bracket(combine(*(x.condition if isinstance(x, Bracket) else sympy.Ne(x, 0) for x in args)))


COMPARISONS: dict[str, Callable[..., Expr]] = {
    "numpy.greater": _condition(sympy.Gt),
    "numpy.greater_equal": _condition(sympy.Ge),
    "numpy.less": _condition(sympy.Lt),
    "numpy.less_equal": _condition(sympy.Le),
    "numpy.equal": _condition(sympy.Eq),
    "numpy.not_equal": _condition(sympy.Ne),
    "numpy.logical_and": _logical(sympy.And),
    "numpy.logical_or": _logical(sympy.Or),
    "numpy.logical_not": _logical(sympy.Not),
    "numpy.bitwise_and": _logical(sympy.And),
    "numpy.bitwise_or": _logical(sympy.Or),
    "numpy.invert": _logical(sympy.Not),
}
