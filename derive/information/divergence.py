"""The mean of a log-density, of another one, or of their difference over a law of numbers: derived, then checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import sympy
from sympy import Expr, S

from ..errors import NoClosedForm
from .family import Family, exponential_family, terms_of
from .laws import Scalar, sampled, symbol_of
from .means import mean_of, means
from .quadrature import mean_at, value_at
from .spelling import spelled
from .support import outside
from .written import tidied

Kind = Literal["entropy", "cross-entropy", "KL"]
POINTS = 3
AGREES = 1e-8
"""How far a closed form may be from quadrature, relative to 1 plus its value, beside the error of the quadrature."""


@dataclass(frozen=True)
class Derived:
    """A closed form and how it came to be; `value` is None where there is none."""

    value: Expr | None
    steps: tuple[str, ...]
    note: str = ""


def functional(kind: Kind, p: Scalar, q: Scalar, x: sympy.Symbol) -> Expr:
    """The function of x whose mean over p is wanted."""
    match kind:
        case "entropy":
            return -p.log_density(x)
        case "cross-entropy":
            return -q.log_density(x)
        case "KL":
            return p.log_density(x) - q.log_density(x)


def together(p: Scalar, q: Scalar) -> tuple[Scalar, Scalar]:
    """Two laws in which one name has the same facts."""
    facts = {
        name: p.facts.get(name, frozenset()) | q.facts.get(name, frozenset()) for name in {*p.facts, *q.facts}
    }
    return _with(p, facts), _with(q, facts)


def _with(law: Scalar, facts: dict[str, frozenset[str]]) -> Scalar:
    symbols = {s: symbol_of(s.name, facts[s.name]) for s in law.symbols}
    parameters = tuple(e.xreplace(symbols) for e in law.parameters)
    return Scalar(law.written, law.record, parameters, facts, law.assumed)


def derive(kind: Kind, p: Scalar, q: Scalar) -> Derived:
    """The closed form, if one is found that agrees with quadrature at some points."""
    x = p.variable
    condition, where = outside(p, q)
    if condition == sympy.false:
        return Derived(S.Infinity, (), f"infinite: {where}")
    g = functional(kind, p, q, x)
    missing = "it"
    try:
        for value, steps in candidates(kind, p, q, g, x):
            found = tidied(value, pairs(p, q))
            worst = disagreement(found, g, x, p, q, condition)
            if worst is not None:
                return _checked(found, steps, worst, condition, where, p)
    except NoClosedForm as error:
        missing = str(error)
    return Derived(
        None,
        (),
        f"no closed form found, none being known here for {missing}; by {_numerically(p)} at given parameters",
    )


def _checked(
    value: Expr, steps: tuple[str, ...], worst: float, condition: sympy.Basic, where: str, p: Scalar
) -> Derived:
    """A closed form that was checked; infinite where the supports do not fit."""
    steps = (*steps, f"checked: agrees with {_numerically(p)} at {POINTS} points, to {worst:.0e}")
    if condition == sympy.true:
        return Derived(value, steps)
    value = sympy.Piecewise((value, condition), (sympy.oo, True))
    return Derived(value, steps, f"infinite unless {_words(condition)}: {where}")


def _numerically(p: Scalar) -> str:
    return "summation" if p.record.discrete else "quadrature"


def candidates(
    kind: Kind, p: Scalar, q: Scalar, g: Expr, x: sympy.Symbol
) -> Iterator[tuple[Expr, tuple[str, ...]]]:
    """Values to be checked, each with its derivation: by the log-partition, term by term, by one integral."""
    if (found := by_partition(kind, p, q, x)) is not None:
        yield found
    known = means(g, x, p)
    lines = [f"{title(kind)} = E[{spelled(as_sum(g, x))}], x ~ {p.written}"]
    lines += [f"  E {spelled(m.of)} = {spelled(tidied(m.value))}   ({m.how})" for m in known]
    yield mean_of(g, x, known), tuple(lines)


def by_partition(kind: Kind, p: Scalar, q: Scalar, x: sympy.Symbol) -> tuple[Expr, tuple[str, ...]] | None:
    """In an exponential family: the Bregman divergence of the log-partition, ``E T = grad A(eta)``."""
    if p.record is not q.record:
        return None
    own, other = (exponential_family(law.log_density(x), x, _moving(p, q)) for law in (p, q))
    if own is None or other is None or set(own.statistics) != set(other.statistics) or not own.statistics:
        return None
    if kind != "KL" and own.log_base.has(x):
        return None
    natural = dict(zip(other.statistics, other.natural, strict=True))
    gradient = log_partition_gradient(p, x, own)
    if gradient is None:
        return None
    same = kind == "entropy"
    theirs = own.natural if same else tuple(natural[t] for t in own.statistics)
    partition = own.log_partition if same else other.log_partition
    lines = [
        f"an exponential family, log p(x) = η·T(x) − A{' + log h(x)' if own.log_base != 0 else ''}:",
        f"  T = {_tuple(own.statistics)}",
        f"  η = {_tuple(own.natural)}",
        f"  A = {spelled(tidied(own.log_partition))}",
        f"  ∇A(η) = E T = {_tuple(gradient)}",
    ]
    cross = sympy.Add(*(a * b for a, b in zip(theirs, gradient, strict=True)))
    match kind:
        case "KL":
            inner = sympy.Add(*(a * b for a, b in zip(own.natural, gradient, strict=True)))
            value = partition - own.log_partition - (cross - inner)
            lines.append("KL(p ‖ q) = A(η_q) − A(η_p) − (η_q − η_p)·∇A(η_p), the Bregman divergence of A")
        case "entropy":
            value = partition - cross - own.log_base
            lines.append("H(p) = A(η) − η·∇A(η)" + (" − log h" if own.log_base != 0 else ""))
        case "cross-entropy":
            value = partition - cross - own.log_base
            lines.append("H(p, q) = A(η_q) − η_q·∇A(η_p)" + (" − log h" if own.log_base != 0 else ""))
    return value, tuple(lines)


def log_partition_gradient(p: Scalar, x: sympy.Symbol, family: Family) -> tuple[Expr, ...] | None:
    """``dA/d eta`` by ``dA/d theta = (d eta/d theta)' dA/d eta``, the equations of the means of the statistics."""
    symbols = p.symbols
    if len(symbols) < len(family.natural) or set(symbols) & set(family.log_base.free_symbols):
        return _by_rules(p, x, family)
    jacobian = sympy.Matrix([[sympy.diff(eta, s) for eta in family.natural] for s in symbols])
    slope = sympy.Matrix([sympy.diff(family.log_partition, s) for s in symbols])
    if jacobian.rows == jacobian.cols and sympy.simplify(jacobian.det()) != 0:
        return tuple(map(tidied, jacobian.LUsolve(slope)))
    return _by_rules(p, x, family)


def _by_rules(p: Scalar, x: sympy.Symbol, family: Family) -> tuple[Expr, ...] | None:
    try:
        known = means(sympy.Add(*(sympy.Dummy(positive=True) * t for t in family.statistics)), x, p)
    except NoClosedForm:
        return None
    values = {m.of: m.value for m in known}
    return (
        tuple(tidied(values[t]) for t in family.statistics)
        if all(t in values for t in family.statistics)
        else None
    )


def _moving(p: Scalar, q: Scalar) -> list[sympy.Symbol]:
    return sorted({*p.symbols, *q.symbols}, key=str)


def pairs(p: Scalar, q: Scalar) -> list[tuple[Expr, Expr]]:
    """Parameters of the same place without facts: two locations, whose difference may be all that matters."""
    free = [
        [e for e, a in zip(law.parameters, law.record.parameters, strict=True) if not a.facts]
        for law in (p, q)
    ]
    return list(zip(*free, strict=False))


def disagreement(
    value: Expr, g: Expr, x: sympy.Symbol, p: Scalar, q: Scalar, condition: sympy.Basic
) -> float | None:
    """The largest relative difference from quadrature at some points of the parameters; None if they do not agree."""
    rng, worst, done = np.random.default_rng(3), 0.0, 0
    whole = frozenset(
        s.name for law in (p, q) if law.record.discrete for b in law.bounds for s in b.free_symbols
    )
    for _ in range(20 * POINTS):
        point = sampled({**p.facts, **q.facts}, rng, whole)
        if not _possible(point, p, q, condition):
            continue
        number, truth = value_at(value, point), mean_at(g, x, p, point)
        if not np.isfinite(number) and not np.isfinite(truth.value):
            return None
        error = abs(number - truth.value) / (1 + abs(truth.value))
        if not error <= AGREES + 10 * truth.error:
            return None
        worst, done = max(worst, error), done + 1
        if done == (POINTS if point else 1):
            return worst
    return worst if done else None


def _possible(point: dict[str, float], p: Scalar, q: Scalar, condition: sympy.Basic) -> bool:
    """Whether the supports are no empty intervals there, and fit."""
    at = {s: point[s.name] for law in (p, q) for s in law.symbols}
    for law in (p, q):
        low, high = (b.subs(at) for b in law.bounds)
        needs = getattr(law.record, "requires", None)
        if not low < high or (needs and not all(e.subs(at) > 0 for e in needs(*law.parameters))):
            return False
    return bool(condition.subs(at))


def title(kind: Kind) -> str:
    return {"entropy": "H(p)", "cross-entropy": "H(p, q)", "KL": "KL(p ‖ q)"}[kind]


def as_sum(g: Expr, x: sympy.Symbol) -> Expr:
    """Its terms, each with one coefficient."""
    return sympy.Add(*(tidied(c) * t for c, t in terms_of(g, x)))


def _tuple(items: tuple[Expr, ...]) -> str:
    return spelled(items[0]) if len(items) == 1 else f"({', '.join(map(spelled, items))})"


def _words(condition: sympy.Basic) -> str:
    parts = condition.args if isinstance(condition, sympy.And) else (condition,)
    return " and ".join(f"{spelled(c.lts)} ≤ {spelled(c.gts)}" for c in sorted(parts, key=str))
