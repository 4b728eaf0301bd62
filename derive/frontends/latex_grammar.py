"""The grammar of formulas in LaTeX, as papers on machine learning write them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

import lark
import sympy

from .formula_reader import Builder, NoLexer, read
from .formula_text import Source
from .formula_tree import Chain, Node, Number
from .latex_tokens import Symbols, latex_tokens
from .latex_tree import Applied, ByEntry, Constant, Fenced, Group, Mark, Over, Root, Scripted, Sign

GRAMMAR = r"""
start: relation (EQUALS relation)?
?relation: sum | sum COMPARE sum -> compare
?sum: signed ((PLUS | MINUS) term)*
?signed: term | MINUS signed -> negative | PLUS signed -> positive
?term: _product -> product | _product TIMES ending -> product | ending
_product: run | _product TIMES run
ending: scripted+ over -> beside | scripted+ bare* closing -> beside | bare+ closing -> beside
    | over -> beside | closing -> beside
over: BIG script* signed
closing: FUNC script* inside -> applied
?inside: over | closing | scripted+ over -> beside
?run: scripted+ bare* -> beside | bare+ -> beside
bare: FUNC script* plain -> applied | FUNC script* bare -> applied
plain: scripted+ -> beside
?scripted: atom script*
script: SUB braces | SUP braces | TICK
braces: LBRACE RBRACE | LBRACE entry (COMMA entry)* RBRACE | short
?entry: relation | relation EQUALS relation -> compare
    | TOP -> sign | MINUS TOP -> sign | STAR -> sign | DAGGER -> sign | PLUS -> sign | MINUS -> sign
    | TIMES relation -> byentry
?short: NUMBER -> number | NAME -> name | WORD -> name | CONSTANT -> constant
    | TOP -> sign | STAR -> sign | DAGGER -> sign | TICK -> sign | PLUS -> sign | MINUS -> sign
?atom: NUMBER -> number | NAME -> name | WORD -> name | CONSTANT -> constant
    | LPAR items RPAR -> bracketed | LSQB items RSQB -> bracketed | LSET items RSET -> bracketed
    | LBRACE relation RBRACE -> braced
    | FRAC argument argument -> fraction
    | SQRT argument -> root | SQRT LSQB relation RSQB argument -> root
    | CALLED script* LPAR items RPAR -> called | CALLED script* LSQB items RSQB -> called
    | CALLED script* LSET items RSET -> called
    | LNORM relation RNORM -> fenced | LBAR relation RBAR -> fenced
    | LFLOOR relation RFLOOR -> fenced | LCEIL relation RCEIL -> fenced
    | LANGLE relation COMMA relation RANGLE -> fenced
?argument: LBRACE relation RBRACE -> braced | short
items: relation (COMMA relation)*
%declare PLUS MINUS TIMES EQUALS COMPARE COMMA COLON BANG PERIOD SUB SUP TICK TOP STAR DAGGER NUMBER NAME WORD CONSTANT
%declare LPAR RPAR LSQB RSQB LSET RSET LBRACE RBRACE FRAC SQRT FUNC CALLED BIG
%declare LNORM RNORM LBAR RBAR LANGLE RANGLE LFLOOR RFLOOR LCEIL RCEIL
"""

HINTS = {
    "EQUALS": "a formula has one = sign",
    "SUB": "put braces around the first subscript",
    "COMMA": "a formula has one value",
    "PERIOD": "a point belongs into a number, as in 0.5",
    "COLON": "a colon has no meaning here",
    "BANG": "factorials are not read; write \\operatorname{lgamma}",
}


class LatexBuilder(Builder):
    """What the rules make of their parts."""

    def start(self, parts: list[Any]) -> tuple[Node | None, Node]:
        return (parts[0], parts[2]) if len(parts) > 1 else (None, parts[0])

    def product(self, parts: list[Any]) -> Any:
        return parts[0] if len(parts) == 1 else self.chain(parts)

    def beside(self, parts: list[Any]) -> Any:
        if len(parts) == 1:
            return parts[0]
        return Chain(self.place(parts), parts[0], tuple(("", p) for p in parts[1:]))

    def scripted(self, parts: list[Any]) -> Any:
        return Scripted(self.place(parts), parts[0], tuple(parts[1:]))

    def script(self, parts: list[Any]) -> Any:
        if len(parts) == 1:
            return Mark(self.place(parts), "tick")
        place = self.place([parts[0], *parts[1]])
        items = tuple(p for p in parts[1] if not isinstance(p, lark.Token))
        return Mark(place, "sub" if parts[0].type == "SUB" else "sup", items)

    def braces(self, parts: list[Any]) -> list[Any]:
        return parts

    def sign(self, parts: list[Any]) -> Any:
        names = {"TOP": "top", "STAR": "star", "DAGGER": "dagger", "PLUS": "+", "MINUS": "-", "TICK": "top"}
        return Sign(self.place(parts), "".join(names[p.type] for p in parts))

    def byentry(self, parts: list[Any]) -> Any:
        return ByEntry(self.place(parts), parts[1])

    def constant(self, parts: list[Any]) -> Any:
        return Constant(self.place(parts), str(parts[0]))

    def items(self, parts: list[Any]) -> list[Any]:
        return [p for p in parts if not isinstance(p, lark.Token)]

    def bracketed(self, parts: list[Any]) -> Any:
        return Group(self.place([parts[0], *parts[1], parts[2]]), tuple(parts[1]))

    def braced(self, parts: list[Any]) -> Any:
        return Group(self.place(parts), (parts[1],))

    def fraction(self, parts: list[Any]) -> Any:
        return Chain(self.place(parts), parts[1], (("/", parts[2]),))

    def root(self, parts: list[Any]) -> Any:
        inner = [p for p in parts if not isinstance(p, lark.Token)]
        place = self.place(parts)
        return Root(place, inner[0] if len(inner) > 1 else Number(place, sympy.Integer(2)), inner[-1])

    def called(self, parts: list[Any]) -> Any:
        name, *marks = (p for p in parts if not isinstance(p, list))
        marks = [m for m in marks if isinstance(m, Mark)]
        place = self.place([name, *marks, *parts[-2], parts[-1]])
        return Applied(place, str(name), tuple(marks), tuple(parts[-2]), True)

    def applied(self, parts: list[Any]) -> Any:
        return Applied(self.place(parts), str(parts[0]), tuple(parts[1:-1]), (parts[-1],), False)

    def over(self, parts: list[Any]) -> Any:
        return Over(self.place(parts), str(parts[0]), tuple(parts[1:-1]), parts[-1])

    def fenced(self, parts: list[Any]) -> Any:
        kinds = {"LNORM": "norm", "LBAR": "bars", "LFLOOR": "floor", "LCEIL": "ceil", "LANGLE": "inner"}
        inner = tuple(p for p in parts if not isinstance(p, lark.Token))
        return Fenced(self.place(parts), kinds[parts[0].type], inner)


@cache
def _parser() -> lark.Lark:
    return lark.Lark(GRAMMAR, parser="lalr", lexer=NoLexer, transformer=LatexBuilder())


def read_latex(source: Source, declared: Collection[str]) -> tuple[Node | None, Node, Symbols]:
    """Left side (or None) and right side of a formula, and what the fonts say; `declared` are names of variables.

    Raises:
        ParseError: the text is no formula, or exceeds a limit.
    """
    tokens, symbols = latex_tokens(source, declared)
    left, right = read(_parser(), source, tokens, HINTS)
    return left, right, symbols

