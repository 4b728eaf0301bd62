"""What a traced function returned: its arrays, what to call them, and the structure that they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecError, TraceError
from ..structure import Static, Structure, fields_of, is_array, is_container, join, parts_of, with_parts
from .trace import Trace
from .traced import Traced


@dataclass(frozen=True)
class Result:
    """One array that was returned.

    wanted: its path within what was returned, or the default for its place in a tuple.
    by_path: whether that is its name, whatever variable holds it.
    """

    value: Traced
    wanted: str = ""
    by_path: bool = False


def outputs_of(name: str, trace: Trace, result: Any) -> tuple[Structure, list[Result]]:
    """The structure of what the function `name` returned, 0 for one array, and its arrays in order.

    Raises:
        TraceError: there is no array, or something stands in its place.
    """
    if result is None:
        raise TraceError(f"{name}() returned None; try: return an array, or a tuple of arrays")
    if isinstance(result, set | frozenset):
        raise TraceError(f"{name}() returned a {type(result).__name__}, which has no order; try: a tuple or dict of arrays")
    found: list[Result] = []
    try:
        structure = _top(trace, result, found)
    except SpecError as error:
        raise TraceError(f"{name}(): {error}") from None
    if not found:
        empty = "an empty" if is_container(result) and not parts_of(result) else "no array, but a"
        raise TraceError(f"{name}() returned {empty} {type(result).__name__}; try: return an array")
    return structure, found


def _top(trace: Trace, result: Any, found: list[Result]) -> Structure:
    if not is_container(result):
        found.append(Result(trace.lift(result)))
        return 0
    if fields_of(result) or isinstance(result, dict):
        return _inside(trace, result, "", found)
    several = len(result) > 1
    entries = [_entry(trace, v, f"Y{place + 1}" if several else "", found) for place, v in enumerate(result)]
    return with_parts(result, entries)


def _entry(trace: Trace, value: Any, default: str, found: list[Result]) -> Structure:
    """An entry of a tuple: a container is called like the variable that holds it."""
    if not is_container(value):
        found.append(Result(trace.lift(value), default))
        return len(found) - 1
    variable = next((local for local, held in trace.user.variables() if held is value), default or "Y")
    return _inside(trace, value, variable, found)


def _inside(trace: Trace, value: Any, path: str, found: list[Result]) -> Structure:
    if is_container(value):
        parts = parts_of(value).items()
        return with_parts(value, [_inside(trace, part, join(path, key), found) for key, part in parts])
    if not (isinstance(value, Traced | int | float | np.number) or is_array(value)):
        return Static(value)
    found.append(Result(trace.lift(value), path, by_path=True))
    return len(found) - 1
