"""A definition written in place of the name that it defines."""

from __future__ import annotations

from dataclasses import replace

from .algebra import rebuild
from .tree import Line, Name, Node, children


def substituted(node: Node, line: Line) -> Node | None:
    """`node` with the right-hand side of `line` in place of its name, or None where the slices differ."""
    possible = True
    left = line.left
    assert isinstance(left, Name)

    def change(n: Node) -> Node | None:
        nonlocal possible
        if not isinstance(n, Name):
            return None
        if n.name != left.name:
            possible &= not any(isinstance(a, Name) and a.name == left.name for a in n.at)
            return None
        letters = _letters(left, n)
        possible &= letters is not None and not _moves_within(line.right, letters)
        return renamed(line.right, letters) if letters is not None else None

    result = rebuild(node, change)
    return result if possible else None


def _letters(left: Name, use: Name) -> dict[str, Node] | None:
    """What the letters of the definition are called where it is used."""
    if len(left.at) != len(use.at):
        return None
    letters: dict[str, Node] = {}
    for a, b in zip(left.at, use.at, strict=True):
        if (a is None) != (b is None):
            return None
        if isinstance(a, Name) and not a.at and b is not None:
            letters[a.name] = b
        elif a != b:
            return None
    return letters


def _moves_within(node: Node, letters: dict[str, Node]) -> bool:
    """Whether a letter that changes stands in more than a place by itself: in ``h_{t+1}``, or in a condition."""
    changing = {name for name, place in letters.items() if place != Name(name)}
    if isinstance(node, Name):
        parts = [a for a in node.at if a is not None and not (isinstance(a, Name) and not a.at)]
        return (node.name in changing and not node.at) or any(_moves_within(a, letters) for a in parts)
    return any(_moves_within(c, letters) for c in children(node))


def renamed(node: Node, letters: dict[str, Node]) -> Node:
    """Other indices in the slices of a node."""

    def change(n: Node) -> Node | None:
        if not isinstance(n, Name) or not n.at:
            return None
        return replace(
            n, at=tuple(letters.get(a.name, a) if isinstance(a, Name) and not a.at else a for a in n.at)
        )

    return rebuild(node, change) if letters else node
