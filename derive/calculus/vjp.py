"""Reverse mode: the adjoint of a list of equations is a list of equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy
from sympy import Expr, S

from ..ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Step,
    Tensor,
    fresh_indices,
    indices_of,
    substitute,
)
from ..ir.recurrences import Recurrence, blocks, in_order
from ..ir.tensors import renamed
from .differentiate import Linearised, active_tensors, differentiable_reads, linearise, new_name
from .primitives import Application, siblings


@dataclass(frozen=True)
class Within:
    """A recurrence while it is transposed; `truncate` as in `vjp`."""

    block: Recurrence
    truncate: int | None = None

    def times(self, read: Read) -> frozenset[int]:
        """The axes along which a member is read by the others."""
        return self.block.times.get(read.tensor.name, frozenset())

    def passes(self, equation: Equation, read: Read) -> Expr:
        """1, or a bracket where cotangents are cut: between a step whose number `truncate` divides and the one before."""
        if self.truncate is None or read.tensor.name not in self.block.places:
            return S.One
        lag = self.block.lag(equation, read)
        if not lag:
            return S.One
        step, k = self.block.number(equation), self.truncate
        if lag == 1:
            return Bracket(sympy.Or(sympy.Eq(step, 0), sympy.Ne(sympy.Mod(step, k), 0)))
        return Bracket(sympy.Or(sympy.Lt(step, lag), sympy.Eq(sympy.floor(step / k), sympy.floor((step - lag) / k))))


@dataclass(frozen=True)
class Share:
    """What one read contributes to a cotangent: ``gT[axes] += sum_bound body``."""

    axes: tuple[Index, ...]
    body: Expr
    bound: tuple[Index, ...]
    step: Step


def vjp(
    program: Program, wrt: tuple[str, ...], cotangents: Mapping[str, Expr | None], truncate: int | None = None
) -> Program:
    """Cotangents of the inputs `wrt` from cotangents of the outputs.

    Args:
        program: the forward pass.
        wrt: names of real inputs.
        cotangents: for each output's name a constant seed, or None for a new input ``g<name>``.
        truncate: a recurrence passes no cotangent on across the beginning of every `truncate`-th step.

    Returns:
        A program with the same inputs and the new cotangent inputs; its outputs ``g<name>`` have the shapes of `wrt`.
    """
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    seeds = {
        t.name: Tensor(new_name(f"g{t.name}", taken), t.shape)
        for t in program.outputs
        if cotangents[t.name] is None
    }
    shares: dict[str, list[Share]] = {}
    for output in program.outputs:
        axes = fresh_indices(output.shape)
        seed = cotangents[output.name]
        body = Read(seeds[output.name], axes) if seed is None else seed
        shares.setdefault(output.name, []).append(Share(axes, body, (), Step("seed")))
    active = active_tensors(program.equations, set(wrt))
    adjoints: list[Equation] = []
    parts = blocks(program.equations)
    applied = siblings(part for part in parts if isinstance(part, Equation))
    for block in reversed(parts):
        if isinstance(block, Recurrence):
            transpose_recurrence(block, active, shares, adjoints, taken, truncate)
            continue
        name = block.target.name
        if isinstance(block.body, Entry):
            if name in active and name in applied:
                received = _received(applied[name], shares, adjoints, taken)
                pull_back_primitive(applied[name], received, active, shares, adjoints, taken)
        elif name in active and name in shares:
            share = accumulate(block.target, shares.pop(name), adjoints, taken)
            pull_back(block, share, active, shares, adjoints, taken)
    outputs = []
    tensors = {t.name: t for t in program.inputs}
    for name in wrt:
        share = accumulate(tensors[name], shares.get(name, []), adjoints, taken, keep=True)
        assert isinstance(share.body, Read)
        outputs.append(share.body.tensor)
    equations = in_order((*program.equations, *adjoints))
    return Program((*program.inputs, *seeds.values()), equations, tuple(outputs))


def transpose_recurrence(
    block: Recurrence, active: set[str], shares: dict[str, list[Share]], adjoints: list[Equation],
    taken: dict[str, int], truncate: int | None = None,
) -> None:  # fmt: skip
    """The recurrence of the adjoints, which runs the other way: its members read each other's cotangents.

    So every cotangent has its name before the shares that make it up are known.
    """
    within = Within(block, truncate)
    members = [e for e in reversed(block.equations) if e.target.name in active]
    reached = _reached(members, {name for name in active if name in shares})
    members = [e for e in members if e.target.name in reached]
    cotangents = {e.target: Tensor(new_name(f"g{e.target.name}", taken), e.target.shape) for e in members}
    applied = siblings(members)
    for equation in members:
        if isinstance(equation.body, Entry):
            group = applied.get(equation.target.name, [])
            given: dict[str, Expr] = {e.target.name: Read(cotangents[e.target], e.axes) for e in group}
            pull_back_primitive(group, given, active, shares, adjoints, taken, within)
            continue
        received = Share(equation.axes, Read(cotangents[equation.target], equation.axes), (), Step())
        pull_back(equation, received, active, shares, adjoints, taken, within)
    for equation in members:
        accumulate(
            equation.target, shares.pop(equation.target.name), adjoints, taken, cotangents[equation.target]
        )


def _reached(members: list[Equation], known: set[str]) -> set[str]:
    """The members whose value has an influence on those that have a cotangent."""
    by_name = {e.target.name: e for e in members}
    todo = [name for name in by_name if name in known]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in by_name and name not in found:
            found.add(name)
            todo += [r.tensor.name for r in differentiable_reads(by_name[name], set(by_name))]
    return found


def pull_back(
    equation: Equation, received: Share, active: set[str], shares: dict[str, list[Share]], adjoints: list[Equation],
    taken: dict[str, int], within: Within | None = None,
) -> None:  # fmt: skip
    """Share the cotangent of an equation's target among the reads of its body: the transpose of its differential.

    `within` is the recurrence that the equation belongs to.
    """
    differential: Linearised = linearise(equation, active, taken)
    adjoints.extend(differential.helpers)
    seed = substitute(received.body, dict(zip(received.axes, equation.axes, strict=True)))
    for read, partial in differential.partials.items():
        step = Step("chain rule", of=equation.target.name, where=equation.step.where)
        body, times = seed * partial, frozenset[int]()
        if within is not None:
            body, times = body * within.passes(equation, read), within.times(read)
        shares.setdefault(read.tensor.name, []).append(transpose(read, body, equation.indices, step, times))


def pull_back_primitive(
    members: list[Equation], received: dict[str, Expr], active: set[str], shares: dict[str, list[Share]],
    adjoints: list[Equation], taken: dict[str, int], within: Within | None = None,
) -> None:  # fmt: skip
    """Share the cotangents of all results of a primitive among its operands, by the rule of its record."""
    if not received:
        return
    application = Application(members, taken)
    pulled = application.cotangents(received)
    equations, renaming = application.equations()
    adjoints.extend(equations)
    step = Step("chain rule", of=members[0].target.name, where=members[0].step.where)
    for read, body, indices in pulled:
        if read.tensor.name in active:
            body, times = renamed(body, renaming), frozenset[int]()
            if within is not None:
                body, times = body * within.passes(members[0], read), within.times(read)
            shares.setdefault(read.tensor.name, []).append(transpose(read, body, indices, step, times))


def _received(
    members: list[Equation], shares: dict[str, list[Share]], adjoints: list[Equation], taken: dict[str, int]
) -> dict[str, Expr]:
    """The cotangents of the results of a primitive, as far as they have any."""
    received: dict[str, Expr] = {}
    for member in members:
        if member.target.name in shares:
            share = accumulate(member.target, shares.pop(member.target.name), adjoints, taken)
            body = substitute(share.body, dict(zip(share.axes, member.axes, strict=True)))
            received[member.target.name] = _without_alias(body, adjoints)
    return received


def _without_alias(body: Expr, adjoints: list[Equation]) -> Expr:
    """What was just defined, where that is a delta times a scalar: the rule of a primitive may know it."""
    if isinstance(body, Read) and adjoints and adjoints[-1].target == body.tensor and not adjoints[-1].reduce:
        inner = substitute(adjoints[-1].body, dict(zip(adjoints[-1].axes, body.indices, strict=True)))
        factors = sympy.Mul.make_args(inner)
        if all(isinstance(f, Bracket) or not indices_of(f) for f in factors):
            return inner
    return body


def transpose(
    read: Read, body: Expr, indices: tuple[Index, ...], step: Step, times: frozenset[int] = frozenset()
) -> Share:
    """Sum over every index that the read does not fix; an index expression, or a part of an axis, leaves a bracket.

    Along the axes `times` it is solved at once: cotangents must stand at a constant number of steps from each other.
    """
    axes: list[Index] = []
    for position, (place, extent) in enumerate(zip(read.indices, read.tensor.shape, strict=True)):
        if isinstance(place, Index) and place not in axes and place.extent == extent:
            axes.append(place)
            continue
        (axis,) = fresh_indices([extent], avoid=(*indices, *axes, *indices_of(body)))
        axes.append(axis)
        index = next(iter(indices_of(place)), None)
        if position in times and index is not None and (place - index).is_Integer:
            body = substitute(body, {index: axis - (place - index)}) * _within(axis, place - index, index)
            indices = tuple(i for i in indices if i != index)
        elif extent != 1:
            body = body * Bracket(sympy.Eq(axis, place))
    return Share(tuple(axes), body, tuple(i for i in indices if i not in axes), step)


def _within(axis: Index, shift: Expr, index: Index) -> Expr:
    """``[0 <= axis - shift < extent of index]``, as far as it is not certain."""
    longer = sympy.expand(axis.extent - shift - index.extent)
    low = S.One if shift.is_nonpositive else Bracket(sympy.Ge(axis, shift))
    high = S.One if longer.is_nonpositive else Bracket(sympy.Le(axis, sympy.expand(index.extent - 1 + shift)))
    return low * high


def accumulate(
    tensor: Tensor, shares: list[Share], adjoints: list[Equation], taken: dict[str, int],
    target: Tensor | None = None, keep: bool = False,
) -> Share:  # fmt: skip
    """Add up the shares of one cotangent; shares that are sums become equations of their own first.

    Args:
        target: the cotangent, where it has been read already.
        keep: whether it must be a tensor, even if it is a number or equal to another one.
    """
    axes = fresh_indices(tensor.shape)
    total: Expr = S.Zero
    for share in shares:
        if share.bound and len(shares) > 1:
            part = Tensor(new_name(f"g{tensor.name}_part", taken), tensor.shape)
            adjoints.append(Equation(part, share.axes, share.body, "sum", share.bound, share.step))
            total += part[axes]
        elif not share.bound:
            total += substitute(share.body, dict(zip(share.axes, axes, strict=True)))
    keep = keep or target is not None
    target = target or Tensor(new_name(f"g{tensor.name}", taken), tensor.shape)
    if len(shares) == 1 and shares[0].bound:
        (share,) = shares
        adjoints.append(Equation(target, share.axes, share.body, "sum", share.bound, share.step))
        return Share(axes, target[axes], (), share.step)
    if not keep and (total.is_number or isinstance(total, Read)):
        return Share(axes, total, (), Step())
    step = shares[0].step if len(shares) == 1 else Step("sum of shares", of=tensor.name)
    adjoints.append(
        Equation(target, axes, total, step=step if shares else Step("does not depend", of=tensor.name))
    )
    return Share(axes, target[axes], (), step)
