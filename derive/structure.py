"""Arrays in containers: dicts, lists, tuples, named tuples and dataclasses, taken apart by path and put together again.

A *structure* is such a container with numbers in the places of its arrays: ``{"W": 0, "b": 1}``. What is no array at
all, an activation or a missing bias, stands in it as a `Static`. A path joins keys, fields and positions with dots.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from .errors import SpecError, StructureError, closest

Structure = Any
"""An int, a `Static`, or a container of structures."""

KEY = re.compile(r"\w+(\.\w+)*")


@dataclass(frozen=True)
class Static:
    """A leaf that is no array: it stays as it was when the function was traced."""

    value: Any


def is_container(value: Any) -> bool:
    """Whether `value` is one of the registered containers; a class is not."""
    if isinstance(value, dict | list | tuple):
        return True
    return dataclasses.is_dataclass(value) and not isinstance(value, type) and not (_is_ours(value) or is_array(value))


def is_array(value: Any) -> bool:
    """Whether a value has a shape and a dtype, as the arrays of all libraries have."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _is_ours(value: Any) -> bool:
    """A `Static`, a `Spec`, a `Function`: dataclasses that hold no arrays of the user."""
    return type(value).__module__.partition(".")[0] == __name__.partition(".")[0]


def parts_of(container: Any) -> dict[Any, Any]:
    """The keys, fields or positions of a container with what stands there."""
    if isinstance(container, dict):
        return dict(container)
    if names := fields_of(container):
        return {name: getattr(container, name) for name in names}
    return dict(enumerate(container))


def fields_of(container: Any) -> tuple[str, ...]:
    """The names of the fields of a named tuple or dataclass."""
    if isinstance(container, tuple):
        return tuple(getattr(container, "_fields", ()))
    if dataclasses.is_dataclass(container):
        return tuple(f.name for f in dataclasses.fields(container) if hasattr(container, f.name))
    return ()


def with_parts(container: Any, parts: Sequence[Any]) -> Any:
    """A container of the same type and keys with other parts; a dataclass is copied without calling its constructor."""
    if isinstance(container, dict):
        new = copy.copy(container)
        new.update(zip(container, parts, strict=True))
        return new
    if isinstance(container, list):
        return list(parts)
    if isinstance(container, tuple):
        return type(container)._make(parts) if fields_of(container) else tuple(parts)  # type: ignore[attr-defined]
    new = copy.copy(container)
    for name in [n for n in getattr(new, "__dict__", ()) if _is_cached(type(new), n)]:
        del new.__dict__[name]
    for name, part in zip(fields_of(container), parts, strict=True):
        object.__setattr__(new, name, part)
    return new


def _is_cached(kind: type, name: str) -> bool:
    return isinstance(getattr(kind, name, None), functools.cached_property)


def join(path: str, key: Any) -> str:
    """The path of a part.

    Raises:
        SpecError: the key is not made of letters, digits, _ and dots.
    """
    if isinstance(key, bool) or not isinstance(key, str | int) or not KEY.fullmatch(str(key)):
        raise SpecError(
            f"{path or 'the result'} has the key {key!r}; the keys of nested arrays are letters, digits, _ and dots"
        )
    return f"{path}.{key}" if path else str(key)


def mapped(value: Any, change: Callable[[str, Any], Any], path: str = "") -> Any:
    """The same containers with ``change(path, leaf)`` in the place of each leaf."""
    if not is_container(value):
        return change(path, value)
    return with_parts(value, [mapped(part, change, join(path, key)) for key, part in parts_of(value).items()])


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves with their paths, from left to right."""
    if not is_container(value):
        yield path, value
        return
    for key, part in parts_of(value).items():
        yield from leaves(part, join(path, key))


def is_place(leaf: Any) -> bool:
    """Whether a leaf of a structure stands for an array."""
    return isinstance(leaf, int) and not isinstance(leaf, bool)


def places(structure: Structure) -> list[int]:
    """The numbers of a structure, from left to right."""
    return [leaf for _, leaf in leaves(structure) if is_place(leaf)]


def filler(structure: Structure) -> Callable[[Sequence[Any]], Any]:
    """`filled` as a function of the values; plain tuples are made without looking at the structure again."""
    if is_place(structure):
        return itemgetter(structure)
    if type(structure) is not tuple:
        return functools.partial(filled, structure)
    if len(structure) > 1 and all(map(is_place, structure)):
        return itemgetter(*structure)
    return functools.partial(_tuple_of, [filler(part) for part in structure])


def _tuple_of(parts: Sequence[Callable[[Any], Any]], values: Any) -> tuple[Any, ...]:
    return tuple([part(values) for part in parts])


def filled(structure: Structure, values: Sequence[Any] | Mapping[int, Any]) -> Any:
    """The container with ``values[k]`` for each number k."""
    kind = type(structure)
    if kind is int:
        return values[structure]
    if kind is dict:
        return {key: filled(part, values) for key, part in structure.items()}
    if kind is Static:
        return structure.value
    return with_parts(structure, [filled(part, values) for part in parts_of(structure).values()])


def taken(structure: Structure, value: Any, found: list[Any]) -> bool:
    """Put the arrays of `value` at their numbers in `found`; False if it is not built like `structure` (see `matched`)."""
    kind = type(structure)
    if kind is int:
        found[structure] = value
        return not isinstance(value, dict)
    if kind is Static:
        return _same(structure.value, value)
    if not _alike(structure, value):
        return False
    if isinstance(value, dict):
        return len(value) == len(structure) and all(
            key in value and taken(part, value[key], found) for key, part in structure.items()
        )
    if names := fields_of(structure):
        return names == fields_of(value) and all(
            taken(getattr(structure, n), getattr(value, n), found) for n in names
        )
    return len(value) == len(structure) and all(map(taken, structure, value, [found] * len(value)))


def renumbered(structure: Structure, change: Callable[[int], Structure]) -> Structure:
    """The structure with other numbers, or with a structure in the place of each number."""
    return mapped(structure, lambda _, leaf: change(leaf) if is_place(leaf) else leaf)


def shifted(structure: Structure, start: int) -> Structure:
    """The structure with its numbers counted from `start` on."""
    return renumbered(structure, lambda place: place + start)


def flat(count: int) -> tuple[int, ...]:
    """The structure of a tuple of arrays."""
    return tuple(range(count))


def numbered(value: Any, path: str, is_array: Callable[[Any], bool], start: int = 0) -> tuple[Structure, dict[str, Any]]:
    """A structure for `value`, and its arrays by path.

    Raises:
        SpecError: two arrays have the same path, or a key is no word.
    """
    found: dict[str, Any] = {}

    def change(where: str, leaf: Any) -> Structure:
        if not is_array(leaf):
            return leaf if isinstance(leaf, Static) else Static(leaf)
        if where in found:
            raise SpecError(f"two arrays have the path {where!r}; try: other keys")
        found[where] = leaf
        return start + len(found) - 1

    return mapped(value, change, path), found


def matched(structure: Structure, value: Any, path: str) -> dict[int, Any]:
    """The arrays of `value` by their numbers in `structure`.

    Raises:
        StructureError: a container of another type, a missing or an unknown key, or another constant; its path is named.
    """
    if isinstance(structure, Static):
        if not _same(structure.value, value):
            raise StructureError(
                f"{path} is {value!r}, but the function was traced with {structure.value!r}, which is no array; "
                "try: trace it again for this value"
            )
        return {}
    if not is_container(structure):
        if (is_container(value) and fields_of(value)) or isinstance(value, dict):
            raise StructureError(f"{path} is {described(value)}; an array was expected")
        return {structure: value}
    _same_container(structure, value, path)
    inside = parts_of(value)
    return {
        place: array
        for key, part in parts_of(structure).items()
        for place, array in matched(part, inside[key], join(path, key)).items()
    }


def _same(a: Any, b: Any) -> bool:
    try:
        return a is b or bool(type(a) is type(b) and a == b)
    except ValueError:
        return False


def _alike(structure: Structure, value: Any) -> bool:
    """Containers of one type; a dict of any kind is a dict."""
    return type(structure) is type(value) or (isinstance(structure, dict) and isinstance(value, dict))


def _same_container(structure: Structure, value: Any, path: str) -> None:
    if not _alike(structure, value):
        raise StructureError(f"{path} is {described(value)}; expected {described(structure)}")
    wanted, found = parts_of(structure), parts_of(value)
    if isinstance(value, list | tuple) and len(wanted) != len(found):
        raise StructureError(f"{path} has {_count(found)}; expected {_count(wanted)}")
    if missing := [key for key in wanted if key not in found]:
        raise StructureError(f"{path} has no {missing[0]!r}; it is {described(value)}, expected {described(structure)}")
    if extra := [key for key in found if key not in wanted]:
        raise StructureError(f"{path} has an unexpected {extra[0]!r}; {closest(str(extra[0]), map(str, wanted))}")


def _count(parts: Mapping[Any, Any]) -> str:
    return "1 entry" if len(parts) == 1 else f"{len(parts)} entries"


def described(value: Any) -> str:
    """``a dict with W, b``: for messages."""
    if not is_container(value):
        return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"
    names = ", ".join(map(str, parts_of(value)))
    if isinstance(value, list | tuple) and not fields_of(value):
        return f"a {type(value).__name__} of {_count(parts_of(value))}"
    kind = "dict" if isinstance(value, dict) else type(value).__name__
    return f"a {kind} with {names}" if names else f"an empty {kind}"


def part_at(structure: Structure, path: str) -> Structure | None:
    """What stands at a path, of an array or of a container; None if nothing does."""
    if not path:
        return structure
    if not is_container(structure):
        return None
    for key, part in parts_of(structure).items():
        head = str(key)
        if path == head or path.startswith(f"{head}."):
            found = part_at(part, path[len(head) + 1 :])
            if found is not None:
                return found
    return None


def paths(structure: Structure, path: str = "") -> Iterable[str]:
    """The paths of all arrays and of the containers that hold some."""
    if isinstance(structure, Static) or not places(structure):
        return
    if path:
        yield path
    if is_container(structure):
        for key, part in parts_of(structure).items():
            yield from paths(part, join(path, key))


def by_entry(structure: Structure, names: Sequence[str]) -> dict[str, Structure]:
    """The entries of a result by what to call them: the array of that number, or what its path begins with."""
    if not is_container(structure):
        return {names[structure]: structure}
    return {
        names[places(entry)[0]].partition(".")[0] if is_container(entry) else names[entry]: entry
        for entry in parts_of(structure).values()
        if places(entry)
    }


def likeness(value: Any) -> Any:
    """What two values have in common that are traced alike: types and keys, hashable; leaves are left out."""
    if not is_container(value):
        return None
    return type(value), tuple((key, likeness(part)) for key, part in parts_of(value).items())
