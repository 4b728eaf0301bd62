"""Definitions that are monomials read both ways: P = E / Z also says E = P Z; keep whichever reading is cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy
from sympy import Expr
from sympy.core.relational import Relational

from ..ir.nodes import Equation, Index, Program, Read, Tensor, reads_of, substitute
from ..ir.recurrences import in_order
from .measure import price
from .tidy import Policy, tidy


@dataclass(frozen=True)
class Reading:
    """``tensor[axes] = value``: a forward definition solved for one of its factors."""

    tensor: Tensor
    axes: tuple[Index, ...]
    value: Expr


def readings(equation: Equation) -> Iterator[Reading]:
    """The definition solved for each factor that has all of its axes, where no division by zero can arise."""
    if equation.reduce is not None or not equation.body.is_Mul:
        return
    factors = sympy.Mul.make_args(equation.body)
    for f in factors:
        if (
            not isinstance(f, Read)
            or set(f.indices) != set(equation.axes)
            or len(f.indices) != len(equation.axes)
        ):
            continue
        if f.tensor.shape != tuple(i.extent for i in f.indices):
            continue
        rest = sympy.Mul(*(g for g in factors if g is not f))
        if all(_never_zero(g) for g in sympy.Mul.make_args(rest)):
            axes = tuple(i for i in f.indices if isinstance(i, Index))
            yield Reading(f.tensor, axes, equation.lhs / rest)


def _never_zero(f: Expr) -> bool:
    """A number, or a power of something that is not zero wherever the forward pass is defined."""
    if f.is_number or f.is_Symbol:
        return True
    base, exponent = f.as_base_exp()
    return bool(base.is_positive) or (exponent.is_negative is True and isinstance(base, Read))


def eliminate(program: Program, policy: Policy) -> Program:
    """Try each reading on the derived equations around it; keep those that make them cheaper."""
    derived = [e for e in program.equations if e.target.name not in policy.frozen]
    for equation in [e for e in program.equations if e.target.name in policy.frozen]:
        for reading in readings(equation):
            compared = {
                r.tensor for e in program.equations for c in e.body.atoms(Relational) for r in reads_of(c)
            }
            if reading.tensor not in compared and any(
                r.tensor == reading.tensor for e in derived for r in e.reads
            ):
                program = _try(program, policy, reading)
                derived = [e for e in program.equations if e.target.name not in policy.frozen]
    return program


def _try(program: Program, policy: Policy, reading: Reading) -> Program:
    region = _region(program, policy, reading.tensor)
    policy = replace(policy, reserved=frozenset(program.tensors))
    changed = tuple(
        replace(e, body=_read_as(e.body, reading)) if e.target.name in region else e
        for e in program.equations
    )
    before = _window(program, program.equations, policy, region)
    after = tidy(_window(program, changed, policy, region), policy)
    if price(_derived(after, policy)) >= price(_derived(before, policy)):
        return program
    first = next(p for p, e in enumerate(program.equations) if e.target.name in region)
    ahead = [e for e in program.equations[:first]]
    names = {e.target.name for e in ahead}
    fresh = [e for e in after.equations if e.target.name not in names]
    behind = [
        e
        for e in program.equations[first:]
        if e.target.name not in region and e.target.name not in {f.target.name for f in fresh}
    ]
    return replace(program, equations=in_order((*ahead, *fresh, *behind)))


def _derived(program: Program, policy: Policy) -> list[Equation]:
    return [e for e in program.equations if e.target.name not in policy.frozen]


def _region(program: Program, policy: Policy, tensor: Tensor) -> set[str]:
    """The derived equations that read the tensor, what they read among derived ones, and what reads them."""
    derived = {e.target.name: e for e in program.equations if e.target.name not in policy.frozen}
    touched = {name for name, e in derived.items() if any(r.tensor == tensor for r in e.reads)}
    near = set(touched)
    for _ in range(2):
        near |= {n for n, e in derived.items() if any(r.tensor.name in near for r in e.reads)}
    near |= {r.tensor.name for n in touched for r in derived[n].reads if r.tensor.name in derived}
    return near


def _window(program: Program, equations: tuple[Equation, ...], policy: Policy, region: set[str]) -> Program:
    """The region with the forward equations it stands on, as a program of its own."""
    inside = [e for e in equations if e.target.name in region]
    read_outside = {r.tensor.name for e in equations if e.target.name not in region for r in e.reads}
    outputs = {t.name for t in program.outputs} | read_outside
    needed = {r.tensor.name for e in inside for r in e.reads}
    forward: list[Equation] = []
    for e in reversed(equations):
        if e.target.name in policy.frozen and e.target.name in needed:
            forward.append(e)
            if len(forward) < 12:
                needed |= {r.tensor.name for r in e.reads}
    result = tuple(e.target for e in inside if e.target.name in outputs)
    return Program(program.inputs, (*reversed(forward), *inside), result + tuple(e.target for e in forward))


def _read_as(body: Expr, reading: Reading) -> Expr:
    mapping: dict[Expr, Expr] = {}
    for read in body.atoms(Read):
        if read.tensor == reading.tensor:
            mapping[read] = substitute(reading.value, dict(zip(reading.axes, read.indices, strict=True)))
    return substitute(body, mapping)
