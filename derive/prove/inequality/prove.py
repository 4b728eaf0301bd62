"""Is a form nonnegative? By a sum of known inequalities, at once or after steps that keep its sign."""

from __future__ import annotations

from sympy import Expr, S

from ...ir.nodes import NAMES
from ..forms.atoms import Total
from ..forms.polynomial import Monomial, Polynomial, TooLarge
from .certificate import Certificate, certificate
from .completed import completed_squares
from .forms import is_plain
from .goal import Goal, Known, Proof
from .lemmas import LEMMAS
from .reductions import REDUCTIONS
from .scene import scenes
from .signs import Signs
from .text import shown, shown_expr

DEPTH = 7
MOST_FORMS = 40
MOST_KNOWN = 600
MOST_NEW = 12
"""How many steps lie between a claim and what proves it, how many forms are looked at, how many lemmas for each."""


class Search:
    """The forms that were looked at on the way to a proof.

    wide: whether what is known is asked for more that bears on it, which takes long.
    """

    def __init__(self, wide: bool) -> None:
        self.wide = wide
        self.seen: set[frozenset[tuple[Monomial, Expr]]] = set()

    def proof(self, goal: Goal, depth: int) -> Proof | None:
        if not is_plain(goal.form):
            return None
        form = frozenset(goal.form.terms.items())
        if (form in self.seen and not goal.given) or len(self.seen) >= MOST_FORMS:
            return None
        self.seen.add(form)
        return _directly(goal, self.wide) or (self.reduced(goal, depth - 1) if depth else None)

    def reduced(self, goal: Goal, depth: int) -> Proof | None:
        """By the first step all goals of which are proved."""
        for reduction in REDUCTIONS:
            step = reduction(goal)
            if step is None:
                continue
            lines: list[str] = [step.why]
            for part in step.goals:
                proof = self.proof(part, depth)
                if proof is None:
                    break
                lines.extend(proof.lines)
            else:
                return Proof(tuple(lines))
        return None


def nonnegative(goal: Goal, patient: bool = True) -> Proof | None:
    """A proof of the goal; None if none is found.

    patient: whether a second search follows, with more that is known and may bear on it.
    """
    try:
        found = Search(wide=False).proof(goal, DEPTH)
        return found or (Search(wide=True).proof(goal, DEPTH) if patient else None)
    except TooLarge:
        return None


def _directly(goal: Goal, wide: bool) -> Proof | None:
    """By a linear combination of what is known, with nonnegative coefficients."""
    signs = Signs(goal)
    if goal.form.is_zero:
        return None if goal.strict else Proof(("both sides are equal",))
    if signs.form(goal.form, goal.strict):
        return Proof((_terms(goal, signs),))
    knowns = _known(goal, signs)
    found = _certified(goal, knowns, signs)
    if found is None and wide and (more := _brought_in(goal, knowns)):
        wider = goal.with_form(Polynomial.sum((goal.form, *(Polynomial({m: S.One}) for m in more))))
        found = _certified(goal, [*knowns, *_known(wider, signs)], signs)
    return Proof((_combined(goal, found),)) if found else None


def _known(goal: Goal, signs: Signs) -> list[Known]:
    """Squares and instances of lemmas that bear on the form."""
    found = list(completed_squares(goal, signs))
    for scene in scenes(goal, signs):
        for lemma in LEMMAS:
            for known in lemma.instances(scene):
                found.extend((known,) if lemma.whole else scene.summed(known))
                if len(found) > MOST_KNOWN:
                    break
    return [k for k in found if is_plain(k.form)]


def _brought_in(goal: Goal, knowns: list[Known]) -> list[Monomial]:
    """Terms of what is known that the form does not have: to get rid of them, more may have to be known."""
    new = dict.fromkeys(m for k in sorted(knowns, key=lambda k: k.cost) for m in k.form.terms if m not in goal.form.terms)
    return list(new)[:MOST_NEW]


def _certified(goal: Goal, knowns: list[Known], signs: Signs) -> Certificate | None:
    own = {m for f in (goal.form, *(k.form for k in knowns)) for m in f.terms}
    terms = [_term(m, signs) for m in own if signs.monomial(m)]
    return certificate(goal.form, [*knowns, *terms], goal.strict)


def _term(m: Monomial, signs: Signs) -> Known:
    form = Polynomial({m: S.One})
    return Known(form, shown(form), signs.monomial(m, strict=True), 1.0, equal=True)


def _terms(goal: Goal, signs: Signs) -> str:
    """The form, with its terms as squares where they are some."""
    relation = ">" if goal.strict else ">="
    text = shown(goal.form)
    seen = " + ".join(_as_squares(m, c, signs) for m, c in goal.form)
    return (
        f"{text} = {seen} {relation} 0"
        if "^2" in seen and seen != text
        else f"{text} {relation} 0: no term is negative"
    )


def _as_squares(monomial: Monomial, c: Expr, signs: Signs) -> str:
    plain = shown(Polynomial({monomial: c}))
    if not any(isinstance(a, Total) for a, _ in monomial):
        return plain
    found = signs.squares(monomial)
    if found is None or not any(isinstance(p, Total) for p in found.parts):
        return plain
    letters = {i: NAMES[n] for n, i in enumerate(found.spine)}
    over = f"sum_{','.join(letters.values())} " if found.spine else ""
    weight = shown(Polynomial({found.weight: c}), letters)
    body = " ".join(f"({shown_expr(p, letters)})^2" for p in found.parts)
    return over + (body if weight == "1" else f"{weight} {body}")


def _combined(goal: Goal, found: Certificate) -> str:
    """The form as the sum that was found, and the inequalities by which a part of it is not negative."""
    relation = ">" if goal.strict else ">="
    equal = " + ".join(k.why if c == 1 else f"{c} {k.why}" for c, k in found if k.equal)
    by = "; ".join(k.why if c == 1 else f"{k.why}, {c} times" for c, k in found if not k.equal)
    if not by:
        return f"{shown(goal.form)} = {equal} {relation} 0"
    between = f">= {equal} " if equal else ""
    return f"{shown(goal.form)} {between}{relation} 0 by {by}"
