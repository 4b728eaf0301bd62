"""How large the numbers of a formula could become if everything in it were constant: no input may make SymPy compute 9^9^9."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .formula_text import Source
from .formula_tree import (
    Attribute,
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

EXPONENTIAL = {"exp", "exp2", "exp10", "expm1", "sinh", "cosh"}
LOGARITHMIC = {"softplus", "entr", "rel_entr", "kl_div", "xlogy", "exp2", "exp10", "gammaln", "digamma", "psi"}
"""Functions that can become a multiple of a logarithm; so can all with "log" in their name."""
ROUNDED = {"floor", "ceil", "rint", "round", "trunc", "fix", "floor_divide", "remainder", "mod", "fmod"}
FACTORIAL = {"gammaln", "polygamma", "digamma", "psi", "betaln"}
SQUARES = {"square", "hypot", "var", "std", "norm", "norm2"}
POWERS = {"power", "float_power", "matrix_power"}


@dataclass(frozen=True)
class Growth:
    """Bounds for a value in which every variable is 1 or 1/2.

    bits: of numerator and denominator together; magnitude: the binary logarithm of the absolute value;
    logarithm: whether it could be a multiple of a logarithm, so that its exponential is a power.
    """

    bits: float
    magnitude: float
    logarithm: bool = False


UNIT = Growth(2.0, 1.0)


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
        if found.bits > MAX_BITS or found.magnitude > MAX_MAGNITUDE:
            start, end = node.place.start, node.place.end
            raise self.source.error(
                f"the numbers at {self.source.place(start)} could become too large to be computed; try: smaller exponents, "
                "fewer of them on top of one another",
                start,
                end,
            )
        return found

    def _of(self, node: Node) -> Growth:
        match node:
            case Number(value=value):
                bits = float(int(value.p).bit_length() + int(value.q).bit_length())
                return Growth(bits, bits)
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
            case Call(function=name, args=args) if name.rpartition(".")[2] in POWERS and len(args) == 2:
                return self._power(*args)
            case Call(function=name):
                return _of_function(name.rpartition(".")[2], self._together(node))
        return self._together(node)

    def _together(self, node: Node) -> Growth:
        """Sums and products; a sum is no larger than the product of its terms with 2 added to each."""
        parts = [self.of(child) for child in children(node)]
        bits, logarithm = sum(p.bits + 1 for p in parts), any(p.logarithm for p in parts)
        if isinstance(node, Chain) and all(symbol in "+-" for symbol, _ in node.rest):
            return Growth(bits, max(p.magnitude for p in parts) + math.log2(len(parts)), logarithm)
        return Growth(bits, sum(max(p.magnitude, 1) for p in parts), logarithm)

    def _power(self, base: Node, exponent: Node) -> Growth:
        below, above = self.of(base), self.of(exponent)
        times = constant(exponent)
        if times is None:
            times = 2.0 ** min(above.magnitude, 1000.0)
        times = max(abs(times), 1.0)
        logarithm = below.logarithm or above.logarithm
        return Growth(below.bits * times, max(below.magnitude, below.bits) * times, logarithm)


def _of_function(name: str, inside: Growth) -> Growth:
    """A function of what has these bounds."""
    logarithm = inside.logarithm or "log" in name or name in LOGARITHMIC
    if name in EXPONENTIAL:
        times = 2.0 ** min(inside.magnitude, 1020.0)
        bits = inside.bits * (times if logarithm else 1)
        return Growth(bits, 2 * times, logarithm)
    if name in FACTORIAL:
        return Growth(inside.bits * 2.0 ** min(inside.magnitude, 1000.0), inside.magnitude, logarithm)
    if name in ROUNDED:
        return Growth(max(inside.bits, inside.magnitude), inside.magnitude, logarithm)
    if name in SQUARES:
        return Growth(2 * inside.bits, 2 * inside.magnitude, logarithm)
    return Growth(inside.bits, inside.magnitude, logarithm)


def constant(node: Node) -> float | None:
    """The value of an exponent that is made of numbers only."""
    match node:
        case Number(value=value):
            return float(value)
        case Negative(arg=arg):
            inner = constant(arg)
            return None if inner is None else -inner
        case Chain(first=first, rest=((symbol, second),)) if symbol in ("/", "./", "*", ".*"):
            a, b = constant(first), constant(second)
            if a is None or b is None or not b:
                return None
            return a * b if "*" in symbol else a / b
    return None
