"""Sums of products that are a matrix product: which factors go left and right, and how they lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sympy import Expr, Mul

from ..ir.nodes import Bracket, Equation, Index, Read, Tensor, indices_of, reads_of
from .loops_nodes import Op, Operation, Product, covers, inside, plain, uses

NewTensor = Callable[[str, tuple[Expr, ...]], Tensor]


@dataclass(frozen=True)
class Contraction:
    """``sum_bound left * right`` with free indices batch (in both), rows (left only), columns (right only)."""

    batch: tuple[Index, ...]
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    bound: tuple[Index, ...]
    left: tuple[Expr, ...]
    right: tuple[Expr, ...]

    def lowered(self, equation: Equation, new: NewTensor) -> tuple[list[Equation], list[Operation]]:
        """The equations of operands that must be written out first; the product, and a transposition if it needs one."""
        bound = self.bound_order()
        equations: list[Equation] = []
        reads = []
        for side, factors, mine, first in (
            ("left", self.left, self.rows, False), ("right", self.right, self.columns, True),
        ):  # fmt: skip
            read = factors[0] if len(factors) == 1 else None
            if not (isinstance(read, Read) and lies_well(read, self.batch, mine, bound)):
                order = (*self.batch, *bound, *mine) if first else (*self.batch, *mine, *bound)
                tensor = new(f"{equation.target.name}_{side}", tuple(i.extent for i in order))
                equations.append(Equation(tensor, order, Mul(*factors), step=equation.step))
                read = Read(tensor, order)
            reads.append(read)
        if in_order([i for i in equation.axes if i not in self.batch], (self.rows, self.columns)):
            return equations, [self.product(equation.target, equation.axes, reads, equation)]
        order = (*self.batch, *self.rows, *self.columns)
        target = new(f"{equation.target.name}_product", tuple(i.extent for i in order))
        copied = Op(equation.target, equation.axes, Read(target, order), equation.axes, equation=equation)
        return equations, [self.product(target, order, reads, equation), copied]

    def product(self, target: Tensor, at: tuple[Index, ...], reads: list[Read], equation: Equation) -> Product:
        left, right = reads
        batch = tuple(i for i in at if i in self.batch)
        return Product(target, at, left, right, batch, self.rows, self.columns, self.bound_order(), equation)

    def bound_order(self) -> tuple[Index, ...]:
        """The order of the summed indices that the operands have already, if they are plain reads."""
        for factors in (self.left, self.right):
            if len(factors) == 1 and isinstance(factors[0], Read) and plain(factors[0]):
                return tuple(i for i in factors[0].indices if i in self.bound)
        return self.bound


def in_order(indices: list[Expr], groups: Iterable[tuple[Index, ...]]) -> bool:
    first, second = groups
    return tuple(indices) in ((*first, *second), (*second, *first))


def lies_well(read: Read, batch: tuple[Index, ...], mine: tuple[Index, ...], bound: tuple[Index, ...]) -> bool:
    """The axes of `read` without the batch are those of one matrix, or of its transpose."""
    return (
        covers(read) and read.tensor.kind == "real"
        and in_order([i for i in read.indices if i not in batch], (mine, bound))
    )  # fmt: skip


def as_product(axes: tuple[Index, ...], bound: tuple[Index, ...], factors: list[Expr]) -> Contraction | None:
    """Deal the factors out to the two operands of a matrix product; None if they do not form one."""
    factors = guarded_together(factors)
    free = {f: frozenset(indices_of(f)) & frozenset(axes) for f in factors}
    maximal = [s for s in dict.fromkeys(free.values()) if not any(s < other for other in free.values())]
    if len(maximal) != 2:
        return None
    one, two = sorted(maximal, key=lambda s: sorted(axes.index(a) for a in s))
    left = tuple(f for f in factors if free[f] <= one and not free[f] <= two)
    right = tuple(f for f in factors if free[f] <= two and not free[f] <= one)
    shared = tuple(f for f in factors if free[f] <= one & two)
    if len(right) > 1 and len(left) == 1:
        right += shared
    else:
        left += shared
    if not all(uses(Mul(*left), [b]) and uses(Mul(*right), [b]) for b in bound):
        return None
    if one | two != set(axes):
        return None
    batch, rows, columns = (tuple(a for a in axes if a in s) for s in (one & two, one - two, two - one))
    return Contraction(batch, rows, columns, bound, left, right)


def guarded_together(factors: list[Expr]) -> list[Expr]:
    """Brackets, and reads that may lie outside of their tensor where a bracket is 0, as one factor."""
    brackets = [f for f in factors if isinstance(f, Bracket)]
    unsafe = [f for f in factors if f not in brackets and not all(map(inside, reads_of(f)))]
    if not brackets or not unsafe:
        return factors
    return [Mul(*brackets, *unsafe), *(f for f in factors if f not in brackets and f not in unsafe)]


def split_contraction(
    factors: list[Expr], axes: tuple[Index, ...], bound: tuple[Index, ...], name: str, new: NewTensor
) -> tuple[Equation, Expr] | None:
    """Sum over one index first where that takes fewer nested loops: ``sum_l (sum_k A[i,k] B[k,l]) C[l,j]``.

    Returns the equation of the inner sum and the body that is left, or None.
    """
    everything = len({*axes, *bound})
    if as_product(axes, bound, factors) is not None:
        return None
    narrower = []
    for b in bound:
        width = len(indices_of(Mul(*(f for f in factors if uses(f, [b])))))
        if width < everything:
            narrower.append((width, b.name, b))
    if not narrower:
        return None
    b = min(narrower)[2]
    inside, outside = [f for f in factors if uses(f, [b])], [f for f in factors if not uses(f, [b])]
    kept = tuple(i for i in (*axes, *bound) if i != b and uses(Mul(*inside), [i]))
    tensor = new(name, tuple(i.extent for i in kept))
    return Equation(tensor, kept, Mul(*inside), "sum", (b,)), Mul(*outside, Read(tensor, kept))
