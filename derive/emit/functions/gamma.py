"""log gamma and its derivatives: a polynomial from 1 to 3, the recurrence below, Stirling's series above."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from ._cores import mantissa, series
from ._format import Fit, Format
from ._record import KernelFunction

CENTRE = 1.7320508
LOW, HIGH = (1 - CENTRE) / (1 + CENTRE), (3 - CENTRE) / (3 + CENTRE)
MOST = 4
"""The polynomials are in u = (t - c) / (t + c), for which the pole at 0 is as far from 1 as it can be."""


def _argument(mp: Any, u: Any) -> Any:
    c = mp.mpf(CENTRE)
    return c * (1 + u) / (1 - u)


def _near(mp: Any, u: Any) -> Any:
    """log(gamma(t)) / ((t - 1) (t - 2))."""
    t = _argument(mp, u)
    a, b = t - 1, t - 2
    if min(abs(a), abs(b)) < 1e-30:
        return mp.euler if abs(a) < 1e-30 else 1 - mp.euler
    return mp.loggamma(t) / (a * b)


def _far(mp: Any, w: Any) -> Any:
    """What Stirling's formula lacks, times x, in 1 / x^2."""
    if w < 1e-12:
        return mp.mpf(1) / 12 - w / 360
    x = 1 / mp.sqrt(w)
    return (mp.loggamma(x) - ((x - 0.5) * mp.log(x) - x + mp.log(2 * mp.pi) / 2)) * x


def _root(mp: Any) -> Any:
    return mp.findroot(mp.digamma, 1.4616)


def _digamma_near(mp: Any, u: Any) -> Any:
    """digamma(t) over the distance to its zero."""
    t, root = _argument(mp, u), _root(mp)
    return mp.digamma(t) / (t - root) if abs(t - root) > 1e-20 else mp.polygamma(1, root)


def _digamma_far(mp: Any, w: Any) -> Any:
    if w < 1e-12:
        return mp.mpf(1) / 12 - w / 120
    x = 1 / mp.sqrt(w)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) * x * x


NEAR = Fit(_near, LOW - 1e-7, HIGH + 1e-7, 1)
FAR = Fit(_far, 0.0, 0.11112, 4)
DIGAMMA_NEAR = Fit(_digamma_near, LOW - 1e-7, HIGH + 1e-7, 1)
DIGAMMA_FAR = Fit(_digamma_far, 0.0, 0.11112, 4)


def _position(f: Format) -> str:
    """Statements that leave u for t = x or, below 1, t = x + 1."""
    return f"""t = x + 1.0 if x < 1.0 else x
    t = 3.0 if t > 3.0 else t
    u = (t - {CENTRE}) / (t + {CENTRE})"""


def _lgamma(f: Format, order: int) -> str:
    rest = f.number(lambda mp: mp.log(2 * mp.pi) / 2)
    return f'''
def lgamma(x):
    """log(gamma(x)): (x - 1) (x - 2) times a polynomial from 1 to 3, above 3 Stirling's series."""
    {_position(f)}
    {f.horner(NEAR, "u")}
    inner = x * ((x - 1.0) * p) if x < 1.0 else (x - 1.0) * ((x - 2.0) * p)
    {mantissa(f, "x", lift=True)}
    {series(f)}
    big = n * {f.ln2[0]} + f
    small = ((n * {f.ln2[0]} - big) + f) - (half - p)
    w = 1.0 / x
    z = w * w
    {f.horner(FAR, "z", "q")}
    h = x - 0.5
    product = h * big
    a = product - x
    b = a - product
    lost = (product - (a - b)) - (x + b)
    outer = a + (lost + (fma(h, big, -product) + (h * small + ({rest} + w * q))))
    y = inner if x >= 1.0 else inner - (big + small)
    y = y if x < 3.0 else outer
    y = math.inf if x > {f.choose("2.5563481638716905e+305", "4.08500343e+36")} or x == 0.0 else y
    if x < 0.0:
        y = rare_lgamma(x)
    return y
'''


def _digamma(f: Format) -> str:
    first, second = f.parts(_root, f.mantissa + 1)
    return f'''
def polygamma_0(x):
    """The derivative of log(gamma(x)): its zero is a factor of the polynomial from 1 to 3."""
    left = x < 0.0
    beyond = x - floor(x)
    reflected = math.nan if beyond == 0.0 else math.pi / math.tan(math.pi * beyond)
    x = 1.0 - x if left else x
    {_position(f)}
    {f.horner(DIGAMMA_NEAR, "u")}
    w = 1.0 / x
    g = (x - {f.number(lambda mp: _root(mp) - 1)}) if x < 1.0 else (x - {first}) - {second}
    inner = g * p - w if x < 1.0 else g * p
    z = w * w
    {f.horner(DIGAMMA_FAR, "z", "q")}
    y = inner if x < 3.0 else math.log(x) - (0.5 * w + z * q)
    y = -math.inf if x == 0.0 else y
    return y - reflected if left else y
'''


def _scaled(n: int) -> Any:
    """The size of the derivative times a power of t that makes it vary less, in u."""

    def function(mp: Any, u: Any) -> Any:
        t = _argument(mp, u)
        return abs(mp.polygamma(n, t)) * t ** min(n + 1, MOST)

    return function


def _tail(n: int) -> Any:
    """x^n times the size of the derivative, in 1 / x."""

    def function(mp: Any, w: Any) -> Any:
        if w < 1e-8:
            return mp.factorial(n - 1) * (1 + n * w / 2 + n * (n + 1) * w * w / 12)
        return abs(mp.polygamma(n, 1 / w)) / w**n

    return function


@cache
def _fits(n: int) -> tuple[Fit, Fit]:
    return Fit(_scaled(n), LOW - 1e-7, HIGH + 1e-7, 1), Fit(_tail(n), 0.0, 0.33334, 1)


def _polygamma(f: Format, n: int) -> str:
    if n == 0:
        return _digamma(f)
    near, far = _fits(n)
    sign = "" if n % 2 else "-"
    return f'''
def polygamma_{n}(x):
    """The derivative of order {n + 1} of log(gamma(x)) for x > 0: 3 ulp for order 2, 5 for order 6."""
    {_position(f)}
    t = x + 1.0 if x < 1.0 else x
    {f.horner(near, "u")}
    w = 1.0 / x
    inner = p / t**{min(n + 1, MOST)}
    inner = inner + {float(math.factorial(n))!r} / x**{n + 1} if x < 1.0 else inner
    {f.horner(far, "w", "q")}
    y = {sign}(inner if x < 3.0 else q / x**{n})
    return y if x > 0.0 else {"math.inf if x == 0.0 else math.nan" if n % 2 else "math.nan"}
'''


LGAMMA = KernelFunction("lgamma", _lgamma, library=True)
POLYGAMMA = KernelFunction("polygamma", _polygamma, double=True, ordered=True)
