"""The record of one trace: the equations so far, and how NumPy's calls on traced arrays become equations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import sympy
from sympy import Expr, S

from ..errors import NeedsSize, ShapeError, TraceError, UnsupportedOp
from ..ir.facts import sign_facts
from ..ir.nodes import (
    Bracket,
    Equation,
    Index,
    Read,
    Reduction,
    Step,
    Tensor,
    fresh_indices,
    indices_of,
    reads_of,
    substitute,
)
from ..ir.recurrences import TIMES
from ..ops.elementwise import op_of_numpy
from ..ops.elementwise.comparisons import OF_TRUTH_VALUES
from ..ops.tensor import home_of, tensor_ops
from .branches import decide
from .captured import Captured
from .extents import Extents
from .indexing import getitem
from .operands import lift, real_body, whole
from .primitives import apply_primitive, matrix_facts, store
from .reshaping import reshape
from .traced import BOOL, FLOAT, INT, Traced
from .words import TEMPORARY, Words

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "out": (None,), "dtype": (None,), "where": (True, np._NoValue), "initial": (np._NoValue,),
    "keepdims": (np._NoValue,), "casting": ("same_kind",), "order": ("K", "C", None), "subok": (True,),
    "like": (None,), "copy": (True, False, None), "mode": ("raise",),
}  # fmt: skip
"""Options of NumPy functions that mean nothing when they have these values."""

IN_PLACE = {
    f"numpy.{name}" for name in ("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis")
}
TO_BE_FILLED = {"numpy.empty", "numpy.empty_like"}


@dataclass(frozen=True)
class Callee:
    """What an equation was called in the function that it was taken from, and whether its user named it."""

    name: str = ""
    named: bool = False


class Trace(Words):
    """Collects equations while a NumPy function runs on `Traced` arrays.

    `ambient` are indices that stand in entries without being an axis: the time while the step of a scan runs.
    What depends on them is defined for all their values at once.
    """

    active: ClassVar[list[Trace]] = []
    """The traces that are being made, the innermost last."""

    def __init__(self, flexible: Iterable[sympy.Symbol] = (), prefix: str = TEMPORARY) -> None:
        super().__init__()
        self.prefix = prefix
        self.equations: list[Equation] = []
        self.sizes = Extents(flexible)
        self.inputs: dict[str, Tensor] = {}
        self.captured = Captured()
        self.called: dict[str, Callee] = {}
        self.ended = False
        self.units = 0
        self.temporaries = 0
        self.ambient: tuple[Index, ...] = ()
        self.times: set[Index] = set()
        self.states: set[Tensor] = set()
        self.adopted: dict[Tensor, tuple[Tensor, int, int]] = {}
        self.leading: dict[str, int] = {}

    def innermost(self) -> Trace:
        """The trace that is written to: of those that run one within the other the innermost."""
        return Trace.active[-1] if self in Trace.active else self

    # -- sizes

    def resolve(self, extent: Expr) -> Expr:
        """The extent in sizes that are not bound to others."""
        return self.sizes.resolve(extent)

    def unify(self, a: Expr, b: Expr, why: str, *where: tuple[Traced, int]) -> Expr:
        """The common extent of two axes that must agree; `where` names them in the message."""
        common = self.sizes.unify(a, b)
        if common is not None:
            return common
        names = [f"{x} (axis {p})" for x, p in where]
        raise ShapeError(
            f"{why}: the axes{' of ' + ' and '.join(names) if names else ''} have extents {self.resolve(a)} and "
            f"{self.resolve(b)}, which are not equal\n"
            f"  in {self.user.line()}\n"
            "  try: transpose an operand, or give both axes the same name if they are meant to be equal"
        )

    def extent(self, value: Any) -> Expr:
        """A size given as an int or as a traced size."""
        if isinstance(value, Traced):
            entry = self.resolve(self.lift(value).entry)
            if value.axes or not entry.is_integer or reads_of(entry) or isinstance(entry, Bracket):
                raise TraceError(f"a size must be an integer made of sizes; found {value} ({self.place()})")
            return entry
        if isinstance(value, int | np.integer):
            return sympy.Integer(int(value))
        raise TraceError(f"a size must be an integer; found {value!r} ({self.place()})")

    def shape(self, value: Any) -> tuple[Expr, ...]:
        """A shape given as a size or a sequence of sizes."""
        return tuple(self.extent(s) for s in (value if isinstance(value, tuple | list) else (value,)))

    def number(self, extent: Expr) -> Any:
        """A size as the user's function sees it: an int where it is known."""
        return int(extent) if extent.is_Integer else self.view((), extent, INT)

    # -- building

    def fresh(self, extents: Iterable[Any]) -> tuple[Index, ...]:
        """New indices with these extents."""
        return fresh_indices([self.resolve(S(e)) for e in extents], avoid=self.times)

    def temporary(self) -> str:
        """A name for a tensor that has none yet."""
        self.temporaries += 1
        return f"{self.prefix}{self.temporaries}"

    def indices(self, x: Traced) -> tuple[Index, ...]:
        """New indices for the axes of `x`."""
        return self.fresh(x.extents)

    def unit(self) -> Index:
        """An index of extent 1, different from all others."""
        self.units += 1
        return Index(f"_u{self.units}", S.One)

    def view(self, axes: Iterable[Index], entry: Expr, dtype: np.dtype[Any] = FLOAT) -> Traced:
        """An array that needs no equation."""
        return Traced(self, tuple(axes), entry, dtype)

    def define(
        self,
        axes: tuple[Index, ...],
        body: Expr,
        reduce: Reduction | None = None,
        bound: tuple[Index, ...] = (),
        rule: str = "",
        dtype: np.dtype[Any] = FLOAT,
        below: Expr | None = None,
    ) -> Traced:
        """A new equation, unless the body has no reads and needs no reduction: that stays an expression.

        Integers from 0 to `below` - 1 are a tensor of integers, whose entries may be places.
        """
        body = substitute(real_body(self, body), {i: S.Zero for i in (*axes, *bound) if i.extent == 1})
        bound = tuple(i for i in bound if i.extent != 1)
        if bound and not any(i in indices_of(body) for i in bound):
            count = sympy.Mul(*(i.extent for i in bound))
            body = body * count if reduce == "sum" else body**count if reduce == "prod" else body
            bound = ()
        if not bound and ((isinstance(body, Read | Bracket) and below is None) or not reads_of(body)):
            return self.view(axes, body, dtype)
        lead = self.lead(body)
        kept = lead + tuple(i for i in axes if i.extent != 1)
        facts = sign_facts(body, reduce if bound else None, bound)
        target = Tensor(self.temporary(), tuple(i.extent for i in kept), facts=facts)
        if below is not None:
            target = Tensor(target.name, target.shape, "integer", bound=self.resolve(below))
        self.leading[target.name] = len(lead)
        step = Step(rule=rule, where=self.user.where())
        self.equations.append(Equation(target, kept, body, reduce if bound else None, bound, step))
        return self.view(axes, Read(target, kept), dtype)

    def elementwise(
        self, make: Callable[..., Expr], args: Iterable[Any], rule: str, dtype: np.dtype[Any]
    ) -> Traced:
        """Apply a scalar function entry by entry, with NumPy's broadcasting."""
        arrays = [self.lift(a) for a in args]
        axes = self.fresh(self.broadcast(arrays, rule))
        body = make(*(self.broadcast_entry(x, axes) for x in arrays))
        return self.define(axes, body, rule=rule, dtype=dtype)

    def broadcast(self, arrays: Sequence[Traced], rule: str) -> list[Expr]:
        """The extents of arrays together, by NumPy's rules."""
        rank = max((x.rank for x in arrays), default=0)
        result: list[Expr] = [S.One] * rank
        owner: dict[int, tuple[Traced, int]] = {}
        for x in arrays:
            for p, extent in enumerate(x.extents):
                q = rank - x.rank + p
                if extent == 1:
                    continue
                if q in owner:
                    result[q] = self.unify(result[q], extent, rule, owner[q], (x, p))
                else:
                    result[q], owner[q] = extent, (x, p)
        return result

    def broadcast_entry(self, x: Traced, axes: tuple[Index, ...]) -> Expr:
        """The entry of `x` at the last of these axes; along an axis of extent 1 it is the only one."""
        own = axes[len(axes) - x.rank :]
        return x.at(tuple(S.Zero if e == 1 else i for e, i in zip(x.extents, own, strict=True)))

    def lift(self, value: Any) -> Traced:
        """Any operand as a traced array; see `operands.lift`."""
        return lift(self, value)

    def whole(self, x: Traced) -> Traced:
        """An array of integers in terms of integer tensors, as an index must be; see `operands.whole`."""
        return whole(self, x)

    # -- time

    def enter(self, count: Expr) -> Index:
        """A new ambient index: what is traced until `leave` is about one of its values."""
        taken = {i.name for i in self.ambient}
        time = Index(next(name for name in TIMES if name not in taken), count)
        self.ambient += (time,)
        self.times.add(time)
        return time

    def leave(self) -> None:
        """The end of what `enter` began."""
        self.ambient = self.ambient[:-1]

    def lead(self, body: Expr) -> tuple[Index, ...]:
        """The ambient indices that a body depends on."""
        return tuple(i for i in self.ambient if i in indices_of(body))

    def adopt(self, made: Equation, state: Tensor, place: int, shift: int) -> None:
        """Read a state, `shift` steps later along the axis `place`, instead of a tensor that is equal to it."""
        self.adopted[made.target] = (state, place, shift)
        self.equations = [replace(e, body=self._adopt(e.body)) for e in self.equations if e is not made]

    def current(self, x: Traced) -> Traced:
        """`x` after `adopt`."""
        return x.through(x.axes, self._adopt(x.entry))

    def _adopt(self, e: Any) -> Any:
        if not self.adopted:
            return e
        mapping = {}
        for read in reads_of(e):
            if read.tensor in self.adopted:
                state, place, shift = self.adopted[read.tensor]
                at = (p + shift if axis == place else p for axis, p in enumerate(read.indices))
                mapping[read] = Read(state, map(self._adopt, at))
        return substitute(e, mapping)

    # -- dispatch

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """NumPy's protocol for its universal functions and their methods."""
        name = f"{'numpy' if hasattr(np, ufunc.__name__) else 'scipy.special'}.{ufunc.__name__}"
        if method == "at":
            raise self.in_place(f"{name}.at")
        if method == "outer":
            a, b = map(self.lift, inputs)
            column = self.view((*a.axes, *(self.unit() for _ in b.axes)), a.entry, a.dtype)
            return self.call(name, (column, b), options)
        return self.call(name if method == "__call__" else f"{name}.{method}", inputs, options)

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function by its NumPy name, or a method by its own."""
        if name in IN_PLACE:
            raise self.in_place(name)
        if name in TO_BE_FILLED:
            raise TraceError(
                f"{name} makes an array to be filled in place ({self.place()}), and a traced array is a value; try: "
                "np.zeros with np.where, np.stack or np.concatenate; for random numbers, an argument"
            )
        out = kwargs.get("out")
        if any(o is not None for o in (out if isinstance(out, tuple) else (out,))):
            raise self.in_place(f"{name} with out=")
        options = {k: v for k, v in kwargs.items() if not any(v is neutral for neutral in NEUTRAL.get(k, ()))}
        args = tuple(self.lift(a) if isinstance(a, Traced) else a for a in args)
        op = tensor_ops().get(name)
        if op is None:
            return self.apply(name, *args, **options)
        signature = inspect.signature(op.lower)
        try:
            signature.bind(self, *args, **options)
        except TypeError as error:
            known = _without_types(signature.replace(parameters=list(signature.parameters.values())[1:]))
            raise UnsupportedOp(
                f"{name}: {error} ({self.place()}); supported: {name}{known}\n"
                f"  to add it: the record of {name} in {home_of(name)}"
            ) from None
        return op.lower(self, *args, **options)

    def apply(self, name: str, *args: Any, **options: Any) -> Traced:
        """An elementwise function by its NumPy name."""
        arrays = [self.lift(a) for a in args]
        if all(x.dtype == BOOL for x in arrays):
            name = OF_TRUTH_VALUES.get(name, name)
        op = op_of_numpy(name)
        if op is None:
            raise self.unknown(name)
        if options:
            raise self.unsupported(name, ", ".join(f"{k}={v!r}" for k, v in options.items()), "no options")
        if len(arrays) != op.arity:
            raise TraceError(f"{name} takes {op.arity} arrays; {len(arrays)} were given ({self.place()})")
        dtype = self.result_dtype(name, arrays)
        if all(x.dtype != FLOAT for x in arrays):
            arrays = [self.whole(x) for x in arrays]
        return self.elementwise(op.make, arrays, op.name, dtype)

    def result_dtype(self, name: str, arrays: Sequence[Traced]) -> np.dtype[Any]:
        """What NumPy's promotion makes of the operands: bool, int64 or float64."""
        library, _, function = name.rpartition(".")
        ufunc = getattr(np, function, None) if library == "numpy" else None
        if not isinstance(ufunc, np.ufunc):
            return FLOAT
        try:
            found = ufunc.resolve_dtypes((*(x.dtype for x in arrays), *(None,) * ufunc.nout))[-1]
        except TypeError as error:
            raise TraceError(f"{error} ({self.place()})") from None
        return {"b": BOOL, "i": INT, "u": INT}.get(found.kind, FLOAT)

    def primitive(
        self, name: str, operands: Sequence[Any], parameters: Sequence[Any] = (), columns: bool = False
    ) -> list[Traced]:
        """The results of a linear-algebra primitive."""
        return apply_primitive(self, name, operands, parameters, columns)

    def facts_of(self, x: Traced) -> frozenset[str]:
        """What is known about a matrix, or a stack of them."""
        return matrix_facts(self, x)

    def stored(self, x: Traced, *facts: str) -> Traced:
        """`x` as an equation of its own, about which `facts` are known."""
        return store(self, x.axes, x.entry, "whole", frozenset(facts))

    def getitem(self, x: Traced, key: Any) -> Traced:
        """``x[key]``."""
        return getitem(self, self.lift(x), key)

    def reshape(self, x: Traced, shape: tuple[Any, ...]) -> Traced:
        """``x.reshape(shape)``."""
        return reshape(self, x, shape)

    # -- axes

    def axis(self, x: Traced, axis: Any) -> int:
        """An axis of `x`, counted from the end if negative."""
        if isinstance(axis, bool) or not isinstance(axis, int | np.integer) or not -x.rank <= axis < x.rank:
            raise ShapeError(f"there is no axis {axis!r} in {x}, which has {x.rank} axes ({self.place()})")
        return int(axis) % x.rank

    def axes_of(self, x: Traced, axis: Any) -> tuple[int, ...]:
        """The axes that an ``axis=`` argument names, None meaning all."""
        if axis is None:
            return tuple(range(x.rank))
        chosen = tuple(self.axis(x, a) for a in (axis if isinstance(axis, tuple | list) else (axis,)))
        if len(set(chosen)) < len(chosen):
            raise ShapeError(f"axis={axis!r} names an axis of {x} twice ({self.place()})")
        return chosen

    def squeeze(self, x: Traced, chosen: Iterable[int]) -> Traced:
        """`x` without these axes, which have extent 1."""
        chosen = set(chosen)
        for p in chosen:
            self.unify(x.extents[p], S.One, "squeeze", (x, p))
        at = tuple(S.Zero if p in chosen else i for p, i in enumerate(x.axes))
        return x.through(tuple(i for p, i in enumerate(x.axes) if p not in chosen), x.at(at))

    # -- branches

    def decide(self, x: Traced) -> bool:
        """The truth of a condition on sizes; see `branches.decide`."""
        return decide(self, x)

    def needs_size(self, what: str, expression: Any) -> NeedsSize:
        """The error for code that needs the number of a size; it names every size that this one was unified with."""
        symbols = {s for s in self.resolve(expression).free_symbols if s.is_Symbol}
        equal = {s for s in self.sizes.same if symbols & self.resolve(s).free_symbols}
        names = " and ".join(sorted(map(str, symbols)))
        return NeedsSize(
            f"{what} needs a number for {names}\n  in {self.line()}\n"
            "  try: whole-array operations, or declare the size as an integer",
            symbols | equal,
            self.line(),
        )


def _without_types(signature: inspect.Signature) -> str:
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty))
