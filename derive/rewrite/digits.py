"""A summed index that is only read by its digits becomes its digits: sums over merged axes are sums over the axes."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr

from ..ir.nodes import Index, Read, indices_of, substitute


def split_digits(term: Expr, bound: tuple[Index, ...]) -> tuple[Expr, tuple[Index, ...]]:
    """``sum_f X[floor(f/s), f mod s]`` is ``sum_h sum_l X[h, l]`` with f = h s + l, where s divides the extent of f."""
    for f in bound:
        divisors = {m.args[1] for m in _parts(term, sympy.Mod) if m.args[0] == f}
        for s in sorted(divisors, key=lambda d: len(d.free_symbols)):
            count = sympy.cancel(f.extent / s)
            if sympy.denom(count) != 1:
                continue
            taken = {i.name for i in (*bound, *indices_of(term))}
            names = (n for n in (f"{f.name}{d}" for d in range(100)) if n not in taken)
            high, low = Index(next(names), count), Index(next(names), s)
            written = _in_digits(term, f, s, high, low)
            if f not in indices_of(written):
                rest = tuple(b for b in bound if b is not f)
                return split_digits(written, (*rest, high, low))
    return term, bound


def _parts(e: Any, kind: Any) -> set[Any]:
    """The quotients or remainders in an expression, also inside the indices of reads."""
    if isinstance(e, kind):
        return {e}.union(*(_parts(a, kind) for a in e.args))
    children = e.indices if isinstance(e, Read) else e.args
    found: set[Any] = set()
    for child in children:
        found |= _parts(child, kind)
    return found


def _in_digits(term: Expr, f: Index, s: Expr, high: Index, low: Index) -> Expr:
    mapping: dict[Any, Any] = {sympy.Mod(f, s): low}
    for quotient in _parts(term, sympy.floor):
        divisor = sympy.cancel(f / quotient.args[0]) if quotient.args[0] != 0 else f
        ratio = sympy.cancel(divisor / s)
        if f not in indices_of(divisor) and sympy.denom(ratio) == 1:
            mapping[quotient] = high if ratio == 1 else sympy.floor(high / ratio)
    return substitute(term, mapping)
