"""What a primitive is given: which axes of a tensor stand in its slots, whether whole, and what is known of that matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sympy import Expr

from .nodes import Index, Read, Slot, indices_of, operand_slots

SWAPPED = {"lower triangular": "upper triangular", "upper triangular": "lower triangular"}
"""What a transpose makes of facts; it keeps the others."""


def operand_facts(read: Read) -> frozenset[str]:
    """What is known about a matrix that is read: facts speak of the last two axes, and of no others."""
    slots = operand_slots(read)
    if any(not isinstance(i, Slot) for i in read.indices[len(read.indices) - len(slots) :]):
        return frozenset()
    facts = read.tensor.facts
    return frozenset(SWAPPED.get(f, f) for f in facts) if slots == [1, 0] else facts


def slot_extents(read: Read) -> list[Expr]:
    """The sizes of the axes that stand in the slots 0, 1, ..."""
    found = [
        (i.number, n) for i, n in zip(read.indices, read.tensor.shape, strict=True) if isinstance(i, Slot)
    ]
    return [n for _, n in sorted(found, key=lambda pair: pair[0])]


def takes_whole(read: Any, extents: Sequence[Expr], resolve: Callable[[Expr], Expr] = lambda e: e) -> bool:
    """Whether an entry is a read with each slot standing alone in one axis, which has this extent and no more.

    resolve: what gives sizes that are known to be equal one name.
    """
    if not isinstance(read, Read):
        return False
    alone = [i.number for i in read.indices if isinstance(i, Slot)]
    inside = [i for i in read.indices if not isinstance(i, Slot) and i.has(Slot)]
    if sorted(alone) != list(range(len(extents))) or inside:
        return False
    return list(map(resolve, slot_extents(read))) == list(map(resolve, extents))


def runs_whole(read: Read, index: Index) -> int | None:
    """The one axis along which an index runs from its beginning to its end; None where it does not, or stands twice."""
    places = [axis for axis, place in enumerate(read.indices) if index in indices_of(place)]
    if len(places) != 1 or read.indices[places[0]] != index or read.tensor.shape[places[0]] != index.extent:
        return None
    return places[0]
