"""Priors: laws of what is learned, whose negative logarithm is a penalty. Their parameters may have priors of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Add, Expr

from ..distributions import Distribution
from ..errors import DomainError, SpecError
from ..information.family import terms_of
from ..information.laws import Scalar, called, law, read_law, scalar_law
from ..ir.facts import Law
from ..ops.elementwise.piecewise import Absolute
from .logarithms import in_terms
from .textbook import textbook
from .wall import letter

SCALES = ("sigma", "scale")
"""What `tau` stands for: the parameter or form of this name."""
DOMAINS = {
    "positive": (sympy.S.Zero, sympy.oo), "nonnegative": (sympy.S.Zero, sympy.oo), "probability": (sympy.S.Zero, sympy.S.One)
}  # fmt: skip
LINE = (-sympy.oo, sympy.oo)


@dataclass(frozen=True)
class Prior:
    """A law of something that is learned.

    scalar: the law, with its parameters in the symbols of their names.
    local: for names in it that stand for one number beside each entry, their own laws: a scale for each coefficient.
    about: lines on the law of an entry by itself, where it is given through others.
    """

    scalar: Scalar
    local: Mapping[str, Prior]
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        return str(self.scalar.written)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in its parameters."""
        return self.scalar.names


@dataclass(frozen=True)
class Hierarchy:
    """A prior that is given by the law of an entry under scales of its own.

    law: the text of the law, from the parameters' texts; local: the laws of the names in it that every entry has.
    about: what is known of the law of an entry by itself; each line with the parameters' texts.
    """

    name: str
    parameters: tuple[str, ...]
    law: Callable[..., str]
    local: Mapping[str, str]
    about: Callable[..., tuple[str, ...]]
    source: str


HIERARCHIES = {
    h.name: h
    for h in (
        Hierarchy(
            name="horseshoe",
            parameters=("tau",),
            law=lambda tau: f"normal(0, sigma=local*{tau if tau.isidentifier() else f'({tau})'})",
            local={"local": "half_cauchy(1)"},
            about=lambda tau: (
                f"by itself, p(w) = exp(u) E₁(u) / ({tau} sqrt(2 π³)) with u = w² / (2 {tau}²), which has a pole at 0 and",
                f"  log(1 + 4 {tau}² / w²) / 2 < {tau} sqrt(2 π³) p(w) < log(1 + 2 {tau}² / w²)",
            ),
            source="Carvalho, Polson and Scott (2010), Biometrika 97, theorem 1",
        ),
    )
}


def prior(name: str | Law, /, **parameters: str | float) -> Prior:
    """A prior, for `Loss.map`: a law by name and parameters, or as text.

    Args:
        name: of a law of numbers, ``"normal"``, or a whole law, ``"normal(0, tau^2)"``; ``"horseshoe"``.
        parameters: numbers, or names and formulas as text. A location that is not given is 0; `tau` is the scale (of the
            normal law its standard deviation).

    Raises:
        UnknownName: there is no such law or parameter.  DomainError: a number that a parameter cannot have, such as a
        negative tau.  SpecError: a law of vectors or of counts.

    Example:
        >>> print(prior("laplace", tau=2))
        laplace(mean=0, scale=2)
    """
    if isinstance(name, str) and name in HIERARCHIES:
        return _hierarchy(HIERARCHIES[name], parameters)
    if isinstance(name, str) and "(" not in name:
        name = law(name, **_completed(name, parameters))
    elif parameters:
        raise SpecError(f"{name} is a law with its parameters already; found {', '.join(parameters)} as well")
    written = read_law(name)
    scalar = scalar_law(written, {})
    if scalar.record.discrete:
        raise SpecError(f"{written} is a law of counts; a prior is one of numbers")
    return Prior(scalar, {})


def _completed(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """With 0 for a location that is left out, and the scale by its own name."""
    record = next((r for r in called(name) if isinstance(r, Distribution)), None)
    if record is None:
        raise SpecError(f"{name} is a law of vectors; a prior is one of numbers")
    known = [p.name for p in record.parameters]
    scale = next((s for s in SCALES if s in record.forms or s in known), "")
    given = {
        scale if key == "tau" and key not in known and scale else key: value
        for key, value in parameters.items()
    }
    replaced = {record.forms[key].of for key in given if key in record.forms}
    for p in record.parameters:
        if not p.facts and p.name not in given and p.name not in replaced and p.name in ("mean", "location"):
            given = {p.name: 0, **given}
    return given


def _hierarchy(record: Hierarchy, parameters: Mapping[str, Any]) -> Prior:
    if set(parameters) != set(record.parameters):
        needs = ", ".join(f"{p}=..." for p in record.parameters)
        raise SpecError(
            f'the {record.name} prior is written prior("{record.name}", {needs}); found {dict(parameters)}'
        )
    for name, value in parameters.items():
        if not isinstance(value, str) and not value > 0:
            raise DomainError(f"the {name} of the {record.name} prior must be positive; found {value}")
    texts = {name: str(value) for name, value in parameters.items()}
    local = {name: prior(text) for name, text in record.local.items()}
    shown = {name: letter(text) for name, text in texts.items()}
    return Prior(scalar_law(read_law(record.law(**texts)), {}), local, record.about(**shown))


@dataclass(frozen=True)
class Penalty:
    """Minus the logarithm of a prior's density of one entry, in the symbol of its name.

    kept: what depends on something that is learned; dropped: the rest.
    """

    name: str
    prior: Prior
    symbol: sympy.Symbol
    kept: Expr
    dropped: Expr

    @property
    def coefficients(self) -> dict[str, Expr]:
        """The factors of the norms that it is made of, ``‖w‖²`` and ``‖w‖₁``; empty if it is made of something else."""
        found = {}
        for factor, statistic in terms_of(self.kept, self.symbol):
            norm = {self.symbol**2: f"‖{self.name}‖²", sympy.Abs(self.symbol): f"‖{self.name}‖₁"}.get(
                _plain(statistic)
            )
            if norm is None:
                return {}
            found[norm] = factor
        return found


def _plain(e: Expr) -> Expr:
    return e.replace(Absolute, sympy.Abs)


def penalty_of(name: str, given: Prior, domain: tuple[Expr, Expr], learned: Collection[str]) -> Penalty:
    """The penalty that a prior is.

    Args:
        domain: of what the prior is about.
        learned: the names of everything that is learned.

    Raises:
        DomainError: the law has other values than what it is a prior of.
    """
    low, high = given.scalar.bounds
    if (low, high) != domain:
        what = {
            LINE: "may be any real number",
            DOMAINS["positive"]: "is positive",
            DOMAINS["probability"]: "is between 0 and 1",
        }
        found = f"{given} lives on {_interval(low, high)}"
        raise DomainError(
            f"{name} {what.get(domain, f'lives on {_interval(*domain)}')}, and {found}; {_instead(domain)}"
        )
    symbol = sympy.Symbol(name, real=True, positive=True if domain[0] == 0 else None)
    terms = Add.make_args(in_terms(-given.scalar.log_density(symbol)))
    kept = [t for t in terms if {s.name for s in t.free_symbols} & {name, *learned}]
    dropped = [t for t in terms if t not in kept]
    return Penalty(name, given, symbol, textbook(Add(*kept)), textbook(Add(*dropped)))


def _interval(low: Expr, high: Expr) -> str:
    start = "(−∞" if low == -sympy.oo else f"({low}"
    return f"{start}, {'∞' if high == sympy.oo else high})"


def _instead(domain: tuple[Expr, Expr]) -> str:
    return {
        LINE: "try: a normal, laplace or student_t prior",
        DOMAINS["positive"]: "try: a half_normal, half_cauchy, gamma or log_normal prior",
        DOMAINS["probability"]: "try: a beta prior",
    }.get(domain, "try: another prior")
