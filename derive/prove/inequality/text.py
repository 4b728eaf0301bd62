"""Forms as a person writes them: ``sum_i x[i]^2 - 2 sum_i x[i] y[i]``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy
from sympy import Expr, S

from ...ir.nodes import NAMES, Bracket, Index, Read, Slot, indices_of
from ..forms.atoms import Applied, Grow, Total
from ..forms.polynomial import Monomial, Polynomial
from .squares import free_indices

Names = dict[Index, str]


def shown(form: Polynomial, names: Names | None = None) -> str:
    """A form in index notation, its positive terms first."""
    names = names or readable(form)
    parts = sorted(
        ((_factors(m, names), c) for m, c in form), key=lambda p: (bool(p[1] < 0), len(p[0]), p[0])
    )
    text = ""
    for factors, c in parts:
        sign = (" - " if text else "-") if c < 0 else (" + " if text else "")
        size = abs(c)
        text += sign + (factors if size == 1 and factors else f"{size} {factors}" if factors else str(size))
    return text or "0"


def readable(form: Polynomial) -> Names:
    """Letters for indices that were made on the way."""
    free = {i for m in form.terms for a, _ in m for i in free_indices(a)}
    taken = {i.name for i in free}
    letters = (n for n in NAMES if n not in taken)
    return {i: next(letters) for i in sorted(free, key=str) if i.name.startswith("_")}


def shown_expr(e: Any, names: Names | None = None) -> str:
    """One expression in index notation."""
    return _text(e, names or readable(Polynomial.of(e)), 0)


def _factors(m: Monomial, names: Names) -> str:
    over = [(a, -x) for a, x in m if x < 0]
    under = [(a, x) for a, x in m if x > 0]
    top = _product(under, names)
    if not over:
        return top
    bottom = _product(over, names)
    if len(under) == 1 and isinstance(under[0][0], Total) and under[0][1] == 1:
        top = f"({top})"
    return f"{top or 1}/{bottom}" if len(over) == 1 else f"{top or 1}/({bottom})"


def _product(factors: Iterable[tuple[Expr, Expr]], names: Names) -> str:
    plain: list[str] = []
    sums: list[str] = []
    for a, x in factors:
        text = _text(a, names, 2 if x != 1 else 1)
        if x == S.Half:
            text = f"sqrt({_text(a, names, 0)})"
        elif x != 1:
            text = f"{text}^{x}" if x.is_Integer else f"{text}^({x})"
        (sums if isinstance(a, Total) and x == 1 else plain).append(text)
    sums = [f"({s})" for s in sorted(sums)] if len(sums) > 1 or (plain and sums) else sums
    return " ".join([*sorted(plain), *sums])


def _text(e: Any, names: Names, strength: int) -> str:
    """strength: 0 alone, 1 within a product, 2 under a power."""
    match e:
        case Read():
            inner = ",".join(_text(i, names, 0) for i in e.indices)
            return f"{e.tensor.name}[{inner}]" if e.indices else str(e.tensor.name)
        case Index():
            return names.get(e, str(e.name))
        case Slot():
            return ":"
        case Total():
            inside = _named(e.bound, e.body, names)
            body = _text(e.body, inside, 1)
            return _bracketed(f"sum_{','.join(inside[b] for b in e.bound)} {body}", strength > 1)
        case Grow():
            return f"exp({_text(e.args[0], names, 0)})"
        case Bracket():
            return f"[{_text(e.condition, names, 0)}]"
        case Applied():
            return _applied(e, names)
        case sympy.Add():
            terms = sorted((_text(a, names, 1) for a in e.args), key=lambda t: (t.startswith("-"), len(t), t))
            return _bracketed(" + ".join(terms).replace("+ -", "- "), strength > 0)
        case sympy.Mul():
            return _mul(e, names, strength)
        case sympy.Pow():
            return (
                _product([e.as_base_exp()], names)
                if e.exp.is_positive
                else f"1/{_product([(e.base, -e.exp)], names)}"
            )
    if not e.args:
        return str(e)
    if e.is_Relational:
        return f"{_text(e.lhs, names, 1)} {e.rel_op} {_text(e.rhs, names, 1)}"
    spoken = {"Absolute": "abs", "Maximum": "max", "Minimum": "min"}
    name = spoken.get(e.func.__name__, e.func.__name__)
    return f"{name}({', '.join(_text(a, names, 0) for a in e.args)})"


def _mul(e: Expr, names: Names, strength: int) -> str:
    number, rest = e.as_coeff_Mul()
    factors = [f.as_base_exp() for f in sympy.Mul.make_args(rest)]
    text = _factors(frozenset(factors), names)
    if number == -1:
        text = f"-{text}"
    elif number != 1:
        text = f"{number} {text}"
    return _bracketed(text, strength > 1)


def _applied(e: Applied, names: Names) -> str:
    if len(e.args[2]) == 1 and isinstance(e.args[2][0], Total) and not e.args[4]:
        return f"{e.args[0]}{_text(e.args[2][0], names, 0).removeprefix('sum')}"
    operands = ", ".join(_text(o, names, 0) for o in e.args[2])
    for read in e.args[2]:
        if isinstance(read, Read) and all(isinstance(i, Slot) for i in read.indices):
            operands = read.tensor.name
    places = ",".join(_text(p, names, 0) for p in e.args[3])
    if str(e.args[0]) == "slogdet":
        return f"{'logdet' if e.args[1] == 1 else 'sign of det'}({operands})"
    return f"{e.args[0]}({operands})" + (f"[{places}]" if places else "")


def _named(bound: Iterable[Index], body: Any, names: Names) -> Names:
    """Names for bound indices that do not occur in the body already."""
    bound = list(bound)
    taken = {names.get(i, i.name) for i in indices_of(body) if i not in bound}
    free = [n for n in NAMES if n not in taken]
    return {**names, **dict(zip(bound, free, strict=False))}


def _bracketed(text: str, wanted: bool) -> str:
    return f"({text})" if wanted else text
