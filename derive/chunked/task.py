"""What a worker runs: a program on the arrays of one chunk, and the sum, product or extremum of what chunks gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np

from ..errors import DomainError
from ..ir.evaluate import evaluate
from ..ir.nodes import Program, Reduction
from ..kernels.arguments import as_array
from ..kernels.compile import compile_program

COMBINE: dict[Reduction, Callable[[Any, Any], Any]] = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum,
}  # fmt: skip
COMPILING = Lock()


@dataclass(frozen=True)
class Runner:
    """How programs are run: by the interpreter, or by kernels of a dtype, which every process compiles for itself once."""

    compiled: bool = False
    dtype: str = "float64"
    parallel: bool = False

    def dtype_of(self, kind: str) -> np.dtype[Any]:
        """What the entries of an array of this kind are."""
        return np.dtype({"real": self.dtype, "integer": "int64", "boolean": "bool"}[kind])


@dataclass(frozen=True)
class Task:
    """A program to be run on the arrays of its inputs, in their order; it travels between processes as equations."""

    name: str
    program: Program
    runner: Runner

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        """The outputs of the program.

        Raises:
            DomainError: fractions where integers were declared, or complex numbers.
        """
        if self.runner.compiled:
            return kernel(self)(*arrays)
        inputs, kind_of = self.program.inputs, self.runner.dtype_of
        given = {t.name: as_array(x, t, kind_of(t.kind)) for t, x in zip(inputs, arrays, strict=True)}
        values = evaluate(self.program, given)
        outputs = self.program.outputs
        return tuple(np.asarray(values[t.name], kind_of(t.kind)) for t in outputs)


def kernel(task: Task) -> Any:
    """The compiled program; one thread compiles at a time, and the others wait rather than do the same."""
    with COMPILING:
        return _kernel(task)


@lru_cache(maxsize=128)
def _kernel(task: Task) -> Any:
    """Compiled once for each process; the code itself is cached on disk."""
    return compile_program(
        task.program, task.name, np.dtype(task.runner.dtype), task.runner.parallel, single=False
    )


def split(count: int, start: int, task: Task, *arrays: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The outputs of a task: the first `count`, which will be combined, and the others.

    Raises:
        DomainError: of the task; `start`, the number of the first entry of the chunk, is said.
    """
    try:
        values = task(*arrays)
    except DomainError as error:
        raise DomainError(f"{error}\n  in the chunk that begins with entry {start}") from error
    return values[:count], values[count:]


def combined(reductions: Sequence[Reduction], parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What the parts of several chunks are together."""
    total = list(parts[0])
    for part in parts[1:]:
        total = [COMBINE[how](a, b) for how, a, b in zip(reductions, total, part, strict=True)]
    return tuple(total)
