"""x to the e without branches: exp of e times the logarithm of |x|, which is carried in two numbers."""

from __future__ import annotations

from typing import Any

from ._cores import clamped, mantissa, reduced, scaled
from ._format import Fit, Format
from ._record import KernelFunction


def _third_rest(mp: Any, z: Any) -> Any:
    """(log(1 + f) - 2 s - 2 s^3 / 3) / s^5 in z = s^2."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s - 2 * s**3 / 3) / s**5 if z > 1e-12 else mp.mpf(2) / 5 + 2 * z / 7


REST = Fit(_third_rest, 0.0, 0.02944)


def _power(f: Format, order: int) -> str:
    third = f.parts(lambda mp: mp.mpf(2) / 3, f.mantissa + 1)
    return f'''
def power(x, e):
    """x**e: with log(1 + f) = 2 s + 2 s**3 / 3 + ..., s = f / (2 + f), where all but the rest is in two numbers."""
    size = abs(x)
    {mantissa(f, "size", lift=True)}
    d = 2.0 + f
    inverse = 1.0 / d
    s = f * inverse
    s_low = (fma(-s, d, f) - s * (f - (d - 2.0))) * inverse
    z = s * s
    z_low = fma(s, s, -z) + 2.0 * s * s_low
    {f.horner(REST, "z")}
    q = z * p
    w = {third[0]} + q
    w_low = (({third[0]} - w) + q) + {third[1]}
    zw = z * w
    zw_low = fma(z, w, -zw) + (z * w_low + z_low * w)
    t = s * zw
    t_low = fma(s, zw, -t) + (s * zw_low + s_low * zw)
    first = n * {f.ln2[0]}
    a = first + 2.0 * s
    a_low = (first - a) + 2.0 * s
    b = a + t
    b_low = ((a - b) + t) + (a_low + ((2.0 * s_low + t_low) + n * {f.ln2[1]}))
    high = b + b_low
    rest = (b - high) + b_low
    product = e * high
    low = fma(e, high, -product) + e * rest
    {clamped(f, "product", "m")}
    low = low if m == product else 0.0
    {reduced(f, "m", "low")}
    {scaled(f, "m", "(1.0 + p)")}
    end = size == 0.0 or size == math.inf
    value = (0.0 if (size == 0.0) == (e > 0.0) else math.inf) if end else y
    value = (math.inf if (size > 1.0) == (e > 0.0) else 0.0) if abs(e) == math.inf else value
    value = 1.0 if size == 1.0 else value
    half = 0.5 * e
    whole = floor(e) == e
    odd = whole and floor(half) != half
    value = math.nan if x < 0.0 and not whole and size < math.inf else value
    value = math.copysign(value, x) if odd else value
    value = math.nan if x != x or e != e else value
    return 1.0 if e == 0.0 or x == 1.0 else value
'''


POWER = KernelFunction("power", _power, arity=2)
