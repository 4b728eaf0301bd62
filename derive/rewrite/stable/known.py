"""What is known of the range of an expression: intervals from declared facts, definitions and functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Expr

from ...ir.nodes import Bracket, Entry, Equation, Index, Read, Where, reads_of, substitute
from ...ops.elementwise.arithmetic import Hypot, quotient, unit
from ...ops.elementwise.complements import log1mexp
from ...ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from ...ops.elementwise.hyperbolic import logcosh, sech2
from ...ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign
from ...ops.elementwise.remainders import cosm1, expm1mx, log1pmx
from ...ops.elementwise.special import erfcx, log_ndtr, ndtr

Interval = tuple[float, float]
LINE: Interval = (-math.inf, math.inf)
DEPTH = 5
"""How often sums that are read are written out."""
TINY = 5e-324
"""The end of an open interval: positive numbers are at least this."""

MONOTONE: Mapping[type, Any] = {
    sympy.exp: lambda x: math.exp(x) if x < 700 else math.inf,
    sympy.log: lambda x: math.log(x) if x > 0 else -math.inf,
    expm1: lambda x: math.expm1(x) if x < 700 else math.inf,
    log1p: lambda x: math.log1p(x) if x > -1 else -math.inf,
    sympy.tanh: math.tanh,
    sympy.atan: math.atan,
    sympy.erf: math.erf,
    sympy.sinh: lambda x: math.sinh(x) if abs(x) < 700 else math.copysign(math.inf, x),
}
RANGES: Mapping[type, Interval] = {
    sigmoid: (TINY, 1.0), softplus: (TINY, math.inf), erfcx: (TINY, math.inf), log_ndtr: (-math.inf, 0.0),
    sympy.exp: (TINY, math.inf), sympy.cos: (-1.0, 1.0), sympy.sin: (-1.0, 1.0), sympy.cosh: (1.0, math.inf),
    sympy.erfc: (TINY, 2.0), ndtr: (0.0, 1.0), Sign: (-1.0, 1.0), sech2: (TINY, 1.0), logcosh: (0.0, math.inf),
    Hypot: (0.0, math.inf), log1mexp: (-math.inf, 0.0), log1pmx: (-math.inf, 0.0), expm1mx: (0.0, math.inf),
    cosm1: (-2.0, 0.0),
}  # fmt: skip


class Known:
    """Ranges of the expressions of a program, by its definitions."""

    def __init__(self, definitions: Mapping[str, Equation]) -> None:
        self.definitions = definitions
        self.tensors: dict[str, Interval] = {}
        self.memo: dict[Expr, Interval] = {}

    def positive(self, e: Expr) -> bool:
        return self.range(e)[0] > 0

    def nonnegative(self, e: Expr) -> bool:
        return self.range(e)[0] >= 0

    def nonpositive(self, e: Expr) -> bool:
        return self.range(e)[1] <= 0

    def bounded_above(self, e: Expr) -> bool:
        """Whether exp(e) cannot overflow."""
        return self.range(e)[1] < 600

    def gap(self, a: Expr, b: Expr) -> Expr:
        """a - b with sums that are read written out: that of ``x = c + h`` and c is h."""
        found = sympy.expand(a - b)
        for _ in range(DEPTH):
            written = substitute(found, {r: s for r in reads_of(found) if (s := self._sum(r)) is not None})
            if written == found:
                break
            found = sympy.expand(written)
        return found

    def _sum(self, read: Read) -> Expr | None:
        """What a read stands for, if that is a sum of multiples of other entries."""
        e = self.definitions.get(read.tensor.name)
        if e is None or e.reduce or isinstance(e.body, Entry) or not e.body.is_Add:
            return None
        if not all(isinstance(f, Read) or f.is_Rational for t in e.body.args for f in sympy.Mul.make_args(t)):
            return None
        return substitute(e.body, dict(zip(e.axes, read.indices, strict=True)))

    def range(self, e: Expr) -> Interval:
        if e not in self.memo:
            self.memo[e] = self._range(e)
        return self.memo[e]

    def _range(self, e: Expr) -> Interval:
        if e.is_number:
            return (float(e), float(e)) if e.is_extended_real else LINE
        if isinstance(e, Read):
            return self._read(e)
        if isinstance(e, Index):
            return (0.0, math.inf)
        if e.is_Symbol:
            return (1.0, math.inf)
        found = self._compound(e)
        if e.is_positive:
            return (max(found[0], TINY), found[1])
        return (max(found[0], 0.0), found[1]) if e.is_nonnegative else found

    def _compound(self, e: Expr) -> Interval:
        match e:
            case sympy.Add():
                parts = [self.range(a) for a in e.args]
                low, high = sum(p[0] for p in parts), sum(p[1] for p in parts)
                if low == 0 and all(p[0] >= 0 for p in parts) and any(p[0] > 0 for p in parts):
                    low = TINY
                return (-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)
            case sympy.Mul():
                found = (1.0, 1.0)
                for f in e.args:
                    found = _product(found, self.range(f))
                return found
            case sympy.Pow():
                return self._power(e)
            case Bracket():
                return (0.0, 1.0)
            case Where():
                a, b = self.range(e.args[1]), self.range(e.args[2])
                return (min(a[0], b[0]), max(a[1], b[1]))
            case Maximum():
                a, b = self.range(e.args[0]), self.range(e.args[1])
                return (max(a[0], b[0]), max(a[1], b[1]))
            case Minimum():
                a, b = self.range(e.args[0]), self.range(e.args[1])
                return (min(a[0], b[0]), min(a[1], b[1]))
            case unit():
                low, high = self.range(e.args[0])
                return (0.0 if low >= 0 else -1.0, 0.0 if high <= 0 else 1.0)
            case quotient():
                return self.range(e.args[0] / e.args[1])
            case Absolute():
                low, high = self.range(e.args[0])
                return (0.0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
        if e.func in MONOTONE:
            low, high = map(MONOTONE[e.func], self.range(e.args[0]))
            return (max(low, RANGES[e.func][0]), high) if e.func in RANGES else (low, high)
        return RANGES.get(e.func, LINE)

    def _power(self, e: Expr) -> Interval:
        low, high = self.range(e.base)
        if e.exp.is_Rational and not e.exp.is_Integer:
            low = max(low, 0.0)  # it has no value elsewhere
        if e.exp.is_Integer and e.exp > 0:
            ends = sorted((_raised(low, int(e.exp)), _raised(high, int(e.exp))))
            return (0.0 if e.exp % 2 == 0 and low <= 0 <= high else ends[0], ends[1])
        if low > 0:
            if e.exp.is_number:
                ends = sorted(_raised(x, float(e.exp)) for x in (low, high))
                return (max(ends[0], TINY), ends[1])
            return (TINY, math.inf)
        return (0.0, math.inf) if low >= 0 or (e.exp.is_Integer and e.exp % 2 == 0) else LINE

    def _read(self, e: Read) -> Interval:
        name = e.tensor.name
        if name not in self.tensors:
            self.tensors[name] = LINE  # within its own recurrence
            self.tensors[name] = self._tensor(e)
        return self.tensors[name]

    def _tensor(self, e: Read) -> Interval:
        facts = e.tensor.facts
        low = TINY if "positive" in facts else 0.0 if "nonnegative" in facts else -math.inf
        high = 1.0 if facts & {"probability", "simplex", "one-hot", "binary"} else math.inf
        equation = self.definitions.get(e.tensor.name)
        if e.tensor.kind == "boolean":
            return (0.0, 1.0)
        if e.tensor.kind == "integer" and e.tensor.bound is not None:
            return (0.0, float(e.tensor.bound - 1) if e.tensor.bound.is_number else math.inf)
        if equation is None or isinstance(equation.body, Entry):
            return (low, high)
        inner = self.range(equation.body)
        if equation.reduce == "sum":
            some = all(b.extent.is_positive for b in equation.bound)
            least = -math.inf if inner[0] < 0 else inner[0] if some else 0.0
            inner = (least, math.inf if inner[1] > 0 else inner[1] if some else 0.0)
        elif equation.reduce == "prod":
            inner = _of_a_product(inner)
        return (max(low, inner[0]), min(high, inner[1]))


def _of_a_product(factor: Interval) -> Interval:
    """The range of a product of any number of factors from one range."""
    low, high = factor
    if low < 0:
        return (-1.0, 1.0) if low >= -1 and high <= 1 else LINE
    return (TINY if low > 0 else 0.0, 1.0 if high <= 1 else math.inf)


def _product(a: Interval, b: Interval) -> Interval:
    ends = [0.0 if x == 0 or y == 0 else x * y for x in a for y in b]
    low = min(ends)
    return (TINY if low == 0 and a[0] > 0 and b[0] > 0 else low, max(ends))


def _raised(x: float, power: float) -> float:
    try:
        return float(x**power)
    except OverflowError:
        return math.inf if x > 0 or power % 2 == 0 else -math.inf
    except ZeroDivisionError:
        return math.inf
