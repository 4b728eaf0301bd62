"""exp, expm1, tanh and what is made of them: 2^k times a polynomial."""

from __future__ import annotations

from typing import Any

from ._cores import clamped, power_of_two, reduced, scaled
from ._format import Fit, Format
from ._record import KernelFunction


def _exp(f: Format, order: int) -> str:
    return f'''
def exp(x):
    """e to the x: 2**k times a polynomial in the rest r of x / ln 2."""
    {clamped(f, "x", "a")}
    {reduced(f, "a")}
    p = 1.0 + p
    {scaled(f, "a", "p")}
    return y
'''


def _expm1(f: Format, order: int) -> str:
    return f'''
def expm1(x):
    """e to the x, minus 1, accurate near 0."""
    a = {f.choose("-38.0", "-18.0")} if x < {f.choose("-38.0", "-18.0")} else x
    a = {f.overflow} if a > {f.overflow} else a
    {reduced(f, "a", rest=True)}
    half = {power_of_two(f, 1)}
    y = (p * half + (half - 0.5)) * 2.0
    return x if abs(x) < {f.power(-f.mantissa - 2)} else y
'''


def _tanh_rest(mp: Any, z: Any) -> Any:
    x = mp.sqrt(z)
    return (mp.tanh(x) / x - 1) / z if z else -mp.mpf(1) / 3


TANH_REST = Fit(_tanh_rest, 0.0, 0.0784, 5)
"""What tanh(x) / x has beside 1, in x^2 up to 0.28^2."""
MOST = {False: "354.89", True: "44.36"}
"""From here on tanh is 1, and sech2 smaller than any normal number."""


def _doubled(f: Format) -> str:
    """Statements that leave size = |x| and above = (exp(2 size) - 1) / 2, with few digits near 0."""
    return f"""size = abs(x)
    a = 2.0 * ({MOST[f.typed]} if size > {MOST[f.typed]} else size)
    {reduced(f, "a")}
    half = {power_of_two(f, 1)}
    above = p * half + (half - 0.5)"""


def _tanh(f: Format, order: int) -> str:
    return f'''
def tanh(x):
    """The hyperbolic tangent: a polynomial up to 0.28, from there on t / (t + 1) with t = (exp(2 |x|) - 1) / 2."""
    {_doubled(f)}
    z = x * x
    {f.horner(TANH_REST, "z")}
    return math.copysign(size + size * z * p if size < 0.28 else above / (above + 1.0), x)
'''


def _sech2(f: Format, order: int) -> str:
    return f'''
def sech2(x):
    """1 / cosh(x)**2, by the exponential of tanh: where both are wanted it is computed once."""
    {_doubled(f)}
    part = 1.0 / (p * half + (half + 0.5))
    return 0.0 if size > {MOST[f.typed]} else part * (part * (2.0 * (p * half + half)))
'''


def _sigmoid(f: Format, order: int) -> str:
    return """
def sigmoid(x):
    \"\"\"1 / (1 + exp(-x)), without overflow.\"\"\"
    e = math.exp(-abs(x))
    return (1.0 if x >= 0.0 else e) / (1.0 + e)
"""


def _bose(f: Format, order: int) -> str:
    return f'''
def bose(x):
    """1 / (exp(x) - 1), without overflow: exp(-|x|) or -1 over 1 - exp(-|x|)."""
    a = -abs(x)
    {clamped(f, "a", "a", over=False)}
    {reduced(f, "a", rest=True)}
    whole = {power_of_two(f)}
    part = (1.0 - whole) - p * whole if a > {f.choose("-40.0", "-20.0")} else 1.0
    {scaled(f, "a", "(1.0 + p)")}
    return (-1.0 if x < 0.0 else y) / part
'''


def _expdiff(f: Format, order: int) -> str:
    return f'''
def expdiff(a, b):
    """exp(a) - exp(b), which is exp(m) (1 - exp(-|a - b|)) or its negative."""
    gap = 0.0 if a == b else abs(a - b)
    part = -math.expm1(-gap)
    largest = a if a > b else b
    {clamped(f, "largest", "m")}
    {reduced(f, "m")}
    {scaled(f, "m", "(p * part + part)")}
    return y if a > b else 0.0 if a == b else -y
'''


def _expm1mx_rest(mp: Any, x: Any) -> Any:
    return mp.hyp1f1(1, 3, x) / 2


REMAINDER = Fit(_expm1mx_rest, -1.0, 1.0)


def _expm1mx(f: Format, order: int) -> str:
    return f'''
def expm1mx(x):
    """exp(x) - 1 - x: a polynomial up to 1."""
    {f.horner(REMAINDER, "x")}
    return x * x * p if abs(x) < 1.0 else math.expm1(x) - x
'''


BOSE_PLAIN = '''
def bose(x):
    """1 / (exp(x) - 1), without overflow."""
    size = abs(x)
    above = -1.0 if x < 0.0 else math.exp(-size)
    return above / -math.expm1(-size)
'''
EXPDIFF_PLAIN = '''
def expdiff(a, b):
    """exp(a) - exp(b), which is exp(m) (1 - exp(-|a - b|)) or its negative; a large exp(m) by two factors."""
    if a == b:
        return 0.0
    largest = a if a > b else b
    part = -math.expm1(-abs(a - b))
    y = math.exp(largest) * part
    if y == math.inf:
        root = math.exp(0.5 * largest)
        y = root * (root * part)
    return y if a > b else -y
'''
EXP = KernelFunction("exp", _exp, library=True)
EXPM1 = KernelFunction("expm1", _expm1, library=True)
TANH = KernelFunction("tanh", _tanh, library=True)
SIGMOID = KernelFunction("sigmoid", _sigmoid, contract=False)
SECH2 = KernelFunction("sech2", _sech2)
BOSE = KernelFunction("bose", _bose, BOSE_PLAIN)
EXPDIFF = KernelFunction("expdiff", _expdiff, EXPDIFF_PLAIN, arity=2)
EXPM1MX = KernelFunction("expm1mx", _expm1mx)
