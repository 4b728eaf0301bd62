"""A claim as LaTeX, from its text alone: no shapes are needed, so nothing is traced."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from ..frontends.formula_grammar import Style, read_formula
from ..frontends.formula_text import Source
from ..frontends.formula_tree import (
    Call,
    Chain,
    Compare,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Several,
    Subscript,
    Transpose,
)  # fmt: skip
from .names import GREEK

RELATIONS = {"==": "=", "!=": r"\ne", "<=": r"\le", ">=": r"\ge", "<": "<", ">": ">"}
SUM, PRODUCT, POWER, ATOM = range(4)
"""How tightly a piece of LaTeX holds together."""

FENCED = {"inv": "{}^{{-1}}", "transpose": r"{}^\top", "pinv": "{}^{{+}}"}
"""Functions that are written at their operand."""

AROUND = {
    "norm2": r"\lVert {} \rVert", "norm1": r"\lVert {} \rVert_1", "abs": r"\lvert {} \rvert", "sqrt": r"\sqrt{{{}}}",
    "logdet": r"\log\lvert\det({})\rvert", "eye": "I_{{{}}}", "vector": r"\mathbf{{{}}}",
}  # fmt: skip
"""Functions whose sign encloses their operand."""

KNOWN = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "det", "max", "min")
OPERATORS = {
    "tr": "tr", "trace": "tr", "eigvalsh": r"\lambda", "svdvals": r"\sigma", "cholesky": "chol", "diag": "diag",
}  # fmt: skip

Piece = tuple[str, int]


class NotDrawn(Exception):
    """A part of a claim that has no notation here."""


def claim_latex(text: str) -> str | None:
    r"""The claim as LaTeX, or None where a part has no notation of its own.

    Definitions follow the claim, ``P S = 1 \quad\text{where}\quad P = ... ,\quad S = ...``.

    Raises:
        ParseError: the text is no formula.
    """
    formula = read_formula(Source(text, "claim"))
    drawing = _Drawing(formula.style)
    try:
        tree = formula.tree
        claim = drawing.relation(tree) if isinstance(tree, Compare) else drawing.piece(tree)[0]
        defined = [f"{symbol_of(d.name)} = {drawing.piece(d.body)[0]}" for d in formula.definitions]
    except NotDrawn:
        return None
    return claim + (r" \quad\text{where}\quad " + r" ,\quad ".join(defined) if defined else "")


class _Drawing:
    """LaTeX of the nodes of one claim, in whose style ``*`` is one product or the other."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def piece(self, node: Node) -> Piece:
        match node:
            case Compare():
                return f"[{self.relation(node)}]", ATOM
            case Number(value=value):
                return (
                    (str(value), ATOM) if value.is_Integer else (rf"\tfrac{{{value.p}}}{{{value.q}}}", ATOM)
                )
            case Name(name=name):
                return symbol_of(name), ATOM
            case Negative(arg=arg):
                return f"-{self.at(arg, PRODUCT)}", SUM
            case Transpose(arg=arg):
                return self.transposed(arg)
            case Power(symbol=symbol, base=base, exponent=exponent):
                entrywise = r"\circ " if symbol == ".^" else ""
                return f"{self.at(base, ATOM)}^{{{entrywise}{self.at(exponent, SUM)}}}", POWER
            case Chain(first=Negative(arg=arg), rest=rest) if rest[0][0] not in "+-":
                return f"-{fenced(reduce(self.joined, rest, self.piece(arg)), PRODUCT)}", SUM
            case Chain(first=first, rest=rest):
                return reduce(self.joined, rest, self.piece(first))
            case Subscript(receiver=receiver, items=items) if all(isinstance(i, Number | Name) for i in items):
                return f"{self.at(receiver, ATOM)}_{{{', '.join(self.at(i, SUM) for i in items)}}}", ATOM
            case Call(receiver=None, options=()):
                return self.call(node)
            case Call(receiver=receiver, args=args, options=options):
                along = axis_of(dict(options))
                name, inner = self.applied(node.function, args if receiver is None else (receiver, *args))
                return f"{name}{along}({inner})", ATOM
        raise NotDrawn

    def relation(self, node: Compare) -> str:
        """Both sides with the sign between them."""
        return f"{self.at(node.left, SUM)} {RELATIONS[node.symbol]} {self.at(node.right, SUM)}"

    def at(self, node: Node, level: int) -> str:
        """A node, in brackets if it does not hold together well enough."""
        return fenced(self.piece(node), level)

    def transposed(self, arg: Node) -> Piece:
        match arg:
            case Call(function="inv", args=(inner,)):
                return f"{self.at(inner, ATOM)}^{{-\\top}}", POWER
        return f"{self.at(arg, ATOM)}^\\top", POWER

    def joined(self, left: Piece, step: tuple[str, Node]) -> Piece:
        """Two pieces with an operator between them."""
        symbol, node = step
        if symbol in "+-":
            right = self.piece(node)
            signed = right[0].startswith("-") or (symbol == "-" and right[1] == SUM)
            return f"{left[0]} {symbol} {fenced(right, PRODUCT if signed else SUM)}", SUM
        if symbol == "/" and self.style.columns:
            return rf"\frac{{{left[0]}}}{{{self.at(node, SUM)}}}", PRODUCT
        if symbol == "\\":
            return f"{fenced(left, ATOM)}^{{-1}} {self.at(node, POWER)}", PRODUCT
        entrywise = symbol == ".*" or (symbol == "*" and not self.style.columns)
        right = self.piece(node)
        if entrywise or symbol in ("./", "/"):
            sign = r"\circ" if entrywise else r"\oslash"
            return f"{fenced(left, PRODUCT)} {sign} {fenced(right, POWER)}", PRODUCT
        factor = fenced(right, PRODUCT)
        dot = r"\cdot " if factor[0].isdigit() else ""
        return f"{fenced(left, PRODUCT)} {dot}{factor}", PRODUCT

    def call(self, node: Call) -> Piece:
        name = node.function.rpartition(".")[2]
        match name, node.args:
            case "kron", (a, b):
                return rf"{self.at(a, POWER)} \otimes {self.at(b, POWER)}", SUM
            case "grad", (f, x):
                return rf"\nabla_{{{self.at(x, SUM)}}} {self.at(f, POWER)}", SUM
            case "hessian", (f, x):
                return rf"\nabla^2_{{{self.at(x, SUM)}}} {self.at(f, POWER)}", SUM
            case "jacobian", (f, x):
                return rf"\frac{{\partial}}{{\partial {self.at(x, SUM)}}} {self.at(f, POWER)}", SUM
            case "vjp", (f, x, g):
                return rf"\mathrm{{D}}_{{{self.at(x, SUM)}}}{self.at(f, POWER)}^{{*}}\,[{self.at(g, SUM)}]", PRODUCT
            case "jvp", (f, x, v):
                return rf"\mathrm{{D}}_{{{self.at(x, SUM)}}}{self.at(f, POWER)}\,[{self.at(v, SUM)}]", PRODUCT
            case "where", (c, a, b):
                cases = rf"{self.at(a, SUM)} & {self.condition(c)} \\ {self.at(b, SUM)} & \text{{else}}"
                return rf"\begin{{cases}} {cases} \end{{cases}}", ATOM
            case "solve", (a, b):
                return f"{self.at(a, ATOM)}^{{-1}} {self.at(b, POWER)}", PRODUCT
        if name in FENCED and len(node.args) == 1:
            return FENCED[name].format(self.at(node.args[0], ATOM)), POWER
        upright, inner = self.applied(node.function, node.args)
        if name in AROUND and len(node.args) == 1:
            return AROUND[name].format(inner), ATOM
        return f"{upright}({inner})", ATOM

    def applied(self, function: str, args: tuple[Node, ...]) -> tuple[str, str]:
        """The sign of a function, and its arguments."""
        name = function.rpartition(".")[2]
        operator = rf"\{name}" if name in KNOWN else OPERATORS.get(name, name.replace("_", r"\_"))
        upright = operator if operator.startswith("\\") else rf"\operatorname{{{operator}}}"
        return upright, ", ".join(self.at(a, SUM) for a in args)

    def condition(self, node: Node) -> str:
        """What decides between two cases."""
        return self.relation(node) if isinstance(node, Compare) else self.at(node, SUM)


def axis_of(options: Mapping[str, Node]) -> str:
    """The axes that a function runs along, as a subscript; it is no matter here whether they are kept as axes of size 1."""
    if options.keys() - {"axis", "keepdims"} or "axis" not in options:
        raise NotDrawn
    along = options["axis"]
    numbers = [_integer(n) for n in (along.items if isinstance(along, Several) else (along,))]
    return rf"_{{\text{{{'axis' if len(numbers) == 1 else 'axes'} }}{', '.join(numbers)}}}"


def _integer(node: Node) -> str:
    match node:
        case Number(value=value):
            return str(value)
        case Negative(arg=Number(value=value)):
            return f"-{value}"
    raise NotDrawn


def fenced(piece: Piece, level: int) -> str:
    return piece[0] if piece[1] >= level else f"({piece[0]})"


def symbol_of(name: str) -> str:
    """A name as LaTeX: Greek letters by their names, words upright."""
    stem, _, index = name.partition("_")
    if stem in GREEK:
        stem = f"\\{stem}"
    elif len(stem) > 1:
        stem = rf"\mathrm{{{stem}}}"
    return f"{stem}_{{{index}}}" if index else stem
