"""Differences of log gamma by Stirling's series, ten steps of the recurrence further where an argument is small."""

from __future__ import annotations

from ._cores import mantissa, series
from ._format import Format
from ._record import KernelFunction

STEPS = 10
STIRLING = (
    "1.0 / 12.0",
    "-1.0 / 360.0",
    "1.0 / 1260.0",
    "-1.0 / 1680.0",
    "1.0 / 1188.0",
    "-691.0 / 360360.0",
    "1.0 / 156.0",
)


def _change(f: Format) -> str:
    """Statements that leave the difference of Stirling's series from z to z + h, without h log(z), in change, and the
    logarithm of the ratio of the rising factorials of x + h and x, where they are needed, in rising.

    The difference of the factorials, and those of the powers of 1 / z, follow recurrences in which nothing cancels.
    """
    factorials = "\n    ".join(
        f"apart = apart * (x + (h + {k}.0)) + above * h\n    "
        f"above = above * (x + {k}.0)\n    beyond = beyond * (x + h + {k}.0)"
        for k in range(STEPS)
    )
    tail = "\n    ".join(
        f"tail += {c} * gap\n    gap = gap * beyond_square + power * squares\n    power = power * square"
        for c in STIRLING
    )
    return f"""moved = x < 10.0 or x + h < 10.0
    apart, above, beyond = 0.0, 1.0, 1.0
    {factorials}
    far = apart < -0.5 * above
    ratio = (beyond if far else apart) / above
    u = ratio if far else 1.0 + ratio
    b = u - 1.0
    c = 0.0 if far else (1.0 - (u - b)) + (ratio - b)
    {mantissa(f, "u", "c")}
    {series(f)}
    rising = n * {f.ln2[0]} - ((half - p) - f) if moved else 0.0
    z = x + {STEPS}.0 if moved else x
    r = h / z
    power = 1.0 / z
    last = 1.0 / (z + h)
    square, beyond_square = power * power, last * last
    gap = -(h * power) * last
    squares = gap * (power + last)
    tail = 0.0
    {tail}
    change = z * log1pmx(r) + ((h - 0.5) * math.log1p(r) + tail)
    rare = not (x > 0.0 and x + h > 0.0) or h > 1e25 or (moved and x > 1e25)"""


def _gammaln_diff(f: Format, order: int) -> str:
    return f'''
def gammaln_diff(x, h):
    """log(gamma(x + h)) - log(gamma(x))."""
    {_change(f)}
    y = h * math.log(z) + change - rising
    if rare:
        y = rare_lgamma(x + h) - rare_lgamma(x)
    return y
'''


def _gammaln_excess(f: Format, order: int) -> str:
    return f'''
def gammaln_excess(x, h):
    """log(gamma(x + h)) - log(gamma(x)) - h log(x): h log(x) cancels where no argument is small."""
    {_change(f)}
    y = (h * math.log(z) + change - rising) - h * math.log(x) if moved else change
    if rare and moved:
        y = rare_lgamma(x + h) - rare_lgamma(x) - h * math.log(x)
    return y
'''


GAMMALN_DIFF = KernelFunction("gammaln_diff", _gammaln_diff, double=True, arity=2)
GAMMALN_EXCESS = KernelFunction("gammaln_excess", _gammaln_excess, double=True, arity=2)
