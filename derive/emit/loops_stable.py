"""Functions without cancellation for kernels, one number at a time and without branches where they can be vectorised.

They are written for double precision; `stable_function` types the numbers of a kernel of single precision.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .loops_math import DOUBLE, SINGLE, VECTOR

HEAD = '@njit(cache=True, error_model="numpy", fastmath=False, forceinline=True)'


def _horner(coefficients: Sequence[float], variable: str) -> str:
    """Statements that leave a polynomial, lowest power first, in p."""
    first, *rest = reversed(coefficients)
    return "\n    ".join([f"p = {first!r}", *(f"p = p * {variable} + {c!r}" for c in rest)])


STABLE: dict[str, str] = {
    "sech2": '''
def sech2(x):
    """1 / cosh(x)**2, by the exponential of tanh: where both are wanted it is computed once."""
    size = abs(x)
    t = math.expm1(2.0 * ({saturated} if size > {saturated} else size))
    a = 2.0 / (t + 2.0)
    return 0.0 if size > {saturated} else a * (a * (t + 1.0))
''',
    "logcosh": '''
def logcosh(x):
    """log(cosh(x)): up to 1 by cosh(x) = 1 + 2 sinh(x / 2)**2."""
    size = abs(x)
    e = math.expm1(size if size < 1.0 else 1.0)
    u = 0.5 * e * (e / (1.0 + e)) if size < 1.0 else math.exp(-2.0 * size)
    y = math.log1p(u)
    return y if size < 1.0 else (size - 0.6931471805599453) + y
''',
    "log1mexp": '''
def log1mexp(x):
    """log(1 - exp(-x)) for x > 0: by expm1 up to log(2), from there on by log1p."""
    if x < 0.6931471805599453:
        return math.log(-math.expm1(-x))
    return math.log1p(-math.exp(-x))
''',
    "bose": '''
def bose(x):
    """1 / (exp(x) - 1), without overflow."""
    size = abs(x)
    above = -1.0 if x < 0.0 else math.exp(-size)
    return above / -math.expm1(-size)
''',
    "logaddexp": '''
def logaddexp(a, b):
    """log(exp(a) + exp(b)), shifted by the larger of the two."""
    gap = 0.0 if a == b else abs(a - b)
    return (a if a > b else b) + math.log1p(math.exp(-gap))
''',
    "expdiff": '''
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
''',
    "log1pmx": f'''
def log1pmx(x):
    """log(1 + x) - x: near 0 by log(1 + x) = 2 atanh(s), s = x / (2 + x)."""
    if x <= -0.5 or x >= 1.0:
        return math.log1p(x) - x
    s = x / (2.0 + x)
    z = s * s
    {_horner([1 / k for k in range(3, 36, 2)], "z")}
    return s * (2.0 * z * p - x)
''',
    "expm1mx": f'''
def expm1mx(x):
    """exp(x) - 1 - x: its Taylor series up to 1."""
    if abs(x) >= 1.0:
        return math.expm1(x) - x
    {_horner([1 / math.factorial(k) for k in range(2, 20)], "x")}
    return x * x * p
''',
    "unit": '''
def unit(a, b):
    """a / sqrt(a**2 + b**2)."""
    return a / math.hypot(a, b)
''',
    "quotient": '''
def quotient(a, b):
    """a / b, whatever stands beside it."""
    return a / b
''',
    "cosm1": '''
def cosm1(x):
    """cos(x) - 1."""
    s = math.sin(0.5 * x)
    return -2.0 * s * s
''',
}
"""The text of each function."""


def stable_function(name: str, typed: bool, vector: bool) -> str:
    """The source of one function: its numbers typed, its calls those of the module where it has its own."""
    text = STABLE[name].replace("{saturated}", (SINGLE if typed else DOUBLE).saturated)
    if typed:
        text = re.sub(r"(?<![\w.])\d+\.\d+(e-?\d+)?", r"real(\g<0>)", text)
        text = re.sub(r"return (math\.\w+\(.*)", r"return real(\1)", text) if not vector else text
    if vector:
        text = re.sub(r"math\.(\w+)\(", lambda m: f"{m[1]}(" if m[1] in VECTOR else m[0], text)
    return HEAD + text.rstrip("\n")
