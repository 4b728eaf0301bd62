"""A scalar expression as a textbook writes it: logarithms of products apart, sigmoids by name, the shortest of its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy
from sympy import Add, Expr, Mul, Pow, S

from ..ir.nodes import Bracket, Read, Where
from ..ops.elementwise.exponential import sigmoid
from ..ops.elementwise.piecewise import Sign, domestic
from .logarithms import OBSERVED, in_terms, rewritten

WHOLE = (Bracket, Where)
"""What polynomials cannot look into."""
LARGE = 70
"""Operations above which forms are not searched for."""


def textbook(expr: Expr) -> Expr:
    """The shortest form found, equal to `expr` wherever that is defined."""
    expr = domestic(expr)
    standardised = _standardised(expr)
    found = [in_terms(expr)] if standardised else list(_forms(in_terms(expr)))
    for shifted, back in standardised:
        found += [form.xreplace(back) for form in _forms(shifted)]
    return _joined(shortest(found))


def _joined(expr: Expr) -> Expr:
    """``log(2 pi) / 2`` for ``log(2) / 2 + log(pi) / 2``."""

    def joined(total: Expr) -> Expr:
        found: dict[Expr, Expr] = {}
        rest = []
        for term in total.args:
            number, log = term.as_coeff_Mul()
            if isinstance(log, sympy.log) and log.args[0].is_comparable:
                sign = S.One if number > 0 else S.NegativeOne
                found[abs(number)] = found.get(abs(number), S.One) * log.args[0] ** sign
            else:
                rest.append(term)
        return Add(*rest, *(c * sympy.log(x) if x > 1 else -c * sympy.log(1 / x) for c, x in found.items()))

    return expr.replace(lambda e: isinstance(e, Add), joined)


def shorter(expr: Expr) -> Expr:
    """The expression as it stands, or as a textbook writes it."""
    return shortest([expr, textbook(expr)])


def shortest(forms: Iterable[Expr]) -> Expr:
    """The form that is shortest to read: by its operations, then by its characters."""
    weights = {form: cost(form) for form in forms}
    least = min(weights.values())
    texts = {str(form): form for form, weight in weights.items() if weight == least}
    return texts[min(texts, key=lambda text: (len(text), text))]


def cost(expr: Expr) -> int:
    """How long an expression is to read."""
    return sum(_weight(node) for node in sympy.preorder_traversal(expr))


def _weight(node: Expr) -> int:
    if isinstance(node, Mul):
        minus, sums = node.args[0] == S.NegativeOne, any(isinstance(a, Add) for a in node.args)
        over = node.args[0].is_Rational and len(node.args) == 2
        below = sum(isinstance(a, Pow) and a.exp.is_negative is True for a in node.args)
        return 10 * (len(node.args) - 1) - 5 * minus + (14 if over else 5) * sums - 12 * max(below - 1, 0)
    if isinstance(node, Add):
        backwards = any(a.is_Mul and a.args[0] == -1 and str(a.args[1]) in OBSERVED for a in node.args)
        return 10 * (len(node.args) - 1) + 6 * (_upright(node) is not None) + 2 * backwards
    if isinstance(node, Pow):
        return 12 if node.exp == S.NegativeOne else 16
    return 10 * bool(node.args) + (3 if node.is_Rational and not node.is_Integer else 1)


# -- what depends on a difference alone


def _standardised(expr: Expr) -> list[tuple[Expr, dict[Expr, Expr]]]:
    """The expression in u = a - b, and in u = (a - b) / s, where it has a and b in no other way; the two shortest."""
    found = []
    pairs = {pair for e in expr.atoms(Add) if (pair := _difference(e)) is not None}
    for a, b in sorted(pairs, key=str):
        scales = sorted((r for r in expr.atoms(Read) if r.is_positive and r not in (a, b)), key=str)
        for scale in (S.One, *scales):
            u = sympy.Dummy("u", real=True)
            shifted = expr.xreplace({a: b + scale * u}).replace(lambda e: isinstance(e, Add), sympy.expand)
            if not shifted.has(b):
                found.append((in_terms(shifted), {u: (a - b) / scale}))
    return sorted(found, key=lambda pair: cost(pair[0]))[:2]


def _difference(e: Expr) -> tuple[Expr, Expr] | None:
    """The two numbers of a difference."""
    parts = [term.as_coeff_Mul() for term in e.args]
    if len(parts) != 2 or not all(isinstance(a, Read) for _, a in parts) or {c for c, _ in parts} != {1, -1}:
        return None
    first, second = sorted((a for _, a in parts), key=lambda a: (str(a) not in OBSERVED, str(a)))
    return first, second


# -- forms


def _forms(plain: Expr) -> set[Expr]:
    found = {plain}
    if plain.count_ops() > LARGE:
        if plain.atoms(sympy.Function) or plain.count_ops() > 8 * LARGE:
            return found
        plain = sympy.factor(plain)
        if plain.count_ops() > LARGE:
            return found | {plain}
        found.add(plain)
    changes = OF_WHOLE if plain.has(*WHOLE) else CHANGES
    for change in changes:
        try:
            form = change(plain)
        except (sympy.PolynomialError, NotImplementedError, AttributeError):
            continue
        found |= {form, rewritten(form)}
    return found | set(map(_signs, found)) | set(map(_complemented, found))


def _factored(expr: Expr) -> Expr:
    return sympy.factor(sympy.together(expr))


def in_factors(expr: Expr) -> Expr:
    """Factors of a polynomial in exponentials and sigmoids as they stand."""
    names = {e: sympy.Dummy("e", positive=True) for e in expr.atoms(sympy.exp, sigmoid)}
    found = sympy.factor(sympy.together(expr.xreplace(names)))
    return found.xreplace({d: e for e, d in names.items()})


def _collected(expr: Expr) -> Expr:
    """Common logarithms and functions taken out: ``(y + r) log(r + mu)``."""
    if not expr.is_Add:
        return expr
    for function in sorted(
        (f for f in expr.atoms(sympy.Function) if f.free_symbols), key=lambda f: -f.count_ops()
    ):
        name = sympy.Dummy("f")  # sympy.collect takes 1/x for a power of exp(x)
        expr = sympy.collect(expr.xreplace({function: name}), name).xreplace({name: function})
    return expr


def _collected_inside(expr: Expr) -> Expr:
    """The same within a product."""
    expr = sympy.factor_terms(expr)
    return expr.func(*map(_collected, expr.args)) if isinstance(expr, Mul) else expr


def _by_exponentials(expr: Expr) -> Expr:
    """One exponential of each product, cleared from the denominators."""
    if not expr.has(sympy.exp):
        return expr
    return sympy.powsimp(sympy.factor_terms(sympy.cancel(sympy.together(expr))), deep=True)


def _other_signs(expr: Expr) -> Expr:
    """-sign(u) for sign(-u)."""
    return expr.replace(Sign, lambda u: -Sign(-u))


CHANGES: tuple[Callable[[Expr], Expr], ...] = (
    sympy.together, sympy.factor_terms, _factored, in_factors, _collected, _by_exponentials,
    _other_signs,
)  # fmt: skip


OF_WHOLE = (sympy.factor_terms, _collected)
"""Those that do not look into brackets."""


def _complemented(expr: Expr) -> Expr:
    """s(-z) for 1 - s(z)."""

    def rule(e: Expr) -> Expr:
        return sigmoid(-(1 - e).args[0])

    return expr.replace(
        lambda e: isinstance(e, Add) and len(e.args) == 2 and isinstance(1 - e, sigmoid), rule
    )


def _signs(expr: Expr) -> Expr:
    """A minus in front of a product goes into a difference: ``r (exp(z) - y)`` for ``-r (y - exp(z))``."""

    def turned(product: Expr) -> Expr:
        number, factors = product.args[0] if product.args[0].is_Number else S.One, list(product.args)
        rest = factors[1:] if factors[0].is_Number else factors
        for place, f in enumerate(rest):
            if (other := _upright(f)) is not None:
                number, rest[place] = -number, other
        if number.is_negative:
            found = [k for k, f in enumerate(rest) if isinstance(f, Add) and _minuses(f)]
            if found:
                number, rest[found[0]] = -number, _negative(rest[found[0]])
        return number * Mul(*rest)

    return expr.replace(lambda e: isinstance(e, Mul), turned)


def _upright(factor: Expr) -> Expr | None:
    """``1 / (1 - u)`` for ``1 / (u - 1)``, ``r + 1`` for ``-r - 1``: the other sign, where that reads better."""
    base, exponent = factor.as_base_exp()
    if not (isinstance(base, Add) and exponent.is_odd):
        return None
    number, rest = base.as_coeff_Add()
    less_one = number.is_negative and not _minuses(rest)
    return Pow(_negative(base), exponent) if less_one or _minuses(base) == len(base.args) else None


def _negative(e: Expr) -> Expr:
    return Add(*(-a for a in e.args))


def _minuses(e: Expr) -> int:
    return sum(bool(a.could_extract_minus_sign()) for a in Add.make_args(e))
