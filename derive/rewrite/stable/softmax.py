"""What is near 1 or 0 where one entry of a softmax is nearly everything: by the sum of the others."""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, S, exp, log

from ...ir.nodes import Bracket, Equation, Index, Read, Where, indices_of, reads_of, substitute
from ...ops.elementwise.exponential import log1p
from ._rule import Rule
from .exponentials import exponential
from .known import Known
from .view import REST, WEIGHTED


def rest_of(read: Read, known: Known) -> Read | None:
    """The entry that holds a sum of exponentials minus 1."""
    for e in known.definitions.values():
        if (
            e.step.rule == REST
            and e.step.of == read.tensor.name
            and e.target.name.startswith(f"{read.tensor.name}_rest")
        ):
            return Read(e.target, read.indices)
    return None


def _log(e: Expr, known: Known) -> Expr | None:
    """``log(S)`` is ``log1p(S - 1)``, with S - 1 the sum of all but the largest."""
    read = e.args[0]
    rest = rest_of(read, known) if isinstance(read, Read) else None
    return None if rest is None else log1p(rest)


def _summand(read: Read, known: Known) -> tuple[Equation, Expr] | None:
    """The equation of a sum of terms ``c exp(a)``, and its term at the indices of a read."""
    e = known.definitions.get(read.tensor.name)
    if e is None or e.reduce != "sum" or not isinstance(e.body, Expr) or exponential(e.body)[1] == 0:
        return None
    return e, substitute(e.body, dict(zip(e.axes, read.indices, strict=True)))


def _remaining(read: Read, e: Equation, term: Expr, own: dict[Index, Expr], known: Known) -> Expr | None:
    """A sum without one of its terms: where that is the largest, by the others."""
    weight, a = exponential(term)
    rest = rest_of(read, known)
    if rest is not None and weight == 1:
        return Where(sympy.Eq(a, 0), rest, read - term)
    at = {**dict(zip(e.axes, read.indices, strict=True)), **own}
    rest = terms = top = None
    for d in known.definitions.values():
        if d.step.of == read.tensor.name and d.step.rule == WEIGHTED:
            rest = Read(d.target, read.indices)
        if d.step.of == read.tensor.name and d.step.rule == REST and d.reduce is None:
            terms = Read(d.target, tuple(substitute(i, _renamed(d, e, at)) for i in d.axes))
        if d.step.of == read.tensor.name and d.step.rule == REST and d.reduce == "max":
            top = Read(d.target, read.indices)
    if rest is None or terms is None or top is None:
        return None
    return Where(sympy.Eq(terms, top), rest, read - term)


def _renamed(d: Equation, e: Equation, at: dict[Index, Expr]) -> dict[Index, Expr]:
    """Where the axes of an equation are, which stand in the order of those of the sum."""
    return {i: at[i] for i in (*e.axes, *e.bound) if i in d.axes and i in at}


def _complement(e: Expr, known: Known) -> Expr | None:
    """``1 - E_i / S`` is ``(S - E_i) / S``, where E_i is the largest by the sum of the others."""
    for t in e.args:
        for read in (f.base for f in Mul.make_args(t) if f.is_Pow and f.exp.is_Integer and f.exp < 0):
            found = _summand(read, known) if isinstance(read, Read) else None
            if found is None:
                continue
            for own, term in _entries(t, *found):
                c, n = exponential(-t * read)
                weight, a = exponential(term)
                factor = c / weight * exp(sympy.expand(n - a))
                remaining = _remaining(read, found[0], term, own, known) if factor in e.args else None
                if remaining is not None:
                    others = Add(*(u for u in e.args if u not in (t, factor)))
                    return factor * remaining / read + others
    return None


def _entries(t: Expr, e: Equation, term: Expr) -> list[tuple[dict[Index, Expr], Expr]]:
    """The ways in which a product holds a term of the sum: its place and the term."""
    own = sorted({i for r in reads_of(t) for i in r.indices if isinstance(i, Index) or i.is_Integer}, key=str)
    choices: list[dict[Index, Expr]] = [{}]
    for b in e.bound:
        choices = [{**c, b: i} for c in choices for i in own]
    found = []
    power = next((f.args[0] for f in Mul.make_args(t) if isinstance(f, exp)), None)
    for choice in choices[:50]:
        at = substitute(term, choice)
        a = exponential(at)[1]
        if power is not None and (power == a or sympy.expand(power - 2 * a) == 0 or _contains(power, a)):
            found.append((choice, at))
    return found


def _contains(power: Expr, a: Expr) -> bool:
    """Whether an exponent is a sum of another and more."""
    terms = Add.make_args(power)
    return all(t in terms for t in Add.make_args(a))


def _diagonal(e: Expr, known: Known) -> Expr | None:
    """``[i = j] a + b`` with the terms on the diagonal put together, where they cancel there."""
    deltas = {
        f
        for t in e.args
        for f in Mul.make_args(t)
        if isinstance(f, Bracket) and isinstance(f.condition, sympy.Eq)
    }
    for delta in sorted(deltas, key=str):
        i, j = delta.condition.args
        on = [t for t in e.args if delta in Mul.make_args(t)]
        off = [t for t in e.args if t not in on]
        if not isinstance(i, Index) or not off or i in indices_of(j):
            i, j = j, i
        if not isinstance(i, Index) or not off or i in indices_of(j):
            continue
        whole = Add(*(substitute(t / delta, {i: j}) for t in on), *(substitute(t, {i: j}) for t in off))
        better = _complement(whole, known) if whole.is_Add else S.Zero if whole == 0 else None
        if better is not None:
            return Where(delta.condition, better, Add(*off))
    return None


LOG = Rule(
    "log of a sum of exp, shifted", (log,), _log, ("log(u) == log1p(u - 1)",), phase="numeric",
    when="the sum without its largest term is known", source="SciPy, logsumexp",
)  # fmt: skip
COMPLEMENT = Rule(
    "1 - softmax", (Add,), _complement, ("1 - u/(u + v) == v/(u + v)",), phase="numeric",
    when="the sum without its largest term is known", source="derived: over the common denominator",
)  # fmt: skip
DIAGONAL = Rule(
    "[i = j] p - p q", (Add,), _diagonal, ("u - u*v == u*(1 - v)",), phase="numeric",
    when="the terms cancel where i = j", source="derived: the case i = j by itself",
)  # fmt: skip
