"""An equation as array statements in the spelling of one framework."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, S

from ..ir.nodes import Bracket, Entry, Equation, Index, Where, indices_of, substitute
from .code import Atom, Call, Code, Items, Suffix, call
from .dialect import Update
from .layout import Statement
from .placement import Placement, Term, decompose, shape_code
from .primitives import call_statements
from .reads import part_of
from .regions import Region, in_order, regions
from .scalars import Printer, is_scalar
from .scope import Scope
from .sums import reduced, summed, without_deltas

SHORT = 72  # columns of a statement that makes an array and updates it at once


def statements(scope: Scope, equation: Equation) -> list[Statement]:
    """The statements that compute the target of `equation` from tensors that `scope` can see."""
    if isinstance(equation.body, Entry):
        return call_statements(scope, equation)
    scope.look_at(equation.body)
    if equation.reduce == "sum":
        body, bound = without_deltas(equation.body, equation.bound, certain=True)
        equation = replace(equation, body=body, bound=bound)
    parts = regions(equation) if equation.reduce is None and equation.target.kind == "real" else None
    if parts is not None and not any(decompose(r.equation.body, r.equation.axes)[1] for r in parts):
        return _in_parts(scope, equation, parts)
    linear = equation.reduce in (None, "sum")
    base, terms = decompose(equation.body, equation.axes) if linear else (equation.body, [])
    if terms:
        return _placed(scope, equation, base, terms)
    name = scope.tensor(equation.target).text
    return [Statement(f"{name} =", _whole(scope, equation, reduced(scope, equation)))]


def _in_parts(scope: Scope, equation: Equation, parts: list[Region]) -> list[Statement]:
    """A concatenation where the parts follow each other, else additions to slices."""
    name = scope.tensor(equation.target).text
    scope.trusting = not any(part.equation.body.has(Bracket, Where) for part in parts)
    ordered = in_order(parts)
    if ordered is not None:
        return [Statement(f"{name} =", _joined(scope, equation, ordered))]
    first, *rest = parts
    if first.equation.axes == equation.axes:
        base = _owned(scope, _whole(scope, first.equation, first.equation.body))
    else:
        base, rest = Placement(scope, equation).zeros(), parts
    return [
        Statement(f"{name} =", base),
        *(scope.dialect.update(_slice_update(scope, name, part)) for part in rest),
    ]


def _joined(scope: Scope, equation: Equation, parts: list[Region]) -> Code:
    place, dialect = equation.axes.index(parts[0].axis), scope.dialect
    single = all(part.equation.axes[place].extent == 1 for part in parts)
    equations = [_without_axis(part.equation, place) if single else part.equation for part in parts]
    items = Items(tuple(_whole(scope, e, e.body) for e in equations))
    function = f"{dialect.module}.stack" if single else dialect.concatenate
    return call(function, items, *([f"{dialect.axis}={place}"] if place else []))


def _without_axis(equation: Equation, place: int) -> Equation:
    """The equation at the one value of an index of extent 1."""
    axes = equation.axes[:place] + equation.axes[place + 1 :]
    target = replace(equation.target, shape=tuple(a.extent for a in axes))
    return replace(
        equation, target=target, axes=axes, body=substitute(equation.body, {equation.axes[place]: S.Zero})
    )


def _slice_update(scope: Scope, name: str, part: Region) -> Update:
    integers = Printer(scope, (), exact=True)
    place = next(p for p, axis in enumerate(part.equation.axes) if axis.name == part.axis.name)
    index = (*(":" for _ in range(place)), part_of(part.axis.extent, part.low, part.high, integers.code))
    value = Printer(scope, part.equation.axes).code(part.equation.body)
    return Update(name, index, (False,) * len(index), value, is_scalar(part.equation.body), False, Atom(name))


def _placed(scope: Scope, equation: Equation, base: Expr, terms: list[Term]) -> list[Statement]:
    placement = Placement(scope, equation)
    left = f"{placement.target} ="
    diagonal = placement.diagonal(terms[0]) if base == 0 and len(terms) == 1 else None
    if diagonal is not None:
        return [Statement(left, diagonal)]
    made = None if base == 0 else _whole(scope, equation, _summed(scope, equation, base))
    first = placement.zeros() if made is None else _owned(scope, made)
    updates = [placement.update(term) for term in terms]
    if not scope.dialect.copy and len(updates) == 1:
        joined = scope.dialect.update(replace(updates[0], base=first))
        if len(joined.left + joined.right.text) < SHORT:
            return [joined]
    return [Statement(left, first), *(scope.dialect.update(update) for update in updates)]


def _summed(scope: Scope, equation: Equation, body: Expr) -> Expr:
    return summed(scope, body, equation.axes, equation.bound) if equation.bound else body


def _owned(scope: Scope, code: Code) -> Code:
    """An array that may be changed: a copy, unless the expression makes a new one.

    Where arrays never change in place it is one of the framework: a caller's may be NumPy's.
    """
    if not scope.dialect.copy:
        theirs = scope.outside and not isinstance(code, Call)
        return call(f"{scope.dialect.module}.asarray", code) if theirs else code
    return code if code.fresh else Suffix(code, scope.dialect.copy, copies=True)


def _whole(scope: Scope, equation: Equation, body: Expr) -> Code:
    """The array of an elementwise body over all axes of the target, of the target's kind."""
    missing = [axis for axis in equation.axes if axis not in indices_of(body)]
    if equation.target.kind != "real":
        return _broadcast(scope, equation, _integral(scope, equation, body), missing)
    if body == 0:
        return Placement(scope, equation).zeros()
    if is_scalar(body):
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
        return _with_units(scope, equation, code, missing)
    wide = call(f"{scope.dialect.module}.broadcast_to", code, shape_code(scope, equation))
    return Suffix(wide, scope.dialect.copy, copies=True) if scope.dialect.copy else wide


def _with_units(scope: Scope, equation: Equation, code: Code, missing: list[Index]) -> Code:
    """Add the axes of extent 1 that are missing in front; those further back are there already."""
    leading = equation.axes[: next((p for p, axis in enumerate(equation.axes) if axis not in missing), None)]
    if not leading:
        return code
    if any(extent == 1 for read in equation.reads for extent in read.tensor.shape):
        return Suffix(code, f".reshape({shape_code(scope, equation)})")
    return Suffix(code, f"[{', '.join(['None'] * len(leading))}]")
