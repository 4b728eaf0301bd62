"""An ordinary NumPy function -> Program, by running it once on arrays that only record what is done to them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sympy

from ..errors import DeriveError, SpecError, TraceError, UnknownName, closest
from ..ir.facts import Spec
from ..ir.nodes import Equation, Program, Read, Tensor
from ..ir.recurrences import in_order
from ..structure import Structure, filled, places
from .names import Names, is_temporary, resize, sizes_of
from .results import Result, outputs_of
from .trace import Trace
from .traced import BOOL, FLOAT, INT, Traced
from .user_code import run_traced
from .visible_sizes import visible_sizes


def trace_numpy(
    fn: Callable[..., Any],
    specs: Mapping[str, Spec],
    trace: Trace | None = None,
    arguments: Mapping[str, Structure] | None = None,
) -> tuple[Program, Structure]:
    """Run `fn` on symbolic arrays.

    Args:
        fn: an ordinary function of arrays; arguments that are not declared keep their defaults.
        specs: a declaration for each of its arguments, by name; for each array within one by its path.
        trace: the record to write to, when some sizes are still open.
        arguments: the structure of each argument, if some are containers of arrays.

    Returns:
        The program, and the structure in which `fn` returned its outputs: 0 for one array.

    Raises:
        UnknownName: a declared name is no argument of `fn`, or an argument has neither declaration nor default.
        SpecError: an axis is called like an argument.
        TraceError, ShapeError, UnsupportedOp: what `fn` does cannot be traced; the line is named.
    """
    trace = trace or Trace()
    signature = _signature(fn)
    arguments = {name: place for place, name in enumerate(specs)} if arguments is None else arguments
    arguments = _in_order(_name(fn), signature, arguments)
    inputs = {path: s.tensor(path) for path, s in specs.items()}
    _no_axis_is_an_argument(_name(fn), inputs)
    arrays = [_argument(trace, tensor) for tensor in inputs.values()]
    call = signature.bind_partial()
    call.arguments = {name: filled(structure, arrays) for name, structure in arguments.items()}
    trace.inputs = inputs
    try:
        with visible_sizes(fn), _our_errors(), _active(trace):
            result = run_traced(fn, call.args, call.kwargs)
            structure, values = outputs_of(_name(fn), trace, result)
        inputs = {**inputs, **trace.captured.inputs}
        names = Names(trace, inputs, [v.wanted for v in values if v.by_path])
        outputs = [_output(trace, value, names) for value in values]
        names.name_sizes()
        ordered = [tensor for s in arguments.values() for tensor in map(list(inputs.values()).__getitem__, places(s))]
        ordered += trace.captured.inputs.values()
        program = names.put(Program(tuple(ordered), in_order(trace.equations), tuple(outputs)))
        return resize(program, trace), structure
    finally:
        trace.ended = True
        trace.user.frames.clear()


@contextmanager
def _active(trace: Trace) -> Iterator[None]:
    Trace.active.append(trace)
    try:
        yield
    finally:
        Trace.active.pop()


@contextmanager
def _our_errors() -> Iterator[None]:
    """Where NumPy wraps an error of ours in one of its own, ours is the one to show."""
    try:
        yield
    except DeriveError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, DeriveError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise cause from None


def _name(fn: Callable[..., Any]) -> str:
    return getattr(fn, "__name__", type(fn).__name__)


def _signature(fn: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(fn)
    except (TypeError, ValueError):
        raise TraceError(f"{_name(fn)} has no signature to read; try: lambda x: {_name(fn)}(x)") from None


def _in_order(
    name: str, signature: inspect.Signature, arguments: Mapping[str, Structure]
) -> dict[str, Structure]:
    """The declared arguments in the order of the signature."""
    parameters = signature.parameters
    for wanted in arguments:
        if wanted not in parameters:
            raise UnknownName(f"{name}() has no argument {wanted!r}; {closest(wanted, parameters)}")
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) and parameter.name in arguments:
            raise TraceError(f"{name}() collects {parameter}; try: give each array an argument of its own")
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise TraceError(f"{name}() takes {parameter}; try: give each array an argument of its own")
        required = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
        if required and parameter.name not in arguments:
            raise UnknownName(
                f"the argument {parameter.name!r} of {name}() has no shape; "
                f'give {parameter.name}="axes", or "" for a scalar'
            )
    return {p: arguments[p] for p in parameters if p in arguments}


def _no_axis_is_an_argument(name: str, inputs: Mapping[str, Tensor]) -> None:
    if both := sorted(inputs.keys() & sizes_of(inputs.values())):
        raise SpecError(
            f"{both[0]!r} is an argument of {name}() and an axis; try: give the axis another name"
        )


def _argument(trace: Trace, tensor: Tensor) -> Traced:
    axes = trace.fresh(tensor.shape)
    dtype = {"boolean": BOOL, "integer": INT}.get(tensor.kind, FLOAT)
    return trace.view(axes, Read(tensor, tuple(sympy.S.Zero if i.extent == 1 else i for i in axes)), dtype)


def _output(trace: Trace, result: Result, names: Names) -> Tensor:
    """The tensor of an output: an equation of its own when the value is a view, a constant, an input or a repetition."""
    value, entry = result.value, result.value.entry
    whole = is_temporary(entry, value.axes) and len(entry.indices) == value.rank
    if whole and entry.tensor.name not in names.returned:
        names.output(entry.tensor, result.wanted, result.by_path)
        return entry.tensor
    axes = trace.fresh(value.extents)
    target = Tensor(trace.temporary(), tuple(i.extent for i in axes))
    trace.equations.append(
        Equation(target, axes, value.at(tuple(sympy.S.Zero if i.extent == 1 else i for i in axes)))
    )
    names.output(target, result.wanted, result.by_path)
    return target
