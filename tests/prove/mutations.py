"""What can be wrong in a claim, one record for each kind of error: from the tree of a true claim to trees that may be false."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy

from derive.frontends.formula_grammar import Formula, read_formula
from derive.frontends.formula_text import Source
from derive.frontends.formula_tree import (
    Attribute,
    Call,
    Chain,
    Compare,
    Name,
    Negative,
    Node,
    Number,
    Place,
    Power,
    Several,
    Slice,
    Subscript,
    Text,
    Transpose,
    walk,
)  # fmt: skip
from derive.ir.facts import IMPLIES, Spec

NOWHERE = Place(0, 0)


@dataclass(frozen=True)
class Stated:
    """A claim to be changed, and the shapes of its variables."""

    formula: Formula
    specs: Mapping[str, Spec]
    result: tuple[Any, ...]
    """The shape of both sides."""

    @property
    def tree(self) -> Compare:
        assert isinstance(self.formula.tree, Compare)
        return self.formula.tree

    @property
    def columns(self) -> bool:
        return self.formula.style.columns

    def rank(self, name: str) -> int | None:
        return len(self.specs[name].shape) if name in self.specs else None

    def is_square(self, name: str) -> bool:
        shape = self.specs[name].shape if name in self.specs else ()
        return len(shape) == 2 and shape[0] == shape[1]

    @property
    def sizes(self) -> list[str]:
        found = (s for spec in self.specs.values() for e in spec.shape for s in e.free_symbols)
        return list(dict.fromkeys(map(str, found)))


Rule = Callable[[Node, Stated], Iterator[Node]]


@dataclass(frozen=True)
class Mutation:
    """A kind of error. rule: what a node could be in its place, applied to every node of both sides;
    whole: what the claim could be in its place; specs: what could be declared in place of what is."""

    name: str
    rule: Rule | None = None
    whole: Callable[[Stated], Iterator[Compare]] | None = None
    declared: Callable[[Stated], Iterator[dict[str, Spec]]] | None = None

    def mutants(self, claim: Stated) -> Iterator[tuple[Formula, Mapping[str, Spec]]]:
        formula = claim.formula
        if self.rule is not None:
            for tree in changed(formula.tree, self.rule, claim):
                yield replace(formula, tree=tree), claim.specs
            for n, d in enumerate(formula.definitions):
                for tree in changed(d.body, self.rule, claim):
                    definitions = (*formula.definitions[:n], replace(d, body=tree), *formula.definitions[n + 1 :])
                    yield replace(formula, definitions=definitions), claim.specs
        if self.whole is not None and isinstance(formula.tree, Compare):
            yield from ((replace(formula, tree=tree), claim.specs) for tree in self.whole(claim))
        if self.declared is not None:
            yield from ((formula, specs) for specs in self.declared(claim))


# -- trees


def written(formula: Formula) -> str:
    """A formula as text, with the definitions that are used."""
    used, open_trees = set[str](), [formula.tree]
    known = {d.name: d for d in formula.definitions}
    while open_trees:
        for node in walk(open_trees.pop()):
            if isinstance(node, Name) and node.name in known and node.name not in used:
                used.add(node.name)
                open_trees.append(known[node.name].body)
    definitions = [f"{name} = {text(d.body)}" for name, d in known.items() if name in used]
    return text(formula.tree) + (f" where {'; '.join(definitions)}" if definitions else "")


def text(node: Node) -> str:
    """A tree as text, with brackets wherever they could matter."""
    match node:
        case Compare(symbol=symbol, left=left, right=right):
            return f"{text(left)} {symbol} {text(right)}"
        case Number(value=value):
            return str(value.p) if value.q == 1 else f"({value.p}/{value.q})"
        case Name(name=name):
            return name
        case Text(value=value):
            return f'"{value}"'
        case Chain(first=first, rest=rest):
            return _inner(first) + "".join(f" {symbol} {_inner(operand)}" for symbol, operand in rest)
        case Negative(arg=arg):
            return f"-{_inner(arg)}"
        case Power(symbol=symbol, base=base, exponent=exponent):
            return f"{_inner(base)}{symbol}{_inner(exponent)}"
        case Transpose(arg=arg, symbol=symbol):
            return f"{_inner(arg)}{symbol}"
        case Call(function=function, args=args, options=options, receiver=receiver):
            given = ", ".join([*map(text, args), *(f"{name}={text(value)}" for name, value in options)])
            return f"{'' if receiver is None else _inner(receiver) + '.'}{function}({given})"
        case Attribute(receiver=receiver, name=name):
            return f"{_inner(receiver)}.{name}"
        case Subscript(receiver=receiver, items=items):
            return f"{_inner(receiver)}[{', '.join(map(text, items))}]"
        case Slice(parts=(start, stop, step)):
            ends = [("" if p is None else text(p)) for p in (start, stop)]
            return ":".join([*ends, *([] if step is None else [text(step)])])
        case Several(items=items):
            return f"({', '.join(map(text, items))}{',' if len(items) == 1 else ''})"
    raise TypeError(node)


def _inner(node: Node) -> str:
    alone = isinstance(node, Name | Call | Subscript | Attribute | Several) or (
        isinstance(node, Number) and node.value.q == 1 and node.value >= 0
    )
    return text(node) if alone else f"({text(node)})"


def parts(node: Node) -> Iterator[tuple[Node, Callable[[Node], Node]]]:
    """The operands of a node, each with what puts another in its place; names of variables, axes and places are none."""
    match node:
        case Compare(left=left, right=right):
            yield left, lambda new: replace(node, left=new)
            yield right, lambda new: replace(node, right=new)
        case Chain(first=first, rest=rest):
            yield first, lambda new: replace(node, first=new)
            for n, (symbol, operand) in enumerate(rest):
                yield (
                    operand,
                    lambda new, n=n, symbol=symbol: replace(node, rest=(*rest[:n], (symbol, new), *rest[n + 1 :])),
                )
        case Negative(arg=arg) | Transpose(arg=arg):
            yield arg, lambda new: replace(node, arg=new)
        case Power(base=base):
            yield base, lambda new: replace(node, base=new)
        case Call(function="eye" | "np.eye" | "vector" | "matrix" | "np.ones" | "np.zeros" | "np.full"):
            return
        case Call(function=function, args=args):
            kept = {1} if function in ("grad", "jacobian", "hessian", "jvp", "vjp") else set()
            kept |= set(range(1, len(args))) if function in ("convex", "concave") else set()
            for n, arg in enumerate(args):
                if n not in kept and not isinstance(arg, Number | Several | Text):
                    yield arg, lambda new, n=n: replace(node, args=(*args[:n], new, *args[n + 1 :]))
        case Subscript(receiver=receiver):
            yield receiver, lambda new: replace(node, receiver=new)


def changed(node: Node, rule: Rule, claim: Stated) -> Iterator[Node]:
    """The tree with one node changed by the rule, in every way."""
    yield from rule(node, claim)
    for part, put in parts(node):
        yield from map(put, changed(part, rule, claim))


def number(value: Any) -> Number:
    return Number(NOWHERE, sympy.Rational(value))


def chain(first: Node, *rest: tuple[str, Node]) -> Chain:
    return Chain(NOWHERE, first, rest)


def call(function: str, *args: Node) -> Call:
    return Call(NOWHERE, function, args)


def transposed(node: Node, claim: Stated) -> Node:
    return Transpose(NOWHERE, node, "'" if claim.columns else ".T")


def tree_of(template: str) -> Node:
    return read_formula(Source(template)).tree


# -- rules


def transpose_dropped(node: Node, claim: Stated) -> Iterator[Node]:
    if isinstance(node, Transpose):
        yield node.arg


def transpose_added(node: Node, claim: Stated) -> Iterator[Node]:
    if isinstance(node, Name) and claim.rank(node.name) in (1, 2):
        yield transposed(node, claim)
    if isinstance(node, Call) and node.function in ("inv", "grad", "jacobian", "hessian", "kron", "cholesky", "pinv"):
        yield transposed(node, claim)


def sign(node: Node, claim: Stated) -> Iterator[Node]:
    match node:
        case Negative(arg=arg):
            yield arg
        case Chain(first=first, rest=(("+" | "-", _), *_) as rest):
            yield replace(node, first=Negative(NOWHERE, first))
            for n, (symbol, operand) in enumerate(rest):
                yield replace(node, rest=(*rest[:n], ("-" if symbol == "+" else "+", operand), *rest[n + 1 :]))


def whole_sign(claim: Stated) -> Iterator[Compare]:
    yield replace(claim.tree, right=Negative(NOWHERE, claim.tree.right))


def term_dropped(node: Node, claim: Stated) -> Iterator[Node]:
    match node:
        case Chain(rest=(("+" | "-", second), *others)):
            yield chain(second, *others) if others else second
            yield from (replace(node, rest=(*node.rest[:n], *node.rest[n + 1 :])) for n in range(len(node.rest)))


def factor_dropped(node: Node, claim: Stated) -> Iterator[Node]:
    match node:
        case Chain(rest=(("*" | ".*" | "@" | "/" | "./", second), *others)):
            if node.rest[0][0] in ("*", ".*", "@"):
                yield chain(second, *others) if others else second
            for n in range(len(node.rest)):
                left = (*node.rest[:n], *node.rest[n + 1 :])
                yield replace(node, rest=left) if left else node.first


def factor_two(node: Node, claim: Stated) -> Iterator[Node]:
    match node:
        case Number(value=value):
            yield number(2 * value)
            yield number(value + 1)
        case Chain(first=first, rest=(("+" | "-", _), *_)):
            yield replace(node, first=chain(number(2), ("*", first)))


def whole_factor(claim: Stated) -> Iterator[Compare]:
    for value in ("2", "1/2", "1000001/1000000"):
        yield replace(claim.tree, right=chain(number(value), ("*", claim.tree.right)))
    for size in claim.sizes:
        yield replace(claim.tree, right=chain(Name(NOWHERE, size), ("*", claim.tree.right)))


def order_swapped(node: Node, claim: Stated) -> Iterator[Node]:
    match node:
        case Chain(first=first, rest=rest):
            operands = [first, *(o for _, o in rest)]
            for n, (symbol, _) in enumerate(rest):
                if symbol in ("*", "@", "-", "/"):
                    swapped = list(operands)
                    swapped[n], swapped[n + 1] = swapped[n + 1], swapped[n]
                    symbols = [s for s, _ in rest]
                    yield chain(swapped[0], *zip(symbols, swapped[1:], strict=True))
        case Call(args=(first, second), options=()) if node.function in ("kron", "max", "min", "rel_entr", "arctan2"):
            yield replace(node, args=(second, first))


def product_exchanged(node: Node, claim: Stated) -> Iterator[Node]:
    """Matrix products for products entry by entry, and back; products for quotients."""
    others = {"*": (".*", "/"), ".*": ("*", "./"), "@": ("*",), "/": ("*",), "./": (".*",), "\\": ("*",)}
    match node:
        case Chain(rest=rest):
            for n, (symbol, operand) in enumerate(rest):
                for other in others.get(symbol, ()):
                    if claim.columns or other in ("*", "/", "@"):
                        yield replace(node, rest=(*rest[:n], (other, operand), *rest[n + 1 :]))
        case Power(symbol="^" | ".^"):
            yield replace(node, symbol=".^" if node.symbol == "^" else "^")


def exponent_changed(node: Node, claim: Stated) -> Iterator[Node]:
    match node:
        case Power(exponent=Number(value=value)):
            yield replace(node, exponent=number(value + 1))
            if value - 1 > 0:
                yield replace(node, exponent=number(value - 1))
            yield node.base
        case Power(exponent=Name(name=size)) if size in claim.sizes:
            yield replace(node, exponent=chain(node.exponent, ("-", number(1))))
            yield node.base


EXCHANGED = (
    ("tanh", "sigmoid"), ("sum", "mean"), ("exp", "expm1"), ("log", "log1p"), ("sin", "cos"), ("norm1", "norm2"),
    ("det", "tr"), ("logdet", "det"), ("tril", "triu"), ("max", "min"), ("relu", "abs"), ("relu", "softplus"),
    ("eigvalsh", "svdvals"), ("prod", "sum"), ("log", "log2"), ("log", "log10"), ("exp", "exp2"), ("sqrt", "square"),
    ("sign", "abs"), ("softplus", "exp"), ("gammaln", "digamma"), ("erf", "erfc"), ("inv", "pinv"), ("cosh", "sinh"),
    ("max", "sum"), ("softmax", "exp"), ("sqrt", "cbrt"), ("norm2", "sum"), ("arcsin", "arctan"), ("log", "abs"),
)  # fmt: skip
SUBTLE = (
    ("relu({x})", "{x}"), ("softplus({x})", "relu({x})"), ("exp({x})", "1 + {x}"), ("log1p({x})", "{x}"),
    ("sigmoid({x})", "tanh({x})/2 + 1/2"), ("tanh({x})", "{x}"), ("inv({x})", "{x}"), ("sqrt({x})", "{x}"),
    ("det({x})", "abs(det({x}))"), ("sum({x})", "abs(sum({x}))"), ("tr({x})", "abs(tr({x}))"), ("diag({x})", "{x}"),
    ("mean({x})", "sum({x})"), ("norm2({x})", "sum({x})"), ("cholesky({x})", "{x}"), ("sign({x})", "{x}"),
    ("eigvalsh({x})", "diag({x})"), ("tril({x})", "{x}"), ("triu({x})", "{x}"), ("np.diag({x})", "{x}"),
    ("abs({x})", "{x}"), ("logdet({x})", "sum(log(abs(diag({x}))))"), ("det({x})", "prod(diag({x}))"),
)  # fmt: skip
"""Functions for others of one argument: by name, or as a formula of the argument."""


def function_exchanged(node: Node, claim: Stated) -> Iterator[Node]:
    if not isinstance(node, Call) or node.receiver is not None:
        return
    front, _, bare = node.function.rpartition(".")
    for pair in EXCHANGED:
        for old, new in (pair, pair[::-1]):
            if bare == old:
                yield replace(node, function=f"{front}.{new}" if front in ("np", "numpy") else new)
    for old, new in SUBTLE:
        if old == node.function + "({x})" and len(node.args) == 1:
            yield tree_of(new.format(x=_inner(node.args[0])))


def variable_exchanged(node: Node, claim: Stated) -> Iterator[Node]:
    if isinstance(node, Name) and node.name in claim.specs:
        for other, spec in claim.specs.items():
            if other != node.name and len(spec.shape) == claim.rank(node.name):
                yield replace(node, name=other)


def axis_changed(node: Node, claim: Stated) -> Iterator[Node]:
    if isinstance(node, Call) and any(name == "axis" for name, _ in node.options):
        for value in (0, 1):
            options = tuple((n, number(value) if n == "axis" else v) for n, v in node.options)
            yield replace(node, options=options)


def unit_exchanged(node: Node, claim: Stated) -> Iterator[Node]:
    """A unit matrix of another size, twice as large, or with other numbers of ones."""
    if isinstance(node, Call) and node.function in ("eye", "np.eye") and len(node.args) == 1:
        yield chain(number(2), ("*", node))
        yield from (replace(node, args=(Name(NOWHERE, size),)) for size in claim.sizes)
    if isinstance(node, Call) and node.function == "vector":
        yield chain(number(2), ("*", node))
    if isinstance(node, Name) and node.name in claim.sizes:
        yield from (replace(node, name=size) for size in claim.sizes if size != node.name)
        yield chain(node, ("-", number(1)))


def special_argument(node: Node, claim: Stated) -> Iterator[Node]:
    """True only for variables of a special kind: symmetric, positive, diagonal, with one row ..."""
    if not isinstance(node, Name) or node.name not in claim.specs:
        return
    x, rank = node.name, claim.rank(node.name)
    forms = ["abs({x})", "relu({x})"]
    if claim.is_square(x):
        forms += ["(({x} + {x}')/2)", "diag(diag({x}))", "tril({x})"] if claim.columns else ["(({x} + {x}.T)/2)", "np.triu({x})"]
    elif rank == 1:
        forms += ["(0*{x} + mean({x}))" if not claim.columns else "({x}.^3)"]
    elif rank == 0:
        forms += ["{x}^3" if claim.columns else "{x}**3"]
    yield from (tree_of(form.format(x=x)) for form in forms)


VANISHING: dict[str, tuple[str, ...]] = {
    "size": ("({n} - 1)", "({n} - 1)*({n} - 2)", "({n} - 1)*({n} - 2)*({n} - 3)"),
    "scalar": ("(abs({x}) - {x})", "({x}^2 - {x})", "({x}^3 - {x})"),
    "vector": ("sum(abs({x}) - {x})", "(sum({x})^2 - sum({x}.^2))", "(sum({x}) - 1)", "sum({x}.^2 - {x})"),
    "matrix": ("sum(abs({x}) - {x})", "(sum({x})^2 - sum({x}.*{x}))", "(norm2({x})^2 - 1)"),
    "square": (
        "(tr({x})^2 - tr({x}*{x}) - 2*det({x}))", "(tr({x}*{x}) - tr({x}*{x}'))", "(tr({x})^2 - tr({x}*{x}))",
        "sum({x} - diag(diag({x})))", "sum({x}*{x} - tr({x})*{x} + det({x})*eye({n}))", "(det({x})^2 - 1)",
        "sum({x} - tril({x}))", "sum(({x}*{x}' - {x}'*{x}).^2)", "(det({x}) - prod(diag({x})))",
    ),
}  # fmt: skip
"""Numbers that are 0 for some sizes or for variables of a special kind, and not for all."""


def vanishing_terms(claim: Stated) -> Iterator[Compare]:
    """The right side times 1 and something that vanishes where a careless test would look."""
    found = [form.format(n=n) for n in claim.sizes for form in VANISHING["size"]]
    for x, spec in claim.specs.items():
        kind = ("scalar", "vector", "matrix")[len(spec.shape)] if len(spec.shape) < 3 else ""
        if claim.is_square(x) and spec.shape[0].is_Symbol:
            found += [form.format(x=x, n=spec.shape[0]) for form in VANISHING["square"]]
        found += [form.format(x=x) for form in VANISHING.get(kind, ())]
    if claim.columns:
        for form in found:
            factor = chain(number(1), ("+", tree_of(form)))
            yield replace(claim.tree, right=chain(factor, ("*", claim.tree.right)))


def off_by_constant(claim: Stated) -> Iterator[Compare]:
    """1, a thousandth or the unit matrix too much."""
    unit = {0: "1", 1: "vector(1)", 2: "matrix(1)"}.get(len(claim.result)) if claim.columns else "1"
    if unit is not None:
        for amount in ("1", "0.001", "-1"):
            yield _plus(claim, f"{amount}*{unit}")
    if len(claim.result) == 2 and claim.result[0] == claim.result[1]:
        yield _plus(claim, f"eye({claim.result[0]})")
        yield _plus(claim, f"({claim.result[0]} - 1)*eye({claim.result[0]})")


def _plus(claim: Stated, extra: str) -> Compare:
    return replace(claim.tree, right=chain(claim.tree.right, ("+", tree_of(extra))))


def relation_changed(claim: Stated) -> Iterator[Compare]:
    """An inequality turned round, made strict, taken for an equation, or with one side doubled."""
    turned = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}
    if (symbol := claim.tree.symbol) in turned:
        yield replace(claim.tree, symbol=turned[symbol])
        yield replace(claim.tree, symbol=symbol[0])
        yield replace(claim.tree, symbol="==")
        yield replace(claim.tree, left=chain(number(2), ("*", claim.tree.left)))
    elif symbol == "==":
        yield replace(claim.tree, symbol="<=")
        yield replace(claim.tree, symbol="<")


def closure(fact: str) -> frozenset[str]:
    """A fact and all that follows from it."""
    return frozenset({fact}).union(*map(closure, IMPLIES[fact]))


def facts_dropped(claim: Stated) -> Iterator[dict[str, Spec]]:
    """One variable without what was declared of it, or without any one of its facts."""
    for name, spec in claim.specs.items():
        if spec.facts:
            yield {**claim.specs, name: replace(spec, facts=frozenset())}
            for fact in sorted(spec.facts):
                yield {**claim.specs, name: replace(spec, facts=closure(fact))}


def facts_exchanged(claim: Stated) -> Iterator[dict[str, Spec]]:
    """Another fact in place of those that were declared."""
    for name, spec in claim.specs.items():
        if spec.facts and claim.is_square(name):
            for fact in ("symmetric", "orthogonal", "invertible"):
                if fact not in spec.facts:
                    yield {**claim.specs, name: replace(spec, facts=closure(fact))}


MUTATIONS = (
    Mutation("a transpose dropped", transpose_dropped),
    Mutation("a transpose added", transpose_added),
    Mutation("the sign of a term", sign),
    Mutation("the sign of a side", whole=whole_sign),
    Mutation("a term dropped", term_dropped),
    Mutation("a factor dropped", factor_dropped),
    Mutation("a number changed", factor_two),
    Mutation("a factor of a side", whole=whole_factor),
    Mutation("order swapped", order_swapped),
    Mutation("another product", product_exchanged),
    Mutation("another exponent", exponent_changed),
    Mutation("another function", function_exchanged),
    Mutation("another variable", variable_exchanged),
    Mutation("another axis", axis_changed),
    Mutation("another unit", unit_exchanged),
    Mutation("true only for special arguments", special_argument),
    Mutation("true only where a term vanishes", whole=vanishing_terms),
    Mutation("off by a constant", whole=off_by_constant),
    Mutation("another relation", whole=relation_changed),
    Mutation("facts dropped", declared=facts_dropped),
    Mutation("facts exchanged", declared=facts_exchanged),
)
