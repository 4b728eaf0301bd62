"""The grammar of formulas: MATLAB's, matrixcalculus.org's and NumPy's spellings in one, with definitions after ``where``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import lark

from .formula_reader import Builder, Misread, NoLexer, read
from .formula_text import Source, Token, scan
from .formula_tree import Attribute, Call, Definition, Name, Node, Several, Slice, Subscript, Text, Transpose

GRAMMAR = r"""
start: comparison | comparison WHERE definitions
definitions: definition (SEMICOLON definition)* SEMICOLON?
definition: NAME EQUALS comparison
?comparison: sum | sum COMPARE sum -> compare
?sum: term ((PLUS | MINUS) term)*
?term: unary (TIMES unary)*
?unary: power | MINUS unary -> negative | PLUS unary -> positive
?power: postfix | postfix POWER exponent
?exponent: primary | MINUS exponent -> negative | PLUS exponent -> positive
?postfix: primary | postfix TICK -> tick
?primary: atom
    | primary ATTRIBUTE -> attribute
    | primary LPAR RPAR -> call
    | primary LPAR arguments RPAR -> call
    | primary LSQB items RSQB -> subscript
?atom: NUMBER -> number
    | NAME -> name
    | STRING -> text
    | LPAR comparison RPAR -> group
    | LPAR comparison COMMA RPAR -> several
    | LPAR comparison (COMMA comparison)+ RPAR -> several
arguments: argument (COMMA argument)*
?argument: comparison | NAME EQUALS comparison -> option
items: item (COMMA item)*
?item: comparison | slice | ELLIPSIS -> name
slice: comparison? COLON comparison? (COLON comparison?)?
%declare NUMBER NAME STRING ATTRIBUTE PLUS MINUS TIMES POWER TICK COMPARE EQUALS LPAR RPAR LSQB RSQB COMMA COLON ELLIPSIS
%declare WHERE SEMICOLON
"""

OPERATORS = {
    "+": "PLUS", "-": "MINUS", "*": "TIMES", "/": "TIMES", "@": "TIMES", "\\": "TIMES", ".*": "TIMES", "./": "TIMES",
    "^": "POWER", "**": "POWER", ".^": "POWER", "<": "COMPARE", "<=": "COMPARE", ">": "COMPARE", ">=": "COMPARE",
    "==": "COMPARE", "!=": "COMPARE", "~=": "COMPARE", "=": "EQUALS", "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB",
    ",": "COMMA", ":": "COLON", "...": "ELLIPSIS", ";": "SEMICOLON",
}  # fmt: skip

TOKEN = re.compile(
    r"""(?P<SPACE>\s+)
    |(?P<NUMBER>(?:[0-9]+(?:\.(?![*/^'.])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<NAME>[^\W\d]\w*)
    |(?P<ATTRIBUTE>\.[^\W\d]\w*)
    |(?P<TICK>(?<=[\w)\]'.])'|\.')
    |(?P<STRING>"[^"\n]*"|'[^'\n]*')
    |(?P<OPERATOR>"""
    + "|".join(re.escape(symbol) for symbol in sorted(OPERATORS, key=len, reverse=True))
    + ")",
    re.VERBOSE,
)

HINTS = {
    "POWER": "put brackets around one of the powers: (a^b)^c or a^(b^c)",
    "TICK": "put brackets: (A^2)'",
    "EQUALS": "to compare write ==",
    **dict.fromkeys(("NUMBER", "NAME", "LPAR"), "a product needs a sign, as in 2*x"),
    "COMMA": "a formula has one value",
    "SEMICOLON": "definitions come after the word where",
}

MAX_TOKENS = 2_000
"""Each operation is traced, which takes a few milliseconds."""

KEYWORDS = {"True": True, "False": False, "None": None}
"""Words of Python that functions can be given."""

MATLAB_ONLY = {".*", "./", ".^", "\\", "^", "~="}
NUMPY_ONLY = {"@", "**", "[", "..."}


@dataclass(frozen=True)
class Style:
    """Which spellings occur: the first that only MATLAB has, and the first that only NumPy has."""

    matlab: str = ""
    numpy: str = ""

    @property
    def columns(self) -> bool:
        """Whether vectors are columns and ``*`` is the matrix product; so it is, too, when nothing decides."""
        return bool(self.matlab) or not self.numpy

    @property
    def mixed(self) -> bool:
        return bool(self.matlab and self.numpy)

    @property
    def name(self) -> str:
        return "MATLAB" if self.columns else "NumPy"

    def __str__(self) -> str:
        if self.mixed:
            return f"MATLAB style ({self.matlab} occurs) with NumPy's {self.numpy}"
        mark = self.matlab or self.numpy
        return f"{self.name} style ({mark + ' occurs' if mark else 'nothing says NumPy'})"


def style_of(tokens: list[Token]) -> Style:
    """The style by its marks: ``' .* ./ .^ ^ \\`` against ``@ ** .T np. [``."""
    matlab = (t.text for t in tokens if t.kind == "TICK" or t.text in MATLAB_ONLY)
    numpy = (t.text for t in tokens if t.kind == "ATTRIBUTE" or t.text in NUMPY_ONLY)
    return Style(next(matlab, ""), next(numpy, ""))


class FormulaBuilder(Builder):
    """What only formulas have."""

    def start(self, parts: list[Any]) -> tuple[Node, tuple[Definition, ...]]:
        return parts[0], tuple(parts[2]) if len(parts) > 1 else ()

    def definitions(self, parts: list[Any]) -> list[Definition]:
        return [p for p in parts if not isinstance(p, lark.Token)]

    def definition(self, parts: list[Any]) -> Definition:
        target = Name(self.place(parts[:1]), str(parts[0]))
        return Definition(self.place(parts), target, "=", parts[2])

    def text(self, parts: list[Any]) -> Node:
        return Text(self.place(parts), str(parts[0])[1:-1])

    def tick(self, parts: list[Any]) -> Node:
        return Transpose(self.place(parts), parts[0], "'")

    def attribute(self, parts: list[Any]) -> Node:
        name = str(parts[1])[1:]
        if name in ("T", "mT") and not dotted(parts[0]).startswith(MODULES):
            return Transpose(self.place(parts), parts[0], f".{name}")
        return Attribute(self.place(parts), parts[0], name)

    def call(self, parts: list[Any]) -> Node:
        function, given = parts[0], parts[2] if isinstance(parts[2], list) else []
        args = tuple(a for a in given if not isinstance(a, tuple))
        options = tuple(a for a in given if isinstance(a, tuple))
        place = self.place([p for part in parts for p in (self._flat(part) if isinstance(part, list) else [part])])
        if any(isinstance(a, tuple) and not isinstance(b, tuple) for a, b in pairwise(given)):
            raise Misread("an argument without a name comes after one with a name", place)
        name = dotted(function)
        if name and (isinstance(function, Name) or name.split(".")[0] in MODULES):
            return Call(place, name, args, options)
        if isinstance(function, Attribute):
            return Call(place, function.name, args, options, function.receiver)
        raise Misread("only a function can be called; write * for a product", function.place)

    @staticmethod
    def _flat(given: list[Any]) -> list[Any]:
        return [a[1] if isinstance(a, tuple) else a for a in given]

    def arguments(self, parts: list[Any]) -> list[Any]:
        return [p for p in parts if not isinstance(p, lark.Token)]

    def option(self, parts: list[Any]) -> tuple[str, Node]:
        return str(parts[0]), parts[2]

    def several(self, parts: list[Any]) -> Node:
        return Several(self.place(parts), tuple(p for p in parts if not isinstance(p, lark.Token)))

    def items(self, parts: list[Any]) -> list[Any]:
        return [p for p in parts if not isinstance(p, lark.Token)]

    def subscript(self, parts: list[Any]) -> Node:
        return Subscript(self.place([parts[0], *parts[2], parts[-1]]), parts[0], tuple(parts[2]))

    def slice(self, parts: list[Any]) -> Node:
        found: list[Node | None] = [None]
        for part in parts:
            if isinstance(part, lark.Token):
                found.append(None)
            else:
                found[-1] = part
        start, stop, step = (*found, None)[:3]
        return Slice(self.place(parts), (start, stop, step))


MODULES = ("np", "numpy", "scipy", "special", "linalg")
"""What a dotted function name can begin with."""


def dotted(node: Any) -> str:
    """``np.linalg.inv`` for names joined by dots, else nothing."""
    match node:
        case Name(name=name):
            return name
        case Attribute(receiver=receiver, name=name):
            front = dotted(receiver)
            return f"{front}.{name}" if front else ""
    return ""


@cache
def _parser() -> lark.Lark:
    return lark.Lark(GRAMMAR, parser="lalr", lexer=NoLexer, transformer=FormulaBuilder())


@dataclass(frozen=True)
class Formula:
    """A formula that was read: its tree, the definitions after ``where`` as they stand, and the style of its spelling."""

    tree: Node
    style: Style
    definitions: tuple[Definition, ...] = ()

    @property
    def trees(self) -> tuple[Node, ...]:
        """The formula, then what each definition stands for."""
        return self.tree, *(d.body for d in self.definitions)


OPERAND_ENDS = {"NUMBER", "NAME", "STRING", "ATTRIBUTE", "TICK", "RPAR", "RSQB"}


def with_definitions(source: Source, tokens: list[Token]) -> list[Token]:
    """The tokens with the word where, which stands behind an operand and so is no function, and what separates definitions.

    A definition that begins a line needs no semicolon before it.
    """
    found: list[Token] = []
    within, depth = False, 0
    for token, following in zip(tokens, [*tokens, None][1:], strict=True):
        last = found[-1] if found else None
        depth += (token.kind in ("LPAR", "LSQB")) - (token.kind in ("RPAR", "RSQB"))
        if token.text == "where" and last is not None and last.kind in OPERAND_ENDS:
            token, within = replace(token, kind="WHERE"), True
        elif within and not depth and last is not None and last.kind not in ("WHERE", "SEMICOLON"):
            newline = source.text.find("\n", last.end, token.start)
            if newline >= 0 and token.kind == "NAME" and following is not None and following.kind == "EQUALS":
                found.append(Token("SEMICOLON", "\n", newline))
        found.append(token)
    return found


def read_formula(source: Source) -> Formula:
    """The tree of a formula, its definitions, and the style that its spelling shows.

    Raises:
        ParseError: the text is no formula, or exceeds a limit.
    """
    tokens = with_definitions(source, scan(source, TOKEN, OPERATORS, MAX_TOKENS, KEYWORDS))
    tree, definitions = read(_parser(), source, tokens, HINTS)
    return Formula(tree, style_of(tokens), definitions)
