"""Sums of products that are a matrix product: which factors go left and right, and how they lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sympy import Expr, Mul

from ..ir.nodes import Bracket, Equation, Index, Read, Tensor, indices_of, reads_of
from .loops_nodes import Op, Operation, Product, covers, uses
from .loops_ranges import inside

NewTensor = Callable[[str, tuple[Expr, ...]], Tensor]


@dataclass(frozen=True)
class Contraction:
    """``sum_bound left * right`` with free indices rows (left), columns (right) and batch: a loop over products."""

    batch: tuple[Index, ...]
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    bound: tuple[Index, ...]
    left: tuple[Expr, ...]
    right: tuple[Expr, ...]

    def lowered(self, equation: Equation, new: NewTensor) -> tuple[list[Equation], list[Operation]]:
        """The equations of operands that must be written out first; the product, and a transposition if it needs one."""
        matrices = self.looped(equation.axes)
        equations: list[Equation] = []
        reads = []
        for side, read, factors in zip(("left", "right"), self.reads, (self.left, self.right), strict=True):
            if read is None or not matrices.lies_well(read):
                order = matrices.order(side)
                tensor = new(f"{equation.target.name}_{side}", tuple(i.extent for i in order))
                equations.append(Equation(tensor, order, Mul(*factors), step=equation.step))
                read = Read(tensor, order)
            reads.append(read)
        if matrices.result_lies_well(equation.axes):
            return equations, [matrices.product(equation.target, equation.axes, reads, equation)]
        order = (*matrices.batch, *matrices.rows, *matrices.columns)
        target = new(f"{equation.target.name}_product", tuple(i.extent for i in order))
        copied = Op(equation.target, equation.axes, Read(target, order), equation.axes, equation=equation)
        return equations, [matrices.product(target, order, reads, equation), copied]

    def looped(self, axes: tuple[Index, ...]) -> Contraction:
        """With as many leading axes as loops as it takes for everything to lie well; as it is if nothing helps."""
        found = self
        for axis in axes:
            reads = [read for read in self.reads if read is not None]
            if found.result_lies_well(axes) and all(map(found.lies_well, reads)):
                return found
            if axis not in found.batch:
                found = replace(
                    found, batch=tuple(a for a in axes if a in found.batch or a == axis),
                    rows=tuple(a for a in found.rows if a != axis), columns=tuple(a for a in found.columns if a != axis),
                )  # fmt: skip
            if not found.rows or not found.columns:
                break
        return self

    @property
    def reads(self) -> tuple[Read | None, Read | None]:
        """The operands that are a tensor as it is."""
        one = [factors[0] if len(factors) == 1 else None for factors in (self.left, self.right)]
        left, right = (f if isinstance(f, Read) and covers(f) and f.tensor.kind == "real" else None for f in one)
        return left, right

    def lies_well(self, read: Read) -> bool:
        """The axes of `read` without the loops are those of one matrix, or of its transpose."""
        mine = [i for i in read.indices if i not in self.batch]
        groups = self.bound_order(), tuple(i for i in mine if i not in self.bound)
        return groups[1] in (self.rows, self.columns) and in_order(mine, groups)

    def result_lies_well(self, axes: tuple[Index, ...]) -> bool:
        return in_order([i for i in axes if i not in self.batch], (self.rows, self.columns))

    def order(self, side: str) -> tuple[Index, ...]:
        """The axes of an operand that is written out."""
        inner = (*self.rows, *self.bound_order()) if side == "left" else (*self.bound_order(), *self.columns)
        used = indices_of(Mul(*(self.left if side == "left" else self.right)))
        return (*(i for i in self.batch if i in used), *inner)

    def product(self, target: Tensor, at: tuple[Index, ...], reads: list[Read], equation: Equation) -> Product:
        left, right = reads
        loops = tuple(i for i in at if i in self.batch)
        return Product(target, at, left, right, loops, self.rows, self.columns, self.bound_order(), equation)

    def bound_order(self) -> tuple[Index, ...]:
        """The order of the summed indices that the operands have already."""
        for read in self.reads:
            if read is not None:
                return tuple(i for i in read.indices if i in self.bound and isinstance(i, Index))
        return self.bound


def in_order(indices: list[Expr], groups: Iterable[tuple[Index, ...]]) -> bool:
    first, second = groups
    return tuple(indices) in ((*first, *second), (*second, *first))


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
