"""Linear-algebra primitives while tracing: which axes they take whole, which are batch axes, one equation per result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr, S

from ..errors import ShapeError
from ..ir.nodes import Entry, Equation, Index, Read, Slot, Step, Tensor, fresh_indices
from ..ir.slots import operand_facts, takes_whole
from ..ops._primitive import Primitive
from ..ops.linalg import primitives
from .traced import Traced


def apply_primitive(
    trace: Any, name: str, operands: Sequence[Any], parameters: Sequence[Any] = (), columns: bool = False
) -> list[Traced]:
    """The results of a primitive on traced arrays; leading axes are batch axes and broadcast.

    columns: the last batch axis counts the columns of a matrix; a result is stored as that matrix.

    Raises:
        ShapeError: an operand has too few axes, or axes that must be equal are not.
    """
    primitive = primitives()[name]
    arrays = [trace.lift(x) for x in operands]
    sizes = _unified(trace, primitive, arrays)
    ranks = [len(axes.split()) for axes in primitive.operands]
    numbers = [trace.lift(p) for p in parameters]
    stacks = [x.through(x.axes[: x.rank - r], x.entry) for x, r in zip(arrays, ranks, strict=True)]
    batch = trace.fresh(trace.broadcast([*stacks, *numbers], name))
    reads = [_operand(trace, x, r, batch) for x, r in zip(arrays, ranks, strict=True)]
    integers = [trace.broadcast_entry(p, batch) for p in numbers]
    known = primitive.facts(*map(operand_facts, reads))
    several = tuple(i for i in batch if i.extent != 1)
    behind = tuple(i for i in batch[-1:] if columns and i in several)
    results = []
    for output, axes in enumerate(primitive.results):
        places = fresh_indices([extent_of(word, sizes) for word in axes.split()], avoid=(*batch, *trace.times))
        body = Entry(name, output, reads, places, integers)
        facts = known[output] if output < len(known) else frozenset()
        own = (*several[: len(several) - len(behind)], *places, *behind)
        stored = store(trace, own, body, name, facts)
        results.append(stored.through((*batch, *places), stored.entry))
    return results


def store(
    trace: Any, axes: tuple[Index, ...], body: Expr, rule: str, facts: frozenset[str] = frozenset()
) -> Traced:
    """An equation with all of its axes, those of extent 1 as well."""
    whole = (*trace.lead(body), *axes)
    target = Tensor(trace.temporary(), tuple(i.extent for i in whole), facts=facts)
    trace.leading[target.name] = len(whole) - len(axes)
    trace.equations.append(Equation(target, whole, body, step=Step(rule=rule, where=trace.user.where())))
    return trace.view(axes, Read(target, whole))


def matrix_facts(trace: Any, x: Traced) -> frozenset[str]:
    """What is known about a traced matrix, or a stack of them, as a whole."""
    entry = x.at((*x.axes[:-2], Slot(0), Slot(1))) if x.rank >= 2 else x.entry
    return operand_facts(entry) if takes_whole(entry, x.extents[-2:], trace.resolve) else frozenset()


def _unified(trace: Any, primitive: Primitive, arrays: Sequence[Traced]) -> dict[str, Expr]:
    """The size that each letter of the operands' axes stands for."""
    sizes: dict[str, Expr] = {}
    owner: dict[str, tuple[Traced, int]] = {}
    for x, axes in zip(arrays, primitive.operands, strict=True):
        letters = axes.split()
        if x.rank < len(letters):
            shape = "a square matrix" if letters == ["n", "n"] else f"an array with {len(letters)} axes"
            raise ShapeError(f"{primitive.name} needs {shape}; found {x} with {x.rank} ({trace.place()})")
        for p, letter in enumerate(letters, start=x.rank - len(letters)):
            extent = x.extents[p]
            if letter in sizes:
                extent = trace.unify(sizes[letter], extent, primitive.name, owner[letter], (x, p))
            sizes[letter], owner[letter] = extent, (x, p)
    return sizes


def extent_of(word: str, sizes: dict[str, Expr]) -> Expr:
    """``n``, or ``min(m,n)`` of two sizes."""
    if word in sizes:
        return sizes[word]
    left, right = (sizes[letter] for letter in word[len("min(") : -1].split(","))
    longer = sympy.expand(left - right)
    return left if longer.is_nonpositive else right if longer.is_nonnegative else sympy.Min(left, right)


def _operand(trace: Any, x: Traced, rank: int, batch: tuple[Index, ...]) -> Read:
    """A read that takes the last axes of `x` whole; what is no such read is stored first."""
    slots = tuple(Slot(number) for number in range(rank))
    lead = x.rank - rank
    own = batch[len(batch) - lead :]
    at = tuple(S.Zero if e == 1 else i for e, i in zip(x.extents[:lead], own, strict=True))
    read = x.at((*at, *slots))
    if not takes_whole(read, x.extents[lead:], trace.resolve) or read.tensor.kind != "real":
        x = store(trace, x.axes, x.entry, "whole")
        read = x.at((*at, *slots))
    return read
