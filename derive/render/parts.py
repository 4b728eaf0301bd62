"""Products taken apart and put together again: coefficients in front, divisors last, means found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce as fold

import sympy
from sympy import Expr, S

from .order import factor_key, term_key
from .tree import Call, Hadamard, Node, Power, Product, Quotient, Reduce, Scalar, Scale, Spread, Sum, rank

ONE = Scalar(S.One)


@dataclass(frozen=True)
class Parts:
    """A product taken apart: ``factor * scalars * tops / bottoms``, all entry by entry."""

    factor: Expr = S.One
    scalars: tuple[Node, ...] = ()
    tops: tuple[Node, ...] = ()
    bottoms: tuple[Node, ...] = ()

    def __mul__(self, other: Parts) -> Parts:
        return Parts(
            self.factor * other.factor,
            self.scalars + other.scalars,
            self.tops + other.tops,
            self.bottoms + other.bottoms,
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
    p = _cancelled(p)
    factor, top = _absorb_mean(p.factor, _numerator(p.scalars, p.tops))
    below = _numerator(tuple(b for b in p.bottoms if not rank(b)), tuple(b for b in p.bottoms if rank(b)))
    node = Quotient(top, below) if p.bottoms else top
    return Scalar(factor) if node == ONE else _scale(factor, node)


def _cancelled(p: Parts) -> Parts:
    """Without what stands above and below the line as a number: ``l / l²`` is ``1 / l``."""
    above, below = _exponents(p.scalars), _exponents(tuple(b for b in p.bottoms if not rank(b)))
    common = [base for base in above if base in below and (above[base] - below[base]).is_number]
    if not common:
        return p
    for base in common:
        left = above[base] - below[base]
        above[base], below[base] = max(left, S.Zero), max(-left, S.Zero)
    tops, bottoms = (tuple(raised(b, e) for b, e in found.items() if e != 0) for found in (above, below))
    return Parts(p.factor, tops, p.tops, (*(b for b in p.bottoms if rank(b)), *bottoms))


def _scale(factor: Expr, node: Node) -> Node:
    if factor == 1:
        return node
    if factor == 0:
        return Scalar(S.Zero)
    if isinstance(node, Sum) and _is_mean(factor, node.terms):
        return Sum(tuple(sorted((scaled(factor, t) for t in node.terms), key=term_key)))
    if isinstance(node, Sum) and factor.could_extract_minus_sign() and _mostly_negative(node.terms):
        flipped = Sum(tuple(sorted((scaled(S.NegativeOne, t) for t in node.terms), key=term_key)))
        return _scale(-factor, flipped)
    return Scale(factor, node)


def _is_mean(factor: Expr, terms: tuple[Node, ...]) -> bool:
    """Whether a divisor makes a mean of every term."""
    if sympy.fraction(factor)[1] == 1:
        return False
    for term in terms:
        p = parts(term)
        top = _numerator(p.scalars, p.tops)
        if _absorb_mean(factor * p.factor, top)[1] is top:
            return False
    return True


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
    return tuple(raised(base, e) for base, e in _exponents(factors).items() if e != 0)


def _exponents(factors: tuple[Node, ...]) -> dict[Node, Expr]:
    exponents: dict[Node, Expr] = {}
    for f in factors:
        base, exponent = (
            (f.base, f.exponent.value)
            if isinstance(f, Power) and isinstance(f.exponent, Scalar)
            else (f, S.One)
        )
        if isinstance(base, Call) and base.function == "sqrt":
            base, exponent = base.args[0], exponent / 2
        exponents[base] = exponents.get(base, S.Zero) + exponent
    return exponents


def raised(base: Node, exponent: Expr) -> Node:
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
        case Reduce("sum", along, arg, extent) if (
            extent != 1 and sympy.fraction(sympy.cancel(bottom / extent))[1] == 1
        ):
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
