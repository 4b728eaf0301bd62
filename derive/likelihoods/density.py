"""What a user calls a density, of whatever kind, as one record: of our own laws, or read from text, NumPy or SymPy."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy
from sympy import Expr

from ..api import trace
from ..distributions import (
    Distribution,
    Form,
    LossRecord,
    Parameter,
    Record,
    VectorDistribution,
    distributions,
    distributions_called,
    loss_records,
)
from ..errors import ShapeError, SpecError, UnknownName, closest
from ..function import Function
from ..ir.facts import Spec, spec
from ..ir.nodes import Read
from ..ops.elementwise.piecewise import domestic
from ..texts import from_sympy, parse
from .normalised import domains
from .scalars import scalar_of

CONSTANTS = ("pi", "e", "inf")
HAVE_DENSITY = {"nonnegative": "positive", "positive semidefinite": "positive definite"}
"""Where a parameter lies on the boundary of its domain there is no density."""


@dataclass(frozen=True, eq=False)
class Density:
    """A law by the logarithm of its density.

    name: as the law is called; variable: of what is observed.
    log_density: of numbers: (y, *parameters) -> SymPy; of arrays: a NumPy function of the same arguments.
    facts: of what is observed; whole: whether it is a whole number.
    arrays: whether it is a law of arrays, or one of numbers whose parameters are arrays; axes: of one observation.
    fixed: parameters that cannot be learned, since a factor of the density that depends on them is left out.
    statement: what there is to say of a loss that has no density.
    record: the law that it comes from, if it is one of ours.
    """

    name: str
    log_density: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    variable: str = "y"
    facts: tuple[str, ...] = ()
    whole: bool = False
    arrays: bool = False
    axes: str = ""
    bounds: Callable[..., tuple[Expr, Expr]] | None = None
    forms: Mapping[str, Form] = field(default_factory=dict)
    modelled: str = ""
    fixed: tuple[str, ...] = ()
    statement: str = ""
    record: Distribution | VectorDistribution | None = None

    @property
    def shape(self) -> tuple[Expr, ...]:
        """The axes of one observation."""
        return spec(self.axes).shape

    @property
    def main(self) -> str:
        """The parameter or form that a link without a name is about."""
        return self.modelled or self.parameters[0].name


def density_of(given: Any, facts: Mapping[str, tuple[str, ...]], words: Collection[str] = ()) -> Density:
    """The density that a user gave.

    Args:
        given: the name of a law, a formula, a SymPy expression, or a NumPy function of what is observed and the parameters.
        facts: what is declared of parameters and of what is observed, for densities of one's own.
        words: parameters, forms and facts of parameters; of two laws of one name it is the first that knows them.

    Raises:
        UnknownName: a word that is no law.  ParseError: a text that cannot be read.  SpecError: nothing to learn from.
    """
    if isinstance(given, Distribution | VectorDistribution):
        return _of_record(given)
    if isinstance(given, LossRecord):
        return _of_loss(given)
    if (
        isinstance(given, str)
        and given.strip().replace("_", " ").replace("-", " ").replace(" ", "").isalpha()
    ):
        return _called(given.strip(), words)
    if isinstance(given, str):
        names = _names(given)
        return _own(lambda f: parse(given, **_declared(names, f)), given, facts)
    if isinstance(given, sympy.Basic):
        inputs = from_sympy(given).program.inputs
        known = {t.name: tuple(t.facts) for t in inputs if t.facts}
        names = tuple(t.name for t in inputs)
        return _own(lambda f: from_sympy(given, **_declared(names, f)), str(given), {**known, **facts})
    if isinstance(given, Function):
        return _own(lambda f: given, given.name, facts)
    if callable(given):
        names = tuple(inspect.signature(given).parameters)
        name = getattr(given, "__name__", "density")
        return _own(lambda f: trace(given, **_declared(names, f)), name, facts, names[0])
    raise SpecError(
        f"a density is the name of a law, a formula as text, a SymPy expression or a NumPy function; found {given!r:.60}"
    )


def _names(formula: str) -> tuple[str, ...]:
    """The names of numbers in a formula: what stands in front of no parenthesis, but for names of constants."""
    try:
        return parse(formula).inputs
    except ShapeError:
        found = re.findall(r"[A-Za-z_]\w*\b(?!\s*\()", formula)
        return tuple(dict.fromkeys(n for n in found if n not in CONSTANTS))


def _called(name: str, words: Collection[str]) -> Density:
    """The law, or the loss without a density, that has this name.

    Raises:
        UnknownName: there is none.
    """
    plain = name.replace("_", " ").replace("-", " ")
    if loss := next((r for r in loss_records() if r.name == plain), None):
        return _of_loss(loss)
    try:
        found = [d for d in distributions_called(plain) if d.log_density]
    except UnknownName:
        found = []
    if not found:
        known = {r.name for r in (*distributions(), *loss_records())}
        raise UnknownName(f"there is no law {name!r} with a density; {closest(plain, known)}")
    return _of_record(next((d for d in found if {*words} <= _words(d)), found[0]))


def _words(record: Record) -> set[str]:
    """The parameters of a law, their forms and facts."""
    return {*record.forms, *(w for p in record.parameters for w in (p.name, *p.facts))}


def _of_loss(record: LossRecord) -> Density:
    return Density(
        record.name, lambda y, *parameters: -record.loss(y, *parameters), record.parameters, facts=record.support,
        modelled=record.modelled, fixed=record.fixed, statement=record.statement,
    )  # fmt: skip


def _of_record(record: Distribution | VectorDistribution) -> Density:
    if record.log_density is None:
        raise SpecError(f"the law {record.name!r} has no density here")
    parameters = tuple(
        replace(p, facts=tuple(HAVE_DENSITY.get(f, f) for f in p.facts)) for p in record.parameters
    )
    found = Density(
        record.name, record.log_density, parameters, facts=record.support, whole=record.discrete, forms=record.forms,
        modelled=record.modelled, record=record,
    )  # fmt: skip
    if isinstance(record, VectorDistribution):
        return replace(found, arrays=True, axes=record.axes)
    return replace(found, bounds=record.bounds)


def _declared(names: tuple[str, ...], facts: Mapping[str, tuple[str, ...]]) -> dict[str, Spec]:
    return {name: spec("", *facts.get(name, ())) for name in names}


def _own(
    read_with: Callable[[Mapping[str, tuple[str, ...]]], Function],
    name: str,
    facts: Mapping[str, tuple[str, ...]],
    variable: str = "",
) -> Density:
    """A density that a user wrote: of numbers, and all names but that of what is observed are parameters.

    Args:
        read_with: facts by name -> the function; read once to see what it is a density of, and again with that.

    Raises:
        DomainError: it does not integrate to 1.
    """
    first = read_with(facts)
    names = first.inputs
    variable = variable or next((v for v in ("y", "x") if v in names), "")
    if not variable:
        raise SpecError(f"what is observed is called y or x; found {', '.join(names) or 'no name'} in {name}")
    if unknown := next((n for n in facts if n not in names), None):
        raise UnknownName(f"{name} has no {unknown!r}; {closest(unknown, names)}")
    places = {t.name: Read(t, ()) for t in first.program.inputs}
    parameters = [places[n] for n in names if n != variable]
    if not parameters:
        raise SpecError(f"{name} has no parameter besides {variable}: there is nothing to learn")
    support, found = domains(scalar_of(first.program), places[variable], parameters, facts, name)
    function = read_with({**found, variable: support.facts})
    body = domestic(scalar_of(function.program))
    reads = {t.name: Read(t, ()) for t in function.program.inputs}

    def log_density(y: Expr, *values: Expr) -> Expr:
        given = dict(zip(found, values, strict=True))
        return sympy.log(body.xreplace({reads[n]: given.get(n, y) for n in names}))

    own = tuple(Parameter(n, f) for n, f in found.items())
    moved = next((str(p) for p in parameters if _is_location(body, reads[variable], reads[str(p)])), "")
    return Density(name, log_density, own, variable, support.facts, support.whole, modelled=moved)


def _is_location(density: Expr, y: Read, parameter: Read) -> bool:
    """Whether moving the parameter moves the density."""
    step = sympy.Dummy("step", real=True)
    moved = density.xreplace({y: y + step, parameter: parameter + step}).replace(
        lambda e: e.is_Add, sympy.expand
    )
    return not moved.has(step)
