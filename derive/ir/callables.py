"""`callable_of`: an expression of SymPy as a function of arrays or numbers, built of closures; no code is written or run.

Each node of the expression becomes a closure over those of its arguments; a part that occurs twice is computed once in a
call. Choices by a single number compute only the side that is chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Basic, Expr, S
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from ..errors import UnknownName, UnsupportedOp, closest
from ..ops._record import Elementwise
from ..ops.elementwise import op_of_head
from ..ops.elementwise.piecewise import ABSOLUTE, MAXIMUM, MINIMUM, SIGN
from .evaluate import COMPARE
from .nodes import Bracket, Where
from .numbers import FLOAT64, Numbers

Values = list[Any]
Closure = Callable[[Values], Any]

FROM_SYMPY: dict[type, Elementwise] = {
    sympy.Abs: ABSOLUTE, sympy.sign: SIGN, sympy.Max: MAXIMUM, sympy.Min: MINIMUM,
}  # fmt: skip
"""Heads of SymPy whose records have a head of their own."""
DIGITS = 20
"""Of functions that only SymPy knows, where they are rounded to floats."""


def callable_of(
    e: Expr, variables: Sequence[Expr], numbers: Numbers = FLOAT64, folded: bool = True
) -> Callable[..., Any]:
    """A function of the values of `variables`, with the values of `e`.

    It takes scalars or arrays that broadcast, and returns a scalar if all of them are (or `e` depends on none).
    Undefined operations give NaN and infinities in floats, and mpmath's errors in mpmath, whose precision is that of the
    call, and whose arguments may be complex.

    Args:
        e: of numbers, sums, products, powers, choices, conditions, recorded functions and any others of SymPy.
        variables: symbols, reads, or whichever other parts of `e` are given.
        numbers: the number system to compute in.
        folded: parts without variables are rounded once, to their exact value; otherwise they are computed step by step.

    Raises:
        UnknownName: `e` has a symbol that is no variable.  UnsupportedOp: it has a node without a value.
    """
    builder = _Builder(variables, numbers, folded, _shared([e]))
    value, room, array = builder.closure(e), builder.room, numbers.array

    def function(*arguments: Any) -> Any:
        values: Values = [array(x)[()] for x in arguments]
        values += [None] * (room - len(values))
        with np.errstate(all="ignore"):
            found = value(values)
        return found[()] if isinstance(found, np.ndarray) else found

    return function


def _shared(parts: Iterable[Basic]) -> set[Basic]:
    """The parts with arguments that occur more than once; below them nothing is counted twice."""
    seen: Counter[Basic] = Counter()
    waiting = list(parts)
    while waiting:
        e = waiting.pop()
        seen[e] += 1
        if seen[e] == 1:
            waiting.extend(e.args)
    return {e for e, count in seen.items() if count > 1 and e.args}


class _Builder:
    """Closures over a list of values: those of the variables first, then room for what is used again."""

    def __init__(self, variables: Sequence[Expr], numbers: Numbers, folded: bool, shared: set[Basic]) -> None:
        self.places = {x: place for place, x in enumerate(variables)}
        self.numbers, self.folded, self.shared = numbers, folded, shared
        self.room = len(self.places)
        self.made: dict[Basic, Closure] = {}

    def closure(self, e: Any) -> Closure:
        if e not in self.made:
            self.made[e] = self.kept(self.new(e)) if self.is_kept(e) else self.new(e)
        return self.made[e]

    def is_kept(self, e: Basic) -> bool:
        return e in self.shared and e not in self.places and not self.is_constant(e)

    def is_constant(self, e: Basic) -> bool:
        return bool(e.is_number) and (not e.args or (self.folded and not any(map(_is_ours, e.atoms(sympy.Function)))))

    def kept(self, compute: Closure) -> Closure:
        """A closure that computes once in a call."""
        place = self.room
        self.room += 1

        def value(values: Values) -> Any:
            found = values[place]
            if found is None:
                found = values[place] = compute(values)
            return found

        return value

    def new(self, e: Any) -> Closure:
        if e in self.places:
            place = self.places[e]
            return lambda values: values[place]
        if isinstance(e, sympy.Symbol):
            raise UnknownName(f"{e} has no value here; {closest(str(e), map(str, self.places))}")
        if isinstance(e, Boolean):
            return self.condition(e)
        if self.is_constant(e):
            return self.constant(e)
        match e:
            case sympy.Add():
                return _folded([self.closure(a) for a in e.args], lambda a, b: a + b)
            case sympy.Mul():
                return self.product(e)
            case sympy.Pow(args=(base, exponent)):
                return self.power(base, exponent)
            case Bracket(condition=condition):
                return self.choice(condition, S.One, S.Zero)
            case Where(args=(condition, a, b)):
                return self.choice(condition, a, b)
            case sympy.Piecewise():
                return self.pieces(e.args)
        if (op := FROM_SYMPY.get(e.func)) is not None and len(e.args) > 1:
            return _folded([self.closure(a) for a in e.args], lambda a, b: self.numbers.apply(op, a, b))
        if (op := op or op_of_head(e.func)) is not None and op.value is not None:
            return self.applied(lambda *xs, op=op: self.numbers.apply(op, *xs), e.args)
        if op is None and isinstance(e, sympy.Function) and not isinstance(e, AppliedUndef):
            return self.applied(_by_sympy(e.func, len(e.args), self.numbers), e.args)
        raise UnsupportedOp(f"{type(e).__name__} has no value on arrays, in {e}")

    def constant(self, e: Expr) -> Closure:
        """A number, once for each precision."""
        numbers = self.numbers
        if not numbers.varies:
            value = numbers.constant(e)
            return lambda values: value
        known: dict[int, Any] = {}

        def at_precision(values: Values) -> Any:
            digits = mpmath.mp.prec
            if digits not in known:
                known[digits] = numbers.constant(e)
            return known[digits]

        return at_precision

    def applied(self, function: Callable[..., Any], arguments: Sequence[Expr]) -> Closure:
        if len(arguments) == 1:
            x = self.closure(arguments[0])
            return lambda values: function(x(values))
        parts = [self.closure(a) for a in arguments]
        return lambda values: function(*[part(values) for part in parts])

    def power(self, base: Expr, exponent: Expr) -> Closure:
        of, power = self.closure(base), self.numbers.power
        if exponent.is_Integer:
            n = int(exponent)
            return of if n == 1 else lambda values: power(of(values), n)
        to = self.closure(exponent)
        return lambda values: power(of(values), to(values))

    def product(self, e: Expr) -> Closure:
        """A quotient of products, 0 wherever a condition among the factors does not hold."""
        conditions = [f.condition for f in e.args if isinstance(f, Bracket)]
        factors = [f for f in e.args if not isinstance(f, Bracket)]
        below = [f for f in factors if f.is_Pow and f.exp.is_Rational and f.exp.is_negative and f not in self.places]
        above = [self.closure(f) for f in factors if f not in below] or [self.closure(S.One)]
        value = over = _folded(above, lambda a, b: a * b)
        if below:
            under = _folded([self.power(f.base, -f.exp) for f in below], lambda a, b: a * b)
            value = lambda values: over(values) / under(values)  # noqa: E731
        if not conditions:
            return value
        return self.chosen(self.closure(And(*conditions)), value, self.closure(S.Zero))

    # -- choices

    def choice(self, condition: Any, a: Expr, b: Expr) -> Closure:
        return self.chosen(self.closure(condition), self.closure(a), self.closure(b))

    def chosen(self, holds: Closure, a: Closure, b: Closure) -> Closure:
        """One of two values; of arrays both are computed, of a number only that which is chosen."""

        def value(values: Values) -> Any:
            here = holds(values)
            if np.ndim(here) == 0:
                return a(values) if here else b(values)
            return np.where(here, a(values), b(values))

        return value

    def pieces(self, pieces: Sequence[Any]) -> Closure:
        """The first piece whose condition holds; NaN where none does."""
        rest = self.closure(S.NaN)
        for value, condition in reversed(pieces):
            first = self.closure(value)
            rest = first if condition == sympy.true else self.chosen(self.closure(condition), first, rest)
        return rest

    def condition(self, c: Any) -> Closure:
        if c in (sympy.true, sympy.false):
            truth = np.bool_(bool(c))
            return lambda values: truth
        if isinstance(c, And | Or):
            combine = np.logical_and if isinstance(c, And) else np.logical_or
            return _folded([self.closure(a) for a in c.args], combine)
        if isinstance(c, Not):
            of = self.closure(c.args[0])
            return lambda values: np.logical_not(of(values))
        if not isinstance(c, Relational) or c.func not in COMPARE:
            raise UnsupportedOp(f"{c} is no condition that has a value on arrays")
        relation, compare = COMPARE[c.func], self.numbers.compare
        left, right = (self.closure(side) for side in c.args)
        return lambda values: compare(relation, np.real(left(values)), np.real(right(values)))


def _folded(parts: Sequence[Closure], combine: Callable[[Any, Any], Any]) -> Closure:
    """All parts, combined from the left."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda values: combine(first(values), second(values))
    return lambda values: reduce(combine, [part(values) for part in parts])


def _is_ours(e: Expr) -> bool:
    """A function that SymPy has no number for."""
    return (op := op_of_head(e.func)) is not None and not op.head.__module__.startswith("sympy.")


def _by_sympy(head: Callable[..., Expr], arity: int, numbers: Numbers) -> Callable[..., Any]:
    """A function that has no record, one number after the other."""

    def one(*arguments: Any) -> Any:
        digits = mpmath.mp.dps + 5 if numbers.varies else DIGITS
        with mpmath.workdps(digits):
            found = head(*map(_in_sympy, arguments)).evalf(digits)
            return mpmath.mpmathify(found) if numbers.varies else numbers.constant(found)

    every = np.frompyfunc(one, arity, 1)
    return lambda *arguments: numbers.array(every(*arguments))[()]


def _in_sympy(x: Any) -> Expr:
    """A number of mpmath or of NumPy as one of SymPy."""
    if isinstance(x, mpmath.mpc):
        return _in_sympy(x.real) + S.ImaginaryUnit * _in_sympy(x.imag)
    if isinstance(x, mpmath.mpf):
        return sympy.Float(x, mpmath.mp.dps)
    return sympy.Integer(int(x)) if float(x).is_integer() else sympy.Float(float(x), DIGITS)


__all__ = ["callable_of"]
