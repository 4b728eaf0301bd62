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
from ..ir.tensors import renamed
from .differentiate import Linearised, active_tensors, linearise, new_name
from .primitives import Application, siblings


@dataclass(frozen=True)
class Share:
    """What one read contributes to a cotangent: ``gT[axes] += sum_bound body``."""

    axes: tuple[Index, ...]
    body: Expr
    bound: tuple[Index, ...]
    step: Step


def vjp(program: Program, wrt: tuple[str, ...], cotangents: Mapping[str, Expr | None]) -> Program:
    """Cotangents of the inputs `wrt` from cotangents of the outputs.

    Args:
        program: the forward pass.
        wrt: names of real inputs.
        cotangents: for each output's name a constant seed, or None for a new input ``g<name>``.

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
    applied = siblings(program.equations)
    adjoints: list[Equation] = []
    for equation in reversed(program.equations):
        name = equation.target.name
        if isinstance(equation.body, Entry):
            if name in active and name in applied:
                pull_back_primitive(applied[name], active, shares, adjoints, taken)
        elif name in active and name in shares:
            received = accumulate(equation.target, shares.pop(name), adjoints, taken)
            pull_back(equation, received, active, shares, adjoints, taken)
    outputs = []
    tensors = {t.name: t for t in program.inputs}
    for name in wrt:
        received = accumulate(tensors[name], shares.get(name, []), adjoints, taken, keep=True)
        assert isinstance(received.body, Read)
        outputs.append(received.body.tensor)
    return Program((*program.inputs, *seeds.values()), (*program.equations, *adjoints), tuple(outputs))


def pull_back(
    equation: Equation, received: Share, active: set[str], shares: dict[str, list[Share]], adjoints: list[Equation],
    taken: dict[str, int],
) -> None:  # fmt: skip
    """Share the cotangent of an equation's target among the reads of its body: the transpose of its differential."""
    differential: Linearised = linearise(equation, active, taken)
    adjoints.extend(differential.helpers)
    seed = substitute(received.body, dict(zip(received.axes, equation.axes, strict=True)))
    for read, partial in differential.partials.items():
        step = Step("chain rule", of=equation.target.name, where=equation.step.where)
        shares.setdefault(read.tensor.name, []).append(
            transpose(read, seed * partial, equation.indices, step)
        )


def pull_back_primitive(
    members: list[Equation], active: set[str], shares: dict[str, list[Share]], adjoints: list[Equation],
    taken: dict[str, int],
) -> None:  # fmt: skip
    """Share the cotangents of all results of a primitive among its operands, by the rule of its record."""
    received: dict[str, Expr] = {}
    for member in members:
        if member.target.name in shares:
            share = accumulate(member.target, shares.pop(member.target.name), adjoints, taken)
            body = substitute(share.body, dict(zip(share.axes, member.axes, strict=True)))
            received[member.target.name] = _without_alias(body, adjoints)
    if not received:
        return
    application = Application(members, taken)
    pulled = application.cotangents(received)
    equations, renaming = application.equations()
    adjoints.extend(equations)
    step = Step("chain rule", of=members[0].target.name, where=members[0].step.where)
    for read, body, indices in pulled:
        if read.tensor.name in active:
            share = transpose(read, renamed(body, renaming), indices, step)
            shares.setdefault(read.tensor.name, []).append(share)


def _without_alias(body: Expr, adjoints: list[Equation]) -> Expr:
    """What was just defined, where that is a delta times a scalar: the rule of a primitive may know it."""
    if isinstance(body, Read) and adjoints and adjoints[-1].target == body.tensor and not adjoints[-1].reduce:
        inner = substitute(adjoints[-1].body, dict(zip(adjoints[-1].axes, body.indices, strict=True)))
        factors = sympy.Mul.make_args(inner)
        if all(isinstance(f, Bracket) or not indices_of(f) for f in factors):
            return inner
    return body


def transpose(read: Read, body: Expr, indices: tuple[Index, ...], step: Step) -> Share:
    """Sum over every index that the read does not fix; an index expression, or a part of an axis, leaves a bracket."""
    axes: list[Index] = []
    for place, extent in zip(read.indices, read.tensor.shape, strict=True):
        if isinstance(place, Index) and place not in axes and place.extent == extent:
            axes.append(place)
            continue
        (axis,) = fresh_indices([extent], avoid=(*indices, *axes, *indices_of(body)))
        axes.append(axis)
        if extent != 1:
            body = body * Bracket(sympy.Eq(axis, place))
    return Share(tuple(axes), body, tuple(i for i in indices if i not in axes), step)


def accumulate(
    tensor: Tensor, shares: list[Share], adjoints: list[Equation], taken: dict[str, int], keep: bool = False
) -> Share:
    """Add up the shares of one cotangent; shares that are sums become equations of their own first."""
    axes = fresh_indices(tensor.shape)
    total: Expr = S.Zero
    for share in shares:
        if share.bound and len(shares) > 1:
            part = Tensor(new_name(f"g{tensor.name}_part", taken), tensor.shape)
            adjoints.append(Equation(part, share.axes, share.body, "sum", share.bound, share.step))
            total += part[axes]
        elif not share.bound:
            total += substitute(share.body, dict(zip(share.axes, axes, strict=True)))
    if len(shares) == 1 and shares[0].bound:
        (share,) = shares
        target = Tensor(new_name(f"g{tensor.name}", taken), tensor.shape)
        adjoints.append(Equation(target, share.axes, share.body, "sum", share.bound, share.step))
        return Share(axes, target[axes], (), share.step)
    if not keep and (total.is_number or isinstance(total, Read)):
        return Share(axes, total, (), Step())
    target = Tensor(new_name(f"g{tensor.name}", taken), tensor.shape)
    step = shares[0].step if len(shares) == 1 else Step("sum of shares", of=tensor.name)
    adjoints.append(
        Equation(target, axes, total, step=step if shares else Step("does not depend", of=tensor.name))
    )
    return Share(axes, target[axes], (), step)
