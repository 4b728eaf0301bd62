"""A random tensor and its law: joint cumulants and moments of its entries, at indices that are symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import sympy
from sympy import Expr, S

from ..distributions import Distribution, Record, VectorDistribution
from ..errors import NoClosedForm
from ..ir.nodes import Bracket, Index, Read, Tensor
from ..prove.forms.atoms import Total
from .cumulants import cumulant

Places = tuple[Any, ...]
"""Where an entry stands: an index or a number for each axis."""
MOST_FACTORS = 10


@dataclass(frozen=True)
class Drawn:
    """The law of a tensor: a record, and for each of its parameters a function from places in the tensor to its entry.

    A parameter of a vector takes the place in the last axis, or two, behind the places before it.
    """

    record: Record
    tensor: Tensor
    parameters: tuple[Callable[..., Expr], ...]

    @property
    def batch(self) -> int:
        """How many axes count independent draws."""
        return self.tensor.rank - isinstance(self.record, VectorDistribution)

    def entry_parameters(self, places: Places) -> tuple[Expr, ...]:
        """The parameters of the law of one entry.

        Raises:
            NoClosedForm: an entry of such a vector has no law by itself.
        """
        match self.record:
            case Distribution():
                return tuple(p(*places) for p in self.parameters)
            case VectorDistribution(marginal_parameters=marginal) if marginal is not None:
                return marginal(places[-1], self.total, *self.vector_parameters(places[:-1]))
        raise NoClosedForm(f"no formula here for the law of one entry of {self.tensor.name}")

    @property
    def entry_law(self) -> Distribution | None:
        """The law of one entry, if it has one."""
        return self.record if isinstance(self.record, Distribution) else self.record.marginal

    def total(self, body: Callable[[Any], Expr]) -> Expr:
        """The sum of a function over the last axis."""
        index = Index("_axis", self.tensor.shape[-1])
        return Total(body(index), (index,))

    def vector_parameters(self, batch: Places) -> tuple[Callable[..., Expr], ...]:
        """The parameters of the law of one vector."""

        def at(parameter: Callable[..., Expr]) -> Callable[..., Expr]:
            return lambda *places: parameter(*batch, *places)

        return tuple(map(at, self.parameters))

    def cumulant(self, group: Sequence[Places]) -> Expr:
        """The joint cumulant of the entries at these places: 0 unless they belong to one draw."""
        first, *others = group
        axes = range(self.batch)
        same = sympy.Mul(*(_equal(first[axis], other[axis]) for other in others for axis in axes))
        if same == 0:
            return S.Zero
        record = self.record
        if isinstance(record, Distribution):
            return same * cumulant(record, len(group), self.entry_parameters(first))
        inner, parameters = [p[-1] for p in group], self.vector_parameters(first[: self.batch])
        if record.cumulant is not None:
            return same * record.cumulant(inner, self.total, *parameters)
        moment = record.moment
        if moment is None:
            raise NoClosedForm(f"no formula here for moments where {self.tensor.name} is {record.name}")
        return same * cumulant_of_moments(lambda places: moment(places, self.total, *parameters), inner)

    def moment(self, places: Sequence[Places]) -> Expr:
        """The mean of the product of the entries at these places, by the cumulants of all ways to group them.

        Raises:
            NoClosedForm: there are too many.
        """
        if len(places) > MOST_FACTORS:
            what = f"the mean of a product of {len(places)} entries of {self.tensor.name}"
            raise NoClosedForm(f"{what}: up to {MOST_FACTORS} are expanded")
        record = self.record
        if isinstance(record, VectorDistribution) and record.moment is not None and not self.batch and places:
            return record.moment([p[-1] for p in places], self.total, *self.parameters)
        return self._grouped(tuple(places), cache(self._block))

    def _block(self, group: tuple[Places, ...]) -> Expr:
        return self.cumulant(group)

    def _grouped(self, places: tuple[Places, ...], cumulant: Callable[[tuple[Places, ...]], Expr]) -> Expr:
        if not places:
            return S.One
        first, *others = places
        parts = []
        for block, rest in _splits(others, self.record.order):
            factor = cumulant((first, *block))
            if factor != 0:
                parts.append(factor * self._grouped(tuple(rest), cumulant))
        return sympy.Add(*parts)


def cumulant_of_moments(moment: Callable[[Sequence[Any]], Expr], places: Sequence[Any]) -> Expr:
    """``k(S) = m(S) - sum over blocks B of the first entry, B != S, of k(B) m(S - B)``."""
    first, *others = places
    total = moment(places)
    for block, rest in _splits(others):
        if rest:
            total -= cumulant_of_moments(moment, [first, *block]) * moment(rest)
    return total


def _splits(others: Sequence[Any], order: int | None = None) -> Iterator[tuple[list[Any], list[Any]]]:
    """Those that go with the first into one block of at most `order`, and the rest."""
    most = len(others) if order is None else min(len(others), order - 1)
    for count in range(most + 1):
        for chosen in combinations(range(len(others)), count):
            yield [others[k] for k in chosen], [x for k, x in enumerate(others) if k not in chosen]


def _equal(a: Any, b: Any) -> Expr:
    return Bracket(sympy.Eq(a, b))


def is_of(read: Any, tensor: Tensor) -> bool:
    """Whether this is an entry of the tensor."""
    return isinstance(read, Read) and read.tensor.name == tensor.name
