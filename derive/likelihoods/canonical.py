"""Which link is canonical for a parameter: the one under which the raw output is the natural parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from ..function import Function
from ..ir.nodes import Program, Read
from ..ir.tensors import prune
from ..rewrite.derived import names_of
from .family import natural_of
from .law import Law
from .links import LINKS, Link, of_number
from .setting import Given
from .textbook import textbook


@dataclass(frozen=True)
class Canonical:
    """The natural parameter of a law as a family in one parameter.

    natural: the natural parameter, in that parameter and those that are held fixed.
    link: the record whose link it is, but for a factor and a constant; None if there is none.
    factor: natural parameter = factor * link(parameter) + constant.
    used: whether the loss has this link.
    """

    parameter: str
    natural: Expr
    link: Link | None
    factor: Expr | None
    used: bool


def canonical(law: Law, given: Given) -> Canonical | None:
    """The canonical link of a parameter that is under a link; None where the law is no exponential family in it."""
    parameter = law.free[given.name]
    natural = natural_of(law, parameter)
    if natural is None:
        return None
    for link in LINKS:
        if link.link is None:
            continue
        raw = of_number(link.link, parameter)
        factor = sympy.simplify(natural.diff(parameter) / raw.diff(parameter))
        if not factor.has(parameter):
            return Canonical(given.name, natural, link, textbook(factor), link is given.link)
    return Canonical(given.name, natural, None, None, False)


def mean_under_canonical(gradient: Program, variable: str) -> Function | None:
    """E y, if the gradient of a loss by its one raw output is a function of this output minus y: scores have mean 0."""
    (output, *others) = gradient.outputs
    observed = next((t for t in gradient.inputs if t.name == variable), None)
    last = gradient.definitions.get(output.name)
    if others or observed is None or last is None or last.reduce or observed.shape != output.shape:
        return None
    mean = sympy.expand(last.body + Read(observed, last.axes))
    program = replace(gradient, equations=(*gradient.equations[:-1], replace(last, body=mean)))
    if last is not gradient.equations[-1] or any(
        r.tensor == observed for e in prune(program).equations for r in e.reads
    ):
        return None
    return Function("mean", prune(program), 0, names_of(gradient))
