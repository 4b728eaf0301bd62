"""The formula as a person reads it: a small tree, printed as text, LaTeX and MathML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import sympy
from sympy import Expr

Along = Literal["row", "column", "all"]
FENCES = {"norm": ("‖", "‖"), "abs": ("|", "|")}
"""Functions that are written as bars around their argument."""
FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""Relations, and what they are from right to left."""


@dataclass(frozen=True)
class Name:
    """A tensor of this rank, or with `at` a slice or an entry of one; None in `at` stands for a whole axis.

    `moments` are the places in `at` that are times and written as subscripts, ``h_{t+1}``;
    `order` places it among others in sums and products, `symmetric` says that it is its own transpose; they take no
    part in comparisons.
    """

    name: str
    rank: int = 0
    at: tuple[Node | None, ...] = ()
    order: tuple[int, ...] = field(default=(), compare=False)
    symmetric: bool = field(default=False, compare=False)
    moments: frozenset[int] = field(default=frozenset(), compare=False)


@dataclass(frozen=True)
class Scalar:
    """A number, or an expression of numbers and sizes."""

    value: Expr


@dataclass(frozen=True)
class Position:
    """The row or column number of an entry, as in ``[j ≤ i]``."""

    along: Along


@dataclass(frozen=True)
class Scale:
    """A factor made of numbers and sizes."""

    factor: Expr
    arg: Node


@dataclass(frozen=True)
class Sum:
    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Product:
    """Juxtaposition: scalars first, then a chain of matrices and vectors."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Hadamard:
    """Entry by entry."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Quotient:
    """Entry by entry."""

    top: Node
    bottom: Node


@dataclass(frozen=True)
class Power:
    """Entry by entry."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Call:
    """A function, entry by entry, or one that makes a tensor of the given rank (onehot, softmax)."""

    function: str
    args: tuple[Node, ...]
    rank: int


@dataclass(frozen=True)
class Whole:
    """A function of whole matrices: ``chol(A)``, ``inv(X)``; `label` picks one of several results."""

    function: str
    args: tuple[Node, ...]
    rank: int
    label: str = ""


@dataclass(frozen=True)
class Part:
    """An entry of something that has no name, ``inv(A)[i,j]``."""

    arg: Whole
    at: tuple[Node, ...]


@dataclass(frozen=True)
class Several:
    """What one function returns together, ``w, V``."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Transpose:
    arg: Node


@dataclass(frozen=True)
class Diagonal:
    """The diagonal matrix with this vector on it."""

    arg: Node


@dataclass(frozen=True)
class Spread:
    """A vector with one entry per row or column, repeated to a matrix; printed as the vector itself."""

    arg: Node
    along: Along


@dataclass(frozen=True)
class Reduce:
    """The sum, mean, max, ... over each row, over each column, or over all, of `extent` entries."""

    kind: str
    along: Along
    arg: Node
    extent: Expr = field(default=sympy.S.One, compare=False)


@dataclass(frozen=True)
class BigSum:
    """``sum_k``, ``max_k``, ... over named indices."""

    kind: str
    letters: tuple[str, ...]
    arg: Node


@dataclass(frozen=True)
class Iverson:
    """1 where the condition holds, else 0; a 0 that wins against everything."""

    condition: Node
    rank: int = 0


@dataclass(frozen=True)
class Relation:
    symbol: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic:
    """``and``, ``or``, ``not``."""

    word: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Wild:
    """A placeholder in the pattern of a composition."""

    name: str
    rank: int


Node = (
    Name | Scalar | Position | Scale | Sum | Product | Hadamard | Quotient | Power | Call | Whole | Part | Several
    | Transpose | Diagonal | Spread | Reduce | BigSum | Iverson | Relation | Logic | Wild
)  # fmt: skip


@dataclass(frozen=True)
class Steps:
    """A loop over time that lines stand in: ``for t = first, …, last``; `target` is the first that it defines."""

    letter: str
    first: Node
    last: Node
    target: str


@dataclass(frozen=True)
class Line:
    """One printed equation.

    target: the tensor that it defines; matrix: whether it is in matrix notation.
    sign: "=", or "+=" for a scatter; each: letters of the axes for which it is repeated.
    forward: whether it belongs to the forward pass.
    within: the loops that it stands in, the outermost first.
    """

    target: str
    left: Node
    right: Node
    matrix: bool
    sign: str = "="
    each: tuple[str, ...] = ()
    forward: bool = True
    within: tuple[Steps, ...] = ()


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node."""
    match node:
        case Sum(parts) | Product(parts) | Hadamard(parts) | Several(parts):
            return parts
        case Call(args=args) | Whole(args=args) | Logic(args=args):
            return args
        case Part(arg, at):
            return (arg, *at)
        case Quotient(a, b) | Power(a, b) | Relation(left=a, right=b):
            return (a, b)
        case (
            Scale(arg=arg)
            | Transpose(arg)
            | Diagonal(arg)
            | Spread(arg=arg)
            | Reduce(arg=arg)
            | BigSum(arg=arg)
        ):
            return (arg,)
        case Iverson(condition):
            return (condition,)
        case Name(at=at):
            return tuple(a for a in at if a is not None)
        case Scalar() | Position() | Wild():
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, outermost first."""
    yield node
    for child in children(node):
        yield from walk(child)


def rank(node: Node) -> int:
    """How many axes the value has: 0 scalar, 1 column vector (or its transpose), 2 matrix."""
    match node:
        case Name(rank=r) | Call(rank=r) | Whole(rank=r) | Iverson(rank=r) | Wild(rank=r):
            return r
        case Scalar() | Position() | BigSum() | Relation() | Logic() | Part() | Several():
            return rank(node.arg) if isinstance(node, BigSum) else 0
        case Spread() | Diagonal():
            return 2
        case Reduce(along=along):
            return 0 if along == "all" else 1
        case Product(factors):
            return _chain_rank([f for f in factors if rank(f)])
        case Sum() | Hadamard() | Quotient() | Power() | Scale() | Transpose():
            return max(rank(c) for c in children(node))


def _chain_rank(chain: list[Node]) -> int:
    if not chain:
        return 0
    return int(not is_row(chain[0])) + int(rank(chain[-1]) == 2 or is_row(chain[-1]))


def is_symmetric(node: Node) -> bool:
    """Whether a matrix is known to be its own transpose."""
    match node:
        case Name(symmetric=known):
            return known
        case Whole("inv" | "power" | "expm" | "sqrtm" | "pinv", (arg, *_)):
            return is_symmetric(arg)
        case Sum(terms) | Hadamard(terms):
            return rank(node) == 2 and all(rank(t) == 0 or is_symmetric(t) for t in terms)
        case Scale(arg=arg):
            return is_symmetric(arg)
        case Diagonal() | Whole("unit" | "sym"):
            return True
        case _:
            return False


def is_unit(node: Node) -> bool:
    """Whether this is the unit matrix."""
    return isinstance(node, Whole) and node.function == "unit"


def is_row(node: Node) -> bool:
    """Whether this is a transposed vector."""
    return isinstance(node, Transpose) and rank(node.arg) == 1


def with_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """The same node with changed parts, as it is: `algebra.rebuild` also tidies up."""
    match node:
        case Sum(parts) | Product(parts) | Hadamard(parts) | Several(parts):
            return type(node)(tuple(map(change, parts)))
        case Part(arg, at):
            return Part(with_children(arg, change), tuple(map(change, at)))  # type: ignore[arg-type]
        case Call() | Whole() | Logic():
            return replace(node, args=tuple(map(change, node.args)))
        case Quotient(a, b) | Power(a, b):
            return type(node)(change(a), change(b))
        case Relation(symbol, a, b):
            return Relation(symbol, change(a), change(b))
        case Scale() | Transpose() | Diagonal() | Spread() | Reduce() | BigSum():
            return replace(node, arg=change(node.arg))
        case Iverson():
            return replace(node, condition=change(node.condition))
        case Name(at=at) if any(a is not None for a in at):
            return replace(node, at=tuple(None if a is None else change(a) for a in at))
        case _:
            return node
