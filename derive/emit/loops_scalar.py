"""Scalar expressions as Numba source: numbers typed in the kernel's precision, brackets as choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr

from ..errors import UnsupportedOp
from ..ir.nodes import Bracket, Index, Read, Where
from ..ops.elementwise import home_of, op_of_head
from ..ops.elementwise.piecewise import Maximum, Minimum
from .functions import by_own

COMPARE: dict[type, str] = {
    sympy.Eq: "==", sympy.Ne: "!=", sympy.StrictLessThan: "<", sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">", sympy.GreaterThan: ">=",
}  # fmt: skip
CONSTANTS = {
    sympy.pi: "math.pi", sympy.E: "math.e", sympy.oo: "math.inf", sympy.nan: "math.nan",
    sympy.EulerGamma: repr(float(sympy.EulerGamma)),
}  # fmt: skip

CHOICE, SUM, PRODUCT, POWER, ATOM = 0, 1, 2, 4, 5
Text = tuple[str, int]


@dataclass
class Scalars:
    """Prints the expressions of a kernel.

    typed: numbers are written ``real(2)`` to keep a single-precision kernel in single precision.
    vector: exponentials and logarithms are the module's own.
    place: the text of a read; name: the text of an index or a size.
    known: subexpressions that a variable holds already.
    assumed: conditions that hold where the text at hand is evaluated.
    """

    typed: bool
    vector: bool
    place: Callable[[Read], str]
    name: Callable[[Any], str]
    known: dict[Expr, str] = field(default_factory=dict)
    assumed: list[Any] = field(default_factory=list)

    # --- real values ----------------------------------------------------------------------------------------

    def value(self, e: Expr, level: int = 0) -> str:
        text, own = (self.known[e], ATOM) if e in self.known else self.real(e)
        return f"({text})" if own < level else text

    def literal(self, text: str) -> Text:
        return (f"real({text})", ATOM) if self.typed else (text, ATOM)

    def real(self, e: Expr) -> Text:
        if e.is_number and not e.args:
            return self.number(e)
        if isinstance(e, Read):
            return self.read(e)
        if isinstance(e, Index) or e.is_Symbol:
            return self.literal(self.name(e))
        if e.is_Add:
            return self.sum(e)
        if e.is_Mul:
            return self.product(e)
        if e.is_Pow:
            return self.power(e.base, e.exp)
        if isinstance(e, Bracket):
            return self.choice(e.condition, self.literal("1.0")[0], self.literal("0.0")[0])
        if isinstance(e, Where):
            return self.choice(e.args[0], *self.branches(e, lambda branch: self.value(branch, SUM)))
        if isinstance(e, Maximum | Minimum) and e.is_integer:
            return self.literal(self.integer(e))
        op = op_of_head(e.func)
        if op is not None and "numba" in op.spelling:
            spelling = by_own(op.spelling["numba"]) if self.vector else op.spelling["numba"]
            numbers, arguments = e.args[: op.constants], e.args[op.constants :]
            return spelling.format(*(constant(e, n) for n in numbers), *map(self.value, arguments)), ATOM
        if e.is_integer:
            return self.literal(self.integer(e) if self.typed else self.integer(e, ATOM))
        where = home_of(op) if op is not None else "derive/ops/elementwise"
        raise UnsupportedOp(
            f"{e.func.__name__} has no spelling for numba, in {e}\n  to add it: spelling['numba'] of its record in {where}"
        )

    def number(self, e: Expr) -> Text:
        if e in CONSTANTS:
            return self.literal(CONSTANTS[e])
        if e == -sympy.oo:
            return self.literal("-math.inf")
        if not e.is_extended_real:
            raise UnsupportedOp(f"{e} is not a real number")
        if e.is_Integer and not self.typed and abs(e) < 2**53:
            return str(e), ATOM if e >= 0 else SUM
        if e.is_Rational and not e.is_Integer and not short(e):
            return self.quotient([sympy.Integer(e.p)], [sympy.Integer(e.q)])
        text = str(e) if e.is_Integer and abs(e) < 2**53 else repr(float(e))
        return self.literal(text) if self.typed or e >= 0 else (text, SUM)

    def read(self, e: Read) -> Text:
        text = self.place(e)
        if e.tensor.kind == "boolean":
            return self.choice(text, self.literal("1.0")[0], self.literal("0.0")[0])
        return self.literal(text) if e.tensor.kind == "integer" else (text, ATOM)

    def choice(self, condition: Any, a: str, b: str) -> Text:
        test = condition if isinstance(condition, str) else self.holds(condition)
        return f"{a} if {test} else {b}", CHOICE

    @contextmanager
    def assuming(self, condition: Any) -> Iterator[None]:
        """Within, `condition` holds."""
        self.assumed.append(condition)
        try:
            yield
        finally:
            self.assumed.pop()

    def branches(self, e: Expr, text: Callable[[Expr], str]) -> tuple[str, str]:
        """The texts of what is chosen where the condition of a `Where` holds and where it does not."""
        condition, a, b = e.args
        with self.assuming(condition):
            first = text(a)
        with self.assuming(sympy.Not(condition)):
            return first, text(b)

    def sum(self, e: Expr) -> Text:
        terms = sorted(e.args, key=lambda t: t.could_extract_minus_sign())
        text = self.value(terms[0], SUM)
        for term in terms[1:]:
            minus = term.could_extract_minus_sign() and term not in self.known
            text += f" - {self.value(-term, PRODUCT)}" if minus else f" + {self.value(term, SUM)}"
        return text, SUM

    def product(self, e: Expr) -> Text:
        conditions = [f.condition for f in e.args if isinstance(f, Bracket)]
        if conditions:
            rest = sympy.Mul(*(f for f in e.args if not isinstance(f, Bracket)))
            condition = sympy.And(*conditions)
            with self.assuming(condition):
                chosen = self.value(rest, SUM)
            return self.choice(condition, chosen, self.literal("0.0")[0])
        above: list[Expr] = []
        below: list[Expr] = []
        minus = False
        for factor in e.args:
            if factor.is_Float and factor < 0:
                minus = True
                above.append(-factor)
            elif factor.is_Rational:
                minus = factor < 0
                p, q = abs(factor.p), factor.q
                whole = factor.is_Integer or not short(factor)
                above += [sympy.Integer(p)] if whole and p != 1 else [abs(factor)] if not whole else []
                below += [sympy.Integer(q)] if whole and q != 1 else []
            elif factor.is_Pow and factor.exp.could_extract_minus_sign() and factor not in self.known:
                below.append(1 / factor)
            else:
                above.append(factor)
        text, level = self.quotient(above, below)
        return (f"-{text}", min(level, PRODUCT)) if minus else (text, level)

    def quotient(self, above: list[Expr], below: list[Expr]) -> Text:
        text = " * ".join(self.value(f, PRODUCT) for f in above) if above else self.literal("1")[0]
        if not below:
            return text, PRODUCT if len(above) > 1 else ATOM
        under = " * ".join(self.value(f, PRODUCT) for f in below)
        single = len(below) == 1 and self.level(below[0]) > PRODUCT
        return f"{text} / {under if single else f'({under})'}", PRODUCT

    def level(self, e: Expr) -> int:
        return ATOM if e in self.known else self.real(e)[1]

    def power(self, base: Expr, exponent: Expr) -> Text:
        if exponent.could_extract_minus_sign():
            return self.quotient([], [base**-exponent])
        if exponent == sympy.S.Half:
            return f"math.sqrt({self.value(base)})", ATOM
        if exponent.is_Rational and exponent.q == 2:
            return raised(f"math.sqrt({self.value(base)})", str(exponent.p)), POWER
        if self.vector and not exponent.is_Integer:
            return f"power({self.value(base)}, {self.value(exponent)})", ATOM
        text = str(exponent) if exponent.is_Integer else self.value(exponent, ATOM)
        return raised(self.value(base, ATOM), text), POWER

    # --- integers and conditions ----------------------------------------------------------------------------

    def integer(self, e: Expr, level: int = 0) -> str:
        """An expression of indices, sizes and integer tensors, in exact integer arithmetic."""
        text, own = self.whole(e)
        return f"({text})" if own < level else text

    def whole(self, e: Expr) -> Text:
        if e.is_Integer:
            return str(e), ATOM if e >= 0 else SUM
        if isinstance(e, Index) or e.is_Symbol:
            return self.name(e), ATOM
        if isinstance(e, Read):
            text = self.place(e)
            return (text, ATOM) if e.tensor.kind == "integer" else (f"int({text})", ATOM)
        if e.is_Add:
            terms = sorted(e.args, key=lambda t: (t.could_extract_minus_sign(), t.is_number))
            text = self.integer(terms[0], SUM)
            for term in terms[1:]:
                minus = term.could_extract_minus_sign()
                text += f" - {self.integer(-term, PRODUCT)}" if minus else f" + {self.integer(term, SUM)}"
            return text, SUM
        if e.is_Mul and all(a.is_integer for a in e.args):
            if e.args[0] == -1:
                return f"-{self.integer(-e, PRODUCT)}", SUM
            return " * ".join(self.integer(a, PRODUCT) for a in e.args), PRODUCT
        if e.is_Pow and e.exp.is_Integer and e.exp > 0 and e.base.is_integer:
            return raised(self.integer(e.base, ATOM), str(e.exp)), POWER
        if isinstance(e, sympy.floor):
            above, below = sympy.together(e.args[0]).as_numer_denom()
            return f"{self.integer(above, PRODUCT)} // {self.integer(below, ATOM)}", SUM  # a * b // c is (a * b) // c
        if isinstance(e, sympy.Mod):
            return f"{self.integer(e.args[0], PRODUCT)} % {self.integer(e.args[1], ATOM)}", SUM
        if isinstance(e, sympy.Max | sympy.Min | Maximum | Minimum):
            return f"{e.func.__name__[:3].lower()}({', '.join(self.integer(a) for a in e.args)})", ATOM
        if isinstance(e, Bracket):
            return self.choice(e.condition, "1", "0")
        if isinstance(e, Where):
            return self.choice(e.args[0], *self.branches(e, lambda branch: self.integer(branch, SUM)))
        if e.is_integer and op_of_head(e.func) is not None:
            return f"int({self.value(e)})", ATOM
        raise UnsupportedOp(f"{e.func.__name__} has no integer form for numba, in {e}")

    def holds(self, c: Any) -> str:
        if c in (sympy.true, sympy.false):
            return str(bool(c))
        if isinstance(c, sympy.And | sympy.Or):
            parts = [f"({self.holds(a)})" if isinstance(a, sympy.And | sympy.Or) else self.holds(a) for a in c.args]
            return (" and " if isinstance(c, sympy.And) else " or ").join(parts)
        if isinstance(c, sympy.Not):
            return f"not ({self.holds(c.args[0])})"
        left, right = c.args
        if isinstance(left, Read) and left.tensor.kind == "boolean" and right == 0 and isinstance(c, sympy.Ne | sympy.Eq):
            return self.place(left) if isinstance(c, sympy.Ne) else f"not {self.place(left)}"
        return f"{self.comparable(left)} {COMPARE[c.func]} {self.comparable(right)}"

    def comparable(self, e: Expr) -> str:
        if e.is_integer:
            try:
                return self.integer(e, SUM)
            except UnsupportedOp:
                pass
        return self.value(e, SUM)


def constant(e: Expr, number: Expr) -> str:
    """An argument that is a constant integer."""
    if not number.is_Integer:
        raise UnsupportedOp(f"the first argument of {e.func.__name__} must be a number; found {number}, in {e}")
    return str(number)


def raised(base: str, exponent: str) -> str:
    """``x**2`` for a name, ``x[i] ** 2`` for anything else, as formatters do."""
    return f"{base}**{exponent}" if base.isidentifier() and exponent.isalnum() else f"{base} ** {exponent}"


def short(e: Expr) -> bool:
    """A fraction that a person writes as a decimal."""
    q = int(e.q)
    for prime in (2, 5):
        while q % prime == 0:
            q //= prime
    return q == 1
