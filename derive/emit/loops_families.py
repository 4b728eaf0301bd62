"""Functions of a constant order as source that kernels bring along, one function for each order that is called.

All of them compute in double precision, also in kernels of single precision.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..ops.elementwise._fits import Fit
from ..ops.elementwise.tails import _IERFCX, _MILLS

HEAD = '@njit(cache=True, error_model="numpy", fastmath=False)'


def horner(fit: Fit, indent: int = 4) -> str:
    """Statements that leave a polynomial in t in p."""
    first, *rest = reversed(fit)
    return f"\n{' ' * indent}".join([f"p = {first!r}", *(f"p = p * t + {c!r}" for c in rest)])


def _ierfcx(n: int) -> str:
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
        return {{cast}}(e{n})
    t = 1.0 - 8.0 / (x + 4.0)
    {horner(_IERFCX[n])}
    return {{cast}}(p / ({1 + 0.5 * n} + 2.0 * x) ** {n + 1})
'''


MILLS_BELOW = ("p * (1.0 + u)", "p", "p / (2.0 + u) ** 3", "p / (3.0 + u) ** 4")
MILLS_ABOVE = ("m", "-m * w", "m * (w * (w + m) - 1.0)", "m * (w * (3.0 - w * (w + 4.0 * m) - m * m) + m)")


def _mills(n: int) -> str:
    return f'''
def mills_{n}(x):
    """The derivative of order {n} of the inverse Mills ratio: a polynomial up to 1/2, then what it is in the ratio."""
    x = np.float64(x)
    if x < 0.5:
        u = 0.5 - x
        t = 1.0 - 6.0 / (u + 3.0)
        {horner(_MILLS[n], 8)}
        return {{cast}}({MILLS_BELOW[n]})
    short = math.floor(16.0 * (x if x < 40.0 else 40.0)) / 16.0
    m = 0.3989422804014327 * math.exp(-0.5 * short * short) * math.exp(-0.5 * (x - short) * (x + short))
    if m == 0.0:
        return {{cast}}({"-0.0" if n % 2 else "0.0"})
    m /= 1.0 - 0.5 * math.erfc(0.7071067811865476 * x)
    w = x + m
    return {{cast}}({MILLS_ABOVE[n]})
'''


FAMILIES: dict[str, Callable[[int], str]] = {"ierfcx": _ierfcx, "mills": _mills}
"""The text of each function, by its order; ``{cast}`` is the type of a kernel's numbers."""

ORDERED = tuple(f"{family}_{n}" for family in FAMILIES for n in range(10))
"""Names that nothing else in a module should have."""

CALL = re.compile(rf"(?<![\w.])(?:{'|'.join(FAMILIES)})_\d+(?=\()")


def family_function(name: str, typed: bool) -> str:
    """The source of one function, ``mills_1``, for kernels of double precision, or `typed` of single."""
    family, _, order = name.rpartition("_")
    return HEAD + FAMILIES[family](int(order)).format(cast="real" if typed else "np.float64").rstrip("\n")
