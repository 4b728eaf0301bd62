"""The grammar of index notation: ``S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)``, one equation on each line."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from itertools import pairwise
from typing import Any

import lark

from ..ops.elementwise import elementwise_ops
from ..ops.linalg import primitives
from .formula_reader import Builder, Misread, NoLexer, read
from .formula_text import MAX_LENGTH, Source, Token, scan
from .formula_tree import (
    Applied,
    Big,
    Call,
    Chain,
    Definition,
    Entry,
    Iverson,
    Logic,
    Node,
    Slice,
    Transpose,
)

GRAMMAR = r"""
start: definition (NEWLINE definition)*
definition: target (EQUALS | ADDS) value (FOR values)?
?target: NAME -> name | ENTRY LSQB values RSQB -> entry
?value: both (OR both)*
?both: negation (AND negation)*
?negation: relation | NOT negation
?relation: sum | sum (EQUALS | COMPARE) sum -> compare
?sum: signed ((PLUS | MINUS) term)*
?signed: term | MINUS signed -> negative | PLUS signed -> positive
?term: big | power (beside | (STAR | SLASH) factor)* ((STAR | SLASH)? big)? -> product
big: BIG signed
?factor: power | MINUS factor -> negative
?power: atom | atom CARET exponent
?beside: word | word CARET exponent -> power | base CARET exponent -> power
base: NUMBER -> number
?exponent: atom | MINUS exponent -> negative
?atom: NUMBER -> number | word
?word: NAME -> name
    | ENTRY LSQB items RSQB -> entry
    | CALLED LPAR values RPAR -> call
    | PRIMITIVE LPAR operands RPAR -> applied
    | PRIMITIVE LPAR operands RPAR AT values RSQB -> applied
    | PRIMITIVE LPAR operands RPAR DOT NAME -> applied
    | PRIMITIVE LPAR operands RPAR DOT ENTRY LSQB values RSQB -> applied
    | LPAR value RPAR -> group
    | LSQB value RSQB -> iverson
values: value (COMMA value)*
items: item (COMMA item)*
?item: value | COLON -> whole
operands: operand (COMMA operand)*
?operand: value | word PRIME -> primed
%declare NUMBER NAME ENTRY CALLED BIG PLUS MINUS STAR SLASH CARET COMPARE EQUALS ADDS LPAR RPAR LSQB RSQB COMMA NEWLINE
%declare AND OR NOT FOR PRIMITIVE AT DOT COLON PRIME
"""

OPERATORS = {
    "+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH", "^": "CARET", "**": "CARET", "<": "COMPARE", "<=": "COMPARE",
    ">": "COMPARE", ">=": "COMPARE", "==": "COMPARE", "!=": "COMPARE", "=": "EQUALS", "+=": "ADDS", "(": "LPAR",
    ")": "RPAR", "[": "LSQB", "]": "RSQB", ",": "COMMA", "\n": "NEWLINE", ";": "NEWLINE", ":": "COLON", "'": "PRIME",
    ".": "DOT",
}  # fmt: skip
WORDS = {"and": "AND", "or": "OR", "not": "NOT", "for": "FOR"}

WORD = r"[^\W\d]\w*(?:\.\w+)*"
"""A name, or the path of an array within an argument: ``params.layer1.W``."""
TOKEN = re.compile(
    rf"""(?P<SPACE>[^\S\n]+|\#[^\n]*)
    |(?P<NUMBER>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<BIG>(?:sum|prod|max|min)_{WORD}(?:,{WORD})*(?=[^\S\n]+\S|\())
    |(?P<ENTRY>{WORD}(?=\[))
    |(?P<NAME>{WORD})
    |(?P<OPERATOR>"""
    + "|".join(re.escape(symbol) for symbol in sorted(OPERATORS, key=len, reverse=True))
    + ")",
    re.VERBOSE,
)

HINTS = {"CARET": "put brackets around one of the powers: (a^b)^c or a^(b^c)", "EQUALS": "each equation needs its own line"}


class EquationBuilder(Builder):
    """What only index notation has."""

    def start(self, parts: list[Any]) -> list[Definition]:
        return [p for p in parts if isinstance(p, Definition)]

    def definition(self, parts: list[Any]) -> Definition:
        ranges = parts[4] if len(parts) > 3 else []
        place = self.place([*parts[:3], *ranges])
        return Definition(place, parts[0], str(parts[1]), parts[2], tuple(ranges))

    def entry(self, parts: list[Any]) -> Node:
        return Entry(self.place([parts[0], *parts[2], parts[-1]]), str(parts[0]), tuple(parts[2]))

    def call(self, parts: list[Any]) -> Node:
        return Call(self.place([parts[0], *parts[2], parts[-1]]), str(parts[0]), tuple(parts[2]))

    def values(self, parts: list[Any]) -> list[Node]:
        return [p for p in parts if not isinstance(p, lark.Token)]

    items = operands = values

    def whole(self, parts: list[Any]) -> Node:
        return Slice(self.place(parts), (None, None, None))

    def primed(self, parts: list[Any]) -> Node:
        return Transpose(self.place(parts), parts[0], "'")

    def applied(self, parts: list[Any]) -> Node:
        """A function of whole matrices; ``power`` is also one of numbers."""
        name, args = str(parts[0]), tuple(parts[2])
        flat = [x for part in parts for x in (part if isinstance(part, list) else [part])]
        place = self.place(flat)
        label = next((str(p) for before, p in pairwise(parts) if str(before) == "."), "")
        indices = tuple(parts[-2]) if len(parts) > 4 and isinstance(parts[-2], list) else ()
        if name in elementwise_names() and not label and not indices:
            return Call(place, name, args)
        return Applied(place, name, args, label, indices)

    def value(self, parts: list[Any]) -> Node:
        return Logic(self.place(parts), "or", tuple(parts[::2]))

    def both(self, parts: list[Any]) -> Node:
        return Logic(self.place(parts), "and", tuple(parts[::2]))

    def negation(self, parts: list[Any]) -> Node:
        return Logic(self.place(parts), "not", (parts[1],))

    def iverson(self, parts: list[Any]) -> Node:
        return Iverson(self.place(parts), parts[1])

    def big(self, parts: list[Any]) -> Node:
        kind, _, letters = str(parts[0]).partition("_")
        return Big(self.place(parts), kind, tuple(letters.split(",")), parts[1])

    def product(self, parts: list[Any]) -> Node:
        if len(parts) == 1:
            return parts[0]
        rest: list[tuple[str, Node]] = []
        symbol = ""
        for part in parts[1:]:
            if isinstance(part, lark.Token):
                symbol = str(part)
                continue
            if symbol == "/" and isinstance(part, Big) and isinstance(part.arg, Chain) and ("/" in dict(part.arg.rest)):
                raise Misread(f"brackets are needed around the {part.kind} below the line", part.place)
            rest.append((symbol, part))
            symbol = ""
        return Chain(self.place(parts), parts[0], tuple(rest))


@cache
def _parser() -> lark.Lark:
    return lark.Lark(GRAMMAR, parser="lalr", lexer=NoLexer, transformer=EquationBuilder())


@cache
def function_names() -> frozenset[str]:
    """What can be called: functions of numbers, and of whole matrices."""
    return elementwise_names() | primitives().keys()


@cache
def elementwise_names() -> frozenset[str]:
    """Functions of numbers: as they are printed, NumPy's names for them, ``where``, ``max``, ``min``."""
    names = {name.rpartition(".")[2] for op in elementwise_ops() for name in op.numpy}
    return frozenset({*names, *(op.name for op in elementwise_ops()), "where", "max", "min", "mod", "Mod"})


def read_equations(source: Source, declared: Collection[str]) -> list[Definition]:
    """The trees of the equations; `declared` are the names of tensors and sizes that are known.

    Raises:
        ParseError: a line is no equation, or a limit is exceeded.
    """
    tokens = _words(source, scan(source, TOKEN, OPERATORS, MAX_LENGTH, WORDS), set(declared))
    if not tokens:
        raise source.error("expected an equation such as Y[i] = sum_j A[i,j] x[j]; found nothing", 0)
    return read(_parser(), source, tokens, HINTS)


def _words(source: Source, tokens: list[Token], known: set[str]) -> list[Token]:
    """Tell functions from factors by what is known and by the space before a bracket; single new lines between equations."""
    found: list[Token] = []
    calls: list[bool] = []
    closed = -1
    for position, token in enumerate(tokens):
        first = not found or found[-1].kind == "NEWLINE"
        if token.kind == "NEWLINE":
            if not first:
                found.append(token)
            continue
        if first:
            known.add(token.text)
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        kind = _kind(token, following, known)
        if kind == "LPAR":
            calls.append(bool(found) and found[-1].kind == "PRIMITIVE")
        if kind == "LSQB" and closed == token.start:
            kind = "AT"
        closed = token.end if kind == "RPAR" and calls and calls.pop() else -1
        found.append(Token(kind, token.text, token.start))
    while found and found[-1].kind == "NEWLINE":
        found.pop()
    return found


def _kind(token: Token, following: Token | None, known: set[str]) -> str:
    """A product of ``f`` and a bracket is ``f (x)``; ``f(x)`` calls f if there is such a function."""
    if token.kind == "BIG":
        return "NAME" if token.text in known else "BIG"
    if token.kind != "NAME" or token.text in WORDS:
        return WORDS.get(token.text, token.kind)
    if following is None or following.kind != "LPAR" or token.text not in function_names():
        return "NAME"
    if following.start > token.end and token.text in known:
        return "NAME"
    return "PRIMITIVE" if token.text in primitives() else "CALLED"
