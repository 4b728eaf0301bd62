"""Tokens -> tree, by a lark grammar; what does not fit becomes an error that says what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import lark
from lark.lexer import Lexer

from ..errors import ParseError
from .formula_text import MAX_NESTING, Source, Token, number
from .formula_tree import Chain, Compare, Name, Negative, Node, Number, Place, Power


class Misread(Exception):
    """A tree that the grammar allows and that has no meaning; becomes a ParseError."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message, self.place = message, place


class NoLexer(Lexer):
    """Tokens are fed one by one: strings, transposes and indices need a look at the neighbours."""

    def __init__(self, conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[lark.Token]:
        return iter(())


class Builder(lark.Transformer):
    """What the rules of both grammars make of their parts."""

    def place(self, parts: list[Any]) -> Place:
        first, last = parts[0], parts[-1]
        start: Any = first.start_pos if isinstance(first, lark.Token) else first.place.start
        end: Any = last.end_pos if isinstance(last, lark.Token) else last.place.end
        return above(start, end, [p for p in parts if not isinstance(p, lark.Token)])

    def name(self, parts: list[Any]) -> Node:
        return Name(self.place(parts), str(parts[0]))

    def number(self, parts: list[Any]) -> Node:
        return Number(self.place(parts), number(str(parts[0])))

    def chain(self, parts: list[Any]) -> Node:
        rest = tuple(zip(map(str, parts[1::2]), parts[2::2], strict=True))
        return Chain(self.place(parts), parts[0], rest)

    sum = term = chain

    def compare(self, parts: list[Any]) -> Node:
        return Compare(self.place(parts), str(parts[1]), parts[0], parts[2])

    def negative(self, parts: list[Any]) -> Node:
        return Negative(self.place(parts), parts[1])

    def positive(self, parts: list[Any]) -> Node:
        return parts[1]

    def power(self, parts: list[Any]) -> Node:
        return Power(self.place(parts), str(parts[1]), parts[0], parts[2])

    def group(self, parts: list[Any]) -> Node:
        """What the brackets hold, with the brackets as part of its place."""
        inner: Node = parts[1]
        return replace(inner, place=Place(parts[0].start_pos, parts[2].end_pos, inner.place.depth))


def above(start: int, end: int, parts: Iterable[Any]) -> Place:
    """The place of a node over these parts."""
    depth = 1 + max((p.place.depth for p in parts), default=-1)
    place = Place(start, end, depth)
    if depth > MAX_NESTING:
        raise Misread(f"operations are nested more than {MAX_NESTING} deep", place)
    return place


OPERANDS = {"NUMBER": "a number", "NAME": "a name", "LPAR": "'('"}
BINARY = {"TIMES", "STAR", "SLASH", "POWER", "CARET", "COMPARE"}
"""What can only stand behind an operand."""
CLOSERS = {
    "COMMA": "','", "COLON": "':'", "EQUALS": "'='", "ADDS": "'+='", "RPAR": "')'", "RSQB": "']'", "NEWLINE": "a new line",
    "SEMICOLON": "';'",
    "$END": "the end",
}  # fmt: skip


def read(parser: lark.Lark, source: Source, tokens: list[Token], hints: Mapping[str, str]) -> Any:
    """The tree that the grammar makes of the tokens.

    Args:
        parser: an LALR parser with a `Builder` in it.
        hints: what to say of a kind of token that stands where an operator or the end should.

    Raises:
        ParseError: a token does not fit.
    """
    run = parser.parse_interactive()
    try:
        for token in tokens:
            run.feed_token(lark.Token(token.kind, token.text, token.start, end_pos=token.end))
        return run.feed_eof()
    except lark.UnexpectedToken as error:
        raise _unexpected(source, error.token, run.accepts(), hints) from None
    except Misread as error:
        raise source.error_at(error.message, error.place) from None


def _unexpected(source: Source, token: lark.Token, accepted: set[str], hints: Mapping[str, str]) -> ParseError:
    at_end = token.type == "$END"
    start = len(source.text.rstrip()) if at_end else token.start_pos or 0
    found = f"the end of the {source.what}" if at_end else f"{str(token)!r} at {source.place(start)}"
    behind = bool(accepted & BINARY)
    expected = ["an operator"] if behind else [word for kind, word in OPERANDS.items() if kind in accepted]
    expected += [word for kind, word in CLOSERS.items() if kind in accepted]
    expected = expected or ["'^'"]
    listed = " or ".join(filter(None, [", ".join(expected[:-1]), expected[-1]]))
    hint = f"; {hints[token.type]}" if token.type in hints and (behind or not accepted & OPERANDS.keys()) else ""
    return source.error(f"expected {listed}; found {found}{hint}", start, None if at_end else token.end_pos)
