"""Functions and quotients of fewer indices than the loops around them, computed once instead of in every turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from sympy import Expr, Mul

from ..ir.nodes import Bracket, Index, Read, Tensor, Where, indices_of, reads_of
from ..ops.elementwise import op_of_head
from .loops_nodes import Op, Operation, covers


def hoist_invariants(ops: Iterable[Operation], known: Iterable[str]) -> list[Operation]:
    """The operations, ahead of each what of it depends on fewer indices and takes long to compute.

    known: names that a new tensor must not have.
    """
    found = list(ops)
    taken = {*known, *(name for op in found for name in op.names)}
    hoisting = _Hoisting(taken)
    return [part for op in found for part in hoisting.operations(op)]


class _Hoisting:
    """What has been computed ahead so far, as long as nothing that it was computed from is written again."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.known: dict[Expr, Read] = {}

    def operations(self, op: Operation) -> Iterator[Operation]:
        if isinstance(op, Op) and len(op.loops) > 1 and op.guard == True:  # noqa: E712 - SymPy's true
            ahead: list[Operation] = []
            body = self.without(op.body, op, ahead)
            yield from ahead
            op = replace(op, body=body) if ahead or body != op.body else op
        yield op
        self.known = {e: read for e, read in self.known.items() if op.target not in {r.tensor for r in reads_of(e)}}

    def without(self, e: Expr, op: Op, ahead: list[Operation]) -> Expr:
        """The expression with reads in the place of what is computed ahead."""
        if isinstance(e, Read | Bracket | Where) or not e.args or not costly(e):
            return e
        if worth(e, op):
            return self.ahead(e, op, ahead)
        if not e.is_Mul:
            return e.func(*(self.without(arg, op, ahead) for arg in e.args))
        rest: list[Expr] = []
        alike: dict[frozenset[Index], list[Expr]] = {}
        for factor in e.args:
            alike.setdefault(frozenset(indices_of(factor)), []).append(factor)
        for factors in alike.values():
            product = Mul(*factors)
            if costly(product) and worth(product, op):
                rest.append(self.ahead(product, op, ahead))
            else:
                rest += [self.without(factor, op, ahead) for factor in factors]
        return Mul(*rest)

    def ahead(self, e: Expr, op: Op, ahead: list[Operation]) -> Expr:
        """A read of a new tensor that holds the expression."""
        if e not in self.known:
            loops = tuple(index for index in op.loops if index in indices_of(e))
            names = (f"{op.target.name}_factor{n}" for n in ("", *range(2, 10**6)))
            name = next(name for name in names if name not in self.taken)
            self.taken.add(name)
            read = Read(Tensor(name, tuple(index.extent for index in loops)), loops)
            ahead += self.operations(Op(read.tensor, loops, e, loops))
            self.known[e] = read
        return self.known[e]


def worth(e: Expr, op: Op) -> bool:
    """It may be computed anywhere, in fewer turns of loops, and takes no more room than what is there already."""
    loops = indices_of(e)
    reads = reads_of(e)
    return bool(
        reads and loops < set(op.loops) and not e.is_integer and not e.has(Bracket, Where)
        and all(covers(read) and read.tensor.kind == "real" and read.tensor != op.target for read in reads)
        and len(loops) <= max(op.target.rank, *(read.tensor.rank for read in reads))
    )  # fmt: skip


def costly(e: Any) -> bool:
    """It takes a division, a root or a function of tensors."""
    if isinstance(e, Read) or not isinstance(e, Expr):
        return False
    own = op_of_head(e.func) is not None or (e.is_Pow and not (e.exp.is_Integer and e.exp > 0))
    return bool(own and reads_of(e)) or any(map(costly, e.args))
