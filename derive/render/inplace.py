"""Inverses, short products and passing values are written where they are read, not under a name of their own."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, S

from .algebra import transpose
from .board import Board
from .compositions import composed
from .finish import length
from .order import sound
from .parts import scaled
from .substitution import substituted
from .text import BOARD
from .tree import Line, Name, Node, Product, Scale, Transpose, Whole, rank, walk

SHORT = {True: 12, False: 4}
"""Up to this length a product is written out: one with an inverse, and any other."""


def in_place(board: Board) -> bool:
    """Write what is as short as a name in its readers; answers whether anything changed."""
    return any([_spread(board, name) for name in reversed(list(board.lines))])


def _spread(board: Board, name: str) -> bool:
    line = board.lines[name]
    readers = [board.lines[r] for r in board.readers[name]]
    if not readers or not all(r.matrix for r in readers) or not _is_short(board, line):
        return False
    rights = [substituted(r.right, line) for r in readers]
    new = [replace(r, right=composed(x)) for r, x in zip(readers, rights, strict=True) if x is not None]
    if len(new) < len(readers) or not all(sound(n.right) for n in new):
        return False
    stays = name in board.outputs or board.speaks_of(name)
    if not _is_inverse(line.right):
        before, after = (sum(map(length, lines)) for lines in (readers, new))
        if stays or after > before + length(line) or max(map(length, new)) > board.width:
            return False
    for changed in new:
        board.write(changed)
    if not stays:
        board.erase(name)
    return True


def _is_short(board: Board, line: Line) -> bool:
    """Whether a line that the user did not name may be written out wherever it is read."""
    if line.target in board.names.spoken | board.names.kept or not line.matrix or rank(line.left) != rank(line.right):
        return False
    if _is_inverse(line.right):
        return True
    inverse = any(isinstance(n, Whole) and n.function == "inv" for n in walk(line.right))
    return isinstance(_unscaled(line.right), Product) and len(BOARD.top(line.right)) <= SHORT[inverse]


def _is_inverse(node: Node) -> bool:
    """Whether this is the inverse of something that has a name."""
    return isinstance(node, Whole) and node.function == "inv" and isinstance(_bare(node.args[0]), Name)


def _bare(node: Node) -> Node:
    return node.arg if isinstance(node, Transpose) else node


# -- passing values


def adopt(board: Board) -> None:
    """A result that is a helper, its transpose or a multiple of it takes the helper's place: ``gmu = S⁻¹ r``."""
    for name in [n for n in board.lines if n in board.outputs]:
        line = board.lines[name]
        factor, bare = (line.right.factor, line.right.arg) if isinstance(line.right, Scale) else (S.One, line.right)
        helper = _bare(bare)
        if isinstance(helper, Name) and helper.name in board.lines:
            _adopt(board, line, board.lines[helper.name], factor, isinstance(bare, Transpose))


def _adopt(board: Board, line: Line, source: Line, factor: Expr, turned: bool) -> None:
    def seen(node: Node, amount: Expr) -> Node:
        return scaled(amount, transpose(node) if turned else node)

    others = [board.lines[r] for r in board.readers[source.target] if r != line.target]
    if _core(line.right) != source.left or not _may_go(board, source, [line, *others]):
        return
    longer = replace(source, right=seen(source.left, 1 / factor))
    trial = [substituted(r.right, longer) for r in others]
    if any(t is None or length(replace(r, right=t)) > length(r) for r, t in zip(others, trial, strict=True)):
        return
    read_as = replace(source, right=seen(line.left, 1 / factor))
    for r in others:
        board.write(replace(r, right=substituted(r.right, read_as)))  # type: ignore[arg-type]
    board.write(replace(line, right=seen(source.right, factor)))
    board.put_before(line.target, [source, *others])
    board.erase(source.target)


def _may_go(board: Board, source: Line, readers: list[Line]) -> bool:
    """Whether a helper, which the user did not name, may be called otherwise where it is read."""
    if any(line.within for line in (source, *readers)):
        return False
    own = source.target not in board.names.spoken | board.outputs and not board.speaks_of(source.target)
    return own and source.matrix and all(r.matrix and not r.forward for r in readers)


def _core(node: Node) -> Node:
    return _bare(_unscaled(node))


def _unscaled(node: Node) -> Node:
    return node.arg if isinstance(node, Scale) else node
