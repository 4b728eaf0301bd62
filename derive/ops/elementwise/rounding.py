"""Roundings and remainders: steps whose derivative is 0 wherever it exists."""

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, Rational, S

from ...ir.nodes import Index, Read
from .._record import Elementwise
from .piecewise import Absolute, Sign

STEP = "derivative 0 almost everywhere"


class _Rounded(Function):
    is_real = True
    is_integer = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero


class Floor(_Rounded):
    """The largest integer not above x; of sizes, indices and integers it is SymPy's own floor."""

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x.is_integer:
            return x
        exact = x.is_rational and all(a.is_integer for a in x.atoms(Read, Index, sympy.Symbol))
        return sympy.floor(x) if x.is_number or exact else None


class Rint(_Rounded):
    """The nearest integer, of two the even one."""

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x.is_integer:
            return x
        if not x.is_number:
            return None
        above = sympy.floor(x + Rational(1, 2))
        return above - 1 if above - x == Rational(1, 2) and above.is_odd else above


def truncated(x: Expr) -> Expr:
    """The integer next to x towards 0."""
    return x if x.is_integer else Sign(x) * Floor(Absolute(x))


def _half(x: Any) -> Expr:
    """Changes sign wherever x is an integer."""
    return sympy.sin(sympy.pi * x)


FLOOR = Elementwise(
    "floor", Floor, ("numpy.floor",), head=Floor, value=lambda x: np.floor(np.real(x)),
    high_precision=lambda mp, x: mp.floor(x), rational=lambda x: Fraction(floor(x)), kink=_half, note=STEP,
    spelling={"numpy": "np.floor({0})", "torch": "torch.floor({0})", "jax": "jnp.floor({0})",
              "numba": "np.floor({0})"},
    latex=r"\lfloor {0} \rfloor", source="NumPy reference",
)  # fmt: skip
RINT = Elementwise(
    "rint", Rint, ("numpy.rint",), head=Rint, value=lambda x: np.rint(np.real(x)),
    high_precision=lambda mp, x: mp.nint(x), rational=lambda x: Fraction(round(x)),
    kink=lambda x: sympy.cos(sympy.pi * x), note=f"{STEP}; halves go to the even neighbour",
    spelling={"numpy": "np.rint({0})", "torch": "torch.round({0})", "jax": "jnp.rint({0})", "numba": "np.rint({0})"},
    latex=r"\operatorname{{round}}\left({0}\right)", source="IEEE 754-2019, 4.3.1",
)  # fmt: skip
CEIL = Elementwise("ceil", lambda x: -Floor(-x), ("numpy.ceil",), note=STEP, source="NumPy reference")
TRUNC = Elementwise("trunc", truncated, ("numpy.trunc", "numpy.fix"), note=STEP, source="NumPy reference")
FLOOR_DIVIDE = Elementwise(
    "floor_divide", lambda a, b: Floor(a / b), ("numpy.floor_divide",), arity=2, note=STEP, domain=(0.2, 3.0),
    source="NumPy reference",
)  # fmt: skip


def remainder(a: Expr, b: Expr) -> Expr:
    """a - b floor(a / b): the remainder with the sign of the divisor."""
    return sympy.Mod(a, b) if a.is_integer and b.is_integer else a - b * Floor(a / b)


REMAINDER = Elementwise(
    "remainder", remainder, ("numpy.remainder", "numpy.mod"), arity=2, domain=(0.2, 3.0),
    note="a mod b has the slopes 1 in a and -floor(a / b) in b, except where a / b is an integer",
    source="NumPy reference",
)  # fmt: skip
FMOD = Elementwise(
    "fmod", lambda a, b: a - b * truncated(a / b), ("numpy.fmod",), arity=2, domain=(0.2, 3.0),
    note="a fmod b has the slopes 1 in a and -trunc(a / b) in b, except where a / b is an integer",
    source="C standard, 7.12.10.1",
)  # fmt: skip
