"""The display tree as a line of text: plain ASCII for index notation, − ² ∘ ≤ for matrices."""

from __future__ import annotations

from sympy import Expr

from .printer import ATOM, Printer, Shown
from .scalars import number_text
from .tree import FENCES, Line, Name, Node, Scalar, Steps, Whole

SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
MARK = str.maketrans("-1T+", "⁻¹ᵀ⁺")
UNICODE = {"-": "−", "<=": "≤", ">=": "≥", "!=": "≠", "pi": "π", "Phi": "Φ", "inf": "∞"}


class Text(Printer):
    """Text in Unicode, as on a board, or in ASCII, to be read back."""

    def __init__(self, ascii_only: bool = False) -> None:
        self.ascii = ascii_only

    def name(self, node: Name) -> str:
        if not node.at:
            return self.word(node.name)
        places = [None if p is None else self.place(p).replace(" ", "") for p in node.at]
        subscript = ",".join(text for p, text in enumerate(places) if p in node.moments and text)
        plain = [text for p, text in enumerate(places) if p not in node.moments]
        while plain and plain[-1] is None:
            plain.pop()
        name = (
            f"{node.name}_{subscript if len(subscript) == 1 else f'{{{subscript}}}'}"
            if subscript
            else node.name
        )
        return f"{name}[{','.join(text or ':' for text in plain)}]" if plain else name

    def number(self, value: Expr) -> str:
        return number_text(value)

    def word(self, symbol: str) -> str:
        return symbol if self.ascii else UNICODE.get(symbol, symbol)

    def minus(self, term: str) -> str:
        return self.word("-") + term

    def join(self, pieces: list[str], symbol: str) -> str:
        return (f" {self.word(symbol)} " if symbol else " ").join(pieces)

    def fraction(self, top: str, bottom: str) -> str:
        return f"{top} / {bottom}"

    def power(self, base: str, exponent: Node) -> str:
        if not self.ascii and isinstance(exponent, Scalar) and exponent.value.is_Integer:
            return base + str(exponent.value).translate(SUPERSCRIPT)
        text, level = self.show(exponent)
        plain = (isinstance(exponent, Scalar) and exponent.value.is_Integer) or isinstance(exponent, Name)
        return f"{base}^{text}" if plain and level else f"{base}^({text})"

    def transpose(self, arg: str) -> str:
        return arg + "'"

    def whole(self, node: Whole) -> Shown:
        return (self.applied(node.function, node), ATOM) if self.ascii else super().whole(node)

    def raised(self, base: str, mark: str) -> str:
        return base + mark.translate(MARK)

    def matrix_power(self, base: str, exponent: Node) -> str:
        text, level = self.show(exponent)
        return f"{base}^{text if level == ATOM else self.paren(text)}"

    def labelled(self, call: str, label: str) -> str:
        return f"{call}.{label}"

    def part(self, whole: Whole, places: list[str]) -> str:
        return f"{self.applied(whole.function, whole)}[{','.join(p.replace(' ', '') for p in places)}]"

    def several(self, parts: list[str]) -> str:
        return ", ".join(parts)

    def call(self, function: str, args: list[str]) -> str:
        if not self.ascii and function in FENCES:
            left, right = FENCES[function]
            return f"{left}{args[0]}{right}"
        return f"{self.word(function)}({', '.join(args)})"

    def big(self, kind: str, letters: tuple[str, ...], arg: str) -> str:
        return f"{kind}_{','.join(letters)} {arg}"

    def bracket(self, inner: str) -> str:
        return f"[{inner}]"

    def paren(self, inner: str) -> str:
        return f"({inner})"

    def line(self, line: Line) -> str:
        each = f"   (for each {', '.join(line.each)})" if line.each else ""
        return f"{self.top(line.left)} {line.sign} {self.top(line.right)}{each}"

    def head(self, steps: Steps) -> str:
        dots = "..." if self.ascii else "…"
        first, last = (self.top(end).replace(" ", "") for end in (steps.first, steps.last))
        return f"for {steps.letter} = {first}, {dots}, {last}:"

    def indented(self, text: str, depth: int) -> str:
        return "  " * depth + text


BOARD = Text()
ASCII = Text(ascii_only=True)
