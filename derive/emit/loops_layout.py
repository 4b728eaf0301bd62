"""Long lines of a kernel, broken where a formatter would break them."""

from __future__ import annotations

import re
from textwrap import wrap

WIDTH = 88
OPERATORS = ((" if ", " else "), (" or ",), (" and ",), (" + ", " - "), (" * ", " / ", " @ "))


def fitted(line: str, width: int = WIDTH) -> list[str]:
    """The line as lines of at most `width` columns, as far as there is a good place for a break."""
    if len(line) <= width:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    text, room = line.strip(), width - len(margin)
    if text.startswith("# "):
        lines = [f"# {part}" for part in wrap(text[2:], room - 2, subsequent_indent="    ")]
    elif text.startswith("return "):
        items = split(text.removeprefix("return "), [", "])
        lines = ["return (", *(f"    {item}," for item in items), ")"]
    elif text.startswith("if "):
        lines = ["if (", *indented(expanded(text[3:-1], room - 4)), "):"]
    else:
        found = re.match(r"(.*?) ([-+*]?=) (.*)", text)
        lines = broken(f"{found[1]} {found[2]} ", found[3], room) if found else around_last_bracket("", text, room)
    return [margin + part for part in lines]


def broken(head: str, value: str, room: int) -> list[str]:
    """``head (`` operands, one on each line, ``)``; a call alone is opened instead."""
    if not operands(value) and value.endswith(")"):
        return around_last_bracket(head, value, room)
    return [f"{head}(", *indented(expanded(value, room - 4)), ")"]


def around_last_bracket(head: str, value: str, room: int) -> list[str]:
    """``f(``, what is inside, ``)``."""
    start = opening(value)
    if start < 0:
        return [head + value]
    if start + len(head) + 1 > room and value.startswith("("):
        end = value.rindex(")", 0, start)
        return [f"{head}(", *indented(expanded(value[1:end], room - 4)), value[end:]]
    inside = value[start + 1 : -1]
    if not re.search(r"[\w\])]$", value[:start]):  # ``-(a if c else b)`` is no call
        return [head + value[: start + 1], *indented(expanded(inside, room - 4)), ")"]
    lines = [inside] if len(inside) <= room - 4 else [f"{item}," for item in split(inside, [", "])]
    return [head + value[: start + 1], *indented(lines), ")"]


def expanded(text: str, room: int, sign: str = "") -> list[str]:
    """Operands on lines of their own, those that are too long opened in turn; `sign` comes before the first."""
    if len(sign + text) <= room:
        return [sign + text]
    parts = operands(text)
    if parts:
        first, *rest = [line for part in parts for line in expanded(*without_sign(part, room))]
        return [sign + first, *rest]
    start = opening(text)
    if start < 0:
        return [sign + text]
    return [sign + text[: start + 1], *indented(expanded(text[start + 1 : -1], room - 4)), ")"]


def without_sign(part: str, room: int) -> tuple[str, int, str]:
    """An operand and the operator before it."""
    found = re.match(r"(?:[-+*/@]|if|else|and|or) ", part)
    sign = found[0] if found else ""
    return part[len(sign) :], room, sign


def operands(text: str) -> list[str]:
    """The operands of the outermost operators of lowest rank, each after its operator."""
    for marks in OPERATORS:
        parts = split(text, list(marks), keep=True)
        if len(parts) > 1:
            return parts
    return []


def split(text: str, marks: list[str], keep: bool = False) -> list[str]:
    """`text` split at the marks outside of brackets; with `keep` each mark begins its part."""
    parts, depth, start, position = [], 0, 0, 0
    while position < len(text):
        depth += (text[position] in "([") - (text[position] in ")]")
        mark = next((m for m in marks if depth == 0 and text.startswith(m, position)), None)
        if mark is not None:
            parts.append(text[start:position].strip())
            start = position if keep else position + len(mark)
        position += len(mark or " ")
    return [*parts, text[start:].strip()]


def opening(text: str) -> int:
    """Where the bracket that `text` ends with is opened."""
    depth = 0
    for position in range(len(text) - 1, -1, -1):
        depth += (text[position] in ")]") - (text[position] in "([")
        if depth == 0:
            return position if text[position] == "(" else -1
    return -1


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
