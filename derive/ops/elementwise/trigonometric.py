"""Circular and hyperbolic functions and their inverses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, Rational, S

from ...ir.nodes import Where
from .._record import Elementwise
from .arithmetic import Hypot, unit
from .hyperbolic import sech2
from .piecewise import Absolute

WIDE = (-3.0, 3.0)


class Arctan2(Function):
    """The angle of the point (x, y), in (-pi, pi]."""

    is_real = True
    nargs = 2

    @classmethod
    def eval(cls, y: Any, x: Any) -> Expr | None:
        return sympy.atan2(y, x) if y.is_number and x.is_number else None

    def fdiff(self, argindex: int = 1) -> Expr:
        y, x = self.args
        return (x if argindex == 1 else -y) / (x**2 + y**2)


def _arctan2(y: Any, x: Any) -> Any:
    if not (np.iscomplexobj(y) or np.iscomplexobj(x)):
        return np.arctan2(y, x)
    a, b = np.real(y), np.real(x)
    return np.arctan2(a, b) + np.arctan((y * b - x * a) / (x * b + y * a))


def _op(
    name: str, ufunc: str, head: type, library: str, domain: tuple[float, float], source: str,
    slopes: Callable[..., tuple[Expr, ...]] | None = None,
) -> Elementwise:  # fmt: skip
    spelling = {
        "numpy": f"np.{ufunc}({{0}})", "torch": f"torch.{name}({{0}})", "jax": f"jnp.{ufunc}({{0}})",
        "numba": f"math.{name}({{0}})",
    }  # fmt: skip
    return Elementwise(
        name, head, (f"numpy.{ufunc}",), head=head, value=getattr(np, ufunc),
        high_precision=lambda mp, x: getattr(mp, head.__name__)(x), spelling=spelling,
        latex=rf"\{library}\left({{0}}\right)" if library else None, domain=domain, source=source,
        slopes=slopes,
    )  # fmt: skip


def _circle(x: Expr) -> Expr:
    """1 / sqrt(1 - x^2), also where x is near 1."""
    return 1 / sympy.sqrt((1 - x) * (1 + x))


SIN = _op("sin", "sin", sympy.sin, "sin", WIDE, "DLMF 4.14.1")
COS = _op("cos", "cos", sympy.cos, "cos", WIDE, "DLMF 4.14.2")
TAN = _op("tan", "tan", sympy.tan, "tan", (-1.2, 1.2), "DLMF 4.14.4")
ASIN = _op("asin", "arcsin", sympy.asin, "arcsin", (-0.8, 0.8), "DLMF 4.23.1", lambda x: (_circle(x),))
ACOS = _op("acos", "arccos", sympy.acos, "arccos", (-0.8, 0.8), "DLMF 4.23.2", lambda x: (-_circle(x),))
ATAN = _op("atan", "arctan", sympy.atan, "arctan", WIDE, "DLMF 4.23.3")
SINH = _op("sinh", "sinh", sympy.sinh, "sinh", WIDE, "DLMF 4.28.1")
COSH = _op("cosh", "cosh", sympy.cosh, "cosh", WIDE, "DLMF 4.28.2")
TANH = _op("tanh", "tanh", sympy.tanh, "tanh", WIDE, "DLMF 4.28.4", lambda x: (sech2(x),))
ASINH = _op("asinh", "arcsinh", sympy.asinh, "", WIDE, "DLMF 4.37.1", lambda x: (1 / Hypot(x, S.One),))
ACOSH = _op(
    "acosh", "arccosh", sympy.acosh, "", (1.2, 3.0), "DLMF 4.37.2", lambda x: (1 / (sympy.sqrt(x - 1) * sympy.sqrt(x + 1)),)
)  # fmt: skip
ATANH = _op("atanh", "arctanh", sympy.atanh, "", (-0.8, 0.8), "DLMF 4.37.3", lambda x: (1 / ((1 - x) * (1 + x)),))
ATAN2 = Elementwise(
    "atan2", Arctan2, ("numpy.arctan2",), head=Arctan2, value=_arctan2, arity=2,
    high_precision=lambda mp, y, x: mp.atan2(y, x),
    spelling={"numpy": "np.arctan2({0}, {1})", "torch": "torch.atan2({0}, {1})", "jax": "jnp.arctan2({0}, {1})",
              "numba": "math.atan2({0}, {1})"},
    slopes=lambda y, x: (unit(x, y) / Hypot(x, y), -unit(y, x) / Hypot(x, y)),
    latex=r"\operatorname{{atan2}}\left({0}, {1}\right)", note="the derivative at (0, 0) is undefined: NaN",
    source="DLMF 4.23.39",
)  # fmt: skip


def sinc(x: Expr) -> Expr:
    """sin(pi x) / (pi x); its Taylor polynomial for |x| < 1/4, where the quotient loses digits."""
    t = sympy.pi * x
    series: Expr = S.One
    for k in range(16, 0, -2):
        series = 1 - series * t**2 / (k * (k + 1))
    return Where(sympy.Lt(Absolute(x), Rational(1, 4)), series, sympy.sin(t) / t)


SINC = Elementwise("sinc", sinc, ("numpy.sinc",), source="NumPy reference")
