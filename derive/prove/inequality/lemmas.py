"""Named inequalities, one record each: which of their instances could bear on a form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import sympy
from sympy import Expr, S

from ...ir.nodes import Index, Read, Slot
from ...ops.elementwise.piecewise import Absolute, Maximum, Minimum
from ..forms.atoms import Applied, Grow, Total
from ..forms.polynomial import Polynomial
from .forms import over
from .goal import Known
from .ratios import logarithm_ratios
from .rewriting import inside
from .scene import Scene
from .squares import free_indices
from .text import shown, shown_expr

Instances = Callable[[Scene], Iterator[Known]]
MOST_POINTS = 8
"""Points among which tangents are drawn."""


@dataclass(frozen=True)
class Lemma:
    """An inequality of which instances are found among the atoms of a form.

    statement: what it says, in words a reader can check. source: author, year, section.
    whole: whether the instances are summed already and take no factor.
    """

    name: str
    statement: str
    source: str
    instances: Instances
    whole: bool = False


# -- tangents


def exponential_tangents(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    exponents: dict[Expr, Polynomial] = {S.Zero: Polynomial.number(0)}
    for m in scene.products:
        grown = [forms.form(a.args[0]).scaled(e) for a, e in m if isinstance(a, Grow)]
        if grown:
            total = Polynomial.sum(grown)
            exponents.setdefault(total.expression(), total)
    for a in scene.atoms:
        if isinstance(a, Grow):
            exponents.setdefault(a.args[0], forms.form(a.args[0]))
    for a in scene.atoms:
        if isinstance(a, sympy.log):
            exponents.setdefault(a, Polynomial.of(a))
    for u, v in _pairs(exponents.values()):
        form = forms.exponential(u) - forms.exponential(v) * (Polynomial.number(1) + u - v)
        yield Known(
            forms.form(form.expression()),
            f"exp(u) >= exp(v) (1 + u - v) with u = {shown(u)}, v = {shown(v)}",
            cost=2,
        )


def growing_exponentials(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    less = [k.form for k in (*scene.goal.given, *chosen_entries(scene))]
    exponents = {S.Zero: Polynomial.number(0)}
    for m in scene.products:
        total = Polynomial.sum(forms.form(a.args[0]).scaled(e) for a, e in m if isinstance(a, Grow))
        exponents.setdefault(total.expression(), total)
    for u, v in _pairs(exponents.values()):
        if any(_multiple(u - v, f, scene) for f in less):
            form = forms.exponential(u) - forms.exponential(v)
            yield Known(forms.form(form.expression()), f"exp({shown(u)}) >= exp({shown(v)})")


def _multiple(form: Polynomial, of: Polynomial, scene: Scene) -> bool:
    """Whether a form is another one times a product that is not negative."""
    if form.is_zero or of.is_zero:
        return False
    first = next(iter(of.terms))
    inverse = Polynomial.monomial((a, -e) for a, e in first)
    for m, c in form:
        factor = (Polynomial({m: c}) * inverse).scaled(1 / of.terms[first])
        if (of * factor).terms == form.terms and scene.signs.form(factor):
            return True
    return False


def logarithm_tangents(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    bases: dict[Expr, Polynomial] = {S.One: Polynomial.number(1)}
    for a in scene.atoms:
        if isinstance(a, sympy.log):
            bases.setdefault(a.args[0], forms.form(a.args[0]))
    fixed = [b for e, b in bases.items() if not free_indices(e) & set(scene.bound) and e != 1]
    for a in fixed:
        bases.setdefault(1 / a.expression(), forms.power(a, S.NegativeOne))
        for b in fixed:
            if a is not b:
                quotient = a * forms.power(b, S.NegativeOne)
                bases.setdefault(quotient.expression(), quotient)
    for u, v in _pairs(bases.values()):
        # v log v + u - v - v log u, where log u and log v are defined
        form = v * (forms.logarithm(v) - forms.logarithm(u)) + u - v
        yield Known(
            forms.form(form.expression()), f"log(u/v) <= u/v - 1 with u = {shown(u)}, v = {shown(v)}", cost=2
        )


def growing_logarithms(scene: Scene) -> Iterator[Known]:
    forms, signs = scene.goal.forms, scene.signs
    one = Polynomial.number(1)
    bases = {a.args[0]: forms.form(a.args[0]) for a in scene.atoms if isinstance(a, sympy.log)}
    for a, u in bases.items():
        if isinstance(a, Read) and "simplex" in a.tensor.facts:
            yield Known(Polynomial.of(sympy.log(a)).scaled(-1), f"log({shown(u)}) <= 0, as {shown(u)} <= 1")
        for v in (one, *bases.values()):
            if u is not v and signs.form(u - v):
                form = forms.logarithm(u) - forms.logarithm(v)
                yield Known(form, f"log({shown(u)}) >= log({shown(v)})")


def power_tangents(scene: Scene) -> Iterator[Known]:
    forms, signs = scene.goal.forms, scene.signs
    groups: dict[Expr, dict[Expr, None]] = {}
    for m in scene.products:
        for a, e in m:
            if e != 1 and not (e.is_Integer and e % 2 == 0 and e > 0):
                groups.setdefault(e, {}).setdefault(a)
    for exponent, bases in groups.items():
        for a, b in _pairs(bases):
            if not (signs.positive(b) and signs.nonnegative(a)):
                continue
            u, v = Polynomial.of(a), Polynomial.of(b)
            slope = forms.power(v, exponent - 1).scaled(exponent)
            form = forms.power(u, exponent) - forms.power(v, exponent) - slope * (u - v)
            if 0 < exponent < 1:
                form = form.scaled(-1)
            yield Known(
                forms.form(form.expression()),
                f"u^({exponent}) lies on one side of its tangent at v, with u = {shown(u)}, v = {shown(v)}", cost=2,
            )  # fmt: skip


def _pairs(points: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    chosen = list(points)[:MOST_POINTS]
    return ((a, b) for a, b in product(chosen, chosen) if a is not b)


# -- kinks


def absolute_values(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    for a in scene.atoms:
        if isinstance(a, Absolute):
            inner = forms.form(a.args[0])
            for sign in (1, -1):
                form = Polynomial.of(a) + inner.scaled(sign)
                yield Known(form, f"abs(t) >= {'-' if sign > 0 else ''}t with t = {shown(inner)}")
            if len(inner.terms) > 1:
                parts = Polynomial.sum(forms.absolute(Polynomial({m: c})) for m, c in inner)
                yield Known(parts - Polynomial.of(a), f"{shown_expr(a)} <= {shown(parts)}")


def larger_of_two(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    for a in scene.atoms:
        if isinstance(a, Maximum | Minimum):
            sign = 1 if isinstance(a, Maximum) else -1
            for b in a.args:
                form = (Polynomial.of(a) - forms.form(b)).scaled(sign)
                yield Known(form, f"{shown_expr(a)} {'>=' if sign > 0 else '<='} {shown_expr(b)}")


def entries_and_extrema(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    for a in scene.atoms:
        if isinstance(a, Applied) and str(a.args[0]) in ("max", "min"):
            total = over(a)
            sign = 1 if str(a.args[0]) == "max" else -1
            for places in _places(scene, total.bound):
                entry, _ = inside(total, forms, places)
                form = (Polynomial.of(a) - entry).scaled(sign)
                yield Known(form, f"{shown_expr(a)} {'>=' if sign > 0 else '<='} {shown(entry)}")


def chosen_entries(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    for best in scene.goal.largest:
        for places in _places(scene, best.total.bound):
            other, _ = inside(best.total, forms, places)
            if other.terms == best.entry.terms:
                continue
            relation = ">=" if best.sign > 0 else "<="
            shapes: list[tuple[str, Callable[[Polynomial], Polynomial]]] = [
                ("{}", lambda f: f),
                ("exp({})", forms.exponential),
            ]
            if scene.signs.form(best.entry):
                shapes.append(("({})^2", lambda f: f.power(2)))
            for text, function in shapes:
                form = forms.form((function(best.entry) - function(other)).scaled(best.sign).expression())
                yield Known(form, f"{text.format(shown(best.entry))} {relation} {text.format(shown(other))}")


def _places(scene: Scene, bound: tuple[Index, ...]) -> Iterator[tuple[Index, ...]]:
    """Fixed indices in place of these."""
    return product(*([i for i in scene.indices if i.extent == b.extent] for b in bound))


# -- sums


def parts_of_sums(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    for a in scene.atoms:
        if isinstance(a, Total) and scene.signs.form(inside(a, forms)[0]):
            for places in _places(scene, a.bound):
                entry, _ = inside(a, forms, places)
                yield Known(Polynomial.of(a) - entry, f"{shown_expr(a)} >= {shown(entry)}, one of its terms")
    for a in scene.atoms:
        if isinstance(a, Read) and "simplex" in a.tensor.facts and not isinstance(a.indices[-1], Slot):
            form = Polynomial.number(1) - Polynomial.of(a)
            yield Known(form, f"{shown_expr(a)} <= 1, as the entries of {a.tensor.name} add up to 1")


def diagonals_of_sums(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    for a in scene.atoms:
        if not (isinstance(a, Total) and len(a.bound) == 2 and a.bound[0].extent == a.bound[1].extent):
            continue
        if not scene.signs.form(inside(a, forms)[0]):
            continue
        i = forms.fresh(a.bound[0].extent)
        diagonal = forms.total(inside(a, forms, (i, i))[0], (i,))
        yield Known(Polynomial.of(a) - diagonal, f"{shown_expr(a)} >= {shown(diagonal)}, its terms with equal indices")


def diagonals_of_products(scene: Scene) -> Iterator[Known]:
    forms = scene.goal.forms
    totals = [a for a in scene.atoms if isinstance(a, Total) and scene.signs.nonnegative(a)]
    for n, a in enumerate(totals):
        for b in totals[n:]:
            if [i.extent for i in a.bound] != [i.extent for i in b.bound]:
                continue
            f, bound = inside(a, forms)
            g, _ = inside(b, forms, bound)
            if not all(map(scene.signs.form, (f, g))):
                continue
            diagonal = forms.total(f * g, bound)
            form = forms.form((Polynomial.of(a) * Polynomial.of(b)).expression()) - diagonal
            yield Known(
                form,
                f"({shown_expr(a)}) ({shown_expr(b)}) >= {shown(diagonal)}, its terms with equal indices",
            )


def sizes(scene: Scene) -> Iterator[Known]:
    for a in scene.atoms:
        if isinstance(a, sympy.Symbol) and a.is_positive and a.is_integer:
            yield Known(Polynomial.of(a) - Polynomial.number(1), f"{a} >= 1, a size")


def case(scene: Scene) -> Iterator[Known]:
    yield from scene.goal.given


def zero_or_one(scene: Scene) -> Iterator[Known]:
    for a in scene.atoms:
        if (isinstance(a, Read) and a.tensor.facts & {"binary", "one-hot"}) or (
            isinstance(a, Read) and a.tensor.kind == "boolean"
        ):
            for sign in (1, -1):
                form = (Polynomial.of(a) - Polynomial.of(a, 2)).scaled(sign)
                yield Known(form, f"{shown_expr(a)}^2 = {shown_expr(a)}, as it is 0 or 1")
            yield Known(Polynomial.number(1) - Polynomial.of(a), f"{shown_expr(a)} <= 1")


LEMMAS = (
    Lemma("tangents of exp", "exp(u) >= exp(v) (1 + u - v): a convex function lies above its tangents",
          "Boyd and Vandenberghe (2004), eq. 3.2", exponential_tangents),
    Lemma("growing exponentials", "exp(u) >= exp(v) for u >= v", "derived: exp grows", growing_exponentials),
    Lemma("tangents of log", "log(u) <= log(v) + (u - v)/v for u, v > 0: a concave function lies below its tangents",
          "Boyd and Vandenberghe (2004), eq. 3.2", logarithm_tangents),
    Lemma("ratios of logarithms", "log(r) >= 1 - 1/r for r > 0, with weights", "Cover and Thomas (2006), sec. 2.6",
          logarithm_ratios, whole=True),
    Lemma("growing logarithms", "log(u) >= log(v) for u >= v > 0", "derived: log grows", growing_logarithms),
    Lemma("tangents of powers", "u^a >= v^a + a v^(a-1) (u - v) for u >= 0 < v, the other way round for 0 < a < 1",
          "Boyd and Vandenberghe (2004), sec. 3.1.5", power_tangents),
    Lemma("absolute values", "abs(t) >= t and abs(t) >= -t", "derived: abs(t) is one of them and not negative",
          absolute_values),
    Lemma("larger of two", "max(a, b) >= a and b; min(a, b) <= a and b", "derived: by definition", larger_of_two),
    Lemma("entries and extrema", "max_i f[i] >= f[j] and min_i f[i] <= f[j]", "derived: by definition",
          entries_and_extrema),
    Lemma("chosen entries", "f[s] >= f[j], and exp of it, where f[s] is the largest entry", "derived: by definition",
          chosen_entries),
    Lemma("parts of sums", "sum_i f[i] >= f[j] where no f[i] is negative", "derived: the other terms are not negative",
          parts_of_sums),
    Lemma("diagonals of sums", "sum_ij f[i,j] >= sum_i f[i,i] where no f[i,j] is negative",
          "derived: the other terms are not negative", diagonals_of_sums),
    Lemma("diagonals of products", "(sum_i f[i]) (sum_j g[j]) >= sum_i f[i] g[i] where no f[i] and no g[j] is negative",
          "derived: the terms with i other than j are not negative", diagonals_of_products),
    Lemma("sizes", "n >= 1", "derived: an axis has an entry", sizes),
    Lemma("zero or one", "y^2 = y and y <= 1 for binary y", "derived: 0 and 1 are its own squares", zero_or_one),
    Lemma("the case at hand", "what distinguishes the case", "derived: by cases", case),
)  # fmt: skip
