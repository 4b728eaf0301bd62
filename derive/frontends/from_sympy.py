"""SymPy -> Program: scalar expressions, explicit matrices, matrix expressions, sums of indexed entries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from keyword import iskeyword
from typing import Any, NoReturn

import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.special import GenericIdentity

from ..errors import DomainError, ParseError, SpecError, UnsupportedOp
from ..ir.facts import Spec
from ..ir.nodes import Program, size
from ..ops.elementwise import op_of_head
from .formula_program import Reading, check_declared, program_of
from .formula_text import Source
from .formula_tree import (
    Big,
    Call,
    Chain,
    Compare,
    Name,
    Node,
    Number,
    Place,
    Power,
    Range,
    Several,
    Subscript,
    Transpose,
)
from .latex import LatexStyle
from .latex_lower import LatexLowering, open_lengths

FUNCTIONS: dict[Any, str] = {
    sympy.Abs: "numpy.absolute", sympy.sign: "numpy.sign", sympy.floor: "numpy.floor", sympy.ceiling: "numpy.ceil",
    sympy.Max: "numpy.maximum", sympy.Min: "numpy.minimum", sympy.Mod: "numpy.remainder", sympy.atan2: "numpy.arctan2",
    sympy.And: "numpy.logical_and", sympy.Or: "numpy.logical_or", sympy.Not: "numpy.logical_not",
    sympy.loggamma: "scipy.special.gammaln", sympy.conjugate: "numpy.conjugate", sympy.Heaviside: "numpy.heaviside",
}  # fmt: skip
"""Functions that have no record under their own name."""

REWRITTEN = (sympy.sec, sympy.csc, sympy.cot, sympy.sech, sympy.csch, sympy.coth)
RELATIONS = {sympy.Eq: "==", sympy.Ne: "!=", sympy.Lt: "<", sympy.Le: "<=", sympy.Gt: ">", sympy.Ge: ">="}


class SympyStyle(LatexStyle):
    """Matrices are multiplied by ``*``, and vectors are matrices with one column."""

    @property
    def name(self) -> str:
        return "SymPy"


def _expression(value: Any) -> Any:
    """A number as SymPy has it; text is never read."""
    if isinstance(value, bool) or not isinstance(value, int | float | sympy.Basic | sympy.MatrixBase):
        kind = type(value).__name__
        raise UnsupportedOp(f"an expression of SymPy is needed; found {value!r:.60} of type {kind}; try: dv.parse for text")
    return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value) if isinstance(value, float) else value


def from_sympy(expr: Any, specs: Mapping[str, Spec]) -> Program:
    """The program that a SymPy expression says.

    A Symbol is a scalar, a MatrixSymbol a matrix, with one column or row a vector; ``A[i, j]`` of an IndexedBase or
    MatrixSymbol an entry, counted from 0. Symbols in the shape of a matrix and in the limits of a sum are sizes.
    Integer symbols that are indices and that no sum brings along are the axes of the result. An explicit matrix with
    one column is a vector. All symbols are real; ``positive=True`` becomes a fact.

    Args:
        expr: a scalar expression, an explicit Matrix or Array, or a MatrixExpr.
        specs: shapes and facts by name, in place of what the expression says.

    Raises:
        UnsupportedOp: a function or a kind of expression that has no counterpart.
        SpecError: the name of a symbol cannot be one in a program.  DomainError: a complex number.
        ParseError: no expression of SymPy, or one beyond the limits of formulas; each of the others is one as well.
    """
    source = Source(str(expr)[:2000], "SymPy expression")
    with source.about():
        expr = _expression(expr)
        if isinstance(expr, sympy.Basic) and expr.has(sympy.Derivative, sympy.Integral):
            expr = expr.doit()
        reader = Reader(source)
        tree = reader.node(expr)
        declared = {**reader.specs, **specs}
        named = {name: s for name, s in declared.items() if name in {v.name for v in reader.variables} or name in specs}
        sizes = check_declared(named)
        left = tuple((letter, tree.place) for letter in reader.free)
        variables = tuple(v for v in reader.variables if v.name not in sizes | reader.sizes)
        reading = Reading(
            source, tree, SympyStyle(), variables, {name: tree.place for name in reader.sizes - sizes},
            open_lengths(tree, left), reader.ranks, partial(LatexLowering, base=0, left=left),
        )  # fmt: skip
        return program_of(reading, {n: s for n, s in named.items() if n not in reader.sizes})[0]


class Reader:
    """One expression; what it finds on the way.

    variables: names as they occur; specs: what the expression says of them; counts: how many indices the others
    have; sizes: names in limits of sums and in shapes; free: letters that are axes of the result.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.place = Place(0, max(len(source.text), 1))
        self.variables: list[Name] = []
        self.specs: dict[str, Spec] = {}
        self.counts: dict[str, int] = {}
        self.sizes: set[str] = set()
        self.free: dict[str, None] = {}
        self.bound: list[str] = []
        self.given: dict[Any, Node] = {}

    def ranks(self, name: str) -> tuple[int, ...]:
        return (self.counts.get(name, 0),)

    def fail(self, expr: Any) -> NoReturn:
        what = f"{type(expr).__name__} of SymPy is not supported: {str(expr)[:80]}"
        raise UnsupportedOp(f"{what}; try: expr.doit() or expr.rewrite(...) first")

    # -- scalars

    def node(self, expr: Any) -> Node:
        """The tree of formulas for an expression."""
        place = self.place
        if isinstance(expr, sympy.Symbol) and expr in self.given:
            return self.given[expr]
        match expr:
            case sympy.Float():
                return Number(place, sympy.Rational(str(expr)))
            case sympy.Rational():
                return Number(place, expr)
            case sympy.Idx() | sympy.Symbol():
                return self.symbol(expr)
            case sympy.MatrixBase() | sympy.NDimArray():
                return self.explicit(expr)
            case sympy.Indexed():
                return self.entry(self.base(expr.base, len(expr.indices)), expr.indices)
            case MatrixElement():
                return self.matrix_entry(expr)
            case sympy.Sum() | sympy.Product():
                return self.big(expr)
            case sympy.Trace() | sympy.Determinant():
                return Call(place, "tr" if isinstance(expr, sympy.Trace) else "det", (self.node(expr.arg),))
            case sympy.MatrixExpr():
                return self.matrix(expr)
            case sympy.Add():
                return self.chain("+", expr.as_ordered_terms())
            case sympy.Mul():
                return self.chain("*", expr.args)
            case sympy.Pow():
                return Power(place, "**", self.node(expr.base), self.node(expr.exp))
            case sympy.KroneckerDelta():
                return Compare(place, "==", *map(self.node, expr.args[:2]))
            case sympy.Piecewise():
                return self.piecewise(expr)
            case sympy.core.relational.Relational():
                return Compare(place, RELATIONS[expr.func], self.node(expr.lhs), self.node(expr.rhs))
        return self.constant(expr) if expr.is_number and not expr.args else self.function(expr)

    def constant(self, expr: Any) -> Node:
        if expr is sympy.I:
            raise DomainError("the imaginary unit: only real arithmetic can be derived")
        names = {sympy.pi: "pi", sympy.oo: "inf", sympy.EulerGamma: "np.euler_gamma"}
        if expr in names:
            return Name(self.place, names[expr])
        if expr is sympy.E:
            return Call(self.place, "numpy.exp", (Number(self.place, sympy.S.One),))
        self.fail(expr)

    def name(self, symbol: Any) -> str:
        name = str(getattr(symbol, "name", symbol))
        name = f"{name}_" if iskeyword(name) else name
        if not name.isidentifier():
            raise SpecError(f"{name!r} cannot be the name of an input; try: expr.subs(...) with a symbol of another name")
        return name

    def symbol(self, symbol: Any) -> Node:
        name = self.name(getattr(symbol, "label", symbol))
        if name not in self.sizes and name not in self.bound and name not in self.free:
            self.variables.append(Name(self.place, name))
            self.specs.setdefault(name, Spec((), facts=_facts(symbol)))
        return Name(self.place, name)

    def function(self, expr: Any) -> Node:
        head = expr.func
        if head in REWRITTEN:
            return self.node(expr.rewrite(sympy.cos if head in REWRITTEN[:3] else sympy.exp))
        if head is sympy.gamma:
            return Call(self.place, "numpy.exp", (Call(self.place, "scipy.special.gammaln", (self.node(expr.args[0]),)),))
        op = op_of_head(head)
        name = FUNCTIONS.get(head) or (op.numpy[0] if op and op.numpy else "")
        if not name:
            self.fail(expr)
        first, *rest = map(self.node, expr.args)
        if head in (sympy.Max, sympy.Min, sympy.And, sympy.Or):
            for other in rest:
                first = Call(self.place, name, (first, other))
            return first
        return Call(self.place, name, (first, *rest))

    def piecewise(self, expr: Any) -> Node:
        *pieces, (last, otherwise) = expr.args
        if otherwise != True:  # noqa: E712 - SymPy's true
            raise UnsupportedOp("a Piecewise without a last case for everything else; try: (value, True) as its last case")
        node = self.node(last)
        for value, condition in reversed(pieces):
            node = Call(self.place, "numpy.where", (self.node(condition), self.node(value), node))
        return node

    def chain(self, symbol: str, args: Any) -> Node:
        first, *rest = map(self.node, args)
        return Chain(self.place, first, tuple((symbol, r) for r in rest)) if rest else first

    # -- entries and sums

    def index(self, place: Any) -> Node:
        """An index expression; integers that nothing binds become axes of the result."""
        for symbol in sorted(place.free_symbols, key=str):
            name = self.name(getattr(symbol, "label", symbol))
            if name not in self.bound and name not in self.sizes:
                self.free.setdefault(name)
        return self.node(place)

    def base(self, base: Any, count: int) -> Node:
        name = self.name(base)
        self.variables.append(Name(self.place, name))
        if base.shape is not None:
            self.specs.setdefault(name, Spec(tuple(map(self.extent, base.shape))))
        self.counts[name] = count
        return Name(self.place, name)

    def entry(self, array: Node, places: Any) -> Node:
        return Subscript(self.place, array, tuple(map(self.index, places)))

    def matrix_entry(self, expr: Any) -> Node:
        parent, i, j = expr.args
        rows, columns = parent.shape
        if (rows, columns) == (1, 1):
            return self.node(parent)
        if columns == 1:
            return self.entry(self.node(parent), (i,))
        return self.entry(self.node(parent.T if rows == 1 else parent), (j,) if rows == 1 else (i, j))

    def big(self, expr: Any) -> Node:
        kind = "sum" if isinstance(expr, sympy.Sum) else "prod"
        node: Any = None
        letters: list[tuple[str, Any, Any]] = []
        for limit in reversed(expr.limits):
            if len(limit) != 3:
                raise UnsupportedOp(f"a sum without limits: {str(expr)[:80]}")
            letters.append((self.name(getattr(limit[0], "label", limit[0])), *limit[1:]))
        ranges = []
        for letter, first, last in letters:
            if letter in self.bound:
                raise UnsupportedOp(f"{letter} is summed over within a sum over {letter}; try: another letter")
            self.sizes |= {self.name(s) for s in (first.free_symbols | last.free_symbols)} - set(self.bound)
            ranges.append(Range(self.node(first), self.node(last)))
            self.bound.append(letter)
        node = self.node(expr.function)
        del self.bound[len(self.bound) - len(letters) :]
        for (letter, *_), r in zip(reversed(letters), reversed(ranges), strict=True):
            node = Big(self.place, kind, (letter,), node, (r,))
        return node

    # -- matrices

    def extent(self, extent: Any) -> Any:
        extent = _expression(extent)
        names = {s: size(self.name(s)) for s in extent.free_symbols}
        self.sizes |= {str(s) for s in names.values()}
        return extent.xreplace(names)

    def explicit(self, array: Any) -> Node:
        """A vector, matrix or array entry by entry; one column or row is a vector."""
        if isinstance(array, sympy.MatrixBase):
            rows, columns = array.shape
            if 0 in (rows, columns):
                self.fail(array)
            if columns == 1:
                return self.stacked([self.node(e) for e in array])
            if rows == 1:
                return Transpose(self.place, self.stacked([self.node(e) for e in array]), "'")
            return self.stacked([self.stacked([self.node(e) for e in array.row(k)]) for k in range(rows)])
        if not array.shape:
            return self.node(array[()])
        return self.stacked([self.node(array[k]) for k in range(array.shape[0])])

    def stacked(self, parts: list[Node]) -> Node:
        return Call(self.place, "numpy.stack", (Several(self.place, tuple(_kept(p) for p in parts)),))

    def matrix(self, expr: Any) -> Node:
        """A matrix expression, in MATLAB's operators."""
        place = self.place
        match expr:
            case sympy.MatrixSymbol():
                return self.matrix_symbol(expr)
            case sympy.MatAdd():
                return self.chain("+", [a for a in expr.args if not isinstance(a, sympy.ZeroMatrix)])
            case sympy.MatMul():
                return self.chain("*", [a for a in expr.args if not isinstance(a, GenericIdentity)])
            case sympy.HadamardProduct():
                return self.chain(".*", expr.args)
            case sympy.HadamardPower():
                return Power(place, ".^", self.node(expr.base), self.node(expr.exp))
            case sympy.Transpose() | sympy.Adjoint():
                inner = self.node(expr.arg)
                return inner if expr.arg.shape == (1, 1) else Transpose(place, inner, "'")
            case sympy.Inverse():
                return Call(place, "inv", (self.node(expr.arg),))
            case sympy.MatPow():
                return Power(place, "^", self.node(expr.base), self.node(expr.exp))
            case sympy.KroneckerProduct():
                return self.chain("kron", expr.args)
            case DiagMatrix():
                return Call(place, "diag", (self.node(expr.args[0]),))
            case ElementwiseApplyFunction():
                return self.applied(expr)
            case sympy.Identity():
                return Call(place, "numpy.eye", (self.node(self.extent(expr.shape[0])),))
            case sympy.ZeroMatrix() | sympy.OneMatrix():
                shape = tuple(self.node(self.extent(s)) for s in expr.shape if s != 1)
                value = Number(place, sympy.Integer(int(isinstance(expr, sympy.OneMatrix))))
                full = Call(place, "numpy.full", (Several(place, shape), value)) if shape else value
                return Transpose(place, full, "'") if expr.shape[0] == 1 != expr.shape[1] else full
        self.fail(expr)

    def matrix_symbol(self, expr: Any) -> Node:
        name = self.name(expr)
        rows, columns = map(self.extent, expr.shape)
        shape = tuple(e for e in (rows, columns) if e != 1)
        self.variables.append(Name(self.place, name))
        self.specs.setdefault(name, Spec(shape))
        found = Name(self.place, name)
        return Transpose(self.place, found, "'") if rows == 1 and shape else found

    def applied(self, expr: Any) -> Node:
        """A function of entries, ``Lambda(x, f(x))``, on a matrix."""
        function = expr.function
        (variable,) = function.variables
        before = dict(self.given)
        self.given[variable] = self.node(expr.expr)
        try:
            return self.node(function.expr)
        finally:
            self.given = before


def _kept(node: Node) -> Node:
    """A number as an array, not as the option of a function."""
    return Call(node.place, "numpy.positive", (node,)) if isinstance(node, Number) else node


def _facts(symbol: Any) -> frozenset[str]:
    return frozenset({"positive"} if symbol.is_positive else {"nonnegative"} if symbol.is_nonnegative else ())


__all__ = ["ParseError", "from_sympy"]
