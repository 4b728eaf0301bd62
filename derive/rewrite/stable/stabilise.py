"""`stabilise`: a program with the same values, in equations that do not lose digits or leave the range of numbers."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, exp

from ...ir.nodes import Entry, Equation, Program, Read, Where
from ...ir.recurrences import in_order, members
from ..measure import prune
from ..memory import Memory
from ..recognise import recognise
from ..share import share
from ..values import canonical
from ._rule import Phase
from .gates import by_gates
from .grouping import grouped
from .known import Known
from .moments import by_differences
from .products import by_logarithms, products_needed
from .quotients import by_division
from .remaining import by_rest
from .rewriter import Firing, Rewriter, outside_conditions, size_of
from .scales import by_scale, companions, directions, norms, of_a_size
from .series import T, with_polynomials
from .shifts import shift, shifts_needed
from .simplex import divergences
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
    given = program
    program, found = _products(program, phase)
    if phase == "numeric":
        program, fired = _moments(program)
        found += fired
        program, fired = _divergences(program)
        found += fired
    for _ in range(ROUNDS):
        program, fired = _bodies(program, phase, frozenset())
        if phase == "numeric":
            program, more = _sums(program)
            fired += more
        if not fired:
            break
        found += fired
        program = replace(program, equations=in_order(program.equations))
    if phase == "numeric":
        program, fired = _norms(program)
        found += fired
        program, fired = _near_zero(program, _conditions(given))
        found += fired
        for name, better in (("slope of a gate", by_gates), ("quotients first", by_division)):
            program, fired = _everywhere(program, name, better)
            found += fired
    if not found:
        return Stabilised(given)
    if phase == "numeric":
        program = share(grouped(prune(_numbered(program, {f.tensor for f in found}))))
    return Stabilised(prune(program), tuple(found))


def _numbered(program: Program, changed: set[str]) -> Program:
    """Values that an earlier equation holds are read in the bodies that were rewritten."""
    memory = Memory()
    equations: list[Equation] = []
    own = members(program.equations)
    for e in program.equations:
        if e.target.name in changed:
            e = replace(e, body=memory.put_values(e.body))
        if e.target.name not in own and e.reads:
            whole = canonical(e.body, e.bound)
            memory.learn(e, (e.reduce, whole.key), whole, None, False)
        equations.append(e)
    return replace(program, equations=tuple(equations))


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
        body, fired = _body(e.body, view, rewriter, forced)
        if body != e.body:
            found += [Fired(rule, name, before, after) for rule, before, after in fired]
            e = replace(e, body=body)
        equations.append(e)
    return replace(program, equations=tuple(equations)), found


def _conditions(program: Program) -> frozenset[Any]:
    return frozenset(w.args[0] for e in program.equations for w in e.body.atoms(Where))


def _near_zero(program: Program, written: frozenset[Any]) -> tuple[Program, list[Fired]]:
    """Polynomials where functions of one variable lose their digits near 0; `written` are the user's conditions."""
    view, known = View(program), Known(program.definitions)
    equations: list[Equation] = []
    found: list[Fired] = []
    for e in program.equations:
        fixed = e.target.name in view.fixed or isinstance(e.body, Entry) or e.step.rule in KEPT
        if not fixed and e.reduce not in ("max", "min"):
            closed = frozenset[Read]()
            wide = view.expanded(e.body)
            body = with_polynomials(wide, known, written)
            if body != wide:
                for read in view.inside(e.body):
                    narrow = with_polynomials(view.expanded(e.body, closed | {read}), known, written)
                    if narrow.has(Where) and _outside(narrow, view) <= _outside(body, view):
                        closed |= {read}
                body = with_polynomials(view.expanded(e.body, closed), known, written)
                found.append(Fired("Taylor polynomial near 0", e.target.name, e.body, body))
                e = replace(e, body=body)
        equations.append(e)
    return (replace(program, equations=tuple(equations)) if found else program), found


def _outside(body: Expr, view: View) -> int:
    """The size of what stands outside all choices, written out."""
    return size_of(view.expanded(body.replace(lambda e: isinstance(e, Where), lambda e: T)))


def _body(
    body: Expr, view: View, rewriter: Rewriter, forced: frozenset[str]
) -> tuple[Expr, tuple[Firing, ...]]:
    """A body by the rules, with only those definitions written out that a rule needs to see beside what reads them."""
    reads = view.inside(body)
    whole = _written(body, frozenset(), view, rewriter)
    inner = {_change(f) for read in reads for f in _written(read, frozenset(), view, rewriter)[1]}
    outer = [f for f in whole[1] if _change(f) not in inner]
    kept = view.expanded(body).atoms(exp)
    must = {r for r in reads if r.tensor.name in forced or not view.expanded(r).atoms(exp) <= kept}
    if not outer and not must:
        return _written(body, frozenset(reads), view, rewriter)
    wanted = {_change(f) for f in outer}
    closed: dict[Read, Expr] = {}
    for read in reads:
        if read not in must:
            narrow = {**closed, read: _written(read, frozenset(), view, rewriter)[0]}
            fired = _written(body, frozenset(narrow), view, rewriter)[1]
            if wanted <= {_change((rule, _open(old, narrow), _open(new, narrow))) for rule, old, new in fired}:
                closed = narrow
    return _written(body, frozenset(closed), view, rewriter)


def _open(e: Expr, written: dict[Read, Expr]) -> Expr:
    return outside_conditions(e, lambda read: written.get(read, read))


def _change(firing: Firing) -> tuple[str, Expr]:
    """What a rule did, whatever stands beside it: the quotient of the products or the difference of the sums."""
    rule, before, after = firing
    if before.is_Mul:
        return rule, before / after
    if before.is_Add:
        return rule, (before - after).as_coeff_Mul()[1]
    return rule, before


def _written(
    body: Expr, closed: frozenset[Read], view: View, rewriter: Rewriter
) -> tuple[Expr, tuple[Firing, ...]]:
    return rewriter(recognise(view.expanded(body, closed)))


def _products(program: Program, phase: Phase) -> tuple[Program, list[Fired]]:
    """Products as exponentials of sums of logarithms, where they are needed."""
    known = Known(program.definitions)
    names = products_needed(program, View(program), phase)
    if not names:
        return program, []
    after = by_logarithms(program, names, known)
    fired = [Fired("product", n, program.definitions[n].body, after.definitions[n].body) for n in names]
    return after, fired


def _divergences(program: Program) -> tuple[Program, list[Fired]]:
    """Divergences of points of a simplex by terms that are never negative."""
    after = divergences(program, View(program), Known(program.definitions))
    pairs = zip(program.equations, after.equations, strict=True)
    fired = [Fired("sum of p log(p / q)", a.target.name, a.body, b.body) for a, b in pairs if a is not b]
    return (after, fired) if fired else (program, fired)


def _moments(program: Program) -> tuple[Program, list[Fired]]:
    """Second moments about the mean in two passes."""
    after, changed = by_differences(program)
    before = program.definitions
    return after, [Fired("two passes", e.target.name, before[e.target.name].body, e.body) for e in changed]


def _everywhere(
    program: Program, name: str, better: Callable[[Program, Set[str]], Program]
) -> tuple[Program, list[Fired]]:
    """What a pass over all bodies, but for those of tensors that are compared, makes of them."""
    after = better(program, View(program).fixed)
    pairs = zip(program.equations, after.equations, strict=True)
    return after, [Fired(name, e.target.name, e.body, new.body) for e, new in pairs if e is not new]


def _norms(program: Program) -> tuple[Program, list[Fired]]:
    """Sums of powers by their largest entry, written out wherever they are read."""
    view, known = View(program), Known(program.definitions)
    sums = norms(program, view, known)
    if not sums:
        return program, []
    beside = companions(program, view, sums)
    after = by_scale(program, sums, beside)
    fired = [Fired("scaled norm", n.name, n.equation.body, after.definitions[n.name].body) for n in sums]
    after, more = _bodies(after, "numeric", frozenset({*(n.name for n in sums), *beside}))
    after = directions(replace(after, equations=in_order(after.equations)), sums)
    if sized := of_a_size(after, sums):
        after, again = _bodies(after, "numeric", sized)
        after, more = directions(after, sums), more + again
    return by_rest(after, sums), fired + more


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
