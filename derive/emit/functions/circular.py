"""sin, cos and tan without branches for |x| < 2^50, and by the library beyond.

x - k pi / 2 is exact with the first 53 digits of pi / 2, since both are multiples of the same power of two and close
to each other; the other digits are subtracted in two numbers (Cody and Waite (1980), with fma).
"""

from __future__ import annotations

from typing import Any

from ._format import Fit, Format
from ._record import KernelFunction


def _sin_rest(mp: Any, z: Any) -> Any:
    x = mp.sqrt(z)
    return (mp.sin(x) / x - 1) / z if z else -mp.mpf(1) / 6


def _cos_rest(mp: Any, z: Any) -> Any:
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2 if z else mp.mpf(1) / 24


SIN_REST = Fit(_sin_rest, 0.0, 0.6170, 2)
COS_REST = Fit(_cos_rest, 0.0, 0.6170, 3)
"""What sin(x) / x and cos(x) have beside 1 and 1 - x^2 / 2, in x^2 up to (pi / 4)^2."""
MOST = "1125899906842624.0"


def _reduced(f: Format) -> str:
    """Statements that leave r + c, between -pi / 4 and pi / 4, and the number of quadrants in the last bits of q."""
    first, second, third, _ = Format(False).parts(lambda mp: mp.pi / 2, 53, 53, 53)
    turns = Format(False).number(lambda mp: 2 / mp.pi)
    magic = Format(False).magic
    if f.typed:
        return f"""wide = np.float64(x)
    shifted = wide * {turns}d + {magic}d
    n = shifted - {magic}d
    r = np.float32((wide - n * {first}d) - n * {second}d)
    q = np.int32(np.float64(shifted).view(np.int64))
    z = r * r"""
    return f"""shifted = x * {turns} + {magic}
    n = shifted - {magic}
    a = x - n * {first}
    b = n * {second}
    s = a - b
    t = s - a
    c = ((a - (s - t)) - (b + t)) - (fma(n, {second}, -b) + n * {third})
    r = s + c
    c = (s - r) + c
    q = np.float64(shifted).view(np.int64)
    z = r * r"""


def _sine(f: Format) -> str:
    corrected = "r + (r * z * p)" if f.typed else "r + (r * z * p + (c - 0.5 * z * c))"
    return f"""{f.horner(SIN_REST, "z")}
    sine = {corrected}"""


def _cosine(f: Format) -> str:
    lost = "" if f.typed else " - r * c"
    return f"""{f.horner(COS_REST, "z")}
    half = 0.5 * z
    one = 1.0 - half
    cosine = one + (((1.0 - one) - half) + (z * z * p{lost}))"""


def _sin(f: Format, order: int) -> str:
    flip = f.whole(f"{f.whole('q & 2')} << {f.bits - 2}")
    return f'''
def sin(x):
    """The sine."""
    {_reduced(f)}
    {_sine(f)}
    {_cosine(f)}
    y = cosine if q & 1 else sine
    y = {f.as_number(f"{f.as_bits('y')} ^ {flip}")}
    y = x if abs(x) < {f.power(-f.mantissa // 2 - 1)} else y
    if abs(x) > {MOST}:
        y = rare_sin(x)
    return y
'''


def _cos(f: Format, order: int) -> str:
    flip = f.whole(f"{f.whole('(q + 1) & 2')} << {f.bits - 2}")
    return f'''
def cos(x):
    """The cosine."""
    {_reduced(f)}
    {_sine(f)}
    {_cosine(f)}
    y = sine if q & 1 else cosine
    y = {f.as_number(f"{f.as_bits('y')} ^ {flip}")}
    if abs(x) > {MOST}:
        y = rare_cos(x)
    return y
'''


def _tan(f: Format, order: int) -> str:
    return f'''
def tan(x):
    """The tangent, sine over cosine."""
    {_reduced(f)}
    {_sine(f)}
    {_cosine(f)}
    y = (-cosine if q & 1 else sine) / (sine if q & 1 else cosine)
    y = x if abs(x) < {f.power(-f.mantissa // 2 - 1)} else y
    if abs(x) > {MOST}:
        y = rare_tan(x)
    return y
'''


def _cosm1(f: Format, order: int) -> str:
    return '''
def cosm1(x):
    """cos(x) - 1."""
    s = math.sin(0.5 * x)
    return 0.0 - 2.0 * s * s
'''


def _hypot(f: Format, order: int) -> str:
    most = f"{hex((2 * f.bias - 1) << f.mantissa)}"
    least = f"{hex(1 << f.mantissa)}"
    return f'''
def hypot(a, b):
    """sqrt(a**2 + b**2), scaled by a power of two."""
    size = abs(a) if abs(a) > abs(b) else abs(b)
    k = {f.whole(f"{f.as_bits('size')} & {most}")}
    k = {f.whole(f"k if k > {least} else {least}")}
    scale = {f.as_number(f"{hex(2 * f.bias << f.mantissa)} - k")}
    c, s = a * scale, b * scale
    y = math.sqrt(c * c + s * s) * {f.as_number("k")}
    return math.inf if abs(a) == math.inf or abs(b) == math.inf else y
'''


def _unit(f: Format, order: int) -> str:
    return '''
def unit(a, b):
    """a / sqrt(a**2 + b**2)."""
    return a / math.hypot(a, b)
'''


def _quotient(f: Format, order: int) -> str:
    return '''
def quotient(a, b):
    """a / b, whatever stands beside it."""
    return a / b
'''


SIN = KernelFunction("sin", _sin, library=True)
COS = KernelFunction("cos", _cos, library=True)
TAN = KernelFunction("tan", _tan, library=True)
COSM1 = KernelFunction("cosm1", _cosm1, contract=False)
HYPOT = KernelFunction("hypot", _hypot, library=True, arity=2)
UNIT = KernelFunction("unit", _unit, contract=False, arity=2)
QUOTIENT = KernelFunction("quotient", _quotient, contract=False, arity=2)
