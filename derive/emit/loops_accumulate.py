"""Sums of matrix products: every product is added to the array of the first, which BLAS does as it multiplies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sympy import Add, Expr

from ..ir.nodes import Index, Read
from ..rewrite.factor import split_sizes
from .loops_nodes import Op, Operation, Product, Result


def accumulated(ops: list[Operation], outputs: Collection[str]) -> list[Operation]:
    """The operations, with the products that are read in one sum only put into one array."""
    for op in list(ops):
        if isinstance(op, Op) and op.how == "set" and op.guard == True and op.body.is_Add:  # noqa: E712 - SymPy's true
            ops = merged(ops, op, outputs)
    return ops


def merged(ops: list[Operation], total: Op, outputs: Collection[str]) -> list[Operation]:
    """With the products in the sum `total` added up by themselves, into its own target if there is nothing else in it."""
    found: dict[str, tuple[Product, Expr]] = {}
    rest: list[Expr] = []
    for term in Add.make_args(total.body):
        scale, factor = split_sizes(term)
        product = private(ops, factor, total, outputs) if isinstance(factor, Read) else None
        if product is None or product.target.name in found:
            rest.append(term)
        else:
            found[product.target.name] = product, scale
    if len(found) < 2 or any(not isinstance(axis, Index) for axis in total.at):
        return ops
    first = next(op for op in ops if isinstance(op, Product) and op.target.name in found)
    target = first.target if rest else total.target
    changed: list[Operation] = []
    for op in ops:
        if isinstance(op, Product) and op.target.name in found:
            scaled = replace(op, target=target, scale=op.scale * found[op.target.name][1])
            changed.append(scaled if op is first else replace(scaled, how="sum", starts=False))
        elif op is not total:
            changed.append(op)
        elif rest:
            changed.append(replace(op, body=Add(*rest, Read(target, op.at))))
        else:
            changed.append(Result(target, op.at, Read(target, op.at), op.equation))
    return changed


def private(ops: list[Operation], read: Read, total: Op, outputs: Collection[str]) -> Product | None:
    """The product of matrices of which this is all that is ever read."""
    name = read.tensor.name
    writers = [op for op in ops if op.target.name == name]
    readers = [r for op in ops for r in op.reads if r.tensor.name == name]
    if name in outputs or len(writers) != 1 or len(readers) != 1 or read.indices != total.at:
        return None
    (product,) = writers
    if not isinstance(product, Product) or not (product.rows and product.columns):
        return None
    return product
