"""Is a form a convex function? Terms with kinks by rules of composition, the smooth rest by its second derivative."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy
from sympy import Expr, S

from ...ir.nodes import Index, Read
from ...ops.elementwise.piecewise import Absolute, Maximum, Minimum
from ..forms.atoms import Applied, Grow, Total
from ..forms.polynomial import Monomial, Polynomial
from .directional import Directions, NoDerivative, along, depends
from .forms import over
from .goal import Goal
from .prove import nonnegative
from .rewriting import inside, rewritten
from .signs import Signs
from .text import shown, shown_expr

Lines = list[str]
SMOOTH = (sympy.sin, sympy.cos)


@dataclass(frozen=True, eq=False)
class Setting:
    """The variables with a direction for each; `goal` holds the free indices and what is known."""

    goal: Goal
    directions: Directions

    def at(self, *indices: Index) -> Setting:
        return replace(self, goal=replace(self.goal, free=(*self.goal.free, *indices)))

    @property
    def signs(self) -> Signs:
        return Signs(self.goal)

    def active(self, e: Expr) -> bool:
        return depends(e, self.directions)

    def nonnegative(self, form: Polynomial, strict: bool = False) -> Lines | None:
        found = nonnegative(replace(self.goal, form=form, strict=strict))
        return list(found.lines) if found else None


def convex(form: Polynomial, setting: Setting) -> Lines | None:
    """Why the form is convex, in lines; None where it is not shown."""
    if affine(form, setting):
        return []
    lines: Lines = []
    smooth: dict[Monomial, Expr] = {}
    for monomial, c in form:
        if _rooted(monomial) and (norm := _term(monomial, c, setting)) is not None:
            lines.extend(norm)
            continue
        if not any(kinked(a, e, setting) for a, e in monomial if setting.active(a)):
            smooth[monomial] = c
            continue
        found = _term(monomial, c, setting)
        if found is None:
            return None
        lines.extend(found)
    rest = _smooth(Polynomial(smooth), setting)
    return None if rest is None else [*lines, *rest]


def _rooted(monomial: Monomial) -> bool:
    """Whether a square root stands in a product, which may be a norm."""
    return any(e == S.Half or any(p.exp == S.Half for p in a.atoms(sympy.Pow)) for a, e in monomial)


def affine(form: Polynomial, setting: Setting) -> bool:
    """Whether no variable is multiplied by another or stands within a function."""
    return all(_affine_term(m, setting) for m, _ in form)


def _affine_term(monomial: Monomial, setting: Setting) -> bool:
    active = [(a, e) for a, e in monomial if setting.active(a)]
    if not active:
        return True
    if len(active) > 1 or active[0][1] != 1:
        return False
    ((atom, _),) = active
    if isinstance(atom, Total):
        return affine(inside(atom, setting.goal.forms)[0], setting)
    return isinstance(atom, Read)


def kinked(atom: Expr, exponent: Expr, setting: Setting) -> bool:
    """Whether this power is no smooth function of the variables, as far as is known."""
    if not setting.active(atom):
        return False
    if exponent.is_Integer and exponent > 0:
        return not _regular(atom, setting)
    return not (_regular(atom, setting) and _base(atom, exponent, setting))


def _base(atom: Expr, exponent: Expr, setting: Setting) -> bool:
    """Whether a power is smooth: its base is positive, or it is a root of something affine, whose domain is convex."""
    form = setting.goal.forms.form(atom)
    if exponent.is_Rational and exponent.q % 2 == 0 and affine(form, setting):
        return True
    return setting.signs.positive(atom) or setting.nonnegative(form, strict=True) is not None


def _regular(atom: Expr, setting: Setting) -> bool:
    """Whether an atom is a smooth function of the variables on a convex domain."""
    forms = setting.goal.forms
    if not setting.active(atom):
        return True

    def all_regular(form: Polynomial, inner: Setting) -> bool:
        return all(not kinked(a, e, inner) for m, _ in form for a, e in m)

    match atom:
        case Read():
            return True
        case Total():
            body, bound = inside(atom, forms)
            return all_regular(body, setting.at(*bound))
        case sympy.Add() | sympy.Mul():
            return all(all_regular(forms.form(x), setting) for x in atom.args)
        case Grow():
            return all_regular(forms.form(atom.args[0]), setting)
        case sympy.log():
            argument = forms.form(atom.args[0])
            positive = affine(argument, setting) or setting.nonnegative(argument, strict=True) is not None
            return positive and all_regular(argument, setting)
        case Applied() if str(atom.args[0]) in ("inv", "det", "slogdet"):
            return setting.signs.definite_matrix(atom) and _read_whole(atom)
    return isinstance(atom, SMOOTH) and all_regular(forms.form(atom.args[0]), setting)


def _read_whole(atom: Applied) -> bool:
    (operand,) = atom.args[2]
    return isinstance(operand, Read) and "positive definite" in operand.tensor.facts


def _smooth(form: Polynomial, setting: Setting) -> Lines | None:
    """By the second derivative along every direction."""
    if affine(form, setting):
        return []
    forms = setting.goal.forms
    try:
        second = along(along(form, forms, setting.directions), forms, setting.directions)
    except NoDerivative:
        return None
    found = setting.nonnegative(second)
    if found is None:
        return None
    names = ", ".join(f"{x.name} along {v.name}" for x, v in setting.directions.items())
    return [f"{shown(form)} has, moving {names}, the second derivative", *found]


# -- rules of composition


def _term(monomial: Monomial, c: Expr, setting: Setting) -> Lines | None:
    """A term with a kink: a factor that has a sign and no variable, times one convex or concave atom."""
    active = [(a, e) for a, e in monomial if setting.active(a)]
    factor = Polynomial({monomial - set(active): c})
    for sign in (1, -1):
        if setting.signs.form(factor.scaled(sign)):
            break
    else:
        return None
    grown = [(a, e) for a, e in active if isinstance(a, Grow)]
    if len(grown) == len(active) and sign > 0:
        exponent = Polynomial.sum(setting.goal.forms.form(a.args[0]).scaled(e) for a, e in grown)
        return _because(convex(exponent, setting), f"exp({shown(exponent)}): exp of a convex function")
    if len(active) != 1:
        return None
    ((atom, e),) = active
    if e == 1:
        return _atom(atom, sign, setting)
    return _power(atom, e, setting) if sign > 0 else None


def _because(found: Lines | None, line: str) -> Lines | None:
    return None if found is None else [f"convex: {line}", *found]


def _atom(atom: Expr, sign: int, setting: Setting) -> Lines | None:
    forms = setting.goal.forms
    match atom:
        case Total():
            body, bound = inside(atom, forms)
            return convex(body.scaled(sign), setting.at(*bound))
        case Absolute() if sign > 0:
            inner = forms.form(atom.args[0])
            line = f"{shown_expr(atom)}: the absolute value of an affine function"
            return [f"convex: {line}"] if affine(inner, setting) else None
        case sympy.log() if sign < 0 and (tail := _tail(atom.args[0])) is not None and affine(forms.form(tail), setting):
            return [
                f"convex: -{shown_expr(atom)}: the normal distribution function Phi is log-concave, "
                "since phi(x) + x Phi(x) is the integral of Phi up to x"
            ]
        case Maximum() | Minimum() if sign == (1 if isinstance(atom, Maximum) else -1):
            parts = [convex(forms.form(a).scaled(sign), setting) for a in atom.args]
            kind = "the larger of two convex functions" if sign > 0 else "minus the smaller of two concave functions"
            found = None if None in parts else [line for p in parts if p for line in p]
            return _because(found, f"{shown_expr(atom)}: {kind}")
        case Applied() if str(atom.args[0]) == ("max" if sign > 0 else "min"):
            body, bound = inside(over(atom), forms)
            kind = "the largest of convex functions" if sign > 0 else "minus the smallest of concave functions"
            return _because(convex(body.scaled(sign), setting.at(*bound)), f"{shown_expr(atom)}: {kind}")
    return None


def _tail(e: Expr) -> Expr | None:
    """What stands within erf in ``1 + erf(x)``, which is twice a normal distribution function."""
    number, rest = e.as_coeff_Add()
    sign, erf = rest.as_coeff_Mul()
    return sign * erf.args[0] if number == 1 and isinstance(erf, sympy.erf) and sign**2 == 1 else None


def _power(atom: Expr, exponent: Expr, setting: Setting) -> Lines | None:
    """A norm, the root of a quadratic that is nowhere negative; a power above 1 of what is convex and nonnegative."""
    forms = setting.goal.forms
    text = shown(Polynomial.of(atom, exponent))
    if exponent == S.Half:
        form = forms.form(atom)
        if quadratic(form, setting) and setting.nonnegative(_everywhere(form, setting)) is not None:
            return [f"convex: {text}: a norm, the root of a quadratic that is nowhere negative"]
    if exponent >= 1 and setting.signs.nonnegative(atom):
        return _because(_atom(atom, 1, setting), f"{text}: a power above 1 of a convex function that is nowhere negative")
    return None


def _everywhere(form: Polynomial, setting: Setting) -> Polynomial:
    """The form without what is declared of the signs of the variables: ``sqrt(x y)`` is no norm where both are positive."""

    def rule(a: Expr) -> Polynomial | None:
        if not (isinstance(a, Read) and a.tensor in setting.directions):
            return None
        free = replace(a.tensor, name=f"{a.tensor.name}, anywhere", facts=a.tensor.facts & {"symmetric"})
        return Polynomial.of(Read(free, a.indices))

    return rewritten(form, setting.goal.forms, rule)


def quadratic(form: Polynomial, setting: Setting) -> bool:
    """Whether the form is a polynomial of degree 2 at most in the variables."""
    return all((d := _degree(m, setting)) is not None and d <= 2 for m, _ in form)


def _degree(monomial: Monomial, setting: Setting) -> int | None:
    degree = 0
    for atom, exponent in monomial:
        if not setting.active(atom):
            continue
        if not (exponent.is_Integer and exponent > 0):
            return None
        if isinstance(atom, Read):
            degree += int(exponent)
        elif isinstance(atom, Total):
            body, _ = inside(atom, setting.goal.forms)
            inner = [_degree(m, setting) for m, _ in body]
            if None in inner:
                return None
            degree += int(exponent) * max(d for d in inner if d is not None)
        else:
            return None
    return degree


