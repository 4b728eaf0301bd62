"""Softmax, logsumexp, ... whose parts are spread over several lines, each perhaps with several readers."""

from __future__ import annotations

from dataclasses import replace

from .board import Board
from .compositions import composed, names_used
from .finish import length
from .order import sound
from .substitution import substituted
from .tree import Call, Line, Name, Product, Reduce, walk

WIDTH = 40
"""Longer definitions are not parts of a composition that has a name."""
ROUNDS = 6


def recognised(board: Board) -> Board | None:
    """A shorter board with compositions written where their parts were read, or None if there is none."""
    parts = {name: line for name, line in board.lines.items() if _is_part(board, line)}
    readers = {reader for name in parts for reader in board.readers[name]}
    lines = [line for line in board.lines.values() if line.matrix and line.target in readers]
    found = [new for line in lines if (new := _written_out(line, parts, board.width)) is not None]
    for choice in (found, *([new] for new in found)):
        better = _with(board, choice)
        if better is not None:
            return better
    return None


def _is_part(board: Board, line: Line) -> bool:
    """Whether a line is a likely part: an exponential, a logarithm, a reduction; no matrix product."""
    nodes = list(walk(line.right))
    telling = any(
        isinstance(n, Reduce) or (isinstance(n, Call) and n.function in ("exp", "log")) for n in nodes
    )
    return (
        telling
        and not any(isinstance(n, Product) for n in nodes)
        and line.target not in board.outputs
        and board.movable(replace(line, forward=False))
        and length(line) <= WIDTH
    )


def _written_out(line: Line, parts: dict[str, Line], width: int) -> Line | None:
    """The line with its parts written out, if that gives compositions a name."""
    new = line
    for _ in range(ROUNDS):
        used = [n.name for n in walk(new.right) if isinstance(n, Name) and n.name in parts]
        right = substituted(new.right, parts[used[0]]) if used else None
        if right is None:
            break
        new = replace(new, right=composed(right))
    better = names_used(new.right) > names_used(composed(line.right))
    return new if better and sound(new.right) and length(new) <= width else None


def _with(board: Board, new: list[Line]) -> Board | None:
    """The board with these lines and without those that nobody reads any more, if it is shorter."""
    other = Board(dict(board.lines), board.names, board.width)
    read = {name for name, readers in board.readers.items() if readers}
    for line in new:
        other.write(line)
    for name in reversed(list(other.lines)):
        unread = name in read and not other.readers[name] and name not in other.outputs
        if unread and not other.explains(name):
            other.erase(name)
    return other if new and _length(other) < _length(board) else None


def _length(board: Board) -> int:
    return sum(map(length, board.lines.values()))
