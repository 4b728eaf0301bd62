"""Index notation: ``S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)``, one line for each equation of the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Expr, S
from sympy.logic.boolalg import And, Boolean, Not, Or

from ..ir.nodes import Bracket, Entry, Equation, Index, Program, Read, Slot, Where, indices_of, operand_slots
from ..ops.elementwise import op_of_head
from ..ops.linalg import primitives
from .names import Names
from .order import LAST, term_key
from .scalars import scalar_tree
from .text import ASCII
from .tree import (
    FLIPPED,
    BigSum,
    Call,
    Iverson,
    Line,
    Logic,
    Name,
    Node,
    Part,
    Power,
    Product,
    Quotient,
    Relation,
    Scalar,
    Scale,
    Sum,
    Transpose,
    Whole,
    walk,
)  # fmt: skip

RELATIONS: dict[type, str] = {
    sympy.Eq: "=", sympy.Ne: "!=", sympy.StrictLessThan: "<", sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">", sympy.GreaterThan: ">=",
}  # fmt: skip
FUNCTIONS = {"maximum": "max", "minimum": "min"}
"""Operations that are printed under a shorter name than their record has."""


def index_line(equation: Equation, names: Names) -> Line:
    """The equation in index notation; a scatter as ``gE[tok[i],k] += gY[i,k]``."""
    name, forward = equation.target.name, equation.target.name in names.forward
    letters = names.letters(equation)
    writer = Writer(letters, names)
    scattered = scatter(equation)
    if scattered is None:
        return Line(name, writer.tree(equation.lhs), writer.reduced(equation), matrix=False, forward=forward)
    places, body = scattered
    left = Name(name, 0, tuple(writer.tree(p) for p in places))
    return Line(name, left, writer.tree(body), matrix=False, sign="+=", forward=forward)


def scatter(equation: Equation) -> tuple[tuple[Expr, ...], Expr] | None:
    """Places and values of a sum whose free axes occur only in brackets ``[a = place]``, else None."""
    if equation.reduce != "sum":
        return None
    factors = list(sympy.Mul.make_args(equation.body))
    places: list[Expr] = []
    for axis in equation.axes:
        place = _place_of(axis, factors)
        if place is None or not indices_of(place[1]) & set(equation.bound):
            places.append(axis)
            continue
        factors.remove(place[0])
        places.append(place[1])
    rest = sympy.Mul(*factors)
    if tuple(places) == equation.axes or not _covers(equation, places, rest):
        return None
    return tuple(places), rest


def _covers(equation: Equation, places: list[Expr], rest: Expr) -> bool:
    """Whether every summed index is still to be seen."""
    seen = indices_of(rest).union(*map(indices_of, places))
    return set(equation.bound) <= seen


def _place_of(axis: Index, factors: list[Expr]) -> tuple[Expr, Expr] | None:
    having = [f for f in factors if axis in indices_of(f)]
    if (
        len(having) != 1
        or not isinstance(having[0], Bracket)
        or not isinstance(having[0].condition, sympy.Eq)
    ):
        return None
    left, right = having[0].condition.args
    for a, b in ((left, right), (right, left)):
        if a == axis and axis not in indices_of(b) and b.atoms(Read):
            return having[0], b
    return None


class Writer:
    """Scalar expressions as trees, with these letters for the indices."""

    def __init__(self, letters: Mapping[Index, str], names: Names) -> None:
        self.letters, self.names = letters, names

    def reduced(self, equation: Equation) -> Node:
        """The right-hand side: what does not depend on the summed indices stands in front of the sum."""
        if not equation.bound:
            return self.tree(equation.body)
        letters = tuple(self.letters[b] for b in sorted(equation.bound, key=list(self.letters).index))
        kind = equation.reduce or "sum"
        ranges = [Bracket(sympy.Lt(b, b.extent)) for b in equation.bound if kind == "sum" and is_partial(b, equation)]
        if ranges and equation.body.is_Add:
            return BigSum(kind, letters, self.product([*ranges, equation.body]))
        if kind != "sum" or equation.body.is_Add:
            return BigSum(kind, letters, self.tree(equation.body))
        outside: list[Expr] = []
        inside: list[Expr] = list(ranges)
        for f in sympy.Mul.make_args(equation.body):
            (inside if indices_of(f) & set(equation.bound) else outside).append(f)
        summand = self.product(inside) if ranges else self.tree(sympy.Mul(*inside))
        return self.product(outside, BigSum(kind, letters, summand))

    def tree(self, e: Any) -> Node:
        if isinstance(e, Read):
            order = self.names.order.get(e.tensor.name, LAST)
            return Name(e.tensor.name, 0, tuple(map(self.tree, e.indices)), order)
        if isinstance(e, Index):
            return Name(self.letters.get(e, e.name))
        if isinstance(e, Bracket):
            return Iverson(self.condition(e.condition))
        if isinstance(e, Where):
            return Call("where", (self.condition(e.args[0]), self.tree(e.args[1]), self.tree(e.args[2])), 0)
        if isinstance(e, Entry):
            return self.entry(e)
        if e.is_number or e.is_Symbol:
            return scalar_tree(e)
        if e.is_Add:
            return Sum(tuple(sorted(map(self.tree, e.args), key=term_key)))
        if e.is_Mul or (e.is_Pow and e.exp.could_extract_minus_sign()):
            return self.product(list(sympy.Mul.make_args(e)))
        if e.is_Pow:
            return self.power(e.base, e.exp)
        return Call(function_name(e), tuple(map(self.tree, e.args)), 0)

    def entry(self, e: Entry) -> Node:
        """``inv(X')[i,j]``, ``eigh(A).eigenvalues[i]``."""
        labels = primitives()[e.primitive].labels
        args = (*map(self.operand, e.operands), *map(self.tree, e.parameters))
        whole = Whole(e.primitive, args, 0, labels[e.output] if labels else "")
        return Part(whole, tuple(map(self.tree, e.places))) if e.places else whole

    def operand(self, read: Read) -> Node:
        """What a primitive takes: ``A``, a slice ``A[b,:,:]`` of it, or the transpose of one."""
        at = tuple(Name(":") if isinstance(i, Slot) else self.tree(i) for i in read.indices)
        order = self.names.order.get(read.tensor.name, LAST)
        name = Name(read.tensor.name, 0, () if all(a == Name(":") for a in at) else at, order)
        return name if sorted(operand_slots(read)) == operand_slots(read) else Transpose(name)

    def power(self, base: Expr, exponent: Expr) -> Node:
        if exponent == S.Half:
            return Call("sqrt", (self.tree(base),), 0)
        return self.tree(base) if exponent == 1 else Power(self.tree(base), self.tree(exponent))

    def product(self, factors: list[Expr], last: Node | None = None) -> Node:
        """Coefficient, factors in the order of a matrix chain, divisors."""
        factor, top, bottom = S.One, [], []
        for f in factors:
            base, exponent = f.as_base_exp() if f.is_Pow else (f, S.One)
            if is_size(f):
                factor *= f
            elif exponent.could_extract_minus_sign():
                bottom.append(self.power(base, -exponent))
            else:
                top.append(self.tree(f))
        nodes = [*sorted(top, key=self.factor_key), *([last] if last else [])]
        node: Node = _joined(nodes)
        if bottom:
            node = Quotient(node, _joined(sorted(bottom, key=self.factor_key)))
        if node == Scalar(S.One):
            return scalar_tree(factor)
        return node if factor == 1 else Scale(factor, node)

    def factor_key(self, node: Node) -> tuple[Any, ...]:
        """Brackets about indices, entries and their powers in the order of a matrix chain, then everything else."""
        names = [n for n in walk(node) if isinstance(n, Name)]
        if isinstance(node, Iverson) and not any(n.at for n in names):
            return (0, [], repr(node))
        entry = isinstance(node.base if isinstance(node, Power) else node, Name)
        order = list(self.letters.values())
        places = sorted({order.index(n.name) for n in names if not n.at and n.name in order})
        return (1 if entry else 2, places, repr(node))

    def condition(self, c: Boolean) -> Node:
        match c:
            case And() | Or() | Not():
                word = {And: "and", Or: "or", Not: "not"}[type(c)]
                return Logic(word, tuple(sorted(map(self.condition, c.args), key=repr)))
        left, symbol, right = relation_parts(c)
        return Relation(symbol, self.tree(left), self.tree(right)) if symbol else self.tree(left)


def is_partial(index: Index, equation: Equation) -> bool:
    """Whether an index runs over a part of an axis, and nothing that it reads says how far."""
    extents = [
        extent
        for read in equation.reads
        for place, extent in zip(read.indices, read.tensor.shape, strict=True)
        if place == index
    ]
    return bool(extents) and index.extent not in extents


def relation_parts(c: Any) -> tuple[Expr, str, Expr]:
    """Left side, symbol, right side as a person writes them; no symbol for a boolean tensor by itself."""
    left, symbol, right = c.args[0], RELATIONS[c.func], c.args[1]
    if isinstance(left, Read) and left.tensor.kind == "boolean" and right == 0 and symbol == "!=":
        return left, "", right
    if _number_first(left, right) or (symbol == "=" and _reads_first(left, right)):
        left, symbol, right = right, FLIPPED[symbol], left
    if symbol in ROUNDED and left.is_integer and right.is_integer:
        return _rounded(left, symbol, right)
    return left, symbol, right


def _number_first(left: Expr, right: Expr) -> bool:
    return bool(left.is_number and not right.is_number)


def _reads_first(left: Expr, right: Expr) -> bool:
    return isinstance(right, Index) and not isinstance(left, Index)


def _rounded(left: Expr, symbol: str, right: Expr) -> tuple[Expr, str, Expr]:
    """``j < i + 1`` of integers is ``j <= i``."""
    other, shift = ROUNDED[symbol]
    for a, b in ((left - shift, right), (left, right + shift)):
        if len(a.args) + len(b.args) < len(left.args) + len(right.args):
            return a, other, b
    return left, symbol, right


ROUNDED = {"<": ("<=", -1), "<=": ("<", 1), ">": (">=", 1), ">=": (">", -1)}
"""For integers: the relation that says the same when its right side is moved by so much."""


def _joined(nodes: list[Node]) -> Node:
    return Scalar(S.One) if not nodes else nodes[0] if len(nodes) == 1 else Product(tuple(nodes))


def is_size(e: Expr) -> bool:
    """Whether an expression is made of numbers and sizes only."""
    return not e.atoms(Read) and not indices_of(e) and not e.atoms(Bracket)


def function_name(e: Expr) -> str:
    """How a function of scalars is called in print."""
    op = op_of_head(e.func)
    name = op.name if op else e.func.__name__
    return FUNCTIONS.get(name, name)


def index_lines(program: Program, names: Names) -> list[Line]:
    """Every equation in index notation."""
    return [index_line(e, names) for e in program.equations]


def render_index(program: Program) -> list[str]:
    """Index notation for every equation, in plain ASCII: ``S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)``."""
    return [ASCII.line(line) for line in index_lines(program, Names(program))]
