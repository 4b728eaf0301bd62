"""Reductions of a body: what leaves the sum, what is summed term by term, and the products that remain."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Mul

from ..ir.nodes import Bracket, Equation, Index, indices_of, reads_of, substitute
from .code import Suffix
from .contractions import Contraction, Operand
from .ranges import inside, limits, nonnegative
from .reads import Order, transposed
from .regions import interval, shrunk_bound
from .scalars import Printer, is_scalar
from .scope import Scope


def reduced(scope: Scope, equation: Equation) -> Expr:
    """The equation's right-hand side as an elementwise expression over its axes alone."""
    match equation.reduce:
        case None:
            return equation.body
        case "sum":
            return summed(scope, equation.body, equation.axes, equation.bound)
    return _extremum(scope, equation)


def _extremum(scope: Scope, equation: Equation) -> Expr:
    """max, min and prod: the whole body is one array."""
    whole = Contraction(scope, equation.bound, equation.axes)
    operand = Operand(equation.body)
    missing = [b for b in equation.bound if b not in operand.axes]
    result = whole.reduced(
        operand, [b for b in equation.bound if b in operand.axes], equation.reduce or "max"
    ).body
    if equation.reduce == "prod":
        return result ** Mul(*(b.extent for b in missing))
    return result


def summed(scope: Scope, body: Expr, free: Order | None, bound: Order) -> Expr:
    """``sum_bound body`` over arrays without names; `free` prescribes the order of the result's axes."""
    body, bound = shrunk_bound(*without_deltas(body, bound))
    missing = [b for b in bound if b not in indices_of(body)]
    times = Mul(*(b.extent for b in missing))
    bound = tuple(b for b in bound if b not in missing)
    if not bound:
        return times * body
    if body.is_Add and _separable(body, bound):
        return times * sympy.Add(*(summed(scope, term, free, bound) for term in body.args))
    outside, inside_ = _split(body, bound)
    expanded = _expanded(inside_)
    if expanded != inside_ or (outside and inside_.is_Add and _separable(inside_, bound)):
        return times * Mul(*outside) * summed(scope, expanded, free, bound)
    running = _running(scope, inside_, free, bound)
    if running is not None:
        return times * Mul(*outside) * running
    return times * _product(scope, outside, _operands(inside_), free, bound)


def _split(body: Expr, bound: Order) -> tuple[list[Expr], Expr]:
    """The factors without a bound index, and the product of the others."""
    factors = Mul.make_args(body)
    outside = [f for f in factors if not indices_of(f) & set(bound)]
    return outside, Mul(*(f for f in factors if f not in outside))


def _product(
    scope: Scope, outside: list[Expr], operands: list[Operand], free: Order | None, bound: Order
) -> Expr:
    count = Mul(*(b.extent for b in bound))
    factor = Mul(*outside)
    contraction = Contraction(scope, bound, free)
    if len(operands) == 1 and _divided_by(factor, count):
        return factor * count * contraction.reduced(operands[0], bound, "mean").body
    return factor * contraction.run(operands)


def _divided_by(factor: Expr, count: Expr) -> bool:
    """Whether the mean is meant: every size that is summed over is divided by."""
    below = [f.base for f in Mul.make_args(factor) if f.is_Pow and f.exp == -1]
    return not count.is_number and all(f in below for f in Mul.make_args(count))


# --- sums of sums


def _widest(body: Expr) -> int:
    return max((len(indices_of(r)) for r in reads_of(body)), default=0)


def _separable(body: Expr, bound: Order) -> bool:
    """Whether the terms are better summed one by one: a matrix product or a delta is among them, or a wide broadcast."""
    if len(indices_of(body)) > _widest(body) or any(_is_matrix_product(term, bound) for term in body.args):
        return True
    brackets = [f for term in body.args for f in Mul.make_args(term) if isinstance(f, Bracket)]
    return any(
        solved(bracket, index) is not None or interval(bracket.args[0], index) is not None
        for bracket in brackets
        for index in bound
    )


def _is_matrix_product(term: Expr, bound: Order) -> bool:
    operands = _operands(_split(term, bound)[1])
    return len({frozenset(o.axes) for o in operands}) > 1 and len(indices_of(term)) > max(
        len(o.axes) for o in operands
    )


def _expanded(body: Expr) -> Expr:
    """Multiply out a factor that is a sum and wider than any of its reads."""
    factors = Mul.make_args(body)
    wide = [f for f in factors if f.is_Add and len(indices_of(f)) > _widest(f)]
    if not wide or len(factors) == 1:
        return body
    rest = Mul(*(f for f in factors if f is not wide[0]))
    return sympy.Add(*(rest * term for term in wide[0].args))


# --- the operands of a product


def _operands(body: Expr) -> list[Operand]:
    """Factors grouped by their axes; a bracket joins factors over its own axes and one that has them all."""
    factors = list(Mul.make_args(body))
    brackets = [f for f in factors if isinstance(f, Bracket)]
    groups: list[Expr] = [f for f in factors if f not in brackets]
    for bracket in brackets:
        own = indices_of(bracket)
        inner = [g for g in groups if indices_of(g) <= own]
        hosts = sorted((g for g in groups if own <= indices_of(g)), key=lambda g: _affinity(g, bracket))
        taken = [*inner, *(h for h in hosts[:1] if h not in inner)]
        groups = [g for g in groups if g not in taken] + [Mul(bracket, *taken)]
    merged: dict[frozenset[Index], Expr] = {}
    for group in groups:
        key = frozenset(indices_of(group))
        merged[key] = merged.get(key, sympy.S.One) * group
    return [Operand(g) for g in merged.values()]


def _affinity(group: Expr, bracket: Expr) -> tuple[bool, int]:
    shared = set(reads_of(group)) & set(reads_of(bracket))
    return (not shared, len(indices_of(group)))


# --- brackets that say where an index is


def without_deltas(
    body: Expr, bound: Sequence[Index], certain: bool = False
) -> tuple[Expr, tuple[Index, ...]]:
    """Put in the value of each bound index that a bracket ``[k = ...]`` determines.

    `certain`: only values that always lie in the range of the index.
    """
    remaining = list(bound)
    for bracket in [f for f in Mul.make_args(body) if isinstance(f, Bracket)]:
        for index in remaining:
            value = solved(bracket, index)
            if value is None or bracket not in Mul.make_args(body):
                continue
            if certain and not inside(value, index.extent):
                continue
            rest = Mul(*(f for f in Mul.make_args(body) if f != bracket))
            body = substitute(rest, {index: value}) * within(value, index.extent)
            remaining.remove(index)
            break
    return body, tuple(remaining)


def within(value: Expr, extent: Expr) -> Expr:
    """Brackets that hold where an index lies in an axis; 1 where that is certain, or NumPy would say that it does not."""
    if inside(value, extent) or is_scalar(value):
        return sympy.S.One
    found = limits(value)
    low, high = sympy.GreaterThan(value, 0, evaluate=False), sympy.StrictLessThan(value, extent, evaluate=False)
    above = found is not None and nonnegative(found[0])
    below = found is not None and nonnegative(extent - 1 - found[1])
    return (sympy.S.One if above else Bracket(low)) * (sympy.S.One if below else Bracket(high))


def solved(bracket: Expr, index: Index) -> Expr | None:
    """The value of `index` if the bracket is an equation that determines it, linear with coefficient 1 or -1."""
    condition = bracket.args[0]
    if not isinstance(condition, sympy.Eq):
        return None
    left, right = condition.args
    if left == index and index not in indices_of(right):
        return right
    if right == index and index not in indices_of(left):
        return left
    difference = sympy.expand(left - right)
    terms = sympy.Add.make_args(difference)
    if not difference.is_integer:
        return None
    for sign in (1, -1):
        rest = sympy.expand(difference - sign * index)
        if sign * index in terms and index not in indices_of(rest):
            return -sign * rest
    return None


def _running(scope: Scope, body: Expr, free: Order | None, bound: Order) -> Expr | None:
    """``sum_j [j <= i] X[j]`` is a cumulative sum, with ``>=`` one from the end."""
    brackets = [f for f in Mul.make_args(body) if isinstance(f, Bracket)]
    if len(brackets) != 1 or len(bound) != 1:
        return None
    (j,) = bound
    condition = brackets[0].args[0]
    rest = Mul(*(f for f in Mul.make_args(body) if f is not brackets[0]))
    if not isinstance(condition, sympy.LessThan | sympy.GreaterThan) or j not in condition.args:
        return None
    i = next(side for side in condition.args if side != j)
    if not isinstance(i, Index) or i.extent != j.extent or i in indices_of(rest) or j not in indices_of(rest):
        return None
    backward = isinstance(condition, sympy.LessThan) == (condition.args[0] == i)
    whole = Contraction(scope, bound, None)
    axes = whole.natural(Operand(rest))
    code = Printer(scope, axes).code(rest)
    place, dialect = axes.index(j), scope.dialect
    turned = dialect.flip.format(place) or f"[{':, ' * place}::-1]"
    code = Suffix(code, turned) if backward else code
    code = Suffix(code, f".cumsum({dialect.axis}={place})", copies=True)
    code = Suffix(code, turned) if backward else code
    own = [i if axis == j else axis for axis in axes]
    wanted = [axis for axis in free if axis in own] if free is not None else own
    return scope.unnamed(transposed(scope, code, own, wanted), wanted, 0)
