"""The records of distributions: their parameters, their cumulants, and what exponentials and half-lines have for a mean.

Cumulants of independent entries vanish unless all entries are the same, so they give the mean of any product of entries,
``E x_i x_j = k1_i k1_j + [i = j] k2_i``, for indices and sizes that are symbols. A law times ``exp(t x)`` is, but for a
constant, a law of the same family in all exponential families: `tilted` says which.

Of the density a record says its logarithm, as it stands in books, and nothing that follows from it: scores, informations,
forms as an exponential family, estimates and entropies are derived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sympy import Expr

Role = Literal["entry", "vector", "matrix", "whole"]
Entries = Callable[..., Expr]
"""A parameter of a vector: places -> its entry."""


@dataclass(frozen=True)
class Parameter:
    """What a distribution is given.

    role: "entry" for one or a number for each entry; of a vector, "vector" and "matrix" for each entry or pair of entries,
        "whole" for one number.
    facts: words of `ir.facts` that it must have.
    integer: whether it is a whole number.
    axes: its shape in the words of declarations, where its role does not say it: ``"k-1"``.
    """

    name: str
    facts: tuple[str, ...] = ()
    role: Role = "entry"
    integer: bool = False
    axes: str | None = None


@dataclass(frozen=True)
class Form:
    """Another way to give a parameter, such as the standard deviation in place of the variance.

    of: the parameter that it replaces; two forms may give one together, ``factor @ factor.T + diag(noise)``.
    value: this form, and other parameters or forms that it needs, by their names -> the parameter that it replaces.
        Of a law of vectors it is written in NumPy.
    facts: words of `ir.facts` that it must have.
    axes: its shape in the words of declarations, ``"k r"``.
    """

    of: str
    value: Callable[..., Any]
    facts: tuple[str, ...] = ()
    axes: str = ""


@dataclass(frozen=True, eq=False)
class Distribution:
    """A law of numbers; an array has independent entries, each with its own parameters.

    Every function takes the parameters last, as SymPy expressions.

    name: as it is written in declarations.
    support: facts of whatever is drawn.
    requires: (...) -> what must be positive, beside what the facts of the parameters say.
    cumulant: (k, ...) -> the k-th cumulant, k >= 1, where neither `power` nor `generating` gives it; see `cumulants`.
    order: the largest k whose cumulant is not 0; None if there is none.
    generating: (t, ...) -> the logarithm of E exp(t x), where there is a formula.
    exists: (t, ...) -> what must be positive for E exp(t x) to be finite; None where it always is.
    tilted: (t, ...) -> the parameters of the law whose density is that of this one times exp(t x), up to a constant.
    values: (...) -> pairs of a value and its probability, where there are finitely many.
    above: (k, c, ...) -> E [x > c] x^k.
    erf: (k, a, b, ...) -> E x^k erf(a x + b).
    power: (r, ...) -> E x^r for any real r, of positive x; `power_exists` is what must be positive for it to be finite.
    log_density: (x, ...) -> the logarithm of the density, or of the probability of x, on the support.
    cdf: (x, ...) -> the probability of a value up to x, where there is a formula.
    discrete: whether x takes whole numbers only.
    bounds: (...) -> the smallest and the largest value, or what they tend to; None for all real numbers.
    forms: other ways to give a parameter, by name.
    modelled: the parameter or form that a model is usually about; the first parameter if empty.
    reference: floats -> the same law of scipy.stats, for tests and for sampling.
    source: where the formulas stand.
    """

    name: str
    parameters: tuple[Parameter, ...]
    reference: Callable[..., Any]
    source: str
    support: tuple[str, ...] = ()
    requires: Callable[..., tuple[Any, ...]] | None = None
    cumulant: Callable[..., Expr] | None = None
    order: int | None = None
    generating: Callable[..., Expr] | None = None
    exists: Callable[..., Expr] | None = None
    tilted: Callable[..., tuple[Expr, ...]] | None = None
    values: Callable[..., tuple[tuple[Expr, Expr], ...]] | None = None
    above: Callable[..., Expr] | None = None
    erf: Callable[..., Expr] | None = None
    power: Callable[..., Expr] | None = None
    power_exists: Callable[..., Expr] | None = None
    log_density: Callable[..., Expr] | None = None
    cdf: Callable[..., Expr] | None = None
    discrete: bool = False
    bounds: Callable[..., tuple[Expr, Expr]] | None = None
    forms: Mapping[str, Form] = field(default_factory=dict)
    modelled: str = ""


@dataclass(frozen=True, eq=False)
class VectorDistribution:
    """A law of vectors, along the last axis; what stands before it counts independent vectors.

    Parameters come last, as functions from places to entries; a place is an index or a number, and ``sum(f)`` is the sum
    of f over the axis.

    cumulant: (places, sum, ...) -> the joint cumulant of the entries at these places.
    order: the largest number of places for which it is not 0; None if there is none.
    moment: (places, sum, ...) -> the mean of the product of the entries; where this is simpler than cumulants.
    generating: (a, sum, ...) -> the logarithm of E exp(sum_j a(j) x_j).
    tilted: (a, sum, ...) -> the parameters of the law whose density is that of this one times ``exp(sum_j a(j) x_j)``.
    marginal: the law of one entry, and `marginal_parameters`: (place, sum, ...) -> its parameters.
    one_hot: whether exactly one entry is 1 and all others are 0, `moment` of one place being its probability.
    axes: the shape of one draw in the words of declarations: "k" for a vector, "k k" for a matrix, "" for a number whose
        law has parameters that are vectors.
    requires: (...) -> arrays of what must be positive, beside what the facts of the parameters say.
    log_density: a NumPy function that is traced, (x, ...) -> the logarithm of the density; axes before those of one
        draw count draws, in x and in the parameters.
    discrete: whether the entries are whole numbers.
    forms: other ways to give a parameter, by name; their values are NumPy functions.
    modelled: the parameter that a model is usually about; the first if empty.
    reference: arrays -> the same law of scipy.stats.
    """

    name: str
    parameters: tuple[Parameter, ...]
    reference: Callable[..., Any]
    source: str
    support: tuple[str, ...] = ()
    cumulant: Callable[..., Expr] | None = None
    order: int | None = None
    moment: Callable[..., Expr] | None = None
    generating: Callable[..., Expr] | None = None
    tilted: Callable[..., tuple[Entries, ...]] | None = None
    marginal: Distribution | None = None
    marginal_parameters: Callable[..., tuple[Expr, ...]] | None = None
    one_hot: bool = False
    axes: str = "k"
    requires: Callable[..., tuple[Any, ...]] | None = None
    log_density: Callable[..., Any] | None = None
    discrete: bool = False
    forms: Mapping[str, Form] = field(default_factory=dict)
    modelled: str = ""


Record = Distribution | VectorDistribution
