"""What is left of functions of matrices where every size is one: numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr, S

from ...calculus.differentiate import new_name
from ...ir.nodes import (
    Entry,
    Equation,
    Program,
    Read,
    Slot,
    Tensor,
    fresh_indices,
    operand_slots,
    reads_of,
    substitute,
)
from ...ops.elementwise.piecewise import Absolute, Sign
from ...rewrite.measure import prune

OF_NUMBERS: dict[tuple[str, int], Callable[..., Expr]] = {
    ("inv", 0): lambda a: 1 / a,
    ("solve", 0): lambda a, b: b / a,
    ("det", 0): lambda a: a,
    ("slogdet", 0): lambda a: Sign(a),
    ("slogdet", 1): lambda a: sympy.log(Absolute(a)),
    ("cholesky", 0): lambda a: sympy.sqrt(a),
    ("eigh", 0): lambda a: a,
    ("svd", 1): lambda a: Absolute(a),
}
"""A primitive and which of its results -> that result for matrices of one row and one column."""


def at_size_one(program: Program) -> Program:
    """The program with 0 for every index that has no other value, and functions of 1 by 1 matrices as what they are."""
    equations = tuple(_without_indices(_plain(e)) for e in program.equations)
    return _scalars(with_copies(prune(replace(program, equations=equations))))


def _scalars(program: Program) -> Program:
    """What has one entry has no axes, unless a function of whole matrices makes or takes it."""
    kept = {
        o.tensor for e in program.equations if isinstance(e.body, Entry) for o in (*e.body.operands, e.lhs)
    }
    flat = {
        e.target: replace(e.target, shape=())
        for e in program.equations
        if e.target not in kept and e.target.rank and all(n == 1 for n in e.target.shape)
    }
    equations = []
    for e in program.equations:
        reads = {r: Read(flat[r.tensor], ()) for r in reads_of(e.body) if r.tensor in flat}
        axes = () if e.target in flat else e.axes
        equations.append(
            replace(e, target=flat.get(e.target, e.target), axes=axes, body=substitute(e.body, reads))
        )
    return Program(program.inputs, tuple(equations), tuple(flat.get(t, t) for t in program.outputs))


def with_copies(program: Program) -> Program:
    """The program with a definition of its own for every output that is an input."""
    outputs, copies = [], []
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    for t in program.outputs:
        if t in program.inputs:
            copy = Tensor(new_name(t.name, taken), t.shape)
            axes = fresh_indices(t.shape)
            copies.append(_without_indices(Equation(copy, axes, t[axes])))
            t = copy
        outputs.append(t)
    return Program(program.inputs, (*program.equations, *copies), tuple(outputs))


def _without_indices(equation: Equation) -> Equation:
    """An index of extent 1 is 0, and the only weight of a distribution is 1."""
    if isinstance(equation.body, Entry):
        return equation
    zero = {i: S.Zero for i in equation.indices if i.extent == 1}
    bound = tuple(b for b in equation.bound if b not in zero)
    body = substitute(equation.body, zero)
    whole = {r: S.One for r in reads_of(body) if "simplex" in r.tensor.facts and r.tensor.shape[-1] == 1}
    return replace(equation, body=substitute(body, whole), bound=bound)


def _plain(equation: Equation) -> Equation:
    body = equation.body
    if not isinstance(body, Entry) or (body.primitive, body.output) not in OF_NUMBERS:
        return equation
    if not all(_single(operand) for operand in body.operands):
        return equation
    value = OF_NUMBERS[body.primitive, body.output](*map(_entry, body.operands))
    return replace(equation, body=value)


def _single(operand: Read) -> bool:
    extents = zip(operand.tensor.shape, operand.indices, strict=True)
    return bool(operand_slots(operand)) and all(n == 1 for n, i in extents if isinstance(i, Slot))


def _entry(operand: Read) -> Any:
    return Read(operand.tensor, tuple(S.Zero if isinstance(i, Slot) else i for i in operand.indices))
