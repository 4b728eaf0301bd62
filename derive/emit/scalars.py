"""Scalar bodies as elementwise array code: sums, products, powers, functions, selections and conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr
from sympy.logic.boolalg import And, Boolean, Not, Or

from ..errors import UnsupportedOp
from ..ir.nodes import Bracket, Index, Read, Where, indices_of, reads_of
from ..ops.elementwise import home_of, op_of_head
from .code import (
    ADD,
    AND,
    COMPARE,
    MUL,
    OR,
    Atom,
    Chain,
    Code,
    Group,
    Power,
    Prefix,
    Suffix,
    call,
    chain,
    negative,
)
from .numerals import coefficient, rational, split_roots
from .reads import Order, aligned, entry
from .scope import Scope

COMPARISONS: dict[Any, str] = {
    sympy.Eq: "==", sympy.Ne: "!=", sympy.StrictLessThan: "<", sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">", sympy.GreaterThan: ">=",
}  # fmt: skip
FAR = 10**6  # sorts after every tensor


def is_scalar(e: Expr) -> bool:
    """Made of numbers and sizes only: a Python number in the emitted code."""
    return not isinstance(e, Read | Index) and all(is_scalar(a) for a in e.args)


class Printer:
    """Prints expressions as arrays that broadcast over the axes `order`; `exact` in integer arithmetic."""

    def __init__(self, scope: Scope, order: Order, exact: bool = False) -> None:
        self.scope, self.order, self.exact = scope, order, exact

    def code(self, e: Expr) -> Code:
        minus, code = self.signed(e)
        return negative(code) if minus else code

    def signed(self, e: Expr) -> tuple[bool, Code]:
        """The code without its leading minus, and whether there is one."""
        if e.is_Rational:
            return bool(e < 0), rational(abs(e))
        if e.is_Mul or _divides(e) or (not self.exact and _common(e) != 1):
            return self.product(e)
        return False, self.unsigned(e)

    def unsigned(self, e: Expr) -> Code:
        if isinstance(e, Read):
            return self.read(e)
        if isinstance(e, Index):
            return self.index(e)
        if e.is_Symbol:
            return self.scope.size(e)
        if e.is_Add:
            return self.sum(e)
        if e.is_Pow:
            return self.power(e.base, e.exp)
        if isinstance(e, Bracket):
            return self.cast(self.condition(e.condition))
        if isinstance(e, Where):
            return self.select(*e.args)
        if isinstance(e, sympy.floor | sympy.ceiling | sympy.Mod):
            return self.quotient(e)
        return self.constant(e) if e.is_number and not e.args else self.function(e)

    # --- leaves

    def read(self, e: Read, cast: bool = True) -> Code:
        code = entry(self.scope, e, self.order, self.integers)
        if e.tensor.kind == "real" or not cast:
            return code
        return self.cast(code) if e.tensor.kind == "boolean" or (self.scope.casts and not self.exact) else code

    def integers(self, e: Expr, order: Order) -> Code:
        return Printer(self.scope, order, exact=True).code(e)

    def index(self, e: Index) -> Code:
        extent = self.integers(e.extent, ())
        if self.exact:
            return aligned(self.scope, self.scope.vector(e, extent), [e], self.order)
        like = self.scope.template()
        return aligned(
            self.scope, Atom(self.scope.dialect.arange_real.format(n=extent, like=like)), [e], self.order
        )

    def cast(self, code: Code) -> Code:
        """Truth values and integers as numbers of the result's type; as integers where that is exact."""
        dialect = self.scope.dialect
        text = dialect.integer if self.exact else dialect.cast.format(like=self.scope.template())
        return Suffix(code, text, copies=True)

    def constant(self, e: Expr) -> Code:
        if e is sympy.S.NegativeInfinity:
            return negative(Atom(self.scope.dialect.infinity))
        named = {
            sympy.pi: "math.pi",
            sympy.E: "math.e",
            sympy.oo: self.scope.dialect.infinity,
            sympy.nan: "math.nan",
        }
        return Atom(named[e] if e in named else repr(float(e)))

    # --- sums

    def sum(self, e: Expr) -> Code:
        terms = sorted(e.args, key=self._term_key)
        if self.exact and terms[0].is_number:
            terms = [*terms[1:], terms[0]]
        signed = [self.signed(term) for term in terms]
        minus, first = signed[0]
        rest = [("-" if below else "+", code) for below, code in signed[1:]]
        return chain(ADD, negative(first) if minus else first, rest)

    def _term_key(self, term: Expr) -> tuple[Any, ...]:
        """Positive terms first, integers before everything, other constants last, higher ranks before lower."""
        first = term.is_Integer and not self.exact
        return (
            bool(term.as_coeff_Mul()[0] < 0),
            not first,
            -self._rank(term),
            self._position(term),
            str(term),
        )

    def _rank(self, e: Expr) -> int:
        return len(indices_of(e))

    def _position(self, e: Expr) -> int:
        return min((self.scope.positions.get(r.tensor.name, FAR) for r in reads_of(e)), default=FAR)

    # --- products

    def product(self, e: Expr) -> tuple[bool, Code]:
        """A quotient of products: number, sizes, arrays of low rank, arrays of high rank, over the same."""
        number, factors = _content(e, split=not self.exact)
        conditions = [f.condition for f in factors if isinstance(f, Bracket)]
        if conditions:
            return self.masked(number, [f for f in factors if not isinstance(f, Bracket)], conditions)
        minus, number = bool(number < 0), abs(number)
        above, below = _quotient(factors)
        above, below = self.distributed(above, below)
        scalars = [f for f in factors if is_scalar(f)]
        roots, over, under = self._scalars(number, scalars, any(not is_scalar(f) for f in below))
        arrays = sorted((f for f in above if not is_scalar(f)), key=self._factor_key)
        divisors = sorted((f for f in below if not is_scalar(f)), key=self._factor_key)
        body = self.outer(arrays) if not any(map(self._rank, divisors)) else None
        top = [self.factor(f, arrays) for f in arrays] if body is None else body
        return minus, _fraction(over + roots, top, under + [self.code(f) for f in divisors], self.exact)

    def _scalars(
        self, number: Any, factors: list[Expr], divided: bool
    ) -> tuple[list[Code], list[Code], list[Code]]:
        """Numbers and sizes: roots, then numerator and denominator."""
        numeric = [f for f in factors if f.is_number]
        if self.exact:
            above, below = sympy.fraction(sympy.Mul(number, *factors))
            over = [self.code(f) for f in sympy.Mul.make_args(above) if f != 1]
            return [], over, [self.code(f) for f in sympy.Mul.make_args(below) if f != 1]
        number, root, divisor, left = split_roots(numeric, number)
        above, below = _quotient([*left, *(f for f in factors if not f.is_number)])
        under = [self.code(f) for f in below] + ([divisor] if divisor else [])
        literal, quotient = coefficient(number, bool(under) or divided)
        over = [Atom(literal)] if literal else []
        roots = ([root] if root else []) + [self.code(f) for f in sorted(above, key=str)]
        return roots, over, ([Atom(quotient)] if quotient else []) + under

    def factor(self, f: Expr, among: list[Expr]) -> Code:
        """One factor; a mask of truth values needs no cast beside a real factor."""
        if isinstance(f, Read) and f.tensor.kind == "boolean":
            return self.read(f, cast=not any(r.tensor.kind == "real" for g in among for r in reads_of(g)))
        return self.code(f)

    def _factor_key(self, f: Expr) -> tuple[Any, ...]:
        base = f.base if f.is_Pow else f
        product = isinstance(base, Read) and base.tensor.name.startswith("#")
        return (self._rank(f), not product, base.is_Add or isinstance(base, Where), self._position(f), str(f))

    def outer(self, arrays: list[Expr]) -> list[Code] | None:
        """``outer(x, y)`` for a product of vectors along the two axes of `order`, scalars in front."""
        if self.exact or len(self.order) != 2 or any(self._rank(f) > 1 for f in arrays):
            return None
        sides = [[f for f in arrays if indices_of(f) == {axis}] for axis in self.order]
        if not all(sides):
            return None
        scalars = [self.code(f) for f in arrays if not indices_of(f)]
        vectors = [
            Printer(self.scope, (axis,)).code(sympy.Mul(*side))
            for axis, side in zip(self.order, sides, strict=True)
        ]
        return [*scalars, call(f"{self.scope.dialect.module}.outer", *vectors)]

    def distributed(self, above: list[Expr], below: list[Expr]) -> tuple[list[Expr], list[Expr]]:
        """Move a factor into a choice between two numbers: ``where(X > 0, Y, 0.01 * Y)``."""
        choices = [f for f in above if isinstance(f, Where) and is_scalar(f.args[1]) and is_scalar(f.args[2])]
        rest = [f for f in above if not is_scalar(f) and f not in choices]
        if len(choices) != 1 or len(rest) != 1:
            return above, below
        condition, a, b = choices[0].args
        chosen = Where(condition, a * rest[0], b * rest[0])
        return [f for f in above if f not in (*choices, *rest)] + [chosen], below

    def masked(self, number: Any, rest: list[Expr], conditions: list[Boolean]) -> tuple[bool, Code]:
        """A product with brackets: a selection, so that an infinite factor is not multiplied by 0."""
        condition = self.truth_of(conditions)
        if all(is_scalar(f) for f in rest):
            minus, factor = self.signed(sympy.Mul(number, *rest))
            mask = self.cast(condition)
            return minus, mask if factor.text == "1" else chain(MUL, factor, [("*", mask)])
        minus, value = self.signed(sympy.Mul(number, *rest))
        return minus, call(f"{self.scope.dialect.module}.where", condition, value, "0")

    # --- powers and functions

    def power(self, base: Expr, exponent: Expr) -> Code:
        if exponent == sympy.S.Half:
            return call(
                "math.sqrt" if is_scalar(base) else f"{self.scope.dialect.module}.sqrt", self.code(base)
            )
        return Power(self.code(base), self.code(exponent))

    def function(self, e: Expr) -> Code:
        record = op_of_head(e.func)
        if record is None:
            raise UnsupportedOp(
                f"{e.func.__name__} has no record among the elementwise operations, in {e}\n"
                "  to add it: one record in derive/ops/elementwise"
            )
        if is_scalar(e):
            return self._of_numbers(e, record.spelling.get("numba", ""))
        spelling = record.spelling.get(self.scope.dialect.target)
        if spelling is None:
            target = self.scope.dialect.target
            raise UnsupportedOp(
                f"{record.name} has no spelling for {target}, in {e}\n"
                f"  to add it: spelling[{target!r}] of its record in {home_of(record)}"
            )
        numbers, arrays = e.args[: record.constants], e.args[record.constants :]
        if not all(number.is_Integer for number in numbers):
            raise UnsupportedOp(f"the first argument of {record.name} must be a number, in {e}")
        for place, number in enumerate(numbers):
            spelling = spelling.replace(f"{{{place}}}", str(number))
        if is_scalar(e.args[-1]) and record.name in self.scope.dialect.numbers:
            spelling = self.scope.dialect.numbers[record.name]
        elif self.scope.dialect.truth and any(name.startswith("numpy.") for name in record.numpy[:1]):
            return _spelled(spelling, [self.full(a) if is_scalar(a) else self.code(a) for a in e.args])
        return _spelled(spelling, [*map(Atom, map(str, numbers)), *(self.code(a) for a in arrays)])

    def _of_numbers(self, e: Expr, spelling: str) -> Code:
        if spelling.startswith("math."):
            return _spelled(spelling, [self.code(a) for a in e.args])
        if e.is_number:
            return Atom(repr(float(e)))
        raise UnsupportedOp(f"{e} is a function of sizes that the math module does not have")

    def quotient(self, e: Expr) -> Code:
        """``a // b``, ``-(-a // b)`` and ``a % b``."""
        if isinstance(e, sympy.ceiling):
            return negative(Group(self.quotient(sympy.floor(-e.args[0], evaluate=False))))
        if isinstance(e, sympy.Mod):
            return chain(MUL, self.code(e.args[0]), [("%", self.code(e.args[1]))])
        above, below = sympy.fraction(sympy.together(e.args[0]))
        return chain(MUL, self.code(above), [("//", self.code(below))])

    # --- selections

    def select(self, condition: Boolean, a: Expr, b: Expr) -> Code:
        if isinstance(condition, Not):
            condition, a, b = condition.args[0], b, a
        first = self.full(a) if is_scalar(a) and is_scalar(b) else self.code(a)
        return call(f"{self.scope.dialect.module}.where", self.truth_of([condition]), first, self.code(b))

    def full(self, number: Expr) -> Code:
        """A number that has the type of the result."""
        value, like = self.code(number), self.scope.template()
        return Atom(self.scope.dialect.full.format(shape="()", value=value, like=like))

    def condition(self, c: Boolean) -> Code:
        if isinstance(c, And):
            return self.all_of(c.args)
        if isinstance(c, Or):
            parts = [self.condition(a) for a in c.args]
            return chain(OR, parts[0], [("|", part) for part in parts[1:]])
        if isinstance(c, Not):
            return Prefix("~", self.condition(c.args[0]))
        truth = self._truth(c)
        if truth is not None:
            return truth
        sides = [self.comparable(side) for side in c.args]
        return Chain(COMPARE, sides[0], ((COMPARISONS[c.func], sides[1]),))

    def truth_of(self, conditions: Sequence[Boolean]) -> Code:
        """The conditions as an array of truth values, also where they are about sizes only."""
        code = self.all_of(conditions)
        if self.scope.dialect.truth and not any(indices_of(c) or reads_of(c) for c in conditions):
            return call(self.scope.dialect.truth, code)
        return code

    def all_of(self, conditions: Sequence[Boolean]) -> Code:
        """``p & q``"""
        parts = [self.condition(c) for c in conditions]
        return chain(AND, parts[0], [("&", part) for part in parts[1:]])

    def _truth(self, c: Boolean) -> Code | None:
        """``M != 0`` and ``M == 0`` for a tensor of truth values."""
        mask, zero = c.args
        if not (isinstance(mask, Read) and mask.tensor.kind == "boolean" and zero == 0):
            return None
        code = self.read(mask, cast=False)
        return {sympy.Ne: code, sympy.Eq: Prefix("~", code)}.get(c.func)

    def comparable(self, e: Expr) -> Code:
        integral = e.is_integer and all(r.tensor.kind != "real" for r in reads_of(e)) and not _functions(e)
        return Printer(self.scope, self.order, exact=bool(integral) or self.exact).code(e)


def _functions(e: Expr) -> bool:
    """Whether anything but integer arithmetic occurs."""
    return any(
        not isinstance(f, sympy.floor | sympy.ceiling | sympy.Mod)
        for f in e.atoms(sympy.Function, Bracket, Where)
    )


def _divides(f: Expr) -> bool:
    return bool(f.is_Pow and f.exp.is_Rational and f.exp < 0)


def _common(e: Expr) -> Any:
    """The number that all terms of a sum have as a factor, where taking it out leaves the terms simpler."""
    if not e.is_Add:
        return sympy.S.One
    number, rest = e.primitive()
    simple = number.is_Integer or all(abs(term.as_coeff_Mul()[0]) == 1 for term in rest.args)
    return number if simple else sympy.S.One


def _content(e: Expr, split: bool) -> tuple[Any, list[Expr]]:
    """A product as a number and factors, the common numbers of sums among them taken out."""
    number, found = e.as_coeff_mul()
    number = number if number.is_Rational else sympy.Rational(repr(float(number)))
    factors = []
    for f in found:
        common = _common(f) if split else sympy.S.One
        number *= common
        factors.append(f if common == 1 else f.primitive()[1])
    return number, factors


def _quotient(factors: Any) -> tuple[list[Expr], list[Expr]]:
    """The factors of the numerator and those of the denominator."""
    below = [f for f in factors if _divides(f)]
    return [f for f in factors if f not in below], [1 / f for f in below]


def _fraction(scalars: list[Code], arrays: list[Code], divisors: list[Code], exact: bool) -> Code:
    if not scalars and len(arrays) > 1 and _is_matrix_product(arrays[0]):
        arrays = [Group(arrays[0]), *arrays[1:]]
    top: list[Code] = [*scalars, *arrays] or [Atom("1")]
    rest: list[tuple[str, Code]] = []
    for position, code in enumerate(top[1:], start=1):
        if isinstance(code, Chain) and _is_matrix_product(code) and position == len(scalars) == len(top) - 1:
            rest += [("*", code.first), *code.rest]
        else:
            rest.append(("*", code))
    if divisors:
        below = chain(MUL, divisors[0], [("*", d) for d in divisors[1:]])
        rest.append(("//" if exact else "/", below))
    return chain(MUL, top[0], rest)


def _is_matrix_product(code: Code) -> bool:
    return isinstance(code, Chain) and any(op == "@" for op, _ in code.rest)


def _spelled(spelling: str, arguments: list[Code]) -> Code:
    """Fill in ``"np.maximum({0}, {1})"``, or ``"gammaln({0} + 1.0)"``."""
    match = re.fullmatch(r"([\w.]+)\((.*)\)", spelling)
    if match is None:
        raise UnsupportedOp(f"the spelling {spelling!r} is not a call")
    slots = re.compile(r"(\w+=)?\{(\d)\}(?: \+ ([\d.]+))?")
    parts: list[Code] = []
    for slot in match[2].split(", "):
        found = slots.fullmatch(slot)
        if found is None:
            parts.append(Atom(slot))
        else:
            code = arguments[int(found[2])]
            code = chain(ADD, code, [("+", Atom(found[3]))]) if found[3] else code
            parts.append(Atom(f"{found[1]}{code.text}") if found[1] else code)
    return call(match[1], *parts)
