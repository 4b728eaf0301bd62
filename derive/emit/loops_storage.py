"""Where each tensor of a loop nest lives: a scalar, a buffer for one turn of a loop, or a whole array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sympy import S

from ..ir.nodes import Index, Program
from .loops_nodes import Allocate, Block, Close, Compute, Loop, Op, Product, Start, Statement, Storage

Path = tuple[Index, ...]


def assign_storage(block: Block, program: Program) -> dict[str, Storage]:
    """The storage of every tensor that `block` computes; outputs are whole arrays."""
    outputs = {tensor.name for tensor in program.outputs}
    inputs = {tensor.name for tensor in program.inputs}
    touched: dict[str, list[tuple[Path, Any, tuple[Any, ...]]]] = {}
    for path, tensor, indices in touches(block, ()):
        if tensor.name not in inputs:
            touched.setdefault(tensor.name, []).append((path, tensor, indices))
    found = {}
    for name, places in touched.items():
        tensor = places[0][1]
        common = set() if name in outputs else set(shared(path for path, _, _ in places))
        kept = tuple(p for p in range(tensor.rank) if not fixed([indices[p] for _, _, indices in places], common))
        turns = tuple(places[0][2][p] for p in range(tensor.rank) if p not in kept)
        found[name] = Storage(tensor, kept, turns)
    return found


def touches(block: Block, path: Path) -> Iterator[tuple[Path, Any, tuple[Any, ...]]]:
    """Every tensor that is read or written, with the loops around it and the indices."""
    for statement in block:
        match statement:
            case Loop():
                yield from touches(statement.body, (*path, statement.index))
            case Start(op) | Close(op) | Compute(op):
                yield path, op.target, op.at
                for read in op.reads if isinstance(statement, Compute) else ():
                    yield path, read.tensor, read.indices


def shared(paths: Iterator[Path]) -> Path:
    """The loops that surround all of them."""
    first, *rest = paths
    length = len(first)
    for path in rest:
        same = 0
        while same < min(length, len(path)) and path[same] == first[same]:
            same += 1
        length = same
    return first[:length]


def fixed(indices: list[Any], common: set[Index]) -> bool:
    """The axis is read and written at the same turn of a loop around all of them."""
    return indices[0] in common and all(i == indices[0] for i in indices)


def allocate(block: Block, storages: dict[str, Storage]) -> Block:
    """Put allocations before the outermost loop that needs an array, or into it where its turns are parallel."""
    waiting = {name: storage for name, storage in storages.items() if not storage.scalar}
    result: list[Statement] = []
    for statement in block:
        for name in names(statement):
            storage = waiting.get(name)
            if storage is None:
                continue
            if isinstance(statement, Loop) and private(statement, storage):
                continue
            del waiting[name]
            if not defines(statement, storage):
                result.append(Allocate(storage, initial(statement, storage)))
        if not replaced(statement, result):
            result.append(with_buffers(statement, waiting))
    return tuple(result)


def private(loop: Loop, storage: Storage) -> bool:
    """A buffer for one turn of a parallel loop, which is `loop` or inside of it."""
    if loop.parallel:
        return loop.index in storage.turns
    return any(private(inner, storage) for inner in loop.body if isinstance(inner, Loop))


def private_buffers(loop: Loop, storages: dict[str, Storage]) -> list[Storage]:
    """The buffers that the threads of `loop` have for themselves."""
    mine = (storages[name] for name in names(loop) if name in storages)
    return [storage for storage in mine if not storage.scalar and private(loop, storage)]


def with_buffers(statement: Statement, waiting: dict[str, Storage]) -> Statement:
    """The loop, its parallel loops holding the buffers that belong to one turn."""
    if not isinstance(statement, Loop):
        return statement
    if not statement.parallel:
        return replace(statement, body=tuple(with_buffers(inner, waiting) for inner in statement.body))
    mine = tuple(waiting.pop(name) for name in names(statement) if name in waiting and private(statement, waiting[name]))
    return replace(statement, allocate=mine)


def names(statement: Statement) -> list[str]:
    return list(dict.fromkeys(tensor.name for _, tensor, _ in touches((statement,), ())))


def defines(statement: Statement, storage: Storage) -> bool:
    """A matrix product that makes its own array."""
    op = statement.op if isinstance(statement, Compute) else None
    return isinstance(op, Product) and op.makes_array and op.target == storage.tensor


def zeros(statement: Statement) -> Op | None:
    """The operation of a nest that does nothing but write zeros."""
    while isinstance(statement, Loop) and len(statement.body) == 1:
        statement = statement.body[0]
    if isinstance(statement, Compute) and isinstance(statement.op, Op) and statement.op.how == "set":
        return statement.op if statement.op.body == 0 and statement.op.guard == True else None  # noqa: E712
    return None


def initial(statement: Statement, storage: Storage) -> Any:
    """What the array may as well be filled with at once: the identity of its accumulation, or zeros."""
    if isinstance(statement, Start) and statement.op.target == storage.tensor and statement.op.starts:
        return statement.op.how
    op = zeros(statement)
    return "sum" if op is not None and op.target == storage.tensor and S(op.body) == 0 else None


def replaced(statement: Statement, result: list[Statement]) -> bool:
    """The allocation just before has done what the statement says."""
    last = result[-1] if result else None
    if not isinstance(last, Allocate) or last.fill is None:
        return False
    if isinstance(statement, Start):
        return statement.op.target == last.storage.tensor
    op = zeros(statement)
    return op is not None and op.target == last.storage.tensor
