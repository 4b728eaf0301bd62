"""Sums of exponentials: the largest exponent is taken out, for what is divided by the sum or asks for its logarithm."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import sympy
from sympy import Add, Expr, Mul, S

from ...calculus.differentiate import new_name
from ...ir.nodes import (
    Bracket,
    Entry,
    Equation,
    Index,
    Program,
    Read,
    Step,
    Tensor,
    Where,
    indices_of,
    reads_of,
    substitute,
)
from ...ops.elementwise.exponential import expm1
from ...ops.elementwise.nonfinite import is_inf
from ...ops.elementwise.piecewise import Maximum
from .exponentials import exponential
from .known import Known
from .rewriter import size_of
from .view import REST, SHIFT, WEIGHTED, View

SMALL = 600
"""Exponentials of numbers below this are no infinity, nor is a sum of them."""


@dataclass(frozen=True)
class Sum:
    """``T = sum_bound  c_1 exp(a_1) + ...``: an equation, and its terms as coefficients and exponents."""

    equation: Equation
    terms: tuple[tuple[Expr, Expr], ...]

    @property
    def name(self) -> str:
        return self.equation.target.name


def shifts_needed(program: Program, view: View, known: Known) -> list[Sum]:
    """The sums of exponentials that may leave the range of numbers where what is made of them does not."""
    sums = {s.name: s for e in program.equations if (s := _as_sum(e, view, known)) is not None}
    if not sums:
        return []
    bodies = [view.expanded(e.body) for e in program.equations if not isinstance(e.body, Entry)]
    needed: set[str] = set()
    for body in bodies:
        needed |= within_functions(body, sums.keys())
    while True:
        more = {n for body in bodies for n in _beside(body, needed, sums.keys())} - needed
        if not more:
            return [s for name, s in sums.items() if name in needed]
        needed |= more


def _as_sum(e: Equation, view: View, known: Known) -> Sum | None:
    name = e.target.name
    if e.reduce != "sum" or isinstance(e.body, Entry) or name in view.members or name in view.fixed:
        return None
    body = view.expanded(e.body)
    if not body.has(sympy.exp):
        return None
    named = {view.expanded(r): r for r in reversed(view.inside(e.body))}
    terms = tuple((c, named.get(a, a)) for c, a in map(exponential, Add.make_args(body)))
    bound = set(e.bound)
    if any(c.has(sympy.exp) and indices_of(c) & bound for c, _ in terms):
        return None
    moving = [a for _, a in terms if a != 0]
    if not moving or all(_settled(a, e.bound, view, known) for a in moving):
        return None
    return Sum(e, terms)


def _settled(a: Expr, bound: tuple[Index, ...], view: View, known: Known) -> bool:
    """Whether the largest exponent is known to be of moderate size: it is bounded, or its maximum was subtracted."""
    low, high = known.range(a)
    return (low > -SMALL and high < SMALL) or not indices_of(a) & set(bound) or is_shifted(a, view)


def is_shifted(a: Expr, view: View) -> bool:
    """Whether an exponent is a multiple of ``b - max(b)``, as somebody who knows about overflow writes it."""
    expanded = sympy.expand(view.expanded(a))
    for read in reads_of(expanded):
        found = _maximum_of(read, view)
        k = expanded.coeff(read) if found is not None else S.Zero
        if found is None or k == 0:
            continue
        rest = sympy.expand((expanded - k * read) / -k)
        m, places = found
        body = substitute(m.body, dict(zip(m.axes, places, strict=True)))
        if _same_but_bound(sympy.expand(view.expanded(body)), rest, m.bound):
            return True
    return False


def _maximum_of(read: Read, view: View) -> tuple[Equation, tuple[Expr, ...]] | None:
    """The equation of a maximum, also behind the guard that makes it finite or a change of shape."""
    e = view.definitions.get(read.tensor.name)
    places = read.indices
    while e is not None and e.reduce is None:
        inner = _guarded(e.body) if e.step.rule == SHIFT else e.body
        if not isinstance(inner, Read):
            return None
        places = tuple(substitute(i, dict(zip(e.axes, places, strict=True))) for i in inner.indices)
        e = view.definitions.get(inner.tensor.name)
    return (e, places) if e is not None and e.reduce == "max" else None


def _guarded(body: Expr) -> Expr:
    """What is read where it is finite."""
    return Mul(*(f for f in Mul.make_args(body) if not isinstance(f, Bracket)))


def _same_but_bound(pattern: Expr, e: Expr, bound: tuple[Index, ...]) -> bool:
    own = sorted(indices_of(e), key=str)
    if len(bound) == 1:
        return any(substitute(pattern, {bound[0]: i}) == e for i in own)
    options: list[dict[Index, Index]] = [{}]
    for b in bound:
        options = [{**o, b: i} for o in options for i in own if i not in o.values()]
    return any(substitute(pattern, o) == e for o in options[:200])


def within_functions(e: Expr, names: Collection[str], within: bool = False) -> set[str]:
    """The sums that stand within a function, or below a fraction."""
    if isinstance(e, Read):
        return {e.tensor.name} & set(names) if within else set()
    if isinstance(e, Bracket) or not e.args:
        return set()
    args = e.args[1:] if isinstance(e, Where) else e.args
    plain = e.is_Add or e.is_Mul or isinstance(e, Where) or (e.is_Pow and e.exp.is_Integer and e.exp > 0)
    within = within or not plain
    return set().union(*(within_functions(a, names, within) for a in args))


def _beside(e: Expr, needed: set[str], names: Iterable[str]) -> set[str]:
    """The sums that are multiplied by others which are to be shifted."""
    if isinstance(e, Read | Bracket) or not e.args:
        return set()
    found = set().union(*(_beside(a, needed, names) for a in e.args if isinstance(a, Expr)))
    if e.is_Mul:
        here = {r.tensor.name for r in reads_of(e)}
        if here & needed:
            found |= here & set(names)
    return found


def shift(program: Program, found: list[Sum], view: View, known: Known) -> Program:
    """Each sum as ``exp(s) S`` with s its largest exponent, 0 where that is infinite."""
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    by_name = {s.name: s for s in found}
    maxima: dict[tuple[object, ...], Tensor] = {}
    equations: list[Equation] = []
    for e in program.equations:
        if e.reduce == "max":
            maxima.setdefault(_key(e.axes, e.bound, view.expanded(e.body)), e.target)
        if e.target.name not in by_name:
            equations.append(e)
            continue
        equations += _shifted(e, by_name[e.target.name], maxima, taken, view, known)
    return replace(program, equations=tuple(equations))


def _key(axes: tuple[Index, ...], bound: tuple[Index, ...], body: Expr) -> tuple[object, ...]:
    names = {i: Index(f"#{n}", i.extent) for n, i in enumerate((*axes, *bound))}
    return (len(axes), substitute(body, dict(names.items())))


def _shifted(
    e: Equation, found: Sum, maxima: dict[tuple[object, ...], Tensor], taken: dict[str, int], view: View, known: Known
) -> list[Equation]:  # fmt: skip
    new: list[Equation] = []
    name = e.target.name
    step = Step(SHIFT, of=name, where=e.step.where)
    largest = _largest(found.terms, known)
    axes = tuple(i for i in e.axes if i in indices_of(largest))
    bound = tuple(i for i in e.bound if i in indices_of(largest))
    shape = tuple(i.extent for i in axes)
    key = _key(axes, bound, largest)
    if key not in maxima:
        body = largest
        maxima[key] = Tensor(new_name(f"{name}_max", taken), shape)
        new.append(Equation(maxima[key], axes, body, "max", bound, step))
    guard = ("guard", *key)
    if guard not in maxima:
        maxima[guard] = Tensor(new_name(f"{name}_shift", taken), shape)
        m = maxima[key][axes]
        new.append(Equation(maxima[guard], axes, Where(is_inf(m), S.Zero, m), step=step))
    s = maxima[guard][axes]
    step = replace(e.step, rule="sum of exponentials", named=False)
    scaled = Tensor(new_name(f"{name}_scaled", taken), e.target.shape, facts=_facts(found, e, known))
    body = Add(*(c * sympy.exp(a - s) for c, a in found.terms))
    new.append(Equation(scaled, e.axes, body, "sum", e.bound, step))
    if len(found.terms) == 1:
        new += _rest(scaled, e, *found.terms[0], s, taken)
    new.append(
        Equation(e.target, e.axes, sympy.exp(s) * scaled[e.axes], step=replace(step, named=e.step.named))
    )
    return new


def _rest(scaled: Tensor, e: Equation, c: Expr, a: Expr, s: Expr, taken: dict[str, int]) -> list[Equation]:
    """The sum minus 1, without subtracting: for a mean by expm1, else the sum without its largest entries.

    As in SciPy's logsumexp, the largest entries are counted: they are 1 each.
    """
    step = Step(REST, of=scaled.name)
    rest = Tensor(new_name(f"{scaled.name}_rest", taken), scaled.shape)
    if sympy.cancel(c * Mul(*(b.extent for b in e.bound))) == 1:
        mean = Equation(rest, e.axes, c * expm1(a - s), "sum", e.bound, step)
        return [mean, *_weighted(scaled, e, c * sympy.exp(a - s), taken)]
    if c != 1:
        return _weighted(scaled, e, c * sympy.exp(a - s), taken)
    others = Tensor(new_name(f"{scaled.name}_others", taken), scaled.shape, facts=frozenset({"nonnegative"}))
    count = Tensor(new_name(f"{scaled.name}_count", taken), scaled.shape, facts=frozenset({"nonnegative"}))
    largest = sympy.Eq(a, s)
    return [
        Equation(others, e.axes, Where(largest, S.Zero, sympy.exp(a - s)), "sum", e.bound, step),
        Equation(count, e.axes, Bracket(largest), "sum", e.bound, step),
        Equation(rest, e.axes, others[e.axes] + (count[e.axes] - 1), step=step),
    ]


def _weighted(scaled: Tensor, e: Equation, term: Expr, taken: dict[str, int]) -> list[Equation]:
    """The sum minus its largest term, without subtracting: by its other terms, and by those that are as large."""
    step = Step(REST, of=scaled.name)
    indices = tuple(i for i in (*e.axes, *e.bound) if i in indices_of(term))
    axes = tuple(i for i in e.axes if i in indices)
    if not set(e.bound) <= set(indices) or axes != e.axes:
        return []
    terms = Tensor(new_name(f"{scaled.name}_terms", taken), tuple(i.extent for i in indices))
    top, others, count, rest = (
        Tensor(new_name(f"{scaled.name}_{name}", taken), scaled.shape) for name in ("top", "others", "count", "rest")
    )
    own, m = terms[indices], top[e.axes]
    return [
        Equation(terms, indices, term, step=step),
        Equation(top, e.axes, own, "max", e.bound, step),
        Equation(others, e.axes, Where(sympy.Eq(own, m), S.Zero, own), "sum", e.bound, step),
        Equation(count, e.axes, Bracket(sympy.Eq(own, m)), "sum", e.bound, step),
        Equation(rest, e.axes, others[e.axes] + (count[e.axes] - 1) * m, step=replace(step, rule=WEIGHTED)),
    ]


def _facts(found: Sum, e: Equation, known: Known) -> frozenset[str]:
    positive = all(known.positive(c) for c, _ in found.terms) and all(b.extent.is_positive for b in e.bound)
    return frozenset({"positive", "nonnegative"} if positive else ())


def _largest(terms: tuple[tuple[Expr, Expr], ...], known: Known) -> Expr:
    exponents: list[Expr] = []
    for c, a in terms:
        conditions = [f.condition for f in Mul.make_args(c) if isinstance(f, Bracket)]
        a = Where(sympy.And(*conditions), a, S.NegativeInfinity) if conditions else a
        if a not in exponents:
            exponents.append(a)
    exponents.sort(key=size_of)
    largest = exponents[0]
    for a in exponents[1:]:
        largest = Maximum(largest, a)
    return largest
