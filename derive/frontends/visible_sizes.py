"""While a function is traced, what NumPy's protocols do not dispatch accepts traced sizes and arrays as well."""

from __future__ import annotations

import builtins
import functools
import importlib
import inspect
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ..ops.elementwise import elementwise_ops
from ..ops.tensor import tensor_ops
from .traced import Traced, holds_traced
from .user_code import LIBRARIES, called_from_library

ARRAYS_OF_SIZES = (
    "arange", "linspace", "logspace", "geomspace", "ones", "zeros", "empty", "full", "eye", "identity", "tri", "indices",
    "fromfunction",
)  # fmt: skip
ARRAYS_OF_ARRAYS = ("array", "asarray", "asanyarray", "ascontiguousarray")
OF_A_SIZE = ("sqrt", "exp", "log", "log2", "log10")
"""Functions of `math` that keep a size symbolic."""

_lock = threading.RLock()


def _dispatching(dotted: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        trace = _trace_of((*args, *kwargs.values()))
        if trace is None or called_from_library():
            return original(*args, **kwargs)
        return trace.call(dotted, args, kwargs)

    return function


def _of_a_size(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def function(*args: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Traced) and args[0].is_size:
            return args[0].owner.innermost().call(f"numpy.{name}", args, {})
        return original(*args)

    return function


def _trace_of(values: Any) -> Any:
    """The trace of the first traced array among values, lists and tuples."""
    for value in values:
        if isinstance(value, Traced):
            return value.owner.innermost()
        if isinstance(value, list | tuple) and holds_traced(value):
            return _trace_of(value)
    return None


Replacement = tuple[ModuleType, str, Any, Any]
"""A module, an attribute, the original, and what stands in for it."""


@functools.cache
def _undispatched() -> dict[str, list[str]]:
    """By module: NumPy's functions that look at no argument, and what has records of SciPy."""
    records = {*tensor_ops(), *(name for op in elementwise_ops() for name in op.numpy)}
    found: dict[str, list[str]] = {"numpy": [*ARRAYS_OF_SIZES, *ARRAYS_OF_ARRAYS]}
    for dotted in sorted(name for name in records if name.startswith("scipy.")):
        module, _, attribute = dotted.rpartition(".")
        found.setdefault(module, []).append(attribute)
    return found


@functools.cache
def _replacements(module_name: str) -> list[Replacement]:
    """The functions of a module that are no ufuncs, which dispatch."""
    module = importlib.import_module(module_name)
    found: list[Replacement] = []
    for attribute in _undispatched()[module_name]:
        original = getattr(module, attribute, None)
        if not isinstance(original, np.ufunc | None):
            found.append((module, attribute, original, _dispatching(f"{module_name}.{attribute}", original)))
    return found


@functools.cache
def _sizes() -> list[Replacement]:
    originals = ((name, getattr(math, name)) for name in OF_A_SIZE)
    return [(math, name, original, _of_a_size(name, original)) for name, original in originals]


def _reachable(names: set[str]) -> list[Replacement]:
    """Of the modules that are loaded, or that code with these names may load: SciPy does so when they are named."""
    modules = [m for m in _undispatched() if m in sys.modules or m in names or m.rpartition(".")[2] in names]
    return [*(r for module in modules for r in _replacements(module)), *_sizes()]


@functools.cache
def _length() -> tuple[Any, Any]:
    original = builtins.len

    def length(x: Any) -> Any:
        return x.shape[0] if isinstance(x, Traced) and x.axes else original(x)

    return original, length


@contextmanager
def visible_sizes(fn: Callable[..., Any]) -> Iterator[None]:
    """Put the stand-ins in place, also where `fn` and its helpers imported a function by name; then put all back.

    One trace at a time: other threads wait. A trace within a trace is the same thread.
    """
    with _lock:
        undo: list[tuple[dict[str, Any], str, Any]] = []
        try:
            _put(undo, vars(builtins), "len", _length()[1])
            scopes, names = _seen_by(fn)
            replacements = _reachable(names)
            replaced = {id(original): stand_in for _, _, original, stand_in in replacements}
            for module, attribute, _, stand_in in replacements:
                _put(undo, vars(module), attribute, stand_in)
            for scope in scopes:
                for name, value in list(scope.items()):
                    if id(value) in replaced:
                        _put(undo, scope, name, replaced[id(value)])
            yield
        finally:
            for scope, name, value in reversed(undo):
                scope[name] = value


def _put(undo: list[tuple[dict[str, Any], str, Any]], scope: dict[str, Any], name: str, value: Any) -> None:
    undo.append((scope, name, scope[name]))
    scope[name] = value


def _seen_by(fn: Any) -> tuple[list[dict[str, Any]], set[str]]:
    """The globals that the user's functions see, `fn` and what it names, through modules as well; and what these name."""
    scopes: dict[int, dict[str, Any]] = {}
    names: set[str] = set()
    waiting: list[Any] = [_function_of(fn)]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, ModuleType) and _is_user(getattr(value, "__file__", None)):
            scopes[id(vars(value))] = vars(value)
        elif isinstance(value, FunctionType) and _is_user(value.__code__.co_filename):
            scope = value.__globals__
            scopes[id(scope)] = scope
            own = _named_in(value.__code__)
            names |= own
            waiting += [scope[name] for name in sorted(own) if name in scope]
            waiting += [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    return list(scopes.values()), names


def _named_in(code: CodeType) -> set[str]:
    """The names of globals, attributes and modules in a function and in those that it defines."""
    return {*code.co_names}.union(*(_named_in(c) for c in code.co_consts if isinstance(c, CodeType)))


def _function_of(fn: Any) -> Any:
    """The Python function behind a partial, a bound method, a decorated function or a callable object."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    fn = inspect.unwrap(fn)
    fn = getattr(fn, "__func__", fn)
    return fn if isinstance(fn, FunctionType) else vars(type(fn)).get("__call__")


def _is_user(file: str | None) -> bool:
    return file is not None and not file.startswith(LIBRARIES)


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True
