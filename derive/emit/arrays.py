"""An equation as array statements in the spelling of one framework."""

from __future__ import annotations

from sympy import Expr

from ..ir.nodes import Bracket, Equation, Index, indices_of
from .code import Atom, Code, Suffix, call
from .layout import Statement
from .placement import Placement, Term, decompose, shape_code
from .scalars import Printer, is_scalar
from .scope import Scope
from .sums import reduced, summed


def statements(scope: Scope, equation: Equation) -> list[Statement]:
    """The statements that compute the target of `equation` from tensors that `scope` can see."""
    scope.look_at(equation.reads)
    base, terms = decompose(equation.body, equation.axes) if equation.reduce in (None, "sum") else (equation.body, [])
    if terms:
        return _placed(scope, equation, base, terms)
    name = scope.tensor(equation.target).text
    return [Statement(f"{name} =", _whole(scope, equation, reduced(scope, equation)))]


def _placed(scope: Scope, equation: Equation, base: Expr, terms: list[Term]) -> list[Statement]:
    placement = Placement(scope, equation)
    left = f"{placement.target} ="
    diagonal = placement.diagonal(terms[0]) if base == 0 and len(terms) == 1 else None
    if diagonal is not None:
        return [Statement(left, diagonal)]
    first = placement.zeros() if base == 0 else _owned(scope, _whole(scope, equation, _summed(scope, equation, base)))
    updates = [placement.update(term) for term in terms]
    return [Statement(left, first), *(scope.dialect.update(update) for update in updates)]


def _summed(scope: Scope, equation: Equation, body: Expr) -> Expr:
    return summed(scope, body, equation.axes, equation.bound) if equation.bound else body


def _owned(scope: Scope, code: Code) -> Code:
    """An array that may be changed: a copy, unless the expression makes a new one."""
    return code if code.fresh or not scope.dialect.copy else Suffix(code, scope.dialect.copy, copies=True)


def _whole(scope: Scope, equation: Equation, body: Expr) -> Code:
    """The array of an elementwise body over all axes of the target, of the target's kind."""
    missing = [axis for axis in equation.axes if axis not in indices_of(body)]
    if equation.target.kind != "real":
        return _broadcast(scope, equation, _integral(scope, equation, body), missing)
    if missing and is_scalar(body):
        value, like = Printer(scope, ()).code(body), scope.template()
        return Atom(scope.dialect.full.format(shape=shape_code(scope, equation), value=value, like=like))
    return _broadcast(scope, equation, Printer(scope, equation.axes).code(body), missing)


def _integral(scope: Scope, equation: Equation, body: Expr) -> Code:
    if equation.target.kind == "boolean" and isinstance(body, Bracket):
        return Printer(scope, equation.axes).condition(body.condition)
    code = Printer(scope, equation.axes, exact=bool(body.is_integer)).code(body)
    return code if body.is_integer else Suffix(code, scope.dialect.integer, copies=True)


def _broadcast(scope: Scope, equation: Equation, code: Code, missing: list[Index]) -> Code:
    """Give the array the axes along which it is constant."""
    if not missing:
        return code
    if all(axis.extent == 1 for axis in missing):
        leading = equation.axes[: next((p for p, a in enumerate(equation.axes) if a not in missing), None)]
        return Suffix(code, f"[{', '.join(['None'] * len(leading))}]") if leading else code
    wide = call(f"{scope.dialect.module}.broadcast_to", code, shape_code(scope, equation))
    return Suffix(wide, scope.dialect.copy, copies=True) if scope.dialect.copy else wide
