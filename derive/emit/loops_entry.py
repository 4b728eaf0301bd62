"""What a kernel does first: read the sizes off the shapes, and check the integers that it will index by."""

from __future__ import annotations

import re
from contextlib import ExitStack

import sympy
from sympy import Expr

from ..errors import ShapeError
from ..ir.nodes import Tensor, indices_of, substitute
from .loops_nodes import label
from .loops_writer import Notation, Writer


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
