"""A `Function`: a program with the names and structure that a caller sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .emit.emit import emit_source
from .emit.target import EmitRequest
from .errors import DeriveError, DomainError, ShapeError, UnknownName, closest
from .ir.evaluate import evaluate
from .ir.nodes import Program
from .kernels.compile import compile_program
from .kernels.kernel import Kernel
from .pairs import forward_and_backward, with_saved
from .render.index import render_index
from .render.latex import render_latex
from .render.matrix import render_matrix, render_parts
from .render.steps import explain
from .rewrite.derived import constrained, names_of, present

Kind = Literal["grad", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp"]
Structure = int | tuple[Any, ...]


@dataclass(frozen=True)
class Origin:
    """How a derived function came to be: which derivative, of what, with respect to which inputs."""

    kind: Kind
    base: Function
    wrt: tuple[str, ...]
    seeds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A derivation that can be called, read, explained, compiled and emitted.

    name: of the user's function.
    program: its equations.
    structure: how the outputs are returned: 0 for one array, ``(0, 1)`` for a tuple, ``(0, (1, 2))`` nested.
    forward: names of the equations of the forward pass within `program`; the rest is derived.
    origin: None for a traced function.
    source: file and line of the user's function.
    """

    name: str
    program: Program
    structure: Structure = 0
    forward: frozenset[str] = frozenset()
    origin: Origin | None = None
    source: str = ""
    _kernels: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of positional arguments."""
        return tuple(t.name for t in self.program.inputs)

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(t.name for t in self.program.outputs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the reference interpreter in float64.

        Args:
            args, kwargs: arrays for `inputs`, by position or name; integers are promoted, never truncated.

        Raises:
            ShapeError: a rank or an axis does not fit; the axis is named.
            UnknownName: an argument is missing or unknown.
            DomainError: a complex input, or an index out of its range.
        """
        values = evaluate(self.presented, self.bind(args, kwargs))
        return self.pack([values[name][()] for name in self.outputs])

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as arrays by name, in the kinds that the inputs were declared to have."""
        if len(args) > len(self.inputs):
            raise UnknownName(
                f"{self.name}() takes {len(self.inputs)} arrays ({', '.join(self.inputs)}); {len(args)} were given"
            )
        given: dict[str, Any] = dict(zip(self.inputs, args, strict=False))
        for name, value in kwargs.items():
            if name not in self.inputs:
                raise UnknownName(f"{self.name}() has no input {name!r}; {closest(name, self.inputs)}")
            if name in given:
                raise UnknownName(f"{self.name}() got {name!r} twice: by position and by name")
            given[name] = value
        if missing := [name for name in self.inputs if name not in given]:
            raise UnknownName(f"{self.name}() needs {', '.join(self.inputs)}; missing: {', '.join(missing)}")
        return {t.name: as_input(t.name, t.kind, given[t.name]) for t in self.program.inputs}

    def pack(self, values: list[Any]) -> Any:
        """A flat list of outputs in the structure that the caller expects."""

        def build(structure: Structure) -> Any:
            return values[structure] if isinstance(structure, int) else tuple(build(s) for s in structure)

        return build(self.structure)

    # -- reading

    def __str__(self) -> str:
        return "\n".join(render_matrix(self.presented, self.forward))

    def matrix(self) -> str:
        """Matrix notation where it exists, index notation elsewhere."""
        return str(self)

    def index(self) -> str:
        """Index notation for every equation."""
        return "\n".join(render_index(self.presented))

    def latex(self, style: Literal["matrix", "index"] = "matrix") -> str:
        """An aligned block of LaTeX."""
        return render_latex(self.presented, self.forward, style=style)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def explain(self, format: Literal["text", "latex", "html"] = "text") -> str:
        """The derivation step by step, each with the rule that made it and the user's line."""
        return explain(
            self.presented,
            self.forward,
            format=format,
            base=self.origin.base.program if self.origin else None,
        )

    # -- using

    def compile(self, dtype: Any = np.float64, parallel: bool = False) -> CompiledFunction:
        """A Numba kernel, cached on disk by its content.

        Args:
            dtype: float64 or float32; everything is computed in it.
            parallel: use several threads.
        """
        key = (np.dtype(dtype).name, parallel)
        if key not in self._kernels:
            kernel = compile_program(
                self.presented, self.name, dtype=np.dtype(dtype).type, parallel=parallel, single=False
            )
            self._kernels[key] = CompiledFunction(self, kernel)
        return self._kernels[key]

    def emit(self, target: str) -> str:
        """Complete source for ``"numpy"``, ``"numba"``, ``"torch"`` or ``"jax"``: forward, backward and a test.

        For a traced function the backward pass with respect to every real input is derived and emitted with it;
        for a ``grad``, ``value_and_grad`` or ``vjp`` that of its base, for its ``wrt``; other derivatives are
        emitted as plain functions.
        """
        return emit_source(self.request(), target)

    def request(self) -> EmitRequest:
        """What `emit` asks a target to write."""
        kind = self.origin.kind if self.origin else "function"
        base = self.origin.base if self.origin else self
        wrt = (
            self.origin.wrt if self.origin else tuple(t.name for t in self.program.inputs if t.kind == "real")
        )
        if kind not in ("function", "grad", "value_and_grad", "vjp") or not wrt:
            lines = tuple(render_matrix(self.presented, self.forward))
            return EmitRequest(
                self.name,
                self.presented,
                formulas=lines,
                outputs_single=self.structure == 0,
                source=self.source,
            )
        forward, backward, seeds = forward_and_backward(base.program, wrt)
        lines = tuple(line for part in board(forward, backward) for line in part)
        return EmitRequest(base.name, forward, backward, wrt, seeds, base.structure == 0, lines, base.source)

    @cached_property
    def presented(self) -> Program:
        """The program as it is run, printed and written out: a traced one with its passing values inlined, a derived
        one with the constraints that inputs were declared to satisfy. Further derivatives are taken of `program`."""
        return constrained(self.program, self.forward) if self.origin else present(self.program)


def board(forward: Program, backward: Program) -> tuple[list[str], list[str]]:
    """The lines of a forward pass with what its backward pass reads, and those of the backward pass."""
    ahead = names_of(forward)
    return render_matrix(with_saved(forward, backward), ahead), render_parts(backward, ahead)[1]


class CompiledFunction:
    """A compiled `Function`: the same call, run by a Numba kernel."""

    def __init__(self, function: Function, kernel: Kernel) -> None:
        self.function, self.kernel = function, kernel
        self._flat = function.structure == tuple(range(len(function.outputs)))
        self._one = function.structure == 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel on arrays, by position or name; errors as in `Function.__call__`."""
        values = self.kernel(*args, **kwargs)
        if self._one:
            return values[0]
        return values if self._flat else self.function.pack(list(values))

    @property
    def source(self) -> str:
        """The generated Numba source."""
        return self.kernel.source

    def __repr__(self) -> str:
        return f"<kernel {self.function.name}({', '.join(self.function.inputs)}) in {np.dtype(self.kernel.dtype).name}>"


def as_input(name: str, kind: str, value: Any) -> Any:
    """An input as an array of its kind.

    Raises:
        DomainError: complex numbers, or fractions where integers were declared.
    """
    array = np.asarray(value)
    if array.dtype.kind == "c":
        raise DomainError(
            f"{name} is complex ({array.dtype}); only real inputs are defined; try: pass its real and imaginary parts"
        )
    if array.dtype.kind not in "fiub":
        raise DomainError(f"{name} has dtype {array.dtype}; numbers were expected")
    if kind == "real":
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    if array.dtype.kind == "f":
        if not np.array_equal(array, np.floor(array)):
            raise DomainError(
                f"{name} was declared {kind} but holds fractions, such as {array.ravel()[np.argmax(array.ravel() % 1 != 0)]}"
            )
        array = array.astype(np.int64)
    return array


class Deferred:
    """A function whose shapes were not given: it is traced when first called, once for each set of ranks."""

    def __init__(
        self, name: str, specialise: Callable[[tuple[Any, ...], Mapping[str, Any]], Function]
    ) -> None:
        self.name, self.specialise = name, specialise
        self.last: Function | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these ranks if they are new, then run."""
        self.last = self.specialise(args, kwargs)
        return self.last(*args, **kwargs)

    def then(self, transform: Callable[[Function], Function]) -> Deferred:
        """A further derivative, deferred as well."""
        cache: dict[int, tuple[Function, Function]] = {}

        def specialise(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Function:
            base = self.specialise(args, kwargs)
            if id(base) not in cache:
                cache[id(base)] = (base, transform(base))
            return cache[id(base)][1]

        return Deferred(self.name, specialise)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        if self.last is None:
            raise DeriveError(
                f"the shapes of {self.name}() are not known yet, so it has no {attribute!r}; "
                f'try: dv.trace({self.name}, X="n m", ...), or call it once'
            )
        return getattr(self.last, attribute)

    def __str__(self) -> str:
        return (
            str(self.last)
            if self.last is not None
            else f"{self.name}(...): shapes unknown until the first call"
        )


__all__ = ["CompiledFunction", "Deferred", "Function", "Origin", "ShapeError", "as_input"]
