"""One equation in matrix notation, where it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import sympy
from sympy import Expr, S
from sympy.logic.boolalg import Boolean

from ..ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Read,
    Where,
    indices_of,
    operand_slots,
    reads_of,
    substitute,
)
from .algebra import add, chain, diagonal, power, total
from .index import Writer, function_name, is_size, relation_parts
from .names import Names
from .network import Axes, NoMatrix, Value, aligned, contract
from .order import LAST, sound
from .parts import scaled, times
from .text import BOARD
from .tree import (
    FLIPPED,
    Along,
    BigSum,
    Call,
    Iverson,
    Line,
    Logic,
    Name,
    Node,
    Position,
    Power,
    Relation,
    Scalar,
    Whole,
    rank,
    walk,
)
from .wholes import function_of, whole_axes

TRIES = 24


def matrix_line(equation: Equation, names: Names) -> Line | None:
    """The equation in matrix notation, or None; axes beyond the second are written as ``X[b]``."""
    for batch in _batches(equation, names):
        try:
            line = Notation(equation, names, batch).line()
        except NoMatrix:
            continue
        if sound(line.right):
            return line
    return None


def _batches(equation: Equation, names: Names) -> Iterator[frozenset[Index]]:
    """Choices of the axes that are written as indices: times, and as few others as leave every tensor two axes."""
    everywhere = {*equation.indices, *indices_of(equation.body), *indices_of(equation.lhs)}
    times = frozenset(i for i in everywhere if names.is_time(equation, i))
    reads = [indices_of(read) - times | set(operand_slots(read)) for read in reads_of(equation.body)]
    own: list[set[Any]] = [set(equation.axes) - times, *reads]
    if all(len(o) <= 2 for o in own):
        yield times
        return
    wide = own if isinstance(equation.body, Entry) else reads
    candidates = [i for i in equation.indices if any(i in o for o in wide if len(o) > 2)]
    for i in candidates:
        if i in equation.bound and all(len(o - {i}) <= 2 for o in own):
            yield frozenset({i})
    candidates.sort(key=lambda i: -sum(i in o for o in own))
    tries = 0
    for count in range(1, len(candidates) + 1):
        for chosen in combinations(candidates, count):
            if all(len(o - set(chosen)) <= 2 for o in own) and tries < TRIES:
                tries += 1
                yield times.union(chosen)


class Notation:
    """Expressions of one equation as matrices, vectors and scalars; the indices in `batch` stay indices."""

    def __init__(self, equation: Equation, names: Names, batch: frozenset[Index]) -> None:
        self.equation, self.names, self.batch = equation, names, batch
        self.letters = names.letters(equation)
        self.writer = Writer(self.letters, names)
        self.order = {index: p for p, index in enumerate(equation.indices)}
        self.times = frozenset(i for i in batch if names.is_time(equation, i))

    def line(self) -> Line:
        equation = self.equation
        left = self.read(equation.lhs)
        bound = tuple(b for b in equation.bound if b not in self.batch)
        value = self.reduced(equation.body, bound)
        right = aligned(value, left.axes)
        if outer := [self.letters[b] for b in equation.bound if b in self.batch]:
            if equation.reduce != "sum":
                raise NoMatrix
            right = BigSum("sum", tuple(outer), right)
        each = tuple(self.letters[i] for i in equation.axes if i in self.batch - self.times)
        if {"i", "j"} & {*each, *outer} and _mentions_positions(right):
            raise NoMatrix
        name = equation.target.name
        return Line(name, left.node, right, matrix=True, each=each, forward=name in self.names.forward)

    # -- sums

    def reduced(self, body: Expr, bound: Axes) -> Value:
        """The reduction of a body over `bound`."""
        if not bound:
            return self.value(body)
        if self.equation.reduce != "sum":
            return self.whole(body, bound, str(self.equation.reduce))
        if body.is_Add:
            return _shortest(lambda: self.whole(body, bound, "sum"), lambda: self.termwise(body, bound))
        try:
            return self.term(body, bound)
        except NoMatrix:
            expanded = sympy.expand_mul(body)
            if expanded == body:
                raise
            return self.termwise(expanded, bound)

    def whole(self, body: Expr, bound: Axes, kind: str) -> Value:
        """Entry by entry first, then reduced."""
        inner = self.value(body)
        extent = sympy.Mul(*(b.extent for b in bound))
        missing = [b for b in bound if b not in inner.axes]
        if missing and kind != "sum":
            raise NoMatrix
        node = scaled(sympy.Mul(*(b.extent for b in missing)), inner.node)
        kept = tuple(i for i in inner.axes if i not in bound)
        if len(kept) == len(inner.axes):
            return Value(node, kept)
        extent = sympy.Mul(*(b.extent for b in bound if b in inner.axes))
        along: Along = "all" if not kept else "row" if inner.axes[0] == kept[0] else "column"
        return Value(total(kind, along, node, extent), kept)

    def termwise(self, body: Expr, bound: Axes) -> Value:
        """Each term of a sum by itself."""
        return self.added([self.reduced(term, bound) for term in sympy.Add.make_args(body)], body)

    def added(self, values: list[Value], e: Expr) -> Value:
        axes = self.oriented({i for v in values for i in v.axes}, e)
        return Value(add(*(aligned(v, axes) for v in values)), axes)

    def term(self, e: Expr, bound: Axes) -> Value:
        """A product of factors, summed over `bound`."""
        coefficient, factors, divisors, deltas = S.One, [], [], []
        for f in sympy.Mul.make_args(e):
            if is_size(f):
                coefficient *= f
            elif self.is_delta(f):
                deltas.append(f.condition)
            elif f.is_Pow and f.exp.could_extract_minus_sign():
                divisors.append(self.value(f.base ** (-f.exp)))
            else:
                factors.append(self.value(f))
        if deltas:
            return self.on_diagonal(deltas, coefficient, factors, divisors, bound)
        free = self.oriented(self.own(e) - set(bound), e)
        value = contract(factors, divisors, free, bound)
        return Value(scaled(coefficient, value.node), value.axes)

    def is_delta(self, f: Expr) -> bool:
        match f:
            case Bracket(args=(sympy.Eq(lhs=Index() as a, rhs=Index() as b),)):
                return a not in self.batch and b not in self.batch
        return False

    def on_diagonal(
        self, deltas: list[Any], coefficient: Expr, factors: list[Value], divisors: list[Value], bound: Axes
    ) -> Value:
        """``[i = j] v[i]`` is ``diag(v)``, and without v it is the unit matrix."""
        (i, j), *more = [d.args for d in deltas]
        if more or {i, j} & set(bound):
            raise NoMatrix
        value = contract(factors, divisors, (i, j), bound)
        unit = self.unit(Bracket(sympy.Eq(i, j))) if not value.axes else None
        if unit is not None:
            return Value(times(scaled(coefficient, value.node), unit.node), unit.axes)
        if self.batch or value.axes not in ((i,), (j,)):
            raise NoMatrix
        return Value(scaled(coefficient, diagonal(value.node)), self.oriented({i, j}, S.One))

    def unit(self, e: Bracket) -> Value | None:
        """``[i = j]`` as the unit matrix, where it is square and nothing else is called I."""
        if not self.is_delta(e) or "I" in self.names.known:
            return None
        i, j = e.condition.args
        whole = Whole("unit", (Scalar(i.extent),), 2)
        return Value(whole, self.oriented({i, j}, S.One)) if i.extent == j.extent else None

    # -- entry by entry

    def own(self, e: Any) -> set[Index]:
        return indices_of(e) - self.batch

    def oriented(self, indices: set[Index], e: Any) -> Axes:
        """The axes in the order in which most tensors of `e` have them."""
        axes = tuple(sorted(indices, key=lambda i: self.order.get(i, 99)))
        if len(axes) > 2:
            raise NoMatrix
        if len(axes) == 2 and e != 1:
            plain = [tuple(i for i in r.indices if isinstance(i, Index)) for r in reads_of(e)]
            pairs = [tuple(i for i in p if i in axes) for p in plain]
            if pairs.count(axes[::-1]) > pairs.count(axes):
                return axes[::-1]
        return axes

    def value(self, e: Any) -> Value:
        if isinstance(e, Read):
            return self.read(e)
        if isinstance(e, Entry):
            return self.applied(e)
        if isinstance(e, Bracket):
            return self.unit(e) or self.bracket(e.condition)
        if isinstance(e, Where):
            axes = self.oriented(self.own(e), e)
            if indices_of(e.args[0]) and indices_of(e.args[0]) <= self.times:
                choice = self.writer.condition(e.args[0])
                branches = (aligned(self.value(a), axes) for a in e.args[1:])
                return Value(Call("where", (choice, *branches), len(axes)), axes)
            parts = (aligned(self.value(a), axes) for a in e.args[1:])
            return Value(Call("where", (self.condition(e.args[0], axes), *parts), len(axes)), axes)
        if isinstance(e, Index):
            if e in self.batch:
                return Value(self.writer.tree(e))
            raise NoMatrix
        if is_size(e):
            return Value(Scalar(e))
        if e.is_Add:
            return self.added([self.value(a) for a in e.args], e)
        if e.is_Mul or (e.is_Pow and e.exp.could_extract_minus_sign()):
            return self.entrywise(e)
        axes = self.oriented(self.own(e), e)
        if e.is_Pow and is_size(e.exp):
            return Value(power(aligned(self.value(e.base), axes), e.exp), axes)
        if e.is_Pow and not self.own(e.exp):
            return Value(Power(aligned(self.value(e.base), axes), self.value(e.exp).node), axes)
        args = tuple(aligned(self.value(a), axes) for a in e.args)
        return Value(Call("pow" if e.is_Pow else function_name(e), args, len(axes)), axes)

    def entrywise(self, e: Expr) -> Value:
        try:
            return self.term(e, ())
        except NoMatrix:
            expanded = sympy.expand_mul(e)
            if expanded == e or not expanded.is_Add:
                raise
            return self.value(expanded)

    def read(self, read: Read) -> Value:
        """A tensor, a slice of one at the batch indices, chosen rows ``E[tok]``, or a diagonal."""
        at: list[Node | None] = []
        axes: list[Index] = []
        for place, extent in zip(read.indices, read.tensor.shape, strict=True):
            inside = self.own(place)
            if isinstance(place, Index) and inside:
                if place.extent != extent:
                    raise NoMatrix  # a part of an axis must not look like the whole
                at.append(None)
                axes.append(place)
            elif not inside:
                at.append(self.writer.tree(place))
            elif isinstance(place, Read) and len(inside) == 1:
                at.append(self.read(place).node)
                axes.extend(inside)
            else:
                raise NoMatrix
        if len(axes) > 2:
            raise NoMatrix
        name = read.tensor.name
        where = tuple(at) if any(a is not None for a in at) else ()
        symmetric = name in self.names.symmetric and read.indices[-2:] == tuple(axes)
        moments = frozenset(p for p, a in enumerate(at) if a is not None and (name, p) in self.names.times)
        node = Name(name, len(axes), where, self.names.order.get(name, LAST), symmetric, moments)
        if len(axes) == 2 and axes[0] == axes[1]:
            if where:
                raise NoMatrix
            return Value(Call("diagonal", (node,), 1), (axes[0],))
        return Value(node, tuple(axes))

    def applied(self, e: Entry) -> Value:
        """What a primitive makes of whole matrices; ``solve(A, B[:,k])[i]`` is ``A^-1 B``."""
        operands = [self.operand(read) for read in e.operands]
        if any(indices_of(p) - self.batch for p in e.parameters):
            raise NoMatrix
        if e.primitive == "solve":
            (matrix, own), (right, (row,)) = operands
            beside = tuple(i for i in right.axes if i != row)
            solved = chain(Whole("inv", (aligned(matrix, own),), 2), aligned(right, (row, *beside)))
            return Value(solved, (*e.places, *beside))
        args = [aligned(value, own) for value, own in operands]
        return Value(function_of(e, [*args, *map(self.writer.tree, e.parameters)]), e.places)

    def operand(self, read: Read) -> tuple[Value, Axes]:
        """An operand of a primitive, and the axes that it takes whole in their order."""
        axes = whole_axes(read, self.equation.indices)
        return self.read(substitute(read, dict(axes))), tuple(axes.values())

    # -- conditions

    def bracket(self, condition: Boolean) -> Value:
        if isinstance(condition, sympy.Eq):
            for label, index in (condition.args, condition.args[::-1]):
                if isinstance(index, Index) and index not in self.batch and isinstance(label, Read):
                    which = self.read(label)
                    if index not in which.axes and len(which.axes) <= 1:
                        return Value(
                            Call("onehot", (which.node,), rank(which.node) + 1), (*which.axes, index)
                        )
        about = [r for r in _about_indices(condition) if self.batch & indices_of(r)]
        if about and indices_of(condition) <= self.times:
            return Value(Iverson(self.writer.condition(condition)))
        if about:
            raise NoMatrix
        axes = self.oriented(self.own(condition), condition)
        return Value(Iverson(self.condition(condition, axes), len(axes)), axes)

    def condition(self, c: Boolean, axes: Axes) -> Node:
        """A condition on the entries of a matrix with these axes; `i` counts its rows and `j` its columns."""
        if isinstance(c, sympy.And | sympy.Or | sympy.Not):
            word = {sympy.And: "and", sympy.Or: "or", sympy.Not: "not"}[type(c)]
            return Logic(word, tuple(sorted((self.condition(a, axes) for a in c.args), key=BOARD.top)))
        left, symbol, right = relation_parts(c)
        if axes and left == axes[0] and isinstance(right, Index) and symbol:
            left, symbol, right = right, FLIPPED[symbol], left
        if not symbol:
            return self.entry(left, axes)
        return Relation(symbol, self.entry(left, axes), self.entry(right, axes))

    def entry(self, e: Any, axes: Axes) -> Node:
        if not indices_of(e) or reads_of(e):
            return aligned(self.value(e), axes)
        if not indices_of(e) <= set(axes[:2]):
            raise NoMatrix
        return self._positions(e, {i: Position("row" if i == axes[0] else "column") for i in indices_of(e)})

    def _positions(self, e: Any, places: dict[Index, Position]) -> Node:
        if isinstance(e, Index):
            return places[e]
        if is_size(e):
            return Scalar(e)
        if e.is_Add:
            return add(*(self._positions(a, places) for a in e.args))
        if e.is_Mul:
            return times(*(self._positions(a, places) for a in e.args))
        raise NoMatrix


def _about_indices(condition: Boolean) -> list[Any]:
    """The relations in a condition that speak of indices only, not of entries."""
    relations = condition.atoms(sympy.core.relational.Relational)
    return [r for r in relations if not r.atoms(Read)]


def _shortest(*ways: Callable[[], Value]) -> Value:
    """The way that exists and prints shortest."""
    found: list[Value] = []
    for way in ways:
        try:
            found.append(way())
        except NoMatrix:
            continue
    if not found:
        raise NoMatrix
    return min(found, key=lambda v: len(BOARD.top(v.node)))


def _mentions_positions(node: Node) -> bool:
    return any(isinstance(n, Position) for n in walk(node))
