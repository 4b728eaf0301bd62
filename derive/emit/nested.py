"""Functions with arguments and results in structures, around emitted ones of plain arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..structure import Static, Structure, by_entry, fields_of, is_container, is_place, parts_of, places
from .function import called, definition, unpacked
from .layout import INDENT, docstring, enclosed, indented, signature
from .plan import Plan
from .target import Nested

ROOM = 84
Codes = Mapping[int, str]


def nested_function(plan: Plan, call: str) -> list[list[str]]:
    """The user's function, which calls `call` on its arrays; with the types of its results."""
    nested = plan.request.nested
    if nested is None:
        return []
    arrays = [_array_of(nested)[place] for place in range(len(plan.inputs))]
    doc = docstring([f"`{call}` with its arguments and results in their structures."], ROOM)
    head = signature(nested.name, list(nested.arguments))
    if nested.outputs == 0 or nested.outputs == tuple(range(len(plan.outputs))):
        return [definition(head, doc, *called(call, arrays, ROOM, "return "))]
    names = {place: f"results[{place}]" for place in places(nested.outputs)}
    body = [*called(call, arrays, ROOM, "results = "), *_returned(built(nested.outputs, names, ""))]
    return [*_types(nested.outputs), definition(head, doc, *body)]


def nested_gradients(plan: Plan, passes: Callable[[], list[str]]) -> list[list[str]]:
    """A function from the arguments and cotangents to the gradients in structures; `passes` are the lines between."""
    nested = plan.request.nested
    if nested is None or not nested.gradients:
        return []
    entries = by_entry(nested.outputs, [t.name for t in plan.cotangents])
    cotangents = {plan.names.tensors.get(name, name): entry for name, entry in entries.items()}
    seeds: dict[int, str] = {}
    for name, entry in cotangents.items():
        seeds |= accesses(entry, name)
    between = passes()
    used = set(re.findall(r"\w+", " ".join(between)))
    lines = [
        f"{plan.name(tensor)} = {code}"
        for tensors, codes in ((plan.inputs, _array_of(nested)), (plan.cotangents, seeds))
        for place, tensor in enumerate(tensors)
        if (code := codes[place]) != plan.name(tensor) and plan.name(tensor) in used
    ]
    gradients = {k: plan.name(t) for k, t in enumerate(plan.gradients)}
    parts = [built(part, gradients, access(nested.arguments, path)) for path, part in nested.gradients.items()]
    doc = docstring([f"The gradients of `{nested.name}` by {', '.join(nested.gradients)}, in the same structures."], ROOM)
    head = signature(f"{nested.name}_gradients", [*nested.arguments, *cotangents])
    result = parts[0] if nested.single else ("(", [("", part) for part in parts], "," if len(parts) == 1 else "", ")")
    return [definition(head, doc, *lines, *between, *_returned(result))]


def gradients_of(plan: Plan, function: str, arguments: list[str]) -> list[str]:
    """The call of a backward pass, its results by their names."""
    names = [plan.name(t) for t in plan.gradients]
    left = ", ".join(names)
    if len(names) == 1 or len(f"{left} = {function}(") <= ROOM - 20:
        return called(function, arguments, ROOM, f"{left} = ")
    return [*called(function, arguments, ROOM, "gradients = "), *unpacked(names, "gradients", ROOM)]


def _array_of(nested: Nested) -> dict[int, str]:
    """The code for each input array."""
    return {p: code for name, part in nested.arguments.items() for p, code in accesses(part, name).items()}


# --- taking structures apart


def accesses(structure: Structure, code: str) -> dict[int, str]:
    """The code for each array of a structure that `code` stands for."""
    if not is_container(structure):
        return {structure: code} if is_place(structure) else {}
    return {
        place: found
        for key, part in parts_of(structure).items()
        for place, found in accesses(part, code + _step(structure, key)).items()
    }


def access(arguments: Mapping[str, Structure], path: str) -> str:
    """The code for the argument, or the part of one, at a path."""
    code = path.partition(".")[0]
    part, rest = arguments[code], path.partition(".")[2]
    while rest:
        key = next(k for k in parts_of(part) if rest == str(k) or rest.startswith(f"{k}."))
        code, part, rest = code + _step(part, key), parts_of(part)[key], rest[len(str(key)) + 1 :]
    return code


def _step(container: Any, key: Any) -> str:
    return f".{key}" if fields_of(container) else f"[{json.dumps(key)}]"


# --- putting structures together

Built = str | tuple[str, list[tuple[str, Any]], str, str]
"""Code, or an opening, the items with what stands before each, what stands after a single one, and a closing."""


def built(structure: Structure, codes: Codes, like: str) -> Built:
    """The code that puts arrays into a structure; `like` is code for one that is built alike, if there is one."""
    if is_place(structure):
        return codes[structure]
    if isinstance(structure, Static):
        return repr(structure.value) if _is_literal(structure.value) else like or "None"
    items = [
        (key, built(part, codes, like and like + _step(structure, key)), part)
        for key, part in parts_of(structure).items()
    ]
    if isinstance(structure, dict):
        return "{", [(f"{json.dumps(key)}: ", code) for key, code, _ in items], "", "}"
    if not fields_of(structure):
        plain = [("", code) for _, code, _ in items]
        return ("[", plain, "", "]") if isinstance(structure, list) else ("(", plain, ",", ")")
    if not like:
        return f"{type(structure).__name__}(", [(f"{key}=", code) for key, code, _ in items], "", ")"
    changed = [(f"{key}=", code) for key, code, part in items if code != like + _step(structure, key)]
    named = isinstance(structure, tuple)
    return (f"{like}._replace(", changed, "", ")") if named else ("dataclasses.replace(", [("", like), *changed], "", ")")


def _is_literal(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _flat(code: Built) -> str:
    if isinstance(code, str):
        return code
    opening, items, single, closing = code
    return opening + ", ".join(before + _flat(item) for before, item in items) + single * (len(items) == 1) + closing


def _lines(before: str, code: Built, after: str, room: int) -> list[str]:
    """``before code after`` on one line, or each item on lines of its own."""
    flat = before + _flat(code) + after
    if len(flat) <= room or isinstance(code, str):
        return [flat]
    opening, items, _, closing = code
    inner = [line for lead, item in items for line in _lines(lead, item, ",", room - len(INDENT))]
    return [before + opening, *indented(inner), closing + after]


def _returned(code: Built) -> list[str]:
    return _lines("return ", code, "", ROOM)


def _types(structure: Structure) -> list[list[str]]:
    """Definitions of the named tuples and dataclasses of a result, which no argument can be copied for."""
    found: dict[str, list[str]] = {}

    def visit(part: Any) -> None:
        if not is_container(part):
            return
        name, fields = type(part).__name__, fields_of(part)
        if fields and name not in found:
            maker = "namedtuple" if isinstance(part, tuple) else "dataclasses.make_dataclass"
            listed = f"[{', '.join(map(json.dumps, fields))}]"
            found[name] = enclosed(f"{name} = {maker}(", [json.dumps(name), listed], ")", ROOM) or []
        for child in parts_of(part).values():
            visit(child)

    visit(structure)
    return [[line for lines in found.values() for line in lines]] if found else []
