"""What holds in the place of a false claim: one of its sides, derived by the engine, in the claim's own notation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sympy import S

from ..calculus.jacobian import jacobian
from ..calculus.vjp import vjp
from ..errors import DeriveError
from ..frontends.claim import Claim
from ..frontends.formula import understand
from ..frontends.formula_grammar import read_formula
from ..frontends.formula_names import DERIVATIVES
from ..frontends.formula_text import Source
from ..frontends.formula_tree import Call, Name, walk
from ..frontends.formula_where import reached
from ..ir.facts import Spec
from ..ir.nodes import Program
from ..render.formula import formula_text
from ..render.matrix import render_matrix
from ..rewrite.derived import constrained, derived, names_of, prepare, simplified
from .ladder import proved_everywhere
from .points.floats import may_agree

WORD = re.compile(r"\w+")
Reread = Callable[[str], Claim]
"""A text read as a claim about the same variables."""


def corrected(claim: Claim, program: Program, reread: Reread | None) -> str:
    """A true claim that is close to a false one, or nothing.

    The side that has no derivatives gives way to what the engine derives for the other; where neither or both have some,
    the right side does if something can be said about the left. The text is a claim itself, with ``==``, and was read
    again and proved; where the grammar of claims has no words for a derivative it is an equation in matrix notation.

    Args:
        claim: what was claimed.
        program: its two sides.
        reread: reads a text as this claim was read; None where that cannot be done.
    """
    for kept in _sides_to_keep(claim):
        derivations = list(_derivations(claim, kept, program))
        if reread is not None:
            columns, defined = claim.understood.style.columns, {name_of(d) for d in claim.defined}
            texts = (formula_text(d, columns, known) for d in derivations for known in ({*defined}, ()))
            wrong = claim.sides[1 - kept]
            known = sorted({t for t in texts if t and _says_more(t, claim.sides[kept], wrong, kept)}, key=len)
            for text in (c for t in known for c in _candidates(claim, kept, t)):
                if _holds(reread, text):
                    return text
        if is_derivative(claim.sides[kept]) and derivations:
            return _in_notation(claim.sides[kept], derivations[0])
    return ""


def _derivations(claim: Claim, kept: int, program: Program) -> Iterator[Program]:
    """The side as the engine writes it: simplified as it stands, and derived as by itself, in the forms of a textbook."""
    ways = (
        lambda: simplified(prepare(replace(program, outputs=(program.outputs[kept],)))),
        lambda: _as_derived(claim, claim.sides[kept], program),
    )
    for way in ways:
        try:
            found = way()
        except DeriveError:
            continue
        if found is not None:
            yield found


def _as_derived(claim: Claim, side: str, program: Program) -> Program | None:
    """The side as what `derive.grad` and its kin give, if it is such a derivative of a formula."""
    source = Source(side)
    match read_formula(source).tree:
        case Call(function="grad" | "hessian" | "jacobian" as kind, args=(f, Name(name=x)), options=()):
            text = source.words(f.place)
        case Call(function="vjp" as kind, args=(f, Name(name=x), Name(name=g)), options=()) if g != x:
            inner = f"({source.words(f.place)}){'.*' if claim.understood.style.columns else '*'}{g}"
            text = f"sum({inner})" if claim.understood.style.columns else f"np.sum({inner})"
        case _:
            return None
    text = with_needed(text, tuple(d for d in claim.defined if name_of(d) != x))
    formula = read_formula(Source(text))
    named = {n.name for tree in formula.trees for n in walk(tree) if isinstance(n, Name)}
    given = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.inputs}
    if x not in given and x in program.tensors:  # what is defined is a variable of what it is differentiated in
        given[x] = Spec(program.tensors[x].shape)
    base = prepare(understand(text, {n: s for n, s in given.items() if n in named}).program)
    (output,) = base.outputs
    if x not in {t.name for t in base.inputs}:
        return None
    raw = vjp(base, (x,), {output.name: None if kind == "jacobian" else S.One})
    if kind == "jacobian":
        raw = jacobian(raw, raw.inputs[-1], ("J",))
    if kind == "hessian":
        first = derived(raw, base)
        pullback = vjp(first, (x,), {first.outputs[0].name: None})
        base, raw = first, jacobian(pullback, pullback.inputs[-1], ("H",))
    return constrained(derived(raw, base), names_of(base))


def with_needed(text: str, defined: Sequence[str]) -> str:
    """The text with those of these definitions that it uses, directly or through others."""
    if not defined:
        return text
    formula = read_formula(Source(f"{text} where {'; '.join(defined)}"))
    needed = reached(formula.tree, {d.name: d for d in formula.definitions})
    kept = [d for d in defined if name_of(d) in needed]
    return text + (f" where {'; '.join(kept)}" if kept else "")


def name_of(definition: str) -> str:
    """What ``S = Q*K'`` defines."""
    return definition.partition("=")[0].strip()


def _says_more(text: str, question: str, wrong: str, kept: int) -> bool:
    """Whether what was derived is an answer: closer to the one that was claimed than to the question, or far shorter."""
    if _bare(text) == _bare(question):
        return False
    if is_derivative(question):
        return not is_derivative(text)
    nearer, length, asked = (
        _alike(text, wrong) - _alike(text, question),
        len(_bare(text)),
        len(_bare(question)),
    )
    return nearer > 0 or (nearer == 0 and (kept == 0 or length <= asked)) or 2 * length <= asked


def _alike(a: str, b: str) -> float:
    """The share of names and numbers that two texts have in common."""
    one, other = Counter(WORD.findall(a)), Counter(WORD.findall(b))
    return (one & other).total() / max((one | other).total(), 1)


def is_derivative(side: str) -> bool:
    """Whether a derivative is asked for."""
    return any(f"{name}(" in side for name in DERIVATIVES)


def _sides_to_keep(claim: Claim) -> tuple[int, ...]:
    """The sides in the order in which they are taken as the question, 0 for the left and 1 for the right."""
    asks = [is_derivative(side) for side in claim.sides]
    return (1, 0) if asks == [False, True] else (0,) if asks == [True, False] else (0, 1)


def _candidates(claim: Claim, kept: int, derived: str) -> Iterator[str]:
    """Claims that say what one side is, with those of the definitions after ``where`` that they need."""
    sides = (claim.sides[0], derived) if kept == 0 else (derived, claim.sides[1])
    yield with_needed(f"{sides[0]} {claim.relation} {sides[1]}", claim.defined)


def _bare(text: str) -> str:
    return "".join(text.split())


def _holds(reread: Reread, text: str) -> bool:
    try:
        program = reread(text).understood.program
        return may_agree(program) and bool(proved_everywhere(program))
    except (DeriveError, ArithmeticError, RecursionError, ValueError):
        return False


def _in_notation(side: str, shorter: Program) -> str:
    """``side = formula   with definitions``, in matrix notation."""
    try:
        *before, last = render_matrix(shorter) or [""]
    except DeriveError:
        return ""
    shown = last.partition(" = ")[2]
    return f"{side} = {shown}" + (f"   with {'; '.join(before)}" if before else "") if shown else ""
