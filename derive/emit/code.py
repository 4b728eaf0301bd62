"""Pieces of expressions in Python source, which know how tightly they bind and so where parentheses go."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

COMPARE, OR, AND, ADD, MUL, UNARY, POWER, POSTFIX = range(1, 9)


@dataclass(frozen=True)
class Code:
    """Base of all pieces: `text` on one line, and `level`, the precedence of the outermost operator."""

    @property
    def text(self) -> str:
        raise NotImplementedError

    @property
    def level(self) -> int:
        return POSTFIX

    @property
    def fresh(self) -> bool:
        """Whether evaluating it makes a new array, which may be changed in place."""
        return True

    def within(self, level: int) -> str:
        """The text as an operand of an operator of this level."""
        return self.text if self.level >= level else f"({self.text})"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Atom(Code):
    """A name or a number."""

    name: str

    @property
    def text(self) -> str:
        return self.name

    @property
    def fresh(self) -> bool:
        return False


@dataclass(frozen=True)
class Suffix(Code):
    """An attribute, a method call or a subscript: ``X.T``, ``X.sum(axis=1)``, ``X[:, None]``."""

    base: Code
    suffix: str
    copies: bool = False

    @cached_property
    def text(self) -> str:
        return self.base.within(POSTFIX) + self.suffix

    @property
    def fresh(self) -> bool:
        return self.copies


@dataclass(frozen=True)
class Call(Code):
    """``function(arguments)``."""

    function: str
    arguments: tuple[Code, ...]
    copies: bool = True

    @cached_property
    def text(self) -> str:
        return f"{self.function}({', '.join(a.text for a in self.arguments)})"

    @property
    def fresh(self) -> bool:
        return self.copies


@dataclass(frozen=True)
class Items(Code):
    """A list ``[a, b]`` or a tuple ``(a, b)``."""

    items: tuple[Code, ...]
    brackets: str = "[]"

    @cached_property
    def text(self) -> str:
        single = "," if len(self.items) == 1 and self.brackets == "()" else ""
        return f"{self.brackets[0]}{', '.join(item.text for item in self.items)}{single}{self.brackets[1]}"


@dataclass(frozen=True)
class Method(Code):
    """``base.method(arguments)``, where `method` may hold subscripts of its own: ``.at[i, j].add``."""

    base: Code
    method: str
    arguments: tuple[Code, ...]

    @cached_property
    def text(self) -> str:
        return f"{self.base.within(POSTFIX)}{self.method}({', '.join(a.text for a in self.arguments)})"


@dataclass(frozen=True)
class Group(Code):
    """Parentheses that only a reader needs."""

    base: Code

    @cached_property
    def text(self) -> str:
        return f"({self.base.text})"


@dataclass(frozen=True)
class Chain(Code):
    """Operands joined by operators of one precedence: ``a - b + c``, ``a * b / c``, ``p & q``."""

    binds: int
    first: Code
    rest: tuple[tuple[str, Code], ...]

    @property
    def level(self) -> int:
        return self.binds

    @property
    def operands(self) -> tuple[Code, ...]:
        return (self.first, *(operand for _, operand in self.rest))

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """The first operand, then each operator with its operand."""
        inner = self.binds + 1
        return (
            self.first.within(self.binds),
            *(f"{op} {operand.within(inner)}" for op, operand in self.rest),
        )

    @cached_property
    def text(self) -> str:
        return " ".join(self.pieces)


@dataclass(frozen=True)
class Prefix(Code):
    """``-x`` and ``~x``; a minus before a product stands without parentheses, but the whole then binds like a sum."""

    operator: str
    base: Code

    @property
    def level(self) -> int:
        return UNARY if self.operator == "~" or self.base.level >= UNARY else ADD

    @cached_property
    def text(self) -> str:
        base = _grouped_power(self.base)
        minus = self.operator == "-" and not _rounds(base)
        return self.operator + base.within(MUL if minus else UNARY)


@dataclass(frozen=True)
class Power(Code):
    """``base**exponent``, with the spaces that a formatter would put."""

    base: Code
    exponent: Code

    @property
    def level(self) -> int:
        return POWER

    @cached_property
    def text(self) -> str:
        base, exponent = self.base.within(POSTFIX), self.exponent.within(UNARY)
        tight = _simple(base) and _simple(exponent.removeprefix("-"))
        return f"{base}**{exponent}" if tight else f"{base} ** {exponent}"


def _grouped_power(code: Code) -> Code:
    """Parentheses around a power that follows a minus at once, as a formatter puts them: ``-(x**2) * y``."""
    if isinstance(code, Power):
        return Group(code)
    if isinstance(code, Chain) and code.binds == MUL:
        return Chain(MUL, _grouped_power(code.first), code.rest)
    return code


def _simple(operand: str) -> bool:
    return bool(re.fullmatch(r"(\(-[\w.]+\)\.)?[\w.]+(e-\d+)?", operand))


def chain(binds: int, first: Code, rest: Iterable[tuple[str, Code]]) -> Code:
    """`Chain`, flat: a first operand of the same precedence is continued."""
    rest = tuple(rest)
    if not rest:
        return first
    if isinstance(first, Chain) and first.binds == binds:
        return Chain(binds, first.first, (*first.rest, *rest))
    return Chain(binds, first, rest)


def _rounds(code: Code) -> bool:
    """Whether a minus in front would be taken for one of the first factor, and change what is rounded: ``-(a // b)``."""
    return isinstance(code, Chain) and any(operator in ("//", "%") for operator, _ in code.rest)


def negative(code: Code) -> Code:
    return Prefix("-", code)


def call(function: str, *arguments: Code | str) -> Code:
    return Call(function, tuple(Atom(a) if isinstance(a, str) else a for a in arguments))


def subscript(items: Iterable[str]) -> str:
    """``[:, None]`` for the given items; full slices at the end are left out, and ``""`` if nothing remains."""
    items = list(items)
    whole = next((p for p, item in enumerate(items) if item != ":"), 0)
    if whole > 1 and all(item == "None" for item in items[whole:]):
        return f"[{', '.join(['...', *items[whole:]])}]"
    while items and items[-1] == ":":
        items.pop()
    return f"[{', '.join(items)}]" if items else ""


def span(start: Code | None, stop: Code | None) -> str:
    """``start:stop`` as a formatter spaces it."""
    texts = [code.text if code else "" for code in (start, stop)]
    if all(re.fullmatch(r"-?\w*", text) for text in texts):
        return ":".join(texts)
    return f"{texts[0]} : {texts[1]}".strip()
