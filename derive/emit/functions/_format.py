"""A floating-point format: its constants, and how source is written for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath

from ...ops.elementwise._fits import Smooth, polynomial

NUMERAL = re.compile(r"(?<![\w.])(\d+\.\d*(?:e[-+]?\d+)?)(d?)")


@dataclass(frozen=True)
class Fit:
    """A polynomial that stands for a function of x on [low, high].

    function: ``(mp, x) -> value``, smooth also at both ends.
    spare: how many bits less than the format has are enough, since the value is added to something larger.
    """

    function: Smooth
    low: float
    high: float
    spare: int = 0


@dataclass(frozen=True)
class Format:
    """Double precision, or single.

    bits, bias, mantissa: width of a number, bias of its exponent, digits after the point.
    """

    typed: bool

    @property
    def bits(self) -> int:
        return 32 if self.typed else 64

    @property
    def mantissa(self) -> int:
        return 23 if self.typed else 52

    @property
    def bias(self) -> int:
        return 127 if self.typed else 1023

    @property
    def magic(self) -> str:
        """Adding it rounds to an integer, which is then in the last bits of the sum."""
        return repr(1.5 * 2.0**self.mantissa)

    @property
    def normal(self) -> str:
        """The smallest normal number."""
        return repr(2.0 ** (1 - self.bias))

    def power(self, exponent: int) -> str:
        return repr(2.0**exponent)

    def choose(self, double: Any, single: Any) -> Any:
        return single if self.typed else double

    @cached_property
    def overflow(self) -> str:
        """From here on exp is infinite."""
        return self.number(lambda mp: (self.bias + 1) * mp.log(2) * (1 + mp.mpf(2) ** -self.mantissa))

    @cached_property
    def underflow(self) -> str:
        """Up to here exp is 0."""
        return self.number(lambda mp: -(self.bias + self.mantissa + 0.1) * mp.log(2))

    def number(self, value: Any) -> str:
        """A constant, ``mp -> value``."""
        with mpmath.workdps(50):
            return repr(float(value(mpmath.mp)))

    def parts(self, value: Any, *digits: int) -> tuple[str, ...]:
        """A constant as a sum of numbers with so many binary digits each, and of what is left."""
        found = []
        with mpmath.workdps(80):
            rest = value(mpmath.mp)
            for count in digits:
                place = count - 1 - int(mpmath.floor(mpmath.log(abs(rest), 2)))
                head = mpmath.nint(mpmath.ldexp(rest, place)) / mpmath.mpf(2) ** place
                found.append(repr(float(head)))
                rest -= head
        return (*found, repr(float(rest)))

    @cached_property
    def ln2(self) -> tuple[str, ...]:
        """ln 2 in two parts, the first so short that multiples by exponents are exact."""
        return self.parts(lambda mp: mp.log(2), self.choose(32, 9))

    def as_bits(self, x: str) -> str:
        return f"np.float{self.bits}({x}).view(np.int{self.bits})"

    def as_number(self, k: str) -> str:
        return f"np.int{self.bits}({k}).view(np.float{self.bits})"

    def whole(self, k: str) -> str:
        """An integer as wide as a number; Numba would make it wider."""
        return f"np.int32({k})" if self.typed else f"({k})"

    def horner(self, fit: Fit, x: str, name: str = "p", indent: int = 4) -> str:
        """Statements that leave the value of the polynomial at x in `name`."""
        precision = 2.0 ** (fit.spare - self.choose(56, 27))
        return steps(polynomial(fit.function, fit.low, fit.high, precision), x, name, indent)

    def typing(self, text: str) -> str:
        """The text with its numerals in this precision, ``1.5d`` in double precision always; docstrings stay as they are."""
        if not self.typed:
            return NUMERAL.sub(r"\1", text)
        parts = text.split('"""')
        parts[2:] = [NUMERAL.sub(lambda m: m[1] if m[2] else f"real({m[1]})", part) for part in parts[2:]]
        return '"""'.join(parts)


def steps(coefficients: tuple[float, ...], x: str, name: str = "p", indent: int = 4) -> str:
    """``p = a``, ``p = p * x + b``, ...: the lowest power is given first."""
    first, *rest = (repr(c) if abs(c) < 1e16 else f"{c:.16e}" for c in reversed(coefficients))
    return f"\n{' ' * indent}".join([f"{name} = {first}", *(f"{name} = {name} * {x} + {c}" for c in rest)])
