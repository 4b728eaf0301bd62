"""Which atoms, products and forms cannot be negative, term by term."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import sympy
from sympy import Expr, S

from ...ir.nodes import Read, Slot, Tensor, substitute
from ..forms.atoms import Applied, Total
from ..forms.polynomial import Monomial, Polynomial, TooLarge
from .forms import over
from .goal import Goal
from .rewriting import inside
from .squares import Opened, Squares, opened, slot_extent, squares

DEFINITE = {"positive definite", "positive semidefinite"}


class Signs:
    """Signs under the declared facts and those of a case; what is found is kept."""

    def __init__(self, goal: Goal) -> None:
        self.forms = goal.forms
        self.given = goal.signs
        self.sure = goal.positive
        self.kept: dict[tuple[str, Expr | Monomial], bool] = {}

    # -- atoms

    def nonnegative(self, atom: Expr) -> bool:
        """Whether the atom is nonnegative wherever it is defined."""
        return self._once("nonnegative", atom, lambda: self._nonnegative(atom))

    def positive(self, atom: Expr) -> bool:
        return self._once("positive", atom, lambda: self._positive(atom))

    def _nonnegative(self, atom: Expr) -> bool:
        if atom in self.given or atom.is_nonnegative:
            return True
        match atom:
            case Total():
                return self.monomial(frozenset({(atom, S.One)}))
            case sympy.Add():
                return self.form(self.forms.form(atom))
            case sympy.log():
                return self.form(self.forms.form(atom.args[0]) - Polynomial.number(1))
            case Applied() if str(atom.args[0]) in ("max", "min", "prod"):
                return self.form(inside(over(atom), self.forms)[0])
            case Applied() if str(atom.args[0]) == "det":
                return self.definite_matrix(atom)
            case sympy.Mul() | sympy.Pow():
                return self.form(self.forms.form(atom))
        return self.positive(atom) if self.diagonal(atom) else False

    def _positive(self, atom: Expr) -> bool:
        if atom in self.sure:
            return True
        if isinstance(atom, Total):
            whole = _filled(atom) and self.form(inside(atom, self.forms)[0], strict=True)
            return whole or self._mean_of_positive(atom)
        if atom.is_positive:
            return True
        match atom:
            case sympy.Add():
                return self.form(self.forms.form(atom), strict=True)
            case sympy.log():
                return self.form(self.forms.form(atom.args[0]) - Polynomial.number(1), strict=True)
            case Applied() if str(atom.args[0]) in ("max", "min", "prod"):
                return _filled(over(atom)) and self.form(inside(over(atom), self.forms)[0], strict=True)
            case Applied() if str(atom.args[0]) == "det":
                (operand,) = atom.args[2]
                return (
                    isinstance(operand, Read)
                    and self.definite_matrix(atom)
                    and "positive definite" in operand.tensor.facts
                )
        return self.diagonal(atom)

    def _mean_of_positive(self, total: Total) -> bool:
        """``sum_i p[i] u[i]`` with weights that add up to 1 and u[i] positive: not all weights are 0."""
        weights, rest = [], []
        for atom, exponent in _powers(total.body):
            simplex = isinstance(atom, Read) and "simplex" in atom.tensor.facts and atom.indices == total.bound
            if simplex and exponent == 1 and atom.tensor.shape == (total.bound[0].extent,):
                weights.append(atom)
            else:
                rest.append((atom, exponent))
        return len(weights) == 1 and self.monomial(frozenset(rest), strict=True)

    def diagonal(self, atom: Expr) -> bool:
        """Whether this is a diagonal entry of a positive definite matrix."""
        return (
            isinstance(atom, Read)
            and "positive definite" in atom.tensor.facts
            and atom.indices[-1] == atom.indices[-2]
            and not isinstance(atom.indices[-1], Slot)
        )

    def definite(self, atom: Expr) -> bool:
        """Whether this is an entry of a positive semidefinite matrix."""
        if isinstance(atom, Read):
            return bool(atom.tensor.facts & DEFINITE) and not any(isinstance(i, Slot) for i in atom.indices)
        if isinstance(atom, Applied) and atom.symmetric and not any(isinstance(i, Slot) for i in atom.places):
            return self._once("definite", atom.args[2][0], lambda: self.definite_matrix(atom))
        return False

    def definite_matrix(self, atom: Applied) -> bool:
        """Whether the operand of a primitive is positive semidefinite: ``v'Mv`` is a sum of squares for every v."""
        (operand,) = atom.args[2]
        if isinstance(operand, Read):
            *batch, i, j = operand.indices
            whole = isinstance(i, Slot) and isinstance(j, Slot) and not _slots(sympy.Tuple(*batch))
            return whole and bool(operand.tensor.facts & DEFINITE)
        slots = sorted({s for s in _slots(operand)}, key=lambda s: s.number)
        if len(slots) != 2:
            return False
        extent = slot_extent(operand)
        if extent is None:
            return False
        i, j = self.forms.fresh(extent), self.forms.fresh(extent)
        v = Tensor("any vector", (extent,))
        form = self.forms.form(substitute(operand, {slots[0]: i, slots[1]: j}))
        both = Polynomial.of(Read(v, (i,))) * Polynomial.of(Read(v, (j,)))
        return self.form(self.forms.total(form * both, (i, j)))

    # -- products and forms

    def monomial(self, monomial: Monomial, strict: bool = False) -> bool:
        """Whether a product is nonnegative, or positive, where it is defined."""
        if strict:
            return all(self.positive(a) or (self._even(e) and e < 0) for a, e in monomial)
        return self._once("product", monomial, lambda: self._monomial(monomial))

    @staticmethod
    def _even(exponent: Expr) -> bool:
        return bool(exponent.is_Integer and exponent % 2 == 0)

    def _monomial(self, monomial: Monomial) -> bool:
        odd = []
        for atom, exponent in monomial:
            if self._even(exponent) or (exponent.is_Rational and exponent.q % 2 == 0):  # a square or a root
                continue
            alone = len(monomial) == 1 and isinstance(atom, Total)
            if self._shallow(atom) if alone else self.nonnegative(atom):
                continue
            if not exponent.is_Integer:
                return False
            odd.append((atom, S.One))
        return not odd or self.squares(odd) is not None

    def squares(self, product: list[tuple[Expr, Expr]] | Monomial) -> Squares | None:
        """The product as a sum of squares; of definite matrices all, none or one as R'R."""
        whole = self.opened(product)
        entries = [a for a, e in whole.factors if e == 1 and self.definite(a)]
        for split in dict.fromkeys((tuple(entries), (), *((a,) for a in entries))):
            found = squares(opened(whole.factors, self.forms, split, whole.bound), self.nonnegative)
            if found is not None:
                return found
        return None

    def _shallow(self, atom: Expr) -> bool:
        """Whether every factor in a sum is nonnegative."""
        return bool(atom.is_nonnegative) or all(
            self._even(e) or (e.is_Rational and e.q % 2 == 0) or self.nonnegative(b) for b, e in _powers(atom.args[0])
        )

    def opened(self, monomial: list[tuple[Expr, Expr]] | Monomial) -> Opened:
        """All sums of a product under one, definite matrices as they are."""
        return opened(monomial, self.forms)

    def form(self, form: Polynomial, strict: bool = False) -> bool:
        """Whether every term is nonnegative; strict: and one of them, or a number, positive."""
        some = False
        for monomial, c in form:
            if c < 0 or not self.monomial(monomial):
                return False
            some = some or self.monomial(monomial, strict=True)
        return some or not strict

    def _once(self, what: str, key: Expr | Monomial, find: Callable[[], bool]) -> bool:
        if (what, key) not in self.kept:
            self.kept[what, key] = False  # what asks for itself finds nothing
            with suppress(TooLarge):
                self.kept[what, key] = bool(find())
        return self.kept[what, key]


def _filled(total: Total) -> bool:
    """Whether every index has a value: an axis of n - 1 entries may have none."""
    return all(b.extent.is_positive for b in total.bound)


def _powers(product: Expr) -> list[tuple[Expr, Expr]]:
    return [f.as_base_exp() if f.is_Pow else (f, S.One) for f in sympy.Mul.make_args(product)]


def _slots(e: object) -> set[Slot]:
    if isinstance(e, Slot):
        return {e}
    return {s for child in (e.indices if isinstance(e, Read) else e.args) for s in _slots(child)}  # type: ignore[attr-defined]
