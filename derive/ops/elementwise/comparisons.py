"""Comparisons and logic: each is a bracket, 1 where it holds and 0 elsewhere, with derivative 0."""

from collections.abc import Callable
from typing import Any

import sympy
from sympy import And, Expr, Not, Or, S

from ...ir.nodes import Bracket
from .._record import Elementwise
from .nonfinite import is_inf, is_nan


def truth(entry: Expr) -> Any:
    """The condition that an entry is not zero."""
    return entry.condition if isinstance(entry, Bracket) else sympy.Ne(entry, 0)


def _compare(relation: Any) -> Callable[[Expr, Expr], Expr]:
    def make(a: Expr, b: Expr) -> Expr:
        if not (isinstance(a, Bracket) and b.is_number):
            return Bracket(relation(a, b))
        where_one = a.condition if relation(S.One, b) else S.false
        where_zero = Not(a.condition) if relation(S.Zero, b) else S.false
        return Bracket(Or(where_one, where_zero))

    return make


def equal(a: Expr, b: Expr) -> Expr:
    """[a = b]; of one and the same value it asks whether it is a number, of an infinity also its sign."""
    if a == b and not a.is_number:
        return S.One if a.is_integer else Bracket(Not(is_nan(a)))
    for x, limit in ((a, b), (b, a)):
        if limit.is_infinite and not x.is_number:
            return Bracket(And(is_inf(x), x * sympy.sign(limit) > 0))
    return _compare(sympy.Eq)(a, b)


def not_equal(a: Expr, b: Expr) -> Expr:
    """[not a = b]."""
    if (a == b or a.is_infinite or b.is_infinite) and not (a.is_number and b.is_number):
        return Bracket(Not(truth(equal(a, b))))
    return _compare(sympy.Ne)(a, b)


def _logic(combine: Any) -> Callable[..., Expr]:
    return lambda *entries: Bracket(combine(*map(truth, entries)))


def _either(p: Any, q: Any) -> Any:
    return Or(And(p, Not(q)), And(Not(p), q))


def _record(name: str, make: Callable[..., Expr], arity: int = 2) -> Elementwise:
    return Elementwise(name, make, (f"numpy.{name}",), arity=arity, source="NumPy reference")


GREATER = _record("greater", _compare(sympy.Gt))
GREATER_EQUAL = _record("greater_equal", _compare(sympy.Ge))
LESS = _record("less", _compare(sympy.Lt))
LESS_EQUAL = _record("less_equal", _compare(sympy.Le))
EQUAL = _record("equal", equal)
NOT_EQUAL = _record("not_equal", not_equal)
LOGICAL_AND = _record("logical_and", _logic(And))
LOGICAL_OR = _record("logical_or", _logic(Or))
LOGICAL_XOR = _record("logical_xor", _logic(_either))
LOGICAL_NOT = _record("logical_not", _logic(Not), arity=1)
SIGNBIT = Elementwise(
    "signbit",
    lambda x: Bracket(sympy.Lt(x, 0)),
    ("numpy.signbit",),
    note="-0.0 counts as 0",
    source="NumPy reference",
)

OF_TRUTH_VALUES = {
    "numpy.add": "numpy.logical_or", "numpy.multiply": "numpy.logical_and", "numpy.maximum": "numpy.logical_or",
    "numpy.minimum": "numpy.logical_and", "numpy.bitwise_and": "numpy.logical_and",
    "numpy.bitwise_or": "numpy.logical_or", "numpy.bitwise_xor": "numpy.logical_xor",
    "numpy.invert": "numpy.logical_not", "numpy.not_equal": "numpy.logical_xor",
}  # fmt: skip
"""What NumPy's arithmetic on booleans means."""
