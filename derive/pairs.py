"""A forward pass and its backward pass derived together, so that one saves what the other reads."""

from __future__ import annotations

from dataclasses import replace

from .calculus.vjp import vjp
from .ir.nodes import Program
from .rewrite.derived import constrained, derived, forward_names, names_of
from .rewrite.measure import prune
from .rewrite.stable.stabilise import stabilise


def forward_and_backward(
    program: Program, wrt: tuple[str, ...], stable: bool = False
) -> tuple[Program, Program, tuple[str, ...]]:
    """The forward program, the vjp program whose leading equations are equations of it, and the cotangents' names.

    Args:
        stable: for equations that are run: both passes by the rules of `rewrite.stable`.
    """
    raw = vjp(program, wrt, {t.name: None for t in program.outputs})
    seeds = tuple(t.name for t in raw.inputs[len(program.inputs) :])
    joint = derived(replace(raw, outputs=(*program.outputs, *raw.outputs)), program)
    ahead = forward_names(joint, program)
    joint = constrained(joint, ahead)
    if stable and (run := stabilise(joint).program) is not joint:
        joint, ahead = run, _ahead(run, program, ahead | (names_of(run) - names_of(joint)))
    outputs = joint.outputs[: len(program.outputs)]
    forward = Program(program.inputs, tuple(e for e in joint.equations if e.target.name in ahead), outputs)
    backward = prune(replace(joint, outputs=joint.outputs[len(program.outputs) :]))
    return forward, backward, seeds


def _ahead(joint: Program, forward: Program, wanted: frozenset[str]) -> frozenset[str]:
    """Those of the `wanted` equations that read nothing but inputs of the forward pass and each other."""
    inputs = {t.name for t in forward.inputs}
    ahead = {e.target.name: {r.tensor.name for r in e.reads} for e in joint.equations if e.target.name in wanted}
    while late := [name for name, reads in ahead.items() if not reads <= inputs | ahead.keys()]:
        for name in late:
            del ahead[name]
    return frozenset(ahead)


def with_saved(forward: Program, backward: Program) -> Program:
    """The forward program with what its backward pass speaks of among its outputs: a reader is shown Z beside gZ."""
    ahead = names_of(forward)
    derived = [e for e in backward.equations if e.target.name not in ahead]
    spoken = {r.tensor.name for e in derived for r in e.reads} | {e.target.name[1:] for e in derived}
    saved = tuple(
        e.target for e in forward.equations if e.target.name in spoken and e.target not in forward.outputs
    )
    return replace(forward, outputs=(*forward.outputs, *saved))
