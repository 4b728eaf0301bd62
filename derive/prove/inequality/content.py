"""What a product is made of whatever its indices are: products that can be equal after a sum have the same content."""

from __future__ import annotations

from collections.abc import Iterable

import sympy
from sympy import Expr, S

from ...ir.nodes import Bracket, Index, Read, reads_of
from ..forms.atoms import Total

Content = dict[str, Expr]


def content(factors: Iterable[tuple[Expr, Expr]]) -> frozenset[tuple[str, Expr]]:
    """Names with exponents; sizes, numbers and weights that may add up to 1 are left out."""
    found: Content = {}
    for atom, exponent in factors:
        _add(found, atom, exponent)
    return frozenset((name, e) for name, e in found.items() if e != 0)


def _add(found: Content, atom: Expr, exponent: Expr) -> None:
    match atom:
        case Total():
            for factor in sympy.Mul.make_args(atom.body):
                base, e = factor.as_base_exp() if factor.is_Pow else (factor, S.One)
                _add(found, base, e * exponent)
            return
        case Read():
            if atom.tensor.facts & {"simplex", "orthogonal"}:
                return
            name = atom.tensor.name
        case Bracket() | Index() | sympy.Symbol():
            return
        case _:
            if atom.is_number:
                return
            name = f"{atom.func.__name__} of {sorted({r.tensor.name for r in reads_of(atom)})}"
    found[name] = found.get(name, S.Zero) + exponent
