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
from .names import Names, is_temporary, resize, sizes_of
from .trace import Trace
from .traced import BOOL, FLOAT, INT, Traced
from .user_code import run_traced
from .visible_sizes import visible_sizes
from .words import TEMPORARY


def trace_numpy(
    fn: Callable[..., Any], specs: Mapping[str, Spec], trace: Trace | None = None
) -> tuple[Program, bool]:
    """Run `fn` on symbolic arrays.

    Args:
        fn: an ordinary function of arrays; arguments that are not declared keep their defaults.
        specs: a declaration for each of its arguments, by name.
        trace: the record to write to, when some sizes are still open.

    Returns:
        The program, and whether `fn` returned one array (not a tuple).

    Raises:
        UnknownName: a declared name is no argument of `fn`, or an argument has neither declaration nor default.
        SpecError: an axis is called like an argument.
        TraceError, ShapeError, UnsupportedOp: what `fn` does cannot be traced; the line is named.
    """
    trace = trace or Trace()
    signature = _signature(fn)
    inputs = _inputs(_name(fn), signature, specs)
    call = signature.bind_partial()
    call.arguments = {name: _argument(trace, tensor) for name, tensor in inputs.items()}
    try:
        with visible_sizes(fn), _our_errors():
            result = run_traced(fn, call.args, call.kwargs)
            values, single = _outputs(_name(fn), trace, result)
        names = Names(trace, inputs)
        outputs = [
            _output(trace, value, names, position, len(values)) for position, value in enumerate(values)
        ]
        names.name_sizes()
        program = names.put(Program(tuple(inputs.values()), tuple(trace.equations), tuple(outputs)))
        return resize(program, trace), single
    finally:
        trace.ended = True
        trace.user.frames.clear()


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


def _inputs(name: str, signature: inspect.Signature, specs: Mapping[str, Spec]) -> dict[str, Tensor]:
    """The declared tensors in the order of the arguments."""
    parameters = signature.parameters
    for wanted in specs:
        if wanted not in parameters:
            raise UnknownName(f"{name}() has no argument {wanted!r}; {closest(wanted, parameters)}")
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) and parameter.name in specs:
            raise TraceError(f"{name}() collects {parameter}; try: give each array an argument of its own")
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise TraceError(f"{name}() takes {parameter}; try: give each array an argument of its own")
        required = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
        if required and parameter.name not in specs:
            raise UnknownName(
                f"the argument {parameter.name!r} of {name}() has no shape; "
                f'give {parameter.name}="axes", or "" for a scalar'
            )
    inputs = {p: specs[p].tensor(p) for p in parameters if p in specs}
    if both := sorted(inputs.keys() & sizes_of(inputs.values())):
        raise SpecError(
            f"{both[0]!r} is an argument of {name}() and an axis; try: give the axis another name"
        )
    return inputs


def _argument(trace: Trace, tensor: Tensor) -> Traced:
    axes = trace.fresh(tensor.shape)
    dtype = {"boolean": BOOL, "integer": INT}.get(tensor.kind, FLOAT)
    return trace.view(axes, Read(tensor, tuple(sympy.S.Zero if i.extent == 1 else i for i in axes)), dtype)


def _outputs(name: str, trace: Trace, result: Any) -> tuple[list[Traced], bool]:
    """What the function returned as arrays, and whether it was one array."""
    if result is None:
        raise TraceError(f"{name}() returned None; try: return an array, or a tuple of arrays")
    if isinstance(result, dict | set):
        raise TraceError(
            f"{name}() returned a {type(result).__name__}, which is not supported yet; try: a tuple of arrays"
        )
    if not isinstance(result, tuple | list):
        return [trace.lift(result)], True
    if not result:
        raise TraceError(f"{name}() returned an empty {type(result).__name__}; try: return an array")
    if nested := [r for r in result if isinstance(r, tuple | list | dict)]:
        raise TraceError(
            f"{name}() returned a {type(nested[0]).__name__} within a {type(result).__name__}, which is not supported yet; "
            "try: a flat tuple of arrays"
        )
    return [trace.lift(r) for r in result], False


def _output(trace: Trace, value: Traced, names: Names, position: int, count: int) -> Tensor:
    """The tensor of an output: an equation of its own when the value is a view, a constant, an input or a repetition."""
    entry = value.entry
    whole = is_temporary(entry, value.axes) and len(entry.indices) == value.rank
    if whole and entry.tensor.name not in names.returned:
        names.output(entry.tensor, position, count)
        return entry.tensor
    axes = trace.fresh(value.extents)
    target = Tensor(f"{TEMPORARY}{len(trace.equations)}", tuple(i.extent for i in axes))
    trace.equations.append(
        Equation(target, axes, value.at(tuple(sympy.S.Zero if i.extent == 1 else i for i in axes)))
    )
    names.output(target, position, count)
    return target
