"""Several results of one function in one line: ``w, V = eigh(A)``."""

from __future__ import annotations

from dataclasses import replace

from ..ops.linalg import primitives
from .tree import Line, Name, Several, Whole

UNUSED = Name("_")


def joined(lines: list[Line]) -> list[Line]:
    """The lines with all results of a function where the first of them stood; ``_`` for what nobody reads."""
    groups: dict[object, list[Line]] = {}
    for line in lines:
        groups.setdefault(_application(line), []).append(line)
    return [_together(groups[_application(line)]) for line in lines if groups[_application(line)][0] is line]


def _application(line: Line) -> object:
    """What lines of one application have in common."""
    return _bare(line.right) if _is_result(line) else line.target


def _is_result(line: Line) -> bool:
    return isinstance(line.right, Whole) and bool(line.right.label)


def _bare(whole: object) -> object:
    assert isinstance(whole, Whole)
    return (whole.function, whole.args)


def _together(lines: list[Line]) -> Line:
    first = lines[0]
    if not _is_result(first):
        return first
    assert isinstance(first.right, Whole)
    left = {line.right.label: line.left for line in lines if isinstance(line.right, Whole)}
    labels = primitives()[first.right.function].labels
    return replace(
        first, left=Several(tuple(left.get(label, UNUSED) for label in labels)), right=replace(first.right, label="")
    )
