"""Modified Bessel functions of the first kind: polynomials in x^2 up to 8, in 1 / x from there on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._cores import mantissa, series
from ._format import Fit, Format
from ._record import KernelFunction
from .logarithm import one_plus


def _near(order: int) -> Callable[[Any, Any], Any]:
    """I_1(x) / x, or (I_0(x) - 1) / x^2, in x^2."""

    def function(mp: Any, z: Any) -> Any:
        if order:
            return mp.hyp0f1(2, z / 4) / 2
        return mp.hyp1f2(1, 2, 2, z / 4) / 4

    return function


def _far(order: int) -> Callable[[Any, Any], Any]:
    """exp(-x) sqrt(x) I(x) in 16 / x - 1."""

    def function(mp: Any, t: Any) -> Any:
        if t == -1:
            return 1 / mp.sqrt(2 * mp.pi)
        x = 16 / (1 + t)
        if x < 2000:
            return mp.besseli(order, x) * mp.exp(-x) * mp.sqrt(x)
        terms, term = mp.zero, mp.one
        for k in range(1, 14):
            terms += term
            term *= -(4 * order - (2 * k - 1) ** 2) / (k * 8 * x)
        return terms / mp.sqrt(2 * mp.pi)

    return function


NEAR = tuple(Fit(_near(order), 0.0, 64.0, 1) for order in (0, 1))
FAR = tuple(Fit(_far(order), -1.0, 1.0) for order in (0, 1))


def _parts(f: Format, order: int) -> str:
    """Statements that leave inner = I(size) for size < 8, or I_0(size) - 1, and outer = exp(-size) I(size) from there on."""
    return f"""short = 8.0 if size > 8.0 else size
    long = 8.0 if size < 8.0 else size
    z = short * short
    {f.horner(NEAR[order], "z")}
    inner = {"short" if order else "z"} * p
    t = 16.0 / long - 1.0
    {f.horner(FAR[order], "t")}
    outer = p / math.sqrt(long)"""


def _scaled(f: Format, n: int) -> str:
    value = "inner" if n else "(1.0 + inner)"
    return f'''
def bessel_i{n}e(x):
    """exp(-|x|) I_{n}(x)."""
    size = abs(x)
    {_parts(f, n)}
    y = {value} * math.exp(-short) if size < 8.0 else outer
    return {"math.copysign(y, x)" if n else "y"}
'''


def _plain(f: Format, n: int) -> str:
    value = "inner" if n else "1.0 + inner"
    return f'''
def bessel_i{n}(x):
    """The modified Bessel function I_{n}."""
    size = abs(x)
    {_parts(f, n)}
    e = math.exp(0.5 * long)
    y = {value} if size < 8.0 else outer * e * e
    y = math.inf if size == math.inf else y
    return {"math.copysign(y, x)" if n else "y"}
'''


def _log_i0(f: Format, order: int) -> str:
    return f'''
def log_i0(x):
    """log(I_0(x)), accurate near 0: log(1 + inner) up to 8."""
    size = abs(x)
    {_parts(f, 0)}
    near = size < 8.0
    {one_plus("inner")}
    u = u if near else outer
    c = c if near else 0.0
    {mantissa(f, "u", "c", lift=True)}
    {series(f)}
    y = n * {f.ln2[0]} - ((half - p) - f)
    y = y if near else size + y
    return size if size == math.inf or size == 0.0 else y
'''


I0E = KernelFunction("bessel_i0e", lambda f, order: _scaled(f, 0), double=True)
I1E = KernelFunction("bessel_i1e", lambda f, order: _scaled(f, 1), double=True)
I0 = KernelFunction("bessel_i0", lambda f, order: _plain(f, 0), double=True)
I1 = KernelFunction("bessel_i1", lambda f, order: _plain(f, 1), double=True)
LOG_I0 = KernelFunction("log_i0", _log_i0, double=True)
