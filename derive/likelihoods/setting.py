"""Which parameter is what: a raw output under its link, a scalar that is learned, one that is known, or a number."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import sympy
from sympy import Expr

from ..distributions import Form, Parameter
from ..errors import DomainError, SpecError, UnknownName, closest
from ..ir.facts import IMPLIES
from .density import Density
from .links import Link, check_range, default_link, link_called

Part = Literal["raw", "learned", "known", "number"]
WORDS = ("learned", "known")


@dataclass(frozen=True)
class Given:
    """One parameter of the law, or the form in whose place it stands.

    part: what it is; symbol: the name of its input, ``z`` for a raw output; value: its number.
    """

    parameter: Parameter
    part: Part
    symbol: str = ""
    link: Link | None = None
    raw: tuple[str, ...] = ()
    value: Expr | None = None

    @property
    def name(self) -> str:
        return self.parameter.name


@dataclass(frozen=True)
class Setting:
    """A law with what is given for each of its parameters."""

    density: Density
    given: tuple[Given, ...]

    def parts(self, *parts: Part) -> tuple[Given, ...]:
        return tuple(g for g in self.given if g.part in parts)

    @property
    def raws(self) -> tuple[Given, ...]:
        return self.parts("raw")

    @property
    def learned(self) -> tuple[Given, ...]:
        return self.parts("learned")

    def in_law(self, values: Mapping[str, Any]) -> list[Any]:
        """The values of the law's own parameters, of those of what is given by name."""
        forms = self.density.forms

        def value(name: str) -> Any:
            if name in values:
                return values[name]
            form = next(f for n, f in forms.items() if n in values and f.of == name)
            return form.value(**{n: value(n) for n in needs(form)})

        return [value(p.name) for p in self.density.parameters]


def needs(form: Form) -> list[str]:
    """The names that a form is computed from."""
    return list(inspect.signature(form.value).parameters)


def setting_of(
    density: Density,
    link: str | Mapping[str, str] | None,
    raw: str | Mapping[str, str],
    values: Mapping[str, Any],
) -> Setting:
    """Read the links and the values of a call.

    Raises:
        UnknownName: a name is no parameter or form of the law.  SpecError: two names for one parameter, or a value that is
        none.  DomainError: a number outside the domain of its parameter, or a link whose range is not in it.
    """
    links = _links(density, link, values)
    names = _active(density, [*links, *values])
    given = []
    for name, parameter in names.items():
        if name in links:
            symbol = "z" if len(links) == 1 else f"z_{name}"
            declared = raw if isinstance(raw, str) else raw.get(name, "")
            given.append(
                _raw(
                    density,
                    parameter,
                    links[name],
                    symbol,
                    tuple(filter(None, map(str.strip, declared.split(",")))),
                )
            )
        else:
            fixed = parameter.integer or name in density.fixed
            given.append(_valued(density, parameter, values.get(name, "known" if fixed else "learned")))
    if unlearnable := next((g for g in given if g.name in density.fixed and g.part in ("raw", "learned")), None):
        raise SpecError(
            f"{unlearnable.name} of the {density.name} loss cannot be learned: {density.statement} "
            f"Try: {unlearnable.name}=1.5, or another number, or 'known'"
        )
    return Setting(density, tuple(given))


def _links(density: Density, link: Any, values: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(link, Mapping):
        return dict(link)
    if link is not None and not isinstance(link, str):
        raise SpecError(f"a link is a name, or a dictionary from parameters to names; found {link!r:.60}")
    main = density.main
    of = density.forms[main].of if main in density.forms else main
    other = next((n for n in values if n == of or (n in density.forms and density.forms[n].of == of)), None)
    name = other if other and not isinstance(values.get(other), Real | sympy.Expr) else main
    if link is None and name in values:
        free = [p.name for p in density.parameters if p.name not in values]
        name = free[0] if free else name
    return {name: link or ""}


def _active(density: Density, named: list[str]) -> dict[str, Parameter]:
    """The parameters in their order, those that are given in another form replaced by it."""
    own, forms = {p.name: p for p in density.parameters}, density.forms
    for name in named:
        if name not in (known := [*own, *forms]):
            raise UnknownName(f"the {density.name} law has no parameter {name!r}; {closest(name, known)}")
    if doubled := next((n for n in named if named.count(n) > 1), None):
        raise SpecError(f"{doubled} of the {density.name} law is given twice: as a link and as a value")
    used = list(named)
    for name in used:
        used += [n for n in (needs(forms[name]) if name in forms else ()) if n in forms and n not in used]
    found: dict[str, Parameter] = {}
    for name, p in own.items():
        instead = [n for n in forms if n in used and forms[n].of == name]
        given = [*([name] if name in named else []), *instead]
        if len(given) > 1 and not all(n in instead and set(instead) <= set(needs(forms[n])) for n in given):
            raise SpecError(f"{' and '.join(given)} say the same; give one of them")
        found |= {n: Parameter(n, forms[n].facts, p.role, axes=forms[n].axes or None) for n in instead} or {
            name: p
        }
    return found


def _raw(density: Density, parameter: Parameter, link: str, symbol: str, declared: tuple[str, ...]) -> Given:
    if wrong := [f for f in declared if f not in IMPLIES]:
        raise SpecError(f"unknown fact {wrong[0]!r} about raw outputs; {closest(wrong[0], IMPLIES)}")
    record = link_called(link) if link else default_link(parameter.facts)
    raw = tuple(dict.fromkeys((*record.raw, *declared)))
    check_range(record, raw, parameter.name, parameter.facts, density.name)
    return Given(parameter, "raw", symbol, record, raw)


def _valued(density: Density, parameter: Parameter, value: Any) -> Given:
    if isinstance(value, str):
        if value not in WORDS:
            raise SpecError(f"{parameter.name} is a number, 'learned' or 'known'; found {value!r}")
        return Given(parameter, "learned" if value == "learned" else "known", parameter.name)
    if isinstance(value, bool) or not isinstance(value, Real | sympy.Expr):
        raise SpecError(f"{parameter.name} is a number, 'learned' or 'known'; found {value!r:.60}")
    if parameter.integer and float(value) % 1:
        raise DomainError(f"{parameter.name} of the {density.name} law must be a whole number; found {value}")
    number = value if isinstance(value, sympy.Expr) else _exactly(float(value))
    _check_number(density, parameter, number)
    return Given(parameter, "number", parameter.name, value=number)


def _exactly(value: float) -> Expr:
    """``0.1`` as a tenth."""
    return sympy.Rational(str(value)) if math.isfinite(value) else sympy.Float(value)


def _check_number(density: Density, parameter: Parameter, value: Expr) -> None:
    where = f"{parameter.name} of the {density.name} law must be"
    if not value.is_number or not value.is_finite or not value.is_real:
        raise DomainError(f"{where} a finite real number; found {value}")
    holds = {
        "probability": bool(value > 0) and bool(value < 1), "positive": bool(value > 0), "nonnegative": bool(value >= 0)
    }  # fmt: skip
    wanted = next((f for f in holds if f in parameter.facts), None)
    if wanted and not holds[wanted]:
        raise DomainError(
            f"{where} {'between 0 and 1' if wanted == 'probability' else wanted}; found {value}"
        )
