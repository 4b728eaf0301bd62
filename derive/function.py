"""A `Function`: a program with the names and structure that a caller sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .calculus.batched import batched
from .calculus.slopes import has_slopes, stable_slopes
from .chunked.over import over
from .chunked.task import Runner
from .emit.emit import emit_source
from .emit.target import EmitRequest, Nested
from .errors import DomainError, ShapeError, TraceError, UnknownName, closest
from .frontends.captured import Captured
from .frontends.inline import inline, tracing
from .ir.evaluate import evaluate
from .ir.nodes import Program, size
from .kernels.compile import compile_program
from .kernels.kernel import Kernel
from .kernels.profile import Profile, profile
from .kernels.remarks import Remarks, remarks
from .pairs import forward_and_backward, with_saved
from .render.index import render_index
from .render.latex import render_latex
from .render.matrix import render_matrix, render_parts
from .render.steps import explain
from .render.to_sympy import to_sympy
from .rewrite.derived import constrained, names_of, present
from .rewrite.stable.stabilise import stabilise
from .structure import Structure, filled, filler, flat, matched, taken
from .wanted import Wanted, all_real, wanted

Kind = Literal["grad", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp"]


@dataclass(frozen=True)
class Origin:
    """How a derived function came to be: which derivative, of what, with respect to which inputs.

    seeds: the additional inputs, cotangents or tangents; tied: the symmetric inputs whose entries are tied;
    truncate: the number of steps after which backpropagation through time was cut.
    again: the same derivative of another function with the same inputs and outputs.
    """

    kind: Kind
    base: Function
    by: Wanted
    seeds: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    truncate: int | None = None
    again: Callable[[Function], Function] | None = field(default=None, compare=False, repr=False)

    @property
    def wrt(self) -> tuple[str, ...]:
        """The names of the inputs that it was differentiated by."""
        return self.by.names


@dataclass(frozen=True)
class Batch:
    """How a function came to solve many problems at once.

    of: the function of one problem; axis: the size that says how many there are; inputs, outputs: the place of the
    batch axis, by name and in order; None for an output that all problems share.
    """

    of: Function
    axis: str
    inputs: dict[str, int] = field(hash=False)
    outputs: tuple[int | None, ...]

    def batched(self, program: Program) -> Program:
        """A program with the inputs and outputs of that of one problem, for the batch."""
        return batched(program, size(self.axis), self.inputs, self.outputs)


@dataclass(frozen=True)
class Function:
    """A derivation that can be called, read, explained, compiled and emitted.

    name: of the user's function.
    program: its equations.
    structure: how the outputs are returned: 0 for one array, ``(0, 1)`` for a tuple, ``{"loss": 0}`` nested.
    forward: names of the equations of the forward pass, also of those that `program` does not need; the rest is derived.
    origin: None for a traced function.
    source: file and line of the user's function.
    arguments: for each argument of a call the structure that its arrays stand in, numbered like the inputs of
        `program`; empty if each input is an argument.
    captured: arrays of the enclosing function that this one, traced within it, uses; they follow the arguments.
    note: what a reader must know first, such as that it was traced for one value of a size.
    batch: for the result of `vmap`, of what.
    """

    name: str
    program: Program
    structure: Structure = field(default=0, hash=False)
    forward: frozenset[str] = frozenset()
    origin: Origin | None = None
    source: str = ""
    arguments: dict[str, Structure] = field(default_factory=dict, hash=False)
    note: str = ""
    captured: Captured | None = field(default=None, compare=False, repr=False)
    batch: Batch | None = None
    _kernels: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the input arrays: an argument, or the path within one (``params.layer1.W``)."""
        return tuple(t.name for t in self.program.inputs)

    @property
    def signature(self) -> dict[str, Structure]:
        """The arguments in their order, each with the structure of its arrays."""
        return self.arguments or {name: place for place, name in enumerate(self.inputs)}

    @property
    def is_derived(self) -> bool:
        """Whether it is a derivative, or a batch of them."""
        return self.origin is not None or (self.batch is not None and self.batch.of.is_derived)

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

        Called within a function that is being traced, it becomes part of what is traced.
        """
        if (trace := self.tracing(args, kwargs)) is not None:
            known = self.captured.sizes_around() if self.captured else {}
            return self.pack(inline(trace, self.program, self.flatten(args, kwargs), self.name, known))
        values = evaluate(self.stable, self.bind(args, kwargs))
        return self.pack([values[name][()] for name in self.outputs])

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as arrays by name, in the kinds that the inputs were declared to have."""
        arrays = self.flatten(args, kwargs)
        return {t.name: as_input(t.name, t.kind, x) for t, x in zip(self.program.inputs, arrays, strict=True)}

    def flatten(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        """The arrays of a call in the order of `inputs`.

        Raises:
            UnknownName: too many, missing, unknown or doubled arguments.
            StructureError: a container is not built like the one that was declared.
        """
        signature = self.signature
        names = tuple(signature)
        if len(args) > len(names):
            kind = "arguments" if self.arguments else "arrays"
            raise UnknownName(
                f"{self.name}() takes {len(names)} {kind} ({', '.join(names)}); {len(args)} were given"
            )
        given: dict[str, Any] = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in names:
                raise UnknownName(f"{self.name}() has no input {name!r}; {closest(name, names)}")
            if name in given:
                raise UnknownName(f"{self.name}() got {name!r} twice: by position and by name")
            given[name] = value
        if missing := [name for name in names if name not in given]:
            raise UnknownName(f"{self.name}() needs {', '.join(names)}; missing: {', '.join(missing)}")
        found: list[Any] = [None] * len(self.inputs)
        for name, part in signature.items():
            if not taken(part, given[name], found):
                for place, array in matched(part, given[name], name).items():
                    found[place] = array
        for name, value in self.captured.values.items() if self.captured else ():
            found[self.inputs.index(name)] = value
        return found

    def tracing(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The trace in which it is called, if it is."""
        captured = self.captured.values.values() if self.captured else ()
        return tracing((*args, *kwargs.values(), *captured))

    def pack(self, values: list[Any]) -> Any:
        """A flat list of outputs in the structure that the caller expects."""
        return filled(self.structure, values)

    # -- reading

    def __str__(self) -> str:
        return "\n".join([*([self.note] if self.note else []), *render_matrix(self.presented, self.forward)])

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
        text = explain(
            self.presented,
            self.forward,
            format=format,
            base=self.origin.base.program if self.origin else None,
        )
        return f"{self.note}\n\n{text}" if self.note and format == "text" else text

    def to_sympy(self, sizes: Mapping[str, int] | None = None) -> Any:
        """The outputs as explicit SymPy expressions, at these sizes: ``f.to_sympy({"n": 2})``.

        A number is an expression, a vector a Matrix with one column, a matrix a Matrix, anything larger an Array.
        Inputs are symbols of their names and entries of matrix symbols; `dv.from_sympy` reads them back.

        Raises:
            UnknownName: a size is missing.  ShapeError: too many entries.  UnsupportedOp: SymPy has no counterpart.
        """
        return self.pack(to_sympy(self.program, sizes or {}))

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
                self.stable, self.name, dtype=np.dtype(dtype).type, parallel=parallel, single=False
            )
            self._kernels[key] = CompiledFunction(self, kernel)
        return self._kernels[key]

    def over(self, *args: Any, **kwargs: Any) -> Any:
        """Run it lazily on dask arrays, chunk by chunk: for data larger than memory, or on the workers of a cluster.

        One axis of the arguments may be chunked, such as that of the examples. What each example has is computed chunk by
        chunk; what is reduced over the examples, such as the gradient of shared parameters, is reduced in each chunk and
        then combined. The number of chunks and their lengths make no difference but by rounding. Where a result of all
        chunks is needed for each of them (the mean of a batch norm, the maximum of a softmax over the examples), there are
        as many passes over the data as that takes, and chunks are loaded again for each.

        Args:
            args, kwargs: as in a call; dask arrays for what is chunked, anything else is passed whole to every chunk, or
                cut like them along an axis of the same size.

        Returns:
            The outputs as dask arrays; nothing is computed yet. Computed by the interpreter; by kernels after `compile`:
            ``f.compile(np.float32).over(X=X, w=w)``.

        Raises:
            ChunkError: several axes are chunked, or entries depend on entries of other chunks (shifts, a recurrence along
                the axis, sorting, a matrix that is inverted whole): the axis, the equation and what to try are named.

        Numerics: those of a call; sums are added up chunk by chunk.
        """
        return self.pack(over(self.name, self.stable, self.flatten(args, kwargs), Runner()))

    def emit(self, target: str) -> str:
        """Complete source for ``"numpy"``, ``"numba"``, ``"torch"`` or ``"jax"``: forward, backward and a test.

        For a traced function the backward pass with respect to every real input is derived and emitted with it;
        for a ``grad``, ``value_and_grad`` or ``vjp`` that of its base, for its ``wrt``; other derivatives are
        emitted as plain functions.
        """
        return emit_source(self.request, target)

    @cached_property
    def request(self) -> EmitRequest:
        """What `emit` asks a target to write."""
        kind = self.origin.kind if self.origin else "function"
        base = self.origin.base if self.origin else self
        by = self.origin.by if self.origin else self._by_all()
        changed = self.origin is not None and (self.origin.tied or self.origin.truncate)
        whole = kind in ("function", "grad", "value_and_grad", "vjp") and not changed
        whole = whole and self.is_derived == (self.origin is not None)
        if not whole or not by.names:
            by = Wanted()
            lines = tuple(render_matrix(self.presented, self.forward))
            request = EmitRequest(self.name, self.stable, outputs_single=self.structure == 0, formulas=lines)
            return replace(request, source=self.source, **self._nested(by))
        forward, backward, seeds = forward_and_backward(base.program, by.names)
        lines = tuple(line for part in board(forward, backward) for line in part)
        with stable_slopes():
            forward, backward, seeds = forward_and_backward(base.smooth.program, by.names, stable=True)
        single = base.structure == 0
        request = EmitRequest(base.name, forward, backward, by.names, seeds, single, lines, base.source)
        return replace(request, **base._nested(by))

    def _by_all(self) -> Wanted:
        """Every real input."""
        signature, inputs = self.signature, self.program.inputs
        return wanted(self.name, signature, inputs, None) if all_real(signature, inputs) else Wanted()

    def _nested(self, by: Wanted) -> dict[str, Any]:
        """What a request says about structures: the function of plain arrays is called otherwise then."""
        if not self.arguments and (self.structure == 0 or self.structure == flat(len(self.outputs))):
            return {}
        nested = Nested(self.name, self.signature, self.structure, by.parts, by.single)
        return {"name": f"{self.name}_flat", "nested": nested}

    @cached_property
    def presented(self) -> Program:
        """The program as it is printed: a traced one with its passing values inlined, a derived one with the
        constraints that inputs were declared to satisfy. Further derivatives are taken of `program`."""
        return constrained(self.program, self.forward) if self.is_derived else present(self.program)

    @cached_property
    def smooth(self) -> Function:
        """The same function in equations that are fit to be differentiated for a kernel: a logarithm of a softmax is
        written as a difference first. A derived function is derived again from such a base; where no rule fires it is
        the function itself."""
        function = self
        if self.origin is not None and self.origin.again is not None:
            base = self.origin.base.smooth
            if base is not self.origin.base or has_slopes(base.program):
                with stable_slopes():
                    function = self.origin.again(base)
        if self.batch is not None and (one := self.batch.of.smooth) is not self.batch.of:
            function = replace(self, program=self.batch.batched(one.program), forward=one.forward, _kernels={})
        program = stabilise(function.program, "analytic").program
        same = function is self and program is self.program
        return self if same else replace(function, program=program, _kernels={})

    @cached_property
    def stable(self) -> Program:
        """The program as it is run, compiled and written out: that of `presented` where its formulas are stable, else one
        with the same values that neither loses digits nor overflows on the way; see `rewrite.stable`."""
        smooth = self.smooth
        return stabilise(self.presented if smooth is self else smooth.presented).program


def board(forward: Program, backward: Program) -> tuple[list[str], list[str]]:
    """The lines of a forward pass with what its backward pass reads, and those of the backward pass."""
    ahead = names_of(forward)
    return render_matrix(with_saved(forward, backward), ahead), render_parts(backward, ahead)[1]


class CompiledFunction:
    """A compiled `Function`: the same call, run by a Numba kernel."""

    def __init__(self, function: Function, kernel: Kernel) -> None:
        self.function, self.kernel = function, kernel
        self._flat = function.structure == tuple(range(len(function.outputs)))
        self._packed = filler(function.structure)
        self._nested = bool(function.arguments)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel on arrays, by position or name; errors as in `Function.__call__`."""
        arrays, by_name = args, kwargs
        if self._nested:
            arrays, by_name = tuple(self.function.flatten(args, kwargs)), {}
        try:
            values = self.kernel(*arrays, **by_name)
        except TraceError:
            if self.function.tracing(args, kwargs) is None:
                raise
            return self.function(*args, **kwargs)
        return values if self._flat else self._packed(values)

    def over(self, *args: Any, **kwargs: Any) -> Any:
        """Run it on dask arrays; see `Function.over`. Each process compiles the kernels of the chunks for itself."""
        f, kernel = self.function, self.kernel
        runner = Runner(True, np.dtype(kernel.dtype).name, kernel.parallel)
        return f.pack(over(f.name, f.stable, f.flatten(args, kwargs), runner))

    @property
    def source(self) -> str:
        """The generated Numba source."""
        return self.kernel.source

    def profile(self, *args: Any, **kwargs: Any) -> Profile:
        """The time, the operations and the bytes of each loop nest, and how near it comes to the machine's limit.

        Args:
            args, kwargs: as in a call; without any, random arrays all of whose axes have the length 256.

        Returns:
            A record that prints as a table; `nests` holds its rows. It takes some seconds: the kernel is compiled once more
            with a counter between its nests, and the limits of the machine are measured.
        """
        arrays, by_name = args, kwargs
        if self._nested and (args or kwargs):
            arrays, by_name = tuple(self.function.flatten(args, kwargs)), {}
        return profile(self.kernel, arrays, by_name)

    def remarks(self) -> Remarks:
        """What LLVM's vectoriser says about each innermost loop: vectorised and how wide, or why not."""
        return remarks(self.kernel)

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


__all__ = ["CompiledFunction", "Function", "Origin", "ShapeError", "as_input"]
