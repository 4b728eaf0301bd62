"""Steps from one inequality to others that imply it: denominators, roots, logarithms, extrema, cases, entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations

import sympy
from sympy import Expr, S

from ...ir.nodes import NAMES, Bracket, Index, Read, Slot, Tensor, reads_of
from ...ops.elementwise.piecewise import Absolute, Maximum, Minimum
from ..forms.atoms import Applied, Grow, Total, renamed
from ..forms.naming import named_again
from ..forms.polynomial import Monomial, Polynomial
from .forms import over
from .goal import Goal, Known, Largest
from .rewriting import inside, rewritten
from .signs import Signs
from .squares import Squares, free_indices, order, root
from .text import shown, shown_expr


@dataclass(frozen=True)
class Step:
    """Goals that together imply the one at hand, and why."""

    why: str
    goals: tuple[Goal, ...]


def roots_of_matrices(goal: Goal) -> Step | None:
    """A positive semidefinite A[i,j] as ``sum_r R[r,i] R[r,j]``: forms in A become sums of squares."""
    signs, forms = Signs(goal), goal.forms
    names: set[str] = set()

    def rule(a: Expr) -> Polynomial | None:
        place = (a.indices if isinstance(a, Read) else a.places)[-1] if signs.definite(a) else None
        if not isinstance(place, Index):
            return None
        names.add(_matrix(a))
        r = forms.fresh(order(a))
        pair = a.indices[-2:] if isinstance(a, Read) else a.places
        return forms.total(Polynomial.product(_root_entry(goal, a, r, p) for p in pair), (r,))

    form = rewritten(goal.form, forms, rule)
    if not names:
        return None
    why = "; ".join(
        f"{n} = R'R with R = {n}^½, as {n} is positive semidefinite" for n in sorted(names) if not n.startswith("inv(")
    ) or "inverses of definite matrices by their roots"
    return Step(why, (goal.with_form(form),))


def _root_entry(goal: Goal, a: Expr, r: Index, place: Expr) -> Polynomial:
    """``R[r, place]`` where A = R'R; of inv(A) = inv(R) inv(R)' the entry ``inv(R)[place, r]``."""
    operand = a.args[2][0] if isinstance(a, Applied) else None
    if not (isinstance(operand, Read) and "positive definite" in operand.tensor.facts and len(operand.indices) == 2):
        return Polynomial.of(root(a, r, place))
    R = Read(operand.tensor, (Slot(0), Slot(1)))
    factor = root(R, Slot(0), Slot(1))
    return goal.forms.inverse(Polynomial.of(factor), order(a), place, r)


def _matrix(a: Expr) -> str:
    return a.tensor.name if isinstance(a, Read) else shown_expr(a).partition("[")[0]


def without_denominators(goal: Goal) -> Step | None:
    """Times positive factors that stand in denominators; sums under whole powers are multiplied out."""
    signs, forms = Signs(goal), goal.forms
    least: dict[Expr, Expr] = {}
    for monomial, _ in goal.form:
        for a, e in monomial:
            if e < 0 and (signs.positive(a) or signs.nonnegative(a)):
                least[a] = min(least.get(a, S.Zero), e)
            elif e < 0 and e.is_Integer:
                even = e - 1 if e % 2 else e
                least[a] = min(least.get(a, S.Zero), even)
    if not least:
        return None
    factor = frozenset((a, -e) for a, e in least.items())
    form = forms.form((goal.form * Polynomial({factor: S.One})).expression())
    form = expanded(goal, form)
    return Step(f"times {shown(Polynomial({factor: S.One}))}, which is positive", (goal.with_form(form),))


def expanded(goal: Goal, form: Polynomial) -> Polynomial:
    """Sums to whole powers multiplied out."""
    parts = []
    for monomial, c in form:
        whole = Polynomial({frozenset((a, e) for a, e in monomial if not a.is_Add): c})
        for a, e in monomial:
            if a.is_Add:
                natural = sympy.floor(e) if e > 0 else S.Zero
                whole = whole * goal.forms.form(a).power(int(natural))
                if e != natural:
                    whole = whole * Polynomial.of(a, e - natural)
        parts.append(whole)
    return Polynomial.sum(parts)


def multiplied_out(goal: Goal) -> Step | None:
    """Sums to whole powers, multiplied out."""
    if not any(a.is_Add and e >= 1 for m, _ in goal.form for a, e in m):
        return None
    form = expanded(goal, goal.normal(goal.form))
    return None if form.terms == goal.form.terms else Step("multiplied out", (goal.with_form(form),))


def entry_for_extremum(goal: Goal) -> Step | None:
    """A maximum is one of the entries, say at s, which no other exceeds."""
    forms = goal.forms
    for a in _atoms(goal.form):
        if (
            isinstance(a, Applied)
            and str(a.args[0]) in ("max", "min")
            and not free_indices(a) - set(goal.free)
        ):
            total, sign = over(a), 1 if str(a.args[0]) == "max" else -1
            chosen = {b: Index(f"s{len(goal.free)}{n or ''}", b.extent) for n, b in enumerate(total.bound)}
            entry, _ = inside(total, forms, tuple(chosen.values()))
            form = _with_value(goal, {a: entry})
            place = ",".join(i.name for i in chosen.values())
            best = Largest(total, entry, sign)
            why = f"{shown_expr(a)} is the entry {shown(entry)} at some {place}"
            new = replace(goal, form=form, free=(*goal.free, *chosen.values()), largest=(*goal.largest, best))
            return Step(why, (new,))
    return None


def _with_value(goal: Goal, values: dict[Expr, Polynomial]) -> Polynomial:
    """The form with other forms in place of some atoms that hold for all indices."""
    return goal.normal(rewritten(goal.form, goal.forms, values.get))


def by_cases(goal: Goal) -> Step | None:
    """The two cases of an absolute value, of the larger of two, of a condition."""
    forms = goal.forms
    for a in _atoms(goal.form):
        if free_indices(a) - set(goal.free):
            continue
        match a:
            case Absolute():
                t = forms.form(a.args[0])
                cases = [(t, t), (t.scaled(-1), t.scaled(-1))]
            case Maximum() | Minimum():
                x, y = map(forms.form, a.args)
                sign = 1 if isinstance(a, Maximum) else -1
                cases = [(x, (x - y).scaled(sign)), (y, (y - x).scaled(sign))]
            case _:
                continue
        goals = []
        for value, fact in cases:
            form = _with_value(goal, {a: value})
            known = Known(fact, f"{shown(fact)} >= 0 in this case")
            goals.append(_with(replace(goal, form=form), known))
        return Step(f"{shown_expr(a)} is {' or '.join(shown(v) for v, _ in cases)}", tuple(goals))
    return _by_condition(goal)


def _by_condition(goal: Goal) -> Step | None:
    forms = goal.forms
    for a in _atoms(goal.form):
        if not isinstance(a, Bracket) or free_indices(a) - set(goal.free) or not a.condition.is_Relational:
            continue
        condition = a.condition
        if any(isinstance(x, Index) for x in condition.args):
            continue
        goals = []
        for truth, now in ((S.One, condition), (S.Zero, condition.negated)):
            other = Bracket(sympy.Not(condition))
            values = {a: truth, other: 1 - truth, Bracket(condition.reversed): truth}
            form = _with_value(goal, {b: Polynomial.number(v) for b, v in values.items()})
            case = replace(goal, form=form)
            fact = _difference(now)
            if fact is not None:
                known = forms.form(fact)
                case = _with(
                    case,
                    Known(known, f"{shown_expr(now)} in this case", isinstance(now, sympy.Gt | sympy.Lt)),
                )
            goals.append(case)
        return Step(f"where {shown_expr(condition)}, and where not", tuple(goals))
    return None


def _difference(relation: Expr) -> Expr | None:
    match relation:
        case sympy.Gt() | sympy.Ge():
            return relation.lhs - relation.rhs
        case sympy.Lt() | sympy.Le():
            return relation.rhs - relation.lhs
    return None


def _with(goal: Goal, known: Known) -> Goal:
    """The goal with one more fact; the sign of a single atom is noted as such."""
    single = known.form.single()
    signs = goal.signs
    if single is not None and single[1] > 0 and len(single[0]) == 1:
        ((atom, exponent),) = single[0]
        if exponent == 1:
            signs = signs | {atom}
    return replace(goal, given=(*goal.given, known), signs=signs)


def without_logarithms(goal: Goal) -> Step | None:
    """``sum_k c_k log(A_k) + r >= 0`` as ``prod A_k^c_k exp(r) >= 1``, negative powers on the other side."""
    forms = goal.forms
    logs: list[tuple[Polynomial, Expr]] = []
    rest: dict[Monomial, Expr] = {}
    for monomial, c in goal.form:
        only = next(iter(monomial)) if len(monomial) == 1 else None
        if only is not None and isinstance(only[0], sympy.log) and only[1] == 1:
            logs.append((forms.form(only[0].args[0]), c))
        else:
            rest[monomial] = c
    if not logs or any(a.has(sympy.log) for m in rest for a, _ in m):
        return None
    scale = sympy.ilcm(*(c.q for _, c in logs)) if len(logs) > 1 else logs[0][1].q
    if any(abs(c * scale) > 4 for _, c in logs):
        return None
    sides = [Polynomial.number(1), Polynomial.number(1)]
    for argument, c in logs:
        side = 0 if c > 0 else 1
        sides[side] = sides[side] * argument.power(int(abs(c * scale)))
    remainder = Polynomial(rest).scaled(scale)
    if not remainder.is_zero:
        sides[0] = sides[0] * forms.exponential(remainder)
    form = forms.form((sides[0] - sides[1]).expression())
    return Step(f"exp of both sides: {shown(sides[0])} >= {shown(sides[1])}", (goal.with_form(form),))


def without_common_factor(goal: Goal) -> Step | None:
    """Divided by a positive factor of every logarithm."""
    signs = Signs(goal)
    logs = [m for m, _ in goal.form if any(isinstance(a, sympy.log) for a, _ in m)]
    if not logs:
        return None
    common = frozenset.intersection(*logs)
    factor = frozenset((a, -e) for a, e in common if signs.positive(a) and not isinstance(a, sympy.log))
    if not factor:
        return None
    form = goal.normal(goal.form * Polynomial({factor: S.One}))
    return Step(f"times {shown(Polynomial({factor: S.One}))}, which is positive", (goal.with_form(form),))


def with_logarithms(goal: Goal) -> Step | None:
    """``P >= N`` as ``log P >= log N`` where N is one product with an exponential, and both are positive."""
    signs, forms = Signs(goal), goal.forms
    positive = Polynomial({m: c for m, c in goal.form if c > 0})
    negative = Polynomial({m: -c for m, c in goal.form if c < 0})
    grown = any(isinstance(a, Grow) for m, _ in goal.form for a, _ in m)
    if not grown or negative.single() is None:
        return None
    if not (signs.form(positive, strict=True) and signs.form(negative, strict=True)):
        return None
    form = forms.form((forms.logarithm(positive) - forms.logarithm(negative)).expression())
    why = f"logarithms of both sides: {shown(positive)} {'>' if goal.strict else '>='} {shown(negative)}"
    return Step(why, (goal.with_form(form),))


def without_roots(goal: Goal) -> Step | None:
    """``P >= N`` follows from ``P^2 >= N^2`` where P is a sum of nonnegative terms."""
    signs, forms = Signs(goal), goal.forms
    rooted = [m for m, _ in goal.form if any((e.is_Rational and e.q == 2) or isinstance(a, Absolute) for a, e in m)]
    if not rooted:
        return None
    positive = {m: c for m, c in goal.form if c > 0 and signs.monomial(m)}
    negative = {m: -c for m, c in goal.form if m not in positive}
    if not positive:
        return None
    P, N = Polynomial(positive), Polynomial(negative)
    form = forms.form((P.power(2) - N.power(2)).expression())
    form = expanded(goal, form)
    if _roots(form) > _roots(goal.form):
        return None
    return Step(f"the square of {shown(P)} is at least that of {shown(N)}", (goal.with_form(form),))


def _roots(form: Polynomial) -> int:
    return sum(1 for m, _ in form for _, e in m if e.is_Rational and e.q == 2)


def entry_by_entry(goal: Goal) -> Step | None:
    """Sums over one axis as one sum, each term of which is shown to be nonnegative."""
    return _by_entries(goal, lambda index: goal.forms.power(goal.forms.form(index.extent), S.NegativeOne), "")


def entry_by_weights(goal: Goal) -> Step | None:
    """As `entry_by_entry`, a number shared out by weights that add up to 1."""
    weights = sorted({t.name for t in _simplex(goal)})
    if not weights or not any(not any(isinstance(a, Total) for a, _ in m) for m, _ in goal.form):
        return None

    def share(index: Index) -> Polynomial:
        fitting = [t for t in _simplex(goal) if t.shape == (index.extent,)]
        reads = [Polynomial.of(Read(t, (index,))) for t in fitting]
        return Polynomial.sum(reads).scaled(sympy.Rational(1, max(len(reads), 1)))

    return _by_entries(goal, share, f", 1 shared out by {' and '.join(weights)}")


def _simplex(goal: Goal) -> list[Tensor]:
    """The weights in the form that add up to 1."""
    every = {r.tensor for m, _ in goal.form for a, _ in m for r in reads_of(a)}
    return sorted((t for t in every if "simplex" in t.facts and len(t.shape) == 1), key=str)


def _by_entries(goal: Goal, share: Callable[[Index], Polynomial], words: str) -> Step | None:
    axes = {b.extent for m, _ in goal.form for t, _ in m if isinstance(t, Total) for b in t.bound}
    for extent in sorted(axes, key=str):
        index = Index(f"i{len(goal.free)}", extent)
        inner: list[Polynomial] = []
        left: dict[Monomial, Expr] = {}
        for monomial, c in goal.form:
            sums = [(a, e) for a, e in monomial if isinstance(a, Total) and extent in {b.extent for b in a.bound}]
            if not sums:
                left[monomial] = c
            elif len(sums) == 1 and sums[0][1] == 1 and _once(extent, sums[0][0]):
                inner.append(_opened_at(goal, sums[0][0], index) * Polynomial({monomial - set(sums): c}))
            else:
                break
        else:
            if (left or goal.strict) and not extent.is_positive:
                continue
            shared = share(index)
            if left and shared.is_zero:
                continue
            per_entry = Polynomial(left) * shared
            form = goal.normal(Polynomial.sum([*inner, per_entry] if left else inner))
            why = f"this is a sum over {index}{words if left else ''}, of which no term is negative:"
            return Step(why, (replace(goal, form=form, free=(*goal.free, index)),))
    return None


def _once(extent: Expr, total: Total) -> bool:
    return sum(b.extent == extent for b in total.bound) == 1


def _opened_at(goal: Goal, total: Total, index: Index) -> Polynomial:
    """The sum over its other indices, at one place of this one."""
    fresh = tuple(index if b.extent == index.extent else goal.forms.fresh(b.extent) for b in total.bound)
    body, _ = inside(total, goal.forms, fresh)
    return goal.forms.total(body, tuple(b for b in fresh if b != index))


def weights_of_squares(goal: Goal) -> Step | None:
    """``sum_i (w[i] - u[i]) g[i]^2`` by its weights: all terms are sums of the same squares, which may vanish."""
    if goal.strict:
        return None
    signs, forms = Signs(goal), goal.forms
    weights: list[Polynomial] = []
    first: Squares | None = None
    for monomial, c in goal.form:
        found = signs.squares(monomial)
        if found is None or not found.spine or not found.parts:
            return None
        first = first or found
        renaming = _aligned(first, found)
        if renaming is None:
            return None
        weights.append(forms.at(Polynomial({found.weight: c}), renaming))
    if first is None or len(weights) < 2:
        return None
    names = {i: NAMES[n] for n, i in enumerate(first.spine)}
    parts = " ".join(f"({shown_expr(p, names)})^2" for p in first.parts)
    form = goal.normal(Polynomial.sum(weights))
    weight = f"weight[{','.join(names.values())}]"
    why = (
        f"this is sum_{','.join(names.values())} {weight} {parts} with {weight} = {shown(form, names)}, "
        "of which none is negative:"
    )
    return Step(why, (replace(goal, form=form, free=(*goal.free, *first.spine)),))


def _aligned(one: Squares, other: Squares) -> dict[Index, Index] | None:
    """The indices of one sum of squares as those of the other, so that what is squared is the same."""
    if [b.extent for b in one.spine] != [b.extent for b in other.spine] or len(one.parts) != len(other.parts):
        return None
    for arrangement in permutations(one.spine):
        renaming = dict(zip(other.spine, arrangement, strict=True))
        if all(a.extent == b.extent for a, b in renaming.items()):
            parts = [named_again(renamed(p, renaming)) for p in other.parts]
            if sorted(map(str, parts)) == sorted(map(str, one.parts)) and set(parts) == set(one.parts):
                return renaming
    return None


def _atoms(form: Polynomial) -> list[Expr]:
    """Every atom, innermost first."""
    found: dict[Expr, None] = {}

    def visit(e: Expr) -> None:
        for a in e.args:
            if isinstance(a, sympy.Basic):
                visit(a)
        found.setdefault(e)

    for m, _ in form:
        for a, _ in m:
            visit(a)
    return list(found)


Reduction = Callable[[Goal], Step | None]
REDUCTIONS: tuple[Reduction, ...] = (
    roots_of_matrices,
    without_denominators,
    multiplied_out,
    without_roots,
    entry_for_extremum,
    without_common_factor,
    without_logarithms,
    with_logarithms,
    by_cases,
    weights_of_squares,
    entry_by_entry,
    entry_by_weights,
)
