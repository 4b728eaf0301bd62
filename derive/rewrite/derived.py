"""From raw derivative equations to the ones a person would write: the passes in their order, and names at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from ..ir.nodes import Equation, Program, Read, Tensor
from ..ir.recurrences import TIMES, members
from ..ir.tensors import with_equation, with_tensors
from ..ops.linalg import symbol_of
from .eliminate import eliminate
from .measure import count_uses, price, prune
from .products import candidates, factored
from .share import share
from .tidy import Policy, tidy
from .values import canonical

CONSTRAINTS = {"simplex", "symmetric", "orthogonal"}
"""Facts that are equations between entries."""
LETTERS = {True: "MRSTUHKLPQ", False: "cmqrstuhkl"}


def prepare(program: Program) -> Program:
    """A traced program before differentiation: chains of unnamed scalar operations become one body each."""
    program = merged(program)
    return tidy(program, Policy(inline=False, keep=frozenset(), frozen=names_of(program)))


def merged(program: Program) -> Program:
    """What was computed twice, in the same way and without a name of its own, computed once."""
    seen: dict[object, Tensor] = {}
    mapping: dict[Tensor, Tensor] = {}
    equations: list[Equation] = []
    for equation in program.equations:
        equation = with_equation(equation, mapping)
        found = canonical(equation.body, equation.bound)
        key = (
            equation.reduce,
            found.key,
            tuple(found.order.index(i) if i in found.order else i for i in equation.axes),
        )
        known = seen.setdefault(key, equation.target)
        free = not equation.step.named and equation.target not in program.outputs
        if known is equation.target or not free or known.shape != equation.target.shape:
            equations.append(equation)
        else:
            mapping[equation.target] = known
    return replace(program, equations=tuple(equations))


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
    wide = tidy(eliminate(_in_parts(wide, policy), policy), policy)
    narrow = replace(policy, keep=_worth_seeing(prune(replace(wide, outputs=program.outputs)), forward))
    result = tidy(replace(wide, outputs=program.outputs), narrow)
    result = adopt_outputs(share(tidy(share(result), narrow)), names_of(forward))
    return rename_derived(result, forward)


def _in_parts(program: Program, policy: Policy) -> Program:
    """Inverses of products as products of inverses, where more cancels than is added."""
    names = frozenset(candidates(program, policy.frozen))
    parts = factored(program, names) if names else program
    if parts.equations == program.equations:
        return program
    parts = tidy(parts, policy)
    prices = [price(e for e in p.equations if e.target.name not in policy.frozen) for p in (parts, program)]
    return parts if prices[0] < prices[1] else program


def simplified(program: Program, small: frozenset[str] = frozenset()) -> Program:
    """A program for a reader: inverses and determinants in parts, everything cancelled that does.

    Args:
        program: a traced one.
        small: sizes that are small beside others, for low-rank updates.
    """
    policy = Policy(inline=True, keep=frozenset(), frozen=frozenset())
    program = tidy(program, policy)
    for _ in range(4):
        after = tidy(factored(program, small=small), policy)
        if after.equations == program.equations:
            break
        program = after
    return _lettered(tidy(program, replace(policy, constraints=True)), names_of(program))


def constrained(program: Program, forward: frozenset[str]) -> Program:
    """A finished derivative with what the declared facts say about sums of entries put in; to be run, not differentiated."""
    if not any(t.facts & CONSTRAINTS for t in program.inputs):
        return program
    keep = names_of(program)
    policy = Policy(inline=True, keep=keep & forward, frozen=forward, constraints=True)
    return _lettered(tidy(program, policy), keep)


def _lettered(program: Program, known: frozenset[str]) -> Program:
    """Letters for the tensors that are not `known`."""
    taken = {*program.tensors, *map(str, program.sizes)}
    mapping: dict[Tensor, Tensor] = {}
    for equation in program.equations:
        if equation.target.name not in known:
            name = _letter(equation, taken)
            taken.add(name)
            mapping[equation.target] = replace(equation.target, name=name)
    return with_tensors(program, mapping)


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
    return max(equal, key=lambda name: (name in user, min(uses[name], 2), names[name]), default=None)


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
    taken |= set(TIMES[:2]) if members(program.equations) else set()
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
    return next(c for c in (*symbol_of(equation.body), *letters, *numbered) if c not in taken)


__all__ = ["derived", "names_of", "prepare", "present", "prune"]
