"""Sums of products that are a matrix product: which factors go left and right, and how they lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import sympy
from sympy import Expr, Mul

from ..ir.nodes import Bracket, Equation, Index, Read, Tensor, indices_of, reads_of
from .loops_nodes import Op, Operation, Product, covers, uses
from .loops_ranges import inside

NewTensor = Callable[[str, tuple[Expr, ...]], Tensor]
LOOPS = 3  # how many indices of a product may be loops around it so that nothing has to be copied


@dataclass(frozen=True)
class Contraction:
    """``sum_bound left * right`` with free indices rows (left), columns (right) and batch: a loop over products.

    summed: indices that were bound and are loops now, in which the products are added up.
    """

    batch: tuple[Index, ...]
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    bound: tuple[Index, ...]
    left: tuple[Expr, ...]
    right: tuple[Expr, ...]
    summed: tuple[Index, ...] = ()

    def lowered(
        self, equation: Equation, new: NewTensor, scale: Expr = sympy.S.One, leading: Index | None = None
    ) -> tuple[list[Equation], list[Operation]]:
        """The equations of operands that must be written out first; the product, and a transposition if it needs one.

        leading: an index that is better a loop.
        """
        matrices = self.looped(equation.axes, leading)
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
            return equations, [matrices.product(equation.target, equation.axes, reads, equation, scale)]
        order = (*matrices.batch, *matrices.rows, *matrices.columns)
        target = new(f"{equation.target.name}_product", tuple(i.extent for i in order))
        copied = Op(equation.target, equation.axes, Read(target, order), equation.axes, equation=equation)
        return equations, [matrices.product(target, order, reads, equation, scale), copied]

    def looped(self, axes: tuple[Index, ...], leading: Index | None = None) -> Contraction:
        """With the fewest loops with which everything lies well; as it is if nothing helps."""
        reads = [read for read in self.reads if read is not None]
        first = leading if leading is not None and leading not in self.batch else self.outermost()
        for required in ([first], []) if first is not None else ([],):
            for loops in self.choices(required):
                found = self.around(loops, axes)
                if found is not None and found.result_lies_well(axes) and all(map(found.lies_well, reads)):
                    return found
        return self

    def choices(self, required: list[Index]) -> Iterator[set[Index]]:
        """Sets of indices that might be loops, small ones first."""
        others = [i for i in (*self.rows, *self.columns, *self.bound) if i not in required]
        for count in range(LOOPS + 1 - len(required)):
            yield from ({*required, *chosen} for chosen in combinations(others, count))

    def around(self, loops: set[Index], axes: tuple[Index, ...]) -> Contraction | None:
        """The products that are left in these loops, if they are products of matrices still."""
        kinds = (self.rows, self.columns, self.bound)
        rows, columns, bound = (tuple(i for i in kind if i not in loops) for kind in kinds)
        if not bound or any(kind and not left for kind, left in zip(kinds, (rows, columns, bound), strict=True)):
            return None
        summed = tuple(i for i in self.bound if i in loops)
        if summed and not (rows and columns):
            return None
        batch = tuple(a for a in axes if a in self.batch or a in loops)
        return replace(self, batch=batch, rows=rows, columns=columns, bound=bound, summed=summed)

    def outermost(self) -> Index | None:
        """The leading index of an operand that is larger than the array it is made of: it is made in parts."""
        for read, factors in zip(self.reads, (self.left, self.right), strict=True):
            sources = reads_of(Mul(*factors))
            if read is None and len(sources) == 1 and len(indices_of(sources[0])) > sources[0].tensor.rank:
                first, *rest = sources[0].indices
                if isinstance(first, Index) and not uses(Mul(*rest), [first]):
                    return first
        return None

    @property
    def reads(self) -> tuple[Read | None, Read | None]:
        """The operands that are a tensor, or a part of one, as it is."""
        one = [factors[0] if len(factors) == 1 else None for factors in (self.left, self.right)]
        fits = is_part if self.rows and self.columns else covers
        left, right = (f if isinstance(f, Read) and f.tensor.kind == "real" and fits(f) else None for f in one)
        return left, right

    def lies_well(self, read: Read) -> bool:
        """Without the loops, the axes of `read` are those of one matrix or of its transpose, its entries in one piece."""
        loops = {*self.batch, *self.summed}
        mine = [index_of(e) for e in read.indices]
        groups = self.bound_order(), tuple(i for i in mine if i not in self.bound and i not in loops)
        if groups[1] not in (self.rows, self.columns) or not mine or mine[-1] in loops:
            return False
        if not in_order([i for i in mine if i not in loops], groups):
            return False
        return all(in_one_piece(read, [mine.index(i) for i in group]) for group in groups)

    def result_lies_well(self, axes: tuple[Index, ...]) -> bool:
        own = [i for i in axes if i not in self.batch]
        if not in_order(own, (self.rows, self.columns)) or (self.rows and self.columns and axes[-1] in self.batch):
            return False
        groups = [[axes.index(i) for i in group] for group in (self.rows, self.columns)]
        return all(group == list(range(group[0], group[0] + len(group))) for group in groups if group)

    def order(self, side: str) -> tuple[Index, ...]:
        """The axes of an operand that is written out, entries that are neighbours in its source neighbours again."""
        factors = Mul(*(self.left if side == "left" else self.right))
        used = indices_of(factors)
        own = self.rows if side == "left" else self.columns
        bound = self.bound_order()
        groups = [(*own, *bound), (*bound, *own)] if side == "left" else [(*bound, *own), (*own, *bound)]
        last = {i for read in reads_of(factors) if read.tensor.rank > 1 for i in indices_of(read.indices[-1])}
        inner = max(groups, key=lambda group: (group[-1] in last, not group[-1].extent.is_number))
        return (*(i for i in (*self.batch, *self.summed) if i in used), *inner)

    def product(
        self, target: Tensor, at: tuple[Index, ...], reads: list[Read], equation: Equation, scale: Expr
    ) -> Product:
        left, right = reads
        return Product(
            target, at, left, right, self.loops(at, reads), self.rows, self.columns, self.bound_order(), equation, scale,
            "sum" if self.summed else "set", bool(self.summed),
        )  # fmt: skip

    def loops(self, at: tuple[Index, ...], reads: list[Read]) -> tuple[Index, ...]:
        """The loops in the order in which an operand has all of them; else those of the result first."""
        wanted = {*self.batch, *self.summed}
        for order in (at, *([index_of(e) for e in read.indices] for read in reads)):
            if wanted <= set(order):
                return tuple(i for i in order if i in wanted)
        return (*self.batch, *self.summed)

    def bound_order(self) -> tuple[Index, ...]:
        """The order of the summed indices that the operands have already."""
        for read in self.reads:
            if read is not None:
                mine = [index_of(e) for e in read.indices]
                return tuple(i for i in mine if i in self.bound)
        return self.bound


def index_of(e: Expr) -> Index:
    """The one index of ``i`` or ``i + 1``."""
    (index,) = indices_of(e)
    return index


def is_part(read: Read) -> bool:
    """Every axis has an index of its own and a constant added to it, so that what is read are parts of rows."""
    indices = [indices_of(e) for e in read.indices]
    return (
        all(len(found) == 1 for found in indices) and inside(read)
        and len(set().union(*indices)) == len(indices) and all(shifted(e) for e in read.indices)
    )  # fmt: skip


def shifted(e: Expr) -> bool:
    """``i`` or ``i + 1``."""
    return isinstance(e, Index) or (not reads_of(e) and not indices_of(sympy.expand(e - index_of(e))))


def in_one_piece(read: Read, places: list[int]) -> bool:
    """These axes can be taken as a single one: they are neighbours, and all but the first are read from end to end."""
    return all(
        p == before + 1 and isinstance(read.indices[p], Index) and read.indices[p].extent == read.tensor.shape[p]
        for before, p in pairwise(places)
    )  # fmt: skip


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


def as_products(axes: tuple[Index, ...], bound: tuple[Index, ...], factors: list[Expr]) -> Contraction | None:
    """`as_product`, or one for every value of an axis: ``sum_i (U[i,k] X[i,j]) X[i,l]`` is a product for each k."""
    found = as_product(axes, bound, factors)
    for axis in reversed(axes if found is None else ()):
        found = as_product(tuple(a for a in axes if a != axis), bound, factors)
        if found is not None and found.rows and found.columns:
            return replace(found, batch=tuple(a for a in axes if a in found.batch or a == axis))
        found = None
    return found


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
