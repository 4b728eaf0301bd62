"""Exponential families, read off the log-density: ``log p = log h(y) + eta . T(y) - A``; mean and variance of T from A."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy import Add, Expr, Mul, S

from ..ir.nodes import Read
from .law import Law
from .logarithms import in_terms
from .textbook import textbook


@dataclass(frozen=True)
class ExponentialFamily:
    """``log p(y) = log h(y) + sum_k eta_k(theta) T_k(y) - A(theta)``.

    statistics: T; natural: eta in the parameters; log_partition: A in the parameters; base: log h.
    names: symbols for eta; partition: A in these, None where the parameters cannot be written in them.
    parameters: the parameters in eta.
    """

    statistics: tuple[Expr, ...]
    natural: tuple[Expr, ...]
    log_partition: Expr
    base: Expr
    names: tuple[sympy.Symbol, ...]
    partition: Expr | None
    parameters: dict[Expr, Expr]

    @cached_property
    def means(self) -> tuple[Expr, ...] | None:
        """The means of the statistics, ``dA/deta``, in eta."""
        if self.partition is None:
            return None
        return tuple(textbook(self.partition.diff(e)) for e in self.names)

    @cached_property
    def covariances(self) -> tuple[tuple[Expr, ...], ...] | None:
        """The covariances of the statistics, ``d2A/deta2``, in eta."""
        if self.means is None:
            return None
        return tuple(tuple(textbook(m.diff(e)) for e in self.names) for m in self.means)

    @property
    def curved(self) -> bool:
        """Whether there are more natural parameters than parameters."""
        return len(self.natural) > len(self.parameters) and bool(self.parameters)


def multiplied_out(expr: Expr) -> Expr:
    """Sums of products, logarithms in parts, powers of sums multiplied out."""
    return sympy.expand(in_terms(expr), deep=True, log=False, power_base=False, power_exp=False)


def exponential_family(law: Law, of: Collection[Read] | None = None) -> ExponentialFamily | None:
    """The exponential family that a law is, with everything that is not in `of` held fixed; None if it is none.

    Args:
        of: parameters; all that are learned or under a link if left out.
    """
    parameters = list(law.free.values()) if of is None else list(of)
    found: dict[Expr, list[Expr]] = {}
    partition, base = [], []
    for term in Add.make_args(multiplied_out(law.model)):
        factors = Mul.make_args(term)
        of_y = [f for f in factors if f.has(law.y)]
        of_parameters = [f for f in factors if f.has(*parameters)] if parameters else []
        if any(f in of_parameters for f in of_y):
            return None
        if not of_parameters:
            base.append(term)
        elif not of_y:
            partition.append(-term)
        else:
            found.setdefault(Mul(*of_y), []).append(term / Mul(*of_y))
    if not found:
        return None
    statistics = sorted(found, key=lambda t: (not t.is_polynomial(law.y), t.count_ops(), str(t)))
    natural = tuple(textbook(Add(*found[t])) for t in statistics)
    names = tuple(_name(k, e, len(natural)) for k, e in enumerate(natural, 1))
    inverse = _inverse(natural, names, parameters)
    log_partition = Add(*partition)
    in_eta = textbook(log_partition.xreplace(inverse)) if inverse is not None else None
    if inverse is None and of is None and law.values and set(law.free) == set(law.given):
        own = exponential_family(law.in_own)
        if own is not None and own.statistics == tuple(statistics):
            names, in_eta, inverse = own.names, own.partition, own.parameters
    return ExponentialFamily(
        tuple(statistics),
        natural,
        textbook(log_partition),
        textbook(Add(*base)),
        names,
        in_eta,
        inverse or {},
    )


def _name(number: int, natural: Expr, count: int) -> sympy.Symbol:
    sign = (
        {"negative": True}
        if natural.is_negative
        else {"positive": True}
        if natural.is_positive
        else {"real": True}
    )
    return sympy.Symbol(f"eta_{number}" if count > 1 else "eta", **sign)


def _inverse(
    natural: tuple[Expr, ...], names: tuple[Expr, ...], parameters: list[Read]
) -> dict[Expr, Expr] | None:
    """The parameters in eta, where SymPy finds the one solution that lies in their domain."""
    if len(natural) != len(parameters):
        return None
    symbols = {p: sympy.Dummy(str(p), real=True, positive=p.is_positive) for p in parameters}
    equations = [e.xreplace(symbols).rewrite(sympy.exp) - n for e, n in zip(natural, names, strict=True)]
    try:
        found = sympy.solve(equations, list(symbols.values()), dict=True)
    except (NotImplementedError, ValueError, TypeError):
        return None
    if len(found) != 1 or len(found[0]) != len(parameters):
        return None
    return {p: textbook(found[0][d]) for p, d in symbols.items()}


def mean_of_variable(family: ExponentialFamily, y: Expr) -> Expr | None:
    """E y in eta, where y is one of the statistics."""
    if family.means is None or y not in family.statistics:
        return None
    return family.means[family.statistics.index(y)]


def natural_of(law: Law, parameter: Read) -> Expr | None:
    """The coefficient of y in the log-density as a family in one parameter alone: what a canonical link makes of it.

    None where the law is no such family, or where another statistic has a coefficient with the parameter in it.
    """
    family = exponential_family(law, [parameter])
    if family is None or len(family.statistics) != 1 or sympy.diff(family.statistics[0], law.y, 2) != 0:
        return None
    slope = sympy.diff(family.statistics[0], law.y)
    return textbook(slope * family.natural[0]) if slope != S.Zero else None
