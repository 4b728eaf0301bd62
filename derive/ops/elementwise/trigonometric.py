"""Circular and hyperbolic functions and their inverses."""

import numpy as np
import sympy

from .._record import Elementwise


def _op(name: str, ufunc: str, head: type, library: str, domain: tuple[float, float], source: str) -> Elementwise:
    return Elementwise(
        name, head, (f"numpy.{ufunc}",), head=head, value=getattr(np, ufunc),
        high_precision=lambda mp, x: getattr(mp, head.__name__)(x),
        spelling={"numpy": f"np.{ufunc}({{0}})", "torch": f"torch.{name}({{0}})", "jax": f"jnp.{ufunc}({{0}})",
                  "numba": f"math.{name}({{0}})"},
        latex=rf"\{library}\left({{0}}\right)" if library else None, domain=domain, source=source,
    )  # fmt: skip


SIN = _op("sin", "sin", sympy.sin, "sin", (-3.0, 3.0), "DLMF 4.14.1")
COS = _op("cos", "cos", sympy.cos, "cos", (-3.0, 3.0), "DLMF 4.14.2")
TAN = _op("tan", "tan", sympy.tan, "tan", (-1.2, 1.2), "DLMF 4.14.4")
ASIN = _op("asin", "arcsin", sympy.asin, "arcsin", (-0.8, 0.8), "DLMF 4.23.1")
ACOS = _op("acos", "arccos", sympy.acos, "arccos", (-0.8, 0.8), "DLMF 4.23.2")
ATAN = _op("atan", "arctan", sympy.atan, "arctan", (-3.0, 3.0), "DLMF 4.23.3")
SINH = _op("sinh", "sinh", sympy.sinh, "sinh", (-3.0, 3.0), "DLMF 4.28.1")
COSH = _op("cosh", "cosh", sympy.cosh, "cosh", (-3.0, 3.0), "DLMF 4.28.2")
TANH = _op("tanh", "tanh", sympy.tanh, "tanh", (-3.0, 3.0), "DLMF 4.28.4")
ASINH = _op("asinh", "arcsinh", sympy.asinh, "", (-3.0, 3.0), "DLMF 4.37.1")
ACOSH = _op("acosh", "arccosh", sympy.acosh, "", (1.2, 3.0), "DLMF 4.37.2")
ATANH = _op("atanh", "arctanh", sympy.atanh, "", (-0.8, 0.8), "DLMF 4.37.3")
