"""From a NumPy function to a `Function`: at once, once for each choice of some sizes, or when it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import sympy

from .deferred import Deferred, PerSize, reason
from .errors import NeedsSize
from .frontends.captured import Captured
from .frontends.declared import examples
from .frontends.trace import Trace
from .frontends.trace_numpy import trace_numpy
from .function import Function
from .ir.facts import Spec
from .ir.nodes import Program, size
from .rewrite.derived import names_of, prepare
from .structure import Structure, is_container, places, renumbered

Specs = Mapping[str, Spec]


def when_called(fn: Callable[..., Any]) -> Deferred:
    """`fn`, traced for the ranks and structures of the arguments that it is called with."""
    parameters = inspect.signature(fn).parameters
    cache: dict[Any, Function | PerSize] = {}

    def specialise(args: tuple[Any, ...], kwargs: Any) -> Function:
        own = {name: value for name, value in kwargs.items() if name in parameters}
        bound = inspect.signature(fn).bind(*args[: len(parameters) - len(own)], **own)
        found = examples(bound.arguments)
        known = cache.get(found.key) or opened(fn, found.arguments, found.specs, found.sizes)
        if isinstance(known, PerSize):
            cache[found.key] = known
            return known.specialise(args, kwargs)
        if known.captured is None:
            cache[found.key] = known
        return known

    return Deferred(name_of(fn), specialise, parameters)


def opened(
    fn: Callable[..., Any], arguments: dict[str, Structure], specs: Specs, flexible: Iterable[sympy.Symbol] = ()
) -> Function | PerSize:
    """`fn` traced with these declarations; if its code needs numbers for some sizes, a function for each choice of them."""
    try:
        return traced(fn, arguments, specs, flexible)
    except NeedsSize as error:
        first = error
    in_order = {n: arguments[n] for n in inspect.signature(fn).parameters if n in arguments}
    paths = [path for part in in_order.values() for path in map(list(specs).__getitem__, places(part))]
    inputs = Program(tuple(specs[path].tensor(path) for path in paths), (), ())
    needs: dict[str, str] = {}

    def build(values: dict[str, int]) -> Function:
        numbers = {size(name): sympy.Integer(value) for name, value in values.items()}
        known = {path: declaration.at(numbers) for path, declaration in specs.items()}
        function = traced(fn, arguments, known, [s for s in flexible if s not in numbers])
        where = ", ".join(f"{name} = {value}" for name, value in values.items())
        note = f"{reason(needs)}\nfor {where}:"
        return replace(function, note=note, source=f"{function.source} for {where}".strip())

    function = PerSize(Function(name_of(fn), inputs, arguments=arguments_of(in_order, specs, inputs)), build, needs)
    function.learn(first)
    return function


def traced(
    fn: Callable[..., Any], arguments: dict[str, Structure], specs: Specs, flexible: Iterable[sympy.Symbol]
) -> Function:
    """Trace `fn` with a declaration for each array of its arguments."""
    record = Trace(flexible)
    program, structure = trace_numpy(fn, specs, record, arguments)
    program = prepare(program)
    code = getattr(fn, "__code__", None)
    source = f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else ""
    declared_in_order = {n: arguments[n] for n in inspect.signature(fn).parameters if n in arguments}
    captured = record.captured if record.captured.values else None
    nested = arguments_of(declared_in_order, specs, program, captured)
    function = Function(name_of(fn), program, structure, names_of(program), source=source, arguments=nested)
    return replace(function, captured=captured)


def arguments_of(
    arguments: Mapping[str, Structure],
    specs: Mapping[str, Spec],
    program: Program,
    captured: Captured | None = None,
) -> dict[str, Structure]:
    """The arguments of a call, numbered like the inputs of the program; nothing if each is one array."""
    declared_paths, order = list(specs), {t.name: place for place, t in enumerate(program.inputs)}
    found: dict[str, Structure] = {}
    for name, part in arguments.items():
        if not places(part) or any(declared_paths[p] in order for p in places(part)):
            found[name] = renumbered(part, lambda p: order[declared_paths[p]])
    hidden = captured.values if captured else {}
    found |= {name: order[name] for name in order if name not in specs and name not in hidden}
    return found if captured else if_nested(found)


def if_nested(arguments: dict[str, Structure]) -> dict[str, Structure]:
    return arguments if any(map(is_container, arguments.values())) else {}


def name_of(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", type(fn).__name__)
    return name if name.isidentifier() else "function"
