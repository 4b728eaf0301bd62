"""The derivative of a canonical form along a direction."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy import Expr, S

from ...ir.nodes import Read, Slot, Tensor, reads_of, substitute
from ..forms.atoms import Applied, Grow, Total
from ..forms.polynomial import Polynomial
from .forms import Forms
from .rewriting import inside
from .squares import slots_of


class NoDerivative(Exception):
    """An atom that depends on the variables and has no derivative here."""


Directions = Mapping[Tensor, Tensor]
"""For each variable the array of its direction."""


def along(form: Polynomial, forms: Forms, directions: Directions) -> Polynomial:
    """The derivative of the form where every variable moves along its direction.

    Raises:
        NoDerivative: an atom is no smooth function of the variables.
    """
    parts = []
    for monomial, c in form:
        for atom, exponent in monomial:
            if not depends(atom, directions):
                continue
            rest = Polynomial.monomial([*(monomial - {(atom, exponent)}), (atom, exponent - 1)], c * exponent)
            parts.append(rest * _atom(atom, forms, directions))
    return forms.form(Polynomial.sum(parts).expression())


def depends(e: Expr, directions: Directions) -> bool:
    """Whether an expression reads one of the variables."""
    return any(r.tensor in directions for r in reads_of(e))


def _atom(a: Expr, forms: Forms, directions: Directions) -> Polynomial:
    def inner(e: Expr) -> Polynomial:
        return along(forms.form(e), forms, directions)

    match a:
        case Read():
            return forms.form(Read(directions[a.tensor], a.indices))
        case Total():
            body, bound = inside(a, forms)
            return forms.total(along(body, forms, directions), bound)
        case sympy.Add():
            return Polynomial.sum(inner(x) for x in a.args)
        case sympy.Mul():
            return along(Polynomial.product(forms.form(x) for x in a.args), forms, directions)
        case sympy.Pow() if a.exp.is_number:
            return forms.power(forms.form(a.base), a.exp - 1).scaled(a.exp) * inner(a.base)
        case Grow():
            return Polynomial.of(a) * inner(a.args[0])
        case sympy.log():
            return forms.power(forms.form(a.args[0]), S.NegativeOne) * inner(a.args[0])
        case sympy.sin():
            return Polynomial.of(sympy.cos(a.args[0])) * inner(a.args[0])
        case sympy.cos():
            return Polynomial.of(sympy.sin(a.args[0])).scaled(-1) * inner(a.args[0])
        case Applied():
            return _primitive(a, forms, directions)
    raise NoDerivative(str(a))


def _primitive(a: Applied, forms: Forms, directions: Directions) -> Polynomial:
    """``d inv(M) = -inv(M) dM inv(M)``, ``d logdet(M) = tr(inv(M) dM)``, ``d det(M) = det(M) tr(inv(M) dM)``."""
    name = str(a.args[0])
    if name not in ("inv", "det", "slogdet"):
        raise NoDerivative(str(a))
    (operand,) = a.args[2]
    slots = slots_of(operand)
    if len(slots) != 2:
        raise NoDerivative(str(a))
    k, j = forms.fresh(a.extent), forms.fresh(a.extent)
    matrix = forms.form(substitute(operand, dict(zip(slots, (Slot(0), Slot(1)), strict=True))))
    moved = along(forms.form(substitute(operand, dict(zip(slots, (k, j), strict=True)))), forms, directions)
    if name == "inv":
        row, column = a.places
        left, right = (forms.inverse(matrix, a.extent, *p) for p in ((row, k), (j, column)))
        return forms.total(left * moved * right, (k, j)).scaled(-1)
    trace = forms.total(forms.inverse(matrix, a.extent, j, k) * moved, (k, j))
    if name == "slogdet":
        return trace if a.args[1] == 1 else Polynomial.number(0)
    return Polynomial.of(a) * trace
