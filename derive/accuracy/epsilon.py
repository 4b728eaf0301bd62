"""Small constants that a user adds to what may be 0, and what they do to the answer: ``log(p + 1e-10)`` stops at -23.03."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr

from ..ir.nodes import Program, Read, substitute
from ..ops.elementwise.piecewise import Absolute, Maximum
from .domain import Domain

SMALL = sympy.Rational(1, 1000)
"""Positive constants up to this are taken for an epsilon."""
PERCENT = 100


@dataclass(frozen=True)
class Epsilon:
    """A constant in a formula.

    inside: the sum that it is added to, or the clamp; around: the operation on it.
    effect: one sentence, the bound that it puts on the answer and the bias that it brings.
    """

    value: float
    inside: str
    around: str
    effect: str
    where: str = ""

    def __str__(self) -> str:
        line = f"  ({self.where})" if self.where else ""
        return f"{self.around}: {self.effect}{line}"


def epsilons(program: Program, domains: dict[str, Domain]) -> tuple[Epsilon, ...]:
    """Every epsilon under a logarithm, a root or in a denominator; facts and domains say what is nonnegative."""
    found: dict[str, Epsilon] = {}
    definitions = program.definitions
    for equation in program.equations:
        for e in _parts(equation.body):
            inner, kind, power = _argument(e)
            if inner is None:
                continue
            written = _defined(inner, definitions)
            small, rest = _small(written, domains, program)
            if small is None:
                continue
            about = f"{rest}"
            around = str(e).replace(str(inner), str(written)) if inner != written else str(e)
            effect = _effect(kind, float(small), about, power, isinstance(written, Maximum))
            decimal = {str(small): f"{float(small):g}"}
            inside, around = (_decimal(text, decimal) for text in (str(written), around))
            where = equation.step.where if equation.step.where != str(around) else ""
            found.setdefault(around, Epsilon(float(small), inside, around, effect, where))
    return tuple(found.values())


def _decimal(text: str, names: dict[str, str]) -> str:
    """A text with the constant as the user wrote it, 1e-10 for 1/10000000000."""
    for fraction, number in names.items():
        text = text.replace(fraction, number)
    return text


def _parts(e: Expr) -> Iterator[Expr]:
    yield e
    for a in e.args:
        yield from _parts(a)


def _argument(e: Expr) -> tuple[Expr | None, str, float]:
    """What stands under a logarithm, a root, or in a denominator."""
    if isinstance(e, sympy.log):
        return e.args[0], "log", 1.0
    if e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer and e.exp > 0:
        return e.base, "root", float(e.exp)
    if e.is_Pow and e.exp.is_number and e.exp.is_negative:
        return e.base, "quotient", float(-e.exp)
    return None, "", 0.0


def _defined(e: Expr, definitions: dict[str, Any]) -> Expr:
    """A read of an intermediate value, written out."""
    if isinstance(e, Read) and e.tensor.name in definitions:
        source = definitions[e.tensor.name]
        if not source.reduce and (source.body.is_Add or isinstance(source.body, Maximum)):
            return substitute(source.body, dict(zip(source.axes, e.indices, strict=True)))
    return e


def _small(e: Expr, domains: dict[str, Domain], program: Program) -> tuple[Any, Expr | None]:
    """The epsilon and what it is added to, or clamps."""
    if isinstance(e, Maximum) or e.is_Add:
        constants = [a for a in e.args if a.is_number and a.is_positive and a <= SMALL]
        others = [a for a in e.args if not a.is_number]
        if len(constants) == 1 and others and len(others) == len(e.args) - 1:
            rest = e.func(*others) if len(others) > 1 else others[0]
            if isinstance(e, Maximum) or nonnegative(rest, domains, program):
                return constants[0], rest
    return None, None


def nonnegative(e: Expr, domains: dict[str, Domain], program: Program) -> bool:
    """Whether an expression cannot be negative, by its form, its facts and the domain of what it reads."""
    if e.is_nonnegative:
        return True
    definitions = program.definitions
    if isinstance(e, Read):
        if e.tensor.name in domains:
            return domains[e.tensor.name].low >= 0
        source = definitions.get(e.tensor.name)
        return (
            source is not None
            and source.reduce in (None, "sum", "prod", "max", "min")
            and nonnegative(source.body, domains, program)
        )
    if e.is_Add or e.is_Mul:
        return all(nonnegative(a, domains, program) for a in e.args)
    if e.is_Pow:
        return bool(e.exp.is_even) or nonnegative(e.base, domains, program)
    return isinstance(e, sympy.exp | Absolute)


def _effect(kind: str, value: float, rest: str, power: float, clamps: bool) -> str:
    eps = f"{value:g}"
    edge = f"below {rest} = {eps} the answer and its slope no longer follow {rest}"
    match kind:
        case "log":
            bound = f"is at least log({eps}) = {math.log(value):.2f}, so a loss -log is capped at {-math.log(value):.2f}"
            bias = (
                edge
                if clamps
                else f"too large by log(1 + {eps}/{_enclosed(rest)}), 0.01 at {rest} = {_short(value / math.expm1(0.01))}"
            )
        case "root":
            bound = f"is at least {eps}^{power:g} = {_short(value**power)}"
            at = value / ((1 + 1 / PERCENT) ** (1 / power) - 1)
            bias = edge if clamps else f"1 % too large at {rest} = {_short(at)}, more below"
        case _:
            bound = f"is at most {_short(value**-power)}"
            at = value / ((1 - 1 / PERCENT) ** (-1 / power) - 1)
            bias = edge if clamps else f"1 % too small at {rest} = {_short(at)}, more below"
    return f"{bound}; {bias}"


def _enclosed(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


def _short(x: float) -> str:
    return f"{x:.3g}"
