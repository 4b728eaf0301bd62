"""Functions of a constant order, one for each order that is called; in double precision in kernels of single too."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...ops.elementwise._fits import Fit
from ...ops.elementwise.bessel_ratios import _BESSEL_RATIO
from ...ops.elementwise.relative import _BOSEX, _RELEXP, _RELLOG1P
from ...ops.elementwise.tails import _IERFCX, _MILLS
from ._format import Format
from ._record import KernelFunction


def horner(fit: Fit, indent: int = 4) -> str:
    """Statements that leave a polynomial in t in p."""
    first, *rest = reversed(fit)
    return f"\n{' ' * indent}".join([f"p = {first!r}", *(f"p = p * t + {c!r}" for c in rest)])


def _ierfcx(f: Format, n: int) -> str:
    recurrence = "\n        ".join(
        f"e{k} = ({'1.1283791670955126' if k == 1 else f'e{k - 2}'} - 2.0 * x * e{k - 1}) / {2.0 * k}"
        for k in range(1, n + 1)
    )
    return f'''
def ierfcx_{n}(x):
    """exp(x**2) times the integral of order {n} of erfc: below 0 by recurrence, above by a polynomial."""
    x = np.float64(x)
    if x < 0.0:
        e0 = np.float64(erfcx(x))
        {recurrence}
        return (e{n})
    t = 1.0 - 8.0 / (x + 4.0)
    {horner(_IERFCX[n])}
    return (p / ({1 + 0.5 * n} + 2.0 * x) ** {n + 1})
'''


MILLS_BELOW = ("p * (1.0 + u)", "p", "p / (2.0 + u) ** 3", "p / (3.0 + u) ** 4")
MILLS_ABOVE = ("m", "-m * w", "m * (w * (w + m) - 1.0)", "m * (w * (3.0 - w * (w + 4.0 * m) - m * m) + m)")


def _mills(f: Format, n: int) -> str:
    return f'''
def mills_{n}(x):
    """The derivative of order {n} of the inverse Mills ratio: a polynomial up to 1/2, then what it is in the ratio."""
    x = np.float64(x)
    if x < 0.5:
        u = 0.5 - x
        t = 1.0 - 6.0 / (u + 3.0)
        {horner(_MILLS[n], 8)}
        return ({MILLS_BELOW[n]})
    short = math.floor(16.0 * (x if x < 40.0 else 40.0)) / 16.0
    m = 0.3989422804014327 * math.exp(-0.5 * short * short) * math.exp(-0.5 * (x - short) * (x + short))
    if m == 0.0:
        return ({"-0.0" if n % 2 else "0.0"})
    m /= 1.0 - 0.5 * math.erfc(0.7071067811865476 * x)
    w = x + m
    return ({MILLS_ABOVE[n]})
'''


BERNOULLI = (
    "1.0 / 6.0",
    "-1.0 / 30.0",
    "1.0 / 42.0",
    "-1.0 / 30.0",
    "5.0 / 66.0",
    "-691.0 / 2730.0",
    "7.0 / 6.0",
)


def _stirling(n: int) -> str:
    """Statements that take the terms with Bernoulli's numbers from a total."""
    weights = [
        (math.factorial(2 * k + n - 1) / math.factorial(2 * k), 2 * k + n)
        for k in range(1, len(BERNOULLI) + 1)
    ]
    return "\n    ".join(
        f"total -= {b} * {weight!r} * math.expm1(-{m}.0 * ell) * power\n    power *= square"
        for b, (weight, m) in zip(BERNOULLI, weights, strict=True)
    )


def _polygamma_diff(f: Format, n: int) -> str:
    factorial = f"{float(math.factorial(n))!r}"
    gap = " + ".join(f"(h / {_power('a', n + 1 - i)}) / {_power('b', i + 1)}" for i in range(n + 1))
    first = (
        "ell"
        if n == 0
        else f"-{float(math.factorial(n - 1))!r} * math.expm1(-{n}.0 * ell) / {_power('x', n)}"
    )
    series = _stirling(n)
    return f'''
def polygamma_diff_{n}(x, h):
    """polygamma({n}, x + h) - polygamma({n}, x): the recurrence, then Stirling's series, all of one sign."""
    x, h = np.float64(x), np.float64(h)
    if not (x > 0.0 and x + h > 0.0):
        return (math.nan)
    total = 0.0
    a, b = x, x + h
    while a < {10.0 + n} or b < {10.0 + n}:
        total += {factorial} * ({gap})
        a += 1.0
        b += 1.0
    x = a
    ell = math.log1p(h / x)
    total += {first}
    total -= {0.5 * math.factorial(n)!r} * math.expm1(-{n + 1}.0 * ell) / {_power("x", n + 1)}
    square = 1.0 / (x * x)
    power = 1.0 / {_power("x", n + 2)}
    {series}
    return ({"total" if n % 2 == 0 else "-total"})
'''


def _polygamma_excess(f: Format, n: int) -> str:
    q = "0.0"
    for k in range(n - 1, -1, -1):
        q = f"({q}) * r + {float(n * math.comb(n, k + 1) - math.comb(n, k + 2))!r}"
    first = f"-{float(math.factorial(max(n - 1, 0)))!r} * (r * r * ({q}) / {_power('(1.0 + r)', n)}) / {_power('x', n)}"
    minus, whole = "-" if n % 2 == 0 else "+", float(math.factorial(n))
    return f'''
def polygamma_excess_{n}(x, h):
    """polygamma({n}, x + h) - polygamma({n}, x) less the derivative of h log(x), which cancels in Stirling's series."""
    x, h = np.float64(x), np.float64(h)
    if not (x >= 10.0 and x + h >= 10.0):
        return (np.float64(polygamma_diff_{n}(x, h)) {minus} {whole} * (h / {_power("x", n + 1)}))
    r = h / x
    ell = math.log1p(r)
    total = {"np.float64(log1pmx(r))" if n == 0 else first}
    total -= {0.5 * math.factorial(n)!r} * math.expm1(-{n + 1}.0 * ell) / {_power("x", n + 1)}
    square = 1.0 / (x * x)
    power = 1.0 / {_power("x", n + 2)}
    {_stirling(n)}
    return ({"total" if n % 2 == 0 else "-total"})
'''


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}**{exponent}"


def _bessel_ratio(f: Format, n: int) -> str:
    near, middle, far = _BESSEL_RATIO[n]
    divided = f" / size**{n + 1}" if n else ""
    return f'''
def bessel_ratio_{n}(x):
    """The derivative of order {n} of I_1 / I_0: polynomials in x**2, in x and in 1 / x."""
    x = np.float64(x)
    size = abs(x)
    if size < 2.5:
        t = 0.32 * size * size - 1.0
        {horner(near, 8)}
        return ({"p" if n % 2 else "p * x"})
    if size < 9.0:
        t = (size - 5.75) / 3.25
        {horner(middle, 8)}
    else:
        t = 18.0 / size - 1.0
        {horner(far, 8)}
    p = p{divided}
    return ({"p" if n % 2 else "-p if x < 0.0 else p"})
'''


def _relexp(f: Format, n: int) -> str:
    recurrence = "\n    ".join(f"p = (first - {k}.0 * p) / x" for k in range(1, n + 1))
    return f'''
def relexp_{n}(x):
    """The derivative of order {n} of (exp(x) - 1) / x: a polynomial up to 2, then I_k = (exp(x) - k I_(k-1)) / x."""
    x = np.float64(x)
    if abs(x) < 2.0:
        t = 0.5 * x
        {horner(_RELEXP[n], 8)}
        return (p)
    first = math.exp(x) if x < 0.0 else 1.0
    p = -math.expm1(-abs(x)) / abs(x)
    {recurrence}
    root = 1.0 if x < 0.0 else math.exp(0.5 * x)
    return (root * (root * p))
'''


def _rellog1p(f: Format, n: int) -> str:
    recurrence = "\n    ".join(
        f"power = power * slope * {max(k - 1, 1)}.0\n    p = (power - {k}.0 * p) / x" for k in range(1, n + 1)
    )
    return f'''
def rellog1p_{n}(x):
    """The derivative of order {n} of log(1 + x) / x: a polynomial between -1/2 and 1, then by (x L)' = 1 / (1 + x)."""
    x = np.float64(x)
    if -0.5 < x < 1.0:
        t = 3.0 * x / (2.0 + x)
        {horner(_RELLOG1P[n], 8)}
        return (p)
    if x > 1e300:
        x = 1e300
    p = math.log1p(x) / x if x > -1.0 else (math.inf if x == -1.0 else math.nan)
    slope = -1.0 / (1.0 + x)
    power = -1.0
    {recurrence}
    return (p)
'''


BOSEX_FAR = (
    "first",
    "above + below * first",
    "below * (first + 2.0 * second)",
    "below * (first + 3.0 * second + 3.0 * third)",
)
BOSEX_NAMES = ("first", "second", "third", "fourth")


def _bosex(f: Format, n: int) -> str:
    far = "\n    ".join(f"{BOSEX_NAMES[k]} = {BOSEX_FAR[k]}" for k in range(1, n + 1))
    return f'''
def bosex_{n}(x):
    """The derivative of order {n} of x / (exp(x) - 1): a polynomial up to 3, then by differentiating (exp(x) - 1) B = x."""
    x = np.float64(x)
    if abs(x) < 3.0:
        t = x / 3.0
        {horner(_BOSEX[n], 8)}
        return ({"p * x" if n == 3 else "p"})
    if x > 1e300:
        x = 1e300
    least = math.exp(-abs(x)) / -math.expm1(-abs(x))
    above, below = (-1.0 - least, least) if x < 0.0 else (least, -1.0 - least)
    first = x * above
    {far}
    return ({BOSEX_NAMES[n]})
'''


def _family(name: str, source: Callable[[Format, int], str], arity: int = 1) -> KernelFunction:
    return KernelFunction(name, source, ordered=True, double=True, contract=False, inlined=False, arity=arity)


IERFCX = _family("ierfcx", _ierfcx)
MILLS = _family("mills", _mills)
POLYGAMMA_DIFF = _family("polygamma_diff", _polygamma_diff, 2)
POLYGAMMA_EXCESS = _family("polygamma_excess", _polygamma_excess, 2)
BESSEL_RATIO = _family("bessel_ratio", _bessel_ratio)
RELEXP = _family("relexp", _relexp)
RELLOG1P = _family("rellog1p", _rellog1p)
BOSEX = _family("bosex", _bosex)
