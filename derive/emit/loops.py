"""Programs as Numba source: contractions go to BLAS, everything else becomes fused loops over rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr
from sympy.printing.str import StrPrinter

from ..errors import ShapeError
from ..ir.nodes import Equation, Program, Tensor, indices_of, substitute
from .layout import signature
from .loops_helpers import helpers_for
from .loops_layout import fitted
from .loops_nodes import Block, Compute, Loop, Storage, label
from .loops_print import write_statement
from .loops_schedule import schedule
from .loops_storage import allocate, assign_storage, private_buffers
from .loops_terms import operations
from .loops_writer import Writer

DECORATOR = 'cache=True, error_model="numpy", fastmath=FAST'
FAST = """# Sums may be reordered and products fused; NaN and infinity keep their meaning.
FAST = {"arcp", "contract", "nsz", "reassoc"}"""
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
    threaded: it has parallel loops, and takes the number of threads as its last argument.
    """

    text: str
    limits: tuple[tuple[Tensor, Expr], ...]
    buffers: tuple[tuple[Tensor, tuple[Expr, ...]], ...] = ()
    threaded: bool = False


def module_source(functions: Iterable[str], options: Options = PLAIN, doc: str = "", tail: str = "") -> str:
    """A module of these functions with the imports and helpers that they need; `tail` is code to end it."""
    texts = [text.strip("\n") for text in functions]
    code = "\n\n\n".join([*helpers_for("\n".join(texts), options.typed, options.vector), *texts])
    head = imports(code)
    if options.typed:
        head += "\n\nreal = np.float32"
    head += "\n\n" + FAST
    if "PRANGE_ONLY" in code:
        head += "\n\n" + PRANGE_ONLY
    quoted = f'"""{doc}"""\n\n' if doc else ""
    ending = f"\n\n\n{tail}" if tail else ""
    return f"{quoted}{head}\n\n\n{code}{ending}\n"


def imports(code: str) -> str:
    lines = ["import math", ""] if "math." in code else []
    lines.append("import numpy as np")
    wanted = [name for name in ("njit", "prange") if re.search(rf"\b{name}\b", code)]
    if "@intrinsic" in code:
        lines.append("from llvmlite import ir")
    lines.append(f"from numba import {', '.join(wanted)}")
    if "@intrinsic" in code:
        lines.append("from numba.extending import intrinsic")
    return "\n".join(lines)


def lower(function: FunctionSource, options: Options = PLAIN) -> Lowered:
    """The text of one jitted function."""
    program = function.program
    block = schedule(operations(program), options.parallel)
    storages = assign_storage(block, program)
    given = arrays_of(program, block, storages) if options.buffers else {}
    block = allocate(block, storages)
    writer = Writer(program, storages, options.typed, options.vector, frozenset(given))
    write_body(writer, block, function.comments)
    write_return(writer, function.single, options.buffers)
    limits = bounds(writer)
    checks = [line for tensor, bound in limits for line in check(writer, tensor, bound)]
    checks += [line for index, extent in writer.computed for line in check_computed(writer, index, extent)]
    body = checks + writer.lines
    decorator = DECORATOR + (", nogil=True" if options.nogil else "")
    arguments = [writer.arrays[name] for name in (*(t.name for t in program.inputs), *given)]
    threaded = any("prange(" in line for line in body)
    if threaded:
        decorator += ", parallel={**PRANGE_ONLY}"
        arguments.append("threads")
    head = [f"@njit({decorator})", *signature(function.name, arguments), *docstring(function.doc)]
    lines = [part for line in (*sizes(writer, body), *body) for part in fitted(line)]
    return Lowered("\n".join([*head, *lines]), limits, tuple(given.values()), threaded)


def arrays_of(program: Program, block: Block, storages: dict[str, Storage]) -> dict[str, tuple[Tensor, tuple[Expr, ...]]]:
    """The arrays of a function that its caller may provide, outputs first; buffers of threads are their own."""
    own = {storage.tensor.name for loop in block if isinstance(loop, Loop) for storage in private_buffers(loop, storages)}
    names = dict.fromkeys([t.name for t in program.outputs if t.name in storages] + list(storages))
    return {
        name: (storages[name].tensor, tuple(storages[name].tensor.shape[p] for p in storages[name].kept))
        for name in names if not storages[name].scalar and name not in own
    }  # fmt: skip


def write_return(writer: Writer, single: bool, buffers: bool) -> None:
    outputs = writer.program.outputs
    if buffers:
        numbers = [writer.arrays[tensor.name] for tensor in outputs if not tensor.rank]
        if numbers:
            writer.line(f"return {', '.join(numbers)}" + "," * (len(numbers) == 1))
        return
    returned = ", ".join(result(writer, tensor) for tensor in outputs)
    writer.line(f"return {returned}" if single or len(outputs) != 1 else f"return ({returned},)")


def write_body(writer: Writer, block: Block, comments: bool) -> None:
    """Every nest below the equations that it computes."""
    said: set[str] = set()
    for position, statement in enumerate(block):
        for equation in equations_of((statement,)) if comments else ():
            if equation.target.name not in said:
                writer.line(f"# {Notation().equation(equation)}")
                said.add(equation.target.name)
        write_statement(writer, statement, block[position + 1 :])


class Notation(StrPrinter):
    """Equations in comments: brackets with ``=`` as on paper."""

    def equation(self, e: Equation) -> str:
        head = f"{e.reduce}_{','.join(b.name for b in e.bound)} " if e.bound else ""
        body = self.doprint(e.body)
        return f"{e.lhs} = {head}" + (f"({body})" if head and e.body.is_Add else body)

    def _print_Relational(self, e: Any) -> str:
        return f"{self._print(e.lhs)} {'=' if e.rel_op == '==' else e.rel_op} {self._print(e.rhs)}"


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


def bounds(writer: Writer) -> tuple[tuple[Tensor, Expr], ...]:
    """The integer inputs and the exclusive upper bounds of their values: declared, or axes that they index.

    A declared bound of which no input tells the value is left out.
    """
    found = {(tensor.name, bound): (tensor, bound) for tensor, bound in writer.checks}
    told = {symbol for tensor in writer.program.inputs for extent in tensor.shape for symbol in extent.free_symbols}
    for tensor in writer.program.inputs:
        if tensor.kind == "integer" and tensor.bound is not None and tensor.bound.free_symbols <= told:
            found[tensor.name, tensor.bound] = tensor, tensor.bound
    return tuple(sorted(found.values(), key=str))


def check_computed(writer: Writer, index: Expr, extent: Expr) -> list[str]:
    """Indices that are computed from integer inputs must be inside of the axis, for all turns of their loops."""
    inner = Writer(writer.program, {}, writer.typed, names=writer.names)
    inner.arrays, inner.sizes, inner.sure = writer.arrays, writer.sizes, True
    with ExitStack() as stack:
        for loop in sorted(indices_of(index), key=lambda i: i.name):
            name = stack.enter_context(inner.running(loop))
            stack.enter_context(inner.indented(f"for {name} in range({inner.extent(loop.extent)}):"))
        text, top = inner.scalars.integer(index, 1), inner.scalars.integer(extent, 1)
        inner.line(f"if {text} < 0 or {text} >= {top}:")
        shown = Notation().doprint(substitute(index, {i: i.renamed(label(i)) for i in indices_of(index)}))
        inner.line(f'    raise IndexError("{shown} must be in 0 .. {extent} - 1")')
    return inner.lines


def check(writer: Writer, tensor: Tensor, bound: Expr) -> list[str]:
    """Integers that index an array must be inside of it."""
    text, top = writer.arrays[tensor.name], writer.scalars.integer(bound, 1)
    test = f"{text} < 0 or {text} >= {top}"
    if tensor.rank:
        test = f"{text}.size > 0 and ({text}.min() < 0 or {text}.max() >= {top})"
    return [f"    if {test}:", f'        raise IndexError("{tensor.name} must be in 0 .. {bound} - 1")']


def sizes(writer: Writer, body: list[str]) -> list[str]:
    """The sizes that the body uses, from the shapes of the arguments.

    Raises:
        ShapeError: no argument has the size as an axis, nor a multiple of it plus something known.
    """
    words = set(re.findall(r"\w+", "\n".join(body)))
    used = {name for name in writer.sizes.values() if name in words}
    plain = {extent for tensor in writer.program.inputs for extent in tensor.shape if extent.is_Symbol}
    if any(name in used and symbol not in plain for symbol, name in writer.sizes.items()):
        used = {writer.sizes[s] for tensor in writer.program.inputs for e in tensor.shape for s in e.free_symbols} | used
    lines: list[str] = []
    for tensor in writer.program.inputs:
        wanted: dict[str, int] = {}
        for axis, extent in enumerate(tensor.shape):
            if extent.is_Symbol and writer.sizes[extent] in used:
                wanted.setdefault(writer.sizes[extent], axis)
        used -= set(wanted)
        shape = f"{writer.arrays[tensor.name]}.shape"
        if len(wanted) == tensor.rank > 1:
            lines.append(f"    {', '.join(wanted)} = {shape}")
        else:
            lines += [f"    {name} = {shape}[{axis}]" for name, axis in wanted.items()]
    while used:
        lines.append(solved_size(writer, used))
    return lines


def solved_size(writer: Writer, unknown: set[str]) -> str:
    """``n = X.shape[0] - 1`` where X has n + 1 rows; takes the size off the unknown ones."""
    for tensor in writer.program.inputs:
        for axis, extent in enumerate(tensor.shape):
            missing = [symbol for symbol in extent.free_symbols if writer.sizes[symbol] in unknown]
            factor = extent.coeff(missing[0]) if len(missing) == 1 else sympy.S.Zero
            if factor == 0 or missing[0] in factor.free_symbols:
                continue
            rest = sympy.expand(extent - factor * missing[0])
            unknown.remove(writer.sizes[missing[0]])
            text = f"{writer.arrays[tensor.name]}.shape[{axis}]"
            text += f" - {writer.scalars.integer(rest, 2)}" if rest != 0 else ""
            divided = f"({text}) // {writer.scalars.integer(factor, 5)}" if factor != 1 else text
            return f"    {writer.sizes[missing[0]]} = {divided}"
    raise ShapeError(f"no input tells the size {', '.join(sorted(unknown))}; try: give an input an axis of that name")
