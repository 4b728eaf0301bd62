"""Derivatives within a formula, ``grad(x'*A*x, x)``: the passes of `calculus` on what was traced so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import S

from ..calculus.jacobian import jacobian
from ..calculus.jvp import jvp
from ..calculus.tied import tie
from ..calculus.vjp import vjp
from ..ir.nodes import Equation, Program, Read, Tensor, reads_of, substitute
from ..ir.tensors import with_tensors
from .names import resize
from .primitives import store
from .trace import Trace
from .traced import Traced

Base = tuple[Program, Tensor]
"""What was traced before a derivative, and what of it is differentiated."""


@dataclass(frozen=True)
class Taken:
    """A derivative that a formula takes, and what it is a derivative of, so that it can be checked by other means.

    kind: the function of `formula_names.DERIVATIVES`.
    base: the program that was differentiated, with one output; `wrt` is one of its inputs.
    arrays: the derivative, its variable, and for ``jvp`` and ``vjp`` the direction or cotangent.
    """

    kind: str
    base: Program
    wrt: str
    arrays: tuple[Traced | Tensor, ...]
    tied: bool = False


def gradient(trace: Trace, base: Base, x: Tensor, tied: bool = False) -> Traced:
    """The gradient of a scalar, in the shape of its variable; `tied`: entries of a symmetric one are one variable."""
    program, output = base
    derived = vjp(program, (x.name,), {output.name: S.One})
    if tied:
        derived = tie(derived, derived.outputs)
    return _continued(trace, program, derived, {})


def jacobian_of(trace: Trace, base: Base, x: Tensor) -> Traced:
    """All first derivatives: the axes of the output first."""
    program, output = base
    pullback = vjp(program, (x.name,), {output.name: None})
    return _continued(trace, program, jacobian(pullback, pullback.inputs[-1], ("J",)), {})


def pulled(trace: Trace, base: Base, x: Tensor, cotangent: Traced) -> Traced:
    """The derivative of ``sum(cotangent .* y)``, in the shape of the variable."""
    program, output = base
    derived = vjp(program, (x.name,), {output.name: None})
    return _continued(trace, program, derived, {derived.inputs[-1]: cotangent})


def pushed(trace: Trace, base: Base, x: Tensor, tangent: Traced) -> Traced:
    """The derivative along a direction."""
    program, _ = base
    derived = jvp(program, (x.name,))
    return _continued(trace, program, derived, {derived.inputs[-1]: tangent})


def depends(trace: Trace, y: Traced, x: Tensor) -> bool:
    """Whether `y` reads `x`, directly or through other tensors."""
    made = {e.target: e for e in trace.equations if e.target != x}
    waiting, seen = [r.tensor for r in reads_of(y.entry)], set[Tensor]()
    while waiting:
        tensor = waiting.pop()
        if tensor not in seen:
            seen.add(tensor)
            waiting.extend(r.tensor for r in (made[tensor].reads if tensor in made else ()))
    return x in seen


def base_of(trace: Trace, y: Traced, x: Tensor) -> Base:
    """What was traced so far as a program that ends in `y`; x may be a tensor that was computed, and is an input of it."""
    inputs = [x]
    stored = store(trace, y.axes, y.entry, "differentiated")
    equations = [e for e in trace.equations if e.target not in inputs]
    read = {r.tensor for e in equations for r in e.reads} - {e.target for e in equations}
    every = {t.name: t for t in (*inputs, *sorted(read, key=str))}
    assert isinstance(stored.entry, Read)
    program = resize(Program(tuple(every.values()), tuple(equations), (stored.entry.tensor,)), trace)
    return program, program.outputs[0]


def _continued(trace: Trace, program: Program, derived: Program, seeds: dict[Tensor, Traced]) -> Traced:
    """The derivative's equations as a continuation of the trace; inputs in `seeds` are what they stand for."""
    known = {e.target.name for e in program.equations}
    fresh = tuple(e for e in derived.equations if e.target.name not in known)
    names = {e.target: replace(e.target, name=trace.temporary()) for e in fresh}
    before = {t.name: t for e in trace.equations for t in (e.target, *(r.tensor for r in e.reads))}
    seen = (*program.inputs, *(e.target for e in program.equations))
    names |= {t: before[t.name] for t in seen if t.name in before}  # as they were before sizes were resolved
    renamed = with_tensors(Program(derived.inputs, fresh, derived.outputs), names)
    for equation in renamed.equations:
        trace.equations.append(_seeded(equation, seeds))
    (output,) = renamed.outputs
    axes = trace.fresh(output.shape)
    return trace.view(axes, Read(output, axes))


def _seeded(equation: Equation, seeds: dict[Tensor, Traced]) -> Equation:
    mapping: dict[Any, Any] = {}
    for read in equation.reads:
        for tensor, value in seeds.items():
            if read.tensor.name == tensor.name:
                mapping[read] = value.at(read.indices)
    return Equation(
        equation.target,
        equation.axes,
        substitute(equation.body, mapping),
        equation.reduce,
        equation.bound,
        equation.step,
    )
