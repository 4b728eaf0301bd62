"""Products of many factors by the sum of their logarithms, where the logarithm, a root or the complement is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy
from sympy import Expr

from ...calculus.differentiate import new_name
from ...ir.nodes import Entry, Equation, Program, Read, Step, Tensor, Where
from ...ops.elementwise.exponential import expm1
from ...ops.elementwise.piecewise import Absolute, Sign
from ._rule import Phase, Rule, U, V
from .exponentials import exponential
from .known import Known
from .shifts import within_functions
from .view import View

SIGNS = "product of signs"


def _complement(e: Expr, known: Known) -> Expr | None:
    """``1 - s exp(a)`` for a sign s."""
    for factor, found, rest in _signed_exponentials(e):
        s = found[V]
        signs = known.definitions.get(s.tensor.name)
        if signs is not None and signs.step.rule == SIGNS:
            return factor * Where(s > 0, -expm1(found[U]), 1 + sympy.exp(found[U]) * Absolute(s)) + rest
    return None


def _signed_exponentials(e: Expr) -> Iterator[tuple[Expr, dict[Expr, Expr], Expr]]:
    """Where ``1 - s exp(a)`` stands in a sum: the factor, s and a, the other terms."""
    for t in e.args:
        c, a = exponential(t)
        for s in sympy.Mul.make_args(c) if a != 0 else ():
            factor = -c / s
            if isinstance(s, Read) and factor in e.args:
                yield factor, {V: s, U: a}, sympy.Add(*(x for x in e.args if x not in (t, factor)))


def _root(e: Expr, known: Known) -> Expr | None:
    """``(c exp(a))^r`` is ``c^r exp(r a)``."""
    c, a = exponential(e.base)
    return c**e.exp * sympy.exp(a * e.exp) if a != 0 and not e.exp.is_Integer else None


ROOT = Rule("root of c exp(u)", (sympy.Pow,), _root, ("sqrt(v*exp(u)) == sqrt(v)*exp(u/2) where v > 0",))
COMPLEMENT = Rule(
    "1 - product",
    (sympy.Add,),
    _complement,
    ("1 - exp(u) == -expm1(u)",),
    when="the sign of the product is 1",
)


def products_needed(program: Program, view: View, phase: Phase) -> list[str]:
    """The products of which a function, a root or, in what is run, 1 minus the product is taken.

    The slope of a product is that of the product itself: by logarithms it would be divided by factors that may be 0.
    """
    products = {
        e.target.name: e
        for e in program.equations
        if e.reduce == "prod" and e.step.rule != SIGNS and e.target.name not in view.members | view.fixed
    }
    bodies = (
        [view.expanded(e.body) for e in program.equations if not isinstance(e.body, Entry)]
        if products
        else []
    )
    asked: set[str] = set()
    for body in bodies:
        asked |= within_functions(body, products)
        if phase == "numeric":
            asked |= _complements(body, set(products))
    return [name for name in products if name in asked]


def _complements(e: Expr, names: set[str]) -> set[str]:
    """The tensors that stand alone with a minus beside a 1."""
    if not e.args:
        return set()
    found = set().union(*(_complements(a, names) for a in e.args if isinstance(a, Expr)))
    if e.is_Add and 1 in e.args:
        found |= {(-t).tensor.name for t in e.args if getattr(-t, "tensor", None) is not None} & names
    return found


def by_logarithms(program: Program, names: list[str], known: Known) -> Program:
    """Each of the products as the exponential of a sum, times the product of the signs."""
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    equations: list[Equation] = []
    for e in program.equations:
        if e.target.name not in names:
            equations.append(e)
            continue
        logs = Tensor(new_name(f"log_{e.target.name}", taken), e.target.shape)
        step = Step("sum of logarithms", of=e.target.name, where=e.step.where)
        sign: Expr = sympy.S.One
        size = e.body
        if not known.nonnegative(e.body):
            signs = Tensor(new_name(f"sign_{e.target.name}", taken), e.target.shape)
            equations.append(
                Equation(signs, e.axes, Sign(e.body), "prod", e.bound, replace(step, rule=SIGNS))
            )
            sign, size = signs[e.axes], Absolute(e.body)
        equations.append(Equation(logs, e.axes, sympy.log(size), "sum", e.bound, step))
        equations.append(replace(e, body=sign * sympy.exp(logs[e.axes]), reduce=None, bound=()))
    return replace(program, equations=tuple(equations))
