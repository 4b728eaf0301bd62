"""Sums of products as matrix products: which operands there are, and how each one has to lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from string import ascii_lowercase

import sympy
from sympy import Expr

from ..ir.nodes import Index, Read, indices_of, reads_of
from .code import MUL, Chain, Code, Group, Suffix, call, chain
from .reads import Order, transposed
from .scalars import FAR, Printer
from .scope import Scope


@dataclass(frozen=True)
class Operand:
    """Factors of a product that share their axes, multiplied elementwise."""

    body: Expr

    @property
    def axes(self) -> set[Index]:
        return indices_of(self.body)

    def __mul__(self, other: Operand) -> Operand:
        return Operand(self.body * other.body)


class Contraction:
    """``sum_bound`` of a product, as an expression over arrays that have no name of their own."""

    def __init__(self, scope: Scope, bound: Order, free: Order | None) -> None:
        self.scope, self.bound, self.free = scope, bound, free

    def run(self, operands: Sequence[Operand]) -> Expr:
        operands = sorted(operands, key=self.position)
        while self.bound_in(operands):
            if len(operands) > 1:
                operands = [self.reduced_privately(o, operands) for o in operands]
            operands = self.step(operands) if self.bound_in(operands) else operands
        return sympy.Mul(*(o.body for o in operands))

    def position(self, operand: Operand) -> int:
        return min(
            (self.scope.positions.get(r.tensor.name, FAR) for r in reads_of(operand.body)), default=FAR
        )

    def bound_in(self, operands: Sequence[Operand]) -> list[Index]:
        return [b for b in self.bound if any(b in o.axes for o in operands)]

    def step(self, operands: list[Operand]) -> list[Operand]:
        """One operand fewer: the last reduction, the last product, a matrix product of two, or a merge."""
        active = [o for o in operands if o.axes & set(self.bound)]
        active.sort(key=self.position)
        rest = [o for o in operands if o not in active]
        if len(active) == 1:
            return [*rest, self.reduced(active[0], self.bound_in(active))]
        if len(active) == 2:
            return [*rest, self.pair(active[0], active[1], self.last_order(active, rest))]
        for a, b in combinations(active, 2):
            product = self.early_product(a, b, active)
            if product is not None:
                return [o for o in operands if o not in (a, b)] + [product]
        merged = self.merged(active)
        if merged is not None:
            return [*rest, *merged]
        return [*rest, self.einsum(active, self.last_order(active, rest) or self.natural_free(active))]

    # --- orders

    def natural(self, operand: Operand) -> Order:
        """The axes of an operand in the order in which its widest read has them."""
        widest = max(reads_of(operand.body), key=lambda r: len(set(r.indices) & operand.axes), default=None)
        seen = [i for i in widest.indices if isinstance(i, Index)] if widest is not None else []
        extra = [i for i in (*(self.free or ()), *self.bound) if i in operand.axes]
        return tuple(
            dict.fromkeys(i for i in (*seen, *extra, *sorted(operand.axes, key=str)) if i in operand.axes)
        )

    def natural_free(self, operands: Sequence[Operand]) -> Order:
        return tuple(dict.fromkeys(i for o in operands for i in self.natural(o) if i not in self.bound))

    def last_order(self, active: Sequence[Operand], rest: Sequence[Operand]) -> Order | None:
        """The order of the result's axes, if it is prescribed."""
        if self.free is None:
            return None
        own = set().union(*(o.axes for o in active))
        return tuple(i for i in self.free if i in own)

    # --- one operand

    def reduced_privately(self, operand: Operand, operands: Sequence[Operand]) -> Operand:
        """Sum over the bound indices that no other operand has."""
        private = [b for b in self.bound_in([operand]) if sum(b in o.axes for o in operands) == 1]
        return self.reduced(operand, private) if private else operand

    def reduced(self, operand: Operand, bound: Sequence[Index], method: str = "sum") -> Operand:
        free = self.free if self.free is not None else self.natural(operand)
        wanted = [i for i in free if i in operand.axes and i not in bound]
        wanted += [i for i in self.natural(operand) if i not in wanted and i not in bound]
        dot = self.dot(operand) if method == "sum" and not wanted else None
        code = dot or reduction(self.scope, operand.body, wanted, bound, method, self.natural(operand))
        return self.operand(code, wanted, [operand])

    def dot(self, operand: Operand) -> Code | None:
        """``x @ y`` for the sum over two vectors, ``x @ x`` for the sum of squares of one."""
        factors = sympy.Mul.make_args(operand.body)
        if len(factors) == 1 and factors[0].is_Pow and factors[0].exp == 2:
            factors = (factors[0].base,) * 2
        vectors = all(
            isinstance(f, Read) and len(f.indices) == 1 and f.tensor.kind == "real" for f in factors
        )
        if len(factors) != 2 or not vectors or len(operand.axes) != 1:
            return None
        ordered = sorted(factors, key=lambda f: self.scope.positions.get(f.tensor.name, FAR))
        printer = Printer(self.scope, tuple(operand.axes))
        return Chain(MUL, printer.code(ordered[0]), (("@", printer.code(ordered[1])),))

    def operand(self, code: Code, axes: Sequence[Index], of: Sequence[Operand]) -> Operand:
        return Operand(self.scope.unnamed(code, axes, min(map(self.position, of))))

    # --- two operands

    def early_product(self, a: Operand, b: Operand, active: Sequence[Operand]) -> Operand | None:
        """A matrix product of two among more, if it makes no array of higher rank."""
        shared = [i for i in self.bound if i in a.axes and i in b.axes]
        if not shared or any(i in o.axes for i in shared for o in active if o is not a and o is not b):
            return None
        left = (a.axes | b.axes) - set(shared)
        if len(left) > max(len(a.axes), len(b.axes)):
            return None
        found = self.matmul(a, b, None)
        return self.operand(*found, [a, b]) if found else None

    def pair(self, a: Operand, b: Operand, order: Order | None) -> Operand:
        found = self.matmul(a, b, order)
        return (
            self.operand(*found, [a, b]) if found else self.einsum([a, b], order or self.natural_free([a, b]))
        )

    def matmul(self, a: Operand, b: Operand, order: Order | None) -> tuple[Code, Order] | None:
        """``A @ B`` with the fewest transposes, in the prescribed order of axes or in any."""
        shared = [i for i in self.bound if i in a.axes and i in b.axes]
        free = (a.axes | b.axes) - set(shared)
        if len(shared) != 1:
            return None
        orders = (
            [order]
            if order is not None
            else list(permutations(sorted(free, key=str)))
            if len(free) < 3
            else []
        )
        found = [
            (code, out)
            for out in orders
            for left, right in ((a, b), (b, a))
            if (code := self.oriented(left, right, shared[0], out)) is not None
        ]
        return min(found, key=lambda pair: len(pair[0].text), default=None)

    def oriented(self, left: Operand, right: Operand, k: Index, out: Order) -> Code | None:
        """``left @ right`` with result axes `out`, or None if matmul's rules do not give that."""
        orders: tuple[Order, Order]
        if right.axes == {k} and left.axes == {*out, k}:
            orders = (*out, k), (k,)
        elif left.axes == {k} and right.axes == {*out, k}:
            orders = (k,), (*out[:-1], k, *out[-1:])
        elif len(out) > 1 and out[-1] not in left.axes and out[-2] not in right.axes:
            lead = out[:-2]
            leads = [tuple(i for i in lead if i in side.axes) for side in (left, right)]
            if any(own not in ((), lead) for own in leads):
                return None
            orders = (*leads[0], out[-2], k), (*leads[1], k, out[-1])
        else:
            return None
        codes = [self.lying(side, order) for side, order in zip((left, right), orders, strict=True)]
        if codes[0] is None or codes[1] is None:
            return None
        product = (
            isinstance(codes[0], Chain)
            and codes[0].binds == MUL
            and all(op != "@" for op, _ in codes[0].rest)
        )
        return chain(MUL, Group(codes[0]) if product else codes[0], [("@", codes[1])])

    def lying(self, operand: Operand, order: Order) -> Code | None:
        """The operand with its axes in this order; None if that would take more than a transpose of the last two."""
        if set(order) != operand.axes:
            return None
        natural = self.natural(operand)
        if (
            isinstance(operand.body, Read)
            and natural != order
            and (len(order) < 2 or natural[:-2] != order[:-2])
        ):
            return None
        direct = Printer(self.scope, order).code(operand.body)
        turned = transposed(self.scope, Printer(self.scope, natural).code(operand.body), natural, order)
        return min(direct, turned, key=lambda code: len(code.text))

    # --- more operands

    def merged(self, operands: list[Operand]) -> list[Operand] | None:
        """Multiply one operand elementwise into the smallest other that has all its axes."""
        for small in sorted(operands, key=lambda o: len(o.axes)):
            hosts = [o for o in operands if o is not small and small.axes <= o.axes]
            if hosts:
                host = min(reversed(hosts), key=lambda o: len(o.axes))
                return [small * o if o is host else o for o in operands if o is not small]
        return None

    def einsum(self, operands: Sequence[Operand], order: Order) -> Operand:
        letters = _letters([i for o in operands for i in self.natural(o)])
        subscripts = ",".join("".join(letters[i] for i in self.natural(o)) for o in operands)
        formula = f'"{subscripts}->{"".join(letters[i] for i in order)}"'
        codes = [Printer(self.scope, self.natural(o)).code(o.body) for o in operands]
        dialect = self.scope.dialect
        return self.operand(
            call(f"{dialect.module}.einsum", formula, *codes, *dialect.einsum), order, operands
        )


def _letters(indices: Sequence[Index]) -> dict[Index, str]:
    """One readable letter for each index: that of its size, ``"bhid"`` for batch, heads, i, d, else its own name."""
    letters: dict[Index, str] = {}
    for index in dict.fromkeys(indices):
        size = index.extent.name[:1].lower() if index.extent.is_Symbol else ""
        own = index.name if len(index.name) == 1 else ""
        choices = [c for c in (size, own, *ascii_lowercase) if c and c in ascii_lowercase]
        letters[index] = next(c for c in choices if c not in letters.values())
    return letters


def reduction(
    scope: Scope, body: Expr, free: Sequence[Index], bound: Sequence[Index], method: str, natural: Order
) -> Code:
    """``(body).sum(axis=1)`` with the axes `free`, laid out so that little has to be transposed."""
    kept = tuple(i for i in natural if i in free)
    order = natural if list(kept) == list(free) else (*free, *bound)
    code = Printer(scope, order).code(body)
    return reduced_over(scope, code, [order.index(b) for b in bound], len(order), method)


def reduced_over(scope: Scope, code: Code, places: Sequence[int], rank: int, method: str) -> Code:
    """Apply a reduction method along these axes."""
    dialect = scope.dialect
    name = dialect.methods.get(method, method)
    if len(places) == rank:
        return Suffix(code, f".{name}()", copies=True)
    if len(places) > 1 and method in dialect.one_axis:
        for place in sorted(places, reverse=True):
            code = Suffix(code, f".{name}({dialect.axis}={place})", copies=True)
        return code
    places = sorted(places)
    axes = str(places[0]) if len(places) == 1 else f"({', '.join(map(str, places))})"
    return Suffix(code, f".{name}({dialect.axis}={axes})", copies=True)
