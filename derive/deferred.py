"""Functions that are traced when they are called: their shapes, or numbers for some of their sizes, are not known before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from .errors import DeriveError, NeedsSize, ShapeError, UnknownName, closest
from .frontends.inline import tracing
from .function import CompiledFunction, Function
from .ir.sizes import solve_sizes
from .structure import is_array, mapped

Args = tuple[Any, ...]
Specialise = Callable[[Args, Mapping[str, Any]], Function]
SHAPE = attrgetter("shape", "dtype")
REMEMBERED = 4096  # sets of shapes for which a kernel need not be looked up among programs


class Deferred:
    """A function whose shapes were not given: it is traced when first called, once for each set of ranks.

    `parameters` are the names of its first arguments.
    """

    def __init__(self, name: str, specialise: Specialise, parameters: Iterable[str] = ()) -> None:
        self.name, self.specialise, self.parameters = name, specialise, tuple(parameters)
        self.last: Function | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these arguments if they are new, then run."""
        self.last = self.specialise(args, kwargs)
        return self.last(*args, **kwargs)

    def over(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these dask arrays if they are new, then run chunk by chunk; see `Function.over`."""
        self.last = self.specialise(tuple(map(_shape_alone, args)), {n: _shape_alone(x) for n, x in kwargs.items()})
        return self.last.over(*args, **kwargs)

    def then(self, transform: Callable[[Function], Function]) -> Deferred:
        """A further derivative, deferred as well."""
        return Deferred(self.name, after(self.specialise, transform), self.parameters)

    @property
    def latest(self) -> Function:
        """What was traced last.

        Raises:
            DeriveError: nothing was.
        """
        if self.last is None:
            raise DeriveError(self._unknown("program"))
        return self.last

    def compile(self, dtype: Any = np.float64, parallel: bool = False) -> DeferredKernel:
        """A kernel that is compiled when first called, once for each program; see `Function.compile`."""
        return DeferredKernel(self, dtype, parallel)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        if self.last is None:
            raise DeriveError(self._unknown(attribute))
        return getattr(self.last, attribute)

    def _unknown(self, attribute: str) -> str:
        return (
            f"the shapes of {self.name}() are not known yet, so it has no {attribute!r}; "
            f'try: dv.trace({self.name}, X="n m", ...), or call it once'
        )

    def __str__(self) -> str:
        if self.last is not None:
            return str(self.last)
        return f"{self.name}(...): shapes unknown until the first call"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class PerSize(Deferred):
    """A function whose code needs numbers for some of its sizes: it is traced once for each value of these.

    All other sizes stay symbolic. `needs` says for each such size the line of code that needs it, `traced` holds what
    was traced by now, by values.
    """

    def __init__(self, declared: Function, build: Callable[[dict[str, int]], Function], needs: dict[str, str]) -> None:
        super().__init__(declared.name, self._for_call, declared.signature)
        self.declared, self.build, self.needs = declared, build, needs
        self.traced: dict[tuple[tuple[str, int], ...], Function] = {}

    def at(self, **sizes: int) -> Function:
        """The function for these values of the sizes that it needs.

        Raises:
            UnknownName: a size is missing, or none of those that the function needs.
            ShapeError: a value is no positive integer.
        """
        if wrong := [name for name in sizes if name not in self.needs]:
            raise UnknownName(f"{self.name}() needs no number for {wrong[0]!r}; {closest(wrong[0], self.needs)}")
        if missing := [name for name in self.needs if name not in sizes]:
            raise UnknownName(f"{self._why()}\n  missing: {', '.join(missing)}; try: {self._example(sizes)}")
        for name, value in sizes.items():
            if not isinstance(value, int | np.integer) or value < 1:
                raise ShapeError(f"{name} is a size of {self.name}(): a positive integer was expected, not {value!r}")
        key = tuple((name, int(sizes[name])) for name in self.needs)
        self.last = self.traced.get(key)
        if self.last is None:
            try:
                self.last = self.build(dict(key))
            except NeedsSize as more:
                self.learn(more)
                return self.at(**sizes)
            if self.last.captured is None:
                self.traced[key] = self.last
        return self.last

    def learn(self, error: NeedsSize) -> None:
        """Note the sizes that an error asks for.

        Raises:
            NeedsSize: they are none of those that were declared.
        """
        new = {str(s): error.reason for s in self.declared.program.sizes if s in error.sizes}
        if new.keys() <= self.needs.keys():
            raise error
        self.needs.update(new)

    def _for_call(self, args: Args, kwargs: Mapping[str, Any]) -> Function:
        """For the shapes of these arguments; further sizes turn out to be needed on the way."""
        if (trace := tracing((*args, *kwargs.values()))) is not None:
            return self._for_trace(trace, args, kwargs)
        inputs = self.declared.signature
        own = {name: value for name, value in kwargs.items() if name in inputs}
        arrays = self.declared.bind(args[: len(inputs) - len(own)], own)
        return self._where({str(symbol): n for symbol, n in solve_sizes(self.declared.program, arrays).items()})

    def _where(self, known: Mapping[str, int]) -> Function:
        """For known sizes, of which it turns out on the way how many are needed."""
        while True:
            needed = {name: known[name] for name in self.needs}
            try:
                return self.at(**needed)
            except UnknownName:
                if needed.keys() == self.needs.keys():
                    raise

    def _for_trace(self, trace: Any, args: Args, kwargs: Mapping[str, Any]) -> Function:
        """For traced arrays, whose sizes the trace may know as numbers.

        Raises:
            NeedsSize: it does not.
        """
        inputs = self.declared.signature
        own = {name: value for name, value in kwargs.items() if name in inputs}
        arrays = self.declared.flatten(args[: len(inputs) - len(own)], own)
        extents = {
            str(extent): found
            for tensor, array in zip(self.declared.program.inputs, arrays, strict=True)
            for extent, found in zip(tensor.shape, trace.lift(array).extents, strict=False)
        }
        return self._where(_Numbers(trace, self.name, extents))

    def then(self, transform: Callable[[Function], Function]) -> PerSize:
        """A further derivative, for the same sizes."""
        return PerSize(self.declared, lambda sizes: transform(self.at(**sizes)), self.needs)

    @property
    def latest(self) -> Function:
        """What was traced last; if nothing was, the function for the sizes 3, 4, 5, ..."""
        while self.last is None:
            needed = {name: number for number, name in enumerate(self.needs, start=3)}
            try:
                self.at(**needed)
            except UnknownName:
                if needed.keys() == self.needs.keys():
                    raise
        return self.last

    def emit(self, target: str) -> str:
        """Code has no room for a choice of programs: see `at`.

        Raises:
            DeriveError: always.
        """
        raise DeriveError(f"{self._why()}\n  try: {self._example({})}.emit({target!r}), for the value that you want")

    def _unknown(self, attribute: str) -> str:
        return f"{self._why()}\n  so it has no {attribute!r} yet; try: {self._example({})}.{attribute}, or call it once"

    def _why(self) -> str:
        return f"{self.name}() is {reason(self.needs)}"

    def _example(self, given: Mapping[str, int]) -> str:
        values = ", ".join(f"{name}={given.get(name, place)}" for place, name in enumerate(self.needs, start=5))
        return f"f.at({values})"

    def __str__(self) -> str:
        if self.last is None:
            return f"{self._why()}\n  not traced yet; try: {self._example({})}, or call it"
        return str(self.last)


def reason(needs: Mapping[str, str]) -> str:
    """``traced once for each value of n, which is needed in f(): for k in range(n):   (model.py:12)``"""
    lines = "".join(f"\n  in {line}" for line in dict.fromkeys(needs.values()))
    return f"traced once for each value of {' and '.join(needs)}, which its code needs as a number{lines}"


class _Numbers(Mapping[str, int]):
    """Sizes of traced arrays as numbers; to ask for one that is none makes the caller ask for it."""

    def __init__(self, trace: Any, name: str, extents: Mapping[str, Any]) -> None:
        self.trace, self.name, self.extents = trace, name, extents

    def __getitem__(self, size: str) -> int:
        if not self.extents[size].is_Integer:
            raise self.trace.needs_size(f"{self.name}()", self.extents[size])
        return int(self.extents[size])

    def __iter__(self) -> Iterator[str]:
        return iter(self.extents)

    def __len__(self) -> int:
        return len(self.extents)


class DeferredKernel:
    """The kernels of a deferred function."""

    def __init__(self, deferred: Deferred, dtype: Any, parallel: bool) -> None:
        self.deferred, self.dtype, self.parallel = deferred, dtype, parallel
        self._known: dict[Any, CompiledFunction] = {}

    def of(self, *args: Any, **kwargs: Any) -> CompiledFunction:
        """The kernel that is called for these arguments."""
        self.deferred.last = self.deferred.specialise(args, kwargs)
        return self.deferred.last.compile(self.dtype, self.parallel)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Trace and compile for these arguments if they are new, then run."""
        if kwargs or not all([type(value) is np.ndarray for value in args]):
            return self.of(*args, **kwargs)(*args, **kwargs)
        key = tuple(map(SHAPE, args))
        kernel = self._known.get(key)
        if kernel is None:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            kernel = self._known[key] = self.of(*args)
        self.deferred.last = kernel.function
        return kernel(*args)

    def over(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these dask arrays if they are new, then run kernels chunk by chunk; see `Function.over`."""
        self.deferred.last = self.deferred.specialise(
            tuple(map(_shape_alone, args)), {n: _shape_alone(x) for n, x in kwargs.items()}
        )
        return self.deferred.last.compile(self.dtype, self.parallel).over(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return getattr(self.latest, attribute)

    @property
    def latest(self) -> CompiledFunction:
        """The kernel of what was traced last."""
        return self.deferred.latest.compile(self.dtype, self.parallel)


def _shape_alone(value: Any) -> Any:
    """A dask array as an array of its shape and dtype that takes no memory; anything else as it is."""

    def change(_: str, leaf: Any) -> Any:
        lazy = is_array(leaf) and hasattr(leaf, "dask")
        return np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape) if lazy else leaf

    return mapped(value, change)


def after(specialise: Specialise, transform: Callable[[Function], Function]) -> Specialise:
    """First `specialise`, then `transform`, once for each function."""
    cache: dict[int, tuple[Function, Function]] = {}

    def both(args: Args, kwargs: Mapping[str, Any]) -> Function:
        base = specialise(args, kwargs)
        if id(base) not in cache:
            cache[id(base)] = (base, transform(base))
        return cache[id(base)][1]

    return both
