"""What must be subtracted first, or multiplied apart: ``z - max(z)`` as one tensor, products of exponentials as products."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Add, Expr, Mul, S

from ...calculus.differentiate import new_name
from ...ir.nodes import Bracket, Entry, Equation, Program, Read, Step, Tensor, Where, reads_of, substitute
from ...ir.recurrences import in_order
from .view import SHIFT

SHIFTED = "exponents without their largest"


@dataclass(frozen=True)
class Exponents:
    """``a - s``: the exponents of a sum without the largest; `tensor` holds them once they have a name."""

    equation: Equation
    power: Expr
    tensor: Tensor

    def places(self, e: Expr) -> Iterator[tuple[Any, ...]]:
        """Indices at which the exponents might stand in an expression."""
        found = {i for r in reads_of(e) for i in r.indices}
        yield from itertools.islice(
            itertools.product(sorted(found, key=str), repeat=len(self.equation.indices)), 300
        )

    def at(self, places: tuple[Any, ...]) -> Expr:
        return substitute(self.power, dict(zip(self.equation.indices, places, strict=True)))


def grouped(program: Program) -> Program:
    """Sums that hold a shift beside what it was subtracted from read the difference, where that is not all they are."""
    found = _exponents(program)
    if not found:
        return program
    used: set[str] = set()
    equations: list[Equation] = []
    for e in program.equations:
        if not isinstance(e.body, Entry) and e.reduce != "max" and e.step.rule != SHIFT:
            e = replace(e, body=_separated(_grouped(e.body, found, used), found))
        equations.append(e)
    named = [x for x in found if x.tensor.name in used]
    if not named:
        return replace(program, equations=tuple(equations))
    powers = {_key(x.equation, x.power): x for x in named}
    step = Step(SHIFTED)
    new = [Equation(x.tensor, x.equation.indices, x.power, step=step) for x in powers.values()]
    equations = [_reading(e, named) for e in equations]
    return replace(program, equations=in_order((*new, *equations)))


def _exponents(program: Program) -> list[Exponents]:
    taken = dict.fromkeys((*program.tensors, *map(str, program.sizes)), 1)
    found: dict[Any, Exponents] = {}
    shifts = {e.target.name for e in program.equations if e.step.rule == SHIFT}
    for e in program.equations:
        for f in sorted(e.body.atoms(sympy.exp), key=str) if e.reduce == "sum" else ():
            power = f.args[0]
            if power.is_Add and any(r.tensor.name in shifts for r in reads_of(power)):
                key = _key(e, power)
                if key not in found and all(i in _indices(power) for i in e.indices):
                    name = new_name(f"{e.target.name.split('_')[0]}_shifted", taken)
                    found[key] = Exponents(e, power, Tensor(name, tuple(i.extent for i in e.indices)))
    return list(found.values())


def _indices(e: Expr) -> set[Any]:
    return {i for r in reads_of(e) for i in r.indices}


def _key(e: Equation, power: Expr) -> Any:
    from ..values import canonical

    return canonical(power).key


def _grouped(e: Expr, found: list[Exponents], used: set[str]) -> Expr:
    """Differences as reads, but for those that are a whole exponent."""
    if isinstance(e, Read | Bracket) or not e.args:
        return e
    if isinstance(e, sympy.exp):
        return e
    args = [e.args[0], *(_grouped(a, found, used) for a in e.args[1:])] if isinstance(e, Where) else [
        _grouped(a, found, used) if isinstance(a, Expr) else a for a in e.args
    ]  # fmt: skip
    e = e.func(*args) if any(a != b for a, b in zip(args, e.args, strict=True)) else e
    if e.is_Add:
        for x in found:
            for places in x.places(e):
                for sign in (1, -1):
                    terms = [sign * t for t in Add.make_args(x.at(places))]
                    if len(e.args) > len(terms) and all(t in e.args for t in terms):
                        used.add(x.tensor.name)
                        rest = [t for t in e.args if t not in terms]
                        return _grouped(Add(*rest, sign * Read(x.tensor, places)), found, used)
    return e


def _reading(e: Equation, named: list[Exponents]) -> Equation:
    """Exponents that have a name are read."""
    if isinstance(e.body, Entry) or e.reduce == "max" or e.step.rule == SHIFT:
        return e

    def change(body: Any) -> Any:
        if isinstance(body, Read) or not body.args:
            return body
        if isinstance(body, sympy.exp) and body.args[0].is_Add:
            for x in named:
                for places in x.places(body):
                    if x.at(places) == body.args[0]:
                        return sympy.exp(Read(x.tensor, places))
        args = [change(a) if isinstance(a, Expr) else a for a in body.args]
        return body if all(a is b for a, b in zip(args, body.args, strict=True)) else body.func(*args)

    return replace(e, body=change(e.body))


def _separated(e: Any, found: list[Exponents]) -> Any:
    """``exp(a + b - 2 s)`` as ``exp(a - s) exp(b - s)``: no factor exceeds 1, and each is computed once per row."""
    if isinstance(e, Read) or not e.args:
        return e
    args = [_separated(a, found) if isinstance(a, Expr) else a for a in e.args]
    e = e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
    if not (isinstance(e, sympy.exp) and e.args[0].is_Add):
        return e
    left, factors = e.args[0], []
    for x in found:
        for places in x.places(e):
            part = x.at(places)
            while left != part and left != 0 and _holds(left, part):
                left = left - part
                factors.append(part)
            if left == part:
                factors.append(part)
                left = S.Zero
    if len(factors) < 2 or left != 0:
        return e
    return Mul(*(sympy.exp(f) for f in factors))


def _holds(e: Expr, part: Expr) -> bool:
    """Whether subtracting the part leaves fewer or smaller terms."""
    rest = e - part
    weight = [sum(abs(t.as_coeff_Mul()[0]) for t in Add.make_args(x)) for x in (e, rest, part)]
    return bool(weight[1] == weight[0] - weight[2])
