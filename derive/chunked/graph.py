"""The tasks of one pass: what loads a chunk and what computes with it are one task, so that no chunk waits in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chunk:
    """Stands among the arguments of a call for the chunk of this array."""

    array: str


def tasks(
    name: str, arrays: Mapping[str, Any], count: int, call: Callable[[int], tuple[Any, ...]]
) -> list[Any]:
    """A delayed value for each chunk.

    What is needed for one chunk alone is loaded within its task. What several chunks need (a block of a file that chunks
    divide) is a task, under a key of its own for each pass, so that it need not be kept from one to the next; what is in
    the memory of a cluster already, a persisted array, stays where it is.

    Args:
        name: what the tasks are called.
        arrays: dask arrays with the same number of chunks, their graphs optimised together.
        count: the number of chunks.
        call: from the number of a chunk to a function and its arguments: a `Chunk`, a delayed value, or a value.
    """
    from dask._task_spec import GraphNode, Task, TaskRef, convert_legacy_graph
    from dask.base import clone_key, flatten
    from dask.delayed import Delayed
    from dask.highlevelgraph import HighLevelGraph

    graph = convert_legacy_graph({k: v for x in arrays.values() for k, v in dict(x.__dask_graph__()).items()})
    chunks = {n: list(flatten(x.__dask_keys__())) for n, x in arrays.items()}
    seed = _unique()
    needs = [_ancestors(graph, (keys[number] for keys in chunks.values())) for number in range(count)]
    users = Counter(key for keys in needs for key in keys)
    copies = {key: clone_key(key, seed) for key, several in users.items() if several > 1}
    copy: dict[Any, Any] = {new: graph[key].substitute(copies, key=new) for key, new in copies.items()}
    depends: dict[str, Any] = {}
    result = []
    for number, own in enumerate(needs):
        function, *arguments = call(number)
        given: list[Any] = []
        for argument in arguments:
            if isinstance(argument, Chunk):
                key = chunks[argument.array][number]
                given.append(TaskRef(copies.get(key, key)))
            elif isinstance(argument, Delayed):
                depends[argument.key] = argument
                given.append(TaskRef(argument.key))
            else:
                given.append(argument)
        key = (f"{name}-{seed}", number)
        inner = [graph[k].substitute(copies) for k in own if users[k] == 1]
        copy[key] = GraphNode.fuse(*inner, Task((*key, "last"), function, *given), key=key)
        result.append(key)
    layer = f"{name}-{seed}"
    whole = HighLevelGraph.from_collections(layer, copy, dependencies=list(depends.values()))
    return [Delayed(key, whole, layer=layer) for key in result]


def _unique() -> str:
    from uuid import uuid4

    return uuid4().hex


def _ancestors(graph: Mapping[Any, Any], keys: Iterable[Any]) -> list[Any]:
    """The keys that are needed for these, themselves included; those of data on a cluster are in no graph."""
    found: dict[Any, None] = {}
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key in graph and key not in found:
            found[key] = None
            waiting += graph[key].dependencies
    return list(found)
