"""Long lines of a kernel, broken where a formatter would break them."""

from __future__ import annotations

import re
from textwrap import wrap

WIDTH = 88
OPERATORS = ((" + ", " - "), (" * ", " / ", " @ "))


def fitted(line: str, width: int = WIDTH) -> list[str]:
    """The line as lines of at most `width` columns, as far as there is a good place for a break."""
    if len(line) <= width:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    text = line.strip()
    if text.startswith("# "):
        return [f"{margin}# {part}" for part in wrap(text[2:], width - len(margin) - 2, subsequent_indent="    ")]
    if text.startswith("return "):
        items = split(text.removeprefix("return "), [", "])
        return [f"{margin}return (", *(f"{margin}    {item}," for item in items), f"{margin})"] if len(items) > 1 else [line]
    head, sign, value = re.match(r"([^=]*?)( [-+*]?= |$)(.*)", text).groups()  # type: ignore[union-attr]
    return [margin + part for part in broken(f"{head}{sign}", value, width - len(margin))] if value else [line]


def broken(head: str, value: str, width: int) -> list[str]:
    """``head (`` operands, one on each line, ``)``."""
    call = re.fullmatch(r"([\w.]+)\((.*)\)", value)
    if call and len(split(value, [" "])) == 1 and len(call[2]) + 4 <= width:
        return [f"{head}{call[1]}(", f"    {call[2]}", ")"]
    inner = value[1:-1] if value.startswith("(") and closing(value) == len(value) - 1 else value
    if len(inner) + 4 <= width and (inner != value or not operands(inner)):
        return [f"{head}(", f"    {inner}", ")"]
    return [f"{head}(", *(f"    {part}" for part in operands(inner) or [inner]), ")"]


def operands(text: str) -> list[str]:
    """The operands of the outermost operators, each after its operator; for a choice its three parts."""
    for marks in ([" if ", " else "], *OPERATORS):
        parts = split(text, list(marks), keep=True)
        if len(parts) > 1:
            return parts
    return []


def split(text: str, marks: list[str], keep: bool = False) -> list[str]:
    """`text` split at the marks outside of brackets; with `keep` each mark begins its part."""
    parts, depth, start, position = [], 0, 0, 0
    while position < len(text):
        if text[position] in "([":
            depth += 1
        elif text[position] in ")]":
            depth -= 1
        mark = next((m for m in marks if depth == 0 and text.startswith(m, position)), None)
        if mark is None:
            position += 1
            continue
        parts.append(text[start:position].strip())
        start = position if keep else position + len(mark)
        position += len(mark)
    return [*parts, text[start:].strip()]


def closing(text: str) -> int:
    """Where the bracket that `text` begins with is closed."""
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return position
    return -1
