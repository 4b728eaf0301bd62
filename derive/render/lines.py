"""A program as printed lines."""

from __future__ import annotations

from dataclasses import replace

from .algebra import rebuild
from .board import Board
from .compositions import with_symmetric_parts
from .finish import finished, only_spread
from .index import index_lines
from .inplace import adopt, in_place
from .joint import joined
from .names import Names
from .notation import matrix_line
from .recognition import recognised
from .tree import Line

WIDTH = 80


def plain_lines(names: Names) -> list[Line]:
    """One line for each equation: matrix notation where it exists, index notation elsewhere."""
    found = []
    for equation, index in zip(names.program.equations, index_lines(names.program, names), strict=True):
        line = matrix_line(equation, names)
        found.append(index if line is None or only_spread(line) else line)
    return [finished(line) for line in found]


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
    lines = {e.target.name: matrix_line(e, names) or index[e.target.name] for e in names.program.equations}
    lines = {name: replace(x, right=rebuild(x.right, with_symmetric_parts)) if x.matrix else x for name, x in lines.items()}
    board = Board(lines, names, width)
    settle(board)
    while (better := recognised(board)) is not None:
        board = better
        settle(board)
    return [finished(index[name] if only_spread(line) else line) for name, line in board.lines.items()]
