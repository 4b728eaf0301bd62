"""`stabilise`: a program with the same values, in equations that do not lose digits or leave the range of numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr

from ...ir.nodes import Entry, Equation, Program, Read
from ...ir.recurrences import in_order
from ..measure import prune
from ..recognise import recognise
from ..share import share
from ._rule import Phase
from .known import Known
from .rewriter import Rewriter
from .shifts import shift, shifts_needed
from .view import KEPT, View


@dataclass(frozen=True)
class Fired:
    """A rule that did something: its name, the tensor in whose equation, and the expression before and after."""

    rule: str
    tensor: str
    before: Expr
    after: Expr


@dataclass(frozen=True)
class Stabilised:
    """A program and the rules that made it what it is."""

    program: Program
    fired: tuple[Fired, ...] = ()


ROUNDS = 4


def stabilise(program: Program, phase: Phase = "numeric") -> Stabilised:
    """The program by the rules of the tables; the same object where none applies.

    Args:
        phase: "analytic" for a program that is to be differentiated, "numeric" for one that is to be run.

    A rule looks through reads: ``log(P)`` with ``P = exp(z) / S`` is ``z - log(S)``. What no rule changes stays as it is.
    Tensors that are compared for equality, and conditions, are never rewritten.
    """
    found: list[Fired] = []
    for _ in range(ROUNDS):
        program, fired = _bodies(program, phase, frozenset())
        if phase == "numeric":
            program, more = _sums(program)
            fired += more
        if not fired:
            break
        found += fired
        program = prune(replace(program, equations=in_order(program.equations)))
    if not found:
        return Stabilised(program)
    return Stabilised(share(program) if phase == "numeric" else program, tuple(found))


def _bodies(program: Program, phase: Phase, forced: frozenset[str]) -> tuple[Program, list[Fired]]:
    """Every body by the rules for scalars; `forced` are tensors that are written out wherever they are read."""
    view = View(program)
    rewriter = Rewriter(Known(program.definitions), phase)
    equations: list[Equation] = []
    found: list[Fired] = []
    for e in program.equations:
        name = e.target.name
        if (
            name in view.fixed
            or isinstance(e.body, Entry)
            or e.reduce in ("max", "min")
            or e.step.rule in KEPT
        ):
            equations.append(e)
            continue
        rewriter.fired = []
        body = rewriter(recognise(view.expanded(e.body)))
        if rewriter.fired or _reaches(e.body, forced, view):
            found += [Fired(rule, name, before, after) for rule, before, after in rewriter.fired]
            e = replace(e, body=view.folded(body))
        equations.append(e)
    return replace(program, equations=tuple(equations)), found


def _reaches(body: Expr, names: frozenset[str], view: View) -> bool:
    """Whether a body reads one of the tensors, itself or where it is written out."""
    if not names:
        return False
    for read in body.atoms(Read):
        if read.tensor.name in names:
            return True
        e = view.opens(read)
        if e is not None and _reaches(e.body, names, view):
            return True
    return False


def _sums(program: Program) -> tuple[Program, list[Fired]]:
    """Sums of exponentials as ``exp(s) S``, written out wherever they are read."""
    view, known = View(program), Known(program.definitions)
    sums = shifts_needed(program, view, known)
    if not sums:
        return program, []
    after = shift(program, sums, view, known)
    fired = [Fired("log-sum-exp", s.name, s.equation.body, after.definitions[s.name].body) for s in sums]
    after, more = _bodies(after, "numeric", frozenset(s.name for s in sums))
    return after, fired + more


__all__ = ["Fired", "Stabilised", "stabilise"]
