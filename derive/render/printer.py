"""One walk over the display tree for every notation: where brackets are needed, and how signs are written."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sympy import Expr, S

from .parts import is_negative
from .scalars import scalar_tree, split
from .tree import (
    BigSum,
    Call,
    Diagonal,
    Hadamard,
    Iverson,
    Line,
    Logic,
    Name,
    Node,
    Part,
    Position,
    Power,
    Product,
    Quotient,
    Reduce,
    Relation,
    Scalar,
    Scale,
    Several,
    Spread,
    Steps,
    Sum,
    Transpose,
    Whole,
    Wild,
    rank,
)  # fmt: skip  # fmt: skip

SUM, TERM, CHAIN, POSTFIX, ATOM = range(1, 6)
"""How tightly things bind."""

MARKS = {"inv": "-1", "pinv": "+"}
SHORT = {"cholesky": "chol"}
"""Functions of matrices that are written with a mark behind the matrix, or by a shorter name."""

Shown = tuple[str, int]


class Printer(ABC):
    """What a notation must be able to write; every piece is a finished string."""

    stacked = False
    """Whether a quotient is drawn as a fraction, which needs no brackets."""

    circled = False
    """Whether powers entry by entry are told apart from powers of matrices by a circle: there are some of both."""

    # -- pieces

    def circle_power(self, base: str, exponent: Node) -> str:
        return self.power(base, exponent)

    @abstractmethod
    def name(self, node: Name) -> str: ...
    @abstractmethod
    def number(self, value: Expr) -> str: ...
    @abstractmethod
    def word(self, symbol: str) -> str: ...
    @abstractmethod
    def minus(self, term: str) -> str: ...
    @abstractmethod
    def join(self, pieces: list[str], symbol: str) -> str: ...
    @abstractmethod
    def fraction(self, top: str, bottom: str) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: Node) -> str: ...
    @abstractmethod
    def transpose(self, arg: str) -> str: ...
    @abstractmethod
    def raised(self, base: str, mark: str) -> str: ...
    @abstractmethod
    def matrix_power(self, base: str, exponent: Node) -> str: ...
    @abstractmethod
    def call(self, function: str, args: list[str]) -> str: ...
    @abstractmethod
    def labelled(self, call: str, label: str) -> str: ...
    @abstractmethod
    def part(self, whole: Whole, places: list[str]) -> str: ...
    @abstractmethod
    def several(self, parts: list[str]) -> str: ...
    @abstractmethod
    def big(self, kind: str, letters: tuple[str, ...], arg: str) -> str: ...
    @abstractmethod
    def bracket(self, inner: str) -> str: ...
    @abstractmethod
    def paren(self, inner: str) -> str: ...
    @abstractmethod
    def line(self, line: Line) -> str: ...
    @abstractmethod
    def head(self, steps: Steps) -> str: ...
    @abstractmethod
    def indented(self, text: str, depth: int) -> str: ...

    # -- the walk

    def at(self, node: Node, least: int) -> str:
        """The node, in brackets if it binds less tightly than `least`."""
        text, level = self.show(node)
        return text if level >= least else self.paren(text)

    def top(self, node: Node) -> str:
        return self.show(node)[0]

    def place(self, node: Node) -> str:
        """An index expression: ``t+1``, numbers last."""
        if isinstance(node, Sum) and isinstance(node.terms[0], Scalar) and not is_negative(node.terms[0]):
            node = Sum((*node.terms[1:], node.terms[0]))
        return self.top(node)

    def show(self, node: Node) -> Shown:
        match node:
            case Name():
                return self.name(node), ATOM
            case Scalar(value):
                return self.scalar(value)
            case Position(along):
                return self.word("i" if along == "row" else "j"), ATOM
            case Scale(factor, arg):
                return self.scale(factor, arg)
            case Sum(terms):
                return self.sum(terms), SUM
            case Product(factors):
                return self.chain(factors), CHAIN
            case Hadamard(factors):
                return self.join([self.at(f, POSTFIX) for f in factors], "∘"), TERM
            case Quotient(top, bottom):
                return self.quotient(top, bottom)
            case Power(base, exponent):
                if self.circled and rank(base) == 2:
                    return self.circle_power(self.at(base, ATOM), exponent), POSTFIX
                return self.power(self.at(base, ATOM), exponent), POSTFIX
            case Transpose(arg):
                tight = isinstance(arg, Whole) and arg.function == "pinv" and not self.stacked
                return self.transpose(self.at(arg, POSTFIX if tight else ATOM)), POSTFIX
            case Whole():
                return self.whole(node)
            case Part(arg, at):
                return self.part(arg, [self.top(a) for a in at]), ATOM
            case Several(found):
                return self.several([self.top(p) for p in found]), ATOM
            case Spread(arg):
                return self.show(arg)
            case Diagonal(arg):
                return self.call("diag", [self.top(arg)]), ATOM
            case Call(function, args):
                return self.call(function, [self.top(a) for a in args]), ATOM
            case Reduce(kind, along, arg):
                prefix = {"row": "row", "column": "col", "all": ""}[along]
                return self.call(prefix + kind, [self.top(arg)]), ATOM
            case BigSum(kind, letters, arg):
                return self.big(kind, letters, self.at(arg, TERM)), TERM
            case Iverson(condition):
                return self.bracket(self.top(condition)), ATOM
            case Relation(symbol, left, right):
                return self.join([self.at(left, SUM), self.at(right, SUM)], symbol), 0
            case Logic("not", (arg,)):
                return self.call("not", [self.top(arg)]), ATOM
            case Logic(word, args):
                return self.join(
                    [self.at(a, SUM) if isinstance(a, Logic) else self.top(a) for a in args], word
                ), 0
            case Wild(name):
                return self.word(name), ATOM

    def whole(self, node: Whole) -> Shown:
        """A function of matrices: with a mark behind the matrix where there is one, else as a call."""
        match node:
            case Whole("inv", (Transpose(arg),)):
                return self.raised(self.at(arg, ATOM), "-T"), POSTFIX
            case Whole("inv" | "pinv", (arg,)):
                return self.raised(self.at(arg, ATOM), MARKS[node.function]), POSTFIX
            case Whole("power", (base, exponent)):
                tight = isinstance(base, Transpose) and not self.stacked
                return self.matrix_power(self.at(base, POSTFIX if tight else ATOM), exponent), POSTFIX
            case Whole("unit"):
                return self.word("I"), ATOM
            case Whole("solve", (A, b)):
                return self.show(Product((Whole("inv", (A,), 2), b)))
        return self.applied(SHORT.get(node.function, node.function), node), ATOM

    def applied(self, function: str, node: Whole) -> str:
        call = self.call(function, [self.top(a) for a in node.args])
        return self.labelled(call, node.label) if node.label else call

    def scalar(self, value: Expr) -> Shown:
        tree = scalar_tree(value)
        if isinstance(tree, Scalar):
            if value.could_extract_minus_sign():
                return self.minus(self.number(-value)), TERM
            return self.number(value), ATOM
        return self.show(tree)

    def sum(self, terms: tuple[Node, ...]) -> str:
        if {_along(t) for t in terms} >= {"row", "column"}:
            terms = tuple(map(_upright, sorted(terms, key=lambda t: _along(t) == "column")))
        text = self.at(terms[0], TERM)
        for term in terms[1:]:
            negative = is_negative(term)
            text = self.join(
                [text, self.at(opposite(term) if negative else term, TERM)], "-" if negative else "+"
            )
        return text

    def chain(self, factors: tuple[Node, ...]) -> str:
        last = len(factors) - 1
        pieces = [
            self.at(f, TERM if isinstance(f, BigSum) and p == last else POSTFIX)
            for p, f in enumerate(factors)
        ]
        return self.join(pieces, "")

    def quotient(self, top: Node, bottom: Node) -> Shown:
        if self.stacked and _has_big(top):
            return self.join(
                [self.fraction(self.number(S.One), self.top(bottom)), self.at(top, TERM)], ""
            ), TERM
        if self.stacked:
            return self.fraction(self.top(top), self.top(bottom)), ATOM
        return self.fraction(self.at(top, TERM), self.at(bottom, POSTFIX)), TERM

    def scale(self, factor: Expr, arg: Node) -> Shown:
        if factor.could_extract_minus_sign() and not factor.is_Add:
            return self.minus(self.at(scaled_raw(-factor, arg), TERM)), TERM
        above, below = split(factor)
        node = arg
        if isinstance(arg, Quotient) and below != 1:
            node, below_node = arg.top, _product(below, arg.bottom)
        elif isinstance(arg, Quotient):
            node, below_node = arg.top, arg.bottom
        elif below != 1:
            below_node = scalar_tree(below)
        else:
            return self.times(above, arg), CHAIN if not isinstance(arg, Hadamard | BigSum) else TERM
        if node == Scalar(S.One):
            return self.quotient(scalar_tree(above), below_node)
        if above == 1:
            return self.quotient(node, below_node)
        if self.stacked and _has_big(node):
            front = self.fraction(self.top(scalar_tree(above)), self.top(below_node))
            return self.join([front, self.at(node, TERM)], ""), TERM
        if self.stacked:
            return self.fraction(self.times(above, node), self.top(below_node)), ATOM
        return self.fraction(self.times(above, node), self.at(below_node, POSTFIX)), TERM

    def times(self, above: Expr, arg: Node) -> str:
        """A coefficient in front."""
        front = self.at(scalar_tree(above), CHAIN)
        inner = self.at(arg, TERM if isinstance(arg, Product | Hadamard | BigSum) else POSTFIX)
        return self.join([front, inner], "")


def _along(term: Node) -> str:
    """How a vector stands beside a matrix, if a term is a multiple of one."""
    bare = term.arg if isinstance(term, Scale) else term
    return bare.along if isinstance(bare, Spread) else ""


def _upright(term: Node) -> Node:
    """A vector along the columns as a row, ``c + c'``, where one along the rows stands in the same sum."""
    match term:
        case Scale(factor, Spread(arg, "column")):
            return Scale(factor, Transpose(arg))
        case Spread(arg, "column"):
            return Transpose(arg)
        case _:
            return term


def _has_big(node: Node) -> bool:
    """Whether a numerator has a big sum, which reads better behind the fraction."""
    match node:
        case BigSum():
            return True
        case Product(factors) | Hadamard(factors):
            return any(map(_has_big, factors)) or sum(map(_has_sum, factors)) > 0
        case _:
            return False


def _has_sum(node: Node) -> bool:
    return isinstance(node, Sum) and len(node.terms) > 2


def opposite(node: Node) -> Node:
    """A term without its minus sign."""
    match node:
        case Scale(factor, arg):
            return scaled_raw(-factor, arg)
        case Scalar(value):
            return Scalar(-value)
        case _:
            return node


def scaled_raw(factor: Expr, node: Node) -> Node:
    return node if factor == 1 else Scale(factor, node)


def _product(factor: Expr, node: Node) -> Node:
    tree = scalar_tree(factor)
    front = tree.factors if isinstance(tree, Product) else (tree,)
    return Product((*front, *(node.factors if isinstance(node, Product) else (node,))))
