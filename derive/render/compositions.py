"""Named compositions: one record for each name that a person gives to a combination of functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sympy import Expr, Integer, Rational, S

from .algebra import add, chain, power, rebuild, spread, total, transpose, transposes
from .parts import ONE, Parts, assemble, divide, parts, scaled, times
from .tree import (
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
    Sum,
    Transpose,
    Whole,
    Wild,
    children,
    rank,
    walk,
)  # fmt: skip

Bindings = dict[str, Node]
Match = tuple[Bindings, tuple[Node, ...]]
"""What the wildcards stand for, and the terms or factors that the pattern left over."""


@dataclass(frozen=True)
class Composition:
    """`pattern` is printed as `result`; `meaning` is the line of the legend that says so."""

    name: str
    pattern: Node
    result: Node
    meaning: str = ""


def _call(function: str, *args: Node) -> Node:
    return Call(function, args, max(map(rank, args)))


def _elementwise(z: Node) -> Iterator[Composition]:
    yield Composition(
        "sigmoid", divide(ONE, add(ONE, _call("exp", scaled(S.NegativeOne, z)))), _call("sigmoid", z),
        "sigmoid(z) = 1 / (1 + exp(−z))",
    )  # fmt: skip
    yield Composition("silu", times(z, _call("sigmoid", z)), _call("silu", z), "silu(z) = z ∘ sigmoid(z)")
    yield Composition("relu", _call("max", z, Scalar(S.Zero)), _call("relu", z), "relu(z) = max(z, 0)")


def _along(z: Node, along: Along, prefix: str) -> Iterator[Composition]:
    """Functions of each row, of each column, or of a whole vector."""

    def reduced(kind: str, node: Node) -> Node:
        return spread(total(kind, along, node), along)

    def over(function: str, node: Node) -> Node:
        return Call(prefix + function, (node,), rank(node))

    def summary(function: str, node: Node) -> Node:
        """One number for each row, column or vector."""
        return Reduce(function, along, node)

    which = {"all": "", "row": "row", "column": "col"}[along]
    top = reduced("max", z)
    shifted = add(z, scaled(S.NegativeOne, top))
    e = _call("exp", z)
    lse = summary("logsumexp", z)
    yield Composition("logsumexp", _call("log", total("sum", along, e)), lse,
                      f"{which}logsumexp(z) = log({which}sum(exp(z)))")  # fmt: skip
    for beside in (lambda node: node, lambda node: spread(node, along)):
        shifted_back = add(beside(total("max", along, z)), beside(summary("logsumexp", shifted)))
        yield Composition("logsumexp", shifted_back, beside(lse))
    yield Composition("softmax", divide(e, reduced("sum", e)), over("softmax", z),
                      f"{prefix}softmax(z) = exp(z) / {which}sum(exp(z))")  # fmt: skip
    yield Composition("softmax", over("softmax", shifted), over("softmax", z))
    yield Composition("logsoftmax", add(z, scaled(S.NegativeOne, spread(lse, along))), over("logsoftmax", z),
                      f"{prefix}logsoftmax(z) = z − {which}logsumexp(z)")  # fmt: skip
    yield Composition("logsoftmax", over("logsoftmax", shifted), over("logsoftmax", z))
    yield Composition("softmax", _call("exp", over("logsoftmax", z)), over("softmax", z))
    centred = add(z, scaled(S.NegativeOne, reduced("mean", z)))
    yield Composition("var", total("mean", along, power(centred, Integer(2))), summary("var", z),
                      f"{which}var(z) = {which}mean((z − {which}mean(z))²)")  # fmt: skip


def _norms(z: Node) -> Iterator[Composition]:
    norm = Call("norm", (z,), 0)
    meaning = "‖z‖² = the sum of the squares of all entries"
    yield Composition(
        "norm", Reduce("sum", "all", power(z, Integer(2))), Power(norm, Scalar(Integer(2))), meaning
    )
    if rank(z) == 1:
        yield Composition("norm", Product((Transpose(z), z)), Power(norm, Scalar(Integer(2))), meaning)


def _lower_half(z: Node) -> Iterator[Composition]:
    """The lower triangle with half of the diagonal, by itself and behind another matrix."""
    lower = times(z, Iverson(Relation("<=", Position("column"), Position("row")), 2))
    along, half, half_of = Call("diagonal", (z,), 1), Rational(-1, 2), Whole("Phi", (z,), 2)
    yield Composition("Phi", Sum((lower, Scale(half, Diagonal(along)))), half_of)
    w = Wild("w", 2)
    beside = Sum((Product((w, lower)), Scale(half, times(w, spread(along, "column")))))
    yield Composition("Phi", beside, Product((w, half_of)))


def with_symmetric_parts(node: Node) -> Node | None:
    """``(Z + Z') / 2`` as ``sym(Z)``, also among other terms and between other factors."""
    factor, bare = (node.factor, node.arg) if isinstance(node, Scale) else (S.One, node)
    if isinstance(bare, Product):
        return _symmetric_factor(factor, bare)
    if not isinstance(bare, Sum):
        return None
    amounts: dict[Node, Expr] = {}
    for term in bare.terms:
        p = parts(term)
        amounts[assemble(Parts(S.One, p.scalars, p.tops, p.bottoms))] = p.factor
    for z, amount in amounts.items():
        other = transpose(z) if rank(z) == 2 else z
        if other == z or amounts.get(other) != amount or not _is_half(factor * amount):
            continue
        rest = (scaled(c, t) for t, c in amounts.items() if t not in (z, other))
        whole = Whole("sym", (min(z, other, key=transposes),), 2)
        return add(scaled(2 * factor * amount, whole), *(scaled(factor, t) for t in rest))
    return None


def _symmetric_factor(factor: Expr, node: Product) -> Node | None:
    """``V' (Z + Z') V / 2`` as ``V' sym(Z) V``; ``(A + A') x / 2`` stays."""
    if not _is_half(factor):
        return None
    for position, f in enumerate(node.factors):
        found = with_symmetric_parts(Scale(S.Half, f)) if isinstance(f, Sum) else None
        short = len(node.factors) == 2 and isinstance(found, Whole) and isinstance(found.args[0], Name)
        if isinstance(found, Whole) and not short:
            factors = (*node.factors[:position], found, *node.factors[position + 1 :])
            return scaled(2 * factor, chain(*factors))
    return None


def _is_half(factor: Expr) -> bool:
    """Whether a coefficient has an even divisor."""
    return factor.as_coeff_Mul()[0].q % 2 == 0 if factor.as_coeff_Mul()[0].is_Rational else False


NAMED = frozenset(
    {
        "sigmoid",
        "silu",
        "relu",
        "logsumexp",
        "softmax",
        "colsoftmax",
        "logsoftmax",
        "collogsoftmax",
        "var",
        "norm",
    }
)


def names_used(node: Node) -> int:
    """How many compositions are printed by their name."""
    return sum(
        (isinstance(n, Call) and n.function in NAMED) or (isinstance(n, Reduce) and n.kind in NAMED)
        for n in walk(node)
    )


@cache
def compositions() -> tuple[Composition, ...]:
    """Every record, in the order in which they are tried."""
    found = [c for r in (0, 1, 2) for c in _elementwise(Wild("z", r))]
    found += _along(Wild("z", 1), "all", "")
    found += _along(Wild("z", 2), "row", "")
    found += _along(Wild("z", 2), "column", "col")
    found += [c for r in (1, 2) for c in _norms(Wild("z", r))]
    found += _lower_half(Wild("z", 2))
    return tuple(found)


def composed(node: Node) -> Node:
    """The tree with every composition that has a name printed under it."""
    return rebuild(node, lambda n: _named(m) or m if (m := with_symmetric_parts(n)) is not None else _named(n))


def _named(node: Node) -> Node | None:
    changed, result = True, node
    while changed:
        changed = False
        for c in compositions():
            if not _could_be(c.pattern, result):
                continue
            found = match(c.pattern, result, {})
            if found is not None:
                bindings, rest = found
                made = rebuild(c.result, lambda n, b=bindings: b[n.name] if isinstance(n, Wild) else None)  # type: ignore[misc]
                result = add(made, *rest) if isinstance(result, Sum) else times(made, *rest) if rest else made
                changed = True
                break
    return result if result is not node else None


def _could_be(pattern: Node, node: Node) -> bool:
    return type(pattern) is type(node) and (
        rank(pattern) == rank(node) or isinstance(pattern, Sum | Hadamard)
    )


def match(pattern: Node, node: Node, bindings: Bindings, whole: bool = False) -> Match | None:
    """Compare a node with a pattern; sums and products may leave parts over unless matched as a `whole`."""
    match pattern:
        case Wild(name, r):
            if name in bindings:
                return (bindings, ()) if bindings[name] == node else None
            return ({**bindings, name: node}, ()) if rank(node) == r else None
        case Sum() | Hadamard() if type(node) is type(pattern):
            return _match_some(pattern, node, bindings, whole)
        case Quotient() if isinstance(node, Quotient):
            return _match_quotient(pattern, node, bindings, whole)
        case Scalar():
            return (bindings, ()) if pattern == node else None
    if type(pattern) is not type(node) or _label(pattern) != _label(node):
        return None
    theirs, ours = children(node), children(pattern)
    if len(theirs) != len(ours):
        return None
    order = sorted(range(len(ours)), key=lambda p: isinstance(ours[p], Wild))
    for p in order:
        found = match_whole(ours[p], theirs[p], bindings)
        if found is None:
            return None
        bindings = found
    return bindings, ()


def match_whole(pattern: Node, node: Node, bindings: Bindings) -> Bindings | None:
    """Compare without leaving anything over."""
    found = match(pattern, node, bindings, whole=True)
    return found[0] if found is not None and not found[1] else None


def _match_quotient(pattern: Quotient, node: Quotient, bindings: Bindings, whole: bool) -> Match | None:
    """Divisors and factors of the pattern among those of the node."""
    ours, theirs = parts(pattern), parts(node)
    if ours.factor != theirs.factor:
        return None
    for below, bottoms in _assignments([*ours.bottoms], [*theirs.bottoms], bindings, Hadamard):
        tops = [*theirs.scalars, *theirs.tops]
        for found, rest in _assignments([*ours.scalars, *ours.tops], tops, below, Hadamard):
            left = (*rest, *(divide(ONE, b) for b in bottoms))
            if not (whole and left):
                return found, left
    return None


def _match_some(
    pattern: Sum | Hadamard, node: Sum | Hadamard, bindings: Bindings, whole: bool
) -> Match | None:
    """Each part of the pattern to a different part of the node; a bound wildcard may be several of them."""
    wanted = sorted(children(pattern), key=lambda part: isinstance(part, Wild))
    for found, rest in _assignments(wanted, list(children(node)), bindings, type(pattern)):
        if not (whole and rest):
            return found, tuple(rest)
    return None


def _assignments(
    wanted: list[Node], pieces: list[Node], bindings: Bindings, kind: type[Sum] | type[Hadamard]
) -> Iterator[tuple[Bindings, list[Node]]]:
    if not wanted:
        yield bindings, pieces
        return
    first, *others = wanted
    if isinstance(first, Wild) and isinstance(bindings.get(first.name), kind):
        rest = list(pieces)
        for part in children(bindings[first.name]):
            if part not in rest:
                return
            rest.remove(part)
        yield from _assignments(others, rest, bindings, kind)
        return
    for position, part in enumerate(pieces):
        found = match_whole(first, part, bindings)
        if found is not None:
            yield from _assignments(others, pieces[:position] + pieces[position + 1 :], found, kind)


def _label(node: Node) -> tuple[object, ...]:
    """What must be equal besides the parts."""
    return tuple(
        getattr(node, name, None) for name in ("name", "function", "kind", "along", "factor", "symbol", "at")
    )
