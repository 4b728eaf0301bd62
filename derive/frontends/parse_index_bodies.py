"""The right side of an equation -> SymPy's scalars, by the records of elementwise operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import sympy
from sympy import Expr, S
from sympy.logic.boolalg import Boolean

from ..errors import DomainError
from ..ir.nodes import Bracket, Index, Read, Tensor, Where, size
from ..ir.nodes import Entry as ApplicationEntry
from ..ops._record import Elementwise
from ..ops.elementwise import elementwise_ops
from ..ops.elementwise.gamma import LARGEST, WRITTEN_OUT, moderate
from ..ops.elementwise.piecewise import Absolute, Sign
from .formula_names import near_of
from .formula_text import Source
from .formula_tree import (
    Applied,
    Big,
    Call,
    Chain,
    Compare,
    Definition,
    Entry,
    Iverson,
    Logic,
    Name,
    Negative,
    Node,
    Number,
    Place,
    Power,
    Slice,
)  # fmt: skip
from .parse_index_applied import understood
from .parse_index_grammar import function_names
from .parse_index_letters import CONSTANTS

RELATIONS = {
    "=": sympy.Eq, "==": sympy.Eq, "!=": sympy.Ne, "<": sympy.StrictLessThan, "<=": sympy.LessThan,
    ">": sympy.StrictGreaterThan, ">=": sympy.GreaterThan,
}  # fmt: skip
LOGIC = {"and": sympy.And, "or": sympy.Or, "not": sympy.Not}
Indices = Mapping[str, Index]


@cache
def operation(name: str) -> Elementwise | None:
    """The record of a function as it is printed, or as NumPy calls it."""
    short = {"max": "maximum", "min": "minimum", "mod": "remainder", "Mod": "remainder"}.get(name, name)
    for op in elementwise_ops():
        if op.name == short:
            return op
    return next((op for op in elementwise_ops() if short in [n.rpartition(".")[2] for n in op.numpy]), None)


class Bodies:
    """Scalar expressions over these tensors.

    scopes: the indices that each sum brings along; aside: makes an equation of what is a reduction or a function of
    matrices within an expression;
    sizes: names that stand for sizes.
    """

    def __init__(
        self,
        source: Source,
        tensors: Mapping[str, Tensor],
        scopes: Mapping[Place, Indices],
        aside: Callable[[Big | Applied, Indices], Expr],
        sizes: frozenset[str],
    ) -> None:
        self.source, self.tensors, self.scopes, self.aside, self.sizes = source, tensors, scopes, aside, sizes

    def scalar(self, node: Node, indices: Indices) -> Expr:
        """The value of a node."""
        with self.source.about(node.place):
            return self._scalar(node, indices)

    def _scalar(self, node: Node, indices: Indices) -> Expr:
        match node:
            case Number(value=value):
                return value
            case Name():
                return self.name(node, indices)
            case Entry(name=name, indices=places):
                return Read(self.tensors[name], tuple(self.place(p, indices) for p in places))
            case Chain():
                return self.chain(node, indices)
            case Negative(arg=arg):
                return -self.scalar(arg, indices)
            case Power(base=base, exponent=exponent):
                return self.real(self.scalar(base, indices) ** self.scalar(exponent, indices), node)
            case Call():
                return self.call(node, indices)
            case Iverson(condition=condition):
                return Bracket(self.condition(condition, indices))
            case Big() | Applied():
                return self.aside(node, indices)
            case Slice():
                what = "a whole axis stands only in what a function of matrices is given, such as solve(A, B[:,k])[i]"
                raise self.source.error_at(what, node.place)
        what = f"a condition stands where a value is needed; try: [{self.source.words(node.place)}]"
        raise self.source.error_at(what, node.place)

    def name(self, node: Name, indices: Indices) -> Expr:
        tensor = self.tensors.get(node.name)
        if tensor is not None and not tensor.rank:
            return Read(tensor, ())
        if node.name in indices:
            return indices[node.name]
        if tensor is not None:
            raise self.source.error_at(f"{node.name} has {tensor.rank} axes; found no indices", node.place)
        if node.name in self.sizes:
            return size(node.name)
        if node.name in CONSTANTS:
            return CONSTANTS[node.name]
        if node.name in function_names():
            raise self.source.error_at(f"{node.name} is a function; write {node.name}(...)", node.place)
        near = near_of(node.name, {*self.tensors, *self.sizes, *function_names()})
        hint = near or f'; a scalar is declared {node.name}=""'
        raise self.source.error_at(f"{node.name} is no index, tensor or size{hint}", node.place)

    def place(self, node: Node, indices: Indices) -> Expr:
        """An index expression."""
        place = self.scalar(node, indices)
        if place.is_integer is not True:
            raise self.source.error_at(f"an index must be an integer; found {place}", node.place)
        return place

    def chain(self, node: Chain, indices: Indices) -> Expr:
        if node.rest[0][0] not in ("+", "-"):
            return self.real(sympy.Mul(*self.factors(node, indices)), node)
        terms = [(symbol, self.scalar(operand, indices)) for symbol, operand in (("+", node.first), *node.rest)]
        return sympy.Add(*(value if symbol == "+" else -value for symbol, value in terms))

    def factors(self, node: Node, indices: Indices) -> list[Expr]:
        """The factors of a product, which SymPy must see together: by itself it would put a number into a sum."""
        if not isinstance(node, Chain) or node.rest[0][0] in ("+", "-"):
            return [self.scalar(node, indices)]
        found: list[Expr] = []
        for symbol, operand in (("", node.first), *node.rest):
            inner = self.factors(operand, indices)
            found += [1 / value for value in inner] if symbol == "/" else inner
        return found

    def call(self, node: Call, indices: Indices) -> Expr:
        name, args = node.function, node.args
        op = operation(name)
        arity = 3 if name == "where" else op.arity if op else 1
        if len(args) != arity:
            raise self.source.error_at(f"{name} takes {arity} argument{'s' * (arity != 1)}; found {len(args)}", node.place)
        if name == "where":
            condition = self.condition(args[0], indices)
            return Where(condition, *(self.scalar(a, indices) for a in args[1:]))
        assert op is not None
        values = [self.scalar(a, indices) for a in args]
        if any(v.is_number and abs(v) > LARGEST for v in values[: op.constants]):
            raise self.source.error_at(f"{name} has orders up to {LARGEST}; found {values[0]}", node.place)
        make = op.head if op.name == name and op.head else op.make
        return self.real(make(*map(moderate, values)) if make in WRITTEN_OUT else make(*values), node)

    def applied(self, node: Applied, indices: Indices, places: Sequence[Index]) -> ApplicationEntry:
        """A function of matrices at these places of its result."""
        meant = understood(self.source, node, self.tensors)
        operands = [
            o.read(self.tensors[o.name], [self.place(i, indices) for i in o.indices if i is not None])
            for o in meant.operands
        ]
        parameters = [self.place(p, indices) for p in meant.parameters]
        return ApplicationEntry(meant.record.name, meant.output, operands, places, parameters)

    def condition(self, node: Node, indices: Indices) -> Boolean:
        """What stands in brackets: a relation, relations joined by words, or a tensor that must not be 0."""
        with self.source.about(node.place):
            return self._condition(node, indices)

    def _condition(self, node: Node, indices: Indices) -> Boolean:
        match node:
            case Compare(symbol=symbol, left=left, right=right):
                return RELATIONS[symbol](self.scalar(left, indices), self.scalar(right, indices))
            case Logic(word=word, args=args):
                return LOGIC[word](*(self.condition(a, indices) for a in args))
            case Iverson(condition=condition):
                return self.condition(condition, indices)
            case Entry() | Name() | Call():
                return sympy.Ne(self.scalar(node, indices), 0)
        raise self.source.error_at("a condition is needed, such as j <= i", node.place)

    def real(self, value: Expr, node: Node | Definition) -> Expr:
        """The value with our own |x| and sign in place of SymPy's."""
        if value.has(sympy.Abs, sympy.sign):
            value = value.replace(sympy.Abs, Absolute).replace(sympy.sign, Sign)
        undefined = value.has(S.ImaginaryUnit, S.ComplexInfinity, S.NaN, sympy.AccumBounds, sympy.Abs, sympy.sign)
        if undefined or (value.is_number and value.is_extended_real is False):
            what = "a division by 0, or a root or logarithm of a negative number, whatever the arrays hold"
            raise self.source.error(what, node.place.start, node.place.end, DomainError)
        return value
