"""log, log1p and what is made of them."""

from __future__ import annotations

from typing import Any

from ._cores import _log_rest, clamped, mantissa, power_of_two, reduced, scaled, series
from ._format import Fit, Format
from ._record import KernelFunction

UNIT_REST = Fit(_log_rest, 0.0, 1 / 9, 1)
"""R(z) / z for s up to 1/3, where log(1 + x) = 2 s + s R(z) = x - s x + s R(z)."""


def _log(f: Format, order: int) -> str:
    return f'''
def log(x):
    """The natural logarithm: of the power of two, and of the rest 1 + f by a series in f / (2 + f)."""
    {mantissa(f, "x", lift=True)}
    {series(f)}
    y = n * {f.ln2[0]} - ((half - p) - f)
    y = math.inf if x == math.inf else y
    y = -math.inf if x == 0.0 else y
    return y if x >= 0.0 else math.nan
'''


def one_plus(x: str) -> str:
    """Statements that leave 1 + x in u and what that loses in c."""
    return f"""u = 1.0 + {x}
    b = u - 1.0
    c = (1.0 - (u - b)) + ({x} - b)"""


def _log1p(f: Format, order: int) -> str:
    return f'''
def log1p(x):
    """log(1 + x), accurate near 0: what 1 + x loses is added to the rest f."""
    {one_plus("x")}
    {mantissa(f, "u", "c")}
    {series(f)}
    y = n * {f.ln2[0]} - ((half - p) - f)
    y = x if x == math.inf or x == 0.0 else y
    y = -math.inf if x == -1.0 else y
    return y if x >= -1.0 else math.nan
'''


def _log1pmx(f: Format, order: int) -> str:
    return f'''
def log1pmx(x):
    """log(1 + x) - x: for k = 0 it is half what log(1 + f) has beside f = x, and nothing cancels."""
    {one_plus("x")}
    {mantissa(f, "u", "c")}
    {series(f)}
    y = ((n * {f.ln2[0]} + f) - x) - ((half - p) - lost)
    y = -math.inf if x == math.inf or x == -1.0 else y
    return y if x >= -1.0 else math.nan
'''


def _log1mexp(f: Format, order: int) -> str:
    return f'''
def log1mexp(x):
    """log(1 - exp(-x)) for x > 0: of 1 - exp(-x) itself up to log(2), from there on with what the difference loses."""
    a = -x
    {clamped(f, "a", "a", over=False)}
    {reduced(f, "a", rest=True)}
    whole = {power_of_two(f)}
    near = x < {f.number(lambda mp: mp.log(2))}
    part = (1.0 - whole) - p * whole
    {scaled(f, "a", "(1.0 + p)")}
    u = part if near else 1.0 - y
    c = 0.0 if near else (1.0 - u) - y
    {mantissa(f, "u", "c", lift=True)}
    {series(f)}
    y = n * {f.ln2[0]} - ((half - p) - f)
    y = -math.inf if x == 0.0 else y
    return y if x >= 0.0 else math.nan
'''


def _log1p_unit(f: Format, order: int) -> str:
    return f'''
def log1p_unit(x):
    """log(1 + x) for x from 0 to 1: a series in x / (2 + x)."""
    s = x / (2.0 + x)
    z = s * s
    {f.horner(UNIT_REST, "z")}
    return x - s * (x - z * p)
'''


def _softplus(f: Format, order: int) -> str:
    return '''
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return (x if x > 0.0 else 0.0) + log1p_unit(math.exp(-abs(x)))
'''


def _logaddexp(f: Format, order: int) -> str:
    return '''
def logaddexp(a, b):
    """log(exp(a) + exp(b)), shifted by the larger of the two."""
    gap = 0.0 if a == b else abs(a - b)
    return (a if a > b else b) + log1p_unit(math.exp(-gap))
'''


def _logcosh_near(mp: Any, z: Any) -> Any:
    return mp.log(mp.cosh(mp.sqrt(z))) / z if z else mp.mpf(1) / 2


LOGCOSH_NEAR = Fit(_logcosh_near, 0.0, 1.0)


def _logcosh(f: Format, order: int) -> str:
    return f'''
def logcosh(x):
    """log(cosh(x)): a polynomial in x**2 up to 1, from there on |x| - log(2) + log(1 + exp(-2 |x|))."""
    size = abs(x)
    z = x * x
    {f.horner(LOGCOSH_NEAR, "z")}
    far = (size - {f.number(lambda mp: mp.log(2))}) + log1p_unit(math.exp(-2.0 * size))
    return z * p if size < 1.0 else far
'''


SOFTPLUS_PLAIN = '''
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return (x if x > 0.0 else 0.0) + math.log1p(math.exp(-abs(x)))
'''
LOGADDEXP_PLAIN = '''
def logaddexp(a, b):
    """log(exp(a) + exp(b)), shifted by the larger of the two."""
    gap = 0.0 if a == b else abs(a - b)
    return (a if a > b else b) + math.log1p(math.exp(-gap))
'''
LOG1MEXP_PLAIN = '''
def log1mexp(x):
    """log(1 - exp(-x)) for x > 0: by expm1 up to log(2), from there on by log1p."""
    if x < 0.6931471805599453:
        return math.log(-math.expm1(-x))
    return math.log1p(-math.exp(-x))
'''
LOGCOSH_PLAIN = '''
def logcosh(x):
    """log(cosh(x)): up to 1 by cosh(x) = 1 + 2 sinh(x / 2)**2."""
    size = abs(x)
    e = math.expm1(size if size < 1.0 else 1.0)
    u = 0.5 * e * (e / (1.0 + e)) if size < 1.0 else math.exp(-2.0 * size)
    y = math.log1p(u)
    return y if size < 1.0 else (size - 0.6931471805599453) + y
'''
LOG = KernelFunction("log", _log, library=True)
LOG1P = KernelFunction("log1p", _log1p, library=True)
LOG1P_UNIT = KernelFunction("log1p_unit", _log1p_unit)
LOG1PMX = KernelFunction("log1pmx", _log1pmx)
LOG1MEXP = KernelFunction("log1mexp", _log1mexp, LOG1MEXP_PLAIN)
SOFTPLUS = KernelFunction("softplus", _softplus, SOFTPLUS_PLAIN, contract=False)
LOGADDEXP = KernelFunction("logaddexp", _logaddexp, LOGADDEXP_PLAIN, contract=False, arity=2)
LOGCOSH = KernelFunction("logcosh", _logcosh, LOGCOSH_PLAIN)
