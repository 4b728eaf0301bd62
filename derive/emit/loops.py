"""Programs as Numba source: contractions go to BLAS, everything else becomes fused loops over rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sympy import Expr

from ..ir.nodes import Equation, Program, Tensor
from .factor import Style, factored
from .layout import signature, standard_imports
from .loops_entry import bounds, check, check_computed, sizes
from .loops_helpers import calls, helpers_for
from .loops_layout import fitted
from .loops_linalg import FAST, IN_ORDER, called, linear_algebra
from .loops_nodes import Block, Compute, Loop, Storage
from .loops_parallel import gains
from .loops_print import write_statement
from .loops_shared import Lines, shared
from .loops_steps import Segment, segments, write_recurrence
from .loops_storage import private_buffers
from .loops_writer import Notation, Writer

DECORATOR = 'cache=True, error_model="numpy", fastmath=FAST'
INNER = 'error_model="numpy", fastmath=FAST, no_cpython_wrapper=True, no_cfunc_wrapper=True'
PRANGE_ONLY = """# Threads for the loops that say prange, and for nothing else.
PRANGE_ONLY = dict.fromkeys(
    ["comprehension", "fusion", "inplace_binop", "numpy", "reduction", "setitem", "stencil"], False
)"""


@dataclass(frozen=True)
class Options:
    """How a module is written.

    typed: compute in ``real``, which is single precision, instead of in double precision.
    parallel: spread outermost loops over threads where that is safe.
    nogil: release the interpreter lock.
    vector: bring exponentials and logarithms that the compiler can vectorise.
    buffers: take the arrays to fill as further arguments, and return only results without axes.
    """

    typed: bool = False
    parallel: bool = False
    nogil: bool = False
    vector: bool = False
    buffers: bool = False


PLAIN = Options()


@dataclass(frozen=True)
class FunctionSource:
    """One function of a module.

    name: of the function.
    program: what it computes; its arguments are the program's inputs, in order.
    single: return the one output by itself, not as a tuple.
    doc: lines of the docstring.
    comments: write the equations above the loops that compute them.
    """

    name: str
    program: Program
    single: bool = True
    doc: tuple[str, ...] = ()
    comments: bool = True


@dataclass(frozen=True)
class Lowered:
    """The text of one function.

    limits: the exclusive upper bounds that its integer arguments must keep.
    buffers: the arrays that it fills, arguments after the inputs: tensor, and extents of the array.
    gains: for each parallel loop what is positive where threads are worth waking; then the last argument is their number.
    """

    text: str
    limits: tuple[tuple[Tensor, Expr], ...]
    buffers: tuple[tuple[Tensor, tuple[Expr, ...]], ...] = ()
    gains: tuple[Expr, ...] = ()


def module_source(
    functions: Iterable[str], options: Options = PLAIN, doc: str = "", tail: str = "", library: str = ""
) -> str:
    """A module of these functions with the imports and helpers that they need; `tail` is code to end it.

    library: the name of a module that has the helpers for linear algebra, if they are not to be written out.
    """
    texts = [text.strip("\n") for text in functions]
    wanted = "\n".join(texts)
    shared = called(wanted) if library else []
    own = [] if library else linear_algebra(wanted)
    texts = [*helpers_for(wanted, options.typed, options.vector), *own, *texts]
    code = "\n\n\n".join(texts)
    head = imports(code, tail)
    if shared:
        head += f"\nfrom {library} import {', '.join(shared)}"
    if options.typed:
        head += "\n\nreal = np.float32"
    head += "\n\n" + (IN_ORDER if "quotient" in calls(wanted) else FAST)
    if "PRANGE_ONLY" in code:
        head += "\n\n" + PRANGE_ONLY
    quoted = f'"""{doc}"""\n\n' if doc else ""
    ending = f"\n\n\n{tail}" if tail else ""
    return f"{quoted}{head}\n\n\n{code}{ending}\n"


def imports(code: str, tail: str = "") -> str:
    lines = standard_imports(code + tail)
    lines.append("import numpy as np")
    wanted = [name for name in ("njit", "prange", "types") if re.search(rf"\b{name}\b", code)]
    if "@intrinsic" in code:
        lines.append("from llvmlite import ir")
    lines.append(f"from numba import {', '.join(wanted)}")
    if "cgutils" in code:
        lines.append("from numba.core import cgutils")
    if "@intrinsic" in code:
        lines.append("from numba.extending import intrinsic")
    return "\n".join(lines)


def lower(function: FunctionSource, options: Options = PLAIN) -> Lowered:
    """The text of one jitted function."""
    (program,) = factored([function.program], Style(always=True))
    parts, storages = segments(program, options.parallel, options.buffers and not options.parallel)
    block = tuple(statement for part in parts for statement in part.block)
    given = arrays_of(program, block, storages) if options.buffers else {}
    writer = Writer(program, storages, options.typed, options.vector, frozenset(given))
    nests: list[Lines] = [nest for part in parts for nest in write_segment(writer, part, function.comments)]
    returned = returned_values(writer, function.single, options.buffers)
    limits = bounds(writer)
    checks = [line for tensor, bound in limits for line in check(writer, tensor, bound)]
    checks += [line for index, extent in writer.computed for line in check_computed(writer, index, extent)]
    arguments = [writer.arrays[name] for name in (*(t.name for t in program.inputs), *given)]
    known = [*writer.arrays.values(), *writer.sizes.values(), "threads"]
    repeated, nests = shared(nests, known, returned, writer.names) if options.buffers else ([], nests)
    body = [*checks, *(line for nest in nests for line in nest), *([f"    return {returned}"] if returned else [])]
    threaded = gains(block)
    arguments += ["threads"] if threaded else []
    lines = [*docstring(function.doc), *sizes(writer, body), *body]
    inner = [definition(p.name, p.arguments, list(p.lines), options, INNER) for p in repeated]
    text = "\n\n\n".join([*inner, definition(function.name, arguments, lines, options)])
    return Lowered(text, limits, tuple(given.values()), threaded)


def definition(name: str, arguments: list[str], body: list[str], options: Options, head: str = DECORATOR) -> str:
    """A jitted function."""
    decorator = head + (", nogil=True, no_cfunc_wrapper=True" if options.nogil and head == DECORATOR else "")
    if any("prange(" in line for line in body):
        decorator += ", parallel={**PRANGE_ONLY}"
    lines = [part for line in body for part in fitted(line)]
    return "\n".join([f"@njit({decorator})", *signature(name, arguments), *lines])


def arrays_of(program: Program, block: Block, storages: dict[str, Storage]) -> dict[str, tuple[Tensor, tuple[Expr, ...]]]:
    """The arrays of a function that its caller may provide, outputs first; buffers of threads are their own."""
    own = {storage.tensor.name for loop in block if isinstance(loop, Loop) for storage in private_buffers(loop, storages)}
    names = dict.fromkeys([t.name for t in program.outputs if t.name in storages] + list(storages))
    return {
        name: (storages[name].tensor, tuple(storages[name].tensor.shape[p] for p in storages[name].kept))
        for name in names if not storages[name].scalar and name not in own
    }  # fmt: skip


def returned_values(writer: Writer, single: bool, buffers: bool) -> str:
    """What stands after ``return``."""
    outputs = writer.program.outputs
    if buffers:
        numbers = [writer.arrays[tensor.name] for tensor in outputs if not tensor.rank]
        return ", ".join(numbers) + "," * (len(numbers) == 1)
    returned = ", ".join(result(writer, tensor) for tensor in outputs)
    return returned if single or len(outputs) != 1 else f"({returned},)"


def write_segment(writer: Writer, part: Segment, comments: bool) -> list[list[str]]:
    """The lines of equations between recurrences, or of a recurrence."""
    if part.recurrence is None:
        return write_body(writer, part, comments)
    writer.lines = []
    write_recurrence(writer, part.recurrence, writer.program)
    return [writer.lines]


def write_body(writer: Writer, part: Segment, comments: bool) -> list[list[str]]:
    """The lines of every outermost statement; each equation stands above what computes it."""
    nests = []
    block = part.block
    computed = {equation.target.name for equation in equations_of(block)}
    inlined = {e.target.name: e for e in part.program.equations if e.target.name not in computed}
    writer.unsaid = formulas(equations_of(block), inlined) if comments else {}
    for position, statement in enumerate(block):
        writer.lines = []
        write_statement(writer, statement, block[position + 1 :])
        here = [e.target.name for e in equations_of((statement,))]
        writer.lines[:0] = ["    " + line for name in here for line in writer.unsaid.pop(name, ())]
        nests.append(writer.lines)
    return nests


def formulas(equations: Iterable[Equation], inlined: dict[str, Equation]) -> dict[str, list[str]]:
    """By target the comment of each equation, below those of what is computed in it."""
    said: set[str] = set()
    found: dict[str, list[str]] = {}
    for equation in equations:
        fresh = [e for e in with_inlined((equation,), inlined) if e.target.name not in said]
        said |= {e.target.name for e in fresh}
        found[equation.target.name] = list(dict.fromkeys(f"# {Notation().equation(e)}" for e in fresh))
    return found


def with_inlined(equations: Iterable[Equation], inlined: dict[str, Equation]) -> Iterator[Equation]:
    """The equations, each after those that define what it reads but are computed nowhere by themselves."""
    for equation in equations:
        yield from with_inlined((inlined[r.tensor.name] for r in equation.reads if r.tensor.name in inlined), inlined)
        yield equation


def docstring(lines: tuple[str, ...]) -> list[str]:
    if not lines:
        return []
    if len(lines) == 1:
        return [f'    """{lines[0]}"""']
    return [f'    """{lines[0]}', *(f"    {line}".rstrip() for line in lines[1:]), '    """']


def equations_of(block: Block) -> list[Equation]:
    """The equations that a block computes, in the order in which they appear."""
    found: dict[str, Equation] = {}
    for statement in block:
        match statement:
            case Loop():
                for equation in equations_of(statement.body):
                    found.setdefault(equation.target.name, equation)
            case Compute(op) if op.equation is not None:
                found.setdefault(op.equation.target.name, op.equation)
    return list(found.values())


def result(writer: Writer, tensor: Tensor) -> str:
    """An output; an input that is returned as it is becomes a copy."""
    name = writer.arrays[tensor.name]
    return f"{name}.copy()" if tensor.name in writer.inputs and tensor.rank else name
