"""A law of one number in symbols: the log-density in its own parameters, and what a setting makes of these."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy
from sympy import Expr

from ..distributions import Distribution, Parameter
from ..ir.facts import spec
from ..ir.nodes import Read, Tensor
from ..ops.elementwise.piecewise import domestic
from .density import Density
from .links import of_number
from .logarithms import in_terms
from .scalars import read
from .setting import Given, Setting

LINES = {"positive", "nonnegative", "probability"}
"""Facts of numbers that SymPy should know."""


@dataclass(frozen=True)
class Law:
    """A law of one number.

    y: what is observed.
    own: the law's own parameters; log_density: in y and these.
    given: the parameters or forms that the caller speaks of, by name, each as a symbol or its number.
    free: those of them that are learned or that a raw output stands for.
    values: what own parameters are in terms of `given`; raw: what those under a link are in terms of raw outputs.
    """

    density: Density
    y: Read
    own: dict[str, Read]
    log_density: Expr
    given: dict[str, Expr]
    free: dict[str, Read]
    values: dict[Expr, Expr]
    raw: dict[Expr, Expr]

    @property
    def record(self) -> Distribution | None:
        found = self.density.record
        return found if isinstance(found, Distribution) else None

    def in_given(self, expr: Expr) -> Expr:
        """What is written in the law's own parameters, in those that the caller speaks of."""
        return domestic(expr.xreplace(self.values))

    def in_raw(self, expr: Expr) -> Expr:
        """What is written in parameters, in raw outputs, learned and known ones."""
        return domestic(expr.xreplace(self.values).xreplace(self.raw))

    @property
    def model(self) -> Expr:
        """The log-density in the parameters that the caller speaks of."""
        return self.in_given(self.log_density)

    @property
    def in_own(self) -> Law:
        """The same law, spoken of in its own parameters, each of them free."""
        return replace(self, given=dict(self.own), free=dict(self.own), values={}, raw={})


def law_of(setting: Setting) -> Law:
    """A law of numbers with the parameters of a setting."""
    density = setting.density
    y = read(spec("", *density.facts).tensor(density.variable))
    own = {p.name: _symbol(p) for p in density.parameters}
    given = {g.name: g.value if g.value is not None else _symbol(g.parameter) for g in setting.given}
    values = dict(zip(own.values(), map(sympy.S, setting.in_law(given)), strict=True))
    raw = {given[g.name]: _of_raw(g) for g in setting.raws}
    log_density = domestic(density.log_density(y, *own.values()))
    if density.record is None and not density.statement:  # the logarithm of a product, as it was written
        log_density = in_terms(log_density)
    free = {g.name: given[g.name] for g in setting.parts("raw", "learned")}
    return Law(density, y, own, log_density, given, free, values, raw)


def _symbol(parameter: Parameter) -> Read:
    kind = ["integer"] if parameter.integer else []
    return read(spec("", *kind, *(f for f in parameter.facts if f in LINES)).tensor(parameter.name))


def _of_raw(given: Given) -> Expr:
    assert given.link is not None
    return of_number(given.link.inverse, read(Tensor(given.symbol, (), "real", _facts(given))), given.raw)


def _facts(given: Given) -> frozenset[str]:
    return spec("", *given.raw).facts
