"""Functions of what takes few values: of a binary entry, and of the one entry that a one-hot vector chooses."""

from __future__ import annotations

import sympy
from sympy import Expr, S

from ...ir.nodes import Bracket, Index, Read
from ...ir.slots import runs_whole
from .atoms import Total
from .polynomial import Polynomial, collected

BINARY = {"binary", "one-hot"}


def switch(form: Polynomial) -> tuple[Read, Polynomial, Polynomial] | None:
    """A binary entry in a form, and what the form is where that is 0 and where it is 1."""
    found = {
        a for m, _ in form for a, e in m if isinstance(a, Read) and a.tensor.facts & BINARY and e.is_positive
    }
    if not found:
        return None
    entry = min(found, key=str)
    off = Polynomial({m: c for m, c in form if not any(a == entry for a, _ in m)})
    on = Polynomial.sum(Polynomial({frozenset(f for f in m if f[0] != entry): c}) for m, c in form)
    return entry, off, on


def choice(form: Polynomial) -> tuple[Expr, Expr, Index] | None:
    """``sum_k y[k] f[k]`` with y one-hot: the entry y[k], the factors f[k], and k."""
    single = form.single()
    if single is None or len(single[0]) != 1:
        return None
    ((atom, exponent),) = single[0]
    if not isinstance(atom, Total) or exponent != 1 or len(atom.bound) != 1:
        return None
    (k,) = atom.bound
    factors = sympy.Mul.make_args(atom.body)
    hot = [f for f in factors if _is_hot(f) and runs_whole(f, k) == len(f.indices) - 1]
    if len(hot) != 1:
        return None
    return hot[0], single[1] * sympy.Mul(*(f for f in factors if f != hot[0])), k


def met(factors: list[tuple[Expr, Expr]]) -> list[tuple[Expr, Expr]] | None:
    """``y[i] y[j] = [i = j] y[i]`` of a one-hot vector, once; None where no two such factors meet."""
    hot = [a for a, e in factors if _is_hot(a) and e == 1]
    for n, first in enumerate(hot):
        for second in hot[n + 1 :]:
            if first.tensor == second.tensor and first.indices[:-1] == second.indices[:-1]:
                same = Bracket(
                    sympy.Eq(*sorted((first.indices[-1], second.indices[-1]), key=str), evaluate=False)
                )
                return [f for f in factors if f[0] != second] + [(same, S.One)]
    return None


def all_met(form: Polynomial) -> Polynomial:
    """A form in which no two entries of a one-hot vector are multiplied."""
    parts = []
    for monomial, coefficient in form:
        factors = sorted(monomial, key=str)
        while (fewer := met(factors)) is not None:
            factors = sorted(collected(fewer)[0], key=str)
        parts.append(Polynomial.monomial(factors, coefficient))
    return Polynomial.sum(parts)


def _is_hot(e: Expr) -> bool:
    return isinstance(e, Read) and "one-hot" in e.tensor.facts
