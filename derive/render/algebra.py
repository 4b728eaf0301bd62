"""Constructors of the display tree that keep it tidy: coefficients in front, means found, common factors taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce as fold

import sympy
from sympy import Expr, S

from .order import factor_key, term_key
from .tree import (
    Along, BigSum, Call, Diagonal, Hadamard, Name, Node, Power, Product, Quotient, Reduce, Scalar, Scale, Spread, Sum,
    Transpose, is_row, rank, with_children,
)  # fmt: skip

ONE = Scalar(S.One)
OTHER: dict[Along, Along] = {"row": "column", "column": "row", "all": "all"}


@dataclass(frozen=True)
class Parts:
    """A product taken apart: ``factor * scalars * tops / bottoms``, all entry by entry."""

    factor: Expr = S.One
    scalars: tuple[Node, ...] = ()
    tops: tuple[Node, ...] = ()
    bottoms: tuple[Node, ...] = ()

    def __mul__(self, other: Parts) -> Parts:
        return Parts(
            self.factor * other.factor, self.scalars + other.scalars, self.tops + other.tops, self.bottoms + other.bottoms
        )

    def inverse(self) -> Parts:
        above = [b for b in self.bottoms if rank(b)]
        scalars = [b for b in self.bottoms if not rank(b)]
        return Parts(1 / self.factor, tuple(scalars), tuple(above), self.scalars + self.tops)


def parts(node: Node) -> Parts:
    """Take a product apart."""
    match node:
        case Scalar(value):
            return Parts(value)
        case Scale(factor, arg):
            return Parts(factor) * parts(arg)
        case Quotient(top, bottom):
            return parts(top) * parts(bottom).inverse()
        case Hadamard(factors):
            return fold(Parts.__mul__, map(parts, factors))
        case Product(factors):
            found = fold(Parts.__mul__, (parts(f) for f in factors if not rank(f)), Parts())
            rest = tuple(f for f in factors if rank(f))
            if len(rest) < 2:
                return fold(Parts.__mul__, map(parts, rest), found)
            inner = Product(rest)
            return found * (Parts(tops=(inner,)) if rank(inner) else Parts(scalars=(inner,)))
        case _:
            return Parts(tops=(node,)) if rank(node) else Parts(scalars=(node,))


def assemble(p: Parts) -> Node:
    """Put a product together: scalars, then matrices, divisors last."""
    factor, top = _absorb_mean(p.factor, _numerator(p.scalars, p.tops))
    node = Quotient(top, _numerator(tuple(b for b in p.bottoms if not rank(b)), tuple(b for b in p.bottoms if rank(b)))) \
        if p.bottoms else top
    return Scalar(factor) if node == ONE else _scale(factor, node)


def _scale(factor: Expr, node: Node) -> Node:
    if factor == 1:
        return node
    if factor == 0:
        return Scalar(S.Zero)
    if isinstance(node, Sum) and factor.could_extract_minus_sign() and _mostly_negative(node.terms):
        flipped = Sum(tuple(sorted((scaled(S.NegativeOne, t) for t in node.terms), key=term_key)))
        return _scale(-factor, flipped)
    return Scale(factor, node)


def _mostly_negative(terms: tuple[Node, ...]) -> bool:
    return 2 * sum(is_negative(t) for t in terms) >= len(terms)


def is_negative(node: Node) -> bool:
    """Whether the node starts with a minus sign."""
    match node:
        case Scale(factor) | Scalar(factor):
            return bool(factor.could_extract_minus_sign())
        case _:
            return False


def _numerator(scalars: tuple[Node, ...], tops: tuple[Node, ...]) -> Node:
    scalars, tops = _powers(scalars), _powers(tops)
    scalars = tuple(sorted(scalars, key=factor_key))
    body: tuple[Node, ...]
    if len(tops) > 1:
        body = (Hadamard(tuple(sorted(tops, key=factor_key))),)
    else:
        body = tops[0].factors if tops and isinstance(tops[0], Product) and scalars else tops
    both = scalars + body
    return ONE if not both else both[0] if len(both) == 1 else Product(both)


def _powers(factors: tuple[Node, ...]) -> tuple[Node, ...]:
    """Equal factors become powers."""
    exponents: dict[Node, Expr] = {}
    for f in factors:
        base, exponent = (f.base, f.exponent.value) if isinstance(f, Power) and isinstance(f.exponent, Scalar) else (f, S.One)
        if isinstance(base, Call) and base.function == "sqrt":
            base, exponent = base.args[0], exponent / 2
        exponents[base] = exponents.get(base, S.Zero) + exponent
    return tuple(_power(base, e) for base, e in exponents.items() if e != 0)


def _power(base: Node, exponent: Expr) -> Node:
    if exponent == 1:
        return base
    if exponent == S.Half:
        return Call("sqrt", (base,), rank(base))
    return Power(base, Scalar(exponent))


def _absorb_mean(factor: Expr, node: Node) -> tuple[Expr, Node]:
    """``sum / n`` over n entries is a mean."""
    bottom = sympy.fraction(factor)[1]
    if bottom == 1:
        return factor, node
    match node:
        case Reduce("sum", along, arg, extent) if extent != 1 and sympy.fraction(sympy.cancel(bottom / extent))[1] == 1:
            return factor * extent, Reduce("mean", along, arg, extent)
        case Spread(arg, along):
            left, changed = _absorb_mean(factor, arg)
            return left, Spread(changed, along) if changed is not arg else node
        case Hadamard(factors) | Product(factors):
            for position, f in enumerate(factors):
                left, changed = _absorb_mean(factor, f)
                if changed is not f:
                    return left, type(node)((*factors[:position], changed, *factors[position + 1 :]))
    return factor, node


def times(*factors: Node) -> Node:
    """The product entry by entry; scalars are in front."""
    return assemble(fold(Parts.__mul__, map(parts, factors), Parts()))


def scaled(factor: Expr, node: Node) -> Node:
    """A number times a node."""
    return assemble(Parts(factor) * parts(node))


def divide(top: Node, bottom: Node) -> Node:
    """The quotient entry by entry."""
    return assemble(parts(top) * parts(bottom).inverse())


def power(base: Node, exponent: Expr) -> Node:
    """A constant power entry by entry; negative ones divide."""
    if exponent.could_extract_minus_sign():
        return divide(ONE, power(base, -exponent))
    p = parts(base)
    whole = bool(exponent.is_Integer)
    outside = p.factor**exponent if whole or p.factor.is_positive else S.One
    inside = p.scalars + p.tops
    if isinstance(base, Sum) or (not whole and (len(inside) + len(p.bottoms) > 1 or outside == 1 != p.factor)):
        return _power(base, exponent)

    def raise_each(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(_power_of_power(n, exponent) for n in nodes)

    return assemble(Parts(outside, raise_each(p.scalars), raise_each(p.tops), raise_each(p.bottoms)))


def _power_of_power(node: Node, exponent: Expr) -> Node:
    match node:
        case Power(base, Scalar(inner)) if exponent.is_Integer:
            return _power(base, inner * exponent)
        case Call("sqrt", (base,)):
            return _power(base, exponent / 2)
        case Spread(arg, along):
            return spread(power(arg, exponent), along)
        case _:
            return _power(node, exponent)


def chain(*factors: Node) -> Node:
    """The matrix product."""
    outside, links = Parts(), []
    for f in factors:
        p = parts(f)
        outside = outside * Parts(p.factor, p.scalars, (), tuple(b for b in p.bottoms if not rank(b)))
        inner = assemble(Parts(S.One, (), p.tops, tuple(b for b in p.bottoms if rank(b))))
        if rank(inner):
            links.extend(inner.factors if isinstance(inner, Product) else (inner,))
    product = links[0] if len(links) == 1 else Product(tuple(links)) if links else ONE
    return assemble(outside * parts(product))


def transpose(node: Node) -> Node:
    """The transpose, moved inside sums and products."""
    if rank(node) == 0:
        return node
    match node:
        case Transpose(arg):
            return arg
        case Diagonal():
            return node
        case Spread(arg, along):
            return Spread(arg, OTHER[along])
        case Scale(factor, arg):
            return scaled(factor, transpose(arg))
        case Product(factors):
            return chain(*(f if rank(f) == 0 else transpose(f) for f in sorted(factors, key=rank_is_zero)[::-1]))
        case Quotient(top, bottom) if rank(bottom) == 0:
            return divide(transpose(top), bottom)
        case Sum(terms) if rank(node) == 2 and sum(isinstance(t, Transpose) for t in terms) * 2 >= len(terms):
            return add(*map(transpose, terms))
        case _:
            return Transpose(node)


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

    kept = Parts(S.One, (), tuple(t for t in p.tops if not leaves(t)), tuple(b for b in p.bottoms if not leaves(b)))
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
        case _:
            return Reduce(kind, along, node, extent)


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
    apart = [parts(t) for t in terms]
    first = apart[0]
    size = abs(first.factor) if first.factor.is_number else first.factor
    if first.factor.could_extract_minus_sign():
        size = -first.factor
    if not all(p.factor in (size, -size) for p in apart) or not all(p.scalars or p.tops for p in apart):
        size = S.One
    scalars, tops, bottoms = (
        tuple(f for f in dict.fromkeys(getattr(first, place)) if all(f in getattr(p, place) for p in apart[1:]))
        for place in ("scalars", "tops", "bottoms")
    )
    if size == 1 and not scalars and not tops and not bottoms:
        return Sum(tuple(sorted(terms, key=term_key)))
    rest = [
        assemble(Parts(p.factor / size, _without(p.scalars, scalars), _without(p.tops, tops), _without(p.bottoms, bottoms)))
        for p in apart
    ]
    if not any(rank(r) for r in rest) and any(rank(t) for t in terms) and len({r for r in rest}) == 1:
        return Sum(tuple(sorted(terms, key=term_key)))
    return assemble(Parts(size, scalars, tops, bottoms) * parts(Sum(tuple(sorted(rest, key=term_key)))))


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
        case _:
            return node


def names_in(node: Node) -> list[Name]:
    """Every occurrence of a tensor's name."""
    from .tree import walk

    return [n for n in walk(node) if isinstance(n, Name)]


__all__ = ["BigSum", "add", "chain", "diagonal", "divide", "is_row", "power", "rebuild", "scaled", "spread", "times", "total", "transpose"]
