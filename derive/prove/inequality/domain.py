"""What a claim says of its inputs by being defined at all: where log(p) stands, p is positive."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr

from ...ir.facts import IMPLIES
from ...ir.nodes import Bracket, Program, Read, Tensor, Where
from ...ir.tensors import with_tensors
from ..forms.polynomial import Polynomial
from .scene import atoms_of


def within_domain(program: Program, forms: tuple[Polynomial, ...]) -> tuple[Program, tuple[str, ...]]:
    """The program with the facts that its logarithms and roots presuppose, and a sentence for each.

    forms: the sides. Where a condition chooses between values nothing is concluded, since both need not be defined.
    """
    if any(e.body.has(Where, Bracket) for e in program.equations):
        return program, ()
    found: dict[Tensor, str] = {}
    for atom in _within(forms):
        if isinstance(atom, sympy.log):
            for read in _positive_factors(atom.args[0]):
                if read.tensor in program.inputs and "positive" not in read.tensor.facts:
                    found.setdefault(read.tensor, "positive")
    renamed = {t: replace(t, facts=t.facts | {fact, *IMPLIES[fact]}) for t, fact in found.items()}
    said = tuple(f"{t.name} is {fact} wherever the claim is defined" for t, fact in found.items())
    return (with_tensors(program, renamed), said) if renamed else (program, ())


def arguments_of_logarithms(program: Program, forms: tuple[Polynomial, ...]) -> frozenset[Expr]:
    """What is positive wherever the sides are defined."""
    if any(e.body.has(Where, Bracket) for e in program.equations):
        return frozenset()
    return frozenset(a.args[0] for a in _within(forms) if isinstance(a, sympy.log) and not a.args[0].is_number)


def _within(forms: tuple[Polynomial, ...]) -> list[Expr]:
    """All atoms, also within sums."""
    top = atoms_of(m for f in forms for m in f.terms)
    return list(
        dict.fromkeys(x for a in top for x in sympy.preorder_traversal(a) if isinstance(x, sympy.Expr))
    )


def _positive_factors(argument: Expr) -> list[Read]:
    """The factors of what has a logarithm, if none of them can be negative, or if there is only one."""
    factors = [f.as_base_exp()[0] for f in sympy.Mul.make_args(argument)]
    reads = [f for f in factors if isinstance(f, Read)]
    if len(factors) == len(reads) == 1 and argument == factors[0]:
        return reads
    others = [f for f in factors if f not in reads]
    return reads if all(r.is_nonnegative for r in reads) and all(f.is_positive for f in others) else []
