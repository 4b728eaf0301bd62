"""The page of a loss: the steps from the density to the loss, and what follows from it, as a professor would write them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sympy import Expr, Symbol

from ..ir.facts import spec
from ..ir.nodes import Read
from .array_estimate import ArrayEstimates
from .array_law import ArrayLaw
from .canonical import mean_under_canonical
from .constants import Dropped
from .estimate import Estimate
from .family import ExponentialFamily
from .fisher import Information, Matrix
from .links import of_number
from .scalars import read, scalar_of
from .setting import Given
from .textbook import shorter, textbook
from .wall import GREEK, Expected, in_letters, letter, wall

if TYPE_CHECKING:
    from .loss import Loss

LONGEST = 320
"""Characters of a line that is shown."""
SIZES = (2, 3)
"""At which ranks are looked at."""
SHORT_MEAN = 60
"""Characters of what has a mean that is not written out, up to which it is shown."""
WHAT = {
    "binary": "0 or 1", "one-hot": "one-hot", "positive": "positive", "nonnegative": "nonnegative",
    "probability": "between 0 and 1", "simplex": "probabilities that add up to 1",
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """A step of the derivation: its name, and the lines that are written for it."""

    title: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {line}" for line in self.lines)])


def sections(loss: Loss) -> tuple[Section, ...]:
    """Every step, in the order in which they are derived; a step that says nothing new is left out."""
    makers: tuple[Callable[[Loss], Part], ...] = (
        _density, _parameters, _negative, _constants, _loss, _derivatives, _score, _information, _canonical, _family,
        _estimates, _convex,
    )  # fmt: skip
    if loss.setting.density.statement:
        makers = (_parameters, _loss, _statement, _derivatives, _convex)
    found: list[Section] = []
    for maker in makers:
        title, lines = maker(loss)
        if maker is _negative and not loss.dropped:
            continue
        if lines:
            found.append(Section(title, tuple(lines)))
    return tuple(replace(s, lines=tuple(map(_readable, s.lines))) for s in found)


def _readable(line: str) -> str:
    """A line that nobody would read is cut behind what it defines."""
    if len(line) <= LONGEST:
        return line
    left = re.split(r" = |(?<=: observed) |(?<=: expected) ", line, maxsplit=1)[0]
    return f"{left} = an expression of {len(line)} characters, which loss has as a function"


def page(loss: Loss) -> str:
    """All sections as text."""
    return "\n\n".join(map(str, (Section(loss.title, ()), *loss.steps)))


Part = tuple[str, list[str]]


def _density(loss: Loss) -> Part:
    y = loss.setting.density.variable
    if loss.law is None:
        return "log-density", []
    facts = [WHAT[f] for f in loss.setting.density.facts if f in WHAT][:1]
    kind = "a count" if loss.setting.density.whole and facts != ["0 or 1"] else (facts or ["real"])[0]
    return "log-density", [f"log p({y}) = {wall(shorter(loss.law.model))}        {y} is {kind}"]


def _parameters(loss: Loss) -> Part:
    lines = []
    for g in loss.setting.given:
        name = (
            letter(g.name)
            if g.name in GREEK
            else f"{g.name} {letter(g.name)}"
            if letter(g.name) != g.name
            else g.name
        )
        match g.part:
            case "raw":
                assert g.link is not None
                positive = f", {letter(g.symbol)} > 0" if "positive" in g.raw else ""
                lines.append(
                    f"{name} = {_inverse(loss, g)}        the {g.link} link of the raw output {letter(g.symbol)}{positive}"
                )
            case "learned":
                lines.append(f"{name} is learned, the same for all examples")
            case "known":
                lines.append(f"{name} is known")
            case "number":
                assert g.value is not None
                lines.append(f"{name} = {wall(g.value)}")
    return "parameters", lines


def _inverse(loss: Loss, given: Given) -> str:
    assert given.link is not None
    if loss.law is None and str(given.link) == "identity":
        return given.symbol
    if loss.law is None:
        z = read(spec("", *given.raw).tensor(given.symbol))
        return (
            f"softmax({given.symbol})"
            if given.link.link is None
            else wall(of_number(given.link.inverse, z, given.raw))
        )
    return wall(loss.law.raw[loss.law.given[given.name]])


def _negative(loss: Loss) -> Part:
    if loss.law is None:
        return "negative log-likelihood", [f"−log p = {_right(loss.whole)}"]
    return "negative log-likelihood", [f"−log p = {wall(shorter(-loss.law.in_raw(loss.law.log_density)))}"]


def _constants(loss: Loss) -> Part:
    lines = [f"{_term(loss, d)}        {_reason(loss, d)}" for d in loss.dropped]
    return "constant, dropped", lines


def _term(loss: Loss, dropped: Dropped) -> str:
    return _right(dropped.term) if loss.law is None else wall(scalar_of(dropped.term.program))


def _reason(loss: Loss, dropped: Dropped) -> str:
    y = loss.setting.density.variable
    known = [letter(n) for n in dropped.inputs if n != y]
    parts = ["depends on nothing that is learned"] if not dropped.inputs else []
    parts += [f"depends on {y} alone" if not known else f"depends on {y}"] if y in dropped.inputs else []
    parts += [f"{' and '.join(known)} {'is' if len(known) == 1 else 'are'} known"] if known else []
    return ", ".join(parts)


def _loss(loss: Loss) -> Part:
    left = "L" if loss.dropped or loss.setting.density.statement else "L = −log p"
    return "loss", [f"{left} = {_right(loss.example) if loss.law is None else wall(loss.body)}"]


def _statement(loss: Loss) -> Part:
    return "no density is written down for it", textwrap.wrap(loss.setting.density.statement, 110)


def _derivatives(loss: Loss) -> Part:
    if loss.law is None:
        lines = [*str(loss.example_gradient).splitlines(), *str(loss.example_hessian).splitlines()]
        return "derivatives by the raw output", lines
    names, lines = loss.raw, []
    gradient = [textbook(loss.body.diff(loss.reads[n])) for n in names]
    lines += [f"dL/d{letter(n)} = {wall(g)}" for n, g in zip(names, gradient, strict=True)]
    for k, n in enumerate(names):
        for m in names[k:]:
            by = f"d{letter(n)}²" if n == m else f"d{letter(n)} d{letter(m)}"
            lines.append(f"d²L/{by} = {wall(textbook(gradient[k].diff(loss.reads[m])))}")
    return "derivatives by the raw output", lines


def _score(loss: Loss) -> Part:
    found = loss.score
    if loss.array_law is not None:
        law = loss.array_law
        return "score", [f"d log p/d {g.name} = {in_letters(_right(law.score(g.name)))}" for g in law.parameters]
    if found is None:
        return "score", []
    return "score", [f"d log p/d{letter(n)} = {wall(s)}" for n, s in found.items()]


def _information(loss: Loss) -> Part:
    if loss.array_law is not None:
        return "Fisher information of one observation", _of_array_law(loss.array_law)
    if loss.law is None or loss.information is None:
        return "Fisher information", []
    lines = []
    own, raw = loss.information_of_parameters, loss.information
    if own is not None and own.names != raw.names and own.expected != raw.expected:
        lines += _matrix_lines(own, f"in {', '.join(map(letter, own.names))}")
    lines += _matrix_lines(raw, f"in {', '.join(map(letter, raw.names))}")
    alone = loss.information_of_raw
    if raw.expected is None and loss.learned and alone is not None and alone.expected is not None:
        lines.append(f"in {', '.join(map(letter, alone.names))} alone: expected {_matrix(alone.expected)}")
    return "Fisher information of one observation", lines


def _of_array_law(law: ArrayLaw) -> list[str]:
    """The information about each parameter: of a matrix as a quadratic form in a change of it."""
    lines = []
    for g in law.parameters:
        name, found = g.name, law.information(g.name)
        if found is None:
            lines.append(f"in {name}: expected: no closed form was found, for want of moments of the law")
            continue
        form, matrix = in_letters(_right(found.form)), law.tensor(g.name).rank < 2
        kind = "observed and expected are the same" if found.same else "expected"
        along = ", along changes that add up to 0" if "simplex" in g.parameter.facts else ""
        lines.append(f"in {name}: {form}, {kind}{along}" if matrix else f"in {name}, for a change D of it: {form}, {kind}")
    return lines


def _matrix_lines(found: Information, where: str) -> list[str]:
    observed, expected = _matrix(found.observed), None if found.expected is None else _matrix(found.expected)
    if not found.regular:
        return [f"{where}: none, since the support depends on the parameters: the score has not mean 0"]
    if expected is None:
        shown = _matrix(_with_means(found))
        return [f"{where}: observed {observed}", f"{where}: expected {shown}", *_in_numbers(found)]
    if observed == expected:
        return [f"{where}: {expected}, observed and expected are the same"]
    by = " (the variance of the score; second derivatives miss the kink)" if found.kinks else ""
    return [f"{where}: observed {observed}", f"{where}: expected {expected}{by}"]


def _with_means(found: Information) -> Matrix:
    """Expected information with means where there is no closed form; of a long expression it is the one that is observed."""

    def mean(j: int, k: int) -> Expr:
        inside = shorter(found.integrands(j, k))
        return Expected(inside if len(wall(inside)) <= SHORT_MEAN else Symbol("…"))

    rows = enumerate(found.entries)
    return tuple(tuple(mean(j, k) if e is None else e for k, e in enumerate(row)) for j, row in rows)


def _in_numbers(found: Information) -> list[str]:
    """The expected information at one point, for want of a closed form."""
    point = {str(r): _plain_value(r) for r in sorted(found.inputs, key=str)}
    matrix = found.expected_at(**point)
    at = ", ".join(f"{letter(n)} = {v:g}" for n, v in point.items())
    how = "summation" if found.law.density.whole else "quadrature"
    rows = "; ".join(", ".join(f"{v + 0.0:.6g}" for v in np.round(row, 10)) for row in matrix)
    return [
        f"E(…) has no closed form that was found; by {how} at {at}: "
        + (f"[{rows}]" if len(matrix) > 1 else rows)
    ]


def _plain_value(parameter: Read) -> float:
    """A value that is in the domain."""
    facts = parameter.tensor.facts
    return 0.5 if "probability" in facts else 1.0 if facts else 0.0


def _matrix(rows: tuple[tuple[Expr, ...], ...]) -> str:
    if len(rows) == 1:
        return wall(rows[0][0])
    if all(e == 0 for i, row in enumerate(rows) for j, e in enumerate(row) if i != j):
        return f"diag({', '.join(wall(row[i]) for i, row in enumerate(rows))})"
    return "[" + "; ".join(", ".join(map(wall, row)) for row in rows) + "]"


def _canonical(loss: Loss) -> Part:
    lines = []
    if (
        loss.law is None
        and (mean := mean_under_canonical(loss.example_gradient.presented, loss.variable)) is not None
    ):
        (link,) = (g.link for g in loss.setting.raws)
        y, text = loss.variable, str(mean).splitlines()[-1].partition(" = ")[2]
        lines.append(
            f"{link}: the gradient is E {y} − {y}, with E {y} = {text}; H is its covariance"
        )
    for g, found in zip(loss.setting.raws, loss.canonical, strict=False):
        name = letter(g.name)
        if found is None:
            lines.append(f"none for {name}: it does not stand beside y alone")
            continue
        natural = f"the natural parameter is {wall(found.natural)}"
        if found.link is None:
            lines.append(f"for {name}: {natural}, which is no link that has a name here")
            continue
        line = f"{found.link} for {name}: {natural}"
        if found.factor is not None and found.factor != 1:
            line += f", which is {wall(found.factor)} times the {found.link} link"
        lines.append(line if found.used else f"{line}; {g.link} is not canonical")
    return "canonical link", lines


def _family(loss: Loss) -> Part:
    found = loss.exponential_family
    if loss.array_law is not None:
        return "exponential family", _family_of_arrays(loss.array_law)
    if loss.law is None:
        return "exponential family", []
    if found is None:
        return "exponential family", [
            "none: the log-density does not separate into statistics of y times functions of parameters"
        ]
    names = [letter(str(n)) for n in found.names]
    pairs = " + ".join(
        f"{n} {wall(t)}" if not t.is_Add else f"{n} ({wall(t)})"
        for n, t in zip(names, found.statistics, strict=True)
    )
    base = "" if found.base == 0 else " + log h(y)"
    lines = [f"log p(y) = {pairs} − A{base}"]
    lines.append(", ".join(f"{n} = {wall(e)}" for n, e in zip(names, found.natural, strict=True)))
    if found.base != 0:
        lines[-1] += f",  log h(y) = {wall(found.base)}"
    inner = ", ".join(names)
    if found.partition is None:
        lines.append(f"A = {wall(found.log_partition)}")
        return "exponential family", lines
    lines.append(f"A({inner}) = {wall(found.partition)}")
    return "exponential family", lines + _moments(loss, found, names)


def _family_of_arrays(law: ArrayLaw) -> list[str]:
    """How many statistics there are, as ranks say; or that their number is not bounded."""
    found = [law.dimension(k) for k in SIZES]
    names = ", ".join(g.name for g in law.parameters)
    if any(d is None for d in found):
        return [f"none in {names}: ratios of likelihoods are made of ever more functions of y"]
    axes = sorted(map(str, law.loss.program.sizes))
    if not axes or found[0] == found[1]:
        return [f"in {names}: yes, with {found[0]} statistic{'s' * (found[0] != 1)}, by the rank of log-densities at points"]
    at = ", ".join(f"{d} at {axes[0]} = {k}" for d, k in zip(found, SIZES, strict=True))
    return [f"in {names}: yes, statistics by the rank of log-densities at points: {at}"]


def _moments(loss: Loss, found: ExponentialFamily, names: list[str]) -> list[str]:
    """The mean and the variance of each statistic, as derivatives of the log-partition, in eta and in the parameters."""
    law = loss.law
    assert law is not None and found.means is not None and found.covariances is not None
    back = dict(zip(found.names, found.natural, strict=True))
    lines = []
    for k, (name, statistic) in enumerate(zip(names, found.statistics, strict=True)):
        t = wall(statistic)
        by = "" if len(names) == 1 else f"∂A/∂{name}"
        mean, variance = found.means[k], found.covariances[k][k]
        first = f"E {t} = {by or 'A′'} = {_in_both(mean, back)}"
        second = f"var {t} = {f'∂²A/∂{name}²' if by else 'A″'} = {_in_both(variance, back)}"
        lines.append(f"{first},   {second}")
    return lines


def _in_both(expr: Expr, back: dict[Expr, Expr]) -> str:
    first, second = wall(expr), wall(textbook(expr.subs(back)))
    return first if first == second else f"{first} = {second}"


def _estimates(loss: Loss) -> Part:
    found = loss.mle
    if loss.array_law is not None:
        title = "maximum likelihood, for n observations with the same parameters"
        return title, ArrayEstimates(loss.array_law).lines
    if found is None:
        return "maximum likelihood", []
    solved = {e.parameter for e in found.estimates if e.value is not None}
    return (
        "maximum likelihood, for n observations with the same parameters",
        [_estimate_line(e, solved) for e in found.estimates],
    )


def _estimate_line(e: Estimate, solved: set[Read]) -> str:
    if e.value is None:
        return f"{wall(e.parameter)} has no closed form: it solves {wall(e.equation, solved)} = 0"
    why = e.reason or f"second derivative {wall(e.second or e.equation, solved)} < 0"
    return f"{wall(e.parameter, solved)} = {wall(e.value, solved)}        {why}"


def _convex(loss: Loss) -> Part:
    found = loss.convex
    names = ", ".join(map(letter, loss.raw))
    words = {
        "PROVED": "convex",
        "REFUTED": "not convex",
        "TESTED": "convex at all chords tried, without a proof",
        "UNKNOWN": "not known",
    }
    lines = [f"{found.status}: {words[found.status]} in {names}"]
    body = str(found).splitlines()[1:]
    return "convexity", lines + [line.removeprefix("  ") for line in body]


def _right(function: object) -> str:
    """What the last equation of a function says, and the ones before it."""
    *before, last = str(function).splitlines()
    text = last.partition(" = ")[2]
    return f"{text}   where {'; '.join(before)}" if before else text
