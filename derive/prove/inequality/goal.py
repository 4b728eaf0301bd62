"""What is to be shown, what is known, and what was found: forms that are nonnegative."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr

from ...ir.nodes import Index
from ..forms.atoms import Total
from ..forms.polynomial import Polynomial
from .forms import Forms


@dataclass(frozen=True, eq=False)
class Known:
    """A form that is nonnegative wherever it is defined, and why.

    strict: whether it is positive. cost: how much a reader has to think; proofs prefer what is cheap.
    equal: whether `why` is the form itself, written so that its sign can be seen.
    """

    form: Polynomial
    why: str
    strict: bool = False
    cost: float = 1.0
    equal: bool = False


@dataclass(frozen=True, eq=False)
class Largest:
    """The entry at a free index is at least, or with sign -1 at most, every other entry."""

    total: Total
    entry: Polynomial
    sign: int


@dataclass(frozen=True, eq=False)
class Goal:
    """``form >= 0``, or ``form > 0``, for all values of the inputs and of the free indices.

    given: what may be used, as the facts of one case. signs: atoms that are nonnegative in this case.
    positive: atoms that are positive wherever the claim is defined, as the arguments of its logarithms are.
    largest: entries that stand for a maximum or a minimum.
    """

    form: Polynomial
    strict: bool
    forms: Forms
    free: tuple[Index, ...] = ()
    given: tuple[Known, ...] = ()
    signs: frozenset[Expr] = frozenset()
    positive: frozenset[Expr] = frozenset()
    largest: tuple[Largest, ...] = ()

    def with_form(self, form: Polynomial) -> Goal:
        return replace(self, form=form)

    def normal(self, form: Polynomial) -> Polynomial:
        """The form of its own expression: what new exponents made possible is done."""
        return self.forms.form(form.expression())


@dataclass(frozen=True)
class Proof:
    """The lines of an argument, each of which a reader can check."""

    lines: tuple[str, ...]

    def after(self, *lines: str) -> Proof:
        """The same argument behind some first steps."""
        return Proof((*lines, *self.lines))

    def __str__(self) -> str:
        return "\n".join(self.lines)
