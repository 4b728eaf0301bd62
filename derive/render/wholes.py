"""Functions of whole matrices in matrix notation: which axes they take, under which name they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..ir.nodes import Entry, Index, Program, Read, Slot, fresh_indices, indices_of
from ..ops.linalg import primitives
from .tree import Call, Node, Whole


def whole_axes(read: Read, avoid: Iterable[Index]) -> dict[Slot, Index]:
    """A new index for each axis that a primitive takes whole, in the primitive's order."""
    extents = {i: n for i, n in zip(read.indices, read.tensor.shape, strict=True) if isinstance(i, Slot)}
    slots = sorted(extents, key=lambda slot: slot.number)
    fresh = fresh_indices([extents[s] for s in slots], avoid=(*avoid, *indices_of(read)))
    return dict(zip(slots, fresh, strict=True))


def has_matrix_powers(program: Program) -> bool:
    """Whether powers of matrices stand beside those of entries."""
    return any(isinstance(e.body, Entry) and e.body.primitive == "power" for e in program.equations)


def function_of(entry: Entry, args: Sequence[Node]) -> Node:
    """A result of a primitive other than ``solve`` under the name that it is printed by."""
    name, rank, labels = entry.primitive, len(entry.places), primitives()[entry.primitive].labels
    if name == "slogdet":
        return Whole("logdet", tuple(args), 0) if entry.output else Call("sign", (Whole("det", tuple(args), 0),), 0)
    return Whole(name, tuple(args), rank, labels[entry.output] if labels else "")
