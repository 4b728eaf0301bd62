"""What the names and subscripts of a formula in LaTeX stand for: its raw tree becomes the tree of formulas.

A subscript, and a superscript in brackets as in ``x^{(i)}``, is an index where it contains a letter that a sum around
it or the left side brings along, or where it is a number or a size and the variable without it is declared or indexed
elsewhere. Else it is part of the name: ``W_1``, ``mu_k``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, NoReturn

import sympy

from .formula_text import Source
from .formula_tree import (
    Big,
    Call,
    Chain,
    Compare,
    Name,
    Negative,
    Node,
    Number,
    Place,
    Power,
    Range,
    Subscript,
    Transpose,
    walk,
)  # fmt: skip
from .latex_tree import Applied, ByEntry, Constant, Fenced, Group, Mark, Over, Root, Scripted, Sign

MAPS = {"f", "g", "h", "phi", "psi", "F", "G", "Phi", "Psi"}
"""Letters that papers use for functions: before a bracket they must be declared to be variables."""
INVERSES = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "sinh": "arcsinh", "cosh": "arccosh", "tanh": "arctanh"}
LOGARITHMS = {2: "log2", 10: "log10"}
NORMS = {"F": "norm2", "inf": "norm_inf", "Frobenius": "norm2"}
Scope = frozenset[str]


@dataclass
class Resolver:
    """One formula.

    declared: names of variables; integers: those that hold integers; sizes: names that are sizes, to which those of
    upper ends of sums are added; indexed: names of variables that have an index somewhere; variables: where names of
    variables stand; starts: the numbers 0 and 1 at which sums start, and where; bound: letters of sums; random: names of
    random variables.
    """

    source: Source
    declared: Collection[str]
    integers: Collection[str]
    sizes: set[str]
    indexed: set[str]
    variables: list[Name]
    starts: dict[int, Place]
    bound: set[str] = field(default_factory=set)
    random: Collection[str] = ()

    def fail(self, message: str, place: Place) -> NoReturn:
        raise self.source.error_at(message, place)

    def node(self, raw: Any, scope: Scope) -> Node:
        """The node of formulas for a raw one; `scope` are the letters that are indices here."""
        match raw:
            case Number():
                return raw
            case Name():
                return self.named(raw, (), scope)
            case Constant(place=place, digit=digit):
                return Call(place, "vector", (self._digit(raw),)) if digit in "01" else self._digit(raw)
            case Group(items=(item,)):
                return self.node(item, scope)
            case Group(place=place):
                self.fail("one value is needed; found several", place)
            case Chain():
                return self.chain(raw, scope)
            case Negative(place=place, arg=arg):
                return Negative(place, self.node(arg, scope))
            case Compare(place=place, symbol=symbol, left=left, right=right):
                return Compare(place, "==" if symbol == "=" else symbol, self.node(left, scope), self.node(right, scope))
            case Root(place=place, degree=degree, arg=arg):
                return self.root(place, self.node(degree, scope), self.node(arg, scope))
            case Scripted():
                return self.scripted(raw, scope)
            case Applied():
                return self.applied(raw, scope)
            case Fenced(place=place, kind="norm", args=(arg,)):
                return Call(place, "norm_", (self.node(arg, scope),))
            case Fenced(place=place, kind=kind, args=args):
                return Call(place, kind, tuple(self.node(a, scope) for a in args))
            case Over():
                return self.over(raw, scope)
        self.fail("this stands where a value is needed", raw.place)

    def _digit(self, raw: Constant) -> Number:
        return Number(raw.place, sympy.Integer(raw.digit))

    # -- products

    def chain(self, raw: Any, scope: Scope) -> Node:
        """Operands with signs between them; juxtaposition is the product of matrices."""
        operands: list[tuple[str, Any]] = [("", raw.first), *raw.rest]
        found: list[tuple[str, Node]] = []
        for position, (symbol, operand) in enumerate(operands):
            before = operands[position - 1][1] if position else None
            if symbol == "" and isinstance(operand, Group):
                self._no_map(before)
            indicator = isinstance(before, Constant) or (isinstance(before, Name) and before.name == "I")
            if indicator and symbol == "" and _is_relation(operand):
                found[-1] = (found[-1][0], self.node(operand, scope))
                continue
            if symbol == "/" and isinstance(operand, Chain):
                found += self._below(found, operand, scope)
                continue
            found.append((symbol or "*", self.node(operand, scope)))
        first, *rest = found
        return Chain(raw.place, first[1], tuple(rest)) if rest else first[1]

    def _no_map(self, before: Any) -> None:
        base = before.base if isinstance(before, Scripted) else before
        if isinstance(base, Name) and base.name in MAPS and base.name not in self.declared:
            what = f"{base.name}(...) is no function that is known; for a product declare {base.name}, or write \\cdot"
            self.fail(what, before.place)

    def _below(self, found: list[tuple[str, Node]], below: Any, scope: Scope) -> list[tuple[str, Node]]:
        """``1/2 x`` is a half of x; what else stands behind a slash must be clear."""
        numbers = len(found) == 1 and isinstance(found[0][1], Number) and isinstance(below.first, Number)
        if not numbers or any(symbol for symbol, _ in below.rest):
            self.fail("what belongs below the slash is not clear; try: \\frac{...}{...}, or brackets", below.place)
        return [("/", self.node(below.first, scope)), *(("*", self.node(b, scope)) for _, b in below.rest)]

    def root(self, place: Place, degree: Node, arg: Node) -> Node:
        match degree:
            case Number(value=value) if value == 2:
                return Call(place, "sqrt", (arg,))
            case Number(value=value) if value.is_Integer and value > 0:
                return Power(place, ".^", arg, Number(degree.place, 1 / value))
        self.fail("the degree of a root must be a whole number", degree.place)

    # -- names

    def named(self, base: Name, subs: tuple[Mark, ...], scope: Scope) -> Node:
        """A variable with its subscripts, each an index or part of the name."""
        name = base.name
        indices: list[Node] = []
        for mark in subs:
            index = any(n.name in scope for n in names_of(mark.items))
            for item in split_items(mark.items):
                if isinstance(item, Compare | ByEntry):
                    self.fail("a subscript is an index or part of a name", item.place)
                word = word_of(item)
                longer = f"{name}_{word}"
                if index or self._is_index(item, name, longer, bool(indices)):
                    indices.append(self._index(item, scope))
                elif outside := next((n for n in names_of(item) if n.name in self.bound), None):
                    what = f"{outside.name} belongs to a sum, which ends before this; put what it takes in brackets"
                    self.fail(what, outside.place)
                elif word and not indices:
                    name = longer
                else:
                    self.fail("this subscript is neither an index of a sum nor part of a name", item.place)
        place = Place(base.place.start, subs[-1].place.end if subs else base.place.end, base.place.depth)
        if name in scope and not subs:
            return Name(place, name)
        whole = Name(place, name)
        if name == "I" and name not in self.declared and not indices:
            return Call(place, "identity", ())
        if name not in self.sizes:
            self.variables.append(whole)
        if not indices:
            return whole
        self.indexed.add(name)
        return Subscript(place, whole, tuple(indices))

    def _is_index(self, item: Any, name: str, longer: str, after_index: bool) -> bool:
        """Whether a subscript without letters of sums is an index."""
        known = {n.name for n in names_of(item)} <= {*self.sizes, *self.integers} and not isinstance(item, Sign)
        variable = name in self.declared or name in self.indexed or after_index
        return known and variable and longer not in self.declared

    def _index(self, item: Any, scope: Scope) -> Node:
        for n in names_of(item):
            if n.name not in {*scope, *self.sizes, *self.integers}:
                self.fail(f"{n.name} is neither summed over nor an index of the left side; try: \\sum_{n.name}", n.place)
        return self.node(item, scope)

    # -- sub- and superscripts

    def scripted(self, raw: Scripted, scope: Scope) -> Node:
        """The base with its subscripts, then its superscripts in their order."""
        subs = tuple(m for m in raw.marks if m.kind == "sub")
        others = [m for m in raw.marks if m.kind != "sub"]
        node = self.based(raw, subs, others, scope)
        for mark in others:
            node = self.raised(node, mark, scope)
        return node

    def based(self, raw: Scripted, subs: tuple[Mark, ...], others: list[Mark], scope: Scope) -> Node:
        base = raw.base
        match base:
            case Name(name="I") if "I" not in self.declared and (length := _single(subs)) is not None and others == []:
                return self._of_size(base.place, "np.eye", (), length, scope)
            case Name():
                starred = [m for m in others if m.items and isinstance(m.items[0], Sign) and m.items[0].sign == "star"]
                if starred:
                    others.remove(starred[0])
                    base = replace(base, name=f"{base.name}_star")
                if base.name == "e" and "e" not in self.declared and not subs and others and others[0].kind == "sup":
                    power = others.pop(0)
                    return Call(raw.place, "exp", (self.exponent(power, scope),))
                return self.named(base, subs, scope)
            case Constant() if (item := _single(subs)) is not None:
                if isinstance(item, Compare):
                    return self.node(item, scope)
                return self._of_size(base.place, "np.full", (self._digit(base),), item, scope)
            case Fenced(kind="norm", args=(arg,)) if subs:
                return self.norm(raw, self.node(arg, scope), subs, scope)
            case Fenced(kind="inner") if subs:
                return self.node(base, scope)
        node = self.node(base, scope)
        items = [i for m in subs for i in split_items(m.items)]
        if not items:
            return node
        return Subscript(raw.place, node, tuple(self._index(i, scope) for i in items))

    def _of_size(self, place: Place, function: str, more: tuple[Node, ...], length: Any, scope: Scope) -> Node:
        for n in names_of(length):
            if n.name not in self.sizes:
                self.fail(f"{n.name} is no size; sizes are: {', '.join(sorted(self.sizes)) or 'none'}", n.place)
        return Call(place, function, (self.node(length, scope), *more))

    def norm(self, raw: Scripted, arg: Node, subs: tuple[Mark, ...], scope: Scope) -> Node:
        """``\\|x\\|_1``, ``_2``, ``_F``, ``_\\infty``, ``_*``, any number, or a matrix A for sqrt(x' A x)."""
        order = _single(subs)
        place = Place(raw.place.start, subs[-1].place.end, raw.place.depth)
        match order:
            case Number(value=value) if value == 1:
                return Call(place, "norm1", (arg,))
            case Number(value=value) if value == 2:
                return Call(place, "norm_2", (arg,))
            case Number(value=value) if value > 0:
                return Call(place, "norm_p", (arg, order))
            case Name(name=name) if name in NORMS and name not in self.declared:
                return Call(place, NORMS[name], (arg,))
            case Sign(sign="star"):
                return Call(place, "norm_nuc", (arg,))
            case None | Number() | Sign():
                self.fail("norms are those with subscript 1, 2, p > 0, F, \\infty, *, or a matrix", subs[0].place)
        return Call(place, "norm_of", (arg, self.node(order, scope)))

    def exponent(self, mark: Mark, scope: Scope) -> Node:
        if len(mark.items) != 1:
            self.fail("one exponent is needed", mark.place)
        return self.node(mark.items[0], scope)

    def raised(self, base: Node, mark: Mark, scope: Scope) -> Node:
        """A superscript: transpose, inverse, power."""
        place = Place(base.place.start, mark.place.end, max(base.place.depth, mark.place.depth) + 1)
        match mark:
            case Mark(kind="tick") | Mark(items=(Sign(sign="top"),)):
                return Transpose(place, base, "'")
            case Mark(items=(Sign(sign="-top"),)):
                return Transpose(place, Power(place, "^", base, Number(mark.place, sympy.S.NegativeOne)), "'")
            case Mark(items=(Sign(sign="dagger"),)):
                return Call(place, "pinv", (base,))
            case Mark(items=(Sign(sign="+"),)):
                self.fail("^+ could be a positive part or a pseudoinverse; write \\max(0, x) or A^\\dagger", mark.place)
            case Mark(items=(Sign(sign=sign),)):
                self.fail(f"the superscript {sign} has no meaning here", mark.place)
            case Mark(items=(ByEntry(arg=arg),)):
                return Power(place, ".^", base, self.node(arg, scope))
        return Power(place, "^", base, self.exponent(mark, scope))

    # -- functions

    def applied(self, raw: Applied, scope: Scope) -> Node:
        args = tuple(self.node(a, scope) for a in raw.args)
        if raw.function == "nabla":
            return self.gradient(raw, args, scope)
        if raw.function == "expectation":
            return self.expectation(raw, args, scope)
        name, power = raw.function, None
        for mark in raw.marks:
            match name, mark:
                case "log", Mark(kind="sub", items=(Number(value=base),)) if base in LOGARITHMS:
                    name = LOGARITHMS[int(base)]
                case _, Mark(kind="sup", items=(Negative(arg=Number(value=value)),)) if value == 1 and name in INVERSES:
                    name = INVERSES[name]
                case _, Mark(kind="sup", items=(Number(),)):
                    power = mark
                case _:
                    self.fail(f"{name} does not take this script; try: brackets around the whole", mark.place)
        if name in ("max", "min") and len(args) > 2:
            node: Node = args[0]
            for arg in args[1:]:
                node = Call(raw.place, name, (node, arg))
        else:
            node = Call(raw.place, name, args)
        return node if power is None else self.raised(node, power, scope)

    def gradient(self, raw: Applied, args: tuple[Node, ...], scope: Scope) -> Node:
        """``\\nabla_x f`` and ``\\nabla_x^2 f``."""
        subs = [self.node(m.items[0], scope) for m in raw.marks if m.kind == "sub" and len(m.items) == 1]
        orders = [m.items[0] for m in raw.marks if m.kind == "sup" and len(m.items) == 1]
        second = len(orders) == 1 and isinstance(orders[0], Number) and orders[0].value == 2
        if len(subs) != 1 or not isinstance(subs[0], Name) or len(raw.marks) > 1 + second:
            self.fail("a gradient says by what it is taken, as in \\nabla_x f", raw.place)
        return Call(raw.place, "hessian" if second else "grad", (*args, subs[0]))

    def expectation(self, raw: Applied, args: tuple[Node, ...], scope: Scope) -> Node:
        """``\\mathbb{E}_x[f]``; without a subscript over all random variables that occur in f."""
        if len(args) != 1 or any(m.kind != "sub" for m in raw.marks):
            self.fail("an expectation is written \\mathbb{E}_x[f]", raw.place)
        over = [self.node(item, scope) for m in raw.marks for item in split_items(m.items)]
        if not raw.marks:
            names = dict.fromkeys(n.name for n in walk(args[0]) if isinstance(n, Name) and n.name in self.random)
            over = [Name(raw.place, name) for name in names]
        if not over:
            what = "nothing in this expectation is random; declare a distribution, such as x='n, normal(mu, Sigma)'"
            self.fail(what, raw.place)
        return Call(raw.place, "expectation", (*args, *over))

    # -- sums

    def over(self, raw: Over, scope: Scope) -> Node:
        """``\\sum_{i=1}^{n}``, ``\\max_{i,j}``, ``\\sum_{j \\ne i}``."""
        subs = [i for m in raw.marks if m.kind == "sub" for i in split_items(m.items)]
        ends = [m for m in raw.marks if m.kind == "sup"]
        if not subs or len(ends) > 1:
            self.fail(f"the {raw.kind} needs an index, as in \\{raw.kind}_{{i=1}}^{{n}}", raw.place)
        if ends and len(ends[0].items) != 1:
            self.fail("one upper end is needed", ends[0].place)
        letters: dict[str, Any] = {}
        conditions: list[Compare] = []
        for item in subs:
            match item:
                case Name():
                    letters[self._letter(item, scope, letters)] = None
                case Compare(symbol="=", left=Name() as left, right=first):
                    letters[self._letter(left, scope, letters)] = first
                case Compare():
                    new = [n for n in names_of(item) if n.name not in {*scope, *letters, *self.sizes}]
                    letters.update({self._letter(n, scope, letters): None for n in new[:2]})
                    conditions.append(item)
                case _:
                    self.fail("an index is a letter, as in \\sum_{i=1}^{n} or \\sum_{j \\ne i}", item.place)
        last = self._upper(ends[0].items[0], scope) if ends else None
        started = [first for first in letters.values() if first is not None]
        ranges = tuple(self._range(first or (started[0] if started else None), last, scope) for first in letters.values())
        self.bound |= letters.keys()
        inner = scope | letters.keys()
        arg = self.node(raw.arg, inner)
        return Big(raw.place, raw.kind, tuple(letters), arg, ranges, tuple(self.node(c, inner) for c in conditions))

    def _letter(self, node: Name, scope: Scope, others: Collection[str]) -> str:
        name = node.name
        if name in scope or name in others:
            self.fail(f"{name} stands for an index already", node.place)
        if name in self.declared:
            self.fail(f"{name} is a variable, not an index", node.place)
        return name

    def _upper(self, raw: Any, scope: Scope) -> Node:
        """The upper end of a sum: its names are sizes."""
        self.sizes |= {n.name for n in names_of(raw) if n.name not in scope and n.name not in self.declared}
        return self.node(raw, scope)

    def _range(self, first: Any, last: Node | None, scope: Scope) -> Range:
        if first is None:
            return Range(None, last)
        start = self.node(first, scope)
        if isinstance(start, Number) and start.value in (0, 1):
            self.starts.setdefault(int(start.value), start.place)
        return Range(start, last)


def split_items(items: tuple[Any, ...]) -> Iterator[Any]:
    """The parts of a subscript: ``ij`` is i and j, ``2i`` a product."""
    for item in items:
        if isinstance(item, Chain) and all(not symbol for symbol, _ in item.rest):
            parts = (item.first, *(part for _, part in item.rest))
            if all(isinstance(p, Name) for p in parts):
                yield from parts
                continue
        yield item


def word_of(item: Any) -> str:
    """A subscript as part of a name: ``k``, ``1``, or ``qk`` for letters side by side."""
    match item:
        case Name(name=name):
            return name.rstrip("_")
        case Number(value=value) if value.is_Integer:
            return str(value)
        case Sign(sign="star" | "top" | "dagger" as sign):
            return sign
    return ""


def names_of(raw: Any) -> Iterator[Name]:
    """All names in a raw tree."""
    if isinstance(raw, Name):
        yield raw
    elif isinstance(raw, tuple):
        for part in raw:
            yield from names_of(part)
    elif is_dataclass(raw) and not isinstance(raw, Place):
        for f in fields(raw):
            yield from names_of(getattr(raw, f.name))


def _single(subs: tuple[Mark, ...]) -> Any:
    return subs[0].items[0] if len(subs) == 1 and len(subs[0].items) == 1 else None


def _is_relation(raw: Any) -> bool:
    return isinstance(raw, Group) and len(raw.items) == 1 and isinstance(raw.items[0], Compare)


def subscripts(raw: Any) -> set[str]:
    """The letters that occur in subscripts."""
    if isinstance(raw, Mark) and raw.kind == "sub":
        return {n.name for n in names_of(raw.items)}
    if isinstance(raw, tuple):
        return set().union(*map(subscripts, raw))
    if is_dataclass(raw) and not isinstance(raw, Place):
        return set().union(*(subscripts(getattr(raw, f.name)) for f in fields(raw)))
    return set()
