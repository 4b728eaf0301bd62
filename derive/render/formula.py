"""The display tree in the grammar of formulas, MATLAB's or NumPy's, so that it can be read again."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sympy import Expr, S

from ..frontends.formula_names import OWN, functions
from ..ir.nodes import Program
from .lines import board_lines
from .names import Names
from .parts import is_negative
from .printer import opposite
from .scalars import number_text, scalar_tree, split
from .substitution import substituted
from .tree import (
    Call,
    Diagonal,
    Hadamard,
    Iverson,
    Line,
    Name,
    Node,
    Power,
    Product,
    Quotient,
    Reduce,
    Relation,
    Scalar,
    Scale,
    Spread,
    Sum,
    Transpose,
    Whole,
    is_row,
    rank,
    walk,
)  # fmt: skip

SUM, TERM, POSTFIX, ATOM = range(4)
"""How tightly things bind."""
LONGEST = 400
"""Characters of a formula that is worth to be shown."""

Piece = tuple[str, int]

SPELLED = {"norm": "norm2", "diagonal": "diag", "chol": "cholesky"}
"""Functions that the grammar knows by another name than the board."""


class NotWritten(Exception):
    """A part that the grammar of formulas has no words for."""


def formula_text(program: Program, columns: bool, known: Collection[str] = ()) -> str | None:
    """The output of a program as one formula of its inputs; None where there is none.

    Args:
        program: with one output.
        columns: whether vectors are columns and ``*`` is the product of matrices, as in MATLAB, or all is as in NumPy.
        known: names that the reader knows, which stand for themselves.
    """
    right = _one_line(program, known)
    if right is None:
        return None
    try:
        text = Writer(columns).at(right, SUM)
    except NotWritten:
        return None
    return text if len(text) <= LONGEST else None


def _one_line(program: Program, known: Collection[str]) -> Node | None:
    """The right-hand side with every definition that is not known in the place of its name."""
    lines = {line.target: line for line in board_lines(Names(program), LONGEST)}
    (output,) = program.outputs
    if output in program.inputs:
        return Name(output.name, output.rank)
    if output.name not in lines or not all(line.matrix and not line.within for line in lines.values()):
        return None
    right: Node | None = lines.pop(output.name).right
    for line in reversed(list(lines.values())):
        if right is None or not isinstance(line.left, Name) or line.each:
            return None
        if line.target not in known:
            right = _inlined(right, line)
    return right


def _inlined(right: Node, line: Line) -> Node | None:
    if not any(isinstance(n, Name) and n.name == line.target for n in walk(right)):
        return right
    return substituted(right, line)


class Writer:
    """Text of display trees in one of the two styles."""

    def __init__(self, columns: bool) -> None:
        self.columns = columns
        self.times, self.over, self.power = (".*", "./", ".^") if columns else ("*", "/", "**")

    def at(self, node: Node, least: int) -> str:
        """The node, in brackets if it binds less tightly than `least`."""
        text, level = self.piece(node)
        return text if level >= least else f"({text})"

    def piece(self, node: Node) -> Piece:
        match node:
            case Name(name=name, at=()):
                return name, ATOM
            case Scalar(value):
                return self.scalar(value)
            case Scale(factor, arg):
                return self.scale(factor, arg)
            case Sum(terms):
                return self.sum(terms), SUM
            case Product(factors):
                return self.product(factors)
            case Hadamard(factors):
                return self.joined(factors, self.times), TERM
            case Quotient(top, bottom):
                sign = self.over if rank(bottom) else "/"
                return f"{self.at(top, TERM)}{sign}{self.at(bottom, POSTFIX)}", TERM
            case Power(base, exponent):
                return self.raised(base, exponent), POSTFIX
            case Transpose(arg):
                return self.transposed(arg)
            case Spread(arg, along):
                return self.spread(arg, along)
            case Diagonal(arg):
                return f"{self.function('diag')}({self.at(arg, SUM)})", ATOM
            case Call(function, args):
                return self.call(function, args)
            case Reduce(kind, along, arg):
                return self.reduced(kind, along, arg)
            case Whole():
                return self.whole(node)
            case Iverson(Relation(symbol, left, right)) if rank(node):
                return (
                    f"({self.at(left, SUM)} {'==' if symbol == '=' else symbol} {self.at(right, SUM)})",
                    ATOM,
                )
        raise NotWritten

    # -- numbers

    def scalar(self, value: Expr) -> Piece:
        tree = scalar_tree(value)
        if not isinstance(tree, Scalar):
            return self.piece(tree)
        if value.could_extract_minus_sign():
            return f"-{number_text(-value)}", SUM
        return number_text(value), ATOM

    def scale(self, factor: Expr, arg: Node) -> Piece:
        """A coefficient in front, its denominator behind."""
        if factor.could_extract_minus_sign() and not factor.is_Add:
            rest = arg if factor == -1 else Scale(-factor, arg)
            return f"-{self.at(rest, TERM)}", SUM
        above, below = split(factor)
        front = "" if above == 1 else f"{self.at(scalar_tree(above), TERM)}*"
        behind = "" if below == 1 else f"/{self.at(scalar_tree(below), POSTFIX)}"
        inner = self.at(arg, TERM if isinstance(arg, Product) and not front else POSTFIX)
        if isinstance(arg, Product) and front and not behind:
            inner = self.at(arg, TERM)
        return f"{front}{inner}{behind}", TERM

    # -- sums and products

    def sum(self, terms: tuple[Node, ...]) -> str:
        text = self.at(terms[0], SUM)
        for term in terms[1:]:
            negative = is_negative(term)
            text += f" {'-' if negative else '+'} {self.at(opposite(term) if negative else term, TERM)}"
        return text

    def joined(self, factors: tuple[Node, ...], sign: str) -> str:
        return sign.join(self.at(f, POSTFIX) for f in factors)

    def product(self, factors: tuple[Node, ...]) -> Piece:
        """Scalars first, then matrices and vectors from left to right."""
        scalars = [self.at(f, POSTFIX) for f in factors if not rank(f)]
        chain = [f for f in factors if rank(f)]
        if self.columns or not chain:
            return "*".join((*scalars, *(self.at(f, POSTFIX) for f in chain))), TERM
        text, kind, level = self.at(chain[0], POSTFIX), self._kind(chain[0]), POSTFIX
        for f in chain[1:]:
            if (kind, self._kind(f)) == ("column", "row"):
                text, kind, level = f"np.outer({text}, {self.at(f, SUM)})", "matrix", ATOM
            else:
                text, level = f"{text} @ {self.at(f, POSTFIX)}", TERM
                kind = PRODUCTS.get((kind, self._kind(f)), kind)
        if not scalars:
            return text, level
        return f"{'*'.join(scalars)}*{f'({text})' if level < POSTFIX and kind == 'scalar' else text}", TERM

    @staticmethod
    def _kind(node: Node) -> str:
        return "matrix" if rank(node) == 2 else "row" if is_row(node) else "column"

    def raised(self, base: Node, exponent: Node) -> str:
        sign = self.power if rank(base) or not self.columns else "^"
        return f"{self.at(base, ATOM)}{sign}{self.at(exponent, ATOM)}"

    def transposed(self, arg: Node) -> Piece:
        if self.columns:
            return f"{self.at(arg, ATOM)}'", POSTFIX
        return (f"{self.at(arg, ATOM)}.T", POSTFIX) if rank(arg) == 2 else self.piece(arg)

    def spread(self, arg: Node, along: str) -> Piece:
        """A vector with an entry for each row or each column, repeated to a matrix."""
        if self.columns:
            text = self.at(arg, POSTFIX)
            return (f"{text}*vector(1)'" if along == "row" else f"vector(1)*{self.at(arg, ATOM)}'"), TERM
        return (f"{self.at(arg, ATOM)}[:, None]", POSTFIX) if along == "row" else self.piece(arg)

    # -- functions

    def function(self, name: str) -> str:
        """The name of a function in the grammar, or an error that there is none."""
        name = SPELLED.get(name, name)
        known = functions().get(name)
        if known is None and name not in OWN:
            raise NotWritten
        numpy = not self.columns and name not in OWN and known is not None and known.startswith("numpy.")
        return f"np.{known.removeprefix('numpy.')}" if numpy and known else name

    def call(self, function: str, args: tuple[Node, ...]) -> Piece:
        if function in EXPANDED and len(args) == 1:
            return self.piece(EXPANDED[function](args[0]))
        return f"{self.function(function)}({', '.join(self.at(a, SUM) for a in args)})", ATOM

    def reduced(self, kind: str, along: str, arg: Node) -> Piece:
        """Over all entries, over each row to a column, over each column to a column as well."""
        if kind == "logsumexp" and along == "all":
            return self.piece(Call("log", (Reduce("sum", "all", Call("exp", (arg,), rank(arg))),), 0))
        if along == "all":
            return f"{self.function(kind)}({self.at(arg, SUM)})", ATOM
        if along == "row":
            return f"{self.function(kind)}({self.at(arg, SUM)}, axis=1)", ATOM
        tick = "'" if self.columns else ""
        return f"{self.function(kind)}({self.at(arg, SUM)}, axis=0){tick}", POSTFIX

    def whole(self, node: Whole) -> Piece:
        match node:
            case Whole("unit", (size,)):
                return f"{self.function('eye')}({self.at(size, SUM)})", ATOM
            case Whole("sym", (arg,)):
                return self.piece(Scale(S.Half, Sum((arg, Transpose(arg)))))
            case Whole("solve", (A, b)):
                return self.piece(Product((Whole("inv", (A,), 2), b)))
            case Whole("power", (base, exponent)):
                if self.columns:
                    return f"{self.at(base, ATOM)}^({self.at(exponent, SUM)})", POSTFIX
                return f"np.linalg.matrix_power({self.at(base, SUM)}, {self.at(exponent, SUM)})", ATOM
            case Whole(label="", args=args):
                return f"{self.function(node.function)}({', '.join(self.at(a, SUM) for a in args)})", ATOM
        raise NotWritten


PRODUCTS = {
    ("row", "column"): "scalar",
    ("row", "matrix"): "row",
    ("matrix", "column"): "column",
    ("column", "row"): "matrix",
}


def _exp(z: Node) -> Node:
    return Call("exp", (z,), rank(z))


EXPANDED: dict[str, Callable[[Node], Node]] = {
    "softmax": lambda z: Quotient(_exp(z), Reduce("sum", "all", _exp(z))),
    "logsoftmax": lambda z: Sum((z, Scale(S.NegativeOne, Reduce("logsumexp", "all", z)))),
    "silu": lambda z: Hadamard((z, Call("sigmoid", (z,), rank(z)))),
}
"""Names on the board that the grammar does not know, and what they stand for."""
