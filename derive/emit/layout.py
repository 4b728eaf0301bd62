"""Statements as lines that a formatter leaves alone: at most 88 columns, broken where it would break them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap

from .code import Atom, Call, Chain, Code, Group, Items, Method, Power, Prefix, Suffix

WIDTH = 88
INDENT = "    "


@dataclass(frozen=True)
class Statement:
    """``left right``, such as ``gZ = P * gP``, ``gZ[i, y] -= 1`` or, with an empty left, a call."""

    left: str
    right: Code


@dataclass(frozen=True)
class Block:
    """Statements under a head: ``for t in range(T):``."""

    head: str
    body: tuple[Line, ...]


Line = Statement | Block


def lines_of(statement: Line, room: int, fresh: Callable[[str], str]) -> list[str]:
    """The statement in lines of at most `room` columns; what has no good break is named first, by `fresh`."""
    if isinstance(statement, Block):
        inner = [line for s in statement.body for line in lines_of(s, room - len(INDENT), fresh)]
        lines = [statement.head, *indented(inner)]
        return ["", *lines, ""] if statement.head.startswith("def ") else lines
    left = f"{statement.left} " if statement.left else ""
    if len(left + statement.right.text) <= room:
        return [left + statement.right.text]
    broken = _broken(left, statement.right, room)
    if broken is not None:
        return broken
    part = _longest_part(statement.right)
    if part is None:
        return [left + statement.right.text]
    name = fresh("t")
    rest = Statement(statement.left, _replaced(statement.right, part, Atom(name)))
    return lines_of(Statement(f"{name} =", part), room, fresh) + lines_of(rest, room, fresh)


def _broken(left: str, code: Code, room: int) -> list[str] | None:
    """The breaks that the formatter would choose, where that choice is plain; None elsewhere."""
    if isinstance(code, Call):
        return enclosed(f"{left}{code.function}(", [a.text for a in code.arguments], ")", room)
    if isinstance(code, Items) and left:
        single = [f"{INDENT}{item.text}," for item in code.items]
        return [left + code.brackets[0], *single, code.brackets[1]] if max(map(len, single)) <= room else None
    if isinstance(code, Chain) and len(code.rest) > 1 and left:
        whole = len(INDENT + code.text) <= room
        pieces = [INDENT + piece for piece in ([code.text] if whole else code.pieces)]
        return [f"{left}(", *pieces, ")"] if max(map(len, pieces)) <= room else None
    return None


def enclosed(opening: str, items: Sequence[str], closing: str, room: int = WIDTH) -> list[str] | None:
    """``opening item, item closing`` on one line, on three, or one line for each item; None if all are too long."""
    inner = ", ".join(items)
    if len(opening + inner + closing) <= room:
        return [opening + inner + closing]
    if len(opening) > room:
        return None
    if len(INDENT + inner) <= room:
        return [opening, INDENT + inner, closing]
    single = [f"{INDENT}{item}," for item in items]
    return [opening, *single, closing] if max(map(len, single)) <= room else None


def _parts(code: Code) -> tuple[Code, ...]:
    match code:
        case Call(arguments=arguments):
            return arguments
        case Method(base=base, arguments=arguments):
            return (base, *arguments)
        case Items(items=items):
            return items
        case Chain():
            return code.operands
        case Suffix(base=base) | Prefix(base=base) | Group(base=base):
            return (base,)
        case Power(base=base, exponent=exponent):
            return (base, exponent)
    return ()


def _longest_part(code: Code) -> Code | None:
    parts = [part for part in _parts(code) if _parts(part)]
    return max(parts, key=lambda part: len(part.text), default=None)


def _replaced(code: Code, part: Code, name: Code) -> Code:
    def new(old: Code) -> Code:
        return name if old is part else old

    match code:
        case Call(arguments=arguments):
            return replace(code, arguments=tuple(map(new, arguments)))
        case Items(items=items):
            return replace(code, items=tuple(map(new, items)))
        case Method(base=base, arguments=arguments):
            return replace(code, base=new(base), arguments=tuple(map(new, arguments)))
        case Chain(first=first, rest=rest):
            return replace(code, first=new(first), rest=tuple((op, new(operand)) for op, operand in rest))
        case Suffix(base=base) | Prefix(base=base) | Group(base=base):
            return replace(code, base=new(base))
        case Power(base=base, exponent=exponent):
            return Power(new(base), new(exponent))
    return code


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    return [INDENT * depth + line if line else line for line in lines]


def docstring(paragraphs: Sequence[str], room: int) -> list[str]:
    """A docstring of a first line and, after an empty line each, further blocks; lines already broken are kept."""
    escaped = [p.replace("\\", "\\\\").replace('"""', r"\"\"\"") for p in paragraphs]
    lines: list[str] = []
    for paragraph in escaped:
        block = (
            paragraph.split("\n") if "\n" in paragraph else wrap(paragraph, room - 6, break_long_words=False)
        )
        lines += ["", *(line.rstrip() for line in block)]
    if len(lines) == 2 and not lines[1].endswith('"'):
        return [f'"""{lines[1]}"""']
    return [f'"""{lines[1]}', *lines[2:], '"""']


def signature(name: str, parameters: Sequence[str], room: int = WIDTH) -> list[str]:
    """``def name(parameters):``"""
    return enclosed(f"def {name}(", parameters, "):", room) or [f"def {name}({', '.join(parameters)}):"]


def standard_imports(code: str) -> list[str]:
    """The imports from the standard library that some code needs, and the empty line after them."""
    lines = [f"import {module}" for module in ("dataclasses", "math") if f"{module}." in code]
    lines += ["from collections import namedtuple"] if "namedtuple(" in code else []
    return [*lines, ""] if lines else []
