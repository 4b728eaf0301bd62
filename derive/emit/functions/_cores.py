"""What functions share: pieces of source for exp and for log.

exp(x) = 2^k (1 + p), where p is a polynomial in r = x - k ln 2 with |r| <= ln(2) / 2. log(u) = k ln 2 + log(1 + f) with
1 + f between sqrt(1/2) and sqrt(2), where log(1 + f) = f - (f^2 / 2 - s (f^2 / 2 + R(s^2))), s = f / (2 + f) (FDLIBM).
"""

from __future__ import annotations

from typing import Any

from ._format import Fit, Format


def _exp_rest(mp: Any, r: Any) -> Any:
    return (mp.expm1(r) - r) / r**2 if r else mp.mpf(1) / 2


def _log_rest(mp: Any, z: Any) -> Any:
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z if z else mp.mpf(2) / 3


EXP_REST = Fit(_exp_rest, -0.3467, 0.3467, 3)
"""(exp(r) - 1 - r) / r^2, a tenth of which reaches the result."""
LOG_REST = Fit(_log_rest, 0.0, 0.02944, 4)
"""R(z) / z, in z = s^2 up to (3 - 2 sqrt(2))^2."""


def reduced(f: Format, x: str, low: str = "", rest: bool = False) -> str:
    """Statements that leave p = exp(r) - 1 and `shifted`, whose last bits are k; x is between the ends of `clamped`.

    low: a small number to add to x.  rest: keep what the rounding of r loses.
    """
    first, second = f.ln2
    lines = [
        f"shifted = {x} * {f.number(lambda mp: 1 / mp.log(2))} + {f.magic}",
        f"n = shifted - {f.magic}",
    ]
    if low or rest:
        lines += [
            f"s = {x} - n * {first}",
            f"t = {f'{low} - ' if low else '-'}n * {second}",
            "r = s + t",
            "c = (s - r) + t",
        ]
    else:
        lines += [f"r = {x} - n * {first} - n * {second}"]
    lines += [f.horner(EXP_REST, "r"), f"p = r + {'(r * r * p + c)' if low or rest else 'r * r * p'}"]
    return "\n    ".join(lines)


def clamped(f: Format, x: str, name: str, over: bool = True) -> str:
    """Statements that bring x to where exp is neither 0 nor infinite, or just beyond."""
    lines = [f"{name} = {f.underflow} if {x} < {f.underflow} else {x}"]
    lines += [f"{name} = {f.overflow} if {name} > {f.overflow} else {name}"] if over else []
    return "\n    ".join(lines)


def scaled(f: Format, x: str, value: str) -> str:
    """Statements that leave y = 2^k value, rounded once, also where it is no normal number; value is near 1."""
    spare = f.choose(64, 32)
    k = f.whole(f"{f.as_bits('shifted')} + ({f.bias + spare} if tiny else {f.bias - 1})")
    return f"""tiny = {x} < {f.choose("-700.0", "-80.0")}
    k = {k}
    y = {value} * {f.as_number(f"k << {f.mantissa}")}
    y = y * ({f.power(-spare)} if tiny else 2.0)"""


def power_of_two(f: Format, less: int = 0) -> str:
    """2^(k - less), where `shifted` has k in its last bits."""
    k = f.whole(f"{f.as_bits('shifted')} + {f.bias - less}")
    return f.as_number(f.whole(f"{k} << {f.mantissa}"))


def mantissa(f: Format, u: str, carry: str = "", lift: bool = False) -> str:
    """Statements that leave f and k, and k as a real number in n: u + carry = 2^k (1 + f) for u > 0.

    carry: what is lost in u, beside which it is small; what f loses of it is in `lost`.
    lift: u may be smaller than a normal number.
    """
    root = f.choose("0x3fe6a09e667f3bcd", "0x3f3504f3")
    above, power, k = f.whole(f"bits - {root}"), f.whole(f"k << {f.mantissa}"), "k"
    lines = [
        f"bits = {f.as_bits(u)}",
        f"k = {f.whole(f'{above} >> {f.mantissa}')}",
        f"f = {f.as_number(f'bits - {power}')} - 1.0",
    ]
    if lift:
        by = f.mantissa + 2
        first = [f"tiny = {u} < {f.normal}", f"lifted = {u} * {f.power(by)} if tiny else {u}"]
        lines = [*first, lines[0].replace(f"({u})", "(lifted)"), *lines[1:]]
        k = f.whole(f"k - ({by} if tiny else 0)")
    if carry:
        shift = f.whole(f"({f.bias} - k if k < {f.bias} else 0) << {f.mantissa}")
        lines += ["g = f", f"c = {carry} * {f.as_number(shift)}", "f = g + c", "lost = c - (f - g)"]
    lines += [f"n = {f.as_number(f'{k} + {f.as_bits(f.magic)}')} - {f.magic}"]
    return "\n    ".join(lines)


def series(f: Format) -> str:
    """Statements that leave half = f^2 / 2 and p: log(u) is n times the high part of ln 2, less (half - p) - f."""
    return f"""s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    {f.horner(LOG_REST, "z")}
    p = s * (half + z * p) + n * {f.ln2[1]}"""
