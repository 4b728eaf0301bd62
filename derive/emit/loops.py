"""Programs as Numba source: contractions go to BLAS, everything else becomes fused loops over rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr

from ..ir.nodes import Equation, Program, Tensor
from .loops_helpers import helper_source, helpers_in
from .loops_nodes import Block, Compute, Loop
from .loops_print import Writer
from .loops_schedule import schedule
from .loops_storage import allocate, assign_storage
from .loops_terms import operations

OPTIONS = 'cache=True, error_model="numpy", fastmath={"arcp", "contract", "nsz", "reassoc"}'
PRANGE_ONLY = """# Threads for the loops that say prange, and for nothing else.
PRANGE_ONLY = dict.fromkeys(
    ["comprehension", "fusion", "inplace_binop", "numpy", "reduction", "setitem", "stencil"], False
)"""


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
    """The text of one function, and the exclusive upper bounds that its integer arguments must keep."""

    text: str
    limits: tuple[tuple[Tensor, Expr], ...]


def module_source(functions: Iterable[str], typed: bool = False, doc: str = "") -> str:
    """A module of these functions with the imports and helpers that they need.

    typed: ``real`` is single precision.
    """
    texts = [text.strip("\n") for text in functions]
    helpers = [helper_source(name, typed).strip("\n") for name in helpers_in("\n".join(texts))]
    code = "\n\n\n".join([*helpers, *texts])
    head = imports(code)
    if typed:
        head += "\n\nreal = np.float32"
    if "PRANGE_ONLY" in code:
        head += "\n\n" + PRANGE_ONLY
    quoted = f'"""{doc}"""\n\n' if doc else ""
    return f"{quoted}{head}\n\n\n{code}\n"


def imports(code: str) -> str:
    lines = ["import math", ""] if "math." in code else []
    lines.append("import numpy as np")
    wanted = [name for name in ("get_num_threads", "njit", "prange") if re.search(rf"\b{name}\b", code)]
    if "@intrinsic" in code:
        lines.append("from llvmlite import ir")
    lines.append(f"from numba import {', '.join(wanted)}")
    if "@intrinsic" in code:
        lines.append("from numba.extending import intrinsic")
    return "\n".join(lines)


def lower(function: FunctionSource, typed: bool = False, parallel: bool = False, nogil: bool = False) -> Lowered:
    """The text of one jitted function.

    Args:
        function: what to write.
        typed: compute in ``real``, which is single precision, instead of in double precision.
        parallel: spread outermost loops over threads where that is safe.
        nogil: release the interpreter lock.
    """
    program = function.program
    block = schedule(operations(program), parallel)
    storages = assign_storage(block, program)
    writer = Writer(program, storages, typed)
    write_body(writer, allocate(block, storages), function.comments)
    returned = ", ".join(result(writer, tensor) for tensor in program.outputs)
    if len(program.outputs) == 1 and not function.single:
        returned = f"({returned},)"
    writer.line(f"return {returned}")
    limits = {(t.name, bound): (t, bound) for t, bound in writer.checks}
    for tensor in program.inputs:
        if tensor.bound is not None and tensor.kind == "integer":
            limits[tensor.name, tensor.bound] = tensor, tensor.bound
    body = [line for t, bound in limits.values() for line in check(writer, t, bound)] + writer.lines
    options = OPTIONS + (", nogil=True" if nogil else "")
    if any("prange(" in line for line in body):
        options += ", parallel={**PRANGE_ONLY}"
    arguments = ", ".join(writer.arrays[tensor.name] for tensor in program.inputs)
    head = [f"@njit({options})", f"def {function.name}({arguments}):", *docstring(function.doc)]
    return Lowered("\n".join([*head, *sizes(writer, body), *body]), tuple(limits.values()))


def write_body(writer: Writer, block: Block, comments: bool) -> None:
    """Every nest below the equations that it computes."""
    said: set[str] = set()
    for position, statement in enumerate(block):
        for equation in equations_of((statement,)) if comments else ():
            if equation.target.name not in said:
                writer.line(f"# {equation}")
                said.add(equation.target.name)
        writer.statement(statement, block[position + 1 :])


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


def check(writer: Writer, tensor: Tensor, bound: Expr) -> list[str]:
    """Integers that index an array must be inside of it."""
    text, top = writer.arrays[tensor.name], writer.scalars.integer(bound, 1)
    test = f"{text} < 0 or {text} >= {top}"
    if tensor.rank:
        test = f"{text}.size > 0 and ({text}.min() < 0 or {text}.max() >= {top})"
    return [f"    if {test}:", f'        raise IndexError("{tensor.name} must be in 0 .. {bound} - 1")']


def sizes(writer: Writer, body: list[str]) -> list[str]:
    """The sizes that the body uses, from the shapes of the arguments."""
    words = set(re.findall(r"\w+", "\n".join(body)))
    known: set[str] = set()
    lines = []
    for tensor in writer.program.inputs:
        wanted = {
            axis: writer.sizes[extent] for axis, extent in enumerate(tensor.shape)
            if extent.is_Symbol and writer.sizes[extent] in words - known
        }  # fmt: skip
        new = dict.fromkeys(wanted.values())
        text = writer.arrays[tensor.name]
        if new and len(new) == tensor.rank:
            lines.append(f"    {', '.join(new)}{',' * (tensor.rank == 1)} = {text}.shape")
        else:
            lines += [f"    {name} = {text}.shape[{axis}]" for axis, name in wanted.items() if not (name in known or known.add(name))]
        known |= set(new)
    return lines
