"""Whether an index expression stays inside an axis, for all sizes."""

from __future__ import annotations

import sympy
from sympy import Dummy, Expr

from ..ir.nodes import Index, Read, indices_of


def inside(index: Expr, extent: Expr) -> bool:
    """True if ``0 <= index < extent`` can be shown; an integer tensor without a declared bound is trusted."""
    if isinstance(index, Read) and index.tensor.bound is None:
        return True
    found = limits(index)
    return found is not None and nonnegative(found[0]) and nonnegative(extent - 1 - found[1])


def limits(index: Expr) -> tuple[Expr, Expr] | None:
    """The smallest and the largest value of a linear index expression, in sizes; None if it is not linear."""
    low = high = sympy.S.Zero
    for term in sympy.Add.make_args(sympy.expand(index)):
        atoms = [a for a in sympy.Mul.make_args(term) if _varies(a)]
        if not atoms:
            low, high = low + term, high + term
            continue
        factor, top = term / atoms[0], _top(atoms[0])
        if len(atoms) > 1 or top is None or factor.is_positive is None:
            return None
        low, high = (low, high + factor * top) if factor.is_positive else (low + factor * top, high)
    return low, high


def _varies(atom: Expr) -> bool:
    return bool(indices_of(atom)) or atom.has(Read)


def _top(atom: Expr) -> Expr | None:
    """The largest value of an index, an integer that was read, a remainder or a digit ``i // m``; the smallest is 0."""
    if isinstance(atom, sympy.Mod):
        return atom.args[1] - 1 if atom.args[1].is_positive else None
    if isinstance(atom, sympy.floor):
        return _last_digit(atom)
    if isinstance(atom, Index):
        return atom.extent - 1
    if isinstance(atom, Read) and atom.tensor.bound is not None:
        return atom.tensor.bound - 1
    return None


def _last_digit(atom: Expr) -> Expr | None:
    """The largest value of ``i // w`` where w divides the extent of i."""
    indices = list(indices_of(atom))
    if len(indices) != 1:
        return None
    count = sympy.cancel(indices[0].extent * atom.args[0] / indices[0])
    return count - 1 if not indices_of(count) and sympy.fraction(count)[1] == 1 else None


def nonnegative(value: Expr) -> bool:
    """True if a polynomial in the sizes is at least 0 whenever they all are at least 1."""
    shifted = {s: 1 + Dummy(s.name, nonnegative=True) for s in value.free_symbols}
    terms = sympy.Add.make_args(sympy.expand(value.subs(shifted, simultaneous=True)))
    return all(term.is_nonnegative for term in terms)
