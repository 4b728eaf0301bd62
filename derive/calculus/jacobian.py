"""Jacobians: reverse mode with a unit seed for every entry of the output, as extra leading axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import sympy
from sympy import Expr

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
from .differentiate import active_tensors, new_name


def jacobian(pullback: Program, cotangent: Tensor, names: tuple[str, ...]) -> Program:
    """The Jacobian from a vjp program: its cotangent becomes ``[a = i]`` for output entry ``a``.

    Args:
        pullback: a vjp with `cotangent` among its inputs.
        cotangent: the cotangent of the one output, ``gY[i,..]``.
        names: how to call the results.

    Returns:
        A program whose outputs have the output's axes first, then the input's; deltas are left to `rewrite`.
    """
    taken = dict.fromkeys(pullback.tensors, 1)
    rows = _rows(pullback, cotangent)
    batched: dict[str, Tensor] = {}
    equations: list[Equation] = []
    touched = active_tensors(pullback.equations, {cotangent.name})
    for equation in pullback.equations:
        if equation.target.name in touched:
            old = equation.target
            name = new_name(f"{old.name}_o", taken)
            batched[old.name] = replace(old, name=name, shape=(*cotangent.shape, *old.shape))
    if any(isinstance(e.body, Entry) and cotangent in {o.tensor for o in e.body.operands} for e in pullback.equations):
        equations.append(_units(cotangent, rows, batched, taken))
    for equation in pullback.equations:
        if equation.target.name not in touched:
            equations.append(equation)
            continue
        target = batched[equation.target.name]
        body = _batch(equation.body, cotangent, batched, rows)
        equations.append(replace(equation, target=target, axes=rows + equation.axes, body=body))
    outputs: list[Tensor] = []
    for output, name in zip(pullback.outputs, names, strict=True):
        target = Tensor(new_name(name, taken), (*cotangent.shape, *output.shape))
        axes = fresh_indices(target.shape)
        varies = output.name in batched
        read = batched[output.name][axes] if varies else output[axes[len(rows) :]]
        equations.append(Equation(target, axes, read, step=Step("Jacobian", of=output.name)))
        outputs.append(target)
    inputs = tuple(t for t in pullback.inputs if t != cotangent)
    return Program(inputs, tuple(equations), tuple(outputs))


def _rows(pullback: Program, cotangent: Tensor) -> tuple[Index, ...]:
    """An index for each axis of the output, none of which stands in the program: it may hold an earlier Jacobian."""
    used = {i.name for e in pullback.equations for i in (*e.indices, *indices_of(e.body))}
    names = (name for name in map("o{}".format, count()) if name not in used)
    return tuple(Index(name, extent) for name, extent in zip(names, cotangent.shape, strict=False))


def _units(cotangent: Tensor, rows: tuple[Index, ...], batched: dict[str, Tensor], taken: dict[str, int]) -> Equation:
    """The unit seeds as an array, for primitives, which take whole arrays."""
    axes = fresh_indices(cotangent.shape, avoid=rows)
    target = Tensor(new_name(f"{cotangent.name}_o", taken), (*cotangent.shape, *cotangent.shape))
    batched[cotangent.name] = target
    return Equation(target, (*rows, *axes), _deltas(rows, axes))


def _deltas(rows: Sequence[Expr], places: Sequence[Expr]) -> Expr:
    return sympy.Mul(*(Bracket(sympy.Eq(a, i)) for a, i in zip(rows, places, strict=True)))


def _batch(body: Expr, cotangent: Tensor, batched: dict[str, Tensor], rows: tuple[Index, ...]) -> Expr:
    mapping: dict[Expr, Expr] = {}
    for read in body.atoms(Read):
        if read.tensor == cotangent and not isinstance(body, Entry):
            mapping[read] = _deltas(rows, read.indices)
        elif read.tensor.name in batched:
            mapping[read] = Read(batched[read.tensor.name], rows + read.indices)
    return substitute(body, mapping)
