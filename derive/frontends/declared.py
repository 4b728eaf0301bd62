"""What `trace` is told about arguments, nested ones included: declarations, or examples to take the shapes from."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np
import sympy

from ..errors import SpecError
from ..ir.facts import Spec, spec
from ..ir.nodes import Kind, size
from ..structure import (
    Static,
    Structure,
    fields_of,
    is_array,
    is_container,
    join,
    leaves,
    likeness,
    numbered,
    parts_of,
    with_parts,
)
from .traced import Traced

KINDS: dict[str, Kind] = {"b": "boolean", "i": "integer", "u": "integer"}
"""Kinds of entries by NumPy's letters; all others are real."""


def declared(shapes: Mapping[str, Any]) -> tuple[dict[str, Structure], dict[str, Spec]]:
    """The structure of each argument, numbered through, and a declaration for each array by its path.

    Args:
        shapes: for each argument its axes, a `Spec`, an array (whose sizes are then numbers), or a container of such.
            A named tuple or dataclass may be an instance or the class itself, whose fields are declared by their
            defaults or as ``Annotated[np.ndarray, "n m"]``. Other leaves of a container are constants; in one that
            holds arrays, strings are as well, and a float is a scalar.

    Raises:
        SpecError: axes or facts cannot be read; the path is named.
    """
    structures: dict[str, Structure] = {}
    specs: dict[str, Spec] = {}
    for name, value in shapes.items():
        value = _instance(value, name)
        structures[name], found = numbered(value, name, _declares(value), start=len(specs))
        if isinstance(structures[name], Static):
            raise SpecError(
                f"{name} is declared as {value!r}; axes such as 'batch n', a spec, an array, or a dict, list, tuple, named "
                "tuple or dataclass of these were expected"
            )
        specs |= {path: _spec(path, leaf) for path, leaf in found.items()}
    return structures, specs


def _declares(value: Any) -> Callable[[Any], bool]:
    """Which leaves of an argument stand for arrays."""
    if not is_container(value):
        return lambda leaf: (isinstance(leaf, Spec | str | int | float) and not isinstance(leaf, bool)) or is_array(leaf)
    if any(is_array(leaf) for _, leaf in leaves(value)):
        return lambda leaf: _is_input(leaf) or isinstance(leaf, Spec)
    return lambda leaf: isinstance(leaf, Spec | str)


@dataclass(frozen=True)
class Examples:
    """Arguments of a call as declarations with a size of its own for every axis, except those of length 1.

    key: equal for two calls that are traced alike.
    """

    arguments: dict[str, Structure]
    specs: dict[str, Spec]
    sizes: set[sympy.Symbol]
    key: Any


def examples(values: Mapping[str, Any]) -> Examples:
    """The declarations that the arguments of a call make; the operations will say which sizes are equal."""
    letters = (f"{c}{d}" for d in ("", *map(str, range(1, 1000))) for c in "nmpqrs")
    arguments: dict[str, Structure] = {}
    specs: dict[str, Spec] = {}
    for name, given in values.items():
        value = _with_arrays(given, outermost=True)
        arguments[name], found = numbered(value, name, _is_input if is_container(value) else lambda _: True, len(specs))
        for path, leaf in found.items():
            array = leaf if is_array(leaf) else np.asarray(leaf)
            extents = array.extents if isinstance(array, Traced) else array.shape
            shape = tuple(sympy.S.One if n == 1 else size(next(letters)) for n in extents)
            specs[path] = of_array(array, shape)
    alike = tuple((path, s.kind, tuple(e == 1 for e in s.shape)) for path, s in specs.items())
    constants = [leaf.value for _, leaf in leaves(arguments) if isinstance(leaf, Static)]
    key = (alike, likeness(arguments), tuple(map(_hashable, constants)))
    return Examples(arguments, specs, {e for s in specs.values() for e in s.shape if e.is_Symbol}, key)


def _with_arrays(value: Any, outermost: bool = False) -> Any:
    """The value with arrays for lists of numbers; a list of integers within a container is a constant of the model."""
    if not is_container(value):
        return value
    numbers = [leaf for _, leaf in leaves(value) if isinstance(leaf, int | float | np.number)]
    plain = isinstance(value, list | tuple) and not fields_of(value) and len(numbers) == len(list(leaves(value)))
    if plain and (outermost or any(isinstance(leaf, float) for leaf in numbers)):
        return np.asarray(value)
    return with_parts(value, [_with_arrays(part) for part in parts_of(value).values()])


def _is_input(leaf: Any) -> bool:
    """Whether a leaf of a nested argument is differentiable data rather than a constant."""
    return is_array(leaf) or isinstance(leaf, float)


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return id(value)
    return type(value), value


def _spec(path: str, leaf: Any) -> Spec:
    if isinstance(leaf, Spec):
        return leaf
    if is_array(leaf):
        return of_array(leaf, tuple(map(sympy.Integer, leaf.shape)))
    if isinstance(leaf, float):
        return spec("")
    try:
        return spec(leaf)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None if "." in path else error


def of_array(array: Any, shape: tuple[Any, ...]) -> Spec:
    """The declaration of an array of this shape, by its dtype."""
    known = isinstance(array.dtype, np.dtype)
    return Spec(shape, KINDS.get(array.dtype.kind if known else np.asarray(array).dtype.kind, "real"))


def _instance(value: Any, path: str) -> Any:
    """Classes of named tuples and dataclasses as instances that hold the declarations of their fields."""
    if is_container(value):
        return with_parts(value, [_instance(part, join(path, key)) for key, part in parts_of(value).items()])
    fields = _declared_fields(value) if isinstance(value, type) else None
    if fields is None:
        return value
    hints = _hints(value)
    annotated = any(map(_note, hints.values()))
    parts = {n: _field(f"{path}.{n}", hints.get(n), default, annotated) for n, default in fields.items()}
    if issubclass(value, tuple):
        return value._make(parts.values())
    new = object.__new__(value)
    for name, part in parts.items():
        object.__setattr__(new, name, part)
    return new


def _hints(kind: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except NameError:  # annotations of a class within a function may name what only that function sees
        return {}


def _note(hint: Any) -> Any:
    """The declaration in ``Annotated[np.ndarray, "n m"]``."""
    return next((n for n in getattr(hint, "__metadata__", ()) if isinstance(n, str | Spec)), None)


def _declared_fields(kind: type) -> dict[str, Any] | None:
    """The fields of a named tuple or dataclass with their defaults."""
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return {name: kind._field_defaults.get(name, MISSING) for name in kind._fields}  # type: ignore[attr-defined]
    return {f.name: f.default for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else None


def _field(path: str, hint: Any, default: Any, annotated: bool) -> Any:
    """What the annotation of a field declares; else its default, which is a constant where other fields have notes."""
    if note := _note(hint):
        return note
    if default is not MISSING:
        return Static(default) if annotated else default
    if isinstance(hint, type) and _declared_fields(hint) is not None:
        return _instance(hint, path)
    raise SpecError(f'{path} has no shape; try: an instance with axes as fields, or Annotated[np.ndarray, "n m"]')
