"""From a claim of convexity to its verdict: a search among chords, rules and second derivatives, then tests on chords."""

from __future__ import annotations

from dataclasses import replace

from sympy import S

from ...deadline import OutOfTime, within
from ...errors import DeriveError, DomainError
from ...ir.nodes import Equation, Program, Read, Tensor, fresh_indices
from ...ir.tensors import merge, with_tensors
from ..forms.polynomial import TooLarge
from ..verdict import Verdict
from .curvature import Setting, convex
from .decide import SECONDS, longer_search, prepared, tested
from .forms import is_plain
from .reductions import expanded
from .search import counterexample

CONVEX_SETS = {
    "symmetric", "positive definite", "positive semidefinite", "diagonal", "lower triangular", "upper triangular",
    "positive", "nonnegative", "simplex",
}  # fmt: skip
"""Facts that hold on the whole segment between two arrays that have them."""
LINEAR = {"symmetric", "diagonal", "lower triangular", "upper triangular"}
"""Facts that a direction between two such arrays has as well."""


def decide_convexity(program: Program, kind: str, names: tuple[str, ...], claim: str) -> Verdict:
    """The verdict on ``convex(f, x, ...)`` or ``concave(f, x, ...)``: f is the output, x, ... are inputs, taken together.

    Raises:
        DomainError: what is declared of a variable holds on no convex set.
    """
    variables = [t for t in program.inputs if t.name in names]
    for t in variables:
        _check_domain(t)
    chord, relation = on_chords(program, variables), "<=" if kind == "convex" else ">="
    if (found := counterexample(chord, relation, sizes=6, draws=12)) is not None:
        return Verdict(claim, "REFUTED", evidence=found.evidence, counterexample=found)
    if lines := curved(program, kind, variables):
        return Verdict(claim, "PROVED", "all sizes", "\n".join(lines))
    if (found := longer_search(chord, relation)) is not None:
        return Verdict(claim, "REFUTED", evidence=found.evidence, counterexample=found)
    verdict = tested(chord, relation, claim)
    if verdict.status != "TESTED":
        return verdict
    side = "below" if kind == "convex" else "above"
    note = f"the value at the middle of a chord lies {side} the mean of its ends; {verdict.evidence}"
    return replace(verdict, level=verdict.level.replace("points", "chords"), evidence=note)


def _check_domain(t: Tensor) -> None:
    if t.kind != "real":
        raise DomainError(f"{t.name} is {t.kind}: convexity is asked of functions of real variables")
    implied = {"invertible"} if "positive definite" in t.facts else set()
    if wrong := sorted(t.facts - CONVEX_SETS - implied):
        raise DomainError(
            f"{t.name} is declared {wrong[0]!r}, which the middle between two such arrays need not be; "
            "try: a declaration that holds on a convex set"
        )


def on_chords(program: Program, variables: list[Tensor]) -> Program:
    """The program whose outputs are f at the middle of two points, and the mean of f at both."""
    taken = {*program.tensors, *map(str, program.sizes)}
    ends = []
    for number in (1, 2):
        renaming = {t: replace(t, name=_fresh(f"{t.name}_{number}", taken)) for t in variables}
        ends.append(renaming)
    first, second = (with_tensors(program, renaming) for renaming in ends)
    middles = []
    for t in variables:
        axes = fresh_indices(t.shape)
        target = replace(t, name=_fresh(f"{t.name}_middle", taken), facts=t.facts)
        body = (Read(ends[0][t], axes) + Read(ends[1][t], axes)) / 2
        middles.append((t, Equation(target, axes, body)))
    centre = with_tensors(program, {t: e.target for t, e in middles})
    constants = tuple(t for t in program.inputs if t not in variables)
    inputs = (*constants, *ends[0].values(), *ends[1].values())
    centre = Program(inputs, (*(e for _, e in middles), *centre.equations), centre.outputs)
    whole = merge([centre, first, second])
    at_centre, *values = whole.outputs
    mean = Tensor(_fresh("mean", taken | set(whole.tensors)), ())
    equation = Equation(mean, (), (Read(values[0], ()) + Read(values[1], ())) * S.Half)
    return Program(inputs, (*whole.equations, equation), (at_centre, mean))


def _fresh(name: str, taken: set[str]) -> str:
    found = name if name not in taken else next(f"{name}_{n}" for n in range(2, 1000) if f"{name}_{n}" not in taken)
    taken.add(found)
    return found


def curved(program: Program, kind: str, variables: list[Tensor]) -> list[str]:
    """Why the output is a convex, or concave, function of the variables; nothing where it is not shown."""
    try:
        program, (form,), goal, said = prepared(program)
    except (TooLarge, DeriveError):
        return []
    taken = {*program.tensors, *map(str, program.sizes)}
    own = {t.name: t for t in program.inputs}
    directions = {
        own[t.name]: Tensor(_fresh(f"d{t.name}", taken), t.shape, facts=t.facts & LINEAR) for t in variables
    }
    setting = Setting(goal, directions)
    if not is_plain(form):
        return []
    try:
        with within(SECONDS):
            form = expanded(goal, goal.normal(form))
            found = convex(form.scaled(1 if kind == "convex" else -1), setting)
    except (TooLarge, OutOfTime):
        return []
    if found is None:
        return []
    turned = ["the negative is convex:"] if kind == "concave" and found else []
    return [*said, *turned, *(found or ["an affine function"])]

