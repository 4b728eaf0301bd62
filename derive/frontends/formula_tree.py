"""What a formula says, as a small tree: nothing is known yet of shapes or of what the names stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy


@dataclass(frozen=True)
class Place:
    """The characters that a node was read from, and how many levels are below it."""

    start: int
    end: int
    depth: int = 0


@dataclass(frozen=True)
class Number:
    place: Place
    value: sympy.Rational


@dataclass(frozen=True)
class Name:
    place: Place
    name: str


@dataclass(frozen=True)
class Text:
    """A word in quotes, such as einsum's subscripts."""

    place: Place
    value: str


@dataclass(frozen=True)
class Chain:
    """Operands joined from left to right by operators of equal strength; "" stands for juxtaposition."""

    place: Place
    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Negative:
    place: Place
    arg: Node


@dataclass(frozen=True)
class Power:
    place: Place
    symbol: str
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Transpose:
    place: Place
    arg: Node
    symbol: str


@dataclass(frozen=True)
class Compare:
    place: Place
    symbol: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic:
    """``and``, ``or``, ``not``."""

    place: Place
    word: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Call:
    """``np.sum(x, axis=0)``; for a method the receiver is set, ``x.sum(axis=0)``."""

    place: Place
    function: str
    args: tuple[Node, ...]
    options: tuple[tuple[str, Node], ...] = ()
    receiver: Node | None = None


@dataclass(frozen=True)
class Attribute:
    """``x.shape``."""

    place: Place
    receiver: Node
    name: str


@dataclass(frozen=True)
class Subscript:
    """``x[1:, None]``."""

    place: Place
    receiver: Node
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Slice:
    place: Place
    parts: tuple[Node | None, Node | None, Node | None]


@dataclass(frozen=True)
class Several:
    """``(n, m)``."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entry:
    """``S[i,j]`` in index notation."""

    place: Place
    name: str
    indices: tuple[Node, ...]


@dataclass(frozen=True)
class Range:
    """Where a letter of a sum starts and ends; None for the whole axis on which it stands."""

    first: Node | None = None
    last: Node | None = None


@dataclass(frozen=True)
class Applied:
    """``inv(X)[i,j]``, ``solve(A', B[:,k])[i]``, ``eigh(A).eigenvalues[i]`` in index notation."""

    place: Place
    function: str
    args: tuple[Node, ...]
    label: str = ""
    indices: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Big:
    """``sum_j``, ``max_i,j`` and what follows; `ranges` and `conditions` are said of the letters in LaTeX only."""

    place: Place
    kind: str
    letters: tuple[str, ...]
    arg: Node
    ranges: tuple[Range, ...] = ()
    conditions: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Iverson:
    """``[j <= i]``."""

    place: Place
    condition: Node


@dataclass(frozen=True)
class Definition:
    """``S[i,j] = ... for i < 2 m``, or with sign ``+=`` a scatter; `ranges` are the conditions after ``for``."""

    place: Place
    target: Name | Entry
    sign: str
    body: Node
    ranges: tuple[Node, ...] = ()

    @property
    def name(self) -> str:
        return self.target.name


Node = (
    Number | Name | Text | Chain | Negative | Power | Transpose | Compare | Logic | Call | Attribute | Subscript
    | Slice | Several | Entry | Applied | Big | Iverson
)  # fmt: skip


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, from left to right."""
    match node:
        case Chain(first=first, rest=rest):
            return (first, *(operand for _, operand in rest))
        case Negative(arg=arg) | Transpose(arg=arg):
            return (arg,)
        case Big(arg=arg, ranges=ranges, conditions=conditions):
            ends = (end for r in ranges for end in (r.first, r.last) if end is not None)
            return (*ends, *conditions, arg)
        case Power(base=a, exponent=b) | Compare(left=a, right=b):
            return (a, b)
        case Call(args=args, options=options, receiver=receiver):
            return (*(() if receiver is None else (receiver,)), *args, *(value for _, value in options))
        case Applied(args=args, indices=indices):
            return (*args, *indices)
        case Attribute(receiver=receiver):
            return (receiver,)
        case Subscript(receiver=receiver, items=items):
            return (receiver, *items)
        case Slice(parts=parts):
            return tuple(p for p in parts if p is not None)
        case Several(items=items) | Entry(indices=items) | Logic(args=items):
            return items
        case Iverson(condition=condition):
            return (condition,)
        case Number() | Name() | Text():
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, outermost first, from left to right."""
    yield node
    for child in children(node):
        yield from walk(child)
