r"""LaTeX: an aligned block for KaTeX, MathJax or a paper; each line also for matplotlib's mathtext."""

from __future__ import annotations

import re
from typing import Literal

from sympy import Expr

from ..ir.nodes import Program
from ..ops.elementwise import elementwise_ops
from .index import FUNCTIONS, index_lines
from .lines import laid_out, printed_lines
from .names import GREEK, Names
from .printer import ATOM, POSTFIX, TERM, Printer, Shown
from .scalars import number_text
from .tree import Line, Name, Node, Steps, Whole
from .wholes import has_matrix_powers

SYMBOLS = {
    "-": "-", "+": "+", "∘": r"\odot", "=": "=", "!=": r"\neq", "<=": r"\leq", ">=": r"\geq", "<": "<",
    ">": ">", "and": r"\wedge", "or": r"\vee", "pi": r"\pi", "inf": r"\infty", "e": "e", "": "",
    "_": r"\cdot",
}  # fmt: skip
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot"}
BIG = {"sum": r"\sum", "prod": r"\prod", "max": r"\max", "min": r"\min"}
STANDARD = {"max": r"\max", "min": r"\min", "exp": r"\exp", "log": r"\log", "det": r"\det", "Phi": r"\Phi"}
SUBSCRIPT = re.compile(r"(?<!\\)_")
NAMED = re.compile(r"([A-Za-z]+?)_?(\d*)")


def render_latex(
    program: Program, forward: frozenset[str] = frozenset(), style: Literal["matrix", "index"] = "matrix"
) -> str:
    r"""An aligned block of LaTeX. The cotangent of X is written ``\bar{X}``, its tangent ``\dot{X}``.

    Args:
        program: forward equations and derived ones.
        forward: names of the tensors that the forward pass defines.
        style: "matrix" notation where it exists, or "index" notation throughout.
    """
    return aligned(latex_lines(program, forward, style))


def latex_lines(
    program: Program, forward: frozenset[str] = frozenset(), style: Literal["matrix", "index"] = "matrix"
) -> list[str]:
    """The lines of the block, each complete in itself."""
    names = Names(program, forward)
    lines = printed_lines(names) if style == "matrix" else index_lines(program, names)
    printer = Latex(names)
    return laid_out(lines, printer)


def aligned(lines: list[str]) -> str:
    r"""Lines under each other, aligned at their first relation; the head of a loop begins there."""
    body = " \\\\\n".join("  " + _at_relation(line) for line in lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _at_relation(line: str) -> str:
    found = re.sub(r" (=|\{\+\}\{=\}) ", r" &\1 ", line, count=1)
    return found if found != line else "& " + line


class Latex(Printer):
    """LaTeX of one program; `names` says which tensors are cotangents."""

    stacked = True

    def __init__(self, names: Names) -> None:
        self.names, self.circled = names, has_matrix_powers(names.program)
        named = ((FUNCTIONS.get(op.name, op.name), op) for op in elementwise_ops())
        self.templates = {(name, op.arity): op.latex for name, op in named if op.latex}

    def name(self, node: Name) -> str:
        if not node.at:
            return SYMBOLS.get(node.name) or self.symbol(node.name)
        places = list(node.at)
        while places and places[-1] is None:
            places.pop()
        symbol = self.symbol(node.name)
        inner = [":" if p is None else self.place(p) for p in places]
        joined = ("" if all(len(p) == 1 for p in inner) else ", ").join(inner)
        return f"{self.paren(symbol) if _is_subscripted(symbol) else symbol}_{{{joined}}}"

    def symbol(self, name: str) -> str:
        r"""``gX``, the cotangent of X, as ``\bar{X}``; ``xhat`` as ``\hat{x}``, ``W1`` as ``W_{1}``."""
        for prefix, accent in (("g", r"\bar"), ("d", r"\dot")):
            if self.names.variable_of(name, prefix):
                return _accented(accent, self.symbol(name[1:]))
        path, dot, last = name.rpartition(".")
        if dot and name.startswith(("J_", "H_")):
            return rf"{name[0]}_{{\mathrm{{{_escaped(name[2:])}}}}}"
        if dot:
            symbol = self.symbol(last) if last[:1].isalpha() else rf"\mathrm{{{_escaped(last)}}}"
            at = rf"\mathrm{{{_escaped(path)}}}"
            return f"{symbol[:-1]},{at}}}" if _is_subscripted(symbol) else f"{symbol}_{{{at}}}"
        match = NAMED.fullmatch(name)
        letters, number = match.groups() if match else (name, "")
        symbol = _letters(letters)
        return (
            (f"({symbol})_{{{number}}}" if _is_subscripted(symbol) else f"{symbol}_{{{number}}}")
            if number
            else symbol
        )

    def number(self, value: Expr) -> str:
        text = number_text(value)
        if "e" in text:
            digits, _, exponent = text.partition("e")
            power = f"10^{{{int(exponent)}}}"
            return power if digits == "1" else rf"{digits} \cdot {power}"
        return text

    def word(self, symbol: str) -> str:
        return SYMBOLS.get(symbol, symbol)

    def minus(self, term: str) -> str:
        return "-" + term

    def join(self, pieces: list[str], symbol: str) -> str:
        if symbol:
            return f" {self.word(symbol)} ".join(pieces)
        text = pieces[0]
        for piece in pieces[1:]:
            dotted = text[-1].isdigit() and piece[0].isdigit()
            close = len(text) == 1 or text[-1] in ")}" or piece.startswith(("(", r"\left"))
            text += (
                r" \cdot " if dotted else " " if close and "mathrm" not in text + piece else r" \, "
            ) + piece
        return text

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: str, exponent: Node) -> str:
        return f"{_braced(base)}^{{{self.top(exponent)}}}"

    def transpose(self, arg: str) -> str:
        return rf"{_braced(arg)}^\top"

    def raised(self, base: str, mark: str) -> str:
        return f"{_braced(base)}^{{{mark.replace('T', chr(92) + 'top')}}}"

    def circle_power(self, base: str, exponent: Node) -> str:
        return rf"{_braced(base)}^{{\circ {self.top(exponent)}}}"

    def matrix_power(self, base: str, exponent: Node) -> str:
        return self.power(base, exponent)

    def whole(self, node: Whole) -> Shown:
        match node:
            case Whole("sqrtm", (arg,)):
                return self.raised(self.at(arg, ATOM), "1/2"), POSTFIX
            case Whole("logdet", (arg,)) | Whole("slogdet", (arg,), label="logabsdet"):
                return rf"\log \left| \det {self.paren(self.top(arg))} \right|", TERM
        return super().whole(node)

    def labelled(self, call: str, label: str) -> str:
        return rf"{call}^{{(\mathrm{{{label}}})}}"

    def part(self, whole: Whole, places: list[str]) -> str:
        return f"{self.at(whole, ATOM)}_{{{('' if all(len(p) == 1 for p in places) else ', ').join(places)}}}"

    def several(self, parts: list[str]) -> str:
        return ", ".join(parts)

    def call(self, function: str, args: list[str]) -> str:
        if function == "sqrt":
            return rf"\sqrt{{{args[0]}}}"
        if function == "norm":
            return rf"\left\Vert {args[0]} \right\Vert"
        if function == "not":
            return rf"\neg {self.paren(args[0])}"
        if template := self.templates.get((function, len(args))):
            return template.format(*args)
        head = STANDARD.get(function) or rf"\operatorname{{{function}}}"
        return head + self.paren(", ".join(args))

    def big(self, kind: str, letters: tuple[str, ...], arg: str) -> str:
        return rf"{BIG[kind]}_{{{', '.join(letters)}}} {arg}"

    def bracket(self, inner: str) -> str:
        return rf"\left[ {inner} \right]"

    def paren(self, inner: str) -> str:
        tall = any(word in inner for word in (r"\frac", r"\sum", r"\left", r"\prod", r"\sqrt"))
        return rf"\left( {inner} \right)" if tall else f"({inner})"

    def line(self, line: Line) -> str:
        sign = "=" if line.sign == "=" else "{+}{=}"
        each = rf" \quad \forall\, {', '.join(line.each)}" if line.each else ""
        return f"{self.top(line.left)} {sign} {self.top(line.right)}{each}"

    def head(self, steps: Steps) -> str:
        return rf"\text{{for }} {steps.letter}={self.top(steps.first)},\dots,{self.top(steps.last)}\text{{:}}"

    def indented(self, text: str, depth: int) -> str:
        return r"\quad " * depth + text


def _letters(letters: str) -> str:
    if letters.rstrip("_") in GREEK:
        return "\\" + letters.rstrip("_")
    if len(letters) == 1:
        return letters
    for word, accent in ACCENTS.items():
        if letters.endswith(word) and len(letters) > len(word):
            return _accented(accent, _letters(letters[: -len(word)]))
    if len(letters) == 2 and letters[1].islower():
        return rf"{letters[0]}_{{{letters[1]}}}"
    return rf"\mathrm{{{_escaped(letters)}}}"


def _escaped(word: str) -> str:
    return word.replace("_", r"\_")


def _is_subscripted(symbol: str) -> bool:
    return SUBSCRIPT.search(symbol) is not None


def _accented(accent: str, symbol: str) -> str:
    r"""The accent on the letter, not on its subscript: ``\bar{W}_{1}``."""
    letter, *rest = SUBSCRIPT.split(symbol, maxsplit=1)
    return "_".join([rf"{accent}{{{letter}}}", *rest])


def _braced(base: str) -> str:
    return f"{{{base}}}" if "^" in base else base
