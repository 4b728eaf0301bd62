"""In which order the terms of a sum and the factors of a product are written."""

from __future__ import annotations

from .tree import (
    Call,
    Diagonal,
    Iverson,
    Name,
    Node,
    Power,
    Product,
    Reduce,
    Scalar,
    Scale,
    Spread,
    Transpose,
    Whole,
    children,
    rank,
    walk,
)  # fmt: skip

LAST = (9, 10**6, 10**6)


def _orders(node: Node) -> list[tuple[int, ...]]:
    return [n.order or LAST for n in walk(node) if isinstance(n, Name)] or [LAST]


def _size(node: Node) -> int:
    return 1 + sum(map(_size, children(node)))


def weight(node: Node) -> int:
    """How many axes a term really depends on: a spread vector only on one."""
    match node:
        case Spread(arg=arg):
            return rank(arg)
        case Name(at=at, rank=r):
            return max(r, len(at))
        case Product() | Reduce() | Diagonal() | Whole() | Call(function="onehot" | "diagonal" | "tr"):
            return rank(node)
        case _:
            return max((weight(c) for c in children(node)), default=rank(node))


def sound(node: Node) -> bool:
    """Whether everything that is summed or multiplied as a matrix really has all the axes of its rank."""
    match node:
        case Reduce(arg=arg) | Diagonal(arg) | Transpose(arg):
            whole = weight(arg) >= rank(arg)
        case Product(factors) | Whole(args=factors):
            whole = all(weight(f) >= rank(f) for f in factors)
        case _:
            whole = True
    return whole and all(map(sound, children(node)))


def term_key(node: Node) -> tuple[object, ...]:
    """Whole numbers, then what has more axes, then what the program mentions earlier; negatives last."""
    bare, factor = (node.arg, node.factor) if isinstance(node, Scale) else (node, None)
    if isinstance(bare, Scalar):
        leads = bare.value.is_Integer and bare.value.is_positive
        return (0 if leads else 1 if bare.value.is_nonnegative else 3, 9, (), 0, str(bare.value))
    negative = factor is not None and factor.could_extract_minus_sign()
    birth = min(order[1:] for order in _orders(bare))
    if negative:
        return (2, _size(bare), birth, 0, repr(bare))
    return (1, -min(weight(bare), 8), birth, _size(bare), repr(bare))


def factor_key(node: Node) -> tuple[object, ...]:
    """Row and column vectors, then matrices with cotangents first, then brackets, functions and sums."""
    order = min(_orders(node))
    return (_place(node), order, _size(node), repr(node))


def _place(node: Node) -> int:
    match node:
        case Spread(arg=arg):
            return 0 if _place(arg) <= 1 else 6
        case Name() | Diagonal():
            return 1
        case Whole(function=function):
            return 1 if function in ("inv", "pinv", "power") else 4
        case Power(base=arg, exponent=Scalar()) | Transpose(arg):
            return _place(arg)
        case Power():
            return 2
        case Iverson():
            return 7
        case Call():
            return 2 if node.function in ("onehot", "diagonal", "norm") else 4
        case Reduce():
            return 4
        case _:
            return 5
