"""A saved verdict, read from JSON that may come from strangers: every field is checked, nothing is executed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from ..errors import VerdictError, closest

Status = Literal["PROVED", "TESTED", "REFUTED", "UNKNOWN"]
LARGEST = 1_000_000
"""Characters."""
LONGEST = 20_000
"""Characters of one text."""
MOST_ENTRIES = 10_000
"""Entries of an array."""
DEEPEST = 12
"""Axes of an array."""
FRACTION = re.compile(r"-?[0-9]{1,200}(/[0-9]{1,200})?")
MOST_DIGITS = 200


def read_fields(source: str | Path) -> dict[str, Any]:
    """The fields of the verdict in a file, or in a text that begins with a brace.

    Raises:
        VerdictError: there is no such file, or it holds no verdict; the message names the field.
    """
    text = _content(source)
    if len(text) > LARGEST:
        raise VerdictError(f"a saved verdict has at most {LARGEST} characters; found {len(text)}")
    try:
        data = json.loads(text, parse_constant=_no_number, parse_int=_integer)
    except RecursionError:
        raise VerdictError("no verdict: the JSON nests too deeply") from None
    except json.JSONDecodeError as error:
        raise VerdictError(f"no JSON: {error.msg}, at line {error.lineno}, character {error.colno}") from None
    if not isinstance(data, dict):
        raise VerdictError(
            f"a saved verdict is an object with the fields {', '.join(VERDICT)}; found {_kind(data)}"
        )
    return _checked(data, VERDICT, ("claim", "status"), "")


def _content(source: str | Path) -> str:
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return source
    path = Path(source)
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8 text"
        raise VerdictError(
            f"{str(source)[:200]}: cannot be read ({reason}); try: a file that `derive verify --json` wrote"
        ) from None


def _no_number(word: str) -> Any:
    raise VerdictError(f"{word} is no number of an exact counterexample")


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise VerdictError(f"a number has at most {MOST_DIGITS} digits; found {len(text)}")
    return int(text)


def _checked(
    data: Mapping[str, Any],
    known: Mapping[str, Callable[[Any, str], Any]],
    needed: tuple[str, ...],
    within: str,
) -> dict[str, Any]:
    """The fields of an object, each read by its own reader."""
    for name in data:
        if name not in known:
            raise VerdictError(f"unknown field {(within + name)[:80]!r}; {closest(name, known)}")
    for name in needed:
        if name not in data:
            raise VerdictError(f"the field {within + name!r} is missing")
    return {name: known[name](value, within + name) for name, value in data.items()}


def _kind(value: Any) -> str:
    kinds = {
        dict: "an object",
        list: "an array",
        bool: "a truth value",
        int: "an integer",
        float: "a number",
        str: "text",
    }
    return kinds.get(type(value), "null")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise VerdictError(f"{name} must be text; found {_kind(value)}")
    if len(value) > LONGEST:
        raise VerdictError(f"{name} has {len(value)} characters, more than {LONGEST}")
    return value


def _status(value: Any, name: str) -> str:
    if _text(value, name) not in get_args(Status):
        raise VerdictError(f"{name} is one of {', '.join(get_args(Status))}; found {value[:80]!r}")
    return str(value)


def _texts(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise VerdictError(f"{name} must be an array of texts; found {_kind(value)}")
    return tuple(_text(v, f"an entry of {name}") for v in value)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise VerdictError(f"{name} must be an object; found {_kind(value)}")
    return value


def _variables(value: Any, name: str) -> dict[str, str] | None:
    if value is None:
        return None
    return {
        variable: _text(shape, f"{name}.{variable[:80]}") for variable, shape in _object(value, name).items()
    }


def _natural(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise VerdictError(f"{name} must be a natural number; found {str(value)[:80]}")
    return value


def _sizes(value: Any, name: str) -> dict[str, int]:
    return {size: _natural(n, f"{name}.{size[:80]}") for size, n in _object(value, name).items()}


def _place(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise VerdictError(f"{name} must be an array of numbers; found {_kind(value)}")
    return tuple(_natural(v, f"an entry of {name}") for v in value)


def _arrays(value: Any, name: str) -> dict[str, Any]:
    return {
        variable: _array(array, f"{name}.{variable[:80]}") for variable, array in _object(value, name).items()
    }


def _array(value: Any, name: str) -> Any:
    """Nested lists of whole numbers, truth values, and fractions as text."""
    _count(value, name, 0)
    return value


def _count(value: Any, name: str, depth: int) -> int:
    match value:
        case list():
            if depth >= DEEPEST:
                raise VerdictError(f"{name} has more than {DEEPEST} axes")
            count = sum(_count(v, name, depth + 1) for v in value)
            if count > MOST_ENTRIES:
                raise VerdictError(f"{name} has more than {MOST_ENTRIES} entries")
            return count
        case bool() | int():
            return 1
        case str() if FRACTION.fullmatch(value):
            return 1
    raise VerdictError(
        f"an entry of {name} must be a whole number or a fraction such as '4/5'; found {str(value)[:80]!r}"
    )


def _counterexample(value: Any, name: str) -> dict[str, Any] | None:
    return (
        None
        if value is None
        else _checked(_object(value, name), COUNTEREXAMPLE, tuple(COUNTEREXAMPLE), f"{name}.")
    )


COUNTEREXAMPLE: dict[str, Callable[[Any, str], Any]] = {
    "sizes": _sizes, "arrays": _arrays, "place": _place, "left": _text, "right": _text, "evidence": _text,
}  # fmt: skip
VERDICT: dict[str, Callable[[Any, str], Any]] = {
    "claim": _text, "status": _status, "level": _text, "evidence": _text, "counterexample": _counterexample,
    "holds_when": _texts, "corrected": _text, "understood": _text, "variables": _variables,
}  # fmt: skip
"""The fields of a saved verdict, each with what reads it."""
