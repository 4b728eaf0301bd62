"""The error function and the tails of the normal law."""

from __future__ import annotations

from typing import Any

from ._cores import mantissa, power_of_two, reduced, scaled, series
from ._format import Fit, Format
from ._record import KernelFunction


def _erf_near(mp: Any, z: Any) -> Any:
    x = mp.sqrt(z)
    return mp.erf(x) / x if x else 2 / mp.sqrt(mp.pi)


def _erfcx_exact(mp: Any, x: Any) -> Any:
    return mp.exp(x * x) * mp.erfc(x) if x < 100 else mp.hyp2f0(1, 0.5, -1 / x**2) / mp.sqrt(mp.pi) / x


def _tail(mp: Any, t: Any) -> Any:
    """(1/2 + x) exp(x^2) erfc(x) in t = (x - 3) / (x + 3), nearly constant."""
    if t == 1:
        return 1 / mp.sqrt(mp.pi)
    x = 3 * (1 + t) / (1 - t)
    return (x + 0.5) * _erfcx_exact(mp, x)


def _normal_tail(mp: Any, t: Any) -> Any:
    """The same for half the function at x / sqrt(2), so that nothing is lost in the quotient: times 3/4 + x."""
    if t == 1:
        return 1 / mp.sqrt(2 * mp.pi)
    x = 4 * (1 + t) / (1 - t)
    return (x + 0.75) * _erfcx_exact(mp, x / mp.sqrt(2)) / 2


def _normal_near(mp: Any, z: Any) -> Any:
    return _erf_near(mp, z / 2) / mp.sqrt(2) / 2


def _short_tail(mp: Any, t: Any) -> Any:
    """exp(x^2) erfc(x) in t = (x - 3) / (x + 3)."""
    x = 3 * (1 + t) / (1 - t)
    return mp.exp(x * x) * mp.erfc(x)


NEAR = Fit(_erf_near, 0.0, 1.0, 2)
CENTRE = Fit(_erf_near, 0.0, 0.2025, 1)
NORMAL_CENTRE = Fit(_normal_near, 0.0, 0.4, 1)
"""erf(x) / x in x^2 up to 1 and up to 0.45^2, and half that of x / sqrt(2)."""
FAR = {False: Fit(_short_tail, -0.5, 0.3333334, 4), True: Fit(_short_tail, -0.5, 0.15, 4)}
"""From 1 to where erf is 1; its complement there is at most 0.16."""
TAIL = Fit(_tail, -0.74, 1.0)
NORMAL_TAIL = Fit(_normal_tail, -0.73, 1.0)
"""From 0.45 and 0.63 on, after Shepherd and Laframboise (1981)."""


def _erf(f: Format, order: int) -> str:
    one = f.choose("6.0", "4.0")
    return f'''
def erf(x):
    """The error function: x times a polynomial in x**2 up to 1, from there on 1 - exp(-x**2) times another."""
    size = abs(x)
    z = size * size
    {f.horner(NEAR, "z")}
    inner = size * p
    size = {one} if size > {one} else size
    t = (size - 3.0) / (size + 3.0)
    {f.horner(FAR[f.typed], "t", "q")}
    a = -size * size
    {reduced(f, "a")}
    outer = 1.0 - q * (1.0 + p) * {power_of_two(f)}
    return math.copysign(inner if abs(x) < 1.0 else outer, x)
'''


def _tail_of(f: Format, x: str) -> str:
    """Statements that leave tail = exp(x^2) erfc(x) for x >= 0.45, and inner = erf(x) up to there."""
    return f"""t = 1.0 - 6.0 / ({x} + 3.0)
    {f.horner(TAIL, "t")}
    tail = p / (0.5 + {x})
    z = {x} * {x}
    {f.horner(CENTRE, "z")}
    inner = {x} * p"""


def _erfc(f: Format, order: int) -> str:
    most = f.choose("27.3", "10.1")
    return f'''
def erfc(x):
    """1 - erf(x), accurate on the right: exp(-x**2) times a polynomial in (x - 3) / (x + 3)."""
    size = abs(x)
    size = {most} if size > {most} else size
    {_tail_of(f, "size")}
    square = size * size
    low = -fma(size, size, -square)
    a = -square
    {reduced(f, "a", "low")}
    {scaled(f, "a", "(p * tail + tail)")}
    y = 1.0 - inner if size < 0.45 else y
    return 2.0 - y if x < 0.0 else y
'''


def _erfcx(f: Format, order: int) -> str:
    return f'''
def erfcx(x):
    """exp(x**2) erfc(x)."""
    size = abs(x)
    {_tail_of(f, "size")}
    size = 27.0 if size > 27.0 else size
    square = size * size
    low = fma(size, size, -square)
    {reduced(f, "square", "low")}
    near = size < 0.45
    factor = 1.0 - math.copysign(inner, x) if near else 2.0
    {scaled(f, "square", "(p * factor + factor)")}
    y = y if near else y - tail if x < 0.0 else tail
    return math.inf if x < -27.0 else y
'''


def _bell(f: Format) -> str:
    """Statements that leave y = erfc(size / sqrt(2)) / 2 for size = |x| >= 0.63, tail, which is y without exp(-x^2 / 2),
    and inner = erf(size / sqrt(2)) / 2 up to there."""
    most = f.choose("38.6", "14.42")
    return f"""size = abs(x)
    t = 1.0 - 8.0 / (size + 4.0)
    {f.horner(NORMAL_TAIL, "t")}
    tail = p / (0.75 + size)
    z = x * x
    {f.horner(NORMAL_CENTRE, "z")}
    inner = x * p
    a = {most} if size > {most} else size
    square = a * a
    low = -0.5 * fma(a, a, -square)
    a = -0.5 * square
    {reduced(f, "a", "low")}
    {scaled(f, "a", "(p * tail + tail)")}"""


def _ndtr(f: Format, order: int) -> str:
    return f'''
def ndtr(x):
    """The normal distribution function, accurate on the left."""
    {_bell(f)}
    return 0.5 + inner if size < 0.63 else 1.0 - y if x > 0.0 else y
'''


def _log_ndtr(f: Format, order: int) -> str:
    return f'''
def log_ndtr(x):
    """The logarithm of the normal distribution function: of erfcx on the left, and of 1 - erfc on the right."""
    {_bell(f)}
    near = size < 0.63
    left = x < 0.0
    u = 0.5 + inner if near else tail if left else 1.0 - y
    c = -((u - 1.0) + y) if x > 0.0 and not near else 0.0
    {mantissa(f, "u", "c")}
    {series(f)}
    y = n * {f.ln2[0]} - ((half - p) - f)
    y = y - 0.5 * x * x if left and not near else y
    return y if x > -math.inf else x
'''


ERF = KernelFunction("erf", _erf, library=True)
ERFC = KernelFunction("erfc", _erfc, library=True)
ERFCX = KernelFunction("erfcx", _erfcx, double=True)
NDTR = KernelFunction("ndtr", _ndtr)
LOG_NDTR = KernelFunction("log_ndtr", _log_ndtr, double=True)
