"""Names for what a trace made: from the user's local variables, else a letter; and the sizes it found to be equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sympy

from ..ir.nodes import Index, Program, Read, Step, Tensor, indices_of, size
from ..ir.tensors import resized, with_tensors
from ..ops.linalg import symbol_of
from .extents import SPARE
from .trace import Callee, Trace
from .traced import Traced
from .words import TEMPORARY

RESERVED = {"np", "math", "torch", "jnp", "jax", "ctx", "numba", "njit", "prange", "expit", "erf", "lambda"}
"""Names that emitted code needs for itself."""
LETTERS = {True: "ZUVTRSQPHGFDCBAKLMNO", False: "zuvtrsqphgfdcbaklmno"}


class Names:
    """The names of one traced program; no two things are called the same."""

    def __init__(self, trace: Trace, inputs: Mapping[str, Tensor], paths: Iterable[str] = ()) -> None:
        self.trace, self.inputs = trace, inputs
        self.taken = {*inputs, *RESERVED, *sizes_of(inputs.values()), *(t.name for t in trace.times)}
        self.paths = set(paths) - self.taken
        self.taken |= self.paths
        self.tensors: dict[str, str] = {}
        self.returned: set[str] = set()
        self.unspoken: set[str] = set()
        for local, value in trace.user.variables():
            if isinstance(value, Traced) and value.owner is trace:
                self._from_local(local, value)

    def _from_local(self, local: str, value: Traced) -> None:
        entry = self.trace.current(value).entry
        if isinstance(entry, Read):
            tensor = entry.tensor
            if tensor.name not in self.tensors and is_temporary(entry, value.axes):
                self.tensors[tensor.name] = self.free(local)
        elif not value.axes:
            self._name_size(self.trace.resolve(entry), local)

    def _name_size(self, extent: Any, wanted: str) -> None:
        if extent in self.trace.sizes.new:
            self.trace.sizes.same[extent] = size(self.free(wanted))
            self.trace.sizes.new.remove(extent)

    def name_sizes(self) -> None:
        """Letters for the sizes that splitting an axis made and no variable holds."""
        for part in list(self.trace.sizes.new):
            self._name_size(part, next((c for c in SPARE if c not in self.taken), SPARE[0]))

    def free(self, name: str) -> str:
        """`name`, or with the first number that makes it new."""
        candidate, count = name, 2
        while candidate in self.taken:
            candidate, count = f"{name}{count}", count + 1
        self.taken.add(candidate)
        return candidate

    def output(self, tensor: Tensor, wanted: str = "", by_path: bool = False) -> None:
        """Note an output. One with a path is called by it; of the others one that no variable holds is called Y."""
        self.returned.add(tensor.name)
        if by_path:
            free = wanted in self.paths
            self.paths.discard(wanted)
            self.tensors[tensor.name] = wanted if free else self.free(wanted)
        elif tensor.name not in self.tensors and tensor.name in self.trace.called:
            self.tensors[tensor.name] = self.free(self.trace.called[tensor.name].name)
        elif tensor.name not in self.tensors:
            single = "L" if tensor.rank == 0 and "Y" in self.taken else "Y"
            self.tensors[tensor.name] = self.free(wanted or single)
            if not wanted:
                self.unspoken.add(tensor.name)

    def put(self, program: Program) -> Program:
        """The program with its temporaries named.

        Those without a name get a letter by their rank, what goes into a function first: ``Z = X W + b`` in tanh(Z).
        """
        mapping: dict[Tensor, Tensor] = {}
        into_functions = {r.tensor for e in program.equations if e.body.has(sympy.Function) for r in e.reads}
        for equation in sorted(program.equations, key=lambda e: e.target not in into_functions):
            old = equation.target
            name = self.tensors.get(old.name)
            if name is None and old.name in self.trace.called:
                name = self.free(self.trace.called[old.name].name)
            if name is None:
                matrix = old.rank - self.trace.leading.get(old.name, 0) > 1
                wanted = (*symbol_of(equation.body), *LETTERS[matrix])
                name = self.free(next((c for c in wanted if c not in self.taken), "T" if matrix else "t"))
            mapping[old] = replace(old, name=name)
        named = with_tensors(program, mapping)
        steps = (
            replace(e, step=self._named(e.step, old.target.name))
            for e, old in zip(named.equations, program.equations, strict=True)
        )
        return replace(named, equations=tuple(steps))

    def _named(self, step: Step, temporary: str) -> Step:
        named = temporary in self.tensors or self.trace.called.get(temporary, Callee()).named
        return replace(step, named=named, default=temporary in self.unspoken)


def is_temporary(entry: Any, axes: Iterable[Index]) -> bool:
    """Whether an entry over these axes is the whole of a tensor that has no name yet, or of one step of it.

    Axes of extent 1 are not its own.
    """
    axes = tuple(axes)
    own = tuple(i for i in axes if i.extent != 1)
    if not isinstance(entry, Read) or not entry.tensor.name.startswith(TEMPORARY):
        return False
    times = len(entry.indices) - len(own)
    return (
        entry.indices[times:] == own
        and entry.tensor.shape[times:] == tuple(i.extent for i in own)
        and all((inner := indices_of(place)) and inner.isdisjoint(axes) for place in entry.indices[:times])
    )


def sizes_of(tensors: Iterable[Tensor]) -> set[str]:
    """The names of the sizes that these tensors are declared with."""
    extents = [e for t in tensors for e in (*t.shape, *(() if t.bound is None else (t.bound,)))]
    return {str(s) for e in extents for s in e.free_symbols}


def resize(program: Program, trace: Trace) -> Program:
    """Put the sizes that the trace found to be equal everywhere."""
    return resized(program, {s: trace.resolve(s) for s in trace.sizes.same})
