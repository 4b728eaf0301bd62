"""The last touch on a line: named compositions, and slices without an index that all of them have."""

from __future__ import annotations

from dataclasses import replace

from .algebra import rebuild
from .compositions import composed
from .order import weight
from .text import BOARD
from .tree import BigSum, Line, Name, Node, rank, walk


def finished(line: Line) -> Line:
    """The line as it is printed."""
    return _stripped(replace(line, right=composed(line.right)) if line.matrix else line)


def length(line: Line) -> int:
    """How long the printed line is, without the remark for which axes it holds."""
    return len(BOARD.line(replace(finished(line), each=())))


def only_spread(line: Line) -> bool:
    """Whether a matrix line would repeat a scalar or vector: index notation says that more clearly."""
    return line.matrix and weight(line.right) < rank(line.left)


def _stripped(line: Line) -> Line:
    """Without ``[b,h]`` if every slice is taken at the same indices, on the leading axes."""
    if not line.matrix or not line.each or any(isinstance(n, BigSum) for n in walk(line.right)):
        return line
    sliced = [
        n for side in (line.left, line.right) for n in walk(side) if isinstance(n, Name) and _letters(n)
    ]
    if any(_letters(n) != line.each or not all(map(_is_letter, n.at[: len(line.each)])) for n in sliced):
        return line

    def change(n: Node) -> Node | None:
        if not isinstance(n, Name) or not _letters(n):
            return None
        kept = n.at[len(line.each) :]
        return replace(n, at=kept if any(a is not None for a in kept) else ())

    return replace(line, left=rebuild(line.left, change), right=rebuild(line.right, change))


def _is_letter(place: Node | None) -> bool:
    return isinstance(place, Name) and not place.at and not place.rank


def _letters(node: Name) -> tuple[str, ...]:
    """The indices at which a tensor is sliced."""
    return tuple(a.name for a in node.at if isinstance(a, Name) and _is_letter(a))
