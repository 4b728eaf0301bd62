"""An ordinary NumPy function -> Program, by running it once on arrays that only record what is done to them."""

from __future__ import annotations

import builtins
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from ..errors import NotDifferentiable, TraceError, UnknownName, closest
from ..ir.facts import Spec
from ..ir.nodes import Equation, Index, Program, Read, Tensor, indices_of, substitute
from ..ir.tensors import with_tensors
from .trace import TEMPORARY, Trace
from .traced import Traced

UNDISPATCHED = (
    "numpy.arange", "numpy.ones", "numpy.zeros", "numpy.full", "numpy.eye", "numpy.identity", "numpy.tri",
    "scipy.special.softmax", "scipy.special.log_softmax", "scipy.special.logsumexp",
)  # fmt: skip
"""Functions that NumPy's protocols do not dispatch on traced sizes or arrays."""


def trace_numpy(fn: Callable[..., Any], specs: Mapping[str, Spec], trace: Trace | None = None) -> tuple[Program, bool]:
    """Run `fn` on symbolic arrays.

    Args:
        fn: an ordinary function of arrays.
        specs: a declaration for each of its arguments, by name.
        trace: the record to write to, when some sizes are still open.

    Returns:
        The program, and whether `fn` returned one array (not a tuple).

    Raises:
        UnknownName: a declared name is no argument of `fn`, or an argument is not declared.
    """
    trace = trace or Trace()
    inputs, keywords = _inputs(fn, specs)
    with _visible_sizes(fn, trace):
        result = run_traced(fn, {name: _argument(trace, tensor) for name, tensor in inputs.items()} | keywords)
    single = not isinstance(result, tuple | list)
    values = [trace.lift(r) for r in ([result] if single else result)]
    if not values:
        raise TraceError(f"{_name(fn)}() returned no array")
    names = _names(trace, inputs)
    outputs = [_output(trace, v, p, len(values), names, inputs) for p, v in enumerate(values)]
    program = Program(tuple(inputs.values()), tuple(trace.equations), tuple(outputs))
    return resize(rename(program, names), trace), single


def run_traced(fn: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call the user's function; frames above this one are ours."""
    return fn(**arguments)


def _name(fn: Callable[..., Any]) -> str:
    return getattr(fn, "__name__", type(fn).__name__)


def _inputs(fn: Callable[..., Any], specs: Mapping[str, Spec]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    parameters = inspect.signature(fn).parameters
    for name in specs:
        if name not in parameters:
            raise UnknownName(f"{_name(fn)}() has no argument {name!r}; {closest(name, parameters)}")
    defaults: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name not in specs:
            if parameter.default is inspect.Parameter.empty:
                raise UnknownName(f"the argument {name!r} of {_name(fn)}() has no shape; give {name}=\"axes\", \"\" for a scalar")
            defaults[name] = parameter.default
    return {name: specs[name].tensor(name) for name in parameters if name in specs}, defaults


def _argument(trace: Trace, tensor: Tensor) -> Traced:
    axes = trace.fresh(tensor.shape)
    return trace.view(axes, Read(tensor, tuple(sympy.S.Zero if i.extent == 1 else i for i in axes)))


@contextmanager
def _visible_sizes(fn: Callable[..., Any], trace: Trace) -> Iterator[None]:
    """While tracing, `len` and the functions that NumPy does not dispatch accept traced sizes; then all is put back."""
    undo: list[tuple[Any, str, Any, bool]] = []

    def put(owner: Any, attribute: str, value: Any, *, mapping: bool = False) -> None:
        undo.append((owner, attribute, owner[attribute] if mapping else getattr(owner, attribute), mapping))
        owner.__setitem__(attribute, value) if mapping else setattr(owner, attribute, value)

    original_len = builtins.len

    def traced_len(x: Any) -> Any:
        return x.shape[0] if isinstance(x, Traced) and x.axes else original_len(x)

    try:
        put(builtins, "len", traced_len)
        replaced: dict[int, Any] = {}
        for dotted in UNDISPATCHED:
            module_name, _, attribute = dotted.rpartition(".")
            module = importlib.import_module(module_name)
            original = getattr(module, attribute)
            replaced[id(original)] = _dispatching(trace, dotted, original)
            put(module, attribute, replaced[id(original)])
        scope = getattr(fn, "__globals__", {})
        for name, value in list(scope.items()):
            if id(value) in replaced and scope is not vars(builtins):
                put(scope, name, replaced[id(value)], mapping=True)
        yield
    finally:
        for owner, attribute, value, mapping in reversed(undo):
            owner.__setitem__(attribute, value) if mapping else setattr(owner, attribute, value)


def _dispatching(trace: Trace, dotted: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        if any(_has_traced(a) for a in (*args, *kwargs.values())):
            return trace.call(dotted, args, kwargs)
        return original(*args, **kwargs)

    return function


def _has_traced(value: Any) -> bool:
    return isinstance(value, Traced) or (isinstance(value, tuple | list) and any(map(_has_traced, value)))


# -- names


RESERVED = {"np", "math", "torch", "jnp", "jax", "ctx", "numba", "njit", "prange", "expit", "erf", "lambda"}


def _names(trace: Trace, inputs: Mapping[str, Tensor]) -> dict[str, str]:
    """Local variables of the traced function give their names to the tensors they hold."""
    found: dict[str, str] = {}
    taken = {*inputs, *RESERVED}
    for frame in sorted(trace.frames.values(), key=_depth):
        for local, value in list(frame.f_locals.items()):
            if not isinstance(value, Traced) or value.trace is not trace or not isinstance(value.entry, Read):
                continue
            tensor = value.entry.tensor
            in_order = [i for i in value.axes if i.extent != 1] == [i for i in value.entry.indices if isinstance(i, Index)]
            if tensor.name.startswith(TEMPORARY) and tensor.name not in found and in_order:
                found[tensor.name] = _free(local, taken)
    trace.frames.clear()
    return found


def _depth(frame: Any) -> int:
    depth = 0
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


def _free(name: str, taken: set[str]) -> str:
    candidate, count = name, 2
    while candidate in taken:
        candidate, count = f"{name}{count}", count + 1
    taken.add(candidate)
    return candidate


def _output(
    trace: Trace, value: Traced, position: int, count: int, names: dict[str, str], inputs: Mapping[str, Tensor]
) -> Tensor:
    """The tensor of an output: an equation of its own when the value is a view, a constant or an input."""
    entry = value.entry
    plain = isinstance(entry, Read) and entry.indices == value.axes and entry.tensor.name not in inputs
    taken = {*inputs, *names.values(), *RESERVED}
    default = ("L" if value.rank == 0 and "Y" in taken else "Y") if count == 1 else f"Y{position + 1}"
    if plain and entry.tensor.name.startswith(TEMPORARY):
        names.setdefault(entry.tensor.name, _free(default, taken))
        return entry.tensor
    axes = trace.fresh(value.extents)
    target = Tensor(f"{TEMPORARY}{len(trace.equations)}", tuple(i.extent for i in axes))
    trace.equations.append(Equation(target, axes, value.at(tuple(sympy.S.Zero if i.extent == 1 else i for i in axes))))
    names[target.name] = _free(default, taken)
    return target


def rename(program: Program, names: Mapping[str, str]) -> Program:
    """The program with tensors renamed; temporaries without a name get letters by their rank."""
    taken = {*(t.name for t in program.inputs), *names.values(), *RESERVED, *(str(s) for s in program.sizes)}
    pools = {True: iter("ZUVTRSQPHGFDCBAKLMNO"), False: iter("zuvtrsqphgfdcbaklmno")}
    mapping: dict[Tensor, Tensor] = {}
    for equation in program.equations:
        old = equation.target
        if old.name in names:
            mapping[old] = replace(old, name=names[old.name])
        elif old.name.startswith(TEMPORARY):
            letters = pools[old.rank > 1]
            letter = next((c for c in letters if c not in taken), None) or _free("T" if old.rank > 1 else "t", taken)
            taken.add(letter)
            mapping[old] = replace(old, name=letter)
    renamed = with_tensors(program, mapping)
    steps = (replace(e, step=replace(e.step, named=old.target.name in names)) for e, old in zip(renamed.equations, program.equations, strict=True))
    return replace(renamed, equations=tuple(steps))


def resize(program: Program, trace: Trace) -> Program:
    """Put the sizes that the trace found to be equal everywhere."""
    if not trace.same:
        return program

    def tensor(t: Tensor) -> Tensor:
        return replace(t, shape=tuple(trace.resolve(e) for e in t.shape))

    mapping = {t: tensor(t) for t in program.tensors.values()}
    program = with_tensors(program, mapping)
    equations = []
    for e in program.equations:
        indices: dict[Any, Any] = {i: Index(i.name, trace.resolve(i.extent)) for i in {*e.indices, *indices_of(e.body)}}
        sizes: dict[Any, Any] = {s: trace.resolve(s) for s in trace.same}
        equations.append(
            replace(
                e, axes=tuple(indices[i] for i in e.axes), bound=tuple(indices[i] for i in e.bound),
                body=substitute(e.body, indices | sizes),
            )
        )  # fmt: skip
    return Program(program.inputs, tuple(equations), program.outputs)
