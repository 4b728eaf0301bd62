"""From raw derivative equations to the ones a person would write: the passes in their order, and names at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from ..ir.nodes import Equation, Program, Read, Tensor
from ..ir.tensors import with_tensors
from .eliminate import eliminate
from .share import share
from .tidy import Policy, count_uses, prune, tidy

LETTERS = {True: "MRSTUHKLPQ", False: "cmqrstuhkl"}


def prepare(program: Program) -> Program:
    """A traced program before differentiation: chains of unnamed scalar operations become one body each."""
    return tidy(program, Policy(inline=False, keep=frozenset(), frozen=names_of(program)))


def present(program: Program) -> Program:
    """A program for itself alone, such as a forward pass to be run: everything read once is written where it is read."""
    return share(tidy(program, Policy(inline=True, keep=frozenset(), frozen=names_of(program))))


def derived(program: Program, forward: Program) -> Program:
    """Simplify a derivative of `forward`.

    Args:
        program: the equations of `forward` followed by raw derived ones.
        forward: the program that was differentiated; its named equations stay as the user wrote them.
    """
    policy = Policy(inline=True, keep=frozenset(), frozen=names_of(forward))
    everything = {t.name: t for t in (*program.outputs, *(e.target for e in forward.equations))}
    wide = tidy(replace(program, outputs=tuple(everything.values())), policy)
    wide = tidy(eliminate(wide, policy), policy)
    narrow = replace(policy, keep=_worth_seeing(prune(replace(wide, outputs=program.outputs)), forward))
    result = tidy(replace(wide, outputs=program.outputs), narrow)
    result = adopt_outputs(share(tidy(share(result), narrow)), names_of(forward))
    return rename_derived(result, forward)


def constrained(program: Program, forward: frozenset[str]) -> Program:
    """A finished derivative with what the declared facts say about sums of entries put in; to be run, not differentiated."""
    if not any("simplex" in t.facts for t in program.inputs):
        return program
    keep = frozenset(e.target.name for e in program.equations)
    return tidy(program, Policy(inline=True, keep=keep & forward, frozen=forward, constraints=True))


def _worth_seeing(program: Program, forward: Program) -> frozenset[str]:
    """The unnamed forward tensors whose cotangent or tangent stays an equation: ``Z = X W + b`` beside ``gZ``."""
    uses = count_uses(program.equations)
    ahead = {e.target.name: place for place, e in enumerate(forward.equations)}
    several = [e for e in program.equations if e.target.name not in ahead and uses[e.target.name] > 1]
    visible = (_origin(e, ahead, user_names(forward), uses) for e in several)
    return frozenset(name for name in visible if name)


def user_names(forward: Program) -> frozenset[str]:
    """The inputs, and the tensors that the user named."""
    return frozenset(
        {*(t.name for t in forward.inputs), *(e.target.name for e in forward.equations if e.step.named)}
    )


def _origin(
    equation: Equation, names: Mapping[str, int], user: frozenset[str], uses: Counter[str]
) -> str | None:
    """The tensor whose cotangent or tangent an equation defines; of several, the one best known to the reader.

    That is one which the user named, which is read more than once, and which stands first in the forward pass.
    """
    equal = [n[1:] for n in (equation.target.name, *equation.step.also) if n[:1] in "gd" and n[1:] in names]
    return max(equal, key=lambda name: (name in user, min(uses[name], 2), -names[name]), default=None)


def names_of(program: Program) -> frozenset[str]:
    return frozenset(e.target.name for e in program.equations)


def adopt_outputs(program: Program, forward: frozenset[str]) -> Program:
    """An output that is equal to a derived tensor takes its place, instead of standing as a copy."""
    for equation in program.equations:
        body = equation.body
        if (
            equation.target not in program.outputs
            or not isinstance(body, Read)
            or body.indices != equation.axes
        ):
            continue
        source = body.tensor
        whole = source.shape == equation.target.shape
        if not whole or source.name in forward or source in program.inputs or source in program.outputs:
            continue
        others = tuple(e for e in program.equations if e is not equation)
        return adopt_outputs(
            with_tensors(replace(program, equations=others), {source: equation.target}), forward
        )
    return program


def forward_names(program: Program, forward: Program) -> frozenset[str]:
    """The equations of a derivative that belong to the forward pass: its own, and shared values made of them."""
    own = names_of(forward)
    found: set[str] = {t.name for t in forward.inputs}
    for equation in program.equations:
        shared = equation.step.rule == "shared value" and all(r.tensor.name in found for r in equation.reads)
        if equation.target.name in own or shared:
            found.add(equation.target.name)
    return frozenset(found & names_of(program))


def rename_derived(program: Program, forward: Program) -> Program:
    """Give derived tensors the name of the cotangent or tangent they are, helpers a letter by their rank."""
    ahead = (e.target for e in forward.equations if e.target.name in names_of(program))
    names = {t.name: place for place, t in enumerate((*program.inputs, *ahead))}
    outputs = {t.name for t in program.outputs}
    taken = {*names, *outputs, *names_of(forward), *map(str, program.sizes)}
    uses = count_uses(program.equations)
    mapping: dict[Tensor, Tensor] = {}
    for equation in program.equations:
        name = equation.target.name
        if name in names or name in outputs:
            continue
        origin = _origin(equation, names, user_names(forward), uses)
        wanted = f"{name[0]}{origin}" if origin else name
        chosen = wanted if origin and wanted not in taken else _letter(equation, taken)
        taken.add(chosen)
        mapping[equation.target] = replace(equation.target, name=chosen)
    return with_tensors(program, mapping)


def _letter(equation: Equation, taken: set[str]) -> str:
    letters = LETTERS[equation.target.rank > 1]
    numbered = (f"{letters[0]}{n}" for n in range(2, 10_000))
    return next(c for c in (*letters, *numbered) if c not in taken)


__all__ = ["derived", "names_of", "prepare", "present", "prune"]
