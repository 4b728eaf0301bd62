"""Which definitions keep a line of their own, and which are written where they are read."""

from __future__ import annotations

from dataclasses import replace

from ..ops.elementwise import elementwise_ops
from .compositions import composed
from .finish import length, only_spread
from .names import Names
from .order import sound
from .substitution import substituted
from .text import BOARD
from .tree import (
    FENCES,
    BigSum,
    Call,
    Line,
    Name,
    Node,
    Position,
    Product,
    Quotient,
    Reduce,
    Scale,
    Transpose,
    Whole,
    children,
    rank,
    walk,
)  # fmt: skip  # fmt: skip

ACTIVATIONS = frozenset(op.name for op in elementwise_ops() if op.head) - {"exp", "log", "maximum"} | {
    "relu",
    "max",
}
NAMED_WIDTH = 40
"""Up to this length a line may swallow what the user gave a name."""


class Board:
    """Lines by the name that they define, and who reads whom."""

    def __init__(self, lines: dict[str, Line], names: Names, width: int) -> None:
        self.lines, self.names, self.width = lines, names, width
        self.outputs = {t.name for t in names.program.outputs}
        self.readers: dict[str, dict[str, int]] = {name: {} for name in lines}
        self.derivatives: dict[str, list[str]] = {}
        for name in (n for n, line in lines.items() if not line.forward):
            for variable in (names.variable_of(name, "g"), names.variable_of(name, "d")):
                self.derivatives.setdefault(variable or "", []).append(name)
        for line in lines.values():
            self._count(line, 1)

    def _count(self, line: Line, amount: int) -> None:
        for n in walk(line.right):
            if isinstance(n, Name) and n.name in self.readers:
                uses = self.readers[n.name]
                uses[line.target] = uses.get(line.target, 0) + amount
                if not uses[line.target]:
                    del uses[line.target]

    def write(self, line: Line) -> None:
        """Put another right-hand side to a name."""
        self._count(self.lines[line.target], -1)
        self.lines[line.target] = line
        self._count(line, 1)

    def erase(self, name: str) -> None:
        """Drop a line."""
        self._count(self.lines.pop(name), -1)

    def put_before(self, name: str, others: list[Line]) -> None:
        """Move a derived line in front of these, as far as lines of the derivative go."""
        own = {line.target for line in others if not line.forward}
        order = [n for n in self.lines if n != name]
        place = next((p for p, n in enumerate(self.lines) if n in own or n == name))
        order.insert(place, name)
        self.lines = {n: self.lines[n] for n in order}

    # -- a definition and its only reader

    def merge(self) -> None:
        """Move definitions into their readers, derived lines first, until nothing changes."""
        changed = True
        while changed:
            derived = [n for n, line in self.lines.items() if not line.forward]
            forward = [n for n, line in self.lines.items() if line.forward]
            changed = any([self.inline(name) for name in (*reversed(derived), *reversed(forward))])

    def inline(self, name: str) -> bool:
        """Move one definition into what reads it, if that reads well."""
        line = self.lines[name]
        readers = self.readers[name]
        if name in self.outputs or not readers or not self.movable(line) or name in self.names.kept:
            return False
        if len(readers) > 1 and not self._trivial(line):
            return False
        changed = [self._with(line, self.lines[reader], uses) for reader, uses in readers.items()]
        new = [c for c in changed if c is not None]
        if len(new) < len(changed):
            return False
        for c in new:
            self.write(c)
        self.erase(name)
        return True

    def _with(self, line: Line, reader: Line, uses: int) -> Line | None:
        """The reader with a definition moved into it, or None if it gets too long."""
        if not reader.matrix or (only_spread(reader) and not only_spread(line)):
            return None
        right = substituted(reader.right, line)
        if right is None:
            return None
        new = replace(reader, right=composed(right))
        if not sound(new.right):
            return None
        if line.forward and not reader.forward and _is_activation(line.right):
            return None
        if uses > 1 and not self._trivial(line):
            spoken = line.target in self.names.spoken and any(isinstance(n, Whole) for n in walk(line.right))
            return new if not spoken and length(new) <= length(reader) else None
        if line.forward and line.target in self.names.chosen and not self._absorbs(reader, line, new):
            return None
        return new if length(new) <= self.width else None

    def _absorbs(self, reader: Line, line: Line, new: Line) -> bool:
        """Whether a line may swallow what the user named: short, flat, no helper, no longer chain."""
        lengthens = isinstance(_core(line.right), Product) and any(
            _core(f) == line.left for n in walk(reader.right) if isinstance(n, Product) for f in n.factors
        )
        helper = _is_activation(reader.right) and reader.target not in self.names.chosen | self.outputs
        return not helper and not lengthens and length(new) <= NAMED_WIDTH and _depth(new.right) <= 1

    def movable(self, line: Line) -> bool:
        """Whether a definition can stand inside another line, and no printed derivative is named after it."""
        if not line.matrix or any(isinstance(n, BigSum) or _is_result(n) for n in walk(line.right)):
            return False
        if rank(line.left) != rank(line.right):
            return False
        if rank(line.left) == 1 and any(isinstance(n, Position) for n in walk(line.right)):
            return False
        return not (line.forward and self.explains(line.target))

    def _trivial(self, line: Line) -> bool:
        """Whether a helper is as short as its name: ``‖x‖²``, ``1 / s``."""
        return (
            line.target not in self.names.chosen
            and rank(line.left) == 0
            and len(BOARD.top(composed(line.right))) <= 8
            and not any(isinstance(n, Product | Reduce) for n in walk(composed(line.right)))
        )

    def explains(self, name: str) -> bool:
        """Whether a derivative that is printed is named after this tensor."""
        return any(derivative in self.lines for derivative in self.derivatives.get(name, ()))

    def speaks_of(self, name: str) -> bool:
        """Whether a derivative that is printed or given is named after this tensor."""
        return self.explains(name) or any(prefix + name in self.names.seeds for prefix in "gd")


def _is_activation(node: Node) -> bool:
    """Whether this is a function of entries by whose value its derivative is written: ``gZ = gY ∘ (1 − Y²)``."""
    return isinstance(node, Call) and rank(node) > 0 and node.function in ACTIVATIONS


def _is_result(node: Node) -> bool:
    """Whether this is one of several results, which are written together: ``w, V = eigh(A)``."""
    return isinstance(node, Whole) and bool(node.label)


def _core(node: Node) -> Node:
    """A node without coefficient, divisor and transpose."""
    match node:
        case Scale(_, arg) | Transpose(arg) | Quotient(arg, _):
            return _core(arg)
        case _:
            return node


def _depth(node: Node) -> int:
    """How deeply functions are nested."""
    inner = max(map(_depth, children(node)), default=0)
    return inner + (isinstance(node, Call) and node.function not in FENCES)
