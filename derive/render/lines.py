"""A program as printed lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sympy import S

from ..errors import UnsupportedOp
from ..ir.nodes import Equation
from ..rewrite.steps import Part, Statement, scheduled
from .algebra import rebuild
from .board import Board
from .compositions import with_symmetric_parts
from .finish import finished, only_spread
from .index import index_line, index_lines
from .inplace import adopt, in_place
from .joint import joined
from .names import Names
from .notation import matrix_line
from .printer import Printer
from .recognition import recognised
from .scalars import scalar_tree
from .tree import Line, Steps

WIDTH = 80


def plain_lines(names: Names) -> list[Line]:
    """One line for each equation: matrix notation where it exists, index notation elsewhere."""
    index = {line.target: line for line in index_lines(names.program, names)}
    lines = matrix_lines(names)
    chosen = {
        name: line if line.matrix and not only_spread(line) else index.get(name, line)
        for name, line in lines.items()
    }
    return [finished(chosen[e.target.name]) for e in names.program.equations]


def matrix_lines(names: Names) -> dict[str, Line]:
    """A line for each equation by its name; of recurrences one for a step, and one for each initial value."""
    try:
        parts = scheduled(names.program)
    except UnsupportedOp:
        parts = list(names.program.equations)
    found: dict[str, Line] = {}
    for equation, within in _placed(parts, (), names):
        line = matrix_line(equation, names) or index_line(equation, names)
        name = equation.target.name
        initial = isinstance(equation, Statement) and len(within) < len(equation.lhs.indices) - len(
            equation.axes
        )
        line = replace(line, within=within, target=str(equation.lhs) if initial else name)
        found[line.target] = line
    return found


def _placed(
    parts: Iterable[Part], within: tuple[Steps, ...], names: Names
) -> Iterator[tuple[Equation, tuple[Steps, ...]]]:
    """The equations with the loops they stand in."""
    for part in parts:
        if isinstance(part, Equation):
            yield part, within
            continue
        letter = next(names.letters(e)[part.time] for e in part.statements if part.time in names.letters(e))
        ends = scalar_tree(S.Zero), scalar_tree(part.time.extent - 1)
        steps = Steps(letter, *(ends if part.forward else ends[::-1]), target=part.statements[0].target.name)
        yield from _placed(part.parts, (*within, steps), names)


def printed_lines(names: Names, width: int = WIDTH) -> list[Line]:
    """`board_lines` with the results of one function side by side, as they are printed."""
    return joined(board_lines(names, width))


def settle(board: Board) -> None:
    """Every value where it reads best."""
    adopt(board)
    board.merge()
    while in_place(board):
        board.merge()


def board_lines(names: Names, width: int = WIDTH) -> list[Line]:
    """The lines that a person would write: `plain_lines` with passing values moved into their readers."""
    index = {line.target: line for line in index_lines(names.program, names)}
    lines = matrix_lines(names)
    lines = {name: replace(x, right=rebuild(x.right, with_symmetric_parts)) if x.matrix else x for name, x in lines.items()}
    board = Board(lines, names, width)
    settle(board)
    while (better := recognised(board)) is not None:
        board = better
        settle(board)
    shown = board.lines.items()
    return [finished(index.get(name, line) if only_spread(line) else line) for name, line in shown]


def laid_out(lines: Iterable[Line], printer: Printer) -> list[str]:
    """The printed lines; those within a loop over time stand under its head."""
    found: list[str] = []
    within: tuple[Steps, ...] = ()
    for line in lines:
        common = len([a for a, b in zip(within, line.within, strict=False) if a == b])
        for depth, steps in enumerate(line.within[common:], common):
            found.append(printer.indented(printer.head(steps), depth))
        found.append(printer.indented(printer.line(line), len(line.within)))
        within = line.within
    return found
