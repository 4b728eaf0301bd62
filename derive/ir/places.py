"""Index expressions made of quotients and remainders in their shortest form."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from .nodes import Read
from .sizes import interval


def shortest_places(entry: Any) -> Any:
    """`entry` with the places of its reads in shortest form: splitting an axis and merging it again leaves nothing.

    ``floor(k/d)`` is 0 and ``k mod d`` is k for 0 <= k < d; ``d floor(e/d) + e mod d`` is e.
    """
    if isinstance(entry, Read):
        return Read(entry.tensor, [_merged(shortest_places(place)) for place in entry.indices])
    if not entry.args or not entry.has(Read, sympy.floor, sympy.Mod):
        return entry
    return _within(entry.func(*map(shortest_places, entry.args)))


def _within(e: Any) -> Any:
    """A quotient or a remainder with what the divisor divides, or is larger than, taken out."""
    if not isinstance(e, sympy.floor | sympy.Mod):
        return e
    above, below = e.args if isinstance(e, sympy.Mod) else sympy.fraction(sympy.together(e.args[0]))
    whole = rest = S.Zero
    for term in sympy.Add.make_args(sympy.expand(_merged(above))):
        ratio = sympy.cancel(term / below)
        if ratio.is_integer:
            whole += ratio
        else:
            rest += term
    if isinstance(e, sympy.Mod):
        return rest if _smaller(rest, below) else sympy.Mod(rest, below)
    return whole if _smaller(rest, below) else whole + sympy.floor(rest / below)


def _smaller(e: Expr, bound: Expr) -> bool:
    limits = interval(e)
    if limits is None:
        return False
    low, high = limits
    return bool(low.is_nonnegative and sympy.expand(bound - 1 - high).is_nonnegative)


def _merged(place: Expr) -> Expr:
    """The place with each quotient and remainder of one thing put together again."""
    for remainder in place.atoms(sympy.Mod):
        whole, divisor = remainder.args
        for quotient in place.atoms(sympy.floor):
            if sympy.expand(quotient.args[0] * divisor - whole) == 0:
                factor = sympy.expand(place).coeff(remainder)
                rest = sympy.expand(place - factor * (remainder + divisor * quotient))
                if factor != 0 and not rest.has(remainder, quotient):
                    return _merged(rest + factor * whole)
    return place
