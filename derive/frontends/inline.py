"""A program within a trace: a function that was traced or derived before is called by the one that is traced now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, S

from ..errors import ShapeError, TraceError
from ..ir.nodes import Equation, Index, Program, Read, Tensor, substitute
from ..ir.tensors import resized
from ..structure import is_container, parts_of
from .primitives import store
from .trace import Callee
from .traced import BOOL, FLOAT, INT, Traced

DTYPES = {"real": FLOAT, "integer": INT, "boolean": BOOL}


def inline(
    trace: Any, program: Program, values: Sequence[Any], name: str, known: Mapping[Any, Any] | None = None
) -> list[Traced]:
    """Append the equations of `program` to a trace, with `values` for its inputs; the traced outputs.

    `known` are sizes of the program that are known without its inputs.

    Raises:
        ShapeError: a rank or an axis does not fit.  TraceError: real numbers where integers were declared.
    """
    arrays = [trace.lift(value) for value in values]
    program = resized(program, _sizes(trace, program, arrays, name, known or {}))
    moved = _Moved(trace, {})
    for tensor, array in zip(program.inputs, arrays, strict=True):
        if tensor.kind == "real":
            moved.places[tensor.name] = _stored(trace, array)
            continue
        if array.dtype == FLOAT or (tensor.kind == "boolean" and array.dtype != BOOL):
            raise TraceError(f"{tensor.name} of {name}() is {tensor.kind}; found the real {array} ({trace.place()})")
        moved.places[tensor.name] = trace.whole(array)
    leads = _leads(trace, program, moved)
    for equation in program.equations:
        moved.declare(equation, leads[equation.target.name])
    trace.equations.extend(map(moved.equation, program.equations))
    return [moved.seen(tensor) for tensor in program.outputs]


@dataclass(frozen=True)
class _Moved:
    """Where the tensors of a program are now: by name an array of the trace, seen from within the steps of its scans."""

    trace: Any
    places: dict[str, Traced]

    def declare(self, equation: Equation, lead: tuple[Index, ...]) -> None:
        """A new tensor for the target of an equation, with the steps of scans that it depends on as leading axes."""
        old, trace = equation.target, self.trace
        shape = (*(i.extent for i in lead), *old.shape)
        target = replace(old, name=trace.temporary(), shape=shape)
        trace.leading[target.name] = len(lead)
        if not equation.step.default:
            trace.called[target.name] = Callee(old.name, equation.step.named)
        axes = trace.fresh(old.shape)
        self.places[old.name] = trace.view(axes, Read(target, (*lead, *axes)), DTYPES[old.kind])

    def equation(self, equation: Equation) -> Equation:
        target = self.places[equation.target.name].entry
        assert isinstance(target, Read)
        lead = target.indices[: len(target.indices) - len(equation.axes)]
        own = dict(zip(equation.indices, self.trace.fresh(i.extent for i in equation.indices), strict=True))
        axes, bound = (tuple(own[i] for i in group) for group in (equation.axes, equation.bound))
        body = self.body(substitute(equation.body, own))
        return replace(equation, target=target.tensor, axes=(*lead, *axes), bound=bound, body=body)

    def body(self, e: Any) -> Any:
        """An expression that reads where the tensors are now."""
        if isinstance(e, Read):
            return self.places[e.tensor.name].at(tuple(map(self.body, e.indices)))
        return e.func(*map(self.body, e.args)) if e.args else e

    def seen(self, tensor: Tensor) -> Traced:
        """An array of the trace; along an axis of extent 1 its entry is the only one."""
        array = self.places[tensor.name]
        axes = self.trace.indices(array)
        return array.through(axes, array.at(tuple(S.Zero if i.extent == 1 else i for i in axes)))


def _leads(trace: Any, program: Program, moved: _Moved) -> dict[str, tuple[Index, ...]]:
    """For each tensor the steps of the running scans that it depends on."""
    found = {name: set(trace.lead(array.entry)) for name, array in moved.places.items()}
    found |= {e.target.name: set() for e in program.equations}
    for _ in range(len(program.equations) if trace.ambient else 0):
        before = sum(map(len, found.values()))
        for e in program.equations:
            found[e.target.name].update(*(found[r.tensor.name] for r in e.reads))
        if sum(map(len, found.values())) == before:
            break
    return {name: tuple(i for i in trace.ambient if i in lead) for name, lead in found.items()}


def tracing(values: Iterable[Any]) -> Any:
    """The trace that is running, if there are traced arrays among the arguments of a call, nested or not."""
    for value in values:
        if isinstance(value, Traced):
            return value.owner.innermost()
        if is_container(value) and (found := tracing(parts_of(value).values())) is not None:
            return found
    return None


def _sizes(
    trace: Any, program: Program, arrays: Sequence[Traced], name: str, known: Mapping[Any, Any]
) -> dict[Expr, Expr]:
    """What the program's sizes are in the caller's."""
    sizes: dict[Expr, Expr] = dict(known)
    axes: list[tuple[Expr, Traced, int, str]] = []
    for tensor, array in zip(program.inputs, arrays, strict=True):
        if array.rank != tensor.rank:
            declared = "[" + ", ".join(map(str, tensor.shape)) + "]"
            raise ShapeError(
                f"{tensor.name} of {name}() was declared {declared}; found {array} with {array.rank} axes ({trace.place()})"
            )
        axes += [(extent, array, p, tensor.name) for p, extent in enumerate(tensor.shape)]
    for extent, array, p, _ in axes:
        if extent.is_Symbol:
            sizes.setdefault(extent, array.extents[p])
    for extent, array, p, _ in axes:
        unknown = extent.free_symbols - sizes.keys()
        if len(unknown) == 1:
            (symbol,) = unknown
            found = sympy.solve(extent.xreplace(sizes) - array.extents[p], symbol)
            if found and found[0].is_integer:
                sizes[symbol] = found[0]
    for extent, array, p, tensor_name in axes:
        trace.unify(extent.xreplace(sizes), array.extents[p], f"{tensor_name} of {name}()", (array, p))
    return {symbol: trace.resolve(extent) for symbol, extent in sizes.items()}


def _stored(trace: Any, array: Traced) -> Traced:
    """The array as the whole of a tensor, in a new equation if it is a view or an expression."""
    entry = array.entry
    if isinstance(entry, Read) and entry.tensor.kind == "real":
        lead = entry.indices[: len(entry.indices) - array.rank]
        whole = (*lead, *array.axes) == entry.indices and lead == trace.lead(entry)
        if whole and tuple(map(trace.resolve, entry.tensor.shape[len(lead) :])) == array.extents:
            return array
    at = tuple(S.Zero if i.extent == 1 else i for i in array.axes)
    return store(trace, array.axes, array.at(at), "argument")
