"""Derivatives that keep their digits: by the slopes of the records, where those that are printed cancel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import sympy
from sympy import Expr, S

from ..ir.nodes import Program, Read, substitute
from ..ops.elementwise import op_of_head

LARGEST = 200
"""Operations of a sum of fractions that is still put over one denominator."""

_STABLE: ContextVar[bool] = ContextVar("stable slopes", default=False)


@contextmanager
def stable_slopes() -> Iterator[None]:
    """Within, every derivative is made of the slopes that are to be run, not of those that are to be printed."""
    token = _STABLE.set(True)
    try:
        yield
    finally:
        _STABLE.reset(token)


def has_slopes(program: Program) -> bool:
    """Whether a program has functions whose derivative is run in another form than it is printed in."""
    return any(_outermost(e.body) for e in program.equations)


def derivative(body: Expr, read: Read) -> Expr:
    """The derivative of a body: by SymPy, or within `stable_slopes` by the rules of the records."""
    return stable_derivative(body, read) if _STABLE.get() else body.diff(read)


def stable_derivative(body: Expr, read: Read) -> Expr:
    """The chain rule through the outermost functions that have slopes of their own, SymPy's rules around them."""
    marks = {node: sympy.Dummy(real=True, positive=node.is_positive) for node in _outermost(body)}
    if not marks:
        return one_fraction(body.diff(read))
    outer = substitute(body, marks)
    back = {mark: node for node, mark in marks.items()}
    terms = [substitute(one_fraction(outer.diff(read)), back)]
    for node, mark in marks.items():
        op = op_of_head(node.func)
        assert op is not None and op.slopes is not None
        weight = substitute(outer.diff(mark), back)
        inner = (stable_derivative(a, read) for a in node.args)
        terms += [weight * slope * d for slope, d in zip(op.slopes(*node.args), inner, strict=True) if d is not S.Zero]
    return sympy.Add(*terms)


def one_fraction(e: Expr) -> Expr:
    """A sum of fractions of reads as one: ``-1/(1 + x)^2`` for ``x/(1 + x)^2 - 1/(1 + x)``, which cancels."""
    if not e.is_Add or not any(p.exp.is_negative for p in e.atoms(sympy.Pow)):
        return e
    names = {r: sympy.Dummy() for r in e.atoms(Read)}
    plain = substitute(e, names)
    if not plain.is_rational_function() or sympy.count_ops(plain) > LARGEST:
        return e
    return substitute(sympy.factor(plain), {name: r for r, name in names.items()})


def _outermost(e: Expr) -> list[Expr]:
    """The functions with slopes of their own that are not within another such function."""
    if isinstance(e, Read):
        return []
    op = op_of_head(e.func) if isinstance(e, sympy.Function) else None
    if op is not None and op.slopes is not None:
        return [e]
    return list(dict.fromkeys(node for a in e.args for node in _outermost(a)))
