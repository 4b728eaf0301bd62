"""The display tree as MathML, which browsers show without any script."""

from __future__ import annotations

from html import escape

from sympy import Expr

from .names import GREEK, Names
from .printer import ATOM, Printer
from .scalars import number_text
from .text import UNICODE
from .tree import FENCES, Line, Name, Node, Steps, Whole
from .wholes import has_matrix_powers

BIG = {"sum": "∑", "prod": "∏", "max": "max", "min": "min"}


class MathML(Printer):
    """MathML of one program; `names` says which tensors are cotangents."""

    stacked = True

    def __init__(self, names: Names) -> None:
        self.names, self.circled = names, has_matrix_powers(names.program)

    def name(self, node: Name) -> str:
        symbol = self.symbol(node.name) if node.at else self.word_or_symbol(node.name)
        places = list(node.at)
        while places and places[-1] is None:
            places.pop()
        inner = "<mo>,</mo>".join("<mo>:</mo>" if p is None else self.place(p) for p in places)
        return f"<msub>{symbol}<mrow>{inner}</mrow></msub>" if inner else symbol

    def word_or_symbol(self, name: str) -> str:
        if name == "_":
            return "<mo>·</mo>"
        return f"<mi>{UNICODE[name]}</mi>" if name in UNICODE else self.symbol(name)

    def symbol(self, name: str) -> str:
        """The name as an identifier; a cotangent with a bar, a tangent with a dot."""
        for prefix, accent in (("g", "¯"), ("d", "˙")):
            if self.names.variable_of(name, prefix):
                return f"<mover>{self.symbol(name[1:])}<mo>{accent}</mo></mover>"
        path, dot, last = name.rpartition(".")
        if dot:
            return f"<msub>{self.symbol(last)}<mtext>{escape(path)}</mtext></msub>"
        letters = name.rstrip("0123456789")
        identifier = f"<mi>{GREEK.get(letters.rstrip('_'), escape(letters))}</mi>"
        return (
            f"<msub>{identifier}<mn>{name[len(letters) :]}</mn></msub>"
            if letters != name and letters
            else identifier
        )

    def number(self, value: Expr) -> str:
        return f"<mn>{number_text(value)}</mn>"

    def word(self, symbol: str) -> str:
        return f"<mo>{escape(UNICODE.get(symbol, symbol))}</mo>" if symbol else "<mo>&#8290;</mo>"

    def minus(self, term: str) -> str:
        return f"<mrow><mo>−</mo>{term}</mrow>"

    def join(self, pieces: list[str], symbol: str) -> str:
        return f"<mrow>{self.word(symbol).join(pieces)}</mrow>"

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{_row(top)}{_row(bottom)}</mfrac>"

    def power(self, base: str, exponent: Node) -> str:
        return f"<msup>{_row(base)}{_row(self.top(exponent))}</msup>"

    def transpose(self, arg: str) -> str:
        return f"<msup>{_row(arg)}<mo>⊤</mo></msup>"

    def raised(self, base: str, mark: str) -> str:
        return f"<msup>{_row(base)}<mrow>{''.join(map(_mark, mark))}</mrow></msup>"

    def circle_power(self, base: str, exponent: Node) -> str:
        return f"<msup>{_row(base)}<mrow><mo>∘</mo>{self.top(exponent)}</mrow></msup>"

    def matrix_power(self, base: str, exponent: Node) -> str:
        return self.power(base, exponent)

    def labelled(self, call: str, label: str) -> str:
        return f"<msup>{call}{self.paren(f'<mi>{escape(label)}</mi>')}</msup>"

    def part(self, whole: Whole, places: list[str]) -> str:
        return f"<msub>{_row(self.at(whole, ATOM))}<mrow>{'<mo>,</mo>'.join(places)}</mrow></msub>"

    def several(self, parts: list[str]) -> str:
        return f"<mrow>{'<mo>,</mo>'.join(parts)}</mrow>"

    def call(self, function: str, args: list[str]) -> str:
        if function == "sqrt":
            return f"<msqrt>{args[0]}</msqrt>"
        if function in FENCES:
            left, right = FENCES[function]
            return f"<mrow><mo>{left}</mo>{args[0]}<mo>{right}</mo></mrow>"
        return f"<mrow><mi>{escape(UNICODE.get(function, function))}</mi>{self.paren('<mo>,</mo>'.join(args))}</mrow>"

    def big(self, kind: str, letters: tuple[str, ...], arg: str) -> str:
        under = "<mo>,</mo>".join(f"<mi>{letter}</mi>" for letter in letters)
        return f"<mrow><munder><mo>{BIG[kind]}</mo><mrow>{under}</mrow></munder>{arg}</mrow>"

    def bracket(self, inner: str) -> str:
        return f"<mrow><mo>[</mo>{inner}<mo>]</mo></mrow>"

    def paren(self, inner: str) -> str:
        return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def line(self, line: Line) -> str:
        each = f"<mspace width='2em'/><mtext>for each {', '.join(line.each)}</mtext>" if line.each else ""
        parts = f"{self.top(line.left)}<mo>{line.sign}</mo>{self.top(line.right)}{each}"
        return f"<math display='block'><mrow>{parts}</mrow></math>"

    def head(self, steps: Steps) -> str:
        ends = f"{self.top(steps.first)}<mo>,</mo><mo>…</mo><mo>,</mo>{self.top(steps.last)}"
        inner = f"<mtext>for </mtext><mi>{escape(steps.letter)}</mi><mo>=</mo>{ends}<mo>:</mo>"
        return f'<math display="block"><mrow>{inner}</mrow></math>'

    def indented(self, text: str, depth: int) -> str:
        return f'<div style="margin-left: {2 * depth}em">{text}</div>' if depth else text


def _mark(symbol: str) -> str:
    """One character of what stands behind a matrix: ``-``, ``1``, ``T``."""
    if symbol.isdigit():
        return f"<mn>{symbol}</mn>"
    return f"<mo>{ {'-': '−', 'T': '⊤'}.get(symbol, symbol) }</mo>"


def _row(inner: str) -> str:
    return f"<mrow>{inner}</mrow>"
