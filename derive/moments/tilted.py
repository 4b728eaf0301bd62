"""A random tensor under exponential weights: the total mass, and the means of products of entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sympy
from sympy import Expr, S

from ..distributions import Distribution, VectorDistribution
from ..errors import NoClosedForm
from ..ir.nodes import Bracket, Index, indices_of
from ..prove.forms.canonical import Canonical
from ..prove.forms.polynomial import Polynomial
from .cumulants import surely_positive
from .drawn import Drawn, Places

Factor = tuple[Expr, Expr]
"""An atom and its exponent."""


@dataclass(frozen=True)
class Term:
    """Factors of a product, those that are random apart, under a sum over indices."""

    fixed: list[Factor]
    random: list[Factor]
    bound: list[Index]


Argument = tuple[Expr, Term, Places]
"""A term of an exponent: a number times factors under a sum, times the entry at these places."""


class Tilted:
    """The law of a random tensor times ``exp(sum_j a_j x_j)``: its total mass, and the means of products of entries."""

    def __init__(self, forms: Canonical, drawn: Drawn, arguments: list[Argument]) -> None:
        self.forms, self.drawn, self.arguments = forms, drawn, arguments
        single = {place for _, term, place in arguments if not indices_in(place) & set(term.bound)}
        self.place = (
            next(iter(single)) if len(single) == 1 and len(arguments) == self._count(single) else None
        )
        self.mixed = bool(single) and self.place is None

    def _count(self, single: set[Places]) -> int:
        return sum(place in single for _, _, place in self.arguments)

    def weight(self, target: Places) -> Expr:
        """The coefficient of the entry at `target`."""
        parts = []
        for c, term, place in self.arguments:
            body = Polynomial.monomial(term.fixed, c)
            for own, wanted in zip(place, target, strict=True):
                body = body * self.forms.form(Bracket(sympy.Eq(own, wanted)))
            parts.append(self.forms.total(body, tuple(term.bound)))
        return Polynomial.sum(parts).expression()

    def mean(self, reads: Sequence[Places]) -> Polynomial:
        """The mean of exp(a'x) times entries of x."""
        record = self.drawn.record
        if isinstance(record, VectorDistribution):
            return self._vectors(record, reads)
        if record.order is not None or not (self.place or self.mixed):
            return self._everywhere(record, reads)
        if self.mixed or self.place is None:
            raise NoClosedForm(
                f"no formula here for the mean of exp of entries of {self.drawn.tensor.name} and of sums of them"
            )
        return self._at_one_place(record, self.place, reads)

    def _vectors(self, record: VectorDistribution, reads: Sequence[Places]) -> Polynomial:
        complex_weight = any(c.has(S.ImaginaryUnit) for c, _, _ in self.arguments)
        if (
            record.generating is None
            or (reads and record.tilted is None)
            or (complex_weight and record.order is None)
        ):
            raise NoClosedForm(
                f"no formula here for the mean of an exponential where {self.drawn.tensor.name} is {record.name}"
            )
        batch = tuple(self.forms.fresh(e) for e in self.drawn.tensor.shape[:-1])
        log_mass = record.generating(self._row(batch), self.total, *self.drawn.vector_parameters(batch))
        mass = self.exponential(self.forms.total(self.forms.form(log_mass), batch))
        if not reads:
            return mass
        count = self.drawn.batch

        def tilted(number: int, *places: Any) -> Expr:
            row = places[:count]
            parameters = self.drawn.vector_parameters(row)
            return record.tilted(self._row(row), self.total, *parameters)[number](*places[count:])  # type: ignore[misc]

        other = replace(
            self.drawn, parameters=tuple(partial(tilted, k) for k in range(len(self.drawn.parameters)))
        )
        return mass * self.forms.form(other.moment(reads))

    def exponential(self, form: Polynomial) -> Polynomial:
        """``exp(u + i v)``."""
        real, imaginary = ({m: c.as_real_imag()[k] for m, c in form} for k in (0, 1))
        turn, _ = self.forms.turned(Polynomial({m: c for m, c in imaginary.items() if c != 0}).expression())
        return self.forms.exponential(Polynomial({m: c for m, c in real.items() if c != 0})) * turn

    def _row(self, batch: Places) -> Callable[[Any], Expr]:
        return lambda i: self.weight((*batch, i))

    def total(self, body: Callable[[Index], Expr]) -> Expr:
        """The sum of a function over the last axis."""
        index = self.forms.fresh(self.drawn.tensor.shape[-1])
        return self.forms.total(self.forms.form(body(index)), (index,)).expression()

    def _everywhere(self, record: Distribution, reads: Sequence[Places]) -> Polynomial:
        """Independent entries, each with a weight."""
        axes = tuple(self.forms.fresh(e) for e in self.drawn.tensor.shape)
        weight = self.weight(axes)
        if record.order is None and weight.has(Bracket):
            raise NoClosedForm(
                f"no formula here for the mean of exp of entries of {self.drawn.tensor.name} and of sums of them"
            )
        log_mass = self.forms.form(self._log_mass(record, weight, axes))
        mass = self.exponential(self.forms.total(log_mass, axes))
        if not reads:
            return mass
        return mass * self.forms.form(self._with(record, self.weight).moment(reads))

    def _at_one_place(self, record: Distribution, place: Places, reads: Sequence[Places]) -> Polynomial:
        """One entry with a weight; the others have their law as it was."""
        weight = self.weight(place)
        mass = self.exponential(self.forms.form(self._log_mass(record, weight, place)))
        if not reads:
            return mass
        tilted, before = self._with(record, lambda _: weight), self.drawn

        class Partly(Drawn):
            def cumulant(self, group: Sequence[Places]) -> Expr:
                there = sympy.Mul(*(Bracket(sympy.Eq(a, b)) for a, b in zip(group[0], place, strict=True)))
                plain = before.cumulant(group)
                return plain + there * (tilted.cumulant(group) - plain)

        return mass * self.forms.form(Partly(before.record, before.tensor, before.parameters).moment(reads))

    def _with(self, record: Distribution, weight: Callable[[Places], Expr]) -> Drawn:
        """The law of the entries under their weights."""
        if record.tilted is None:
            raise NoClosedForm(
                f"no formula here for the mean of an exponential and a factor that is {record.name}"
            )

        def parameter(number: int, *places: Any) -> Expr:
            return record.tilted(weight(places), *self.drawn.entry_parameters(places))[number]  # type: ignore[misc]

        return replace(
            self.drawn, parameters=tuple(partial(parameter, k) for k in range(len(self.drawn.parameters)))
        )

    def _log_mass(self, record: Distribution, weight: Expr, places: Places) -> Expr:
        """The logarithm of E exp(w x) of one entry.

        Raises:
            NoClosedForm: there is no formula, or it does not follow from the declared facts that the mean is finite.
        """
        x, parameters = self.drawn.tensor.name, self.drawn.entry_parameters(places)
        if record.generating is None:
            raise NoClosedForm(f"no formula here for the mean of an exponential where {x} is {record.name}")
        if weight.has(S.ImaginaryUnit) and record.order is None:
            raise NoClosedForm(f"no formula here for the mean of a sine or cosine where {x} is {record.name}")
        if record.exists is not None and not surely_positive(need := record.exists(weight, *parameters)):
            what = f"the mean of an exponential of {x} is finite only where {need} > 0"
            raise NoClosedForm(f"{what}, which does not follow from what is declared")
        return record.generating(weight, *parameters)


def indices_in(places: Places) -> set[Index]:
    """The indices that occur in some places."""
    return set().union(*(indices_of(p) for p in places)) if places else set()
