"""Norms: the largest entry is taken out of a sum of powers under a root, so that no square leaves the range."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, Mul, Or, S

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
from ...ops.elementwise.nonfinite import is_inf
from ...ops.elementwise.piecewise import Absolute
from .known import Known
from .view import SCALE, View

MODERATE = 1e-75, 1e75
"""Numbers of these sizes have squares and fourth powers that are numbers."""
SCALED = "scaled sum"
"""The rule of a sum of powers of scaled entries."""
MOST = 200
"""Places at which an entry is looked for in one product."""


@dataclass(frozen=True)
class Norm:
    """``S = sum_bound |v|^k``: its equation, v and k; the scale and the scaled entries once they have names."""

    equation: Equation
    entry: Expr
    power: Expr
    scale: Tensor
    scaled: Tensor

    @property
    def name(self) -> str:
        return self.equation.target.name

    @property
    def axes(self) -> tuple[Index, ...]:
        return self.equation.indices


def norms(program: Program, view: View, known: Known) -> list[Norm]:
    """The sums of powers that are read under a root or below a fraction, of entries of any size."""
    read = {
        name
        for e in program.equations
        if not isinstance(e.body, Entry)
        for name in _rooted(view.expanded(e.body))
    }
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    found = []
    for e in program.equations:
        name = e.target.name
        if e.reduce != "sum" or name not in read or name in view.fixed or name in view.members:
            continue
        parts = _power(view.expanded(e.body))
        if parts is None or not set(e.indices) <= indices_of(parts[0]) or _moderate(parts[0], known):
            continue
        if any(
            view.definitions[r.tensor.name].step.rule == SCALE
            for r in reads_of(parts[0])
            if r.tensor.name in view.definitions
        ):
            continue
        scale = Tensor(
            new_name(f"{name}_scale", taken), e.target.shape, facts=frozenset({"positive", "nonnegative"})
        )
        scaled = Tensor(new_name(f"{name}_entries", taken), tuple(i.extent for i in e.indices))
        found.append(Norm(e, *parts, scale, scaled))
    return found


def _rooted(e: Expr) -> set[str]:
    """The tensors that stand, but for a factor, under a root or below a fraction."""
    if isinstance(e, Read | Bracket) or not e.args:
        return set()
    if e.is_Pow and e.exp.is_number and not (e.exp.is_Integer and e.exp > 0):
        return {f.tensor.name for f in Mul.make_args(e.base) if isinstance(f, Read)}
    args = e.args[1:] if isinstance(e, Where) else e.args
    return set().union(*(_rooted(a) for a in args if isinstance(a, Expr)))


def _power(body: Expr) -> tuple[Expr, Expr] | None:
    """v and k of ``|v|^k``; v may be a product."""
    factors = Mul.make_args(body)
    powers = {f.exp for f in factors if f.is_Pow}
    if len(powers) != 1 or not all(f.is_Pow for f in factors):
        return None
    (k,) = powers
    v = Mul(*(f.base for f in factors))
    if k.is_Integer and k > 0 and k % 2 == 0:
        return v, k
    return (v, k) if k.is_Rational and k > 1 and isinstance(v, Absolute) else None


def _moderate(v: Expr, known: Known) -> bool:
    """Whether no power of it can leave the range: it is bounded away from 0 and from infinity."""
    low, high = known.range(v)
    return (low > MODERATE[0] or high < -MODERATE[0]) and max(abs(low), abs(high)) < MODERATE[1]


def companions(program: Program, view: View, found: list[Norm]) -> dict[str, tuple[Expr, Expr]]:
    """Sums of products with entries of norms, ``sum x y`` beside |x| and |y|: their scales, and what is left to sum."""
    own = {n.name for n in found}
    beside: dict[str, tuple[Expr, Expr]] = {}
    for e in program.equations:
        if e.reduce != "sum" or e.target.name in own | view.fixed | view.members or not _beside(e, own, program, view):
            continue
        scale, left = S.One, S.One
        body = view.expanded(e.body)
        if own & {r.tensor.name for r in reads_of(body)}:  # its entries are over norms already
            continue
        for f in Mul.make_args(body):
            base, k = f.as_base_exp()
            some = (_at_any(base, e, n) for n in found) if k in (1, 2) else ()
            M, u = next((x for x in some if x is not None), (None, None))
            scale, left = (scale, left * f) if M is None or u is None else (scale * M**k, left * u**k)
        if scale != 1:
            beside[e.target.name] = scale, left
    return beside


def _beside(e: Equation, own: set[str], program: Program, view: View) -> bool:
    """Whether a sum is multiplied by a function of a norm."""
    for other in program.equations:
        body = other.body if isinstance(other.body, Entry) else view.expanded(other.body)
        for term in sympy.preorder_traversal(body):
            if getattr(term, "is_Mul", False):
                names = {r.tensor.name for r in reads_of(term)}
                if e.target.name in names and names & own:
                    return True
    return False


def _at_any(v: Expr, e: Equation, n: Norm) -> tuple[Read, Expr] | None:
    """An entry of a norm as the scale of that norm, which must not vary within the sum `e`, and the scaled entry."""
    places = sorted({i for r in reads_of(v) for i in r.indices}, key=str)
    free = [i for i in places if i not in e.bound]
    for chosen in itertools.islice(itertools.product(free, repeat=len(n.equation.axes)), MOST):
        M = Read(n.scale, chosen)
        if (u := _scaled(v, M, n)) is not None:
            return M, u
    return None


def by_scale(program: Program, found: list[Norm], beside: Mapping[str, tuple[Expr, Expr]]) -> Program:
    """Each sum as ``M^k T`` with M the largest |v|, 1 where that is 0 or infinite, and T the sum of ``(v / M)^k``.

    beside: the sums that have entries in common with them, by `companions`.
    """
    by_name = {n.name: n for n in found}
    equations: list[Equation] = []
    taken = dict.fromkeys(
        (*program.tensors, *(n.scale.name for n in found), *(n.scaled.name for n in found)), 1
    )
    for e in program.equations:
        n = by_name.get(e.target.name)
        if n is None:
            equations += _with_scales(e, *beside[e.target.name], taken) if e.target.name in beside else [e]
            continue
        step = Step(SCALE, of=n.name, where=e.step.where)
        largest = Tensor(
            new_name(f"{n.name}_largest", taken), e.target.shape, facts=frozenset({"nonnegative"})
        )
        total = Tensor(new_name(f"{n.name}_scaled", taken), e.target.shape, facts=frozenset({"nonnegative"}))
        m, M = largest[e.axes], n.scale[e.axes]
        size = n.entry if isinstance(n.entry, Absolute) else Absolute(n.entry)
        equations += [
            Equation(largest, e.axes, size, "max", e.bound, step),
            Equation(n.scale, e.axes, Where(Or(sympy.Le(m, 0), is_inf(m)), S.One, m), step=step),
            Equation(n.scaled, n.axes, n.entry / M, step=step),
            Equation(
                total,
                e.axes,
                Read(n.scaled, n.axes) ** n.power,
                "sum",
                e.bound,
                replace(step, rule=SCALED),
            ),
            Equation(e.target, e.axes, M**n.power * total[e.axes], step=replace(e.step, rule="norm")),
        ]
    return replace(program, equations=tuple(equations))


def _with_scales(e: Equation, scale: Expr, left: Expr, taken: dict[str, int]) -> list[Equation]:
    scaled = Tensor(new_name(f"{e.target.name}_scaled", taken), e.target.shape)
    step = Step("scaled sum", of=e.target.name, where=e.step.where)
    return [
        Equation(scaled, e.axes, left, "sum", e.bound, step),
        Equation(e.target, e.axes, scale * scaled[e.axes], step=replace(e.step, rule="norm")),
    ]


def directions(program: Program, found: list[Norm]) -> Program:
    """Entries over the scale are read as the scaled ones: ``v_i v_j / M^3`` is ``u_i u_j / M``."""
    equations = []
    for e in program.equations:
        if isinstance(e.body, Entry) or e.step.rule == SCALE:
            equations.append(e)
            continue
        equations.append(replace(e, body=directed(e.body, found)))
    return replace(program, equations=tuple(equations))


def of_a_size(program: Program, found: list[Norm]) -> frozenset[str]:
    """The definitions whose values have a power of a scale as a factor, beside others of them: together they may cancel."""
    scales = {n.scale.name for n in found}
    view = View(program)
    return frozenset(
        e.target.name
        for e in program.equations
        if not e.reduce and not isinstance(e.body, Entry) and e.step.rule not in (SCALE, "norm")
        and any(_is_of(f, scales) for f in Mul.make_args(view.expanded(e.body)))
    )  # fmt: skip


def _is_of(f: Expr, names: set[str]) -> bool:
    """Whether a factor is a power of one of these tensors."""
    base = f.as_base_exp()[0]
    return isinstance(base, Read) and base.tensor.name in names


def directed(e: Expr, found: list[Norm]) -> Expr:
    """An expression with scaled entries in place of entries over a scale."""
    for n in found:
        if any(r.tensor == n.scale for r in reads_of(e)):
            e = _directed(e, n)
    return e


def _directed(e: Any, n: Norm) -> Any:
    if isinstance(e, Read | Bracket) or not e.args:
        return e
    args = [_directed(a, n) if isinstance(a, Expr) else a for a in e.args]
    e = e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
    if not e.is_Mul:
        return e
    below = {
        f.base: -f.exp
        for f in e.args
        if f.is_Pow and isinstance(f.base, Read) and f.base.tensor == n.scale and f.exp < 0
    }
    for M, power in below.items():
        left = power
        for f in e.args:
            base, k = f.as_base_exp()
            if base == M or not k.is_Integer or k <= 0 or left <= 0:
                continue
            even = k % 2 == 0 and isinstance(n.entry, Absolute)
            u = _scaled(Absolute(base) if even else base, M, n)
            if u is not None:
                times = min(k, left - left % 2 if even else left)
                e, left = e / base**times * (u * M) ** times, left - times
    return e


def _scaled(v: Expr, M: Read, n: Norm) -> Expr | None:
    """The scaled entry that is this one over M, if it is one of those that the scale was taken of."""
    own = dict(zip(n.equation.axes, M.indices, strict=True))
    entry = n.entry.args[0] if isinstance(n.entry, Absolute) else n.entry
    places = sorted({i for r in reads_of(v) for i in r.indices}, key=str)
    for chosen in itertools.islice(itertools.product(places, repeat=len(n.equation.bound)), MOST):
        mapping = {**own, **dict(zip(n.equation.bound, chosen, strict=True))}
        at = substitute(entry, mapping)
        if v in (at, -at, Absolute(at)):
            u = Read(n.scaled, tuple(mapping[i] for i in n.axes))
            if isinstance(n.entry, Absolute):
                return u if v == Absolute(at) else None
            return u if v == at else -u if v == -at else Absolute(u)
    return None
