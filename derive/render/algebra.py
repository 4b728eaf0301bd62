"""Constructors that keep the display tree tidy: powers, matrix products, sums with common factors out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce as fold

from sympy import Expr, S

from .order import term_key
from .parts import ONE, Parts, assemble, divide, is_negative, parts, raised, scaled, times
from .tree import (
    FLIPPED,
    Along,
    Call,
    Diagonal,
    Hadamard,
    Iverson,
    Name,
    Node,
    Position,
    Power,
    Product,
    Quotient,
    Reduce,
    Relation,
    Scalar,
    Scale,
    Spread,
    Sum,
    Transpose,
    Whole,
    children,
    is_row,
    is_symmetric,
    is_unit,
    rank,
    walk,
    with_children,
)  # fmt: skip  # fmt: skip

OTHER: dict[Along, Along] = {"row": "column", "column": "row", "all": "all"}


def power(base: Node, exponent: Expr) -> Node:
    """A constant power entry by entry; negative ones divide."""
    if exponent.could_extract_minus_sign():
        return divide(ONE, power(base, -exponent))
    p = parts(base)
    whole = bool(exponent.is_Integer)
    outside = p.factor**exponent if whole or p.factor.is_positive else S.One
    inside = p.scalars + p.tops
    if isinstance(base, Sum) or (
        not whole and (len(inside) + len(p.bottoms) > 1 or outside == 1 != p.factor)
    ):
        return raised(base, exponent)

    def raise_each(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(_power_of_power(n, exponent) for n in nodes)

    return assemble(Parts(outside, raise_each(p.scalars), raise_each(p.tops), raise_each(p.bottoms)))


def _power_of_power(node: Node, exponent: Expr) -> Node:
    match node:
        case Power(base, Scalar(inner)) if exponent.is_Integer:
            return raised(base, inner * exponent)
        case Call("sqrt", (base,)):
            return raised(base, exponent / 2)
        case Power(Call("norm") as base, Scalar(inner)):
            return raised(base, inner * exponent)
        case Spread(arg, along):
            return spread(power(arg, exponent), along)
        case _:
            return raised(node, exponent)


def chain(*factors: Node) -> Node:
    """The matrix product."""
    outside = Parts()
    links: list[Node] = []
    for f in factors:
        p = parts(f)
        if isinstance(f, Sum) and all(map(is_negative, f.terms)):
            p = Parts(S.NegativeOne) * parts(add(*(scaled(S.NegativeOne, t) for t in f.terms)))
        outside = outside * Parts(p.factor, p.scalars, (), tuple(b for b in p.bottoms if not rank(b)))
        inner = assemble(Parts(S.One, (), p.tops, tuple(b for b in p.bottoms if rank(b))))
        if rank(inner):
            links.extend(inner.factors if isinstance(inner, Product) else (inner,))
    links = [link for link in links if not is_unit(link)] or links[:1]
    if (
        len(links) == 2
        and is_row(links[0])
        and not is_row(links[1])
        and _simpler(links[1], children(links[0])[0])
    ):
        links = [Transpose(links[1]), *children(links[0])]
    if len(links) > 2 and is_row(links[0]) and not is_row(links[-1]) and _upside_down(links):
        links = [transpose(link) for link in reversed(links)]
    product = links[0] if len(links) == 1 else Product(tuple(links)) if links else ONE
    return assemble(outside * parts(product))


def transpose(node: Node) -> Node:
    """The transpose, moved inside sums and products."""
    if rank(node) == 0:
        return node
    if is_symmetric(node):
        return node
    match node:
        case Transpose(arg):
            return arg
        case Whole("inv" | "power", (arg, *rest)):
            return replace(node, args=(transpose(arg), *rest))
        case Iverson() if rank(node) == 2:
            return turned(node)
        case Hadamard(factors) if any(isinstance(f, Transpose | Iverson) for f in factors):
            return times(*map(transpose, factors))
        case Spread(arg, along):
            return Spread(arg, OTHER[along])
        case Scale(factor, arg):
            return scaled(factor, transpose(arg))
        case Product(factors):
            return chain(
                *(f if rank(f) == 0 else transpose(f) for f in sorted(factors, key=rank_is_zero)[::-1])
            )
        case Quotient(top, bottom) if rank(bottom) == 0:
            return divide(transpose(top), bottom)
        case Sum(terms) if all(isinstance(t, Spread) for t in terms):
            return add(*map(transpose, terms))
        case Sum(terms) if rank(node) == 2 and sum(isinstance(t, Transpose) for t in terms) * 2 >= len(terms):
            return add(*map(transpose, terms))
        case _:
            return Transpose(node)


def turned(node: Node) -> Node:
    """A condition about row and column numbers, seen from the transposed matrix."""
    match node:
        case Position(along):
            return Position("column" if along == "row" else "row")
        case Relation(symbol, Position("column") as a, Position("row") as b):
            return Relation(FLIPPED[symbol], turned(b), turned(a))
        case Iverson() | Relation():
            return with_children(node, turned)
        case _:
            return transpose(node) if rank(node) == 2 else with_children(node, turned)


def transposes(node: Node) -> int:
    """How many transposes are written."""
    return sum(isinstance(n, Transpose) for n in walk(node))


def _simpler(u: Node, v: Node) -> bool:
    """Whether a dot product reads better with `u` first: a name before anything compound."""
    return isinstance(u, Name) and not isinstance(v, Name)


def _upside_down(links: list[Node]) -> bool:
    """Whether a number ``x' A' y`` has fewer transposes the other way round."""
    inner = [isinstance(link, Transpose) for link in links[1:-1] if not isinstance(link, Diagonal)]
    return 2 * sum(inner) > len(inner)


def rank_is_zero(node: Node) -> bool:
    return rank(node) == 0


def diagonal(vector: Node) -> Node:
    """The diagonal matrix of a vector."""
    p = parts(vector)
    inner = assemble(Parts(S.One, (), p.tops, tuple(b for b in p.bottoms if rank(b))))
    outside = Parts(p.factor, p.scalars, (), tuple(b for b in p.bottoms if not rank(b)))
    return assemble(outside * Parts(tops=(Diagonal(inner),)))


def spread(vector: Node, along: Along) -> Node:
    """A vector with one entry per row (or column) beside a matrix."""
    if rank(vector) != 1:
        return vector
    p = parts(vector)

    def each(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(Spread(n, along) if rank(n) == 1 else n for n in nodes)

    return assemble(Parts(p.factor, p.scalars, each(p.tops), each(p.bottoms)))


def total(kind: str, along: Along, node: Node, extent: Expr = S.One) -> Node:
    """Reduce each row, each column or all of a node to one entry; constant factors leave a sum."""
    if isinstance(node, Transpose):
        return total(kind, OTHER[along], node.arg, extent)
    if kind not in ("sum", "mean"):
        return Reduce(kind, along, node, extent)
    p = parts(node)

    def leaves(n: Node) -> bool:
        return rank(n) == 0 or (isinstance(n, Spread) and n.along == along)

    kept = Parts(
        S.One, (), tuple(t for t in p.tops if not leaves(t)), tuple(b for b in p.bottoms if not leaves(b))
    )
    out = Parts(
        p.factor, p.scalars + tuple(t.arg for t in p.tops if isinstance(t, Spread) and leaves(t)), (),
        tuple(b.arg if isinstance(b, Spread) else b for b in p.bottoms if leaves(b)),
    )  # fmt: skip
    outside = fold(Parts.__mul__, map(parts, out.scalars), Parts(out.factor, bottoms=out.bottoms))
    if not kept.tops and not kept.bottoms:
        return assemble(outside * Parts(extent if kind == "sum" else S.One))
    return assemble(outside * parts(_total(kind, along, assemble(kept), extent)))


def _total(kind: str, along: Along, node: Node, extent: Expr) -> Node:
    match node:
        case Hadamard((u, v)) if kind == "sum" and along == "all" and rank(node) == 1:
            return chain(Transpose(u), v)
        case Reduce("sum", _, arg, inner) if kind == "sum" and along == "all":
            return total(kind, "all", arg, extent * inner)
        case Call("diagonal", (arg,)) if kind == "sum" and along == "all":
            return Call("tr", (arg,), 0)
        case Hadamard((u, v)) if kind == "sum" and along == "all" and _is_inverse(u, v):
            return Call("tr", (min(chain(transpose(u), v), chain(u, transpose(v)), key=transposes),), 0)
        case _:
            return Reduce(kind, along, node, extent)


def _is_inverse(*factors: Node) -> bool:
    """Whether one of two matrices is made with an inverse, and none is a repeated vector."""
    nodes = [n for f in factors for n in walk(f)]
    return any(isinstance(n, Whole) and n.function == "inv" for n in nodes) and not any(
        isinstance(n, Spread | Iverson) for n in nodes
    )


def add(*terms: Node) -> Node:
    """The sum; equal terms are collected and common factors taken out."""
    amounts: dict[Node, Expr] = {}
    for term in _flat(terms):
        p = parts(term)
        bare = assemble(Parts(S.One, p.scalars, p.tops, p.bottoms))
        amounts[bare] = amounts.get(bare, S.Zero) + p.factor
    found = [scaled(c, node) if node != ONE else Scalar(c) for node, c in amounts.items() if c != 0]
    found = _chains_collected(found)
    if len(found) < 2:
        return found[0] if found else Scalar(S.Zero)
    return _common_factors(found)


def _flat(terms: Iterable[Node]) -> Iterable[Node]:
    for term in terms:
        match term:
            case Sum(inner):
                yield from _flat(inner)
            case Scale(factor, Sum(inner)) if factor in (1, -1):
                yield from _flat(scaled(factor, t) for t in inner)
            case _:
                yield term


def _common_factors(terms: list[Node]) -> Node:
    """What every term has as a factor stands in front of the sum."""
    apart = [parts(t) for t in terms]
    size = _common_size(apart)
    scalars, tops, bottoms = (
        _in_all([getattr(p, place) for p in apart]) for place in ("scalars", "tops", "bottoms")
    )
    left = [
        Parts(p.factor / size, _without(p.scalars, scalars), _without(p.tops, tops), _without(p.bottoms, bottoms))
        for p in apart
    ]
    inner = Sum(tuple(sorted(map(assemble, left), key=term_key)))
    if size == 1 and not scalars and not tops and not bottoms:
        return inner
    return assemble(Parts(size, scalars, tops, bottoms) * parts(inner))


def _common_size(apart: list[Parts]) -> Expr:
    """The coefficient that all terms share but for the sign, unless one of them is a number."""
    factor = apart[0].factor
    size = -factor if factor.could_extract_minus_sign() else factor
    if not all(p.scalars or p.tops for p in apart):
        return S.One
    if all(p.factor in (size, -size) for p in apart):
        return size
    number = abs(factor.as_coeff_Mul()[0])
    return number if all(abs(p.factor.as_coeff_Mul()[0]) == number for p in apart) else S.One


def _in_all(groups: list[tuple[Node, ...]]) -> tuple[Node, ...]:
    return tuple(node for node in dict.fromkeys(groups[0]) if all(node in g for g in groups[1:]))


def _without(factors: tuple[Node, ...], taken: tuple[Node, ...]) -> tuple[Node, ...]:
    left = list(factors)
    for t in taken:
        left.remove(t)
    return tuple(left)


def _chains_collected(terms: list[Node]) -> list[Node]:
    """``A x + B x`` is ``(A + B) x``, and likewise from the left."""
    for last in (True, False):
        groups: dict[Node, list[Node]] = {}
        for term in terms:
            p = parts(term)
            link = p.tops[0] if len(p.tops) == 1 and not p.bottoms and not p.scalars else None
            if isinstance(link, Product) and all(rank(f) for f in link.factors):
                groups.setdefault(link.factors[-1 if last else 0], []).append(term)
        for shared, group in groups.items():
            if len(group) < 2:
                continue
            inner = add(*(_cut(t, last) for t in group))
            joined = chain(inner, shared) if last else chain(shared, inner)
            return _chains_collected([*(t for t in terms if t not in group), joined])
    return terms


def _cut(term: Node, last: bool) -> Node:
    p = parts(term)
    (link,) = p.tops
    assert isinstance(link, Product)
    return scaled(p.factor, chain(*(link.factors[:-1] if last else link.factors[1:])))


def rebuild(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Replace nodes from the leaves up, tidying on the way; `change` answers None to keep a node."""
    tidy = _tidied(with_children(node, lambda child: rebuild(child, change)))
    new = change(tidy)
    return tidy if new is None else new


def _tidied(node: Node) -> Node:
    match node:
        case Scale(factor, arg):
            return scaled(factor, arg)
        case Sum(terms):
            return add(*terms)
        case Product(factors):
            return chain(*factors)
        case Hadamard(factors):
            return times(*factors)
        case Quotient(top, bottom):
            return divide(top, bottom)
        case Power(base, Scalar(exponent)):
            return power(base, exponent)
        case Transpose(arg):
            return transpose(arg)
        case Diagonal(arg):
            return diagonal(arg)
        case Spread(arg, along):
            return spread(arg, along)
        case Reduce(kind, along, arg, extent):
            return total(kind, along, arg, extent)
        case Call("sqrt", (arg,)):
            return power(arg, S.Half)
        case Whole("sym", (arg,)):
            return replace(node, args=(min(arg, transpose(arg), key=transposes),))
        case _:
            return node
