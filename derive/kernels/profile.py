"""`profile`: for each loop nest of a kernel its time, operations and bytes, and how near it comes to the machine's limit."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from ..errors import DomainError
from ..timing import readable
from ..verify.sample import sample_inputs
from .cache import load_function
from .count import FLOAT, Array, Cost, Counter, constants_of, functions_of
from .limits import Limits, measured_limits

if TYPE_CHECKING:
    from .kernel import Kernel

SIZE = 256
"""The length of every axis where no arguments are given."""
TICKS = """
from llvmlite import ir as profile_ir
from numba import types as profile_types
from numba.extending import intrinsic as profile_intrinsic


@profile_intrinsic
def profile_ticks(typing):
    def code(context, builder, signature, arguments):
        kind = profile_ir.FunctionType(profile_ir.IntType(64), [])
        return builder.call(builder.module.declare_intrinsic("llvm.readcyclecounter", [], kind), [])

    return profile_types.int64(), code
"""
"""A counter of the processor, read between two nests."""


@dataclass(frozen=True)
class Nest:
    """A statement of the kernel that takes time: a loop nest, a matrix product, a call.

    line: in the kernel's source.
    code: its first line.
    formulas: the equations that it computes, as in the source.
    seconds: the median of some calls.
    flops, bytes: operations, and bytes that must be moved at least; those of matrix products are in `products`.
    least: the seconds that the machine's limits allow.
    bound: what sets them: "products", "arithmetic", "memory" or "cache".
    """

    line: int
    code: str
    formulas: tuple[str, ...]
    seconds: float
    flops: float
    products: float
    bytes: float
    least: float
    bound: str

    @property
    def fraction(self) -> float:
        """Of the measured limit."""
        return self.least / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Profile:
    """The nests of one kernel at the sizes of one call; prints as a table."""

    name: str
    shapes: str
    seconds: float
    nests: tuple[Nest, ...]
    limits: Limits

    def __str__(self) -> str:
        gemm, memory, cached = (
            f"{x / 1e9:.0f}" for x in (self.limits.double, self.limits.memory, self.limits.cached)
        )
        lines = [
            f"{self.name}: {readable(self.seconds)} per call with {self.shapes}",
            f"measured limits: products {gemm} GFLOP/s in double precision, memory {memory} GB/s, cache {cached} GB/s",
            "",
            f"{'line':>5} {'time':>9} {'share':>6} {'MFLOP':>9} {'MB':>8} {'GFLOP/s':>8} {'GB/s':>6} {'of limit':>14}",
        ]
        for n in self.nests:
            share = n.seconds / self.seconds if self.seconds else 0
            rate = (n.flops / n.seconds / 1e9, n.bytes / n.seconds / 1e9) if n.seconds else (0.0, 0.0)
            lines.append(
                f"{n.line:5} {readable(n.seconds):>9} {share:6.0%} {n.flops / 1e6:9.3f} {n.bytes / 1e6:8.3f} "
                f"{rate[0]:8.2f} {rate[1]:6.1f} {n.fraction:5.0%} {n.bound}"
            )
            lines += [f"      {text}" for text in n.formulas or (n.code,)]
        return "\n".join(lines)


def profile(kernel: Kernel, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> Profile:
    """Time every nest of a kernel.

    Args:
        kernel: any; it is compiled once more, with a counter of the processor read between its statements.
        args, kwargs: as in a call; without any, random arrays all of whose axes have the length 256.

    Raises:
        DomainError: the processor has no counter that may be read.

    Numerics: the results are those of a call, and are dropped. Operations and bytes are counted in the source, see
        `count`; what an array costs is counted once, so a nest whose arrays are in a nearer cache may exceed the limit.
    """
    if not args and not kwargs:
        args = tuple(_sample(kernel))
    values, shapes, sizes = kernel._arguments.ready(kernel._arguments.bind(args, kwargs or {}))
    outputs, rest = kernel._buffers.room(shapes, sizes).take()
    arrays = [*values, *outputs, *rest]
    module = ast.parse(kernel.source)
    main = next(
        s for s in module.body if isinstance(s, ast.FunctionDef) and s.name == kernel.function.__name__
    )
    groups = grouped(main.body)
    seconds, total = _times(kernel, module, main, groups, arrays)
    costs = costs_of(module, main, groups, arrays)
    limits = measured_limits(_threads(kernel))
    text = kernel.source.splitlines()
    nests = []
    for group, own, cost in zip(groups, seconds, costs, strict=True):
        least, bound = least_time(cost, limits, kernel.dtype)
        last = group[-1]
        nests.append(
            Nest(last.lineno, text[last.lineno - 1].strip(), formulas_above(text, group), own, cost.flops, cost.products,
                 cost.bytes, least, bound)
        )  # fmt: skip
    inputs = zip(kernel._arguments.names, values, strict=True)
    said = ", ".join(f"{n} {'x'.join(map(str, np.shape(v))) or 'scalar'}" for n, v in inputs)
    return Profile(kernel.name, said, total, tuple(nests), limits)


def _sample(kernel: Kernel) -> list[Any]:
    chosen: dict[sympy.Symbol, int] = dict.fromkeys(kernel.program.sizes, SIZE)
    return list(sample_inputs(kernel.program, chosen, np.random.default_rng(0)).values())


def grouped(body: list[ast.stmt]) -> list[list[ast.stmt]]:
    """The statements of a function by nest: a loop or a call, with the assignments and fillings in front of it."""
    groups: list[list[ast.stmt]] = [[]]
    for statement in body:
        groups[-1].append(statement)
        if isinstance(statement, ast.For | ast.While) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        ):
            groups.append([])
    rest = groups.pop()
    if groups and all(isinstance(s, ast.Return) for s in rest):
        return groups
    return [*groups, rest]


def formulas_above(text: list[str], group: list[ast.stmt]) -> tuple[str, ...]:
    """The comments in and above a group of statements, in order."""
    first, last = group[0].lineno - 1, group[-1].end_lineno or group[-1].lineno
    while first > 0 and text[first - 1].strip().startswith("#"):
        first -= 1
    return tuple(line.strip()[1:].strip() for line in text[first:last] if line.strip().startswith("#"))


def costs_of(
    module: ast.Module, main: ast.FunctionDef, groups: list[list[ast.stmt]], arrays: list[Any]
) -> list[Cost]:
    """The cost of each group when the function is called with these arrays."""
    names: dict[str, Any] = dict.fromkeys((a.arg for a in main.args.args), 1)
    for name, value in zip(names, arrays, strict=False):
        shape = np.shape(value)
        names[name] = Array(shape, np.asarray(value).itemsize) if shape else _scalar(value)
    functions = {name: f for name, f in functions_of(module).items() if f is not main}
    counter = Counter(functions, names, constants_of(module))
    return [counter.run(group) for group in groups]


def _scalar(value: Any) -> Any:
    return int(value) if np.asarray(value).dtype.kind in "iu" else FLOAT


def least_time(cost: Cost, limits: Limits, dtype: Any) -> tuple[float, str]:
    """The seconds that a perfect kernel would take, and what would keep it from being faster."""
    rate = limits.products(dtype)
    arithmetic, moved = cost.flops / rate, cost.bytes / limits.bandwidth(cost.bytes)
    if arithmetic >= moved:
        return arithmetic, "products" if cost.products > cost.flops / 2 else "arithmetic"
    return moved, "cache" if cost.bytes <= limits.cache else "memory"


def _threads(kernel: Kernel) -> int:
    if not kernel.parallel:
        return 1
    import numba

    from .threads import thread_count

    config: Any = numba.config
    return thread_count(config.NUMBA_NUM_THREADS)


def _times(
    kernel: Kernel, module: ast.Module, main: ast.FunctionDef, groups: list[list[ast.stmt]], arrays: list[Any]
) -> tuple[list[float], float]:
    """Seconds of each group, the median of some calls, and their sum."""
    function = _instrumented(kernel, module, main, groups)
    ticks = np.zeros(len(groups) + 1, dtype=np.int64)
    threads = _threads(kernel)
    more = [threads] if kernel.parallel else []
    rows: list[Any] = []
    end = perf_counter() + 0.4
    function(*arrays, *more, ticks)
    while len(rows) < 5 or (perf_counter() < end and len(rows) < 2000):
        function(*arrays, *more, ticks)
        rows.append(np.diff(ticks))
    if not any(row.any() for row in rows):
        raise DomainError(
            "this processor has no counter that a kernel may read, so its nests cannot be timed"
        )
    second = _ticks_per_second(function, arrays, more, ticks)
    each = [float(x) / second for x in np.median(rows, axis=0)]
    return each, sum(each)


def _ticks_per_second(function: Any, arrays: list[Any], more: list[int], ticks: Any) -> float:
    """How fast the counter counts: over many calls, whose own cost then does not matter."""
    function(*arrays, *more, ticks)
    first, start = int(ticks[0]), perf_counter()
    while perf_counter() - start < 0.05:
        function(*arrays, *more, ticks)
    function(*arrays, *more, ticks)
    return (int(ticks[0]) - first) / (perf_counter() - start)


def _instrumented(
    kernel: Kernel, module: ast.Module, main: ast.FunctionDef, groups: list[list[ast.stmt]]
) -> Any:
    """The kernel's function with one more argument, to which the counter is written between groups."""
    from numba import types

    changed = copy.deepcopy(module)
    function = next(s for s in changed.body if isinstance(s, ast.FunctionDef) and s.name == main.name)
    own = copy.deepcopy(groups)
    function.args.args.append(ast.arg("profile_times"))
    body: list[ast.stmt] = [_stamp(0)]
    for place, group in enumerate(own):
        body += [s for s in group if not isinstance(s, ast.Return)] + [_stamp(place + 1)]
    function.body = body + [s for s in function.body if isinstance(s, ast.Return)]
    changed.body[_after_imports(changed) : _after_imports(changed)] = ast.parse(TICKS).body
    source = ast.unparse(ast.fix_missing_locations(changed)) + "\n"
    known = kernel.function.signatures[0]
    return load_function(source, main.name, (*known, types.Array(types.int64, 1, "C")))


def _stamp(place: int) -> ast.stmt:
    return ast.parse(f"profile_times[{place}] = profile_ticks()").body[0]


def _after_imports(module: ast.Module) -> int:
    places = [p for p, s in enumerate(module.body) if isinstance(s, ast.Import | ast.ImportFrom)]
    return places[-1] + 1
