"""From an equation to operations: deltas become the target's index, constant factors leave the sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy
from sympy import Add, Expr, Mul, S

from ..ir.nodes import Bracket, Equation, Index, Program, Read, Tensor, indices_of, reads_of, substitute
from ..rewrite.deltas import solve_deltas
from ..rewrite.measure import prune
from .factor import siblings
from .loops_accumulate import accumulated
from .loops_nodes import Op, Operation, plain, uses
from .loops_primitives import call_operations
from .loops_products import as_product, as_products, split_contraction
from .loops_ranges import inside, within
from .loops_scatter import Term, as_scatter, scatter_operations


def operations(program: Program) -> list[Operation]:
    """The operations that compute the outputs of `program`, in an order in which they can run."""
    taken = set(program.tensors) | {size.name for size in program.sizes}
    equations = list(live_equations(program))
    calls = siblings(equations)
    ops: list[Operation] = []
    for equation in equations:
        together = calls.get(equation.target.name)
        if together is None:
            ops += equation_operations(equation, taken)
        elif together[0] == equation:
            ops += call_operations(together, taken)
    return accumulated(ops, {tensor.name for tensor in program.outputs})


def live_equations(program: Program) -> list[Equation]:
    """The equations that the outputs need."""
    return list(prune(program).equations)


def equation_operations(equation: Equation, taken: set[str]) -> list[Operation]:
    """The operations of one equation; `taken` are the names that a new tensor may not have."""
    if equation.reduce not in (None, "sum"):
        return [reduction(equation, equation.body, equation.bound)]
    base, scattered = split_terms(equation)
    ops: list[Operation] = []
    if base or not scattered:
        ops += base_operations(equation, base, taken)
    else:
        ops.append(Op(equation.target, equation.axes, S.Zero, equation.axes, equation=equation))

    def new(name: str, shape: tuple[Expr, ...]) -> Tensor:
        return new_tensor(name, shape, taken)

    def lower(part: Equation, leading: Index | None) -> list[Operation]:
        return sum_operations(part, part.body, part.bound, taken, leading)

    for term in scattered:
        found = scatter_operations(equation, term, new, lower)
        if found is not None:
            ops += found
            continue
        axes = tuple(axis for axis, at in zip(equation.axes, term.at, strict=True) if axis == at)
        loops = loop_order(axes, term.bound, term.body)
        ops.append(Op(equation.target, term.at, term.body, loops, "sum", guard=term.guard, equation=equation))
    return ops


def base_operations(equation: Equation, base: list[Term], taken: set[str]) -> list[Operation]:
    """The terms without deltas: one operation, or some products and what puts them together."""
    if equation.reduce is None:
        body = Add(*(term.body for term in base))
        return [Op(equation.target, equation.axes, body, equation.axes, equation=equation)]
    groups: dict[tuple[Index, ...], list[Expr]] = {}
    for term in base:
        groups.setdefault(term.bound, []).extend(multiplied_out(term.body, equation.axes, term.bound))
    parts = [part for bound, bodies in groups.items() for part in separate_products(equation, bodies, bound)]
    if len(parts) == 1:
        return sum_operations(equation, *parts[0], taken)
    ops: list[Operation] = []
    total: list[Expr] = []
    for body, bound in parts:
        part = new_tensor(f"{equation.target.name}_part", equation.target.shape, taken)
        ops += sum_operations(Equation(part, equation.axes, body, "sum", bound), body, bound, taken)
        total.append(Read(part, equation.axes))
    return [*ops, Op(equation.target, equation.axes, Add(*total), equation.axes, equation=equation)]


def multiplied_out(body: Expr, axes: tuple[Index, ...], bound: tuple[Index, ...]) -> list[Expr]:
    """The terms of a sum behind common factors, if every one of them is a matrix product: ``2 (V dW + dV W) / n``."""
    sums = [f for f in Mul.make_args(body) if f.is_Add and uses(f, bound)]
    if len(sums) != 1:
        return [body]
    rest = Mul(*(f for f in Mul.make_args(body) if f is not sums[0]))
    terms = [rest * term for term in sums[0].args]
    return terms if all(as_product(axes, bound, hoist(term, bound)[1]) is not None for term in terms) else [body]


def separate_products(
    equation: Equation, bodies: list[Expr], bound: tuple[Index, ...]
) -> Iterator[tuple[Expr, tuple[Index, ...]]]:
    """Terms that are matrix products one by one, then all others together."""
    rest = []
    for body in bodies:
        if len(bodies) > 1 and as_product(equation.axes, bound, hoist(body, bound)[1]) is not None:
            yield body, bound
        else:
            rest.append(body)
    if rest:
        yield Add(*rest), bound


def sum_operations(
    equation: Equation, body: Expr, bound: tuple[Index, ...], taken: set[str], leading: Index | None = None
) -> list[Operation]:
    """A sum: factors without a summed index are applied when it is complete.

    leading: an index for which a product is better made turn by turn, if that is possible without copies.
    """
    if not bound:
        return [Op(equation.target, equation.axes, body, equation.axes, equation=equation)]
    outer, inner = hoist(body, bound)

    def new(name: str, shape: tuple[Expr, ...]) -> Tensor:
        return new_tensor(name, shape, taken)

    split = split_contraction(inner, equation.axes, bound, f"{equation.target.name}_inner", new)
    if split is not None:
        first, rest = split
        bound = tuple(b for b in bound if b not in first.bound)
        return equation_operations(first, taken) + sum_operations(equation, outer * rest, bound, taken)
    ops: list[Operation] = []
    product = as_products(equation.axes, bound, inner)
    if product is not None:
        scale, outer = (outer, S.One) if product.rows and product.columns and is_scale(outer) else (S.One, outer)
        operands, lowered = product.lowered(equation, new, scale, leading)
        ops += [op for operand in operands for op in equation_operations(operand, taken)] + lowered
    else:
        ops.append(reduction(equation, Mul(*inner), bound))
    if outer != 1:
        scaled = equation.lhs * outer
        ops.append(Op(equation.target, equation.axes, scaled, equation.axes, equation=equation))
    return ops


def hoist(body: Expr, bound: tuple[Index, ...]) -> tuple[Expr, list[Expr]]:
    """The factors of a body without the summed indices, multiplied, and those with them.

    A bracket stays with the reads that it keeps inside of their tensors.
    """
    safe = all(map(inside, reads_of(body)))
    factors = Mul.make_args(body)
    inner = [f for f in factors if uses(f, bound) or (isinstance(f, Bracket) and not safe)]
    return Mul(*(f for f in factors if f not in inner)), inner


def is_scale(factor: Expr) -> bool:
    """A number, or one made of sizes: never 0, by which BLAS would not multiply what is no number."""
    return not reads_of(factor) and not indices_of(factor) and not factor.has(sympy.Piecewise)


def reduction(equation: Equation, body: Expr, bound: tuple[Index, ...]) -> Op:
    how = equation.reduce
    assert how is not None
    loops = loop_order(equation.axes, bound, body)
    return Op(equation.target, equation.axes, body, loops, how, starts=True, equation=equation)


def loop_order(axes: tuple[Index, ...], bound: tuple[Index, ...], body: Expr) -> tuple[Index, ...]:
    """The order in which memory is read: that of the largest operand if it has all indices, else axes first."""
    wanted = {*axes, *bound}
    for read in reads_of(body):
        if plain(read) and set(read.indices) == wanted:
            return tuple(i for i in read.indices if isinstance(i, Index))
    return (*axes, *bound)


def new_tensor(name: str, shape: tuple[Expr, ...], taken: set[str]) -> Tensor:
    """A tensor whose name nothing else has."""
    candidates = (name if n == 1 else f"{name}{n}" for n in range(1, 10**6))
    chosen = next(c for c in candidates if c not in taken)
    taken.add(chosen)
    return Tensor(chosen, shape)


# --- deltas --------------------------------------------------------------------------------------------------


def split_terms(equation: Equation) -> tuple[list[Term], list[Term]]:
    """The terms of a body without, and with, a delta that fixes one of the target's axes."""
    base: list[Term] = []
    scattered: list[Term] = []
    for body in distributed(equation.body, equation.axes):
        body, bound = solve_deltas(body, equation.bound) if equation.bound else (body, ())
        used = tuple(b for b in bound if uses(body, [b]))
        count = Mul(*(b.extent for b in bound if b not in used))
        term = solve_axes(Term(body * count, equation.axes, used))
        term = as_scatter(term) or term
        (base if term.at == equation.axes else scattered).append(term)
    return base, scattered


def distributed(body: Expr, axes: tuple[Index, ...]) -> list[Expr]:
    """The terms of a body, sums multiplied out as far as they hide a delta in one of the axes."""
    terms: list[Expr] = []
    for term in Add.make_args(body):
        factors = Mul.make_args(term)
        hiding = next((f for f in factors if f.is_Add and any(has_delta(t, axes) for t in f.args)), None)
        if hiding is None:
            terms.append(term)
            continue
        rest = Mul(*(f for f in factors if f is not hiding))
        with_delta = [t for t in hiding.args if has_delta(t, axes)]
        without = [t for t in hiding.args if not has_delta(t, axes)]
        for part in (*([Add(*without)] if without else []), *with_delta):
            terms += distributed(rest * part, axes)
    return terms


def has_delta(term: Expr, axes: tuple[Index, ...]) -> bool:
    return any(fix(f, axes) is not None for f in Mul.make_args(term)) or any(
        f.is_Add and any(has_delta(t, axes) for t in f.args) for f in Mul.make_args(term)
    )


def conjuncts(condition: Expr) -> Iterable[Expr]:
    return condition.args if isinstance(condition, sympy.And) else (condition,)


def fix(factor: Expr, axes: Iterable[Expr]) -> tuple[Index, Expr, Expr] | None:
    """``[a = e]`` with an axis a that is not in e: a, e, and what else the bracket demands."""
    if not isinstance(factor, Bracket):
        return None
    parts = list(conjuncts(factor.condition))
    for part in parts:
        if not isinstance(part, sympy.Eq) or not all(side.is_integer for side in part.args):
            continue
        difference = part.lhs - part.rhs
        for axis in reversed([a for a in axes if isinstance(a, Index)]):
            sign = difference.coeff(axis)
            rest = difference - sign * axis
            if sign in (1, -1) and axis not in indices_of(rest):
                return axis, sympy.expand(-rest / sign), sympy.And(*(p for p in parts if p is not part))
    return None


def solve_axes(term: Term) -> Term:
    """Turn deltas into index expressions of the target, one after the other."""
    free = [a for a in term.at if isinstance(a, Index)]
    for factor in Mul.make_args(term.body):
        found = fix(factor, free)
        if found is None:
            continue
        axis, value, rest = found
        body = Mul(*(f for f in Mul.make_args(term.body) if f is not factor)) * Bracket(rest)
        mapping = {axis: value}
        at = tuple(value if a == axis else substitute(a, mapping) for a in term.at)
        guard = sympy.And(substitute(term.guard, mapping), within(value, axis))
        return solve_axes(Term(substitute(body, mapping), at, term.bound, guard))
    return term
