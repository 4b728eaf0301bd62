"""Links: what makes a parameter of the raw output of a network, one record each.

A record is two NumPy functions, which are traced: for a number they give a SymPy expression (`of_number`), for arrays index
equations. Slopes, logarithms and which link is canonical for which law are derived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy
from sympy import Expr

from ..api import trace
from ..errors import DomainError, UnknownName, closest
from ..ir.facts import spec
from ..ir.nodes import Read
from .scalars import scalar_of

REALS = "real"
FITS: dict[str, tuple[str, ...]] = {
    REALS: (),
    "positive": ("positive", "nonnegative"),
    "probability": ("positive", "nonnegative", "probability"),
    "simplex": ("simplex", "nonnegative"),
}
"""Ranges of links with the facts that every number in them has."""
MATRICES = ("positive definite", "positive semidefinite", "symmetric", "lower triangular", "invertible")
SAID = {
    REALS: "any real number", "positive": "positive numbers", "probability": "numbers between 0 and 1",
    "simplex": "probabilities that add up to 1",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Link:
    """parameter = inverse(raw output).

    inverse: NumPy function of the raw output z; of whole vectors if its range is the simplex.
    link: NumPy function of the parameter, the other way; None where z is not determined.
    range: a word of `FITS`; the identity gives whatever is declared of the raw output.
    raw: facts that the raw output must have.
    """

    name: str
    inverse: Callable[[Any], Any]
    link: Callable[[Any], Any] | None
    range: str
    raw: tuple[str, ...] = ()
    source: str = "McCullagh and Nelder (1989), Generalized Linear Models, sec. 2.2"

    def __str__(self) -> str:
        return self.name


def _softmax(z: Any) -> Any:
    return np.exp(z) / np.sum(np.exp(z), axis=-1, keepdims=True)


LINKS = (
    Link("identity", lambda z: z, lambda p: p, REALS),
    Link("log", np.exp, np.log, "positive"),
    Link("logit", scipy.special.expit, scipy.special.logit, "probability"),
    Link("softmax", _softmax, None, "simplex", source="Bridle (1990), Neurocomputing, eq. 8"),
    Link("softplus", lambda z: np.log(1 + np.exp(z)), lambda p: np.log(np.exp(p) - 1), "positive",
         source="Dugas et al. (2001), eq. 5"),
    Link("probit", scipy.special.ndtr, scipy.special.ndtri, "probability"),
    Link("cloglog", lambda z: 1 - np.exp(-np.exp(z)), lambda p: np.log(-np.log(1 - p)), "probability"),
    Link("loglog", lambda z: np.exp(-np.exp(-z)), lambda p: -np.log(-np.log(p)), "probability"),
    Link("cauchit", lambda z: 0.5 + np.arctan(z) / np.pi, lambda p: np.tan(np.pi * (p - 0.5)), "probability",
         source="Koenker and Yoon (2009), Journal of Econometrics 152, sec. 2"),
    Link("reciprocal", lambda z: 1 / z, lambda p: 1 / p, "positive", ("positive",)),
    Link("sqrt", lambda z: z**2, lambda p: np.sqrt(p), "positive", ("positive",)),
)  # fmt: skip
ALIASES = {"inverse": "reciprocal", "exp": "log", "sigmoid": "logit"}


def link_called(name: str) -> Link:
    """The record of a link.

    Raises:
        UnknownName: there is none; the message offers the closest names.
    """
    name = ALIASES.get(name, name)
    found = next((record for record in LINKS if record.name == name), None)
    if found is None:
        raise UnknownName(f"there is no link {name!r}; {closest(name, [link.name for link in LINKS])}")
    return found


def default_link(facts: Iterable[str]) -> Link:
    """The first link whose range is that of a parameter with these facts."""
    wanted = next((r for r in ("simplex", "probability", "positive") if r in facts), REALS)
    return next(link for link in LINKS if link.range == wanted)


def check_range(link: Link, raw: Iterable[str], parameter: str, facts: Iterable[str], law: str) -> None:
    """Whether the values of a link are values that the parameter may have.

    Args:
        raw: facts that are declared of the raw output.

    Raises:
        DomainError: they are not; the message says a value that the parameter would have.
    """
    known = {*FITS[link.range]} | ({*raw} if link.inverse is LINKS[0].inverse else set())
    if matrix := [fact for fact in MATRICES if fact in facts and fact not in raw]:
        raise DomainError(
            f"no link gives a matrix that is {matrix[0]}, which {parameter} of the {law} law must be; "
            f'try: another form of it, or raw="{matrix[0]}", if raw outputs are so by construction'
        )
    wanted = [fact for fact in ("simplex", "probability", "positive", "nonnegative") if fact in facts]
    if not wanted or wanted[0] in known:
        return
    exact = [record.name for record in LINKS if record.range == wanted[0]]
    fitting = exact or [record.name for record in LINKS if wanted[0] in FITS[record.range]]
    bad = {REALS: "-1", "positive": "2"}.get(link.range, "a single number")
    also = (
        ' (or raw="positive", if raw outputs are positive by construction)' if wanted[0] == "positive" else ""
    )
    raise DomainError(
        f"the {link} link gives {SAID[link.range]}, such as {bad}, but {parameter} of the {law} law must be "
        f"{_said_fact(wanted[0])}; try: {' or '.join(map(repr, fitting[:3]))}{also}"
    )


def _said_fact(fact: str) -> str:
    words = {"probability": "between 0 and 1", "simplex": "a vector of probabilities that add up to 1"}
    return words.get(fact, fact)


@cache
def _traced(function: Callable[[Any], Any], facts: tuple[str, ...]) -> tuple[Read, Expr]:
    traced = trace(lambda x: function(x), x=spec("", *facts))
    return Read(traced.program.inputs[0], ()), scalar_of(traced.program)


def of_number(function: Callable[[Any], Any], value: Expr, facts: Iterable[str] = ()) -> Expr:
    """A NumPy function of one number as a SymPy expression of `value`."""
    read, body = _traced(function, tuple(facts))
    return body.xreplace({read: value})
