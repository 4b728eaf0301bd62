"""`scan`: a loop over time with a symbolic number of steps; while a function is traced it becomes a recurrence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from sympy import Eq, Expr, S

from ..errors import ShapeError, TraceError
from ..ir.nodes import Entry, Equation, Index, Read, Step, Tensor, Where, size, substitute
from .trace import Trace
from .traced import Traced

StepFunction = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    step: StepFunction, init: Any, xs: Any = None, length: Any = None, reverse: bool = False
) -> tuple[Any, Any]:
    """``carry = init; for x in xs: carry, y = step(carry, x)``, as `jax.lax.scan` has it.

    On NumPy arrays it is that loop; in a traced function it is a recurrence whose number of steps stays symbolic,
    and whose derivative is the recurrence that runs the other way.

    Args:
        step: ``(carry, x) -> (carry, y)``; the carry keeps its shape. It runs once while a function is traced.
        init: the first carry: an array, or tuples, lists and dicts of arrays; so are x and y.
        xs: arrays that are read along their first axis, one entry for each step.
        length: the number of steps where there are no `xs`: an int, a size (``x.shape[0]``) or the name of one.
        reverse: begin with the last entry of `xs`; y stands where its x stood.

    Returns:
        The last carry, and all y along a new first axis.

    Raises:
        ShapeError: the first axes of `xs` disagree, or the step changes the shape of the carry.
        TraceError: there is nothing to tell the number of steps by.

    Example:
        >>> scan(lambda total, x: (total + x, total), 0, np.array([1, 2, 3]))
        (np.int64(6), array([0, 1, 3]))
    """
    trace = _trace_of(init, xs, length)
    if trace is None:
        return _run(step, init, xs, length, reverse)
    return _Scan(trace, step, init, xs, length, reverse).run()


def _trace_of(*values: Any) -> Trace | None:
    owners = (leaf.owner.innermost() for value in values for leaf in leaves(value) if isinstance(leaf, Traced))
    return next(owners, None) or (Trace.active[-1] if Trace.active else None)


# -- numbers


def _run(step: StepFunction, carry: Any, xs: Any, length: Any, reverse: bool) -> tuple[Any, Any]:
    arrays = mapped(xs, np.asarray)
    counts = {np.shape(a)[:1] for a in leaves(arrays)} | ({(int(length),)} if length is not None else set())
    if len(counts) != 1 or counts == {()}:
        found = ", ".join(str(np.shape(a)) for a in leaves(arrays)) or "no arrays"
        raise ShapeError(f"the number of steps is not the same in length={length} and xs: {found}")
    ((count,),) = counts
    order = range(count)[::-1] if reverse else range(count)
    results = {}
    for p in order:
        carry, results[p] = step(carry, mapped(arrays, itemgetter(p)))
    if not results:
        raise ShapeError("a scan over no steps has no results; its first axis has length 0")
    columns = zip(*(list(leaves(results[p])) for p in range(count)), strict=True)
    return carry, refilled(results[0], [np.stack([np.asarray(v) for v in column]) for column in columns])


# -- recurrences


@dataclass
class _State:
    """One array of the carry: ``tensor[.., s, ..]`` is its value before step s; what it is in the first place."""

    tensor: Tensor
    initial: Traced


class _Scan:
    def __init__(
        self, trace: Trace, step: StepFunction, init: Any, xs: Any, length: Any, reverse: bool
    ) -> None:
        self.trace, self.step, self.reverse = trace, step, reverse
        self.init, self.xs = mapped(init, trace.lift), mapped(xs, trace.lift)
        self.count = self._count(length)

    def _count(self, length: Any) -> Expr:
        found: Expr | None = None
        if length is not None:
            found = size(length) if isinstance(length, str) else self.trace.extent(length)
        for x in leaves(self.xs):
            if not x.axes:
                raise ShapeError(f"scan reads along the first axis, and {x} has none ({self.trace.place()})")
            extent = x.extents[0]
            found = extent if found is None else self.trace.unify(found, extent, "scan", (x, 0))
        if found is None:
            raise TraceError(f"scan needs xs or length= to know the number of steps ({self.trace.place()})")
        return found

    def run(self) -> tuple[Any, Any]:
        if self.count == 1:
            return self._once()
        self.time, self.start = self.trace.enter(self.count), len(self.trace.equations)
        try:
            states = [_State(self._tensor(c), c) for c in leaves(self.init)]
            self.trace.states |= {state.tensor for state in states}
            carry = refilled(self.init, map(self._before, states))
            new, ys = self._result(self.step(carry, mapped(self.xs, self._slice)))
            for state, value in zip(states, new, strict=True):
                self._advance(state, self.trace.current(value))
            last = refilled(self.init, map(self._last, states))
            return last, mapped(ys, self._along)
        finally:
            self.trace.leave()

    def _once(self) -> tuple[Any, Any]:
        carry, ys = self.step(self.init, mapped(self.xs, lambda x: x[0]))
        return carry, mapped(ys, lambda y: self.trace.lift(y)[None])

    def _tensor(self, initial: Traced) -> Tensor:
        outer = [i.extent for i in self.trace.ambient[:-1]]
        shape = [e for e in initial.extents if e != 1]
        state = Tensor(self.trace.temporary(), (*outer, self.count + 1, *shape))
        self.trace.leading[state.name] = len(self.trace.ambient)
        return state

    def _before(self, state: _State) -> Traced:
        """The carry that the step is given."""
        axes = self.trace.indices(state.initial)
        return self.trace.view(axes, self._read(state, self.time + int(self.reverse), axes))

    def _read(self, state: _State, place: Expr, axes: tuple[Index, ...]) -> Read:
        outer = self.trace.ambient[:-1]
        return Read(state.tensor, (*outer, place, *(i for i in axes if i.extent != 1)))

    def _slice(self, x: Traced) -> Traced:
        axes = self.trace.indices(x)
        return x.through(axes[1:], x.at((self.time, *axes[1:])))

    def _result(self, result: Any) -> tuple[list[Traced], Any]:
        """The new carry, its arrays in the order of the old one, and y."""
        if not isinstance(result, tuple) or len(result) != 2:
            raise TraceError(
                f"the step of scan must return (carry, y); found {type(result).__name__} ({self.trace.place()}); "
                "try: return carry, None"
            )
        carry, y = result
        old, new = likeness(self.init), likeness(carry)
        if old != new:
            raise TraceError(
                f"scan began with a carry {old}, and its step returned {new} ({self.trace.place()})"
            )
        return [self.trace.lift(c) for c in leaves(carry)], mapped(y, self.trace.lift)

    def _advance(self, state: _State, value: Traced) -> None:
        """Define the state: its initial value, then what the step made of the one before."""
        trace, initial = self.trace, state.initial
        if value.rank != initial.rank:
            raise ShapeError(
                f"scan began with a carry of shape {_shape(initial)}, and its step made it {_shape(value)} "
                f"({trace.place()}); try: an initial value of that shape"
            )
        for p, (a, b) in enumerate(zip(initial.extents, value.extents, strict=True)):
            trace.unify(a, b, "the carry of scan before and after a step", (initial, p), (value, p))
        axes = trace.indices(initial)
        new, where = self._adopted(state, trace.broadcast_entry(value, axes), axes)
        s = Index(self.time.name, self.count + 1)
        first, before = (self.count, s) if self.reverse else (S.Zero, s - 1)
        body = Where(Eq(s, first), trace.broadcast_entry(initial, axes), substitute(new, {self.time: before}))
        lhs = substitute(self._read(state, self.time, axes), {self.time: s})
        trace.equations.append(
            Equation(state.tensor, lhs.indices, body, step=Step("recurrence", where=where))
        )

    def _adopted(self, state: _State, entry: Expr, axes: tuple[Index, ...]) -> tuple[Expr, str]:
        """The new value; where it has an equation of its own, the state takes its place, one step later."""
        trace = self.trace
        whole = self._read(state, self.time, axes).indices
        made = next(
            (
                e
                for e in trace.equations[self.start :]
                if isinstance(entry, Read) and e.target == entry.tensor
            ),
            None,
        )
        if (
            made is None
            or made.reduce
            or isinstance(made.body, Entry)
            or made.target in trace.states
            or entry.indices != whole
        ):
            return entry, trace.user.where()
        trace.adopt(made, state.tensor, len(trace.ambient) - 1, 0 if self.reverse else 1)
        return substitute(made.body, dict(zip(made.axes, whole, strict=True))), made.step.where

    def _last(self, state: _State) -> Traced:
        axes = self.trace.indices(state.initial)
        return self.trace.view(axes, self._read(state, S.Zero if self.reverse else self.count, axes))

    def _along(self, y: Traced) -> Traced:
        """What every step returned, along a new first axis."""
        y = self.trace.current(y)
        axes = self.trace.fresh([self.count, *y.extents])
        return y.through(axes, substitute(y.entry, dict(zip((self.time, *y.axes), axes, strict=True))))


def _shape(x: Traced) -> str:
    return f"({', '.join(map(str, x.extents))})"


# -- arrays in tuples, lists and dicts


def leaves(value: Any) -> Iterator[Any]:
    """The arrays, from left to right."""
    if isinstance(value, dict | tuple | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    elif value is not None:
        yield value


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same containers with something else for each array."""
    if isinstance(value, dict):
        return {key: mapped(part, change) for key, part in value.items()}
    if isinstance(value, tuple | list):
        parts = [mapped(part, change) for part in value]
        return value._make(parts) if hasattr(value, "_make") else type(value)(parts)
    return None if value is None else change(value)


def refilled(value: Any, arrays: Iterable[Any]) -> Any:
    """The same containers with these arrays, from left to right."""
    given = iter(list(arrays))
    return mapped(value, lambda _: next(given))


def likeness(value: Any) -> str:
    """The containers in words: ``(array, {h: array})``."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {likeness(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(likeness, value)) + ")"
    return "nothing" if value is None else "array"
