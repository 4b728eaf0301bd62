"""A scalar expression as a textbook writes it: logarithms of products apart, sigmoids by name, the shortest of its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
from sympy import Add, Expr, Mul, Pow, S

from ..ir.nodes import Bracket, Where
from ..ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from ..ops.elementwise.piecewise import domestic

WHOLE = (Bracket, Where)
LARGE = 60
"""Operations above which forms are not searched for."""


def textbook(expr: Expr) -> Expr:
    """The shortest form found, equal to `expr` wherever that is defined."""
    plain = in_terms(expr)
    return min(_forms(plain), key=cost)


def in_terms(expr: Expr) -> Expr:
    """Logarithms of products apart, functions of ``exp`` by their names, multiplied out."""
    expr = _plain(domestic(expr))
    for _ in range(4):
        before = expr
        expr = sympy.expand_mul(_rewritten(expr))
        if expr == before:
            break
    return expr


def cost(expr: Expr) -> tuple[int, int, int, str]:
    """How long an expression is to read: operations; quotients and differences of long things; characters."""
    weight = sum(_weight(node) for node in sympy.preorder_traversal(expr))
    return weight, len(expr.args), len(str(expr)), str(expr)


def _weight(node: Expr) -> int:
    if isinstance(node, Add | Mul):
        minus = isinstance(node, Mul) and node.args[0] == S.NegativeOne
        return 10 * (len(node.args) - 1) - 5 * minus
    if isinstance(node, Pow):
        return 12 if node.exp == S.NegativeOne else 14
    return 10 * bool(node.args) + (3 if node.is_Rational and not node.is_Integer else 1)


def _forms(plain: Expr) -> Iterator[Expr]:
    yield plain
    if plain.count_ops() > LARGE:
        return
    yield _signs_of_sigmoids(plain)
    for change in (_together, _factored, _collected, _complements, _over_parts):
        try:
            found = change(plain)
        except (sympy.PolynomialError, NotImplementedError, AttributeError, TypeError):
            continue
        yield found
        yield _rewritten(found)


def _together(expr: Expr) -> Expr:
    return sympy.together(expr)


def _factored(expr: Expr) -> Expr:
    if expr.has(*WHOLE):
        return expr
    return sympy.factor(sympy.together(expr))


def _over_parts(expr: Expr) -> Expr:
    """Each fraction of a sum in lowest terms by itself."""
    return sympy.apart(_factored(expr)) if len(expr.atoms(sympy.Function)) == 0 else expr


def _collected(expr: Expr) -> Expr:
    """Common logarithms and functions taken out: ``(y + r) log(r + mu)``."""
    if not expr.is_Add:
        return expr
    found = expr
    heads = sorted((f for f in expr.atoms(sympy.Function) if f.free_symbols), key=lambda f: -f.count_ops())
    for function in heads:
        found = sympy.collect(found, function)
    return found


def _complements(expr: Expr) -> Expr:
    """Squares of sigmoids as products with their complements: ``s(z) s(-z)`` is ``s - s^2``."""
    names = {s: sympy.Dummy("s") for s in expr.atoms(sigmoid)}
    if not names:
        return expr
    found = sympy.factor(expr.xreplace(names))
    return found.xreplace({d: s for s, d in names.items()})


def _signs_of_sigmoids(expr: Expr) -> Expr:
    """1 - s(z) as s(-z)."""
    return expr.replace(
        lambda e: (
            isinstance(e, Add) and len(e.args) == 2 and S.One in e.args and isinstance(-(e - 1), sigmoid)
        ),
        lambda e: sigmoid(-(-(e - 1)).args[0]),
    )


# -- what is the same by definition


def _plain(expr: Expr) -> Expr:
    """The accurate functions by what they mean."""
    return expr.replace(log1p, lambda x: sympy.log(1 + x)).replace(expm1, lambda x: sympy.exp(x) - 1)


def _rewritten(expr: Expr) -> Expr:
    for rule in RULES:
        expr = rule(expr)
    return expr


def _logs(expr: Expr) -> Expr:
    return expr.replace(sympy.log, split_log)


def split_log(x: Expr) -> Expr:
    """The logarithm of something positive, in parts: of factors, of powers of a nonnegative base, of exponentials."""
    if isinstance(x, sympy.exp):
        return x.args[0]
    if isinstance(x, sigmoid):
        return -softplus(-x.args[0])
    if isinstance(x, Pow) and (x.base.is_nonnegative or x.exp.is_integer is not True or x.base.is_Add):
        base = x.base if x.base.is_nonnegative or not x.exp.is_even else sympy.Abs(x.base)
        return x.exp * split_log(base)
    x = _common(x)
    if isinstance(x, Mul):
        parts = [f for f in x.args if f.is_positive or isinstance(f, Pow | sigmoid | sympy.exp)]
        rest = Mul(*(f for f in x.args if f not in parts))
        if rest.is_number and rest.is_negative:
            return sympy.log(x)
        return Add(*map(split_log, parts)) + (sympy.log(rest) if rest != 1 else 0)
    if isinstance(x, Add) and (one := x - 1) and isinstance(one, sympy.exp):
        return softplus(one.args[0])
    if isinstance(x, Add) and len(x.args) == 2 and isinstance(1 - x, sigmoid):
        return -softplus((1 - x).args[0])
    return sympy.log(x)


def _common(x: Expr) -> Expr:
    """A sum over one denominator: ``1 - mu/(mu + r)`` is ``r/(mu + r)``."""
    if not isinstance(x, Add):
        return x
    found = sympy.factor_terms(sympy.cancel(sympy.together(x))) if x.count_ops() < LARGE else x
    return found if (isinstance(found, Mul) and cost(found) < cost(x)) or not found.is_Add else x


def _softplus_signs(expr: Expr) -> Expr:
    """softplus(-u) is softplus(u) - u."""

    def positive(u: Expr) -> Expr:
        return softplus(-u) + u if u.could_extract_minus_sign() else softplus(u)

    return expr.replace(softplus, positive)


def _sigmoid_signs(expr: Expr) -> Expr:
    """s(-u) is 1 - s(u): so that equal terms are found."""
    return expr.replace(sigmoid, lambda u: 1 - sigmoid(-u) if u.could_extract_minus_sign() else sigmoid(u))


def _quotients(expr: Expr) -> Expr:
    """exp(u) / (1 + exp(u)) is s(u), and 1 / (1 + exp(u)) is 1 - s(u)."""

    def rule(e: Expr) -> Expr:
        power = -e.exp
        one = e.base - 1
        return (1 - sigmoid(one.args[0])) ** power

    found = expr.replace(
        lambda e: isinstance(e, Pow) and e.exp.is_negative and e.exp.is_integer and isinstance(e.base, Add)
        and isinstance(e.base - 1, sympy.exp),
        rule,
    )  # fmt: skip
    return found.replace(
        lambda e: isinstance(e, Mul) and any(isinstance(f, sympy.exp) for f in e.args) and e.has(sigmoid),
        _cleared,
    )


def _cleared(product: Expr) -> Expr:
    """exp(u) (1 - s(u)) is s(u)."""
    factors = list(product.args)
    for e in [f for f in factors if isinstance(f, sympy.exp)]:
        complement = 1 - sigmoid(e.args[0])
        if complement in factors:
            factors[factors.index(complement)] = sigmoid(e.args[0])
            factors.remove(e)
    return Mul(*factors)


def _tails(expr: Expr) -> Expr:
    """1 - erfc(u)/2 is erfc(-u)/2: the other tail of the normal law."""
    return expr.replace(
        lambda e: (
            isinstance(e, Add)
            and len(e.args) == 2
            and S.One in e.args
            and isinstance(2 * (1 - e), sympy.erfc)
        ),
        lambda e: sympy.erfc(-(2 * (1 - e)).args[0]) / 2,
    )


RULES: tuple[Callable[[Expr], Expr], ...] = (_tails, _logs, _quotients, _softplus_signs, _sigmoid_signs)
