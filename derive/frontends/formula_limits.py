"""How large the numbers of a formula could become if all of it were constant: SymPy must not compute 9^9^9."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ..ops.elementwise import elementwise_ops
from .formula_text import Source
from .formula_tree import (
    Attribute,
    Big,
    Call,
    Chain,
    Compare,
    Entry,
    Iverson,
    Logic,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Text,
    children,
)  # fmt: skip

MAX_BITS = 50_000.0
"""Bits of an exact fraction."""
MAX_MAGNITUDE = 1e300
"""Binary logarithm of a value: three exponentials on top of one another fit, four do not."""
MAX_ARGUMENT = 5_000.0
"""Binary logarithm of what functions other than the simple ones are given: so many digits of pi may be needed."""
MAX_ROUNDED = 100.0
"""The same for roundings, which need every digit."""
MAX_SPECIAL = 400.0
"""The same for special functions, some of which are computed with the square of their argument."""

EXPONENTIAL = {"exp", "exp2", "exp10", "expm1", "sinh", "cosh"}
LOGARITHMIC = {"softplus", "entr", "rel_entr", "kl_div", "xlogy", "exp2", "exp10", "gammaln", "digamma", "psi"}
"""Functions that can become a multiple of a logarithm; so can all with "log" in their name."""
ROUNDED = {"floor", "ceil", "rint", "round", "trunc", "fix", "floor_divide", "remainder", "mod", "fmod"}
FACTORIAL = {"gammaln", "polygamma", "digamma", "psi", "betaln"}
SIMPLE = {
    "abs", "absolute", "sign", "sqrt", "cbrt", "log", "log2", "log10", "log1p", "max", "maximum", "min", "minimum", "where",
    "negative", "add", "subtract", "multiply", "divide", "sum", "mean", "diag", "tr", "trace", "reshape", "T", "relu",
    "transpose", "vector", "matrix", "norm1", "dot", "matmul", "outer", "inner", "einsum", "reciprocal",
}  # fmt: skip
"""Functions of which the largest numbers are no harder than others."""
SQUARES = {"square", "hypot", "var", "std", "norm", "norm2"}
POWERS = {"power", "float_power", "matrix_power"}


@dataclass(frozen=True)
class Growth:
    """Bounds for the numbers that SymPy could meet in a value, if its variables cancel.

    bits: of numerator and denominator together; magnitude: the binary logarithm of the absolute value, inverse that
    of one over it; logarithm: whether it could be a multiple of a logarithm, so that its exponential is a power.
    """

    bits: float
    magnitude: float
    inverse: float
    logarithm: bool = False


UNIT = Growth(1.0, 0.0, 0.0)


def check_growth(source: Source, tree: Node, known: Mapping[str, Growth] | None = None) -> Growth:
    """The bounds for a tree, `known` being those of the tensors that it reads.

    Raises:
        ParseError: a part of it could become too large.
    """
    return _Limits(source, known or {}).of(tree)


class _Limits:
    def __init__(self, source: Source, known: Mapping[str, Growth]) -> None:
        self.source, self.known = source, known

    def of(self, node: Node) -> Growth:
        found = self._of(node)
        if found.bits > MAX_BITS or max(found.magnitude, found.inverse) > MAX_MAGNITUDE:
            what = "numbers here could become too large to be computed; try: smaller exponents, fewer on top of each other"
            raise self.source.error_at(what, node.place)
        return found

    def _of(self, node: Node) -> Growth:
        match node:
            case Number(value=value):
                above, below = int(value.p).bit_length(), int(value.q).bit_length()
                return Growth(float(above + below), max(above - below + 1.0, 0.0), max(below - above + 1.0, 0.0))
            case Name(name=name) | Entry(name=name):
                for child in children(node):
                    self.of(child)
                return self.known.get(name, UNIT)
            case Text() | Attribute():
                return UNIT
            case Negative(arg=arg):
                return self.of(arg)
            case Compare() | Logic() | Iverson():
                self._together(node)
                return UNIT
            case Power(base=base, exponent=exponent):
                return self._power(base, exponent)
            case Big(kind="prod", ranges=ranges):
                *_, inside = [self.of(child) for child in children(node)]
                counts = [constant(r.last) or 1.0 for r in ranges if r.last is not None]
                return self._times(inside, math.prod(counts))
            case Call(function=name, args=args) if name.rpartition(".")[2] in POWERS and len(args) == 2:
                return self._power(*args)
            case Call(function=name):
                return _of_function(name.rpartition(".")[2], self._together(node))
        return self._together(node)

    def _together(self, node: Node) -> Growth:
        """Sums, products and quotients; a sum of numbers can be as small as its bits allow."""
        parts = [self.of(child) for child in children(node)]
        bits, logarithm = sum(p.bits for p in parts), any(p.logarithm for p in parts)
        signs = ["", *(symbol for symbol, _ in node.rest)] if isinstance(node, Chain) else [""] * len(parts)
        if isinstance(node, Chain) and signs[1] in ("+", "-"):
            return Growth(bits, max(p.magnitude for p in parts) + math.log2(len(parts)), bits, logarithm)
        under = [sign in ("/", "./", "\\") for sign in signs]
        above = sum(p.inverse if u else p.magnitude for p, u in zip(parts, under, strict=True))
        below = sum(p.magnitude if u else p.inverse for p, u in zip(parts, under, strict=True))
        return Growth(bits, above, below, logarithm)

    def _power(self, base: Node, exponent: Node) -> Growth:
        below, above = self.of(base), self.of(exponent)
        times = constant(exponent)
        if times is None:
            times = 2.0 ** min(above.magnitude, 1000.0)
        return self._times(below, abs(times), above.logarithm)

    def _times(self, below: Growth, times: float, logarithm: bool = False) -> Growth:
        """The product of so many of these."""
        times = max(times, 1.0)
        largest = max(below.magnitude, below.inverse) * times
        return Growth(below.bits * times, largest, largest, below.logarithm or logarithm)


def _of_function(name: str, inside: Growth) -> Growth:
    """A function of what has these bounds."""
    logarithm = inside.logarithm or "log" in name or name in LOGARITHMIC
    if name in EXPONENTIAL:
        times = 2.0 ** min(inside.magnitude, 1020.0)
        bits = inside.bits * (times if logarithm else 1)
        return Growth(bits, 2 * times, 2 * times, logarithm)
    if name in FACTORIAL:
        bits = inside.bits * 2.0 ** min(inside.magnitude, 1000.0)
        return Growth(bits, inside.magnitude, bits, logarithm)
    if name in ROUNDED and inside.magnitude <= MAX_ROUNDED:
        return Growth(max(inside.bits, inside.magnitude), inside.magnitude, 0.0, logarithm)
    if name in SQUARES:
        return Growth(2 * inside.bits, 2 * inside.magnitude, 2 * inside.inverse, logarithm)
    most = MAX_ROUNDED if name in ROUNDED else MAX_SPECIAL if name in _special() else MAX_ARGUMENT
    if name in SIMPLE or inside.magnitude <= most:
        return Growth(inside.bits, inside.magnitude, inside.bits, logarithm)
    return Growth(inside.bits, math.inf, math.inf)


@cache
def _special() -> frozenset[str]:
    """The functions of scipy.special."""
    special = [op for op in elementwise_ops() if any(name.startswith("scipy.special.") for name in op.numpy)]
    return frozenset(name.rpartition(".")[2] for op in special for name in (op.name, *op.numpy))


def constant(node: Node) -> float | None:
    """The value of an exponent that is made of numbers only."""
    match node:
        case Number(value=value):
            return math.inf if int(value.p).bit_length() > 1000 else float(value)
        case Negative(arg=arg):
            inner = constant(arg)
            return None if inner is None else -inner
        case Chain(first=first, rest=((symbol, second),)) if symbol in ("/", "./", "*", ".*"):
            a, b = constant(first), constant(second)
            if a is None or b is None or not b:
                return None
            result = a * b if "*" in symbol else a / b
            return result if math.isfinite(result) else math.inf
    return None
