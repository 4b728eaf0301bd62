"""The text of a formula: its limits, its tokens, and messages that point at a character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from keyword import iskeyword

import sympy

from ..errors import DeriveError, ParseError, in_text
from .formula_tree import Place

MAX_LENGTH = 10_000
"""Characters."""
MAX_NESTING = 64
"""Open brackets, and levels of the tree."""
MAX_NAME = 80
"""Characters of a name."""
MAX_DIGITS = 320
"""Digits of a number, and its largest power of ten: a double reaches 1.8e308."""

WINDOW = 96
"""How much of a long line is shown around the character that a message is about."""

LOOKALIKES = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∘": ".*", "⊙": ".*", "÷": "/", "²": "^2", "³": "^3", "ᵀ": "'",
    "’": "'", "′": "'", "π": "pi", "≤": "<=", "≥": ">=", "≠": "!=", "∞": "inf", "“": '"', "”": '"',
}  # fmt: skip
"""Characters that look like ours."""


@dataclass(frozen=True)
class Token:
    """A word or a sign, and where it stands."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Source:
    """A text and what it is called in messages."""

    text: str
    what: str = "formula"

    def error(
        self, message: str, start: int, end: int | None = None, kind: type[DeriveError] = ParseError
    ) -> ParseError:
        """An error that shows the line, with a caret under the character; a `ParseError` of this `kind` too."""
        return in_text(kind)(f"{message}\n{self.pointed(start, end)}", start)

    def error_at(self, message: str, place: Place) -> ParseError:
        """An error about these characters; what follows a semicolon in the message is a hint."""
        what, semicolon, hint = message.partition("; ")
        return self.error(f"{what}, at {self.place(place.start)}{semicolon}{hint}", place.start, place.end)

    @contextmanager
    def about(self, place: Place | None = None) -> Iterator[None]:
        """Whatever goes wrong in the block is a `ParseError`, of its own kind as well, that points at these characters.

        SymPy raises errors of its own where numbers have no value, as in ``erfinv(2) < 1``.
        """
        try:
            yield
        except ParseError:
            raise
        except DeriveError as error:
            shown = "" if place is None else f"\n{self.pointed(place.start, place.end)}"
            raise in_text(type(error))(f"{error}{shown}", place.start if place else 0) from None
        except (ArithmeticError, NotImplementedError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:120]
            whole = place or Place(0, len(self.text))
            raise self.error_at(f"this has no value that could be computed ({reason})", whole) from error

    def words(self, place: Place) -> str:
        """The characters themselves, in one line."""
        return " ".join(self.text[place.start : place.end].split())

    def pointed(self, start: int, end: int | None = None) -> str:
        """The line with carets under the characters from `start` to `end`; long lines are shown in part."""
        start = min(max(start, 0), len(self.text))
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", start)
        last = len(self.text) if last < 0 else last
        if last - first > WINDOW:
            first = max(first, min(start - WINDOW // 2, last - WINDOW))
            last = min(last, first + WINDOW)
        line = "".join(c if c.isprintable() and not _wide(c) else "?" for c in self.text[first:last])
        width = max(1, min(end or start + 1, last) - start)
        return f"  {line}\n  {' ' * (start - first)}{'^' * width}"

    def place(self, start: int) -> str:
        """``character 7``, or ``line 2, character 7``, counted from 1."""
        before = self.text[:start]
        character = start - (before.rfind("\n") + 1) + 1
        if "\n" not in self.text.strip():
            return f"character {character} of the {self.what}"
        return f"line {before.count(chr(10)) + 1}, character {character}"


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" or bool(unicodedata.combining(character))


def scan(
    source: Source, pattern: re.Pattern[str], kinds: Mapping[str, str], most: int, words: Collection[str]
) -> list[Token]:  # fmt: skip
    """The tokens of a text.

    Args:
        source: the text; nothing else is looked at.
        pattern: named groups NAME, NUMBER, ... for the kinds of tokens; a match of OPERATOR has the kind that
            `kinds` gives, one of SPACE is left out.
        most: how many there may be.
        words: Python's own words that mean something here; no others can be names.

    Raises:
        ParseError: a character that begins no token, or a limit is exceeded.
    """
    text = source.text
    if len(text) > MAX_LENGTH:
        raise source.error(f"too long: {len(text)} characters, more than {MAX_LENGTH}", MAX_LENGTH)
    found: list[Token] = []
    opened: list[Token] = []
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            raise _unknown(source, position)
        kind, word = match.lastgroup or "", match[0]
        position = match.end()
        if kind == "SPACE":
            continue
        token = Token(kinds[word] if kind == "OPERATOR" else kind, word, match.start())
        _check_nesting(source, token, opened)
        if token.kind == "NEWLINE" and opened:
            continue
        if token.kind == "NUMBER":
            _check_number(source, token)
        found.append(token)
        if len(found) > most:
            raise source.error(f"too long: more than {most} words and signs", token.start)
        if kind in ("NAME", "ENTRY", "ATTRIBUTE", "BIG"):
            _check_name(source, token, words)
    if opened:
        raise source.error(f"the {opened[-1].text!r} at {source.place(opened[-1].start)} is never closed", opened[-1].start)
    return found


CLOSING = {")": "(", "]": "[", "}": "{"}


def _check_nesting(source: Source, token: Token, opened: list[Token]) -> None:
    if token.text in CLOSING.values():
        opened.append(token)
        if len(opened) > MAX_NESTING:
            raise source.error(f"brackets are nested more than {MAX_NESTING} deep", token.start)
    elif token.text in CLOSING:
        if not opened:
            raise source.error(f"there is no {CLOSING[token.text]!r} for this {token.text!r}", token.start)
        left = opened.pop()
        if left.text != CLOSING[token.text]:
            raise source.error(f"{left.text!r} at {source.place(left.start)} is closed by {token.text!r}", token.start)


def _unknown(source: Source, position: int) -> ParseError:
    character = source.text[position]
    meant = LOOKALIKES.get(character)
    hint = f"; did you mean {meant!r}?" if meant else ""
    if character == "'" and source.what == "formula":
        hint = "; a transpose follows its operand directly, as in x'"
    return source.error(f"unexpected character {character!r} at {source.place(position)}{hint}", position)


def _check_name(source: Source, token: Token, words: Collection[str]) -> None:
    """Names must be able to be names in emitted code; the keys in a path may be numbers."""
    names = token.text.lstrip(".").split(",")
    for name in names:
        if len(name) > MAX_NAME:
            raise source.error(f"a name has at most {MAX_NAME} characters; this one has {len(name)}", token.start)
        if iskeyword(name) and name not in words:
            raise source.error(f"{name} is a word of Python; try: {name}_", token.start, token.end)
    for place, character in enumerate(token.text):
        normal = unicodedata.normalize("NFKC", character) == character
        if not normal or not (f"a{character}".isidentifier() or character in ".,"):
            raise _unknown(source, token.start + place)
    if not all(name.partition(".")[0].isidentifier() for name in names):
        raise _unknown(source, token.start)


def _check_number(source: Source, token: Token) -> None:
    mantissa, _, exponent = token.text.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or len(exponent) > 6 or abs(int(exponent or 0)) > MAX_DIGITS:
        raise source.error(f"a number has at most {MAX_DIGITS} digits, and powers of ten up to {MAX_DIGITS}", token.start)


def number(text: str) -> sympy.Rational:
    """The exact value of a decimal: 0.1 is 1/10."""
    value = Fraction(text)
    return sympy.Rational(value.numerator, value.denominator)
